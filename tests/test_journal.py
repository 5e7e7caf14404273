"""What is finished is recorded at once, and a search goes on from there as if it had run through.

Here a search that was cut short is a journal that is cut short; `test_kills` kills processes.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager, suppress
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import scipy.stats as st
from estimators import Misbehaving
from hypothesis import given, settings
from hypothesis import strategies as hs
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import (
    KFold,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedKFold,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from sklearn_hpt import LogRandomSearchCV, PBTSearchCV, read_journal
from sklearn_hpt.__main__ import main
from sklearn_hpt._journal import describe
from sklearn_hpt._journal._describe import digest, restore
from sklearn_hpt._journal._fingerprint import differences
from sklearn_hpt._journal._lines import encode
from sklearn_hpt.exceptions import (
    JournalCorruptError,
    JournalError,
    JournalLockedError,
    JournalMismatchError,
    SearchStoppedWarning,
)

TESTS = str(Path(__file__).parent)

X, y = load_iris(return_X_y=True)
WEIGHT = np.linspace(0.5, 1.5, len(X))
SPACE = {"C": (1e-2, 1e2, "log-uniform"), "kernel": ["rbf", "linear"]}

pytestmark = pytest.mark.filterwarnings(
    "ignore:One or more of the:UserWarning",
    "ignore::sklearn.exceptions.FitFailedWarning",
    "ignore:invalid value encountered:RuntimeWarning",
)


class Logged(GaussianNB):
    """Adds a line to the file `log` for each fit."""

    def __init__(self, *, log=None, priors=None, var_smoothing=1e-9):
        super().__init__(priors=priors, var_smoothing=var_smoothing)
        self.log = log

    def fit(self, X, y):
        with open(self.log, "a") as file:
            file.write("fit\n")
        return super().fit(X, y)


def searching(journal=None, estimator=None, space=SPACE, **options):
    estimator = SVC() if estimator is None else estimator
    options = {"n_iter": 4, "cv": 3, "random_state": 0, **options}
    return LogRandomSearchCV(estimator, space, journal=journal, **options)


def lines_of(path):
    return Path(path).read_bytes().splitlines(keepends=True)


def events_of(path):
    return [json.loads(line) for line in lines_of(path)]


def kinds_of(path):
    return Counter(event["kind"] for event in events_of(path))


def keep_lines(path, n_lines):
    Path(path).write_bytes(b"".join(lines_of(path)[:n_lines]))


def without_times(results):
    return {name: column for name, column in results.items() if not name.endswith("_time")}


def assert_same(search, expected):
    """Everything but times is the same, to the last bit."""
    results, expected_results = map(without_times, (search.cv_results_, expected.cv_results_))
    assert list(results) == list(expected_results)
    for name, column in expected_results.items():
        assert np.asarray(results[name]).dtype == np.asarray(column).dtype, name
        assert list(map(repr, results[name])) == list(map(repr, column)), name
    assert repr(search.best_params_) == repr(expected.best_params_)
    assert search.best_index_ == expected.best_index_
    assert search.stop_reason_ == expected.stop_reason_
    np.testing.assert_array_equal(search.predict(X), expected.predict(X))


# the file


def test_journal_is_json_lines_with_a_format_version_and_one_line_for_each_fold(tmp_path):
    path = tmp_path / "search.jsonl"
    searching(path).fit(X, y)
    events = events_of(path)
    assert events[0]["kind"] == "header" and events[0]["format"] == 1
    assert kinds_of(path) == {"header": 1, "session": 1, "trial": 4, "fold": 12, "end": 1}
    folds = [(event["trial"], event["fold"]) for event in events if event["kind"] == "fold"]
    assert sorted(folds) == [(trial, fold) for trial in range(4) for fold in range(3)]


def test_header_tells_what_makes_the_search_the_same(tmp_path):
    path = tmp_path / "search.jsonl"
    searching(path, scoring="accuracy").fit(X, y, sample_weight=WEIGHT)
    fields = set(events_of(path)[0]["fingerprint"])
    assert fields > {
        "search", "random_state", "sampler", "candidate_timeout", "memory_limit", "estimator",
        "estimator C", "estimator gamma", "space C", "space kernel", "cv", "X", "y",
        "fit parameter sample_weight", "return_train_score", "Python", "version of numpy",
        "version of scikit-learn", "version of sklearn_hpt",
    }  # fmt: skip
    assert any(field.startswith("scoring") for field in fields)


def test_header_has_the_version_of_a_package_that_is_distributed_under_another_name(tmp_path):
    skopt = pytest.importorskip("skopt.learning")
    path = tmp_path / "search.jsonl"
    estimator = skopt.RandomForestRegressor(n_estimators=2, random_state=0)
    searching(path, estimator, {"max_depth": [1, 2]}, n_iter=2).fit(X, X[:, 0])
    assert "version of scikit-optimize" in events_of(path)[0]["fingerprint"]


def test_failures_and_given_up_candidates_are_in_the_journal(tmp_path):
    path = tmp_path / "search.jsonl"
    estimator, space = Misbehaving(seconds=60.0), {"how": ["well", "raise", "sleep"]}
    searching(path, estimator, space, n_iter=3, candidate_timeout=1.0).fit(X, y)
    events = events_of(path)
    messages = [event["failure"]["message"] for event in events if "failure" in event]
    assert messages.count("ValueError: this candidate cannot be fitted") == 3
    (stop,) = [event for event in events if event["kind"] == "stop"]
    assert stop["status"] == "timeout" and "candidate_timeout=1.0" in stop["error"]


class CountsLines:
    """A callback that looks into the journal after each evaluation."""

    def __init__(self, path):
        self.path = path
        self.counts = []

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        if context.task_name == "candidate-split-evaluation":
            self.counts.append(kinds_of(self.path)["fold"])

    def teardown(self, estimator, context):
        pass


def test_every_fold_is_in_the_file_as_soon_as_it_is_finished(tmp_path):
    counter = CountsLines(tmp_path / "search.jsonl")
    searching(counter.path).set_callbacks(counter).fit(X, y)
    assert counter.counts == list(range(1, 13))


def test_search_without_a_journal_gives_the_same_results(tmp_path):
    assert_same(searching(tmp_path / "search.jsonl").fit(X, y), searching().fit(X, y))


# resume


@pytest.fixture(scope="module")
def complete(tmp_path_factory):
    """The journal of a complete search, and the search."""
    path = tmp_path_factory.mktemp("complete") / "search.jsonl"
    search = searching(path).fit(X, y)
    return path.read_bytes(), search


@pytest.mark.parametrize("n_lines", [0, 1, 2, 3, 4, 8, 13, 18])
def test_search_cut_short_resumes_as_if_it_had_run_through(complete, n_lines, tmp_path):
    path = tmp_path / "search.jsonl"
    path.write_bytes(complete[0])
    keep_lines(path, n_lines)
    assert_same(searching(path).fit(X, y), complete[1])
    folds = [(event["trial"], event["fold"]) for event in events_of(path) if "fold" in event]
    assert len(folds) == len(set(folds)) == 12


@pytest.mark.parametrize("sampler", ["random", "sobol"])
@pytest.mark.parametrize(("n_jobs_then", "n_jobs_now"), [(1, 2), (2, 1), (2, 3)])
def test_search_resumes_with_another_n_jobs(sampler, n_jobs_then, n_jobs_now, tmp_path):
    path = tmp_path / "search.jsonl"
    options = {"sampler": sampler, "return_train_score": True, "n_iter": 6}
    expected = searching(path, n_jobs=n_jobs_then, **options).fit(X, y)
    keep_lines(path, 12)
    assert_same(searching(path, n_jobs=n_jobs_now, **options).fit(X, y), expected)


def test_finished_folds_are_not_fitted_again(tmp_path):
    log, path = tmp_path / "fits", tmp_path / "search.jsonl"
    estimator, space = Logged(log=str(log)), {"var_smoothing": (1e-9, 1.0, "log-uniform")}
    searching(path, estimator, space).fit(X, y)
    keep_lines(path, 10)
    n_finished = kinds_of(path)["fold"]
    log.unlink()
    searching(path, estimator, space).fit(X, y)
    assert len(lines_of(log)) == 12 - n_finished + 1  # and the refit


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_complete_journal_resumes_without_a_fit_but_the_refit(n_jobs, tmp_path):
    log, path = tmp_path / "fits", tmp_path / "search.jsonl"
    estimator, space = Logged(log=str(log)), {"var_smoothing": (1e-9, 1.0, "log-uniform")}
    expected = searching(path, estimator, space).fit(X, y)
    log.unlink()
    assert_same(searching(path, estimator, space, n_jobs=n_jobs).fit(X, y), expected)
    assert len(lines_of(log)) == 1


@pytest.mark.parametrize(("sampler", "space"), [("random", SPACE), ("sobol", SPACE)])
def test_raised_n_iter_goes_on(sampler, space, tmp_path):
    path = tmp_path / "search.jsonl"
    searching(path, space=space, sampler=sampler, n_iter=3).fit(X, y)
    search = searching(path, space=space, sampler=sampler, n_iter=7).fit(X, y)
    assert_same(search, searching(space=space, sampler=sampler, n_iter=7).fit(X, y))
    assert kinds_of(path)["fold"] == 21


@pytest.mark.filterwarnings("ignore::sklearn_hpt.exceptions.SpaceExhaustedWarning")
@pytest.mark.parametrize("n_iter", [6, 7])
def test_n_iter_raised_to_the_size_of_the_space_goes_on(n_iter, tmp_path):
    path = tmp_path / "search.jsonl"
    space = {"C": [0.1, 1.0, 10.0], "kernel": ["rbf", "linear"]}
    first = searching(path, space=space, n_iter=4).fit(X, y).cv_results_["params"]
    search = searching(path, space=space, n_iter=n_iter).fit(X, y)
    tried = [tuple(params.values()) for params in search.cv_results_["params"]]
    assert search.cv_results_["params"][:4] == first
    assert len(tried) == len(set(tried)) == 6
    assert kinds_of(path)["fold"] == 18


def test_lowered_n_iter_recalls_the_first_candidates(tmp_path):
    path = tmp_path / "search.jsonl"
    searching(path, n_iter=5).fit(X, y)
    assert_same(searching(path, n_iter=2).fit(X, y), searching(n_iter=2).fit(X, y))
    assert_same(searching(path, n_iter=5).fit(X, y), searching(n_iter=5).fit(X, y))


def test_without_a_random_state_the_seed_of_the_journal_is_taken_over(tmp_path):
    path = tmp_path / "search.jsonl"
    expected = searching(path, random_state=None).fit(X, y)
    keep_lines(path, 8)
    assert_same(searching(path, random_state=None).fit(X, y), expected)


@pytest.mark.parametrize("make", [np.random.RandomState, np.random.default_rng])
def test_equal_random_states_continue_and_others_are_refused(make, tmp_path):
    path = tmp_path / "search.jsonl"
    expected = searching(path, random_state=make(3)).fit(X, y)
    keep_lines(path, 8)
    assert_same(searching(path, random_state=make(3)).fit(X, y), expected)
    with pytest.raises(JournalMismatchError, match="random_state"):
        searching(path, random_state=make(4)).fit(X, y)


def test_must_resume_raises_without_a_journal_and_leaves_no_file(tmp_path):
    path = tmp_path / "search.jsonl"
    with pytest.raises(JournalError, match="nothing to continue"):
        searching(path, resume="must").fit(X, y)
    assert not path.exists()


def test_must_resume_continues_a_journal(complete, tmp_path):
    path = tmp_path / "search.jsonl"
    path.write_bytes(complete[0])
    assert_same(searching(path, resume="must").fit(X, y), complete[1])


def test_never_resume_raises_for_a_journal_and_leaves_it_as_it_is(complete, tmp_path):
    path = tmp_path / "search.jsonl"
    path.write_bytes(complete[0])
    with pytest.raises(JournalError, match="resume='never'"):
        searching(path, resume="never").fit(X, y)
    assert path.read_bytes() == complete[0]


def test_never_resume_begins_a_journal(complete, tmp_path):
    path = tmp_path / "search.jsonl"
    assert_same(searching(path, resume="never").fit(X, y), complete[1])
    assert kinds_of(path)["fold"] == 12


def test_must_resume_without_a_path_says_so():
    with pytest.raises(ValueError, match="needs a journal"):
        searching(None, resume="must").fit(X, y)


# what is resumed is equal, whatever the results are


@pytest.mark.parametrize("n_lines", [6, 14, None])
def test_failed_candidates_resume_equal(n_lines, tmp_path):
    path = tmp_path / "search.jsonl"
    space = {"how": ["well", "raise", "nan", "inf", "raise_in_score", "raise_on_some_folds"]}
    expected = searching(path, Misbehaving(), space, n_iter=6).fit(X, y)
    keep_lines(path, n_lines)
    with pytest.warns(FitFailedWarning, match="fits failed out of a total of 18"):
        search = searching(path, Misbehaving(), space, n_iter=6).fit(X, y)
    assert_same(search, expected)
    assert set(search.cv_results_["status"]) == {"complete", "failed"}


@pytest.mark.parametrize("n_lines", [5, None])
def test_candidates_that_died_or_took_too_long_resume_equal(n_lines, tmp_path):
    path = tmp_path / "search.jsonl"
    estimator, space = Misbehaving(seconds=60.0), {"how": ["well", "kill", "sleep", "nan"]}
    options = {"candidate_timeout": 1.0, "n_jobs": 2}
    expected = searching(path, estimator, space, **options).fit(X, y)
    keep_lines(path, n_lines)
    search = searching(path, estimator, space, **options).fit(X, y)
    assert list(search.cv_results_["params"]) == list(expected.cv_results_["params"])
    for column in ("status", "error"):
        assert list(search.cv_results_[column]) == list(expected.cv_results_[column])
    assert "timeout" in search.cv_results_["status"]


@pytest.mark.parametrize("n_lines", [5, 9, None])
def test_several_metrics_resume_equal(n_lines, tmp_path):
    path = tmp_path / "search.jsonl"
    options = {"scoring": ["accuracy", "f1_macro"], "refit": "f1_macro", "return_train_score": True}
    expected = searching(path, **options).fit(X, y)
    keep_lines(path, n_lines)
    assert_same(searching(path, **options).fit(X, y), expected)


def scores_that_json_does_not_have(estimator, X, y):
    return {"good": estimator.score(X, y), "nan": np.nan, "inf": -np.inf, "int": 1, "bool": True}


@pytest.mark.parametrize("n_lines", [5, None])
def test_scores_that_json_does_not_have_resume_equal(n_lines, tmp_path):
    path = tmp_path / "search.jsonl"
    options = {"scoring": scores_that_json_does_not_have, "refit": "good"}
    expected = searching(path, **options).fit(X, y)
    keep_lines(path, n_lines)
    search = searching(path, **options).fit(X, y)
    assert_same(search, expected)
    assert np.isneginf(search.cv_results_["mean_test_inf"]).all()


def square(x):
    return x**2


@pytest.mark.parametrize("n_lines", [5, 20, None])
def test_choices_of_any_type_resume_equal(n_lines, tmp_path):
    path = tmp_path / "search.jsonl"
    values = [(1, 2), [1, (2, 3)], {"a": (1,), 2: None}, None, np.float32(0.1), np.nan, np.inf,
              "é\ud800", np.tanh, square, len, SVC(C=2.0), np.arange(3), float, 2**70]  # fmt: skip
    estimator = Pipeline([("keep", Holder()), ("tree", DecisionTreeClassifier(random_state=0))])
    space = {"keep__value": values}
    expected = searching(path, estimator, space, n_iter=15).fit(X, y)
    keep_lines(path, n_lines)
    assert_same(searching(path, estimator, space, n_iter=15).fit(X, y), expected)


class Holder(StandardScaler):
    """Scales, and has a parameter that may be anything."""

    def __init__(self, value=None, copy=True, with_mean=True, with_std=True):
        super().__init__(copy=copy, with_mean=with_mean, with_std=with_std)
        self.value = value


@pytest.mark.parametrize("n_lines", [6, None])
def test_estimators_as_choices_resume_equal(n_lines, tmp_path):
    path = tmp_path / "search.jsonl"
    estimator = Pipeline([("scale", None), ("model", SVC())])
    space = {
        "scale": [StandardScaler(), MinMaxScaler(), "passthrough"],
        "model": [SVC(), LogisticRegression(solver="newton-cholesky")],
        "model__C": st.loguniform(1e-2, 1e2),
    }
    expected = searching(path, estimator, space, n_iter=5).fit(X, y)
    keep_lines(path, n_lines)
    assert_same(searching(path, estimator, space, n_iter=5).fit(X, y), expected)


@pytest.mark.parametrize("kind", ["csr", "frame", "lists"])
def test_any_kind_of_data_resumes_equal(kind, tmp_path):
    path = tmp_path / "search.jsonl"
    if kind == "csr":
        import scipy.sparse as sp

        data = sp.csr_array(X)
    else:
        data = X.tolist() if kind == "lists" else pytest.importorskip("pandas").DataFrame(X)
    expected = searching(path).fit(data, y)
    keep_lines(path, 8)
    search = searching(path).fit(data, y)
    for name, column in without_times(expected.cv_results_).items():
        assert list(search.cv_results_[name]) == list(column)


def test_pyarrow_table_resumes_equal(tmp_path):
    pa = pytest.importorskip("pyarrow")
    table = pa.table({f"column {i}": X[:, i] for i in range(4)})
    expected = searching(tmp_path / "search.jsonl").fit(table, y)
    search = searching(tmp_path / "search.jsonl").fit(table, y)
    assert list(search.cv_results_["mean_test_score"]) == list(
        expected.cv_results_["mean_test_score"]
    )


class NeedsFile(Misbehaving):
    """Fails with how="raise" as long as the file `value` is not there."""

    def fit(self, X, y):
        if self.how == "raise" and os.path.exists(self.value):
            self.classes_ = np.unique(y)
            return self
        return super().fit(X, y)

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


def needing(path, flag, **options):
    estimator, space = NeedsFile(value=str(flag)), {"how": ["well", "raise"]}
    return searching(path, estimator, space, n_iter=2, **options)


def test_raising_search_tries_a_recorded_failure_again(tmp_path):
    path, flag = tmp_path / "search.jsonl", tmp_path / "flag"
    with pytest.raises(ValueError, match="cannot be fitted"):
        needing(path, flag, error_score="raise").fit(X, y)
    with pytest.raises(ValueError, match="cannot be fitted"):
        needing(path, flag, error_score="raise").fit(X, y)
    flag.touch()
    search = needing(path, flag, error_score="raise").fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert np.isfinite(needing(path, flag).fit(X, y).cv_results_["mean_test_score"]).all()


def test_reader_forgets_a_failure_that_did_not_happen_again(tmp_path):
    path, flag = tmp_path / "search.jsonl", tmp_path / "flag"
    needing(path, flag).fit(X, y)
    assert sorted(read_journal(path)["status"]) == ["complete", "failed"]
    flag.touch()
    needing(path, flag, error_score="raise").fit(X, y)
    assert list(read_journal(path)["status"]) == ["complete", "complete"]


class Stops(CountsLines):
    """Asks to stop after five evaluations."""

    def on_fit_task_end(self, estimator, context):
        super().on_fit_task_end(estimator, context)
        return len(self.counts) == 5


def test_search_that_a_callback_stopped_goes_on(complete, tmp_path):
    path = tmp_path / "search.jsonl"
    with pytest.warns(SearchStoppedWarning):
        stopped = searching(path).set_callbacks(Stops(path)).fit(X, y)
    assert stopped.stop_reason_ == "callback" and kinds_of(path)["fold"] == 5
    assert_same(searching(path).fit(X, y), complete[1])


class Hears(CountsLines):
    """Counts evaluations, and keeps how many there are to be."""

    def __init__(self):
        self.heard = Counter()
        self.announced = None

    def on_fit_task_begin(self, estimator, context):
        self.heard["begin", context.task_name] += 1
        if context.task_name == "search":
            self.announced = context.max_subtasks

    def on_fit_task_end(self, estimator, context):
        self.heard["end", context.task_name] += 1


@pytest.mark.parametrize("n_lines", [8, None])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_callbacks_hear_of_all_evaluations_when_a_search_resumes(
    complete, n_lines, n_jobs, tmp_path
):
    path = tmp_path / "search.jsonl"
    path.write_bytes(complete[0])
    keep_lines(path, n_lines)
    hears = Hears()
    searching(path, n_jobs=n_jobs).set_callbacks(hears).fit(X, y)
    assert hears.announced == 12
    assert hears.heard["begin", "candidate-split-evaluation"] == 12
    assert hears.heard["end", "candidate-split-evaluation"] == 12


def test_skorch_net_resumes_to_the_last_bit(tmp_path):
    torch, skorch = pytest.importorskip("torch"), pytest.importorskip("skorch")
    net = skorch.NeuralNetClassifier(
        torch.nn.Linear, module__in_features=4, module__out_features=3,
        criterion=torch.nn.CrossEntropyLoss, train_split=None, max_epochs=2, verbose=0,
        iterator_train__shuffle=True,
    )  # fmt: skip
    path, space = tmp_path / "search.jsonl", {"lr": (1e-3, 1.0, "log-uniform")}
    expected = searching(path, net, space).fit(X, y)
    keep_lines(path, 8)
    search = searching(path, net, space, n_jobs=2).fit(X, y)
    assert_same(search, expected)
    np.testing.assert_array_equal(search.predict_proba(X), expected.predict_proba(X))


# another search is refused


def weighted(search):
    return search.fit(X, y, sample_weight=WEIGHT)


OTHERS = {
    "estimator gamma": lambda path: searching(path, SVC(gamma=0.5)).fit(X, y),
    "estimator": lambda path: searching(path, SubSVC()).fit(X, y),
    "X": lambda path: searching(path).fit(X + np.eye(150, 4), y),
    "y": lambda path: searching(path).fit(X, np.where(y == 2, 3, y)),
    "cv": lambda path: searching(path, cv=KFold(3)).fit(X, y),
    "scoring": lambda path: searching(path, scoring="f1_macro").fit(X, y),
    "space C": lambda path: searching(path, space={**SPACE, "C": (0.1, 1.0)}).fit(X, y),
    "space kernel": lambda path: searching(path, space={**SPACE, "kernel": ["rbf", "poly"]}).fit(
        X, y
    ),
    "space gamma": lambda path: searching(path, space={**SPACE, "gamma": [1.0]}).fit(X, y),
    "random_state": lambda path: searching(path, random_state=1).fit(X, y),
    "fit parameter sample_weight": lambda path: weighted(searching(path)),
    "return_train_score": lambda path: searching(path, return_train_score=True).fit(X, y),
    "candidate_timeout": lambda path: searching(path, candidate_timeout=9.0).fit(X, y),
    "memory_limit": lambda path: searching(path, memory_limit=2**33).fit(X, y),
    "sampler": lambda path: searching(path, sampler="sobol").fit(X, y),
}


class SubSVC(SVC):
    """Another class with the same parameters."""


def fields_named(error):
    lines = [line for line in str(error.value).splitlines() if line.startswith("- ")]
    return [line[2:].partition(":")[0] for line in lines]


@pytest.mark.parametrize("field", OTHERS)
def test_another_search_is_refused_with_the_field_that_differs(complete, field, tmp_path):
    path = tmp_path / "search.jsonl"
    path.write_bytes(complete[0])
    with pytest.raises(JournalMismatchError) as caught:
        OTHERS[field](path)
    expected = {field, "score parameter sample_weight"} if "weight" in field else {field}
    assert {re.sub("^scoring .*", "scoring", name) for name in fields_named(caught)} == expected
    assert path.read_bytes() == complete[0]


def test_every_field_that_differs_is_named(complete, tmp_path):
    path = tmp_path / "search.jsonl"
    path.write_bytes(complete[0])
    with pytest.raises(JournalMismatchError) as caught:
        searching(path, SVC(tol=0.1, gamma=0.5), random_state=3, cv=4).fit(X[:149], y[:149])
    assert set(fields_named(caught)) == {
        "estimator gamma", "estimator tol", "random_state", "cv", "X", "y"
    }  # fmt: skip


@pytest.mark.parametrize(("then", "now"), [(1, 1.0), (1, True), ("1", 1), (None, "None")])
def test_values_of_another_type_are_other_parameters(then, now, tmp_path):
    path = tmp_path / "search.jsonl"
    tree = DecisionTreeClassifier(random_state=0)
    estimator = Pipeline([("keep", Holder(then)), ("tree", tree)])
    space = {"tree__max_depth": [1, 2]}
    searching(path, estimator, space, n_iter=2).fit(X, y)
    with pytest.raises(JournalMismatchError, match="estimator keep__value: .* in the journal"):
        searching(path, clone(estimator).set_params(keep__value=now), space, n_iter=2).fit(X, y)


def test_one_feature_is_not_taken_for_all_features(tmp_path):
    path, space = tmp_path / "search.jsonl", {"max_depth": [1, 2]}
    searching(path, DecisionTreeClassifier(max_features=1), space, n_iter=2).fit(X, y)
    with pytest.raises(JournalMismatchError, match="estimator max_features"):
        searching(path, DecisionTreeClassifier(max_features=1.0), space, n_iter=2).fit(X, y)


def test_other_values_of_sample_weight_are_refused(tmp_path):
    path = tmp_path / "search.jsonl"
    searching(path).fit(X, y, sample_weight=WEIGHT)
    with pytest.raises(JournalMismatchError) as caught:
        searching(path).fit(X, y, sample_weight=WEIGHT[::-1])
    names = ["fit parameter sample_weight", "score parameter sample_weight"]
    assert fields_named(caught) == names


def test_another_metric_that_decides_is_refused(tmp_path):
    path, scoring = tmp_path / "search.jsonl", ["accuracy", "f1_macro"]
    searching(path, scoring=scoring, refit="accuracy").fit(X, y)
    with pytest.raises(JournalMismatchError, match="metric that decides"):
        searching(path, scoring=scoring, refit="f1_macro").fit(X, y)


@pytest.mark.filterwarnings("ignore::sklearn_hpt.exceptions.SearchStoppedWarning")
@pytest.mark.parametrize(
    "options",
    [
        {"n_jobs": 2},
        {"verbose": 3},
        {"timeout": 600.0},
        {"n_iter": 5},
        {"error_score": 0.0},
        {"error_score": "raise"},
        {"refit": False},
        {"pre_dispatch": "all"},
    ],
    ids=str,
)
def test_what_does_not_decide_results_may_change(complete, options, tmp_path):
    path = tmp_path / "search.jsonl"
    path.write_bytes(complete[0])
    search = searching(path, **options).fit(X, y)
    expected = complete[1].cv_results_["mean_test_score"]
    assert list(search.cv_results_["mean_test_score"][:4]) == list(expected)


def test_n_jobs_of_the_estimator_may_change(tmp_path):
    path, space = tmp_path / "search.jsonl", {"n_neighbors": (1, 20)}
    expected = searching(path, KNeighborsClassifier(), space).fit(X, y)
    assert_same(searching(path, KNeighborsClassifier(n_jobs=2), space).fit(X, y), expected)
    assert kinds_of(path)["fold"] == 12


def test_journal_of_another_version_is_refused_with_both(complete, tmp_path):
    path, crc, lines = tmp_path / "search.jsonl", 0, []
    for line in complete[0].splitlines():
        event = json.loads(line)
        del event["crc"]
        if event["kind"] == "header":
            event["fingerprint"]["version of scikit-learn"] = "1.8.0"
        line, crc = encode(event, crc)
        lines.append(line)
    path.write_bytes(b"".join(lines))
    with pytest.raises(JournalMismatchError, match="'1.8.0' in the journal") as caught:
        searching(path).fit(X, y)
    assert fields_named(caught) == ["version of scikit-learn"]
    assert len(read_journal(path)["params"]) == 4, "it can be read"


@pytest.mark.parametrize(
    "cv",
    [KFold(3, shuffle=True), StratifiedKFold(3, shuffle=True), ShuffleSplit(3),
     RepeatedStratifiedKFold(n_splits=3, n_repeats=2)],
    ids=lambda cv: type(cv).__name__,
)  # fmt: skip
def test_splitter_without_a_seed_is_refused_and_with_one_is_not(cv, tmp_path):
    path = tmp_path / "search.jsonl"
    with pytest.raises(ValueError, match="give the splitter a random_state"):
        searching(path, cv=cv).fit(X, y)
    assert not path.exists()
    cv.random_state = 0
    expected = searching(path, cv=cv).fit(X, y)
    assert_same(searching(path, cv=cv).fit(X, y), expected)


# damage


def test_cut_last_line_is_evaluated_again(complete, tmp_path):
    path = tmp_path / "search.jsonl"
    for n_bytes in (1, 2, 20, 60):
        path.write_bytes(complete[0])
        keep_lines(path, 9)
        path.write_bytes(path.read_bytes()[:-n_bytes])
        assert_same(searching(path).fit(X, y), complete[1])
        assert all(json.loads(line) for line in lines_of(path))


def test_corrupt_last_line_is_evaluated_again(complete, tmp_path):
    path = tmp_path / "search.jsonl"
    path.write_bytes(complete[0])
    keep_lines(path, 9)
    path.write_bytes(path.read_bytes()[:-30] + b"#" + path.read_bytes()[-29:])
    assert_same(searching(path).fit(X, y), complete[1])
    assert all(json.loads(line) for line in lines_of(path))


def damaged(line):
    return line.replace(b'"kind"', b'"k!nd"')


def other_score(line):
    return line.replace(b'"test_scores":0.', b'"test_scores":1.')


def lost(line):
    return b""


def doubled(line):
    return 2 * line


@pytest.mark.parametrize(
    ("number", "damage"),
    [(1, damaged), (2, damaged), (9, damaged), (4, other_score), (6, other_score), (1, lost),
     (2, lost), (9, lost), (1, doubled), (2, doubled), (9, doubled)],
)  # fmt: skip
def test_corrupt_middle_line_is_an_error_that_names_it(complete, number, damage, tmp_path):
    path = tmp_path / "search.jsonl"
    lines = complete[0].splitlines(keepends=True)
    changed = damage(lines[number - 1])
    assert changed != lines[number - 1]
    path.write_bytes(b"".join([*lines[: number - 1], changed, *lines[number:]]))
    content = path.read_bytes()
    named = number + (damage is doubled)
    for use in (searching(path).fit, lambda *_: read_journal(path)):
        with pytest.raises(JournalError, match=rf"(?i)line {named}\b"):
            use(X, y)
    assert path.read_bytes() == content


def test_lines_before_a_corrupt_one_can_be_kept_as_the_error_says(complete, tmp_path):
    path = tmp_path / "search.jsonl"
    lines = complete[0].splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:7], damaged(lines[7]), *lines[8:]]))
    with pytest.raises(JournalCorruptError, match="head -n 7"):
        searching(path).fit(X, y)
    keep_lines(path, 7)
    assert_same(searching(path).fit(X, y), complete[1])


def test_format_of_a_newer_version_is_refused_with_its_line(complete, tmp_path):
    path = tmp_path / "search.jsonl"
    path.write_bytes(complete[0].replace(b'"format":1', b'"format":9', 1))
    with pytest.raises(JournalError, match="format 9.*upgrade") as caught:
        searching(path).fit(X, y)
    assert "line 1" in str(caught.value).lower()


@pytest.mark.parametrize(
    "content", [b"a,b\n1,2\n", b"{\n", b"\n", b'{"kind":"header"}\n', b"\x00\x01", b" ", b"[]"]
)
def test_file_that_is_no_journal_is_left_byte_for_byte(content, tmp_path):
    path = tmp_path / "data.csv"
    path.write_bytes(content)
    for use in (searching(path).fit, lambda *_: read_journal(path)):
        with pytest.raises(JournalError, match="not a journal"):
            use(X, y)
    assert path.read_bytes() == content


def assert_right_or_refused(data, path, expected):
    """Resume and read what may be damaged."""
    path.write_bytes(data)
    with suppress(JournalError):
        results = read_journal(path)
        for row, params in enumerate(results["params"]):
            number = expected.cv_results_["params"].index(params)
            for fold in range(3):
                column = f"split{fold}_test_score"
                score = results[column][row]
                assert np.isnan(score) or score == expected.cv_results_[column][number]
    try:
        search = searching(path).fit(X, y)
    except JournalError as error:
        assert "line " in str(error).lower(), error
        assert path.read_bytes() == data, "a refused journal is left as it is"
    else:
        assert_same(search, expected)
        assert len(read_journal(path)["params"]) == 4


@settings(max_examples=50, deadline=None)
@given(hs.data())
def test_truncated_journal_never_gives_wrong_results(complete, damaged_path, data):
    content, expected = complete
    n_bytes = data.draw(hs.integers(0, len(content)))
    assert_right_or_refused(content[:n_bytes], damaged_path, expected)


@settings(max_examples=80, deadline=None)
@given(hs.data())
def test_journal_with_flipped_bytes_never_gives_wrong_results(complete, damaged_path, data):
    content, expected = bytearray(complete[0]), complete[1]
    for _ in range(data.draw(hs.integers(1, 3))):
        place = data.draw(hs.integers(0, len(content) - 1))
        content[place] ^= data.draw(hs.integers(1, 255))
    n_bytes = data.draw(hs.integers(0, len(content)) | hs.just(len(content)))
    assert_right_or_refused(bytes(content[:n_bytes]), damaged_path, expected)


@settings(max_examples=30, deadline=None)
@given(hs.data())
def test_journal_with_moved_bytes_never_gives_wrong_results(complete, damaged_path, data):
    content, expected = complete
    i, j, k = sorted(data.draw(hs.integers(0, len(content))) for _ in range(3))
    swapped = content[:i] + content[j:k] + content[i:j] + content[k:]
    assert_right_or_refused(swapped, damaged_path, expected)


@pytest.fixture(scope="module")
def damaged_path(tmp_path_factory):
    return tmp_path_factory.mktemp("damaged") / "search.jsonl"


# two at a time

RUNNING = """
import sys
sys.path.insert(0, {tests!r})
from estimators import Misbehaving
from sklearn.datasets import load_iris
from sklearn_hpt import LogRandomSearchCV
X, y = load_iris(return_X_y=True)
space = {{"how": ["sleep", "raise"], "value": [0, 1, 2], "seconds": (0.05, 0.06)}}
LogRandomSearchCV(
    Misbehaving(), space, n_iter={n_iter}, cv=3, random_state=0, journal=sys.argv[1]
).fit(X, y)
"""


@contextmanager
def running_search(folder, n_iter):
    """Run a search in a process of its own; yield the process and the journal with its start."""
    script, path = folder / "running.py", folder / "search.jsonl"
    script.write_text(RUNNING.format(tests=TESTS, n_iter=n_iter))
    with subprocess.Popen([sys.executable, "-W", "ignore", script, path]) as process:
        try:
            deadline = time.monotonic() + 60
            while not (path.exists() and path.read_bytes().count(b'"fold"') >= 4):
                assert process.poll() is None and time.monotonic() < deadline
                time.sleep(0.02)
            yield process, path
        finally:
            process.kill()


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """The journal of a search that runs for as long as the tests do."""
    with running_search(tmp_path_factory.mktemp("running"), n_iter=10_000) as (_, path):
        yield path


def shown(path, capsys):
    """Return what the command line shows of a journal."""
    assert main(["show", str(path)]) == 0
    return capsys.readouterr().out


def same_search_as_running(path, n_iter):
    space = {"how": ["sleep", "raise"], "value": [0, 1, 2], "seconds": (0.05, 0.06)}
    return searching(path, Misbehaving(), space, n_iter=n_iter)


def test_second_search_on_one_journal_is_refused(running):
    with pytest.raises(JournalLockedError, match="being written by another search"):
        same_search_as_running(running, 10_000).fit(X, y)
    assert kinds_of_whole_lines(running)["session"] == 1


def kinds_of_whole_lines(path):
    whole = Path(path).read_bytes().rpartition(b"\n")[0].splitlines()
    return Counter(json.loads(line)["kind"] for line in whole)


def test_journal_is_read_while_its_search_runs(running):
    results = read_journal(running)
    assert len(results["params"]) >= 1
    assert set(results["status"]) <= {"running", "complete", "failed"}
    n_then = np.isfinite(results["mean_fit_time"]).sum()
    deadline = time.monotonic() + 60
    while np.isfinite(read_journal(running)["mean_fit_time"]).sum() <= n_then:
        assert time.monotonic() < deadline, "the reader sees no progress"
        time.sleep(0.05)


def test_readers_do_not_disturb_the_search(running):
    def n_lines():
        return running.read_bytes().count(b"\n")

    before = n_lines()
    for _ in range(200):
        read_journal(running)
    deadline = time.monotonic() + 60
    while n_lines() < before + 5:
        assert time.monotonic() < deadline, "the search has stopped"
        time.sleep(0.05)


def test_show_tells_progress_best_failures_and_the_time_left(running, capsys):
    deadline = time.monotonic() + 60
    while not {"complete", "failed"} <= set(read_journal(running)["status"]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    report = shown(running, capsys)
    assert "LogRandomSearchCV, running" in report
    for pattern in ("of 10000\n", "of 30000\n", " left\n", "seconds = 0.05"):
        assert pattern in report
    assert "folds: ValueError: this candidate cannot be fitted" in report


def test_follow_goes_on_until_the_search_ends(tmp_path, capsys):
    with running_search(tmp_path, n_iter=30) as (process, path):
        assert main(["show", str(path), "--follow", "--every", "0.1"]) == 0
        assert process.wait(30) == 0
    reports = capsys.readouterr().out.split(f"{path}: ")[1:]
    assert "running" in reports[0] and "finished" in reports[-1]
    assert "90 of 90" in reports[-1]


def test_command_line_is_that_of_the_package(complete, tmp_path, capsys):
    path = tmp_path / "search.jsonl"
    path.write_bytes(complete[0])
    command = [sys.executable, "-m", "sklearn_hpt", "show", str(path)]
    assert subprocess.check_output(command, text=True) == shown(path, capsys)


def test_killed_search_is_read_as_stopped_and_frees_the_journal(tmp_path, capsys):
    with running_search(tmp_path, n_iter=100) as (process, path):
        process.kill()
        process.wait()
        keep_lines(path, len(lines_of(path)) - 1)
        assert "running" not in read_journal(path)["status"]
        assert "not running and not finished" in shown(path, capsys)
        same_search_as_running(path, n_iter=12).fit(X, y)
        assert set(read_journal(path)["status"]) == {"complete", "failed"}


class SearchesAgain(CountsLines):
    """A callback that begins another search on the same journal."""

    def on_fit_task_end(self, estimator, context):
        if not self.counts:
            with pytest.raises(JournalLockedError):
                searching(self.path).fit(X, y)
            self.counts.append("refused")


def test_second_search_in_the_same_process_is_refused(complete, tmp_path):
    again = SearchesAgain(tmp_path / "search.jsonl")
    search = searching(again.path).set_callbacks(again).fit(X, y)
    assert again.counts == ["refused"]
    assert_same(search, complete[1])


class Forks(GaussianNB):
    """Leaves a sleeping child behind, whose number is in the file `pids`."""

    def __init__(self, *, pids=None, priors=None, var_smoothing=1e-9):
        super().__init__(priors=priors, var_smoothing=var_smoothing)
        self.pids = pids

    def fit(self, X, y):
        if (pid := os.fork()) == 0:
            try:
                time.sleep(600)
            finally:
                os._exit(0)
        with open(self.pids, "a") as file:
            file.write(f"{pid}\n")
        return super().fit(X, y)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_fork_of_the_process_does_not_keep_the_lock(tmp_path):
    pids, path = tmp_path / "pids", tmp_path / "search.jsonl"
    space = {"var_smoothing": [1e-9]}
    try:
        searching(path, Forks(pids=str(pids)), space, n_iter=1, cv=2).fit(X, y)
        expected = read_journal(path)["mean_test_score"]
        search = searching(path, Forks(pids=str(pids)), space, n_iter=1, cv=2).fit(X, y)
        assert list(search.cv_results_["mean_test_score"]) == list(expected)
    finally:
        for pid in map(int, pids.read_text().split()):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


# readers


def test_results_of_a_journal_are_those_of_the_search(complete, tmp_path):
    path = tmp_path / "search.jsonl"
    path.write_bytes(complete[0])
    results = read_journal(path)
    assert list(results.pop("status")) == ["complete"] * 4
    assert list(results.pop("error")) == [""] * 4
    expected = complete[1].cv_results_
    assert list(results) == list(expected)
    for name in expected:
        assert list(results[name]) == list(expected[name]), name


def test_results_of_a_journal_as_a_data_frame(complete, tmp_path):
    pytest.importorskip("pandas")
    path = tmp_path / "search.jsonl"
    path.write_bytes(complete[0])
    frame = read_journal(path, as_frame=True)
    assert list(frame.index) == [0, 1, 2, 3]
    assert list(frame["mean_test_score"]) == list(complete[1].cv_results_["mean_test_score"])


@pytest.mark.parametrize("n_lines", [1, 2])
def test_journal_without_a_finished_fold_has_no_rows(complete, n_lines, tmp_path, capsys):
    path = tmp_path / "search.jsonl"
    path.write_bytes(complete[0])
    keep_lines(path, n_lines)
    assert list(read_journal(path)["params"]) == []
    assert "not running and not finished" in shown(path, capsys)


def test_candidate_that_misses_folds_is_stopped_when_the_search_is_not_running(complete, tmp_path):
    path = tmp_path / "search.jsonl"
    path.write_bytes(complete[0])
    keep_lines(path, 4)  # one fold
    results = read_journal(path)
    assert list(results["status"]) == ["stopped"]
    assert np.isfinite(results["split0_test_score"]) and np.isnan(results["split1_test_score"])


@pytest.mark.parametrize("content", [None, b"", b"a,b\n"])
def test_show_says_in_a_line_what_it_cannot_show(content, tmp_path, capsys):
    path = tmp_path / "search.jsonl"
    if content is not None:
        path.write_bytes(content)
    assert main(["show", str(path)]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and str(path) in err


def test_show_tells_the_best_candidate_and_its_parameters(complete, tmp_path, capsys):
    path = tmp_path / "search.jsonl"
    path.write_bytes(complete[0])
    report = shown(path, capsys)
    assert "LogRandomSearchCV, finished" in report
    assert f"best        {complete[1].best_score_:.6g} ±" in report
    assert f"candidate {complete[1].best_index_}\n" in report
    assert f"C = {complete[1].best_params_['C']:.6g}" in report


def test_show_tells_members_and_the_best_generation_of_a_population(tmp_path, capsys):
    path = tmp_path / "search.jsonl"
    search = PBTSearchCV(
        SGDClassifier(max_iter=12, learning_rate="constant", tol=None),
        {"eta0": (1e-3, 100.0, "log-uniform"), "alpha": (1e-6, 1e-1, "log-uniform")},
        population_size=4,
        n_generations=4,
        cv=3,
        random_state=0,
        journal=path,
    ).fit(X, y)
    report = shown(path, capsys)
    amount = search.cv_results_["resource"][search.best_index_]
    assert amount < 12  # the best is not of the last generation
    assert "  members     4 complete of 4\n" in report
    assert "  generations 4 of 4\n" in report
    assert f"best        {search.best_score_:.6g} ± " in report
    assert f", member {search.best_index_}, {amount} max_iter\n" in report
    assert f"eta0 = {search.best_params_['eta0']:.6g}\n" in report


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_show_numbers_the_best_as_the_search_does_where_some_went_on(tmp_path, capsys):
    path = tmp_path / "search.jsonl"
    search = LogRandomSearchCV(
        SGDClassifier(max_iter=9),
        {"alpha": (1e-6, 1e1, "log-uniform")},
        n_iter=9,
        pruning="asha",
        resource="max_iter",
        cv=3,
        random_state=1,
        journal=path,
    ).fit(X, y)
    report = shown(path, capsys)
    assert f"best        {search.best_score_:.6g} ± " in report
    assert f", candidate {search.best_index_}, 9 max_iter\n" in report


# no room, no right to write


@contextmanager
def quota(n_bytes):
    """A limit on the size of any file that this process writes."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("part", [0.0, 0.2, 0.45, 0.6, 0.75, 0.9])
def test_search_over_its_quota_says_so_and_resumes_when_there_is_room(complete, part, tmp_path):
    path = tmp_path / "search.jsonl"
    search = searching(path)
    with quota(int(part * len(complete[0]))):
        with pytest.raises(JournalError, match="File too large.*make room"):
            search.fit(X, y)
    assert path.read_bytes()[-1:] in (b"\n", b""), "no torn line is left"
    assert all(json.loads(line) for line in lines_of(path))
    assert_same(searching(path).fit(X, y), complete[1])


def test_results_stay_in_memory_when_the_disk_is_full(complete, tmp_path):
    path = tmp_path / "search.jsonl"
    search = searching(path)
    with quota(int(0.8 * len(complete[0]))), pytest.raises(JournalError):
        search.fit(X, y)
    n_recorded = kinds_of(path)["fold"]
    finite = np.array([search.cv_results_[f"split{fold}_test_score"] for fold in range(3)])
    assert np.isfinite(finite).sum() >= n_recorded >= 4
    assert search.best_params_ == search.cv_results_["params"][search.best_index_]


def test_results_stay_in_memory_when_only_the_last_line_finds_no_room(complete, tmp_path):
    path = tmp_path / "search.jsonl"
    path.write_bytes(complete[0])
    lines = complete[0].splitlines(keepends=True)
    search = searching(path)
    with quota(len(complete[0]) + len(lines[1]) + 30), pytest.raises(JournalError):
        search.fit(X, y)
    assert kinds_of(path)["session"] == 2 and kinds_of(path)["end"] == 1
    assert list(search.cv_results_["mean_test_score"]) == list(
        complete[1].cv_results_["mean_test_score"]
    )
    assert search.best_params_ == complete[1].best_params_


@pytest.fixture
def tiny_disk(tmp_path):
    """A file system of two pages, and functions that make it larger and read-only."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(*options):
        command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", folder]
        try:
            return subprocess.run(command, capture_output=True).returncode == 0
        except FileNotFoundError:
            return False

    if os.sysconf("SC_PAGE_SIZE") > 4096 or not mount("size=8k"):
        pytest.skip("no file system can be mounted here")
    try:
        yield folder, lambda: mount("remount", "size=1m"), lambda: mount("remount", "ro")
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_search_on_a_full_disk_says_so_and_resumes_when_there_is_room(tiny_disk, n_jobs):
    folder, make_room, _ = tiny_disk
    path = folder / "search.jsonl"
    search = searching(path, n_iter=30, n_jobs=n_jobs)
    with pytest.raises(JournalError, match="No space left.*make room"):
        search.fit(X, y)
    finite = np.array([search.cv_results_[f"split{fold}_test_score"] for fold in range(3)])
    assert np.isfinite(finite).sum() >= kinds_of(path)["fold"] > 0
    rows_then = read_journal(path)["params"]
    assert make_room()
    resumed = searching(path, n_iter=30, n_jobs=n_jobs).fit(X, y)
    assert_same(resumed, searching(n_iter=30).fit(X, y))
    assert all(params in read_journal(path)["params"] for params in rows_then)


def test_file_system_that_is_read_only_is_an_error_and_can_be_read(complete, tiny_disk):
    folder, _, make_read_only = tiny_disk
    (folder / "search.jsonl").write_bytes(complete[0])
    assert make_read_only()
    for name in ("search.jsonl", "new.jsonl"):
        with pytest.raises(JournalError, match="cannot be written: Read-only file system"):
            searching(folder / name).fit(X, y)
    assert (folder / "search.jsonl").read_bytes() == complete[0]
    assert len(read_journal(folder / "search.jsonl")["params"]) == 4


@contextmanager
def without_rights():
    """Root may write everywhere: be nobody for a while."""
    if not hasattr(os, "geteuid"):
        pytest.skip("rights are not those of POSIX")
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_path_without_the_right_to_write_is_an_error_and_the_file_stays(
    complete, tmp_path, monkeypatch
):
    (tmp_path / "search.jsonl").write_bytes(complete[0])
    (tmp_path / "search.jsonl").chmod(0o444)
    tmp_path.chmod(0o555)
    monkeypatch.chdir(tmp_path)  # the folders above it are not for everybody to read
    for name in ("search.jsonl", "new.jsonl"):
        with (
            without_rights(),
            pytest.raises(JournalError, match="cannot be written: Permission denied"),
        ):
            searching(name).fit(X, y)
    tmp_path.chmod(0o755)
    assert (tmp_path / "search.jsonl").read_bytes() == complete[0]
    assert not (tmp_path / "new.jsonl").exists()


@pytest.mark.parametrize("name", [".", "no folder/search.jsonl", ""])
def test_path_that_is_no_file_is_an_error(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for use in (searching(name).fit, lambda *_: read_journal(name)):
        with pytest.raises(JournalError, match="cannot be"):
            use(X, y)


# descriptions

SCRIPT = """
import functools, json, os, sys
import numpy as np, scipy.sparse as sp, scipy.stats as st
from sklearn.gaussian_process.kernels import RBF
from sklearn.linear_model import *
from sklearn.metrics import *
from sklearn.pipeline import *
from sklearn.preprocessing import *
from sklearn.svm import *
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn_hpt._journal import describe
try:
    import pandas as pd
except ImportError:
    pd = None
try:
    import polars as pl
except ImportError:
    pl = None

np.random.seed(int(sys.argv[1]))
np.random.rand(int(sys.argv[1]))
big = np.arange(600.0).reshape(30, 20)

def define(source):
    exec(source, globals())
    return globals()[source.replace("(", " ").replace(":", " ").split()[1]]

def objects(*items):
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array

def metric(y, p, *, power=2, names={"a", "b", "c"}):
    return -float(np.mean(np.abs(y - p) ** power)) * (1 if "x" in {"x", "y", "z"} else 2)

def closure(weight):
    return lambda y, p: weight * metric(y, p)

def recursive(n):
    def inner(k):
        return 1 if k == 0 else inner(k - 1)
    return inner

class Mine(ClassifierMixin, BaseEstimator):
    factor = 2
    def __init__(self, a=1):
        self.a = a
    def fit(self, X, y):
        super().__init__()
        return self
    @property
    def half(self):
        return self.a / 2
    @staticmethod
    def helper(x):
        return {x, "p", "q"}

class Node:
    def __init__(self, name):
        self.name, self.itself = name, {"me": self}

class Scorer:
    def __init__(self, weight):
        self.weight = weight
    def __call__(self, estimator, X, y):
        return self.weight * estimator.score(X, y)

found = {}
for expression in json.load(sys.stdin):
    if ("pd." in expression and pd is None) or ("pl." in expression and pl is None):
        continue
    try:
        found[expression] = describe(eval(expression))
    except Exception as error:
        found[expression] = f"{type(error).__name__}: {error}"
json.dump(found, sys.stdout)
"""

STABLE = [
    "{'a': 1, 'b': [2, (3, None)]}",
    "{name: 1 for name in {'ab', 'cd', 'ef', 'gh'}}",
    "[{name: 1 for name in {'ab', 'cd', 'ef', 'gh'}}, os]",
    "{'ab', 'cd', 'ef', 'gh'}",
    "frozenset({('ab', 1), ('cd', 2), ('ef', 3)})",
    "metric",
    "closure(2.0)",
    "closure({'ab', 'cd', 'ef'})",
    "lambda y, p: len({'ab', 'cd', 'ef'} | {y})",
    "lambda y: y in {'ab', 'cd', 'ef', 'gh'}",
    "recursive(3)",
    "functools.partial(metric, power=3)",
    "functools.lru_cache(metric)",
    "np.tanh",
    "np.mean",
    "len",
    "'abc'.upper",
    "Mine",
    "Mine(a=3)",
    "Mine().fit",
    "Scorer(2.0)",
    "Node('a')",
    "make_scorer(metric)",
    "make_scorer(closure(2.0))",
    "get_scorer('f1_macro')",
    "type('Local', (Mine,), {})",
    "LogisticRegression(C=2.0, class_weight={0: 1.0, 1: 2.0})",
    "make_pipeline(StandardScaler(), SVC(kernel=closure(1.0)))",
    "RBF(2.0)",
    "sp.csr_array(np.eye(4))",
    "sp.random(20, 20, 0.2, rng=np.random.default_rng(0), format='csr')",
    "big",
    "np.asfortranarray(big)",
    "objects('ab', None, ('cd', 1), 2.5)",
    "objects('ab', 'cd', {'ab', 'cd', 'ef'})",
    "np.array(['ab', 'cd'])",
    "np.longdouble('0.1')",
    "np.datetime64('2020-01-01T00:00:00.000000001')",
    "np.random.RandomState(0)",
    "np.random.default_rng(0)",
    "st.loguniform(1e-3, 1.0)",
    "st.norm",
    "st.rv_discrete(values=([1, 2], [0.5, 0.5]))",
    "st.Normal(mu=0.0, sigma=2.0)",
    "st.gaussian_kde(np.arange(5.0))",
    "pd.DataFrame({'a': [1.5, 2.5], 'b': ['x', None]})",
    "pd.DataFrame({'a': pd.Categorical(['x', 'y']), 'b': pd.to_datetime(['2020', '2021'])})",
    "pd.Series(['x', 'y'], dtype='string')",
    "pd.DataFrame([[1, 2]], columns=['a', 'a'])",
    "pl.DataFrame({'a': [1.5, 2.5], 'b': ['x', None]})",
]
EQUAL = [
    ("big", "np.asfortranarray(big)"),
    ("big", "big[::-1][::-1]"),
    ("{'a': 1, 'b': 2}", "{'b': 2, 'a': 1}"),
    ("[{'a': 1, 'b': 2}, len]", "[{'b': 2, 'a': 1}, len]"),
    ("closure(2.0)", "closure(2.0)"),
    ("SVC(C=2.0)", "SVC().set_params(C=2.0)"),
    ("st.loguniform(1e-3, 1.0)", "(lambda d: (d.rvs(), d)[1])(st.loguniform(1e-3, 1.0))"),
    ("objects((1, 'a'), tuple([1, 'a']))", "objects(*[(1, 'a')] * 2)"),
    ("objects('abc', 'abc')", "objects(*['ab' + c for c in 'cc'])"),
]
DIFFERENT = [
    ("1", "1.0"),
    ("1", "True"),
    ("1", "'1'"),
    ("None", "'None'"),
    ("(1, 2)", "[1, 2]"),
    ("np.nan", "np.inf"),
    ("{'a': 1}", "{'a': 2}"),
    ("{'a', 'b'}", "{'a', 'c'}"),
    ("define('def f(y, p): return 1')", "define('def f(y, p): return 2')"),
    ("define('def f(y, p): return y + p')", "define('def f(y, p): return y - p')"),
    ("define('def f(y, p=1): return y')", "define('def f(y, p=2): return y')"),
    ("define('def f(y, *, p=1): return y')", "define('def f(y, *, p=2): return y')"),
    ("define('def f(y): return y.min()')", "define('def f(y): return y.max()')"),
    ("lambda y: [v + 1 for v in y]", "lambda y: [v + 2 for v in y]"),
    ("closure(2.0)", "closure(3.0)"),
    ("functools.partial(metric, power=3)", "functools.partial(metric, power=4)"),
    ("functools.lru_cache(closure(1.0))", "functools.lru_cache(closure(2.0))"),
    ("make_scorer(closure(2.0))", "make_scorer(closure(3.0))"),
    (
        "make_scorer(define('def f(y, p): return 1'))",
        "make_scorer(define('def f(y, p): return 2'))",
    ),
    ("make_scorer(metric)", "make_scorer(metric, greater_is_better=False)"),
    ("make_scorer(metric, power=1)", "make_scorer(metric, power=2)"),
    ("Scorer(1.0)", "Scorer(2.0)"),
    ("Node('a')", "Node('b')"),
    ("Scorer(closure(1.0))", "Scorer(closure(2.0))"),
    ("Mine(a=1)", "Mine(a=2)"),
    (
        "define('class A(Mine):\\n def fit(self, X, y): return 1')",
        "define('class A(Mine):\\n def fit(self, X, y): return 2')",
    ),
    (
        "define('class A:\\n @property\\n def p(self): return 1')",
        "define('class A:\\n @property\\n def p(self): return 2')",
    ),
    (
        "define('class A:\\n @staticmethod\\n def p(): return 1')",
        "define('class A:\\n @staticmethod\\n def p(): return 2')",
    ),
    (
        "(define('class B:\\n def f(self): return 1'), define('class A(B): pass'))[1]",
        "(define('class B:\\n def f(self): return 2'), define('class A(B): pass'))[1]",
    ),
    ("define('class A:\\n factor = 1')", "define('class A:\\n factor = 2')"),
    ("SVC(C=1.0)", "SVC(C=2.0)"),
    ("make_pipeline(StandardScaler(), SVC(C=1.0))", "make_pipeline(StandardScaler(), SVC(C=2.0))"),
    ("RBF(1.0)", "RBF(2.0)"),
    ("big", "big + np.eye(30, 20)"),
    ("big", "big.astype(np.float32)"),
    ("big", "big.reshape(20, 30)"),
    ("big", "big.T"),
    ("objects('a', 'b')", "objects('a', 'c')"),
    ("objects('1')", "objects(1)"),
    ("np.ma.array(big, mask=False)", "np.ma.array(big, mask=big > 3)"),
    ("sp.csr_array(np.eye(4))", "sp.csr_array(np.eye(4) * 2)"),
    ("sp.csr_array(np.eye(4))", "sp.csr_array(np.eye(4)[::-1])"),
    ("st.loguniform(1e-3, 1.0)", "st.loguniform(1e-2, 1.0)"),
    ("st.uniform(0, 1)", "st.norm(0, 1)"),
    (
        "define('class D(st.rv_continuous):\\n def _pdf(self, x): return 1.0 + 0 * x')(a=0, b=1)()",
        "define('class D(st.rv_continuous):\\n def _pdf(self, x): return 2.0 * x')(a=0, b=1)()",
    ),
    ("st.Normal(mu=0.0)", "st.Normal(mu=1.0)"),
    ("np.random.RandomState(0)", "np.random.RandomState(1)"),
    ("pd.DataFrame({'a': [1], 'b': [2]})", "pd.DataFrame({'b': [2], 'a': [1]})"),
    ("pd.DataFrame({'a': [1], 'b': [2]})", "pd.DataFrame({'a': [1], 'c': [2]})"),
    ("pd.DataFrame({'a': [1, 2]})", "pd.DataFrame({'a': [1, 3]})"),
    ("pd.DataFrame({'a': ['x', 'y']})", "pd.DataFrame({'a': ['x', 'y']}, dtype='category')"),
    ("pd.Series(pd.Categorical(['x', 'y']))", "pd.Series(pd.Categorical(['x', 'x']))"),
    (
        "pd.DataFrame({'a': pd.Categorical(['x', 'y'], categories=['x', 'y'])})",
        "pd.DataFrame({'a': pd.Categorical(['x', 'y'], categories=['y', 'x'])})",
    ),
    (
        "pd.DataFrame({'a': pd.Categorical(['x', 'y'], categories=['x', 'y'])})",
        "pd.DataFrame({'a': pd.Categorical(['x', 'y'], categories=['x', 'y', 'z'])})",
    ),
    (
        "pd.Series(pd.Categorical(['x', 'y'], ordered=True))",
        "pd.Series(pd.Categorical(['x', 'y'], ordered=False))",
    ),
    ("pl.DataFrame({'a': [1, 2]})", "pl.DataFrame({'a': [1, 3]})"),
    ("pl.DataFrame({'a': [1], 'b': [2]})", "pl.DataFrame({'b': [2], 'a': [1]})"),
]


@pytest.fixture(scope="module")
def descriptions(tmp_path_factory):
    """What two processes with other hash seeds and random states say of each expression."""
    script = tmp_path_factory.mktemp("descriptions") / "describes.py"
    script.write_text(SCRIPT)
    pairs = [expression for pair in EQUAL + DIFFERENT for expression in pair]
    found = []
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, script, seed],
            input=json.dumps([*STABLE, *pairs]),
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        found.append(json.loads(done.stdout))
    return found


def compared(descriptions, one, other):
    """Return what a journal of the first process says of the second process."""
    if not (one in descriptions[0] and other in descriptions[1]):
        pytest.skip("pandas or polars is not installed")
    found = descriptions[0][one], descriptions[1][other]
    assert not any(re.match(r"\w+Error: ", str(description)) for description in found), found
    return differences({"value": found[0]}, {"value": found[1]})


@pytest.mark.parametrize("expression", STABLE)
def test_description_is_the_same_in_every_process(descriptions, expression):
    assert compared(descriptions, expression, expression) == []
    assert " 0x" not in str(descriptions[0][expression])


@pytest.mark.parametrize(("one", "other"), EQUAL)
def test_descriptions_of_equal_values_are_equal(descriptions, one, other):
    assert compared(descriptions, one, other) == []


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_descriptions_of_different_values_differ(descriptions, one, other):
    (line,) = compared(descriptions, one, other)
    assert line.startswith("value: ")


JSON_LIKE = hs.recursive(
    hs.none() | hs.booleans() | hs.integers() | hs.floats() | hs.text(),
    lambda inner: (
        hs.lists(inner, max_size=4)
        | hs.tuples(inner, inner)
        | hs.dictionaries(hs.text() | hs.integers() | hs.none(), inner, max_size=4)
    ),
    max_leaves=12,
)


def in_order(value):
    """Return the value with its dictionaries in one order: equal ones may have been built so."""
    if isinstance(value, dict):
        items = ((in_order(key), in_order(item)) for key, item in value.items())
        return dict(sorted(items, key=repr))
    return type(value)(map(in_order, value)) if isinstance(value, (list, tuple)) else value


@given(JSON_LIKE)
def test_plain_values_are_restored_from_their_descriptions(value):
    line = json.dumps(describe(value), allow_nan=False)
    assert repr(in_order(restore(json.loads(line)))) == repr(in_order(value))


@given(JSON_LIKE, JSON_LIKE)
def test_plain_values_have_the_same_digest_only_if_they_are_the_same(one, other):
    same = repr(in_order(one)) == repr(in_order(other))
    assert digest(one) == digest(deepcopy(one))
    assert (digest(one) == digest(other)) == same


OWN_THINGS = """
import sys, warnings
warnings.simplefilter("ignore")
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.metrics import make_scorer
from sklearn_hpt import LogRandomSearchCV

class Own(ClassifierMixin, BaseEstimator):
    def __init__(self, shift=0.0, labels=None, weights=None):
        self.shift, self.labels, self.weights = shift, labels, weights
    def fit(self, X, y):
        self.classes_, self.mean_ = np.unique(y), X.mean()
        return self
    def predict(self, X):
        return self.classes_[(X[:, 0] > self.mean_ + self.shift).astype(int)]

class Scorer:
    def __call__(self, estimator, X, y):
        return float(np.mean(estimator.predict(X) == y))

class OwnDistribution:
    def rvs(self, random_state=None):
        return random_state.normal()

def metric(y, p):
    return float(np.mean(y != p))

names = {"ab", "cd", "ef", "gh"}
search = LogRandomSearchCV(
    Own(weights={name: 1.0 for name in names}),
    {"shift": OwnDistribution(), "labels": [names, frozenset(names), {n: 1 for n in names}, None]},
    n_iter=int(sys.argv[2]), cv=3, random_state=0, journal=sys.argv[1],
    scoring={"own": Scorer(), "metric": make_scorer(metric, greater_is_better=False)}, refit="own",
).fit(*load_iris(return_X_y=True))
print(len(search.cv_results_["params"]))
"""


def test_search_with_things_of_ones_own_resumes_in_another_process(tmp_path):
    script, path = tmp_path / "own.py", tmp_path / "search.jsonl"
    script.write_text(OWN_THINGS)
    for n_iter in ("4", "6"):
        done = subprocess.run(
            [sys.executable, script, path, n_iter],
            env={**os.environ, "PYTHONHASHSEED": n_iter},
            capture_output=True,
            text=True,
        )
        assert done.stdout == f"{n_iter}\n", done.stderr
    assert kinds_of(path)["fold"] == 18


class Ensemble(SVC):
    """Holds estimators that `get_params` does not go into."""

    def __init__(self, members=(), C=1.0):
        super().__init__(C=C)
        self.members = members

    def fit(self, X, y):
        self.members_ = [clone(member).fit(X, y) for member in self.members]
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return self.members_[0].predict(X)


def test_estimators_in_a_list_count_with_their_parameters(tmp_path):
    def fitted(depth):
        return LogRandomSearchCV(
            Ensemble([DecisionTreeClassifier(max_depth=depth, random_state=0)]),
            {"C": [1.0, 2.0]},
            n_iter=2,
            random_state=0,
            journal=tmp_path / "search.jsonl",
        ).fit(X, y)

    fitted(1)
    fitted(1)
    with pytest.raises(JournalMismatchError, match="estimator members"):
        fitted(5)


@pytest.mark.parametrize(
    "setting",
    [{"n_iter": np.int64(2)}, {"n_jobs": np.int64(1)}, {"return_train_score": np.True_}],
    ids=repr,
)
def test_settings_may_be_numbers_of_numpy(tmp_path, setting):
    settings = {"n_iter": 2, "random_state": 0, "journal": tmp_path / "search.jsonl", **setting}
    search = LogRandomSearchCV(SVC(), SPACE, **settings).fit(X, y)
    search.fit(X, y)
    assert len(read_journal(search.journal)["params"]) == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
def test_a_pipe_is_no_journal(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    search = LogRandomSearchCV(SVC(), SPACE, n_iter=2, journal=tmp_path / "pipe")
    with pytest.raises(JournalError, match="is a pipe"):
        search.fit(X, y)
    with pytest.raises(JournalError, match="is a pipe"):
        read_journal(tmp_path / "pipe")


def test_show_names_no_best_where_no_metric_decides(tmp_path, capsys):
    LogRandomSearchCV(
        LogisticRegression(max_iter=500),
        {"C": (0.1, 1.0)},
        n_iter=2,
        scoring=lambda model, X, y: {"a": np.nan, "b": model.score(X, y)},
        refit=False,
        journal=tmp_path / "search.jsonl",
    ).fit(X, y)
    assert main(["show", str(tmp_path / "search.jsonl")]) == 0
    assert "  best  " not in capsys.readouterr().out


@pytest.mark.parametrize("value", ["é😀", "\ud800"])
def test_show_writes_what_the_terminal_can(tmp_path, value):
    journal = tmp_path / "search.jsonl"
    LogRandomSearchCV(
        Misbehaving(), {"seconds": [value]}, n_iter=1, random_state=0, journal=journal
    ).fit(X, y)
    done = subprocess.run(
        [sys.executable, "-m", "sklearn_hpt", "show", journal],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"seconds = ?" in done.stdout


class SlowOnce(Misbehaving):
    """Takes longer than it may until a file is there."""

    def fit(self, X, y):
        if self.value == 1 and not os.path.exists(self.how):
            time.sleep(30)
        self.classes_ = np.unique(y)
        return self


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning", "ignore::UserWarning")
def test_a_candidate_that_is_tried_again_has_the_status_of_the_last_try(tmp_path):
    journal, flag = tmp_path / "search.jsonl", tmp_path / "flag"
    search = LogRandomSearchCV(
        SlowOnce(how=str(flag)),
        {"value": [0, 1]},
        n_iter=2,
        cv=2,
        random_state=0,
        candidate_timeout=1.0,
        journal=journal,
    ).fit(X, y)
    assert set(read_journal(journal)["status"]) == {"complete", "timeout"}
    flag.touch()
    search.set_params(error_score="raise").fit(X, y)
    assert set(search.cv_results_["status"]) == {"complete"}
    assert set(read_journal(journal)["status"]) == {"complete"}
