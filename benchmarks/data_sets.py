"""Loaders of real data for the benchmarks, from the folder that they are given.

A loader takes the folder, or None, and returns rows and targets, or None if it has not the file.
"""

import numpy as np

# the half of the data, what is known only afterwards, and dates
NOT_FEATURES = ["split", "duration", "instant", "dteday", "casual", "registered"]


def table(file, target, *, is_class=True, one_hot=True):
    """Return a loader of a table: categories one-hot, missing values as 0, targets as z-scores."""

    def load(folder):
        import pandas as pd

        if folder is None or not (folder / file).exists():
            return None
        frame = pd.read_csv(folder / file).drop(columns=NOT_FEATURES, errors="ignore")
        y = frame.pop(target).to_numpy()
        if one_hot:
            frame = pd.get_dummies(frame, dtype=float).fillna(0.0).to_numpy(np.float64)
        return frame, np.unique(y, return_inverse=True)[1] if is_class else (y - y.mean()) / y.std()

    return load


def images(file):
    def load(folder):
        if folder is None or not (folder / file).exists():
            return None
        with np.load(folder / file) as arrays:
            X, y = arrays["X_train"][:10_000], arrays["y_train"][:10_000]
        return X.reshape(len(X), -1).astype(np.float32) / 255, y.astype(np.int64)

    return load


def bundled(load):
    return lambda folder: load(return_X_y=True)
