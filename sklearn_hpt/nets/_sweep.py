"""Train nets for some steps with a learning rate that grows, one by one or together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import torch

from sklearn_hpt.nets._batches import drawn_batches
from sklearn_hpt.nets._eligible import loader_settings, why_not_together
from sklearn_hpt.nets._stack import CannotStack, Stack
from sklearn_hpt.nets._stacked_optimizers import RowOptimizer
from sklearn_hpt.nets._stacked_training import as_tensors


def ready(net: Any) -> Any:
    """Return a copy of a net that can be trained: from its weights, or from new ones."""
    copy = deepcopy(net)
    if not getattr(copy, "initialized_", False):
        copy.initialize()
    copy.notify("on_train_begin", X=None, y=None)
    return copy


def sweep_alone(net: Any, X: Any, y: Any, lrs: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the loss of a net before each step, shape (1,), as an array of float64.

    The net is trained in place, by its own `train_step` on its own batches.
    """
    dataset = net.get_dataset(X, y)
    batches = _endless(net, dataset)
    for lr in lrs:
        for group in net.optimizer_.param_groups:
            group["lr"] = float(lr)
        step = net.train_step(next(batches))
        yield np.array([float(step["loss"].detach())])


def sweep_together(nets: Sequence[Any], X: Any, y: Any, lrs: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the loss of each net before each step, shape (n_nets,).

    The nets are not trained, only their stack is.

    Raises
    ------
    CannotStack
        If they are not alike, or X and y are not arrays.
    """
    if not isinstance(X, np.ndarray) or not isinstance(y, np.ndarray):
        raise CannotStack("the data are not in arrays")
    if (why := next(filter(None, map(why_not_together, nets)), None)) is not None:
        raise CannotStack(why)
    features, targets = as_tensors([(X, y)], nets[0].device)
    stack = Stack(nets)
    optimizer = RowOptimizer(stack, [net.optimizer_ for net in nets])
    for lr, rows in zip(lrs, _rows(nets, len(X), len(lrs)), strict=True):
        optimizer.set_rate(float(lr))
        index = torch.from_numpy(rows).to(features.device)
        losses = stack.differentiate(features[index], targets[index], None)
        optimizer.step(None)
        yield losses.to(torch.float64).cpu().numpy()


def _endless(net: Any, dataset: Any) -> Iterator[Any]:
    while True:
        yield from net.get_iterator(dataset, training=True)


def _rows(nets: Sequence[Any], n_rows: int, n_steps: int) -> Iterator[np.ndarray]:
    """Yield the rows of each step, shape (n_nets, batch_size); a smaller last batch is left out."""
    settings = [loader_settings(net) for net in nets]
    sizes = {n_rows if one["batch_size"] == -1 else one["batch_size"] for one in settings}
    if len(sizes) > 1:
        raise CannotStack("their batches differ in size")
    size = min(sizes.pop(), n_rows)
    n_epochs = -(-n_steps // (n_rows // size))
    drawn = [
        drawn_batches(n_rows, n_epochs, size, shuffle=one["shuffle"], drop_last=True)
        for one in settings
    ]
    each = [[batch for epoch in epochs for batch in epoch][:n_steps] for epochs in drawn]
    yield from (np.stack(step) for step in zip(*each, strict=True))
