"""What counting trees, or rows, costs a search over the learning rate of boosting.

    python benchmarks/boosting_resources.py --data DIR [--seeds N]

With few trees small learning rates look bad that are best with all of them. Random search with full
evaluations, `pruning="asha"` with twice the candidates, and `CoarseToFineSearchCV` as it comes, by
trees and by rows, tune HistGradientBoosting (100 trees) on 4,200 rows of each data set. Printed are
the score on 1,800 rows that no search has seen, in a series the later ones, and the seconds of CPU;
means over the seeds. `--data` names the folder of the data sets; one that is not there is skipped.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
from data_sets import table
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.model_selection import KFold, StratifiedKFold, TimeSeriesSplit

from sklearn_hpt import CoarseToFineSearchCV, LogRandomSearchCV

N_ROWS, N_TRAIN = 6000, 4200
SPACE = {
    "learning_rate": (0.01, 0.5, "log-uniform"),
    "max_leaf_nodes": (4, 64, "log-uniform"),
    "min_samples_leaf": (5, 200, "log-uniform"),
}
CLASSIFIER, REGRESSOR = HistGradientBoostingClassifier, HistGradientBoostingRegressor
SHUFFLED = {"shuffle": True, "random_state": 0}
PROBLEMS = {
    "magic gamma, ROC AUC": (
        table("magic_gamma.csv.gz", "class"),
        CLASSIFIER,
        StratifiedKFold(3, **SHUFFLED),
        "roc_auc",
    ),
    "California housing, R2": (
        table("california_housing.csv.gz", "median_house_value", is_class=False),
        REGRESSOR,
        KFold(3, **SHUFFLED),
        "r2",
    ),
    "bike rental by hour, R2": (
        table("bike_hour.csv.gz", "cnt", is_class=False),
        REGRESSOR,
        TimeSeriesSplit(3),
        "r2",
    ),
}
SEARCHES = {
    "random, 15": (LogRandomSearchCV, {"n_iter": 15}),
    "ASHA by trees, 30": (
        LogRandomSearchCV,
        {"n_iter": 30, "pruning": "asha", "resource": "max_iter"},
    ),
    "ASHA by rows, 30": (
        LogRandomSearchCV,
        {"n_iter": 30, "pruning": "asha", "resource": "n_samples"},
    ),
    "coarse to fine by trees": (CoarseToFineSearchCV, {"resource": "max_iter"}),
    "coarse to fine by rows": (CoarseToFineSearchCV, {"resource": "n_samples"}),
}


def rows_of(load, folder, is_series):
    """Return the last rows of a series, or some of the others, drawn once."""
    data = load(folder)
    if data is None:
        return None
    X, y = data
    rows = np.arange(len(y))[-N_ROWS:]
    if not is_series:
        rows = np.random.default_rng(0).permutation(len(y))[:N_ROWS]
    return X[rows], y[rows]


def measured(make, settings, model, cv, scoring, data, seed):
    """Return the score on the rows that the search has not seen, and its seconds of CPU."""
    X, y = data
    estimator = model(max_iter=100, early_stopping=False, random_state=0)
    search = make(estimator, SPACE, cv=cv, scoring=scoring, random_state=seed, **settings)
    started = time.process_time()
    search.fit(X[:N_TRAIN], y[:N_TRAIN])
    return search.score(X[N_TRAIN:], y[N_TRAIN:]), time.process_time() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    print("| data, score | " + " | ".join(SEARCHES) + " |\n| --- " + "| --- " * len(SEARCHES) + "|")
    for name, (load, model, cv, scoring) in PROBLEMS.items():
        data = rows_of(load, arguments.data, isinstance(cv, TimeSeriesSplit))
        if data is None:
            continue
        cells = []
        for make, settings in SEARCHES.values():
            found = [
                measured(make, settings, model, cv, scoring, data, seed)
                for seed in range(arguments.seeds)
            ]
            score, seconds = np.mean(found, axis=0)
            cells.append(f"{score:.4f} ± {np.std(found, axis=0)[0]:.4f}, {seconds:.1f} s")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
