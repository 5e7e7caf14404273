"""Regions in which all points have the same score, because what differs has no effect there."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sklearn_hpt.samplers._ascent import Acquisition
from sklearn_hpt.samplers._beliefs import Observation

_LEAST_EQUAL = 3  # points that make a plateau


@dataclass(frozen=True)
class Box:
    """The smallest box around points of the same choices and of equal scores.

    Attributes
    ----------
    choices : ndarray of shape (n_choice_columns,)
        The choices that its points share, encoded.
    low, high : ndarray of shape (n_number_columns,)
        Its borders.
    log_chance : float
        The logarithm of the probability that another point in it has another score.
    """

    choices: np.ndarray
    low: np.ndarray
    high: np.ndarray
    log_chance: float


class Plateaus:
    """An acquisition function that expects little where known points have equal scores.

    A hyperparameter that has no effect beside the choice of another, such as the kernel width of a
    linear kernel, gives exactly equal scores in every fold. A stationary process stays unsure
    between such points. Here what it expects is multiplied by the probability that a point among n
    equal ones differs, by the rule of succession 1 / (n + 2), or (k + 1) / (n + k + 2) if k others
    are known there.

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
        self._boxes = self._found(observed, z)

    def __call__(self, z: np.ndarray) -> np.ndarray:
        return self._acquisition(z) + self._log_chances(z)

    def with_gradient(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the values and their gradients."""
        values, gradient = self._acquisition.with_gradient(z)
        return values + self._log_chances(z), gradient

    def _found(self, observed: Sequence[Observation], z: np.ndarray) -> list[Box]:
        equal: dict[Hashable, list[int]] = {}
        is_whole = np.array([one.share == 1.0 for one in observed])
        for i, one in enumerate(observed):
            if is_whole[i]:
                equal.setdefault((z[i, self._is_choice].tobytes(), _result(one)), []).append(i)
        boxes = []
        for rows in equal.values():
            if len(rows) >= _LEAST_EQUAL:
                points = z[rows][:, ~self._is_choice]
                choices = z[rows[0], self._is_choice]
                box = Box(choices, points.min(axis=0), points.max(axis=0), 0.0)
                n_inside = int(self._is_inside(box, z[is_whole]).sum())
                chance = (n_inside - len(rows) + 1) / (n_inside + 2)
                boxes.append(replace(box, log_chance=math.log(chance)))
        return boxes

    def _is_inside(self, box: Box, z: np.ndarray) -> np.ndarray:
        has_choices = (z[:, self._is_choice] == box.choices).all(axis=1)
        numbers = z[:, ~self._is_choice]
        return has_choices & ((numbers >= box.low) & (numbers <= box.high)).all(axis=1)

    def _log_chances(self, z: np.ndarray) -> np.ndarray:
        chances = np.zeros(len(z))
        for box in self._boxes:
            chances = np.where(
                self._is_inside(box, z), np.minimum(chances, box.log_chance), chances
            )
        return chances


def _result(one: Observation) -> Hashable:
    """Return what is equal if two evaluations came to the same."""
    if not one.is_finite:
        return "failed"
    return (one.score, *(one.folds or ()))
