"""Train many nets of one architecture as one program, each on rows and in batches of its own."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from sklearn_hpt.nets._stack import CannotStack, Stack
from sklearn_hpt.nets._stacked_optimizers import RowOptimizer

_AGREEMENT = 1e-4  # largest difference of a weight, absolute and relative
_RATE = 0.1  # of the step that is compared: with a small one all steps are alike
Batches = Sequence[Sequence[np.ndarray]]  # epochs of batches of row numbers


class OutOfTime(Exception):
    """Raised where nets that are trained together would not be done in time."""


@dataclass(frozen=True)
class _Part:
    """Those of a step whose batches are equally large."""

    members: list[int]
    index: np.ndarray  # (n_members, batch_size)


def train_together(
    nets: Sequence[Any],
    X: torch.Tensor,
    y: torch.Tensor,
    batches: Sequence[Batches],
    deadline: float | None = None,
) -> np.ndarray:
    """Train nets in place, as if each were trained alone; their histories stay as they are.

    Dropout draws other masks than it would for a net alone; all else is the same up to rounding.

    Parameters
    ----------
    nets : sequence of NeuralNet
        Initialised nets of one architecture with optimizers of one class.
    X, y : Tensor of shape (n_rows, ...)
        The rows of all nets, on the device of their weights.
    batches : sequence of sequence of sequence of ndarray
        For each net its epochs, for each of these its batches, which are row numbers.
    deadline : float, default=None
        When to give up, in the time of `time.monotonic`.

    Returns
    -------
    losses : ndarray of shape (n_batches, n_nets)
        NaN after the last batch of a net that has fewer than others.

    Raises
    ------
    CannotStack
        If they cannot be trained together; nothing has changed then.
    OutOfTime
        At the deadline; the nets are as they were, what they were trained is lost.
    """
    stack = Stack(nets)
    optimizer = RowOptimizer(stack, [net.optimizer_ for net in nets])
    flat = [[batch for epoch in of_net for batch in epoch] for of_net in batches]
    losses = torch.full((max(map(len, flat)), stack.size), math.nan, device=X.device)
    for number, parts in enumerate(_steps(flat)):
        if deadline is not None and time.monotonic() > deadline:
            raise OutOfTime
        for part in parts:
            losses[number, part.members] = _one_step(stack, optimizer, X, y, part)
    stack.write_back(nets)
    optimizer.write_back([net.optimizer_ for net in nets])
    return losses.cpu().numpy()


def as_tensors(
    parts: Sequence[tuple[np.ndarray, np.ndarray]], device: Any
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return features and targets of several arrays, one after the other, on a device."""
    features, targets = (
        [torch.as_tensor(part, device=device) for part in of_one]
        for of_one in zip(*parts, strict=True)
    )
    if len(parts) == 1:  # not copied
        return features[0], targets[0]
    return torch.cat(features), torch.cat(targets)


def check_agreement(
    nets: Sequence[Any], X: torch.Tensor, y: torch.Tensor, batches: Sequence[Batches]
) -> None:
    """Raise if a first step together gives other weights than steps alone, without dropout.

    Parameters
    ----------
    nets, X, y, batches
        As `train_together` takes them; the nets are not changed.

    Raises
    ------
    CannotStack
        If the module does something that depends on more than its own batch.
    """
    together, alone = ([_for_check(net) for net in nets] for _ in range(2))
    first = [[[of_net[0][0]]] for of_net in batches if of_net and of_net[0]]
    if len(first) < len(nets):
        return
    train_together(together, X, y, first)
    for net, other, ((batch,),) in zip(alone, together, first, strict=True):
        index = torch.from_numpy(batch).to(X.device)
        net.train_step((X[index], y[index]))
        for one, same in zip(net.module_.parameters(), other.module_.parameters(), strict=True):
            if not torch.allclose(one, same, rtol=_AGREEMENT, atol=_AGREEMENT, equal_nan=True):
                raise CannotStack("a step together gives other weights than a step alone")


def _for_check(net: Any) -> Any:
    copy = deepcopy(net)
    for part in copy.module_.modules():
        if isinstance(part, torch.nn.modules.dropout._DropoutNd):
            part.p = 0.0
    for group in copy.optimizer_.param_groups:
        group["lr"] = _RATE
    return copy


def _steps(flat: Sequence[Sequence[np.ndarray]]) -> Iterator[list[_Part]]:
    for number in range(max(map(len, flat))):
        by_size: dict[int, list[int]] = {}
        for member, of_net in enumerate(flat):
            if number < len(of_net):
                by_size.setdefault(len(of_net[number]), []).append(member)
        yield [
            _Part(members, np.stack([flat[member][number] for member in members]))
            for members in by_size.values()
        ]


def _one_step(
    stack: Stack, optimizer: RowOptimizer, X: torch.Tensor, y: torch.Tensor, part: _Part
) -> torch.Tensor:
    index = torch.from_numpy(part.index).to(X.device)
    is_all = len(part.members) == stack.size
    rows = None if is_all else torch.tensor(part.members, device=X.device)
    losses = stack.differentiate(X[index], y[index], rows)
    optimizer.step(rows)
    return losses.to(torch.float32)


def write_history(
    nets: Sequence[Any], batches: Sequence[Batches], losses: np.ndarray, seconds: float
) -> None:
    """Write the history that callbacks of skorch would have written, epoch by epoch.

    Parameters
    ----------
    nets, batches
        As `train_together` took them.
    losses : ndarray of shape (n_batches, n_nets)
        What it returned.
    seconds : float
        How long it took.
    """
    for member, (net, epochs) in enumerate(zip(nets, batches, strict=True)):
        first, history = 0, net.history_
        best = min((row["train_loss"] for row in history), default=math.inf)
        for epoch in epochs:
            sizes = np.array([len(batch) for batch in epoch])
            of_epoch = losses[first : first + len(sizes), member]
            mean = float(of_epoch @ sizes / sizes.sum())
            history.append(
                {
                    "batches": [],
                    "epoch": len(history) + 1,
                    "train_batch_count": len(sizes),
                    "train_loss": mean,
                    "train_loss_best": mean < best,
                    "dur": seconds / (len(nets) * len(epochs)),
                }
            )
            first, best = first + len(sizes), min(best, mean)
