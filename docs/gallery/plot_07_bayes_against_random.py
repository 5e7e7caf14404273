"""
Bayesian search against random search
=====================================

:class:`~sklearn_hpt.BayesSearchCV` puts each candidate where a model of the
scores so far expects most. Does that pay? Here both search the same space for a
support vector machine, several times.
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

settings = {"n_iter": 30, "cv": 3, "refit": False}
random = [
    LogRandomSearchCV(SVC(), space, **settings, random_state=seed).fit(X, y)
    for seed in range(5)
]
bayes = [
    BayesSearchCV(SVC(), space, **settings, random_state=seed).fit(X, y)
    for seed in range(5)
]
for name, searches in [("random", random), ("Bayes", bayes)]:
    tested = np.array([s.cv_results_["mean_test_score"] for s in searches])
    best = np.maximum.accumulate(tested, axis=1).mean(axis=0)
    shown = ", ".join(f"{best[n - 1]:.3f}" for n in (5, 10, 20, 30))
    print(f"{name:>6}: best of the first 5, 10, 20, 30 candidates: {shown}")

# %%
# Who is ahead
# ------------
# A line is the median of five runs, a band goes from the lower to the upper
# quartile.
from sklearn_hpt.displays import SearchComparisonDisplay

SearchComparisonDisplay.from_estimator({"random": random, "Bayes": bayes})
plt.show()

# %%
# To think takes time too: some hundredths of a second for a candidate. Where an
# evaluation takes less than that, random search may be the quicker one.
for name, searches in [("random", random), ("Bayes", bayes)]:
    seconds = np.median([search.search_time_ for search in searches])
    print(f"{name:>6}: {seconds:.2f} s for 30 candidates on 3 folds")

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
