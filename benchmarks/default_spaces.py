"""What 30 random candidates of the default spaces gain over scikit-learn's defaults.

Each estimator is tuned on one half of the rows, with 3 folds, and scored on the other half, for
three random halves. Prints the mean score of both. A run takes some minutes.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sklearn_hpt import LogRandomSearchCV

CLASSIFIERS = [
    SVC(),
    KNeighborsClassifier(),
    LogisticRegression(max_iter=500),
    DecisionTreeClassifier(random_state=0),
    RandomForestClassifier(50, random_state=0),
    HistGradientBoostingClassifier(max_iter=30, random_state=0),
    MLPClassifier(max_iter=50, random_state=0),
]
REGRESSORS = [
    SVR(),
    KNeighborsRegressor(),
    Ridge(),
    DecisionTreeRegressor(random_state=0),
    RandomForestRegressor(50, random_state=0),
    HistGradientBoostingRegressor(max_iter=30, random_state=0),
]
DATA = {
    "digits": (load_digits, CLASSIFIERS),
    "breast cancer": (load_breast_cancer, CLASSIFIERS),
    "diabetes": (load_diabetes, REGRESSORS),
}


def scores(model: Any, X: np.ndarray, y: np.ndarray) -> Iterator[tuple[float, float]]:
    """Yield the test scores of the defaults and of what a search found, for each half."""
    for seed in range(3):
        X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, random_state=seed)
        pipeline = make_pipeline(StandardScaler(), model)
        search = LogRandomSearchCV(pipeline, "auto", n_iter=30, cv=3, random_state=seed)
        search.fit(X_train, y_train)
        yield pipeline.fit(X_train, y_train).score(X_test, y_test), search.score(X_test, y_test)


def main() -> None:
    warnings.simplefilter("ignore")  # of convergence, which bad candidates have not
    print("| data | estimator | defaults | tuned |\n| --- | --- | --- | --- |")
    for name, (load, models) in DATA.items():
        X, y = load(return_X_y=True)
        for model in models:
            before, after = np.mean(list(scores(model, X, y)), axis=0)
            print(f"| {name} | {type(model).__name__} | {before:.3f} | {after:.3f} |", flush=True)


if __name__ == "__main__":
    main()
