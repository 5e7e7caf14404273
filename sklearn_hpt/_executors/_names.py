"""Have joblib know the names "dask" and "ray", and say which extra is missing.

joblib knows "ray" only after `ray.util.joblib.register_ray()`, and says "Invalid backend" before.
"""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from typing import Any

from joblib import register_parallel_backend
from joblib.parallel import BACKENDS

_PACKAGES = {"dask": "distributed", "ray": "ray"}


def register_engines() -> None:
    """Register what joblib does not know; what somebody has registered stays."""
    for name, package in _PACKAGES.items():
        if name in BACKENDS:
            continue
        if find_spec(package) is None:
            register_parallel_backend(name, partial(_is_missing, name, package))
        elif name == "ray":
            register_parallel_backend(name, _ray_backend)


def _is_missing(name: str, package: str, **params: Any) -> Any:
    raise ImportError(
        f"joblib.parallel_config({name!r}) needs {package}, which is not installed: "
        f'pip install "sklearn_hpt[{name}]".'
    )


def _ray_backend(**params: Any) -> Any:
    from ray.util.joblib.ray_backend import RayBackend

    return RayBackend(**params)
