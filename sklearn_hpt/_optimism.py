"""How much better the best of many candidates looks than it is, from the scores of the folds.

Notation: ``S`` has shape (n_candidates, n_folds); ``m`` are the means over folds; the winner is
``argmax m``. What its mean exceeds its expectation by is the optimism: of many scores with noise,
the best one has more luck than skill.

Both estimates look at folds that did not choose. Tibshirani and Tibshirani compare, in each fold,
the best there with the winner. The bootstrap draws folds with replacement, chooses by those that
were drawn, and looks at the winner's score in those that were not: without bias, but for a choice
by fewer folds than there are. The mean over K folds drawn with replacement has the variance of one
over ``K / (2 - 1/K)`` folds, so the optimism is larger by ``sqrt(2 - 1/K)`` and is divided by that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

N_BOOTSTRAP = 2000


def complete_scores(cv_results: Mapping[str, Any], metric: str) -> np.ndarray:
    """Return the fold scores of all complete candidates, shape (n_complete, n_folds)."""
    n_folds = sum(
        name.startswith("split") and name.endswith(f"_test_{metric}") for name in cv_results
    )
    scores = np.column_stack(
        [np.asarray(cv_results[f"split{k}_test_{metric}"], dtype=float) for k in range(n_folds)]
    )
    is_complete = np.isfinite(scores).all(axis=1)
    if "status" in cv_results:
        is_complete &= np.asarray(cv_results["status"]) == "complete"
    elif "n_resources" in cv_results:  # halving of scikit-learn, a row for each amount
        amounts = np.asarray(cv_results["n_resources"])
        is_complete &= amounts == amounts.max(initial=0)
    return scores[is_complete]


def tibshirani_optimism(scores: np.ndarray) -> float:
    """Return the mean over folds of how far the winner is behind the best of each fold."""
    winner = scores.mean(axis=1).argmax()
    return float((scores.max(axis=0) - scores[winner]).mean())


def bootstrap_optimism(
    scores: np.ndarray, n_bootstrap: int = N_BOOTSTRAP, random_state: int | None = 0
) -> float:
    """Return how much better winners are in the folds that chose them than in the others.

    At least 0, which choosing cannot cost.
    """
    n_folds, rng = scores.shape[1], np.random.default_rng(random_state)
    drawn = rng.multinomial(n_folds, np.full(n_folds, 1 / n_folds), size=n_bootstrap)
    is_left = drawn == 0
    drawn, is_left = drawn[is_left.any(axis=1)], is_left[is_left.any(axis=1)]
    means = scores @ drawn.T / n_folds  # (n_candidates, n_draws)
    winners = means.argmax(axis=0)
    inside = means[winners, np.arange(len(winners))]
    outside = (scores[winners] * is_left).sum(axis=1) / is_left.sum(axis=1)
    return max(0.0, float((inside - outside).mean() / math.sqrt(2 - 1 / n_folds)))
