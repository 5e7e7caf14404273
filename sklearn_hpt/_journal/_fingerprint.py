"""What must be the same for one search to continue another, field by field.

Not in it is what only decides how far and where the search runs: `n_iter`, `n_jobs`,
`timeout`, `refit`, `error_score`, `verbose`.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from typing import Any

import numpy as np

from sklearn_hpt._evaluation import EvaluationPlan
from sklearn_hpt._journal._describe import Json, describe, digest, same, text
from sklearn_hpt._sklearn_compat import named_scorers
from sklearn_hpt.space import Categorical, Dimension, Distribution, SpaceUnion

Fingerprint = dict[str, Json]

_ALWAYS = ("numpy", "scipy", "scikit-learn", "sklearn_hpt")
_WITHOUT_EFFECT = {"n_jobs", "verbose"}
_DISTRIBUTIONS = {"sklearn": "scikit-learn"}  # where the package has another name


def fingerprint(
    plan: EvaluationPlan, space: SpaceUnion, settings: Mapping[str, Any]
) -> Fingerprint:
    """Return the fields by which a search is recognised, each a JSON value.

    Parameters
    ----------
    plan : EvaluationPlan
        Estimator, data, splits and scorers.
    space : SpaceUnion
        The search space.
    settings : mapping of str to object
        What else decides the results.
    """
    fields: Fingerprint = {name: describe(value) for name, value in settings.items()}
    fields.update(_of_estimator(plan.estimator))
    fields.update(_of_space(space))
    fields["cv"] = _of_splits(plan.splits)
    fields.update(_of_data(plan))
    for name, scorer in named_scorers(plan.scorer).items():
        fields[f"scoring {name}"] = {"$text": text(scorer), "$digest": digest(scorer)}
    fields["return_train_score"] = bool(plan.return_train_score)
    fields.update(_of_versions(plan.estimator))
    return fields


def differences(then: Fingerprint, now: Fingerprint) -> list[str]:
    """Return a line for each field that differs between a journal and a search."""
    names = [*then, *(name for name in now if name not in then)]
    return [
        f"{name}: {_shown(then, name)} in the journal, {_shown(now, name)} now"
        + _whereabouts(then.get(name), now.get(name))
        for name in names
        if name not in then or name not in now or not same(then[name], now[name])
    ]


def _shown(fields: Fingerprint, name: str) -> str:
    if name not in fields:
        return "nothing"
    value = fields[name]
    return value["$text"] if isinstance(value, dict) and "$text" in value else repr(value)


def _whereabouts(then: Json, now: Json) -> str:
    """Say that values differ which read the same."""
    if isinstance(then, dict) and isinstance(now, dict) and then.get("$text") == now.get("$text"):
        return " (with other contents)"
    return ""


def _of_estimator(estimator: Any) -> Iterator[tuple[str, Json]]:
    yield "estimator", _class_of(estimator)
    params = estimator.get_params(deep=True)
    fields = {id(value) for value in params.values()}
    for name, value in sorted(params.items()):
        if name.rpartition("__")[2] not in _WITHOUT_EFFECT:
            yield f"estimator {name}", _of_parameter(value, fields)


def _of_parameter(value: Any, fields: set[int]) -> Json:
    if hasattr(value, "get_params") and not isinstance(value, type):
        return _class_of(value)  # its parameters are fields of their own
    if isinstance(value, (list, tuple)):  # perhaps of estimators, as in a Pipeline
        estimators = [v for v in _flat(value) if hasattr(v, "get_params")]
        shown = text([type(v).__name__ if hasattr(v, "get_params") else v for v in _flat(value)])
        # other estimators than a Pipeline do not show the parameters of those in a list
        are_fields = all(id(v) in fields for v in estimators)
        return {"$text": shown, "$digest": digest(value, classes_only=are_fields)}
    return describe(value)


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _flat(item)
    else:
        yield value


def _class_of(estimator: Any) -> Json:
    cls = type(estimator)
    return {"$text": f"{cls.__module__}.{cls.__qualname__}", "$digest": digest(cls)}


def _of_space(space: SpaceUnion) -> Iterator[tuple[str, Json]]:
    for number, (alternative, budget) in enumerate(zip(space.spaces, space.budgets, strict=True)):
        place = f"[{number}]" if len(space.spaces) > 1 else ""
        if budget is not None:
            yield f"space{place} n_iter", budget
        for name, dimension in alternative.items():
            yield f"space{place} {name}", _of_dimension(dimension)


def _of_dimension(dimension: Dimension) -> Json:
    if isinstance(dimension, Categorical):
        parts = [dimension.choices, dimension.weights]
        return {"$text": text(dimension), "$digest": digest(parts)}
    if isinstance(dimension, Distribution):
        parts = [dimension.dist, dimension.quantiles]
        return {"$text": _distribution_text(dimension.dist), "$digest": digest(parts)}
    return repr(dimension)


def _distribution_text(dist: Any) -> str:
    if hasattr(dist, "dist") and hasattr(dist, "kwds"):
        arguments = [*map(str, dist.args), *(f"{k}={v}" for k, v in dist.kwds.items())]
        return f"{dist.dist.name}({', '.join(arguments)})"
    return text(dist)


def _of_splits(splits: Sequence[tuple[np.ndarray, np.ndarray]]) -> Json:
    return {"$text": f"{len(splits)} folds", "$digest": digest(splits)}


def _of_data(plan: EvaluationPlan) -> Iterator[tuple[str, Json]]:
    yield "X", _of_array(plan.X)
    yield "y", _of_array(plan.y)
    for kind, params in (("fit", plan.fit_params), ("score", plan.score_params)):
        for name, value in sorted(params.items()):
            yield f"{kind} parameter {name}", _of_array(value)


def _of_array(value: Any) -> Json:
    if value is None:
        return None
    shown = text(value) if hasattr(value, "shape") else f"{type(value).__name__} {_length(value)}"
    return {"$text": shown.strip(), "$digest": digest(value)}


def _length(value: Any) -> str:
    return f"of {len(value)}" if hasattr(value, "__len__") else ""


@cache
def _distributions() -> Mapping[str, list[str]]:
    return packages_distributions()  # takes a quarter of a second


@cache
def _version_of(distribution: str) -> str | None:
    """Return the version of what is installed; a running process does not change it."""
    try:
        return version(distribution)
    except PackageNotFoundError:  # under another name, or the user's own module
        return None


def _of_versions(estimator: Any) -> Iterator[tuple[str, Json]]:
    yield "Python", ".".join(platform.python_version_tuple()[:2])
    parts = [estimator, *estimator.get_params(deep=True).values()]
    packages = {type(part).__module__.partition(".")[0] for part in parts}
    names = {_DISTRIBUTIONS.get(package, package) for package in packages}
    for name in sorted({*_ALWAYS, *names} - sys.stdlib_module_names - {"__main__"}):
        known = _version_of(name) is not None
        for distribution in [name] if known else sorted(_distributions().get(name, ())):
            yield f"version of {distribution}", _version_of(distribution)
