"""What displays of candidates share: where the candidates come from, and their marks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from sklearn_hpt._axes import BLACK, BLUE, GREY, ORANGE, SKY, VERMILION
from sklearn_hpt.displays._candidate_table import CandidateTable

_MOST_BARS = 100  # candidates with error bars
_MANY = 300  # candidates from which on marks are drawn as an image
_FAR = 3.0  # times the distance from the best to the lower quartile, from where on scores are far
_MOST_FAR = 0.1  # share of the scores that may be cut off
_STYLES: Mapping[str, Mapping[str, Any]] = {
    "complete": {"marker": "o", "color": BLUE, "linewidths": 0},
    "stopped": {"marker": "v", "facecolors": "none", "edgecolors": GREY, "linewidths": 1},
    "running": {"marker": "D", "facecolors": "none", "edgecolors": ORANGE, "linewidths": 1},
    "failed": {"marker": "x", "color": VERMILION, "linewidths": 1},
}


class TableDisplay:
    """Base of the displays that draw the candidates of one search."""

    def plot(self, ax: Any = None) -> Self:
        """Draw."""
        raise NotImplementedError

    @classmethod
    def _of(cls, table: CandidateTable, **options: Any) -> Self:
        return cls(table, **options)  # type: ignore[call-arg]

    @classmethod
    def from_estimator(
        cls, search: Any, *, metric: str | None = None, ax: Any = None, **options: Any
    ) -> Self:
        """Draw a fitted search, of this library or of scikit-learn.

        Parameters
        ----------
        search : fitted search
            What has `cv_results_`.
        metric : str, default=None
            Of several metrics, which to show; None is the one that `refit` names.
        ax : matplotlib Axes, or array of them, default=None
            Where to draw; None is a new figure.
        **options : dict of str to object
            The other parameters of the display.

        Returns
        -------
        TableDisplay
            What was drawn.
        """
        return cls._of(CandidateTable.from_estimator(search, metric=metric), **options).plot(ax=ax)

    @classmethod
    def from_cv_results(
        cls, cv_results: Any, *, metric: str | None = None, ax: Any = None, **options: Any
    ) -> Self:
        """Draw a `cv_results_`.

        Parameters
        ----------
        cv_results : mapping or DataFrame
            `cv_results_`, or a data frame of it.
        metric : str, default=None
            Of several metrics, which to show.
        ax : matplotlib Axes, or array of them, default=None
            Where to draw; None is a new figure.
        **options : dict of str to object
            The other parameters of the display.

        Returns
        -------
        TableDisplay
            What was drawn.
        """
        table = CandidateTable.from_cv_results(cv_results, metric=metric)
        return cls._of(table, **options).plot(ax=ax)

    @classmethod
    def from_journal(
        cls,
        path: str | os.PathLike[str],
        *,
        metric: str | None = None,
        ax: Any = None,
        **options: Any,
    ) -> Self:
        """Draw what a journal has so far, also while its search is running.

        Parameters
        ----------
        path : path-like
            What the search was given as `journal`.
        metric : str, default=None
            Of several metrics, which to show; None is the one that decides.
        ax : matplotlib Axes, or array of them, default=None
            Where to draw; None is a new figure.
        **options : dict of str to object
            The other parameters of the display.

        Returns
        -------
        TableDisplay
            What was drawn.
        """
        return cls._of(CandidateTable.from_journal(path, metric=metric), **options).plot(ax=ax)


def mark_size(n: int) -> float:
    """Return the area of a mark among so many, in square points."""
    return 30.0 if n <= 60 else 14.0 if n <= _MANY else 5.0


def mark_style(n: int) -> dict[str, Any]:
    """Return how marks are drawn of which there are so many."""
    return {
        "s": mark_size(n),
        "alpha": 0.9 if n <= 60 else 0.6 if n <= _MANY else 0.35,
        "rasterized": n > _MANY,
    }


def draw_marks(ax: Any, x: np.ndarray, table: CandidateTable, *, bars: bool = True) -> None:
    """Draw the score of each candidate at `x`, and those without one at the bottom edge.

    Scores far below the others are at the bottom edge too, as triangles: a few diverged candidates
    shall not flatten the picture.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to draw.
    x : ndarray of shape (n_candidates,)
        Where each candidate lies; NaN to leave one out.
    table : CandidateTable
        The candidates.
    bars : bool, default=True
        Whether to draw the standard deviation over the folds, of 100 candidates at most.
    """
    n, known = len(table.scores), np.isfinite(table.scores) & np.isfinite(x)
    low, high = score_limits(table.scores)
    if bars and n <= _MOST_BARS:
        rows = known & np.isfinite(table.spreads)
        ends = table.scores[rows], table.spreads[rows]
        high = max([high, *(ends[0] + ends[1])])
        ax.vlines(x[rows], ends[0] - ends[1], ends[0] + ends[1], color=SKY, alpha=0.5, lw=1.5)
    far = known & (table.scores < low)
    for status, style in _STYLES.items():
        rows = (table.status == status) & np.isfinite(x)
        if not rows.any():
            continue
        shown, below = rows & known & ~far, rows & ~known
        label = f"{status} ({int(rows.sum())})"
        common = {**mark_style(n), **style, "zorder": 3}
        if shown.any():
            ax.scatter(x[shown], table.scores[shown], label=label, **common)
        if below.any():
            _at_bottom(ax, x[below], label=None if shown.any() else label, **common)
    if far.any():
        style = {**mark_style(n), "marker": 11, "color": BLACK, "linewidths": 0, "zorder": 3}
        _at_bottom(ax, x[far], at=0.07, label=f"below ({int(far.sum())})", **style)
    if high > low:
        margin = 0.06 * (high - low)
        ax.set_ylim(low - 2 * margin, high + margin)


def _at_bottom(ax: Any, x: np.ndarray, at: float = 0.025, **style: Any) -> None:
    style = {**style, "s": max(style["s"], 14.0), "alpha": max(style["alpha"], 0.5)}
    ax.scatter(x, np.full(len(x), at), transform=ax.get_xaxis_transform(), **style)


def score_limits(scores: np.ndarray) -> tuple[float, float]:
    """Return the range of scores to show, without those far below the others; (0, 0) if none."""
    known = scores[np.isfinite(scores)]
    if not known.size:
        return 0.0, 0.0
    low = float(np.quantile(known, 0.25))
    best = float(known.max())
    near = known[known >= low - _FAR * (best - low)]
    return float((near if near.size >= (1 - _MOST_FAR) * known.size else known).min()), best


def mark_best(ax: Any, x: float, table: CandidateTable, y: float | None = None) -> None:
    """Mark the candidate that was chosen, at its score where `y` is not given."""
    score = table.scores[table.best]
    label = f"best ({score:.4g})"
    style = {"marker": "*", "s": 130, "color": ORANGE, "edgecolors": BLACK, "linewidths": 0.8}
    ax.scatter([x], [score if y is None else y], label=label, zorder=5, **style)
