"""The one loop that runs every search: ask, recall or evaluate, record, tell."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from sklearn_hpt._evaluation import Task
from sklearn_hpt._executors import Executor
from sklearn_hpt._journal import Journal
from sklearn_hpt._results import deciding_scores, outcome
from sklearn_hpt._trial import FoldResult, Trial, derived_seed
from sklearn_hpt.samplers import Sampler

StopReason = Literal["budget", "exhausted", "timeout", "callback"]

_BLOCK_SECONDS = 1.0
_LARGEST_BLOCK = 32


class Observer(Protocol):
    """What hears of every evaluation, in the thread that runs the search."""

    def task_begins(self, trial: int, fold: int) -> Any:
        """Return a context for the candidate's own fit, or None."""

    def task_ends(self, trial: int, fold: int, result: FoldResult) -> bool:
        """Return True to ask the search to stop."""

    def task_recalled(self, trial: int, fold: int, result: FoldResult) -> bool:
        """Hear of an evaluation that an earlier session did; return True to stop."""


@dataclass(frozen=True)
class LoopSettings:
    """What bounds a search. Times in seconds.

    Attributes
    ----------
    n_trials, n_splits : int
        Number of candidates, and of folds for each.
    seed : int
        Seed of the search.
    deciding_metric : str or None
        Of several metrics, the one that decides.
    raise_failures : bool
        Whether the first failure ends the search.
    deadline : float or None
        When the search ends at the latest, in the time of `time.monotonic`.
    candidate_timeout : float or None
        Time for the folds of one candidate together.
    """

    n_trials: int
    n_splits: int
    seed: int
    deciding_metric: str | None = None
    raise_failures: bool = False
    deadline: float | None = None
    candidate_timeout: float | None = None


class SearchLoop:
    """Runs a search on an executor; `trials` holds what is known at any time.

    A sampler is told results in the order of its proposals, and asked for proposal k when it
    has been told of the trials up to k - lookahead. What it proposes therefore does not
    depend on the number of workers or on which of them is faster.

    Tasks are handed out in blocks of as many candidates as take about a second, fold by fold,
    so that workers slice a large data set once for each fold of a block. Slow candidates are
    handed out one by one, so that little is unfinished when a search is interrupted.

    To resume a search is to run it again: what the journal recalls of a proposed candidate
    counts as evaluated. The executor is started when the first evaluation is missing.
    """

    def __init__(
        self,
        sampler: Sampler,
        start_executor: Callable[[], Executor],
        journal: Journal,
        settings: LoopSettings,
        observers: Sequence[Observer] = (),
    ) -> None:
        self.trials: list[Trial] = []
        self.stop_reason: StopReason = "budget"
        self._sampler = sampler
        self._start_executor = start_executor
        self._executor: Executor | None = None
        self._journal = journal
        self._settings = settings
        self.observers = list(observers)
        self._stop_asked = False
        self._ready: deque[tuple[Trial, int]] = deque()
        self._running: set[tuple[int, int]] = set()
        self._n_told = 0
        self._n_results = 0
        self._seconds = 0.0

    def run(self) -> None:
        """Search until the budget, the space or the time is spent, or a callback stops it."""
        try:
            while self._running or self._ready or self._may_ask():
                if self._time_left() == 0.0:
                    self.stop_reason = "timeout"
                    break
                self._submit_tasks()
                if self._executor is not None and self._running:
                    self._record(self._executor.wait(self._time_left()))
                if self._stop_asked:
                    self.stop_reason = "callback"
                    break
            self._forget_running(set(self._running))
        finally:
            if self._executor is not None:
                self._executor.close()

    def close(self, why: str) -> None:
        """Drop trials that never started and mark the unfinished ones as stopped."""
        self.trials = [trial for trial in self.trials if trial.status or trial.results]
        for trial in self.trials:
            if trial.status is None:
                trial.close("stopped", why)

    def _time_left(self) -> float | None:
        deadline = self._settings.deadline
        return None if deadline is None else max(deadline - time.monotonic(), 0.0)

    # suggest

    def _submit_tasks(self) -> None:
        while self._executor is None or self._executor.n_free() > 0:
            while not self._ready and self._may_ask() and not self._stop_asked:
                self._propose_block()
            if not self._ready or self._stop_asked:
                return
            if self._executor is None:
                self._executor = self._start_executor()
            self._submit(self._executor, *self._ready.popleft())

    def _propose_block(self) -> None:
        block: list[Trial] = []
        while len(block) < self._block_size() and self._may_ask():
            params = self._sampler.ask()
            if params is None:
                self.stop_reason = "exhausted"
                break
            trial = Trial(len(self.trials), params)
            self.trials.append(trial)
            block.append(trial)
            self._recall(trial)
        self._ready.extend(
            (trial, fold)
            for fold in range(self._settings.n_splits)
            for trial in block
            if trial.status is None and fold not in trial.results
        )

    def _may_ask(self) -> bool:
        n_asked, lookahead = len(self.trials), self._sampler.lookahead
        if n_asked >= self._settings.n_trials or self.stop_reason == "exhausted":
            return False
        return lookahead is None or n_asked - self._n_told < lookahead

    def _block_size(self) -> int:
        if not self._n_results:
            return 1
        candidate_seconds = self._settings.n_splits * self._seconds / self._n_results
        return max(1, min(int(_BLOCK_SECONDS / (candidate_seconds + 1e-6)), _LARGEST_BLOCK))

    def _submit(self, executor: Executor, trial: Trial, fold: int) -> None:
        limit = self._settings.candidate_timeout
        contexts = [observer.task_begins(trial.number, fold) for observer in self.observers]
        self._running.add((trial.number, fold))
        executor.submit(
            Task(
                trial.number,
                fold,
                trial.params,
                seed=derived_seed(self._settings.seed, trial.number, fold),
                time_limit=None if limit is None else max(limit - trial.seconds, 0.0),
                callback_ctx=next((ctx for ctx in contexts if ctx is not None), None),
            )
        )

    # record and tell

    def _recall(self, trial: Trial) -> None:
        """Take in what an earlier session has evaluated."""
        for result in self._journal.recall(trial):
            if self._settings.raise_failures and result.failure is not None:
                continue  # the caller may have removed its cause: it is tried again
            self._take_in(trial, result)
            for observer in self.observers:
                self._stop_asked |= bool(observer.task_recalled(trial.number, result.fold, result))
        if trial.results:
            self._close_if_done(trial)
            self._tell()

    def _record(self, results: Sequence[FoldResult]) -> None:
        """Keep all results before anything else is done, since each step may raise."""
        expected = [r for r in results if (r.trial, r.fold) in self._running]  # not given up
        for result in expected:
            self._running.remove((result.trial, result.fold))
            self._take_in(self.trials[result.trial], result)
        for result in expected:
            self._journal.add(self.trials[result.trial], result)
        for result in expected:
            self._react(self.trials[result.trial], result)

    def _react(self, trial: Trial, result: FoldResult) -> None:
        for observer in self.observers:
            self._stop_asked |= bool(observer.task_ends(result.trial, result.fold, result))
        if self._settings.raise_failures and result.failure is not None:
            raise _to_raise(result)
        if trial.status is None:
            self._close_if_done(trial)
        self._tell()

    def _take_in(self, trial: Trial, result: FoldResult) -> None:
        trial.results[result.fold] = result
        self._n_results += 1
        self._seconds += result.fit_time + result.score_time

    def _close_if_done(self, trial: Trial) -> None:
        limit = self._settings.candidate_timeout
        timed_out = any(
            r.failure is not None and r.failure.timed_out for r in trial.results.values()
        )
        if timed_out or (limit is not None and trial.seconds > limit):
            self._give_up(trial, f"took longer than candidate_timeout={limit} seconds")
        elif len(trial.results) == self._settings.n_splits:
            trial.close(*outcome(trial, self._settings.deciding_metric))

    def _give_up(self, trial: Trial, why: str) -> None:
        trial.close("timeout", why)
        self._journal.stop(trial)
        self._ready = deque(item for item in self._ready if item[0] is not trial)
        if self._executor is not None:
            self._executor.cancel(trial.number)
        self._forget_running({task for task in self._running if task[0] == trial.number})

    def _forget_running(self, tasks: set[tuple[int, int]]) -> None:
        self._running -= tasks
        for number, fold in sorted(tasks):
            for observer in self.observers:  # hears of the end of what it heard begin
                observer.task_ends(number, fold, FoldResult(number, fold))

    def _tell(self) -> None:
        while self._n_told < len(self.trials) and self.trials[self._n_told].status is not None:
            trial = self.trials[self._n_told]
            scores = self._fold_scores(trial)
            score = float(np.mean(scores)) if trial.status == "complete" else math.nan
            self._sampler.tell(trial.params, score, scores)
            self._n_told += 1

    def _fold_scores(self, trial: Trial) -> list[float]:
        metric = self._settings.deciding_metric
        in_order = (trial.results[fold] for fold in sorted(trial.results))
        return [
            deciding_scores(result, metric)[0]
            for result in in_order
            if result.test_scores is not None
        ]


def _to_raise(result: FoldResult) -> BaseException:
    assert result.failure is not None
    error = result.failure.exception
    if error is None:  # it could not be sent from the worker
        return RuntimeError(result.failure.details)
    if error.__traceback__ is None:
        error.add_note(f"In the worker process:\n{result.failure.details}")
    return error
