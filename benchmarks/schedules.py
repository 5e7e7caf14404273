"""What changing hyperparameters during training is worth, at the same number of training epochs.

    python benchmarks/schedules.py [--data DIR] [--seeds N] [--population N] [--only TEXT]
                                   [--n-jobs N] [--pb2]

On the same folds, with as many members as candidates and each trained as long,

PBT      PBTSearchCV with its defaults, and with --pb2 also with explore="pb2",
random   LogRandomSearchCV over the same space, hyperparameters that stay,
cosine   the same candidates, their rate annealed to zero by a cosine in as many steps as PBT has
         generations.

The winner of each is trained on all training rows, PBT's and the cosine's by their schedules, and
scored on rows that no search has seen. Printed are the best cross-validated score (of which PBT's
flatters most, see docs/population_based_training.md) and the score on those rows: means over the
seeds, and in how many seeds PBT's is better and worse than random's and than the cosine's.

Data come from a folder (`--data`, or the environment variable SKLEARN_HPT_DATA). Without it one
problem is left, on data that scikit-learn brings along.
"""

import argparse
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from data_sets import bundled, images, table
from joblib import Parallel, delayed
from sklearn.datasets import load_digits
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import get_scorer
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from torch import nn

from sklearn_hpt import LogRandomSearchCV, PBTSearchCV
from sklearn_hpt.samplers import RandomSampler
from sklearn_hpt.schedule import Schedule, replay_schedule

N_SPLITS, N_TEST, N_GENERATIONS = 3, 2000, 10


@dataclass(frozen=True)
class Problem:
    """A model, its space, and data."""

    name: str
    load: Callable[[Path | None], Any]
    n_rows: int
    scoring: str
    make: Callable[[int], Any]
    space: dict[str, Any]
    resource: str
    amount: int
    rate: str


class MLP(nn.Module):
    def __init__(self, n_inputs=784, n_hidden=64, dropout=0.1):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(n_inputs, n_hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(n_hidden, 10)
        )

    def forward(self, X):
        return self.layers(X)


class CNN(nn.Module):
    def __init__(self, dropout=0.1):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 8, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(400, 10),
        )

    def forward(self, X):
        return self.layers(X.reshape(-1, 1, 28, 28))


def net(module, seed, **params):
    return NeuralNetClassifier(
        module,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.SGD,
        optimizer__momentum=0.9,
        module__dropout=0.1,
        max_epochs=20,
        batch_size=64,
        train_split=None,
        verbose=0,
        iterator_train__shuffle=True,
        **params,
    )


OF_NETS = {
    "lr": (1e-4, 1.0, "log-uniform"),
    "optimizer__momentum": (0.5, 0.99, "log-complement"),
    "optimizer__weight_decay": (1e-6, 1e-1, "log-uniform"),
    "module__dropout": (0.0, 0.6),
}


def scaled_digits(folder):
    X, y = bundled(load_digits)(folder)
    return (X / 16).astype(np.float32), y.astype(np.int64)


PROBLEMS = [
    Problem(
        "digits, MLP 64-64-10",
        scaled_digits,
        900,
        "accuracy",
        partial(net, MLP, module__n_inputs=64),
        OF_NETS,
        "max_epochs",
        20,
        "lr",
    ),
    Problem(
        "MNIST, MLP 784-64-10",
        images("mnist.npz"),
        2000,
        "accuracy",
        partial(net, MLP),
        OF_NETS,
        "max_epochs",
        20,
        "lr",
    ),
    Problem(
        "Fashion-MNIST, MLP 784-64-10",
        images("fashion_mnist.npz"),
        2000,
        "accuracy",
        partial(net, MLP),
        OF_NETS,
        "max_epochs",
        20,
        "lr",
    ),
    Problem(
        "Fashion-MNIST, CNN",
        images("fashion_mnist.npz"),
        1000,
        "accuracy",
        partial(net, CNN),
        OF_NETS,
        "max_epochs",
        20,
        "lr",
    ),
    Problem(
        "magic, MLPClassifier",
        table("magic_gamma.csv.gz", "class"),
        2000,
        "accuracy",
        lambda seed: make_pipeline(
            StandardScaler(), MLPClassifier((64,), max_iter=20, batch_size=64, random_state=seed)
        ),
        {
            "mlpclassifier__learning_rate_init": (1e-5, 1e-1, "log-uniform"),
            "mlpclassifier__alpha": (1e-6, 1e1, "log-uniform"),
            "mlpclassifier__beta_1": (0.5, 0.99, "log-complement"),
        },
        "mlpclassifier__max_iter",
        20,
        "mlpclassifier__learning_rate_init",
    ),
    Problem(
        "letter, SGDClassifier",
        table("letter.csv.gz", "letter"),
        2000,
        "accuracy",
        lambda seed: make_pipeline(
            StandardScaler(),
            SGDClassifier(
                "log_loss", learning_rate="constant", max_iter=20, tol=None, random_state=seed
            ),
        ),
        {
            "sgdclassifier__eta0": (1e-5, 1.0, "log-uniform"),
            "sgdclassifier__alpha": (1e-7, 1e-1, "log-uniform"),
        },
        "sgdclassifier__max_iter",
        20,
        "sgdclassifier__eta0",
    ),
    Problem(
        "adult, HistGradientBoosting",
        table("adult.csv.gz", "income"),
        2000,
        "roc_auc",
        lambda seed: HistGradientBoostingClassifier(
            max_iter=60, early_stopping=False, random_state=seed
        ),
        {
            "learning_rate": (1e-3, 1.0, "log-uniform"),
            "max_leaf_nodes": (2, 64, "log-uniform"),
            "l2_regularization": (1e-4, 1e2, "log-uniform"),
        },
        "max_iter",
        60,
        "learning_rate",
    ),
]


def split(problem, seed, folder):
    X, y = problem.load(folder)
    n_test = min(N_TEST, len(y) - problem.n_rows)
    return train_test_split(
        X, y, train_size=problem.n_rows, test_size=n_test, stratify=y, random_state=seed
    )


def by_population(problem, X, y, folds, size, seed, **settings):
    search = PBTSearchCV(
        problem.make(seed),
        problem.space,
        population_size=size,
        n_generations=N_GENERATIONS,
        scoring=problem.scoring,
        cv=folds,
        random_state=seed,
        **settings,
    ).fit(X, y)
    return search.best_score_, search.best_estimator_


def by_random(problem, X, y, folds, size, seed):
    search = LogRandomSearchCV(
        problem.make(seed),
        problem.space,
        n_iter=size,
        scoring=problem.scoring,
        cv=folds,
        random_state=seed,
        trainer="auto",
    ).fit(X, y)
    return search.best_score_, search.best_estimator_


def annealed(problem, params):
    """Return a schedule in which the rate falls to zero as a cosine."""
    ends = np.linspace(0, problem.amount, N_GENERATIONS + 1).astype(int)
    steps = []
    for i in range(N_GENERATIONS):
        factor = 0.5 * (1 + np.cos(np.pi * (i + 0.5) / N_GENERATIONS))
        rate = params[problem.rate] * factor
        steps.append((int(ends[i + 1] - ends[i]), {**params, problem.rate: float(rate)}))
    return Schedule(problem.resource, steps)


def by_cosine(problem, X, y, folds, size, seed):
    sampler, scorer = RandomSampler(problem.space, random_state=seed), get_scorer(problem.scoring)
    schedules = [annealed(problem, sampler.ask()) for _ in range(size)]
    train = partial(replay_schedule, problem.make(seed), random_state=seed)
    means = [
        np.mean([scorer(train(one, X[a], y[a]), X[b], y[b]) for a, b in folds.split(X, y)])
        for one in schedules
    ]
    best = int(np.nanargmax(means))
    return means[best], train(schedules[best], X, y)


def one_run(problem, method, size, seed, folder):
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    X, X_test, y, y_test = split(problem, seed, folder)
    folds = StratifiedKFold(N_SPLITS, shuffle=True, random_state=seed)
    score, winner = METHODS[method](problem, X, y, folds, size, seed)
    return score, get_scorer(problem.scoring)(winner, X_test, y_test)


METHODS = {
    "PBT": by_population,
    "PB2": partial(by_population, explore="pb2"),
    "random": by_random,
    "cosine": by_cosine,
}


def print_table(found, names, methods, seeds):
    peers = [method for method in methods if method not in ("PBT", "PB2")]
    against = [f"{one} - {peer}" for one in methods if one not in peers for peer in peers]
    print("| problem | " + " | ".join([*methods, *against]) + " |")
    print("|" + " --- |" * (1 + len(methods) + len(against)))
    for name in names:
        cells = []
        for method in methods:
            mean = np.mean([found[name, method, seed] for seed in seeds], axis=0)
            cells.append(f"{mean[0]:.4f}, {mean[1]:.4f}")
        for pair in against:
            one, peer = pair.split(" - ")
            gaps = [found[name, one, seed][1] - found[name, peer, seed][1] for seed in seeds]
            n_better, n_worse = np.sum(np.array(gaps) > 0), np.sum(np.array(gaps) < 0)
            cells.append(f"{np.mean(gaps):+.4f}, {n_better}:{n_worse}")
        print(f"| {name} | {' | '.join(cells)} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("SKLEARN_HPT_DATA"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--population", type=int, default=8)
    parser.add_argument("--n-jobs", type=int, default=1)
    parser.add_argument("--only", default="", help="problems whose names have this in them")
    parser.add_argument("--pb2", action="store_true")
    args = parser.parse_args()
    folder = None if args.data is None else Path(args.data)
    problems = [p for p in PROBLEMS if args.only in p.name and p.load(folder) is not None]
    methods = [method for method in METHODS if args.pb2 or method != "PB2"]
    seeds = range(args.seeds)
    keys = [(p, m, s) for p in problems for m in methods for s in seeds]
    scores = Parallel(args.n_jobs, batch_size=1)(
        delayed(one_run)(p, m, args.population, s, folder) for p, m, s in keys
    )
    found = {(p.name, m, s): one for (p, m, s), one in zip(keys, scores, strict=True)}
    print_table(found, [p.name for p in problems], methods, seeds)


if __name__ == "__main__":
    main()
