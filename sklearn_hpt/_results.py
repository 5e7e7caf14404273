"""From the trials of a search to `cv_results_`, and what is said about failures."""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.exceptions import FitFailedWarning

from sklearn_hpt._trial import FoldResult, Scores, Status, Trial
from sklearn_hpt.exceptions import AllCandidatesFailedError, _AllCandidatesFailedTypeError

_RULE = "-" * 80 + "\n"
_MOST_CAUSES = 10  # a message may name the value of each candidate


def metric_names(trials: Sequence[Trial]) -> list[str] | None:
    """Return the names of the metrics if there are several, None if there is one."""
    for trial in trials:
        for result in trial.results.values():
            if result.test_scores is not None:
                scores = result.test_scores
                return list(scores) if isinstance(scores, dict) else None
    return None


def deciding_scores(result: FoldResult, metric: str | None) -> list[float]:
    """Return the scores of a fold that must be finite: the one that decides, or any of all."""
    scores = result.test_scores
    if scores is None:
        return []
    if not isinstance(scores, dict):
        return [scores]
    return [scores[metric]] if metric in scores else list(scores.values())


def fold_error(result: FoldResult, metric: str | None) -> str:
    """Return why a fold counts as failed, empty if it does not."""
    if any(math.isfinite(score) for score in deciding_scores(result, metric)):
        return ""
    if result.failure is not None:
        return result.failure.message
    return f"the score is not finite: {result.test_scores}"


def outcome(trial: Trial, metric: str | None) -> tuple[Status, str]:
    """Return status and error of a trial all folds of which are evaluated."""
    errors = (fold_error(trial.results[fold], metric) for fold in sorted(trial.results))
    error = next(filter(None, errors), "")
    return ("failed" if error else "complete"), error


def to_cv_results(
    trials: Sequence[Trial],
    n_splits: int,
    *,
    error_score: float,
    names: list[str] | None,
    format_results: Callable[..., dict[str, Any]],
    with_status: bool,
    raced: bool = False,
) -> dict[str, Any]:
    """Return one row for each trial, with scikit-learn's keys and dtypes.

    Parameters
    ----------
    trials : sequence of Trial
        The rows.
    n_splits : int
        Number of folds; those without a result are NaN.
    error_score : float
        Score of a fold that failed.
    names : list of str or None
        Names of the metrics, None if there is one.
    format_results : callable
        scikit-learn's ``_format_results(params, n_splits, evaluations)``.
    with_status : bool
        Whether to add the columns `status` and `error` even if all trials are complete.
    raced : bool, default=False
        Whether to add them and `n_test_splits`, the number of folds that were evaluated.
    """
    evaluations = [
        _as_evaluation(trial.results.get(fold), names, error_score)
        for trial in trials
        for fold in range(n_splits)
    ]
    params = [dict(trial.params) for trial in trials]
    with _no_word_on_stopped(trials):
        results = format_results(params, n_splits, evaluations)
    if raced:
        results["n_test_splits"] = np.array([len(trial.results) for trial in trials])
    if raced or with_status or any(trial.status != "complete" for trial in trials):
        results["status"] = np.array([trial.status for trial in trials], dtype=object)
        results["error"] = np.array([trial.error for trial in trials], dtype=object)
    return results


@contextmanager
def _no_word_on_stopped(trials: Sequence[Trial]) -> Iterator[None]:
    """Keep scikit-learn from warning of scores that are NaN on purpose."""
    with warnings.catch_warnings():
        if all(trial.status in ("complete", "stopped") for trial in trials):
            warnings.filterwarnings("ignore", message="One or more of the .* scores are non-finite")
        yield


def _as_evaluation(
    result: FoldResult | None, names: list[str] | None, error_score: float
) -> dict[str, Any]:
    if result is None:
        missing = _filled(names, math.nan)
        return _evaluation(missing, missing, math.nan, math.nan)
    failed = _filled(names, error_score)
    test = failed if result.test_scores is None else result.test_scores
    train = failed if result.train_scores is None else result.train_scores
    if result.failure is not None and isinstance(test, dict):  # one metric of several failed
        test = {name: error_score if math.isnan(score) else score for name, score in test.items()}
    return _evaluation(test, train, result.fit_time, result.score_time)


def _evaluation(test: Scores, train: Scores, fit_time: float, score_time: float) -> dict[str, Any]:
    return {
        "test_scores": test,
        "train_scores": train,
        "fit_time": fit_time,
        "score_time": score_time,
    }


def _filled(names: list[str] | None, score: float) -> Scores:
    return score if names is None else dict.fromkeys(names, score)


def _failures(trials: Sequence[Trial]) -> list[FoldResult]:
    return [r for trial in trials for r in trial.results.values() if r.failure is not None]


def _by_cause(trials: Sequence[Trial]) -> str:
    counts = Counter(r.failure.details for r in _failures(trials) if r.failure is not None)
    told = [
        f"{_RULE}{n} fits failed with the following error:\n{details}"
        for details, n in counts.most_common(_MOST_CAUSES)
    ]
    if len(counts) > _MOST_CAUSES:
        told.append(f"{_RULE}and {len(counts) - _MOST_CAUSES} other causes.\n")
    return "\n".join(told)


def warn_about_failures(trials: Sequence[Trial], error_score: float) -> None:
    """Warn once, with the causes grouped and counted, if some fits failed."""
    n_failed = len(_failures(trials))
    if not n_failed:
        return
    n_fits = sum(len(trial.results) for trial in trials)
    warnings.warn(
        f"\n{n_failed} fits failed out of a total of {n_fits}.\n"
        "The score on these train-test partitions for these parameters will be set to "
        f"{error_score}.\n"
        "If these failures are not expected, you can try to debug them by setting "
        "error_score='raise'.\n\n"
        f"Below are more details about the failures:\n{_by_cause(trials)}",
        FitFailedWarning,
        stacklevel=6,  # the caller of `fit`
    )


def all_failed(trials: Sequence[Trial]) -> AllCandidatesFailedError:
    """Return the error to raise if no candidate has a score."""
    n_fits = sum(len(trial.results) for trial in trials)
    n_failed = len(_failures(trials))
    if not n_failed:
        causes = Counter(trial.error for trial in trials)
        lines = "\n".join(f"{n} candidates: {cause}" for cause, n in causes.most_common())
        return AllCandidatesFailedError(
            f"None of the {len(trials)} candidates has a score to choose by.\n{lines}\n"
            "Check that the scorer fits the problem and every fold."
        )
    summary = (
        f"All the {n_fits} fits failed."
        if n_failed == n_fits
        else f"{n_failed} of {n_fits} fits failed, some in each of the {len(trials)} candidates."
    )
    only_types = all(
        r.failure is not None and r.failure.message.startswith("TypeError")
        for r in _failures(trials)
    )
    error = _AllCandidatesFailedTypeError if only_types else AllCandidatesFailedError
    return error(
        f"\n{summary}\nIt is very likely that your model is misconfigured.\n"
        "You can try to debug the error by setting error_score='raise'.\n\n"
        f"Below are more details about the failures:\n{_by_cause(trials)}"
    )
