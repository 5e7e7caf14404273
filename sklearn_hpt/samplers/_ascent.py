"""Where in a space an acquisition function is highest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.optimize import minimize

from sklearn_hpt.samplers._encoding import Axis, Encoding

_N_ANYWHERE = 400  # points of the whole space
_N_NEAR = 40  # points near each of the best ones known
_N_STARTS = 5
_STEPS = (0.03, 0.1, 0.3)
_APART = 0.05  # of starts, in the widest dimension
_MOST_NEIGHBOURS = 12  # levels of a discrete dimension that are all tried
_N_ROUNDS = 3
_N_MOVES = 4
_LEAST_GAIN = 1e-9
_N_FALLBACK = 400


class Acquisition(Protocol):
    """How promising encoded points are."""

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """Return the values, shape (n_points,)."""

    def with_gradient(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the values and their gradients, shape (n_points, n_columns)."""


@dataclass(frozen=True)
class Found:
    """Points of one alternative, the most promising first."""

    which: int
    u: np.ndarray
    values: np.ndarray


class Ascent:
    """Climbs to the most promising points of one alternative of a space.

    From a few good points of a large random pool, over all continuous dimensions at once along
    the gradient, and over the others by trying their values one at a time, in turn.

    Parameters
    ----------
    encoding : Encoding
        The columns of the space.
    which : int
        Which alternative.
    acquisition : Acquisition
        What is to be high.
    """

    def __init__(self, encoding: Encoding, which: int, acquisition: Acquisition) -> None:
        self._encoding = encoding
        self._which = which
        self._axes = encoding.axes[which]
        self._acquisition = acquisition

    def run(self, incumbents: Sequence[np.ndarray], rng: np.random.Generator) -> Found:
        """Return the points found, and those of the pool after them.

        Parameters
        ----------
        incumbents : sequence of ndarray of shape (n_dimensions,)
            The best points known; some of the pool lies around them.
        rng : Generator
            Source of the pool.
        """
        pool = self._pool(incumbents, rng)
        values = self._values(pool)
        ranked = np.argsort(-values, kind="stable")
        starts = _apart(pool, ranked)
        u, heights = pool[starts].copy(), values[starts].copy()
        rows = np.arange(len(u))
        for _ in range(_N_ROUNDS):
            u[rows], heights[rows] = self._climbed(u[rows], heights[rows])
            before = u[rows]
            u[rows], heights[rows] = self._moved(before, heights[rows])
            rows = rows[(u[rows] != before).any(axis=1)]  # the others have climbed already
            if not len(rows):
                break
        best = np.argsort(-heights, kind="stable")
        rest = ranked[:_N_FALLBACK]
        return Found(
            self._which,
            np.concatenate([u[best], pool[rest]]),
            np.concatenate([heights[best], values[rest]]),
        )

    def _values(self, u: np.ndarray) -> np.ndarray:
        return self._acquisition(self._encoding.encoded(self._which, u))

    # where to start

    def _pool(self, incumbents: Sequence[np.ndarray], rng: np.random.Generator) -> np.ndarray:
        anywhere = rng.random((_N_ANYWHERE, len(self._axes)))
        near = [self._near(u, rng) for u in incumbents]
        return self._encoding.snapped(self._which, np.concatenate([anywhere, *near]))

    def _near(self, u: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return points some of whose dimensions differ from those of `u`."""
        shape = _N_NEAR, len(u)
        steps = rng.choice(_STEPS, (_N_NEAR, 1)) * rng.standard_normal(shape)
        is_changed = rng.random(shape) < max(0.5, 1.0 / len(u))
        near = _reflected(u + np.where(is_changed, steps, 0.0))
        for i, axis in enumerate(self._axes):
            if axis.levels is not None:
                near[:, i] = _near_on(axis, u[i], near[:, i], is_changed[:, i], rng)
        return near

    # from there upwards

    def _climbed(self, u: np.ndarray, heights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Climb over the continuous dimensions, all points at once."""
        dims, columns = self._encoding.continuous(self._which)
        if not len(dims):
            return u, heights
        z = self._encoding.encoded(self._which, u)

        def negative(x: np.ndarray) -> tuple[float, np.ndarray]:
            z[:, columns] = x.reshape(len(u), len(dims))
            values, gradient = self._acquisition.with_gradient(z)
            return -float(values.sum()), -gradient[:, columns].ravel()

        found = minimize(
            negative,
            u[:, dims].ravel(),
            jac=True,
            method="L-BFGS-B",
            bounds=[(0.0, 1.0)] * (len(u) * len(dims)),
            options={"maxiter": 30},
        )
        climbed = u.copy()
        climbed[:, dims] = found.x.reshape(len(u), len(dims))
        values = self._values(climbed)
        is_higher = values > heights
        return np.where(is_higher[:, None], climbed, u), np.where(is_higher, values, heights)

    def _moved(self, u: np.ndarray, heights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Change discrete dimensions one at a time as long as that helps, all points at once."""
        u, heights = u.copy(), heights.copy()
        discrete = [i for i, axis in enumerate(self._axes) if axis.levels is not None]
        rows = np.arange(len(u))
        for _ in range(_N_MOVES if discrete else 0):
            neighbours = [self._neighbours(u[row], discrete) for row in rows]
            sizes = [len(some) for some in neighbours]
            values = np.split(self._values(np.concatenate(neighbours)), np.cumsum(sizes)[:-1])
            higher = []
            for row, some, of_some in zip(rows, neighbours, values, strict=True):
                best = int(of_some.argmax()) if len(some) else -1
                if len(some) and of_some[best] > heights[row] + _LEAST_GAIN:
                    u[row], heights[row] = some[best], of_some[best]
                    higher.append(row)
            if not higher:
                break
            rows = np.array(higher)
        return u, heights

    def _neighbours(self, u: np.ndarray, discrete: Sequence[int]) -> np.ndarray:
        """Return the points that differ from `u` in one discrete dimension."""
        levels = [_levels_near(self._axes[i], u[i]) for i in discrete]
        found = np.repeat(u[None], sum(map(len, levels)), axis=0)
        column = np.repeat(discrete, [len(some) for some in levels])
        found[np.arange(len(found)), column] = np.concatenate(levels)
        return found[found[np.arange(len(found)), column] != u[column]]


def _reflected(u: np.ndarray) -> np.ndarray:
    """Return places outside the unit interval mirrored at its ends."""
    u = np.abs(u)
    return np.clip(np.where(u > 1.0, 2.0 - u, u), 0.0, 1.0)


def _near_on(
    axis: Axis, u: float, near: np.ndarray, is_changed: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return other levels of a discrete dimension: any choice, or the next numbers."""
    assert axis.levels is not None
    if axis.is_nominal:
        return np.where(rng.random(len(near)) < 0.2, rng.random(len(near)), u)
    hops = is_changed & (rng.random(len(near)) < 0.5)
    index = axis.index(np.full(len(near), u)) + rng.choice([-1, 1], len(near))
    return np.where(hops, axis.levels[np.clip(index, 0, len(axis.levels) - 1)], near)


def _levels_near(axis: Axis, u: float) -> np.ndarray:
    """Return the levels to try: all if they are few or without order, else some around."""
    assert axis.levels is not None
    n_levels = len(axis.levels)
    if axis.is_nominal or n_levels <= _MOST_NEIGHBOURS:
        return axis.levels
    far = max(1, n_levels // 8)
    around = axis.index(np.array([u]))[0] + np.array([-far, -2, -1, 1, 2, far])
    return axis.levels[np.unique(np.clip(around, 0, n_levels - 1))]


def _apart(pool: np.ndarray, ranked: np.ndarray) -> list[int]:
    """Return the best points of a pool that are not next to each other."""
    starts = [int(ranked[0])]
    for i in ranked[1:200]:
        if len(starts) == _N_STARTS:
            break
        if np.abs(pool[starts] - pool[i]).max(axis=1).min() > _APART:
            starts.append(int(i))
    return starts
