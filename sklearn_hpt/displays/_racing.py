"""How many folds were spent on each candidate."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from sklearn_hpt._axes import BLACK, BLUE, GREY, ORANGE, VERMILION, axes_for, legend_above
from sklearn_hpt.displays._candidate_table import CandidateTable
from sklearn_hpt.displays._table_display import TableDisplay

_MOST_BARS = 150  # more candidates are put together
_COLOURS = {"complete": BLUE, "stopped": GREY, "running": ORANGE, "failed": VERMILION}
_HATCHES = {"complete": "", "stopped": "", "running": "..", "failed": "xx"}


class RacingDisplay(TableDisplay):
    """The folds that were evaluated of each candidate, in order, by what became of it.

    Of more than 150 candidates, several in a row are one bar, with their mean. The line is the
    share of all folds that was evaluated up to there: the cost in units of a search without racing.

    Parameters
    ----------
    table : CandidateTable
        The candidates.

    Attributes
    ----------
    share_ : float
        Folds that were evaluated, as a fraction of all folds of these candidates.
    ax_ : matplotlib Axes
        Where it is drawn.
    figure_ : matplotlib Figure
        The figure of these axes.

    Examples
    --------
    >>> from sklearn_hpt.displays import RacingDisplay
    >>> results = {
    ...     "params": [{"C": 1}, {"C": 2}, {"C": 3}],
    ...     "mean_test_score": [0.9, float("nan"), 0.8],
    ...     "split0_test_score": [0.9, 0.5, 0.8],
    ...     "split1_test_score": [0.9, float("nan"), 0.8],
    ...     "n_test_splits": [2, 1, 2],
    ...     "status": ["complete", "stopped", "complete"],
    ... }
    >>> round(RacingDisplay.from_cv_results(results).share_, 2)
    0.83
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
        RacingDisplay
            This display.
        """
        ax, table = axes_for(ax), self.table
        n = len(table.n_folds)
        so_far = np.cumsum(table.n_folds) / (np.arange(1, n + 1) * table.n_splits)
        self.share_ = float(so_far[-1]) if n else 0.0
        starts, sizes, means = folds_by_status(table)
        bottom = np.zeros(len(starts))
        for status, heights in means.items():
            if heights.any():
                label = f"{status} ({int((table.status == status).sum())})"
                style = {"color": _COLOURS[status], "label": label}
                style["hatch"] = _HATCHES[status] if n <= _MOST_BARS else ""
                width = sizes * (0.85 if n <= _MOST_BARS else 1.0)
                ax.bar(starts + (sizes - 1) / 2, heights, width, bottom, lw=0, **style)
                bottom += heights
        line = so_far * table.n_splits
        ax.plot(np.arange(n), line, color=BLACK, lw=1.8, label=self._told())
        ax.set(xlabel="candidate", ylabel="folds evaluated", xlim=(-0.7, n - 0.3))
        ax.set_ylim(0, table.n_splits * 1.03)
        for axis in (ax.xaxis, ax.yaxis):
            axis.get_major_locator().set_params(integer=True)
        legend_above(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _told(self) -> str:
        """Return what the line says."""
        if self.share_ >= 1.0:
            return "all folds were spent"
        percent = min(round(100 * self.share_), 99)
        if (self.table.status == "running").any():
            return f"folds spent so far: {percent} %"
        return f"folds spent so far, {percent} % in the end"


def folds_by_status(table: CandidateTable) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Return the first candidate of each bar, how many it stands for, and its folds by status.

    The folds are means over the candidates of a bar, shape (n_bars,) for each status.
    """
    n = len(table.n_folds)
    starts = np.arange(0, n, max(1, -(-n // _MOST_BARS)))
    sizes = np.diff([*starts, n])
    means = {
        status: np.add.reduceat(np.where(table.status == status, table.n_folds, 0), starts) / sizes
        for status in _COLOURS
    }
    return starts, sizes, means
