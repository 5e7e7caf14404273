"""Members of a population: their rows of `cv_results_`, and their history."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sklearn_hpt._results import Row, deciding_scores, mean_score
from sklearn_hpt._trial import Trial


def member_rows(trials: Sequence[Trial], size: int, metric: str | None) -> list[Row]:
    """Return a row for each member, which shows its best generation, the earlier of equals.

    Parameters
    ----------
    trials : sequence of Trial
        Generation after generation, the members of each in the same order.
    size : int
        Number of members.
    metric : str or None
        Of several metrics, the one that decides.
    """
    places: dict[int, list[Trial]] = {}
    for trial in trials:
        places.setdefault(trial.number % size, []).append(trial)

    def goodness(trial: Trial) -> tuple[bool, bool, float]:
        score = mean_score(trial, metric)
        is_known = math.isfinite(score)
        return trial.status == "complete", is_known, score if is_known else 0.0

    return [Row(places[place], max(places[place], key=goodness)) for place in sorted(places)]


def history(trials: Sequence[Trial], size: int, metric: str | None) -> dict[str, Any]:
    """Return what every member was in every generation, and whose training it went on with.

    Returns
    -------
    dict of str to array of shape (n_generations * population_size,)
        `generation`, `member`, `parent` (a member of the generation before, -1 for none),
        `resource`, `params`, `mean_test_score` and ``split{k}_test_score`` of the metric that
        decides.
    """
    params = np.empty(len(trials), dtype=object)
    params[:] = [dict(trial.params) for trial in trials]
    n_splits = 1 + max((fold for trial in trials for fold in trial.results), default=-1)
    folds = np.full((len(trials), n_splits), math.nan)
    for row, trial in enumerate(trials):
        for fold, result in trial.results.items():
            folds[row, fold] = next(iter(deciding_scores(result, metric)), math.nan)
    return {
        "generation": np.array([trial.number // size for trial in trials]),
        "member": np.array([trial.number % size for trial in trials]),
        "parent": np.array([-1 if t.continues is None else t.continues % size for t in trials]),
        "resource": np.array([trial.resource for trial in trials]),
        "params": params,
        "mean_test_score": folds.mean(axis=1) if n_splits else np.full(len(trials), math.nan),
        **{f"split{fold}_test_score": folds[:, fold] for fold in range(n_splits)},
    }
