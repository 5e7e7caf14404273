"""Callbacks of skorch: which a net has, and what keeps it from being trained with others."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

_LAST = "last_model_weights_"
_BATCH_HOOKS = ("on_batch_begin", "on_batch_end", "on_grad_computed")


def callbacks_of(net: Any) -> list[Any]:
    if not net.callbacks or isinstance(net.callbacks, str):  # None, [] or "disable"
        return []
    return [item[1] if isinstance(item, tuple) else item for item in net.callbacks]


def is_a(callback: Any, class_name: str) -> bool:
    """Tell whether a callback, or a class of callbacks, is of a class of this name."""
    cls = callback if isinstance(callback, type) else type(callback)
    return any(one.__name__ == class_name for one in cls.__mro__)


def fitted_callbacks(net: Any, class_name: str) -> list[Any]:
    """Return the callbacks of a class of skorch, or of one derived from it."""
    return [callback for _, callback in net.callbacks_ if is_a(callback, class_name)]


@contextmanager
def kept_callbacks(net: Any, before: int) -> Iterator[None]:
    """Have callbacks that start anew when training begins go on where they were.

    `EarlyStopping` forgets its best score, and with it how long that has been, and may have put
    the best weights into the net; `LRScheduler` makes a new scheduler, whose first step also
    changes the rates in the optimizer.
    """
    if not before:
        yield
        return
    stopping = [
        (
            callback,
            {n: getattr(callback, n) for n in ("misses_", "dynamic_threshold_", "best_epoch_")},
        )
        for callback in fitted_callbacks(net, "EarlyStopping")
    ]
    schedules = [
        (callback, deepcopy(callback.lr_scheduler_.state_dict()))
        for callback in fitted_callbacks(net, "LRScheduler")
    ]
    groups = [
        (group, {name: value for name, value in group.items() if name != "params"})
        for part in vars(net).values()
        for group in getattr(part, "param_groups", ())
    ]
    yield
    for callback, state in stopping:
        vars(callback).update(state)
        if (last := vars(callback).pop(_LAST, None)) is not None:
            # the net has the best ones, of which a pickled callback keeps no copy
            callback.best_model_weights_ = deepcopy(net.module_.state_dict())
            net.module_.load_state_dict(last)
    for callback, state in schedules:
        callback.lr_scheduler_.load_state_dict(state)
    for group, values in groups:
        group.update(values)


def end_training(net: Any, X: Any, y: Any) -> None:
    """Tell callbacks that training is over, maybe only until it goes on (`kept_callbacks`).

    Where `EarlyStopping` puts the best weights into the net, it keeps the last ones besides.
    """
    going_on = [
        callback
        for callback in fitted_callbacks(net, "EarlyStopping")
        if callback.load_best and callback.misses_ < callback.patience
    ]
    last = deepcopy(net.module_.state_dict()) if going_on else None
    net.notify("on_train_end", X=X, y=y)
    for callback in going_on:
        setattr(callback, _LAST, last)


def looks_at_batches(callback: Any) -> bool:
    """Tell whether a callback, or a class of callbacks, does something at each batch of training.

    Parameters
    ----------
    callback : Callback, class or other
        As it stands in a net's `callbacks`.
    """
    base = sys.modules["skorch"].callbacks.Callback
    cls = callback if isinstance(callback, type) else type(callback)
    if not issubclass(cls, base):
        return True
    own = [name for name in _BATCH_HOOKS if getattr(cls, name) is not getattr(base, name)]
    if own == ["on_batch_end"] and cls.__module__.startswith("skorch."):
        if is_a(cls, "EpochScoring"):  # keeps predictions for the rows of validation
            return bool(getattr(callback, "on_train", False))
        if is_a(cls, "LRScheduler"):
            return getattr(callback, "step_every", "epoch") != "epoch"
    return bool(own)
