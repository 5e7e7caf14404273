"""A Gaussian process over points of the unit cube, with known noise and MAP hyperparameters.

Notation: `z` are encoded points, shape (n_points, n_columns); each column belongs to a *group*, the
parameter it stands for, and a group has one length scale. `r` is the distance in units of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve, cholesky
from scipy.linalg.lapack import dpotri, dtrtrs
from scipy.optimize import minimize

_SQRT5 = 5.0**0.5
_MEAN_VARIANCE = 1.0  # of the constant mean, in units of the standardized values
_JITTER = 1e-8  # of the signal variance, so that equal points do no harm
_NEVER_NEGATIVE = 1e-12


@dataclass(frozen=True)
class Priors:
    """Normal priors of the logarithms of the hyperparameters, (mean, standard deviation) each.

    Attributes
    ----------
    length : tuple of float
        Of a length scale; the mean is that for one dimension and grows with the logarithm of the
        square root of their number (Hvarfner et al. 2024, "Vanilla Bayesian Optimization Performs
        Great in High Dimensions").
    signal : tuple of float
        Of the variance of the function.
    noise : tuple of float
        Of the factor on the noise variances that are given.
    """

    length: tuple[float, float] = (-0.4, 0.8)
    signal: tuple[float, float] = (0.0, 1.0)
    noise: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True)
class Hyperparameters:
    """Logarithms: of the length scales, shape (n_groups,), signal variance and noise factor."""

    length: np.ndarray
    signal: float
    noise: float

    def as_vector(self) -> np.ndarray:
        return np.concatenate([self.length, [self.signal, self.noise]])

    @classmethod
    def from_vector(cls, vector: np.ndarray) -> Hyperparameters:
        return cls(np.array(vector[:-2]), float(vector[-2]), float(vector[-1]))


def matern52(r2: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the Matern-5/2 correlation and its derivative by r**2, at squared distances."""
    s = _SQRT5 * np.sqrt(np.maximum(r2, 0.0))
    decay = np.exp(-s)
    return (1.0 + s + s * s / 3.0) * decay, (-5.0 / 6.0) * (1.0 + s) * decay


def squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return squared Euclidean distances, shape (n_a, n_b)."""
    product = a @ b.T
    r2 = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)[None, :] - 2.0 * product
    return np.maximum(r2, 0.0)


class LogPosterior:
    """The logarithm of the posterior density of the hyperparameters, and its gradient.

    Parameters
    ----------
    z : ndarray of shape (n, n_columns)
        Encoded points.
    y : ndarray of shape (n,)
        Their values, standardized.
    noise : ndarray of shape (n,)
        Noise variance of each value, up to a common factor.
    groups : ndarray of shape (n_columns,)
        Which length scale each column has.
    priors : Priors
        Priors of the hyperparameters.
    """

    def __init__(
        self, z: np.ndarray, y: np.ndarray, noise: np.ndarray, groups: np.ndarray, priors: Priors
    ) -> None:
        self._pairs = np.tril_indices(len(y), -1)
        n_groups = int(groups.max()) + 1
        self._y, self._noise = y, noise
        self._apart = np.zeros((n_groups, len(self._pairs[0])))
        for column, group in enumerate(groups):
            difference = z[self._pairs[0], column] - z[self._pairs[1], column]
            self._apart[group] += difference * difference
        means = np.full(n_groups + 2, priors.length[0] + 0.5 * np.log(n_groups))
        widths = np.full(n_groups + 2, priors.length[1])
        (means[-2], widths[-2]), (means[-1], widths[-1]) = priors.signal, priors.noise
        self.prior_mean, self._widths = means, widths

    def __call__(self, vector: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the logarithm of the density, up to a constant, and its gradient."""
        weights = np.exp(-2.0 * vector[:-2])
        signal, factor = np.exp(vector[-2:])
        correlation, slope = matern52(weights @ self._apart)
        factored = self._factored(signal * correlation, signal, factor)
        alpha = cho_solve((factored, True), self._y, check_finite=False)
        value = -0.5 * self._y @ alpha - np.log(np.diag(factored)).sum()
        inverse, _ = dpotri(factored, lower=1)
        # derivatives by the covariance, of both halves together, and by its diagonal
        by_pair = alpha[self._pairs[0]] * alpha[self._pairs[1]] - inverse[self._pairs]
        by_own = 0.5 * (alpha * alpha - np.diag(inverse))
        gradient = np.empty_like(vector)
        gradient[:-2] = -2.0 * signal * weights * (self._apart @ (by_pair * slope))
        gradient[-2] = signal * (by_pair @ correlation + (1.0 + _JITTER) * by_own.sum())
        gradient[-1] = factor * (by_own @ self._noise)
        off = (vector - self.prior_mean) / self._widths
        return value - 0.5 * off @ off, gradient - off / self._widths

    def _factored(self, of_pairs: np.ndarray, signal: float, factor: float) -> np.ndarray:
        """Return the lower Cholesky factor of the covariance of the values."""
        n = len(self._y)
        covariance = np.zeros((n, n), order="F")
        covariance[self._pairs] = of_pairs + _MEAN_VARIANCE
        own = signal * (1.0 + _JITTER) + _MEAN_VARIANCE + factor * self._noise
        covariance[np.diag_indices(n)] = own
        return cholesky(covariance, lower=True, overwrite_a=True, check_finite=False)


class GaussianProcess:
    """A Gaussian process with a Matern-5/2 kernel, a constant mean and given noise.

    Parameters
    ----------
    z : ndarray of shape (n, n_columns)
        Encoded points.
    y : ndarray of shape (n,)
        Their values, of about unit variance.
    noise : ndarray of shape (n,)
        Noise variance of each value, up to the common factor in `hyperparameters`.
    groups : ndarray of shape (n_columns,)
        Which length scale each column has.
    hyperparameters : Hyperparameters
        Logarithms of length scales, signal variance and noise factor.
    """

    def __init__(
        self,
        z: np.ndarray,
        y: np.ndarray,
        noise: np.ndarray,
        groups: np.ndarray,
        hyperparameters: Hyperparameters,
    ) -> None:
        self.hyperparameters = hyperparameters
        self._data = z, y, noise
        self.noise = np.exp(hyperparameters.noise) * noise
        self._groups = groups
        self._scale = np.exp(-hyperparameters.length[groups])
        self._signal = float(np.exp(hyperparameters.signal))
        self._points = z * self._scale
        covariance = self._signal * matern52(squared_distances(self._points, self._points))[0]
        covariance += _MEAN_VARIANCE
        covariance[np.diag_indices(len(y))] += self.noise + _JITTER * self._signal
        self._factored = cho_factor(covariance, lower=True, overwrite_a=True, check_finite=False)
        self._alpha = cho_solve(self._factored, y, check_finite=False)

    @classmethod
    def fitted(
        cls,
        z: np.ndarray,
        y: np.ndarray,
        noise: np.ndarray,
        groups: np.ndarray,
        *,
        priors: Priors | None = None,
        start: Hyperparameters | None = None,
        max_iter: int = 50,
    ) -> GaussianProcess:
        """Return the process with the hyperparameters of the highest posterior density.

        `start` is where the climb begins, the mode of the prior otherwise.
        """
        density = LogPosterior(z, y, noise, groups, priors or Priors())
        begin = density.prior_mean if start is None else start.as_vector()

        def negative(vector: np.ndarray) -> tuple[float, np.ndarray]:
            value, gradient = density(vector)
            return -value, -gradient

        middle = density.prior_mean
        bounds = [(m - 8.0, m + 8.0) for m in middle]
        found = minimize(
            negative,
            begin,
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": max_iter, "ftol": 1e-6, "gtol": 1e-3},
        )
        return cls(z, y, noise, groups, Hyperparameters.from_vector(found.x))

    def _solved(self, b: np.ndarray, *, transposed: bool = False) -> np.ndarray:
        """Return the solution of the triangular factor, without SciPy's checks of arrays."""
        return dtrtrs(self._factored[0], b, lower=1, trans=int(transposed))[0]

    def extended(self, z: np.ndarray, y: np.ndarray, noise: np.ndarray) -> GaussianProcess:
        """Return a process with the same hyperparameters that knows more values."""
        more = (z, y, noise)
        z, y, noise = (np.concatenate(both) for both in zip(self._data, more, strict=True))
        return GaussianProcess(z, y, noise, self._groups, self.hyperparameters)

    def mean(self, z: np.ndarray) -> np.ndarray:
        """Return the posterior mean, shape (n_points,)."""
        across = self._signal * matern52(squared_distances(z * self._scale, self._points))[0]
        return (across + _MEAN_VARIANCE) @ self._alpha

    def predict(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the posterior mean and standard deviation without noise, shape (n_points,)."""
        across = self._signal * matern52(squared_distances(z * self._scale, self._points))[0]
        across += _MEAN_VARIANCE
        half = self._solved(across.T)
        variance = self._signal + _MEAN_VARIANCE - (half * half).sum(axis=0)
        return across @ self._alpha, np.sqrt(np.maximum(variance, _NEVER_NEGATIVE))

    def predict_with_gradient(
        self, z: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return mean and standard deviation and their gradients, (n_points, n_columns) each."""
        scaled = z * self._scale
        correlation, slope = matern52(squared_distances(scaled, self._points))
        across = self._signal * correlation + _MEAN_VARIANCE
        half = self._solved(across.T)
        variance = self._signal + _MEAN_VARIANCE - (half * half).sum(axis=0)
        sd = np.sqrt(np.maximum(variance, _NEVER_NEGATIVE))
        beta = self._solved(half, transposed=True).T
        slope = 2.0 * self._signal * slope
        by_mean, by_variance = slope * self._alpha, slope * beta

        def spread(weights: np.ndarray) -> np.ndarray:
            return weights.sum(axis=1)[:, None] * scaled - weights @ self._points

        mean_gradient = spread(by_mean) * self._scale
        sd_gradient = -spread(by_variance) * self._scale / sd[:, None]
        return across @ self._alpha, sd, mean_gradient, sd_gradient
