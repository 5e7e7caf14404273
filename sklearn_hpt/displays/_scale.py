"""How the values of a hyperparameter lie along an axis: as numbers, on a log scale, as choices."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real as RealNumber
from typing import Any

import numpy as np

from sklearn_hpt.space import Categorical, Dimension, Distribution, Integer, Real, SpaceUnion

_LOG_FROM = 100.0  # numbers above 0 that span more than this factor go on a log scale
_LONGEST_LABEL = 18  # characters
_MOST_LABELS = 12  # of choices along one axis
_NEAREST_TO_1 = 1e-12
_REPEATED = 3  # times that numbers occur, in the mean, from where on they are taken for a list
_DIMENSION = re.compile(r"(Real|Integer)\(low=(\S+), high=(\S+), prior='([a-z-]+)'\)")


@dataclass(frozen=True)
class Scale:
    """The scale of one hyperparameter.

    Parameters
    ----------
    name : str
        The hyperparameter.
    prior : {"uniform", "log-uniform", "log-complement", "choices"}
        How its values are spread.
    low, high : float
        Ends of the range of numbers; of n choices -0.5 and n - 0.5.
    choices : tuple of str, default=()
        The choices as text, in their order.
    numbers : tuple of float, default=()
        All that there are, sorted, if they are from a list.
    is_integer : bool, default=False
        Whether a range is one of integers.
    """

    name: str
    prior: str
    low: float
    high: float
    choices: tuple[str, ...] = ()
    numbers: tuple[float, ...] = ()
    is_integer: bool = False

    def positions(self, values: Iterable[Any]) -> np.ndarray:
        """Return the places of values along the axis, NaN for None of numbers and unknown ones."""
        if self.prior == "choices":
            place = {text: float(i) for i, text in enumerate(self.choices)}
            return np.array([place.get(as_text(value), math.nan) for value in values])
        return np.array([float(v) if is_number(v) else math.nan for v in values])

    def to_unit(self, positions: np.ndarray) -> np.ndarray:
        """Return places along the axis as fractions of the range on its scale."""
        low, high, at = (self._scaled(x) for x in (self.low, self.high, positions))
        if not high > low:
            return np.where(np.isfinite(at), 0.5, math.nan)
        return np.clip((at - low) / (high - low), 0.0, 1.0)

    @property
    def n_choices(self) -> int:
        """How many values of equal weight there are, 0 of a range."""
        return len(self.choices) or len(self.numbers)

    def to_measure(self, positions: np.ndarray) -> np.ndarray:
        """Return choices and numbers of a list by their number, others as fractions of the range.

        A range of integers begins 1/2 before the first of them and ends 1/2 after the last, as
        where they are drawn from, so that these two weigh as much as the others.
        """
        if self.choices:
            return positions
        if self.numbers:
            ranks = np.searchsorted(self.numbers, positions)
            return np.where(np.isfinite(positions), ranks, math.nan)
        half = 0.5 if self.is_integer else 0.0
        return replace(self, low=self.low - half, high=self.high + half).to_unit(positions)

    def from_unit(self, units: np.ndarray) -> np.ndarray:
        """Return the places along the axis at fractions of the range; choices lie in between."""
        low, high = self._scaled(self.low), self._scaled(self.high)
        at = low + np.asarray(units, dtype=float) * (high - low)
        if self.prior == "log-uniform":
            return np.exp(at)
        return -np.expm1(-at) if self.prior == "log-complement" else at

    def _scaled(self, x: Any) -> np.ndarray:
        x = np.asarray(x, dtype=float)
        if self.prior == "log-uniform":
            return np.log(np.where(x > 0, x, math.nan))
        return -np.log(np.maximum(1.0 - x, _NEAREST_TO_1)) if self.prior == "log-complement" else x

    def dress(self, ax: Any, which: str = "x", label: str | None = None) -> None:
        """Give an axis of matplotlib Axes this scale, its ends, ticks and label."""
        set_ = {what: getattr(ax, f"set_{which}{what}") for what in ("scale", "lim", "ticks")}
        if self.prior == "log-uniform":
            set_["scale"]("log")
        elif self.prior == "log-complement":
            set_["scale"]("function", functions=(_nines, _from_nines))
            set_["ticks"](ticks := self._ticks_of_complement(), [f"{t:.12g}" for t in ticks])
        elif self.prior == "choices":
            places = np.arange(0, len(self.choices), math.ceil(len(self.choices) / _MOST_LABELS))
            labels = [shortened(self.choices[i]) for i in places]
            slanted = which == "x" and sum(map(len, labels)) > 20
            style = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"} if slanted else {}
            set_["ticks"](places, labels, **style)
        if self.high > self.low:
            margin = 0.0 if self.prior == "choices" else 0.05
            set_["lim"](*self._beyond(margin))
        if self.prior == "log-uniform":
            thin_log_ticks(getattr(ax, f"{which}axis"), self.low, self.high)
        ax.set(**{f"{which}label": shortened(self.name, 30) if label is None else label})

    def _beyond(self, margin: float) -> tuple[float, float]:
        ends = self.from_unit(np.array([-margin, 1.0 + margin]))
        return float(ends[0]), float(ends[1])

    def _ticks_of_complement(self) -> list[float]:
        nines = [1.0 - 10.0**-k for k in range(13)]
        if self.high < 0.99 or (1 - self.low) / (1 - self.high) < 20:
            nines += [0.5, 0.8, 0.95, 0.98, 0.995]
        inside = sorted(round(x, 12) for x in nines if self.low - 1e-9 <= x <= self.high + 1e-9)
        return inside if len(inside) > 1 else [self.low, self.high]


def _nines(x: Any) -> Any:
    return -np.log10(np.maximum(1.0 - np.asarray(x, dtype=float), _NEAREST_TO_1))


def _from_nines(t: Any) -> Any:
    return 1.0 - 10.0 ** -np.asarray(t, dtype=float)


def thin_log_ticks(axis: Any, low: float, high: float) -> None:
    """Label a log axis at a few places: powers of ten, or 1, 2, 5 where these are less than two."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    if last - first >= 1:
        step = max(1, math.ceil((last - first) / 4))
        axis.set_ticks([10.0**k for k in range(first, last + 1, step)])
        return
    ticks = [m * 10.0**k for k in range(first - 1, last + 1) for m in (1, 2, 5)]
    inside = [tick for tick in ticks if low <= tick <= high]
    inside = inside if len(inside) > 1 else [low, high]
    axis.set_ticks(inside, [f"{tick:.3g}" for tick in inside])
    axis.set_ticks([], minor=True)


def is_number(value: Any) -> bool:
    """Tell whether a value is a finite number; True and False are none."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (RealNumber, np.number)):
        return False
    return math.isfinite(value)


def as_text(value: Any) -> str:
    """Return a value as one line."""
    return f"{value:.6g}" if isinstance(value, float) else " ".join(str(value).split())


def shortened(text: str, longest: int = _LONGEST_LABEL) -> str:
    """Return a text of at most so many characters, cut at its end."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Return the last parts of the names of nested parameters, as far as they differ."""
    names = list(names)
    ends = Counter(name.rpartition("__")[2] for name in names)
    return {n: end if ends[end := n.rpartition("__")[2]] == 1 else n for n in names}


def guessed_scale(name: str, values: Sequence[Any]) -> Scale:
    """Return the scale that values suggest.

    Numbers above 0 that span more than two decades are on a log scale, if their median is nearer to
    the middle of that than to the middle of the range: not 1000 even draws from 0 to 1.
    """
    if values and all(map(is_number, values)):
        low, high = float(min(values)), float(max(values))
        if low <= 0 or high / low <= _LOG_FROM:
            return Scale(name, "uniform", low, high)
        scales = [Scale(name, prior, low, high) for prior in ("log-uniform", "uniform")]
        middle = np.array(float(np.median(values)))
        return min(scales, key=lambda scale: abs(float(scale.to_unit(middle)) - 0.5))
    texts = dict.fromkeys(map(as_text, _in_order(values)))
    return Scale(name, "choices", -0.5, len(texts) - 0.5, tuple(texts))


def _in_order(values: Sequence[Any]) -> list[Any]:
    """Return numbers first and sorted, then the others by their text."""
    return sorted(values, key=lambda v: (not is_number(v), v if is_number(v) else 0.0, as_text(v)))


def scale_of(name: str, dimensions: Sequence[Dimension], values: Sequence[Any]) -> Scale:
    """Return the scale of a parameter of a search space, which alternatives may share.

    Parameters
    ----------
    name : str
        The parameter.
    dimensions : sequence of Dimension
        What it may be in each alternative.
    values : sequence
        What it was.
    """
    if all(isinstance(dimension, (Real, Integer)) for dimension in dimensions):
        ends = [end for d in dimensions for end in (d.low, d.high)]  # type: ignore[attr-defined]
        priors = {d.prior for d in dimensions}  # type: ignore[attr-defined]
        prior = priors.pop() if len(priors) == 1 else guessed_scale(name, ends).prior
        is_integer = all(isinstance(dimension, Integer) for dimension in dimensions)
        return Scale(name, prior, float(min(ends)), float(max(ends)), is_integer=is_integer)
    choices = [c for d in dimensions if isinstance(d, Categorical) for c in d.choices]
    guessed = guessed_scale(name, [*choices, *values])
    if all(isinstance(dimension, Categorical) for dimension in dimensions):
        return _listed(guessed, [*choices, *values])
    draws = [x for d in dimensions if isinstance(d, Distribution) for x in _middle_of(d)]
    if guessed.prior == "uniform" and draws and guessed_scale(name, draws).prior == "log-uniform":
        return Scale(name, "log-uniform", guessed.low, guessed.high)
    return guessed


def _listed(scale: Scale, values: Sequence[Any]) -> Scale:
    """Return a scale on which numbers are those of a list."""
    return (
        scale if scale.choices else replace(scale, numbers=tuple(sorted(map(float, set(values)))))
    )


def _middle_of(dimension: Distribution) -> list[Any]:
    if not dimension.has_quantiles:
        return []
    return [dimension.from_unit(0.05), dimension.from_unit(0.95)]


def scales_of(
    space: SpaceUnion | None, columns: Mapping[str, Sequence[Any]], told: Mapping[str, str]
) -> dict[str, Scale]:
    """Return the scale of each parameter.

    Parameters
    ----------
    space : SpaceUnion or None
        The space that was searched, if it is known.
    columns : mapping of str to sequence
        The values of each parameter, without the rows that have none.
    told : mapping of str to str
        What a journal says of dimensions.
    """
    scales = {}
    for name, values in columns.items():
        dimensions = [s[name] for s in space.spaces if name in s] if space is not None else []
        match = _DIMENSION.fullmatch(told.get(name, ""))
        if dimensions:
            scales[name] = scale_of(name, dimensions, values)
        elif match and all(map(is_number, values)):
            is_integer, ends = match[1] == "Integer", (float(match[2]), float(match[3]))
            scales[name] = Scale(name, match[4], *ends, is_integer=is_integer)
        else:
            scale = guessed_scale(name, values)
            is_list = scale.choices or _REPEATED * len(set(values)) <= len(values)
            scales[name] = _listed(scale, values) if is_list else scale
    return scales
