"""Training in stages of a resource that is a parameter of the estimator: epochs, trees, passes.

The law of this module: training through stages 0 to k in one call gives, bit for bit, what
training through stages 0 to j, pickling, and training on through stages j + 1 to k gives. What
breaks it is not continued, but fitted anew.

| kind | estimators and parameter | a stage | in one stage the same as `fit` |
| --- | --- | --- | --- |
| net | skorch nets, `max_epochs` | `fit_loop` over the missing epochs | yes |
| growth | forests, gradient boosting, bagging | `fit` with `warm_start` | yes |
| passes | MLP and linear models by SGD, `max_iter` | `partial_fit` for each pass | no |

`partial_fit` starts as `fit` does and shuffles the rows otherwise after the first pass. An MLP
keeps count of the passes without progress and so stops by `tol`. The linear models (SGD,
Perceptron, passive-aggressive) do not, so with a `tol` they are fitted anew.

Nothing here imports estimators or skorch: classes are known by their names.
"""

from __future__ import annotations

import difflib
import numbers
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from copy import deepcopy
from inspect import signature
from typing import Any, Literal

import numpy as np
from sklearn import get_config
from sklearn.pipeline import Pipeline
from sklearn.utils.multiclass import unique_labels

from sklearn_hpt._pipelines import is_repeatable
from sklearn_hpt._sklearn_compat import mlp_has_stopped
from sklearn_hpt._trial import derived_seed
from sklearn_hpt.nets._skorch import contains_net, find_nets

_GROWTH = {
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
_PASSES = {
    "SGDClassifier",
    "SGDRegressor",
    "Perceptron",
    "PassiveAggressiveClassifier",
    "PassiveAggressiveRegressor",
    "MLPClassifier",
    "MLPRegressor",
}
# Integers that say how a fit is done, not how much of it.
_NO_AMOUNTS = {"random_state", "n_jobs", "verbose", "pre_dispatch"}

Kind = Literal["net", "growth", "passes"]


def continues(estimator: Any, name: str, fit_params: Mapping[str, Any] | None = None) -> bool:
    """Tell whether the estimator can be trained on from where it is when `name` grows.

    Parameters
    ----------
    estimator : estimator
        With all its parameters set. In a Pipeline the last step is trained on; the other steps
        must give the same when they are fitted again, and must not be cached.
    name : str
        Parameter as `set_params` takes it, such as ``"max_epochs"`` or ``"net__max_epochs"``.
    fit_params : mapping, default=None
        What `fit` would be given besides `X` and `y`. It keeps a Pipeline from being continued,
        and an estimator whose way of training on does not take it.
    """
    fit_params = fit_params or {}
    if not isinstance(estimator, Pipeline):
        return _kind(estimator, name, fit_params) is not None
    last, _, param = name.partition("__")
    return (
        type(estimator) is Pipeline
        and last == estimator.steps[-1][0]
        and estimator.memory is None
        and not fit_params
        and all(is_repeatable(step) and not contains_net(step) for _, step in estimator.steps[:-1])
        and _kind(estimator.steps[-1][1], param, fit_params) is not None
    )


def train(
    estimator: Any,
    X: Any,
    y: Any,
    fit_params: Mapping[str, Any],
    name: str,
    stages: Sequence[int],
    n_done: int,
    stage_context: Callable[[int], AbstractContextManager[Any]],
) -> int:
    """Train an estimator in place up to the last stage, from where it is if it continues.

    An estimator that has stopped by itself (a net with `EarlyStopping`, boosting with
    `n_iter_no_change`) stays as it is in the stages after that.

    Parameters
    ----------
    estimator : estimator
        Not fitted if `n_done` is 0, else what an earlier call has trained.
    X, y : array-like
        The training rows, the same in each call; `y` may be None.
    fit_params : mapping
        Passed on to `fit`, or to what trains on in its place.
    name : str
        The parameter that grows.
    stages : sequence of int
        Its amounts, increasing: ``(5, 20, 50)`` trains to 5, then on to 20, then to 50. The
        first ones must be those of the earlier calls.
    n_done : int
        Number of stages that earlier calls went through.
    stage_context : callable
        ``stage_context(i)`` returns the context manager that stage `i` runs in. It has to seed
        what is drawn in it from a source that the estimator does not own, such as torch's.

    Returns
    -------
    amount : int
        What was asked for in this call, the last amount if the estimator was fitted anew.
    """
    if not continues(estimator, name, fit_params):
        with stage_context(len(stages) - 1):
            _fit_anew(estimator.set_params(**{name: stages[-1]}), X, y, fit_params)
        return stages[-1]
    if n_done == len(stages):
        return 0
    model, param = _trained_part(estimator, name)
    if model is not estimator and len(estimator.steps) > 1:
        X = estimator[:-1].fit_transform(X, y)
    train_on = _TRAIN_ON[_kind(model, param, fit_params)]
    before = first = stages[n_done - 1] if n_done else 0
    for i in range(n_done, len(stages)):
        model.set_params(**{param: stages[i]})
        with stage_context(i):
            if not _has_stopped(model, before):
                train_on(model, X, y, fit_params, before, stages[i])
        before = stages[i]
    return stages[-1] - first


def _trained_part(estimator: Any, name: str) -> tuple[Any, str]:
    """Return what is trained in stages, and the parameter's name there."""
    if isinstance(estimator, Pipeline):
        return estimator.steps[-1][1], name.partition("__")[2]
    return estimator, name


def _fit_anew(estimator: Any, X: Any, y: Any, fit_params: Mapping[str, Any]) -> None:
    params = estimator.get_params(deep=True)
    warm = [n for n, v in params.items() if n.rpartition("__")[2] == "warm_start" and v is True]
    with _set(estimator, **dict.fromkeys(warm, False)):
        _fit(estimator, X, y, fit_params)


def _fit(estimator: Any, X: Any, y: Any, fit_params: Mapping[str, Any]) -> None:
    if y is None:
        estimator.fit(X, **fit_params)
    else:
        estimator.fit(X, y, **fit_params)


@contextmanager
def _set(estimator: Any, **params: Any) -> Iterator[None]:
    """Give parameters other values for a while."""
    own = {name: value for name, value in estimator.get_params().items() if name in params}
    estimator.set_params(**params)
    try:
        yield
    finally:
        estimator.set_params(**own)


# What continues


def _kind(model: Any, param: str, fit_params: Mapping[str, Any]) -> Kind | None:
    """Return how a model is trained on when the parameter grows, None if it cannot be."""
    if _is_net(model):
        return "net" if param == "max_epochs" and _net_continues(model, fit_params) else None
    if param == _GROWTH.get(_name_in_sklearn(model)):
        return "growth" if _growth_continues(model, fit_params) else None
    if param == "max_iter" and _name_in_sklearn(model) in _PASSES:
        return "passes" if _passes_continue(model, fit_params) else None
    return None


def _name_in_sklearn(model: Any) -> str:
    """Return the name of a class of scikit-learn itself; one derived from it may do otherwise."""
    cls = type(model)
    return cls.__name__ if cls.__module__.startswith("sklearn.") else ""


def _is_net(model: Any) -> bool:
    return any(net is model for net in find_nets(model))


def _is_seeded(model: Any) -> bool:
    return isinstance(model.random_state, numbers.Integral)


def _growth_continues(model: Any, fit_params: Mapping[str, Any]) -> bool:
    if not fit_params.keys() <= {"sample_weight"}:
        return False
    params = model.get_params(deep=False)
    if "Hist" in type(model).__name__:  # keeps its generators between fits
        return model.random_state is None or _is_seeded(model)
    # Bagging refuses oob_score with warm_start; forests warn of class weights given by a word.
    if type(model).__name__.startswith("Bagging"):
        return _is_seeded(model) and not params["oob_score"]
    if type(model).__name__.startswith("Gradient"):
        return _is_seeded(model) and is_repeatable(params["init"])
    return _is_seeded(model) and not isinstance(params.get("class_weight"), str)


def _passes_continue(model: Any, fit_params: Mapping[str, Any]) -> bool:
    """Tell whether passes of `partial_fit` train the model that `fit` trains.

    The adaptive rate of SGD is lost with each pass, and starts at `eta0` again.
    """
    params = model.get_params(deep=False)
    is_mlp = _is_mlp(model)
    return (
        _is_seeded(model)
        and hasattr(model, "partial_fit")
        and fit_params.keys() <= {*signature(model.partial_fit).parameters} & {"sample_weight"}
        and not params.get("early_stopping")
        and not isinstance(params.get("class_weight"), str)
        and (is_mlp or (params.get("tol") is None and params.get("learning_rate") != "adaptive"))
    )


def _is_mlp(model: Any) -> bool:
    return _name_in_sklearn(model) in ("MLPClassifier", "MLPRegressor")


def _net_continues(net: Any, fit_params: Mapping[str, Any]) -> bool:
    """Tell whether a net trains as skorch's nets do, and holds all that it needs to go on.

    A callback that reads weights from a file is left out: the file may be of another net by
    then, or on another machine.
    """
    own_methods = [getattr(type(net), name) for name in ("fit", "partial_fit", "fit_loop")]
    return (
        all(method.__module__.startswith("skorch.") for method in own_methods)
        and not (fit_params and get_config()["enable_metadata_routing"])
        and _splits_the_same_again(net.train_split)
        and not any(map(_reads_a_file, _callbacks(net)))
    )


def _callbacks(net: Any) -> list[Any]:
    if not net.callbacks or isinstance(net.callbacks, str):  # None, [] or "disable"
        return []
    return [item[1] if isinstance(item, tuple) else item for item in net.callbacks]


def _reads_a_file(callback: Any) -> bool:
    cls = callback if isinstance(callback, type) else type(callback)
    return cls.__name__ == "LoadInitState" or (
        cls.__name__ == "Checkpoint" and getattr(callback, "load_best", False)
    )


def _splits_the_same_again(train_split: Any) -> bool:
    """Tell whether a net validates on the same rows in each stage, never trained on before."""
    cv = getattr(train_split, "cv", None)
    if isinstance(cv, float):
        return isinstance(train_split.random_state, numbers.Integral)
    is_random = getattr(cv, "shuffle", hasattr(cv, "random_state"))
    return not is_random or isinstance(getattr(cv, "random_state", None), numbers.Integral)


# How it continues


def _has_stopped(model: Any, amount: int) -> bool:
    """Tell whether training has ended by itself at or before the amount."""
    if not amount:
        return False
    if _is_net(model):
        stopping = _fitted_callbacks(model, "EarlyStopping")
        gave_up = any(callback.misses_ >= callback.patience for callback in stopping)
        return gave_up or len(model.history_) < amount
    if _is_mlp(model):
        return mlp_has_stopped(model)
    for reached in ("n_iter_", "n_estimators_"):
        if type(model).__name__ in _GROWTH and hasattr(model, reached):
            return getattr(model, reached) < amount
    return False


def _grow(
    model: Any, X: Any, y: Any, fit_params: Mapping[str, Any], before: int, amount: int
) -> None:
    with _set(model, warm_start=before > 0):
        _fit(model, X, y, fit_params)


def _pass_over(
    model: Any, X: Any, y: Any, fit_params: Mapping[str, Any], before: int, amount: int
) -> None:
    """Call `partial_fit` for each pass, which by itself would shuffle in the same order always."""
    if "classes" in signature(model.partial_fit).parameters:
        fit_params = {**fit_params, "classes": unique_labels(y)}
    seed = int(model.random_state)
    for n_passes in range(before, amount):
        if _has_stopped(model, n_passes):
            return
        of_pass = derived_seed(seed, n_passes) if n_passes else seed
        with _set(model, random_state=of_pass):
            model.partial_fit(X, y, **fit_params)
        model.n_iter_ = n_passes + 1  # that of the call is 1


def _train_net(
    net: Any, X: Any, y: Any, fit_params: Mapping[str, Any], before: int, amount: int
) -> None:
    """Do what skorch's `partial_fit` does, except that callbacks go on where they were."""
    if not before:
        net.initialize()
    with _kept_callbacks(net, before):
        net.notify("on_train_begin", X=X, y=y)
    try:
        net.fit_loop(X, y, epochs=amount - before, **fit_params)
    except KeyboardInterrupt:  # how callbacks of skorch end the training
        pass
    net.notify("on_train_end", X=X, y=y)


_TRAIN_ON: dict[Kind | None, Callable[..., None]] = {
    "net": _train_net,
    "growth": _grow,
    "passes": _pass_over,
}


def _fitted_callbacks(net: Any, class_name: str) -> list[Any]:
    """Return the callbacks of a class of skorch, or of one derived from it."""
    return [
        callback
        for _, callback in net.callbacks_
        if any(cls.__name__ == class_name for cls in type(callback).__mro__)
    ]


@contextmanager
def _kept_callbacks(net: Any, before: int) -> Iterator[None]:
    """Have callbacks that start anew when training begins go on where they were.

    `EarlyStopping` forgets its best score, and with it how long that has been; `LRScheduler`
    makes a new scheduler, whose first step also changes the rates in the optimizer.
    """
    if not before:
        yield
        return
    stopping = [
        (
            callback,
            {n: getattr(callback, n) for n in ("misses_", "dynamic_threshold_", "best_epoch_")},
        )
        for callback in _fitted_callbacks(net, "EarlyStopping")
    ]
    schedules = [
        (callback, deepcopy(callback.lr_scheduler_.state_dict()))
        for callback in _fitted_callbacks(net, "LRScheduler")
    ]
    groups = [
        (group, {name: value for name, value in group.items() if name != "params"})
        for part in vars(net).values()
        for group in getattr(part, "param_groups", ())
    ]
    yield
    for callback, state in stopping:
        vars(callback).update(state)
        if callback.load_best:  # at the end of the stage before, the best weights were loaded
            callback.best_model_weights_ = deepcopy(net.module_.state_dict())
    for callback, state in schedules:
        callback.lr_scheduler_.load_state_dict(state)
    for group, values in groups:
        group.update(values)


# Which resource


def check_resource(estimator: Any, name: str) -> None:
    """Raise if `name` is not a resource of the estimator.

    Raises
    ------
    ValueError
        If it is neither ``"n_samples"`` nor a parameter of the estimator whose value is a whole
        number, or None.
    """
    if name == "n_samples":
        return
    params = estimator.get_params(deep=True)
    allowed = (
        "It must be 'n_samples' or a parameter whose value is a whole number, "
        f"named as {type(estimator).__name__}.get_params() names it"
    )
    if name not in params:
        raise ValueError(
            f"resource={name!r} is not a parameter of {type(estimator).__name__}. "
            f"{allowed}{_nearest(name, params)}."
        )
    if not _may_be_amount(name, params[name]):
        raise ValueError(
            f"resource={name!r} cannot be spent in whole numbers: its value is {params[name]!r}. "
            f"{allowed}{_nearest(name, params)}."
        )


def resolve_resource(estimator: Any, name: str) -> str:
    """Return the full name of a resource, which may be given by its last part.

    ``"max_epochs"`` finds ``"net__max_epochs"`` if it is the only parameter that ends so.

    Raises
    ------
    ValueError
        If it is no resource of the estimator, or several parameters end so.
    """
    params = estimator.get_params(deep=True)
    if name == "n_samples" or name in params:
        check_resource(estimator, name)
        return name
    found = [full for full in params if full.endswith(f"__{name}")]
    if len(found) > 1:
        listed = ", ".join(map(repr, sorted(found)))
        raise ValueError(
            f"resource={name!r} could be any of {listed}: give one of these names in full."
        )
    full = found[0] if found else name
    check_resource(estimator, full)
    return full


def default_resource(estimator: Any) -> str:
    """Return the epochs of a net, the trees of an ensemble or the passes of what continues.

    For everything else it is ``"n_samples"``, which every estimator takes.
    """
    is_pipeline = isinstance(estimator, Pipeline)
    last, model = estimator.steps[-1] if is_pipeline else ("", estimator)
    prefix = f"{last}__" if is_pipeline else ""
    if _is_net(model):
        return f"{prefix}max_epochs"
    if param := _GROWTH.get(_name_in_sklearn(model)):
        return prefix + param
    return f"{prefix}max_iter" if continues(estimator, f"{prefix}max_iter") else "n_samples"


def _may_be_amount(name: str, value: Any) -> bool:
    if name.rpartition("__")[2] in _NO_AMOUNTS or isinstance(value, (bool, np.bool_)):
        return False
    return value is None or isinstance(value, numbers.Integral)


def _nearest(name: str, params: Mapping[str, Any]) -> str:
    """Return what else could have been meant, to be put at the end of a sentence."""
    amounts = [n for n, v in params.items() if v is not None and _may_be_amount(n, v)]
    tail = name.rpartition("__")[2]
    same_tail = [n for n in amounts if n.rpartition("__")[2] == tail]
    close = same_tail or difflib.get_close_matches(name, amounts, n=3, cutoff=0.5) or amounts[:5]
    return f", for example {', '.join(map(repr, close))}" if close else ""
