"""Who went on from whose training in a population."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from sklearn_hpt._axes import (
    BLACK,
    COLOUR_MAP,
    GREY,
    ORANGE,
    VERMILION,
    axes_for,
    legend_above,
    lines,
)
from sklearn_hpt.displays._population import PopulationDisplay, ancestors, best_row, parent_rows
from sklearn_hpt.displays._table_display import score_limits

_MANY = 300


class LineageDisplay(PopulationDisplay):
    """The members of a population, generation by generation, and who went on from whom.

    A level line is a member that goes on with its own training; a slanted one begins at the member
    whose weights were taken. The broad line leads to the best score. If all slanted lines come from
    one member the population has lost its variety: a larger one, or a smaller `quantile`, keeps it.

    Parameters
    ----------
    history : mapping of str to array
        What is in `population_history_`: `generation`, `member`, `parent`, `resource`, `params` and
        `mean_test_score`.
    unit : str, default=None
        What training is counted in, such as "epochs"; None is not known.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it is drawn.
    figure_ : matplotlib Figure
        The figure of these axes.

    Examples
    --------
    >>> from sklearn_hpt.displays import LineageDisplay
    >>> history = {
    ...     "generation": [0, 0, 1, 1],
    ...     "member": [0, 1, 0, 1],
    ...     "parent": [-1, -1, 1, 1],
    ...     "resource": [5, 5, 10, 10],
    ...     "params": [{"lr": 0.1}, {"lr": 0.01}, {"lr": 0.012}, {"lr": 0.01}],
    ...     "mean_test_score": [0.5, 0.7, 0.8, 0.75],
    ... }
    >>> display = LineageDisplay(history).plot()
    >>> display.ax_.get_xlabel(), display.ax_.get_ylabel()
    ('generation', 'member')
    """

    def __init__(self, history: Mapping[str, Any], unit: str | None = None) -> None:
        super().__init__(history, unit)

    def plot(self, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.

        Returns
        -------
        LineageDisplay
            This display.
        """
        points = np.column_stack([self.history["generation"], self.history["member"]]).astype(float)
        n_members = int(points[:, 1].max(initial=0)) + 1
        ax = axes_for(ax, (6.4, float(np.clip(0.22 * n_members + 1.6, 3.0, 9.0))))
        parents, best = parent_rows(self.history), best_row(self.history)
        self._draw_lines(ax, points, parents)
        if best is not None:
            line = points[ancestors(parents, best)]
            ax.plot(*line.T, color=BLACK, lw=4, zorder=2)
            ax.plot(*line.T, color=ORANGE, lw=2.6, zorder=2, label="to the best")
        self._draw_members(ax, points)
        ax.set(xlabel=self._xlabel(), ylabel="member")
        for axis in (ax.xaxis, ax.yaxis):
            axis.get_major_locator().set_params(integer=True)
        ax.invert_yaxis()
        legend_above(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _xlabel(self) -> str:
        """Return "generation", and how long they are if all are as long as each other."""
        ends = np.unique(np.asarray(self.history["resource"], dtype=float))
        lengths = set(np.diff(ends, prepend=0.0))
        if self.unit is None or len(lengths) != 1 or lengths == {1.0}:
            return "generation"
        return f"generation ({lengths.pop():g} {self.unit} each)"

    def _draw_lines(self, ax: Any, points: np.ndarray, parents: np.ndarray) -> None:
        rows = np.flatnonzero(parents >= 0)
        copied = points[rows, 1] != points[parents[rows], 1]
        is_many = len(points) > _MANY
        many = {"rasterized": is_many, "zorder": 1, "alpha": 0.5 if is_many else 1.0}
        many["lw"] = 0.5 if is_many else 1.0
        for label, chosen, colour in (
            ("goes on", rows[~copied], GREY),
            (f"took over ({int(copied.sum())})", rows[copied], VERMILION),
        ):
            if chosen.size:
                pairs = np.stack([points[parents[chosen]], points[chosen]], axis=1)
                ax.add_collection(lines(pairs, colors=colour, label=label, **many))

    def _draw_members(self, ax: Any, points: np.ndarray) -> None:
        scores = np.asarray(self.history["mean_test_score"], dtype=float)
        known = np.isfinite(scores)
        low, high = score_limits(scores)
        style = {"s": 26 if len(points) <= _MANY else 9, "zorder": 3}
        shown = ax.scatter(
            *points[known].T, c=scores[known], cmap=COLOUR_MAP, vmin=low, vmax=high, **style
        )
        if (~known).any():
            label = f"no score ({int((~known).sum())})"
            ax.scatter(*points[~known].T, marker="x", color=BLACK, label=label, **style)
        if known.any():
            ax.figure.colorbar(shown, ax=ax, label="mean test score")
