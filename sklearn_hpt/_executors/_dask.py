"""Executor on a Dask cluster, with its own futures instead of joblib's batches."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Any

import cloudpickle

from sklearn_hpt._executors._engine import DataLost, EngineExecutor, WorkerLost
from sklearn_hpt._executors._remote import RemoteEvaluator

_PREFIX = "sklearn_hpt-"
_GONE = ("cancelled", "lost", "error")  # with the last worker that had it


def active_client() -> Any:
    """Return the Dask client that is active in this process, None if there is none.

    Inside a Dask task there is none: a search in a task is to run in that task.
    """
    distributed = sys.modules.get("distributed")
    if distributed is None or _is_in_task(distributed):
        return None
    with suppress(ValueError):
        client = distributed.Client.current()
        return client if client.status == "running" and not client.asynchronous else None
    return None


def _is_in_task(distributed: Any) -> bool:
    with suppress(ValueError):
        distributed.get_worker()
        return True
    return False


def _evaluate(bundle: list[bytes], remote: RemoteEvaluator) -> list[bytes]:
    return remote(bundle)


def _nothing() -> None:
    pass


class DaskExecutor(EngineExecutor):
    """Evaluates tasks on the workers of a Dask cluster.

    Parameters
    ----------
    remote : RemoteEvaluator
        What is sent to the workers once.
    n_jobs : int or None
        Most tasks at a time; None and -1 are as many as the cluster has threads.
    client : distributed.Client
        The connection to the cluster.
    """

    def __init__(self, remote: RemoteEvaluator, n_jobs: int | None, client: Any) -> None:
        super().__init__(remote, n_jobs)
        import distributed
        from distributed.comm import CommClosedError

        self._distributed = distributed
        # what a scatter raises; KeyError with the address of a worker that is gone
        self._while_workers_die = TimeoutError, distributed.TimeoutError, CommClosedError, KeyError
        self._client = client
        self._name = _PREFIX + uuid.uuid4().hex[:12]
        self._n_sent = 0
        self._seceded = _is_in_task(distributed)
        if self._seceded:  # gives its thread free for the tasks that it waits for
            distributed.secede()
        _leave_losses_to_us(client)
        self._scattered: Any = None
        self._needed: dict[Any, Any] = {}  # what has been scattered for each future
        self._wake_up: Any = None
        self._most_threads = 1

    def _is_ready(self) -> bool:
        if self._scattered is not None and self._scattered.status not in _GONE:
            return True
        if not self._count_slots():
            if self._wake_up is None:  # an adaptive cluster starts a worker for a task
                self._wake_up = self._client.submit(_nothing, pure=False)
            return False
        try:
            self._scattered = self._client.scatter(self._remote, broadcast=True, hash=False)
        except self._while_workers_die:
            return False
        except Exception as error:
            raise self._explained(error) from error
        self._wake_up = None
        return True

    def _explained(self, error: Exception) -> Exception:
        try:
            cloudpickle.dumps(self._remote)
        except Exception as reason:
            return TypeError(
                "The estimator, the data or the scoring cannot be sent to a Dask worker "
                f"({type(reason).__name__}: {reason}); use n_jobs=1."
            )
        return _not_evaluated(error)

    def _count_slots(self) -> int:
        workers = self._client.scheduler_info(n_workers=-1).get("workers")
        if workers is None:
            raise RuntimeError(
                f"The search has lost its Dask cluster (the client is {self._client.status}): it "
                "was closed, or its scheduler is gone. Fit again with a new client; a search "
                "with a journal goes on where it was."
            )
        threads = [worker["nthreads"] for worker in workers.values()]
        self._most_threads = max(self._most_threads, *threads, 1)
        return sum(threads)

    def _shares_workers(self) -> bool:
        return self._most_threads > 1

    def _send(self, bundles: list[list[bytes]], on_done: Callable[[Any], None]) -> list[Any]:
        keys = [f"{self._name}-{self._n_sent + number}" for number in range(len(bundles))]
        self._n_sent += len(bundles)
        futures = self._client.map(
            _evaluate,
            bundles,
            remote=self._scattered,
            key=keys,
            pure=False,
            priority=-self._n_sent,  # what is sent first runs first
        )
        self._needed.update(dict.fromkeys(futures, self._scattered))
        for future in futures:
            future.add_done_callback(on_done)
        return futures

    def _collect(self, handles: list[Any]) -> list[list[bytes] | Exception]:
        finished = [future for future in handles if future.status == "finished"]
        try:
            results = dict(zip(finished, self._client.gather(finished), strict=True))
        except Exception:  # one was lost on the way; which one is found one by one
            results = {}
        outcomes = [
            results[future] if future in results else self._outcome(future) for future in handles
        ]
        self._forget(handles)
        return outcomes

    def _outcome(self, future: Any) -> list[bytes] | Exception:
        try:
            # not raised: the client keeps the exception, which would keep this search
            error = future.exception()
            if error is None:
                return future.result()
        except CancelledError:
            # what it needs is gone, which the client may not know yet
            if self._scattered is self._needed.get(future):
                self._scattered = None
            return DataLost("Dask lost the data that it needs")
        if isinstance(error, self._distributed.KilledWorker):
            return WorkerLost("Dask reports KilledWorker")
        return _not_evaluated(error)

    def _cancel(self, handles: list[Any]) -> None:
        self._client.cancel(handles)  # one that runs goes on to its end, unheard
        self._forget(handles)

    def _forget(self, futures: list[Any]) -> None:
        """Have the client forget them: the error that one may hold has frames with the search."""
        for future in futures:
            self._needed.pop(future, None)
            future.release()

    def close(self) -> None:
        super().close()
        self._scattered = self._wake_up = None
        self._needed.clear()
        if self._seceded:
            self._distributed.rejoin()


def _not_evaluated(error: Any) -> RuntimeError:
    return RuntimeError(
        f"A Dask worker could not evaluate a task ({type(error).__name__}: {error}); make sure "
        "that sklearn_hpt and what the estimator needs are installed there in the same versions."
    )


def _leave_losses_to_us(client: Any) -> None:
    """Have the scheduler not repeat a task of a search whose worker is lost.

    Dask would send a task that kills its worker to three more. The plugin counts each task
    of a search as having lost as many workers as Dask allows, so that the next loss is final
    and the search hears of it. A scheduler that takes no plugins repeats the task three times.
    """
    from distributed.diagnostics.plugin import SchedulerPlugin

    prefix = _PREFIX

    class LossesAreFinal(SchedulerPlugin):  # local, so that it is sent with its code
        idempotent = True

        def update_graph(self, scheduler: Any, *, keys: Any, **kwargs: Any) -> None:
            for key in keys:
                if isinstance(key, str) and key.startswith(prefix) and key in scheduler.tasks:
                    scheduler.tasks[key].suspicious = scheduler.allowed_failures

    with suppress(Exception):
        client.register_plugin(LossesAreFinal(), name="sklearn_hpt")
