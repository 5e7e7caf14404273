"""What a sampler believes of a space, by the results that it was told."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sklearn_hpt._surrogate import GaussianProcess, Hyperparameters, Priors
from sklearn_hpt.samplers._encoding import Encoding
from sklearn_hpt.samplers._observations import Scale, mean_variances
from sklearn_hpt.space import SpaceUnion

NOISE = 1e-5  # variance of a value beyond the spread of its folds
_FOLD_NOISE = 0.25  # how much of the spread of the folds, which all candidates share, is noise
_FAILED_NOISE = 0.1
_PRIORS = Priors(noise=(0.0, 2.0))
_SECONDS_NOISE = 0.05  # variance of the logarithm of a time
_MOST_FITTED = 300  # observations that hyperparameters are fitted to
_MOST_USED = 1200  # observations that predictions rest on


@dataclass(frozen=True)
class Observation:
    """One result.

    Attributes
    ----------
    which : int
        The alternative of the space.
    u : ndarray of shape (n_dimensions,)
        The place on its unit cube.
    score : float
        The score, NaN if it failed.
    folds : sequence of float or None
        The scores of its folds.
    share : float
        What share of the whole resource it was given.
    """

    which: int
    u: np.ndarray
    score: float
    folds: Sequence[float] | None
    share: float = 1.0

    @property
    def is_finite(self) -> bool:
        """Whether there is a score."""
        return math.isfinite(self.score)


class Beliefs:
    """The surrogate of the scores, and that of the seconds an evaluation takes.

    Parameters
    ----------
    space : SpaceUnion
        The search space.
    seed : int
        Decides which observations are used if there are too many.
    """

    def __init__(self, space: SpaceUnion, seed: int) -> None:
        self.encoding = Encoding(space)
        self.observed: list[Observation] = []
        self._rows: list[np.ndarray] = []
        self.scale = Scale(0.0, 1.0)
        self._seed = seed
        self._seconds: list[tuple[int, np.ndarray, float]] = []
        self._hyperparameters: Hyperparameters | None = None
        self._of_seconds: Hyperparameters | None = None

    def add(self, observation: Observation) -> None:
        """Learn a result."""
        if observation.share < 1.0 and not self.encoding.has_share:
            self.encoding = Encoding(self.encoding.space, has_share=True)
            self._rows = [self._encoded(one) for one in self.observed]
            self._hyperparameters = None
        self.observed.append(observation)
        self._rows.append(self._encoded(observation))

    def add_seconds(self, which: int, u: np.ndarray, seconds: float) -> None:
        """Learn how long an evaluation took."""
        if math.isfinite(seconds) and seconds > 0:
            self._seconds.append((which, u, math.log(seconds)))

    @property
    def points(self) -> np.ndarray:
        """What was observed, encoded, shape (n_observed, n_columns)."""
        return np.stack(self._rows)

    def of_scores(self) -> GaussianProcess:
        """Return the surrogate of the scores, on `scale`."""
        z, y, noise = self._scores()
        groups = self.encoding.groups
        few = self._some_of(y, _MOST_FITTED)
        process = GaussianProcess.fitted(
            z[few], y[few], noise[few], groups, priors=_PRIORS, start=self._hyperparameters
        )
        self._hyperparameters = process.hyperparameters
        if len(few) == len(y):
            return process
        used = self._some_of(y, _MOST_USED)
        return GaussianProcess(z[used], y[used], noise[used], groups, process.hyperparameters)

    def of_seconds(self) -> GaussianProcess | None:
        """Return the surrogate of the logarithm of the seconds, None as long as little is known."""
        if len(self._seconds) < 2:
            return None
        used = self._seconds[-_MOST_FITTED:]
        z = np.concatenate([self.encoding.encoded(which, u[None]) for which, u, _ in used])
        logs = np.array([log for *_, log in used])
        noise = np.full(len(used), _SECONDS_NOISE)
        process = GaussianProcess.fitted(
            z, logs - logs.mean(), noise, self.encoding.groups, start=self._of_seconds
        )
        self._of_seconds = process.hyperparameters
        return process

    def expected(self, process: GaussianProcess) -> np.ndarray:
        """Return the values to expect of what was observed, with the whole resource."""
        return process.mean(self.encoding.with_whole(self.points))

    def _encoded(self, one: Observation) -> np.ndarray:
        return self.encoding.encoded(one.which, one.u[None], share=one.share)[0]

    def _some_of(self, y: np.ndarray, n_most: int) -> np.ndarray:
        """Return which observations are used if there are too many: the best, and any others."""
        if len(y) <= n_most:
            return np.arange(len(y))
        ranked = np.argsort(-y, kind="stable")
        rng = np.random.default_rng([self._seed, len(y) // 50])  # the same ones for a while
        others = rng.permutation(ranked[n_most // 2 :])[: n_most - n_most // 2]
        return np.sort(np.concatenate([ranked[: n_most // 2], others]))

    def _scores(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the points that were observed, their values and the noise of these."""
        scores = np.array([o.score for o in self.observed])
        is_known = np.isfinite(scores)
        self.scale = scale = Scale.of(scores[is_known])
        scores = np.where(is_known, scores, scores[is_known].min())
        variances = mean_variances([o.folds if o.is_finite else None for o in self.observed])
        noise = NOISE + _FOLD_NOISE * np.minimum(variances * scale.slopes(scores) ** 2, 1.0)
        noise = np.where(is_known, noise, np.maximum(noise, _FAILED_NOISE))
        return self.points, scale.values(scores), noise
