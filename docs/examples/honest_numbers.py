"""How much a best score flatters, and how much of that the correction takes away, on real data.

    python docs/examples/honest_numbers.py [--repeats N]

Small samples of data sets that come with scikit-learn, many candidates. The truth is known, since
most rows are left over: it is the mean score on them of the winner's models of the folds. The table
has means over the repeats.
"""

import argparse

import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.model_selection import KFold
from sklearn.preprocessing import scale
from sklearn.svm import SVC

from sklearn_hpt import LogRandomSearchCV
from sklearn_hpt.diagnostics import nested_score, selection_optimism

RBF = {"C": (1e-2, 1e3, "log-uniform"), "gamma": (1e-4, 1e0, "log-uniform")}
TREES = {"max_features": (0.05, 1.0), "min_samples_leaf": (1, 5), "max_depth": (3, 12)}
FOREST = ExtraTreesClassifier(n_estimators=15, random_state=0)
PROBLEMS = {
    "SVC, 100 digits": (SVC(), RBF, load_digits, 100, 60),
    "SVC, 60 breast tumours": (SVC(), RBF, load_breast_cancer, 60, 60),
    "SVC, 40 wines": (SVC(), RBF, load_wine, 40, 60),
    "extra trees, 80 breast tumours": (FOREST, TREES, load_breast_cancer, 80, 40),
}


def run(model, space, X, y, rows, n_iter, seed):
    """Return what was promised, two corrections, the nested score, and the truth."""
    own = np.zeros(len(X), dtype=bool)
    own[rows] = True
    cv = KFold(5, shuffle=True, random_state=seed)
    search = LogRandomSearchCV(model, space, n_iter=n_iter, cv=cv, random_state=seed)
    search.fit(X[own], y[own])
    winner = clone(model).set_params(**search.best_params_)
    truth = [
        clone(winner).fit(X[own][train], y[own][train]).score(X[~own], y[~own])
        for train, _ in cv.split(X[own])
    ]
    found = selection_optimism(search)
    nested = nested_score(search, X[own], y[own], cv=5).mean
    return found.best_score, found.corrected, found.best_score - found.tibshirani, nested, truth


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=20)
    args = parser.parse_args(arguments)
    print("| problem | best score | corrected | by Tibshirani | nested | truth |")
    print("|" + " --- |" * 6)
    for name, (model, space, load, n_rows, n_iter) in PROBLEMS.items():
        X, y = load(return_X_y=True)
        X = scale(X)
        found = []
        for seed in range(args.repeats):
            rows = np.random.default_rng(seed).choice(len(X), n_rows, replace=False)
            *values, truth = run(model, space, X, y, rows, n_iter, seed)
            found.append([*values, np.mean(truth)])
        cells = " | ".join(f"{value:.3f}" for value in np.mean(found, axis=0))
        print(f"| {name} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
