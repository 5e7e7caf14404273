"""Search spaces: what values a hyperparameter may take, and on which scale they are compared.

Every dimension maps its values onto the unit interval and back. On that interval "half of
the range" means half of the *scale of the prior*: for a log-uniform learning rate between
1e-4 and 1e-1 the middle is 3.2e-3, for a log-complement momentum between 0.9 and 0.999 it is
0.99. Sampling, zooming and perturbing are written once, on the unit interval, and so respect
the scale of each parameter.

The formats that users may write a space in are read by `sklearn_hpt._space_formats`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral
from numbers import Real as RealNumber
from typing import Any

import numpy as np

from sklearn_hpt.exceptions import SpaceError

__all__ = ["Categorical", "Dimension", "Distribution", "Integer", "Real", "Space", "SpaceUnion"]

Params = dict[str, Any]

_LARGEST_UNIT = 1.0 - 2.0**-53  # the largest float below 1
_LARGEST_LOG_INT = 2**44  # beyond it neighbouring integers share a logarithm
_LARGEST_INT_RANGE = 2**52  # beyond it neighbouring integers share a float on the unit interval


class Dimension(ABC):
    """The values that one hyperparameter may take, mapped onto the unit interval."""

    @property
    @abstractmethod
    def size(self) -> float:
        """Number of distinct values, `math.inf` for a continuous dimension."""

    @abstractmethod
    def from_unit(self, u: float) -> Any:
        """Return the value at position `u` in [0, 1]."""

    @abstractmethod
    def to_unit(self, value: Any) -> float:
        """Return the position in [0, 1] of a value of this dimension."""

    @abstractmethod
    def __contains__(self, value: Any) -> bool: ...

    @abstractmethod
    def clip(self, value: Any) -> Any:
        """Return the value of this dimension that is nearest to `value`."""

    @abstractmethod
    def zoom(self, center: Any, width: float) -> Dimension:
        """Return the part of this dimension around `center`, `width` of it wide."""

    def at(self, index: int) -> Any:
        """Return the value number `index` of a finite dimension, in its natural order."""
        raise TypeError(f"{self!r} is not finite, its values cannot be numbered.")

    def key(self, value: Any) -> Hashable:
        """Return what is equal for equal values, to recognise a point already evaluated."""
        return value

    def sample(self, rng: np.random.Generator) -> Any:
        """Return an independent draw from the prior."""
        return self.from_unit(rng.random())

    def perturb(self, value: Any, rng: np.random.Generator, width: float) -> Any:
        """Return a value near `value`: a normal step of standard deviation `width`.

        The step is taken on the unit interval, so in the scale of the prior, and reflected
        at its ends.
        """
        u = abs(self.to_unit(value) + width * rng.standard_normal()) % 2.0
        return self.from_unit(2.0 - u if u > 1.0 else u)


def _identity(x: float) -> float:
    return x


def _complement_log(x: float) -> float:
    return -math.log1p(-x)


def _complement_exp(t: float) -> float:
    return -math.expm1(-t)


# prior -> (value to scale, scale to value), both increasing
_SCALES: dict[str, tuple[Callable[[float], float], Callable[[float], float]]] = {
    "uniform": (_identity, _identity),
    "log-uniform": (math.log, math.exp),
    "log-complement": (_complement_log, _complement_exp),
}


def _check_prior(name: str, prior: Any, allowed: Sequence[str]) -> None:
    if prior not in allowed:
        choices = ", ".join(map(repr, allowed))
        raise SpaceError(f"{name}: prior={prior!r} is not known, choose one of {choices}.")


def _is_number(x: Any) -> bool:
    return isinstance(x, RealNumber) and not isinstance(x, (bool, np.bool_))


def _is_finite(x: Any) -> bool:
    try:
        return _is_number(x) and math.isfinite(x)
    except OverflowError:  # an int that no float holds
        return False


def _window(position: float, width: float) -> tuple[float, float]:
    """Return the ends of a window `width` wide around `position`, moved to lie in [0, 1]."""
    if not 0.0 < width <= 1.0:
        raise ValueError(f"width={width!r} must be a fraction in (0, 1].")
    low = min(max(position - width / 2, 0.0), 1.0 - width)
    return low, min(low + width, 1.0)


@dataclass(frozen=True)
class Real(Dimension):
    """A floating point range.

    Parameters
    ----------
    low, high : float
        Ends of the range, both included; `low < high`.
    prior : {"uniform", "log-uniform", "log-complement"}, default="uniform"
        The scale on which values are spread evenly. ``"log-uniform"`` needs ``low > 0`` and
        suits learning rates and regularisation strengths. ``"log-complement"`` puts
        ``1 - x`` on a log scale, needs ``0 <= low < high < 1`` and suits momentum and the
        betas of Adam, where 0.9 to 0.99 matters as much as 0.99 to 0.999.

    Raises
    ------
    SpaceError
        If an end is no finite number, the range is empty, or the prior does not fit it.

    Examples
    --------
    >>> from sklearn_hpt.space import Real
    >>> round(Real(1e-4, 1e-1, "log-uniform").from_unit(0.5), 6)
    0.003162
    >>> round(Real(0.9, 0.999, prior="log-complement").from_unit(0.5), 6)
    0.99
    """

    low: float
    high: float
    prior: str = "uniform"

    def __post_init__(self) -> None:
        for end in ("low", "high"):
            value = getattr(self, end)
            if not _is_finite(value):
                raise SpaceError(f"Real: {end}={value!r} must be a finite number.")
            object.__setattr__(self, end, float(value))
        _check_prior("Real", self.prior, tuple(_SCALES))
        if self.low >= self.high:
            raise SpaceError(
                f"Real: low={self.low!r} must be below high={self.high!r}; "
                "for a constant set the parameter on the estimator, or give a list of one value."
            )
        if self.prior == "log-uniform" and self.low <= 0:
            raise SpaceError(
                f"Real: a log-uniform prior needs low > 0, got low={self.low!r}; "
                "raise low, or use the uniform prior."
            )
        if self.prior == "log-complement" and not (self.low >= 0 and self.high < 1):
            raise SpaceError(
                "Real: a log-complement prior needs 0 <= low and high < 1, got "
                f"low={self.low!r}, high={self.high!r}; it spreads 1 - x on a log scale."
            )

    @property
    def size(self) -> float:
        return math.inf

    def _scale_ends(self) -> tuple[float, float]:
        to_scale, _ = _SCALES[self.prior]
        return to_scale(self.low), to_scale(self.high)

    def from_unit(self, u: float) -> float:
        u, (start, end) = float(u), self._scale_ends()
        if u <= 0.0 or u >= 1.0:  # the ends come out exactly
            return self.low if u <= 0.0 else self.high
        value = _SCALES[self.prior][1](start * (1.0 - u) + end * u)
        return min(max(value, self.low), self.high)

    def to_unit(self, value: Any) -> float:
        start, end = self._scale_ends()
        at = _SCALES[self.prior][0](self.clip(value))
        half_width = end / 2 - start / 2  # halves, since end - start may overflow
        if half_width == 0.0:  # the ends are neighbours
            return float(value > self.low)
        return min(max((at / 2 - start / 2) / half_width, 0.0), 1.0)

    def __contains__(self, value: Any) -> bool:
        return _is_number(value) and self.low <= value <= self.high

    def clip(self, value: Any) -> float:
        return min(max(float(value), self.low), self.high)

    def zoom(self, center: Any, width: float) -> Real:
        low, high = (self.from_unit(u) for u in _window(self.to_unit(center), width))
        if low >= high:  # as narrow as floats can tell its ends apart
            low = min(low, math.nextafter(self.high, -math.inf))
            high = math.nextafter(low, math.inf)
        return Real(low, high, self.prior)


@dataclass(frozen=True)
class Integer(Dimension):
    """A range of integers.

    Parameters
    ----------
    low, high : int
        Ends of the range, both included; `low < high`.
    prior : {"uniform", "log-uniform"}, default="uniform"
        ``"log-uniform"`` gives each octave (1-2, 2-4, 4-8 ...) the same weight, needs
        ``low >= 1`` and suits numbers of units, trees or iterations. Each integer ``i`` owns
        the interval from ``i - 1/2`` to ``i + 1/2`` of the scale, so that both ends of the
        range keep their full weight.

    Raises
    ------
    SpaceError
        If an end is no integer, the range is empty or holds more than 2**52 values, or the
        prior does not fit it.

    Examples
    --------
    >>> from sklearn_hpt.space import Integer
    >>> dimension = Integer(1, 1000, prior="log-uniform")
    >>> [dimension.from_unit(u) for u in (0.0, 0.5, 1.0)]
    [1, 22, 1000]
    """

    low: int
    high: int
    prior: str = "uniform"

    def __post_init__(self) -> None:
        for end in ("low", "high"):
            value = getattr(self, end)
            if not isinstance(value, Integral) or isinstance(value, (bool, np.bool_)):
                raise SpaceError(f"Integer: {end}={value!r} must be an integer.")
            object.__setattr__(self, end, int(value))
        _check_prior("Integer", self.prior, ("uniform", "log-uniform"))
        if self.low >= self.high:
            raise SpaceError(
                f"Integer: low={self.low!r} must be below high={self.high!r}; "
                "for a constant set the parameter on the estimator, or give a list of one value."
            )
        if self.high - self.low >= _LARGEST_INT_RANGE:
            raise SpaceError(
                f"Integer: the range from {self.low!r} to {self.high!r} holds more than 2**52 "
                "values, which floating point cannot tell apart; use Real or a smaller range."
            )
        if self.prior == "log-uniform" and self.low < 1:
            raise SpaceError(
                f"Integer: a log-uniform prior needs low >= 1, got low={self.low!r}; "
                "raise low, or use the uniform prior."
            )
        if self.prior == "log-uniform" and self.high > _LARGEST_LOG_INT:
            raise SpaceError(
                f"Integer: a log-uniform prior needs high <= 2**44, got high={self.high!r}, where "
                "floating point cannot tell the logarithms of neighbours apart; use Real."
            )

    @property
    def size(self) -> int:
        return self.high - self.low + 1

    def _scale_ends(self) -> tuple[float, float]:
        return math.log(self.low - 0.5), math.log(self.high + 0.5)

    def from_unit(self, u: float) -> int:
        u = min(max(u, 0.0), _LARGEST_UNIT)
        if self.prior == "uniform":
            value = self.low + int(u * self.size)
        else:
            start, end = self._scale_ends()
            value = round(math.exp(start * (1.0 - u) + end * u))
        return min(max(value, self.low), self.high)

    def to_unit(self, value: Any) -> float:
        value = self.clip(value)
        if self.prior == "uniform":
            return (value - self.low + 0.5) / self.size
        start, end = self._scale_ends()
        return (math.log(value) - start) / (end - start)

    def __contains__(self, value: Any) -> bool:
        return _is_number(value) and self.low <= value <= self.high and value == int(value)

    def clip(self, value: Any) -> int:
        return round(min(max(value, self.low), self.high))

    def at(self, index: int) -> int:
        return self.low + index

    def key(self, value: Any) -> Hashable:
        return int(value)

    def zoom(self, center: Any, width: float) -> Integer | Categorical:
        window = _window(self.to_unit(center), width)
        low, high = self.from_unit(window[0]), self.from_unit(window[1])
        return Categorical([low]) if low == high else Integer(low, high, self.prior)


class Categorical(Dimension):
    """A choice among given values, which come out exactly as they went in.

    Parameters
    ----------
    choices : sequence
        The values: of any type, hashable or not. Equal values count once.
    weights : sequence of float, default=None
        Relative probabilities of the choices; None makes them equal.

    Raises
    ------
    SpaceError
        If there is no choice, or the weights do not fit the choices.

    Examples
    --------
    >>> from sklearn_hpt.space import Categorical
    >>> Categorical(["rbf", "poly"]).from_unit(0.7)
    'poly'
    """

    def __init__(self, choices: Sequence[Any], weights: Sequence[float] | None = None) -> None:
        if isinstance(choices, (str, bytes)) or not isinstance(choices, Iterable):
            raise SpaceError(f"Categorical: choices={choices!r} must be a list of values.")
        given = list(choices)
        if not given:
            raise SpaceError("Categorical: no choice was given; give at least one value.")
        self.choices: list[Any] = []
        self._index: dict[Hashable, int] = {}
        self._unhashable: list[int] = []
        kept: list[float] = []
        for choice, weight in zip(given, _checked_weights(weights, len(given)), strict=True):
            if weight == 0:  # never drawn, so not part of the space
                continue
            index = self._find(choice)
            if index is None:
                self._remember(choice)
                kept.append(weight)
            else:
                kept[index] += weight if weights is not None else 0.0
        self.weights = np.array(kept) / sum(kept)
        self._edges = np.concatenate([[0.0], np.cumsum(self.weights)])
        self._edges[-1] = 1.0

    def _remember(self, choice: Any) -> None:
        try:
            self._index[_identity_of(choice)] = len(self.choices)
        except TypeError:  # found by comparison
            self._unhashable.append(len(self.choices))
        self.choices.append(choice)

    def __repr__(self) -> str:
        equal = len(set(self.weights.tolist())) == 1
        weights = "" if equal else f", weights={self.weights.tolist()}"
        return f"Categorical({self.choices!r}{weights})"

    @property
    def size(self) -> int:
        return len(self.choices)

    def index(self, value: Any) -> int:
        """Return the place of `value` among the choices."""
        index = self._find(value)
        if index is None:
            raise ValueError(f"{value!r} is not among the choices {self.choices!r}.")
        return index

    def _find(self, value: Any) -> int | None:
        try:
            return self._index[_identity_of(value)]
        except (KeyError, TypeError):
            pass
        for index in self._unhashable:
            choice = self.choices[index]
            if choice is value or _safely_equal(choice, value):
                return index
        return None

    def from_unit(self, u: float) -> Any:
        u = min(max(u, 0.0), _LARGEST_UNIT)
        index = int(np.searchsorted(self._edges, u, side="right")) - 1
        return self.choices[index]

    def to_unit(self, value: Any) -> float:
        index = self.index(value)
        return float(self._edges[index] + self._edges[index + 1]) / 2

    def __contains__(self, value: Any) -> bool:
        return self._find(value) is not None

    def clip(self, value: Any) -> Any:
        """Return `value` if it is a choice; categories have no neighbours."""
        return self.choices[self.index(value)]

    def at(self, index: int) -> Any:
        return self.choices[index]

    def key(self, value: Any) -> Hashable:
        return self.index(value)

    def zoom(self, center: Any, width: float) -> Categorical:
        """Return this dimension: categories carry no distance to zoom by."""
        del center, width
        return self

    def perturb(self, value: Any, rng: np.random.Generator, width: float) -> Any:
        """Return another choice with probability `width`, else `value` itself."""
        if rng.random() >= width or self.size == 1:
            return value
        others = self.weights.copy()
        others[self.index(value)] = 0.0
        if others.sum() == 0:
            return value
        return self.choices[rng.choice(self.size, p=others / others.sum())]


def _checked_weights(weights: Sequence[float] | None, n_choices: int) -> list[float]:
    if weights is None:
        return [1.0] * n_choices
    try:
        mass = [float(weight) for weight in weights]
    except (TypeError, ValueError):
        mass = []
    if len(mass) != n_choices or not all(w >= 0 for w in mass) or not 0 < sum(mass) < math.inf:
        raise SpaceError(
            f"Categorical: weights={weights!r} must be {n_choices} numbers >= 0, one for each "
            "choice, with a finite positive sum."
        )
    return mass


def _identity_of(value: Any) -> Hashable:
    """Return what is equal for equal values of equal types: (1, 0) is not (True, False)."""
    return type(value), value, repr(value) if isinstance(value, tuple) else None


def _safely_equal(a: Any, b: Any) -> bool:
    """Compare values whose `==` may return an array or raise."""
    if type(a) is not type(b) or getattr(a, "dtype", None) != getattr(b, "dtype", None):
        return False
    try:
        if not bool(np.all(a == b)) or np.shape(a) != np.shape(b):
            return False
    except Exception:
        return False
    return not isinstance(a, (list, tuple, dict)) or repr(a) == repr(b)


@dataclass(frozen=True)
class Distribution(Dimension):
    """Any other frozen probability distribution, mapped by its quantile function.

    Parameters
    ----------
    dist : object
        A distribution with `ppf` and `cdf` (frozen, from `scipy.stats`), with `icdf` and
        `cdf` (the newer random variables of `scipy.stats`), or with only `rvs`. The last
        can be sampled but has no place on the unit interval, which Sobol sampling, zooming
        and model-based searches need.
    quantiles : tuple of float, default=(0.0, 1.0)
        The part of the distribution that is used, as probabilities.
    """

    dist: Any
    quantiles: tuple[float, float] = (0.0, 1.0)
    _discrete: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        classes = {c.__name__ for c in type(self.dist).__mro__}
        discrete = bool(classes & {"rv_discrete_frozen", "rv_discrete", "DiscreteDistribution"})
        object.__setattr__(self, "_discrete", discrete)

    @property
    def has_quantiles(self) -> bool:
        """Whether the distribution can be mapped to and from the unit interval."""
        return self._quantile_function() is not None

    def _quantile_function(self) -> Any:
        return getattr(self.dist, "ppf", None) or getattr(self.dist, "icdf", None)

    def _support(self) -> tuple[float, float]:
        if not self.has_quantiles or not hasattr(self.dist, "support"):
            return -math.inf, math.inf
        low, high = self.dist.support()
        if self.quantiles != (0.0, 1.0):
            low, high = self.from_unit(0.0), self.from_unit(1.0)
        return float(low), float(high)

    @property
    def size(self) -> float:
        low, high = self._support()
        if self._discrete and math.isfinite(low) and math.isfinite(high):
            return int(high) - int(low) + 1
        return math.inf

    def from_unit(self, u: float) -> Any:
        quantile = self._quantile_function()
        if quantile is None:
            raise TypeError(
                f"{self.dist!r} has no ppf (quantile function), so its values have no place on "
                "the unit interval; give a distribution with ppf, or a range (low, high)."
            )
        low, high = self.quantiles
        u = low + (high - low) * min(max(u, 0.0), 1.0)
        value = quantile(min(max(u, 2.0**-53), _LARGEST_UNIT))
        return int(value) if self._discrete else _plain(value)

    def to_unit(self, value: Any) -> float:
        low, high = self.quantiles
        at = float(self.dist.cdf(value))
        if self._discrete:  # the middle of the probabilities that lead to this value
            at = (at + float(self.dist.cdf(value - 1))) / 2
        return min(max((at - low) / (high - low), 0.0), 1.0)

    def __contains__(self, value: Any) -> bool:
        if not self.has_quantiles:
            return True
        low, high = self._support()
        return _is_number(value) and low <= value <= high and (not self._discrete or value % 1 == 0)

    def clip(self, value: Any) -> Any:
        if not self.has_quantiles:
            return value
        low, high = self._support()
        value = min(max(value, low), high)
        return round(value) if self._discrete else float(value)

    def at(self, index: int) -> Any:
        if math.isinf(self.size):
            return super().at(index)
        return int(self._support()[0]) + index

    def sample(self, rng: np.random.Generator) -> Any:
        if self.has_quantiles:
            return super().sample(rng)
        legacy = np.random.RandomState(rng.integers(2**32))  # what scikit-learn passes to rvs
        return _plain(self.dist.rvs(random_state=legacy))

    def zoom(self, center: Any, width: float) -> Distribution:
        low, high = self.quantiles
        start, end = _window(self.to_unit(center), width)
        return Distribution(self.dist, (low + (high - low) * start, low + (high - low) * end))


def _plain(value: Any) -> Any:
    """Return NumPy scalars as plain Python values, anything else as it is."""
    if isinstance(value, (np.generic, np.ndarray)) and np.ndim(value) == 0:
        return value.item()
    return value


class Space(Mapping[str, Dimension]):
    """Named dimensions that are searched together.

    The columns of the unit cube are the dimensions sorted by name.

    Parameters
    ----------
    dimensions : mapping of str to Dimension
        What each hyperparameter may be.

    Examples
    --------
    >>> from sklearn_hpt.space import Categorical, Real, Space
    >>> space = Space({"C": Real(0.01, 100, "log-uniform"), "kernel": Categorical(["rbf"])})
    >>> space.from_unit([1.0, 0.5])
    {'C': 100.0, 'kernel': 'rbf'}
    """

    def __init__(self, dimensions: Mapping[str, Dimension]) -> None:
        for name, dimension in dimensions.items():
            if not isinstance(dimension, Dimension):
                raise SpaceError(
                    f"Space: {name!r} is {dimension!r}, not a Real, Integer, Categorical or other "
                    "Dimension; pass a plain dictionary to a search to use other formats."
                )
        self._dimensions = {name: dimensions[name] for name in sorted(dimensions)}

    def __getitem__(self, name: str) -> Dimension:
        return self._dimensions[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._dimensions)

    def __len__(self) -> int:
        return len(self._dimensions)

    def __repr__(self) -> str:
        return f"Space({self._dimensions!r})"

    @property
    def size(self) -> float:
        """Number of distinct points, `math.inf` if a dimension is continuous."""
        sizes = [dimension.size for dimension in self.values()]
        return math.inf if math.inf in sizes else math.prod(sizes)

    def from_unit(self, u: Sequence[float] | np.ndarray) -> Params:
        """Return the parameters at a point of the unit cube, shape (n_dimensions,)."""
        return {
            name: dim.from_unit(float(x)) for (name, dim), x in zip(self.items(), u, strict=True)
        }

    def to_unit(self, params: Mapping[str, Any]) -> np.ndarray:
        """Return the point of the unit cube of these parameters, shape (n_dimensions,)."""
        return np.array([dim.to_unit(params[name]) for name, dim in self.items()])

    def sample(self, rng: np.random.Generator) -> Params:
        """Return an independent draw from the prior."""
        return {name: dimension.sample(rng) for name, dimension in self.items()}

    def at(self, index: int) -> Params:
        """Return the point number `index` of a finite space, in the order of ParameterGrid."""
        params = {}
        for name, dimension in reversed(self._dimensions.items()):  # the last name varies fastest
            index, at = divmod(index, int(dimension.size))
            params[name] = dimension.at(at)
        return dict(reversed(params.items()))

    def key(self, params: Mapping[str, Any]) -> Hashable:
        """Return what is equal for equal points, to recognise one already evaluated."""
        return tuple(dimension.key(params[name]) for name, dimension in self.items())

    def contains(self, params: Mapping[str, Any]) -> bool:
        """Tell whether exactly these parameters are a point of the space."""
        return params.keys() == self.keys() and all(params[n] in dim for n, dim in self.items())

    def clip(self, params: Mapping[str, Any]) -> Params:
        """Return the point of the space that is nearest to the parameters."""
        return {name: dimension.clip(params[name]) for name, dimension in self.items()}

    def zoom(self, center: Mapping[str, Any], width: float) -> Space:
        """Return the box around `center` inside this space.

        Parameters
        ----------
        center : mapping
            Parameters in the middle of the box. Near a border the box is moved, not cut.
        width : float
            Fraction in (0, 1] of each dimension that the box keeps, in the scale of its
            prior.

        Returns
        -------
        Space
            The smaller space, each of whose points is in this one.
        """
        return Space({name: dim.zoom(center[name], width) for name, dim in self.items()})

    def perturb(
        self, params: Mapping[str, Any], rng: np.random.Generator, width: float = 0.1
    ) -> Params:
        """Return a point near `params`: a random step of about `width` in each dimension."""
        return {name: dim.perturb(params[name], rng, width) for name, dim in self.items()}


@dataclass(frozen=True)
class SpaceUnion:
    """Alternative spaces, such as one for each estimator that a Pipeline step may hold.

    Parameters
    ----------
    spaces : tuple of Space
        The alternatives.
    budgets : tuple of (int or None)
        For each space the number of points it may spend, None to share the common budget.
    """

    spaces: tuple[Space, ...]
    budgets: tuple[int | None, ...]

    @property
    def size(self) -> float:
        """Number of distinct points, counted in each alternative."""
        return sum(space.size for space in self.spaces)

    def n_wanted(self, n_iter: int) -> int:
        """Return how many points a search of `n_iter` asks for: that and all own budgets."""
        own = sum(budget for budget in self.budgets if budget is not None)
        return own + (n_iter if None in self.budgets else 0)

    def n_points(self, n_iter: int) -> int:
        """Return how many of them there are to evaluate."""
        own = sum(
            min(budget, space.size)
            for space, budget in zip(self.spaces, self.budgets, strict=True)
            if budget is not None
        )
        shared = sum(
            space.size
            for space, budget in zip(self.spaces, self.budgets, strict=True)
            if budget is None
        )
        return int(own + min(n_iter, shared))
