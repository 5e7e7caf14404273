"""The candidates of a search as plain arrays, from wherever they are known."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_hpt._journal import JournalView
from sklearn_hpt._results import Row
from sklearn_hpt._space_formats import as_space_union
from sklearn_hpt.displays._scale import Scale, scales_of
from sklearn_hpt.exceptions import JournalError, SpaceError
from sklearn_hpt.space import SpaceUnion

_SPACES = ("param_distributions", "search_spaces", "param_grid")
_FAILED = ("failed", "timeout")


@dataclass(frozen=True, eq=False)
class CandidateTable:
    """What is known of the candidates of a search, one row for each, in their order.

    Parameters
    ----------
    params : list of dict
        Hyperparameters; a row need not have all of them.
    scores : ndarray of shape (n_candidates,)
        Mean over the folds that were evaluated, NaN if there is none or the candidate failed.
    fold_scores : ndarray of shape (n_candidates, n_splits)
        Scores of the folds, NaN where there is none.
    status : ndarray of str, shape (n_candidates,)
        "complete", "failed", "stopped" before it was complete, or "running".
    n_folds : ndarray of int, shape (n_candidates,)
        How many folds were evaluated.
    n_splits : int
        How many there are.
    seconds : ndarray of shape (n_candidates,)
        Time of all its fits and scores. Where `cv_results_` has no time, because a candidate was
        stopped, that of other candidates in the median, for so many folds.
    costs : ndarray of shape (n_candidates,)
        The part of a complete evaluation that was spent on it: folds, and units of a resource.
    scales : dict of str to Scale
        The scale of each hyperparameter.
    score_name : str, default="score"
        The metric.
    resource : str, default=None
        What the candidates had different amounts of, None if there is no such thing.
    curves : list of list of (float, float), default=None
        For each candidate the amounts of the resource that it had, and the scores with them. Where
        a candidate has a row for each amount, as in halving of scikit-learn, they are in its last.
        Of a metric that does not decide, only the last amount is known.
    amounts : ndarray of shape (n_candidates,), default=None
        The amount of the resource with which each row has its score.
    best_row : int, default=None
        The row that the search has chosen; None is that of the best complete one.
    surrogate : object, default=None
        What the search believes, with a method ``predict(params) -> mean, std``.
    space : SpaceUnion, default=None
        What was searched, if it is known.

    Examples
    --------
    >>> from sklearn_hpt.displays import CandidateTable
    >>> results = {
    ...     "params": [{"C": 0.01}, {"C": 1.0}, {"C": 100.0}],
    ...     "mean_test_score": [0.7, 0.9, float("nan")],
    ... }
    >>> table = CandidateTable.from_cv_results(results)
    >>> list(table.status), table.scales["C"].prior
    (['complete', 'complete', 'failed'], 'log-uniform')
    """

    params: list[dict[str, Any]]
    scores: np.ndarray
    fold_scores: np.ndarray
    status: np.ndarray
    n_folds: np.ndarray
    n_splits: int
    seconds: np.ndarray
    costs: np.ndarray
    scales: dict[str, Scale]
    score_name: str = "score"
    resource: str | None = None
    curves: list[list[tuple[float, float]]] | None = None
    amounts: np.ndarray | None = None
    best_row: int | None = None
    surrogate: Any = None
    space: SpaceUnion | None = None

    @classmethod
    def from_estimator(cls, search: Any, *, metric: str | None = None) -> CandidateTable:
        """Return the candidates of a fitted search, of this library or of scikit-learn.

        Parameters
        ----------
        search : fitted search
            What has `cv_results_`.
        metric : str, default=None
            Of several metrics, which to show; None is the one that `refit` names.

        Returns
        -------
        CandidateTable
            Its candidates.

        Raises
        ------
        NotFittedError
            If the search is not fitted.
        ValueError
            If it has no such metric.
        """
        check_is_fitted(search, "cv_results_")
        refit = getattr(search, "refit", None)
        name = metric if metric is not None or not isinstance(refit, str) else refit
        scoring = getattr(search, "scoring", None)
        _check_asked(search.cv_results_, metric, scoring)
        space = space_of(search)
        resource = getattr(search, "resource_", getattr(search, "resource", None))
        table = _table(search.cv_results_, name, space=space, resource=resource)
        decides = metric is None or metric == refit or table.score_name == "score"
        return replace(
            table,
            score_name=scoring
            if table.score_name == "score" and isinstance(scoring, str)
            else table.score_name,
            # a callable refit has chosen by no metric, so its choice is that of each
            best_row=getattr(search, "best_index_", None) if decides or callable(refit) else None,
            surrogate=getattr(search, "surrogate_", None) if decides else None,
        )

    @classmethod
    def from_cv_results(cls, cv_results: Any, *, metric: str | None = None) -> CandidateTable:
        """Return the candidates in a `cv_results_`.

        Parameters
        ----------
        cv_results : mapping or DataFrame
            `cv_results_`, or a data frame of it, also from a file.
        metric : str, default=None
            Of several metrics, which to show.

        Returns
        -------
        CandidateTable
            Its candidates.

        Raises
        ------
        TypeError
            If it is no table.
        ValueError
            If it has no such metric, or no parameters.
        """
        columns = _as_columns(cv_results)
        _check_asked(columns, metric)
        return _table(columns, metric)

    @classmethod
    def from_journal(
        cls, path: str | os.PathLike[str], *, metric: str | None = None
    ) -> CandidateTable:
        """Return the candidates in a journal, also while its search is running.

        Parameters
        ----------
        path : path-like
            What the search was given as `journal`.
        metric : str, default=None
            Of several metrics, which to show; None is the one that decides.

        Returns
        -------
        CandidateTable
            The candidates that have a finished fold.

        Raises
        ------
        JournalError
            If it is no journal, or none of its candidates has a finished fold.
        """
        view = JournalView(path)
        if not view.trials:
            raise JournalError(f"path={view.path!r} has no finished fold yet; try again later.")
        deciding = view.about["deciding_metric"]
        resource, full = view.about.get("resource", (None, None))
        table = _table(
            view.results(),
            deciding if metric is None else metric,
            told=told_dimensions(view),
            resource=resource,
            full=full,
        )
        return replace(table, seconds=_seconds_of(view.table_rows()))

    @property
    def is_complete(self) -> np.ndarray:
        """Which rows have the score of a complete evaluation, shape (n_candidates,)."""
        return (self.status == "complete") & np.isfinite(self.scores)

    @property
    def spreads(self) -> np.ndarray:
        """Standard deviation over the folds of each row, NaN where fewer than two were evaluated.

        Shape (n_candidates,).
        """
        spreads = np.full(len(self.scores), math.nan)
        rows = np.isfinite(self.fold_scores).sum(axis=1) > 1
        spreads[rows] = np.nanstd(self.fold_scores[rows], axis=1)
        return spreads

    @property
    def best_so_far(self) -> np.ndarray:
        """The best score of a complete row up to each row, NaN before the first.

        Shape (n_candidates,).
        """
        known = np.where(self.is_complete, self.scores, -math.inf)
        best = np.maximum.accumulate(known) if known.size else known
        return np.where(np.isfinite(best), best, math.nan)

    @property
    def best(self) -> int | None:
        """The row that was chosen, or the best complete one; None if none is complete."""
        if self.best_row is not None:
            return int(self.best_row)
        known = np.where(self.is_complete, self.scores, -math.inf)
        return int(known.argmax()) if self.is_complete.any() else None

    @property
    def score_label(self) -> str:
        """What an axis of scores is called."""
        return "mean test score" + ("" if self.score_name == "score" else f" ({self.score_name})")

    def varied(self) -> list[str]:
        """Return the parameters that differ among the rows; all if none does."""
        varied = [name for name in self.scales if len(set(map(str, self.column(name)))) > 1]
        return varied or list(self.scales)

    def column(self, name: str) -> list[Any]:
        """Return the values of a parameter, NaN in rows that do not have it."""
        return [params.get(name, math.nan) for params in self.params]

    def positions(self, name: str) -> np.ndarray:
        """Return where the values of a parameter lie along its axis, shape (n_candidates,)."""
        return self.scales[name].positions(self.column(name))


def chosen_names(table: CandidateTable, names: Any, what: str = "params") -> list[str]:
    """Return the parameters to draw: those named, or all that were varied.

    The end of a name will do, as pictures have it, if it is the end of one only.

    Raises
    ------
    ValueError
        If there is no such parameter.
    """
    chosen = table.varied() if names is None else [names] if isinstance(names, str) else list(names)
    for i, name in enumerate(chosen):
        ends_so = [full for full in table.scales if full.endswith(f"__{name}")]
        if name not in table.scales and len(ends_so) == 1:
            chosen[i] = ends_so[0]
        elif name not in table.scales:
            known = ", ".join(map(repr, table.scales)) or "none"
            raise ValueError(
                f"{what}={name!r} is no parameter of the candidates; these are {known}."
            )
    if not chosen:
        raise ValueError(f"{what}={names!r} names no parameter; give one, or None for all.")
    return chosen


def told_dimensions(view: JournalView) -> dict[str, str]:
    """Return what a journal says of the dimensions of the search space, by parameter."""
    return {
        name.rpartition(" ")[2]: text
        for name, text in view.header["fingerprint"].items()
        if name.startswith(("space ", "space[")) and isinstance(text, str)
    }


def space_of(search: Any) -> SpaceUnion | None:
    """Return the space of a search, None where it cannot be read."""
    try:
        if hasattr(search, "_space_union"):  # which knows what "auto" stands for
            return search._space_union()
        written = next((getattr(search, n) for n in _SPACES if hasattr(search, n)), None)
        return None if written is None else as_space_union(written)
    except SpaceError:
        return None


def _as_columns(cv_results: Any) -> Mapping[str, Any]:
    if isinstance(cv_results, Mapping):
        return cv_results
    if hasattr(cv_results, "columns") and hasattr(cv_results, "shape"):
        return {str(name): list(cv_results[name]) for name in cv_results.columns}
    raise TypeError(
        f"cv_results={cv_results!r} is a {type(cv_results).__name__}; give the cv_results_ of a "
        "search or a DataFrame of it. For a search use from_estimator, for a path from_journal."
    )


def _table(
    columns: Mapping[str, Any],
    metric: str | None,
    *,
    space: SpaceUnion | None = None,
    told: Mapping[str, str] | None = None,
    resource: str | None = None,
    full: float | None = None,
) -> CandidateTable:
    params = _params(columns, resource)
    name = _metric_name(columns, metric)
    folds = _fold_scores(columns, name, len(params))
    means = np.asarray(columns.get(f"mean_test_{name}", np.empty(0)), dtype=float)
    n_folds = _n_folds(columns, folds, means)
    n_splits = folds.shape[1] or int(n_folds.max(initial=1))
    amounts = _amounts(columns)
    curves = _curves(columns, params, means, amounts)
    full = _full(amounts, curves) if full is None else full
    status = _status(columns, means, amounts, full)
    names = dict.fromkeys(key for row in params for key in row)
    values = {key: [row[key] for row in params if key in row] for key in names}
    return CandidateTable(
        params=params,
        scores=_shown_scores(means, folds, status),
        fold_scores=folds,
        status=status,
        n_folds=n_folds,
        n_splits=n_splits,
        seconds=_seconds(columns, n_folds),
        costs=n_folds / n_splits * _parts(columns, amounts, full),
        scales=scales_of(space, values, told or {}),
        score_name=name,
        resource=None if amounts is None else _resource_name(resource),
        curves=curves,
        amounts=amounts,
        space=space,
    )


def _resource_name(resource: Any) -> str:
    return resource if isinstance(resource, str) else "resource"


def _check_asked(columns: Mapping[str, Any], metric: str | None, scoring: Any = None) -> None:
    """Raise if a metric is asked for by another name than that of the only one there is."""
    names = [n.removeprefix("mean_test_") for n in columns if n.startswith("mean_test_")]
    if metric is not None and names == ["score"] and metric not in ("score", scoring):
        raise ValueError(
            f"metric={metric!r} is not the metric of the search, which has only one; leave "
            "metric=None."
        )


def _metric_name(columns: Mapping[str, Any], metric: str | None) -> str:
    names = [n.removeprefix("mean_test_") for n in columns if n.startswith("mean_test_")]
    if metric is not None and metric in names:
        return metric
    if names in (["score"], []):  # a single metric has no name in the table
        return "score"
    if metric is None and len(names) == 1:
        return names[0]
    allowed = ", ".join(map(repr, names))
    raise ValueError(f"metric={metric!r} is not one of the metrics, which are {allowed}; give one.")


def _params(columns: Mapping[str, Any], resource: str | None) -> list[dict[str, Any]]:
    """Return the parameters of each row, without one that was set to the amount of a resource."""
    given = columns.get("params")
    if given is None or not all(isinstance(params, Mapping) for params in given):
        given = _params_of_cells(columns)
    rows = [{n: _plain(value) for n, value in params.items()} for params in given]
    amounts = _amounts(columns)
    if amounts is None or not rows:
        return rows
    pairs = list(zip(rows, amounts, strict=True))
    set_to_it = [n for n in rows[0] if all(_is_amount(p.get(n), amount) for p, amount in pairs)]
    return [
        {n: value for n, value in p.items() if n not in set_to_it or resource not in (None, n)}
        for p in rows
    ]


def _is_amount(value: Any, amount: float) -> bool:
    return type(value) is int and value == amount


def _params_of_cells(columns: Mapping[str, Any]) -> list[dict[str, Any]]:
    cells = {n.removeprefix("param_"): v for n, v in columns.items() if n.startswith("param_")}
    if not cells:
        raise ValueError("cv_results has neither 'params' nor 'param_...' columns; give them.")
    rows = zip(*cells.values(), strict=True)
    return [
        {n: value for n, value in zip(cells, row, strict=True) if not _is_empty(value)}
        for row in rows
    ]


def _is_empty(value: Any) -> bool:
    if value is np.ma.masked or type(value).__name__ == "NAType":  # of pandas
        return True
    return isinstance(value, (float, np.floating)) and math.isnan(value)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _fold_scores(columns: Mapping[str, Any], metric: str, n_rows: int) -> np.ndarray:
    names = [n for n in columns if n.startswith("split") and n.endswith(f"_test_{metric}")]
    if not names:
        return np.empty((n_rows, 0))
    return np.column_stack([np.asarray(columns[n], dtype=float) for n in names])


def _n_folds(columns: Mapping[str, Any], folds: np.ndarray, means: np.ndarray) -> np.ndarray:
    if "n_test_splits" in columns:
        return np.asarray(columns["n_test_splits"], dtype=int)
    found = np.isfinite(folds).sum(axis=1) if folds.shape[1] else np.ones(len(folds), dtype=int)
    times = np.asarray(columns.get("mean_fit_time", np.full(len(folds), math.nan)), dtype=float)
    # a time for the mean says that all folds were evaluated, also where the scores are NaN
    return np.where(np.isfinite(times) | np.isfinite(means), max(folds.shape[1], 1), found)


def _amounts(columns: Mapping[str, Any]) -> np.ndarray | None:
    """Return the amount of a resource that each row had."""
    for name in ("resource", "n_resources"):
        if name in columns:
            return np.array([math.nan if a is None else float(a) for a in columns[name]])
    return None


def _full(
    amounts: np.ndarray | None, curves: Sequence[Sequence[tuple[float, float]]] | None
) -> float:
    """Return the largest amount: a member of a population may be best before its end."""
    known = [] if amounts is None else [*amounts, *(a for c in curves or () for a, _ in c)]
    return float(np.nanmax(known, initial=1.0)) if known else 1.0


def _parts(columns: Mapping[str, Any], amounts: np.ndarray | None, full: float) -> Any:
    """Return which part of the full amount was spent on each row."""
    if amounts is None:
        return 1.0
    return np.asarray(columns.get("resource_spent", amounts), dtype=float) / full


def _status(
    columns: Mapping[str, Any], means: np.ndarray, amounts: np.ndarray | None, full: float
) -> np.ndarray:
    if "status" in columns:
        told = ["failed" if status in _FAILED else str(status) for status in columns["status"]]
        return np.array(told, dtype=object)
    status = np.where(np.isfinite(means), "complete", "failed").astype(object)
    if amounts is not None:  # halving of scikit-learn
        status[(status == "complete") & (amounts < full)] = "stopped"
    return status


def _shown_scores(means: np.ndarray, folds: np.ndarray, status: np.ndarray) -> np.ndarray:
    """Return mean scores, of the folds there are where the candidate was stopped or is running."""
    scores = np.where(np.isfinite(means), means, math.nan)
    partly = ~np.isfinite(scores) & np.isfinite(folds).any(axis=1) & (status != "failed")
    scores[partly] = np.nanmean(folds[partly], axis=1)
    scores[status == "failed"] = math.nan
    return scores


def _seconds(columns: Mapping[str, Any], n_folds: np.ndarray) -> np.ndarray:
    if "mean_fit_time" not in columns:
        return np.full(len(n_folds), math.nan)
    of_fold = np.asarray(columns["mean_fit_time"], dtype=float)
    if "mean_score_time" in columns:
        of_fold = of_fold + np.asarray(columns["mean_score_time"], dtype=float)
    known = of_fold[np.isfinite(of_fold)]
    return np.where(np.isfinite(of_fold), of_fold, np.median(known) if known.size else 0) * n_folds


def _seconds_of(rows: Sequence[Row]) -> np.ndarray:
    return np.array(
        [
            sum(r.fit_time + r.score_time for trial in row.trials for r in trial.results.values())
            for row in rows
        ]
    )


def _curves(
    columns: Mapping[str, Any], params: Sequence[Any], means: np.ndarray, amounts: np.ndarray | None
) -> list[list[tuple[float, float]]] | None:
    if "learning_curve" in columns:
        curves = [[(float(a), float(score)) for a, score in c] for c in columns["learning_curve"]]
        if amounts is None or _are_of(curves, amounts, means):
            return curves
        return [[point] for point in zip(amounts.tolist(), means.tolist(), strict=True)]
    if amounts is None:
        return None
    last = {str(row): number for number, row in enumerate(params)}  # a row for each rung
    curves = [[] for _ in params]
    for row, amount, score in zip(params, amounts, means, strict=True):
        curves[last[str(row)]].append((float(amount), float(score)))
    return curves


def _are_of(
    curves: Sequence[Sequence[tuple[float, float]]], amounts: np.ndarray, means: np.ndarray
) -> bool:
    """Tell whether curves are of the metric with these means: a search has those of one metric."""
    rows = zip(curves, amounts, means, strict=True)
    ends = [(score, mean) for curve, at, mean in rows for amount, score in curve if amount == at]
    return all(math.isclose(*end, rel_tol=1e-6) for end in ends if np.isfinite(end).all())
