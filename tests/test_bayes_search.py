"""BayesSearchCV: what users of scikit-optimize know, and what is new."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_hpt import BayesSearchCV, Categorical, Integer, LogRandomSearchCV, Real
from sklearn_hpt.exceptions import SearchStoppedWarning

X, y = load_iris(return_X_y=True)
SPACE = {"C": (1e-3, 1e3, "log-uniform"), "gamma": (1e-5, 1e1, "log-uniform")}


def bayes(estimator=None, space=SPACE, **options):
    defaults = {"n_iter": 10, "random_state": 0, "cv": 3}
    return BayesSearchCV(estimator or SVC(), space, **{**defaults, **options})


def assert_same_results(search, other):
    assert search.cv_results_.keys() == other.cv_results_.keys()
    for name, column in search.cv_results_.items():
        if not name.endswith("_time"):
            np.testing.assert_array_equal(column, other.cv_results_[name], name)


# what users of scikit-optimize find as they know it


def test_arguments_come_in_the_order_of_scikit_optimize():
    search = BayesSearchCV(
        SVC(), SPACE, None, 7, "accuracy", None, 1, 2, "deprecated", False, 3, 0, 2, 5, 0.0, True
    )
    expected = {
        "n_iter": 7,
        "scoring": "accuracy",
        "n_jobs": 1,
        "n_points": 2,
        "refit": False,
        "cv": 3,
        "verbose": 0,
        "pre_dispatch": 2,
        "random_state": 5,
        "error_score": 0.0,
        "return_train_score": True,
    }
    assert {name: search.get_params()[name] for name in expected} == expected
    search.fit(X, y)
    assert len(search.cv_results_["params"]) == 7 and "mean_train_score" in search.cv_results_


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"optimizer_kwargs": {"base_estimator": "GP"}}, "optimizer_kwargs=.* is ignored"),
        ({"iid": True}, "iid=True is ignored"),
        ({"fit_params": {"sample_weight": np.ones(len(y))}}, "pass these to fit"),
    ],
)
def test_what_means_nothing_any_more_is_said(options, message):
    with pytest.warns(DeprecationWarning, match=message):
        bayes(n_iter=2, **options).fit(X, y)


def test_fit_params_of_the_constructor_are_passed_on():
    weight = np.where(y == 0, 1.0, 1e-9)
    with pytest.warns(DeprecationWarning):
        search = bayes(n_iter=2, fit_params={"sample_weight": weight}).fit(X, y)
    assert_same_results(search, bayes(n_iter=2).fit(X, y, sample_weight=weight))


def test_groups_are_an_argument_of_fit():
    from sklearn.model_selection import GroupKFold

    groups = np.arange(len(y)) % 5
    assert bayes(n_iter=2, cv=GroupKFold(5)).fit(X, y, groups=groups).n_splits_ == 5


def test_results_of_the_optimizer_are_those_of_scikit_optimize():
    search = bayes().fit(X, y)
    (result,) = search.optimizer_results_
    assert result.x_iters == [[p["C"], p["gamma"]] for p in search.cv_results_["params"]]
    np.testing.assert_array_equal(result.func_vals, -search.cv_results_["mean_test_score"])
    assert result.fun == result.func_vals.min() == -search.best_score_
    assert result.x == [search.best_params_["C"], search.best_params_["gamma"]]
    assert set(result.space) == {"C", "gamma"}


def test_pairs_have_a_budget_of_their_own_and_dictionaries_share_one():
    pairs = [({"kernel": ["poly"], "degree": (1, 5)}, 3), ({"kernel": ["rbf"], **SPACE}, 4)]
    search = bayes(space=pairs).fit(X, y)
    assert search.total_iterations == 7
    assert [p["kernel"] for p in search.cv_results_["params"]] == ["poly"] * 3 + ["rbf"] * 4
    assert [len(result.x_iters) for result in search.optimizer_results_] == [3, 4]
    shared = bayes(space=[space for space, _ in pairs], n_iter=9)
    assert shared.total_iterations == 9
    assert len(shared.fit(X, y).cv_results_["params"]) == 9


@pytest.mark.parametrize("n_points", [1, 4])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_callbacks_see_each_candidate_and_can_stop(n_points, n_jobs):
    seen = []

    def stop_at_six(result):
        seen.append((len(result.func_vals), result.fun))
        return len(result.func_vals) == 6

    search = bayes(n_points=n_points, n_jobs=n_jobs)
    with pytest.warns(SearchStoppedWarning, match="a callback asked for it"):
        search.fit(X, y, callback=[stop_at_six])
    assert [n for n, _ in seen] == [1, 2, 3, 4, 5, 6]
    assert [fun for _, fun in seen] == sorted((fun for _, fun in seen), reverse=True)
    assert search.stop_reason_ == "callback"
    assert 6 <= len(search.cv_results_["params"]) <= 5 + n_points


def test_what_is_no_callback_is_refused():
    with pytest.raises(ValueError, match="callback='stop' must be a function"):
        bayes().fit(X, y, callback="stop")


def test_dimensions_of_the_space_module_and_of_scikit_optimize_are_read():
    space = {"C": Real(1e-3, 1e3, "log-uniform"), "degree": Integer(1, 3)}
    assert len(bayes(SVC(kernel="poly"), space, n_iter=4).fit(X, y).cv_results_["params"]) == 4
    assert bayes(space={"kernel": Categorical(["rbf", "linear"])}, n_iter=2).fit(X, y)
    dimensions = pytest.importorskip("skopt.space")
    theirs = {"C": dimensions.Real(1e-3, 1e3, "log-uniform"), "degree": dimensions.Integer(1, 3)}
    assert len(bayes(SVC(kernel="poly"), theirs, n_iter=4).fit(X, y).cv_results_["params"]) == 4


def test_two_numbers_in_a_list_are_choices():
    search = bayes(space={"C": [0.1, 10.0]}, n_iter=2).fit(X, y)
    assert {p["C"] for p in search.cv_results_["params"]} == {0.1, 10.0}


# what it does


def test_estimator_comes_first_where_it_lies_in_the_space():
    scaled = make_pipeline(StandardScaler(), LogisticRegression(C=3.0))
    space = {"logisticregression__C": (1e-3, 1e3, "log-uniform")}
    first = bayes(scaled, space, n_iter=2).fit(X, y).cv_results_["params"][0]
    assert first == {"logisticregression__C": 3.0}
    without = bayes(scaled, space, n_iter=2, include_default=False).fit(X, y)
    assert without.cv_results_["params"][0] != first
    outside = bayes(scaled, {"logisticregression__C": (10.0, 1e3, "log-uniform")}, n_iter=2)
    assert outside.fit(X, y).cv_results_["params"][0]["logisticregression__C"] >= 10


@pytest.mark.parametrize("n_points", [1, 4])
@pytest.mark.parametrize("racing", [None, "safe"])
def test_workers_do_not_change_the_results(n_points, racing):
    one, two, four = (
        bayes(n_iter=14, n_points=n_points, racing=racing, n_jobs=n_jobs).fit(X, y)
        for n_jobs in (1, 2, 4)
    )
    assert_same_results(one, two)
    assert_same_results(one, four)


def test_search_over_models_of_a_pipeline_step():
    pipeline = Pipeline([("scale", StandardScaler()), ("clf", SVC())])
    spaces = [
        {"clf": [SVC()], "clf__C": (1e-3, 1e3, "log-uniform")},
        {"clf": [KNeighborsClassifier()], "clf__n_neighbors": (1, 40)},
    ]
    search = bayes(pipeline, spaces, n_iter=16).fit(X, y)
    kinds = [type(p["clf"]).__name__ for p in search.cv_results_["params"]]
    assert set(kinds) == {"SVC", "KNeighborsClassifier"}
    assert search.predict(X).shape == y.shape


def test_surrogate_predicts_scores():
    Xc, yc = load_breast_cancer(return_X_y=True)
    estimator = make_pipeline(StandardScaler(), SVC())
    space = {f"svc__{name}": value for name, value in SPACE.items()}
    search = bayes(estimator, space, n_iter=25).fit(Xc, yc)
    mean, std = search.surrogate_.predict(search.best_params_)
    assert mean.shape == std.shape == (1,) and abs(mean[0] - search.best_score_) < 0.02
    others = LogRandomSearchCV(estimator, space, n_iter=20, cv=3, random_state=7).fit(Xc, yc)
    mean, std = search.surrogate_.predict(list(others.cv_results_["params"]))
    known = others.cv_results_["mean_test_score"]
    assert np.corrcoef(mean, known)[0, 1] > 0.8
    assert std.min() > 0
    assert set(search.surrogate_.length_scales) == set(space)
    assert sum(search.surrogate_.sensitivities.values()) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="not in the search space"):
        search.surrogate_.predict({"svc__C": 1.0})


def test_fitted_search_is_pickled_and_cloned():
    search = bayes().fit(X, y)
    other = pickle.loads(pickle.dumps(search))
    np.testing.assert_array_equal(other.predict(X), search.predict(X))
    assert_same_results(clone(search).fit(X, y), search)


def test_failing_candidates_do_not_end_it():
    search = bayes(SVC(kernel="poly"), {"degree": (-3, 5), "C": (1e-2, 1e2)}, n_iter=15)
    with pytest.warns(match="fits failed"):
        search.fit(X, y)
    failed = search.cv_results_["status"] == "failed"
    assert 0 < failed.sum() < 10 and search.best_params_["degree"] >= 0


def test_search_cut_anywhere_goes_on_to_the_same_end(tmp_path):
    whole = bayes(n_points=2, racing="safe", journal=tmp_path / "whole.jsonl").fit(X, y)
    lines = (tmp_path / "whole.jsonl").read_bytes().splitlines(keepends=True)
    for n_lines in (3, len(lines) // 2, len(lines) - 3):
        path = tmp_path / f"{n_lines}.jsonl"
        path.write_bytes(b"".join(lines[:n_lines]))
        assert_same_results(bayes(n_points=2, racing="safe", journal=path).fit(X, y), whole)


def test_measured_seconds_are_told_with_eips(tmp_path):
    search = bayes(acquisition="eips", journal=tmp_path / "search.jsonl", n_iter=12).fit(X, y)
    assert len(search.cv_results_["params"]) == 12
    again = bayes(acquisition="eips", journal=tmp_path / "search.jsonl", n_iter=12).fit(X, y)
    assert_same_results(search, again)  # the times are those of the journal


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"acquisition": "pi"}, "'acquisition' parameter of BayesSearchCV"),
        ({"resources": (0.1, 1.0)}, "but resource=None"),
        ({"resource": "n_samples", "acquisition": "eips"}, "cannot be combined"),
    ],
)
def test_options_that_do_not_fit_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        bayes(**options).fit(X, y)


def test_surrogate_of_a_search_with_a_resource_is_for_all_of_it():
    search = bayes(resource="n_samples", resources=(30, 100), n_iter=12).fit(X, y)
    complete = search.cv_results_["resource"] == 100
    assert 0 < complete.sum() < 12
    mean, std = search.surrogate_.predict(list(search.cv_results_["params"]))
    assert np.isfinite(mean).all() and (std > 0).all()
    assert "resource" in search.surrogate_.length_scales
