"""The pictures of docs/pictures.md, from searches on the digits that come with scikit-learn.

python docs/examples/pictures.py [--folder docs/images]
"""

import argparse
import warnings
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from PIL import Image
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC

from sklearn_hpt import BayesSearchCV, LogRandomSearchCV, PBTSearchCV
from sklearn_hpt.displays import (
    OptimizationHistoryDisplay,
    ParallelCoordinatesDisplay,
    ParameterEffectDisplay,
    ParameterImportanceDisplay,
    ScheduleDisplay,
    SearchComparisonDisplay,
)

SPACE = {
    "C": (1e-2, 1e3, "log-uniform"),
    "gamma": (1e-5, 1e1, "log-uniform"),
    "kernel": ["rbf", "poly", "sigmoid"],
}
GRID = {"C": [0.1, 1, 10, 100], "gamma": [1e-4, 1e-2, 1], "kernel": ["rbf", "poly", "sigmoid"]}
RATES = {"learning_rate_init": (1e-4, 1e-1, "log-uniform"), "alpha": (1e-6, 1.0, "log-uniform")}


def searches_of(X, y):
    """Return fitted searches for a support vector machine, by name, or five runs of each."""
    options = {"n_iter": 36, "cv": 3}
    searches = {
        "random": LogRandomSearchCV(SVC(), SPACE, **options),
        "random, racing": LogRandomSearchCV(SVC(), SPACE, **options, racing="safe"),
        "Bayes": BayesSearchCV(SVC(), SPACE, **options),
    }
    return {
        "grid": GridSearchCV(SVC(), GRID, cv=3).fit(X, y),
        **{
            name: [clone(search).set_params(random_state=seed).fit(X, y) for seed in range(5)]
            for name, search in searches.items()
        },
    }


def population_of(X, y):
    """Return a fitted search for the schedule of a small net."""
    net = MLPClassifier((24,), max_iter=40)
    search = PBTSearchCV(net, RATES, population_size=8, n_generations=10, cv=2, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return search.fit(X, y)


def main(arguments=None):
    """Draw all pictures, and return their displays by name."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path(__file__).parents[1] / "images")
    folder = parser.parse_args(arguments).folder
    X, y = load_digits(return_X_y=True)
    X, y = X[:600] / 16, y[:600]
    searches = searches_of(X, y)
    bayes, raced, random = (searches[name][0] for name in ("Bayes", "random, racing", "random"))
    displays = {
        "history": OptimizationHistoryDisplay.from_estimator(raced),
        "effects": ParameterEffectDisplay.from_estimator(bayes),
        "importance": ParameterImportanceDisplay.from_estimator(random),
        "parallel": ParallelCoordinatesDisplay.from_estimator(random),
        "comparison": SearchComparisonDisplay.from_estimator(searches),
        "schedules": ScheduleDisplay.from_estimator(population_of(X, y)),
    }
    for name, display in displays.items():
        path = folder / f"{name}.png"
        display.figure_.savefig(path, dpi=80)
        plt.close(display.figure_)
        with Image.open(path) as image:  # 64 colours do, in a third of the bytes
            image.convert("RGB").quantize(64).save(path, optimize=True)
    return displays


if __name__ == "__main__":
    main()
