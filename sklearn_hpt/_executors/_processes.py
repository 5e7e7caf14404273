"""Executor on supervised local processes: what a candidate does to its process, it does alone.

Each worker has a queue. Only the head of a queue is being evaluated, so when a worker dies or
overstays a time limit it is known which task to blame; the others go to another worker.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import wait as wait_for_connections

import cloudpickle

from sklearn_hpt._evaluation import Task
from sklearn_hpt._executors._launch import Launcher, WorkerHandle, describe_exit
from sklearn_hpt._trial import Failure, FoldResult
from sklearn_hpt.exceptions import CandidateTimeoutError, WorkerDiedError

_QUEUED_SECONDS = 0.05  # of work are sent ahead, so that workers on short tasks never wait
_MOST_QUEUED = 32
_MOST_QUEUED_BYTES = 2**15  # less than a socket buffers: sending must never block


@dataclass
class _Worker:
    """A process and the tasks it was sent, the first of which it evaluates."""

    number: int
    handle: WorkerHandle
    ready: bool = False
    queue: deque[tuple[Task, int]] = field(default_factory=deque)  # with bytes
    head_since: float = 0.0

    @property
    def n_bytes(self) -> int:
        return sum(size for _, size in self.queue)

    def deadline(self) -> float | None:
        if not self.ready or not self.queue or self.queue[0][0].time_limit is None:
            return None
        return self.head_since + self.queue[0][0].time_limit


class ProcessExecutor:
    """Evaluates tasks in processes that are replaced when a task kills them.

    Parameters
    ----------
    n_workers : int
        Number of processes.
    launcher : Launcher
        What starts them.
    setup_of : callable
        Returns the first message, a pickled `WorkerSetup`, for a worker's number.
    on_close : callable
        Called once when all workers have ended.
    """

    def __init__(
        self,
        n_workers: int,
        launcher: Launcher,
        setup_of: Callable[[int], bytes],
        on_close: Callable[[], None],
    ) -> None:
        self.n_workers = n_workers
        self._launcher = launcher
        self._setup_of = setup_of
        self._on_close = on_close
        self._workers: list[_Worker] = []
        self._backlog: deque[Task] = deque()
        self._task_seconds: float | None = None  # running mean
        try:
            for number in range(n_workers):
                self._workers.append(self._launch(number))
        except BaseException:
            self.close()
            raise

    def _launch(self, number: int) -> _Worker:
        handle = self._launcher.launch()
        handle.connection.send_bytes(self._setup_of(number))
        return _Worker(number, handle)

    def n_free(self) -> int:
        free = sum(max(self._depth() - len(w.queue), 0) for w in self._workers if self._has_room(w))
        return free - len(self._backlog)

    def _depth(self) -> int:
        """Return how many tasks a worker may have: more than one only if they are short."""
        if self._task_seconds is None:
            return 1
        return min(1 + int(_QUEUED_SECONDS / (self._task_seconds + 1e-6)), _MOST_QUEUED)

    @staticmethod
    def _has_room(worker: _Worker) -> bool:
        return not worker.queue or worker.n_bytes < _MOST_QUEUED_BYTES

    def submit(self, task: Task) -> None:
        self._backlog.append(task)
        self._send_backlog()

    def _send_backlog(self) -> None:
        while self._backlog:
            worker = min(self._workers, key=lambda w: len(w.queue))
            if len(worker.queue) >= self._depth() or not self._has_room(worker):
                return
            self._send(worker, self._backlog.popleft())

    def _send(self, worker: _Worker, task: Task) -> None:
        message = cloudpickle.dumps(task)
        if not worker.queue:
            worker.head_since = time.monotonic()
        worker.queue.append((task, len(message)))
        try:
            worker.handle.connection.send_bytes(message)
        except ConnectionError:
            pass  # it has died, which `wait` will find

    def wait(self, timeout: float | None = None) -> list[FoldResult]:
        give_up = None if timeout is None else time.monotonic() + timeout
        while True:
            self._send_backlog()
            results = self._collect(give_up) + self._kill_overdue()
            if results or (give_up is not None and time.monotonic() >= give_up):
                return results

    def _collect(self, give_up: float | None) -> list[FoldResult]:
        ends = [deadline for w in self._workers if (deadline := w.deadline()) is not None]
        if give_up is not None:
            ends.append(give_up)
        patience = max(min(ends) - time.monotonic(), 0.0) if ends else None
        by_connection = {worker.handle.connection: worker for worker in self._workers}
        results = []
        for connection in wait_for_connections(list(by_connection), patience):
            results += self._receive(by_connection[connection])  # type: ignore[index]
        return results

    def _receive(self, worker: _Worker) -> list[FoldResult]:
        results: list[FoldResult] = []
        try:
            while not results or worker.handle.connection.poll():
                message = cloudpickle.loads(worker.handle.connection.recv_bytes())
                if worker.ready:
                    results.append(self._finish_head(worker, message))
                else:
                    self._finish_setup(worker, message)
                    return []
        except (EOFError, ConnectionError):
            results += self._replace_dead(worker)
        return results

    def _finish_setup(self, worker: _Worker, complaint: str | None) -> None:
        if complaint is not None:
            raise RuntimeError(
                f"A worker process could not load the estimator or the data: {complaint}. "
                "Make sure that what they need can be imported there, or use n_jobs=1."
            )
        worker.ready = True
        worker.head_since = time.monotonic()

    def _finish_head(self, worker: _Worker, result: FoldResult) -> FoldResult:
        worker.queue.popleft()
        worker.head_since = time.monotonic()
        seconds = result.fit_time + result.score_time
        mean = self._task_seconds
        self._task_seconds = seconds if mean is None else 0.8 * mean + 0.2 * seconds
        return result

    def _replace_dead(self, worker: _Worker) -> list[FoldResult]:
        ended = describe_exit(worker.handle.end())
        if not worker.ready:
            raise WorkerDiedError(
                f"A worker process {ended} before it could evaluate anything; "
                "use n_jobs=1 to see why."
            )
        culprit = worker.queue.popleft()[0] if worker.queue else None
        self._replace(worker)
        if culprit is None:
            return []
        message = f"the process of this candidate {ended}"
        return [_unfinished(culprit, WorkerDiedError(message))]

    def _kill_overdue(self) -> list[FoldResult]:
        results = []
        for worker in list(self._workers):
            deadline = worker.deadline()
            if deadline is None or time.monotonic() < deadline:
                continue
            seconds = time.monotonic() - worker.head_since
            worker.handle.end()
            culprit, _ = worker.queue.popleft()
            self._replace(worker)
            message = f"stopped after {seconds:.1f} s, its time limit"
            results.append(_unfinished(culprit, CandidateTimeoutError(message), fit_time=seconds))
        return results

    def _replace(self, worker: _Worker) -> None:
        """Put a new process in the place of one that has ended; its tasks go back."""
        self._backlog.extendleft(task for task, _ in reversed(worker.queue))
        self._workers[self._workers.index(worker)] = self._launch(worker.number)

    def cancel(self, trial: int) -> None:
        self._backlog = deque(task for task in self._backlog if task.trial != trial)
        for worker in list(self._workers):
            if worker.queue and worker.queue[0][0].trial == trial:
                worker.handle.end()
                worker.queue = deque(item for item in worker.queue if item[0].trial != trial)
                self._replace(worker)

    def close(self) -> None:
        for worker in self._workers:
            worker.handle.end()
        self._workers.clear()
        self._backlog.clear()
        self._on_close()


def _unfinished(task: Task, error: Exception, fit_time: float = 0.0) -> FoldResult:
    message = f"{type(error).__name__}: {error}"
    return FoldResult(
        task.trial, task.fold, fit_time=fit_time, failure=Failure(message, message, error)
    )
