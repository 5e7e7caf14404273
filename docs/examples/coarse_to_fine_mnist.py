"""Tune an MLP on MNIST coarse to fine, with `CoarseToFineSearchCV` and skorch.

    python docs/examples/coarse_to_fine_mnist.py
    python docs/examples/coarse_to_fine_mnist.py --full --data mnist.npz --journal mnist.jsonl

The first is a small search on scikit-learn's digits, of about a minute. The second is the whole
one: 30 candidates for 5 epochs, 20 for 20, and the 3 best for 50. It takes about an hour on two
cores. Stop it whenever you like: the same command goes on from where it was. `mnist.npz` holds the
arrays X_train, y_train, X_test and y_test with pixels from 0 to 255.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.ticker import LogLocator, NullLocator
from sklearn.datasets import load_digits
from sklearn.model_selection import PredefinedSplit, train_test_split
from skorch import NeuralNetClassifier
from skorch.callbacks import LRScheduler
from skorch.dataset import Dataset

from sklearn_hpt import CoarseToFineSearchCV, Integer, Real

# the net


class MLP(torch.nn.Module):
    """Hidden layers of one width, with batch normalization and dropout.

    Parameters
    ----------
    n_features, n_classes : int
        Width of the input and of the output.
    units : int
        Width of each hidden layer.
    n_layers : int
        Number of hidden layers.
    dropout : float
        Fraction of each hidden layer that is set to zero in training.
    """

    def __init__(
        self,
        n_features: int = 784,
        n_classes: int = 10,
        units: int = 128,
        n_layers: int = 2,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        layers: list[torch.nn.Module] = []
        width = n_features
        for _ in range(n_layers):
            layers += [
                torch.nn.Linear(width, units, bias=False),  # the normalization has one
                torch.nn.BatchNorm1d(units),
                torch.nn.ReLU(inplace=True),
                torch.nn.Dropout(dropout),
            ]
            width = units
        self.layers = torch.nn.Sequential(*layers, torch.nn.Linear(width, n_classes))

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return self.layers(X)


class Batches:
    """Cut batches out of whole tensors, where a DataLoader would collect them row by row.

    Shuffled, the rows that do not fill the last batch are left out; they are others each time.
    """

    def __init__(self, dataset: Dataset, batch_size: int, shuffle: bool = False) -> None:
        self.X = torch.as_tensor(dataset.X)
        self.y = None if dataset.y is None else torch.as_tensor(dataset.y)
        self.batch_size = batch_size
        self.shuffle = shuffle

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        n_rows = len(self.X)
        y = torch.zeros(n_rows) if self.y is None else self.y
        if not self.shuffle:
            yield from zip(self.X.split(self.batch_size), y.split(self.batch_size), strict=True)
            return
        order = torch.randperm(n_rows)
        size = min(self.batch_size, n_rows)
        for start in range(0, n_rows - size + 1, size):
            rows = order[start : start + size]
            yield self.X[rows], y[rows]


def make_net(n_features: int, max_epochs: int, decay: float) -> NeuralNetClassifier:
    """Return the net; `decay` is the factor of the learning rate after each epoch."""
    return NeuralNetClassifier(
        MLP,
        module__n_features=n_features,
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        optimizer__fused=True,
        iterator_train=Batches,
        iterator_train__shuffle=True,
        iterator_valid=Batches,
        iterator_valid__batch_size=1000,
        callbacks=[LRScheduler("ExponentialLR", gamma=decay)],
        max_epochs=max_epochs,
        train_split=None,
        verbose=0,
    )


# the data


@dataclass(frozen=True)
class Digits:
    """Images of digits as rows of pixels in [0, 1]; the last `n_dev` rows are the dev set."""

    X: np.ndarray
    y: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray
    n_dev: int

    @property
    def split(self) -> PredefinedSplit:
        fold = np.full(len(self.y), -1)
        fold[-self.n_dev :] = 0
        return PredefinedSplit(fold)


def read_mnist(path: Path, n_train: int, n_dev: int) -> Digits:
    """Read MNIST, and leave out the first rows if fewer are wanted."""
    with np.load(path) as data:
        X, X_test = (_rows(data[name], 255) for name in ("X_train", "X_test"))
        y, y_test = (data[name].astype(np.int64) for name in ("y_train", "y_test"))
    n_kept = n_train + n_dev
    return Digits(X[-n_kept:], y[-n_kept:], X_test, y_test, n_dev)


def small_digits() -> Digits:
    """Return scikit-learn's 1797 digits of 8 x 8 pixels."""
    images, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(
        _rows(images, 16), y, test_size=0.25, stratify=y, random_state=0
    )
    return Digits(X, y, X_test, y_test, n_dev=len(y) // 4)


def _rows(images: np.ndarray, white: int) -> np.ndarray:
    return images.reshape(len(images), -1).astype(np.float32) / white


# the search


@dataclass(frozen=True)
class Plan:
    """How many candidates each round has, and how many epochs each of them gets."""

    n_iter: tuple[int, ...]
    epochs: tuple[int, ...]
    n_finalists: int
    decay: float


FULL = Plan(n_iter=(30, 20), epochs=(5, 20, 50), n_finalists=3, decay=0.93)
SMALL = Plan(n_iter=(10, 6), epochs=(2, 6, 15), n_finalists=2, decay=0.85)


def make_search(data: Digits, plan: Plan, **settings: Any) -> CoarseToFineSearchCV:
    return CoarseToFineSearchCV(
        make_net(data.X.shape[1], max_epochs=plan.epochs[-1], decay=plan.decay),
        {
            "lr": Real(1e-4, 1e-1, prior="log-uniform"),
            "module__units": Integer(64, 512, prior="log-uniform"),
            "module__n_layers": [2, 3, 4],
            "module__dropout": Real(0.1, 0.5),
            "batch_size": [32, 64, 128],
        },
        n_iter=plan.n_iter,
        n_finalists=plan.n_finalists,
        resource="max_epochs",
        resources=plan.epochs,
        scoring="accuracy",
        cv=data.split,
        random_state=0,
        **settings,
    )


def draw(search: CoarseToFineSearchCV, picture: Path) -> None:
    """Draw the dev error against the learning rate, with the box of each round."""
    figure, axes = plt.subplots(figsize=(7.5, 4.8), layout="constrained")
    results = search.cv_results_
    curves = [
        (lr, {amount: 100 * (1 - score) for amount, score in curve})
        for lr, curve in zip(results["param_lr"], results["learning_curve"], strict=True)
    ]
    for lr, errors in curves:
        axes.plot([lr] * len(errors), errors.values(), color="0.75", linewidth=1, zorder=1)
    for one, color in zip(search.rounds_, ("C0", "C1", "C3"), strict=True):
        points = [(lr, errors[one.resource]) for lr, errors in curves if one.resource in errors]
        name = "finalists" if one.box is None else f"round {one.number + 1}"
        label = f"{name}: {len(points)} with {one.resource} epochs"
        axes.scatter(*zip(*points, strict=True), color=color, s=28, label=label, zorder=2)
        if one.box is not None:
            low, high = one.box["lr"].low, one.box["lr"].high
            axes.axvspan(low, high, color=color, alpha=0.12, label=f"box of {name}", zorder=0)
    axes.set(xscale="log", yscale="log", xlabel="learning rate", ylabel="dev error (%)")
    axes.set(title="Each dot is a score, a grey line one candidate that went on")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_locator(NullLocator())
    axes.legend(fontsize="small")
    figure.savefig(picture, dpi=100)
    plt.close(figure)


def main(args: list[str] | None = None) -> None:
    """Run the search, and say what it found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--full", action="store_true", help="the whole search; needs --data")
    parser.add_argument("--data", type=Path, help="mnist.npz; without it scikit-learn's digits")
    parser.add_argument("--journal", type=Path, help="file to record in, and to go on from")
    parser.add_argument("--n-jobs", type=int, default=2, help="evaluations at a time")
    parser.add_argument("--picture", type=Path, default=Path("coarse_to_fine_mnist.png"))
    options = parser.parse_args(args)
    if options.full and options.data is None:
        parser.error("--full needs --data, the path of mnist.npz")

    if options.full:
        data, plan = read_mnist(options.data, n_train=50_000, n_dev=10_000), FULL
    elif options.data is not None:
        data, plan = read_mnist(options.data, n_train=4_000, n_dev=1_000), SMALL
    else:
        data, plan = small_digits(), SMALL
    print(f"{len(data.y) - data.n_dev} rows to train on, {data.n_dev} dev, {len(data.y_test)} test")

    started = time.perf_counter()
    search = make_search(data, plan, n_jobs=options.n_jobs, journal=options.journal)
    search.fit(data.X, data.y)
    seconds = time.perf_counter() - started

    print(search.rounds_)
    print(f"\nbest parameters: {search.best_params_}")
    print(f"dev accuracy  {search.best_score_:.4f}")
    print(f"test accuracy {search.score(data.X_test, data.y_test):.4f}, refitted with the dev rows")
    print(f"{seconds / 60:.1f} minutes, of which {search.refit_time_ / 60:.1f} for the refit")
    print(f"{search.resource_saved_:.0f} epochs saved, as candidates went on from where they were")
    draw(search, options.picture)
    print(f"The picture is in {options.picture.resolve()}")


if __name__ == "__main__":
    # Run as a module: workers can keep a net, to train it on, only if its classes have a home
    from coarse_to_fine_mnist import main as main_of_module

    sys.exit(main_of_module())
