"""Points of a search space as rows of numbers, which a surrogate can measure distances between.

Notation: `u` is a point of the unit cube of one alternative, shape (n_dimensions,), as in `Space`;
`z` is the encoded point, which has the same columns for all alternatives.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real as RealNumber
from typing import Any

import numpy as np

from sklearn_hpt.space import Categorical, Dimension, SpaceUnion

_MOST_LEVELS = 1000  # a dimension with more values counts as continuous
_ONE_LENGTH = 27.0  # the factor between two amounts of a resource that have the distance 1
_APART = 0.5**0.5  # of an indicator, so that two different choices have the distance 1


@dataclass(frozen=True)
class Axis:
    """How one dimension is encoded.

    Attributes
    ----------
    levels : ndarray or None
        The places of the values on the unit interval in increasing order, None if the dimension is
        continuous.
    is_nominal : bool
        Whether its values have no order; each then has a column of its own.
    """

    levels: np.ndarray | None
    is_nominal: bool

    @classmethod
    def of(cls, dimension: Dimension) -> Axis:
        if dimension.size > _MOST_LEVELS:
            return cls(None, False)
        levels = [dimension.to_unit(dimension.at(i)) for i in range(int(dimension.size))]
        return cls(
            np.array(levels), isinstance(dimension, Categorical) and not _is_ordered(dimension)
        )

    @property
    def n_columns(self) -> int:
        return len(self.levels) if self.is_nominal and self.levels is not None else 1

    def index(self, u: np.ndarray) -> np.ndarray:
        """Return which level each of the places is nearest to."""
        assert self.levels is not None
        between = (self.levels[1:] + self.levels[:-1]) / 2
        return np.searchsorted(between, u)

    def snapped(self, u: np.ndarray) -> np.ndarray:
        """Return the places of the nearest values."""
        return u if self.levels is None else self.levels[self.index(u)]

    def encoded(self, u: np.ndarray) -> np.ndarray:
        """Return the columns of places, shape (n, n_columns)."""
        if not self.is_nominal:
            return self.snapped(u)[:, None]
        return _APART * np.eye(self.n_columns)[self.index(u)]


def _is_ordered(dimension: Categorical) -> bool:
    """Tell whether the choices are at least three numbers in increasing or decreasing order."""
    choices = dimension.choices
    if len(choices) < 3 or not all(
        isinstance(c, RealNumber) and not isinstance(c, (bool, np.bool_)) and math.isfinite(c)
        for c in choices
    ):
        return False
    steps = np.diff(np.array(choices, dtype=float))
    return bool(np.all(steps > 0) or np.all(steps < 0))


class Encoding:
    """The columns of a space, and which dimension each of them stands for.

    A parameter that only some alternatives have gets a column that tells whether it is there; where
    it is not, its own columns are in the middle. Which alternative a point is of has columns too.

    Parameters
    ----------
    space : SpaceUnion
        The search space.
    has_share : bool, default=False
        Whether there is a last column that tells what share of a resource was given: 1 for all of
        it, 0 for 1/27.

    Attributes
    ----------
    names : list of str
        What each group of columns stands for.
    groups : ndarray of shape (n_columns,)
        The group of each column.
    is_choice : ndarray of shape (n_columns,)
        Which columns tell choices without order, or the alternative.
    """

    def __init__(self, space: SpaceUnion, *, has_share: bool = False) -> None:
        self.space = space
        self.has_share = has_share
        self.axes = [[Axis.of(dim) for dim in one.values()] for one in space.spaces]
        self.names: list[str] = []
        self._places: list[list[int]] = []  # for each alternative the variable of each dimension
        variables: list[tuple[str, Dimension, Axis]] = []
        for alternative, axes in zip(space.spaces, self.axes, strict=True):
            places = []
            for (name, dimension), axis in zip(alternative.items(), axes, strict=True):
                known = (
                    i for i, v in enumerate(variables) if v[0] == name and _same(v[1], dimension)
                )
                place = next(known, len(variables))
                if place == len(variables):
                    variables.append((name, dimension, axis))
                places.append(place)
            self._places.append(places)
        self._axes = [axis for *_, axis in variables]
        self.names = [name for name, *_ in variables]
        n_having = [sum(i in places for places in self._places) for i in range(len(variables))]
        self._is_conditional = [n < len(space.spaces) for n in n_having]
        self._starts: list[int] = []
        groups: list[int] = []
        for i, axis in enumerate(self._axes):
            self._starts.append(len(groups))
            groups += [i] * (axis.n_columns + self._is_conditional[i])
        self._n_own = len(groups)
        if len(space.spaces) > 1:
            self.names.append("alternative")
            groups += [len(variables)] * len(space.spaces)
        if has_share:
            self.names.append("resource")
            groups.append(groups[-1] + 1)
        self.groups = np.array(groups)
        self.is_choice = np.zeros(len(groups), dtype=bool)
        for start, axis in zip(self._starts, self._axes, strict=True):
            self.is_choice[start : start + axis.n_columns] = axis.is_nominal
        if len(space.spaces) > 1:
            self.is_choice[self._n_own : self._n_own + len(space.spaces)] = True

    def unit(self, which: int, params: Mapping[str, Any]) -> np.ndarray:
        """Return the place of parameters of an alternative, its values' own."""
        return self.snapped(which, self.space.spaces[which].to_unit(params)[None])[0]

    def snapped(self, which: int, u: np.ndarray) -> np.ndarray:
        """Return the nearest places that are of values, shape (n, n_dimensions)."""
        columns = [axis.snapped(u[:, i]) for i, axis in enumerate(self.axes[which])]
        return np.stack(columns, axis=1)

    def with_whole(self, z: np.ndarray) -> np.ndarray:
        """Return encoded points as they are with the whole resource."""
        return np.column_stack([z[:, :-1], np.ones(len(z))]) if self.has_share else z

    def encoded(self, which: int, u: np.ndarray, *, share: float = 1.0) -> np.ndarray:
        """Return the columns of places of an alternative, shape (n, n_columns)."""
        z = np.zeros((len(u), len(self.groups)))
        for i, axis in enumerate(self._axes):
            start, end = self._starts[i], self._starts[i] + axis.n_columns
            if i in self._places[which]:
                z[:, start:end] = axis.encoded(u[:, self._places[which].index(i)])
                z[:, end : end + self._is_conditional[i]] = 1.0
            elif not axis.is_nominal:
                z[:, start:end] = 0.5
        if len(self.axes) > 1:
            z[:, self._n_own + which] = _APART
        if self.has_share:
            z[:, -1] = 1.0 + math.log(share) / math.log(_ONE_LENGTH)
        return z

    def continuous(self, which: int) -> tuple[np.ndarray, np.ndarray]:
        """Return which dimensions of an alternative are continuous, and their columns."""
        dims = [i for i, axis in enumerate(self.axes[which]) if axis.levels is None]
        columns = [self._starts[self._places[which][i]] for i in dims]
        return np.array(dims, dtype=int), np.array(columns, dtype=int)


def _same(one: Dimension, other: Dimension) -> bool:
    if isinstance(one, Categorical) and isinstance(other, Categorical):
        return repr(one) == repr(other)
    return one == other
