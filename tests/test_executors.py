"""Where evaluations run changes neither results nor what belongs to the user."""

import os
import socket
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import psutil
import pytest
from estimators import Recorder
from joblib import parallel_config
from sklearn.datasets import load_iris, make_classification
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import KFold
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from threadpoolctl import threadpool_info

from sklearn_hpt import LogRandomSearchCV
from sklearn_hpt._evaluation import EvaluationPlan, Task
from sklearn_hpt._executors import _launch, choose_executor
from sklearn_hpt._executors._payload import Payload, load

X, y = load_iris(return_X_y=True)


def results_without_times(search):
    return {k: v for k, v in search.cv_results_.items() if not k.endswith("_time")}


def assert_same_results(a, b):
    a, b = results_without_times(a), results_without_times(b)
    assert a.keys() == b.keys()
    assert a.pop("params") == b.pop("params")
    for key in a:
        np.testing.assert_array_equal(a[key], b[key], err_msg=key)


STOCHASTIC = [
    # BLAS adds up in another order with another number of threads
    (make_pipeline(PCA(random_state=0), LogisticRegression()), {"pca__n_components": (2, 40)}),
    (SGDClassifier(random_state=0), {"alpha": (1e-5, 1e-1, "log-uniform")}),
    (RandomForestClassifier(random_state=0), {"n_estimators": (2, 9), "max_depth": [2, None]}),
    (MLPClassifier((5,), max_iter=9, random_state=0), {"alpha": (1e-5, 1e-1, "log-uniform")}),
]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("estimator", "space"), STOCHASTIC)
def test_results_are_the_same_for_every_n_jobs_and_executor(estimator, space):
    X, y = make_classification(1000, 60, n_informative=20, random_state=0)

    def fit(n_jobs):
        search = LogRandomSearchCV(
            estimator, space, n_iter=6, cv=KFold(3, shuffle=True, random_state=0), random_state=7,
            n_jobs=n_jobs, return_train_score=True, scoring=["accuracy", "roc_auc"],
            refit="roc_auc",
        )  # fmt: skip
        return search.fit(X, y)

    serial = fit(1)
    for n_jobs in (2, 4):
        assert_same_results(serial, fit(n_jobs))
    with parallel_config("threading"):
        assert_same_results(serial, fit(4))


def test_multiprocessing_backend_of_joblib_is_used():
    search = LogRandomSearchCV(SVC(), {"C": (0.1, 10.0)}, n_iter=4, random_state=0)
    serial = LogRandomSearchCV(SVC(), {"C": (0.1, 10.0)}, n_iter=4, random_state=0).fit(X, y)
    with parallel_config("multiprocessing", n_jobs=2):
        assert_same_results(serial, search.fit(X, y))


def test_n_jobs_of_parallel_config_is_used():
    in_worker = {"expression": [f"os.getpid() != {os.getpid()}"]}
    search = LogRandomSearchCV(Recorder(), in_worker, n_iter=1)
    assert search.fit(X, y).best_score_ == 0.0
    with parallel_config(n_jobs=2):
        assert search.fit(X, y).best_score_ == 1.0


def test_unseeded_estimators_in_workers_do_not_share_a_stream():
    plan = EvaluationPlan(Recorder("np.random.rand()"), X, y, [(np.arange(9), np.arange(9))], score)
    executor = choose_executor(plan, n_jobs=2, pre_dispatch=1)
    try:
        for number in range(8):
            executor.submit(Task(number, 0, {"number": number}, seed=0))
        scores = []
        while len(scores) < 8:
            scores += [result.test_scores for result in executor.wait()]
    finally:
        executor.close()
    assert len(set(scores)) == 8


def score(estimator, X, y):
    return estimator.seen_


def test_workers_use_one_thread_unless_the_user_says_otherwise(monkeypatch):
    limits = "max(p['num_threads'] for p in __import__('threadpoolctl').threadpool_info()) == {}"
    search = LogRandomSearchCV(Recorder(), {"expression": [limits.format(1)]}, n_iter=1, n_jobs=2)
    assert search.fit(X, y).best_score_ == 1.0
    search = LogRandomSearchCV(Recorder(), {"expression": [limits.format(2)]}, n_iter=1, n_jobs=2)
    with parallel_config("loky", inner_max_num_threads=2):
        assert search.fit(X, y).best_score_ == 1.0


def test_workers_have_the_folder_and_the_configuration_of_the_caller(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    here = f"os.getcwd() == {str(tmp_path)!r}"
    search = LogRandomSearchCV(Recorder(), {"expression": [here]}, n_iter=1, n_jobs=2)
    assert search.fit(X, y).best_score_ == 1.0


UNGUARDED = """
import sys
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.decomposition import PCA
from sklearn.datasets import load_iris
from sklearn_hpt import LogRandomSearchCV

class MyClassifier(ClassifierMixin, BaseEstimator):
    def __init__(self, value=0):
        self.value = value
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self
    def predict(self, X):
        return np.full(len(X), self.value)

print("once")
X, y = load_iris(return_X_y=True)
search = LogRandomSearchCV(
    MyClassifier(), {"value": [0, 1, 2]}, n_iter=3, n_jobs=2,
    scoring=lambda estimator, X, y: estimator.value,
)
print(search.fit(X, y).best_params_)
"""


@pytest.mark.parametrize("how", ["script", "command", "stdin"])
def test_classes_of_an_unguarded_main_work_in_processes(how, tmp_path):
    script = tmp_path / "unguarded.py"
    script.write_text(UNGUARDED)
    arguments = {"script": [str(script)], "command": ["-c", UNGUARDED], "stdin": ["-"]}[how]
    done = subprocess.run(
        [sys.executable, *arguments],
        input=UNGUARDED if how == "stdin" else None,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "once\n{'value': 2}\n", done.stderr
    assert done.stderr == ""


def test_spawned_workers_give_the_same_results_as_forked_ones(monkeypatch):
    search = LogRandomSearchCV(SVC(), {"C": (0.1, 10.0)}, n_iter=4, random_state=0, n_jobs=2)
    forked = search.fit(X, y)
    monkeypatch.setattr(_launch.sys, "platform", "darwin")
    spawned = LogRandomSearchCV(**search.get_params(deep=False)).fit(X, y)
    assert_same_results(forked, spawned)


def test_search_in_a_forked_process_starts_workers_of_its_own():
    search = LogRandomSearchCV(SVC(), {"C": [1, 2]}, n_iter=2, n_jobs=2).fit(X, y)
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = int(search.fit(X, y).best_index_ not in (0, 1))
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert search.fit(X, y).n_splits_ == 5  # and this one's still work


def test_nested_searches_agree_with_serial_ones():
    from sklearn.model_selection import cross_val_score

    def scores(n_jobs):
        search = LogRandomSearchCV(
            SVC(), {"C": (0.1, 10.0)}, n_iter=3, cv=2, random_state=0, n_jobs=n_jobs
        )
        return cross_val_score(search, X, y, cv=3, n_jobs=n_jobs)

    np.testing.assert_array_equal(scores(1), scores(2))


def test_unpicklable_estimator_gets_a_clear_error():
    estimator = SVC()
    estimator.kernel = (i for i in range(3))  # generators cannot be pickled, nor cloned
    plan = EvaluationPlan(estimator, X, y, [], None)
    with pytest.raises(TypeError, match="cannot be sent to a worker process.*n_jobs=1"):
        choose_executor(plan, n_jobs=2, pre_dispatch=1)


def test_candidate_timeout_needs_processes_that_can_be_killed():
    search = LogRandomSearchCV(SVC(), {"C": [1]}, n_iter=1, candidate_timeout=9.0, n_jobs=2)
    with parallel_config("threading"), pytest.raises(ValueError, match="candidate_timeout.*killed"):
        search.fit(X, y)


def test_large_arrays_arrive_as_maps_and_their_files_are_removed():
    big, small = np.arange(300_000.0).reshape(3, -1), np.arange(3.0)
    payload = Payload({"big": big, "small": small, "fortran": np.asfortranarray(big)})
    arrived = load(payload.data)
    assert isinstance(arrived["big"], np.memmap) and not arrived["big"].flags.writeable
    assert arrived["fortran"].flags.f_contiguous
    for name, value in {"big": big, "small": small, "fortran": big}.items():
        np.testing.assert_array_equal(arrived[name], value)
    payload.delete()
    assert not any(map(os.path.exists, payload.folders))


def test_memory_map_of_the_user_is_not_copied(tmp_path):
    joblib.dump(np.arange(300_000.0).reshape(-1, 3), tmp_path / "a.joblib")
    mapped = joblib.load(tmp_path / "a.joblib", mmap_mode="r")
    payload = Payload({"whole": mapped, "part": mapped[1000:]})
    arrived = load(payload.data)
    np.testing.assert_array_equal(arrived["whole"], mapped)
    np.testing.assert_array_equal(arrived["part"], mapped[1000:])
    assert arrived["whole"].filename == mapped.filename
    payload.delete()


def test_no_files_are_left_behind():
    def ours():
        return {n for n in os.listdir("/dev/shm") if n.startswith("sklearn_hpt_")}

    if not os.path.isdir("/dev/shm"):
        pytest.skip("there is no /dev/shm")
    before = ours()
    data, target = make_classification(20_000, 20, random_state=0)
    LogRandomSearchCV(Recorder(), {"number": [0, 1]}, n_iter=2, n_jobs=2).fit(data, target)
    assert ours() == before


def test_a_second_search_starts_no_second_server():
    def servers():
        return [p.pid for p in psutil.Process().children()]

    search = LogRandomSearchCV(SVC(), {"C": [1, 2]}, n_iter=2, n_jobs=2).fit(X, y)
    before = servers()
    search.fit(X, y)
    assert servers() == before


def test_warnings_of_the_caller_are_respected_in_workers():
    raises = "__import__('warnings').warn('x', RuntimeWarning) is None"
    search = LogRandomSearchCV(
        Recorder(), {"expression": [raises, "True"]}, n_iter=2, n_jobs=2, refit=False
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("ignore", FitFailedWarning)
        warnings.simplefilter("ignore", UserWarning)
        search.fit(X, y)
    assert search.cv_results_["status"].tolist() == ["failed", "complete"]


def test_workers_see_the_environment_of_now(monkeypatch):
    search = LogRandomSearchCV(
        Recorder("os.environ.get('MY_VARIABLE') == '5'"), {"number": [0]}, n_iter=1, n_jobs=2
    )
    assert search.fit(X, y).best_score_ == 0.0
    monkeypatch.setenv("MY_VARIABLE", "5")
    assert search.fit(X, y).best_score_ == 1.0


def test_odd_settings_of_the_process_do_not_disturb_workers(monkeypatch, tmp_path):
    monkeypatch.setattr(_launch.ForkServerLauncher, "_current", None)  # a server of its own
    monkeypatch.syspath_prepend(tmp_path)
    sys.path.insert(0, tmp_path)  # a Path is no str
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(30)
    try:
        search = LogRandomSearchCV(Recorder(), {"number": [0]}, n_iter=1, n_jobs=2)
        assert search.fit(X, y).best_score_ == 1.0
    finally:
        socket.setdefaulttimeout(before)
        sys.path.remove(tmp_path)


def test_candidate_timeout_works_in_the_workers_of_an_outer_cross_validation():
    from sklearn.model_selection import cross_val_score

    search = LogRandomSearchCV(SVC(), {"C": (0.1, 10.0)}, n_iter=2, cv=2, candidate_timeout=60)
    assert np.isfinite(cross_val_score(search, X, y, cv=2, n_jobs=2, error_score="raise")).all()


def test_private_pages_of_a_memory_map_reach_the_workers(tmp_path):
    private = np.memmap(tmp_path / "zeros", dtype=float, mode="w+", shape=300_000)
    private = np.memmap(tmp_path / "zeros", dtype=float, mode="c", shape=300_000)
    private[:] = 1.0
    payload = Payload(private)
    assert load(payload.data).min() == 1.0
    payload.delete()


def test_searches_in_threads_leave_the_threads_of_blas_as_they_were():
    def n_threads():
        return [p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas"]

    def fit(n_iter):
        search = LogRandomSearchCV(SVC(), {"C": (0.1, 10.0)}, n_iter=n_iter, random_state=0)
        return search.fit(X, y)

    before = n_threads()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(fit, [3, 10]))
    assert n_threads() == before
