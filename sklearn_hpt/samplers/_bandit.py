"""Which hyperparameters to try next while training goes on: a bandit that forgets (PB2)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sklearn_hpt._surrogate import GaussianProcess
from sklearn_hpt.samplers._candidates import alternative_of
from sklearn_hpt.samplers._encoding import Encoding
from sklearn_hpt.samplers._threads import one_blas_thread
from sklearn_hpt.space import Params, SpaceUnion

_LEAST = 4  # changes that must be known
_MOST = 150  # changes that are used, the latest
_N_CANDIDATES = 300
_NOISE = 0.05  # variance of a change, in units of the variance of all
_TIME = 0.25  # how far apart two generations that follow each other are, as a share of the space


@dataclass(frozen=True)
class Change:
    """What a member's score did in one generation: from `before` to `after`, with `params`."""

    generation: int
    params: Params
    before: float
    after: float


class Bandit:
    """Chooses hyperparameters by the improvement that a Gaussian process expects of them.

    The process learns the change of the score in one generation from the hyperparameters, the
    generation and the score before, so that it forgets what was right long ago. The choice has the
    highest upper confidence bound among random draws and perturbations (Parker-Holder et al.,
    "Provably Efficient Online Hyperparameter Optimization with Population-Based Bandits", 2020).

    Parameters
    ----------
    space : SpaceUnion
        The search space.
    changes : sequence of Change
        What is known.
    """

    def __init__(self, space: SpaceUnion, changes: Sequence[Change]) -> None:
        self._space = space
        self._encoding = Encoding(space)
        last = self._encoding.groups[-1] if len(self._encoding.groups) else -1
        self._groups = np.concatenate([self._encoding.groups, [last + 1, last + 2]])
        finite = [c for c in changes if math.isfinite(c.before) and math.isfinite(c.after)]
        self._changes = finite[-_MOST:]
        self._process: GaussianProcess | None = None
        if len(self._changes) >= _LEAST:
            self._fit()

    @property
    def knows_enough(self) -> bool:
        """Whether there are enough changes to choose by."""
        return self._process is not None

    def _fit(self) -> None:
        before = np.array([change.before for change in self._changes])
        gained = np.array([change.after for change in self._changes]) - before
        self._middle, self._spread = float(before.mean()), float(before.std()) or 1.0
        low, high = np.quantile(gained, [0.05, 0.95])  # one that breaks down tells no more than bad
        gained = np.clip(gained, low - (high - low), high + (high - low))
        y = (gained - gained.mean()) / (gained.std() or 1.0)
        z = np.concatenate(
            [self._encoded([c.params], c.generation, c.before) for c in self._changes]
        )
        with one_blas_thread():
            self._process = GaussianProcess.fitted(z, y, np.full(len(y), _NOISE), self._groups)

    def _encoded(self, points: Sequence[Params], generation: int, before: float) -> np.ndarray:
        encoding, rows = self._encoding, []
        for params in points:
            which = alternative_of(self._space, params)
            rows.append(encoding.encoded(which, encoding.unit(which, params)[None])[0])
        at = [_TIME * generation, 0.5 + 0.25 * (before - self._middle) / self._spread]
        return np.column_stack([np.stack(rows), np.tile(at, (len(rows), 1))])

    def choose(
        self, draw: Callable[[], Params], generation: int, before: float, n_known: int
    ) -> Params:
        """Return the most promising of many draws, and take it to turn out as expected.

        Parameters
        ----------
        draw : callable
            Returns hyperparameters that could be tried.
        generation : int
            The one that begins.
        before : float
            Score of the training that is gone on from.
        n_known : int
            Number of scores that there are, by which the confidence bound grows.
        """
        assert self._process is not None
        points = [draw() for _ in range(_N_CANDIDATES)]
        z = self._encoded(points, generation, before)
        with one_blas_thread():
            mean, sd = self._process.predict(z)
            width = math.sqrt(0.2 + max(0.0, math.log(0.4 * n_known)))
            best = int(np.argmax(mean + width * sd))
            at = z[best : best + 1]
            self._process = self._process.extended(at, mean[best : best + 1], np.array([_NOISE]))
        return points[best]
