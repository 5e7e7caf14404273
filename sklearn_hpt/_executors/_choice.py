"""Choose the executor that fits what the user has already set up."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any, Literal

from joblib import effective_n_jobs
from joblib.parallel import get_active_backend

from sklearn_hpt import nets
from sklearn_hpt._evaluation import EvaluationPlan
from sklearn_hpt._executors._dask import DaskExecutor, active_client
from sklearn_hpt._executors._joblib import JoblibExecutor
from sklearn_hpt._executors._local import SerialExecutor, ThreadExecutor
from sklearn_hpt._executors._protocol import Executor
from sklearn_hpt._executors._ray import RayExecutor
from sklearn_hpt._executors._remote import RemoteEvaluator
from sklearn_hpt._executors._supervised import start_processes

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
        a net on "cuda" it is one worker for each device, on Dask or Ray all of the cluster.
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
    start_alone = partial(
        _choose_alone,
        plan,
        n_jobs=n_jobs,
        pre_dispatch=pre_dispatch,
        isolate=isolate,
        memory_limit=memory_limit,
    )
    if plan.trainer == "sequential" or not nets.contains_net(plan.estimator):
        return start_alone()
    from sklearn_hpt._executors import _stacked  # which imports torch

    if (why := _stacked.why_not_stacked(plan)) is None and isolate == "always":
        why = "candidate_timeout and memory_limit need processes that can be killed"
    if why is None:
        return _stacked.StackedExecutor(plan, start_alone, plan.trainer == "batched")
    _stacked.warn_that_alone(why)
    return start_alone()


def _choose_alone(
    plan: EvaluationPlan,
    *,
    n_jobs: int | None,
    pre_dispatch: int | str,
    isolate: Isolation,
    memory_limit: int | None,
) -> Executor:
    """Return an executor that evaluates each task by itself."""
    backend, of_config = get_active_backend()
    kind = type(backend).__name__
    if n_jobs != 1 and (engine := _engine(backend)):
        remote = RemoteEvaluator(plan, isolate=isolate == "always", memory_limit=memory_limit)
        return engine(remote, of_config if n_jobs is None else n_jobs)
    if kind in ("DaskDistributedBackend", "RayBackend"):
        kind = "LokyBackend"  # n_jobs=1 stays here
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
        return start_processes(
            plan,
            n_workers,
            backend.get_nested_backend()[0],
            devices=devices,
            memory_limit=memory_limit,
        )
    if n_workers == 1 and (local or kind == "ThreadingBackend"):
        return SerialExecutor(plan)
    if kind == "ThreadingBackend":
        return ThreadExecutor(plan, n_workers, backend.get_nested_backend()[0])
    return JoblibExecutor(plan, n_workers, n_jobs, pre_dispatch)


def _engine(backend: Any) -> Any:
    """Return what starts the executor of the cluster engine in use, None if there is none."""
    kind = type(backend).__name__
    if kind == "RayBackend":
        return RayExecutor
    client = backend.client if kind == "DaskDistributedBackend" else None
    if client is None and kind == "LokyBackend" and not _is_chosen():
        client = active_client()
    return None if client is None else lambda remote, n_jobs: DaskExecutor(remote, n_jobs, client)


def _is_chosen() -> bool:
    """Tell whether the user has named the joblib backend: only another one gives way to threads."""
    return type(get_active_backend(prefer="threads")[0]).__name__ == "LokyBackend"
