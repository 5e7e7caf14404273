"""Find a learning rate for a net by a range test, and train it at that rate.

    python docs/examples/lr_range_fashion_mnist.py                    # digits, some seconds
    python docs/examples/lr_range_fashion_mnist.py --data fashion_mnist.npz

The file holds X_train, y_train, X_test and y_test, as arrays of 60,000 and 10,000 images. The
pictures go to lr_range.png and loss_curves.png.
"""

import argparse

import matplotlib

matplotlib.use("Agg")
import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from skorch import NeuralNetClassifier
from torch import nn

from sklearn_hpt.displays import LossCurvesDisplay, LRRangeDisplay
from sklearn_hpt.nets import LRFinder


class MLP(nn.Module):
    """Three layers, the first two normalised and with dropout."""

    def __init__(self, n_features=784, hidden=256, dropout=0.2):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(n_features, hidden),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden // 2),
            nn.BatchNorm1d(hidden // 2),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden // 2, 10),
        )

    def forward(self, X):
        return self.layers(X)


def load(path):
    if path is None:
        X, y = load_digits(return_X_y=True)
        X, y = (X / 16).astype(np.float32), y.astype(np.int64)
        return train_test_split(X, y, test_size=0.3, random_state=0, stratify=y)
    with np.load(path) as data:
        X, X_test = (
            data[name].reshape(len(data[name]), -1).astype(np.float32) / 255
            for name in ("X_train", "X_test")
        )
        return X, X_test, data["y_train"].astype(np.int64), data["y_test"].astype(np.int64)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="an .npz file of images; the digits without it")
    parser.add_argument("--epochs", type=int, default=10)
    args = parser.parse_args(arguments)
    X, X_test, y, y_test = load(args.data)
    net = NeuralNetClassifier(
        MLP,
        module__n_features=X.shape[1],
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.SGD,
        optimizer__momentum=0.9,
        batch_size=128,
        iterator_train__shuffle=True,
        max_epochs=args.epochs,
        train_split=None,
        verbose=0,
    )
    finder = LRFinder(net, random_state=0).fit(X, y)
    print(f"suggestion {finder.suggestion_:.3g}, search {finder.lr_range_.to_space()}")
    LRRangeDisplay.from_estimator(finder).figure_.savefig("lr_range.png", dpi=110)

    rates = [finder.suggestion_ * factor for factor in (0.01, 0.1, 1.0, 10.0)]
    short = net.set_params(max_epochs=min(args.epochs, 5))
    curves = LossCurvesDisplay.from_estimator(short, X[:6000], y[:6000], param_range=rates)
    curves.figure_.savefig("loss_curves.png", dpi=110)

    torch.manual_seed(0)
    net.set_params(lr=finder.suggestion_, max_epochs=args.epochs).fit(X, y)
    print(f"test accuracy after {args.epochs} epochs {net.score(X_test, y_test):.4f}")
    return finder, net


if __name__ == "__main__":
    main()
