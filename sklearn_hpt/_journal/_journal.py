"""What a search tells its journal, and what the journal recalls when the search goes on."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any, Literal, Protocol

from sklearn_hpt._journal._describe import describe, same
from sklearn_hpt._journal._file import JournalFile
from sklearn_hpt._journal._fingerprint import Fingerprint, differences
from sklearn_hpt._journal._lines import FORMAT, Event
from sklearn_hpt._journal._records import as_fold_event, as_fold_result
from sklearn_hpt._trial import FoldResult, Trial
from sklearn_hpt.exceptions import JournalError, JournalMismatchError

Resume = Literal["auto", "must", "never"]


class Journal(Protocol):
    """Where a search records what must not be lost.

    Attributes
    ----------
    about : mapping
        What the session that began the journal said of the search.
    n_recalled : int
        Number of folds that were there before.
    """

    about: Mapping[str, Any]
    n_recalled: int

    def begin_session(self, n_trials: int, n_splits: int, n_jobs: int | None) -> None:
        """Record that the search starts or goes on, and how far it is to go."""

    def recall(self, trial: Trial) -> list[FoldResult]:
        """Return the folds of a trial that were finished before, in order."""

    def add(self, trial: Trial, result: FoldResult) -> None:
        """Record a finished fold."""

    def stop(self, trial: Trial) -> None:
        """Record that the rest of a trial is given up."""

    def reopen(self, trial: Trial) -> None:
        """Record that a trial is to be completed after all."""

    def end(self, reason: str) -> None:
        """Record why the search ended."""

    def close(self) -> None:
        """Free the file."""


class NoJournal:
    """Records nothing."""

    n_recalled = 0

    def __init__(self, about: Mapping[str, Any]) -> None:
        self.about = about

    def begin_session(self, n_trials: int, n_splits: int, n_jobs: int | None) -> None:
        """Do nothing."""

    def recall(self, trial: Trial) -> list[FoldResult]:
        """Return nothing."""
        return []

    def add(self, trial: Trial, result: FoldResult) -> None:
        """Do nothing."""

    def stop(self, trial: Trial) -> None:
        """Do nothing."""

    def reopen(self, trial: Trial) -> None:
        """Do nothing."""

    def end(self, reason: str) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class DiskJournal:
    """A journal in a file, new or continued.

    To resume is to run the search again: the sampler proposes the same candidates, and
    `recall` has their finished folds.

    Parameters
    ----------
    path : path-like
        The file.
    resume : {"auto", "must", "never"}
        What to do if it exists: continue it, or raise; "must" raises if there is nothing to
        continue.
    fields : dict
        Fingerprint of the search.
    about : mapping of str to JSON value
        What a reader of the journal wants to know of the search.

    Attributes
    ----------
    about : dict
        The same of the session that began the journal.
    n_recalled : int
        Number of folds that were there before.

    Raises
    ------
    JournalMismatchError
        If the journal is of another search.
    JournalError
        If it cannot be written or read, or `resume` forbids to continue or to begin it.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        resume: Resume,
        fields: Fingerprint,
        about: Mapping[str, Any],
    ) -> None:
        _check_presence(path, resume)
        self._file = JournalFile(path)
        self._folds: dict[int, dict[int, Event]] = {}
        self._params: dict[int, Any] = {}
        self._recorded: set[int] = set()
        self._stopped: set[int] = set()
        try:
            events = self._file.events
            if events:
                self._check_fingerprint(events[0], fields, about)
                self._load(events[1:])
            elif resume == "must":
                raise _nothing_to_continue(path)
            else:
                self._file.append(
                    {"kind": "header", "format": FORMAT, "fingerprint": fields, "about": about}
                )
            self.about: Mapping[str, Any] = events[0]["about"] if events else about
        except BaseException:
            self._file.close()
            raise
        self._file.events = []
        self.n_recalled = sum(map(len, self._folds.values()))

    def _check_fingerprint(self, header: Event, fields: Fingerprint, about: Any) -> None:
        differing = differences(header["fingerprint"], fields)
        if differing:
            raise JournalMismatchError(
                f"journal={self._file.path!r} is of another search:\n"
                + "\n".join(f"- {line}" for line in differing)
                + "\nRestore what differs to continue it, or give this search another path; "
                "warm_start_from= takes the results of a different search."
            )

    def _load(self, events: list[Event]) -> None:
        for event in events:
            if event["kind"] == "trial":
                self._params[event["trial"]] = event["params"]
                self._recorded.add(event["trial"])
            elif event["kind"] == "fold":
                self._folds.setdefault(event["trial"], {})[event["fold"]] = event
            elif event["kind"] == "stop":
                self._stopped.add(event["trial"])
            elif event["kind"] == "reopen":
                self._stopped.discard(event["trial"])

    def begin_session(self, n_trials: int, n_splits: int, n_jobs: int | None) -> None:
        """Record that the search starts or goes on, and how far it is to go."""
        self._append("session", n_trials=n_trials, n_splits=n_splits, n_jobs=n_jobs)

    def recall(self, trial: Trial) -> list[FoldResult]:
        """Return the folds of a trial that were finished before, in order.

        Raises
        ------
        JournalMismatchError
            If the journal has other parameters under the number of this trial.
        """
        if trial.number not in self._params:
            return []
        then, now = self._params.pop(trial.number), _described(trial)
        if not same(then, now):
            raise JournalMismatchError(
                f"journal={self._file.path!r} has the parameters {then} for candidate "
                f"{trial.number}, but this search proposes {now}. Was the search space or the "
                "library changed? Give this search another path."
            )
        folds = self._folds.pop(trial.number, {})
        return [as_fold_result(folds[fold]) for fold in sorted(folds)]

    def add(self, trial: Trial, result: FoldResult) -> None:
        """Record a finished fold, and before the first one of a trial its parameters."""
        if trial.number not in self._recorded:
            self._recorded.add(trial.number)
            place = {
                name: value
                for name in ("resource", "continues", "round")
                if (value := getattr(trial, name)) is not None
            }
            self._append("trial", trial=trial.number, params=_described(trial), **place)
        self._append("fold", **as_fold_event(result))

    def stop(self, trial: Trial) -> None:
        """Record that the rest of a trial is given up; a resumed search finds that itself."""
        if trial.number not in self._stopped:
            self._stopped.add(trial.number)
            self._append(
                "stop",
                trial=trial.number,
                status=trial.status,
                error=trial.error,
                folds=sorted(trial.results),  # others, evaluated meanwhile, do not count
            )

    def reopen(self, trial: Trial) -> None:
        """Record that a trial is to be completed after all."""
        self._stopped.discard(trial.number)
        self._append("reopen", trial=trial.number)

    def end(self, reason: str) -> None:
        """Record why the search ended."""
        self._append("end", reason=reason)

    def _append(self, kind: str, **values: Any) -> None:
        self._file.append({"kind": kind, **values, "at": round(time.time(), 3)})

    def close(self) -> None:
        """Write to disk and free the file."""
        self._file.close()


def _described(trial: Trial) -> dict[str, Any]:
    return {name: describe(value) for name, value in trial.params.items()}


def _check_presence(path: str | os.PathLike[str], resume: Resume) -> None:
    has_content = os.path.isfile(path) and os.path.getsize(path) > 0
    if resume == "must" and not has_content:
        raise _nothing_to_continue(path)
    if resume == "never" and has_content:
        raise JournalError(
            f"journal={os.fspath(path)!r} exists and resume='never'; give another path, remove "
            "the file, or continue it with resume='auto'."
        )


def _nothing_to_continue(path: str | os.PathLike[str]) -> JournalError:
    return JournalError(
        f"journal={os.fspath(path)!r} has nothing to continue and resume='must'; check the path, "
        "or begin a new journal with resume='auto'."
    )
