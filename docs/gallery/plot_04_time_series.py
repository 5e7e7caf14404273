"""
A time series
=============

The past predicts the future, so no fold may train on rows that come after those
it is scored on. :class:`~sklearn.model_selection.TimeSeriesSplit` sees to that,
in a search as anywhere in scikit-learn, and the rows kept for the test are the
last ones.
"""

# %%
# Weekly carbon dioxide
# ---------------------
# Measured at Mauna Loa from 1958 to 2001 [1]_. What is predicted is the change
# over the next four weeks, from changes of the past year and the season. The
# file is beside this example, or in ``examples/data`` of the documentation.
import gzip
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

FILE = "co2_weekly.csv.gz"
folders = [".", "../examples/data", "docs/examples/data", "examples/data"]
path = next(p for f in folders if (p := Path(f) / FILE).exists())
with gzip.open(path, "rt") as file:
    table = [line.strip().split(",") for line in file][1:]
date = np.array([day for day, _ in table], dtype="datetime64[D]")
co2 = np.array([float(value or "nan") for _, value in table])
known = np.isfinite(co2)
co2 = np.interp(np.arange(len(co2)), np.flatnonzero(known), co2[known])

AHEAD = 4
now = np.arange(52, len(co2) - AHEAD)
year = 2 * np.pi * (date - date.astype("datetime64[Y]")).astype(float) / 365.25
X = np.column_stack(
    [co2[now] - co2[now - lag] for lag in (1, 2, 4, 8, 26, 48, 52)]
    + [np.sin(year[now]), np.cos(year[now])]
)
y = co2[now + AHEAD] - co2[now]

# %%
# The search
# ----------
# The last fifth is kept for the test. ``gap`` leaves out of each fold the weeks
# whose targets reach into the rows that it is scored on.
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import TimeSeriesSplit

from sklearn_hpt import LogRandomSearchCV

n_train = int(0.8 * len(y))
search = LogRandomSearchCV(
    HistGradientBoostingRegressor(max_iter=100, random_state=0),
    {
        "learning_rate": (1e-2, 1e0, "log-uniform"),
        "max_leaf_nodes": (2, 64, "log-uniform"),
        "min_samples_leaf": (2, 100, "log-uniform"),
        "l2_regularization": (1e-4, 1e2, "log-uniform"),
    },
    n_iter=25,
    cv=TimeSeriesSplit(5, gap=AHEAD),
    racing="safe",
    random_state=0,
).fit(X[:n_train], y[:n_train])
n_folds = search.cv_results_["n_test_splits"].sum()
print(search.best_params_)
print(f"R2 {search.best_score_:.3f}, after {n_folds} of {25 * 5} folds")

# %%
# What came true
# --------------
# Rows of the test lie after all rows that the search has seen. Without
# ``shuffle`` nothing of them has told which parameters to take.
score = search.score(X[n_train:], y[n_train:])
print(f"R2 {score:.3f} on the last {len(y) - n_train} weeks")

shown = slice(-156, None)
fig, ax = plt.subplots(figsize=(9, 3.6), layout="constrained")
days = date[now + AHEAD][shown]
ax.plot(days, y[shown], color="0.6", label="measured")
ax.plot(days, search.predict(X[shown]), label="predicted four weeks before")
ax.set(ylabel="change in 4 weeks [ppm]", title="The last three years")
ax.legend(ncols=2, loc="upper left", bbox_to_anchor=(0, 1))
ax.set_ylim(top=5)
plt.show()

# %%
# The folds may promise less than that: the first was trained on less than six
# years, the refit on all of them. Scores of
# :class:`~sklearn.model_selection.TimeSeriesSplit` are of models that have seen
# less than the one that is used.
results, best = search.cv_results_, search.best_index_
for fold, (train, test) in enumerate(search.cv.split(X[:n_train])):
    print(
        f"trained on {len(train):4} weeks, scored on {len(test)}: "
        f"R2 {results[f'split{fold}_test_score'][best]:.3f}"
    )

# %%
# .. [1] C. D. Keeling and T. P. Whorf (2004), "Atmospheric CO2 concentrations
#    derived from flask air samples at sites in the SIO network".
