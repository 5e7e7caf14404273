"""Points of equal score: how little is expected between them."""

import math

import numpy as np
import pytest

from sklearn_hpt.samplers import BayesianSampler
from sklearn_hpt.samplers._beliefs import Observation
from sklearn_hpt.samplers._plateaus import Plateaus
from sklearn_hpt.space import Categorical, Real

IS_CHOICE = np.array([True, True, False, False])


class Flat:
    """Expects the same everywhere."""

    def __call__(self, z):
        return np.zeros(len(z))

    def with_gradient(self, z):
        return np.zeros(len(z)), np.ones_like(z)


def observation(score, folds=None, share=1.0):
    return Observation(0, np.zeros(2), score, folds, share)


def plateaus(rows, results):
    return Plateaus(Flat(), results, np.array(rows, dtype=float), IS_CHOICE)


CORNERS = [(1, 0, 0.2, 0.2), (1, 0, 0.6, 0.4), (1, 0, 0.4, 0.8)]
INSIDE, OUTSIDE, OTHER_CHOICE = (1, 0, 0.5, 0.5), (1, 0, 0.5, 0.9), (0, 1, 0.5, 0.5)


def test_between_equal_scores_the_rule_of_succession_holds():
    there = np.array([INSIDE, OUTSIDE, OTHER_CHOICE], dtype=float)
    found = plateaus(CORNERS, [observation(0.9)] * 3)
    np.testing.assert_allclose(found(there), [math.log(1 / 5), 0.0, 0.0])
    values, gradient = found.with_gradient(there)
    np.testing.assert_allclose(values, found(there))
    assert (gradient == 1.0).all()


def test_others_inside_make_a_difference_likelier():
    rows = [*CORNERS, (1, 0, 0.3, 0.3)]
    found = plateaus(rows, [observation(0.9)] * 3 + [observation(0.8)])
    np.testing.assert_allclose(found(np.array([INSIDE])), [math.log(2 / 6)])


def test_where_half_of_the_points_inside_differ_is_no_plateau():
    rows = [*CORNERS, *[(1, 0, 0.3 + i / 50, 0.3) for i in range(3)]]
    found = plateaus(rows, [observation(0.9)] * 3 + [observation(i / 10) for i in range(3)])
    assert found(np.array([INSIDE]))[0] == 0.0


def test_of_several_plateaus_around_a_point_the_surest_counts():
    rows = [*CORNERS, *[(1, 0, a, a) for a in (0.1, 0.3, 0.7, 0.9)]]
    found = plateaus(rows, [observation(0.9)] * 3 + [observation(0.8)] * 4)
    assert found(np.array([(1.0, 0.0, 0.5, 0.5)]))[0] == pytest.approx(math.log(1 / 3))


def test_spaces_of_choices_or_of_numbers_alone():
    numbers = Plateaus(Flat(), [observation(1.0)] * 3, np.eye(3), np.zeros(3, dtype=bool))
    assert numbers(np.full((1, 3), 0.5))[0] == pytest.approx(math.log(1 / 5))
    choices = Plateaus(Flat(), [observation(1.0)] * 3, np.eye(3), np.ones(3, dtype=bool))
    assert choices(np.eye(3)).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    "results",
    [
        [observation(0.9)] * 2 + [observation(0.9 + 1e-12)],
        [observation(0.9, (0.8, 1.0))] * 2 + [observation(0.9, (1.0, 0.8))],
        [observation(0.9)] * 2 + [observation(0.9, share=0.5)],
    ],
    ids=["nearly equal", "other folds", "part of a resource"],
)
def test_only_what_is_equal_in_every_fold_is_a_plateau(results):
    assert plateaus(CORNERS, results)(np.array([INSIDE]))[0] == 0.0


def test_fold_scores_may_be_an_array():
    found = plateaus(CORNERS, [observation(0.9, np.array([0.8, 1.0]))] * 3)
    assert found(np.array([INSIDE]))[0] == pytest.approx(math.log(1 / 5))


def test_failures_are_a_plateau_too():
    found = plateaus(CORNERS, [observation(math.nan)] * 3)
    assert found(np.array([INSIDE]))[0] == pytest.approx(math.log(1 / 5))


def test_a_choice_that_makes_the_others_idle_is_not_tried_again_and_again():
    """As a linear kernel does with the width of the others, of which most values are bad."""
    space = {
        "kernel": Categorical(["linear", "rbf"]),
        "gamma": Real(1e-6, 10.0, "log-uniform"),
        "coef0": Real(0.0, 5.0),
    }

    def score(kernel, gamma, coef0):
        return 0.95 if kernel == "linear" else 0.97 - 0.1 * min(abs(math.log10(gamma) + 2.0), 8.0)

    n_linear, best = [], []
    for seed in range(5):
        sampler, scores, kernels = BayesianSampler(space, random_state=seed), [], []
        for _ in range(40):
            params = sampler.ask()
            scores.append(score(**params))
            kernels.append(params["kernel"])
            sampler.tell(params, scores[-1])
        n_linear.append(kernels.count("linear"))
        best.append(max(scores))
    assert np.median(n_linear) < 30
    assert np.median(best) > 0.965
