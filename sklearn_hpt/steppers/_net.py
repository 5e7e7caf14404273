"""Steps of a skorch net: epochs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sklearn import get_config

from sklearn_hpt.nets._callbacks import (
    callbacks_of,
    end_training,
    fitted_callbacks,
    is_a,
    kept_callbacks,
)
from sklearn_hpt.nets._loading import lean_loading
from sklearn_hpt.nets._mutation import change_net, mutable_in_net
from sklearn_hpt.nets._skorch import splits_the_same_again
from sklearn_hpt.steppers._base import Stepper


class NetStepper(Stepper):
    """Trains skorch nets: an epoch is a unit."""

    def resource(self, model: Any) -> str:
        return "max_epochs"

    def mutable_names(self, model: Any) -> frozenset[str]:
        return mutable_in_net(model)

    def set_mutable(self, model: Any, params: Mapping[str, Any]) -> None:
        for name, value in params.items():
            change_net(model, name, value)

    def check(self, model: Any, names: Collection[str]) -> None:
        """Raise if a rate is tuned that a callback sets as well."""
        rates = sorted({"lr", "optimizer__lr"} & set(names))
        if rates and any(is_a(callback, "LRScheduler") for callback in callbacks_of(model)):
            raise ValueError(
                f"{rates[0]} is searched, and would change during training, but so does the "
                "callback LRScheduler change it. Take the callback out of the net, or "
                f"{rates[0]} out of the search space."
            )

    def can_train_on(self, model: Any, fit_params: Mapping[str, Any]) -> bool:
        """Tell whether a net trains as skorch's nets do, and holds all that it needs to go on.

        A callback that reads weights from a file is left out: the file may be of another net by
        then, or on another machine.
        """
        own_methods = [getattr(type(model), name) for name in ("fit", "partial_fit", "fit_loop")]
        return (
            all(method.__module__.startswith("skorch.") for method in own_methods)
            and not (fit_params and get_config()["enable_metadata_routing"])
            and splits_the_same_again(model.train_split)
            and not any(map(_reads_a_file, callbacks_of(model)))
        )

    def init(self, model: Any, X: Any, y: Any, **fit_params: Any) -> None:
        model.initialize()

    def step(self, model: Any, X: Any, y: Any, begin: int, end: int, **fit_params: Any) -> None:
        """Do what skorch's `partial_fit` does, except that callbacks go on where they were."""
        with kept_callbacks(model, begin):
            model.notify("on_train_begin", X=X, y=y)
        try:
            with lean_loading(model):
                model.fit_loop(X, y, epochs=end - begin, **fit_params)
        except KeyboardInterrupt:  # how callbacks of skorch end the training
            pass
        end_training(model, X, y)

    def has_stopped(self, model: Any, amount: int) -> bool:
        stopping = fitted_callbacks(model, "EarlyStopping")
        gave_up = any(callback.misses_ >= callback.patience for callback in stopping)
        return gave_up or len(model.history_) < amount


def _reads_a_file(callback: Any) -> bool:
    return is_a(callback, "LoadInitState") or (
        is_a(callback, "Checkpoint") and getattr(callback, "load_best", False)
    )
