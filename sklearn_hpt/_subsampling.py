"""Parts of a fold's training rows: what a candidate gets when rows are the resource.

Every amount is a prefix of one order of the rows (or of the groups), which depends on the seed
and not on the amount. So a larger amount contains the smaller one, and candidates that are given
the same seed and amount are compared on the same rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.model_selection import TimeSeriesSplit


def subsample(
    train: np.ndarray,
    n_rows: int,
    *,
    y: Any = None,
    groups: Any = None,
    is_time_ordered: bool = False,
    seed: int,
) -> np.ndarray:
    """Return some of the training rows of a fold, the same ones for the same seed.

    Parameters
    ----------
    train : ndarray of int, shape (n_train,)
        Row numbers of the training side.
    n_rows : int
        How many rows to take, at least 1; all if it is `n_train` or more.
    y : array-like of shape (n_samples,), default=None
        Class labels of all rows of the data, not of `train` only. Every class that `train`
        holds keeps a row where `n_rows` is at least the number of classes; beyond that the
        shares of the classes are those in `train`, up to rounding. None for targets that are
        not classes.
    groups : array-like of shape (n_samples,), default=None
        Groups of all rows of the data. Groups are taken whole, in an order drawn from the seed,
        as many as come closest to `n_rows` (the fewer of two equally close) and at least one:
        there may be more or fewer rows than asked for. With `y`, groups that bring a class not
        yet seen come first in that order, and all of these are taken, however small `n_rows`
        is, because many classifiers cannot be fitted to one class. Beyond that shares of classes
        are left to chance.
    is_time_ordered : bool, default=False
        Whether to take the rows with the highest numbers, which are the most recent ones.
        Nothing is random then, and `y` and `groups` are not looked at.
    seed : int
        Where the order of rows or groups is drawn from.

    Returns
    -------
    rows : ndarray of int
        Row numbers out of `train`, sorted.

    Raises
    ------
    ValueError
        If `n_rows` is less than 1.
    """
    if n_rows < 1:
        raise ValueError(f"n_rows={n_rows!r} must be at least 1: a fit needs a row.")
    rows = np.sort(np.asarray(train))
    if n_rows >= len(rows):
        return rows
    if is_time_ordered:
        return rows[-n_rows:]
    rng = np.random.default_rng(seed)
    labels = None if y is None else _codes(y, rows)
    if groups is not None:
        return rows[_whole_groups(_codes(groups, rows), labels, n_rows, rng)]
    order = rng.permutation(len(rows))
    if labels is not None:
        order = order[_proportional(labels[order])]
    return np.sort(rows[order[:n_rows]])


def is_time_ordered(splits: Sequence[tuple[np.ndarray, np.ndarray]], cv: Any) -> bool:
    """Tell whether the rows are in the order of time, as far as the folds tell.

    So it is for `TimeSeriesSplit`, and where there are two or more folds that all train on rows
    before the rows they test on. One such fold is not enough: whoever appends a test set to a
    training set and splits between them has it too, and the rows of neither need be in order.

    Parameters
    ----------
    splits : sequence of (ndarray of int, ndarray of int)
        Row numbers of the training and the test side of each fold.
    cv : splitter
        Where the folds come from.
    """
    if isinstance(cv, TimeSeriesSplit):
        return True
    return len(splits) > 1 and all(
        len(train) > 0 and len(test) > 0 and np.max(train) < np.min(test) for train, test in splits
    )


def _codes(values: Any, rows: np.ndarray) -> np.ndarray:
    """Return the number of each row's value among the distinct values, shape (n_rows,)."""
    return np.unique(np.asarray(values)[rows], return_inverse=True)[1].reshape(-1)


def _proportional(labels: np.ndarray) -> np.ndarray:
    """Return an order of rows in which every prefix has about the shares of the whole.

    Row j (from 0) of a class with n rows comes at (j + 1/2) / n: the way that Webster and
    Sainte-Lague hand out seats, where more seats never take one away. The first row of each
    class comes before all others, those of large classes first.
    """
    sizes = np.bincount(labels)
    by_class = np.argsort(labels, kind="stable")
    starts = np.cumsum(sizes) - sizes
    rank = np.empty(len(labels), dtype=np.int64)
    rank[by_class] = np.arange(len(labels)) - starts[labels[by_class]]
    place = (rank + 0.5) / sizes[labels]
    return np.lexsort((place, rank > 0))


def _whole_groups(
    groups: np.ndarray, labels: np.ndarray | None, n_rows: int, rng: np.random.Generator
) -> np.ndarray:
    """Return a mask of the rows that are in the groups taken, shape (n_rows,)."""
    sizes = np.bincount(groups)
    order, n_needed = rng.permutation(len(sizes)), 1
    if labels is not None:
        order, n_needed = _new_classes_first(order, groups, labels)
    excess = np.abs(np.cumsum(sizes[order]) - n_rows)
    n_taken = max(int(np.argmin(excess)) + 1, n_needed)
    return np.isin(groups, order[:n_taken])


def _new_classes_first(
    order: np.ndarray, groups: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, int]:
    """Return the order with the groups in front that bring new classes, and how many these are."""
    brings, seen = np.zeros(len(order), dtype=bool), np.zeros(labels.max() + 1, dtype=bool)
    has = np.zeros((len(order), len(seen)), dtype=bool)
    has[groups, labels] = True
    for place, group in enumerate(order):
        brings[place] = np.any(has[group] & ~seen)
        seen |= has[group]
    return np.concatenate([order[brings], order[~brings]]), int(brings.sum())
