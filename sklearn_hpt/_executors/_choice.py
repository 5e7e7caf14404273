"""Choose the executor that fits what the user has already set up."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import cloudpickle
from joblib import effective_n_jobs
from joblib.parallel import get_active_backend
from sklearn import get_config

from sklearn_hpt import nets
from sklearn_hpt._evaluation import CACHE_BYTES, EvaluationPlan
from sklearn_hpt._executors._joblib import JoblibExecutor
from sklearn_hpt._executors._launch import (
    import_path,
    make_launcher,
    user_limits_threads,
    worker_environment,
)
from sklearn_hpt._executors._local import SerialExecutor, ThreadExecutor
from sklearn_hpt._executors._payload import Payload
from sklearn_hpt._executors._processes import ProcessExecutor
from sklearn_hpt._executors._protocol import Executor
from sklearn_hpt._executors._worker import WorkerSetup

Isolation = Literal["no", "if possible", "always"]


def choose_executor(
    plan: EvaluationPlan,
    *,
    n_jobs: int | None,
    pre_dispatch: int | str,
    isolate: Isolation = "no",
    memory_limit: int | None = None,
) -> Executor:
    """Return the executor for a search.

    Parameters
    ----------
    plan : EvaluationPlan
        What will be evaluated.
    n_jobs : int or None
        As in scikit-learn. None is 1, or what an active `joblib.parallel_config` says; for
        a net on "cuda" it is one worker for each device.
    pre_dispatch : int or str
        Passed on to joblib where a joblib backend runs the tasks.
    isolate : {"no", "if possible", "always"}, default="no"
        Whether candidates are in processes of their own even with one worker, because one
        may have to be killed.
    memory_limit : int, default=None
        Bytes that a worker may allocate.

    Raises
    ------
    ValueError
        If candidates must be isolated always and the active joblib backend cannot do that.
    """
    backend, _ = get_active_backend()
    kind = type(backend).__name__
    # threads within a worker are joblib's choice, threads outside are the user's
    nested = kind == "ThreadingBackend" and (backend.nesting_level or 0) > 0 and isolate != "no"
    local = nested or kind in ("LokyBackend", "SequentialBackend")
    can_isolate = local and sys.platform != "win32"
    if isolate == "always" and not can_isolate:
        raise ValueError(
            "candidate_timeout and memory_limit need worker processes that can be killed, which "
            f"the joblib backend {kind} on {sys.platform} has not; leave the backend out (n_jobs "
            "then starts local processes), or set both to None."
        )
    devices = nets.cuda_devices() if nets.runs_on_cuda(plan.estimator) else []
    n_workers = len(devices) if devices and n_jobs in (None, -1) else effective_n_jobs(n_jobs)
    if nested or kind == "SequentialBackend":
        n_workers = 1
    if can_isolate and (n_workers > 1 or isolate != "no"):
        return _start_processes(plan, n_workers, backend, devices, memory_limit)
    if n_workers == 1 and (local or kind == "ThreadingBackend"):
        return SerialExecutor(plan)
    if kind == "ThreadingBackend":
        return ThreadExecutor(plan, n_workers, backend.get_nested_backend()[0])
    return JoblibExecutor(plan, n_workers, n_jobs, pre_dispatch)


def threads_per_worker() -> int | None:
    """Return how many threads one worker may use: 1, or what the user has set.

    None leaves it to the environment variables that the user has set.
    """
    backend, _ = get_active_backend()
    chosen = getattr(backend, "inner_max_num_threads", None)
    if chosen is None and user_limits_threads():
        of_environment = os.environ.get("OMP_NUM_THREADS", "")
        return int(of_environment) if of_environment.isdigit() else None
    return chosen or 1


def _start_processes(
    plan: EvaluationPlan,
    n_workers: int,
    backend: Any,
    devices: list[str],
    memory_limit: int | None,
) -> ProcessExecutor:
    launcher = make_launcher(_modules_of(plan))
    try:
        payload = Payload(plan)
    except Exception as error:
        raise TypeError(
            "The estimator, the data or the scoring cannot be sent to a worker process "
            f"({type(error).__name__}: {error}); use n_jobs=1 without timeouts, or "
            "joblib.parallel_config('threading')."
        ) from error

    def on_close() -> None:
        payload.delete()
        with suppress(OSError):
            launcher.forget(payload.folders)

    try:
        launcher.keep(payload.folders)
        setup = _setup(payload, n_workers, backend, memory_limit)
        return ProcessExecutor(n_workers, launcher, partial(_setup_of, setup, devices), on_close)
    except BaseException:
        on_close()
        raise


def _setup(payload: Payload, n_workers: int, backend: Any, memory_limit: int | None) -> WorkerSetup:
    return WorkerSetup(
        path=import_path(),
        folder=os.getcwd(),
        environment=worker_environment(),
        n_threads=threads_per_worker(),
        memory_limit=memory_limit,
        config=get_config(),
        warning_filters=_sendable_filters(),
        nested_backend=backend.get_nested_backend()[0],
        plan=payload.data,
        cache_bytes=CACHE_BYTES // n_workers,
    )


def _setup_of(setup: WorkerSetup, devices: list[str], worker: int) -> bytes:
    """Return the first message to a worker, with the device whose turn it is."""
    if devices:
        visible = {"CUDA_VISIBLE_DEVICES": devices[worker % len(devices)]}
        setup = replace(setup, environment={**setup.environment, **visible})
    return cloudpickle.dumps(setup)


def _modules_of(plan: EvaluationPlan) -> Iterable[str]:
    """Name the modules that workers need to load the plan."""
    parts = [plan.estimator, plan.X, plan.y]
    if hasattr(plan.estimator, "get_params"):
        parts += plan.estimator.get_params(deep=True).values()
    modules = {getattr(part, "__module__", None) or type(part).__module__ for part in parts}
    if nets.contains_net(plan.estimator):
        modules |= {"torch", "skorch"}
    return modules - {"__main__", "builtins"}


def _sendable_filters() -> list[bytes]:
    filters = []
    for item in warnings.filters:
        with suppress(Exception):
            filters.append(cloudpickle.dumps(item))
    return filters
