"""Executors within this process: one task after the other, or in threads."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for_futures
from typing import Any

from joblib import parallel_config
from sklearn import config_context, get_config
from threadpoolctl import threadpool_limits

from sklearn_hpt._evaluation import CACHE_BYTES, EvaluationPlan, Evaluator, Task
from sklearn_hpt._prefix_cache import PREFIX_CACHE_BYTES
from sklearn_hpt._trial import FoldResult


class BlasLimit:
    """Gives BLAS in this process as many threads as it has in a worker, until closed.

    The limit is one of the process. Of several searches in threads the first sets it and the
    last restores what was before.
    """

    _lock = threading.Lock()
    _n_users = 0
    _limits: Any = None

    def __init__(self, n_threads: int | None) -> None:
        self._is_user = n_threads is not None
        if not self._is_user:
            return
        with self._lock:
            if BlasLimit._n_users == 0:
                BlasLimit._limits = threadpool_limits(n_threads, user_api="blas")
            BlasLimit._n_users += 1

    def close(self) -> None:
        if not self._is_user:
            return
        self._is_user = False
        with self._lock:
            BlasLimit._n_users -= 1
            if BlasLimit._n_users == 0:
                BlasLimit._limits.restore_original_limits()


class SerialExecutor:
    """Evaluates a task when it is waited for."""

    n_workers = 1

    def __init__(self, plan: EvaluationPlan) -> None:
        self._evaluate = Evaluator(plan)
        self._limits = BlasLimit(plan.n_threads)
        self._queue: deque[Task] = deque()

    def n_free(self) -> int:
        return 0 if self._queue else 1

    def submit(self, task: Task) -> None:
        self._queue.append(task)

    def wait(self, timeout: float | None = None) -> list[FoldResult]:
        return [self._evaluate(self._queue.popleft())]

    def cancel(self, trial: int) -> None:
        self._queue = deque(task for task in self._queue if task.trial != trial)

    def close(self) -> None:
        self._queue.clear()
        self._limits.close()


class ThreadExecutor:
    """Evaluates tasks in threads, which suits estimators that release the GIL.

    Threads cannot be killed: a task that has started runs to its end.

    Parameters
    ----------
    plan : EvaluationPlan
        What is evaluated.
    n_workers : int
        Number of threads.
    nested_backend : joblib backend
        What a candidate that uses joblib itself runs on.
    """

    def __init__(self, plan: EvaluationPlan, n_workers: int, nested_backend: Any) -> None:
        self.n_workers = n_workers
        self._plan = plan
        self._nested_backend = nested_backend
        self._config = get_config()  # scikit-learn keeps it per thread
        self._local = threading.local()
        self._limits = BlasLimit(plan.n_threads)
        self._pool = ThreadPoolExecutor(n_workers, thread_name_prefix="sklearn_hpt")
        self._running: dict[Future[FoldResult], Task] = {}

    def n_free(self) -> int:
        return 2 * self.n_workers - len(self._running)

    def submit(self, task: Task) -> None:
        self._running[self._pool.submit(self._run, task)] = task

    def _run(self, task: Task) -> FoldResult:
        if not hasattr(self._local, "evaluate"):
            self._local.evaluate = Evaluator(
                self._plan, CACHE_BYTES // self.n_workers, PREFIX_CACHE_BYTES // self.n_workers
            )
        with config_context(**self._config), parallel_config(backend=self._nested_backend):
            return self._local.evaluate(task)

    def wait(self, timeout: float | None = None) -> list[FoldResult]:
        done, _ = wait_for_futures(self._running, timeout, FIRST_COMPLETED)
        for future in done:
            del self._running[future]
        return [future.result() for future in done]

    def cancel(self, trial: int) -> None:
        for future, task in list(self._running.items()):
            if task.trial == trial and future.cancel():
                del self._running[future]

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._limits.close()
