"""The axes that pictures are drawn into; matplotlib is imported here only, when it is needed.

The colours are those of M. Okabe and K. Ito, "Color Universal Design" (2008), which the
colour-blind tell apart, without the yellow, which is faint on white.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
SKY, ORANGE, BLACK, GREY = "#56B4E9", "#E69F00", "#222222", "#999999"
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, SKY, ORANGE, BLACK)
COLOUR_MAP = "cividis_r"  # dark is high; the same to all eyes, and in grey
LINES = ("-", "--", "-.", ":")


def axes_for(ax: Any, size: tuple[float, float] | None = None) -> Any:
    """Return the axes given, or new ones in a figure of this size (inches).

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    return ax if ax is not None else _pyplot().subplots(figsize=size, layout="constrained")[1]


def grid_for(
    ax: Any,
    n_axes: int,
    *,
    n_columns: int = 4,
    size: tuple[float, float] = (2.9, 2.5),
    sharey: bool = False,
) -> np.ndarray:
    """Return so many axes, shape (n_axes,): those given, or new ones in rows of `n_columns`.

    `size` is of one of them, in inches; a single one is larger.

    Raises
    ------
    ValueError
        If another number of axes is given.
    ImportError
        If matplotlib is not installed.
    """
    if ax is not None:
        given = np.array(ax, dtype=object).reshape(-1)
        if len(given) != n_axes:
            raise ValueError(
                f"ax has {len(given)} axes, but {n_axes} are drawn; give that many, give fewer "
                "parameters, or leave ax=None for a new figure."
            )
        return given
    if n_axes == 1:
        return np.array([axes_for(None)], dtype=object)
    n_rows = math.ceil(n_axes / n_columns)
    n_columns = math.ceil(n_axes / n_rows)  # rows as equal as can be
    figure, axes = _pyplot().subplots(
        n_rows,
        n_columns,
        figsize=(size[0] * n_columns, size[1] * n_rows + 0.4),
        layout="constrained",
        sharey=sharey,
        squeeze=False,
    )
    for unused in axes.reshape(-1)[n_axes:]:
        unused.remove()
    return axes.reshape(-1)[:n_axes]


def legend_above(ax: Any, n_columns: int = 3) -> None:
    """Write the legend above the axes, where it hides nothing."""
    ax.yaxis.get_offset_text().set_horizontalalignment("right")  # a power of ten, beside it
    if ax.get_legend_handles_labels()[1]:
        legend = ax.legend(
            loc="lower left",
            bbox_to_anchor=(0.0, 1.0),
            ncols=n_columns,
            frameon=False,
            borderaxespad=0.2,
            fontsize="small",
        )
        make_readable(legend)


def make_readable(legend: Any) -> None:
    """Draw the marks in a legend larger and darker than where there are thousands of them."""
    for handle in legend.legend_handles:
        if hasattr(handle, "get_sizes") and len(handle.get_sizes()):
            handle.set(sizes=np.clip(handle.get_sizes(), 25.0, 60.0), alpha=1.0)
        elif hasattr(handle, "get_linewidth"):
            handle.set(linewidth=max(handle.get_linewidth(), 1.2), alpha=1.0)


def lines(segments: Any, **style: Any) -> Any:
    """Return many lines as one artist; a segment has shape (n_points, 2)."""
    from matplotlib.collections import LineCollection

    return LineCollection(segments, **style)


def _pyplot() -> Any:
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "plot needs matplotlib, which is not installed: pip install 'sklearn_hpt[plot]'."
        ) from error
    return plt


def tidy(ax: Any) -> None:
    """Take the frame away where it says nothing, and let the first row be the top one."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.invert_yaxis()
