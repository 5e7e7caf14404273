"""Many modules of one architecture as one: a row of weights for each, one forward pass for all."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from itertools import chain
from typing import Any

import torch
from torch.func import functional_call, vmap

_PLAIN = (bool, int, float, complex, str, tuple, list, type(None))


class CannotStack(Exception):
    """These nets cannot be trained as one program; the message says why."""


class StackedDropout(torch.nn.Module):
    """Dropout whose rate is a tensor, so that each row of a stack has its own."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.register_buffer("rate", torch.tensor(float(rate)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kept = torch.rand_like(x) >= self.rate
        # a rate of 1 keeps nothing; the division is by 1 then
        return x * kept / (1.0 - self.rate + (self.rate >= 1.0).to(x.dtype))


class _Loss(torch.nn.Module):
    """From a batch to its loss, by the net's own methods."""

    def __init__(self, net: Any) -> None:
        super().__init__()
        self.module = net.module_
        self._net = [net]  # in a list, lest torch looks for parameters in it

    def forward(self, X: Any, y: Any) -> torch.Tensor:
        net = self._net[0]
        return net.get_loss(net.infer(X), y, X=X, training=True)


class Stack:
    """The weights of several nets of one architecture, in rows.

    Parameters
    ----------
    nets : sequence of NeuralNet
        Initialised ones; they are not changed before `write_back`.

    Attributes
    ----------
    weights, gradients : Tensor of shape (n_nets, n_weights)
        What is trained, and its gradients after `differentiate`.

    Raises
    ------
    CannotStack
        If their modules differ in more than weights, buffers and rates of dropout.
    """

    def __init__(self, nets: Sequence[Any]) -> None:
        self.size = len(nets)
        net = _working_copy(nets[0])
        self._loss = _Loss(net)
        trained = [(n, p) for n, p in net.module_.named_parameters() if p.requires_grad]
        self.names = [name for name, _ in trained]
        self.shapes = [p.shape for _, p in trained]
        _check_trainable(trained)
        for one in nets[1:]:
            _check_alike(nets[0], one)
        sizes = [p.numel() for _, p in trained]
        ends = torch.tensor(sizes).cumsum(0).tolist()
        self.slices = [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)]
        modules = [one.module_ for one in nets]
        if any(_shapes(module) != _shapes(net.module_) for module in modules):
            raise CannotStack("their modules differ in their weights")
        self.weights = torch.stack([self.row_of(dict(m.named_parameters())) for m in modules])
        self.gradients = torch.zeros_like(self.weights)
        self._leaves = {}
        for name, where, shape in zip(self.names, self.slices, self.shapes, strict=True):
            leaf = self.weights[:, where].view(self.size, *shape).requires_grad_()
            self._leaves[f"module.{name}"] = leaf
        self._rest = {
            f"module.{name}": torch.stack(_values(modules, name)) for name in _rest(net.module_)
        }
        _stack_dropout(net.module_, modules, self._rest)
        self._buffers = [name for name, _ in modules[0].named_buffers()]
        self._loss.train()

    def row_of(self, values: Any) -> torch.Tensor:
        """Return a row with one value for each weight, shape (n_weights,)."""
        return torch.cat([values[name].detach().reshape(-1) for name in self.names])

    def differentiate(
        self, X: torch.Tensor, y: torch.Tensor, rows: torch.Tensor | None
    ) -> torch.Tensor:
        """Return the loss of each of the rows on a batch of its own, and keep its gradients.

        Parameters
        ----------
        X, y : Tensor of shape (n_rows, batch_size, ...)
            Batches.
        rows : Tensor of int, shape (n_rows,), or None
            Which rows; None for all, in order.
        """
        leaves, rest = self._leaves, self._rest
        if rows is not None:
            leaves = {name: leaf[rows] for name, leaf in leaves.items()}
            rest = {name: value[rows] for name, value in rest.items()}
        losses = vmap(self._one_loss, randomness="different")(leaves, rest, X, y)
        if rows is not None:
            for name in self._buffers:  # statistics of normalisation, changed in place
                self._rest[f"module.{name}"][rows] = rest[f"module.{name}"]
        found = torch.autograd.grad(losses.sum(), [*self._leaves.values()], allow_unused=True)
        whole = [
            torch.zeros_like(leaf) if gradient is None else gradient
            for gradient, leaf in zip(found, self._leaves.values(), strict=True)
        ]
        torch.cat([gradient.reshape(self.size, -1) for gradient in whole], 1, out=self.gradients)
        return losses.detach()

    def _one_loss(self, leaves: Any, rest: Any, X: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return functional_call(self._loss, (leaves, rest), (X, y))

    def write_back(self, nets: Sequence[Any]) -> None:
        """Give the nets the weights and buffers of their rows."""
        with torch.no_grad():
            for row, net in enumerate(nets):
                weights = dict(net.module_.named_parameters())
                for name, where in zip(self.names, self.slices, strict=True):
                    weights[name].copy_(self.weights[row, where].view_as(weights[name]))
                for name, buffer in net.module_.named_buffers():
                    buffer.copy_(self._rest[f"module.{name}"][row])


def _working_copy(net: Any) -> Any:
    """Return a net whose module may be changed, and which shares all else."""
    copy: Any = object.__new__(type(net))
    vars(copy).update(vars(net))
    vars(copy)["module_"] = deepcopy(net.module_)
    return copy


def _check_alike(one: Any, other: Any) -> None:
    """Raise if two nets differ in more than weights, buffers and rates of dropout.

    What a layer holds beside tensors is what it was made with, such as a slope or a function.
    """
    for part in ("module_", "criterion_"):
        layers = [dict(getattr(net, part).named_modules()) for net in (one, other)]
        if layers[0].keys() != layers[1].keys():
            raise CannotStack("their modules have different layers")
        for name, layer in layers[0].items():
            same = layers[1][name]
            if type(layer) is not type(same) or _made_with(layer) != _made_with(same):
                raise CannotStack(f"their {part[:-1]}s differ in {name or type(layer).__name__}")
    states = [net.criterion_.state_dict() for net in (one, other)]
    if any(not torch.equal(states[0][name], states[1][name]) for name in states[0]):
        raise CannotStack("their criterions differ")


def _made_with(layer: torch.nn.Module) -> dict[str, Any]:
    left_out = {"training", "p"} if type(layer) is torch.nn.Dropout else {"training"}
    return {
        name: value
        for name, value in vars(layer).items()
        if name not in left_out
        and (isinstance(value, _PLAIN) or (callable(value) and not name.startswith("_")))
    }


def _check_trainable(trained: Sequence[tuple[str, torch.nn.Parameter]]) -> None:
    if not trained:
        raise CannotStack("the module has no weights to be trained")
    kinds = {(p.dtype, p.device) for _, p in trained}
    if len(kinds) > 1:
        raise CannotStack("its weights are of several dtypes or on several devices")
    if not trained[0][1].dtype.is_floating_point:
        raise CannotStack(f"its weights are {trained[0][1].dtype}")


def _shapes(module: torch.nn.Module) -> list[tuple[str, torch.Size, bool]]:
    return [(name, p.shape, p.requires_grad) for name, p in module.named_parameters()]


def _rest(module: torch.nn.Module) -> list[str]:
    frozen = [name for name, p in module.named_parameters() if not p.requires_grad]
    return [*frozen, *(name for name, _ in module.named_buffers())]


def _values(modules: Sequence[torch.nn.Module], name: str) -> list[torch.Tensor]:
    try:
        found = [dict(chain(m.named_parameters(), m.named_buffers()))[name] for m in modules]
    except KeyError:
        raise CannotStack(f"not all of their modules have {name}") from None
    if any(value.shape != found[0].shape for value in found):
        raise CannotStack(f"their modules differ in {name}")
    return [value.detach() for value in found]


def _stack_dropout(
    template: torch.nn.Module, modules: Sequence[torch.nn.Module], rest: dict[str, torch.Tensor]
) -> None:
    """Replace the dropout of the template by such with a rate for each row."""
    found = [name for name, part in template.named_modules() if type(part) is torch.nn.Dropout]
    weight = next(template.parameters())
    for name in found:
        parent, _, own_name = name.rpartition(".")
        setattr(template.get_submodule(parent), own_name, StackedDropout(0.0))
        rates = [module.get_submodule(name).p for module in modules]
        rest[f"module.{name}.rate"] = weight.new_tensor(rates)
    for name, part in template.named_modules():
        rate = getattr(part, "p", None)
        if isinstance(part, torch.nn.modules.dropout._DropoutNd) and any(
            module.get_submodule(name).p != rate for module in modules
        ):
            raise CannotStack(f"their rates of {type(part).__name__} differ")
