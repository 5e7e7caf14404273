"""Start supervised processes for a plan: what they are sent, and with which settings."""

from __future__ import annotations

import os
import warnings
from collections.abc import Hashable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import cloudpickle
from joblib.parallel import get_active_backend
from sklearn import get_config

from sklearn_hpt import nets
from sklearn_hpt._evaluation import CACHE_BYTES, EvaluationPlan, Task
from sklearn_hpt._executors._launch import (
    import_path,
    make_launcher,
    user_limits_threads,
    worker_environment,
)
from sklearn_hpt._executors._payload import Payload
from sklearn_hpt._executors._processes import ProcessExecutor
from sklearn_hpt._executors._worker import WorkerSetup
from sklearn_hpt._prefix_cache import PREFIX_CACHE_BYTES, prefix_hints


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


def start_processes(
    plan: EvaluationPlan,
    n_workers: int,
    nested_backend: Any,
    *,
    devices: list[str],
    memory_limit: int | None,
    prefix_bytes: int = PREFIX_CACHE_BYTES,
) -> ProcessExecutor:
    """Return an executor whose workers have the plan.

    Parameters
    ----------
    plan : EvaluationPlan
        What is evaluated.
    n_workers : int
        Number of processes.
    nested_backend : joblib backend
        What a candidate that uses joblib itself runs on.
    devices : list of str
        Devices over which nets are spread; empty if there are none.
    memory_limit : int or None
        Bytes that a worker may allocate.
    prefix_bytes : int, default=512 MiB
        Memory for what first steps of Pipelines made, of all workers together.

    Raises
    ------
    TypeError
        If the plan cannot be pickled.
    """
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
        setup = _setup(payload, n_workers, nested_backend, memory_limit, prefix_bytes)
        return ProcessExecutor(
            n_workers,
            launcher,
            partial(_setup_of, setup, devices),
            on_close,
            partial(_hints, plan.estimator, plan.has_stages) if plan.keeps_first_steps else None,
        )
    except BaseException:
        on_close()
        raise


def _setup(
    payload: Payload,
    n_workers: int,
    nested_backend: Any,
    memory_limit: int | None,
    prefix_bytes: int,
) -> WorkerSetup:
    return WorkerSetup(
        path=import_path(),
        folder=os.getcwd(),
        environment=worker_environment(),
        n_threads=threads_per_worker(),
        memory_limit=memory_limit,
        config=get_config(),
        warning_filters=_sendable_filters(),
        nested_backend=nested_backend,
        plan=payload.data,
        cache_bytes=CACHE_BYTES // n_workers,
        prefix_bytes=prefix_bytes // n_workers,
    )


def _hints(estimator: Any, has_stages: bool, task: Task) -> Sequence[Hashable]:
    """Return by which tasks are best kept together on a worker."""
    n_rows = None if has_stages or task.stages is None else task.stages.amounts[-1]
    return prefix_hints(estimator, task.params, (task.fold, n_rows))


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
