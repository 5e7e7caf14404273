"""Searches on real clusters of Dask and Ray: two worker processes on this machine."""

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager

import joblib
import numpy as np
import pytest
from estimators import Misbehaving, Recorder
from sklearn.datasets import load_iris
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hpt import LogRandomSearchCV
from sklearn_hpt._executors import _dask

X, y = load_iris(return_X_y=True)
SPACE = {"sgdclassifier__alpha": (1e-5, 1e1, "log-uniform")}
HERE = os.path.dirname(__file__)


def search(estimator=None, space=SPACE, **settings):
    model = estimator or make_pipeline(StandardScaler(), SGDClassifier(random_state=0))
    return LogRandomSearchCV(model, space, **{"n_iter": 10, "random_state": 0, **settings})


def assert_same_results(one, other):
    assert one.cv_results_.keys() == other.cv_results_.keys()
    for key, values in one.cv_results_.items():
        if "time" not in key:
            np.testing.assert_array_equal(values, other.cv_results_[key], err_msg=key)
    assert one.best_params_ == other.best_params_


@contextmanager
def dask_cluster(threads_per_worker):
    distributed = pytest.importorskip("distributed", reason="needs the extra dask")
    dask = pytest.importorskip("dask")
    # a LocalCluster gives up a worker that was restarted 15 s after its death
    with (
        dask.config.set({"distributed.deploy.lost-worker-timeout": "1h"}),
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=threads_per_worker,
            dashboard_address=None,
            silence_logs=50,
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def dask_client():
    """Two workers that evaluate one task at a time each."""
    with dask_cluster(threads_per_worker=1) as client:
        yield client


@pytest.fixture(scope="module")
def ray_config():
    ray = pytest.importorskip("ray", reason="needs the extra ray")
    # workers find the module of the test's estimators by this path
    path = os.pathsep.join([HERE, *filter(None, sys.path)])
    settings = {"num_cpus": 2, "include_dashboard": False, "log_to_driver": False}
    settings["runtime_env"] = {"env_vars": {"PYTHONPATH": path}}
    # in a process that can be ended: where Ray cannot start it waits for ever, or aborts; from a
    # Python whose path has a space in it, it starts, but its workers do not
    code = f"import ray; ray.init(**{settings}); ray.get(ray.remote(lambda: 0).remote())"
    try:
        subprocess.run([sys.executable, "-c", code], timeout=90, check=True, capture_output=True)
    except subprocess.SubprocessError as error:
        pytest.skip(f"Ray does not run a task on this machine: {type(error).__name__}")
    ray.init(**settings)
    yield lambda: joblib.parallel_config("ray")
    ray.shutdown()


@pytest.fixture(params=["dask", pytest.param("ray", marks=pytest.mark.slow)])
def engine(request):
    """Return a function that gives a context in which searches run on the engine."""
    if request.param == "ray":
        return request.getfixturevalue("ray_config")
    request.getfixturevalue("dask_client")
    return lambda: joblib.parallel_config("dask")


def test_results_equal_those_of_a_serial_search(engine):
    with engine():
        on_engine = search(return_train_score=True).fit(X, y)
    assert_same_results(on_engine, search(return_train_score=True, n_jobs=1).fit(X, y))


def test_evaluations_run_in_the_workers(engine):
    elsewhere = Recorder(expression=f"__import__('os').getpid() != {os.getpid()}")
    with engine():
        on_engine = search(elsewhere, {"number": [0, 1]}, n_iter=2).fit(X, y)
    assert on_engine.best_score_ == 1.0


def test_n_jobs_1_stays_in_this_process(engine):
    here = Recorder(expression=f"__import__('os').getpid() == {os.getpid()}")
    with engine():
        assert search(here, {"number": [0, 1]}, n_iter=2, n_jobs=1).fit(X, y).best_score_ == 1.0


def test_an_active_client_is_enough(dask_client):
    elsewhere = Recorder(expression=f"__import__('os').getpid() != {os.getpid()}")
    assert search(elsewhere, {"number": [0, 1]}, n_iter=2).fit(X, y).best_score_ == 1.0


@pytest.mark.slow
def test_a_worker_killed_during_the_search_costs_nothing(dask_client):
    pids = list(dask_client.run(os.getpid).values())
    slow = Misbehaving(how="sleep", seconds=0.1)
    killer = threading.Timer(1.0, os.kill, (pids[0], signal.SIGKILL))
    killer.start()
    on_engine = search(slow, {"value": [0, 1, 2]}, n_iter=3, cv=20).fit(X, y)
    killer.join()
    assert set(dask_client.run(os.getpid).values()) != set(pids)
    assert_same_results(on_engine, search(slow, {"value": [0, 1, 2]}, cv=20, n_jobs=1).fit(X, y))


def test_data_that_is_lost_on_its_way_is_sent_again(dask_client, monkeypatch):
    scatter, sent = dask_client.scatter, []

    def lost_at_first(data, **options):
        sent.append(data)
        if len(sent) > 1:
            return scatter(data, **options)
        (address, pid), *_ = dask_client.run(os.getpid).items()
        future = scatter(data, workers=[address], hash=False)
        os.kill(pid, signal.SIGKILL)
        return future

    monkeypatch.setattr(dask_client, "scatter", lost_at_first)
    monkeypatch.setattr(_dask, "_GONE", ())  # as if the client had not heard of it yet
    on_engine = search(Misbehaving(), {"value": [0, 1]}, n_iter=2).fit(X, y)
    assert len(sent) == 2
    expected = search(Misbehaving(), {"value": [0, 1]}, n_iter=2, n_jobs=1).fit(X, y)
    assert_same_results(on_engine, expected)


def test_a_task_whose_worker_is_lost_runs_once_more(engine, tmp_path):
    once = Misbehaving(how=f"kill_once {tmp_path / 'killed'}")
    with engine():
        on_engine = search(once, {"value": [0, 1]}, n_iter=2).fit(X, y)
    assert (tmp_path / "killed").exists()
    expected = search(Misbehaving(), {"value": [0, 1]}, n_iter=2, n_jobs=1).fit(X, y)
    np.testing.assert_array_equal(
        on_engine.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"]
    )


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning", "ignore::UserWarning")
def test_a_candidate_that_kills_its_workers_has_failed(engine):
    with engine():
        on_engine = search(Misbehaving(), {"how": ["well", "kill"]}, n_iter=2, cv=2).fit(X, y)
    status = dict(
        zip(on_engine.cv_results_["param_how"], on_engine.cv_results_["status"], strict=True)
    )
    assert status["kill"] == "failed"
    assert "two workers were lost" in " ".join(on_engine.cv_results_["error"])
    assert on_engine.best_params_ == {"how": "well"}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning", "ignore::UserWarning")
def test_a_candidate_over_its_time_is_killed_and_costs_no_worker(engine):
    with engine():
        on_engine = search(
            Misbehaving(seconds=300), {"how": ["well", "sleep"]}, n_iter=2, candidate_timeout=1.5
        ).fit(X, y)
    status = dict(
        zip(on_engine.cv_results_["param_how"], on_engine.cv_results_["status"], strict=True)
    )
    assert status == {"well": "complete", "sleep": "timeout"}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning", "ignore::UserWarning")
@pytest.mark.slow
def test_timeout_ends_the_search(engine):
    space = [({"how": ["well"]}, 1), ({"how": ["sleep"], "value": list(range(10))}, 10)]
    started = time.monotonic()
    with engine():
        on_engine = search(Misbehaving(seconds=2), space, timeout=8).fit(X, y)
    assert on_engine.stop_reason_ == "timeout"
    assert on_engine.best_params_ == {"how": "well"}
    assert time.monotonic() - started < 10 * 5 * 2 / 2  # what two workers would need


class _CountsPickling:
    n_pickled = 0

    def __reduce__(self):
        _CountsPickling.n_pickled += 1
        return int, ()


def test_data_is_sent_once(engine):
    _CountsPickling.n_pickled = 0
    # `seconds` is stored by the estimator, and so is part of what is sent
    with engine():
        search(Misbehaving(seconds=_CountsPickling()), {"value": [0, 1, 2]}, n_iter=3).fit(X, y)
    assert 0 < _CountsPickling.n_pickled <= 2  # Ray pickles a second time to find references


def test_a_search_begun_here_is_resumed_on_the_engine(engine, tmp_path):
    journal = tmp_path / "search.jsonl"
    search(n_iter=4, n_jobs=1, journal=journal).fit(X, y)
    with engine():
        resumed = search(n_iter=10, journal=journal, resume="must").fit(X, y)
    assert_same_results(resumed, search(n_iter=10, n_jobs=1).fit(X, y))


@pytest.mark.parametrize(("name", "package"), [("dask", "distributed"), ("ray", "ray")])
def test_a_missing_engine_names_its_extra(name, package):
    code = f"""
import importlib.util, sys
find = importlib.util.find_spec
importlib.util.find_spec = lambda n, *a: None if n == {package!r} else find(n, *a)
import joblib, sklearn_hpt
try:
    joblib.parallel_config({name!r})
except ImportError as error:
    sys.exit(0 if 'sklearn_hpt[{name}]' in str(error) else str(error))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def most_at_once(folder):
    spans = [tuple(map(float, path.read_text().split())) for path in folder.iterdir()]
    return max(sum(a <= start < b for a, b in spans) for start, _ in spans)


class Clocked(Misbehaving):
    """Leaves a file with the times at which its fit began and ended."""

    def fit(self, X, y):
        started = time.time()
        time.sleep(self.seconds)
        name = f"{os.getpid()}-{threading.get_ident()}-{started}"
        with open(os.path.join(self.how, name), "w") as file:
            file.write(f"{started} {time.time()}")
        self.classes_ = np.unique(y)
        return self


@pytest.fixture
def wide_client():
    """Two workers that evaluate three tasks at a time each."""
    with dask_cluster(threads_per_worker=3) as client:
        yield client


@pytest.mark.parametrize("seconds", [0.02, 0.2])
def test_n_jobs_limits_the_folds_at_a_time(wide_client, tmp_path, seconds):
    model = Clocked(how=str(tmp_path), seconds=seconds)
    search(model, {"value": [0, 1, 2]}, n_iter=3, cv=6, n_jobs=2, refit=False).fit(X, y)
    assert most_at_once(tmp_path) == 2


def test_a_worker_killed_while_the_data_is_sent_costs_nothing(wide_client):
    # fresh workers, to which the search has to come first, import scikit-learn for a second
    pid = next(iter(wide_client.run(os.getpid).values()))
    killer = threading.Timer(0.3, os.kill, (pid, signal.SIGKILL))
    killer.start()
    on_engine = search().fit(X, y)
    killer.join()
    assert_same_results(on_engine, search(n_jobs=1).fit(X, y))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning", "ignore::UserWarning")
@pytest.mark.slow
def test_what_shares_a_worker_with_a_killer_is_not_blamed(wide_client):
    space = [({"how": ["kill"], "value": [0, 1]}, 2), ({"how": ["sleep"], "value": [0, 1, 2]}, 3)]
    on_engine = search(Misbehaving(seconds=0.5), space, cv=2).fit(X, y)
    results = on_engine.cv_results_
    for params, status in zip(results["params"], results["status"], strict=True):
        assert status == ("failed" if params["how"] == "kill" else "complete"), params


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning", "ignore::UserWarning")
@pytest.mark.slow
def test_nothing_of_a_search_is_kept_that_lost_workers(wide_client):
    def kept():
        gc.collect()
        count = Counter(type(thing).__name__ for thing in gc.get_objects())
        return count["DaskExecutor"], count["RemoteEvaluator"], len(wide_client.futures)

    before = kept()
    search(Misbehaving(), {"how": ["well", "kill"]}, n_iter=2, cv=2).fit(X, y)
    assert kept() == before


def test_a_backend_that_is_named_is_used_though_a_client_is_active(dask_client):
    pids = set(dask_client.run(os.getpid).values())
    elsewhere = Recorder(expression=f"__import__('os').getpid() not in {pids}")
    with joblib.parallel_config("loky", n_jobs=2):
        assert search(elsewhere, {"number": [0, 1]}, n_iter=2).fit(X, y).best_score_ == 1.0


def test_a_client_that_is_closed_during_the_search_is_named(tmp_path):
    distributed = pytest.importorskip("distributed", reason="needs the extra dask")
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, dashboard_address=None, silence_logs=50
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        model, journal = Misbehaving(how="sleep", seconds=0.2), tmp_path / "search.jsonl"
        slow = search(model, {"value": [0, 1, 2]}, n_iter=3, cv=20, journal=journal)

        def close_after_a_fold():
            while not (journal.exists() and b'"fold"' in journal.read_bytes()):
                time.sleep(0.05)
            client.close()

        threading.Thread(target=close_after_a_fold, daemon=True).start()
        with pytest.raises(RuntimeError, match="has lost its Dask cluster"):
            slow.fit(X, y)
        assert "cv_results_" in vars(slow)


class _StaysHere:
    def __deepcopy__(self, memo):
        return self

    def __reduce__(self):
        raise ValueError("stays here")


def test_what_cannot_be_sent_to_dask_is_named(dask_client):
    with pytest.raises(TypeError, match="cannot be sent to a Dask worker .*stays here"):
        search(Misbehaving(seconds=_StaysHere()), {"value": [0, 1]}, n_iter=2).fit(X, y)


def test_a_module_that_workers_have_not_is_named(dask_client, tmp_path, monkeypatch):
    (tmp_path / "only_here.py").write_text(
        "from sklearn.svm import SVC\nclass Model(SVC):\n    pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    from only_here import Model

    with pytest.raises(RuntimeError, match=r"No module named 'only_here'.*are installed there"):
        search(Model(), {"C": [1, 2]}, n_iter=2).fit(X, y)
