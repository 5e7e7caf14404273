"""What the executors on cluster engines have in common: futures, and a second try."""

from __future__ import annotations

import logging
import pickle
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

import cloudpickle

from sklearn_hpt._evaluation import Task
from sklearn_hpt._executors._remote import RemoteEvaluator
from sklearn_hpt._trial import Failure, FoldResult
from sklearn_hpt.exceptions import WorkerDiedError

_log = logging.getLogger("sklearn_hpt")

_SHORT_SECONDS = 0.1  # shorter tasks are sent ahead, so that no worker waits for the next
_COUNT_SECONDS = 1.0
_PATIENCE = 30.0


class WorkerLost(Exception):
    """A task has no result because its worker is gone."""


class EngineExecutor(ABC):
    """Evaluates tasks as futures of a cluster engine.

    A task whose worker is lost is sent once more; if that is lost too it has failed, since
    it may be what kills the workers.

    Parameters
    ----------
    remote : RemoteEvaluator
        What is sent to the workers once.
    n_jobs : int or None
        Most tasks at a time; None and -1 are as many as the cluster can run.

    Attributes
    ----------
    n_workers : int
        How many tasks the cluster can run at a time, as of about a second ago.
    """

    def __init__(self, remote: RemoteEvaluator, n_jobs: int | None) -> None:
        self._remote = remote
        self._n_jobs = n_jobs
        self._running: dict[Any, tuple[Task, bool]] = {}
        self._unsent: deque[tuple[Task, bool]] = deque()
        self._done: SimpleQueue[Any] = SimpleQueue()
        self._task_seconds: float | None = None  # running mean
        self._counted = -_COUNT_SECONDS
        self._had_workers = time.monotonic()
        self.n_workers = 0

    # what an engine says

    @abstractmethod
    def _count_slots(self) -> int:
        """Return how many tasks the cluster can run at a time now."""

    @abstractmethod
    def _is_ready(self) -> bool:
        """Tell whether workers have the data now, without waiting for them."""

    @abstractmethod
    def _send(self, message: bytes, on_done: Callable[[Any], None]) -> Any:
        """Send a task; return its handle, with which `on_done` is called in any thread."""

    @abstractmethod
    def _collect(self, handles: list[Any]) -> list[bytes | WorkerLost]:
        """Return the outcome of each of these handles, which are done."""

    @abstractmethod
    def _cancel(self, handles: list[Any]) -> None:
        """Give up tasks; one that runs is ended if the engine can do that."""

    # the protocol of executors

    def n_free(self) -> int:
        self._count()
        is_short = self._task_seconds is not None and self._task_seconds < _SHORT_SECONDS
        # always one more than can run, or an adaptive cluster would never grow
        return self.n_workers * (3 if is_short else 1) + 1 - self._n_waiting()

    def _n_waiting(self) -> int:
        return len(self._running) + len(self._unsent)

    def _count(self) -> None:
        now = time.monotonic()
        if now - self._counted < _COUNT_SECONDS:
            return
        n_slots = self._count_slots()
        if n_slots:
            self._had_workers = now
        elif now - self._had_workers > _PATIENCE:
            _log.warning("The cluster has no workers; the search waits for one to join.")
            self._had_workers = now
        most = self._n_jobs
        if most is not None and most < 0:
            most = max(n_slots + 1 + most, 1)
        self.n_workers = n_slots if most is None else min(n_slots, most)
        self._counted = now

    def submit(self, task: Task) -> None:
        self._unsent.append((task, False))
        self._send_all()

    def _send_all(self) -> None:
        while self._unsent and self._has_room() and self._is_ready():
            task, again = self._unsent.popleft()
            handle = self._send(cloudpickle.dumps(task), self._done.put)
            self._running[handle] = task, again

    def _has_room(self) -> bool:
        """Tell whether the next task can go: a second try only to a worker that is idle.

        Behind another task it could be lost with that one, and be blamed for it.
        """
        _, again = self._unsent[0]
        return not again or len(self._running) < max(self.n_workers, 1)

    def wait(self, timeout: float | None = None) -> list[FoldResult]:
        give_up = None if timeout is None else time.monotonic() + timeout
        while True:
            self._send_all()
            results = self._finish(self._next_done(give_up))
            if results or (give_up is not None and time.monotonic() >= give_up):
                return results

    def _next_done(self, give_up: float | None) -> list[Any]:
        patience = _COUNT_SECONDS if self._unsent else _PATIENCE  # then look for workers
        if give_up is not None:
            patience = min(patience, max(give_up - time.monotonic(), 0.0))
        try:
            done = [self._done.get(timeout=patience)]
        except Empty:
            self._count()
            return []
        while not self._done.empty():
            done.append(self._done.get())
        return [handle for handle in done if handle in self._running]  # not those given up

    def _finish(self, handles: list[Any]) -> list[FoldResult]:
        results = []
        for handle, outcome in zip(handles, self._collect(handles), strict=True):
            task, again = self._running.pop(handle)
            if not isinstance(outcome, WorkerLost):
                results.append(self._loaded(outcome))
            elif again:
                results.append(_lost_twice(task, outcome))
            else:
                _log.info("A worker was lost; candidate %d is sent again.", task.trial)
                self._unsent.append((task, True))
        return results

    def _loaded(self, outcome: bytes) -> FoldResult:
        result: FoldResult = pickle.loads(outcome)
        seconds = result.fit_time + result.score_time
        mean = self._task_seconds
        self._task_seconds = seconds if mean is None else 0.8 * mean + 0.2 * seconds
        return result

    def cancel(self, trial: int) -> None:
        self._give_up(
            [handle for handle, (task, _) in self._running.items() if task.trial == trial]
        )

    def close(self) -> None:
        self._unsent.clear()
        self._give_up(list(self._running))

    def _give_up(self, handles: list[Any]) -> None:
        for handle in handles:
            del self._running[handle]
        if handles:
            self._cancel(handles)


def _lost_twice(task: Task, why: WorkerLost) -> FoldResult:
    error = WorkerDiedError(f"two workers were lost while they evaluated this candidate: {why}")
    message = f"WorkerDiedError: {error}"
    return FoldResult(task.trial, task.fold, failure=Failure(message, message, error))
