"""Bad input is refused in one clear sentence before any model is trained."""

import os
import re

import numpy as np
import pytest
import scipy.stats as st
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_hpt import Categorical, CoarseToFineSearchCV, Integer, LogRandomSearchCV, Real
from sklearn_hpt.exceptions import SpaceError

SEARCHES = [LogRandomSearchCV, CoarseToFineSearchCV]

X = np.random.default_rng(0).normal(size=(30, 2))
y = np.arange(30) % 2
C = {"C": [0.1, 1.0]}
TRAINED = []


class NeverTrained(SVC):
    """Takes note if it is trained after all."""

    def fit(self, X, y, sample_weight=None):
        TRAINED.append(self)
        raise AssertionError("trained")


class OnlyRvs:
    """A distribution without quantiles."""

    def rvs(self, random_state=None):
        return 1.0

    def __repr__(self):
        return f"{type(self).__name__}()"


class RvsWithoutSeed(OnlyRvs):
    """A distribution that cannot be seeded."""

    def rvs(self):
        return 1.0


class NoDistribution:
    """Neither choices nor anything to draw from."""

    def __repr__(self):
        return "NoDistribution()"


@pytest.fixture(params=SEARCHES, ids=lambda search_class: search_class.__name__)
def search_class(request):
    return request.param


def assert_refused(search, X, y, error, match):
    TRAINED.clear()
    with pytest.raises(error, match=match):
        search.fit(X, y)
    assert not TRAINED
    assert not hasattr(search, "cv_results_")


@pytest.mark.parametrize(
    "space, match",
    [
        ({}, "empty dictionary"),
        ([], "empty list"),
        ([C, {}], "empty dictionary"),
        ([C, "C"], "'C' is of type str"),
        ({"C": [1.0], 3: [1.0]}, "key 3"),
    ],
    ids=repr,
)
def test_space_without_parameters_is_refused(search_class, space, match):
    assert_refused(search_class(NeverTrained(), space), X, y, SpaceError, match)


@pytest.mark.parametrize(
    "value, match",
    [
        ((2.0, 1.0), r"= \(2.0, 1.0\): .*low=2.0 must be below high=1.0"),
        ((1.0, 1.0), "low=1.0 must be below high=1.0"),
        ((5, 2), "low=5 must be below high=2"),
        ((float("nan"), 1.0), "low=nan must be a finite number"),
        ((0.0, float("inf")), "high=inf must be a finite number"),
        ((0.0, 1.0, "log-uniform"), "needs low > 0, got low=0.0"),
        ((-1.0, 1.0, "log-uniform"), "needs low > 0, got low=-1.0"),
        ((0, 8, "log-uniform"), "needs low >= 1, got low=0"),
        ((0.5, 1.0, "log-complement"), "high < 1, got low=0.5, high=1.0"),
        ((-0.5, 0.9, "log-complement"), "0 <= low and high < 1, got low=-0.5"),
        ((0.1, 1.0, "log"), "prior='log' is not known, choose one of .*'log-uniform'"),
        ({"type": "log_uniform", "low": -1}, "needs a number under 'high'"),
        ({"type": "loguniform", "low": -1, "high": 1}, "type='loguniform' is not known"),
        ([], "no choice was given"),
        ((), "no choice was given"),
        (np.array([]), "no choice was given"),
        (1.0, "= 1.0: .*list of one value"),
        ("rbf", "= 'rbf': .*list of one value"),
        (None, "= None: .*list of one value"),
        (NoDistribution(), r"= NoDistribution\(\): .*distribution of scipy.stats"),
        (NoDistribution, "give an instance"),
        (RvsWithoutSeed(), "random_state"),
        (st.loguniform, "loguniform|reciprocal"),
        (st.loguniform(10.0, 0.1), "rv_continuous_frozen"),
    ],
    ids=lambda value: re.sub(r" at 0x\w+", "", repr(value)),
)
def test_parameter_that_cannot_be_searched_is_named_and_refused(search_class, value, match):
    search = search_class(NeverTrained(), {"C": value, "gamma": [0.1]})
    assert_refused(search, X, y, SpaceError, f"Parameter 'C'.*{match}")


@pytest.mark.parametrize(
    "make, match",
    [
        (lambda: Real(1.0, 0.0), "low=1.0 must be below high=0.0"),
        (lambda: Real(0.0, 1.0, "log-uniform"), "got low=0.0"),
        (lambda: Real(0.5, 1.0, "log-complement"), "high=1.0"),
        (lambda: Integer(3, 3), "low=3 must be below high=3"),
        (lambda: Integer(0, 3.5), "high=3.5 must be an integer"),
        (lambda: Categorical([]), "no choice was given"),
        (lambda: Categorical(["a", "b"], [1.0]), r"weights=\[1.0\] must be 2 numbers"),
    ],
)
def test_dimension_that_cannot_be_searched_is_refused_when_made(make, match):
    with pytest.raises(SpaceError, match=match):
        make()


def test_sobol_refuses_a_distribution_without_ppf():
    search = LogRandomSearchCV(NeverTrained(), {"C": OnlyRvs()}, sampler="sobol")
    assert_refused(search, X, y, SpaceError, r"'C' = OnlyRvs\(\) has rvs but no ppf")


@pytest.mark.skipif(not os.path.isdir("/dev/shm"), reason="there is no /dev/shm")
def test_space_that_the_sampler_refuses_leaves_no_data_in_shared_memory():
    def folders():
        return {name for name in os.listdir("/dev/shm") if name.startswith("sklearn_hpt_")}

    before = folders()
    search = LogRandomSearchCV(NeverTrained(), {"C": OnlyRvs()}, sampler="sobol", n_jobs=2)
    with pytest.raises(SpaceError, match="has rvs but no ppf"):
        search.fit(np.zeros((100_000, 2)), np.arange(100_000) % 2)
    assert folders() == before


@pytest.mark.parametrize("n_iter", [0, -1, 2.5, True])
def test_budget_of_an_alternative_must_be_a_positive_integer(search_class, n_iter):
    search = search_class(NeverTrained(), [(C, 2), (C, n_iter)])
    assert_refused(search, X, y, SpaceError, f"n_iter={n_iter} must be an integer of at least 1")


# names


@pytest.mark.parametrize(
    "name, near",
    [("gama", "'gamma'"), ("c", "'C'"), ("kernal", "'kernel'"), ("svc__gamma", "'gamma'")],
)
def test_unknown_parameter_is_refused_with_the_nearest(search_class, name, near):
    search = search_class(NeverTrained(), {name: [1.0]})
    match = f"'{name}' is not one of NeverTrained: did you mean .*{near}"
    assert_refused(search, X, y, SpaceError, match)


@pytest.mark.parametrize("name, near", [("svc__c", "'svc__C'"), ("scv__C", "'svc__C'")])
def test_unknown_parameter_of_a_step_is_refused_with_the_nearest(search_class, name, near):
    pipeline = make_pipeline(StandardScaler(), SVC()).set_params(svc=NeverTrained())
    match = f"'{name}' is not one of Pipeline: did you mean .*{near}"
    assert_refused(search_class(pipeline, {name: [1.0]}), X, y, SpaceError, match)


@pytest.mark.parametrize("name", ["C", "gamma"])
def test_parameter_without_its_step_is_refused_with_the_step(search_class, name):
    pipeline = make_pipeline(StandardScaler(), SVC()).set_params(svc=NeverTrained())
    match = f"'{name}' is not one of Pipeline: did you mean 'svc__{name}'\\?"
    assert_refused(search_class(pipeline, {name: [1.0]}), X, y, SpaceError, match)


def test_a_class_is_refused_as_estimator(search_class):
    match = "estimator=NeverTrained is a class; give an instance of it, such as NeverTrained()"
    assert_refused(search_class(NeverTrained, C), X, y, TypeError, re.escape(match))


def test_unknown_parameter_in_one_of_several_alternatives_is_refused(search_class):
    search = search_class(NeverTrained(), [C, {"gama": [1.0]}])
    assert_refused(search, X, y, SpaceError, "'gama'.*did you mean 'gamma'")


def test_unknown_parameter_of_every_searched_step_is_refused(search_class):
    pipeline = make_pipeline(StandardScaler(), NeverTrained())
    space = {"nevertrained": [NeverTrained(), GaussianNB()], "nevertrained__gama": [1.0]}
    assert_refused(search_class(pipeline, space), X, y, SpaceError, "'nevertrained__gama'")


def test_parameter_of_an_estimator_that_is_a_searched_value_is_accepted(search_class):
    space = {"svc": [GaussianNB()], "svc__var_smoothing": [1e-9, 1e-3]}
    search = search_class(make_pipeline(StandardScaler(), SVC()), space, n_iter=2).fit(X, y)
    assert search.best_params_["svc__var_smoothing"] in (1e-9, 1e-3)


def test_parameter_of_only_some_searched_estimators_is_accepted(search_class):
    alternatives = [{"svc": [GaussianNB()], "svc__var_smoothing": [1e-9]}, {"svc__C": [1.0]}]
    search = search_class(make_pipeline(StandardScaler(), SVC()), alternatives, n_iter=2).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


# settings


@pytest.mark.parametrize(
    "name, value",
    [
        *[("n_iter", value) for value in (0, -3, 2.5, "10", None)],
        *[("n_jobs", value) for value in (0, 1.5, "two")],
        *[("timeout", value) for value in (0, -1.0, "1", float("nan"))],
        *[("candidate_timeout", value) for value in (0, -1.0, "1")],
        *[("memory_limit", value) for value in (0, -1, 1.5)],
        *[("random_state", value) for value in (-1, 1.5, "zero")],
        ("sampler", "grid"),
        ("scoring", "acuracy"),
        ("refit", 1.5),
        ("refit", None),
        ("cv", "three"),
        ("verbose", -1),
        ("error_score", "rise"),
        ("return_train_score", "yes"),
        ("param_distributions", None),
        ("param_distributions", "C"),
    ],
)
def test_setting_of_a_wrong_value_is_named_and_refused(search_class, name, value):
    if name not in search_class._parameter_constraints:
        pytest.skip("a setting of another search")
    search = search_class(NeverTrained(), C, n_iter=2).set_params(**{name: value})
    assert_refused(search, X, y, ValueError, f"{name}.*{re.escape(repr(value))}")


@pytest.mark.parametrize(
    "scoring, refit, match",
    [
        (None, "acuracy", "refit='acuracy' names no scorer; did you mean .*'accuracy'"),
        ("f1", "acuracy", "refit='acuracy' names no scorer; did you mean .*'accuracy'"),
        (["accuracy", "f1"], "roc_auc", "refit.*'roc_auc'"),
        (["accuracy", "f1"], True, "refit.*True"),
        ({"hits": "accuracy"}, "accuracy", "refit.*'accuracy'"),
    ],
)
def test_refit_that_names_no_scorer_is_refused(search_class, scoring, refit, match):
    search = search_class(NeverTrained(), C, n_iter=2, scoring=scoring, refit=refit)
    assert_refused(search, X, y, ValueError, match)


def test_refit_that_names_no_metric_of_a_callable_scoring_is_refused_at_the_first(search_class):
    def scoring(estimator, X, y):
        return {"hits": estimator.score(X, y)}

    search = search_class(LogisticRegression(), C, n_iter=2, scoring=scoring, refit="accuracy")
    with pytest.raises(ValueError, match="refit.*'accuracy'"):
        search.fit(X, y)


@pytest.mark.parametrize("n_values", [29, 31, 0])
def test_y_of_another_length_is_refused(search_class, n_values):
    search = search_class(NeverTrained(), C, n_iter=2)
    targets = np.resize(y, n_values)
    assert_refused(search, X, targets, ValueError, f"y has {n_values} values but X has 30 rows")


def test_empty_cv_is_refused(search_class):
    search = search_class(NeverTrained(), C, n_iter=2, cv=[])
    assert_refused(search, X, y, ValueError, "Was the CV iterator empty")


# accepted


@pytest.mark.parametrize("make", [np.random.RandomState, np.random.default_rng])
def test_random_state_may_be_a_generator(search_class, make):
    space = {"var_smoothing": (1e-9, 1.0, "log-uniform")}
    tried = [
        search_class(GaussianNB(), space, n_iter=3, random_state=make(0))
        .fit(X, y)
        .cv_results_["params"]
        for _ in range(2)
    ]
    assert tried[0] == tried[1]


@pytest.mark.parametrize("make", [np.random.RandomState, np.random.default_rng])
def test_searches_that_share_a_generator_try_different_candidates(search_class, make):
    space = {"var_smoothing": (1e-9, 1.0, "log-uniform")}
    search = search_class(GaussianNB(), space, n_iter=3, random_state=make(0))
    assert search.fit(X, y).cv_results_["params"] != search.fit(X, y).cv_results_["params"]


def test_integers_of_numpy_are_accepted_as_settings(search_class):
    search = search_class(GaussianNB(), {"var_smoothing": (1e-9, 1.0)})
    search.set_params(n_iter=np.int64(2), random_state=np.int64(0), cv=np.int64(2)).fit(X, y)
    assert len(search.cv_results_["params"]) == search.n_splits_ == 2
