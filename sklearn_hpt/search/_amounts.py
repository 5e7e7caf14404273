"""Choose the resource that a search buys in small amounts first, and the amounts."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils.multiclass import type_of_target

from sklearn_hpt._resources import Resource
from sklearn_hpt._subsampling import is_time_ordered
from sklearn_hpt._training import default_resource, resolve_resource
from sklearn_hpt.space import Categorical, SpaceUnion
from sklearn_hpt.steppers import Stepper

_FACTOR = 3  # from one amount to the next
_FEWEST_ROWS = 100  # of a training side: with fewer, scores say little
_WORTH_SPLITTING = 3 * _FEWEST_ROWS
_MOST_RUNGS = 4
_CHEAP_ROUNDS = 2  # how many have less than everything, if the number of rounds is given


@dataclass(frozen=True)
class Request:
    """What a user says about the resource.

    Attributes
    ----------
    name : str
        "auto", "n_samples" or a parameter of the estimator.
    amounts : sequence or None
        The amounts, or fractions of the full one; None leaves them to the search.
    n_amounts : int or None
        How many there are to be; None for as many as are sensible.
    stepper : Stepper or None
        What trains the estimator in steps, if not what its class says.
    """

    name: str
    amounts: Sequence[float] | None = None
    n_amounts: int | None = None
    stepper: Stepper | None = None


def plan_resource(
    request: Request | None,
    estimator: Any,
    space: SpaceUnion,
    y: Any,
    splits: Sequence[tuple[np.ndarray, np.ndarray]],
    cv: Any,
    groups: Any,
) -> tuple[Resource | None, tuple[int, ...] | None]:
    """Return the resource of a search and its amounts, None and None if it has none.

    Raises
    ------
    ValueError
        If the resource is none of the estimator's, is searched itself, or the amounts are wrong.
    """
    if request is None:
        return None, None
    n_train = max(len(train) for train, _ in splits)
    name = _chosen(request, estimator, space, n_train)
    if name is None:
        return None, None
    full = _full_amount(request, estimator, name, n_train)
    amounts = _amounts(request, name, full)
    is_rows = name == "n_samples"
    resource = Resource(
        name,
        amounts[-1],
        labels=y if is_rows and _has_classes(estimator, y) else None,
        groups=groups if is_rows else None,
        is_time_ordered=is_rows and is_time_ordered(splits, cv),
        stepper=request.stepper,
    )
    return resource, amounts


def _chosen(request: Request, estimator: Any, space: SpaceUnion, n_train: int) -> str | None:
    if request.name != "auto":
        name = resolve_resource(estimator, request.name)
        _check_not_searched(request, estimator, name, space)
        return name
    name = default_resource(estimator, request.stepper)
    if any({name, *_owners(name)} & set(one) for one in space.spaces):
        name = "n_samples"
    if request.amounts is None and name == "n_samples" and n_train < _WORTH_SPLITTING:
        return None
    return name


def _owners(name: str) -> list[str]:
    """Return the parameters that replace the estimator which a parameter belongs to."""
    parts = name.split("__")[:-1]
    return ["steps", *accumulate(parts, lambda whole, part: f"{whole}__{part}")] if parts else []


def _check_not_searched(request: Request, estimator: Any, name: str, space: SpaceUnion) -> None:
    """Raise if a resource is searched itself, or models are searched that have it not."""
    for one in space.spaces:
        if name in one:
            raise ValueError(
                f"resource={name!r} is searched too: a candidate is first given little of it and "
                "then more. Take it out of the search space, or name another resource."
            )
        for owner in set(_owners(name)) & set(one):
            dimension = one[owner]
            for choice in dimension.choices if isinstance(dimension, Categorical) else ():
                _check_has(request, estimator, name, owner, choice)


def _check_has(request: Request, estimator: Any, name: str, owner: str, choice: Any) -> None:
    if owner == "steps" or not hasattr(choice, "get_params"):
        return
    params, own_name = choice.get_params(deep=True), name.removeprefix(f"{owner}__")
    if own_name not in params:
        raise ValueError(
            f"resource={name!r} is no parameter of {choice!r}, which is a choice of {owner!r}. "
            "Name a resource that all choices have, such as 'n_samples'."
        )
    of_all = estimator.get_params(deep=True)[name]
    if not _are_whole_numbers(request.amounts) and params[own_name] != of_all:
        raise ValueError(
            f"resource={name!r} is {of_all!r}, but {params[own_name]!r} in {choice!r}, a choice of "
            f"{owner!r}. Give the amounts, which are the same for all choices, in whole numbers: "
            "resources=(...)."
        )


def _are_whole_numbers(amounts: Sequence[float] | None) -> bool:
    given = () if amounts is None else tuple(amounts)
    return bool(given) and all(isinstance(amount, numbers.Integral) for amount in given)


def _has_classes(estimator: Any, y: Any) -> bool:
    return is_classifier(estimator) and type_of_target(y) in ("binary", "multiclass")


def _full_amount(request: Request, estimator: Any, name: str, n_train: int) -> int:
    if name == "n_samples":
        return n_train
    if request.amounts is not None and _are_whole_numbers(request.amounts):
        return int(max(request.amounts))
    value = estimator.get_params(deep=True)[name]
    if not isinstance(value, numbers.Integral) or value < 1:
        raise ValueError(
            f"resource={name!r} has the value {value!r} on the estimator, which says nothing of "
            "what a full evaluation spends; set it to a number, or give resources=(...) in whole "
            "numbers."
        )
    return int(value)


def _amounts(request: Request, name: str, full: int) -> tuple[int, ...]:
    if request.amounts is not None:
        return _checked(request, name, full)
    least = min(_FEWEST_ROWS, full) if name == "n_samples" else 1
    n_amounts = request.n_amounts or _n_rungs(full, least)
    n_cheap = n_amounts - 1 if request.n_amounts is None else min(n_amounts - 1, _CHEAP_ROUNDS)
    cuts = [max(n_cheap - place, 0) for place in range(n_amounts)]
    return tuple(max(least, round(full / _FACTOR**cut)) for cut in cuts)


def _n_rungs(full: int, least: int) -> int:
    return max(1, min(_MOST_RUNGS, 1 + int(math.log(full / least, _FACTOR) + 1e-9)))


def _checked(request: Request, name: str, full: int) -> tuple[int, ...]:
    assert request.amounts is not None
    given = list(request.amounts)
    if request.n_amounts is not None and len(given) != request.n_amounts:
        raise ValueError(
            f"resources={request.amounts!r} must have {request.n_amounts} amounts, one for each "
            f"round and the last for the finalists; it has {len(given)}."
        )
    if not given:
        raise ValueError(
            f"resources={request.amounts!r} must hold at least one amount of {name!r}."
        )
    amounts = [_as_amount(amount, full, request) for amount in given]
    if sorted(amounts) != amounts:
        raise ValueError(
            f"resources={request.amounts!r} must not decrease: little of {name!r} first, then more."
        )
    amounts = [min(amount, full) for amount in amounts]
    # rounds may have equal amounts, rungs are what is left of them
    return tuple(amounts if request.n_amounts is not None else sorted(set(amounts)))


def _as_amount(amount: Any, full: int, request: Request) -> int:
    is_number = isinstance(amount, numbers.Real) and not isinstance(amount, bool)
    if is_number and isinstance(amount, numbers.Integral) and int(amount) >= 1:
        return int(amount)
    if is_number and 0.0 < float(amount) <= 1.0:
        return max(1, math.ceil(float(amount) * full))
    raise ValueError(
        f"resources={request.amounts!r}: {amount!r} must be a whole number of at least 1, or a "
        "fraction in (0, 1] of the full amount."
    )
