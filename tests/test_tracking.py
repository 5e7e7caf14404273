"""Searches in Optuna, MLflow, TensorBoard and Weights & Biases: what is there is what was found."""

import json
import math
import threading
import urllib.request
from wsgiref.simple_server import WSGIRequestHandler, make_server

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.tree import DecisionTreeClassifier

from sklearn_hpt import CoarseToFineSearchCV, LogRandomSearchCV
from sklearn_hpt.tracking import to_optuna

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


def test_dashboard_shows_the_study(optuna, tmp_path):
    dashboard = pytest.importorskip("optuna_dashboard")
    journal = optuna.storages.journal
    path = str(tmp_path / "study.log")
    storage = optuna.storages.JournalStorage(journal.JournalFileBackend(path))
    search = search_of({"a": (1e-3, 1.0, "log-uniform"), "b": ["x", None]})
    to_optuna(search, storage=storage, study_name="shown")
    with make_server("127.0.0.1", 0, dashboard.wsgi(storage), handler_class=Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        page = urllib.request.urlopen(f"{base}/dashboard/").read().decode()
        listed = json.load(urllib.request.urlopen(f"{base}/api/studies"))
        shown = json.load(urllib.request.urlopen(f"{base}/api/studies/0"))
        server.shutdown()
    assert "<title>Optuna Dashboard</title>" in page
    assert [study["study_name"] for study in listed["study_summaries"]] == ["shown"]
    values = [float(trial["values"][0]) for trial in shown["trials"]]
    assert values == pytest.approx(search.cv_results_["mean_test_score"])
    assert all(math.isfinite(value) for value in values)
