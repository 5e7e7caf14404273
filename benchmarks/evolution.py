"""EvolutionarySearchCV beside sklearn-genetic-opt's GASearchCV and random search.

    python benchmarks/evolution.py [--seeds N]

GASearchCV runs first, with 10 individuals in 6 generations, and the other searches get as many
candidates as it has evaluated; what it takes from its cache is not counted. On data that comes with
scikit-learn, 3 folds, one process. The first table has the mean over the seeds of the best
cross-validated score, and in how many seeds EvolutionarySearchCV is at least as good as each; the
second the score of the refitted winner on a third of the rows that no search has seen, and the
milliseconds of CPU that a search takes for a candidate beside fitting and scoring.
"""

import argparse
import random
import time
import warnings

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import ElasticNet, SGDClassifier
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import scale
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeRegressor

from sklearn_hpt import EvolutionarySearchCV, LogRandomSearchCV

POPULATION, GENERATIONS, N_FOLDS = 10, 6, 3
spent = {"seconds": 0.0, "fits": 0}


def timed(cls):
    """Return a class of estimators that adds up what fitting and scoring take."""

    class Timed(cls):
        def fit(self, X, y):
            started = time.process_time()
            super().fit(X, y)
            spent["seconds"] += time.process_time() - started
            spent["fits"] += 1
            return self

        def score(self, X, y):
            started = time.process_time()
            value = super().score(X, y)
            spent["seconds"] += time.process_time() - started
            return value

    Timed.__name__ = cls.__name__
    return Timed


def some(load, n_rows):
    X, y = load(return_X_y=True)
    rows = np.random.default_rng(0).permutation(len(X))[:n_rows]
    return scale(X[rows]), y[rows]


PROBLEMS = {
    "SVC, digits": (
        timed(SVC)(),
        {"C": (1e-2, 1e3, "log-uniform"), "gamma": (1e-5, 1e1, "log-uniform")},
        some(load_digits, 600),
    ),
    "SVC, breast cancer": (
        timed(SVC)(),
        {
            "C": (1e-2, 1e3, "log-uniform"),
            "gamma": (1e-5, 1e1, "log-uniform"),
            "kernel": ["rbf", "poly", "sigmoid", "linear"],
        },
        some(load_breast_cancer, 450),
    ),
    "random forest, wine": (
        timed(RandomForestClassifier)(n_estimators=20, random_state=0),
        {"max_depth": (2, 12), "min_samples_leaf": (1, 20), "max_features": (0.1, 1.0)},
        some(load_wine, 178),
    ),
    "boosting, diabetes": (
        timed(HistGradientBoostingRegressor)(max_iter=30, random_state=0),
        {
            "learning_rate": (0.01, 1.0, "log-uniform"),
            "max_leaf_nodes": (2, 64),
            "min_samples_leaf": (2, 50),
            "l2_regularization": (1e-6, 1e2, "log-uniform"),
        },
        some(load_diabetes, 442),
    ),
    "kernel ridge, diabetes": (
        timed(KernelRidge)(kernel="rbf"),
        {"alpha": (1e-4, 1e2, "log-uniform"), "gamma": (1e-5, 1e1, "log-uniform")},
        some(load_diabetes, 442),
    ),
    "MLP, digits": (
        timed(MLPClassifier)(max_iter=15, random_state=0),
        {
            "learning_rate_init": (1e-4, 1e-1, "log-uniform"),
            "alpha": (1e-6, 1e1, "log-uniform"),
            "hidden_layer_sizes": (8, 64),
        },
        some(load_digits, 400),
    ),
    "kNN, digits": (
        timed(KNeighborsClassifier)(),
        {"n_neighbors": (1, 40), "p": (1.0, 5.0), "weights": ["uniform", "distance"]},
        some(load_digits, 400),
    ),
    "SGD, breast cancer": (
        timed(SGDClassifier)(random_state=0, max_iter=50, tol=None, penalty="elasticnet"),
        {
            "alpha": (1e-6, 1e-1, "log-uniform"),
            "l1_ratio": (0.0, 1.0),
            "eta0": (1e-4, 1.0, "log-uniform"),
            "learning_rate": ["optimal", "constant", "invscaling"],
        },
        some(load_breast_cancer, 450),
    ),
    "elastic net, diabetes": (
        timed(ElasticNet)(),
        {"alpha": (1e-4, 1e2, "log-uniform"), "l1_ratio": (0.0, 1.0)},
        some(load_diabetes, 442),
    ),
    "tree, diabetes": (
        timed(DecisionTreeRegressor)(random_state=0),
        {
            "max_depth": (1, 20),
            "min_samples_leaf": (1, 60),
            "ccp_alpha": (1e-2, 1e3, "log-uniform"),
            "max_features": (0.1, 1.0),
        },
        some(load_diabetes, 442),
    ),
}


def for_genetic(space):
    from sklearn_genetic.space import Categorical, Continuous, Integer

    def one(value):
        if isinstance(value, list):
            return Categorical(value)
        if isinstance(value[0], int):
            return Integer(*value)
        return Continuous(*value[:2], distribution=value[2] if len(value) > 2 else "uniform")

    return {name: one(value) for name, value in space.items()}


def genetic(estimator, space, cv, seed, n_iter):
    from sklearn_genetic import GASearchCV

    random.seed(seed)
    np.random.seed(seed)
    return GASearchCV(
        estimator,
        param_grid=for_genetic(space),
        cv=cv,
        population_size=POPULATION,
        generations=GENERATIONS,
        verbose=False,
    )


def ours(estimator, space, cv, seed, n_iter):
    return EvolutionarySearchCV(estimator, space, n_iter=n_iter, cv=cv, random_state=seed)


def drawn(estimator, space, cv, seed, n_iter):
    return LogRandomSearchCV(estimator, space, n_iter=n_iter, cv=cv, random_state=seed)


METHODS = {"genetic-opt": genetic, "ours": ours, "random": drawn}


def run(estimator, space, data, seed):
    """Return for each method the best score, the held-out score, and milliseconds beside fits."""
    X, y = data
    is_class = hasattr(estimator, "classes_") or y.dtype.kind == "i"
    X, X_new, y, y_new = train_test_split(
        X, y, test_size=1 / 3, random_state=seed, stratify=y if is_class else None
    )
    kind = StratifiedKFold if is_class else KFold
    cv = list(kind(N_FOLDS, shuffle=True, random_state=seed).split(X, y))
    found, n_iter = {}, None
    for name, make in METHODS.items():
        spent.update(seconds=0.0, fits=0)
        search = make(estimator, space, cv, seed, n_iter)
        started = time.process_time()
        search.fit(X, y)
        beside = time.process_time() - started - spent["seconds"]
        n_iter = n_iter or (spent["fits"] - 1) // N_FOLDS  # one fit is the refit
        best = max(search.cv_results_["mean_test_score"])
        found[name] = best, search.score(X_new, y_new), 1e3 * beside / n_iter
    return found, n_iter


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    names, rows = list(METHODS), []
    print("| problem | evaluations | " + " | ".join(names) + " | at least as good as genetic-opt |")
    print("|" + " --- |" * (len(names) + 3))
    for problem, (estimator, space, data) in PROBLEMS.items():
        runs = [run(estimator, space, data, seed) for seed in range(args.seeds)]
        values = np.array([[one[name] for name in names] for one, _ in runs])
        wins = int((values[:, 1, 0] >= values[:, 0, 0] - 1e-12).sum())
        cells = " | ".join(f"{value:.4f}" for value in values[:, :, 0].mean(axis=0))
        n_iter = int(np.mean([n for _, n in runs]))
        print(f"| {problem} | {n_iter} | {cells} | {wins} of {args.seeds} |", flush=True)
        rows.append((problem, values))
    print(
        "\n| problem | held out: " + " | ".join(names) + " | ms beside: " + " | ".join(names) + " |"
    )
    print("|" + " --- |" * (2 * len(names) + 1))
    for problem, values in rows:
        held = " | ".join(f"{value:.4f}" for value in values[:, :, 1].mean(axis=0))
        beside = " | ".join(f"{value:.2f}" for value in np.median(values[:, :, 2], axis=0))
        print(f"| {problem} | {held} | {beside} |")


if __name__ == "__main__":
    main()
