"""Give candidates little of a resource at first, and more to the better ones."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sklearn_hpt._warn import warn
from sklearn_hpt.samplers import Sampler, SuccessiveHalvingSampler


def warn_if_little_was_better(
    cv_results: Mapping[str, Any], best: int, metric: str, resource: str
) -> None:
    """Warn if stopped candidates with less of a resource were ahead of the winner with all of it.

    Ahead by more than the standard error of the winner's mean over its folds.
    """
    if "status" not in cv_results or "resource" not in cv_results:
        return
    means = np.asarray(cv_results[f"mean_test_{metric}"], dtype=float)
    folds = sum(
        name.startswith("split") and name.endswith(f"_test_{metric}") for name in cv_results
    )
    error = float(cv_results[f"std_test_{metric}"][best]) / math.sqrt(max(folds, 1))
    is_stopped = np.asarray(cv_results["status"]) == "stopped"
    ahead = np.flatnonzero(is_stopped & (means > means[best] + error))
    if not ahead.size:
        return
    first = ahead[np.argmax(means[ahead])]
    amount, of_best = (cv_results["resource"][row] for row in (first, best))
    warn(
        f"{len(ahead)} stopped candidates were ahead of the winner: one scored {means[first]:.4g} "
        f"with {resource}={amount}, the winner {means[best]:.4g} with {of_best}. Either more of it "
        "does harm, or little of it does not tell who will win, as with few trees where learning "
        "rates are searched. Begin with more (resources=...), or give resource='n_samples'.",
        UserWarning,
    )


def with_rungs(
    sampler: Sampler, amounts: Sequence[int] | None, n_iter: int, asked_by: str
) -> Sampler:
    """Return a sampler whose candidates go on from one amount of a resource to the next.

    Parameters
    ----------
    sampler : Sampler
        Where candidates come from.
    amounts : sequence of int or None
        The amounts, the last of which is the whole; None if there is nothing to divide.
    n_iter : int
        Number of candidates.
    asked_by : str
        The parameter of the search that asks for it, such as ``resource='n_samples'``.
    """
    if len(amounts or ()) < 2:
        warn(
            f"{asked_by} has no effect here: the first amount of the resource is the full one "
            "already. Rows come in smaller amounts from 300 training rows on; the passes of an "
            "MLP, or of a linear model by SGD with tol=None, are one if its random_state is an "
            "int. Give resources=(...), or name another resource.",
            UserWarning,
        )
    if amounts is None:
        return sampler
    return SuccessiveHalvingSampler(sampler, amounts, n_iter=n_iter)
