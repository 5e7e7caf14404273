"""Imports go one way, stay light, and the documented defaults are the real ones."""

import ast
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import sklearn_hpt
from sklearn_hpt import (
    diagnostics,
    displays,
    ensemble,
    nets,
    racing,
    samplers,
    schedule,
    space,
    steppers,
    tracking,
)

ROOT = Path(sklearn_hpt.__file__).parent
GROUPS = [  # a later group may import an earlier one, never the reverse
    {"exceptions", "_sklearn_compat", "_warn", "_words", "space", "_trial", "racing"},
    {"_surrogate", "_acquisition"},
    {"_space_formats", "_pipelines"},
    {"samplers"},
    {"nets"},
    {"default_spaces"},
    {"_subsampling", "steppers"},
    {"_mutation"},
    {"_training"},
    {"_resources"},
    {"_accuracy"},
    {"_sharing", "_parameter_keys"},
    {"_prefix_cache"},
    {"_evaluation"},
    {"_stacked_evaluation"},
    {"_executors"},
    {"_results", "_selection"},
    {"_members"},
    {"_journal"},
    {"schedule", "ensemble", "_optimism", "_summary"},
    {"search"},
    {"_axes"},
    {"diagnostics", "displays", "tracking"},
    {"report"},
    {"__init__"},
    {"__main__"},
]
RANK = {name: rank for rank, group in enumerate(GROUPS) for name in group}
MODULES = sorted(path.relative_to(ROOT) for path in ROOT.rglob("*.py"))
HEAVY = ("torch skorch matplotlib pandas polars optuna skopt rich mlflow tensorboard wandb").split()
PUBLIC_CLASSES = sorted(
    {
        value
        for module in (
            sklearn_hpt,
            space,
            samplers,
            racing,
            schedule,
            steppers,
            ensemble,
            diagnostics,
            displays,
            nets,
            tracking,
        )
        for name in module.__all__
        if inspect.isclass(value := getattr(module, name))
    },
    key=lambda cls: cls.__name__,
)


def imported_names(module):
    """Return the dotted names that a module imports, wherever in it."""
    for node in ast.walk(ast.parse((ROOT / module).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module} has a relative import, which this test cannot follow"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def group_of(dotted_name):
    """Return the file or folder of the package that a dotted name is in."""
    parts = dotted_name.split(".")
    is_module = len(parts) > 1 and list(ROOT.glob(f"{parts[1]}*"))
    return parts[1] if is_module else "__init__"


def test_every_module_has_a_place_in_the_order():
    assert {module.parts[0].removesuffix(".py") for module in MODULES} == RANK.keys()


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_imports_go_one_way(module):
    group = module.parts[0].removesuffix(".py")
    imported = {group_of(n) for n in imported_names(module) if n.split(".")[0] == "sklearn_hpt"}
    assert not {other for other in imported if RANK.get(other, 0) > RANK.get(group, len(GROUPS))}


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_torch_and_skorch_are_imported_in_nets_only(module):
    imported = {name.split(".")[0] for name in imported_names(module)}
    assert module.parts[0] == "nets" or not imported & {"torch", "skorch"}


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_private_parts_of_scikit_learn_are_imported_in_one_module(module):
    private = [n for n in imported_names(module) if n.startswith("sklearn.") and "._" in n]
    assert module.name == "_sklearn_compat.py" or not private


def run_python(code):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT.parent), *sys.path])}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_import_loads_nothing_heavy():
    # scikit-learn itself loads pandas and rich where they are installed
    loaded = "import sklearn.model_selection; before = {*sys.modules}; import sklearn_hpt.tracking"
    found = run_python(
        f"import sys; {loaded}; print(*({set(HEAVY)} & sys.modules.keys() - before))"
    )
    assert found.split() == []


def test_import_needs_no_optional_package():
    run_python(
        f"""
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {HEAVY}:
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, Absent())
import sklearn_hpt
"""
    )


def documented_defaults(cls):
    """Return the text after `default=` of each documented parameter, None where there is none."""
    section = re.search(
        r"^Parameters\n-+\n(.*?)(?=^[A-Z][\w ]+\n-+\n|\Z)", inspect.getdoc(cls), re.M | re.S
    )
    documented = {}
    for line in re.findall(r"^\w.*? : .*$", section[1] if section else "", re.M):
        names, described = line.split(" : ", 1)
        default = re.search(r"default=(.+)$", described)
        documented |= dict.fromkeys(names.split(", "), default and default[1])
    return documented


@pytest.mark.parametrize("cls", PUBLIC_CLASSES, ids=lambda cls: cls.__name__)
def test_documented_defaults_are_those_of_the_signature(cls):
    if cls.__init__ is object.__init__ or getattr(cls, "_is_protocol", False):
        pytest.skip("has no parameters")
    parameters = inspect.signature(cls).parameters
    documented = documented_defaults(cls)
    assert list(documented) == list(parameters)
    for name, parameter in parameters.items():
        if parameter.default is inspect.Parameter.empty:
            assert documented[name] is None, name
        else:
            default = eval(documented[name], {"np": np})
            np.testing.assert_equal(default, parameter.default, err_msg=name)
