"""One line of a default space: a parameter, its range, its tier, and where the range is from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sklearn_hpt.space import Dimension

# how sources are named in the tables; docs/default_spaces.md has them in full
AUTO_SKLEARN = "auto-sklearn"
BENGIO = "Bengio 2012"
BISCHL = "Bischl et al. 2023"
GORISHNIY = "Gorishniy et al. 2021"
GRINSZTAJN = "Grinsztajn et al. 2022"
HSU = "Hsu et al. 2003"
KUEHN = "Kühn et al. 2018"
OPTUNA = "Optuna's LightGBM example"
SCIKIT_LEARN = "scikit-learn"

FIRST, SECOND, THIRD = 1, 2, 3  # tiers, in the order of importance


@dataclass(frozen=True)
class Condition:
    """When a parameter matters, by the other parameters of the estimator.

    Attributes
    ----------
    text : str
        The condition in words.
    holds : callable
        Tells from the parameters of an estimator whether it holds.
    """

    text: str
    holds: Callable[[Mapping[str, Any]], bool]


ALWAYS = Condition("", lambda params: True)


def one_of(name: str, *values: Any) -> Condition:
    """Return the condition that a parameter has one of these values."""
    text = f"`{name}` is {' or '.join(map(repr, values))}"
    return Condition(text, lambda params: any(params.get(name) == value for value in values))


def not_set(name: str) -> Condition:
    """Return the condition that another name for the same parameter is not in use."""
    return Condition(f"`{name}` is not set", lambda params: params.get(name) is None)


@dataclass(frozen=True)
class Entry:
    """A parameter of one kind of estimator, and what is searched of it.

    Attributes
    ----------
    name : str
        The parameter.
    dimension : Dimension
        Its values.
    tier : int
        Its importance: 1 is tuned first.
    source : str
        Where the range is from; "ours: " and the reason where it is from nowhere else.
    when : Condition
        When it matters.
    """

    name: str
    dimension: Dimension
    tier: int
    source: str
    when: Condition = ALWAYS


Table = dict[tuple[str, ...], tuple[Entry, ...]]  # names of classes -> what is searched of them
