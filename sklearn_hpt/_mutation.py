"""Change hyperparameters in the middle of training.

What may change is known by the stepper of the estimator. Everything else (sizes of layers, the
class of the optimizer, a seed) belongs to what is trained and goes with it.
"""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np

from sklearn_hpt.steppers import Stepper
from sklearn_hpt.steppers._choice import stepper_of, trained_part


def mutable_names(estimator: Any, stepper: Stepper | None = None) -> frozenset[str]:
    """Return the hyperparameters that may change while an estimator is trained.

    Parameters
    ----------
    estimator : estimator
        With all its parameters set. In a Pipeline they are those of the last step, with its name.
    stepper : Stepper, default=None
        What trains it, if not what its class says.
    """
    model, prefix = trained_part(estimator)
    stepper = stepper or stepper_of(model)
    return frozenset(prefix + name for name in (stepper.mutable_names(model) if stepper else ()))


def change(estimator: Any, params: Mapping[str, Any], stepper: Stepper | None = None) -> None:
    """Give a trained estimator other hyperparameters, to take effect when it is trained on.

    Weights, and what optimizers keep of the steps so far, stay. Of the parameters those that have
    their value already are left alone.

    Parameters
    ----------
    estimator : estimator
        A trained one.
    params : mapping
        Its hyperparameters.
    stepper : Stepper, default=None
        What trains it, if not what its class says.

    Raises
    ------
    ValueError
        If one that changes is not among `mutable_names`. Values that are objects, such as a scaler,
        are taken to be those that are there.
    """
    own = estimator.get_params(deep=True)
    changed = {name: value for name, value in params.items() if not _is_same(own[name], value)}
    if not changed:
        return
    can = mutable_names(estimator, stepper)
    if fixed := sorted(changed.keys() - can):
        raise ValueError(
            f"{', '.join(fixed)} cannot change while {type(estimator).__name__} is trained; what "
            f"can is {', '.join(sorted(can)) or 'nothing'}."
        )
    model, prefix = trained_part(estimator)
    stepper = stepper or stepper_of(model)
    assert stepper is not None
    stepper.set_mutable(
        model, {name.removeprefix(prefix): value for name, value in changed.items()}
    )


def _is_same(one: Any, other: Any) -> bool:
    """Tell whether a value is there already; of two estimators, one is a clone of the other."""
    if isinstance(other, (list, np.ndarray)):
        return type(one) is type(other) and np.array_equal(one, other)
    if not isinstance(other, (numbers.Number, str, tuple, type(None))):
        return True
    return type(one) is type(other) and bool(one == other)
