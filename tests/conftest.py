"""Tests run without the colour of the machine: one thread for BLAS, no user caches."""

import importlib.util
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # `estimators` of this folder, also in workers


@pytest.fixture(scope="session")
def ray_domains():
    """Ray Tune's domains, from their file: its package needs more than ray to be imported."""
    ray = importlib.util.find_spec("ray")
    if ray is None:
        pytest.skip("ray is not installed")
    path = Path(ray.submodule_search_locations[0], "tune", "search", "sample.py")
    spec = importlib.util.spec_from_file_location("ray_domains", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
