"""Read a journal, also while a search is writing it."""

from __future__ import annotations

import os
import warnings
from functools import partial
from typing import Any

from sklearn_hpt._journal._describe import restore
from sklearn_hpt._journal._file import check_regular, is_being_written
from sklearn_hpt._journal._lines import Event, Reader
from sklearn_hpt._journal._records import as_fold_result
from sklearn_hpt._members import member_rows
from sklearn_hpt._results import Row, candidate_rows, metric_names, outcome, to_cv_results
from sklearn_hpt._sklearn_compat import format_results
from sklearn_hpt._trial import Trial
from sklearn_hpt.exceptions import JournalError


class JournalView:
    """What a journal says so far.

    Parameters
    ----------
    path : path-like
        The journal.

    Attributes
    ----------
    path : str
        The same.
    header : dict
        Format, fingerprint and `about`.
    sessions : list of dict
        Each start of the search, with the time of its last line as `last`.
    trials : dict of int to Trial
        Candidates with a finished fold; a value that JSON does not have is its text.
    described : dict of int to dict
        The parameters of each trial as the journal describes them.
    end : str or None
        Why the search ended; None while it has not.
    is_running : bool
        Whether a process has the journal open to write.

    Raises
    ------
    JournalError
        If there is no such file, it cannot be read, or it is no journal.
    JournalCorruptError
        If a line but the last one is damaged.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        check_regular(self.path)
        self._reader = Reader(self.path)
        self.header: Event = {}
        self.sessions: list[Event] = []
        self.trials: dict[int, Trial] = {}
        self.described: dict[int, dict[str, Any]] = {}
        self.end: str | None = None
        self.is_running = False
        self.refresh()
        if not self.header:
            raise JournalError(f"journal={self.path!r} is empty: its search has not started.")

    def refresh(self) -> None:
        """Read what was written since."""
        try:
            with open(self.path, "rb") as file:
                self.is_running = is_being_written(file.fileno())
                file.seek(self._reader.n_bytes)
                data = file.read()
        except OSError as error:
            raise JournalError(
                f"journal={self.path!r} cannot be read: {error.strerror}; check the path."
            ) from error
        for event in self._reader.events(data):
            self._take_in(event)

    def _take_in(self, event: Event) -> None:
        kind = event["kind"]
        if kind == "header":
            self.header = event
        elif kind == "session":
            self.sessions.append({**event, "n_new": 0})
            self.end = None
        elif kind == "trial":
            self.described[event["trial"]] = event["params"]
            params = {name: restore(value) for name, value in event["params"].items()}
            self.trials[event["trial"]] = Trial(
                event["trial"],
                params,
                resource=event.get("resource"),
                continues=event.get("continues"),
                round=event.get("round"),
            )
        elif kind == "fold":
            self._take_in_fold(event)
        elif kind == "stop":
            self._stop(self.trials[event["trial"]], event)
        elif kind == "reopen":
            self._reopen(self.trials[event["trial"]])
        elif kind == "end":
            self.end = event["reason"]
        if self.sessions:
            self.sessions[-1]["last"] = event["at"]

    def _take_in_fold(self, event: Event) -> None:
        trial = self.trials[event["trial"]]
        if event["fold"] in trial.results:  # tried again, with error_score="raise"
            trial.status, trial.error = None, ""
        trial.results[event["fold"]] = as_fold_result(event)
        self.sessions[-1]["n_new"] += 1
        self._close_if_complete(trial)

    def _close_if_complete(self, trial: Trial) -> None:
        if len(trial.results) == self.n_splits and trial.status != "timeout":
            trial.close(*outcome(trial, self.about["deciding_metric"]))

    def _stop(self, trial: Trial, event: Event) -> None:
        every = trial.spare | trial.results
        trial.results = {fold: every[fold] for fold in event["folds"]}
        trial.spare = {fold: result for fold, result in every.items() if fold not in trial.results}
        trial.close(event["status"], event["error"])

    def _reopen(self, trial: Trial) -> None:
        trial.results.update(trial.spare)
        trial.spare = {}
        trial.status, trial.error = None, ""
        self._close_if_complete(trial)

    @property
    def about(self) -> dict[str, Any]:
        """What the first session said of the search."""
        return self.header["about"]

    @property
    def n_splits(self) -> int:
        """Number of folds of a candidate."""
        return self.sessions[-1]["n_splits"] if self.sessions else 0

    @property
    def n_trials(self) -> int:
        """Number of candidates that the last session is to evaluate."""
        return self.sessions[-1]["n_trials"] if self.sessions else 0

    def rows(self) -> list[Trial]:
        """Return the trials in the order of their numbers."""
        return [self.trials[number] for number in sorted(self.trials)]

    def table_rows(self) -> list[Row]:
        """Return what the rows of `cv_results_` are about."""
        if "population_size" in self.about:
            size = self.about["population_size"]
            return member_rows(self.rows(), size, self.about["deciding_metric"])
        return candidate_rows(self.rows())

    def results(self) -> dict[str, Any]:
        """Return one row for each candidate or member, as in `cv_results_`."""
        trials = self.rows()
        if not trials:
            return {"params": [], "status": [], "error": []}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of scores that are not finite: they may yet come
            results = to_cv_results(
                self.table_rows(),
                self.n_splits,
                error_score=float("nan"),
                names=metric_names(trials),
                format_results=partial(
                    format_results,
                    return_train_score=self.header["fingerprint"]["return_train_score"],
                ),
                with_status=True,
                resource=self.resource,
                deciding_metric=self.about["deciding_metric"],
            )
        unfinished = "running" if self.is_running else "stopped"
        results["status"][[status is None for status in results["status"]]] = unfinished
        return results

    @property
    def resource(self) -> tuple[str, int | None] | None:
        """Name and full amount of the search's resource, None if it has none.

        Members of a population are complete with any amount: there is no full one.
        """
        if "population_size" in self.about:
            return self.about["resource"][0], None
        return tuple(self.about["resource"]) if "resource" in self.about else None


def read_journal(path: str | os.PathLike[str], *, as_frame: bool = False) -> Any:
    """Return the results in a journal, also of a search that is running or was killed.

    Parameters
    ----------
    path : str or path-like
        What a search was given as `journal`.
    as_frame : bool, default=False
        Whether to return a pandas DataFrame, with the numbers of the candidates as index.

    Returns
    -------
    results : dict of str to ndarray, or DataFrame
        One row for each candidate with a finished fold, as in `cv_results_`, with `status`:
        "complete", "failed", "timeout", or for a candidate that misses folds "running" while
        the search runs and "stopped" if it does not. Parameters that are no plain values,
        such as estimators, are given as text.

    Raises
    ------
    JournalError
        If there is no such file or it is no journal.
    JournalCorruptError
        If a line but the last one is damaged.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from sklearn_hpt import LogRandomSearchCV, read_journal
    >>> path = tempfile.mkdtemp() + "/search.jsonl"
    >>> search = LogRandomSearchCV(
    ...     SVC(), {"C": (0.01, 100.0, "log-uniform")}, n_iter=3, journal=path, random_state=0
    ... ).fit(*load_iris(return_X_y=True))
    >>> results = read_journal(path)
    >>> list(results["status"])
    ['complete', 'complete', 'complete']
    >>> bool((results["mean_test_score"] == search.cv_results_["mean_test_score"]).all())
    True
    """
    view = JournalView(path)
    results = view.results()
    if not as_frame:
        return results
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError(
            "as_frame=True needs pandas: pip install pandas, or leave as_frame=False."
        ) from error
    return pd.DataFrame(results, index=[row.trials[0].number for row in view.table_rows()])
