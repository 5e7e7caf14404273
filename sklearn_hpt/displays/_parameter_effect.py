"""How the score depends on each hyperparameter."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Self

import numpy as np

from sklearn_hpt._axes import BLACK, VERMILION, grid_for, legend_above, make_readable
from sklearn_hpt.displays._candidate_table import CandidateTable, chosen_names
from sklearn_hpt.displays._scale import Scale, short_names
from sklearn_hpt.displays._table_display import TableDisplay, draw_marks, mark_best
from sklearn_hpt.space import Categorical, Dimension, Params, Space

_N_POINTS = 80  # of a curve
_GOLDEN = 0.618033988749895  # marks of one choice lie beside each other by multiples of it
_JITTER = 0.5  # of the width of a choice


class ParameterEffectDisplay(TableDisplay):
    """The score of each candidate against each of its hyperparameters, on the scale of its prior.

    Where the search has a model of the score (`BayesSearchCV`), its curve through the best
    candidate is drawn with a band of two standard deviations: what the model expects if only this
    parameter is changed. The marks are the candidates, which differ in the other parameters too.

    Candidates that failed are crosses at the bottom edge. Of choices, the black line is the median.

    Parameters
    ----------
    table : CandidateTable
        The candidates.
    params : str or sequence of str, default=None
        The hyperparameters, an axes for each; None is all that were varied.

    Attributes
    ----------
    curves_ : dict of str to (ndarray, ndarray, ndarray)
        For each hyperparameter that the model knows: places along the axis, means and standard
        deviations.
    axes_ : ndarray of matplotlib Axes
        Where it is drawn.
    ax_ : matplotlib Axes
        The first of them.
    figure_ : matplotlib Figure
        Their figure.

    Examples
    --------
    >>> from sklearn_hpt.displays import ParameterEffectDisplay
    >>> results = {
    ...     "params": [{"C": 0.01}, {"C": 1.0}, {"C": 100.0}],
    ...     "mean_test_score": [0.7, 0.9, 0.8],
    ... }
    >>> ParameterEffectDisplay.from_cv_results(results).ax_.get_xscale()
    'log'
    """

    def __init__(self, table: CandidateTable, params: str | Iterable[str] | None = None) -> None:
        self.table = table
        self.params = params

    def plot(self, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, or array of them, default=None
            Where to draw, an axes for each hyperparameter; None is a new figure.

        Returns
        -------
        ParameterEffectDisplay
            This display.

        Raises
        ------
        ValueError
            If there is no such hyperparameter, or `ax` has another number of axes.
        """
        table, names = self.table, chosen_names(self.table, self.params)
        axes = grid_for(ax, len(names), sharey=True)
        labels = short_names(names)
        self.curves_ = {name: c for name in names if (c := surrogate_curve(table, name))}
        for name, one in zip(names, axes, strict=True):
            self._draw(one, name, labels[name])
        if ax is None and len(axes) > 1:
            label = table.score_label.replace(" (", "\n(")  # names of metrics are long
            axes[0].figure.supylabel(label, fontsize="medium", ma="center")
            _one_legend(axes)
        else:
            for one in axes:
                one.set_ylabel(table.score_label)
        if len(axes) == 1:
            legend_above(axes[0])
        self.axes_, self.ax_, self.figure_ = axes, axes[0], axes[0].figure
        return self

    def _draw(self, ax: Any, name: str, label: str) -> None:
        table, scale = self.table, self.table.scales[name]
        x = spread_choices(table.positions(name), scale)
        draw_marks(ax, x, table, bars=False)
        if name in self.curves_:
            _draw_curve(ax, scale, *self.curves_[name])
        elif scale.prior == "choices":
            _draw_medians(ax, table, name)
        best = table.best
        if best is not None and np.isfinite(x[best]) and np.isfinite(table.scores[best]):
            mark_best(ax, x[best], table)
        scale.dress(ax, "x", label)


def spread_choices(positions: np.ndarray, scale: Scale) -> np.ndarray:
    """Return the places of candidates, those of one choice beside each other."""
    if scale.prior != "choices":
        return positions
    beside = (np.arange(len(positions)) * _GOLDEN) % 1.0 - 0.5
    return positions + _JITTER * beside


def surrogate_curve(
    table: CandidateTable, name: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return places, means and standard deviations of the model along one parameter.

    The other parameters are those of the best candidate. None if there is no model, or it knows
    nothing of the parameter.
    """
    point = best_point(table)
    if point is None or name not in point[0]:
        return None
    params, space = point
    scale = table.scales[name]
    values = values_along(space[name], scale, _N_POINTS)
    mean, std = table.surrogate.predict([{**params, name: value} for value in values])
    return scale.positions(values), mean, std


def best_point(table: CandidateTable) -> tuple[Params, Space] | None:
    """Return the best candidate and the alternative it is from, None without a model of it."""
    if table.surrogate is None or table.space is None or table.best is None:
        return None
    params = table.params[table.best]
    for space in table.space.spaces:
        point = {name: params[name] for name in space if name in params}
        if space.contains(point):
            return point, space
    return None


def values_along(dimension: Dimension, scale: Scale, n_points: int) -> list[Any]:
    """Return values of a dimension from its lower to its upper end, choices as they are."""
    if isinstance(dimension, Categorical):
        return sorted(dimension.choices, key=lambda c: scale.positions([c])[0])
    values = [dimension.from_unit(u) for u in np.linspace(0.0, 1.0, n_points)]
    return list(dict.fromkeys(v for v in values if math.isfinite(v)))


def _draw_curve(ax: Any, scale: Scale, x: np.ndarray, mean: np.ndarray, std: np.ndarray) -> None:
    limits = ax.get_ylim()
    style = {"color": VERMILION, "zorder": 4}
    if scale.prior == "choices":
        ax.errorbar(x, mean, 2 * std, fmt="_", ms=14, lw=1.5, label="model, ± 2 std", **style)
    else:
        ax.plot(x, mean, lw=1.8, label="model, ± 2 std", **style)
        ax.fill_between(x, mean - 2 * std, mean + 2 * std, color=VERMILION, alpha=0.15, lw=0)
    ax.set_ylim(limits)


def _draw_medians(ax: Any, table: CandidateTable, name: str) -> None:
    positions, rows = table.positions(name), table.is_complete
    for place in np.unique(positions[rows & np.isfinite(positions)]):
        median = np.median(table.scores[rows & (positions == place)])
        ax.hlines(median, place - 0.35, place + 0.35, color=BLACK, lw=2, zorder=4)


def _one_legend(axes: Any) -> None:
    """Write one legend above all axes of a figure."""
    found: dict[str, tuple[Any, str]] = {}
    for ax in axes:
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            found.setdefault(label.partition(" (")[0], (handle, label))
    if found:
        handles, labels = zip(*found.values(), strict=True)
        style = {"loc": "outside upper right", "ncols": 4, "frameon": False, "fontsize": "small"}
        make_readable(axes[0].figure.legend(handles, labels, **style))
