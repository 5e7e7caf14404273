"""Rows that a search never sees, to measure what it has chosen."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils.multiclass import type_of_target

from sklearn_hpt._sklearn_compat import num_samples
from sklearn_hpt._subsampling import is_time_ordered, subsample

_SEED = 0  # the same rows in each search, so that searches can be compared and resumed


def held_out_rows(
    holdout: Any,
    X: Any,
    y: Any,
    groups: Any,
    estimator: Any,
    splits: Sequence[tuple[np.ndarray, np.ndarray]],
    cv: Any,
) -> np.ndarray:
    """Return the rows that are kept away from a search.

    Parameters
    ----------
    holdout : float or array-like of int
        Their share, in (0, 1), or their numbers.
    X, y, groups : array-like of shape (n_samples, ...)
        The data. A share keeps the proportions of classes, groups whole, and takes the latest rows
        where the folds are in the order of time.
    estimator : estimator
        Whether it is a classifier.
    splits, cv : list of (ndarray, ndarray), splitter
        The folds of all rows.

    Returns
    -------
    ndarray of int
        Row numbers, sorted.

    Raises
    ------
    ValueError
        If `holdout` is neither, or leaves no rows on one of the sides.
    """
    n_rows = num_samples(X)
    if not isinstance(holdout, numbers.Real):
        return _checked(holdout, n_rows)
    has_classes = is_classifier(estimator) and type_of_target(y) in ("binary", "multiclass")
    held = subsample(
        np.arange(n_rows),
        max(1, math.floor(float(holdout) * n_rows)),
        y=y if has_classes else None,
        groups=groups,
        is_time_ordered=is_time_ordered(splits, cv),
        seed=_SEED,
    )
    return _checked(held, n_rows)


def _checked(rows: Any, n_rows: int) -> np.ndarray:
    numbers_of = np.unique(np.asarray(rows))
    is_right = (
        np.ndim(rows) == 1
        and len(numbers_of) > 0
        and np.issubdtype(numbers_of.dtype, np.integer)
        and numbers_of[0] >= 0
        and numbers_of[-1] < n_rows
    )
    if not is_right or len(numbers_of) == n_rows:
        raise ValueError(
            f"holdout={rows!r} must be a share of the rows in (0, 1), or numbers of some of the "
            f"{n_rows} rows, from 0, that leave others to search with."
        )
    return numbers_of


def moved(
    splits: Sequence[tuple[np.ndarray, np.ndarray]], rows: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return folds of some rows as folds that number all rows."""
    return [(rows[train], rows[test]) for train, test in splits]
