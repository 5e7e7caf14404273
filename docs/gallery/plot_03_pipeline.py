"""
A Pipeline, and choices within it
=================================

Steps, models and their parameters are searched together: which scaler, how many
components, which classifier, and the parameters that only one of them has. What
cannot work is a row of the results, not the end of the search.
"""

# %%
# Alternatives
# ------------
# A list of dictionaries is a list of alternatives, which share ``n_iter``. A
# name with ``__`` reaches into a step, as anywhere in scikit-learn. Here
# ``pca__n_components`` may be larger than the 30 columns that there are: such
# candidates fail, and the search goes on.
import warnings

import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import QuantileTransformer, StandardScaler
from sklearn.svm import SVC

from sklearn_hpt import LogRandomSearchCV

X, y = load_breast_cancer(return_X_y=True)
X, X_test, y, y_test = train_test_split(X, y, stratify=y, random_state=0)

pipeline = Pipeline(
    [("scale", StandardScaler()), ("pca", PCA()), ("model", SVC())]
)
first_steps = {
    "scale": [
        StandardScaler(),
        QuantileTransformer(n_quantiles=100, random_state=0),
    ],
    "pca__n_components": (2, 40, "log-uniform"),
}
search = LogRandomSearchCV(
    pipeline,
    [
        {
            **first_steps,
            "model": [SVC()],
            "model__C": (1e-2, 1e3, "log-uniform"),
            "model__gamma": (1e-4, 1e0, "log-uniform"),
        },
        {
            **first_steps,
            "model": [LogisticRegression(max_iter=2000)],
            "model__C": (1e-4, 1e2, "log-uniform"),
        },
    ],
    n_iter=40,
    random_state=0,
)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it warns of the candidates that failed
    search.fit(X, y)
for name, value in search.best_params_.items():
    print(f"{name:>17}: {value}")
score = search.score(X_test, y_test)
error = (score * (1 - score) / len(y_test)) ** 0.5
print(f"score {search.best_score_:.3f}, test {score:.3f} +- {error:.3f}")

# %%
# What failed
# -----------
# With a failure among the candidates the results have two more columns. The
# warning at the end of the search has the tracebacks besides.
results = search.cv_results_
failed = [i for i, s in enumerate(results["status"]) if s == "failed"]
print(f"{len(failed)} of {len(results['status'])} candidates failed, such as")
print(f"pca__n_components={results['params'][failed[0]]['pca__n_components']}:")
print(results["error"][failed[0]].partition(" with ")[0])

# %%
# What mattered
# -------------
# Each point is a candidate; ticks below are those that failed.
from sklearn_hpt.displays import ParameterEffectDisplay

ParameterEffectDisplay.from_estimator(
    search, params=["pca__n_components", "model__C", "scale", "model"]
)
plt.show()

# %%
# The best of 40 candidates owes some of its score to luck. What is left without
# it (:doc:`/honest_numbers`):
print(f"{search.best_score_:.3f}, corrected {search.best_score_corrected_:.3f}")
