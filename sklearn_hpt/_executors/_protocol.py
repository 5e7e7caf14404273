"""What a search asks of an executor."""

from __future__ import annotations

from typing import Protocol

from sklearn_hpt._evaluation import Task
from sklearn_hpt._trial import FoldResult


class Executor(Protocol):
    """Runs tasks and returns a result for each, whatever happens to it.

    All methods are called from one thread, the one that runs the search.

    Attributes
    ----------
    n_workers : int
        How many tasks can run at the same time.
    """

    n_workers: int

    def n_free(self) -> int:
        """Return how many more tasks would be of use right now."""

    def submit(self, task: Task) -> None:
        """Accept a task; it need not start at once."""

    def wait(self, timeout: float | None = None) -> list[FoldResult]:
        """Return the results that have arrived, at least one unless `timeout` seconds pass."""

    def cancel(self, trial: int) -> None:
        """Give up the tasks of a trial; a result may still arrive for one that has started."""

    def close(self) -> None:
        """Give up all tasks and free all resources."""
