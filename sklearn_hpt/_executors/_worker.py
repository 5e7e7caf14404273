"""The loop of a worker process: load the plan, then evaluate one task after the other."""

from __future__ import annotations

import os
import pickle
import random
import sys
import warnings
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from typing import Any

import cloudpickle
import numpy as np
from joblib import parallel_config
from sklearn import config_context
from threadpoolctl import threadpool_limits

from sklearn_hpt._evaluation import Evaluator
from sklearn_hpt._executors._payload import load
from sklearn_hpt._trial import FoldResult


@dataclass(frozen=True)
class WorkerSetup:
    """What a worker process takes over from the process that searches.

    Attributes
    ----------
    path, folder : list of str, str
        `sys.path` and the working directory.
    environment : dict
        Environment variables of this worker.
    n_threads : int or None
        Threads that BLAS, OpenMP and torch may use; None leaves them alone.
    memory_limit : int or None
        Bytes of memory that the worker may allocate beyond what it starts with.
    config : dict
        scikit-learn's configuration.
    warning_filters : list
        `warnings.filters`.
    nested_backend : object
        joblib backend for candidates that use joblib themselves.
    plan : bytes
        `Payload` of the evaluation plan.
    cache_bytes : int
        Memory for fold slices.
    """

    path: list[str]
    folder: str
    n_threads: int | None
    memory_limit: int | None
    config: dict[str, Any]
    warning_filters: list[Any]
    nested_backend: Any
    plan: bytes
    cache_bytes: int
    environment: dict[str, str] = field(default_factory=dict)


def work(connection: Connection) -> None:
    """Evaluate what arrives on the connection until it closes.

    The first message is a pickled `WorkerSetup`, answered by None or the text of an error;
    each further one is a pickled task, answered by its `FoldResult`.
    """
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
                task = cloudpickle.loads(connection.recv_bytes())
            except (EOFError, ConnectionError):
                return
            connection.send_bytes(_sendable(evaluate(task)))


def _prepare(setup: WorkerSetup) -> Evaluator:
    os.environ.update(setup.environment)  # before anything looks for a GPU
    sys.path[:] = setup.path
    os.chdir(setup.folder)
    # forks of one process must not share the streams of unseeded estimators
    random.seed()
    np.random.seed()
    evaluate = Evaluator(load(setup.plan), setup.cache_bytes)
    warnings.filters[:] = setup.warning_filters  # type: ignore[index]
    if setup.n_threads is not None:
        _limit_threads(setup.n_threads)
    if setup.memory_limit is not None:
        _limit_memory(setup.memory_limit)
    return evaluate


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


def _sendable(result: FoldResult) -> bytes:
    try:
        return cloudpickle.dumps(result)
    except Exception:
        assert result.failure is not None  # all else in a result is numbers
        return pickle.dumps(replace(result, failure=replace(result.failure, exception=None)))
