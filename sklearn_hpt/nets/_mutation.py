"""Hyperparameters of a skorch net that take effect in the middle of training."""

from __future__ import annotations

import inspect
import numbers
import sys
from collections.abc import Iterator
from typing import Any

from sklearn_hpt.nets._skorch import seed_torch

_RATES = (0.25, 0.75)  # two values that a module is made with, to be compared


def mutable_in_net(net: Any) -> frozenset[str]:
    """Return what may change while a net is trained: of the optimizer, the module and the rest.

    Parameters
    ----------
    net : NeuralNet
        With all its parameters set, initialised or not.
    """
    names = {"lr", "batch_size"}
    signature = inspect.signature(net.optimizer).parameters
    names |= {f"optimizer__{name}" for name, p in signature.items() if is_amount(p.default)}
    of_criterion = inspect.signature(net.criterion).parameters
    names |= {
        f"criterion__{name}"
        for name, p in of_criterion.items()
        if isinstance(p.default, float) and _places_of(net, "criterion", name)
    }
    return frozenset(names | {name for name in net.get_params() if places(net, name)})


def change_net(net: Any, name: str, value: Any) -> None:
    """Change one of these in an initialised net, whose weights and momentum stay."""
    if name.startswith("module__"):
        layers = dict(net.module_.named_modules())
        for layer, attribute in places(net, name):
            setattr(layers[layer], attribute, value)
    elif name.startswith("criterion__"):
        layers = dict(net.criterion_.named_modules())
        for layer, attribute in _places_of(net, "criterion", name.removeprefix("criterion__")):
            setattr(layers[layer], attribute, value)
    else:  # skorch changes its optimizer in place
        net.set_params(**{name: value})
        if name == "optimizer__lr":
            net.lr = value
        if name == "optimizer__momentum" and value:
            _add_missing_buffers(net.optimizer_)
    vars(net)[name] = value  # which skorch leaves as it was, so that a clone would have it


def _add_missing_buffers(optimizer: Any) -> None:
    """Give RMSprop what it makes only in its first step, if it had momentum then."""
    torch = sys.modules["torch"]
    if isinstance(optimizer, torch.optim.RMSprop):
        for param, state in optimizer.state.items():
            if state.get("momentum_buffer") is None:
                state["momentum_buffer"] = torch.zeros_like(param)


def is_amount(value: Any) -> bool:
    """Tell whether a value is a number, or a tuple of numbers."""
    if isinstance(value, tuple):
        return all(map(is_amount, value))
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def places(net: Any, name: str) -> dict[tuple[str, str], type]:
    """Return what holds a parameter of the module, such as a rate of dropout.

    The module is made with two values of the parameter. If the two differ in nothing but in
    attributes that have these values, then changing the attributes is all there is to change.
    """
    prefix, _, own_name = name.partition("__")
    value = vars(net).get(name)
    is_rate = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
    if prefix != "module" or "__" in own_name or not is_rate:
        return {}
    return _places_of(net, prefix, own_name)


def _places_of(net: Any, part: str, own_name: str) -> dict[tuple[str, str], type]:
    params = {
        n.removeprefix(f"{part}__"): v
        for n, v in net.get_params().items()
        if n.startswith(f"{part}__")
    }
    try:
        one, other = (_made(getattr(net, part), {**params, own_name: rate}) for rate in _RATES)
    except Exception:  # it is made of more than its parameters, or not with these values
        return {}
    layers = dict(one.named_modules()), dict(other.named_modules())
    if not _have_same_weights(one, other) or layers[0].keys() != layers[1].keys():
        return {}
    different = dict(_differences(*layers))
    if any(values != _RATES for values in different.values()):
        return {}
    return {place: type(layers[0][place[0]]) for place in different}


def _made(module: Any, params: dict[str, Any]) -> Any:
    """Return a module that begins with the same weights each time."""
    torch = sys.modules["torch"]
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices):
        seed_torch(0)
        return module(**params)


def _have_same_weights(one: Any, other: Any) -> bool:
    pair = one.state_dict(), other.state_dict()
    equal = sys.modules["torch"].equal
    return pair[0].keys() == pair[1].keys() and all(equal(pair[0][n], pair[1][n]) for n in pair[0])


def _differences(
    one: dict[str, Any], other: dict[str, Any]
) -> Iterator[tuple[tuple[str, str], tuple[Any, Any]]]:
    """Yield the attributes in which two modules differ, and their values."""
    for layer in one:
        of_one, of_other = (_plain_attributes(each[layer]) for each in (one, other))
        for attribute in of_one.keys() | of_other.keys():
            values = of_one.get(attribute), of_other.get(attribute)
            if values[0] != values[1]:
                yield (layer, attribute), values


def _plain_attributes(layer: Any) -> dict[str, Any]:
    return {
        name: value
        for name, value in vars(layer).items()
        if isinstance(value, (numbers.Number, str, tuple, list, type(None)))
    }
