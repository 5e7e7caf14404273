"""Steps of `partial_fit`: passes over the rows by scikit-learn's MLPs and linear models."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from typing import Any

from sklearn.utils.multiclass import unique_labels

from sklearn_hpt._sklearn_compat import mlp_has_stopped
from sklearn_hpt._trial import derived_seed
from sklearn_hpt.steppers._base import Stepper
from sklearn_hpt.steppers._growth import is_seeded

_SGD = {"alpha", "epsilon", "eta0", "l1_ratio", "penalty", "power_t"}
_MLP = {
    "alpha",
    "batch_size",
    "beta_1",
    "beta_2",
    "epsilon",
    "learning_rate_init",
    "momentum",
}
MUTABLE: dict[str, set[str]] = {
    "SGDClassifier": _SGD,
    "SGDRegressor": _SGD,
    "Perceptron": {"alpha", "eta0", "l1_ratio", "penalty"},
    "PassiveAggressiveClassifier": {"C"},
    "PassiveAggressiveRegressor": {"C", "epsilon"},
    "MLPClassifier": _MLP,
    "MLPRegressor": _MLP,
}


class PassesStepper(Stepper):
    """Trains by `partial_fit`: a pass over the rows is a unit."""

    def resource(self, model: Any) -> str:
        return "max_iter"

    def mutable_names(self, model: Any) -> frozenset[str]:
        # those that another solver or schedule would use are there without effect
        return frozenset(MUTABLE[type(model).__name__] & model.get_params(deep=False).keys())

    def set_mutable(self, model: Any, params: Mapping[str, Any]) -> None:
        for name, value in params.items():
            before = getattr(model, name)
            model.set_params(**{name: value})
            if type(model).__name__.startswith("PassiveAggressive") and name == "C":
                model.eta0 = value  # what the update rule reads
            if hasattr(model, "_no_improvement_count"):
                model._no_improvement_count = 0  # it may go on now
            if hasattr(model, "_optimizer"):
                _change_optimizer(model._optimizer, name, before, value)

    def can_train_on(self, model: Any, fit_params: Mapping[str, Any]) -> bool:
        """Tell whether passes of `partial_fit` train the model that `fit` trains.

        The adaptive rate of SGD is lost with each pass, and starts at `eta0` again.
        """
        params = model.get_params(deep=False)
        return (
            is_seeded(model)
            and hasattr(model, "partial_fit")
            and fit_params.keys() <= {*signature(model.partial_fit).parameters} & {"sample_weight"}
            and not params.get("early_stopping")
            and not isinstance(params.get("class_weight"), str)
            and (
                _is_mlp(model)
                or (params.get("tol") is None and params.get("learning_rate") != "adaptive")
            )
        )

    def step(self, model: Any, X: Any, y: Any, begin: int, end: int, **fit_params: Any) -> None:
        """Call `partial_fit` for each pass, which by itself would shuffle in one order always."""
        if "classes" in signature(model.partial_fit).parameters:
            fit_params = {**fit_params, "classes": unique_labels(y)}
        seed = int(model.random_state)
        for n_passes in range(begin, end):
            if n_passes and self.has_stopped(model, n_passes):
                return
            model.set_params(random_state=derived_seed(seed, n_passes) if n_passes else seed)
            try:
                model.partial_fit(X, y, **fit_params)
            finally:
                model.set_params(random_state=seed)
            model.n_iter_ = n_passes + 1  # that of the call is 1

    def has_stopped(self, model: Any, amount: int) -> bool:
        return _is_mlp(model) and mlp_has_stopped(model)


def _is_mlp(model: Any) -> bool:
    return type(model).__name__.startswith("MLP")


def _change_optimizer(optimizer: Any, name: str, before: Any, value: Any) -> None:
    if name == "learning_rate_init":
        optimizer.learning_rate *= value / before  # which a schedule may have lowered
    if hasattr(optimizer, name):
        setattr(optimizer, name, value)
