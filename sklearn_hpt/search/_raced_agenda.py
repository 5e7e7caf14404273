"""The folds of a search that stops candidates which are behind.

**What is decided does not depend on the workers.** Candidates are closed in the order of their
numbers, and the fate of one is a function of its scores in the drawn order of the folds and of
the candidates before it, as if they were evaluated one after the other.

**What is evaluated when does.** With several workers the folds of later candidates are
evaluated before the earlier ones are closed, as far as they still look good by what is known.
The best candidate rarely changes, so little is in vain; what is, stays in the journal and as
`Trial.spare`, and does not count.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sklearn_hpt._results import deciding_scores, fold_error, outcome
from sklearn_hpt._trial import Status, Trial
from sklearn_hpt.racing import RacingPolicy, Standings
from sklearn_hpt.search._agenda import TaskKey, is_overdue, overdue_message

_MOST_VERIFICATIONS = 3


@dataclass(frozen=True)
class Verdict:
    """How a candidate ends: after how many of its folds, and why."""

    n_folds: int
    status: Status
    error: str = ""


class RacedAgenda:
    """Folds of one candidate after the other, until it is complete or its race is lost.

    Candidates race against those with the same resource.

    Parameters
    ----------
    policy : RacingPolicy
        What decides whether a candidate is stopped.
    fold_order : sequence of int
        The order in which folds are evaluated.
    maximum : float or None
        The best score that the metric can give.
    deciding_metric : str or None
        Of several metrics, the one that is raced on.
    candidate_timeout : float or None
        Seconds for the folds of one candidate together.
    """

    largest_block = 1
    drops_folds = True

    def __init__(
        self,
        policy: RacingPolicy,
        fold_order: Sequence[int],
        maximum: float | None,
        deciding_metric: str | None,
        candidate_timeout: float | None,
    ) -> None:
        self._policy = policy
        self._order = list(fold_order)
        self._maximum = maximum
        self._metric = deciding_metric
        self._limit = candidate_timeout
        self._trials: list[Trial] = []
        self._n_closed = 0
        self._n_checked = 0  # folds of the first open trial after which it was not stopped
        self._standings: dict[int | None, Standings] = {}
        self._ready: deque[TaskKey] = deque()
        self._handed_out: set[tuple[int, int]] = set()
        self._running: dict[int, Trial] = {}  # open, and not expected to be stopped
        self._verified: dict[int, Trial] = {}
        self._n_verifications = 0

    # hand out

    def add(self, block: Sequence[Trial]) -> list[Trial]:
        for trial in block:
            self._trials.append(trial)
            self._running[trial.number] = trial
            if not trial.results:
                self._want(trial, self._order[:1])
        return self._close_in_order()

    def next_needed(self) -> TaskKey | None:
        while self._ready:
            trial, fold = self._ready.popleft()
            if trial.status is None:
                return trial, fold
        return None

    def next_likely(self) -> TaskKey | None:
        fewest = math.inf
        best: TaskKey | None = None
        for trial in self._running.values():
            free = [f for f in self._order if f not in trial.results and not self._is_out(trial, f)]
            n_out = len(self._order) - len(trial.results) - len(free)
            if free and n_out < fewest:
                fewest, best = n_out, (trial, free[0])
        if best is not None:
            self._handed_out.add((best[0].number, best[1]))
        return best

    def has_room(self, capacity: int) -> bool:
        return len(self._running) < 2 * capacity

    def _is_out(self, trial: Trial, fold: int) -> bool:
        return (trial.number, fold) in self._handed_out

    def _want(self, trial: Trial, folds: Sequence[int]) -> None:
        for fold in folds:
            if fold not in trial.results and not self._is_out(trial, fold):
                self._handed_out.add((trial.number, fold))
                self._ready.append((trial, fold))

    # decide

    def settle(self, trial: Trial) -> list[Trial]:
        if trial.number in self._verified:
            return self._settle_verified(trial)
        closed = self._close_in_order()
        if trial.status is None and not self._still_promising(trial):
            self._running.pop(trial.number, None)
        return closed

    def _close_in_order(self) -> list[Trial]:
        closed = []
        while self._n_closed < len(self._trials):
            trial = self._trials[self._n_closed]
            verdict = self._verdict(trial)
            if verdict is None:
                self._want_next_of_first(trial)
                break
            self._close(trial, verdict)
            closed.append(trial)
            self._n_closed, self._n_checked = self._n_closed + 1, 0
        return closed

    def _want_next_of_first(self, trial: Trial) -> None:
        missing = [fold for fold in self._order if fold not in trial.results]
        certain = missing[:1] if self._of(trial).has_incumbent else missing
        self._want(trial, certain)

    def _verdict(self, trial: Trial) -> Verdict | None:
        """Return the fate of the first open trial, None while it needs another fold."""
        standings, n_splits = self._of(trial), len(self._order)
        for n in range(self._n_checked + 1, n_splits + 1):
            if self._order[n - 1] not in trial.results:
                return None
            verdict = self._verdict_after(n, trial, standings)
            if verdict is not None:
                return verdict
            self._n_checked = n
        return Verdict(n_splits, *outcome(trial, self._metric))

    def _verdict_after(self, n: int, trial: Trial, standings: Standings) -> Verdict | None:
        if self._is_overdue(trial, n):
            return Verdict(n, "timeout", overdue_message(self._limit))
        if not standings.has_incumbent or n == len(self._order):
            return None
        error = fold_error(trial.results[self._order[n - 1]], self._metric)
        if error:
            return Verdict(n, "failed", error)
        if standings.should_stop(self._scores(trial, n)):
            behind = f"lost its race after {n} of {len(self._order)} folds"
            return Verdict(n, "stopped", behind)
        return None

    def _still_promising(self, trial: Trial) -> bool:
        """Tell whether an open trial would go on by what is known now."""
        n = self._n_in_order(trial)
        standings = self._of(trial)
        if not standings.has_incumbent or n == 0:
            return True
        if any(fold_error(trial.results[f], self._metric) for f in self._order[:n]):
            return False
        return n == len(self._order) or not standings.should_stop(self._scores(trial, n))

    def _close(self, trial: Trial, verdict: Verdict) -> None:
        standings = self._of(trial)
        used = self._order[: verdict.n_folds]
        trial.spare = {f: r for f, r in trial.results.items() if f not in used}
        trial.results = {f: r for f, r in trial.results.items() if f in used}
        trial.close(verdict.status, verdict.error)
        self._running.pop(trial.number, None)
        if trial.status in ("complete", "stopped"):
            scores = self._scores(trial, verdict.n_folds)
            if trial.status == "stopped":
                trial.expected_score = standings.expected_mean(scores)
            standings.add(scores, is_complete=trial.status == "complete")

    # verify

    def reopen(self) -> list[Trial]:
        """Open the stopped trials again that came closest to the winner.

        If one of them turns out to be better, those closest to it follow.
        """
        share = getattr(self._policy, "verify", 0.0)
        if not share or not self._trials or self._n_verifications == _MOST_VERIFICATIONS:
            return []
        finals = self._finals()
        standings = self._of(finals[0])
        if not self._take_in_verified(standings) or not standings.has_incumbent:
            return []
        self._n_verifications += 1
        closeness = {
            trial.number: standings.closeness(self._scores(trial))
            for trial in finals
            if trial.status == "stopped"
        }
        may_win = [trial for trial in finals if closeness.get(trial.number, -math.inf) > -math.inf]
        may_win.sort(key=lambda trial: -closeness[trial.number])
        chosen = may_win[: math.ceil(share * len(finals))]
        for trial in chosen:
            self._reopen(trial)
        return chosen

    def _finals(self) -> list[Trial]:
        """Return the trials that had all of the resource: the others cannot win."""
        most = max(self._trials, key=lambda t: math.inf if t.resource is None else t.resource)
        return [trial for trial in self._trials if trial.resource == most.resource]

    def _take_in_verified(self, standings: Standings) -> bool:
        """Add what the last verification has completed; return whether another one is due."""
        if not self._n_verifications:
            return True
        changed = False
        for _, trial in sorted(self._verified.items()):
            if trial.status == "complete":
                changed |= standings.add(self._scores(trial), is_complete=True)
        self._verified.clear()
        return changed

    def _reopen(self, trial: Trial) -> None:
        trial.status, trial.error = None, ""
        trial.results.update(trial.spare)
        trial.spare = {}
        self._verified[trial.number] = trial
        self._handed_out -= {(trial.number, fold) for fold in self._order}
        self._want(trial, self._order)

    def _settle_verified(self, trial: Trial) -> list[Trial]:
        if trial.status is not None:
            return []
        if self._is_overdue(trial, self._n_in_order(trial)):
            trial.close("timeout", overdue_message(self._limit))
        elif len(trial.results) == len(self._order):
            trial.close(*outcome(trial, self._metric))
        return [] if trial.status is None else [trial]

    # look up

    def _of(self, trial: Trial) -> Standings:
        if trial.resource not in self._standings:
            self._standings[trial.resource] = Standings(self._policy, self._maximum)
        return self._standings[trial.resource]

    def _scores(self, trial: Trial, n_folds: int | None = None) -> list[float]:
        folds = (f for f in self._order[:n_folds] if f in trial.results)
        return [_score(trial, fold, self._metric) for fold in folds]

    def _n_in_order(self, trial: Trial) -> int:
        """Return how many folds are evaluated before the first missing one."""
        return next(
            (n for n, fold in enumerate(self._order) if fold not in trial.results),
            len(self._order),
        )

    def _is_overdue(self, trial: Trial, n_folds: int) -> bool:
        return is_overdue([trial.results[f] for f in self._order[:n_folds]], self._limit)


def _score(trial: Trial, fold: int, metric: str | None) -> float:
    return deciding_scores(trial.results[fold], metric)[0]


def fold_order(n_splits: int, seed: int) -> list[int]:
    """Return the order in which the folds of a search with this seed are raced."""
    rng = np.random.default_rng([seed, n_splits])
    return [int(fold) for fold in rng.permutation(n_splits)]
