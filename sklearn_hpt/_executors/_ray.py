"""Executor on a Ray cluster, as tasks of Ray."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from sklearn_hpt._executors._engine import EngineExecutor, WorkerLost
from sklearn_hpt._executors._remote import RemoteEvaluator

_EVALUATORS: dict[str, RemoteEvaluator] = {}  # in a worker of Ray: that of the latest search


def _evaluate(name: str, references: list[Any], bundle: list[bytes]) -> list[bytes]:
    """Evaluate tasks; the evaluator is fetched once for each process."""
    if name not in _EVALUATORS:
        import ray

        _EVALUATORS.clear()
        _EVALUATORS[name] = ray.get(references[0])
    return _EVALUATORS[name](bundle)


class RayExecutor(EngineExecutor):
    """Evaluates tasks on the workers of a Ray cluster.

    Parameters
    ----------
    remote : RemoteEvaluator
        What is put into Ray's object store once.
    n_jobs : int or None
        Most tasks at a time; None and -1 are as many as the cluster has CPUs.
    """

    def __init__(self, remote: RemoteEvaluator, n_jobs: int | None) -> None:
        super().__init__(remote, n_jobs)
        import ray

        self._ray = ray
        if not ray.is_initialized():
            ray.init()
        self._name = uuid.uuid4().hex
        self._reference = ray.put(remote)
        # what is lost is sent again by us; Ray would do so three times
        self._evaluate = ray.remote(max_retries=0)(_evaluate)

    def _count_slots(self) -> int:
        return int(self._ray.cluster_resources().get("CPU", 0))

    def _is_ready(self) -> bool:
        return True  # Ray itself waits for a worker, and moves the data

    def _send(self, bundles: list[list[bytes]], on_done: Callable[[Any], None]) -> list[Any]:
        return [self._send_one(bundle, on_done) for bundle in bundles]

    def _send_one(self, bundle: list[bytes], on_done: Callable[[Any], None]) -> Any:
        reference = self._evaluate.remote(self._name, [self._reference], bundle)
        reference.future().add_done_callback(lambda future: on_done(reference))
        return reference

    def _collect(self, handles: list[Any]) -> list[list[bytes] | Exception]:
        return [self._outcome(reference) for reference in handles]

    def _outcome(self, reference: Any) -> list[bytes] | Exception:
        errors = self._ray.exceptions
        try:
            return self._ray.get(reference)
        except (errors.RayTaskError, errors.RuntimeEnvSetupError) as error:
            return RuntimeError(
                f"A Ray worker could not evaluate a task ({type(error).__name__}: {error}); make "
                "sure that sklearn_hpt and what the estimator needs are installed there in the "
                "same versions."
            )
        except errors.RayError as error:
            return WorkerLost(f"Ray reports {type(error).__name__}")

    def _cancel(self, handles: list[Any]) -> None:
        for reference in handles:
            with suppress(Exception):  # it may be done by now
                self._ray.cancel(reference, force=True)

    def close(self) -> None:
        super().close()
        del self._reference
