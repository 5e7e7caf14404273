"""The one loop that runs every search: ask, recall or evaluate, record, tell."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from sklearn_hpt._evaluation import Stages, Task
from sklearn_hpt._executors import Executor
from sklearn_hpt._journal import Journal
from sklearn_hpt._resources import StateFolder
from sklearn_hpt._results import deciding_scores, mean_score
from sklearn_hpt._trial import FoldResult, Proposal, Trial, derived_seed
from sklearn_hpt.samplers import Sampler
from sklearn_hpt.samplers._base import LearnsSeconds
from sklearn_hpt.search._agenda import Agenda

StopReason = Literal["budget", "exhausted", "timeout", "callback"]

_BLOCK_SECONDS = 1.0
_WORTH_A_KILL = 0.5  # seconds: a shorter task ends sooner than a new worker has its data


class Observer:
    """Hears of every evaluation, in the thread that runs the search; does nothing with it."""

    def task_begins(self, trial: int, fold: int) -> Any:
        """Return a context for the candidate's own fit, or None."""

    def task_ends(self, trial: int, fold: int, result: FoldResult) -> bool:
        """Return True to ask the search to stop."""
        return False

    def task_recalled(self, trial: int, fold: int, result: FoldResult) -> bool:
        """Hear of an evaluation that an earlier session did; return True to stop."""
        return False

    def trial_closed(self, trial: Trial) -> None:
        """Hear that a trial has its status; a raced one may be opened and closed once more."""


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
    states : StateFolder or None
        Where fitted candidates wait for more of the resource.
    full_resource : int or None
        The amount after which nothing more is bought.
    changes_params : bool
        Whether candidates change while they are trained: proposals come in rounds, and any of
        them continues any trial of the round before, with other hyperparameters.
    """

    n_trials: int
    n_splits: int
    seed: int
    deciding_metric: str | None = None
    raise_failures: bool = False
    deadline: float | None = None
    candidate_timeout: float | None = None
    states: StateFolder | None = None
    full_resource: int | None = None
    changes_params: bool = False
    keeps_best: bool = False


class SearchLoop:
    """Runs a search on an executor; `trials` holds what is known at any time.

    A sampler is asked for proposal k when it has been told of the trials up to k - lookahead,
    and of no others, in the order of their proposals. What it proposes therefore does not
    depend on the number of workers or on which of them is faster.

    The agenda says which folds come next and when a candidate is finished. Candidates are
    proposed in blocks that take about a second, so that workers slice a large data set once
    for each fold of a block. Slow candidates are proposed one by one, so that little is
    unfinished when a search is interrupted.

    To resume a search is to run it again: what the journal recalls of a proposed candidate
    counts as evaluated. The executor is started when the first evaluation is missing.
    """

    def __init__(
        self,
        sampler: Sampler,
        agenda: Agenda,
        start_executor: Callable[[], Executor],
        journal: Journal,
        settings: LoopSettings,
        observers: Sequence[Observer] = (),
        after_tell: Callable[[Trial, float], Any] | None = None,
    ) -> None:
        self.trials: list[Trial] = []
        self.stop_reason: StopReason = "budget"
        self._sampler = sampler
        self._agenda = agenda
        self._start_executor = start_executor
        self._executor: Executor | None = None
        self._journal = journal
        self._settings = settings
        self.observers = list(observers)
        self._after_tell = after_tell
        self._stop_asked = False
        self._running: set[tuple[int, int]] = set()
        self._n_closed = 0  # without a gap
        self._n_told = 0
        self._with_state: list[Trial] = []
        self._n_results = 0
        self._seconds = 0.0

    def run(self) -> None:
        """Search until the budget, the space or the time is spent, or a callback stops it."""
        try:
            is_over = False
            while not is_over:
                is_over = not self._step() and not self._reopen()
            self._forget_running(set(self._running))
            self._tell_up_to(len(self.trials))
        finally:
            if self._executor is not None:
                self._executor.close()

    def _step(self) -> bool:
        """Hand out tasks and take in results; return False if there is nothing left to do."""
        if not self._stop_asked and self._time_left() == 0.0:
            self.stop_reason = "timeout"
            return False
        self._submit_tasks()
        if self._stop_asked:
            self.stop_reason = "callback"
            return False
        executor = self._executor
        if executor is None or (not self._running and executor.n_free() > 0):
            return False
        self._record(executor.wait(self._time_left()))
        return True

    def _reopen(self) -> bool:
        """Go on with candidates that the agenda wants to complete after all."""
        if self.stop_reason in ("timeout", "callback"):
            return False
        reopened = self._agenda.reopen()
        for trial in reopened:
            self._journal.reopen(trial)
        self._after_closing([trial for trial in reopened if self._agenda.settle(trial)])
        return bool(reopened)

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
            task = self._next_task()
            if task is None or self._stop_asked:
                return
            if self._executor is None:
                self._executor = self._start_executor()
            self._submit(self._executor, *task)

    def _next_task(self) -> tuple[Trial, int] | None:
        while not self._stop_asked:
            task = self._agenda.next_needed()
            if task is None and not (self._may_ask() and self._agenda.has_room(self._capacity())):
                task = self._agenda.next_likely()
            if task is not None or not self._may_ask():
                return task
            self._propose_block()
        return None

    def _capacity(self) -> int:
        n_free = 1 if self._executor is None else self._executor.n_free()
        return len(self._running) + n_free

    def _propose_block(self) -> None:
        block: list[Trial] = []
        while len(block) < self._block_size() and self._may_ask():
            trial = self._propose()
            if trial is None:
                self.stop_reason = "exhausted"
                break
            block.append(trial)
        self._after_closing(self._agenda.add(block))

    def _propose(self) -> Trial | None:
        asked = self._sampler.ask()
        if asked is None:
            return None
        proposal = asked if isinstance(asked, Proposal) else Proposal(asked)
        trial = Trial(
            len(self.trials),
            proposal.params,
            resource=proposal.resource,
            continues=proposal.continues,
            round=proposal.round,
        )
        if self._settings.changes_params:
            self._begin_round(trial)
            self._with_state.append(trial)
        self.trials.append(trial)
        self._recall(trial)
        return trial

    def _begin_round(self, trial: Trial) -> None:
        """Drop the states that nobody goes on from when the first of a new round is proposed."""
        if trial.round is None or not self.trials or self.trials[-1].round == trial.round:
            return
        best = self.best_so_far() if self._settings.keeps_best else None
        for earlier in self._with_state:
            if (earlier.round or 0) <= trial.round - 2 and earlier is not best:
                self._forget_state(earlier.number)
        self._with_state = [
            one for one in self._with_state if (one.round or 0) > trial.round - 2 or one is best
        ]

    def best_so_far(self) -> Trial | None:
        """Return the complete trial with the best score, the first of equals."""
        complete = [one for one in self.trials if one.status == "complete"]
        return max(
            complete,
            key=lambda one: (mean_score(one, self._settings.deciding_metric), -one.number),
            default=None,
        )

    def _forget_state(self, number: int) -> None:
        if self._settings.states is not None:
            self._settings.states.forget(number, self._settings.n_splits)

    def _may_ask(self) -> bool:
        """Tell the sampler what it is due, and say whether it can propose with that."""
        n_asked = len(self.trials)
        if n_asked >= self._settings.n_trials or self.stop_reason == "exhausted":
            return False
        while (lookahead := self._sampler.lookahead) is not None:
            if n_asked - self._n_closed >= lookahead:
                return False
            n_told = self._n_told
            self._tell_up_to(n_asked - lookahead + 1)
            if self._stop_asked:
                return False
            if self._n_told <= n_told:  # else the lookahead may have changed
                return True
        return True

    def _block_size(self) -> int:
        if not self._n_results:
            return 1
        candidate_seconds = self._settings.n_splits * self._seconds / self._n_results
        n_candidates = int(_BLOCK_SECONDS / (candidate_seconds + 1e-6))
        return max(1, min(n_candidates, self._agenda.largest_block))

    def _submit(self, executor: Executor, trial: Trial, fold: int) -> None:
        contexts = [observer.task_begins(trial.number, fold) for observer in self.observers]
        self._running.add((trial.number, fold))
        callback_ctx = next((ctx for ctx in contexts if ctx is not None), None)
        executor.submit(self.task_of(trial, fold, callback_ctx))

    def task_of(self, trial: Trial, fold: int, callback_ctx: Any = None) -> Task:
        """Return what evaluates a trial on a fold."""
        limit = self._settings.candidate_timeout
        return Task(
            trial.number,
            fold,
            trial.params,
            seed=derived_seed(self._settings.seed, trial.number, fold),
            time_limit=None if limit is None else max(limit - trial.seconds, 0.0),
            callback_ctx=callback_ctx,
            stages=self._stages(trial, fold),
        )

    def _stages(self, trial: Trial, fold: int) -> Stages | None:
        """Return how a trial is trained to its amount of the resource."""
        if trial.resource is None:
            return None
        states, lineage = self._settings.states, self.lineage(trial)
        params = tuple(one.params for one in lineage) if self._settings.changes_params else None
        amounts = tuple(one.resource for one in lineage if one.resource is not None)
        seeds = tuple(derived_seed(self._settings.seed, one.number, fold) for one in lineage)
        if states is None:
            return Stages(amounts, seeds, params)
        before = None if trial.continues is None else states.file(trial.continues, fold)
        is_last = trial.resource == self._settings.full_resource
        after = (
            None if is_last and not self._settings.keeps_best else states.file(trial.number, fold)
        )
        return Stages(amounts, seeds, params, before, after)

    def lineage(self, trial: Trial) -> list[Trial]:
        """Return the trials that this one continues, and itself, from the first."""
        found = [trial]
        while found[0].continues is not None:
            found.insert(0, self.trials[found[0].continues])
        return found

    # record and tell

    def _recall(self, trial: Trial) -> None:
        """Take in what an earlier session has evaluated."""
        for result in self._journal.recall(trial):
            if self._settings.raise_failures and result.failure is not None:
                continue  # the caller may have removed its cause: it is tried again
            self._take_in(trial, result)
            for observer in self.observers:
                self._stop_asked |= bool(observer.task_recalled(trial.number, result.fold, result))

    def _record(self, results: Sequence[FoldResult]) -> None:
        """Keep all results before anything else is done, since each step may raise."""
        expected = []
        for result in results:
            # not given up, and not twice: once given up, once asked for again
            if (result.trial, result.fold) in self._running:
                self._running.remove((result.trial, result.fold))
                self._take_in(self.trials[result.trial], result)
                expected.append(result)
        for result in expected:
            self._journal.add(self.trials[result.trial], result)
        for result in expected:
            self._react(self.trials[result.trial], result)

    def _react(self, trial: Trial, result: FoldResult) -> None:
        for observer in self.observers:
            self._stop_asked |= bool(observer.task_ends(result.trial, result.fold, result))
        self._after_closing(self._agenda.settle(trial))
        if not self._agenda.drops_folds:  # else it is not known yet whether the fold counts
            self._raise_failure_of(trial)

    def _raise_failure_of(self, trial: Trial) -> None:
        for _, result in sorted(trial.results.items()):
            if self._settings.raise_failures and result.failure is not None:
                raise _to_raise(result)

    def _take_in(self, trial: Trial, result: FoldResult) -> None:
        trial.results[result.fold] = result
        self._n_results += 1
        self._seconds += result.fit_time + result.score_time

    def _after_closing(self, closed: Sequence[Trial]) -> None:
        for trial in closed:
            self._raise_failure_of(trial)
            self._abandon(trial)
            if len(trial.results) < self._settings.n_splits or trial.status == "timeout":
                self._journal.stop(trial)
            if trial.continues is not None and not self._settings.changes_params:
                self._forget_state(trial.continues)
            for observer in self.observers:
                observer.trial_closed(trial)
        while self._n_closed < len(self.trials) and self.trials[self._n_closed].status is not None:
            self._n_closed += 1

    def _abandon(self, trial: Trial) -> None:
        """Give up what still runs of a closed trial."""
        tasks = {task for task in self._running if task[0] == trial.number}
        if not tasks:
            return
        is_worth_it = self._seconds / self._n_results > _WORTH_A_KILL
        if self._executor is not None and (trial.status == "timeout" or is_worth_it):
            self._executor.cancel(trial.number)
        self._forget_running(tasks)

    def _forget_running(self, tasks: set[tuple[int, int]]) -> None:
        self._running -= tasks
        for number, fold in sorted(tasks):
            for observer in self.observers:  # hears of the end of what it heard begin
                observer.task_ends(number, fold, FoldResult(number, fold))

    def _tell_up_to(self, n_trials: int) -> None:
        """Tell the sampler of the first so many trials, as far as they are closed."""
        n_due = max(min(n_trials, self._n_closed), 0)
        for trial in self.trials[self._n_told : n_due]:
            scores = self._fold_scores(trial)
            if trial.status == "complete":
                score = float(np.mean(scores))
            else:
                score = trial.expected_score
            if isinstance(self._sampler, LearnsSeconds) and trial.results:
                seconds = trial.seconds / len(trial.results) * self._settings.n_splits
                self._sampler.tell_seconds(trial.params, seconds)
            self._sampler.tell(trial.params, score, scores)
            self._n_told += 1
            if self._after_tell is not None and not self._stop_asked:
                self._stop_asked |= bool(self._after_tell(trial, score))

    def _fold_scores(self, trial: Trial) -> list[float]:
        """Return the scores of the folds in order, NaN for those that racing has saved."""
        metric = self._settings.deciding_metric
        saved = math.nan if math.isfinite(trial.expected_score) else None
        scores = []
        for fold in range(self._settings.n_splits):
            result = trial.results.get(fold)
            if result is not None and result.test_scores is not None:
                scores.append(deciding_scores(result, metric)[0])
            elif result is None and saved is not None:
                scores.append(saved)
        return scores


def _to_raise(result: FoldResult) -> BaseException:
    assert result.failure is not None
    error = result.failure.exception
    if error is None:  # it could not be sent from the worker
        return RuntimeError(result.failure.details)
    if error.__traceback__ is None:
        error.add_note(f"In the worker process:\n{result.failure.details}")
    return error
