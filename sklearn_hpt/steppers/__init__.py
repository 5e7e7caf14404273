"""How estimators are trained in steps and changed in between."""

from sklearn_hpt.steppers._base import Stepper

__all__ = ["Stepper"]
