"""Fold results as JSON objects, and back."""

from __future__ import annotations

import math
from typing import Any

from sklearn_hpt._journal._lines import Event
from sklearn_hpt._trial import Failure, FoldResult, Scores


def as_fold_event(result: FoldResult) -> Event:
    """Return what a journal line holds of a fold result."""
    event: Event = {
        "trial": result.trial,
        "fold": result.fold,
        "fit_time": result.fit_time,
        "score_time": result.score_time,
    }
    if result.test_scores is not None:
        event["test_scores"] = _written(result.test_scores)
    if result.train_scores is not None:
        event["train_scores"] = _written(result.train_scores)
    if result.spent is not None:
        event["spent"] = result.spent
    if result.failure is not None:
        failure = result.failure
        event["failure"] = {
            "message": failure.message,
            "details": failure.details,
            "timed_out": failure.timed_out,
        }
    return event


def as_fold_result(event: Event) -> FoldResult:
    """Return the fold result of a journal line."""
    failure = event.get("failure")
    return FoldResult(
        event["trial"],
        event["fold"],
        _read(event.get("test_scores")),
        _read(event.get("train_scores")),
        fit_time=event["fit_time"],
        score_time=event["score_time"],
        failure=None if failure is None else Failure(**failure),
        spent=event.get("spent"),
    )


def _written(scores: Scores) -> Any:
    """JSON has no NaN and no infinity: they are written as text."""
    if isinstance(scores, dict):
        return {name: _written(score) for name, score in scores.items()}
    if not isinstance(scores, (int, float)):
        scores = float(scores)
    return scores if math.isfinite(scores) else str(scores)


def _read(scores: Any) -> Any:
    if isinstance(scores, dict):
        return {name: _read(score) for name, score in scores.items()}
    return float(scores) if isinstance(scores, str) else scores
