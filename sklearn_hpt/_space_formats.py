"""Read the formats that a search space may be written in.

The space of a search is a dictionary from parameter names to one of

- a `Dimension` (`Real`, `Integer`, `Categorical`);
- a list, array or other sequence of choices, as in `GridSearchCV`;
- a tuple `(low, high)` or `(low, high, prior)`, a range: of integers if both ends are `int`;
- a distribution of `scipy.stats`, of either generation, or any object with `rvs`;
- a dimension of scikit-optimize, a distribution of Optuna or a domain of Ray Tune, recognised by
  their attributes;
- a dictionary such as `{"type": "log_uniform", "low": -4, "high": -1}`.

Several dictionaries in a list are alternatives that share one budget; a pair
`(dictionary, n_iter)` has a budget of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from numbers import Integral
from typing import Any

import numpy as np
import scipy.stats

from sklearn_hpt.exceptions import SpaceError
from sklearn_hpt.space import (
    Categorical,
    Dimension,
    Distribution,
    Integer,
    Real,
    Space,
    SpaceUnion,
    _is_number,
)

_ALLOWED = (
    "a list of choices, a tuple (low, high) or (low, high, prior), Real, Integer, Categorical, "
    "or a distribution of scipy.stats"
)


def as_space_union(spec: Any) -> SpaceUnion:
    """Read a search space in any of the accepted formats.

    Parameters
    ----------
    spec : dict, Space, SpaceUnion, (dict, int) pair, or list of these
        The space as the user wrote it.

    Returns
    -------
    SpaceUnion
        The alternatives, one if `spec` is a single dictionary.

    Raises
    ------
    SpaceError
        If a parameter or the whole cannot be searched; the message names the parameter, what
        was received and what is allowed.
    """
    if isinstance(spec, SpaceUnion):
        return spec
    alternatives = [spec] if isinstance(spec, (Mapping, tuple)) else spec
    if isinstance(alternatives, str) or not isinstance(alternatives, Iterable):
        raise SpaceError(
            f"The search space {spec!r} is of type {type(spec).__name__}; give a dictionary from "
            "parameter names to values, or a list of such dictionaries."
        )
    pairs = [_with_budget(alternative) for alternative in alternatives]
    if not pairs:
        raise SpaceError("The search space is an empty list; give at least one dictionary.")
    return SpaceUnion(
        spaces=tuple(_as_space(space) for space, _ in pairs),
        budgets=tuple(budget for _, budget in pairs),
    )


def _with_budget(alternative: Any) -> tuple[Any, int | None]:
    if not isinstance(alternative, tuple):
        return alternative, None
    if len(alternative) != 2 or not isinstance(alternative[0], Mapping):
        raise SpaceError(
            f"The search space {alternative!r} is a tuple, which must be a pair "
            "(dictionary, n_iter)."
        )
    space, n_iter = alternative
    if not isinstance(n_iter, Integral) or isinstance(n_iter, bool) or n_iter < 1:
        raise SpaceError(
            f"In the pair (space, n_iter), n_iter={n_iter!r} must be an integer of at least 1."
        )
    return space, int(n_iter)


def _as_space(spec: Any) -> Space:
    if not isinstance(spec, Mapping):
        raise SpaceError(
            f"The search space {spec!r} is of type {type(spec).__name__}; give a dictionary from "
            "parameter names to values."
        )
    if not spec:
        raise SpaceError(
            "The search space is an empty dictionary; name at least one parameter to search."
        )
    if isinstance(spec, Space):
        return spec
    for name in spec:
        if not isinstance(name, str):
            raise SpaceError(f"The search space has the key {name!r}; parameter names are strings.")
    return Space({name: _as_named_dimension(name, value) for name, value in spec.items()})


def _as_named_dimension(name: str, spec: Any) -> Dimension:
    try:
        return as_dimension(spec)
    except SpaceError as error:
        raise SpaceError(f"Parameter {name!r} = {_shortened(spec)}: {error}") from None


def _shortened(spec: Any, longest: int = 200) -> str:
    text = repr(spec)
    return text if len(text) <= longest else text[: longest - 3] + "..."


def as_dimension(spec: Any) -> Dimension:
    """Read what one hyperparameter may be, in any of the accepted formats."""
    if isinstance(spec, Dimension):
        return spec
    for read in _READERS:
        dimension = read(spec)
        if dimension is not None:
            return dimension
    hint = "give it as a list of one value" if not isinstance(spec, type) else "give an instance"
    raise SpaceError(f"not a range, a distribution or choices; use {_ALLOWED}, or {hint}.")


def _range(low: Any, high: Any, prior: str = "uniform") -> Dimension:
    both_integers = all(isinstance(end, Integral) for end in (low, high))
    # 1 - x on a log scale is about numbers between 0 and 1
    if both_integers and prior != "log-complement":
        return Integer(low, high, prior)
    return Real(low, high, prior)


def _from_tuple(spec: Any) -> Dimension | None:
    """Read (low, high), (low, high, prior), and scikit-optimize's (low, high, prior, base).

    Tuples without numbers are choices.
    """
    if not isinstance(spec, tuple) or not any(map(_is_number, spec)):
        return None
    shape = ["number" if _is_number(part) else type(part).__name__ for part in spec]
    if shape == ["number", "number", "str", "number"]:  # the base of a log scale changes no draw
        return _range(*spec[:3])
    if shape not in (["number"] * 2, ["number", "number", "str"]):
        raise SpaceError(
            "a tuple with numbers is a range, (low, high) or (low, high, prior); for choices give "
            f"a list, {_shortened([*spec], 60)}."
        )
    return _range(*spec)


def _from_dict(spec: Any) -> Dimension | None:
    """Read `{"type": ...}` dictionaries."""
    if not isinstance(spec, Mapping):
        return None
    kind = spec.get("type")
    kinds = "'uniform', 'log_uniform', 'int_uniform', 'choice' or 'log_complement'"
    if kind is None:
        raise SpaceError(f"a dictionary needs a 'type': {kinds}; or give a list of choices.")
    if kind == "choice":
        given = [spec[key] for key in ("choices", "values", "options") if key in spec]
        if len(given) != 1 or len(spec) != 2 or not isinstance(given[0], (list, tuple, np.ndarray)):
            raise SpaceError("a dictionary of type 'choice' has a list under 'choices', no more.")
        return Categorical(list(given[0]))
    if kind not in ("uniform", "log_uniform", "int_uniform", "log_complement"):
        raise SpaceError(f"type={kind!r} is not known, choose {kinds}.")
    for end in ("low", "high"):
        if not _is_number(spec.get(end)):
            raise SpaceError(f"a dictionary of type {kind!r} needs a number under {end!r}.")
    if unknown := sorted(set(spec) - {"type", "low", "high"}):
        raise SpaceError(f"a dictionary of type {kind!r} has 'low' and 'high', not {unknown[0]!r}.")
    low, high = spec["low"], spec["high"]
    if kind == "int_uniform":
        return Integer(low, high)
    if kind == "log_uniform":  # the ends are exponents of ten
        if max(abs(low), abs(high)) > 300:
            raise SpaceError(
                "low and high of 'log_uniform' are exponents of ten, within -300..300."
            )
        return Real(10.0**low, 10.0**high, "log-uniform")
    return Real(low, high, "uniform" if kind == "uniform" else "log-complement")


def _from_scipy(spec: Any) -> Dimension | None:
    """Read distributions: scipy's frozen ones, its newer random variables, anything with rvs."""
    if isinstance(spec, type) or not (hasattr(spec, "rvs") or _is_new_style(spec)):
        return None
    _check_support(spec)
    values = _listed_values(spec)
    if values is not None:
        return values
    family = getattr(getattr(spec, "dist", None), "name", type(spec).__name__)
    if family in ("loguniform", "reciprocal", "uniform", "randint", "Uniform"):
        known = _known_family(family, spec)
        if known is not None:
            return known
    distribution = Distribution(spec)
    try:
        distribution.sample(np.random.default_rng(0))
    except Exception as error:
        raise SpaceError(
            f"drawing from it fails ({type(error).__name__}: {error}); a distribution needs ppf, "
            "or icdf, or rvs that takes random_state."
        ) from error
    return distribution


def _check_support(spec: Any) -> None:
    """Raise for a distribution with parameters that it cannot have, or without any."""
    if not hasattr(spec, "support"):
        return
    try:
        valid = not np.isnan(np.asarray(spec.support(), dtype=float)).any()
    except (TypeError, ValueError):
        valid = False
    if not valid:
        name = getattr(getattr(spec, "dist", spec), "name", type(spec).__name__)
        args, kwds = getattr(spec, "args", ()), getattr(spec, "kwds", {})
        given = [*map(repr, args), *(f"{key}={value!r}" for key, value in kwds.items())]
        raise SpaceError(f"{name}({', '.join(given)}) is no distribution; check its parameters.")


def _listed_values(spec: Any) -> Categorical | None:
    """Read a distribution that was made from a list of values and their probabilities."""
    listed = getattr(spec, "dist", spec)
    if not (hasattr(listed, "xk") and hasattr(listed, "pk")):
        return None
    if getattr(spec, "args", ()) or getattr(spec, "kwds", {}):
        return None
    return Categorical(listed.xk.tolist(), listed.pk.tolist())


def _is_new_style(spec: Any) -> bool:
    return all(hasattr(spec, method) for method in ("sample", "icdf", "support"))


def _known_family(family: str, spec: Any) -> Dimension | None:
    """Return the range that a distribution of a well known family is."""
    low, high = (np.asarray(end).item() for end in spec.support())
    if family == "randint":
        return Integer(int(low), int(high)) if low < high else Categorical([int(low)])
    if not (math.isfinite(low) and math.isfinite(high)) or low >= high:
        return None
    if family in ("uniform", "Uniform"):
        return Real(low, high)
    shifted = spec.args[2:] or set(spec.kwds) & {"loc", "scale"}
    return None if shifted else Real(low, high, "log-uniform")


def _from_skopt(spec: Any) -> Dimension | None:
    """Read the dimensions of scikit-optimize: categories, or low, high and prior."""
    if hasattr(spec, "categories") and hasattr(spec, "prior"):
        weights = spec.prior if isinstance(spec.prior, (list, tuple, np.ndarray)) else None
        return Categorical(spec.categories, None if weights is None else list(weights))
    if all(hasattr(spec, attribute) for attribute in ("low", "high", "prior")):
        if type(spec).__name__ == "Integer":
            return Integer(int(spec.low), int(spec.high), spec.prior)
        return Real(float(spec.low), float(spec.high), spec.prior)
    return None


def _from_optuna(spec: Any) -> Dimension | None:
    """Read the distributions of Optuna: choices, or low, high, log and step."""
    if hasattr(spec, "choices") and hasattr(spec, "to_internal_repr"):
        return Categorical(spec.choices)
    if not all(hasattr(spec, attribute) for attribute in ("low", "high", "log", "step")):
        return None
    prior = "log-uniform" if spec.log else "uniform"
    integer = isinstance(spec.low, Integral)
    if spec.low == spec.high:
        return Categorical([spec.low])
    if spec.step is None or (integer and spec.step == 1):
        return Integer(spec.low, spec.high, prior) if integer else Real(spec.low, spec.high, prior)
    n_steps = math.floor((spec.high - spec.low) / spec.step + 1e-9)
    values = [spec.low + i * spec.step for i in range(n_steps + 1)]
    return Categorical(values)


def _from_ray_tune(spec: Any) -> Dimension | None:
    """Read the domains of Ray Tune: choices, or lower, upper and how they are sampled."""
    if isinstance(spec, Mapping) and set(spec) == {"grid_search"}:
        return _from_choices(spec["grid_search"])
    if not hasattr(spec, "get_sampler"):
        return None
    if hasattr(spec, "categories"):
        return Categorical(spec.categories)
    sampler = spec.get_sampler()
    step, sampler = getattr(sampler, "q", None), getattr(sampler, "sampler", sampler)
    kind = type(sampler).__name__.strip("_")
    if kind == "Uniform" and step not in (None, 1):
        return Categorical(_multiples(step, spec.lower, spec.upper))
    if kind == "Normal" and step is None:
        return Distribution(scipy.stats.norm(sampler.mean, sampler.sd))
    if kind not in ("Uniform", "LogUniform") or step not in (None, 1):
        raise SpaceError(
            "functions of Ray Tune, and its steps on a log or normal scale, are not read; "
            "give a list of choices, or a range such as (1, 100, 'log-uniform')."
        )
    prior = "log-uniform" if kind == "LogUniform" else "uniform"
    if type(spec).__name__ != "Integer":
        return Real(spec.lower, spec.upper, prior)
    last = spec.upper - 1  # the upper end of integers is not drawn
    return Categorical([last]) if last == spec.lower else Integer(spec.lower, last, prior)


def _multiples(step: float, low: float, high: float) -> list[float]:
    """Return the multiples of a step between two ends, which count up to rounding."""
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [i * step for i in range(first, last + 1)]


def _from_choices(spec: Any) -> Dimension | None:
    """Read lists and other collections of choices."""
    if isinstance(spec, (str, bytes, type)) or not isinstance(spec, Iterable):
        return None
    if isinstance(spec, np.ndarray) and spec.ndim == 0:
        return None
    choices = spec.tolist() if isinstance(spec, np.ndarray) and spec.ndim == 1 else list(spec)
    if isinstance(spec, (set, frozenset)):
        raise SpaceError("a set has no order that lasts; give a list of choices.")
    if not choices:
        raise SpaceError("no choice was given; give at least one value.")
    return Categorical(choices)


_READERS = (
    _from_tuple,
    _from_ray_tune,
    _from_dict,
    _from_skopt,
    _from_optuna,
    _from_scipy,
    _from_choices,
)
