"""Which CUDA devices a search may spread its workers over."""

from __future__ import annotations

import os
import sys
from typing import Any

from sklearn_hpt.nets._skorch import find_nets


def runs_on_cuda(estimator: Any) -> bool:
    """Tell whether a net of the estimator asks for "cuda" without naming a device."""
    return any(str(net.device) == "cuda" for net in find_nets(estimator))


def cuda_devices() -> list[str]:
    """Return the devices of this process, as values for CUDA_VISIBLE_DEVICES."""
    torch = sys.modules.get("torch")
    n_devices = torch.cuda.device_count() if torch is not None else 0
    visible = [
        d.strip() for d in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if d.strip()
    ]
    return visible[:n_devices] if visible else [str(i) for i in range(n_devices)]
