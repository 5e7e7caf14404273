"""Loss curves of a net, one for each value of a hyperparameter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import clone

from sklearn_hpt._axes import COLOURS, LINES, axes_for
from sklearn_hpt._trial import derived_seed
from sklearn_hpt.nets import cast_inputs, cast_targets, find_nets, reproducible


class LossCurvesDisplay:
    """Training loss, and validation loss where there is one, against epochs.

    A rate that is too large shows as a curve that rises or jumps, one that is too small as a curve
    that is nearly a line, a good one as a curve that falls fast and then flattens low.

    Parameters
    ----------
    curves : mapping of str to dict
        For each label ``{"train_loss": array, "valid_loss": array}``; the second may be missing.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it is drawn.
    figure_ : matplotlib Figure
        The figure of these axes.

    Examples
    --------
    >>> from sklearn_hpt.displays import LossCurvesDisplay
    >>> curves = {"lr=0.1": {"train_loss": [2.0, 1.0]}, "lr=0.01": {"train_loss": [2.2, 2.0]}}
    >>> display = LossCurvesDisplay(curves).plot()
    >>> len(display.ax_.lines)
    2
    """

    def __init__(self, curves: Mapping[str, Mapping[str, Any]]) -> None:
        self.curves = curves

    @classmethod
    def from_estimator(
        cls,
        net: Any,
        X: Any,
        y: Any = None,
        *,
        param_name: str = "lr",
        param_range: Sequence[Any],
        random_state: int = 0,
        ax: Any = None,
    ) -> LossCurvesDisplay:
        """Train a net with each value of a parameter, from the same weights, and draw the losses.

        Parameters
        ----------
        net : NeuralNet
            A net of skorch; it is cloned.
        X : array-like
            Training rows.
        y : array-like, default=None
            Targets.
        param_name : str, default="lr"
            The parameter that differs.
        param_range : sequence
            Its values.
        random_state : int, default=0
            Seed of weights, dropout and the order of the rows, the same for all values.
        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.

        Returns
        -------
        LossCurvesDisplay
            What was drawn.

        Raises
        ------
        ValueError
            If `net` is no net of skorch, has no such parameter, or `param_range` is empty.
        """
        _check(net, param_name, param_range)
        X, y = cast_inputs(net, X), cast_targets(net, y)
        curves = {}
        for value in param_range:
            one = clone(net).set_params(**{param_name: value})
            with reproducible(one, derived_seed(random_state, 0)):
                one.fit(X, y)
            curves[
                f"{param_name}={value:.3g}" if isinstance(value, float) else f"{param_name}={value}"
            ] = {
                name: np.array([row[name] for row in one.history])
                for name in ("train_loss", "valid_loss")
                if all(name in row for row in one.history)
            }
        return cls(curves).plot(ax=ax)

    def plot(self, ax: Any = None) -> LossCurvesDisplay:
        """Draw; the axis of losses is logarithmic where all of them are above 0.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.

        Returns
        -------
        LossCurvesDisplay
            This display.
        """
        ax = axes_for(ax)
        for i, (label, curve) in enumerate(self.curves.items()):
            style = {
                "color": COLOURS[i % len(COLOURS)],
                "ls": LINES[i // len(COLOURS) % len(LINES)],
            }
            epochs = np.arange(1, len(curve["train_loss"]) + 1)
            ax.plot(epochs, curve["train_loss"], **style, label=label)
            if "valid_loss" in curve:
                ax.plot(epochs, curve["valid_loss"], color=style["color"], alpha=0.5, lw=3)
        values = np.concatenate([v for curve in self.curves.values() for v in curve.values()])
        finite = values[np.isfinite(values)]
        has_valid = any("valid_loss" in curve for curve in self.curves.values())
        ax.set(
            xlabel="epoch",
            ylabel="loss (thin: training, broad: validation)" if has_valid else "training loss",
            yscale="log" if finite.size and finite.min() > 0 else "linear",
        )
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.legend()
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _check(net: Any, param_name: str, param_range: Sequence[Any]) -> None:
    if not any(found is net for found in find_nets(net)):
        raise ValueError(f"net={net!r} must be a net of skorch.")
    if not len(param_range):
        raise ValueError("param_range is empty; give the values that are to be compared.")
    if param_name not in net.get_params() and not param_name.startswith(
        ("module__", "optimizer__")
    ):
        raise ValueError(f"param_name={param_name!r} is no parameter of the net; try 'lr'.")
