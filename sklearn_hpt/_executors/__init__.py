"""Where evaluations run: in this thread, in threads, in supervised processes, or on joblib."""

from sklearn_hpt._executors._choice import choose_executor, threads_per_worker
from sklearn_hpt._executors._protocol import Executor

__all__ = ["Executor", "choose_executor", "threads_per_worker"]
