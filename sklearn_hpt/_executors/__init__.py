"""Where evaluations run: here, in threads, in supervised processes, on Dask, Ray, or joblib."""

from sklearn_hpt._executors._choice import choose_executor
from sklearn_hpt._executors._names import register_engines
from sklearn_hpt._executors._protocol import Executor
from sklearn_hpt._executors._supervised import threads_per_worker

__all__ = ["Executor", "choose_executor", "threads_per_worker"]

register_engines()
