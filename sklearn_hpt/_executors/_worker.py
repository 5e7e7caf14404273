"""The loop of a worker process: load the plan, then evaluate one task after the other."""

from __future__ import annotations

import os
import pickle
import random
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from traceback import format_exc
from typing import Any

import cloudpickle
import numpy as np
from joblib import parallel_config
from sklearn import config_context
from threadpoolctl import threadpool_limits

from sklearn_hpt._evaluation import Evaluator, Task
from sklearn_hpt._executors._payload import load
from sklearn_hpt._trial import Failure, FoldResult


@dataclass(frozen=True)
class WorkerSetup:
    """What a worker process takes over from the process that searches.

    Attributes
    ----------
    path, folder : list of str, str
        `sys.path` and the working directory.
    environment : dict
        All environment variables of this worker.
    n_threads : int or None
        Threads that BLAS, OpenMP and torch may use; None leaves them alone.
    memory_limit : int or None
        Bytes of memory that the worker may allocate beyond what it starts with.
    config : dict
        scikit-learn's configuration.
    warning_filters : list of bytes
        Each item of `warnings.filters`, pickled: a category may not be found.
    nested_backend : object
        joblib backend for candidates that use joblib themselves.
    plan : bytes
        `Payload` of the evaluation plan.
    cache_bytes : int
        Memory for fold slices.
    prefix_bytes : int
        Memory for what the first steps of Pipelines made of them.
    """

    path: list[str]
    folder: str
    environment: dict[str, str]
    n_threads: int | None
    memory_limit: int | None
    config: dict[str, Any]
    warning_filters: list[bytes]
    nested_backend: Any
    plan: bytes
    cache_bytes: int
    prefix_bytes: int


def work(connection: Connection) -> None:
    """Evaluate what arrives on the connection until it closes.

    The first message is a pickled `WorkerSetup`, answered by None or the text of an error;
    each further one is a pickled task, answered by its `FoldResult`.
    """
    # a process that a candidate forks must not keep the connection open after its end
    os.register_at_fork(after_in_child=connection.close)
    try:
        setup: WorkerSetup = cloudpickle.loads(connection.recv_bytes())
        evaluate = _prepare(setup)
    except EOFError:
        return
    except Exception as error:
        connection.send(f"{type(error).__name__}: {error}")
        return
    connection.send(None)
    with config_context(**setup.config), parallel_config(backend=setup.nested_backend):
        while True:
            try:
                message = connection.recv_bytes()
            except (EOFError, ConnectionError):
                return
            connection.send_bytes(sendable(evaluated(message, evaluate)))


def packed(task: Task) -> bytes:
    """Return a task as a message.

    Its numbers are outside, so that one that cannot be loaded can still be answered.
    """
    return pickle.dumps((task.trial, task.fold, cloudpickle.dumps(task)))


def evaluated(message: bytes, evaluate: Callable[[Task], FoldResult]) -> FoldResult:
    """Return the result of a task that was packed; a failure if it cannot be loaded here."""
    trial, fold, data = pickle.loads(message)
    try:
        task = cloudpickle.loads(data)
    except Exception as error:
        what = f"its parameters could not be loaded: {type(error).__name__}: {error}"
        return FoldResult(trial, fold, failure=Failure(what, format_exc(), error))
    return evaluate(task)


def _prepare(setup: WorkerSetup) -> Evaluator:
    os.environ.clear()
    os.environ.update(setup.environment)  # before anything looks for a GPU
    sys.path[:] = setup.path
    os.chdir(setup.folder)
    # forks of one process must not share the streams of unseeded estimators
    random.seed()
    np.random.seed()
    evaluate = Evaluator(load(setup.plan), setup.cache_bytes, setup.prefix_bytes)
    warnings.filters[:] = _loaded_filters(setup)  # type: ignore[index]
    if setup.n_threads is not None:
        _limit_threads(setup.n_threads)
    if setup.memory_limit is not None:
        _limit_memory(setup.memory_limit)
    return evaluate


def _loaded_filters(setup: WorkerSetup) -> list[Any]:
    filters = []
    for data in setup.warning_filters:
        with suppress(Exception):
            filters.append(cloudpickle.loads(data))
    return filters


def _limit_threads(n_threads: int) -> None:
    threadpool_limits(n_threads)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(n_threads)


def _limit_memory(n_bytes: int) -> None:
    import resource  # not on Windows

    with open("/proc/self/status") as status:
        in_use = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmData"))
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (in_use + n_bytes, hard))


def sendable(result: FoldResult) -> bytes:
    """Return the pickled result, without its exception if that cannot be loaded again."""
    if result.failure is None or result.failure.exception is None:
        return pickle.dumps(result)
    try:  # some exceptions can be pickled but not loaded again
        data = cloudpickle.dumps(result)
        cloudpickle.loads(data)
        return data
    except Exception:
        return pickle.dumps(replace(result, failure=replace(result.failure, exception=None)))
