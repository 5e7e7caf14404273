"""
Bayesian search against random search
=====================================

:class:`~sklearn_hpt.BayesSearchCV` puts each candidate where a model of the
scores so far expects most. Does that pay? Here both search the same space for a
support vector machine, several times, and are compared by evaluations and by
seconds.
"""

# %%
# The same budget
# ---------------
# Thirty candidates each, with five seeds. One seed would tell little: random
# search is lucky in some of them.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.svm import SVC

from sklearn_hpt import BayesSearchCV, LogRandomSearchCV

X, y = load_digits(return_X_y=True)
X, y = X[:600], y[:600]
space = {"C": (1e-3, 1e3, "log-uniform"), "gamma": (1e-7, 1e1, "log-uniform")}


def best_so_far(search):
    return np.maximum.accumulate(search.cv_results_["mean_test_score"])


settings = {"n_iter": 30, "cv": 3, "refit": False}
random = [
    LogRandomSearchCV(SVC(), space, **settings, random_state=seed).fit(X, y)
    for seed in range(5)
]
bayes = [
    BayesSearchCV(SVC(), space, **settings, random_state=seed).fit(X, y)
    for seed in range(5)
]
for name, searches in [("random", random), ("bayes", bayes)]:
    curves = np.array([best_so_far(search) for search in searches])
    shown = ", ".join(f"{curves[:, n - 1].mean():.3f}" for n in (5, 10, 20, 30))
    print(f"{name:>6}: best of the first 5, 10, 20, 30 candidates: {shown}")

# %%
# Evaluations, and seconds
# ------------------------
# To think takes time too: some hundredths of a second for a candidate. Where an
# evaluation takes less than that, random search may be the quicker one.
fig, axes = plt.subplots(
    1, 2, figsize=(9, 3.6), sharey=True, layout="constrained"
)
for name, searches in [("random", random), ("bayes", bayes)]:
    curves = np.array([best_so_far(search) for search in searches])
    low, middle, high = np.quantile(curves, [0, 0.5, 1], axis=0)
    n = np.arange(1, 31)
    seconds = np.median([search.search_time_ for search in searches])
    for ax, x in zip(axes, [n, n / 30 * seconds], strict=True):
        (line,) = ax.plot(x, middle, label=name)
        ax.fill_between(x, low, high, alpha=0.2, color=line.get_color())
axes[0].set(
    xlabel="candidates", ylabel="best accuracy so far", ylim=(0.8, 0.95)
)
axes[1].set(xlabel="seconds")
axes[0].legend(loc="lower right")
fig.suptitle("Median of five seeds, and the range of them")
plt.show()

# %%
# What it believes
# ----------------
# The model is there after the search, and says which score it expects of values
# that were not tried.
from sklearn_hpt.displays import ContourDisplay

ContourDisplay.from_estimator(bayes[0], params=("C", "gamma"))
plt.show()

# %%
# ``docs/benchmarks.md`` of the repository has nine real problems, measured by
# ``benchmarks/bayes.py`` (:doc:`/benchmarks`); :doc:`/which_search` says when
# which search is worth its while.
