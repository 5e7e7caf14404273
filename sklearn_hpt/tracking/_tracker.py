"""What all trackers share: a callback of scikit-learn that cannot harm the search it is set on."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.util import find_spec
from typing import Any, Protocol

from sklearn_hpt._sklearn_compat import BaseSearchCV
from sklearn_hpt._warn import warn
from sklearn_hpt.exceptions import TrackerWarning
from sklearn_hpt.tracking._records import Record, records_of

_SECONDS_BETWEEN = 1.0  # a write takes some milliseconds, an evaluation may take less


class Log(Protocol):
    """Where one search is written to."""

    def progress(self, n_evaluations: int) -> None:
        """Write how many evaluations of a candidate on a fold are done."""

    def candidate(self, record: Record) -> None:
        """Write a candidate."""

    def withdraw(self, number: int) -> None:
        """Take back what was written of a candidate: it is another one now, or none."""

    def results(self, search: Any, records: Sequence[Record]) -> None:
        """Write what was found, once all candidates are written; the records are all of them."""

    def close(self, *, finished: bool) -> None:
        """Write whether the search came to its end, and free what is held."""


class Tracker(ABC):
    """A callback of scikit-learn for searches; a subclass says where they are written to."""

    _module: str  # what it needs
    _extra: str

    def __init__(self) -> None:
        spec = find_spec(self._module)
        if spec is None or spec.origin is None:  # a folder of that name, such as ./wandb, is none
            raise ImportError(
                f"{type(self).__name__} needs {self._module}: "
                f"pip install 'sklearn_hpt[{self._extra}]'"
            )
        self._fits: dict[Any, _TrackedFit] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Return what can be pickled: not the searches that are running."""
        return {**self.__dict__, "_fits": {}}

    @abstractmethod
    def _open(self, about: Mapping[str, Any]) -> Log:
        """Return where a search is written to, given its name and its parameters as text."""

    def setup(self, estimator: Any, context: Any) -> None:
        """Begin to write a search.

        Parameters
        ----------
        estimator : search
            The search that is about to run.
        context : CallbackContext
            scikit-learn's context of its `fit`.
        """
        if not isinstance(estimator, BaseSearchCV):
            raise TypeError(
                f"{type(self).__name__} writes searches; set it on a search, not on "
                f"{type(estimator).__name__}."
            )
        fit = self._fits[context.root_uuid] = _TrackedFit(type(self).__name__, estimator)
        fit.safely(fit.open, self._open, _about(estimator))

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:  # noqa: B027
        """Do nothing.

        Parameters
        ----------
        estimator : search
            The search.
        context : CallbackContext
            scikit-learn's context of the task.
        """

    def on_fit_task_end(self, estimator: Any, context: Any) -> None:
        """Count an evaluation.

        Parameters
        ----------
        estimator : search
            The search.
        context : CallbackContext
            scikit-learn's context of the task.
        """
        fit = self._fits.get(context.root_uuid)
        if fit is None:  # it runs in another process
            return
        if context.task_name == "candidate-split-evaluation":
            fit.count()
        elif context.parent is None:
            fit.finished = True

    def on_candidate_end(
        self, estimator: Any, context: Any, number: int, results: Mapping[str, Any]
    ) -> None:
        """Write a candidate that is finished; searches of scikit-learn do not tell.

        Parameters
        ----------
        estimator : search
            The search.
        context : CallbackContext
            scikit-learn's context of the search.
        number : int
            Which row of `cv_results_` the candidate will be.
        results : mapping
            That row as it is now, as a `cv_results_` of its own. It is told again when it changes.
        """
        fit = self._fits.get(context.root_uuid)
        if fit is not None:
            fit.later(fit.write_candidates, list(records_of(results, number)))

    def teardown(self, estimator: Any, context: Any) -> None:
        """Write what was found, also after an interrupt.

        Parameters
        ----------
        estimator : search
            The search.
        context : CallbackContext
            scikit-learn's context of its `fit`.
        """
        fit = self._fits.pop(context.root_uuid, None)
        if fit is not None:
            fit.catch_up()
            fit.safely(fit.write_results, estimator)
            fit.close()


class _TrackedFit:
    """One call of `fit`; falls silent after the first error.

    While the search runs, a thread writes: the loop, and with it the workers, would else wait for a
    data base or a server.
    """

    def __init__(self, name: str, search: Any) -> None:
        self.finished = False
        self._name = name
        self._results_before = getattr(search, "cv_results_", None)
        self._log: Log | None = None
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._error: Exception | None = None
        self._has_warned = False
        self._n_evaluations = 0
        self._counted = time.monotonic()
        self._written: dict[int, str] = {}

    def safely(self, write: Callable[..., None], *args: Any) -> None:
        """Write something; the first failure is a warning, after which nothing is written."""
        self._try(write, *args)
        self._warn()

    def later(self, write: Callable[..., None], *args: Any) -> None:
        """Have the thread write something, and warn if it has failed before."""
        self._warn()
        if self._error is None:
            self._thread.submit(self._try, write, *args)

    def catch_up(self) -> None:
        """Wait until the thread has written everything; there is none afterwards."""
        self._thread.shutdown()
        self._warn()

    def _try(self, write: Callable[..., None], *args: Any) -> None:
        if self._error is not None:
            return
        try:
            write(*args)
        except Exception as error:
            self._error = error

    def _warn(self) -> None:
        error = self._error
        if error is None or self._has_warned:
            return
        self._has_warned = True
        warn(
            f"{self._name} cannot write ({type(error).__name__}: {error}). It is silent from "
            "here on; the search goes on.",
            TrackerWarning,
        )

    def open(self, opened: Callable[[Mapping[str, Any]], Log], about: Mapping[str, Any]) -> None:
        self._log = opened(about)

    def count(self) -> None:
        """Count an evaluation; the number is written once a second at most."""
        self._n_evaluations += 1
        now = time.monotonic()
        if self._log is not None and now - self._counted >= _SECONDS_BETWEEN:
            self.later(self._log.progress, self._n_evaluations)
            self._counted = now

    def write_candidates(self, records: Sequence[Record]) -> None:
        """Write candidates that are not written yet, or are not what they were."""
        assert self._log is not None
        for record in records:
            text = repr(record)  # in which NaN is equal to NaN
            if self._written.get(record.number) == text:
                continue
            if record.number in self._written:
                self._log.withdraw(record.number)
            self._log.candidate(record)
            self._written[record.number] = text

    def write_results(self, search: Any) -> None:
        """Write the results, unless they are of an earlier fit."""
        results = getattr(search, "cv_results_", None)
        if self._log is None or results is None or results is self._results_before:
            return
        if self._n_evaluations:
            self._log.progress(self._n_evaluations)
        records = list(records_of(results))
        for number in self._written.keys() - range(len(records)):
            self._log.withdraw(number)
        self.write_candidates(records)
        self._log.results(search, records)

    def close(self) -> None:
        """End the log, if it is dead without another word."""
        if self._log is None:
            return
        if self._error is None:
            self.safely(lambda log: log.close(finished=self.finished), self._log)
            return
        with suppress(Exception):
            self._log.close(finished=False)


def _about(search: Any) -> dict[str, str]:
    """Return the class of a search, its estimator and its other parameters as text."""
    params = {name: repr(value) for name, value in search.get_params(deep=False).items()}
    return {"search": type(search).__name__, **params}


def found(search: Any) -> dict[str, float]:
    """Return the numbers that a search has found, by their names without the underscore."""
    names = ("best_score_", "best_score_corrected_", "search_time_", "refit_time_")
    return {
        name.removesuffix("_"): float(getattr(search, name))
        for name in names
        if hasattr(search, name)
    }
