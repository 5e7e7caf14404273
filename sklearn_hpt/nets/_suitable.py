"""How many nets of an architecture are worth training together, by device and size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from sklearn.base import clone

from sklearn_hpt.nets._eligible import loader_settings
from sklearn_hpt.nets._epochs import is_watched

# On a CPU stacking saves what each step costs beside its arithmetic; with many weights it costs
# more in memory than it saves (docs/benchmarks.md, population.py).
_MOST_WEIGHTS_ON_CPU = 60_000
_CPU_BYTES = 2**25  # of weights, gradients and moments that are gone through in each step
_COPIES = 6  # of each weight: gradients, two moments, what an update makes
_SHARE_OF_GPU = 0.25
# On a CPU, for each size of batches: fewer cost more together than alone. What comes between the
# epochs of nets that are validated or have callbacks takes as long together.
_FEWEST, _FEWEST_WATCHED = 4, 6


def most_together(net: Any, is_forced: bool) -> int:
    """Return how many nets are trained together, 0 if each is better trained alone.

    Parameters
    ----------
    net : NeuralNet
        With all its parameters set; it is not changed.
    is_forced : bool
        Whether they are trained together in any case.
    """
    net = clone(net).initialize()
    weight = next(net.module_.parameters())
    n_weights = sum(p.numel() for p in net.module_.parameters())
    per_net = max(n_weights, 1) * weight.element_size() * _COPIES
    if weight.is_cuda:
        free, _ = torch.cuda.mem_get_info(weight.device)
        return max(1, int(_SHARE_OF_GPU * free / per_net))
    has_convolution = any(
        isinstance(part, torch.nn.modules.conv._ConvNd) for part in net.module_.modules()
    )
    if (n_weights > _MOST_WEIGHTS_ON_CPU or has_convolution) and not is_forced:
        return 0
    return max(8, int(_CPU_BYTES / per_net))


def are_enough(nets: Sequence[Any]) -> bool:
    """Tell whether nets of an architecture are enough to be trained together, on their device.

    Parameters
    ----------
    nets : sequence of NeuralNet
        Initialised or not.
    """
    if str(nets[0].device).startswith("cuda"):
        return True
    n_sizes = len({loader_settings(net)["batch_size"] for net in nets})
    return len(nets) >= n_sizes * (_FEWEST_WATCHED if is_watched(nets[0]) else _FEWEST)
