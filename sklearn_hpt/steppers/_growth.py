"""Steps of what grows: trees of scikit-learn's forests and boosting."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import Any

from sklearn_hpt._pipelines import is_repeatable
from sklearn_hpt._sklearn_compat import stops_early
from sklearn_hpt.steppers._base import Stepper

RESOURCES = {
    "RandomForestClassifier": "n_estimators",
    "RandomForestRegressor": "n_estimators",
    "ExtraTreesClassifier": "n_estimators",
    "ExtraTreesRegressor": "n_estimators",
    "BaggingClassifier": "n_estimators",
    "BaggingRegressor": "n_estimators",
    "GradientBoostingClassifier": "n_estimators",
    "GradientBoostingRegressor": "n_estimators",
    "HistGradientBoostingClassifier": "max_iter",
    "HistGradientBoostingRegressor": "max_iter",
}
_OF_TREES = {
    "max_depth",
    "max_features",
    "max_leaf_nodes",
    "min_impurity_decrease",
    "min_samples_leaf",
    "min_samples_split",
    "min_weight_fraction_leaf",
}
_FOREST = _OF_TREES | {"criterion", "ccp_alpha", "max_samples"}
_BOOSTING = _OF_TREES | {"subsample"}
_HIST = {
    "l2_regularization",
    "learning_rate",
    "max_depth",
    "max_features",
    "max_leaf_nodes",
    "min_samples_leaf",
}
_MUTABLE = {
    "RandomForest": _FOREST,
    "ExtraTrees": _FOREST,
    "GradientBoosting": _BOOSTING,  # its predictions multiply all trees by the learning rate
    "HistGradientBoosting": _HIST,
}


class GrowthStepper(Stepper):
    """Trains by `fit` with `warm_start`: a tree of an ensemble is a unit."""

    def resource(self, model: Any) -> str:
        return RESOURCES[type(model).__name__]

    def mutable_names(self, model: Any) -> frozenset[str]:
        kind = type(model).__name__.removesuffix("Classifier").removesuffix("Regressor")
        return frozenset(_MUTABLE.get(kind, ()))

    def can_train_on(self, model: Any, fit_params: Mapping[str, Any]) -> bool:
        if not fit_params.keys() <= {"sample_weight"}:
            return False
        params = model.get_params(deep=False)
        if "Hist" in type(model).__name__:  # keeps its generators between fits
            return model.random_state is None or is_seeded(model)
        # Bagging refuses oob_score with warm_start; forests warn of class weights given by a word.
        if type(model).__name__.startswith("Bagging"):
            return is_seeded(model) and not params["oob_score"]
        if type(model).__name__.startswith("Gradient"):
            # it forgets between fits how long its validation score has not improved
            forgets = params["n_iter_no_change"] is not None
            return is_seeded(model) and not forgets and is_repeatable(params["init"])
        return is_seeded(model) and not isinstance(params.get("class_weight"), str)

    def step(self, model: Any, X: Any, y: Any, begin: int, end: int, **fit_params: Any) -> None:
        before = model.warm_start
        model.set_params(warm_start=begin > 0)
        try:
            model.fit(X, y, **fit_params)
        finally:
            model.set_params(warm_start=before)

    def has_stopped(self, model: Any, amount: int) -> bool:
        reached = getattr(model, "n_iter_", amount)
        return reached < amount or _has_given_up(model)


def _has_given_up(model: Any) -> bool:
    """Tell whether boosting of histograms has ended by its validation score, with its last tree."""
    if not getattr(model, "do_early_stopping_", False):
        return False
    of_validation = list(model.validation_score_)
    return stops_early(model, of_validation or list(model.train_score_))


def is_seeded(model: Any) -> bool:
    """Tell whether each step of a model draws what it would have drawn."""
    return isinstance(model.random_state, numbers.Integral)
