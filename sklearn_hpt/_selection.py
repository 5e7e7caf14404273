"""Select the winner of a search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sklearn_hpt._trial import Trial


def best_index(results: Mapping[str, Any], metric: str, trials: Sequence[Trial]) -> int | None:
    """Return the row with the best mean score, the first of equals.

    Only complete rows compete. If there are none, rows do whose failed folds were given a
    finite `error_score`.

    Parameters
    ----------
    results : mapping
        `cv_results_`.
    metric : str
        Name of the metric that decides.
    trials : sequence of Trial
        The trials of the rows.

    Returns
    -------
    int or None
        None if no row has a finite score.
    """
    means = np.asarray(results[f"mean_test_{metric}"], dtype=float)
    finite = np.isfinite(means)
    complete = finite & np.array([trial.status == "complete" for trial in trials], dtype=bool)
    competing = complete if complete.any() else finite
    if not competing.any():
        return None
    ranks = np.asarray(results[f"rank_test_{metric}"])
    return int(np.flatnonzero(competing)[ranks[competing].argmin()])
