"""Nested cross-validation: what a search promises, and what it keeps on rows it has not seen."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import cross_validate

from sklearn_hpt.diagnostics._optimism import selection_optimism


@dataclass(frozen=True)
class NestedScore:
    """What a search finds on each outer training side, and what that is worth on the test side.

    Parameters
    ----------
    scores : ndarray of shape (n_outer,)
        Score of the refitted winner on the rows of each outer fold, which its search has not seen.
    best_scores : ndarray of shape (n_outer,)
        What the searches themselves gave as their best score.
    corrected_scores : ndarray of shape (n_outer,)
        That, corrected by `selection_optimism`; NaN where that has no estimate, as with a `refit`
        that may choose another than the best.
    params : list of dict
        The hyperparameters that each search chose.
    searches : list of fitted search
        The searches, one for each outer fold.
    """

    scores: np.ndarray
    best_scores: np.ndarray
    corrected_scores: np.ndarray
    params: list[dict[str, Any]]
    searches: list[Any] = field(repr=False)

    @property
    def mean(self) -> float:
        """Mean of the outer scores: what to expect of this search on new data."""
        return float(self.scores.mean())

    @property
    def standard_error(self) -> float:
        """Its standard error over the outer folds, which share training rows: rather too small."""
        return float(self.scores.std(ddof=1) / math.sqrt(len(self.scores)))

    @property
    def optimism(self) -> float:
        """By how much the searches promised more than they kept."""
        return float((self.best_scores - self.scores).mean())

    def __str__(self) -> str:
        lines = ["fold   promised  corrected       kept   parameters"]
        rows = zip(self.best_scores, self.corrected_scores, self.scores, self.params, strict=True)
        for number, (best, corrected, score, params) in enumerate(rows):
            shown = ", ".join(f"{name}={_short(value)}" for name, value in params.items())
            lines.append(f"{number:>4} {best:>10.4f} {corrected:>10.4f} {score:>10.4f}   {shown}")
        lines.append(
            f"mean {self.best_scores.mean():>10.4f} {self.corrected_scores.mean():>10.4f} "
            f"{self.mean:>10.4f} +- {self.standard_error:.4f}"
        )
        return "\n".join([*lines, *self._choices()])

    def _choices(self) -> list[str]:
        """Return a line for each parameter that is not a number: how often each was chosen."""
        lines = []
        for name in dict.fromkeys(name for one in self.params for name in one):
            values = [one[name] for one in self.params if name in one]
            if not all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
                counted = Counter(map(_short, values)).most_common()
                chosen = ", ".join(f"{value} {times} times" for value, times in counted)
                lines.append(f"{name}: {chosen}")
        return lines


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def nested_score(search: Any, X: Any, y: Any = None, *, cv: Any = 5, **params: Any) -> NestedScore:
    """Run a search inside each fold of an outer cross-validation.

    The mean of the outer scores is what this search, with its choice of a winner, is worth on new
    rows of the same kind; its own best score is more than that. The parameters that it chose differ
    from fold to fold by as much as the data leave them open.

    Parameters
    ----------
    search : search
        Any search, fitted or not; it is cloned. It must score by one metric, or name one in
        `refit`, and it must refit.
    X : array-like of shape (n_samples, n_features)
        All rows.
    y : array-like of shape (n_samples,), default=None
        Targets.
    cv : int, cross-validation generator or iterable, default=5
        The outer folds.
    **params : dict of str to object
        Passed on as `params` of `sklearn.model_selection.cross_validate`: metadata for `fit`, and
        `groups` for the splitters, where metadata routing is enabled.

    Returns
    -------
    NestedScore
        Print it for a report.

    Raises
    ------
    ValueError
        If the search has a journal, which is of one data set, or does not refit.

    References
    ----------
    G. C. Cawley and N. L. C. Talbot, "On Over-fitting in Model Selection and Subsequent Selection
    Bias in Performance Evaluation", JMLR 11 (2010), 2079-2107.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.svm import SVC
    >>> from sklearn_hpt import LogRandomSearchCV
    >>> from sklearn_hpt.diagnostics import nested_score
    >>> X, y = load_wine(return_X_y=True)
    >>> search = LogRandomSearchCV(
    ...     SVC(), {"C": (1e-2, 1e4, "log-uniform")}, n_iter=10, random_state=0
    ... )
    >>> nested = nested_score(search, X, y, cv=3)
    >>> print(nested)
    fold   promised  corrected       kept   parameters
       0 ...
       1 ...
       2 ...
    mean ...
    >>> nested.scores.shape
    (3,)
    """
    if getattr(search, "journal", None) is not None:
        raise ValueError(
            f"journal={search.journal!r} is of one search on one data set, but each outer fold is "
            "a data set of its own; give nested_score a search with journal=None."
        )
    if search.refit is False:
        raise ValueError(
            "refit=False leaves no winner to be scored on the outer folds; set refit=True, or the "
            "name of a metric."
        )
    found = cross_validate(
        clone(search),
        X,
        y,
        cv=cv,
        params=params or None,
        return_estimator=True,
        error_score="raise",
    )
    searches = found["estimator"]
    return NestedScore(
        scores=found["test_score"],
        best_scores=np.array([_best_score(one) for one in searches]),
        corrected_scores=np.array([_corrected(one) for one in searches]),
        params=[dict(one.best_params_) for one in searches],
        searches=list(searches),
    )


def _best_score(search: Any) -> float:
    """Return the mean score of the row that was chosen, also by a callable `refit`."""
    if hasattr(search, "best_score_"):
        return float(search.best_score_)
    means = [v for n, v in search.cv_results_.items() if n.startswith("mean_test_")]
    return float(means[0][search.best_index_]) if len(means) == 1 else math.nan


def _corrected(search: Any) -> float:
    if not hasattr(search, "best_score_"):
        return math.nan
    try:
        return _best_score(search) - selection_optimism(search).bootstrap
    except ValueError:
        return math.nan
