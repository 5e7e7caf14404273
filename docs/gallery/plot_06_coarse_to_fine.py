"""
Coarse to fine, round by round
==============================

Where nobody knows the right range, it has to be wide, and most of it is bad.
:class:`~sklearn_hpt.CoarseToFineSearchCV` finds that out on few rows, and gives
all of them to candidates in a small part of the space.
"""

# %%
# A wide space
# ------------
# Seven decades of ``C`` and eight of ``gamma`` for a support vector machine. It
# cannot be trained on from where it is, as a net or a forest can, so what
# candidates get little of at first is rows.
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.svm import SVC

from sklearn_hpt import CoarseToFineSearchCV, LogRandomSearchCV

X, y = load_digits(return_X_y=True)
X, X_test, y, y_test = train_test_split(X / 16, y, random_state=0)

space = {"C": (1e-3, 1e4, "log-uniform"), "gamma": (1e-6, 1e2, "log-uniform")}
search = CoarseToFineSearchCV(
    SVC(), space, n_iter=(20, 10, 6), cv=3, random_state=1
)
search.fit(X, y)
print(search.best_params_)
print(
    f"score {search.best_score_:.4f}, test {search.score(X_test, y_test):.4f}"
)

# %%
# What each round has learned
# ---------------------------
# ``rounds_`` prints as a table. Below each round is the box that it drew from,
# and after the dashes what it has made of the next one. Scores of different
# rounds are with different numbers of rows, and never compared.
print(search.rounds_)

# %%
# The same as a picture: bars are boxes, the star is the best of each round. For
# ``gamma`` the box becomes small. ``C`` hardly matters from some value on, so
# its stars wander. A last box at the edge of the picture, with the star there,
# would ask for a larger space.
import matplotlib.pyplot as plt

from sklearn_hpt.displays import BoxesDisplay

BoxesDisplay.from_estimator(search)
plt.show()

# %%
# All candidates, by how many rows they had in the end. A fifth of the new ones
# of a later round still comes from anywhere: few rows may mislead, and this is
# the way back.
fig, ax = plt.subplots(figsize=(6.5, 4), layout="constrained")
results = search.cv_results_
for one, marker, color in zip(
    search.rounds_,
    ["o", "s", "D"],
    ["#bbbbbb", "#56b4e9", "#d55e00"],
    strict=True,
):
    tried = [
        params
        for params, rows in zip(
            results["params"], results["resource"], strict=True
        )
        if rows == one.resource
    ]
    ax.scatter(
        [params["C"] for params in tried],
        [params["gamma"] for params in tried],
        s=55,
        marker=marker,
        color=color,
        edgecolor="black",
        label=f"up to {one.resource} rows ({len(tried)})",
    )
ax.set(xlabel="C", ylabel="gamma", xscale="log", yscale="log")
ax.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
plt.show()

# %%
# What each round has cost
# ------------------------
# Rows to train on, for each fold. The last round has the fewest candidates and
# costs about as much as the two others together.
print("round  candidates   rows  together")
for one in search.rounds_:
    together = one.n_done * one.resource
    print(f"{one.number:5}{one.n_done:12}{one.resource:7}{together:10}")
spent = int(results["resource_spent"].sum())
print(f"{'in all':17}{spent:17}")

# %%
# A random search with as many rows
# ---------------------------------
# For these rows :class:`~sklearn_hpt.LogRandomSearchCV` can afford a dozen
# candidates. Its score depends on whether one of them happens to lie near the
# best ``gamma``. As one run of each says little, here are three seeds.
n_iter = round(spent / search.rounds_[-1].resource)
print(f"seed  coarse to fine  {n_iter} at random")
for seed in range(3):
    scores = [
        one.fit(X, y).best_score_
        for one in (
            CoarseToFineSearchCV(
                SVC(), space, n_iter=(20, 10, 6), cv=3, random_state=seed
            ),
            LogRandomSearchCV(
                SVC(), space, n_iter=n_iter, cv=3, random_state=seed
            ),
        )
    ]
    print(f"{seed:4}{scores[0]:16.4f}{scores[1]:14.4f}")

# %%
# In a space as wide as this one the rounds pay. Where the range is known, or
# few rows say little about many, they gain less or nothing.
# :doc:`/coarse_to_fine` says when to use them, and has a net for MNIST whose
# candidates are trained on from round to round.
