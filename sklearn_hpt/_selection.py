"""Select the winner of a search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def best_index(results: Mapping[str, Any], metric: str) -> int | None:
    """Return the row with the best mean score, the first of equals.

    Only complete rows compete. If there are none, those do that were given the most of the
    resource; of a search without one, rows whose failed folds were given a finite `error_score`.

    Parameters
    ----------
    results : mapping
        `cv_results_`.
    metric : str
        Name of the metric that decides.

    Returns
    -------
    int or None
        None if no row has a finite score.
    """
    means = np.asarray(results[f"mean_test_{metric}"], dtype=float)
    competing = _competing(results, np.isfinite(means))
    if not competing.any():
        return None
    ranks = np.asarray(results[f"rank_test_{metric}"])
    return int(np.flatnonzero(competing)[ranks[competing].argmin()])


def _competing(results: Mapping[str, Any], finite: np.ndarray) -> np.ndarray:
    if "status" not in results:
        return finite
    complete = finite & (results["status"] == "complete")
    if complete.any() or "resource" not in results:
        return complete if complete.any() else finite
    stopped = finite & (results["status"] == "stopped")
    candidates = stopped if stopped.any() else finite
    most = max(results["resource"][candidates], default=0)
    return candidates & (results["resource"] == most)
