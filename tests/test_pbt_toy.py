"""The paper's toy: a surrogate of a quadratic that only a population climbs."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from sklearn_hpt import PBTSearchCV
from sklearn_hpt.schedule import replay_schedule
from sklearn_hpt.steppers import Stepper

ROWS = np.zeros((4, 1))
ONE_FOLD = [(np.arange(2), np.arange(2, 4))]


class Climber(BaseEstimator):
    """Climbs 1.2 - h0 * a**2 - h1 * b**2 by gradients, and is scored by 1.2 - a**2 - b**2."""

    def __init__(self, h0=1.0, h1=1.0, n_steps=200):
        self.h0 = h0
        self.h1 = h1
        self.n_steps = n_steps

    def fit(self, X, y=None):
        self.theta_ = np.array([0.9, 0.9])
        return self.climb(self.n_steps)

    def climb(self, n_steps):
        for _ in range(n_steps):
            self.theta_ = self.theta_ - 0.01 * 2.0 * np.array([self.h0, self.h1]) * self.theta_
        return self

    def score(self, X, y=None):
        return float(1.2 - (self.theta_**2).sum())


class Climbing(Stepper):
    def resource(self, model):
        return "n_steps"

    def mutable_names(self, model):
        return {"h0", "h1"}

    def init(self, model, X, y):
        model.theta_ = np.array([0.9, 0.9])

    def step(self, model, X, y, begin, end):
        model.climb(end - begin)


def climbed(seed, n_steps, **settings):
    return PBTSearchCV(
        Climber(n_steps=n_steps),
        {"h0": (0.0, 1.0), "h1": (0.0, 1.0)},
        stepper=Climbing(),
        initial_params=[{"h0": 1.0, "h1": 0.0}, {"h0": 0.0, "h1": 1.0}],
        population_size=2,
        n_generations=n_steps // 4,
        cv=ONE_FOLD,
        random_state=seed,
        **{"burn_in": 0, **settings},
    ).fit(ROWS)


@pytest.fixture(scope="module")
def histories():
    return [climbed(seed, 400).population_history_ for seed in range(20)]


def best_until(history, n_steps):
    return history["mean_test_score"][history["resource"] <= n_steps].max()


def test_a_population_climbs_the_hill_that_none_of_its_members_sees(histories):
    after_200 = [best_until(history, 200) for history in histories]
    assert min(after_200) >= 1.05
    assert np.mean(after_200) >= 1.16
    assert min(best_until(history, 400) for history in histories) >= 1.199


def test_members_that_never_copy_stay_on_their_ridges():
    alone = climbed(0, 200, burn_in=50)
    assert alone.best_score_ == pytest.approx(1.2 - 0.81 - 0.81 * 0.98**400, abs=1e-12)
    assert alone.best_score_ == pytest.approx(0.38975, abs=1e-5)


def test_a_tie_at_the_beginning_is_broken_at_random(histories):
    """Members are exactly equal at first; one that waited for a better one would wait forever."""
    first_copies = {int(history["parent"][2]) for history in histories}
    assert first_copies == {0, 1}
    assert all(history["parent"][2] == history["parent"][3] for history in histories)


def test_what_is_zero_does_not_stay_zero(histories):
    assert all(history["params"][-1][name] > 0 for history in histories for name in ("h0", "h1"))


def test_the_schedule_can_be_replayed_with_the_same_stepper():
    search = climbed(0, 40)
    replayed = replay_schedule(Climber(), search.best_schedule_, ROWS, stepper=Climbing())
    assert replayed.score(ROWS) == search.best_score_
