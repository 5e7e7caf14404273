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
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from sklearn_hpt._mutation import change
from sklearn_hpt._pipelines import is_repeatable
from sklearn_hpt.nets._skorch import contains_net
from sklearn_hpt.steppers import Stepper
from sklearn_hpt.steppers._choice import stepper_of, trained_part
from sklearn_hpt.steppers._passes import PassesStepper

# Fits what comes before the last step of a Pipeline, returns what that makes of the rows.
FirstSteps = Callable[[Any, Any], Any]

# Integers that say how a fit is done, not how much of it.
_NO_AMOUNTS = {"random_state", "n_jobs", "verbose", "pre_dispatch"}


def continues(
    estimator: Any,
    name: str,
    fit_params: Mapping[str, Any] | None = None,
    stepper: Stepper | None = None,
) -> bool:
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
    stepper : Stepper, default=None
        What trains it, if not what its class says.
    """
    fit_params = fit_params or {}
    model, prefix = trained_part(estimator)
    stepper = stepper or stepper_of(model)
    return (
        stepper is not None
        and name == prefix + stepper.resource(model)
        and (model is estimator or _is_trained_by_last_step(estimator, fit_params))
        and stepper.can_train_on(model, fit_params)
    )


def _is_trained_by_last_step(pipeline: Pipeline, fit_params: Mapping[str, Any]) -> bool:
    return (
        type(pipeline) is Pipeline
        and pipeline.memory is None
        and not fit_params
        and all(is_repeatable(step) and not contains_net(step) for _, step in pipeline.steps[:-1])
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
    *,
    params: Sequence[Mapping[str, Any]] | None = None,
    stepper: Stepper | None = None,
    first_steps: FirstSteps | None = None,
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
    params : sequence of mapping, default=None
        Hyperparameters of each stage, those of the first are set already. An estimator that does
        not continue is fitted with the last ones.
    stepper : Stepper, default=None
        What trains it, if not what its class says.
    first_steps : callable, default=None
        Called with `X` and `y`, if the estimator is a Pipeline that continues: fits the steps
        before the last, and returns what they make of `X`. None calls their `fit_transform`.

    Returns
    -------
    amount : int
        What was asked for in this call, the last amount if the estimator was fitted anew.
    """
    if not continues(estimator, name, fit_params, stepper):
        if params is not None:
            estimator.set_params(**params[-1])
        with stage_context(len(stages) - 1):
            _fit_anew(estimator.set_params(**{name: stages[-1]}), X, y, fit_params)
        return stages[-1]
    if n_done == len(stages):
        return 0
    model, _ = trained_part(estimator)
    trains = stepper or stepper_of(model)
    assert trains is not None
    if model is not estimator and len(estimator.steps) > 1:
        X = (first_steps or estimator[:-1].fit_transform)(X, y)
    before = first = stages[n_done - 1] if n_done else 0
    for i in range(n_done, len(stages)):
        if params is not None and i:
            change(estimator, params[i], stepper)
        estimator.set_params(**{name: stages[i]})
        with stage_context(i):
            if not before:
                trains.init(model, X, y, **fit_params)
            if not before or not trains.has_stopped(model, before):
                trains.step(model, X, y, before, stages[i], **fit_params)
        before = stages[i]
    return stages[-1] - first


def with_seed(estimator: Any, seed: int) -> Any:
    """Return an estimator that continues also without a `random_state` of its own.

    Parameters
    ----------
    estimator : estimator
        What is to be trained in stages.
    seed : int
        The `random_state` of what is trained, if that is None: with it each stage, also of a
        model that is trained anew, draws what it would have drawn.

    Returns
    -------
    estimator
        The same one, or a clone that has the seed.
    """
    model, prefix = trained_part(estimator)
    if not hasattr(model, "random_state") or model.random_state is not None:
        return estimator
    return clone(estimator).set_params(**{f"{prefix}random_state": seed})


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


def default_resource(estimator: Any, stepper: Stepper | None = None) -> str:
    """Return the epochs of a net, the trees of an ensemble or the passes of what continues.

    For everything else it is ``"n_samples"``, which every estimator takes.
    """
    model, prefix = trained_part(estimator)
    stepper = stepper or stepper_of(model)
    if stepper is None:
        return "n_samples"
    name = prefix + stepper.resource(model)
    # a number of passes is often only a limit, of trees or epochs it is what there will be
    is_amount = not isinstance(stepper, PassesStepper) or continues(estimator, name)
    return name if is_amount else "n_samples"


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
