"""Failure is a row, not the end."""

import os
import re
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
    assert re.search(r"All the 6 fits failed\. 3 of them by ValueError: \w+", str(caught.value))
    assert str(caught.value).count("3 fits failed with the following error") == 2
    assert search.cv_results_["status"].tolist() == ["failed", "failed"]


def test_of_many_causes_the_most_frequent_are_told():
    causes = [f"raise this: {number}" for number in range(30)]
    with pytest.raises(AllCandidatesFailedError, match="and 20 other causes") as raised:
        search_over(*causes).fit(X, y)
    assert str(raised.value).count("fits failed with the following error") == 10


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
from sklearn_hpt import LogRandomSearchCV, read_journal
from sklearn_hpt.exceptions import JournalError


def interrupt_when_one_is_complete():
    status = []
    while "complete" not in status:
        time.sleep(0.1)
        try:
            status = list(read_journal({journal!r})["status"])
        except JournalError:
            pass
    os.kill(os.getpid(), signal.SIGINT)


signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a shell's background
X, y = load_iris(return_X_y=True)
search = LogRandomSearchCV(
    Misbehaving(),
    {{"how": ["well", "sleep"]}},
    n_iter=2,
    cv=3,
    n_jobs={n_jobs},
    random_state=0,
    journal={journal!r},
)
threading.Thread(target=interrupt_when_one_is_complete, daemon=True).start()
try:
    search.fit(X, y)
except KeyboardInterrupt:
    workers = [p for c in psutil.Process().children() for p in c.children()]
    print(search.best_params_, search.best_score_ > 0.3, workers)
"""


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_interrupt_leaves_partial_results_and_is_raised_again(n_jobs, tmp_path):
    script = tmp_path / "interrupted.py"
    journal = str(tmp_path / "journal")
    folder = os.path.dirname(__file__)
    script.write_text(INTERRUPTED.format(tests=folder, n_jobs=n_jobs, journal=journal))
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


def running_search(tmp_path):
    """Return a search in a process of its own, and the processes that it has started."""
    script = tmp_path / "long.py"
    script.write_text(LONG.format(tests=os.path.dirname(__file__)))
    process = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE)
    with process.stdout:
        process.stdout.readline()
        return process, wait_for(lambda: processes_of(process.pid), at_least=3)


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_no_process_outlives_a_killed_search(signum, tmp_path):
    process, children = running_search(tmp_path)  # a server, two workers
    process.send_signal(signum)
    process.wait(10)
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive


def test_no_worker_outlives_a_search_that_is_killed_with_its_server(tmp_path):
    process, children = running_search(tmp_path)
    (server,) = psutil.Process(process.pid).children()
    os.kill(process.pid, signal.SIGSTOP)  # lest it starts another server
    server.kill()
    process.kill()
    process.wait(10)
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


def test_a_timeout_does_not_end_the_search():
    search = search_over("well", "sleep", "nan", "sleep", "raise", n_iter=4, candidate_timeout=0.5)
    search.param_distributions = {"how": ["sleep", "well"], "value": [0, 1, 2]}
    search.n_iter = 6
    search.fit(X, y)
    assert sorted(search.cv_results_["status"]) == ["complete"] * 3 + ["timeout"] * 3


class TwoArgumentsError(Exception):
    def __init__(self, code, text):
        super().__init__(f"{code} {text}")


class RaisesTwoArguments(Misbehaving):
    def fit(self, X, y):
        if self.how != "well":
            raise TwoArgumentsError(3, "boom")
        return super().fit(X, y)


def test_exception_that_cannot_be_loaded_again_is_a_row_too():
    space = {"how": ["well", "other"]}
    search = LogRandomSearchCV(RaisesTwoArguments(), space, n_iter=2, cv=3, n_jobs=2).fit(X, y)
    assert errors(search) == {"well": "", "other": "TwoArgumentsError: 3 boom"}


class Large(Misbehaving):
    """Sleeps or fails with a large error after parameters that fill a pipe."""

    def __init__(self, how="well", value=0, ballast=None):
        super().__init__(how, value)
        self.ballast = ballast

    def fit(self, X, y):
        if self.how == "large error":
            time.sleep(0.02)
            raise ValueError("x" * 2_000_000)
        return super().fit(X, y)


def test_large_parameters_and_errors_do_not_block_the_pipes():
    hows = ["well", "large error", "sleep"]
    ballast = [np.full(200_000, float(i)) for i in range(4)]
    search = LogRandomSearchCV(
        Large(), {"how": hows, "ballast": ballast}, n_iter=12, cv=2, n_jobs=2, candidate_timeout=1.0
    ).fit(X, y)
    assert sorted(search.cv_results_["status"]) == (
        ["complete"] * 4 + ["failed"] * 4 + ["timeout"] * 4
    )
    assert all(len(error) <= 1000 for error in search.cv_results_["error"])


class Forks(Misbehaving):
    """Dies and leaves a child behind, whose number is in the file `how`."""

    def fit(self, X, y):
        super().fit(X, y)
        if self.how != "well":
            if (pid := os.fork()) == 0:
                time.sleep(600)
            with open(self.how, "a") as file:
                file.write(f"{pid}\n")
            os._exit(1)
        return self


def is_running(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_children_of_a_candidate_die_with_it(tmp_path):
    pids = str(tmp_path / "pids")
    space = {"how": ["well", pids]}
    search = LogRandomSearchCV(Forks(), space, n_iter=2, cv=2, n_jobs=2).fit(X, y)
    assert rows(search) == {"well": "complete", pids: "failed"}
    children = [int(line) for line in open(pids)]
    deadline = time.monotonic() + 10
    while any(map(is_running, children)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(children) == 2 and not any(map(is_running, children))


def test_failures_do_not_keep_the_data_of_their_folds():
    from sklearn_hpt._evaluation import EvaluationPlan, Evaluator, Task

    plan = EvaluationPlan(Misbehaving(), X, y, [(np.arange(9), np.arange(9))], None)
    result = Evaluator(plan)(Task(0, 0, {"how": "raise"}, seed=0))
    assert result.failure.exception is None


KILLS_SERVER = """
import os, sys, threading, time
sys.path.insert(0, {tests!r})
from estimators import Misbehaving
from sklearn.datasets import load_iris
from sklearn_hpt import LogRandomSearchCV
import psutil
X, y = load_iris(return_X_y=True)
space = {{"how": ["well", "sleep"], "value": [0, 1, 2]}}
search = LogRandomSearchCV(
    Misbehaving(seconds=0.5), space, n_iter=6, cv=3, n_jobs=2, random_state=0
)
search.fit(X, y)
server, = psutil.Process().children()
threading.Timer(1.0, server.kill).start()
search.fit(X, y)
print(len(search.cv_results_["params"]), set(search.cv_results_.get("status", ["complete"])))
search.fit(X, y)
print(len(search.cv_results_["params"]))
"""


@pytest.mark.slow
def test_search_survives_the_death_of_the_fork_server(tmp_path):
    script = tmp_path / "kills_server.py"
    script.write_text(KILLS_SERVER.format(tests=os.path.dirname(__file__)))
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=90)
    assert done.stdout == "6 {'complete'}\n6\n", done.stderr


EARLY = """
import os, signal, sys, threading
sys.path.insert(0, {tests!r})
from estimators import Misbehaving
from sklearn.datasets import load_iris
from sklearn_hpt import LogRandomSearchCV
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a shell's background
X, y = load_iris(return_X_y=True)
search = LogRandomSearchCV(Misbehaving(), {{"value": [0, 1, 2]}}, n_iter=3, cv=3, n_jobs=2)
threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    search.fit(X, y)
except KeyboardInterrupt:
    print("interrupted")
print(len(search.fit(X, y).cv_results_["params"]))
"""


def test_interrupt_while_workers_start_leaves_a_search_that_can_be_fitted(tmp_path):
    script = tmp_path / "early.py"
    script.write_text(EARLY.format(tests=os.path.dirname(__file__)))
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60)
    assert done.stdout == "interrupted\n3\n", done.stderr
