"""Searches that race: less is evaluated, the winner stays, workers change nothing."""

import math
import warnings

import numpy as np
import pytest
from estimators import Misbehaving
from joblib import parallel_config
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import (
    KFold,
    LeaveOneOut,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    TimeSeriesSplit,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_hpt import LogRandomSearchCV, read_journal
from sklearn_hpt._executors._local import ThreadExecutor
from sklearn_hpt.racing import ExactRacing, PairedRacing

X, y = load_breast_cancer(return_X_y=True)
X, y = StandardScaler().fit_transform(X[:300]), y[:300]
SPACE = {"C": (1e-3, 1e3, "log-uniform"), "gamma": (1e-5, 1e1, "log-uniform")}


def svc_search(**kwargs):
    defaults = {"n_iter": 30, "cv": 10, "random_state": 0, "racing": "safe"}
    return LogRandomSearchCV(SVC(), SPACE, **{**defaults, **kwargs})


def assert_same_results(search, other):
    assert search.cv_results_.keys() == other.cv_results_.keys()
    for name, column in search.cv_results_.items():
        if not name.endswith("_time"):
            np.testing.assert_array_equal(column, other.cv_results_[name], name)
    assert search.best_index_ == other.best_index_


def n_folds(search):
    return int(search.cv_results_["n_test_splits"].sum())


@pytest.fixture(scope="module")
def full():
    return svc_search(racing=None).fit(X, y)


@pytest.mark.parametrize("racing", ["exact", "safe", "fast"])
def test_race_finds_the_winner_of_the_full_search_with_fewer_folds(full, racing):
    raced = svc_search(racing=racing).fit(X, y)
    assert raced.best_params_ == full.best_params_
    assert raced.best_score_ == full.best_score_
    assert n_folds(raced) < 0.8 * 30 * 10


@pytest.mark.parametrize("racing", ["exact", "safe", "fast"])
@pytest.mark.parametrize("n_jobs", [2, 4])
def test_workers_do_not_change_a_race(racing, n_jobs):
    alone = svc_search(racing=racing, n_iter=18).fit(X, y)
    assert_same_results(alone, svc_search(racing=racing, n_iter=18, n_jobs=n_jobs).fit(X, y))


def test_rows_say_what_was_evaluated(full):
    results = svc_search().fit(X, y).cv_results_
    splits = np.array([results[f"split{fold}_test_score"] for fold in range(10)]).T
    evaluated = np.isfinite(splits)
    np.testing.assert_array_equal(evaluated.sum(axis=1), results["n_test_splits"])
    stopped = results["status"] == "stopped"
    assert 0 < stopped.sum() < len(stopped)
    np.testing.assert_array_equal(results["n_test_splits"] < 10, stopped)
    assert np.isnan(results["mean_test_score"][stopped]).all()
    assert results["rank_test_score"][~stopped].max() < results["rank_test_score"][stopped].min()
    assert all("lost its race" in error for error in results["error"][stopped])
    of_full = np.array([full.cv_results_[f"split{fold}_test_score"] for fold in range(10)]).T
    np.testing.assert_array_equal(splits[evaluated], of_full[evaluated])


def test_folds_are_raced_in_the_order_that_is_recorded(tmp_path):
    search = svc_search(journal=tmp_path / "j").fit(X, y)
    assert sorted(search.fold_order_) == list(range(10))
    results = search.cv_results_
    for row in np.flatnonzero(results["status"] == "stopped"):
        done = [fold for fold in range(10) if np.isfinite(results[f"split{fold}_test_score"][row])]
        assert sorted(search.fold_order_[: len(done)]) == done
    assert not np.array_equal(svc_search(random_state=1).fit(X, y).fold_order_, search.fold_order_)
    again = svc_search(journal=tmp_path / "j", resume="must").fit(X, y)
    np.testing.assert_array_equal(again.fold_order_, search.fold_order_)


def test_nothing_is_said_about_scores_that_are_missing_on_purpose():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svc_search().fit(X, y)


def test_plain_search_has_no_columns_of_a_race(full):
    assert "n_test_splits" not in full.cv_results_ and "status" not in full.cv_results_
    assert not hasattr(full, "fold_order_")


def test_refitted_search_without_race_forgets_the_fold_order():
    search = svc_search(n_iter=5).fit(X, y)
    search.set_params(racing=None).fit(X, y)
    assert not hasattr(search, "fold_order_")


@pytest.mark.parametrize(
    "cv",
    [
        2,
        KFold(3, shuffle=True, random_state=0),
        RepeatedStratifiedKFold(n_splits=3, n_repeats=4, random_state=0),
        ShuffleSplit(12, random_state=0),
        TimeSeriesSplit(6),
    ],
    ids=str,
)
@pytest.mark.parametrize("racing", ["exact", "safe"])
def test_any_splitter_can_be_raced(cv, racing):
    raced, full = (svc_search(cv=cv, racing=r, n_iter=18).fit(X, y) for r in (racing, None))
    assert n_folds(raced) < 18 * full.n_splits_
    gap = full.best_score_ - raced.best_score_
    assert gap == 0 if racing == "exact" else gap < 0.01


@pytest.mark.slow
def test_leave_one_out_is_not_decided_by_one_row():
    rows = np.arange(0, 150, 3)
    Xi, yi = (a[rows] for a in load_iris(return_X_y=True))
    space = {"n_neighbors": list(range(1, 45, 4))}
    raced, full = (
        LogRandomSearchCV(
            KNeighborsClassifier(), space, n_iter=11, cv=LeaveOneOut(), random_state=0, racing=r
        ).fit(Xi, yi)
        for r in ("safe", None)
    )
    assert raced.best_score_ == full.best_score_
    assert n_folds(raced) < 0.8 * 11 * 50
    assert raced.cv_results_["n_test_splits"].min() >= 5


class FailsOnFold(ClassifierMixin, BaseEstimator):
    """A classifier that fails where the training rows hold row number `bad`."""

    def __init__(self, value=0, bad=-1):
        self.value = value
        self.bad = bad

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        if (X[:, 0] == self.bad).any():
            raise ValueError("this fold cannot be fitted")
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[self.value])


def test_candidate_that_fails_is_not_tried_further_once_there_is_another():
    rows, labels = np.arange(60.0)[:, None], np.arange(60) % 2
    space = [{"value": [0]}, {"bad": [3.0]}]
    search = LogRandomSearchCV(
        FailsOnFold(), space, n_iter=2, cv=KFold(6), random_state=0, racing="safe"
    )
    with pytest.warns(FitFailedWarning):
        results = search.fit(rows, labels).cv_results_
    failed = int(np.flatnonzero(results["status"] == "failed")[0])
    assert failed == 1, "the order of the candidates is what this test is about"
    assert results["n_test_splits"][1] in (1, 2) and "this fold" in results["error"][1]
    assert search.best_index_ == 0


def test_race_survives_candidates_that_kill_raise_and_score_nan():
    space = {"how": ["well", "raise", "kill", "nan", "raise_in_score"], "value": [0, 1]}
    with pytest.warns(FitFailedWarning):
        search = LogRandomSearchCV(
            Misbehaving(), space, n_iter=10, cv=5, random_state=3, n_jobs=2, racing="fast"
        ).fit(X, y)
    status = dict(
        zip(map(str, search.cv_results_["params"]), search.cv_results_["status"], strict=True)
    )
    assert {s for p, s in status.items() if "'well'" not in p} == {"failed"}
    assert search.best_params_["how"] == "well"


def test_all_candidates_failing_raises_as_without_a_race():
    from sklearn_hpt.exceptions import AllCandidatesFailedError

    search = LogRandomSearchCV(Misbehaving("raise"), {"value": [0, 1]}, n_iter=2, racing="safe")
    with pytest.raises(AllCandidatesFailedError, match="All the 10 fits failed"):
        search.fit(X, y)


def test_error_score_raise_raises_the_same_for_every_number_of_workers():
    space = {"how": ["well", "raise"]}
    for n_jobs in (1, 2):
        search = LogRandomSearchCV(
            Misbehaving(), space, n_iter=2, error_score="raise", racing="safe", n_jobs=n_jobs
        )
        with pytest.raises(ValueError, match="this candidate cannot be fitted"):
            search.fit(X, y)


def test_several_metrics_race_on_the_one_that_refit_names():
    scoring = {"auc": "roc_auc", "accuracy": "accuracy"}
    raced, full = (
        svc_search(scoring=scoring, refit="auc", racing=r).fit(X, y) for r in ("exact", None)
    )
    assert raced.best_params_ == full.best_params_
    assert n_folds(raced) < 300
    stopped = raced.cv_results_["status"] == "stopped"
    for metric in scoring:
        assert np.isnan(raced.cv_results_[f"mean_test_{metric}"][stopped]).all()


def test_refit_function_sees_which_rows_are_complete():
    def simplest_of_the_complete(results):
        complete = np.flatnonzero(results["status"] == "complete")
        return int(complete[np.argmin(results["param_C"][complete])])

    search = svc_search(refit=simplest_of_the_complete).fit(X, y)
    assert search.cv_results_["status"][search.best_index_] == "complete"


@pytest.mark.parametrize("refit", [False, lambda results: 0])
def test_several_metrics_of_which_none_decides_are_refused(refit):
    search = svc_search(scoring=["accuracy", "roc_auc"], refit=refit)
    with pytest.raises(ValueError, match="needs to know which one decides"):
        search.fit(X, y)


def test_several_metrics_of_a_function_of_which_none_decides_are_refused():
    def scoring(estimator, X, y):
        return {"a": 1.0, "b": 2.0}

    with pytest.raises(ValueError, match=r"which one decides.* one of \['a', 'b'\]"):
        svc_search(scoring=scoring, refit=False).fit(X, y)


def test_exact_race_without_a_known_best_value_is_refused():
    def unknown(estimator, X, y):
        return 0.5

    with pytest.raises(ValueError, match=r"ExactRacing\(maximum="):
        svc_search(scoring=unknown, racing="exact").fit(X, y)
    svc_search(scoring=unknown, racing=ExactRacing(maximum=1.0), n_iter=3).fit(X, y)
    own = make_scorer(lambda y, p: 5.0 * np.mean(y == p))
    count = make_scorer(accuracy_score, normalize=False)
    for scoring in (own, count):
        with pytest.raises(ValueError, match="best value is known"):
            svc_search(scoring=scoring, racing="exact").fit(X, y)
    neighbors = KNeighborsClassifier()  # has a `score` of its own
    with pytest.raises(ValueError, match="name the metric, such as scoring='accuracy'"):
        LogRandomSearchCV(neighbors, {"n_neighbors": [3, 9]}, racing="exact").fit(X, y)


def test_number_of_hits_is_raced_as_accuracy_is():
    count = make_scorer(accuracy_score, normalize=False)
    raced, full = (svc_search(scoring=count, racing=r).fit(X, y) for r in ("safe", None))
    assert raced.best_params_ == full.best_params_


@pytest.mark.parametrize("scoring", [None, "neg_mean_absolute_error", "neg_mean_squared_error"])
def test_errors_and_default_scores_of_regressors_are_raced_exactly(scoring):
    Xd, yd = load_diabetes(return_X_y=True)
    raced, full = (
        LogRandomSearchCV(
            make_pipeline(StandardScaler(), Ridge()),
            {"ridge__alpha": (1e-3, 1e6, "log-uniform")},
            n_iter=30,
            cv=10,
            scoring=scoring,
            random_state=0,
            racing=r,
        ).fit(Xd, yd)
        for r in ("exact", None)
    )
    assert raced.best_params_ == full.best_params_
    assert n_folds(raced) < 300


@pytest.mark.parametrize("racing", ["slow", 3, object()])
def test_wrong_racing_is_refused(racing):
    with pytest.raises(ValueError, match="'racing' parameter"):
        svc_search(racing=racing).fit(X, y)


@pytest.mark.parametrize("policy", [PairedRacing, ExactRacing])
def test_policy_that_is_a_class_is_refused(policy):
    with pytest.raises(ValueError, match=rf"give a policy, such as {policy.__name__}\(\)"):
        svc_search(racing=policy).fit(X, y)


class FirstFoldOnly:
    """Stops each candidate that is behind on its first fold."""

    def should_stop(self, race):
        return race.scores[0] < race.incumbent[0]


def test_any_object_with_the_method_is_a_policy():
    search = svc_search(racing=FirstFoldOnly()).fit(X, y)
    stopped = search.cv_results_["status"] == "stopped"
    assert stopped.any() and (search.cv_results_["n_test_splits"][stopped] == 1).all()
    assert_same_results(search, svc_search(racing=FirstFoldOnly(), n_jobs=2).fit(X, y))


@pytest.mark.parametrize("verify", ["a", 2, -1, math.nan])
def test_share_to_verify_that_is_none_is_refused(verify):
    policy = FirstFoldOnly()
    policy.verify = verify
    with pytest.raises(ValueError, match="has verify=.* a number from 0 to 1"):
        svc_search(racing=policy).fit(X, y)


def test_verification_completes_the_closest():
    without = svc_search(racing=PairedRacing(0.2, verify=0.0)).fit(X, y)
    with_it = svc_search(racing=PairedRacing(0.2, verify=0.1)).fit(X, y)
    n_complete = [(s.cv_results_["status"] == "complete").sum() for s in (without, with_it)]
    assert n_complete[1] - n_complete[0] >= 3
    assert with_it.best_score_ >= without.best_score_


def test_fold_that_was_given_up_and_asked_for_again_may_arrive_twice(monkeypatch):
    # a candidate that is verified needs folds that may still run since it was stopped
    once = ThreadExecutor.wait

    def twice(executor, timeout=None):
        return [result for result in once(executor, timeout) for _ in range(2)]

    expected = svc_search(n_iter=8).fit(X, y)
    monkeypatch.setattr(ThreadExecutor, "wait", twice)
    with parallel_config(backend="threading"):
        search = svc_search(n_iter=8, n_jobs=2).fit(X, y)
    assert_same_results(search, expected)


def test_more_candidates_continue_a_race(tmp_path):
    path = tmp_path / "race.jsonl"
    svc_search(n_iter=15, journal=path).fit(X, y)
    longer = svc_search(n_iter=30, journal=path, resume="must", n_jobs=2).fit(X, y)
    assert_same_results(longer, svc_search(n_iter=30).fit(X, y))
    results = read_journal(path)
    np.testing.assert_array_equal(results["status"], longer.cv_results_["status"])
    for fold in range(10):
        name = f"split{fold}_test_score"
        np.testing.assert_array_equal(results[name], longer.cv_results_[name])


def test_other_policy_is_another_search(tmp_path):
    from sklearn_hpt.exceptions import JournalMismatchError

    svc_search(n_iter=5, journal=tmp_path / "j").fit(X, y)
    with pytest.raises(JournalMismatchError, match="racing"):
        svc_search(n_iter=5, journal=tmp_path / "j", racing="fast").fit(X, y)


def test_race_of_forests_leaves_the_estimator_alone_and_clones():
    search = LogRandomSearchCV(
        RandomForestClassifier(5, random_state=0),
        {"max_depth": [1, 2, 4, 8]},
        n_iter=4,
        racing=PairedRacing(),
        random_state=0,
    )
    copy = clone(search).fit(X, y)
    assert copy.best_estimator_.n_estimators == 5
    assert not hasattr(search, "cv_results_")


def test_timeout_in_a_race_keeps_what_is_complete():
    space = {"seconds": [0.05 + i / 1000 for i in range(100)]}
    with pytest.warns(UserWarning, match="stopped with"):
        search = LogRandomSearchCV(
            Misbehaving("sleep"), space, n_iter=100, cv=3, timeout=1.5, racing="safe"
        ).fit(X, y)
    assert search.stop_reason_ == "timeout" and search.best_index_ == 0


def test_slow_candidate_in_a_race_times_out():
    space = {"how": ["well", "sleep"]}
    search = LogRandomSearchCV(
        Misbehaving(), space, n_iter=2, cv=3, candidate_timeout=1.0, n_jobs=2, racing="safe"
    )
    with pytest.warns(FitFailedWarning):
        search.fit(X, y)
    by_kind = {
        p["how"]: s
        for p, s in zip(search.cv_results_["params"], search.cv_results_["status"], strict=True)
    }
    assert by_kind == {"well": "complete", "sleep": "timeout"}


def test_logistic_regression_with_log_loss_races():
    raced, full = (
        LogRandomSearchCV(
            LogisticRegression(max_iter=500),
            {"C": (1e-4, 1e4, "log-uniform")},
            n_iter=18,
            cv=10,
            scoring="neg_log_loss",
            random_state=0,
            racing=r,
        ).fit(X, y)
        for r in ("safe", None)
    )
    assert raced.best_params_ == full.best_params_ and n_folds(raced) < 150
