"""EvolutionarySearchCV: better candidates have children, with an exact budget and reproducibly."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_hpt import EvolutionarySearchCV, LogRandomSearchCV
from sklearn_hpt.samplers import EvolutionarySampler

X, y = load_iris(return_X_y=True)
SPACE = {"C": (1e-2, 1e3, "log-uniform"), "gamma": (1e-4, 1e1, "log-uniform")}
NAMES = "abcdef"


class Hill(BaseEstimator):
    """Scores by a smooth function of six numbers and a choice, best at 0 on each fold."""

    def __init__(self, a=1e-5, b=1e-5, c=0.1, d=0.1, e=0.1, f=0.1, kind="flat"):
        self.a, self.b, self.c, self.d, self.e, self.f, self.kind = a, b, c, d, e, f, kind

    def fit(self, X, y=None):
        return self

    def score(self, X, y=None):
        logs = np.log10([self.a / 1e-2, self.b / 1e-4])
        rest = np.array([self.c, self.d, self.e, self.f]) - [0.3, 0.5, 0.7, 0.9]
        return -np.sum(logs**2) / 10 - np.sum(rest**2) - (self.kind != "peak")


HILL = {
    "a": (1e-6, 1.0, "log-uniform"),
    "b": (1e-6, 1.0, "log-uniform"),
    **dict.fromkeys("cdef", (0.0, 1.0)),
    "kind": ["flat", "peak", "odd", "even"],
}


def climb(search_class, seed, **settings):
    return search_class(
        Hill(), HILL, n_iter=150, cv=KFold(2), random_state=seed, refit=False, **settings
    ).fit(np.zeros((10, 1)))


def evolve(n_iter=30, **settings):
    settings = {"population_size": 8, "cv": 3, "random_state": 0, **settings}
    return EvolutionarySearchCV(SVC(), SPACE, n_iter=n_iter, **settings)


def test_children_are_better_than_random_draws():
    ours, random = (
        [climb(cls, seed).best_score_ for seed in range(5)]
        for cls in (EvolutionarySearchCV, LogRandomSearchCV)
    )
    assert min(ours) > max(random)
    assert np.median(ours) > 0.2 * np.median(random)  # both below 0: a fifth of the distance


def test_the_number_of_evaluations_is_exactly_n_iter():
    for n_iter in (3, 8, 21):
        search = evolve(n_iter).fit(X, y)
        points = {tuple(params.values()) for params in search.cv_results_["params"]}
        assert len(search.cv_results_["params"]) == len(points) == n_iter


def test_workers_do_not_change_the_results():
    one, two, three = (evolve(n_jobs=n_jobs).fit(X, y) for n_jobs in (1, 2, 3))
    for other in (two, three):
        assert other.cv_results_["params"] == one.cv_results_["params"]
        np.testing.assert_array_equal(
            other.cv_results_["mean_test_score"], one.cv_results_["mean_test_score"]
        )


def test_a_longer_search_begins_with_the_shorter():
    short, long = (evolve(n).fit(X, y).cv_results_["params"] for n in (20, 35))
    assert long[:20] == short


def test_a_search_that_was_cut_off_goes_on_where_it_was(tmp_path):
    whole = evolve(journal=tmp_path / "whole").fit(X, y)
    lines = (tmp_path / "whole").read_text().splitlines(keepends=True)
    for n_lines in (len(lines) // 4, len(lines) // 2, len(lines) - 3):
        (tmp_path / f"{n_lines}").write_text("".join(lines[:n_lines]))
        resumed = evolve(journal=tmp_path / f"{n_lines}").fit(X, y)
        assert resumed.cv_results_["params"] == whole.cv_results_["params"]
        assert resumed.best_score_ == whole.best_score_


def test_the_estimators_own_parameters_are_tried_first():
    space = {"C": (1e-2, 1e3, "log-uniform"), "kernel": ["rbf", "linear"]}
    settings = {"n_iter": 3, "population_size": 2, "cv": 3, "random_state": 0}
    for include, is_first in ((True, True), (False, False)):
        search = EvolutionarySearchCV(
            SVC(C=7.0, kernel="linear"), space, include_default=include, **settings
        ).fit(X, y)
        assert (search.cv_results_["params"][0] == {"C": 7.0, "kernel": "linear"}) == is_first


def test_a_finite_space_is_searched_whole_and_nothing_twice():
    space = {"C": [0.1, 1.0, 10.0], "kernel": ["rbf", "linear"]}
    with pytest.warns(UserWarning, match="6"):
        search = EvolutionarySearchCV(
            SVC(), space, n_iter=50, population_size=3, cv=3, random_state=0
        ).fit(X, y)
    assert len(search.cv_results_["params"]) == 6
    assert search.stop_reason_ == "exhausted"


def test_the_better_of_two_estimators_gets_more_of_the_budget():
    pipeline = Pipeline([("scale", StandardScaler()), ("model", SVC())])
    spaces = [
        {"model": [SVC()], "model__C": (1e-2, 1e3, "log-uniform")},
        {"model": [LogisticRegression()], "model__C": (1e-9, 1e-7, "log-uniform")},  # hopeless
    ]
    search = EvolutionarySearchCV(
        pipeline, spaces, n_iter=60, population_size=8, cv=3, random_state=0
    ).fit(X, y)
    kinds = [type(params["model"]).__name__ for params in search.cv_results_["params"]]
    assert kinds[8:].count("SVC") > 2 * kinds[8:].count("LogisticRegression")
    assert type(search.best_params_["model"]) is SVC


def test_an_earlier_search_gives_the_first_parents():
    earlier = evolve(40, random_state=1).fit(X, y)
    search = evolve(8, warm_start_from=earlier, include_default=False).fit(X, y)
    fresh = evolve(8, include_default=False).fit(X, y)
    assert (
        search.cv_results_["mean_test_score"].mean() > fresh.cv_results_["mean_test_score"].mean()
    )


def test_a_population_of_one_is_refused():
    with pytest.raises(ValueError, match="population_size"):
        evolve(population_size=1).fit(X, y)


def test_the_sampler_skips_points_outside_the_space():
    sampler = EvolutionarySampler(
        {"C": (0.1, 1.0)}, start=[{"C": 7.0}, {"C": 0.5}, {"D": 1.0}], random_state=0
    )
    assert sampler.ask() == {"C": 0.5}
    assert sampler.ask().keys() == {"C"}
