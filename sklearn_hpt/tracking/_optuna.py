"""A search as a study of Optuna, so that its dashboard and its plots show it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from sklearn_hpt import space as spaces
from sklearn_hpt._space_formats import as_space_union
from sklearn_hpt.tracking._records import (
    Record,
    check_has_results,
    plain,
    records_of,
    shown_metrics,
)

_STATES = {"complete": "COMPLETE", "stopped": "PRUNED"}
_MISSING = "to_optuna needs optuna: pip install 'sklearn_hpt[optuna]'"


def to_optuna(
    search: Any, study: Any = None, *, storage: Any = None, study_name: str | None = None
) -> Any:
    """Return the candidates of a search as the trials of a study of Optuna.

    Complete candidates are complete trials, those that were stopped are pruned and those that
    failed or ran out of time have failed. Ranges keep their log scales; Optuna has none for
    ``1 - x``, which is shown on a plain one. Values that it cannot store, such as estimators, are
    shown by their `repr`. The time of a trial is that of its folds together; trials follow each
    other and end now, since a search does not keep when a candidate began.

    Parameters
    ----------
    search : search
        A search that has results: of this library, GridSearchCV or RandomizedSearchCV.
    study : Study, default=None
        The study that the trials are added to; None is a new one. It maximizes the metric that
        decides or, where none of several does, each of them.
    storage : str or storage, default=None
        Where a new study is kept, as in `optuna.create_study`; None is in memory.
    study_name : str, default=None
        The name of a new study; None is one that Optuna makes.

    Returns
    -------
    Study
        The study with the trials.

    Raises
    ------
    ValueError
        If the study minimizes, or has another number of objectives, or is given together with a
        place for a new one.
    NotFittedError
        If the search has no results.
    ImportError
        If Optuna is not installed.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from sklearn_hpt import LogRandomSearchCV
    >>> from sklearn_hpt.tracking import to_optuna
    >>> search = LogRandomSearchCV(SVC(), {"C": (0.01, 100.0, "log-uniform")}, random_state=0)
    >>> study = to_optuna(search.fit(*load_iris(return_X_y=True)))
    >>> bool(study.best_value == search.best_score_)
    True
    >>> study.trials[0].distributions
    {'C': FloatDistribution(high=100.0, log=True, low=0.01, step=None)}
    """
    optuna = _optuna()
    check_has_results(search)
    metrics = shown_metrics(search)
    if study is None:
        study = _new_study(optuna, metrics, storage, study_name)
        study.set_user_attr("search", type(search).__name__)
        study.set_user_attr("estimator", str(search.estimator))
    elif storage is not None or study_name is not None:
        raise ValueError("study is given, so leave out storage and study_name, which are its own.")
    _check_directions(optuna, study, metrics)
    study.add_trials(_trials(optuna, search, metrics))
    return study


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise ImportError(_MISSING) from error
    return optuna


def _new_study(optuna: Any, metrics: Sequence[str], storage: Any, name: str | None) -> Any:
    study = optuna.create_study(
        storage=storage, study_name=name, directions=["maximize"] * len(metrics)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that names are experimental
        study.set_metric_names(list(metrics))
    return study


def _check_directions(optuna: Any, study: Any, metrics: Sequence[str]) -> None:
    wanted = [optuna.study.StudyDirection.MAXIMIZE] * len(metrics)
    if list(study.directions) != wanted:
        has = ", ".join(direction.name.lower() for direction in study.directions)
        raise ValueError(
            f"study {study.study_name!r} has the directions ({has}), but must maximize each of "
            f"({', '.join(metrics)}): higher scores are better. Leave out study for a new one."
        )


def _trials(optuna: Any, search: Any, metrics: Sequence[str]) -> Iterator[Any]:
    records = list(records_of(search.cv_results_))
    dimensions = [dict(one) for one in _space_of(search).spaces]
    names = dict.fromkeys(name for record in records for name in record.params)
    shown = {
        name: _Parameter(
            optuna,
            [one[name] for one in dimensions if name in one],
            [record.params[name] for record in records if name in record.params],
        )
        for name in names
    }
    times = [timedelta(seconds=np.nan_to_num(record.seconds)) for record in records]
    end = datetime.now() - sum(times, timedelta())
    for record, time in zip(records, times, strict=True):
        start, end = end, end + time
        trial = _trial(optuna, record, shown, metrics)
        trial.datetime_start, trial.datetime_complete = start, end
        yield trial


def _trial(
    optuna: Any, record: Record, shown: Mapping[str, _Parameter], metrics: Sequence[str]
) -> Any:
    is_complete = record.status == "complete"
    is_ranked = is_complete and all(not math.isnan(record.means[name]) for name in metrics)
    state = "FAIL" if is_complete and not is_ranked else _STATES.get(record.status, "FAIL")
    return optuna.trial.create_trial(
        state=optuna.trial.TrialState[state],
        values=[record.means[name] for name in metrics] if is_ranked else None,
        params={name: shown[name].value(value) for name, value in record.params.items()},
        distributions={name: shown[name].distribution for name in record.params},
        user_attrs=_attributes(record),
        intermediate_values=record.curve,
    )


def _attributes(record: Record) -> dict[str, Any]:
    attributes: dict[str, Any] = {"candidate": record.number, "status": record.status}
    if record.error:
        attributes["error"] = record.error
    for metric, scores in record.fold_scores.items():
        attributes[f"{metric} of folds"] = [
            score if math.isfinite(score) else None for score in scores
        ]
    return attributes


def _space_of(search: Any) -> spaces.SpaceUnion:
    if hasattr(search, "_space_union"):  # which knows what "auto" stands for
        return search._space_union()
    return as_space_union(
        search.param_grid if hasattr(search, "param_grid") else search.param_distributions
    )


class _Parameter:
    """How a hyperparameter is shown: one distribution that holds all of its values.

    Optuna wants one for all trials of a study, so that of several alternatives is their union.
    """

    def __init__(
        self, optuna: Any, dimensions: Sequence[spaces.Dimension], values: Sequence[Any]
    ) -> None:
        self._names: list[Any] = []
        self._given: list[Any] = []
        made = self._range(optuna, dimensions, values)
        self.distribution = self._choices(optuna, dimensions, values) if made is None else made

    def value(self, value: Any) -> Any:
        """Return a value as Optuna stores it."""
        if not self._given:
            return plain(value)
        return self._names[_place(self._given, plain(value))]

    def _range(
        self, optuna: Any, dimensions: Sequence[spaces.Dimension], values: Sequence[Any]
    ) -> Any:
        """Return a range, None if the hyperparameter is a choice."""
        if any(isinstance(one, spaces.Categorical) for one in dimensions):
            return None
        ends = [*_ends(dimensions), *map(plain, values)]
        if not all(_is_number(end) for end in ends) or min(ends) == max(ends):
            return None
        is_log = (
            bool(dimensions)
            and min(ends) > 0
            and all(getattr(one, "prior", "uniform") == "log-uniform" for one in dimensions)
        )
        is_integer = all(isinstance(end, int) for end in ends)
        kind = "IntDistribution" if is_integer else "FloatDistribution"
        return getattr(optuna.distributions, kind)(min(ends), max(ends), log=is_log)

    def _choices(
        self, optuna: Any, dimensions: Sequence[spaces.Dimension], values: Sequence[Any]
    ) -> Any:
        """Return the choices, those by their `repr` that cannot be stored or told apart."""
        for choice in map(plain, [*_all_choices(dimensions), *values]):
            if _place(self._given, choice) == len(self._given):
                self._given.append(choice)
        self._names = [choice if _can_be_stored(choice) else repr(choice) for choice in self._given]
        if len(set(self._names)) < len(self._names):  # True and 1 are equal to Optuna
            self._names = [repr(choice) for choice in self._given]
        return optuna.distributions.CategoricalDistribution(list(dict.fromkeys(self._names)))


def _ends(dimensions: Iterable[spaces.Dimension]) -> Iterator[Any]:
    """Return the ends of the ranges that have some; others are as wide as their values."""
    for one in dimensions:
        if isinstance(one, (spaces.Real, spaces.Integer)):
            yield from (one.low, one.high)


def _all_choices(dimensions: Iterable[spaces.Dimension]) -> Iterator[Any]:
    for one in dimensions:
        if isinstance(one, spaces.Categorical):
            yield from one.choices


def _is_number(value: Any) -> bool:
    is_kind = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_kind and math.isfinite(value)


def _can_be_stored(choice: Any) -> bool:
    return choice is None or isinstance(choice, (bool, int, float, str))


def _place(given: Sequence[Any], choice: Any) -> int:
    """Return the index of a choice by type and `repr`, the length if it is not there."""
    for index, other in enumerate(given):
        if other is choice or (type(other) is type(choice) and repr(other) == repr(choice)):
            return index
    return len(given)
