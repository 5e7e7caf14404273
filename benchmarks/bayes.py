"""What BayesSearchCV finds in as many evaluations as other searches.

    python benchmarks/bayes.py [--data DIR] [--seeds N] [--n-iter N] [--n-jobs N] [--only TEXT]
                               [--keep DIR]

Each problem is searched with 60 evaluations by

ours        BayesSearchCV with its defaults,
random      scikit-learn's RandomizedSearchCV, which draws from the same priors,
optuna tpe  OptunaSearchCV with TPESampler,
optuna gp   OptunaSearchCV with GPSampler,
skopt       scikit-optimize's BayesSearchCV,

on the same folds, one process at a time, those of them that are installed. Times are CPU seconds of
the whole search, without the refit. Three tables are printed:

matched    When the best score of random search is reached, as a share of what random search took
           for all its evaluations; more than 1 if that is late, and "never" if it is not reached.
           The median over the seeds.
scores     The mean cross-validated score of the winner, and its score on rows that no search saw.
           How often ours is better and worse than each peer by the former, over all runs.
overhead   CPU seconds for each evaluation that are not spent in `fit` and in scoring.

With `--keep` each run is written to a folder and read from there the next time; remove it when the
code has changed. All runs together take about an hour and a half of CPU.

Most data come from a folder (`--data`, or the environment variable SKLEARN_HPT_DATA). Without it
one problem is left, on data that scikit-learn brings along.
"""

import argparse
import functools
import os
import time
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import scipy.stats
from data_sets import bundled, images, table
from joblib import Parallel, delayed
from sklearn.base import is_classifier
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_diabetes
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import ElasticNet, LogisticRegression, SGDClassifier
from sklearn.metrics import get_scorer
from sklearn.model_selection import (
    KFold,
    RandomizedSearchCV,
    StratifiedKFold,
    TimeSeriesSplit,
    train_test_split,
)
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeRegressor

from sklearn_hpt import BayesSearchCV

N_SPLITS = 3


@dataclass(frozen=True)
class Problem:
    """A data set, a model and a space of (low, high, prior) tuples and lists of choices."""

    name: str
    load: Callable[[Path | None], Any]
    n_rows: int
    scoring: str
    make: Callable[[int], Any]
    space: dict[str, Any]
    is_time_series: bool = False


# data


def texts(folder):
    import pandas as pd

    if folder is None or not (folder / "sentiment_sentences.csv.gz").exists():
        return None
    frame = pd.read_csv(folder / "sentiment_sentences.csv.gz", keep_default_na=False)
    return frame["text"].to_numpy(object), frame["label"].to_numpy()


def lagged(folder):
    """Return the oil temperature of the next hour and what was known before it."""
    import pandas as pd

    if folder is None or not (folder / "ETTh1.csv.gz").exists():
        return None
    values = pd.read_csv(folder / "ETTh1.csv.gz").drop(columns="date").to_numpy()[:6000]
    X = np.hstack([values[24 - lag : -lag] for lag in (1, 2, 3, 24)])
    y = values[24:, -1]
    return X, (y - y.mean()) / y.std()


# models


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

    torch.manual_seed(seed)
    return NeuralNetClassifier(
        Net,
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        max_epochs=6,
        train_split=None,
        verbose=0,
    )


def elastic_net(seed):
    return Pipeline(
        [
            ("poly", PolynomialFeatures(include_bias=False)),
            ("scale", StandardScaler()),
            ("model", ElasticNet(max_iter=300)),
        ]
    )


def text_model(seed):
    return Pipeline(
        [
            ("tfidf", TfidfVectorizer()),
            ("model", SGDClassifier(loss="log_loss", max_iter=20, tol=None, random_state=seed)),
        ]
    )


def mixed(seed):
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_exclude="number")),
        (StandardScaler(), make_column_selector(dtype_include="number")),
    )
    return Pipeline([("columns", columns), ("model", LogisticRegression(max_iter=200))])


def svr(seed):
    return Pipeline([("scale", StandardScaler()), ("model", SVR())])


PROBLEMS = [
    Problem(
        "SVC, letter",
        table("letter.csv.gz", "letter"),
        700,
        "accuracy",
        lambda seed: make_pipeline(StandardScaler(), SVC(max_iter=5000)),
        {
            "svc__kernel": ["linear", "poly", "rbf", "sigmoid"],
            "svc__C": (1e-3, 1e3, "log-uniform"),
            "svc__gamma": (1e-5, 1e1, "log-uniform"),
            "svc__degree": (2, 5, "uniform"),
            "svc__coef0": (0.0, 5.0, "uniform"),
        },
    ),
    Problem(
        "HistGradientBoosting, adult",
        table("adult.csv.gz", "income"),
        800,
        "roc_auc",
        lambda seed: HistGradientBoostingClassifier(early_stopping=False, random_state=seed),
        {
            "learning_rate": (1e-3, 1.0, "log-uniform"),
            "max_iter": (5, 50, "log-uniform"),
            "max_leaf_nodes": (2, 32, "log-uniform"),
            "min_samples_leaf": (2, 100, "log-uniform"),
            "l2_regularization": (1e-4, 1e2, "log-uniform"),
            "max_features": (0.1, 1.0, "uniform"),
        },
    ),
    Problem(
        "MLPClassifier, magic",
        table("magic_gamma.csv.gz", "class"),
        700,
        "accuracy",
        lambda seed: make_pipeline(StandardScaler(), MLPClassifier(max_iter=8, random_state=seed)),
        {
            "mlpclassifier__learning_rate_init": (1e-4, 1e0, "log-uniform"),
            "mlpclassifier__alpha": (1e-6, 1e1, "log-uniform"),
            "mlpclassifier__batch_size": (16, 256, "log-uniform"),
            "mlpclassifier__hidden_layer_sizes": (4, 64, "log-uniform"),
            "mlpclassifier__activation": ["relu", "tanh", "logistic"],
        },
    ),
    Problem(
        "skorch net, fashion MNIST",
        images("fashion_mnist.npz"),
        600,
        "accuracy",
        make_net,
        {
            "optimizer__lr": (1e-5, 1e0, "log-uniform"),
            "optimizer__weight_decay": (1e-6, 1e-1, "log-uniform"),
            "batch_size": (16, 128, "log-uniform"),
            "module__n_hidden": (8, 128, "log-uniform"),
            "module__dropout": (0.0, 0.7, "uniform"),
        },
    ),
    Problem(
        "tf-idf and SGD, sentiment",
        texts,
        800,
        "accuracy",
        text_model,
        {
            "tfidf__max_df": (0.05, 1.0, "uniform"),
            "tfidf__min_df": (1, 10, "log-uniform"),
            "tfidf__sublinear_tf": [True, False],
            "tfidf__analyzer": ["word", "char_wb"],
            "model__alpha": (1e-7, 1e-1, "log-uniform"),
            "model__penalty": ["l2", "l1", "elasticnet"],
        },
    ),
    Problem(
        "polynomial elastic net, bike",
        table("bike_hour.csv.gz", "cnt", is_class=False),
        600,
        "r2",
        elastic_net,
        {
            "poly__degree": [1, 2],
            "poly__interaction_only": [True, False],
            "model__alpha": (1e-5, 1e1, "log-uniform"),
            "model__l1_ratio": (0.0, 1.0, "uniform"),
        },
    ),
    Problem(
        "SVR of a time series, ETTh1",
        lagged,
        800,
        "r2",
        svr,
        {
            "model__C": (1e-3, 1e3, "log-uniform"),
            "model__gamma": (1e-6, 1e1, "log-uniform"),
            "model__epsilon": (1e-4, 1.0, "log-uniform"),
        },
        is_time_series=True,
    ),
    Problem(
        "logistic regression of mixed types, credit",
        table("credit_g.csv.gz", "class", one_hot=False),
        700,
        "roc_auc",
        mixed,
        {
            "columns__onehotencoder__drop": [None, "first", "if_binary"],
            "columns__onehotencoder__min_frequency": (1, 100, "log-uniform"),
            "model__C": (1e-4, 1e4, "log-uniform"),
            "model__class_weight": [None, "balanced"],
            "model__tol": (1e-6, 1e-1, "log-uniform"),
        },
    ),
    Problem(
        "tree, diabetes",
        bundled(load_diabetes),
        300,
        "r2",
        lambda seed: DecisionTreeRegressor(random_state=seed),
        {
            "max_depth": (1, 20, "uniform"),
            "min_samples_leaf": (1, 60, "log-uniform"),
            "min_samples_split": (2, 60, "log-uniform"),
            "max_features": (0.05, 1.0, "uniform"),
            "ccp_alpha": (1e-2, 1e3, "log-uniform"),
            "criterion": ["squared_error", "absolute_error"],
        },
    ),
]


# searches, each of (model, space, seed, n_iter, settings) to something with `fit`


def own_space(space):
    from sklearn_hpt.space import Categorical, Integer, Real

    def dimension(values):
        if isinstance(values, list):
            return Categorical(values)
        kind = Integer if isinstance(values[0], int) else Real
        return kind(values[0], values[1], prior=values[2])

    return {name: dimension(values) for name, values in space.items()}


def ours(model, space, seed, n_iter, settings):
    return BayesSearchCV(model, own_space(space), n_iter=n_iter, random_state=seed, **settings)


class WholeNumbers:
    """Whole numbers that are uniform on a logarithmic scale, which SciPy has not."""

    def __init__(self, low, high):
        self._between = scipy.stats.loguniform(low - 0.5, high + 0.5)

    def rvs(self, random_state=None):
        return round(self._between.rvs(random_state=random_state))


def random(model, space, seed, n_iter, settings):
    def distribution(values):
        if isinstance(values, list):
            return values
        low, high, prior = values
        if isinstance(low, int):
            is_log = prior == "log-uniform"
            return WholeNumbers(low, high) if is_log else scipy.stats.randint(low, high + 1)
        is_log = prior == "log-uniform"
        return scipy.stats.loguniform(low, high) if is_log else scipy.stats.uniform(low, high - low)

    spaces = {name: distribution(values) for name, values in space.items()}
    return RandomizedSearchCV(model, spaces, n_iter=n_iter, random_state=seed, **settings)


def with_optuna(sampler):
    def make(model, space, seed, n_iter, settings):
        import optuna
        from optuna.distributions import (
            CategoricalDistribution,
            FloatDistribution,
            IntDistribution,
        )
        from optuna_integration.sklearn import OptunaSearchCV

        optuna.logging.set_verbosity(optuna.logging.WARNING)

        def distribution(values):
            if isinstance(values, list):
                return CategoricalDistribution(values)
            kind = IntDistribution if isinstance(values[0], int) else FloatDistribution
            return kind(values[0], values[1], log=values[2] == "log-uniform")

        study = optuna.create_study(
            direction="maximize", sampler=getattr(optuna.samplers, sampler)(seed=seed)
        )
        return OptunaSearchCV(
            model,
            {name: distribution(values) for name, values in space.items()},
            n_trials=n_iter,
            study=study,
            random_state=seed,
            **settings,
        )

    return make


def skopt(model, space, seed, n_iter, settings):
    from skopt import BayesSearchCV as Skopt
    from skopt.space import Categorical, Integer, Real

    def dimension(values):
        if isinstance(values, list):
            return Categorical(values)
        kind = Integer if isinstance(values[0], int) else Real
        return kind(values[0], values[1], prior=values[2])

    spaces = {name: dimension(values) for name, values in space.items()}
    return Skopt(model, spaces, n_iter=n_iter, random_state=seed, **settings)


METHODS = {
    "ours": ours,
    "random": random,
    "optuna tpe": with_optuna("TPESampler"),
    "optuna gp": with_optuna("GPSampler"),
    "skopt": skopt,
}
NEEDED = {"optuna tpe": "optuna_integration", "optuna gp": "optuna_integration", "skopt": "skopt"}


# what a search does


class Meter:
    """A scorer that notes scores and CPU times, and what `fit` and scoring take."""

    def __init__(self, scoring):
        self._scorer = get_scorer(scoring)
        self.scores, self.times = [], []
        self.seconds = 0.0

    def __call__(self, estimator, X, y):
        started = time.process_time()
        score = self._scorer(estimator, X, y)
        self.times.append(time.process_time())
        self.scores.append(score)
        self.seconds += self.times[-1] - started
        return score

    @contextmanager
    def of_fits(self, cls):
        fit = cls.fit
        is_own = "fit" in cls.__dict__

        @functools.wraps(fit)
        def timed(*args, **kwargs):
            started = time.process_time()
            try:
                return fit(*args, **kwargs)
            finally:
                self.seconds += time.process_time() - started

        cls.fit = timed
        try:
            yield
        finally:
            if is_own:
                cls.fit = fit
            else:
                del cls.fit


@dataclass
class Outcome:
    """The scores of the evaluations, the CPU seconds up to each, and the winner's test score."""

    scores: np.ndarray
    seconds: np.ndarray
    overhead: float
    test_score: float


def split(problem, seed, folder):
    X, y = problem.load(folder)
    n_test = min(len(y) - problem.n_rows, 4000)
    if problem.is_time_series:
        ends = problem.n_rows, problem.n_rows + n_test
        return X[: ends[0]], X[ends[0] : ends[1]], y[: ends[0]], y[ends[0] : ends[1]]
    return train_test_split(
        X,
        y,
        train_size=problem.n_rows,
        test_size=n_test,
        stratify=y if is_classifier(problem.make(0)) else None,
        random_state=seed,
    )


def folds(problem, seed):
    if problem.is_time_series:
        return TimeSeriesSplit(N_SPLITS)
    kind = StratifiedKFold if is_classifier(problem.make(0)) else KFold
    return kind(N_SPLITS, shuffle=True, random_state=seed)


def one_run(problem, method, seed, n_iter, folder):
    from threadpoolctl import threadpool_limits

    warnings.simplefilter("ignore")
    X, X_test, y, y_test = split(problem, seed, folder)
    model, meter = problem.make(seed), Meter(problem.scoring)
    settings = {"scoring": meter, "cv": folds(problem, seed), "refit": False}
    search = METHODS[method](model, problem.space, seed, n_iter, settings)
    with threadpool_limits(1), meter.of_fits(type(model)):
        started = time.process_time()
        search.fit(X, y)
        total = time.process_time() - started
    n = len(meter.scores) // N_SPLITS
    if (n, len(meter.scores)) != (n_iter, n_iter * N_SPLITS):
        raise RuntimeError(f"{method} on {problem.name}: {len(meter.scores)} scores")
    scores = np.reshape(meter.scores, (n, N_SPLITS)).mean(axis=1)
    seconds = np.array(meter.times[N_SPLITS - 1 :: N_SPLITS]) - started
    winner = problem.make(seed).set_params(**search.best_params_).fit(X, y)
    test_score = get_scorer(problem.scoring)(winner, X_test, y_test)
    return Outcome(scores, seconds, (total - meter.seconds) / n, test_score)


def kept_run(problem, method, seed, n_iter, folder, keep):
    """Return what an earlier call of the script has kept, else run."""
    if keep is None:
        return one_run(problem, method, seed, n_iter, folder)
    path = keep / f"{problem.name}-{method}-{seed}-{n_iter}.joblib".replace(" ", "_")
    if not path.exists():
        outcome = one_run(problem, method, seed, n_iter, folder)
        joblib.dump(asdict(outcome), f"{path}.new")
        os.replace(f"{path}.new", path)
    return Outcome(**joblib.load(path))


# tables


def matched(outcome, random):
    """Return what a search took until random search's best score, as a share of its cost."""
    reached = np.flatnonzero(outcome.scores >= random.scores.max())
    return outcome.seconds[reached[0]] / random.seconds[-1] if len(reached) else np.inf


def print_tables(outcomes, names, methods, seeds):
    others = [method for method in methods if method != "random"]
    print("\nmatched\n")
    row("problem", *others)
    shares = {
        method: {
            name: np.median(
                [matched(outcomes[name, method, s], outcomes[name, "random", s]) for s in seeds]
            )
            for name in names
        }
        for method in others
    }
    for name in names:
        row(name, *(as_share(shares[method][name]) for method in others))
    row("median", *(as_share(np.median(list(shares[method].values()))) for method in others))

    print("\nscores: cross-validated, on other rows\n")
    row("problem", *methods)
    for name in names:
        row(name, *(as_scores([outcomes[name, method, s] for s in seeds]) for method in methods))
    ranks, test_ranks = (
        np.mean(
            [
                scipy.stats.rankdata([-score(outcomes[name, m, s]) for m in methods])
                for name in names
                for s in seeds
            ],
            axis=0,
        )
        for score in (lambda one: one.scores.max(), lambda one: one.test_score)
    )
    row("mean rank", *(f"{a:.2f}, {b:.2f}" for a, b in zip(ranks, test_ranks, strict=True)))
    for peer in (method for method in methods if method != "ours"):
        gaps = [
            [
                outcomes[name, "ours", s].scores.max() - outcomes[name, peer, s].scores.max()
                for s in seeds
            ]
            for name in names
        ]
        means = np.mean(gaps, axis=1)
        print(
            f"ours against {peer}: better in {np.sum(np.array(gaps) > 0)} of {np.size(gaps)} "
            f"runs, worse in {np.sum(np.array(gaps) < 0)}; in the mean better on "
            f"{np.sum(means > 0)} of {len(names)} problems"
        )

    print("\noverhead, CPU milliseconds for each evaluation, median\n")
    row("", *methods)
    overheads = [
        np.median([outcomes[n, m, s].overhead for n in names for s in seeds]) for m in methods
    ]
    row("all problems", *(f"{1e3 * overhead:.1f}" for overhead in overheads))


def row(*cells):
    print("| " + " | ".join(cells) + " |")


def as_share(share):
    return f"{share:.2f}" if np.isfinite(share) else "never"


def as_scores(runs):
    best = np.mean([run.scores.max() for run in runs])
    return f"{best:.4f}, {np.mean([run.test_score for run in runs]):.4f}"


def is_there(module):
    from importlib.util import find_spec

    return find_spec(module) is not None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("SKLEARN_HPT_DATA"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--n-iter", type=int, default=60)
    parser.add_argument("--n-jobs", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--keep", type=Path)
    args = parser.parse_args()
    folder = None if args.data is None else Path(args.data)
    problems = [p for p in PROBLEMS if args.only in p.name and p.load(folder) is not None]
    methods = [m for m in METHODS if m not in NEEDED or is_there(NEEDED[m])]
    seeds = range(args.seeds)
    keys = [(p, m, s) for p in problems for m in methods for s in seeds]
    if args.keep is not None:
        args.keep.mkdir(parents=True, exist_ok=True)
    found = Parallel(args.n_jobs, batch_size=1, verbose=5)(
        delayed(kept_run)(p, m, s, args.n_iter, folder, args.keep) for p, m, s in keys
    )
    outcomes = {(p.name, m, s): one for (p, m, s), one in zip(keys, found, strict=True)}
    print_tables(outcomes, [p.name for p in problems], methods, seeds)


if __name__ == "__main__":
    main()
