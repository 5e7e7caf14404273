"""What is special about PyTorch nets wrapped by skorch, and `LRFinder` for their learning rate.

Nothing here imports torch or skorch: an estimator can only hold a net if the user has
imported skorch, which is then found in `sys.modules`.
"""

from sklearn_hpt.nets._devices import cuda_devices, runs_on_cuda
from sklearn_hpt.nets._loading import lean_loading
from sklearn_hpt.nets._lr_range import LRFinder, LRRange, lr_range_test
from sklearn_hpt.nets._skorch import (
    cast_inputs,
    cast_targets,
    check_converged,
    contains_net,
    explain,
    find_nets,
    reduced,
    reproducible,
    warn_about_train_split,
)

__all__ = [
    "LRFinder",
    "LRRange",
    "cast_inputs",
    "cast_targets",
    "check_converged",
    "contains_net",
    "cuda_devices",
    "explain",
    "find_nets",
    "lean_loading",
    "lr_range_test",
    "reduced",
    "reproducible",
    "runs_on_cuda",
    "warn_about_train_split",
]
