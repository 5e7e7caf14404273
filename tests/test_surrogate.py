"""The Gaussian process: known answers, gradients, and input that breaks others."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import check_grad
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern

from sklearn_hpt._surrogate import (
    GaussianProcess,
    Hyperparameters,
    LogPosterior,
    Priors,
    matern52,
    squared_distances,
)

RNG = np.random.default_rng(0)


def problem(n=20, n_columns=4, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.random((n, n_columns))
    y = np.sin(5 * z[:, 0]) + z[:, 1] ** 2 + 0.1 * rng.standard_normal(n)
    return z, (y - y.mean()) / y.std()


GROUPS = np.array([0, 1, 2, 2])
HYPER = Hyperparameters(np.log([0.3, 0.7, 1.5]), np.log(1.7), np.log(2.0))


def test_posterior_is_that_of_scikit_learn():
    z, y = problem()
    noise = RNG.uniform(0.01, 0.1, len(y))
    ours = GaussianProcess(z, y, noise, GROUPS, HYPER)
    lengths = np.exp(HYPER.length)[GROUPS]
    kernel = ConstantKernel(1.7) * Matern(lengths, nu=2.5) + ConstantKernel(1.0)
    theirs = GaussianProcessRegressor(kernel, alpha=2.0 * noise + 1.7e-8, optimizer=None).fit(z, y)
    new = RNG.random((50, 4))
    mean, sd = ours.predict(new)
    their_mean, their_sd = theirs.predict(new, return_std=True)
    np.testing.assert_allclose(mean, their_mean, atol=1e-9)
    np.testing.assert_allclose(sd, their_sd, atol=1e-7)


def test_density_is_the_marginal_likelihood_of_scikit_learn_with_the_priors():
    z, y = problem()
    noise = np.full(len(y), 0.05)
    density = LogPosterior(z, y, noise, GROUPS, Priors())
    kernel = ConstantKernel(1.7) * Matern(np.exp(HYPER.length)[GROUPS], nu=2.5) + ConstantKernel(
        1.0
    )
    theirs = GaussianProcessRegressor(kernel, alpha=2.0 * noise + 1.7e-8, optimizer=None).fit(z, y)
    vector = HYPER.as_vector()
    widths = np.array([0.8, 0.8, 0.8, 1.0, 1.0])
    prior = -0.5 * (((vector - density.prior_mean) / widths) ** 2).sum()
    expected = theirs.log_marginal_likelihood_value_ + 0.5 * len(y) * np.log(2 * np.pi) + prior
    assert density(vector)[0] == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("seed", range(5))
def test_gradient_of_the_density_is_that_of_finite_differences(seed):
    z, y = problem(seed=seed)
    density = LogPosterior(z, y, np.linspace(0.01, 0.2, len(y)), GROUPS, Priors())
    at = density.prior_mean + np.random.default_rng(seed).normal(0, 0.7, len(density.prior_mean))
    error = check_grad(lambda v: density(v)[0], lambda v: density(v)[1], at)
    assert error < 1e-4 * max(1.0, np.abs(density(at)[1]).max())


@pytest.mark.parametrize("seed", range(5))
def test_gradients_of_the_posterior_are_those_of_finite_differences(seed):
    z, y = problem(seed=seed)
    process = GaussianProcess(z, y, np.full(len(y), 0.01), GROUPS, HYPER)
    at = np.random.default_rng(seed).random((3, 4))
    mean, sd, mean_gradient, sd_gradient = process.predict_with_gradient(at)
    np.testing.assert_allclose(mean, process.predict(at)[0])
    np.testing.assert_allclose(sd, process.predict(at)[1])
    for column in range(4):
        step = np.zeros(4)
        step[column] = 1e-6
        above, below = process.predict(at + step), process.predict(at - step)
        for one, other, gradient in zip(above, below, (mean_gradient, sd_gradient), strict=True):
            np.testing.assert_allclose((one - other) / 2e-6, gradient[:, column], atol=1e-5)


def test_correlation_is_the_matern_of_five_halves():
    r = np.linspace(0, 4, 9)
    ours, slope = matern52(r**2)
    np.testing.assert_allclose(ours, Matern(1.0, nu=2.5)(r[:, None], np.zeros((1, 1)))[:, 0])
    step = 1e-6
    above, below = matern52(r[1:] ** 2 + step)[0], matern52(r[1:] ** 2 - step)[0]
    np.testing.assert_allclose((above - below) / (2 * step), slope[1:], atol=1e-8)


def test_distances_are_never_negative():
    a = RNG.random((30, 5)) * 1e3
    assert (squared_distances(a, a) >= 0).all()
    assert squared_distances(a, a + 1.0) == pytest.approx(
        ((a[:, None] - a[None] - 1.0) ** 2).sum(-1), rel=1e-6, abs=1e-6
    )


@given(
    seed=st.integers(0, 1000),
    log_length=st.floats(-6, 6),
    log_noise=st.floats(-6, 6),
    n=st.integers(1, 30),
)
@settings(max_examples=60, deadline=None)
def test_covariance_is_positive_definite_and_the_spread_is_finite(seed, log_length, log_noise, n):
    rng = np.random.default_rng(seed)
    z = rng.choice([0.0, 0.5, 1.0], (n, 3))  # many of them equal
    y = rng.standard_normal(n)
    hyper = Hyperparameters(np.full(3, log_length), 0.0, log_noise)
    process = GaussianProcess(z, y, np.full(n, 1e-6), np.arange(3), hyper)
    mean, sd = process.predict(np.concatenate([z, rng.random((20, 3))]))
    assert np.isfinite(mean).all() and np.isfinite(sd).all() and (sd > 0).all()


def test_fit_finds_which_dimensions_matter():
    rng = np.random.default_rng(1)
    z = rng.random((40, 3))
    y = np.sin(6 * z[:, 0])
    y = (y - y.mean()) / y.std()
    process = GaussianProcess.fitted(z, y, np.full(40, 1e-3), np.arange(3))
    length = process.hyperparameters.length
    assert length[0] < length[1] - 1 and length[0] < length[2] - 1
    new = rng.random((200, 3))
    truth = (np.sin(6 * new[:, 0]) - np.sin(6 * z[:, 0]).mean()) / np.sin(6 * z[:, 0]).std()
    assert np.abs(process.predict(new)[0] - truth).max() < 0.25


def test_noise_that_is_larger_than_said_is_learned():
    rng = np.random.default_rng(2)
    z = rng.random((60, 1))
    y = rng.standard_normal(60)
    process = GaussianProcess.fitted(z, y, np.full(60, 0.05), np.array([0]))
    assert process.noise[0] > 0.3
    assert np.abs(process.predict(rng.random((50, 1)))[0]).max() < 0.7


def test_a_warm_start_leads_to_the_same_place():
    z, y = problem(30)
    cold = GaussianProcess.fitted(z, y, np.full(30, 0.01), GROUPS, max_iter=200)
    warm = GaussianProcess.fitted(
        z, y, np.full(30, 0.01), GROUPS, start=cold.hyperparameters, max_iter=200
    )
    np.testing.assert_allclose(
        cold.hyperparameters.as_vector(), warm.hyperparameters.as_vector(), atol=0.02
    )
