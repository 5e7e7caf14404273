"""A search in Weights & Biases: one run, whose table has a row for each candidate.

Not a run for each candidate: to start and finish one takes some tenths of a second, often more than
the candidate, and a search of a thousand would bury the other runs of a project.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sklearn_hpt._summary import summarize
from sklearn_hpt.tracking._records import Record, plain
from sklearn_hpt.tracking._tracker import Log, Tracker, found


class WandbTracker(Tracker):
    """Writes a search to Weights & Biases, as a run with a table of the candidates.

    It is set with `set_callbacks`, on any search of this library or scikit-learn. While the search
    runs, the number of evaluations is written, and a step of the history as soon as a candidate is
    finished, with parameters, mean and standard deviation of the scores, status, error and time;
    by a search of scikit-learn when it ends. A candidate that goes on with more of a resource, or
    is changed while it is trained, has another step. The table ``candidates``, which is written
    when the search ends, also by an interrupt, has one row for each, as it is then.

    Parameters
    ----------
    project : str, default=None
        The project; None is the one that Weights & Biases chooses.
    name : str, default=None
        The name of the run; None is the class of the search.
    mode : {"offline", "online"}, default="offline"
        Whether to write to a folder, which ``wandb sync`` sends later, or to the server, for which
        you must be logged in.
    dir : str or path-like, default=None
        The folder; None is ``wandb`` in the working directory.

    Notes
    -----
    A tracker that fails says so once, in a `TrackerWarning`, and the search goes on without it.

    Examples
    --------
    >>> from sklearn_hpt.tracking import WandbTracker
    >>> search.set_callbacks(WandbTracker("iris")).fit(X, y)  # doctest: +SKIP
    """

    _module = "wandb"
    _extra = "wandb"

    def __init__(
        self,
        project: str | None = None,
        name: str | None = None,
        mode: Literal["offline", "online"] = "offline",
        dir: str | os.PathLike[str] | None = None,
    ) -> None:
        super().__init__()
        self.project = project
        self.name = name
        self.mode = mode
        self.dir = dir

    def _open(self, about: Mapping[str, Any]) -> Log:
        import wandb

        run = wandb.init(
            project=self.project,
            name=self.name or about["search"],
            mode=self.mode,
            dir=self.dir,
            config=dict(about),
            reinit="create_new",  # a run of the caller goes on beside it
        )
        return _WandbLog(run)


class _WandbLog:
    """The run of one search."""

    def __init__(self, run: Any) -> None:
        self._run = run

    def progress(self, n_evaluations: int) -> None:
        self._run.log({"evaluations": n_evaluations})

    def candidate(self, record: Record) -> None:
        row = _row(record)
        self._run.log({name: value for name, value in row.items() if value is not None})

    def withdraw(self, number: int) -> None:
        """Do nothing: a history cannot be taken back; the table has what holds in the end."""

    def results(self, search: Any, records: Sequence[Record]) -> None:
        import wandb

        rows = [_row(record) for record in records]
        columns = list(dict.fromkeys(name for row in rows for name in row))
        data = [[row.get(name) for name in columns] for row in rows]
        table = wandb.Table(columns=columns, data=data, allow_mixed_types=True)
        self._run.log({"candidates": table})
        best = {
            name: _as_json(value) for name, value in getattr(search, "best_params_", {}).items()
        }
        self._run.summary.update({**found(search), "best_params": best})
        self._run.summary["result"] = summarize(search).as_text()

    def close(self, *, finished: bool) -> None:
        self._run.finish(exit_code=0 if finished else 1)


def _row(record: Record) -> dict[str, Any]:
    """Return what is known of a candidate by the names of columns."""
    return {
        "candidate": record.number,
        "status": record.status,
        **{f"mean_test_{name}": _as_json(value) for name, value in record.means.items()},
        **{f"std_test_{name}": _as_json(value) for name, value in record.stds.items()},
        "seconds": _as_json(record.seconds),
        **{f"param_{name}": _as_json(value) for name, value in record.params.items()},
        "error": record.error or None,
    }


def _as_json(value: Any) -> Any:
    """Return a value as JSON has it: None for NaN, text for what is no number."""
    value = plain(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
