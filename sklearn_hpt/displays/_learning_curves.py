"""The scores of candidates as they were given more of a resource."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from sklearn_hpt._axes import BLACK, BLUE, GREY, ORANGE, axes_for, legend_above, lines
from sklearn_hpt.displays._candidate_table import CandidateTable
from sklearn_hpt.displays._table_display import TableDisplay, score_limits

_MANY = 300
_LOG_FROM = 4.0  # ratio of the largest amount to the smallest from which on the axis is logarithmic
_MOST_TICKS = 8


class LearningCurvesDisplay(TableDisplay):
    """The score of each candidate against the epochs, trees or rows that it had, rung by rung.

    Candidates that went no further than one rung are dots. Where lines cross, a rung has misjudged:
    with many crossings the first rungs are too low.

    Parameters
    ----------
    table : CandidateTable
        The candidates of a search that gives them different amounts of a resource:
        `CoarseToFineSearchCV`, ``pruning="asha"``, `PBTSearchCV`, or halving of scikit-learn.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it is drawn.
    figure_ : matplotlib Figure
        The figure of these axes.

    Examples
    --------
    >>> from sklearn_hpt.displays import LearningCurvesDisplay
    >>> results = {
    ...     "params": [{"lr": 0.1}, {"lr": 0.01}],
    ...     "mean_test_score": [0.9, 0.5],
    ...     "status": ["complete", "stopped"],
    ...     "resource": [9, 3],
    ...     "learning_curve": [[(3, 0.7), (9, 0.9)], [(3, 0.5)]],
    ... }
    >>> LearningCurvesDisplay.from_cv_results(results).ax_.get_xlabel()
    'resource'
    """

    def __init__(self, table: CandidateTable) -> None:
        self.table = table

    def plot(self, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.

        Returns
        -------
        LearningCurvesDisplay
            This display.

        Raises
        ------
        ValueError
            If the candidates had no different amounts of a resource.
        """
        table = self.table
        if table.curves is None:
            raise ValueError(
                "The table has no column 'learning_curve': the candidates all had the same amount. "
                "Give a search with pruning='asha', a CoarseToFineSearchCV or a PBTSearchCV."
            )
        curves = [_finite(curve) for curve in table.curves]
        ax = axes_for(ax)
        for wanted, colour in ((False, GREY), (True, BLUE)):
            rows = [
                c for c, is_it in zip(curves, table.is_complete, strict=True) if is_it == wanted
            ]
            rows = [curve for curve in rows if len(curve)]
            label = f"{'complete' if wanted else 'not complete'} ({len(rows)})"
            _draw_curves(ax, rows, len(curves), color=colour, label=label)
        if table.best is not None and len(curves[table.best]):
            x, y = curves[table.best].T
            ax.plot(x, y, "o-", color=BLACK, lw=3.6, ms=6, zorder=4)
            label = f"best ({table.scores[table.best]:.4g})"
            ax.plot(x, y, "o-", color=ORANGE, lw=2.2, ms=4, zorder=4, label=label)
        every = np.concatenate([np.empty((0, 2)), *curves])
        _scale_axes(ax, every[:, 0], score_limits(every[:, 1]))
        ax.set(xlabel=table.resource, ylabel=table.score_label)
        legend_above(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _finite(curve: Any) -> np.ndarray:
    """Return the rungs of a candidate that have a score, shape (n_rungs, 2)."""
    points = np.asarray(curve, dtype=float).reshape(-1, 2)
    return points[np.isfinite(points).all(axis=1)]


def _draw_curves(ax: Any, curves: list[np.ndarray], n: int, color: str, label: str) -> None:
    if not curves:
        return
    alpha = 0.8 if n <= 60 else 0.4 if n <= _MANY else 0.15
    style = {"alpha": alpha, "rasterized": n > _MANY}
    ax.add_collection(lines(curves, colors=color, lw=1.0, label=label, **style))
    points = np.concatenate(curves)
    ax.scatter(*points.T, color=color, s=14 if n <= _MANY else 4, linewidths=0, **style)


def _scale_axes(ax: Any, amounts: np.ndarray, limits: tuple[float, float]) -> None:
    rungs = np.unique(amounts)
    if rungs.size and rungs[0] > 0 and rungs[-1] >= _LOG_FROM * rungs[0]:
        ax.set_xscale("log")
    if 0 < rungs.size <= _MOST_TICKS:
        ax.set_xticks(rungs, [f"{rung:g}" for rung in rungs])
        ax.set_xticks([], minor=True)
    if limits[1] > limits[0]:
        margin = 0.06 * (limits[1] - limits[0])
        ax.set_ylim(limits[0] - margin, limits[1] + margin)
