"""A search in MLflow: a run, with a run inside it for each candidate."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

from sklearn_hpt._summary import summarize
from sklearn_hpt.tracking._records import Record
from sklearn_hpt.tracking._tracker import Log, Tracker, found

_LONGEST_PARAM = 500  # some stores refuse more
_LONGEST_TAG = 5000
_MOST_PARAMS, _MOST_METRICS = 100, 900  # in one request
_STATUS = {"complete": "FINISHED", "stopped": "KILLED"}


class MLflowTracker(Tracker):
    """Writes a search to MLflow, with a child run for each candidate.

    It is set with `set_callbacks`, on any search of this library or scikit-learn. The parent run
    is there from the beginning and tells the number of evaluations. A child run is written as soon
    as its candidate is finished, with parameters, the scores of the folds, mean and standard
    deviation, status and time; by a search of scikit-learn when it ends. A candidate that goes on
    with more of a resource, or is changed while it is trained, has a new run then, and the one
    before is deleted. Where they go says MLflow: `mlflow.set_tracking_uri`,
    `mlflow.set_experiment`. If a run is active the search becomes a child of it.

    Parameters
    ----------
    experiment_name : str, default=None
        The experiment, made if there is none of that name; None is the active one.
    run_name : str, default=None
        The name of the parent run; None is the class of the search.

    Notes
    -----
    A tracker that fails says so once, in a `TrackerWarning`, and the search goes on without it.
    MLflow itself tries for some minutes to reach a server that is gone;
    ``MLFLOW_HTTP_REQUEST_MAX_RETRIES`` says how often.

    Examples
    --------
    >>> import mlflow  # doctest: +SKIP
    >>> from sklearn_hpt.tracking import MLflowTracker
    >>> mlflow.set_tracking_uri("sqlite:///mlflow.db")  # doctest: +SKIP
    >>> search.set_callbacks(MLflowTracker("iris")).fit(X, y)  # doctest: +SKIP
    """

    _module = "mlflow"
    _extra = "mlflow"

    def __init__(self, experiment_name: str | None = None, run_name: str | None = None) -> None:
        super().__init__()
        self.experiment_name = experiment_name
        self.run_name = run_name

    def _open(self, about: Mapping[str, Any]) -> Log:
        import mlflow

        client, active = mlflow.MlflowClient(), mlflow.active_run()
        tags = {
            "mlflow.source.name": str(about["search"]),
            "search": str(about["search"]),
            "estimator": about["estimator"][:_LONGEST_TAG],
        }
        if active is not None:
            tags["mlflow.parentRunId"] = active.info.run_id
        experiment_id = (
            active.info.experiment_id
            if active is not None and self.experiment_name is None
            else _experiment_id(client, self.experiment_name)
        )
        run = client.create_run(experiment_id, tags=tags, run_name=self.run_name or about["search"])
        log = _MLflowLog(client, experiment_id, run.info.run_id)
        log.log(run.info.run_id, params=about)
        return log


def _experiment_id(client: Any, name: str | None) -> str:
    """Return the experiment of that name, or the one that is active in MLflow."""
    active = os.environ.get("MLFLOW_EXPERIMENT_ID")  # `mlflow.set_experiment` sets it too
    name = name or (None if active else os.environ.get("MLFLOW_EXPERIMENT_NAME"))
    if name is None:
        return active or "0"
    experiment = client.get_experiment_by_name(name)
    return client.create_experiment(name) if experiment is None else experiment.experiment_id


class _MLflowLog:
    """The runs of one search. A client writes them, so none becomes the caller's active run."""

    def __init__(self, client: Any, experiment_id: str, run_id: str) -> None:
        self._client = client
        self._experiment_id = experiment_id
        self._run_id = run_id
        self._children: dict[int, str] = {}

    def progress(self, n_evaluations: int) -> None:
        self._client.log_metric(self._run_id, "evaluations", n_evaluations)

    def candidate(self, record: Record) -> None:
        now = time.time()
        seconds = record.seconds if math.isfinite(record.seconds) else 0.0
        tags = {"mlflow.parentRunId": self._run_id, "status": record.status}
        if record.error:
            tags["error"] = record.error[:_LONGEST_TAG]
        run = self._client.create_run(
            self._experiment_id,
            start_time=int((now - seconds) * 1000),
            tags=tags,
            run_name=f"candidate {record.number}",
        )
        self._children[record.number] = run.info.run_id
        self.log(run.info.run_id, params=record.params, metrics=_metrics(record))
        self._client.set_terminated(
            run.info.run_id, _STATUS.get(record.status, "FAILED"), end_time=int(now * 1000)
        )

    def withdraw(self, number: int) -> None:
        self._client.delete_run(self._children.pop(number))  # parameters of a run cannot change

    def results(self, search: Any, records: Sequence[Record]) -> None:
        best = {
            f"best_{name}": value for name, value in getattr(search, "best_params_", {}).items()
        }
        metrics = [(name, value, 0) for name, value in found(search).items()]
        self.log(self._run_id, params=best, metrics=metrics)
        text = summarize(search).as_markdown()[:_LONGEST_TAG]
        self._client.set_tag(self._run_id, "mlflow.note.content", text)

    def close(self, *, finished: bool) -> None:
        self._client.set_terminated(self._run_id, "FINISHED" if finished else "KILLED")

    def log(
        self,
        run_id: str,
        *,
        params: Mapping[str, Any],
        metrics: Sequence[tuple[str, float, int]] = (),
    ) -> None:
        """Write parameters, and the finite ones of metrics: names, values and steps."""
        from mlflow.entities import Metric, Param

        now = int(time.time() * 1000)
        values = [Param(name, str(value)[:_LONGEST_PARAM]) for name, value in params.items()]
        points = [
            Metric(name, value, now, step) for name, value, step in metrics if math.isfinite(value)
        ]
        while points or values:
            self._client.log_batch(run_id, points[:_MOST_METRICS], values[:_MOST_PARAMS])
            points, values = points[_MOST_METRICS:], values[_MOST_PARAMS:]


def _metrics(record: Record) -> list[tuple[str, float, int]]:
    """Return the metrics of a candidate; the scores of the folds are steps of one metric."""
    of_folds = [
        (f"test_{metric}", score, fold)
        for metric, scores in record.fold_scores.items()
        for fold, score in enumerate(scores)
    ]
    means = [(f"mean_test_{metric}", value, 0) for metric, value in record.means.items()]
    stds = [(f"std_test_{metric}", value, 0) for metric, value in record.stds.items()]
    return [*means, *stds, ("seconds", record.seconds, 0), *of_folds]
