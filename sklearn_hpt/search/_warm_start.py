"""What a search starts from: the results of an earlier one, or what the estimator has."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_hpt._journal import Described, JournalView, describe, digest
from sklearn_hpt._warn import warn
from sklearn_hpt.default_spaces import values_of
from sklearn_hpt.exceptions import JournalError, WarmStartWarning
from sklearn_hpt.space import Categorical, Dimension, Distribution, Params, Space, SpaceUnion

_FINISHED = ("complete", "failed", "timeout")


@dataclass(frozen=True)
class EarlierResult:
    """A candidate of an earlier search that is a point of this space.

    Attributes
    ----------
    params : dict
        The hyperparameters, as values of this space.
    score : float
        Mean score, NaN if the candidate failed.
    fold_scores : list of float
        The scores of its folds that are finite.
    """

    params: Params
    score: float
    fold_scores: list[float]


def earlier_results(source: Any, space: SpaceUnion, metric: str | None) -> list[EarlierResult]:
    """Return the finished candidates of an earlier search that lie in a space.

    Parameters
    ----------
    source : fitted search, mapping, DataFrame, study, path-like or None
        The search, its `cv_results_`, the same as a data frame, a study of Optuna, or a journal.
    space : SpaceUnion
        The space of the search that is to learn from them.
    metric : str or None
        The metric that decides, where it has a name.

    Raises
    ------
    TypeError
        If `source` is none of these.
    ValueError
        If it has no scores of the metric.
    JournalError
        If it is the path of something that is no journal.
    """
    if source is None:
        return []
    table, metric_of_source = _as_table(source)
    scores, folds = _scores(table, metric, metric_of_source)
    status = table.get("status", ["complete"] * len(scores))
    found = []
    for row, params in enumerate(_params(table)):
        point = _point_of(space, params) if status[row] in _FINISHED else None
        if point is not None:
            score = scores[row] if status[row] == "complete" else math.nan
            of_folds = [fold[row] for fold in folds if math.isfinite(fold[row])]
            found.append(EarlierResult(point, score, of_folds))
    if len(found) < len(scores):
        warn(
            f"{len(scores) - len(found)} of {len(scores)} results of warm_start_from are not used: "
            "they lie outside the search space or are unfinished.",
            WarmStartWarning,
        )
    return found


def summary(results: Sequence[EarlierResult]) -> str | None:
    """Return a line that is equal for equal results, to recognise a search by."""
    if not results:
        return None
    rows = [[result.params, result.score, result.fold_scores] for result in results]
    return f"{len(results)} results ({digest(rows)})"


def _as_table(source: Any) -> tuple[Mapping[str, Any], Any]:
    """Return columns by name, with the keys of `cv_results_`, and the metric that decided."""
    if isinstance(source, (str, os.PathLike)):
        try:
            view = JournalView(source)
        except JournalError as error:  # names the file, not where it was given
            raise type(error)(f"warm_start_from: {error}") from error
        return _of_journal(view), view.about["deciding_metric"]
    study = getattr(source, "study_", source)  # a fitted OptunaSearchCV has one
    if hasattr(study, "trials") and hasattr(study, "directions"):
        return _of_study(study), None
    if hasattr(source, "cv_results_"):
        return source.cv_results_, getattr(source, "refit", None)
    if isinstance(source, Mapping):
        return source, None
    if hasattr(source, "columns") and hasattr(source, "shape"):
        return {str(name): list(source[name]) for name in source.columns}, None
    if hasattr(source, "get_params"):
        raise ValueError(
            f"warm_start_from={source!r} has no cv_results_: fit it first, or give its journal."
        )
    raise TypeError(
        f"warm_start_from={source!r} is a {type(source).__name__}; give a fitted search, its "
        "cv_results_, a DataFrame of them, a study of Optuna, or the path of its journal."
    )


def _of_journal(view: JournalView) -> Mapping[str, Any]:
    params = [
        {name: Described(value) for name, value in view.described[row.shown.number].items()}
        for row in view.table_rows()
    ]
    return {**view.results(), "params": params}


def _of_study(study: Any) -> Mapping[str, Any]:
    """Return the trials of a study of Optuna; higher scores are better here."""
    if len(study.directions) != 1:
        raise ValueError(
            f"warm_start_from={study.study_name!r} is a study of {len(study.directions)} "
            "objectives; give a study of the one that decides."
        )
    sign = -1.0 if study.directions[0].name == "MINIMIZE" else 1.0
    status = {"COMPLETE": "complete", "FAIL": "failed"}
    trials = study.trials
    return {
        "params": [trial.params for trial in trials],
        "mean_test_score": [math.nan if t.value is None else sign * t.value for t in trials],
        "status": [status.get(trial.state.name, "stopped") for trial in trials],
    }


def _scores(
    table: Mapping[str, Any], metric: str | None, metric_of_source: Any
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the mean scores, shape (n_rows,), and the same for each fold."""
    names = [name[len("mean_test_") :] for name in table if name.startswith("mean_test_")]
    wanted = metric if metric in names else "score"
    if wanted not in names and metric_of_source in names:
        wanted = metric_of_source
    elif wanted not in names and len(names) == 1:
        wanted = names[0]
    if wanted not in names:
        has = f"it has {', '.join(map(repr, names))}" if names else "it has none"
        raise ValueError(
            f"warm_start_from has no column 'mean_test_{metric or wanted}' ({has}); give results "
            "of the metric that decides, or name one of its metrics with refit."
        )
    folds = [
        name for name in table if name.startswith("split") and name.endswith(f"_test_{wanted}")
    ]
    column = np.asarray(table[f"mean_test_{wanted}"], dtype=float)
    return column, [np.asarray(table[name], dtype=float) for name in folds]


def _params(table: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the parameters of each row; from `param_*` where `params` was not kept."""
    given = table.get("params")
    if given is not None and all(isinstance(params, Mapping) for params in given):
        amounts = table.get("resource")
        yield from given if amounts is None else _without_amounts(given, amounts)
        return
    columns = {name[len("param_") :]: table[name] for name in table if name.startswith("param_")}
    if not columns:
        raise ValueError(
            "warm_start_from has neither 'params' nor 'param_...' columns; give cv_results_."
        )
    for row in range(len(next(iter(columns.values())))):
        yield _Cells({name: column[row] for name, column in columns.items()})


def _without_amounts(
    rows: Sequence[Mapping[str, Any]], amounts: Sequence[Any]
) -> list[Mapping[str, Any]]:
    """Leave out the parameter that a search set to the amount of its resource, not searched."""
    named = set.intersection(
        *(
            {name for name, value in params.items() if type(value) is int and value == amount}
            for params, amount in zip(rows, amounts, strict=True)
        )
    )
    return [{n: value for n, value in params.items() if n not in named} for params in rows]


class _Cells(dict[str, Any]):
    """The cells of a row, of which None may be an empty one."""


def _point_of(space: SpaceUnion, params: Mapping[str, Any]) -> Params | None:
    """Return the point of a space that has these parameters, None if there is none."""
    for alternative in space.spaces:
        point = _point_in(alternative, params)
        if point is not None:
            return point
    return None


def _point_in(space: Space, params: Mapping[str, Any]) -> Params | None:
    extra = [name for name in params if name not in space]
    may_be_none = isinstance(params, _Cells)
    if not all(_is_absent(params[n]) or (may_be_none and params[n] is None) for n in extra):
        return None
    point: Params = {}
    for name, dimension in space.items():
        if name not in params:
            return None
        try:
            point[name] = _value_in(dimension, params[name])
        except ValueError:
            return None
    return point


def _is_absent(value: Any) -> bool:
    """Tell whether a cell of a table is empty, as for a parameter of another alternative."""
    if value is np.ma.masked or type(value).__name__ == "NAType":  # of pandas
        return True
    return isinstance(value, (float, np.floating)) and math.isnan(value)


def _value_in(dimension: Dimension, value: Any) -> Any:
    """Return the value of a dimension that a table shows as `value`; raise if there is none."""
    if isinstance(dimension, Categorical):
        return _choice(dimension, value)
    if isinstance(value, Described):
        value = value.value
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(dimension, Distribution) and not dimension.has_quantiles:
        return _drawn(dimension, value)
    if _is_absent(value) or isinstance(value, str) or value not in dimension:
        raise ValueError(value)
    return dimension.clip(value)


def _drawn(dimension: Distribution, value: Any) -> Any:
    """Return a value of what can only be drawn from: it is known by the type of a draw."""
    draw = dimension.sample(np.random.default_rng(0))
    if type(draw) is int and type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not type(draw):
        raise ValueError(value)
    return value


def _choice(dimension: Categorical, value: Any) -> Any:
    """Return the choice that is this value, has its description, or reads the same."""
    if not isinstance(value, Described):
        if value in dimension:
            return dimension.clip(value)
        if _is_absent(value):
            value = None  # how files write it
    description = value.json if isinstance(value, Described) else describe(value)
    for choice in dimension.choices:
        if json.dumps(describe(choice)) == json.dumps(description):
            return choice
        if type(description) in (int, float) and type(choice) in (int, float) and choice == value:
            return choice  # whole numbers in a column of floats
        if isinstance(value, str) and not isinstance(choice, str) and str(choice) == value:
            return choice  # from a text file
    raise ValueError(value)


def own_parameters(estimator: Any, space: SpaceUnion) -> list[Params]:
    """Return what an estimator has for the parameters of each alternative of a space."""
    known = values_of(estimator)
    return [{name: known[name] for name in one} for one in space.spaces if known.keys() >= set(one)]
