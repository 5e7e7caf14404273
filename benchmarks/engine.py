"""Time and memory of the engine against scikit-learn's, on the same candidates in one run.

    python benchmarks/engine.py [--quick] [--load NAME]

Every row runs `RandomizedSearchCV` and `LogRandomSearchCV` in turn on the same list of
candidates, each in a fresh process, so that starting the workers is in the times, with 5 folds
and scoring="accuracy". Shown are medians of several runs and the ratio of ours to
scikit-learn's: below 1 is better.

overhead   time of the search less the time within `fit` and `predict` of the estimator, for
           each fit (n_jobs=1; those times are taken by a subclass)
CPU        of the whole process tree, user and system
use        share of the workers' time that is spent on fits (n_jobs=2)
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import threading
import time

SEARCHES = ("sklearn", "ours")


def dataset(n_rows, n_columns):
    import numpy as np

    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_rows, n_columns))
    return X, (X[:, 0] + 0.5 * rng.standard_normal(n_rows) > 0).astype(int)


def timed(estimator_class):
    """Return a subclass that adds up the time within its own methods."""

    class Timed(estimator_class):
        seconds = 0.0

        def _time(self, method, *args, **kwargs):
            started = time.perf_counter()
            try:
                return getattr(super(), method)(*args, **kwargs)
            finally:
                Timed.seconds += time.perf_counter() - started

        def fit(self, *args, **kwargs):
            return self._time("fit", *args, **kwargs)

        def predict(self, *args, **kwargs):
            return self._time("predict", *args, **kwargs)

    return Timed


def problem(name, n_candidates):
    """Return an estimator class, its options and the list of candidates."""
    import numpy as np
    from sklearn.dummy import DummyClassifier
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.naive_bayes import GaussianNB
    from sklearn.tree import DecisionTreeClassifier

    if name == "dummy":
        return DummyClassifier, {}, {"random_state": list(range(n_candidates))}
    if name == "naive Bayes":
        return GaussianNB, {}, {"var_smoothing": np.logspace(-9, -3, n_candidates).tolist()}
    if name == "stump":
        space = {"random_state": list(range(n_candidates))}
        return DecisionTreeClassifier, {"max_depth": 1}, space
    trees = np.unique(np.geomspace(10, 1000, n_candidates).astype(int))
    order = np.random.default_rng(0).permutation(len(trees))
    space = {"n_estimators": trees[order].tolist()}
    return ExtraTreesClassifier, {"max_depth": 8, "random_state": 0}, space


def run_one(which, name, n_rows, n_columns, n_candidates, n_jobs):
    """Run one search in this process and return its figures."""
    from sklearn.model_selection import RandomizedSearchCV

    from sklearn_hpt import LogRandomSearchCV

    X, y = dataset(n_rows, n_columns)
    estimator_class, options, space = problem(name, n_candidates)
    if n_jobs == 1:
        estimator_class = timed(estimator_class)
    n_iter = len(next(iter(space.values())))
    search_class = RandomizedSearchCV if which == "sklearn" else LogRandomSearchCV
    search = search_class(
        estimator_class(**options),
        space,
        n_iter=n_iter,
        scoring="accuracy",
        n_jobs=n_jobs,
        refit=False,
        random_state=0,
    )
    peak = PeakMemory()
    started, cpu = time.perf_counter(), cpu_seconds()
    with peak:
        search.fit(X, y)
    seconds = time.perf_counter() - started
    n_fits = n_iter * search.n_splits_
    times = search.cv_results_["mean_fit_time"] + search.cv_results_["mean_score_time"]
    inside = getattr(estimator_class, "seconds", float("nan"))
    return {
        "seconds": seconds,
        "cpu": cpu_seconds() - cpu,
        "overhead_us": 1e6 * (seconds - inside) / n_fits,
        "use": float(times.sum()) * search.n_splits_ / (n_jobs * seconds),
        "peak_mb": peak.most / 2**20,
        "best": float(search.best_score_),
    }


def cpu_seconds():
    """CPU time of this process and of all below it, dead or alive."""
    import psutil

    own = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    own += sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    for child in psutil.Process().children(recursive=True):
        try:
            own += sum(child.cpu_times()[:4])  # with the children it has waited for
        except psutil.Error:
            continue
    return own


class PeakMemory:
    """Samples the memory of the process tree, each shared page counted once in all (PSS)."""

    def __init__(self):
        self.most = 0
        self._stop = threading.Event()
        self._wanted = bool(os.environ.get("MEASURE_MEMORY"))

    def __enter__(self):
        if self._wanted:
            self._thread = threading.Thread(target=self._watch, daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *error):
        if self._wanted:
            self._stop.set()
            self._thread.join()

    def _watch(self):
        import psutil

        me = psutil.Process()
        while not self._stop.wait(0.05):
            total = 0
            for process in [me, *me.children(recursive=True)]:
                try:
                    total += process.memory_full_info().pss
                except psutil.Error:
                    continue
            self.most = max(self.most, total)


def measure(arguments, n_runs, **environment):
    """Return the median figures of both searches, run in turn, each in fresh processes."""
    runs = {which: [] for which in SEARCHES}
    for i in range(n_runs):
        for which in SEARCHES if i % 2 == 0 else SEARCHES[::-1]:
            command = [sys.executable, __file__, "--one", json.dumps([which, *arguments])]
            done = subprocess.run(
                command, capture_output=True, text=True, env={**os.environ, **environment}
            )
            if done.returncode:
                raise RuntimeError(done.stderr)
            runs[which].append(json.loads(done.stdout.splitlines()[-1]))
    assert len({run["best"] for which in SEARCHES for run in runs[which]}) == 1, "same results"
    return {
        which: {key: statistics.median(run[key] for run in runs[which]) for key in runs[which][0]}
        for which in SEARCHES
    }


def print_times(quick, only):
    loads = [
        ("dummy", 1_000, 20, 100),
        ("naive Bayes", 1_000, 20, 100),
        ("stump", 1_000, 20, 100),
        ("dummy", 100_000, 50, 20),
        ("naive Bayes", 100_000, 50, 20),
        ("stump", 100_000, 50, 6),
        ("10-1000 trees", 1_000, 20, 16),
    ]
    rows = [(*load, n_jobs) for load in loads if only in load[0] for n_jobs in (1, 2)]
    print(f"{'':46}{'time in s':>17}{'':7}{'CPU':>7}{'overhead/fit, us':>19}{'':7}{'use':>13}")
    print(
        f"{'load':15}{'rows x columns':>16}{'fits':>7}{'n_jobs':>8}"
        f"{'sklearn':>9}{'ours':>8}{'ratio':>7}{'ratio':>7}"
        f"{'sklearn':>10}{'ours':>9}{'ratio':>7}{'sklearn':>8}{'ours':>5}"
    )
    for name, n_rows, n_columns, n_candidates, n_jobs in rows:
        if quick:
            n_candidates = max(n_candidates // 5, 3)
        n_runs = 1 if quick else 3
        found = measure([name, n_rows, n_columns, n_candidates, n_jobs], n_runs)
        theirs, ours = found["sklearn"], found["ours"]
        line = (
            f"{name:15}{n_rows:>10,} x {n_columns:<3}{5 * n_candidates:>7}{n_jobs:>8}"
            f"{theirs['seconds']:9.2f}{ours['seconds']:8.2f}"
            f"{ours['seconds'] / theirs['seconds']:7.2f}{ours['cpu'] / theirs['cpu']:7.2f}"
        )
        if n_jobs == 1:
            ratio = ours["overhead_us"] / theirs["overhead_us"]
            line += f"{theirs['overhead_us']:10.0f}{ours['overhead_us']:9.0f}{ratio:7.2f}"
        else:
            line += f"{'':26}{theirs['use']:8.0%}{ours['use']:5.0%}"
        print(line, flush=True)


def print_memory(quick):
    n_rows = 20_000 if quick else 100_000
    arguments = ["naive Bayes", n_rows, 200, 4, 2]
    found = measure(arguments, 1 if quick else 3, MEASURE_MEMORY="1")
    theirs, ours = (found[which]["peak_mb"] for which in SEARCHES)
    print(
        f"\nPeak memory of the process tree, naive Bayes on {n_rows:,} x 200 float64, n_jobs=2: "
        f"sklearn {theirs:.0f} MB, ours {ours:.0f} MB, ratio {ours / theirs:.2f}"
    )


def print_import_time(n_runs=7):
    def seconds(code):
        command = [sys.executable, "-c", f"import time; {code}"]
        return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    clock = "t = time.process_time(); {}; print(time.process_time() - t)"
    after = "import sklearn.model_selection; " + clock.format("import sklearn_hpt")
    added = statistics.median(seconds(after) for _ in range(n_runs))
    print(f"\n`import sklearn_hpt` adds {added:.3f} s of CPU to `import sklearn.model_selection`")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="a fifth of the fits, one run each")
    parser.add_argument("--load", default="", help="only loads whose name contains this")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(run_one(*json.loads(options.one))))
        return
    print_times(options.quick, options.load)
    print_memory(options.quick)
    print_import_time()


if __name__ == "__main__":
    main()
