"""Executor on supervised local processes: what a candidate does to its process, it does alone.

Each worker has a queue. Only the head of a queue is being evaluated, so when a worker dies or
overstays a time limit it is known which task to blame; the others go to another worker.

Tasks may have hints, by which a worker that has evaluated the like is preferred: it has what
they share. No worker is left idle for that.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing.connection import wait as wait_for_connections

import cloudpickle

from sklearn_hpt._evaluation import Task
from sklearn_hpt._executors._launch import Launcher, WorkerHandle, describe_exit
from sklearn_hpt._executors._worker import packed
from sklearn_hpt._trial import Failure, FoldResult
from sklearn_hpt.exceptions import CandidateTimeoutError, WorkerDiedError

_QUEUED_SECONDS = 0.05  # of work are sent ahead, so that workers on short tasks never wait
_MOST_QUEUED = 32
_MOST_QUEUED_BYTES = 2**15  # less than a socket buffers: sending must never block
_MOST_COMPARED = 8  # waiting tasks of which a worker gets the one that suits it best
_MOST_REMEMBERED = 1000  # hints for each worker

Hints = Sequence[Hashable]


@dataclass(frozen=True)
class _Message:
    """A task and what is sent for it."""

    task: Task
    data: bytes
    hints: Hints = ()

    @classmethod
    def of(cls, task: Task, hints: Hints = ()) -> _Message:
        return cls(task, packed(task), hints)


@dataclass
class _Worker:
    """A process and the tasks it was sent, the first of which it evaluates."""

    number: int
    handle: WorkerHandle
    ready: bool = False
    queue: deque[_Message] = field(default_factory=deque)
    head_since: float = 0.0
    seen: dict[Hashable, None] = field(default_factory=dict)

    def remember(self, hints: Hints) -> None:
        self.seen.update(dict.fromkeys(hints))
        while len(self.seen) > _MOST_REMEMBERED:
            del self.seen[next(iter(self.seen))]

    def n_known(self, hints: Hints) -> int:
        """Return how much of what is hinted at, the most of it first, was seen before."""
        known = (len(hints) - i for i, hint in enumerate(hints) if hint in self.seen)
        return next(known, 0)

    @property
    def n_bytes(self) -> int:
        return sum(len(message.data) for message in self.queue)

    def deadline(self) -> float | None:
        limit = self.queue[0].task.time_limit if self.ready and self.queue else None
        return None if limit is None else self.head_since + limit


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
        Called when all workers have ended.
    hints_of : callable, default=None
        Returns what a task has in common with others, what most of it is shared with first.
    """

    def __init__(
        self,
        n_workers: int,
        launcher: Launcher,
        setup_of: Callable[[int], bytes],
        on_close: Callable[[], None],
        hints_of: Callable[[Task], Hints] | None = None,
    ) -> None:
        self.n_workers = n_workers
        self._launcher = launcher
        self._setup_of = setup_of
        self._on_close = on_close
        self._hints_of = hints_of
        self._n_passed_over = 0  # times that the first task waiting was not the next
        self._workers: list[_Worker] = []
        self._backlog: deque[_Message] = deque()
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
        room = (self._depth() - len(w.queue) for w in self._workers if _has_room(w))
        to_choose_from = 0 if self._hints_of is None else min(self.n_workers, _MOST_COMPARED)
        return sum(max(n, 0) for n in room) + to_choose_from - len(self._backlog)

    def _depth(self) -> int:
        """Return how many tasks a worker may have: more than one only if they are short."""
        if self._task_seconds is None:
            return 1
        return min(1 + int(_QUEUED_SECONDS / (self._task_seconds + 1e-6)), _MOST_QUEUED)

    def submit(self, task: Task) -> None:
        self._backlog.append(_Message.of(task, self._hints_of(task) if self._hints_of else ()))
        self._send_backlog()

    def _send_backlog(self) -> None:
        while self._backlog:
            worker, place = self._next_to_send()
            message = self._backlog[place]
            if len(worker.queue) >= self._depth() or not _has_room(worker, message):
                return
            self._n_passed_over = self._n_passed_over + 1 if place else 0
            del self._backlog[place]
            self._send(worker, message)

    def _next_to_send(self) -> tuple[_Worker, int]:
        """Return a worker that a task can best go to, and the task's place in the backlog."""
        shortest = min(self._workers, key=lambda w: len(w.queue))
        if self._hints_of is None or self._n_passed_over >= _MOST_COMPARED * self.n_workers:
            return shortest, 0
        depth = self._depth() if shortest.queue else 1  # the idle come first
        free = [w for w in self._workers if len(w.queue) < depth and _has_room(w)]
        best, chosen = (-math.inf, 0.0, 0.0), (shortest, 0)
        for place, message in enumerate(islice(self._backlog, _MOST_COMPARED)):
            most = max(w.n_known(message.hints) for w in self._workers)
            for worker in free:
                known = worker.n_known(message.hints)
                suits = known - most, known, -len(worker.queue)
                if suits > best and _has_room(worker, message):
                    best, chosen = suits, (worker, place)
        return chosen

    def _send(self, worker: _Worker, message: _Message) -> None:
        if not worker.queue:
            worker.head_since = time.monotonic()
        worker.queue.append(message)
        worker.remember(message.hints)
        try:
            worker.handle.connection.send_bytes(message.data)
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
        while not results or worker.handle.connection.poll():
            try:
                data = worker.handle.connection.recv_bytes()
            except (EOFError, ConnectionError):
                return results + self._replace_dead(worker)
            message = cloudpickle.loads(data)
            if not worker.ready:
                self._finish_setup(worker, message)
                return []
            results.append(self._finish_head(worker, message))
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
        code = worker.handle.end()
        if code is None:  # not by what it evaluated
            self._replace(worker)
            return []
        ended = describe_exit(code)
        if not worker.ready:
            raise WorkerDiedError(
                f"A worker process {ended} before it could evaluate anything; "
                "use n_jobs=1 to see why."
            )
        culprit = worker.queue.popleft().task if worker.queue else None
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
            culprit = worker.queue.popleft().task
            self._replace(worker)
            message = f"stopped after {seconds:.1f} s, its time limit"
            results.append(_unfinished(culprit, CandidateTimeoutError(message), fit_time=seconds))
        return results

    def _replace(self, worker: _Worker) -> None:
        """Put a new process in the place of one that has ended; its tasks go back."""
        self._backlog.extendleft(reversed(worker.queue))
        self._workers[self._workers.index(worker)] = self._launch(worker.number)

    def cancel(self, trial: int) -> None:
        self._backlog = deque(item for item in self._backlog if item.task.trial != trial)
        for worker in list(self._workers):
            if worker.queue and worker.queue[0].task.trial == trial:
                worker.handle.end()
                worker.queue = deque(item for item in worker.queue if item.task.trial != trial)
                self._replace(worker)

    def close(self) -> None:
        try:
            for worker in self._workers:
                worker.handle.end()
        finally:
            self._workers.clear()
            self._backlog.clear()
            self._on_close()


def _has_room(worker: _Worker, message: _Message | None = None) -> bool:
    """Tell whether sending cannot block: only a worker that reads gets a large message."""
    size = 0 if message is None else len(message.data)
    return not worker.queue or worker.n_bytes + size < _MOST_QUEUED_BYTES


def _unfinished(task: Task, error: Exception, fit_time: float = 0.0) -> FoldResult:
    message = f"{type(error).__name__}: {error}"
    timed_out = isinstance(error, CandidateTimeoutError)
    failure = Failure(message, message, error, timed_out)
    return FoldResult(task.trial, task.fold, fit_time=fit_time, failure=failure)
