"""Optimizers of many nets at once, with hyperparameters of its own for each.

`torch.optim` takes one learning rate for all elements of a tensor, so the updates are written
again for rows: those of SGD, Adam, AdamW and RMSprop, as the documentation of torch states them.
Any other optimizer gets a parameter group for each row, which is exact if it treats each element
by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from sklearn_hpt.nets._stack import CannotStack, Stack

_ORDINARY = {"maximize": False, "differentiable": False, "amsgrad": False}
Columns = Mapping[str, torch.Tensor]


class RowOptimizer:
    """Updates the rows of a stack as the optimizers of its nets would.

    Parameters
    ----------
    stack : Stack
        What is trained.
    optimizers : sequence of torch.optim.Optimizer
        Those of the nets, with what they keep of the steps so far.

    Attributes
    ----------
    kept : dict of str to Tensor of shape (n_rows, n_weights)
        What the optimizers keep of earlier steps for each weight.
    n_steps : Tensor of shape (n_rows, 1)
        How many steps that rests on.
    scalars : dict of str to Tensor of shape (n_rows,)
        What they keep beside that, one number for each net.

    Raises
    ------
    CannotStack
        If they are of several classes, have several groups, or keep what is not of each weight.
    """

    def __init__(self, stack: Stack, optimizers: Sequence[torch.optim.Optimizer]) -> None:
        self.stack = stack
        if len({type(optimizer) for optimizer in optimizers}) > 1:
            raise CannotStack("their optimizers are of several classes")
        groups = [_only_group(optimizer, stack) for optimizer in optimizers]
        states = [_state(one, group) for one, group in zip(optimizers, groups, strict=True)]
        self.n_steps = torch.tensor(
            [_n_steps(state) for state in states],
            dtype=torch.float64,
            device=stack.weights.device,
        )[:, None]
        self.kept = _kept(stack, states)
        self.scalars = _scalars(states)
        update = _update_of(type(optimizers[0]), groups)
        self._update: _ByRows | _ByGroups = (
            _ByGroups(self, type(optimizers[0]), groups)
            if update is None
            else _ByRows(self, update, groups)
        )

    def step(self, rows: torch.Tensor | None) -> None:
        """Update the rows, None for all, by the gradients of the stack."""
        with torch.no_grad():
            self._update(rows)

    def set_rate(self, lr: float) -> None:
        """Give all rows the same learning rate from the next step on."""
        self._update.set_rate(lr)

    def write_back(self, optimizers: Sequence[torch.optim.Optimizer]) -> None:
        """Give the optimizers of the nets what they would have kept."""
        for row, optimizer in enumerate(optimizers):
            if not self.n_steps[row]:
                continue
            vars(optimizer)["_opt_called"] = True  # what torch's schedulers look for
            params = optimizer.param_groups[0]["params"]
            for param, where in zip(params, self.stack.slices, strict=True):
                state = optimizer.state[param]
                for name, values in self.kept.items():
                    state[name] = values[row, where].view_as(param).clone()
                for name, numbers in self.scalars.items():
                    state[name] = numbers[row].clone()
                if self._update.counts_steps:
                    state["step"] = torch.tensor(float(self.n_steps[row]))


class _ByRows:
    """An update that is written for rows."""

    def __init__(
        self, optimizer: RowOptimizer, update: _Update, groups: Sequence[Mapping[str, Any]]
    ) -> None:
        self._of, self._update = optimizer, update
        self.counts_steps = update not in (_sgd, _sgd_with_momentum, _sgd_mixed)
        weights = optimizer.stack.weights
        self._columns = {
            name: torch.tensor(values, dtype=torch.float64, device=weights.device)[:, None]
            for name, values in _numbers(groups).items()
        }
        for name in _KEEPS[update](self._columns):
            optimizer.kept.setdefault(name, torch.zeros_like(weights))

    def set_rate(self, lr: float) -> None:
        self._columns["lr"].fill_(lr)

    def __call__(self, rows: torch.Tensor | None) -> None:
        one, stack = self._of, self._of.stack
        if rows is None:
            one.n_steps += 1
            self._update(stack.weights, stack.gradients, one.kept, one.n_steps, self._columns)
            return
        n_steps = one.n_steps[rows] + 1
        weights, kept = stack.weights[rows], {n: v[rows] for n, v in one.kept.items()}
        columns = {name: column[rows] for name, column in self._columns.items()}
        self._update(weights, stack.gradients[rows], kept, n_steps, columns)
        stack.weights[rows], one.n_steps[rows] = weights, n_steps
        for name, values in kept.items():
            one.kept[name][rows] = values


class _ByGroups:
    """Any optimizer, with a parameter group for each row."""

    def __init__(
        self,
        optimizer: RowOptimizer,
        cls: type[torch.optim.Optimizer],
        groups: Sequence[Mapping[str, Any]],
    ) -> None:
        self._of = optimizer
        stack = optimizer.stack
        self._params = [row.detach() for row in stack.weights]
        own = [{n: v for n, v in group.items() if n != "params"} for group in groups]
        self._optimizer = cls(
            [{**one, "params": [p]} for one, p in zip(own, self._params, strict=True)]
        )
        for row, param in enumerate(self._params):
            if optimizer.n_steps[row]:
                state = self._optimizer.state[param]
                state.update({name: values[row] for name, values in optimizer.kept.items()})
                state.update({name: of[row].clone() for name, of in optimizer.scalars.items()})
                state["step"] = torch.tensor(float(optimizer.n_steps[row]))

    def set_rate(self, lr: float) -> None:
        for group in self._optimizer.param_groups:
            group["lr"] = lr

    @property
    def counts_steps(self) -> bool:
        return any("step" in state for state in self._optimizer.state.values())

    def __call__(self, rows: torch.Tensor | None) -> None:
        one, stack = self._of, self._of.stack
        chosen = range(stack.size) if rows is None else rows.tolist()
        for param in self._params:
            param.grad = None  # which the optimizer leaves out
        for row in chosen:
            self._params[row].grad = stack.gradients[row]
        self._optimizer.step()
        for row in chosen:
            one.n_steps[row] += 1
            for name, value in self._optimizer.state[self._params[row]].items():
                _check_kept(name, value, self._params[row].shape)
                if value.ndim:
                    one.kept.setdefault(name, torch.zeros_like(stack.weights))[row] = value
                elif name != "step":
                    one.scalars.setdefault(name, value.new_zeros(stack.size))[row] = value


def _only_group(optimizer: torch.optim.Optimizer, stack: Stack) -> Mapping[str, Any]:
    groups = optimizer.param_groups
    if len(groups) != 1 or [p.shape for p in groups[0]["params"]] != stack.shapes:
        raise CannotStack("the optimizer has several groups, or not the weights of the module")
    return groups[0]


def _state(optimizer: torch.optim.Optimizer, group: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what an optimizer keeps of each of its weights."""
    states = [optimizer.state.get(param, {}) for param in group["params"]]
    if len({frozenset(state) for state in states}) > 1:
        raise CannotStack("the optimizer keeps other things of some weights than of others")
    for state, param in zip(states, group["params"], strict=True):
        for name, value in state.items():
            if value is not None:
                _check_kept(name, value, param.shape)
    return states


def _check_kept(name: str, value: Any, shape: torch.Size) -> None:
    if not torch.is_tensor(value) or (value.ndim and value.shape != shape):
        raise CannotStack(
            f"the optimizer keeps {name!r}, which is neither one number nor one for each weight"
        )


def _n_steps(states: Sequence[Mapping[str, Any]]) -> float:
    first = states[0]
    if "step" in first:
        return float(first["step"])
    return float(any(value is not None for value in first.values()))


def _kept(stack: Stack, states: Sequence[Sequence[Mapping[str, Any]]]) -> dict[str, torch.Tensor]:
    kept: dict[str, torch.Tensor] = {}
    for row, of_row in enumerate(states):
        for state, where in zip(of_row, stack.slices, strict=True):
            for name, value in state.items():
                if value is not None and value.ndim:
                    values = kept.setdefault(name, torch.zeros_like(stack.weights))
                    values[row, where] = value.reshape(-1)
    return kept


def _scalars(states: Sequence[Sequence[Mapping[str, Any]]]) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = {}
    for row, of_row in enumerate(states):
        for name, value in of_row[0].items():
            if value is not None and not value.ndim and name != "step":
                found.setdefault(name, value.new_zeros(len(states)))[row] = value
    return found


def _numbers(groups: Sequence[Mapping[str, Any]]) -> dict[str, list[float]]:
    """Return the numbers of the groups by name, one for each row; of a pair, each by itself."""
    found = {}
    for name, value in groups[0].items():
        if isinstance(value, tuple):
            for i in range(len(value)):
                found[f"{name}_{i}"] = [float(group[name][i]) for group in groups]
        elif isinstance(value, int | float):
            found[name] = [float(group[name]) for group in groups]
    return found


# updates of rows: tensors of shape (n_rows, n_weights); columns, in double precision, (n_rows, 1)


def _sgd(
    w: torch.Tensor, g: torch.Tensor, kept: dict[str, torch.Tensor], t: torch.Tensor, h: Columns
) -> None:
    """Update rows none of which has momentum."""
    t.sub_(1)  # the step leaves nothing
    _sgd_move(w, torch.addcmul(g, w, h["weight_decay"].to(w.dtype)), h)


def _sgd_with_momentum(
    w: torch.Tensor, g: torch.Tensor, kept: dict[str, torch.Tensor], t: torch.Tensor, h: Columns
) -> None:
    """Update rows all of which have momentum."""
    g = torch.addcmul(g, w, h["weight_decay"].to(w.dtype))
    is_first = t <= 1  # then the buffer is the gradient itself
    fresh = torch.where(is_first, 1.0, 1 - h["dampening"]).to(w.dtype)
    momentum = h["momentum"].to(w.dtype)
    buffer = kept["momentum_buffer"].mul_(torch.where(is_first, 0.0, momentum)).addcmul_(g, fresh)
    _sgd_move(w, buffer, h)


def _sgd_mixed(
    w: torch.Tensor, g: torch.Tensor, kept: dict[str, torch.Tensor], t: torch.Tensor, h: Columns
) -> None:
    """Update rows of any kind; where there is no momentum, a buffer stays as it is."""
    momentum, nesterov = h["momentum"].to(w.dtype), h["nesterov"] > 0
    g = torch.addcmul(g, w, h["weight_decay"].to(w.dtype))
    buffer, has_momentum = kept["momentum_buffer"], momentum != 0
    moved = torch.where(t > 1, buffer * momentum + g * (1 - h["dampening"]).to(w.dtype), g)
    buffer.copy_(torch.where(has_momentum, moved, buffer))
    moved = torch.where(nesterov, g + moved * momentum, moved)
    t.sub_((~has_momentum).to(t.dtype))
    _sgd_move(w, torch.where(has_momentum, moved, g), h)


def _sgd_move(w: torch.Tensor, g: torch.Tensor, h: Columns) -> None:
    w.addcmul_(g, -h["lr"].to(w.dtype))


def _adam(
    w: torch.Tensor, g: torch.Tensor, kept: dict[str, torch.Tensor], t: torch.Tensor, h: Columns
) -> None:
    _adam_step(w, torch.addcmul(g, w, h["weight_decay"].to(w.dtype)), kept, t, h)


def _adamw(
    w: torch.Tensor, g: torch.Tensor, kept: dict[str, torch.Tensor], t: torch.Tensor, h: Columns
) -> None:
    w.mul_((1 - h["lr"] * h["weight_decay"]).to(w.dtype))
    _adam_step(w, g, kept, t, h)


def _adam_step(
    w: torch.Tensor, g: torch.Tensor, kept: dict[str, torch.Tensor], t: torch.Tensor, h: Columns
) -> None:
    beta1, beta2 = h["betas_0"], h["betas_1"]
    mean, square = kept["exp_avg"], kept["exp_avg_sq"]
    mean.lerp_(g, (1 - beta1).to(w.dtype))
    square.mul_(beta2.to(w.dtype)).add_((g * g).mul_((1 - beta2).to(w.dtype)))
    unbiased = (1 - beta2**t).rsqrt().to(w.dtype)
    root = square.sqrt().mul_(unbiased).add_(h["eps"].to(w.dtype))
    w.sub_(mean.div(root).mul_((h["lr"] / (1 - beta1**t)).to(w.dtype)))


def _rmsprop(
    w: torch.Tensor, g: torch.Tensor, kept: dict[str, torch.Tensor], t: torch.Tensor, h: Columns
) -> None:
    lr, decay, alpha, rest, eps, momentum = (
        column.to(w.dtype)
        for column in (
            h["lr"],
            h["weight_decay"],
            h["alpha"],
            1 - h["alpha"],
            h["eps"],
            h["momentum"],
        )
    )
    g = torch.addcmul(g, w, decay)
    spread = kept["square_avg"].mul_(alpha).add_((g * g).mul_(rest))
    if "grad_avg" in kept:
        is_centered = h["centered"] > 0
        mean = kept["grad_avg"].lerp_(g, rest.where(is_centered, torch.zeros_like(rest)))
        spread = torch.where(is_centered, spread - mean * mean, spread)
    g = g / spread.sqrt().add_(eps)
    if "momentum_buffer" in kept:
        buffer = kept["momentum_buffer"]
        buffer.copy_(torch.where(momentum > 0, buffer * momentum + g, buffer))
        g = torch.where(momentum > 0, buffer, g)
    w.addcmul_(g, lr, value=-1)


_Update = Callable[
    [torch.Tensor, torch.Tensor, dict[str, torch.Tensor], torch.Tensor, Columns], None
]
_KEEPS: dict[_Update, Callable[[Columns], list[str]]] = {
    _sgd: lambda h: [],
    _sgd_with_momentum: lambda h: ["momentum_buffer"],
    _sgd_mixed: lambda h: ["momentum_buffer"],
    _adam: lambda h: ["exp_avg", "exp_avg_sq"],
    _adamw: lambda h: ["exp_avg", "exp_avg_sq"],
    _rmsprop: lambda h: [
        "square_avg",
        *(["grad_avg"] if h["centered"].any() else []),
        *(["momentum_buffer"] if h["momentum"].any() else []),
    ],
}


def _update_of(cls: type, groups: Sequence[Mapping[str, Any]]) -> _Update | None:
    """Return the update of a class that is written for rows, None if there is none."""
    for group in groups:
        if any(group.get(name, usual) != usual for name, usual in _ORDINARY.items()):
            return None
        if cls is torch.optim.Adam and group.get("decoupled_weight_decay", False):
            return None
    if cls is torch.optim.SGD:
        return _sgd_of(groups)
    updates: dict[type, _Update] = {
        torch.optim.Adam: _adam,
        torch.optim.AdamW: _adamw,
        torch.optim.RMSprop: _rmsprop,
    }
    return updates.get(cls)


def _sgd_of(groups: Sequence[Mapping[str, Any]]) -> _Update:
    with_momentum = [group["momentum"] != 0 for group in groups]
    if not any(with_momentum):
        return _sgd
    is_mixed = not all(with_momentum) or any(group["nesterov"] for group in groups)
    return _sgd_mixed if is_mixed else _sgd_with_momentum
