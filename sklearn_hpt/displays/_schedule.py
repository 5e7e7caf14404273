"""How the hyperparameters of a population changed while it was trained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

import numpy as np

from sklearn_hpt._axes import BLACK, GREY, ORANGE, grid_for, legend_above, lines
from sklearn_hpt.displays._population import PopulationDisplay, ancestors, best_row, parent_rows
from sklearn_hpt.displays._scale import Scale, guessed_scale, short_names, shortened

_MANY = 300
_LONGEST_UNIT = 30  # characters


class ScheduleDisplay(PopulationDisplay):
    """Each hyperparameter against the training: the schedule of the best, and all that were tried.

    A hyperparameter that the best schedule moves in one direction, and most others too, is worth a
    schedule; one that moves up and down may as well stay.

    Parameters
    ----------
    history : mapping of str to array
        What is in `population_history_`: `generation`, `member`, `parent`, `resource`, `params` and
        `mean_test_score`.
    params : str or sequence of str, default=None
        The hyperparameters, an axes for each; None is all that differ.
    unit : str, default=None
        What training is counted in, such as "epochs"; None is not known.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        Where it is drawn.
    ax_ : matplotlib Axes
        The first of them.
    figure_ : matplotlib Figure
        Their figure.

    Examples
    --------
    >>> from sklearn_hpt.displays import ScheduleDisplay
    >>> history = {
    ...     "generation": [0, 0, 1, 1],
    ...     "member": [0, 1, 0, 1],
    ...     "parent": [-1, -1, 1, 1],
    ...     "resource": [5, 5, 10, 10],
    ...     "params": [{"lr": 0.1}, {"lr": 0.01}, {"lr": 0.012}, {"lr": 0.01}],
    ...     "mean_test_score": [0.5, 0.7, 0.8, 0.75],
    ... }
    >>> ax = ScheduleDisplay(history, unit="epochs").plot().ax_
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('epochs', 'lr')
    """

    def __init__(
        self,
        history: Mapping[str, Any],
        params: str | Iterable[str] | None = None,
        unit: str | None = None,
    ) -> None:
        super().__init__(history, unit)
        self.params = params

    def plot(self, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, or array of them, default=None
            Where to draw, an axes for each hyperparameter; None is a new figure.

        Returns
        -------
        ScheduleDisplay
            This display.

        Raises
        ------
        ValueError
            If there is no such hyperparameter, or `ax` has another number of axes.
        """
        scales = self._scales()
        axes = grid_for(ax, len(scales), n_columns=3, size=(3.6, 2.7))
        labels = short_names(scales)
        steps, best = self._steps(), best_row(self.history)
        line = [] if best is None else ancestors(parent_rows(self.history), best)
        for one, scale in zip(axes, scales.values(), strict=True):
            self._draw(one, scale, steps, line)
            scale.dress(one, "y", labels[scale.name])
            one.set_xlabel(shortened(self.unit or "amount of training", _LONGEST_UNIT))
        legend_above(axes[0])
        self.axes_, self.ax_, self.figure_ = axes, axes[0], axes[0].figure
        return self

    def _draw(self, ax: Any, scale: Scale, steps: np.ndarray, line: list[int]) -> None:
        values = scale.positions([params.get(scale.name) for params in self.history["params"]])
        ends = np.stack([steps, np.repeat(values[:, None], 2, axis=1)], axis=2)
        alpha = 0.6 if len(values) <= _MANY else 0.2
        style = {"colors": GREY, "lw": 1.0, "alpha": alpha, "rasterized": len(values) > _MANY}
        ax.add_collection(lines(ends[np.isfinite(values)], label="all", **style))
        if line:
            path = ends[line].reshape(-1, 2)
            ax.plot(*path.T, color=BLACK, lw=3.4, zorder=3)
            ax.plot(*path.T, color=ORANGE, lw=2.0, zorder=3, label="best")
        ax.set_xlim(0, steps.max() * 1.02)

    def _steps(self) -> np.ndarray:
        """Return the amounts of the resource at begin and end of each row, shape (n_rows, 2)."""
        ends = np.asarray(self.history["resource"], dtype=float)
        parents = parent_rows(self.history)
        return np.column_stack([np.where(parents >= 0, ends[parents], 0.0), ends])

    def _scales(self) -> dict[str, Scale]:
        rows = self.history["params"]
        names = list(dict.fromkeys(name for params in rows for name in params))
        columns = {n: [params[n] for params in rows if n in params] for n in names}
        if self.params is not None:
            wanted = [self.params] if isinstance(self.params, str) else list(self.params)
        else:
            wanted = [n for n, values in columns.items() if len(set(map(str, values))) > 1] or names
        for name in wanted:
            if name not in columns:
                known = ", ".join(map(repr, names))
                raise ValueError(
                    f"params={name!r} is no parameter of the members; these are {known}."
                )
        return {name: guessed_scale(name, columns[name]) for name in wanted}
