"""Which nets may be trained together, as far as can be told before it is tried."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sklearn_hpt.nets._callbacks import callbacks_of, looks_at_batches
from sklearn_hpt.nets._loading import LOADER_SETTINGS
from sklearn_hpt.nets._mutation import is_amount, places

# What a net of the user's own would have to leave as it is, lest it trains in another way alone.
_OF_TRAINING = (
    "evaluation_step fit fit_loop forward_iter get_dataset get_iterator get_loss "
    "get_split_datasets infer initialize initialize_criterion initialize_module "
    "initialize_optimizer on_batch_begin on_batch_end on_epoch_begin on_epoch_end "
    "on_grad_computed on_train_begin on_train_end partial_fit run_single_epoch train_step "
    "train_step_single"
).split()
_OF_BATCHES = ("__on_train", "__step_every")  # what makes callbacks look at each batch


def why_not_together(net: Any) -> str | None:
    """Return why a net is trained by itself, None if it may be trained with others.

    Parameters
    ----------
    net : NeuralNet
        With all its parameters set, initialised or not.
    """
    torch, skorch = sys.modules["torch"], sys.modules["skorch"]
    cls: Any = type(net)
    if (name := _own_method(cls)) is not None:
        return f"{type(net).__name__} has a {name} of its own"
    if (watching := next(filter(looks_at_batches, callbacks_of(net)), None)) is not None:
        cls = watching if isinstance(watching, type) else type(watching)
        return f"its callback {cls.__name__} has something to do at each batch"
    params = net.get_params(deep=False)
    if of_batches := [n for n in params if n.startswith("callbacks__") and n.endswith(_OF_BATCHES)]:
        return f"{of_batches[0]} is set"
    if net.iterator_train is not torch.utils.data.DataLoader:
        return f"iterator_train is {net.iterator_train!r}"
    if net.dataset is not skorch.dataset.Dataset:
        return f"dataset is {net.dataset!r}"
    of_loader = {n.removeprefix("iterator_train__") for n in params if n.startswith("iterator_tr")}
    if others := of_loader - LOADER_SETTINGS - {"iterator_train"}:
        return f"iterator_train__{min(others)} is set"
    if net.compile or any(n.startswith(("dataset__", "optimizer__param_groups")) for n in params):
        return "it is compiled, or its dataset or groups of parameters have settings"
    if not inspect.isclass(net.module) or not inspect.isclass(net.criterion):
        return "its module or criterion is an object, not a class"
    return None


@lru_cache(maxsize=128)
def _own_method(cls: Any) -> str | None:
    """Return a method of training that is not that of skorch's own classes."""
    for name in _OF_TRAINING:
        found = next(vars(one)[name] for one in cls.__mro__ if name in vars(one))
        module = getattr(found, "__module__", "")
        if not module.startswith("skorch.") or module.startswith("skorch.hf"):
            return name
    return None


def own_of_each(net: Any) -> frozenset[str]:
    """Return the parameters in which nets that are trained together may differ."""
    names = {"lr", "batch_size", "random_state"}
    signature = inspect.signature(net.optimizer).parameters
    names |= {f"optimizer__{n}" for n, p in signature.items() if is_amount(p.default)}
    names |= {"optimizer__nesterov", "optimizer__centered"}
    torch = sys.modules["torch"]
    for name in net.get_params():
        if name.startswith("callbacks__"):  # which are called for each net by itself
            names.add(name)
        found = places(net, name)
        if found and all(kind is torch.nn.Dropout for kind in found.values()):
            names.add(name)
    return frozenset(names)


def loader_settings(net: Any) -> Mapping[str, Any]:
    """Return the batch size of a net, and whether it shuffles and drops the last batch."""
    given = net.get_params_for("iterator_train")
    return {
        "batch_size": given.get("batch_size", net.batch_size),
        "shuffle": bool(given.get("shuffle", False)),
        "drop_last": bool(given.get("drop_last", False)),
    }
