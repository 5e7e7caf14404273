"""What is special about PyTorch nets wrapped by skorch.

Nothing here imports torch or skorch: an estimator can only hold a net if the user has
imported skorch, which is then found in `sys.modules`.
"""

from sklearn_hpt.nets._devices import cuda_devices, runs_on_cuda
from sklearn_hpt.nets._loading import lean_loading
from sklearn_hpt.nets._skorch import (
    cast_inputs,
    cast_targets,
    check_converged,
    contains_net,
    explain,
    reduced,
    reproducible,
    warn_about_train_split,
)

__all__ = [
    "cast_inputs",
    "cast_targets",
    "check_converged",
    "contains_net",
    "cuda_devices",
    "explain",
    "lean_loading",
    "reduced",
    "reproducible",
    "runs_on_cuda",
    "warn_about_train_split",
]
