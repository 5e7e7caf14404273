"""Expected improvement, also where nearly nothing is expected."""

import mpmath
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from sklearn_hpt._acquisition import (
    LogExpectedImprovement,
    LogExpectedImprovementPerSecond,
    log_expected_improvement,
    log_expected_improvement_gradient,
    log_h,
)
from sklearn_hpt._surrogate import GaussianProcess, Hyperparameters


def exact_log_h(z):
    with mpmath.workdps(60):
        z = mpmath.mpf(z)
        return mpmath.log(mpmath.npdf(z) + z * mpmath.ncdf(z))


@pytest.mark.parametrize("z", [3.0, 0.5, 0.0, -0.5, -0.999, -1.0, -1.001, -3.0, -8.0, -30.0, -37.5])
def test_log_h_is_exact(z):
    assert log_h(np.array([z]))[0] == pytest.approx(float(exact_log_h(z)), rel=1e-13)


@pytest.mark.parametrize("z", [-1e2, -1e3, -1e5, -0.999e6, -1.001e6, -1e8])
def test_log_h_is_exact_far_in_the_tail(z):
    # h(z) = phi(z) / z**2 * (1 - 3 / z**2 + ...), Abramowitz and Stegun 26.2.12
    series = -z * z / 2 - np.log(2 * np.pi) / 2 - 2 * np.log(-z) + np.log1p(-3 / z**2 + 15 / z**4)
    assert log_h(np.array([z]))[0] == pytest.approx(series, rel=1e-13)


def test_log_h_increases():
    z = np.concatenate([-np.geomspace(1e9, 1e-3, 4000), np.linspace(0, 30, 200)])
    assert (np.diff(log_h(z)) > 0).all()


@pytest.mark.parametrize(("mean", "sd", "best"), [(0.3, 0.5, 0.1), (-1.0, 0.4, 0.2), (-2, 0.5, 1)])
def test_expected_improvement_is_the_integral(mean, sd, best):
    integral, _ = quad(
        lambda y: (y - best) * norm.pdf(y, mean, sd), best, best + 12 * sd, epsabs=0, epsrel=1e-10
    )
    log_ei = log_expected_improvement(np.array([mean]), np.array([sd]), best)
    assert log_ei[0] == pytest.approx(np.log(integral), rel=1e-8)


@pytest.mark.parametrize("best", [-1.0, 0.5, 3.0, 40.0])
def test_gradient_is_that_of_finite_differences(best):
    rng = np.random.default_rng(0)
    z, y = rng.random((15, 2)), rng.standard_normal(15)
    hyper = Hyperparameters(np.log([0.3, 0.6]), 0.0, 0.0)
    process = GaussianProcess(z, y, np.full(15, 0.01), np.array([0, 1]), hyper)
    acquisition = LogExpectedImprovement(process, best)
    at = rng.random((6, 2))
    values, gradient = acquisition.with_gradient(at)
    np.testing.assert_allclose(values, acquisition(at))
    for column in range(2):
        step = np.zeros(2)
        step[column] = 1e-6
        slope = (acquisition(at + step) - acquisition(at - step)) / 2e-6
        np.testing.assert_allclose(slope, gradient[:, column], rtol=1e-4, atol=1e-4)


def test_improvement_per_second_is_lower_where_evaluations_are_slow():
    z = np.array([[0.2], [0.8]])
    groups, noise = np.array([0]), np.full(2, 1e-4)
    hyper = Hyperparameters(np.log([0.5]), 0.0, 0.0)
    scores = GaussianProcess(z, np.zeros(2), noise, groups, hyper)
    log_seconds = GaussianProcess(z, np.array([-1.0, 1.0]), noise, groups, hyper)
    improvement = LogExpectedImprovement(scores, 0.5)
    of_second = LogExpectedImprovementPerSecond(improvement, log_seconds)
    at = np.array([[0.1], [0.4], [0.9]])
    expected = improvement(at) - log_seconds.predict(at)[0]
    np.testing.assert_allclose(of_second(at), expected)
    values, gradient = of_second.with_gradient(at)
    np.testing.assert_allclose(values, expected)
    slope = (of_second(at + 1e-6) - of_second(at - 1e-6)) / 2e-6
    np.testing.assert_allclose(slope, gradient[:, 0], rtol=1e-4)


def test_gradient_is_finite_where_nothing_is_expected():
    one = np.ones((1, 1))
    value, gradient = log_expected_improvement_gradient(
        np.array([0.0]), np.array([1e-6]), one, one, 100.0
    )
    assert np.isfinite(value).all() and np.isfinite(gradient).all()
