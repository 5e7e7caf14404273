"""Failure is a row, not the end."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest
from estimators import Misbehaving
from sklearn.datasets import load_iris
from sklearn.exceptions import FitFailedWarning

from sklearn_hpt import LogRandomSearchCV
from sklearn_hpt.exceptions import (
    AllCandidatesFailedError,
    SearchStoppedWarning,
    SearchTimeoutError,
    WorkerDiedError,
)

X, y = load_iris(return_X_y=True)

pytestmark = pytest.mark.filterwarnings(
    "ignore:One or more of the:UserWarning", "ignore::sklearn.exceptions.FitFailedWarning"
)


def search_over(*hows, **options):
    n_iter = options.pop("n_iter", len(hows))
    return LogRandomSearchCV(
        Misbehaving(), {"how": list(hows)}, n_iter=n_iter, cv=3, random_state=0, **options
    )


def rows(search):
    names = (params["how"] for params in search.cv_results_["params"])
    return dict(zip(names, search.cv_results_["status"], strict=True))


def errors(search):
    names = (params["how"] for params in search.cv_results_["params"])
    return dict(zip(names, search.cv_results_["error"], strict=True))


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("raise", "ValueError: this candidate cannot be fitted"),
        ("raise_in_score", "RuntimeError: this candidate cannot be scored"),
        ("nan", "not finite"),
        ("inf", "not finite"),
        ("raise_unpicklable", "UnpicklableError"),
    ],
)
def test_failed_candidate_is_a_row_and_the_best_is_refitted(n_jobs, how, message):
    search = search_over("well", how, n_jobs=n_jobs).fit(X, y)
    assert rows(search) == {"well": "complete", how: "failed"}
    assert message in errors(search)[how]
    assert search.best_params_ == {"how": "well"}
    assert search.predict(X).shape == y.shape


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("kill", "SIGKILL"),
        ("exit", "exited with code 3"),
        ("segfault", "SIGSEGV"),
    ],
)
def test_candidate_that_kills_its_process_costs_only_itself(how, message):
    search = search_over("well", how, "nan", n_jobs=2).fit(X, y)
    assert rows(search) == {"well": "complete", how: "failed", "nan": "failed"}
    assert message in errors(search)[how]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory limits are for Linux")
def test_candidate_beyond_the_memory_limit_fails():
    search = search_over("well", "allocate", memory_limit=2**29).fit(X, y)
    assert rows(search) == {"well": "complete", "allocate": "failed"}
    assert "MemoryError" in errors(search)["allocate"]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_overlong_candidate_is_killed(n_jobs):
    started = time.monotonic()
    search = search_over("well", "sleep", n_jobs=n_jobs, candidate_timeout=1.0).fit(X, y)
    assert time.monotonic() - started < 15
    assert rows(search) == {"well": "complete", "sleep": "timeout"}
    assert "candidate_timeout=1.0" in errors(search)["sleep"]
    assert np.isnan(search.cv_results_["mean_test_score"]).sum() == 1


def test_candidate_timeout_bounds_the_sum_over_folds():
    estimator = Misbehaving(seconds=0.5)
    space = {"how": ["well", "sleep"]}
    search = LogRandomSearchCV(estimator, space, n_iter=2, cv=3, candidate_timeout=0.8)
    search.fit(X, y)
    row = search.cv_results_["params"].index({"how": "sleep"})
    assert search.cv_results_["status"][row] == "timeout"
    assert np.isfinite(search.cv_results_["split0_test_score"][row])
    assert np.isnan(search.cv_results_["split2_test_score"][row])


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_search_timeout_holds_and_refits_the_best_so_far(n_jobs):
    search = search_over("well", "sleep", n_jobs=n_jobs, timeout=4.0)
    started = time.monotonic()
    with pytest.warns(SearchStoppedWarning, match="timeout=4.0"):
        search.fit(X, y)
    assert time.monotonic() - started < 8
    assert search.stop_reason_ == "timeout"
    assert search.best_params_ == {"how": "well"}
    assert search.predict(X).shape == y.shape


def test_search_timeout_before_any_candidate_says_so():
    with pytest.raises(SearchTimeoutError, match="timeout=1.0"):
        search_over("sleep", timeout=1.0).fit(X, y)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_error_score_raise_raises_the_first_failure(n_jobs):
    with pytest.raises(ValueError, match="this candidate cannot be fitted"):
        search_over("raise", "well", n_jobs=n_jobs, error_score="raise").fit(X, y)


def test_error_score_raise_raises_for_a_dead_worker():
    with pytest.raises(WorkerDiedError, match="SIGKILL"):
        search_over("kill", "well", n_jobs=2, error_score="raise").fit(X, y)


def test_all_failed_groups_the_causes_with_counts():
    search = search_over("raise", "raise_in_score")
    with pytest.raises(AllCandidatesFailedError) as caught:
        search.fit(X, y)
    assert "All the 6 fits failed" in str(caught.value)
    assert str(caught.value).count("3 fits failed with the following error") == 2
    assert search.cv_results_["status"].tolist() == ["failed", "failed"]


def test_some_failed_folds_warn_once_with_counts():
    search = search_over("well", "raise_on_some_folds")
    search.estimator = Misbehaving()
    with pytest.warns(FitFailedWarning, match="3 fits failed out of a total of 6") as caught:
        search.fit(X, y)
    assert sum(issubclass(w.category, FitFailedWarning) for w in caught) == 1


def test_failed_candidate_does_not_win_by_its_error_score():
    search = search_over("raise", "well", error_score=2.0).fit(X, y)
    assert search.best_params_ == {"how": "well"}


INTERRUPTED = """
import sys, threading, time, os, signal
sys.path.insert(0, {tests!r})
import psutil
from estimators import Misbehaving
from sklearn.datasets import load_iris
from sklearn_hpt import LogRandomSearchCV

X, y = load_iris(return_X_y=True)
search = LogRandomSearchCV(
    Misbehaving(), {{"how": ["well", "sleep"]}}, n_iter=2, cv=3, n_jobs={n_jobs}, random_state=0
)
threading.Timer(4.0, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    search.fit(X, y)
except KeyboardInterrupt:
    workers = [p for c in psutil.Process().children() for p in c.children()]
    print(search.best_params_, search.best_score_ > 0.3, workers)
"""


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_interrupt_leaves_partial_results_and_is_raised_again(n_jobs, tmp_path):
    script = tmp_path / "interrupted.py"
    script.write_text(INTERRUPTED.format(tests=os.path.dirname(__file__), n_jobs=n_jobs))
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("{'how': 'well'} True "), done.stderr
    assert done.stdout.rstrip().endswith("[]"), "no worker is left"


LONG = """
import sys
sys.path.insert(0, {tests!r})
from estimators import Misbehaving
from sklearn.datasets import load_iris
from sklearn_hpt import LogRandomSearchCV
X, y = load_iris(return_X_y=True)
print("started", flush=True)
LogRandomSearchCV(Misbehaving(), {{"how": ["sleep"]}}, n_iter=1, cv=3, n_jobs=2).fit(X, y)
"""


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_no_process_outlives_a_killed_search(signum, tmp_path):
    script = tmp_path / "long.py"
    script.write_text(LONG.format(tests=os.path.dirname(__file__)))
    process = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE)
    process.stdout.readline()
    children = wait_for(lambda: processes_of(process.pid), at_least=3)  # a server, two workers
    process.send_signal(signum)
    process.wait(10)
    process.stdout.close()
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive


def processes_of(pid):
    return psutil.Process(pid).children(recursive=True)


def wait_for(look, at_least, seconds=30):
    deadline = time.monotonic() + seconds
    while len(found := look()) < at_least and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(found) >= at_least
    return found
