"""Executor on whatever joblib backend is active, such as Dask or Ray."""

from __future__ import annotations

from typing import Any

from sklearn.utils.parallel import Parallel, delayed

from sklearn_hpt._evaluation import EvaluationPlan, Evaluator, Task
from sklearn_hpt._trial import FoldResult


def _evaluate_one(plan: EvaluationPlan, task: Task) -> FoldResult:
    return Evaluator(plan)(task)


class JoblibExecutor:
    """Evaluates tasks in batches through `joblib.Parallel`, the one interface all backends have.

    A batch ends with its slowest task, and a backend that loses a worker loses the batch;
    `time_limit` is not enforced.
    """

    def __init__(
        self, plan: EvaluationPlan, n_workers: int, n_jobs: int | None, pre_dispatch: Any
    ) -> None:
        self.n_workers = n_workers
        self._plan = plan
        self._parallel = Parallel(n_jobs=n_jobs, pre_dispatch=pre_dispatch)
        self._queue: list[Task] = []

    def n_free(self) -> int:
        return 4 * self.n_workers - len(self._queue)

    def submit(self, task: Task) -> None:
        self._queue.append(task)

    def wait(self, timeout: float | None = None) -> list[FoldResult]:
        batch, self._queue = self._queue, []
        return list(self._parallel(delayed(_evaluate_one)(self._plan, task) for task in batch))

    def cancel(self, trial: int) -> None:
        self._queue = [task for task in self._queue if task.trial != trial]

    def close(self) -> None:
        self._queue.clear()
