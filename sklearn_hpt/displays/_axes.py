"""What all pictures have in common: axes to draw on, and colours that everybody can tell apart."""

from __future__ import annotations

from typing import Any

# M. Okabe and K. Ito, "Color Universal Design" (2008), without its yellow, which is faint on white
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
LINES = ("-", "--", "-.", ":")


def axes_for(ax: Any) -> Any:
    """Return axes to draw on, new ones if there are none.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    if ax is not None:
        return ax
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise ImportError(
            "Pictures need matplotlib, which is not installed: pip install sklearn_hpt[plot]"
        ) from None
    _, ax = plt.subplots(layout="constrained")
    return ax
