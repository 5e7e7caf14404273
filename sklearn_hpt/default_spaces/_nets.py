"""The default space of a skorch net, by what its optimizer and its module accept."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

from sklearn_hpt.default_spaces._entries import (
    BENGIO,
    FIRST,
    GORISHNIY,
    SECOND,
    THIRD,
    Entry,
)
from sklearn_hpt.space import Integer, Real

_LOG = "log-uniform"
_ADAPTIVE = {"Adagrad", "Adam", "Adamax", "NAdam", "RAdam", "RMSprop", "SparseAdam"}

# Adam's betas and eps stay at their defaults

ADAPTIVE_RATE = Entry(
    "lr",
    Real(1e-5, 1e-1, _LOG),
    FIRST,
    f"ours: the 1e-5 to 1e-2 of {GORISHNIY} and one decade more",
)
RATE = Entry(
    "lr",
    Real(1e-4, 1.0, _LOG),
    FIRST,
    f"{BENGIO}: most often between 1e-6 and 1; ours: from 1e-4, below which epochs are many",
)
MOMENTUM = Entry(
    "optimizer__momentum",
    Real(0.0, 0.99, "log-complement"),
    SECOND,
    "ours: from none to a memory of 100 steps, as each is longer by the same factor",
)
BATCH_SIZE = Entry(
    "batch_size",
    Integer(16, 256, _LOG),
    SECOND,
    f"{BENGIO}: up to a few hundreds; ours: from 16, below which processors idle",
)
WEIGHT_DECAY = Entry(
    "optimizer__weight_decay",
    Real(1e-6, 1e-2, _LOG),
    THIRD,
    f"ours: the 1e-6 to 1e-3 of {GORISHNIY} and one decade more",
)
DROPOUT_SOURCE = GORISHNIY
UNITS_SOURCE = "ours: powers of two that small tables and images ask for"
LAYERS_SOURCE = "ours: more layers ask for another architecture"

_DROPOUT = re.compile(r"(^|_)(p_)?drop(out)?(_|\d|$)")
_UNITS = re.compile(
    r"(n_|num_)?(hidden|units|neurons|width)(_?\d)?"
    r"|(n_|num_|d_)?hidden_(units|size|dim|features|channels)|(d_hidden|layer_size)"
)
_LAYERS = re.compile(r"depth|(n_|num_)(hidden_)?(layers|blocks)")


def net_entries(net: Any) -> Iterator[Entry]:
    """Yield what is searched of a net."""
    params = net.get_params(deep=False)
    optimizer = _parameters_of(net.optimizer)
    rate = ADAPTIVE_RATE if _is_adaptive(net.optimizer) else RATE
    if "optimizer__lr" in params:  # which the net prefers to its own
        yield Entry("optimizer__lr", rate.dimension, rate.tier, rate.source)
    else:
        yield rate
    if "momentum" in optimizer:
        yield MOMENTUM
    yield from _module_entries(net.module, params)
    if net.batch_size > 0 and "iterator_train__batch_size" not in params:
        yield BATCH_SIZE
    if "weight_decay" in optimizer:
        yield WEIGHT_DECAY


def net_values(net: Any) -> dict[str, Any]:
    """Return the parameters of a net with those that it leaves to its module and its optimizer."""
    own = {
        f"{part}__{name}": parameter.default
        for part in ("module", "optimizer")
        for name, parameter in _parameters_of(getattr(net, part)).items()
        if parameter.default is not inspect.Parameter.empty
    }
    return {**own, "optimizer__lr": net.lr, **net.get_params(deep=False)}


def _is_adaptive(optimizer: Any) -> bool:
    names = {cls.__name__ for cls in getattr(optimizer, "__mro__", ())}
    return bool(names & _ADAPTIVE)


def _parameters_of(made: Any) -> Mapping[str, inspect.Parameter]:
    """Return what a module or an optimizer is made of, nothing if it does not tell."""
    try:
        return inspect.signature(made).parameters
    except (TypeError, ValueError):
        return {}


def _module_entries(module: Any, params: Mapping[str, Any]) -> Iterator[Entry]:
    if not inspect.isclass(module) and not inspect.isfunction(module):
        return  # it is made already
    for name, parameter in _parameters_of(module).items():
        full_name = f"module__{name}"
        entry = _module_entry(full_name, name, params.get(full_name, parameter.default))
        if entry is not None:
            yield entry


def _module_entry(full_name: str, name: str, value: Any) -> Entry | None:
    """Return what is searched of a parameter of a module, None if its name says nothing."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if _DROPOUT.search(name):
        is_rate = 0 <= value <= 0.5
        return Entry(full_name, Real(0.0, 0.5), THIRD, DROPOUT_SOURCE) if is_rate else None
    if not isinstance(value, int) or value < 1:
        return None
    if _UNITS.fullmatch(name):
        units = Integer(min(16, value), max(512, value), _LOG)
        return Entry(full_name, units, SECOND, UNITS_SOURCE)
    if _LAYERS.fullmatch(name):
        return Entry(full_name, Integer(1, max(4, value)), THIRD, LAYERS_SOURCE)
    return None
