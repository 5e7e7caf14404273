"""What hears of evaluations and candidates: callbacks of scikit-learn, verbose output, a check."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sklearn.base import clone

from sklearn_hpt._evaluation import EvaluationPlan
from sklearn_hpt._results import Row
from sklearn_hpt._sklearn_compat import check_method_params, reaches_into, safe_indexing
from sklearn_hpt._trial import FoldResult, Trial
from sklearn_hpt.search._checks import check_decides
from sklearn_hpt.search._loop import Observer

_log = logging.getLogger("sklearn_hpt")


class CallbackObserver(Observer):
    """Calls scikit-learn callbacks for each evaluation, in the main process.

    There a callback sees the search itself, and can ask it to stop. Only callbacks that
    reach into the candidates' own `fit` travel to where that runs.
    """

    def __init__(self, search: Any, context: Any, plan: EvaluationPlan) -> None:
        self._search = search
        self._context = context
        self._plan = plan
        self._running: dict[tuple[int, int], Any] = {}

    def task_begins(self, trial: int, fold: int) -> Any:
        """Tell the callbacks, return a context if they reach into the candidate's fit."""
        ctx = self._context.subcontext(
            task_name="candidate-split-evaluation",
            task_id=trial * len(self._plan.splits) + fold,
        )
        self._running[trial, fold] = ctx
        travels = reaches_into(ctx, clone(self._plan.estimator))
        ctx.call_on_fit_task_begin(estimator=self._search, **self._data(fold))
        return ctx if travels else None

    def task_ends(self, trial: int, fold: int, result: FoldResult) -> bool:
        """Tell the callbacks, return whether one of them asks to stop."""
        ctx = self._running.pop((trial, fold))
        return ctx.call_on_fit_task_end(estimator=self._search, **self._data(fold))

    def task_recalled(self, trial: int, fold: int, result: FoldResult) -> bool:
        """Tell the callbacks of both ends: a progress bar counts it as done."""
        self.task_begins(trial, fold)
        return self.task_ends(trial, fold, result)

    def _data(self, fold: int) -> dict[str, Any]:
        """Return what hooks may ask for, as functions so that only what is asked is sliced."""
        train, _ = self._plan.splits[fold]
        plan = self._plan
        weight = plan.fit_params.get("sample_weight")

        def metadata() -> dict[str, Any] | None:
            if weight is None:
                return None
            return check_method_params(plan.X, {"sample_weight": weight}, indices=train)

        return {
            "X": lambda: safe_indexing(plan.X, train),
            "y": lambda: None if plan.y is None else safe_indexing(plan.y, train),
            "metadata": metadata,
        }


class CandidateObserver(Observer):
    """Calls `on_candidate_end` of the callbacks that have it, for each candidate that is finished.

    scikit-learn has no such hook: what its callbacks hear at the end of an evaluation has no score.

    Parameters
    ----------
    search : search
        What they are told to be searching.
    context : CallbackContext
        scikit-learn's context of the search.
    callbacks : sequence of object
        Those that have the hook.
    trials : sequence of Trial
        Those of the loop, which grow.
    row_of : callable
        Returns the row of `cv_results_` that a trial is in, as a `Row`.
    as_table : callable
        Returns rows as `cv_results_`.
    """

    def __init__(
        self,
        search: Any,
        context: Any,
        callbacks: Sequence[Any],
        trials: Sequence[Trial],
        row_of: Callable[[Trial], Row],
        as_table: Callable[[Sequence[Row]], dict[str, Any]],
    ) -> None:
        self._search = search
        self._context = context
        self._callbacks = callbacks
        self._trials = trials
        self._row_of = row_of
        self._as_table = as_table
        self._numbers: dict[int, int] = {}  # of rows, by those of their first trials
        self._n_numbered = 0

    def trial_closed(self, trial: Trial) -> None:
        """Tell the callbacks the number of the candidate, and its row as a table of its own."""
        row = self._row_of(trial)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a failure: the search warns of all when it ends
            results = self._as_table([row])
        for callback in self._callbacks:
            callback.on_candidate_end(
                estimator=self._search,
                context=self._context,
                number=self._number(row),
                results=results,
            )

    def _number(self, row: Row) -> int:
        """Return the place of a row among those that begin with a trial of their own."""
        for trial in self._trials[self._n_numbered :]:
            if trial.continues is None:
                self._numbers[trial.number] = len(self._numbers)
        self._n_numbered = len(self._trials)
        return self._numbers[row.trials[0].number]


class VerboseObserver(Observer):
    """Logs each evaluation as scikit-learn words it: `verbose` of 2 and more."""

    def __init__(self, trials: Sequence[Trial], n_splits: int, n_trials: int, verbose: int) -> None:
        self._trials = trials
        self._n_splits = n_splits
        self._n_trials = n_trials
        self._verbose = verbose

    def task_ends(self, trial: int, fold: int, result: FoldResult) -> bool:
        """Log parameters, scores and time."""
        place = f" {fold + 1}/{self._n_splits}" if self._verbose > 2 else ""
        if self._verbose > 9:
            place += f"; {trial + 1}/{self._n_trials}"
        params = self._trials[trial].params
        text = ", ".join(f"{name}={params[name]}" for name in sorted(params))
        if self._verbose > 2:
            text += "; " + _describe(result)
        seconds = result.fit_time + result.score_time
        _log.info("[CV%s] END %s total time=%6.1fs", place, text, seconds)
        return False


class RefitCheck(Observer):
    """Checks `refit` as soon as a callable `scoring` has shown what metrics it returns."""

    def __init__(self, search: Any) -> None:
        self._search = search
        self._done = False

    def task_ends(self, trial: int, fold: int, result: FoldResult) -> bool:
        """Raise if `refit` does not fit the metrics."""
        if not self._done and isinstance(result.test_scores, dict):
            self._search._check_refit_for_multimetric(result.test_scores)
            check_decides(self._search._what_compares(), result.test_scores, self._search.refit)
            self._done = True
        return False

    def task_recalled(self, trial: int, fold: int, result: FoldResult) -> bool:
        """Raise if `refit` does not fit the metrics."""
        return self.task_ends(trial, fold, result)


def _describe(result: FoldResult) -> str:
    if result.failure is not None:
        return f"failed: {result.failure.message}"
    scores = _by_metric(result.test_scores)
    train = _by_metric(result.train_scores)
    return " ".join(
        f"{name}=(train={train[name]:.3f}, test={score:.3f})"
        if name in train
        else f"{name}={score:.3f}"
        for name, score in sorted(scores.items())
    )


def _by_metric(scores: Any) -> Mapping[str, float]:
    if scores is None:
        return {}
    return scores if isinstance(scores, dict) else {"score": scores}


class _StandardOutput(logging.Handler):
    """Writes to what standard output is at the time: a bar puts itself in between."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stdout.write(f"{self.format(record)}\n")
            sys.stdout.flush()
        except Exception:
            self.handleError(record)


@contextmanager
def verbose_output(verbose: int) -> Iterator[None]:
    """Show the library's log on standard output while a search with `verbose >= 1` runs."""
    if not verbose:
        yield
        return
    handler = _StandardOutput()
    level = _log.level
    _log.addHandler(handler)
    _log.setLevel(logging.INFO)
    try:
        yield
    finally:
        _log.removeHandler(handler)
        _log.setLevel(level)
