"""Regions in which all points have the same score, because what differs has no effect there."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np

from sklearn_hpt.samplers._ascent import Acquisition
from sklearn_hpt.samplers._beliefs import Observation

_LEAST_EQUAL = 3  # points that make a plateau
_LIKELY = 0.5  # a box in which other scores are as likely is none


class _Box(NamedTuple):
    """Choices and borders of a plateau, and the probability that a point in it differs."""

    choices: np.ndarray
    low: np.ndarray
    high: np.ndarray
    chance: float


class Plateaus:
    """An acquisition function that expects little where known points have equal scores.

    A hyperparameter that has no effect beside the choice of another, such as the kernel width of a
    linear kernel, gives exactly equal scores in every fold. A stationary process stays unsure
    between such points. Here what it expects is multiplied by the probability that a point among n
    equal ones differs, by the rule of succession 1 / (n + 2), or (k + 1) / (n + k + 2) if k others
    are known there, unless that is a half or more.

    Parameters
    ----------
    acquisition : Acquisition
        What is expected without this.
    observed : sequence of Observation
        What is known.
    z : ndarray of shape (n, n_columns)
        Where, encoded.
    is_choice : ndarray of shape (n_columns,)
        Which columns are of choices; only points with the same choices share a box.
    """

    def __init__(
        self,
        acquisition: Acquisition,
        observed: Sequence[Observation],
        z: np.ndarray,
        is_choice: np.ndarray,
    ) -> None:
        self._acquisition = acquisition
        self._is_choice = is_choice
        self._z = z
        boxes = self._boxes(observed)
        n_choices, n_numbers = int(is_choice.sum()), int((~is_choice).sum())
        self._choices = np.reshape([one.choices for one in boxes], (len(boxes), n_choices))
        self._low = np.reshape([one.low for one in boxes], (len(boxes), n_numbers))
        self._high = np.reshape([one.high for one in boxes], (len(boxes), n_numbers))
        self._log_chance = np.log([one.chance for one in boxes])

    def __call__(self, z: np.ndarray) -> np.ndarray:
        return self._acquisition(z) + self._log_chances(z)

    def with_gradient(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the values and their gradients."""
        values, gradient = self._acquisition.with_gradient(z)
        return values + self._log_chances(z), gradient

    def _boxes(self, observed: Sequence[Observation]) -> list[_Box]:
        is_whole = np.array([one.share == 1.0 for one in observed])
        choices, numbers = self._z[:, self._is_choice], self._z[:, ~self._is_choice]
        equal: dict[Hashable, list[int]] = {}
        for row in np.flatnonzero(is_whole).tolist():
            equal.setdefault((choices[row].tobytes(), _result(observed[row])), []).append(row)
        boxes = []
        for rows in equal.values():
            if len(rows) < _LEAST_EQUAL:
                continue
            low, high = numbers[rows].min(axis=0), numbers[rows].max(axis=0)
            is_inside = is_whole & (choices == choices[rows[0]]).all(axis=1)
            is_inside &= ((numbers >= low) & (numbers <= high)).all(axis=1)
            n_inside = int(is_inside.sum())
            chance = (n_inside - len(rows) + 1) / (n_inside + 2)
            if chance < _LIKELY:
                boxes.append(_Box(choices[rows[0]], low, high, chance))
        return boxes

    def _log_chances(self, z: np.ndarray) -> np.ndarray:
        """Return the logarithms of the probabilities that points do not lie on a plateau."""
        if not len(self._log_chance):
            return np.zeros(len(z))
        choices, numbers = z[:, None, self._is_choice], z[:, None, ~self._is_choice]
        is_inside = (choices == self._choices).all(axis=2)
        is_inside &= ((numbers >= self._low) & (numbers <= self._high)).all(axis=2)
        return np.where(is_inside, self._log_chance, 0.0).min(axis=1)


def _result(one: Observation) -> Hashable:
    """Return what is equal if two evaluations came to the same."""
    if not one.is_finite:
        return "failed"
    return one.score, *(() if one.folds is None else one.folds)
