"""All hyperparameters of all candidates in one picture."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Self

import numpy as np

from sklearn_hpt._axes import BLACK, COLOUR_MAP, ORANGE, VERMILION, axes_for, legend_above, lines
from sklearn_hpt.displays._candidate_table import CandidateTable, chosen_names
from sklearn_hpt.displays._scale import Scale, short_names, shortened
from sklearn_hpt.displays._table_display import TableDisplay, score_limits

_ABSENT = -0.14  # below the range, where a candidate has no such parameter
_FAILED = -0.14
_MANY = 300
_MOST_CHOICES = 8  # labelled along an axis


class ParallelCoordinatesDisplay(TableDisplay):
    """A line for each candidate through its hyperparameters and its score.

    Each hyperparameter is on the scale of its prior. The better a candidate, the darker its line
    and the later it is drawn. The best one is broad; those that failed are dotted and end below the
    scores. A candidate that does not have a parameter passes below its axis, at "none".

    Parameters
    ----------
    table : CandidateTable
        The candidates.
    params : str or sequence of str, default=None
        The hyperparameters, in this order; None is all that were varied.

    Attributes
    ----------
    lines_ : ndarray of shape (n_candidates, n_params + 1)
        Heights of the lines, fractions of the ranges, the last those of the scores.
    ax_ : matplotlib Axes
        Where it is drawn.
    figure_ : matplotlib Figure
        The figure of these axes.

    Examples
    --------
    >>> from sklearn_hpt.displays import ParallelCoordinatesDisplay
    >>> results = {
    ...     "params": [{"C": 0.01, "tol": 0.1}, {"C": 1.0, "tol": 0.2}, {"C": 100.0, "tol": 0.3}],
    ...     "mean_test_score": [0.7, 0.9, 0.8],
    ... }
    >>> ParallelCoordinatesDisplay.from_cv_results(results).lines_.round(2)
    array([[0. , 0. , 0. ],
           [0.5, 0.5, 1. ],
           [1. , 1. , 0.5]])
    """

    def __init__(self, table: CandidateTable, params: str | Iterable[str] | None = None) -> None:
        self.table = table
        self.params = params

    def plot(self, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.

        Returns
        -------
        ParallelCoordinatesDisplay
            This display.

        Raises
        ------
        ValueError
            If there is no such hyperparameter.
        """
        table, names = self.table, chosen_names(self.table, self.params)
        ax = axes_for(ax, (max(5.0, 0.85 * len(names) + 2.2), 4.6))
        columns = [
            _lifted(table.scales[name].to_unit(table.positions(name)), _ABSENT) for name in names
        ]
        low, high = score_limits(table.scores)
        of_scores = Scale("score", "uniform", low, high).to_unit(table.scores)
        self.lines_ = np.column_stack([*columns, _lifted(of_scores, _FAILED)])
        self._draw_lines(ax)
        for place, name in enumerate(names):
            _draw_axis(ax, place, _labels(table.scales[name]))
            if (columns[place] == _ABSENT).any():
                _write(ax, place, _ABSENT, "none")
        score_labels = [(0.0, f"{low:.4g}"), (1.0, f"{high:.4g}")] if high > low else []
        _draw_axis(ax, len(names), score_labels)
        self._label(ax, names)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _draw_lines(self, ax: Any) -> None:
        table, n = self.table, len(self.table.scores)
        known = np.isfinite(table.scores)
        places = np.arange(self.lines_.shape[1])
        style = {"lw": 1.2 if n <= _MANY else 0.5, "rasterized": n > _MANY}
        alpha = 0.8 if n <= 60 else 0.4 if n <= _MANY else 0.2
        failed = [np.column_stack([places, line]) for line in self.lines_[~known]]
        if failed:
            label = f"no score ({len(failed)})"
            few = {**style, "alpha": 0.6 * alpha, "colors": VERMILION, "linestyles": "dotted"}
            ax.add_collection(lines(failed, label=label, **few))
        order = np.flatnonzero(known)[np.argsort(table.scores[known], kind="stable")]
        drawn = lines(
            [np.column_stack([places, self.lines_[row]]) for row in order],
            array=self.lines_[order, -1],
            cmap=COLOUR_MAP,
            clim=(-0.25, 1.0),  # without the palest quarter, which is faint on paper
            alpha=alpha,
            **style,
        )
        ax.add_collection(drawn)
        best = table.best
        if best is not None and known[best]:
            label = f"best ({table.scores[best]:.4g})"
            ax.plot(places, self.lines_[best], color=BLACK, lw=4, zorder=3)
            ax.plot(places, self.lines_[best], color=ORANGE, lw=2.4, zorder=3, label=label)

    def _label(self, ax: Any, names: list[str]) -> None:
        short = short_names(names)
        labels = [*(shortened(short[name], 26) for name in names), "score"]
        longest = max(map(len, labels))
        slanted = longest * len(labels) > 12 * (ax.figure.get_figwidth() - 1.0)
        style = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"} if slanted else {}
        ax.set_xticks(range(len(labels)), labels, **style)
        ax.set(
            xlim=(-0.3, len(names) + 0.45),
            ylim=(min(0.0, self.lines_.min(initial=0.0)) - 0.06, 1.06),
            yticks=[],
        )
        ax.tick_params(axis="x", length=0)
        ax.spines[:].set_visible(False)
        legend_above(ax)


def _lifted(heights: np.ndarray, missing: float) -> np.ndarray:
    return np.where(np.isfinite(heights), heights, missing)


def _labels(scale: Scale) -> list[tuple[float, str]]:
    """Return heights and texts along one axis."""
    if scale.prior == "choices":
        step = -(-len(scale.choices) // _MOST_CHOICES)
        places = np.arange(0, len(scale.choices), step)
        heights = scale.to_unit(places.astype(float))
        texts = [shortened(scale.choices[i], 12) for i in places]
        return list(zip(heights.tolist(), texts, strict=True))
    if not scale.high > scale.low:
        return [(0.5, f"{scale.low:.3g}")]
    heights = np.linspace(0.0, 1.0, 3)
    return list(zip(heights.tolist(), _told_apart(scale.from_unit(heights)), strict=True))


def _told_apart(numbers: np.ndarray) -> list[str]:
    """Return numbers with three digits, or as many more as tell them from each other and from 1."""
    is_one = [math.isclose(x, 1.0, rel_tol=1e-12) for x in numbers]
    for digits in (3, 6, 9, 12):
        texts = [f"{x:.{digits}g}" for x in numbers]
        if len(set(texts)) == len(texts) and [text == "1" for text in texts] == is_one:
            break
    return texts


def _draw_axis(ax: Any, place: int, labels: Iterable[tuple[float, str]]) -> None:
    ax.plot([place, place], [0.0, 1.0], color=BLACK, lw=0.8, zorder=2)
    for height, text in labels:
        ax.plot([place - 0.03, place], [height, height], color=BLACK, lw=0.8, zorder=2)
        _write(ax, place, height, text)


def _write(ax: Any, place: int, height: float, text: str) -> None:
    box = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.8}
    style = {"fontsize": 7, "va": "center", "zorder": 4, "bbox": box, "clip_on": False}
    ax.text(place + 0.05, height, text, ha="left", **style)
