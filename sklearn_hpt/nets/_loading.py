"""Spare nets the DataLoader, which handles each row by itself, where their rows are in arrays."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from sklearn_hpt.nets._skorch import find_nets

LOADER_SETTINGS = {"batch_size", "drop_last", "shuffle"}
_BOTH = ("iterator_train", "iterator_valid")


@contextmanager
def lean_loading(estimator: Any) -> Iterator[None]:
    """Have the nets of an estimator load batches faster, the same ones in the same order.

    Nothing changes for a net that has a loader or a data set of its own.

    Parameters
    ----------
    estimator : estimator
        What is trained or predicts meanwhile.
    """
    found = [net for net in find_nets(estimator) if _has_usual_loaders(net)]
    if not found:
        yield
        return
    for net in found:
        vars(net).update(dict.fromkeys(_BOTH, _load))
    try:
        yield
    finally:
        loader = sys.modules["torch"].utils.data.DataLoader
        for net in found:
            vars(net).update(dict.fromkeys(_BOTH, loader))


def _has_usual_loaders(net: Any) -> bool:
    torch, skorch = sys.modules["torch"], sys.modules["skorch"]
    loaders = [vars(net).get(name) for name in _BOTH]
    own = {name for name in vars(net) if name.startswith(("iterator_train__", "iterator_valid__"))}
    return (
        all(loader is torch.utils.data.DataLoader for loader in loaders)
        and net.dataset is skorch.dataset.Dataset
        and {name.split("__")[1] for name in own} <= LOADER_SETTINGS
        and type(net).get_iterator.__module__.startswith("skorch.")
    )


def _load(dataset: Any, **settings: Any) -> Any:
    from sklearn_hpt.nets._batches import ArrayLoader

    torch = sys.modules["torch"]
    whole, rows = dataset, None
    if type(dataset) is torch.utils.data.Subset:  # of a train_split
        whole, rows = dataset.dataset, np.asarray(dataset.indices)
    is_plain = type(whole) is sys.modules["skorch"].dataset.Dataset and all(
        torch.is_tensor(part)
        or (type(part) is np.ndarray and part.dtype.kind in "fiub" and part.flags.writeable)
        for part in (whole.X, *(() if whole.y is None else (whole.y,)))
    )
    if is_plain:
        return ArrayLoader(whole.X, whole.y, rows, dataset=dataset, **settings)
    return torch.utils.data.DataLoader(dataset, **settings)
