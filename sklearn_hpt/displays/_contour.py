"""The score as a function of two hyperparameters."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from sklearn_hpt._axes import BLACK, COLOUR_MAP, GREY, ORANGE, axes_for, legend_above
from sklearn_hpt.displays._candidate_table import CandidateTable, chosen_names
from sklearn_hpt.displays._parameter_effect import best_point, spread_choices, values_along
from sklearn_hpt.displays._scale import Scale, short_names
from sklearn_hpt.displays._table_display import TableDisplay, mark_best, mark_style, score_limits

_N_POINTS = 40  # of the grid, in each direction
_N_LEVELS = 7
_MANY = 300
_WIDTH = 0.35  # of the kernel for one candidate, as a fraction of the range
_NARROWEST = 0.05
_TINY = 1e-9  # weight of a candidate anywhere, so that there is a mean where none is near


class ContourDisplay(TableDisplay):
    """The score over two hyperparameters, on the scales of their priors.

    Where the search has a model of the score (`BayesSearchCV`), its mean is drawn, with the other
    hyperparameters those of the best candidate. Else it is a smooth of the complete candidates (the
    mean weighted by a normal kernel), in which the other hyperparameters are whatever they were.

    Black dots are complete candidates, grey ones others that have a score, crosses have none.

    Parameters
    ----------
    table : CandidateTable
        The candidates.
    params : sequence of two str, default=None
        The hyperparameters; None is the only two that were varied.

    Attributes
    ----------
    grid_ : (ndarray of shape (n,), ndarray of shape (m,), ndarray of shape (m, n))
        Places along the axes, and the scores there.
    ax_ : matplotlib Axes
        Where it is drawn.
    figure_ : matplotlib Figure
        The figure of these axes.

    Examples
    --------
    >>> from sklearn_hpt.displays import ContourDisplay
    >>> results = {
    ...     "params": [{"C": 0.01, "tol": 0.1}, {"C": 1.0, "tol": 0.4}, {"C": 100.0, "tol": 0.3}],
    ...     "mean_test_score": [0.7, 0.9, 0.8],
    ... }
    >>> display = ContourDisplay.from_cv_results(results)
    >>> display.ax_.get_xscale(), display.ax_.get_yscale()
    ('log', 'linear')
    """

    def __init__(self, table: CandidateTable, params: Any = None) -> None:
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
        ContourDisplay
            This display.

        Raises
        ------
        ValueError
            If there are not two hyperparameters, or no candidate is complete.
        """
        names = chosen_names(self.table, self.params)
        if len(names) != 2 or names[0] == names[1]:
            raise ValueError(
                f"params={self.params!r} must name two hyperparameters, of {names!r}; give them, "
                "such as params=('C', 'gamma')."
            )
        if not self.table.is_complete.any():
            raise ValueError("No candidate is complete, so there is nothing to draw; wait for one.")
        ax, scales = axes_for(ax), [self.table.scales[name] for name in names]
        self.grid_ = surrogate_grid(self.table, *names) or smoothed_grid(self.table, *names)
        self._draw_grid(ax, scales)
        self._draw_candidates(ax, names)
        short = short_names(names)
        for which, scale in zip("xy", scales, strict=True):
            scale.dress(ax, which, short[scale.name])
        legend_above(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _draw_grid(self, ax: Any, scales: list[Scale]) -> None:
        x, y, z = self.grid_
        # a model may expect anything where nothing was tried: no lower than what was seen
        lowest, best = score_limits(self.table.scores[self.table.is_complete])
        low, high = max(float(z.min()), lowest), min(float(z.max()), best)
        if not high > low:
            low, high = float(z.min()), float(z.max())
        limits = {"vmin": low, "vmax": high}
        # nearest: a field around each point; its ends are drawn beyond the last ones
        mesh = ax.pcolormesh(x, y, z, cmap=COLOUR_MAP, shading="nearest", rasterized=True, **limits)
        if min(z.shape) > 2 and z.max() > z.min() and all(s.prior != "choices" for s in scales):
            levels = np.linspace(low, high, _N_LEVELS + 2)[1:-1]
            ax.contour(x, y, z, levels=levels, colors="white", linewidths=0.7, alpha=0.7)
        extend = ("neither", "min", "max", "both")[(z.min() < low) + 2 * (z.max() > high)]
        ax.figure.colorbar(mesh, ax=ax, label=self.table.score_label, extend=extend)

    def _draw_candidates(self, ax: Any, names: list[str]) -> None:
        table = self.table
        x, y = (spread_choices(table.positions(n), table.scales[n]) for n in names)
        style = {**mark_style(len(x)), "linewidths": 0.7 if len(x) <= _MANY else 0.25, "zorder": 3}
        known, complete = np.isfinite(table.scores), table.is_complete
        kinds = (
            ("complete", complete, {"facecolors": BLACK, "edgecolors": "white"}),
            ("partly", known & ~complete, {"facecolors": GREY, "edgecolors": "white"}),
            ("no score", ~known, {"marker": "x", "color": ORANGE, "linewidths": 1.2}),
        )
        for label, rows, looks in kinds:
            rows = rows & np.isfinite(x) & np.isfinite(y)
            if rows.any():
                ax.scatter(x[rows], y[rows], label=f"{label} ({rows.sum()})", **{**style, **looks})
        best = table.best
        if best is not None and np.isfinite(x[best]) and np.isfinite(y[best]):
            mark_best(ax, x[best], table, y[best])


def surrogate_grid(
    table: CandidateTable, of_x: str, of_y: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return the mean of the model over two parameters, None if it does not know them."""
    point = best_point(table)
    if point is None or of_x not in point[0] or of_y not in point[0]:
        return None
    params, space = point
    along = [values_along(space[name], table.scales[name], _N_POINTS) for name in (of_x, of_y)]
    points = [{**params, of_x: x, of_y: y} for y in along[1] for x in along[0]]
    mean = table.surrogate.predict(points)[0].reshape(len(along[1]), len(along[0]))
    x, y = (
        table.scales[n].positions(values) for n, values in zip((of_x, of_y), along, strict=True)
    )
    return x, y, mean


def smoothed_grid(
    table: CandidateTable, of_x: str, of_y: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the mean of the scores, weighted by nearness, over two parameters."""
    grids, kernels = [], []
    rows = table.is_complete
    rows = rows & np.isfinite(table.positions(of_x)) & np.isfinite(table.positions(of_y))
    width = max(_WIDTH * rows.sum() ** (-1 / 6), _NARROWEST)  # the rate for two dimensions
    for name in (of_x, of_y):
        scale = table.scales[name]
        grid = _places(scale)
        kernels.append(_kernel(scale, grid, table.positions(name)[rows], width))
        grids.append(grid)
    scores = np.maximum(table.scores[rows], score_limits(table.scores[rows])[0])
    sums, weights = (kernels[1] * scores) @ kernels[0].T, kernels[1] @ kernels[0].T
    return grids[0], grids[1], sums / weights


def _kernel(scale: Scale, grid: np.ndarray, at: np.ndarray, width: float) -> np.ndarray:
    """Return the weights of candidates at places of a grid, shape (n_grid, n_candidates)."""
    if scale.prior == "choices":  # these have no neighbours; one without candidates is like all
        return np.where(grid[:, None] == at, 1.0, _TINY)
    distance = (scale.to_unit(grid)[:, None] - scale.to_unit(at)) / width
    return np.exp(-0.5 * distance**2) + _TINY


def _places(scale: Scale) -> np.ndarray:
    if scale.prior == "choices":
        return np.arange(len(scale.choices), dtype=float)
    if not scale.high > scale.low:
        return np.array([scale.low])
    return scale.from_unit(np.linspace(0.0, 1.0, _N_POINTS))
