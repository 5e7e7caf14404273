"""Choose the simplest candidate that is about as good as the best."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sklearn_hpt._optimism import complete_scores


class OneStandardError:
    """The simplest candidate within one standard error of the best, as `refit` of a search.

    Scores within a standard error of the best one are not told apart by the data, so that the
    simplest model among them costs nothing that is known, and is the less lucky choice. Simple is
    what costs least by a column of `cv_results_`, or what comes first in an order of parameters.

    Parameters
    ----------
    cost : str, default=None
        Column of `cv_results_`, of which less is simpler, such as ``"mean_score_time"``.
    simplest : mapping of str to {"smallest", "largest"} or list, default=None
        For each parameter which values are simpler, the most important parameter first: the
        smallest, the largest, or choices in order, the simplest first. Ties go to the better score.
    metric : str, default=None
        Which of several metrics.

    Raises
    ------
    ValueError
        If neither or both of `cost` and `simplest` are given; when it is called, if a column,
        parameter or value is unknown.

    References
    ----------
    L. Breiman, J. Friedman, R. Olshen, C. Stone, "Classification and Regression Trees" (1984),
    section 3.4.3; T. Hastie, R. Tibshirani, J. Friedman, "The Elements of Statistical Learning"
    (2009), section 7.10.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.neighbors import KNeighborsRegressor
    >>> from sklearn_hpt import LogRandomSearchCV
    >>> from sklearn_hpt.diagnostics import OneStandardError
    >>> X, y = load_diabetes(return_X_y=True)
    >>> space = {"n_neighbors": list(range(1, 60, 3))}
    >>> smooth = OneStandardError(simplest={"n_neighbors": "largest"})
    >>> best, simple = (
    ...     LogRandomSearchCV(KNeighborsRegressor(), space, n_iter=20, refit=refit).fit(X, y)
    ...     for refit in (True, smooth)
    ... )
    >>> best.best_params_, simple.best_params_
    ({'n_neighbors': 19}, {'n_neighbors': 58})
    """

    def __init__(
        self,
        cost: str | None = None,
        *,
        simplest: Mapping[str, Any] | None = None,
        metric: str | None = None,
    ) -> None:
        self.cost = cost
        self.simplest = simplest
        self.metric = metric
        if (cost is None) == (simplest is None):
            raise ValueError(
                f"{self!r} must be told what is simple, by one of cost, a column of cv_results_, "
                "and simplest, a mapping of parameters to 'smallest', 'largest' or a list."
            )
        for name, how in (simplest or {}).items():
            if how not in ("smallest", "largest") and (
                isinstance(how, str) or not isinstance(how, Sequence)
            ):
                raise ValueError(
                    f"simplest[{name!r}]={how!r} must be 'smallest', 'largest' or a list of "
                    "values, the simplest first."
                )

    def __repr__(self) -> str:
        given = {"cost": self.cost, "simplest": self.simplest, "metric": self.metric}
        shown = (f"{name}={value!r}" for name, value in given.items() if value is not None)
        return f"OneStandardError({', '.join(shown)})"

    def __call__(self, cv_results: Mapping[str, Any]) -> int:
        """Return the row of the simplest candidate that is about as good as the best.

        Parameters
        ----------
        cv_results : mapping of str to array
            The `cv_results_` of a search.

        Returns
        -------
        int
            A row of it.
        """
        metric = self._metric(cv_results)
        means = np.asarray(cv_results[f"mean_test_{metric}"], dtype=float)
        allowed = np.isfinite(means)
        if "status" in cv_results:
            allowed &= np.asarray(cv_results["status"]) == "complete"
        if not allowed.any():
            raise ValueError("No candidate of the search has a score on each fold.")
        best = int(np.argmax(np.where(allowed, means, -np.inf)))
        near = allowed & (means >= means[best] - _standard_error(cv_results, metric, best))
        order = self._order(cv_results)
        return min(np.flatnonzero(near).tolist(), key=lambda row: (*order[row], -means[row], row))

    def _metric(self, cv_results: Mapping[str, Any]) -> str:
        known = [n.removeprefix("mean_test_") for n in cv_results if n.startswith("mean_test_")]
        metric = known[0] if self.metric is None and len(known) == 1 else self.metric
        if metric not in known:
            raise ValueError(
                f"OneStandardError(metric={self.metric!r}) must name one of the metrics of the "
                f"search: {', '.join(known)}."
            )
        return metric

    def _order(self, cv_results: Mapping[str, Any]) -> list[tuple[float, ...]]:
        """Return for each candidate what is compared, less being simpler."""
        if self.simplest is not None:
            each = [_places(cv_results["params"], n, how) for n, how in self.simplest.items()]
            return list(zip(*each, strict=True))
        if self.cost is None or self.cost not in cv_results:
            raise ValueError(
                f"OneStandardError(cost={self.cost!r}) must name a column of cv_results_: "
                f"{', '.join(n for n in cv_results if n != 'params')}."
            )
        return [(float(value),) for value in cv_results[self.cost]]


def _standard_error(cv_results: Mapping[str, Any], metric: str, row: int) -> float:
    """Return the standard error of the mean of a candidate's scores over the folds."""
    one = {n: np.asarray(v)[[row]] for n, v in cv_results.items() if n.startswith("split")}
    (scores,) = complete_scores(one, metric)
    return float(np.std(scores, ddof=1) / math.sqrt(len(scores))) if len(scores) > 1 else 0.0


def _places(params: Sequence[Mapping[str, Any]], name: str, how: Any) -> list[float]:
    """Return for each candidate how simple its value of a parameter is, infinite without it."""
    values = [one.get(name) for one in params]
    if all(name not in one for one in params):
        known = sorted({name for one in params for name in one})
        raise ValueError(
            f"simplest names the parameter {name!r}, which is not searched; those that are: "
            f"{', '.join(known)}."
        )
    if isinstance(how, str) and how in ("smallest", "largest"):
        sign = 1.0 if how == "smallest" else -1.0
        try:
            return [math.inf if v is None else sign * float(v) for v in values]
        except (TypeError, ValueError):
            raise ValueError(
                f"simplest[{name!r}]={how!r} is for numbers, but the parameter has other values; "
                "give a list of them, the simplest first."
            ) from None
    if missing := [v for one in params if name in one and (v := one[name]) not in how]:
        raise ValueError(f"simplest[{name!r}]={how!r} has no place for {missing[0]!r}.")
    return [float(list(how).index(one[name])) if name in one else math.inf for one in params]
