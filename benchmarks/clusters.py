"""How far a search scales on Dask and Ray: what one coordinator can do, and what follows.

    python benchmarks/clusters.py [--quick]

measured   searches on two worker processes of this machine: CPU of the searching process for
           each fold (proposing, sending, collecting, telling; with Dask also the scheduler,
           which runs in this process here), for folds of a millisecond, which travel in
           bundles, and for folds that sleep 0.15 s, which travel alone; and the time until the
           workers have data of 8 and 200 MB. scikit-learn's RandomizedSearchCV on the same
           engine through joblib, in the same run, stands next to it. What the engine uses in
           this process while nothing happens (heartbeats) is subtracted.
simulated  W workers, folds of log-normal duration (sigma 0.5), one coordinator that spends the
           measured CPU on each bundle and fold, with the bundles and the number of them ahead
           that the executor uses. Share of the workers' time that is spent on folds.
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


class Sleeping(DummyClassifier):
    """Takes a while without using the processor."""

    def __init__(self, *, strategy="constant", random_state=None, constant=None, seconds=0.0):
        super().__init__(strategy=strategy, random_state=random_state, constant=constant)
        self.seconds = seconds

    def fit(self, X, y):
        time.sleep(self.seconds)
        return super().fit(X, y)


def ours(n_iter, seconds=0.0):
    model = Sleeping(seconds=seconds)
    return LogRandomSearchCV(model, SPACE, n_iter=n_iter, random_state=0, refit=False)


def sklearns(n_iter, seconds=0.0):
    model = Sleeping(seconds=seconds)
    return RandomizedSearchCV(model, SPACE, n_iter=n_iter, random_state=0, refit=False, n_jobs=-1)


def timed(search, X, y):
    """Return CPU and wall time of a fit, in seconds."""
    used, started = time.process_time(), time.perf_counter()
    search.fit(X, y)
    return time.process_time() - used, time.perf_counter() - started


def cpu_of_waiting(seconds):
    """Return the CPU that the engine uses in this process while nothing happens, as a share."""
    used = time.process_time()
    time.sleep(seconds)
    return (time.process_time() - used) / seconds


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
    """Print what an engine costs here; return the CPU of a lone fold and of a bundled one."""
    X, y = data(0.1)
    with engine():
        ours(4).fit(X, y), sklearns(4).fit(X, y)  # start the workers
        idle = cpu_of_waiting(5.0)
        costs = {}
        for name, make in (("ours", ours), ("sklearn", sklearns)):
            quick = np.median([timed(make(n_iter), X, y) for _ in range(3)], axis=0)
            alone = np.median([timed(make(n_iter // 10, 0.15), X, y) for _ in range(3)], axis=0)
            quick[0] -= idle * quick[1]
            alone[0] -= idle * alone[1]
            costs[name] = [*1e3 * quick / (5 * n_iter), 1e3 * alone[0] / (n_iter // 2)]
        sent = []
        for megabytes in (8, 200):
            runs = [timed(ours(1), *data(megabytes))[1] for _ in range(3)]
            sent.append(np.median(runs))
    name = engine.__name__.partition("_")[0]
    for which, (used, waited, alone) in costs.items():
        print(f"{name:5} {which:8} {used:14.2f} {1e3 / waited:15.0f} {alone:16.2f}", end="")
        print("".join(f"{t:11.2f}" for t in sent) if which == "ours" else "")
    used, _, alone = costs["ours"]
    return alone / 1e3, used / 1e3


def use_of_workers(n_workers, fold_seconds, bundle_cost, fold_cost):
    """Return the share of the workers' time that is spent on folds.

    The coordinator spends `bundle_cost` seconds on each bundle and `fold_cost` on each fold.
    """
    size = max(1, min(int(0.1 / fold_seconds), 20))
    n_bundles = 40 * n_workers
    rng = np.random.default_rng(0)
    spread = 0.5
    folds = fold_seconds * np.exp(rng.normal(-(spread**2) / 2, spread, (n_bundles, size)))
    in_flight = (3 if fold_seconds < 0.1 else 1) * n_workers + 1
    free_at = [0.0] * n_workers  # when each worker is done with what it was sent
    finishes: list[float] = []
    clock = 0.0  # of the coordinator
    for sent, duration in enumerate(folds.sum(axis=1)):
        if sent >= in_flight:
            clock = max(clock, heapq.heappop(finishes))
        clock += bundle_cost + size * fold_cost
        done = max(heapq.heappop(free_at), clock) + duration
        heapq.heappush(free_at, done)
        heapq.heappush(finishes, done)
    return folds.sum() / (n_workers * max(free_at))


def simulate(name, alone, bundled):
    """Print the use of the workers, from the CPU of a lone fold and of one in a bundle of 20."""
    sizes = (2, 8, 32, 128, 512, 2048)
    fold_cost = max(bundled - alone / 20, 0.0)
    bundle_cost = alone - fold_cost
    print(f"\n{name}: {1e3 * bundle_cost:.2f} ms for a bundle, {1e3 * fold_cost:.2f} for a fold")
    print("fold, s " + "".join(f"{f'W={w}':>9}" for w in sizes))
    for seconds in (0.01, 0.1, 1.0, 10.0, 60.0):
        shares = [use_of_workers(w, seconds, bundle_cost, fold_cost) for w in sizes]
        print(f"{seconds:7g} " + "".join(f"{share:9.2f}" for share in shares))


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a fifth of the load")
    quick = parser.parse_args().quick
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    print(f"{'CPU ms, quick':>29} {'folds a second':>15} {'CPU ms, 0.15 s':>16}", end="")
    print(f"{'8 MB, s':>11}{'200 MB, s':>11}")
    costs = {}
    for name, engine in (("Dask", dask_engine), ("Ray", ray_engine)):
        try:
            costs[name] = measure(engine, 100 if quick else 500)
        except ImportError as error:
            print(f"{name}: {error}")
    for name, cost in costs.items():
        simulate(name, *cost)


if __name__ == "__main__":
    main()
