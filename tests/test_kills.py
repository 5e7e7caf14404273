"""A search that is killed at any instant goes on where it was: nothing done twice, nothing lost.

Another search is tested the same way by a line in `SEARCHES`.
"""

import json
import os
import pickle
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from sklearn_hpt import read_journal
from sklearn_hpt.exceptions import JournalError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no kill -9")

# what makes the search; `n_iter` is the number of candidates, `seed` an int
SEARCHES = {
    "random": "LogRandomSearchCV(Logged(), SPACE, n_iter=n_iter, cv=3, random_state=seed)",
    "sobol": (
        "LogRandomSearchCV(Logged(), SPACE, n_iter=n_iter, cv=3, random_state=seed,"
        " sampler='sobol', return_train_score=True)"
    ),
    "raced": (
        "LogRandomSearchCV(Logged(), SPACE, n_iter=n_iter, cv=3, random_state=seed, racing='safe')"
    ),
    "pruned": (
        "LogRandomSearchCV(Logged(), SPACE, n_iter=n_iter, cv=3, random_state=seed,"
        " pruning='asha', resource='n_steps')"
    ),
    "coarse to fine, raced": (
        "CoarseToFineSearchCV(Logged(), SPACE, n_iter=n_iter, cv=3, random_state=seed,"
        " resource='n_steps', racing='fast')"
    ),
    "bayes": "BayesSearchCV(Logged(), SPACE, n_iter=n_iter, cv=3, random_state=seed)",
    "bayes, four at a time": (
        "BayesSearchCV(Logged(), SPACE, n_iter=n_iter, cv=3, random_state=seed, n_points=4)"
    ),
    "bayes, raced, four at a time": (
        "BayesSearchCV(Logged(), SPACE, n_iter=n_iter, cv=3, random_state=seed, n_points=4,"
        " racing='safe')"
    ),
    "bayes, with a resource": (
        "BayesSearchCV(Logged(), SPACE, n_iter=n_iter, cv=3, random_state=seed, n_points=4,"
        " resource='n_steps')"
    ),
    "evolution": (
        "EvolutionarySearchCV(Logged(), SPACE, n_iter=n_iter, cv=3, random_state=seed,"
        " population_size=6)"
    ),
    "population": (
        "PBTSearchCV(Stepped(n_steps=n_iter // 5), SPACE, stepper=Steps(), population_size=5,"
        " n_generations=n_iter // 5, burn_in=0, cv=3, random_state=seed)"
    ),
}
N_SPLITS = 3
MOST_SENT_AHEAD = 6  # tasks of 20 ms or more that two workers together may have at a time

MODULE = '''
import os
import time
import numpy as np
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB

from sklearn_hpt import *
from sklearn_hpt.steppers import Stepper

X, y = load_iris(return_X_y=True)
X = np.column_stack([X, np.arange(len(X))])  # the sum of the last column tells folds apart
SPACE = {"var_smoothing": (1e-9, 1e2, "log-uniform")}
LOG = os.environ.get("FITS_LOG")


class Logged(GaussianNB):
    """Takes 20 to 50 ms, and writes a line for each fit."""

    def __init__(self, *, priors=None, var_smoothing=1e-9, n_steps=9):
        super().__init__(priors=priors, var_smoothing=var_smoothing)
        self.n_steps = n_steps

    def fit(self, X, y):
        if LOG is not None:
            line = f"{self.var_smoothing!r} {self.n_steps} {int(X[:, -1].sum())}\\n"
            fd = os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.write(fd, line.encode())
            os.close(fd)
            time.sleep(0.02 + 0.03 * (hash(self.var_smoothing) % 7) / 6)
        return super().fit(X[:, :-1], y)

    def predict(self, X):
        return super().predict(X[:, :-1])


class Stepped(Logged):
    """Smoothes by what it was given in all its steps, the last ones counting most."""

    def learn(self, X, y, n_steps):
        given = self.var_smoothing
        for _ in range(n_steps):
            self.level_ = 0.5 * (self.level_ + np.log(given))
        self.fit(X, y)
        self.var_smoothing = np.exp(self.level_)
        GaussianNB.fit(self, X[:, :-1], y)
        self.var_smoothing = given


class Steps(Stepper):
    def resource(self, model):
        return "n_steps"

    def mutable_names(self, model):
        return {"var_smoothing"}

    def init(self, model, X, y):
        model.level_ = 0.0

    def step(self, model, X, y, begin, end):
        model.learn(X, y, end - begin)


def outcome(search):
    results = {k: v for k, v in search.cv_results_.items() if not k.endswith("_time")}
    return results, search.best_params_, search.best_index_, search.best_estimator_.theta_
'''

DRIVER = """
import pickle, sys
from fits import *

n_iter, seed = {n_iter}, {seed}
search = {factory}
search.set_params(journal=sys.argv[1], n_jobs=2).fit(X, y)
with open(sys.argv[2], "wb") as file:
    pickle.dump(outcome(search), file)
"""


class KilledSearch:
    """A search in processes of its own, and what its journal and the log of its fits say."""

    def __init__(self, folder, factory, n_iter, seed):
        self.journal, self._log = folder / "search.jsonl", folder / "fits.log"
        self._driver, self._stderr = folder / "driver.py", folder / "stderr.txt"
        self._outcome = folder / "outcome.pickle"
        (folder / "fits.py").write_text(MODULE)
        self._driver.write_text(DRIVER.format(factory=factory, n_iter=n_iter, seed=seed))
        self._folder, self._n_lines_seen = folder, 0
        self.expected = self._uninterrupted(factory, n_iter, seed)

    def _uninterrupted(self, factory, n_iter, seed):
        names = {}
        exec(MODULE, names)
        search = eval(factory, {**names, "n_iter": n_iter, "seed": seed})
        rows = names["X"][:, -1]
        search.fit(names["X"], names["y"])
        splits, _ = search._frozen_splits(names["X"], names["y"], {})
        self._fold_of = {int(rows[train].sum()): i for i, (train, _) in enumerate(splits)}
        return names["outcome"](search)

    @property
    def n_folds_that_count(self):
        results = self.expected[0]
        if "learning_curve" in results and "n_test_splits" not in results:
            return N_SPLITS * sum(map(len, results["learning_curve"]))
        scores = [results[f"split{fold}_test_score"] for fold in range(N_SPLITS)]
        return int(np.isfinite(scores).sum())

    def start(self):
        with open(self._stderr, "wb") as stderr:
            return subprocess.Popen(
                [sys.executable, self._driver, self.journal, self._outcome],
                stderr=stderr,
                start_new_session=True,
                env={**os.environ, "FITS_LOG": str(self._log)},
            )

    def seconds_to_first_fit(self, process):
        started = time.monotonic()
        while process.poll() is None and not self._fits():
            time.sleep(0.01)
        return time.monotonic() - started

    def kill_after(self, process, seconds):
        """Return whether it was still running."""
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return True
        assert process.returncode == 0, self._stderr.read_text()
        return False

    def _fits(self):
        if not self._log.exists():
            return []
        found = (line.split() for line in self._log.read_text().splitlines())
        fits = ((float(value), int(n), self._fold_of.get(int(rows))) for value, n, rows in found)
        return [fit for fit in fits if fit[2] is not None]  # not the refit

    @property
    def n_fits(self):
        return len(self._fits())

    def new_fits(self):
        fits = self._fits()
        new, self._n_lines_seen = fits[self._n_lines_seen :], len(fits)
        return new

    def finished(self):
        """Return the folds that the journal has, each as often as it has them."""
        try:
            read_journal(self.journal)
        except JournalError:
            return []  # it was killed before the first line
        values, finished = {}, []
        for line in self.journal.read_bytes().split(b"\n")[:-1]:
            try:
                event = json.loads(line)
            except ValueError:
                break  # the last line, cut
            if event["kind"] == "trial":
                values[event["trial"]] = event["params"]["var_smoothing"], event.get("resource", 9)
            elif event["kind"] == "fold":
                finished.append((*values[event["trial"]], event["fold"]))
        return finished

    def outcome(self):
        return pickle.loads(self._outcome.read_bytes())


def kill_and_resume(folder, factory, *, n_iter, n_kills, seed):
    """Kill a search up to `n_kills` times, check what it did, and return how often it was."""
    rng = np.random.default_rng(seed)
    search = KilledSearch(folder, factory, n_iter, seed)
    process = search.start()
    start_up = search.seconds_to_first_fit(process)
    instants = [float(rng.uniform(0, 1.5))]
    why = f"seed={seed}, start-up {start_up:.2f} s, killed after {instants}"
    was_running, finished = search.kill_after(process, instants[0]), set()
    while was_running:
        now = search.finished()
        assert finished <= set(now), f"finished folds were lost: {why}"
        assert not finished & set(search.new_fits()), f"finished folds were done again: {why}"
        finished = set(now)
        instants.append(float(rng.uniform(0, start_up + 1.5)))
        why = f"seed={seed}, start-up {start_up:.2f} s, killed after {instants}"
        patience = instants[-1] if len(instants) <= n_kills else 120
        was_running = search.kill_after(search.start(), patience)
    assert not finished & set(search.new_fits()), f"finished folds were done again: {why}"
    at_end = search.finished()
    assert len(at_end) == len(set(at_end)) >= search.n_folds_that_count, why
    n_kills_done = len(instants) - 1
    if "n_test_splits" not in search.expected[0]:  # else some folds are evaluated for nothing
        assert len(at_end) == search.n_folds_that_count, why
        assert search.n_fits <= len(at_end) + n_kills_done * MOST_SENT_AHEAD, why
    assert_equal(search.outcome(), search.expected, why)
    return n_kills_done


def assert_equal(outcome, expected, why):
    results, *others = outcome
    expected_results, *expected_others = expected
    assert list(results) == list(expected_results), why
    for name, column in expected_results.items():
        assert results[name].__class__ is column.__class__, why
        np.testing.assert_array_equal(results[name], column, f"{name}: {why}")
    for value, expected_value in zip(others, expected_others, strict=True):
        np.testing.assert_array_equal(value, expected_value, why)


def test_killed_search_resumes(tmp_path):
    assert kill_and_resume(tmp_path, SEARCHES["random"], n_iter=40, n_kills=3, seed=0) > 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", SEARCHES)
def test_search_killed_at_random_instants_resumes(kind, tmp_path):
    """Six times each, so more than fifty times in all."""
    n_kills, seed = 0, 100 * list(SEARCHES).index(kind)
    while n_kills < 6:
        folder = tmp_path / str(seed)
        folder.mkdir()
        n_kills += kill_and_resume(folder, SEARCHES[kind], n_iter=100, n_kills=12, seed=seed)
        seed += 1
