"""What a search evaluates next, and when a candidate is finished."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from typing import Protocol

from sklearn_hpt._results import outcome
from sklearn_hpt._trial import FoldResult, Trial

TaskKey = tuple[Trial, int]


class Agenda(Protocol):
    """Chooses among the folds of the proposed candidates, and closes those that are done.

    What it decides may depend on the results and on the numbers of the candidates, never on
    which worker was faster.

    Attributes
    ----------
    largest_block : int
        How many candidates may be proposed at a time.
    drops_folds : bool
        Whether a fold that was evaluated may turn out not to count.
    """

    largest_block: int
    drops_folds: bool

    def add(self, block: Sequence[Trial]) -> list[Trial]:
        """Take in candidates, with what is recalled of them; return those closed by that."""

    def next_needed(self) -> TaskKey | None:
        """Hand out a fold that is needed in any case."""

    def next_likely(self) -> TaskKey | None:
        """Hand out a fold that may turn out not to be needed."""

    def has_room(self, capacity: int) -> bool:
        """Tell whether a new candidate is preferred to a fold that may not be needed.

        Parameters
        ----------
        capacity : int
            How many tasks the executor takes at a time.
        """

    def settle(self, trial: Trial) -> list[Trial]:
        """React to a new result of a trial; return the trials that are closed by it."""

    def reopen(self) -> list[Trial]:
        """Open trials again that are to be completed at the end of the search."""


class FullAgenda:
    """Every fold of every candidate, fold by fold within a block.

    Parameters
    ----------
    n_splits : int
        Number of folds.
    deciding_metric : str or None
        Of several metrics, the one that decides.
    candidate_timeout : float or None
        Seconds for the folds of one candidate together.
    """

    largest_block = 32
    drops_folds = False

    def __init__(
        self, n_splits: int, deciding_metric: str | None, candidate_timeout: float | None
    ) -> None:
        self._n_splits = n_splits
        self._metric = deciding_metric
        self._limit = candidate_timeout
        self._ready: deque[TaskKey] = deque()

    def add(self, block: Sequence[Trial]) -> list[Trial]:
        closed = [trial for trial in block if self.settle(trial)]
        self._ready.extend(
            (trial, fold)
            for fold in range(self._n_splits)
            for trial in block
            if trial.status is None and fold not in trial.results
        )
        return closed

    def next_needed(self) -> TaskKey | None:
        while self._ready:
            trial, fold = self._ready.popleft()
            if trial.status is None:
                return trial, fold
        return None

    def next_likely(self) -> TaskKey | None:
        return None

    def has_room(self, capacity: int) -> bool:
        return True

    def settle(self, trial: Trial) -> list[Trial]:
        if trial.status is not None:
            return []
        if is_overdue(trial.results.values(), self._limit):
            trial.close("timeout", overdue_message(self._limit))
        elif len(trial.results) == self._n_splits:
            trial.close(*outcome(trial, self._metric))
        return [] if trial.status is None else [trial]

    def reopen(self) -> list[Trial]:
        return []


def is_overdue(results: Collection[FoldResult], limit: float | None) -> bool:
    """Tell whether these folds of a candidate together took longer than its limit in seconds."""
    if any(r.failure is not None and r.failure.timed_out for r in results):
        return True
    return limit is not None and sum(r.fit_time + r.score_time for r in results) > limit


def overdue_message(limit: float | None) -> str:
    """Return the error of a candidate that took too long."""
    return f"took longer than candidate_timeout={limit} seconds"
