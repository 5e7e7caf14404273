"""Acquisition functions: how promising a point is, by what a surrogate says of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import erfcx, log_ndtr, ndtr

_LOG_SQRT_2PI = 0.5 * math.log(2.0 * math.pi)
_SQRT_2, _SQRT_HALF_PI = math.sqrt(2.0), math.sqrt(0.5 * math.pi)
_FAR = -200.0  # below it the asymptotic expansion is as exact


def log_h(z: np.ndarray) -> np.ndarray:
    """Return log(phi(z) + z * Phi(z)) without cancellation, for any z.

    References
    ----------
    S. Ament et al., "Unexpected Improvements to Expected Improvement for Bayesian Optimization",
    NeurIPS 2023, equation 9.
    """
    z = np.asarray(z, dtype=float)
    result = np.empty_like(z)
    near, far = z > -1.0, z < _FAR
    x = z[near]
    result[near] = np.log(np.exp(-0.5 * x * x - _LOG_SQRT_2PI) + x * ndtr(x))
    x = z[~near & ~far]
    mills = _SQRT_HALF_PI * erfcx(-x / _SQRT_2)
    result[~near & ~far] = -0.5 * x * x - _LOG_SQRT_2PI + np.log1p(x * mills)
    x = z[far]
    squared = 1.0 / (x * x)  # the next term is below 1e-11
    series = np.log1p(squared * (-3.0 + squared * 15.0))
    result[far] = -0.5 * x * x - _LOG_SQRT_2PI + np.log(squared) + series
    return result


def log_expected_improvement(mean: np.ndarray, sd: np.ndarray, best: float) -> np.ndarray:
    """Return the logarithm of the expected improvement over `best`, which is maximised."""
    return log_h((mean - best) / sd) + np.log(sd)


def log_expected_improvement_gradient(
    mean: np.ndarray,
    sd: np.ndarray,
    mean_gradient: np.ndarray,
    sd_gradient: np.ndarray,
    best: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the logarithm of the expected improvement and its gradient.

    Parameters
    ----------
    mean, sd : ndarray of shape (n,)
        Posterior mean and standard deviation.
    mean_gradient, sd_gradient : ndarray of shape (n, n_columns)
        Their gradients.
    best : float
        What is to be improved.
    """
    z = (mean - best) / sd
    log_of = log_h(z)
    # d log h / dz = Phi / h, and dEI = Phi * dmean + phi * dsd
    by_mean = np.exp(log_ndtr(z) - log_of) / sd
    by_sd = np.exp(-0.5 * z * z - _LOG_SQRT_2PI - log_of) / sd
    gradient = by_mean[:, None] * mean_gradient + by_sd[:, None] * sd_gradient
    return log_of + np.log(sd), gradient


class Surrogate(Protocol):
    """What an acquisition function asks of a surrogate; see `GaussianProcess`."""

    def predict(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and standard deviation."""

    def predict_with_gradient(
        self, z: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return mean, standard deviation and the gradients of both."""


@dataclass(frozen=True)
class LogExpectedImprovement:
    """The logarithm of the expected improvement over `best`, by what a surrogate says."""

    surrogate: Surrogate
    best: float

    def __call__(self, z: np.ndarray) -> np.ndarray:
        return log_expected_improvement(*self.surrogate.predict(z), self.best)

    def with_gradient(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the values and their gradients."""
        predicted = self.surrogate.predict_with_gradient(z)
        return log_expected_improvement_gradient(*predicted, self.best)


@dataclass(frozen=True)
class LogExpectedImprovementPerSecond:
    """The logarithm of the expected improvement in each second that an evaluation takes.

    References
    ----------
    J. Snoek, H. Larochelle, R. P. Adams, "Practical Bayesian Optimization of Machine Learning
    Algorithms", NeurIPS 2012, section 3.2.
    """

    improvement: LogExpectedImprovement
    log_seconds: Surrogate

    def __call__(self, z: np.ndarray) -> np.ndarray:
        return self.improvement(z) - self.log_seconds.predict(z)[0]

    def with_gradient(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the values and their gradients."""
        value, gradient = self.improvement.with_gradient(z)
        log_seconds, _, by_mean, _ = self.log_seconds.predict_with_gradient(z)
        return value - log_seconds, gradient - by_mean
