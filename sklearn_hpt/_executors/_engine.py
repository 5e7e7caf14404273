"""What the executors on cluster engines have in common: futures, and a second try."""

from __future__ import annotations

import logging
import math
import pickle
import time
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from typing import Any

from sklearn_hpt._evaluation import Task
from sklearn_hpt._executors._remote import RemoteEvaluator
from sklearn_hpt._executors._worker import packed
from sklearn_hpt._trial import Failure, FoldResult
from sklearn_hpt.exceptions import WorkerDiedError

_log = logging.getLogger("sklearn_hpt")

_SHORT_SECONDS = 0.1  # shorter tasks are sent ahead, so that no worker waits for the next
_BUNDLE_SECONDS, _LARGEST_BUNDLE = 0.1, 20  # short tasks travel together
_COUNT_SECONDS = 1.0
_PATIENCE = 30.0
_MOST_WITHOUT_DATA = 5


class WorkerLost(Exception):
    """A task has no result because its worker is gone."""


class DataLost(WorkerLost):
    """A task was not begun, because the data of the search was lost with another worker."""


class EngineExecutor(ABC):
    """Evaluates tasks as futures of a cluster engine.

    A task whose worker is lost is sent once more; if that is lost too it has failed, since
    it may be what kills the workers. Where a worker evaluates several tasks at a time, either
    may have been lost with another one: there a third and last try is made with nothing else
    running.

    Tasks much shorter than what it costs to send one are sent in bundles, the results of
    which come together; a bundle that turns out to be slow comes back in parts.

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
        self._running: dict[Any, list[Task]] = {}
        self._unsent: deque[Task] = deque()
        self._lost: deque[Task] = deque()
        self._n_lost: Counter[tuple[int, int]] = Counter()
        self._n_without_data: Counter[tuple[int, int]] = Counter()
        self._given_up: set[int] = set()
        self._broken: Exception | None = None
        self._is_alone = False  # what runs is a last try
        self._most: int | None = None  # at a time, None if the cluster is the limit
        self._done: SimpleQueue[Any] = SimpleQueue()
        self._task_seconds: float | None = None  # running mean
        self._seconds_of: dict[int, float] = {}  # of the latest fold of each trial
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
    def _send(self, bundles: list[list[bytes]], on_done: Callable[[Any], None]) -> list[Any]:
        """Send bundles of tasks; return a handle for each, with which `on_done` is called."""

    @abstractmethod
    def _collect(self, handles: list[Any]) -> list[list[bytes] | Exception]:
        """Return the results of each of these bundles, which are done, or what went wrong."""

    @abstractmethod
    def _cancel(self, handles: list[Any]) -> None:
        """Give up bundles; what runs is ended if the engine can do that."""

    # the protocol of executors

    def n_free(self) -> int:
        self._count()
        wanted = self.n_workers * self._n_ahead() * self._bundle_size() + 1
        n_running = sum(map(len, self._running.values()))
        return wanted - n_running - len(self._unsent) - len(self._lost)

    def _n_ahead(self) -> int:
        """Return how many bundles a worker may have: more than one only if they are short."""
        mean = self._task_seconds
        return 3 if mean is not None and mean < _SHORT_SECONDS else 1

    def _bundle_size(self) -> int:
        """Return how many tasks together take long enough to be worth a message."""
        if self._task_seconds is None:
            return 1
        return max(1, min(int(_BUNDLE_SECONDS / (self._task_seconds + 1e-6)), _LARGEST_BUNDLE))

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
        most = None if self._n_jobs == -1 else self._n_jobs
        if most is not None and most < 0:
            most = max(n_slots + 1 + most, 1)
        self._most = most
        self.n_workers = n_slots if most is None else min(n_slots, most)
        self._counted = now

    def submit(self, task: Task) -> None:
        self._unsent.append(task)

    def _send_all(self) -> None:
        """Send what waits and has a place, second tries first."""
        self._is_alone = self._is_alone and bool(self._running)
        if self._is_alone or not (self._unsent or self._lost) or not self._is_ready():
            return
        if bundles := [*self._second_tries(), *self._bundles()]:
            messages = [[packed(task) for task in bundle] for bundle in bundles]
            handles = self._send(messages, self._done.put)
            self._running.update(zip(handles, bundles, strict=True))

    def _second_tries(self) -> Iterator[list[Task]]:
        """Yield the lost tasks for which a worker is idle, each alone.

        Behind another task it could be lost with that one, and be blamed for it. The third is
        made alone, for the same reason.
        """
        for n_running in range(len(self._running), max(self.n_workers, 1)):
            if not self._lost:
                return
            is_last = self._n_lost[_place(self._lost[0])] > 1
            if is_last and n_running:
                return
            self._is_alone = is_last
            yield [self._lost.popleft()]
            if is_last:
                return

    def _bundles(self) -> Iterator[list[Task]]:
        if self._lost or self._is_alone:
            return
        # always one more than can run, or an adaptive cluster would never grow
        n_places = self.n_workers * self._n_ahead() + 1 - len(self._running)
        if self._most is not None:
            n_places = min(n_places, self._most - len(self._running))
        n_idle = self.n_workers - len(self._running)
        for place in range(n_places):
            if not self._unsent:
                return
            # no worker is to wait because another has all
            most = math.ceil(len(self._unsent) / (n_idle - place)) if place < n_idle else None
            yield self._next_bundle(most or _LARGEST_BUNDLE)

    def _next_bundle(self, most: int) -> list[Task]:
        """Return the next task, and what follows while it is known to be short together.

        A candidate shows with its first fold how long it takes; that one travels alone, so
        that no quick result waits for a slow candidate.
        """
        bundle = [self._unsent.popleft()]
        seconds = self._seconds_of.get(bundle[0].trial, math.inf)
        while self._unsent and len(bundle) < min(most, _LARGEST_BUNDLE):
            seconds += self._seconds_of.get(self._unsent[0].trial, math.inf)
            if seconds > _BUNDLE_SECONDS:
                break
            bundle.append(self._unsent.popleft())
        return bundle

    def wait(self, timeout: float | None = None) -> list[FoldResult]:
        give_up = None if timeout is None else time.monotonic() + timeout
        while True:
            if self._broken is not None:
                raise self._broken
            self._send_all()
            results = self._finish(self._next_done(give_up))
            if results or (give_up is not None and time.monotonic() >= give_up):
                return results

    def _next_done(self, give_up: float | None) -> list[Any]:
        waits_for_worker = self._unsent or self._lost
        patience = _COUNT_SECONDS if waits_for_worker else _PATIENCE
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
            bundle = self._running.pop(handle)
            if isinstance(outcome, WorkerLost):
                results += self._lose(bundle, outcome)
            elif isinstance(outcome, Exception):
                self._broken = outcome  # raised when the other results are taken
            else:
                results += map(self._loaded, outcome)
                rest = (task for task in bundle[len(outcome) :] if task.trial not in self._given_up)
                self._unsent.extendleft(reversed([*rest]))
        return results

    def _lose(self, bundle: list[Task], why: WorkerLost) -> list[FoldResult]:
        """Have tasks sent once more; return the failures of those that were already."""
        failed = []
        for task in bundle:
            n_lost = self._count_loss(_place(task), why)
            if n_lost > (2 if self._shares_workers() else 1):
                failed.append(_lost_again(task, n_lost, why))
            else:
                _log.info("A worker was lost; candidate %d is sent again.", task.trial)
                self._lost.append(task)
                self._counted = -_COUNT_SECONDS  # there are fewer workers now
        return failed

    def _count_loss(self, place: tuple[int, int], why: WorkerLost) -> int:
        """Return how many workers a task has lost while it ran, as far as that can be told."""
        if isinstance(why, DataLost) and self._n_without_data[place] < _MOST_WITHOUT_DATA:
            self._n_without_data[place] += 1
        else:
            self._n_lost[place] += 1
        return self._n_lost[place]

    def _shares_workers(self) -> bool:
        """Tell whether a worker may evaluate several tasks at a time."""
        return False

    def _loaded(self, outcome: bytes) -> FoldResult:
        result: FoldResult = pickle.loads(outcome)
        seconds = self._seconds_of[result.trial] = result.fit_time + result.score_time
        mean = self._task_seconds
        self._task_seconds = seconds if mean is None else 0.8 * mean + 0.2 * seconds
        return result

    def cancel(self, trial: int) -> None:
        self._given_up.add(trial)
        self._unsent = deque(task for task in self._unsent if task.trial != trial)
        self._lost = deque(task for task in self._lost if task.trial != trial)
        bundles = self._running.items()  # one with tasks of other trials goes on
        self._give_up(
            [handle for handle, bundle in bundles if {t.trial for t in bundle} == {trial}]
        )

    def close(self) -> None:
        self._unsent.clear()
        self._lost.clear()
        self._give_up(list(self._running))

    def _give_up(self, handles: list[Any]) -> None:
        for handle in handles:
            del self._running[handle]
        if handles:
            self._cancel(handles)


def _place(task: Task) -> tuple[int, int]:
    return task.trial, task.fold


def _lost_again(task: Task, n_lost: int, why: WorkerLost) -> FoldResult:
    number = "two" if n_lost == 2 else "three"
    error = WorkerDiedError(
        f"{number} workers were lost while they evaluated this candidate: {why}"
    )
    message = f"WorkerDiedError: {error}"
    return FoldResult(task.trial, task.fold, failure=Failure(message, message, error))
