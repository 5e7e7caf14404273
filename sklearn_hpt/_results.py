"""From the trials of a search to `cv_results_`, and what is said about failures."""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.exceptions import FitFailedWarning

from sklearn_hpt._trial import FoldResult, Scores, Status, Trial
from sklearn_hpt._warn import warn
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


def lineages(trials: Sequence[Trial]) -> list[list[Trial]]:
    """Return the trials of each candidate, from the least of the resource to the most."""
    by_last: dict[int, list[Trial]] = {}
    for trial in trials:
        before = by_last.pop(trial.continues, []) if trial.continues is not None else []
        by_last[trial.number] = [*before, trial]
    return sorted(by_last.values(), key=lambda lineage: lineage[0].number)


@dataclass(frozen=True)
class Row:
    """The trials behind a row of `cv_results_`, and the one whose scores it shows."""

    trials: Sequence[Trial]
    shown: Trial


def candidate_rows(trials: Sequence[Trial]) -> list[Row]:
    """Return a row for each candidate, which shows its last trial that was not stopped, if any."""
    return [Row(lineage, _last_decided(lineage)) for lineage in lineages(trials)]


def _last_decided(lineage: Sequence[Trial]) -> Trial:
    decided = [trial for trial in lineage if trial.status not in (None, "stopped")]
    return decided[-1] if decided else lineage[-1]


def to_cv_results(
    rows: Sequence[Row],
    n_splits: int,
    *,
    error_score: float,
    names: list[str] | None,
    format_results: Callable[..., dict[str, Any]],
    with_status: bool,
    raced: bool = False,
    resource: tuple[str, int | None] | None = None,
    deciding_metric: str | None = None,
) -> dict[str, Any]:
    """Return the table of a search, with scikit-learn's keys and dtypes.

    Parameters
    ----------
    rows : sequence of Row
        What was evaluated.
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
    resource : (str, int or None), default=None
        Name and full amount of the resource of which candidates were given less, None if with any
        amount they are complete. `resource`, `resource_spent` and `learning_curve` are added then.
    deciding_metric : str, default=None
        Of several metrics, the one that decides.
    """
    shown = [row.shown for row in rows]
    evaluations = [
        _as_evaluation(row.shown.results.get(fold), names, error_score, _times(row.trials, fold))
        for row in rows
        for fold in range(n_splits)
    ]
    params = [_params_of_row(trial, resource) for trial in shown]
    with _no_word_on_stopped(shown):
        results = format_results(params, n_splits, evaluations)
    if raced:
        results["n_test_splits"] = np.array([len(trial.results) for trial in shown])
    if resource is not None:
        results.update(_resource_columns(rows, deciding_metric))
    outcomes = [_shown_outcome(row.trials, row.shown, resource) for row in rows]
    if raced or resource or with_status or any(status != "complete" for status, _ in outcomes):
        results["status"] = np.array([status for status, _ in outcomes], dtype=object)
        results["error"] = np.array([error for _, error in outcomes], dtype=object)
    if resource is not None and resource[1] is not None:
        _rank_complete_first(results)
    return results


def _params_of_row(trial: Trial, resource: tuple[str, int | None] | None) -> dict[str, Any]:
    """Return what the estimator was given, the amount of a parameter that is a resource too."""
    amount = {} if resource is None or resource[0] == "n_samples" else {resource[0]: trial.resource}
    return {**trial.params, **amount}


def _shown_outcome(
    lineage: Sequence[Trial], trial: Trial, resource: tuple[str, int | None] | None
) -> tuple[Status | None, str]:
    """Return status and error; a candidate that was not given the full resource was stopped."""
    full = None if resource is None else resource[1]
    if trial.status != "complete" or resource is None or full in (None, trial.resource):
        return trial.status, trial.error
    later = lineage[-1].error if lineage[-1] is not trial else "others were better"
    return "stopped", f"stopped at {trial.resource} of {full} {resource[0]}: {later}"


def _resource_columns(rows: Sequence[Row], metric: str | None) -> dict[str, np.ndarray]:
    curves = np.empty(len(rows), dtype=object)
    for number, row in enumerate(rows):
        curves[number] = [
            (trial.resource, mean_score(trial, metric)) for trial in row.trials if trial.results
        ]
    return {
        "resource": np.array([row.shown.resource for row in rows]),
        "resource_spent": np.array([spent_on(row.trials) for row in rows]),
        "learning_curve": curves,
    }


def spent_on(lineage: Sequence[Trial]) -> float:
    """Return how much of the resource the trials took, as a mean over their folds."""
    spent = [[r.spent for r in t.results.values() if r.spent is not None] for t in lineage]
    return float(sum(np.mean(of_trial) for of_trial in spent if of_trial))


def saved_by_continuing(trials: Sequence[Trial]) -> float:
    """Return how much of the resource was not spent again, as a mean over the folds."""
    saved = [
        np.mean([trial.resource - r.spent for r in trial.results.values() if r.spent is not None])
        for trial in trials
        if trial.resource is not None and any(r.spent is not None for r in trial.results.values())
    ]
    return float(sum(saved))


def mean_score(trial: Trial, metric: str | None) -> float:
    """Return the mean over the folds of the metric that decides, NaN if there is none."""
    in_order = (trial.results[fold] for fold in sorted(trial.results))
    scores = [score for result in in_order for score in deciding_scores(result, metric)[:1]]
    return float(np.mean(scores)) if scores else math.nan


def _rank_complete_first(results: dict[str, Any]) -> None:
    """Rank rows with the full resource before the others, and those by how much they had."""
    complete = results["status"] == "complete"
    for name in [name for name in results if name.startswith("rank_test_")]:
        means = results[f"mean_test_{name.removeprefix('rank_test_')}"]
        keys = list(zip(~complete, ~np.isfinite(means), -results["resource"], -means, strict=True))
        place = {key: number for number, key in reversed(list(enumerate(sorted(keys), start=1)))}
        results[name] = np.array([place[key] for key in keys], dtype=np.int32)


@contextmanager
def _no_word_on_stopped(trials: Sequence[Trial]) -> Iterator[None]:
    """Keep scikit-learn from warning of scores that are NaN on purpose."""
    with warnings.catch_warnings():
        if all(trial.status in ("complete", "stopped") for trial in trials):
            warnings.filterwarnings("ignore", message="One or more of the .* scores are non-finite")
        yield


def _as_evaluation(
    result: FoldResult | None,
    names: list[str] | None,
    error_score: float,
    times: tuple[float, float],
) -> dict[str, Any]:
    if result is None:
        missing = _filled(names, math.nan)
        return _evaluation(missing, missing, *times)
    failed = _filled(names, error_score)
    test = failed if result.test_scores is None else result.test_scores
    train = failed if result.train_scores is None else result.train_scores
    if result.failure is not None and isinstance(test, dict):  # one metric of several failed
        test = {name: error_score if math.isnan(score) else score for name, score in test.items()}
    return _evaluation(test, train, *times)


def _times(lineage: Sequence[Trial], fold: int) -> tuple[float, float]:
    """Return the seconds that a candidate took on a fold to fit and to score, NaN if none."""
    results = [trial.results[fold] for trial in lineage if fold in trial.results]
    if not results:
        return math.nan, math.nan
    return sum(r.fit_time for r in results), sum(r.score_time for r in results)


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
    warn(
        f"\n{n_failed} fits failed out of a total of {n_fits}.\n"
        "The score on these train-test partitions for these parameters will be set to "
        f"{error_score}.\n"
        "If these failures are not expected, you can try to debug them by setting "
        "error_score='raise'.\n\n"
        f"Below are more details about the failures:\n{_by_cause(trials)}",
        FitFailedWarning,
    )


def _most_frequent(trials: Sequence[Trial]) -> str:
    """Return the most frequent cause in one line, to be read before the tracebacks."""
    messages = Counter(r.failure.message for r in _failures(trials) if r.failure is not None)
    return "".join(f" {n} of them by {message}" for message, n in messages.most_common(1))


def all_failed(trials: Sequence[Trial]) -> AllCandidatesFailedError:
    """Return the error to raise if no candidate has a score."""
    n_fits = sum(len(trial.results) for trial in trials)
    n_failed = len(_failures(trials))
    if not n_failed:
        causes = Counter(trial.error for trial in trials)
        lines = "\n".join(f"{n} candidates: {cause}" for cause, n in causes.most_common())
        return AllCandidatesFailedError(
            f"None of the {len(lineages(trials))} candidates has a score to choose by.\n{lines}\n"
            "Check that the scorer fits the problem and every fold."
        )
    summary = (
        f"All the {n_fits} fits failed."
        if n_failed == n_fits
        else f"{n_failed} of {n_fits} fits failed, some in each of the {len(lineages(trials))} "
        "candidates."
    )
    only_types = all(
        r.failure is not None and r.failure.message.startswith("TypeError")
        for r in _failures(trials)
    )
    error = _AllCandidatesFailedTypeError if only_types else AllCandidatesFailedError
    return error(
        f"\n{summary}{_most_frequent(trials)}\n"
        "It is very likely that your model is misconfigured.\n"
        "You can try to debug the error by setting error_score='raise'.\n\n"
        f"Below are more details about the failures:\n{_by_cause(trials)}"
    )
