"""How far a search scales on Dask and Ray: what one coordinator can do, and what follows.

    python benchmarks/clusters.py [--quick]

measured   one search over a dummy classifier on two worker processes of this machine: CPU of
           the searching process for each fold (proposing, sending, collecting, telling; with
           Dask also the scheduler, which runs in this process here), and the time until the
           workers have data of 8 and 200 MB. scikit-learn's RandomizedSearchCV on the same
           engine through joblib, in the same run, stands next to it.
simulated  W workers, folds of log-normal duration (sigma 0.5), one coordinator that spends the
           measured CPU on each result before the worker gets its next fold, with the number of
           folds in flight that the executor keeps. Share of the workers' time spent on folds.
"""

import argparse
import heapq
import logging
import time
import warnings
from contextlib import contextmanager

import joblib
import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import RandomizedSearchCV

from sklearn_hpt import LogRandomSearchCV

SPACE = {"random_state": list(range(100_000)), "constant": [0, 1]}


def data(megabytes):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((int(megabytes * 2**20 / 8 / 50), 50))
    return X, (X[:, 0] > 0).astype(int)


def ours(n_iter):
    model = DummyClassifier(strategy="constant")
    return LogRandomSearchCV(model, SPACE, n_iter=n_iter, random_state=0, refit=False)


def sklearns(n_iter):
    model = DummyClassifier(strategy="constant")
    return RandomizedSearchCV(model, SPACE, n_iter=n_iter, random_state=0, refit=False, n_jobs=-1)


def timed(search, X, y):
    """Return CPU and wall time of a fit, in seconds."""
    used, started = time.process_time(), time.perf_counter()
    search.fit(X, y)
    return time.process_time() - used, time.perf_counter() - started


@contextmanager
def dask_engine():
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster),
        joblib.parallel_config("dask"),
    ):
        yield


@contextmanager
def ray_engine():
    import ray
    from ray.util.joblib import register_ray

    register_ray()
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error")
    try:
        with joblib.parallel_config("ray"):
            yield
    finally:
        ray.shutdown()


def measure(engine, n_iter):
    """Print what an engine costs here; return the CPU per fold in seconds."""
    X, y = data(0.1)
    with engine():
        ours(4).fit(X, y), sklearns(4).fit(X, y)  # start the workers
        costs = {}
        for name, make in (("ours", ours), ("sklearn", sklearns)):
            runs = [timed(make(n_iter), X, y) for _ in range(3)]
            costs[name] = [1e3 * t / (5 * n_iter) for t in np.median(runs, axis=0)]
        sent = []
        for megabytes in (8, 200):
            runs = [timed(ours(1), *data(megabytes))[1] for _ in range(3)]
            sent.append(np.median(runs))
    name = engine.__name__.partition("_")[0]
    for which, (used, waited) in costs.items():
        print(f"{name:5} {which:8} {used:14.2f} {waited:15.2f} {1e3 / waited:13.0f}", end="")
        print("".join(f"{t:11.2f}" for t in sent) if which == "ours" else "")
    return costs["ours"][0] / 1e3


def use_of_workers(n_workers, fold_seconds, coordinator_seconds, n_folds):
    """Return the share of the workers' time that is spent on folds."""
    rng = np.random.default_rng(0)
    spread = 0.5
    durations = fold_seconds * np.exp(rng.normal(-(spread**2) / 2, spread, n_folds))
    in_flight = (3 if fold_seconds < 0.1 else 1) * n_workers + 1
    free_at = [0.0] * n_workers  # when each worker is done with what it was sent
    finishes: list[float] = []
    clock = 0.0  # of the coordinator
    for sent, duration in enumerate(durations):
        if sent >= in_flight:
            clock = max(clock, heapq.heappop(finishes))
        clock += coordinator_seconds
        done = max(heapq.heappop(free_at), clock) + duration
        heapq.heappush(free_at, done)
        heapq.heappush(finishes, done)
    return durations.sum() / (n_workers * max(free_at))


def simulate(name, coordinator_seconds):
    sizes = (2, 8, 32, 128, 512, 2048)
    print(f"\n{name}, {1e3 * coordinator_seconds:.2f} ms of the coordinator for each fold")
    print("fold, s " + "".join(f"{f'W={w}':>9}" for w in sizes))
    for seconds in (0.01, 0.1, 1.0, 10.0, 60.0):
        shares = [use_of_workers(w, seconds, coordinator_seconds, 40 * w) for w in sizes]
        print(f"{seconds:7g} " + "".join(f"{share:9.2f}" for share in shares))


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a fifth of the load")
    quick = parser.parse_args().quick
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    head = f"{'':5} {'':8} {'CPU ms a fold':>14} {'time ms a fold':>15} {'folds a second':>14}"
    print(head + f"{'8 MB, s':>10} {'200 MB, s':>10}")
    costs = {}
    for name, engine in (("Dask", dask_engine), ("Ray", ray_engine)):
        try:
            costs[name] = measure(engine, 100 if quick else 500)
        except ImportError as error:
            print(f"{name}: {error}")
    for name, cost in costs.items():
        simulate(name, cost)


if __name__ == "__main__":
    main()
