"""What CoarseToFineSearchCV finds for the cost of scikit-learn's searches.

    python benchmarks/coarse_to_fine.py [--data DIR] [--half reporting|tuning] [--n-jobs N]

Each problem is searched by three methods that spend the same on training: the CPU time of all
calls of `fit` and `partial_fit`, over all candidates, amounts and folds. The budget is what
CoarseToFineSearchCV takes with its defaults.

random   The candidates of RandomizedSearchCV in its order, as many as the budget buys: the last
         one is taken if that brings the sum nearer to the budget.
halving  HalvingRandomSearchCV with the same resource, three amounts with the factor 3 (1/9, 1/3,
         all), and as many candidates as bring its cost near to the budget: the number is
         estimated, and corrected once by the cost that was measured.

Every winner is cross-validated anew with all of the resource on the same folds by a plain `fit`,
and scored on rows that no search has seen. In each run the methods are ranked by the former; ties
share their ranks.

The defaults of CoarseToFineSearchCV were chosen on surrogates of YAHPO Gym and looked at on
problems of the half "tuning", which has other data sets than the half "reporting"; see
docs/benchmarks.md. Most data sets come from a folder (`--data`, or the environment variable
SKLEARN_HPT_DATA): `letter.csv.gz` and the like. Without it two problems are left to report, on
data that scikit-learn brings along.
"""

import argparse
import functools
import os
import time
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.stats
from data_sets import bundled, images, table
from joblib import Parallel, delayed
from sklearn.base import is_classifier
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import get_scorer
from sklearn.model_selection import (
    HalvingRandomSearchCV,
    KFold,
    ParameterSampler,
    StratifiedKFold,
    cross_val_score,
    train_test_split,
)
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from sklearn_hpt import CoarseToFineSearchCV

N_SPLITS = 3
N_ROUNDS_OF_HALVING = 3
METHODS = ("ours", "random", "halving")


@dataclass(frozen=True)
class Problem:
    """A data set, a model and a search space; `full` is the amount of a parameter, if any."""

    name: str
    half: str
    load: Callable[[Path | None], tuple[Any, Any]]
    n_rows: int
    scoring: str
    make: Callable[[int], Any]  # from a seed
    space: dict[str, Any]
    resource: str = "n_samples"
    full: int | None = None


# models and their spaces


def scaled(model):
    return lambda seed: make_pipeline(StandardScaler(), model(seed))


def make_net(seed):
    import torch
    from skorch import NeuralNetClassifier

    class Net(torch.nn.Module):
        def __init__(self, n_hidden=32, dropout=0.0):
            super().__init__()
            self.layers = torch.nn.Sequential(
                torch.nn.Linear(784, n_hidden),
                torch.nn.ReLU(),
                torch.nn.Dropout(dropout),
                torch.nn.Linear(n_hidden, 10),
            )

        def forward(self, X):
            return self.layers(X)

    return NeuralNetClassifier(
        Net,
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        max_epochs=36,
        batch_size=64,
        train_split=None,
        verbose=0,
    )


def svr(seed):
    return make_pipeline(StandardScaler(), SVR())


def hist(seed):
    return HistGradientBoostingClassifier(max_iter=108, early_stopping=False, random_state=seed)


def trees(seed):
    return GradientBoostingRegressor(n_estimators=135, random_state=seed)


mlp = scaled(lambda seed: MLPClassifier(max_iter=45, random_state=seed))
sgd = scaled(lambda seed: SGDClassifier(loss="log_loss", max_iter=54, tol=None, random_state=seed))

SVR_SPACE = {
    "svr__C": (1e-2, 1e3, "log-uniform"),
    "svr__gamma": (1e-5, 1e1, "log-uniform"),
    "svr__epsilon": (1e-3, 1e0, "log-uniform"),
}
TREES_SPACE = {
    "learning_rate": (1e-3, 1.0, "log-uniform"),
    "max_depth": (1, 8),
    "min_samples_leaf": (1, 60, "log-uniform"),
    "subsample": (0.3, 1.0),
    "max_features": (0.1, 1.0),
}
HIST_SPACE = {
    "learning_rate": (1e-3, 1.0, "log-uniform"),
    "max_leaf_nodes": (2, 32, "log-uniform"),
    "min_samples_leaf": (2, 100, "log-uniform"),
    "l2_regularization": (1e-4, 1e2, "log-uniform"),
}
MLP_SPACE = {
    "mlpclassifier__learning_rate_init": (1e-4, 1e0, "log-uniform"),
    "mlpclassifier__alpha": (1e-6, 1e1, "log-uniform"),
    "mlpclassifier__batch_size": (32, 256, "log-uniform"),
    "mlpclassifier__hidden_layer_sizes": [(16,), (64,), (32, 32)],
}
NET_SPACE = {
    "optimizer__lr": (1e-5, 1e0, "log-uniform"),
    "optimizer__weight_decay": (1e-6, 1e-1, "log-uniform"),
    "module__n_hidden": (8, 128, "log-uniform"),
    "module__dropout": (0.0, 0.7),
}
SGD_SPACE = {
    "sgdclassifier__alpha": (1e-6, 1e1, "log-uniform"),
    "sgdclassifier__eta0": (1e-5, 1e1, "log-uniform"),
    "sgdclassifier__learning_rate": ["constant", "invscaling"],
    "sgdclassifier__penalty": ["l2", "l1", "elasticnet"],
}
FOREST_SPACE = {
    "max_features": (0.05, 1.0, "log-uniform"),
    "min_samples_leaf": (1, 100, "log-uniform"),
    "max_samples": (0.1, 1.0),
    "criterion": ["gini", "entropy"],
}

MLP_EPOCHS, SGD_EPOCHS = "mlpclassifier__max_iter", "sgdclassifier__max_iter"
PROBLEMS = [
    Problem(
        "SVC, digits",
        "tuning",
        bundled(load_digits),
        1300,
        "accuracy",
        lambda seed: SVC(),
        {"C": (1e-2, 1e3, "log-uniform"), "gamma": (1e-6, 1e0, "log-uniform")},
    ),
    Problem(
        "SVR, abalone",
        "tuning",
        table("abalone.csv.gz", "rings", is_class=False),
        2000,
        "r2",
        svr,
        SVR_SPACE,
    ),
    Problem(
        "GradientBoosting, wine quality",
        "tuning",
        table("wine_quality.csv.gz", "quality", is_class=False),
        2000,
        "r2",
        trees,
        TREES_SPACE,
        "n_estimators",
        135,
    ),
    Problem(
        "HistGradientBoosting, bank",
        "tuning",
        table("bank_marketing.csv.gz", "y"),
        4000,
        "roc_auc",
        hist,
        HIST_SPACE,
        "max_iter",
        108,
    ),
    Problem(
        "MLPClassifier, magic",
        "tuning",
        table("magic_gamma.csv.gz", "class"),
        2000,
        "accuracy",
        mlp,
        MLP_SPACE,
        MLP_EPOCHS,
        45,
    ),
    Problem(
        "skorch net, fashion MNIST",
        "tuning",
        images("fashion_mnist.npz"),
        1000,
        "accuracy",
        make_net,
        NET_SPACE,
        "max_epochs",
        36,
    ),
    Problem(
        "SGDClassifier, bank",
        "tuning",
        table("bank_marketing.csv.gz", "y"),
        5000,
        "roc_auc",
        sgd,
        SGD_SPACE,
        SGD_EPOCHS,
        54,
    ),
    Problem(
        "RandomForest, breast cancer",
        "reporting",
        bundled(load_breast_cancer),
        400,
        "neg_log_loss",
        lambda seed: RandomForestClassifier(108, random_state=seed),
        FOREST_SPACE,
        "n_estimators",
        108,
    ),
    Problem(
        "GradientBoosting, diabetes",
        "reporting",
        bundled(load_diabetes),
        300,
        "r2",
        trees,
        TREES_SPACE,
        "n_estimators",
        135,
    ),
    Problem(
        "GradientBoosting, bike",
        "reporting",
        table("bike_hour.csv.gz", "cnt", is_class=False),
        2000,
        "r2",
        trees,
        TREES_SPACE,
        "n_estimators",
        135,
    ),
    Problem(
        "SVC, letter",
        "reporting",
        table("letter.csv.gz", "letter"),
        3000,
        "accuracy",
        scaled(lambda seed: SVC()),
        {"svc__C": (1e-2, 1e3, "log-uniform"), "svc__gamma": (1e-5, 1e1, "log-uniform")},
    ),
    Problem(
        "SVR, california housing",
        "reporting",
        table("california_housing.csv.gz", "median_house_value", is_class=False),
        2000,
        "r2",
        svr,
        SVR_SPACE,
    ),
    Problem(
        "HistGradientBoosting, adult",
        "reporting",
        table("adult.csv.gz", "income"),
        4000,
        "roc_auc",
        hist,
        HIST_SPACE,
        "max_iter",
        108,
    ),
    Problem(
        "SGDClassifier, shoppers",
        "reporting",
        table("online_shoppers.csv.gz", "Revenue"),
        5000,
        "roc_auc",
        sgd,
        SGD_SPACE,
        SGD_EPOCHS,
        54,
    ),
    Problem(
        "MLPClassifier, covertype",
        "reporting",
        table("covertype_93k.csv.gz", "Cover_Type"),
        2000,
        "accuracy",
        mlp,
        MLP_SPACE,
        MLP_EPOCHS,
        45,
    ),
    Problem(
        "skorch net, MNIST",
        "reporting",
        images("mnist.npz"),
        1000,
        "accuracy",
        make_net,
        NET_SPACE,
        "max_epochs",
        36,
    ),
]


# cost


class Meter:
    """Notes the CPU seconds of each training while it is open, of one class of models."""

    def __init__(self, model):
        self.cls = type(model[-1] if hasattr(model, "steps") else model)
        self.costs = []
        self._is_inside = False

    def _timed(self, method):
        @functools.wraps(method)  # a net is trained on only by methods of skorch
        def call(*args, **kwargs):
            if self._is_inside:
                return method(*args, **kwargs)
            self._is_inside = True
            started = time.process_time()
            try:
                return method(*args, **kwargs)
            finally:
                self.costs.append(time.process_time() - started)
                self._is_inside = False

        return call

    @contextmanager
    def __call__(self):
        self.costs = []
        names = [n for n in ("fit", "partial_fit", "fit_loop") if hasattr(self.cls, n)]
        own = {name: self.cls.__dict__.get(name) for name in names}
        for name in names:
            setattr(self.cls, name, self._timed(getattr(self.cls, name)))
        try:
            yield self
        finally:
            for name, method in own.items():
                if method is None:
                    delattr(self.cls, name)
                else:
                    setattr(self.cls, name, method)

    @property
    def total(self):
        return sum(self.costs)


# searches


@dataclass
class Run:
    """What a problem is for one seed: the model, the rows of the search, others, and the folds."""

    problem: Problem
    seed: int
    X: Any
    y: Any
    X_test: Any
    y_test: Any

    def __post_init__(self):
        self.model = self.problem.make(self.seed)
        kind = StratifiedKFold if is_classifier(self.model) else KFold
        self.cv = kind(N_SPLITS, shuffle=True, random_state=self.seed)
        self.meter = Meter(self.model)
        self.common = {"scoring": self.problem.scoring, "cv": self.cv, "refit": False}

    def start(self):
        """Seed what scikit-learn leaves to torch itself."""
        if self.problem.resource == "max_epochs":
            import torch

            torch.manual_seed(self.seed)

    def scores(self, params):
        """Return the cross-validated score and the score on other rows, with all there is."""
        model = self.problem.make(self.seed).set_params(**params)
        self.start()
        score = cross_val_score(model, self.X, self.y, cv=self.cv, scoring=self.problem.scoring)
        self.start()
        model.fit(self.X, self.y)
        return score.mean(), get_scorer(self.problem.scoring)(model, self.X_test, self.y_test)


def prepared(problem, seed, folder):
    X, y = problem.load(folder)
    is_class = is_classifier(problem.make(0))
    n_test = min(len(X) - problem.n_rows, 5000)
    X, X_test, y, y_test = train_test_split(
        X,
        y,
        train_size=problem.n_rows,
        test_size=n_test,
        stratify=y if is_class else None,
        random_state=seed,
    )
    return Run(problem, seed, X, y, X_test, y_test)


def search_ours(run, **settings):
    """Return the best parameters, and what training cost."""
    with run.meter() as meter:
        search = CoarseToFineSearchCV(
            run.model, run.problem.space, random_state=run.seed, **run.common, **settings
        ).fit(run.X, run.y)
    return search.best_params_, meter.total


def search_randomly(run, budget):
    """Return the best of the candidates that the budget buys, the cost, and that of each."""
    best, costs = (-np.inf, None), []
    for params in ParameterSampler(as_scipy(run.problem.space), 10_000, random_state=run.seed):
        model = run.problem.make(run.seed).set_params(**params)
        run.start()
        with run.meter() as meter:
            score = cross_val_score(model, run.X, run.y, cv=run.cv, scoring=run.problem.scoring)
        if costs and sum(costs) + meter.total / 2 > budget:
            break
        costs.append(meter.total)
        best = max(best, (score.mean(), params), key=lambda pair: pair[0])
    return best[1], sum(costs), np.mean(costs)


def search_halving(run, budget, cost_of_one):
    """Return the best parameters and the cost, with the number of candidates that fits best."""
    is_rows = run.problem.resource == "n_samples"
    full = len(run.X) if is_rows else run.problem.full
    n, done = max(3, round(budget / cost_of_one * 3)), []
    for _ in range(2):
        run.start()
        with run.meter() as meter:
            search = HalvingRandomSearchCV(
                run.model,
                as_scipy(run.problem.space),
                n_candidates=n,
                resource=run.problem.resource,
                min_resources=full // 3 ** (N_ROUNDS_OF_HALVING - 1),
                max_resources=full,
                random_state=run.seed,
                **run.common,
            ).fit(run.X, run.y)
        done.append((abs(meter.total / budget - 1), search.best_params_, meter.total))
        if done[-1][0] < 0.08:
            break
        n = max(3, round(n * budget / meter.total))
    return min(done, key=lambda one: one[0])[1:]


def as_scipy(space):
    """Return the space in the form that scikit-learn takes."""
    return {name: _as_scipy(values) for name, values in space.items()}


def _as_scipy(values):
    if isinstance(values, list):
        return values
    low, high, *prior = values
    if isinstance(low, int):
        return LogIntegers(low, high) if prior else scipy.stats.randint(low, high + 1)
    return scipy.stats.loguniform(low, high) if prior else scipy.stats.uniform(low, high - low)


@dataclass
class LogIntegers:
    low: int
    high: int

    def rvs(self, random_state=None):
        draw = scipy.stats.loguniform(self.low - 0.5, self.high + 0.5)
        return int(np.clip(round(draw.rvs(random_state=random_state)), self.low, self.high))


# report


def compare(problem, seed, folder):
    """Return scores, scores on other rows and costs, each of the shape (n_methods,)."""
    warnings.simplefilter("ignore")  # a worker has filters of its own
    run = prepared(problem, seed, folder)
    ours, budget = search_ours(run)
    randomly, cost, cost_of_one = search_randomly(run, budget)
    halving, cost_of_halving = search_halving(run, budget, cost_of_one)
    scores = np.transpose([run.scores(params) for params in (ours, randomly, halving)])
    return np.vstack([scores, [budget, cost, cost_of_halving]])


def ranks_of(scores):
    """Return the ranks of scores rounded to 1e-9, 1 is best, over the last axis."""
    return scipy.stats.rankdata(-np.round(scores, 9), axis=-1)


def print_problem(problem, results):
    scores, tests, costs = np.moveaxis(results, 1, 0)
    cells = [f"{problem.name:31}"]
    for of_method in (scores, tests):
        for column in of_method.T:
            cells.append(f"{column.mean():7.3f} ± {column.std(ddof=1):.3f}")
    cells += [f"{ratio:5.2f}" for ratio in (costs / costs[:, :1]).mean(axis=0)[1:]]
    cells += [f"{rank:4.1f}" for rank in ranks_of(scores).mean(axis=0)]
    print(" | ".join([*cells, f"{costs[:, 0].mean():6.2f}"]), flush=True)


def print_ranks(title, ranks):
    """Print mean ranks with the standard error over runs, and over problems."""
    of_problems = ranks.mean(axis=1)
    ranks = ranks.reshape(-1, len(METHODS))
    print(f"\nMean rank by {title}, {len(ranks)} runs")
    for method, column, means in zip(METHODS, ranks.T, of_problems.T, strict=True):
        error = column.std(ddof=1) / len(column) ** 0.5
        over = means.std(ddof=1) / len(means) ** 0.5
        print(
            f"{method:8} {column.mean():.2f} ± {error:.2f} (standard error over runs; {over:.2f} "
            f"over problems), best or equal in {np.mean(column == ranks.min(axis=1)):.0%}"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("SKLEARN_HPT_DATA"))
    parser.add_argument("--half", choices=("reporting", "tuning"), default="reporting")
    parser.add_argument("--n-jobs", type=int, default=1, help="runs at a time, each in a process")
    parser.add_argument("--quick", action="store_true", help="two problems, two seeds")
    options = parser.parse_args()
    folder = None if options.data is None else Path(options.data)
    problems = [problem for problem in PROBLEMS if problem.half == options.half]
    missing = [problem.name for problem in problems if problem.load(folder) is None]
    if missing:
        print(f"skipped for want of data (--data): {'; '.join(missing)}")
    problems = [problem for problem in problems if problem.name not in missing]
    if options.quick:
        problems = problems[:2]
    print("\ncross-validated score and score on other rows (mean ± standard deviation over seeds)")
    print(f"of {', '.join(METHODS)}; cost of random and halving / ours; ranks; CPU s of ours\n")
    seeds = range(2 if options.quick else 5)
    runs = Parallel(options.n_jobs, return_as="generator")(
        delayed(compare)(problem, seed, folder) for problem in problems for seed in seeds
    )
    results = []
    for problem in problems:
        results.append([next(runs) for _ in seeds])
        print_problem(problem, np.array(results[-1]))
    results = np.array(results)  # problems, seeds, (scores, tests, costs), methods
    print_ranks("cross-validated score", ranks_of(results[:, :, 0]))
    print_ranks("score on other rows", ranks_of(results[:, :, 1]))


if __name__ == "__main__":
    main()
