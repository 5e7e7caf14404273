"""
A drop-in for GridSearchCV
==========================

The same support vector machine is tuned twice with 16 candidates: by
:class:`~sklearn.model_selection.GridSearchCV` on four values of each parameter,
and by :class:`~sklearn_hpt.LogRandomSearchCV`, which tries 16 values of each in
the same range.
"""

# %%
# The code that is there
# ----------------------
import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.svm import SVC

X, X_test, y, y_test = train_test_split(
    *load_digits(return_X_y=True), random_state=0
)

grid = GridSearchCV(
    SVC(), {"C": [0.1, 1, 10, 100], "gamma": [1e-4, 1e-3, 1e-2, 1e-1]}
)
grid.fit(X, y)
print(grid.best_params_)
print(f"score {grid.best_score_:.4f}, test {grid.score(X_test, y_test):.4f}")

# %%
# The code after the change
# -------------------------
# The import, the class and the ranges change. A tuple is a range;
# ``"log-uniform"`` says that each power of ten counts as much as the next. A
# list would still be choices.
from sklearn_hpt import LogRandomSearchCV

search = LogRandomSearchCV(
    SVC(),
    {"C": (0.1, 100, "log-uniform"), "gamma": (1e-4, 1e-1, "log-uniform")},
    n_iter=16,
    random_state=0,
)
search.fit(X, y)
print(search.best_params_)
print(
    f"score {search.best_score_:.4f}, test {search.score(X_test, y_test):.4f}"
)

# %%
# What each of them has seen
# --------------------------
# The grid has spent its 16 candidates on four values of ``gamma``, and only one
# of these lies where it matters. Random candidates have 16 different values of
# each parameter [1]_.
fig, axes = plt.subplots(
    1, 2, figsize=(9, 3.8), sharex=True, sharey=True, layout="constrained"
)
for ax, one in zip(axes, [grid, search], strict=True):
    tried = one.cv_results_["params"]
    points = ax.scatter(
        [params["C"] for params in tried],
        [params["gamma"] for params in tried],
        c=one.cv_results_["mean_test_score"],
        vmin=0.9,
        vmax=1.0,
        cmap="cividis_r",
        s=60,
        edgecolor="black",
    )
    ax.set(title=type(one).__name__, xlabel="C", xscale="log", yscale="log")
axes[0].set_ylabel("gamma")
fig.colorbar(points, ax=axes, label="accuracy, 5 folds", extend="min")
plt.show()

# %%
# What else is there
# ------------------
# All attributes and methods of a :class:`~sklearn.model_selection.GridSearchCV`
# are there, and some that it has not. The best of 16 scores owes a little to
# luck; ``best_score_corrected_`` is what is left without it.
print(f"without its luck {search.best_score_corrected_:.4f}")
print(f"ended since {search.stop_reason_}, after {search.search_time_:.1f} s")

# %%
# .. [1] J. Bergstra and Y. Bengio (2012), "Random search for hyper-parameter
#    optimization", JMLR 13.
