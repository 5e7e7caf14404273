"""What a journal costs, and whether long searches stay as fast as they began.

    python benchmarks/journal.py [--quick]

cost     CPU and time of recording one fold, all that the search does for it, measured within
         a search over a dummy classifier. Next to it what Optuna's storages cost for each
         trial, of one parameter and one value: a study with the storage less one in memory,
         five runs in turns, random sampler.
curve    20,000 candidates x 5 folds of a dummy classifier with a journal: seconds and CPU for
         each candidate, and memory, as the search goes on; then the same journal resumed
         and read. Flat columns mean no quadratic bookkeeping.

The machine is shared, so read CPU times and ratios.
"""

import argparse
import logging
import os
import tempfile
import time
import warnings

import numpy as np
from sklearn.dummy import DummyClassifier

from sklearn_hpt import LogRandomSearchCV, read_journal
from sklearn_hpt._journal import DiskJournal

N_SPLITS = 5
X = np.random.default_rng(0).standard_normal((200, 5))
y = (X[:, 0] > 0).astype(int)


def search(n_iter, **settings):
    space = {"constant": [0, 1], "random_state": (0, 2**32 - 1)}
    model = DummyClassifier(strategy="constant")
    return LogRandomSearchCV(
        model, space, n_iter=n_iter, cv=N_SPLITS, random_state=0, refit=False, **settings
    )


def cpu(function):
    """Return the CPU time of this process that a call takes, in seconds."""
    started = time.process_time()
    function()
    return time.process_time() - started


def cost_of_journal(folder, n_iter, n_runs):
    """Return CPU and wall time of recording each fold, in microseconds, and its bytes."""
    used, waited = [], []
    add = DiskJournal.add

    def timed_add(journal, trial, result):
        cpu_started, started = time.process_time(), time.perf_counter()
        add(journal, trial, result)
        used.append(1e6 * (time.process_time() - cpu_started))
        waited.append(1e6 * (time.perf_counter() - started))

    DiskJournal.add = timed_add
    try:
        for run in range(n_runs):
            path = os.path.join(folder, f"cost{run}.jsonl")
            search(n_iter, journal=path).fit(X, y)
    finally:
        DiskJournal.add = add
    return used, waited, os.path.getsize(path) / (n_iter * N_SPLITS)


def cost_of_optuna(folder, make_storage, n_trials, n_runs):
    """Return the extra CPU per trial for each run, in microseconds."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.simplefilter("ignore")

    def study(storage):
        sampler = optuna.samplers.RandomSampler(seed=0)
        optuna.create_study(storage=storage, sampler=sampler).optimize(
            lambda trial: trial.suggest_float("x", 0, 1), n_trials=n_trials
        )

    extra = []
    for run in range(n_runs):
        with_storage = cpu(lambda run=run: study(make_storage(folder, run)))
        extra.append(1e6 * (with_storage - cpu(lambda: study(None))) / n_trials)
    return extra


def optuna_journal(folder, run):
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    return JournalStorage(JournalFileBackend(os.path.join(folder, f"optuna{run}.log")))


def optuna_sqlite(folder, run):
    return f"sqlite:///{folder}/optuna{run}.db"


def print_cost(folder, n_iter, n_runs):
    used, waited, n_bytes = cost_of_journal(folder, n_iter, n_runs)
    print(f"\nRecording, microseconds; of ours {len(used)} folds, {n_bytes:.0f} bytes each")
    print(f"{'':28} {'per':>6} {'median':>8} {'mean':>8} {'99 %':>8} {'ratio of medians':>17}")
    rows = [("ours, CPU", "fold", used), ("ours, time (fsync waits)", "fold", waited)]
    try:
        rows += [
            ("Optuna journal file, CPU", "trial", cost_of_optuna(folder, optuna_journal, 200, 5)),
            ("Optuna SQLite, CPU", "trial", cost_of_optuna(folder, optuna_sqlite, 50, 5)),
        ]
    except ImportError:
        print("(Optuna is not installed)")
    for name, per, cost in rows:
        median, mean, late = np.median(cost), np.mean(cost), np.quantile(cost, 0.99)
        ratio = median / np.median(used)
        print(f"{name:28} {per:>6} {median:8.0f} {mean:8.0f} {late:8.0f} {ratio:17.1f}")


class Curve:
    """Notes time and memory at each tenth of a search."""

    def __init__(self, n_iter):
        self.every = n_iter * N_SPLITS // 10
        self.n_calls = 0
        self.points = [self._point()]

    def _point(self):
        return self.n_calls, time.perf_counter(), time.process_time(), resident_megabytes()

    def note(self):
        self.n_calls += 1
        if self.n_calls % self.every == 0:
            self.points.append(self._point())


curve = None


def score(estimator, X, y):
    curve.note()
    return 0.5


def resident_megabytes():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def print_curve(folder, n_iter):
    global curve
    path = os.path.join(folder, "curve.jsonl")
    curve = Curve(n_iter)
    search(n_iter, journal=path, scoring=score).fit(X, y)
    print(f"\n{n_iter} candidates x {N_SPLITS} folds, n_jobs=1, with a journal")
    print(f"{'candidates':>11} {'ms each':>9} {'CPU ms each':>12} {'memory, MB':>11}")
    for (n0, wall0, cpu0, _), (n1, wall1, cpu1, memory) in zip(
        curve.points, curve.points[1:], strict=False
    ):
        n = (n1 - n0) / N_SPLITS
        wall, used = 1e3 * (wall1 - wall0) / n, 1e3 * (cpu1 - cpu0) / n
        print(f"{n1 // N_SPLITS:11} {wall:9.2f} {used:12.2f} {memory:11.0f}")
    n_folds = curve.n_calls
    resumed = cpu(lambda: search(n_iter, journal=path, scoring=score).fit(X, y))
    assert curve.n_calls == n_folds, "a resumed search must not evaluate a fold again"
    print(f"journal: {os.path.getsize(path) / 2**20:.0f} MB")
    print(f"resume:  {resumed:.1f} s of CPU, {1e6 * resumed / n_folds:.0f} microseconds a fold")
    print(f"read_journal: {cpu(lambda: read_journal(path)):.1f} s of CPU")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the load")
    quick = parser.parse_args().quick
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        print_cost(folder, 200 if quick else 1000, 3 if quick else 7)
        print_curve(folder, 2_000 if quick else 20_000)


if __name__ == "__main__":
    main()
