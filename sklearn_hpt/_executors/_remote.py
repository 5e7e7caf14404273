"""What a worker of a cluster engine holds to evaluate the tasks of a search."""

from __future__ import annotations

import os
import threading
import time
import weakref
from typing import Any

from joblib import parallel_config
from joblib.parallel import BACKENDS
from sklearn import config_context, get_config

from sklearn_hpt._evaluation import CACHE_BYTES, EvaluationPlan, Evaluator, Task
from sklearn_hpt._executors._local import BlasLimit
from sklearn_hpt._executors._protocol import Executor
from sklearn_hpt._executors._supervised import start_processes
from sklearn_hpt._executors._worker import evaluated, sendable
from sklearn_hpt._prefix_cache import PREFIX_CACHE_BYTES
from sklearn_hpt._trial import FoldResult

_LONGEST_BUNDLE_SECONDS = 0.2


class RemoteEvaluator:
    """Evaluates tasks in any process that it is sent to, with one evaluator for each thread.

    It is sent to a worker once. When the engine drops it there, all that it holds goes too.

    Parameters
    ----------
    plan : EvaluationPlan
        What is evaluated.
    isolate : bool
        Whether a candidate is evaluated in a supervised process next to the worker, which
        can be killed when its time is over without a loss for the engine.
    memory_limit : int or None
        Bytes that such a process may allocate.
    """

    def __init__(self, plan: EvaluationPlan, *, isolate: bool, memory_limit: int | None) -> None:
        self.plan = plan
        self._isolate = isolate
        self._memory_limit = memory_limit
        self._config = get_config()
        self._threads = threading.local()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_threads"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._threads = threading.local()

    def __call__(self, bundle: list[bytes]) -> list[bytes]:
        """Return the pickled results of pickled tasks: of the first ones, if those take long.

        What is left of a bundle goes back, so that a quick result never waits for slow ones.
        """
        started = time.monotonic()
        results = [self._evaluate(bundle[0])]
        for message in bundle[1:]:
            if time.monotonic() - started > _LONGEST_BUNDLE_SECONDS:
                break
            results.append(self._evaluate(message))
        return results

    def _evaluate(self, message: bytes) -> bytes:
        with config_context(**self._config), parallel_config(backend="threading"):
            return sendable(evaluated(message, self._isolated if self._isolate else self._here))

    def _here(self, task: Task) -> FoldResult:
        if not hasattr(self._threads, "evaluate"):
            self._threads.evaluate = Evaluator(self.plan, CACHE_BYTES, _prefix_bytes())
        limit = BlasLimit(self.plan.n_threads)
        try:
            return self._threads.evaluate(task)
        finally:
            limit.close()

    def _isolated(self, task: Task) -> FoldResult:
        if not hasattr(self._threads, "processes"):
            self._threads.processes = self._start()
        executor = self._threads.processes
        executor.submit(task)
        while not (results := executor.wait()):
            pass
        return results[0]

    def _start(self) -> Executor:
        executor = start_processes(
            self.plan,
            1,
            BACKENDS["threading"](nesting_level=1),
            devices=[],
            memory_limit=self._memory_limit,
            prefix_bytes=_prefix_bytes(),
        )
        weakref.finalize(self, executor.close)
        return executor


def _prefix_bytes() -> int:
    """Return the share of one worker: a machine has no more of them than processors."""
    return PREFIX_CACHE_BYTES // (os.cpu_count() or 1)
