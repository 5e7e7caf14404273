"""Choose the stepper of an estimator by its class."""

from __future__ import annotations

from typing import Any

from sklearn.pipeline import Pipeline

from sklearn_hpt.nets._skorch import find_nets
from sklearn_hpt.steppers import _growth, _passes
from sklearn_hpt.steppers._base import Stepper
from sklearn_hpt.steppers._growth import GrowthStepper
from sklearn_hpt.steppers._net import NetStepper
from sklearn_hpt.steppers._passes import PassesStepper

_GROWTH, _NET, _PASSES = GrowthStepper(), NetStepper(), PassesStepper()
_UNITS: dict[Stepper | None, str] = {_GROWTH: "trees", _NET: "epochs", _PASSES: "passes"}


def stepper_of(model: Any) -> Stepper | None:
    """Return what trains a model in steps, None if nothing does.

    Classes of scikit-learn are known by their names; one that is derived from them may do
    otherwise and is not.
    """
    if any(net is model for net in find_nets(model)):
        return _NET
    cls = type(model)
    name = cls.__name__ if cls.__module__.startswith("sklearn.") else ""
    if name in _growth.RESOURCES:
        return _GROWTH
    return _PASSES if name in _passes.MUTABLE else None


def trained_part(estimator: Any) -> tuple[Any, str]:
    """Return what is trained in steps, and the prefix of its parameters' names.

    In a Pipeline it is the last step.
    """
    if isinstance(estimator, Pipeline):
        name, model = estimator.steps[-1]
        return model, f"{name}__"
    return estimator, ""


def unit_of(estimator: Any) -> str | None:
    """Return what the training of an estimator is counted in, None if nothing here trains it."""
    return _UNITS.get(stepper_of(trained_part(estimator)[0]))
