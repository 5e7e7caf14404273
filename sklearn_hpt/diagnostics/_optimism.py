"""How much the best score of a search owes to having been chosen."""

from __future__ import annotations

import numbers
from dataclasses import dataclass
from typing import Any

from sklearn_hpt._optimism import (
    N_BOOTSTRAP,
    bootstrap_optimism,
    complete_scores,
    tibshirani_optimism,
)


@dataclass(frozen=True)
class SelectionOptimism:
    """What a best score would be without the luck of having been chosen.

    Parameters
    ----------
    best_score : float
        Largest mean score over the folds.
    bootstrap : float
        By how much that is too good, by a bootstrap over folds.
    tibshirani : float
        The same by the estimate of Tibshirani and Tibshirani.
    n_candidates : int
        Number of complete candidates, among which was chosen.
    n_folds : int
        Number of folds.
    metric : str
        What is scored, ``"score"`` if there is one metric.
    """

    best_score: float
    bootstrap: float
    tibshirani: float
    n_candidates: int
    n_folds: int
    metric: str

    @property
    def corrected(self) -> float:
        """The best score without what the bootstrap takes for luck."""
        return self.best_score - self.bootstrap

    def __str__(self) -> str:
        return (
            f"best of {self.n_candidates} candidates on {self.n_folds} folds: "
            f"{self.best_score:.4f}\n"
            f"corrected for having been chosen: {self.corrected:.4f}\n"
            f"optimism: {self.bootstrap:.4f} by the bootstrap, {self.tibshirani:.4f} by Tibshirani"
        )


def selection_optimism(
    search: Any,
    *,
    metric: str | None = None,
    n_bootstrap: int = N_BOOTSTRAP,
    random_state: int | None = 0,
) -> SelectionOptimism:
    """Estimate how much better the best score of a search is for having been chosen.

    Of many candidates with noisy scores the best one was lucky, the more so the more there are,
    the fewer and smaller the folds, and the less the candidates differ. Two estimates from the
    scores of the folds, without another fit:

    - the bootstrap draws folds with replacement, chooses by these, and looks at the winner's score
      in the folds that were not drawn. In simulations with 10 to 300 candidates and 3 to 10 folds
      it left less than a quarter of the bias where candidates differ by no more than the noise of
      their means, and took away up to 1.7 times the bias, a small one then, where they differ by
      two or three times as much;
    - that of Tibshirani and Tibshirani [1]_ is the mean over folds of how far the winner is behind
      the best of that fold: about right with 5 folds, too little with 3, twice too much with 10.

    Neither knows of anything but the choice among the candidates: not of preprocessing on all data,
    nor of choices made before. For `PBTSearchCV`, which chooses all the time while it trains, they
    are too small: `holdout=` measures there.

    Parameters
    ----------
    search : fitted search
        One of ours, or scikit-learn's `GridSearchCV`, `RandomizedSearchCV`.
    metric : str, default=None
        Which of several metrics; None is the one that `refit` names.
    n_bootstrap : int, default=2000
        How often folds are drawn.
    random_state : int, default=0
        Seed of the draws.

    Returns
    -------
    SelectionOptimism
        Both estimates, and the corrected score.

    Raises
    ------
    ValueError
        If it is no fitted search, or there is one fold only, no complete candidate, or no such
        metric.

    References
    ----------
    .. [1] R. J. Tibshirani and R. Tibshirani, "A Bias Correction for the Minimum Error Rate in
       Cross-Validation", The Annals of Applied Statistics 3 (2009), 822-829, equation 2.
    .. [2] I. Tsamardinos, E. Greasidou, G. Borboudakis, "Bootstrapping the Out-of-Sample
       Predictions for Efficient and Accurate Cross-Validation", Machine Learning 107 (2018), who
       draw rows where folds are drawn here.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.svm import SVC
    >>> from sklearn_hpt import LogRandomSearchCV
    >>> from sklearn_hpt.diagnostics import selection_optimism
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> search = LogRandomSearchCV(
    ...     SVC(), {"C": (1e-2, 1e4, "log-uniform")}, n_iter=30, random_state=0
    ... ).fit(X[:150], y[:150])
    >>> print(selection_optimism(search))
    best of 30 candidates on 5 folds: ...
    corrected for having been chosen: ...
    optimism: ... by the bootstrap, ... by Tibshirani
    """
    if not isinstance(n_bootstrap, numbers.Integral) or n_bootstrap < 1:
        raise ValueError(f"n_bootstrap={n_bootstrap!r} must be an integer of at least 1.")
    if not hasattr(search, "cv_results_"):
        raise ValueError(f"search={search!r} must be a fitted search, which has cv_results_.")
    metric = _metric_of(search, metric)
    scores = complete_scores(search.cv_results_, metric)
    n_candidates, n_folds = scores.shape
    if n_folds < 2:
        raise ValueError(
            f"The search has {n_folds} fold, and how lucky its winner was shows only in others; "
            "give it a cv of at least two, or measure the winner on rows that it has not seen."
        )
    if not n_candidates:
        raise ValueError("No candidate of the search has a score on each fold.")
    if n_candidates == 1 < len(search.cv_results_["params"]):
        raise ValueError(
            "Only one candidate of several is complete: it was chosen by scores of the others that "
            "cannot be compared with its own, so its luck cannot be told. Measure it on rows that "
            "it has not seen."
        )
    return SelectionOptimism(
        best_score=float(scores.mean(axis=1).max()),
        bootstrap=bootstrap_optimism(scores, n_bootstrap, random_state),
        tibshirani=tibshirani_optimism(scores),
        n_candidates=n_candidates,
        n_folds=n_folds,
        metric=metric,
    )


def _metric_of(search: Any, metric: str | None) -> str:
    known = [n.removeprefix("mean_test_") for n in search.cv_results_ if n.startswith("mean_test_")]
    if metric is None and len(known) > 1 and isinstance(search.refit, str):
        metric = search.refit
    if metric is None and len(known) == 1:
        return known[0]
    if metric is None or metric not in known:
        raise ValueError(
            f"metric={metric!r} must be one of those of the search: {', '.join(known)}."
        )
    return metric
