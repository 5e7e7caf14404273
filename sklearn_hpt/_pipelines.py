"""What is known of the steps of a Pipeline."""

from __future__ import annotations

from typing import Any

from sklearn.utils import get_tags


def is_repeatable(estimator: Any) -> bool:
    """Tell whether fitting an estimator twice on the same data gives the same twice.

    Not so if it, or one within it, takes its randomness from elsewhere (`random_state` is no
    int) or says of itself that it is not deterministic.
    """
    if estimator is None or isinstance(estimator, str):  # "passthrough"
        return True
    if not hasattr(estimator, "get_params"):
        return False
    params = estimator.get_params(deep=True)
    seeds = [v for name, v in params.items() if name.rpartition("__")[2] == "random_state"]
    if not all(isinstance(seed, int) for seed in seeds):
        return False
    parts = [estimator, *(v for v in params.values() if hasattr(v, "__sklearn_tags__"))]
    return not any(get_tags(part).non_deterministic for part in parts if not isinstance(part, type))
