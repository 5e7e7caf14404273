"""The picture of a learning-rate range test."""

from __future__ import annotations

import math
from typing import Any

from sklearn.utils.validation import check_is_fitted

from sklearn_hpt._axes import COLOURS, axes_for
from sklearn_hpt.nets import LRRange


class LRRangeDisplay:
    """Loss against learning rate, with the suggestion and the range to search.

    Parameters
    ----------
    lr_range : LRRange
        What a range test has found.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it is drawn.
    figure_ : matplotlib Figure
        The figure of these axes.

    See Also
    --------
    sklearn_hpt.nets.LRFinder : Makes the test.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hpt.displays import LRRangeDisplay
    >>> from sklearn_hpt.nets import LRRange
    >>> lrs = np.geomspace(1e-4, 1.0, 30)
    >>> losses = 2.0 - np.exp(-(np.log10(lrs / 0.1) ** 2))
    >>> display = LRRangeDisplay(LRRange(lrs, losses, losses, 0.02, 0.002, 0.1)).plot()
    >>> display.ax_.get_xscale()
    'log'
    """

    def __init__(self, lr_range: LRRange) -> None:
        self.lr_range = lr_range

    @classmethod
    def from_estimator(cls, finder: Any, *, ax: Any = None) -> LRRangeDisplay:
        """Draw what a fitted `LRFinder` has found.

        Parameters
        ----------
        finder : LRFinder
            A fitted one.
        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.

        Returns
        -------
        LRRangeDisplay
            What was drawn.
        """
        check_is_fitted(finder, "lr_range_")
        return cls(finder.lr_range_).plot(ax=ax)

    def plot(self, ax: Any = None) -> LRRangeDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.

        Returns
        -------
        LRRangeDisplay
            This display.
        """
        found, ax = self.lr_range, axes_for(ax)
        ax.plot(found.lrs, found.losses, ".", color="0.7", markersize=4, label="batches")
        ax.plot(found.lrs, found.smoothed_losses, color=COLOURS[0], lw=2, label="smoothed")
        if math.isfinite(found.suggestion):
            ax.axvspan(found.low, found.high, color=COLOURS[0], alpha=0.12, lw=0, label="to search")
            ax.axvline(
                found.suggestion,
                color=COLOURS[1],
                ls="--",
                label=f"suggestion {found.suggestion:.2g}",
            )
        if len(found.smoothed_losses):
            least, first = found.smoothed_losses.min(), found.smoothed_losses[0]
            margin = max(first - least, 0.1 * abs(first))
            ax.set_ylim(least - 0.3 * margin, max(first, least) + 0.6 * margin)
        ax.set(xscale="log", xlabel="learning rate", ylabel="loss")
        ax.legend()
        self.ax_, self.figure_ = ax, ax.figure
        return self
