"""The box that a coarse-to-fine search draws from, and how it closes in on the good region.

Notation: a *window* (low, high) is the part of a dimension that a box keeps, as positions in
[0, 1] on the scale of its prior, so that a zoom halves decades where the prior is logarithmic.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sklearn_hpt.space import Categorical, Dimension, Distribution, Integer, Space

Window = tuple[float, float]

_WHOLE: Window = (0.0, 1.0)
_NEARLY_ZERO = 1e-9  # positions nearer to an end than this are at it


@dataclass(frozen=True)
class ZoomRule:
    """How a window follows the leaders.

    Attributes
    ----------
    least, most : float
        The new window is at least and at most so wide, as a fraction of the old one.
    margin : float
        Room added on each side of the leaders, as a fraction of the old window.
    border : float
        A best value nearer to an end of the window than this fraction of it moves the window.
    """

    least: float = 0.2
    most: float = 0.6
    margin: float = 0.05
    border: float = 0.1


@dataclass(frozen=True)
class Box:
    """A part of a space.

    Attributes
    ----------
    parent : Space
        The space that the box lies in.
    windows : mapping of str to Window
        The part of each range that is kept.
    choices : mapping of str to list of int
        Which choices of each categorical dimension are kept.
    """

    parent: Space
    windows: Mapping[str, Window]
    choices: Mapping[str, list[int]]

    @classmethod
    def around(cls, parent: Space) -> Box:
        """Return the box that is the whole space."""
        windows = {name: _WHOLE for name, dimension in parent.items() if _is_range(dimension)}
        choices = {
            name: list(range(dimension.size))
            for name, dimension in parent.items()
            if isinstance(dimension, Categorical)
        }
        return cls(parent, windows, choices)

    def as_space(self) -> Space:
        """Return the box as a space; each of its points is one of the parent."""
        return Space({name: self._part(name) for name in self.parent})

    def _part(self, name: str) -> Dimension:
        dimension = self.parent[name]
        if isinstance(dimension, Categorical):
            kept = self.choices[name]
            return Categorical(
                [dimension.choices[i] for i in kept], [float(dimension.weights[i]) for i in kept]
            )
        return _window_of(dimension, self.windows.get(name, _WHOLE))

    def zoom(self, leaders: Sequence[Mapping[str, Any]], rule: ZoomRule) -> Box:
        """Return the box around the leaders, the best of which comes first."""
        windows = {
            name: zoomed(
                [position(self.parent[name], params[name]) for params in leaders], old, rule
            )
            for name, old in self.windows.items()
        }
        choices = {
            name: sorted({_index(self.parent[name], params[name]) for params in leaders})
            for name in self.choices
        }
        return Box(self.parent, windows, choices)


def zoomed(positions: Sequence[float], old: Window, rule: ZoomRule) -> Window:
    """Return the window that follows `old`, from the leaders' positions, the best first."""
    width = old[1] - old[0]
    best = positions[0]
    if side_of(best, old, rule) and not end_of(best, old, rule):
        return _placed(best, width)
    low, high = min(positions), max(positions)
    wanted = high - low + 2 * rule.margin * width
    new_width = min(max(wanted, rule.least * width), rule.most * width)
    center = (low + high) / 2
    # the leaders may be spread wider than the window: the best one has to stay inside
    room = max(new_width / 2 - rule.margin * width, 0.0)
    return _placed(min(max(center, best - room), best + room), new_width)


def side_of(place: float, window: Window, rule: ZoomRule) -> str:
    """Return "lower" or "upper" for a place near that end of the window, else ""."""
    reach = rule.border * (window[1] - window[0])
    if place - window[0] < reach:
        return "lower"
    return "upper" if window[1] - place < reach else ""


def end_of(place: float, window: Window, rule: ZoomRule) -> str:
    """Return the side on which the place is near to an end of the whole dimension, else ""."""
    side = side_of(place, window, rule)
    if side == "lower":
        return side if window[0] < _NEARLY_ZERO else ""
    return side if window[1] > 1.0 - _NEARLY_ZERO else ""


def _placed(center: float, width: float) -> Window:
    """Return a window, moved to lie in [0, 1]."""
    low = min(max(center - width / 2, 0.0), 1.0 - width)
    return max(low, 0.0), min(low + width, 1.0)


def position(dimension: Dimension, value: Any) -> float:
    """Return the place of a value in [0, 1]; the first and last of the integers are at the ends."""
    if isinstance(dimension, Integer) and value in (dimension.low, dimension.high):
        return float(value == dimension.high)
    return dimension.to_unit(value)


def _is_range(dimension: Dimension) -> bool:
    if isinstance(dimension, Distribution):
        return dimension.has_quantiles
    return not isinstance(dimension, Categorical)


def _window_of(dimension: Dimension, window: Window) -> Dimension:
    low, high = window
    if window == _WHOLE:
        return dimension
    if isinstance(dimension, Integer):  # a centre would be rounded, and the window moved by it
        first, last = dimension.from_unit(low), dimension.from_unit(math.nextafter(high, 0.0))
        return Categorical([first]) if first == last else Integer(first, last, dimension.prior)
    if isinstance(dimension, Distribution):
        start, end = dimension.quantiles
        quantiles = start + (end - start) * low, start + (end - start) * high
        return Distribution(dimension.dist, quantiles)
    return dimension.zoom(dimension.from_unit((low + high) / 2), max(high - low, 2.0**-52))


def _index(dimension: Dimension, value: Any) -> int:
    assert isinstance(dimension, Categorical)
    return dimension.index(value)
