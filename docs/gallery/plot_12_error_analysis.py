"""
What to do about the errors that are left
=========================================

A search ends, and some rows are still wrong. More rows, more regularisation, or
another model? :class:`~sklearn_hpt.diagnostics.ErrorDecomposition` says where
an error comes from, and :class:`~sklearn_hpt.diagnostics.ErrorAnalysis` which
rows have it.
"""

# %%
# Four sets of rows
# -----------------
# Besides the rows to train on there are three that each answer one question.
# Errors on *train-dev* rows tell how well the model does on rows that are new
# to it, those on *dev* rows how well it does where it is to be used, and those
# on *test* rows whether too many decisions were made on dev. Here all are of
# one kind, so no step from train-dev to dev is expected.
from sklearn.datasets import load_digits

from sklearn_hpt.diagnostics import train_dev_test_split

X, y = load_digits(return_X_y=True)
split = train_dev_test_split(X, y, train_dev=True, random_state=0)
sets = {name: split.take(name, X, y) for name in split._fields}
for name, (_, y_set) in sets.items():
    print(f"{name:10}{len(y_set):5} rows")

# %%
# Where the error comes from
# --------------------------
# A decision tree, with the best of 40 settings of how large it may grow and how
# many features it may look at.
from sklearn.tree import DecisionTreeClassifier

from sklearn_hpt import LogRandomSearchCV
from sklearn_hpt.diagnostics import ErrorDecomposition


def decomposed(model):
    rows = {}
    for name in ("train_dev", "test"):
        rows[f"X_{name}"], rows[f"y_{name}"] = sets[name]
    return ErrorDecomposition.from_estimator(
        model, *sets["train"], *sets["dev"], **rows
    )


tree = LogRandomSearchCV(
    DecisionTreeClassifier(random_state=0),
    {
        "max_depth": (2, 32, "log-uniform"),
        "min_samples_leaf": (1, 32, "log-uniform"),
        "max_features": (0.05, 1.0, "log-uniform"),
    },
    n_iter=40,
    random_state=0,
)
tree.fit(*sets["train"])
of_tree = decomposed(tree)
print(tree.best_params_)
print(of_tree)

# %%
# The tree knows its training rows nearly by heart, and about one new row in six
# is wrong: that is variance. What chance may explain is "within noise", and
# gets no advice.

# %%
# Which rows are wrong
# --------------------
# Error rates of parts of the dev rows, by digit and by how much ink there is,
# with intervals. A part is coloured if all of its interval is above the rate of
# all rows. Of twenty parts that are like the others one looks worse by chance.
import matplotlib.pyplot as plt

from sklearn_hpt.diagnostics import ErrorAnalysis

X_dev, y_dev = sets["dev"]
analysis = ErrorAnalysis.from_estimator(tree, X_dev, y_dev)
features = {"digit": y_dev.astype(str), "ink": X_dev.mean(axis=1).round(1)}
analysis.slices(features).plot()
plt.show()

# %%
# Before anything is done about a part: how much would it help? The last column
# is the error that is left when all of its errors are mended.
print(analysis.slices(features))

# %%
# No part holds so many of the errors that to mend it alone would do. That fits
# variance, which is everywhere.

# %%
# Doing something about it
# ------------------------
# Against variance the advice names more rows and more regularisation. The
# search was free to regularise, and there are no more rows. What is left is
# another model whose variance is smaller: the mean of many trees that differ.
from sklearn.ensemble import ExtraTreesClassifier

forest = ExtraTreesClassifier(n_estimators=200, random_state=0)
forest.fit(*sets["train"])
of_forest = decomposed(forest)
print(of_forest)

# %%
# The same as pictures. Grey bars are errors, coloured ones the steps between
# them.
fig, axes = plt.subplots(2, 1, figsize=(7.5, 6), layout="constrained")
for ax, name, one in [
    (axes[0], "tree", of_tree),
    (axes[1], "many trees", of_forest),
]:
    one.plot(ax)
    ax.set_title(name)
axes[1].set_xlim(axes[0].get_xlim())
plt.show()

# %%
# What is left
# ------------
# So few errors need no statistics: they can be looked at.
left = ErrorAnalysis.from_estimator(forest, X_dev, y_dev)
fig, axes = plt.subplots(1, 8, figsize=(9, 1.7), layout="constrained")
for ax in axes:
    ax.axis("off")
columns = [left.errors_[name][:8] for name in ("row", "true", "predicted")]
for ax, row, true, predicted in zip(axes, *columns, strict=False):
    ax.imshow(X_dev[row].reshape(8, 8), cmap="gray_r")
    ax.set_title(f"{true}, not {predicted}")
plt.show()

# %%
# Some of them a human may get wrong too. How much of an error can be avoided at
# all is what ``human=`` tells a decomposition. :doc:`/error_analysis` has
# categories that are filled in by hand, and a study in which the dev rows are
# of another kind than the training rows.
