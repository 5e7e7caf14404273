"""The axes that pictures are drawn into; matplotlib is imported here only, when it is needed."""

from __future__ import annotations

from typing import Any

# Okabe and Ito's palette, told apart by the colour-blind and, by its lightness, in grey print
GREY, ORANGE, VERMILION, BLUE, BLACK = "#999999", "#E69F00", "#D55E00", "#56B4E9", "#222222"


def axes_for(ax: Any, size: tuple[float, float]) -> Any:
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
