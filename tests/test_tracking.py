"""Searches in Optuna, MLflow, TensorBoard and Weights & Biases: what is there is what was found."""

import json
import os
import pickle
import shutil
import signal
import struct
import subprocess
import sys
import textwrap
import threading
import time
import urllib.request
from collections import Counter
from contextlib import suppress
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from sklearn_hpt import (
    BayesSearchCV,
    CoarseToFineSearchCV,
    EvolutionarySearchCV,
    LogRandomSearchCV,
    PBTSearchCV,
    default_space,
    read_journal,
)
from sklearn_hpt.exceptions import SearchStoppedWarning, TrackerWarning
from sklearn_hpt.tracking import MLflowTracker, TensorBoardTracker, WandbTracker, to_optuna
from sklearn_hpt.tracking._records import records_of
from sklearn_hpt.tracking._tracker import Tracker

X, y = load_iris(return_X_y=True)


class Anything(DummyClassifier):
    """Takes any values of its parameters; a negative number fails."""

    def __init__(self, a=None, b=None):
        super().__init__()
        self.a = a
        self.b = b

    def fit(self, X, y):
        if isinstance(self.a, float) and self.a < 0:
            raise ValueError("a is negative")
        return super().fit(X, y)


def search_of(space, n_iter=6, **settings):
    search = LogRandomSearchCV(Anything(), space, n_iter=n_iter, cv=3, random_state=0, **settings)
    return search.fit(X, y)


# Optuna


@pytest.fixture
def optuna():
    return pytest.importorskip("optuna")


def test_trials_are_the_candidates(optuna):
    search = LogRandomSearchCV(
        DecisionTreeClassifier(random_state=0), {"max_depth": (1, 9)}, n_iter=5, random_state=0
    ).fit(X, y)
    study = to_optuna(search, study_name="trees")
    results = search.cv_results_
    assert study.study_name == "trees" and study.metric_names == ["score"]
    assert study.user_attrs["search"] == "LogRandomSearchCV"
    assert [trial.params for trial in study.trials] == list(results["params"])
    assert [trial.value for trial in study.trials] == list(results["mean_test_score"])
    assert study.best_params == search.best_params_
    for number, trial in enumerate(study.trials):
        folds = [results[f"split{fold}_test_score"][number] for fold in range(5)]
        assert trial.user_attrs["score of folds"] == folds
        seconds = 5 * (results["mean_fit_time"] + results["mean_score_time"])[number]
        assert trial.duration.total_seconds() == pytest.approx(seconds, abs=2e-6)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((0.1, 10.0), ("FloatDistribution", 0.1, 10.0, False)),
        ((1e-3, 1e3, "log-uniform"), ("FloatDistribution", 1e-3, 1e3, True)),
        ((0.5, 0.99, "log-complement"), ("FloatDistribution", 0.5, 0.99, False)),
        ((1, 20), ("IntDistribution", 1, 20, False)),
        ((1, 500, "log-uniform"), ("IntDistribution", 1, 500, True)),
    ],
)
def test_ranges_keep_ends_and_scale(optuna, given, expected):
    shown = to_optuna(search_of({"a": given})).trials[0].distributions["a"]
    assert (type(shown).__name__, shown.low, shown.high, shown.log) == expected


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        (["rbf", None, 3], ["rbf", None, 3]),
        ([True, 1], ["True", "1"]),
        (list(np.array([0.5, 2.0])), [0.5, 2.0]),
        ([LogisticRegression(C=2), "passthrough"], ["LogisticRegression(C=2)", "passthrough"]),
        ([(1, 2), (3,)], ["(1, 2)", "(3,)"]),
    ],
)
def test_choices_are_as_they_are_or_their_repr(optuna, choices, expected):
    study = to_optuna(search_of({"a": choices}, n_iter=len(choices)))
    assert list(study.trials[0].distributions["a"].choices) == expected
    assert {trial.params["a"] for trial in study.trials} == set(expected)


def test_alternatives_have_one_distribution_for_each_parameter(optuna):
    space = [{"a": (0.1, 1.0), "b": ["x"]}, {"a": (1.0, 5.0), "b": ["y", "z"]}, {"b": ["x"]}]
    study = to_optuna(search_of(space))
    assert {repr(trial.distributions.get("a")) for trial in study.trials} == {
        "FloatDistribution(high=5.0, log=False, low=0.1, step=None)",
        "None",
    }
    assert {trial.distributions["b"].choices for trial in study.trials} == {("x", "y", "z")}


@pytest.mark.filterwarnings("ignore")
def test_ranges_of_a_default_space_are_known(optuna):
    search = LogRandomSearchCV(SVC(), "auto", n_iter=2, random_state=0).fit(X, y)
    (trial, *_) = to_optuna(search).trials
    assert trial.distributions["C"].high == default_space(SVC())["C"].high


def test_failed_and_stopped_candidates_are_failed_and_pruned(optuna):
    search = LogRandomSearchCV(
        DecisionTreeClassifier(random_state=0),
        {"max_depth": [1, 3, -1, 5]},
        n_iter=4,
        cv=5,
        racing="exact",
    ).fit(X, y)
    study = to_optuna(search)
    expected = {"complete": "COMPLETE", "stopped": "PRUNED", "failed": "FAIL"}
    states = [trial.state.name for trial in study.trials]
    assert states == [expected[status] for status in search.cv_results_["status"]]
    failed = study.trials[states.index("FAIL")]
    assert "max_depth" in failed.user_attrs["error"] and failed.value is None


def test_scores_after_less_of_a_resource_are_intermediate_values(optuna):
    search = CoarseToFineSearchCV(
        DecisionTreeClassifier(), {"max_depth": (1, 9)}, resource="n_samples", random_state=0
    ).fit(X, y)
    study = to_optuna(search)
    for trial, curve in zip(study.trials, search.cv_results_["learning_curve"], strict=True):
        assert trial.intermediate_values == dict(curve)


def test_several_metrics_of_which_none_decides_are_objectives(optuna):
    settings = {"scoring": ["accuracy", "f1_macro"], "refit": False}
    study = to_optuna(search_of({"a": (0.0, 1.0)}, **settings))
    assert study.metric_names == ["accuracy", "f1_macro"] and len(study.trials[0].values) == 2


def test_search_of_scikit_learn_is_a_study_too(optuna):
    search = GridSearchCV(LogisticRegression(max_iter=500), {"C": [0.1, 1.0]}).fit(X, y)
    study = to_optuna(search)
    assert study.best_value == search.best_score_
    assert study.trials[0].distributions["C"].choices == (0.1, 1.0)


def test_study_that_cannot_take_the_scores_is_refused(optuna):
    search = search_of({"a": (0.0, 1.0)})
    with pytest.raises(ValueError, match="must maximize each of .score."):
        to_optuna(search, optuna.create_study(direction="minimize"))
    with pytest.raises(ValueError, match="leave out storage and study_name"):
        to_optuna(search, optuna.create_study(direction="maximize"), study_name="other")
    with pytest.raises(NotFittedError, match="call fit first"):
        to_optuna(LogRandomSearchCV(Anything(), {"a": (0.0, 1.0)}))
    study = optuna.create_study(direction="maximize")
    assert len(to_optuna(search, to_optuna(search, study)).trials) == 12


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        """Keep the requests out of the output."""


class Threaded(ThreadingMixIn, WSGIServer):
    daemon_threads = True


@pytest.fixture
def dashboard(optuna, tmp_path):
    """Return a search and the address of a dashboard that has it as a study."""
    dashboard = pytest.importorskip("optuna_dashboard")
    file = optuna.storages.journal.JournalFileBackend(str(tmp_path / "study.log"))
    storage = optuna.storages.JournalStorage(file)
    search = search_of({"a": (1e-3, 1.0, "log-uniform"), "b": ["x", None]})
    to_optuna(search, storage=storage, study_name="shown")
    app = dashboard.wsgi(storage)
    with make_server("127.0.0.1", 0, app, Threaded, handler_class=Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield search, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_dashboard_serves_the_study(dashboard):
    search, base = dashboard
    page = urllib.request.urlopen(f"{base}/dashboard/").read().decode()
    listed = json.load(urllib.request.urlopen(f"{base}/api/studies"))
    shown = json.load(urllib.request.urlopen(f"{base}/api/studies/0"))
    assert "<title>Optuna Dashboard</title>" in page
    assert [study["study_name"] for study in listed["study_summaries"]] == ["shown"]
    values = [float(trial["values"][0]) for trial in shown["trials"]]
    assert values == pytest.approx(search.cv_results_["mean_test_score"])


@pytest.mark.slow
def test_dashboard_shows_the_study_in_a_browser(dashboard):
    browser = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)
    if browser is None:
        pytest.skip("there is no browser")
    search, base = dashboard
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000"]
    page = subprocess.run(
        [browser, *flags, "--dump-dom", f"{base}/dashboard/studies/0"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    ).stdout
    assert "shown (id=0)" in page and f"Best Trial (number={search.best_index_})" in page
    assert str(float(search.best_score_)) in page


# what holds for all trackers

LEAF = DecisionTreeClassifier(random_state=0)
DEPTH = {"max_depth": (1, 9)}
SEARCHES = [
    LogRandomSearchCV(LEAF, DEPTH, n_iter=3, cv=3, random_state=0),
    BayesSearchCV(LEAF, DEPTH, n_iter=3, cv=3, random_state=0),
    EvolutionarySearchCV(LEAF, DEPTH, n_iter=3, cv=3, random_state=0),
    CoarseToFineSearchCV(LEAF, DEPTH, resource="n_samples", cv=3, random_state=0),
    PBTSearchCV(
        SGDClassifier(tol=None, max_iter=4, random_state=0),
        {"alpha": (1e-5, 1e-1, "log-uniform")},
        population_size=3,
        cv=3,
        random_state=0,
    ),
    GridSearchCV(LEAF, {"max_depth": [1, 2, 3]}, cv=3),
]


class Interrupts(DecisionTreeClassifier):
    """Is interrupted at a depth of 5."""

    def fit(self, X, y):
        if self.max_depth == 5:
            raise KeyboardInterrupt
        return super().fit(X, y)


class Broken(Tracker):
    """Fails where it is told to, and counts what it was asked for."""

    _module = "json"

    def __init__(self, fails_at):
        super().__init__()
        self.fails_at = fails_at
        self.asked = Counter()

    def _open(self, about):
        self._ask("open")
        return self

    def progress(self, n_evaluations):
        self._ask("progress")

    def candidate(self, record):
        self._ask("candidate")

    def withdraw(self, number):
        self._ask("withdraw")

    def results(self, search, records):
        self._ask("results")

    def close(self, *, finished):
        self._ask("close")

    def _ask(self, what):
        self.asked[what] += 1
        if what == self.fails_at:
            raise ConnectionError("the server is gone")


@pytest.mark.parametrize("fails_at", ["open", "progress", "candidate", "results", "close"])
def test_dead_tracker_warns_once_and_the_search_goes_on(monkeypatch, fails_at):
    monkeypatch.setattr("sklearn_hpt.tracking._tracker._SECONDS_BETWEEN", 0.0)
    tracker = Broken(fails_at)
    search = LogRandomSearchCV(LEAF, DEPTH, n_iter=3, cv=3, random_state=0)
    with pytest.warns(TrackerWarning, match="Broken cannot write .ConnectionError: the server"):
        search.set_callbacks(tracker).fit(X, y)
    alone = LogRandomSearchCV(LEAF, DEPTH, n_iter=3, cv=3, random_state=0).fit(X, y)
    assert search.best_params_ == alone.best_params_ and search.predict(X).shape == y.shape
    assert tracker.asked[fails_at] == 1


class Listener:
    """A callback that keeps what it hears of candidates, and when the search has ended."""

    def __init__(self):
        self.heard = []

    def setup(self, estimator, context):
        """Do nothing."""

    def on_fit_task_begin(self, estimator, context):
        """Do nothing."""

    def on_candidate_end(self, estimator, context, number, results):
        assert estimator.n_splits_ == 3 and context.task_name == "search"
        self.heard += records_of(results, number)

    def on_fit_task_end(self, estimator, context):
        if context.task_name == "search":
            self.heard.append("the end")

    def teardown(self, estimator, context):
        """Do nothing."""


TREES = RandomForestClassifier(9, random_state=0)
LEAVES = {"min_samples_leaf": (1, 60), "max_depth": (1, 9)}
GOING_ON = [
    LogRandomSearchCV(TREES, LEAVES, n_iter=9, cv=3, random_state=0, pruning="asha"),
    LogRandomSearchCV(TREES, LEAVES, n_iter=9, cv=3, random_state=0, racing="safe"),
    CoarseToFineSearchCV(TREES, LEAVES, n_iter=9, cv=3, random_state=0),
    PBTSearchCV(
        SGDClassifier(tol=None, max_iter=4, random_state=0),
        {"alpha": (1e-5, 1e-1, "log-uniform")},
        population_size=3,
        n_generations=4,
        cv=3,
        random_state=0,
    ),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("search", [*SEARCHES[:-1], *GOING_ON], ids=lambda s: type(s).__name__)
def test_what_is_last_told_of_a_candidate_is_its_row(search, n_jobs):
    listener = Listener()
    search = clone(search).set_params(n_jobs=n_jobs).set_callbacks(listener).fit(X, y)
    assert listener.heard.pop() == "the end"
    last = {record.number: repr(record) for record in listener.heard}
    rows = records_of(search.cv_results_)
    assert last == {record.number: repr(record) for record in rows}


@pytest.mark.parametrize("search", SEARCHES[:3], ids=lambda search: type(search).__name__)
def test_candidate_that_cannot_change_is_told_once(search):
    listener = Listener()
    clone(search).set_callbacks(listener).fit(X, y)
    assert [getattr(one, "number", one) for one in listener.heard] == [0, 1, 2, "the end"]


def test_candidates_of_a_journal_are_told_again(tmp_path):
    search = clone(SEARCHES[0]).set_params(journal=tmp_path / "search.jsonl")
    heard = []
    for _ in range(2):
        listener = Listener()
        search.set_callbacks(listener).fit(X, y)
        heard.append(list(map(repr, listener.heard)))
    assert heard[0] == heard[1] and len(heard[0]) == 4


class Kept(Tracker):
    """Keeps what is written, after so many seconds."""

    _module = "json"

    def __init__(self, seconds=0.0):
        super().__init__()
        self.seconds = seconds
        self.written = {}
        self.asked = Counter()

    def _open(self, about):
        return self

    def progress(self, n_evaluations):
        """Do nothing."""

    def candidate(self, record):
        time.sleep(self.seconds)
        assert record.number not in self.written
        self.written[record.number] = repr(record)
        self.asked["candidate"] += 1

    def withdraw(self, number):
        del self.written[number]
        self.asked["withdraw"] += 1

    def results(self, search, records):
        assert [self.written[n] for n in sorted(self.written)] == list(map(repr, records))
        self.asked["results"] += 1

    def close(self, *, finished):
        """Do nothing."""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("search", [*SEARCHES, *GOING_ON], ids=lambda s: type(s).__name__)
def test_in_the_end_each_candidate_is_written_as_it_is(search):
    tracker = Kept()
    n_rows = len(clone(search).set_callbacks(tracker).fit(X, y).cv_results_["params"])
    assert tracker.asked["candidate"] - tracker.asked["withdraw"] == n_rows
    assert tracker.asked["results"] == 1


class FirstIsSlow(Anything):
    """Takes a minute where it is fitted first: where there is no file of the name `b` yet."""

    def fit(self, X, y):
        with suppress(FileExistsError), open(self.b, "x"):
            time.sleep(60)
        return super().fit(X, y)


class Stops(Listener):
    """Asks to stop after five evaluations."""

    def on_fit_task_end(self, estimator, context):
        self.heard.append(context.task_name)
        return self.heard.count("candidate-split-evaluation") >= 5

    def on_candidate_end(self, estimator, context, number, results):
        """Do nothing."""


def test_numbers_are_those_of_the_rows_if_an_earlier_candidate_was_dropped(tmp_path):
    tracker = Kept()
    cv = [(np.arange(0, 150, 2), np.arange(1, 150, 2))]
    search = LogRandomSearchCV(FirstIsSlow(b=str(tmp_path / "file")), {"a": (0.0, 1.0)}, cv=cv)
    with pytest.warns(SearchStoppedWarning, match="callback"):
        search.set_params(n_jobs=2).set_callbacks(tracker, Stops()).fit(X, y)
    assert tracker.asked["results"] == 1 and tracker.asked["withdraw"] >= 1


def test_search_does_not_wait_for_a_slow_tracker():
    tracker = Kept(seconds=0.2)
    search = LogRandomSearchCV(LEAF, {**DEPTH, "ccp_alpha": (0.0, 0.1)}, n_iter=8, cv=3)
    search.set_callbacks(tracker).fit(X, y)
    assert search.search_time_ < 8 * tracker.seconds / 2 and tracker.asked["results"] == 1


def test_results_of_an_earlier_fit_are_not_written_again():
    tracker = Broken(fails_at=None)
    grid = GridSearchCV(Interrupts(), {"max_depth": [1, 2]}, cv=3).set_callbacks(tracker)
    grid.fit(X, y).set_params(param_grid={"max_depth": [5]})
    with pytest.raises(KeyboardInterrupt):
        grid.fit(X, y)
    assert tracker.asked["results"] == 1 and tracker.asked["close"] == 2


def test_tracker_is_for_searches():
    with pytest.raises(TypeError, match="set it on a search, not on LogisticRegression"):
        LogisticRegression().set_callbacks(Broken(None)).fit(X, y)


def test_tracker_without_its_library_says_what_to_install(monkeypatch):
    monkeypatch.setattr("sklearn_hpt.tracking._tracker.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install 'sklearn_hpt\[mlflow\]'"):
        MLflowTracker()


def test_search_with_a_tracker_can_be_pickled_and_cloned():
    search = clone(SEARCHES[0]).set_callbacks(Broken(None)).fit(X, y)
    assert pickle.loads(pickle.dumps(search)).best_score_ == search.best_score_
    assert cross_val_score(search, X, y, cv=2).min() > 0.5


# MLflow


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/mlflow.db"


@pytest.fixture
def mlflow(database, monkeypatch):
    pytest.importorskip("sqlalchemy", reason="a local database of MLflow needs it")
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "0")  # put back what a test sets
    uri = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(database)
    yield mlflow
    mlflow.set_tracking_uri(uri)


def runs_of(mlflow, name):
    """Return the parent run of the latest search, and its children by their names."""
    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name(name)
    runs = client.search_runs([experiment.experiment_id], max_results=1000)
    parents = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    latest = max(parents, key=lambda run: run.info.start_time)
    children = {
        run.info.run_name: run
        for run in runs
        if run.data.tags.get("mlflow.parentRunId") == latest.info.run_id
    }
    return latest, children


def test_every_search_is_a_run_with_a_run_for_each_candidate(mlflow):
    for search in map(clone, SEARCHES):
        search.set_callbacks(MLflowTracker("searches")).fit(X, y)
        parent, children = runs_of(mlflow, "searches")
        assert parent.info.run_name == parent.data.tags["search"] == type(search).__name__
        assert parent.info.status == "FINISHED"
        assert parent.data.metrics["best_score"] == search.best_score_
        best = {f"best_{name}": str(value) for name, value in search.best_params_.items()}
        assert best.items() <= parent.data.params.items()
        assert "candidates" in parent.data.tags["mlflow.note.content"]
        results = search.cv_results_
        assert len(children) == len(results["params"])
        for number, params in enumerate(results["params"]):
            run = children[f"candidate {number}"]
            assert run.data.params == {name: str(value) for name, value in params.items()}
            mean = results["mean_test_score"][number]
            assert np.isnan(mean) or run.data.metrics["mean_test_score"] == mean


@pytest.mark.filterwarnings("ignore")
def test_runs_tell_status_error_and_the_scores_of_the_folds(mlflow):
    space = {"max_depth": [3, -1]}
    search = LogRandomSearchCV(LEAF, space, n_iter=2, cv=3, random_state=0)
    search.set_callbacks(MLflowTracker("failures", run_name="mine")).fit(X, y)
    parent, children = runs_of(mlflow, "failures")
    assert parent.info.run_name == "mine"
    by_depth = {run.data.params["max_depth"]: run for run in children.values()}
    good, bad = by_depth["3"], by_depth["-1"]
    assert (good.info.status, bad.info.status) == ("FINISHED", "FAILED")
    assert bad.data.tags["status"] == "failed" and "max_depth" in bad.data.tags["error"]
    history = mlflow.MlflowClient().get_metric_history(good.info.run_id, "test_score")
    row = search.best_index_
    folds = [search.cv_results_[f"split{fold}_test_score"][row] for fold in range(3)]
    assert [point.value for point in sorted(history, key=lambda point: point.step)] == folds


def test_interrupted_search_is_written_as_far_as_it_came(mlflow):
    search = LogRandomSearchCV(Interrupts(), {"max_depth": [1, 5]}, n_iter=2, cv=2)
    search.set_params(param_distributions=[({"max_depth": [1]}, 1), ({"max_depth": [5]}, 1)])
    with pytest.raises(KeyboardInterrupt):
        search.set_callbacks(MLflowTracker("interrupted")).fit(X, y)
    parent, children = runs_of(mlflow, "interrupted")
    assert parent.info.status == "KILLED" and "candidate 0" in children
    assert mlflow.active_run() is None


def test_run_that_is_amended_is_deleted(mlflow):
    search = clone(GOING_ON[3]).set_callbacks(MLflowTracker("amended")).fit(X, y)
    (id_,) = [mlflow.get_experiment_by_name("amended").experiment_id]
    deleted = mlflow.MlflowClient().search_runs([id_], run_view_type=2)
    n_members, n_generations = search.population_size, search.n_generations
    assert len(runs_of(mlflow, "amended")[1]) == n_members
    assert len(deleted) == n_members * (n_generations - 1)


def test_more_folds_than_a_request_takes(mlflow):
    search = LogRandomSearchCV(DummyClassifier(), {"strategy": ["prior"]}, n_iter=1)
    search.set_params(cv=[([0, 1], [k % 150]) for k in range(1100)])
    search.set_callbacks(MLflowTracker("folds")).fit(X, y)
    (run,) = runs_of(mlflow, "folds")[1].values()
    points = mlflow.MlflowClient().get_metric_history(run.info.run_id, "test_score")
    assert sorted(point.step for point in points) == list(range(1100))


SCRIPT = """
    import sys, time
    import mlflow
    from sklearn.datasets import load_iris
    from sklearn.tree import DecisionTreeClassifier
    from sklearn_hpt import LogRandomSearchCV
    from sklearn_hpt.tracking import MLflowTracker


    class Slow(DecisionTreeClassifier):
        def fit(self, X, y):
            time.sleep(0.1)
            return super().fit(X, y)


    database, journal, n_jobs = sys.argv[1:]
    mlflow.set_tracking_uri(database)
    space = {"ccp_alpha": (1e-6, 1e-2, "log-uniform")}
    search = LogRandomSearchCV(Slow(), space, n_iter=999, cv=3, n_jobs=int(n_jobs), journal=journal)
    search.set_callbacks(MLflowTracker(f"killed {n_jobs}")).fit(*load_iris(return_X_y=True))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no kill -9")
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_candidates_finished_before_a_kill_are_there(mlflow, database, tmp_path, n_jobs):
    mlflow.create_experiment(name := f"killed {n_jobs}")
    journal = str(tmp_path / "search.jsonl")
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT), database, journal, str(n_jobs)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(command, env=environment)
    deadline = time.monotonic() + 60
    while len(mlflow.search_runs(experiment_names=[name], output_format="list")) < 6:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.2)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    parent, children = runs_of(mlflow, name)
    found = read_journal(journal)
    finished = [str(p["ccp_alpha"]) for p in found["params"][: sum(found["status"] == "complete")]]
    written = [run for run in children.values() if run.info.status == "FINISHED"]
    assert parent.info.status == "RUNNING"
    assert {run.data.params["ccp_alpha"] for run in written} <= {*finished}
    assert all("mean_test_score" in run.data.metrics for run in written)
    assert len(written) >= len(finished) - n_jobs  # the last ones may be about to be written


def test_search_is_a_child_of_the_active_run_of_its_experiment(mlflow):
    mlflow.set_experiment("active")
    with mlflow.start_run() as outer:
        clone(SEARCHES[0]).set_callbacks(MLflowTracker()).fit(X, y)
        assert mlflow.active_run().info.run_id == outer.info.run_id
    parent, children = runs_of(mlflow, "active")
    assert parent.info.run_id == outer.info.run_id and list(children) == ["LogRandomSearchCV"]


def test_tracking_server_that_is_gone_does_not_stop_the_search(mlflow, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    mlflow.set_tracking_uri("http://127.0.0.1:9")
    search = clone(SEARCHES[0]).set_callbacks(MLflowTracker())
    with pytest.warns(TrackerWarning, match="MLflowTracker cannot write"):
        search.fit(X, y)
    assert search.best_params_


# TensorBoard


@pytest.fixture
def log_dir(tmp_path):
    pytest.importorskip("tensorboard")
    return tmp_path / "runs"


def session_groups(log_dir):
    """Return what the HParams page of a TensorBoard server shows of a folder."""
    from tensorboard import default, program

    board = program.TensorBoard(plugins=default.get_plugins())
    board.configure(logdir=str(log_dir), port=0, host="127.0.0.1", load_fast="false")
    base = board.launch() + "data/plugin/hparams"
    asked = {"colParams": [], "sliceSize": 1000, "includeMetrics": True}
    experiment = ask(f"{base}/experiment", {"includeMetrics": True})
    asked["allowedStatuses"] = ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE"]
    asked["colParams"] = [{"hparam": info["name"]} for info in experiment["hparamInfos"]]
    asked["colParams"] += [{"metric": info["name"]} for info in experiment["metricInfos"]]
    return ask(f"{base}/session_groups", asked)["sessionGroups"]


def ask(url, data):
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(data).encode(), headers, method="POST")
    return json.load(urllib.request.urlopen(request))


@pytest.mark.filterwarnings("ignore")
def test_hparams_page_shows_the_candidates(log_dir):
    space = {"max_depth": [3, None, -1], "splitter": ["best"]}
    search = LogRandomSearchCV(LEAF, space, n_iter=3, cv=3, random_state=0)
    search.set_callbacks(TensorBoardTracker(log_dir)).fit(X, y)
    results = search.cv_results_
    groups = {group["hparams"]["max_depth"]: group for group in session_groups(log_dir)}
    shown = {3: 3.0, None: "None", -1: -1.0}
    assert set(groups) == set(shown.values())
    for number, params in enumerate(results["params"]):
        (session,) = groups[shown[params["max_depth"]]]["sessions"]
        metrics = {one["name"]["tag"]: one["value"] for one in session["metricValues"]}
        is_good = params["max_depth"] != -1
        assert session["status"] == ("STATUS_SUCCESS" if is_good else "STATUS_FAILURE")
        assert ("mean_test_score" in metrics) == is_good
        if is_good:
            mean = results["mean_test_score"][number]
            assert metrics["mean_test_score"] == pytest.approx(mean, abs=1e-6)


def test_every_search_has_a_folder_of_its_own(log_dir):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for search in map(clone, SEARCHES):
        search.set_callbacks(TensorBoardTracker(log_dir)).fit(X, y)
        (folder,) = log_dir.glob(f"{type(search).__name__} *")
        events = EventAccumulator(str(folder)).Reload()
        assert events.Scalars("best_score")[-1].value == pytest.approx(search.best_score_)
        n_evaluations = events.Scalars("evaluations")[-1].value
        assert n_evaluations >= 3 * len(search.cv_results_["params"])
        assert {"search", "result"} <= set(events.Tags()["tensors"])
        candidates = {path.name for path in folder.glob("candidate *")}
        assert candidates == {f"candidate {i}" for i in range(len(search.cv_results_["params"]))}


@pytest.mark.parametrize("search", GOING_ON[2:], ids=lambda search: type(search).__name__)
def test_hparams_page_shows_candidates_as_they_are_in_the_end(log_dir, search):
    search = clone(search).set_callbacks(TensorBoardTracker(log_dir)).fit(X, y)
    shown = sorted((sorted(group["hparams"].items()) for group in session_groups(log_dir)), key=str)
    params = [sorted((n, float(v)) for n, v in p.items()) for p in search.cv_results_["params"]]
    assert len(shown) == len(params)
    assert np.allclose(
        [[v for _, v in row] for row in shown],
        [[v for _, v in row] for row in sorted(params, key=str)],
    )


def test_two_fits_in_one_second_have_two_folders(log_dir):
    search = clone(SEARCHES[0]).set_callbacks(TensorBoardTracker(log_dir))
    search.fit(X, y).fit(X, y)
    assert len(list(log_dir.iterdir())) == 2


def test_folder_that_cannot_be_written_does_not_stop_the_search(log_dir):
    log_dir.write_text("a file is where the folder was to be")
    search = clone(SEARCHES[0]).set_callbacks(TensorBoardTracker(log_dir))
    with pytest.warns(TrackerWarning, match="TensorBoardTracker cannot write .FileExistsError"):
        search.fit(X, y)
    assert search.best_params_


# Weights & Biases


@pytest.fixture
def wandb(tmp_path, monkeypatch):
    wandb = pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.setenv("WANDB_CONSOLE", "off")
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("WANDB_CACHE_DIR", str(tmp_path / "cache"))
    return wandb


def records_in(path):
    """Return the records of an offline run: chunks in blocks of 2**15 bytes, as LevelDB's log."""
    data, position, parts = path.read_bytes(), 7, b""  # a header of 7 bytes
    while position < len(data):
        left_in_block = 2**15 - position % 2**15
        if left_in_block < 7:
            position += left_in_block
            continue
        _, length, kind = struct.unpack("<IHB", data[position : position + 7].ljust(7, b"\0"))
        if len(data) < position + 7 + length:
            return  # it is being written
        parts += data[position + 7 : position + 7 + length]
        position += 7 + length
        if kind in (1, 4):  # whole, or the last part
            yield parts
            parts = b""


def offline_run(folder):
    """Return the records of the only offline run in a folder, by kind, and its table."""
    (path,) = folder.glob("wandb/offline-run-*/*.wandb")
    deadline = time.monotonic() + 20
    while "exit" not in (records := by_kind(path)) and time.monotonic() < deadline:
        time.sleep(0.1)  # a process of wandb writes, also after the run is finished
    (table,) = path.parent.glob("files/media/table/*.table.json")
    return records, json.loads(table.read_text())


def by_kind(path):
    from wandb.proto.wandb_internal_pb2 import Record

    records = {}
    for data in records_in(path):
        record = Record.FromString(data)
        kind = record.WhichOneof("record_type")
        records.setdefault(kind, []).append(getattr(record, kind))
    return records


@pytest.mark.filterwarnings("ignore")
def test_offline_run_has_a_row_for_each_candidate(wandb, tmp_path):
    space = {"max_depth": [3, None, -1]}
    search = LogRandomSearchCV(LEAF, space, n_iter=3, cv=3, random_state=0)
    search.set_callbacks(WandbTracker("iris", dir=tmp_path)).fit(X, y)
    records, table = offline_run(tmp_path)
    (run,) = records["run"]
    assert (run.project, run.display_name) == ("iris", "LogRandomSearchCV")
    config = {item.key: json.loads(item.value_json) for item in run.config.update}
    assert config["estimator"] == repr(LEAF) and "max_depth" in config["param_distributions"]
    assert [exit.exit_code for exit in records["exit"]] == [0]
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["data"]]
    results = search.cv_results_
    assert [row["status"] for row in rows] == list(results["status"])
    assert [row["param_max_depth"] for row in rows] == [p["max_depth"] for p in results["params"]]
    for row, mean in zip(rows, results["mean_test_score"], strict=True):
        assert row["mean_test_score"] == (None if np.isnan(mean) else mean)
    summary = {}
    for record in records["summary"]:
        summary.update({item.key: json.loads(item.value_json) for item in record.update})
    assert summary["best_score"] == search.best_score_
    assert summary["best_params"] == search.best_params_


def test_history_has_a_step_for_each_candidate(wandb, tmp_path):
    clone(SEARCHES[0]).set_callbacks(WandbTracker(dir=tmp_path)).fit(X, y)
    records, _ = offline_run(tmp_path)
    steps = [{item.key or item.nested_key[0] for item in one.item} for one in records["history"]]
    assert sum("param_max_depth" in names for names in steps) == 3


@pytest.mark.parametrize("search", SEARCHES[3:], ids=lambda search: type(search).__name__)
def test_offline_run_of_every_kind_of_rows(wandb, tmp_path, search):
    search = clone(search).set_callbacks(WandbTracker(dir=tmp_path, name="mine")).fit(X, y)
    records, table = offline_run(tmp_path)
    assert records["run"][0].display_name == "mine"
    assert len(table["data"]) == len(search.cv_results_["params"])
