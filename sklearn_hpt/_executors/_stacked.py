"""Tasks that train nets of one architecture, in this process and all at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from sklearn_hpt import nets
from sklearn_hpt._evaluation import EvaluationPlan, Task
from sklearn_hpt._executors._protocol import Executor
from sklearn_hpt._stacked_evaluation import Prepared, StackedEvaluator, why_not_stacked
from sklearn_hpt._trial import FoldResult
from sklearn_hpt._warn import warn
from sklearn_hpt.exceptions import TrainerWarning
from sklearn_hpt.nets._stacked_training import OutOfTime
from sklearn_hpt.nets._suitable import are_enough, most_together
from sklearn_hpt.steppers._choice import trained_part

__all__ = ["StackedExecutor", "warn_that_alone", "why_not_stacked"]

_MOST_WAITING = 512  # tasks that are looked through for such as can be trained together
# nets at a time where there is a time limit, since a group that is not done in time is lost
_FIRST_GROUP = 8  # from which their pace is known
_SHARE = 0.25  # of the time that is left


class StackedExecutor:
    """Trains what is of one architecture together, and has the rest evaluated by another executor.

    Parameters
    ----------
    plan : EvaluationPlan
        What is evaluated.
    start_other : callable
        Returns an executor for what is trained alone.
    is_forced : bool
        Whether nets are trained together also where that is slower.
    """

    n_workers = 1

    def __init__(
        self, plan: EvaluationPlan, start_other: Callable[[], Executor], is_forced: bool
    ) -> None:
        self._evaluate = StackedEvaluator(plan)
        self._start_other = start_other
        self._is_forced = is_forced
        self._other: Executor | None = None
        self._waiting: list[Prepared] = []
        self._alone: list[Task] = []
        self._sent: set[tuple[int, int]] = set()  # to the other executor
        self._most: dict[Hashable, int] = {}
        self._pace: dict[Hashable, float] = {}  # seconds of a net for each epoch

    def n_free(self) -> int:
        return _MOST_WAITING - len(self._waiting) - len(self._alone) - len(self._sent)

    def submit(self, task: Task) -> None:
        prepared = self._evaluate.prepared(task)
        if prepared.key is None:
            self._alone.append(task)
        else:
            self._waiting.append(prepared)

    def wait(self, timeout: float | None = None) -> list[FoldResult]:
        started = time.monotonic()
        while self._waiting:
            key = self._waiting[0].key
            most = self._most_of(key)
            group = [one for one in self._waiting if one.key == key][:most]
            if group and (self._is_forced or are_enough(_nets_of(group))):
                group = group[: self._n_in_time(group[0], timeout)]
                try:
                    results = self._evaluate(group, None if timeout is None else started + timeout)
                except OutOfTime:
                    return []
                except Exception as error:  # alone, each fails by itself if it has to
                    self._give_up(key, error)
                else:
                    pace = (time.monotonic() - started) / len(group) / _n_epochs(group[0])
                    self._pace[_architecture(group[0])] = pace
                    self._waiting = [one for one in self._waiting if one not in group]
                    return results
            self._alone += [one.task for one in self._waiting if one.key == key]
            self._waiting = [one for one in self._waiting if one.key != key]
        return self._wait_for_other(timeout)

    def _most_of(self, key: Hashable) -> int:
        """Return how many of a kind are trained together, 0 if they are better trained alone."""
        if key not in self._most:
            first = next(one.estimator for one in self._waiting if one.key == key)
            try:
                with nets.reproducible(first, 0):
                    self._most[key] = most_together(trained_part(first)[0], self._is_forced)
            except Exception:  # it cannot be made, which it will say where it is evaluated
                self._most[key] = 0
        return self._most[key]

    def _n_in_time(self, one: Prepared, timeout: float | None) -> int | None:
        """Return how many like this one are trained together, None for all."""
        if timeout is None:
            return None
        pace = self._pace.get(_architecture(one))
        if pace is None:
            return _FIRST_GROUP
        return max(_FIRST_GROUP, int(_SHARE * timeout / (pace * _n_epochs(one))))

    def _give_up(self, key: Hashable, error: Exception) -> None:
        self._most[key] = 0
        warn_that_alone(str(error).strip().partition("\n")[0].rstrip(". ") or type(error).__name__)

    def _wait_for_other(self, timeout: float | None) -> list[FoldResult]:
        if self._other is None:
            self._other = self._start_other()
        while self._alone and self._other.n_free() > 0:
            task = self._alone.pop(0)
            self._other.submit(task)
            self._sent.add((task.trial, task.fold))
        results = self._other.wait(timeout)
        self._sent -= {(result.trial, result.fold) for result in results}
        return results

    def cancel(self, trial: int) -> None:
        self._waiting = [one for one in self._waiting if one.task.trial != trial]
        self._alone = [task for task in self._alone if task.trial != trial]
        self._sent = {place for place in self._sent if place[0] != trial}
        if self._other is not None:
            self._other.cancel(trial)

    def close(self) -> None:
        self._waiting.clear()
        self._alone.clear()
        if self._other is not None:
            self._other.close()


def _architecture(one: Prepared) -> Hashable:
    assert one.key is not None
    return one.key[0]


def _n_epochs(one: Prepared) -> int:
    """Return how long a net is trained, from where it is."""
    stages = one.task.stages
    if stages is None:
        return max(int(trained_part(one.estimator)[0].max_epochs), 1)
    before = stages.amounts[-2] if stages.state_before is not None else 0
    return max(stages.amounts[-1] - before, 1)


def _nets_of(group: Sequence[Prepared]) -> list[Any]:
    return [trained_part(one.estimator)[0] for one in group]


def warn_that_alone(why: str) -> None:
    """Warn that nets are not trained together."""
    warn(
        f"Each net is trained by itself, since they cannot be trained together: {why}. With "
        "trainer='sequential' there is no such warning.",
        TrainerWarning,
    )
