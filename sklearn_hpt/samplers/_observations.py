"""What a surrogate is fitted to: scores on a scale that suits it, and how noisy each one is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_EQUAL = 1e-12  # relative: scores closer than that do not differ
_N_FIRST = 6  # scores that decide how far the map is linear,
_NEAREST = 0.25  # to this quantile of how far they are below the best,
_MOST = 0.75  # but not beyond this one of all
_PRIOR_FOLDS = 10  # how many degrees of freedom the spread that all rows share counts for
_MEDIAN_TO_MEAN = 1.2  # of a chi-squared variable with four degrees of freedom


@dataclass(frozen=True)
class Scale:
    """A map of scores to values, linear near the best score and logarithmic far below it.

    A crashed region of the space may score a thousand times worse than the good region is wide.
    On this map it is still the worst, but what differs among the good ones stays visible.

    Attributes
    ----------
    best : float
        The best score.
    unit : float
        How far below the best the map goes over from linear to logarithmic.
    middle, spread : float
        Mean and standard deviation of the mapped scores, which the values are standardized by.
    """

    best: float
    unit: float
    middle: float = 0.0
    spread: float = 1.0

    @classmethod
    def of(cls, scores: np.ndarray) -> Scale:
        """Return the map for these finite scores, in the order in which they were told.

        What is linear is decided by the first scores. Later ones gather around the best, so that a
        map that is drawn from all would magnify ever smaller differences, and the search would stay
        where it is. Where nearly all of the first ones are of a crashed region, all decide.
        """
        best = float(scores.max())
        gaps = best - scores
        is_below = gaps > _EQUAL * abs(scores).max()
        first, every = gaps[:_N_FIRST][is_below[:_N_FIRST]], gaps[is_below]
        unit = float(np.quantile(every, _MOST)) if len(every) else 1.0
        if len(first):
            unit = min(unit, float(np.quantile(first, _NEAREST)))
        raw = cls(best, unit).values(scores)
        spread = float(raw.std())
        return cls(best, unit, float(raw.mean()), spread if spread > 0 else 1.0)

    def values(self, scores: np.ndarray) -> np.ndarray:
        """Return the values of scores."""
        gap = (self.best - scores) / self.unit
        mapped = -np.where(gap > 1.0, 1.0 + np.log(np.maximum(gap, 1.0)), gap)
        return (mapped - self.middle) / self.spread

    def slopes(self, scores: np.ndarray) -> np.ndarray:
        """Return the derivatives of the map."""
        gap = (self.best - scores) / self.unit
        return 1.0 / (np.maximum(gap, 1.0) * self.unit * self.spread)

    def scores(self, values: np.ndarray) -> np.ndarray:
        """Return the scores of values."""
        gap = -(values * self.spread + self.middle)
        gap = np.where(gap > 1.0, np.exp(np.minimum(gap, 700.0) - 1.0), gap)
        return self.best - gap * self.unit


def mean_variances(folds: Sequence[Sequence[float] | None]) -> np.ndarray:
    """Return how far the mean over the folds may be from what it would be with many folds.

    All candidates meet the same folds, so that one is easier than another tells nothing: the
    differences between folds that all share are taken out first. The spread of few folds is itself
    uncertain, so each is drawn towards that of all.

    Parameters
    ----------
    folds : sequence of (sequence of float, or None)
        The scores of the folds of each candidate, NaN for those that racing has saved.

    Returns
    -------
    ndarray of shape (n_candidates,)
        Variances; zeros if there is nothing to tell them by.
    """
    widths = {len(row) for row in folds if row is not None and len(row) > 1}
    if len(widths) != 1:
        return np.zeros(len(folds))
    n_folds = widths.pop()
    blank = [math.nan] * n_folds
    table = np.array([blank if f is None or len(f) != n_folds else f for f in folds], dtype=float)
    complete = np.isfinite(table).all(axis=1)
    if complete.sum() < 3:
        return np.zeros(len(folds))
    off = table[complete] - table[complete].mean(axis=1, keepdims=True)
    off -= np.median(off, axis=0)
    each = (off * off).sum(axis=1) / (n_folds - 1)
    shared = _MEDIAN_TO_MEAN * float(np.median(each))
    n_known = np.maximum(np.isfinite(table).sum(axis=1), 1)
    of_one = np.full(len(folds), shared)
    of_one[complete] = (_PRIOR_FOLDS * shared + (n_folds - 1) * each) / (_PRIOR_FOLDS + n_folds - 1)
    return of_one / np.where(np.isfinite(table).any(axis=1), n_known, n_folds)
