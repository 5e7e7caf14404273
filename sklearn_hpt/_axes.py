"""The axes that pictures are drawn into; matplotlib is imported here only, when it is needed.

The colours are those of M. Okabe and K. Ito, "Color Universal Design" (2008), which the
colour-blind tell apart, without the yellow, which is faint on white.
"""

from __future__ import annotations

from typing import Any

BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
SKY, ORANGE, BLACK, GREY = "#56B4E9", "#E69F00", "#222222", "#999999"
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, SKY, ORANGE, BLACK)
LINES = ("-", "--", "-.", ":")


def axes_for(ax: Any, size: tuple[float, float] | None = None) -> Any:
    """Return the axes given, or new ones in a figure of this size (inches).

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    if ax is not None:
        return ax
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "plot needs matplotlib, which is not installed: pip install sklearn_hpt[plot]."
        ) from error
    return plt.subplots(figsize=size, layout="constrained")[1]


def tidy(ax: Any) -> None:
    """Take the frame away where it says nothing, and let the first row be the top one."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.invert_yaxis()
