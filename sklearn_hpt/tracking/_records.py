"""The candidates of a search, one record each, as trackers write them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError

from sklearn_hpt._summary import deciding_metric, statuses


@dataclass(frozen=True)
class Record:
    """A row of `cv_results_`.

    Attributes
    ----------
    number : int
        Its place in `cv_results_`.
    params : mapping
        The hyperparameters.
    status : str
        "complete", "stopped", "failed" or "timeout".
    error : str
        Why it is not complete, empty otherwise.
    means, stds : mapping of str to float
        Mean and standard deviation of each metric over the folds.
    fold_scores : mapping of str to sequence of float
        The scores of the folds, NaN where there is none.
    seconds : float
        Time for fits and scores of all folds together, NaN if some were left out.
    curve : mapping of int to float
        Mean score after each amount of a resource.
    """

    number: int
    params: Mapping[str, Any]
    status: str
    error: str
    means: Mapping[str, float]
    stds: Mapping[str, float]
    fold_scores: Mapping[str, Sequence[float]]
    seconds: float
    curve: Mapping[int, float]


def check_has_results(search: Any) -> None:
    """Raise if a search has no results."""
    if not hasattr(search, "cv_results_"):
        raise NotFittedError(f"This {type(search).__name__} has no results yet; call fit first.")


def plain(value: Any) -> Any:
    """Return a scalar of NumPy as one of Python's own, anything else as it is."""
    return value.item() if isinstance(value, np.generic) else value


def metrics_of(cv_results: Mapping[str, Any]) -> list[str]:
    """Return the names of all metrics."""
    start = "mean_test_"
    return [name.removeprefix(start) for name in cv_results if name.startswith(start)]


def shown_metrics(search: Any) -> list[str]:
    """Return the metric that decides, or all of them if none of several does."""
    deciding = deciding_metric(search)
    return metrics_of(search.cv_results_) if deciding is None else [deciding]


def records_of(results: Mapping[str, Any], first: int = 0) -> Iterator[Record]:
    """Return the candidates of `cv_results_` in order, numbered from the first."""
    metrics = metrics_of(results)
    for row, status in enumerate(statuses(results)):
        folds = {name: _fold_scores(results, name, row) for name in metrics}
        yield Record(
            first + row,
            results["params"][row],
            status,
            str(results["error"][row]) if "error" in results else "",
            {name: float(results[f"mean_test_{name}"][row]) for name in metrics},
            {name: float(results[f"std_test_{name}"][row]) for name in metrics},
            folds,
            _seconds(results, row, folds),
            _curve(results, row),
        )


def _fold_scores(results: Mapping[str, Any], metric: str, row: int) -> list[float]:
    n_folds = sum(name.startswith("split") and name.endswith(f"_test_{metric}") for name in results)
    return [float(results[f"split{fold}_test_{metric}"][row]) for fold in range(n_folds)]


def _seconds(results: Mapping[str, Any], row: int, folds: Mapping[str, Sequence[float]]) -> float:
    """Return the time of all folds."""
    n_folds = max((len(scores) for scores in folds.values()), default=0)
    mean = results["mean_fit_time"][row] + results["mean_score_time"][row]
    return float(mean) * n_folds


def _curve(results: Mapping[str, Any], row: int) -> dict[int, float]:
    if "learning_curve" not in results:
        return {}
    points = results["learning_curve"][row]
    return {int(amount): float(score) for amount, score in points if np.isfinite(score)}
