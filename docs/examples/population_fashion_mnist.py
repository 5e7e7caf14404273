"""Tune a net on Fashion-MNIST while it is trained.

    python docs/examples/population_fashion_mnist.py                     # digits, half a minute
    python docs/examples/population_fashion_mnist.py --data fashion_mnist.npz [--journal FILE]

The file holds X_train, y_train, X_test and y_test, as arrays of 60,000 and 10,000 images. The
population is scored on 10,000 of the training images; the winner's schedule is replayed on all
60,000, and the test images are used once, at the end.
"""

import argparse

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedShuffleSplit, train_test_split
from skorch import NeuralNetClassifier
from torch import nn

from sklearn_hpt import PBTSearchCV


class CNN(nn.Module):
    """Two convolutions, normalised, with dropout before the last layer."""

    def __init__(self, side=28, dropout=0.2):
        super().__init__()
        self.side = side
        self.layers = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(32 * (side // 4) ** 2, 10),
        )

    def forward(self, X):
        return self.layers(X.reshape(-1, 1, self.side, self.side))


def load(path):
    if path is None:
        X, y = load_digits(return_X_y=True)
        X = X.astype(np.float32) / 16
        return train_test_split(X, y.astype(np.int64), test_size=400, stratify=y, random_state=0)
    with np.load(path) as arrays:
        X, X_test = (arrays[name].reshape(-1, 784) for name in ("X_train", "X_test"))
        y, y_test = (arrays[name].astype(np.int64) for name in ("y_train", "y_test"))
    return X.astype(np.float32) / 255, X_test.astype(np.float32) / 255, y, y_test


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="an .npz file of images; the digits without it")
    parser.add_argument("--journal", help="the same call goes on from here after a stop")
    parser.add_argument("--n-jobs", type=int, default=2)
    args = parser.parse_args(arguments)
    X, X_test, y, y_test = load(args.data)
    net = NeuralNetClassifier(
        CNN,
        module__side=8 if args.data is None else 28,
        module__dropout=0.2,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.SGD,
        optimizer__momentum=0.9,
        optimizer__nesterov=True,
        batch_size=64 if args.data is None else 128,
        iterator_train__shuffle=True,
        max_epochs=10,
        train_split=None,
        verbose=0,
    )
    search = PBTSearchCV(
        net,
        {
            "lr": (1e-3, 0.5, "log-uniform"),
            "optimizer__weight_decay": (1e-6, 1e-2, "log-uniform"),
            "module__dropout": (0.0, 0.6),
        },
        population_size=4,
        n_generations=5,
        cv=StratifiedShuffleSplit(1, test_size=1 / 6, random_state=0),
        n_jobs=args.n_jobs,
        journal=args.journal,
        trainer="sequential",  # convolutions gain nothing from being trained together on a CPU
        random_state=0,
    ).fit(X, y)
    print(search.best_schedule_)
    print(f"best score {search.best_score_:.4f}, which flatters")
    print(f"test accuracy {search.score(X_test, y_test):.4f}")
    return search


if __name__ == "__main__":
    main()
