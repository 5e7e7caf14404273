"""Evaluate one candidate on one fold.

An `Evaluator` runs wherever an executor puts it: in the calling thread, in other threads, or
in worker processes. What it returns is a record, also of what went wrong; it never raises for
a candidate that fails.
"""

from __future__ import annotations

import numbers
import re
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from traceback import format_exc, format_exception
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils import get_tags

from sklearn_hpt import nets
from sklearn_hpt._accuracy import is_plain_accuracy, plain_accuracy
from sklearn_hpt._prefix_cache import (
    PREFIX_CACHE_BYTES,
    Prefix,
    PrefixCache,
    repeatable_steps,
)
from sklearn_hpt._resources import Resource, load_state, save_state
from sklearn_hpt._sharing import parts, view
from sklearn_hpt._sklearn_compat import (
    check_method_params,
    device,
    get_namespace,
    num_samples,
    safe_split,
    sees_predictions_only,
)
from sklearn_hpt._training import FirstSteps, continues, train
from sklearn_hpt._trial import Failure, FoldResult, Scores

_WANTS_TO_WRITE = re.compile(r"read-?only|writ(e)?able", re.IGNORECASE)
_LONGEST_MESSAGE, _LONGEST_DETAILS = 1_000, 10_000
_IMMUTABLE = {int, float, bool, str, type(None)}
# For the fold slices of all workers of a search together. With 256 MiB, five folds of 40 MB
# were kept, but memory touched for the first time cost more than slicing into used memory.
CACHE_BYTES = 64 * 2**20


@dataclass(frozen=True)
class EvaluationPlan:
    """What all evaluations of a search have in common.

    Attributes
    ----------
    estimator : estimator
        What is cloned and given a candidate's parameters.
    X, y : array-like
        All rows; `y` may be None.
    splits : list of (ndarray, ndarray)
        Row numbers of the training and the test side of each fold, frozen for the search.
    scorer : callable
        Called as ``scorer(estimator, X, y, **score_params)``; returns a number or a
        dictionary of numbers.
    fit_params, score_params : mapping
        Metadata for `fit` and for the scorer; what has a value per row is split like `X`.
    return_train_score : bool
        Whether the training side is scored too.
    keep_exceptions : bool
        Whether a failure holds its exception, to be raised.
    n_threads : int or None
        Threads that BLAS and torch may use for one evaluation; None leaves the number as it
        is. It decides in which order they add up, so results are the same to the last digit
        everywhere only if it is.
    resource : Resource or None
        What candidates may be given less of than all.
    cache_pipeline_prefix : bool
        Whether the first steps of a Pipeline are fitted once for all candidates that agree in
        them.
    never_equal : collection of str
        Hyperparameters of which no two candidates have the same value, as they are drawn from
        a continuum.
    trainer : {"auto", "batched", "sequential"}
        Whether nets are trained together, as one program.
    """

    estimator: Any
    X: Any
    y: Any
    splits: list[tuple[np.ndarray, np.ndarray]]
    scorer: Any
    fit_params: Mapping[str, Any] = field(default_factory=dict)
    score_params: Mapping[str, Any] = field(default_factory=dict)
    return_train_score: bool = False
    keep_exceptions: bool = False
    n_threads: int | None = None
    resource: Resource | None = None
    cache_pipeline_prefix: bool = False
    never_equal: Collection[str] = ()
    trainer: str = "sequential"

    @property
    def has_stages(self) -> bool:
        """Whether candidates are trained in stages, and may go on from a state."""
        return self.resource is not None and not self.resource.is_rows

    @property
    def keeps_first_steps(self) -> bool:
        """Whether the fitted first steps of a Pipeline are kept, for others or the next stage."""
        return self.cache_pipeline_prefix or self.has_stages


@dataclass(frozen=True, slots=True)
class Stages:
    """How far a candidate is trained, stage by stage.

    Attributes
    ----------
    amounts : tuple of int
        Amounts of the resource, increasing: those of the trials that this one continues, and
        its own.
    seeds : tuple of int
        Seed of each stage.
    params : tuple of mapping, or None
        Hyperparameters of each stage, where they change while a candidate is trained.
    state_before, state_after : str or None
        Files of the estimator after the last but one stage, and after the last.
    """

    amounts: tuple[int, ...]
    seeds: tuple[int, ...]
    params: tuple[Mapping[str, Any], ...] | None = None
    state_before: str | None = None
    state_after: str | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """One candidate on one fold.

    Attributes
    ----------
    trial, fold : int
        Numbers of the candidate and of the fold.
    params : mapping
        The candidate's hyperparameters.
    seed : int
        Seed of what is random and has no `random_state` of its own (torch).
    time_limit : float or None
        Seconds after which an executor that can kill ends the evaluation.
    callback_ctx : CallbackContext or None
        Set where scikit-learn callbacks reach into the candidate's own `fit`.
    stages : Stages or None
        Set where the search has a resource.
    """

    trial: int
    fold: int
    params: Mapping[str, Any]
    seed: int
    time_limit: float | None = None
    callback_ctx: Any = None
    stages: Stages | None = None


@dataclass(frozen=True, slots=True)
class Fold:
    """The rows and metadata of one fold."""

    X_train: Any
    y_train: Any
    X_test: Any
    y_test: Any
    fit_params: dict[str, Any]
    train_score_params: dict[str, Any]
    test_score_params: dict[str, Any]

    def arrays(self) -> Iterator[Any]:
        """Yield all that one candidate could change for the next."""
        yield from (self.X_train, self.y_train, self.X_test, self.y_test)
        for params in (self.fit_params, self.train_score_params, self.test_score_params):
            yield from params.values()

    def shared(self) -> Fold:
        """Return the same data in objects of a candidate's own."""
        return Fold(
            *map(view, (self.X_train, self.y_train, self.X_test, self.y_test)),
            *(
                {name: view(value) for name, value in params.items()}
                for params in (self.fit_params, self.train_score_params, self.test_score_params)
            ),
        )


class Evaluator:
    """Evaluates tasks of one plan, one after the other.

    Slicing a fold out of a large array can cost more than fitting a cheap model on it.
    Slices are therefore kept for the next candidate, as read-only arrays: of all folds where
    they fit into `cache_bytes`, else of the latest only. A candidate that wants to write into
    its input gets a copy, as does every candidate when the data is not in plain arrays.

    So are the fitted first steps of a Pipeline, with what they made of the folds, if the plan
    says so or candidates are trained in stages: up to `prefix_bytes`.
    """

    def __init__(
        self,
        plan: EvaluationPlan,
        cache_bytes: int = CACHE_BYTES,
        prefix_bytes: int = PREFIX_CACHE_BYTES,
    ) -> None:
        self.plan = plan
        self._prefixes = PrefixCache(prefix_bytes) if plan.keeps_first_steps else None
        self._cache_bytes = cache_bytes
        self._folds: dict[tuple[int, bool, int | None], Fold] = {}
        self._keep_slices = True

    def __call__(self, task: Task) -> FoldResult:
        """Return the record of fitting and scoring the task's candidate on its fold."""
        prefixes = self._prefixes
        shared = self._keep_slices or (prefixes is not None and not prefixes.gives_copies)
        result = self._evaluate(task)
        if shared and result.failure is not None and _WANTS_TO_WRITE.search(result.failure.details):
            self._keep_slices = False
            self._folds.clear()
            if prefixes is not None:
                prefixes.gives_copies = True
            result = self._evaluate(task)
        if prefixes and result.failure is not None and "MemoryError" in result.failure.details:
            prefixes.clear()  # what it holds may be what the candidate lacked
            result = self._evaluate(task, may_cache=False)
        return result

    def _evaluate(self, task: Task, may_cache: bool = True) -> FoldResult:
        times: dict[str, Any] = {}
        try:
            estimator = self.candidate(task)
            fold = self.fold(task, estimator)
            with nets.reproducible(estimator, task.seed, self.plan.n_threads):
                with _timed(times, "fit_time"), _propagated(task, estimator):
                    estimator, n_done = self._begun(task, estimator)
                    prefix = self._prefix(task, estimator) if may_cache else None
                    spent = self._train(estimator, prefix, fold, task.stages, n_done)
                return self.scored(task, estimator, fold, spent, times, prefix)
        except Exception as error:
            return FoldResult(task.trial, task.fold, failure=self.failure(error), **times)

    def candidate(self, task: Task) -> Any:
        """Return what is to be trained, with the hyperparameters that its training begins with."""
        return clone(self.plan.estimator).set_params(**_own_values(_first_params(task)))

    def scored(
        self,
        task: Task,
        estimator: Any,
        fold: Fold,
        spent: int | None,
        times: dict[str, Any],
        prefix: Prefix | None = None,
    ) -> FoldResult:
        """Return the record of a trained candidate."""
        nets.check_converged(estimator)
        test_scores, train_scores, complaint = self._scores(estimator, prefix, fold, times)
        failure = None if complaint is None else _failure(complaint.splitlines()[-1], complaint)
        return FoldResult(
            task.trial, task.fold, test_scores, train_scores, failure=failure, spent=spent, **times
        )

    def trained(self, task: Task) -> Any:
        """Return the task's candidate, trained on its fold.

        Where the state that it would leave is there already, it is that.
        """
        if task.stages is not None and task.stages.state_after is not None:
            state = load_state(task.stages.state_after)
            if state is not None:
                return state
        estimator = self.candidate(task)
        fold = self.fold(task, estimator)
        with nets.reproducible(estimator, task.seed, self.plan.n_threads):
            estimator, n_done = self._begun(task, estimator)
            self._train(estimator, None, fold, task.stages, n_done)
            return estimator

    def _begun(self, task: Task, estimator: Any) -> tuple[Any, int]:
        """Return what is to be trained, from where it is, and how many of its stages are done."""
        stages = task.stages
        if stages is None or stages.state_before is None or not self._continues(estimator):
            return estimator, 0
        state = load_state(stages.state_before)
        return (estimator, 0) if state is None else (state, len(stages.amounts) - 1)

    def _train(
        self,
        estimator: Any,
        prefix: Prefix | None,
        fold: Fold,
        stages: Stages | None,
        n_done: int,
    ) -> int | None:
        """Train an estimator in place, return how much of the resource that took."""
        if stages is None or not self.plan.has_stages:
            with nets.lean_loading(estimator):
                _fit(estimator if prefix is None else prefix, fold)
            return None if stages is None else num_samples(fold.X_train)
        spent = train_in_stages(
            estimator,
            fold.X_train,
            fold.y_train,
            fold.fit_params,
            self.plan,
            stages,
            n_done,
            None if prefix is None else prefix.fit_transform,
        )
        if stages.state_after is not None and self._continues(estimator):
            save_state(estimator, stages.state_after)
        return spent

    def _continues(self, estimator: Any) -> bool:
        resource = self.plan.resource
        return (
            resource is not None
            and not resource.is_rows
            and continues(estimator, resource.name, self.plan.fit_params, resource.stepper)
        )

    def _prefix(self, task: Task, estimator: Any) -> Prefix | None:
        """Return the first steps of a candidate if they can be shared, else None."""
        plan, prefixes = self.plan, self._prefixes
        if prefixes is None or task.callback_ctx is not None:
            return None
        is_staged = task.stages is not None and plan.has_stages
        if is_staged and not self._continues(estimator):  # all of it is fitted anew
            return None
        length, keys = repeatable_steps(
            estimator,
            plan.estimator,
            task.params,
            plan.fit_params,
            plan.score_params,
            () if is_staged else plan.never_equal,  # it comes again itself
        )
        if not length:
            return None
        return Prefix(
            prefixes,
            estimator,
            keys,
            length,
            fold_key=(task.fold, get_tags(estimator).input_tags.pairwise, self._n_rows(task)),
            writable=prefixes.gives_copies or not _respects_read_only(estimator),
            is_inspected=not sees_predictions_only(plan.scorer),
        )

    def _scores(
        self, estimator: Any, prefix: Prefix | None, fold: Fold, times: dict[str, Any]
    ) -> tuple[Scores, Scores | None, str | None]:
        """Return the scores of both sides and what went wrong with one metric of several."""

        def score(side: str, X: Any, y: Any, params: Mapping[str, Any]) -> Any:
            given = (estimator, X) if prefix is None else prefix.for_scoring(side, X)
            return _score(*given, y, self.plan.scorer, params)

        with _timed(times, "score_time"), nets.lean_loading(estimator):
            test_scores, complaint = score("test", fold.X_test, fold.y_test, fold.test_score_params)
        if not self.plan.return_train_score:
            return test_scores, None, complaint
        try:
            with nets.lean_loading(estimator):
                train_scores, train_complaint = score(
                    "train", fold.X_train, fold.y_train, fold.train_score_params
                )
        except Exception as error:  # the test scores stand
            if self.plan.keep_exceptions:
                raise
            train_scores, train_complaint = None, f"{format_exc()}{type(error).__name__}: {error}"
        return test_scores, train_scores, complaint or train_complaint

    def failure(self, error: Exception) -> Failure:
        """Return the record of what a candidate has raised."""
        first_line = str(error).strip().partition("\n")[0]
        message = f"{type(error).__name__}: {first_line}"
        details = "".join(format_exception(error))
        if hint := nets.explain(self.plan.estimator, error):
            message, details = f"{message} ({hint})", f"{details}{hint}\n"
        # an exception holds its frames, and they the fold's data
        exception = error if self.plan.keep_exceptions else None
        return _failure(message, details, exception)

    def fold(self, task: Task, estimator: Any) -> Fold:
        """Return the rows that a candidate is trained and scored on."""
        n_rows = self._n_rows(task)
        if not (self._keep_slices and _respects_read_only(estimator)):
            return self._slice(task.fold, n_rows, estimator)
        key = task.fold, get_tags(estimator).input_tags.pairwise, n_rows
        kept = self._folds.get(key)
        if kept is not None:
            return kept.shared()
        if (len(self._folds) + 1) * self._fold_bytes() > self._cache_bytes:
            self._folds.clear()  # before slicing: two large folds are never held at once
        fold = self._slice(task.fold, n_rows, estimator)
        self._keep_slices = self._can_share(fold)
        if not self._keep_slices:
            return fold
        self._folds[key] = fold
        return fold.shared()

    def _n_rows(self, task: Task) -> int | None:
        """Return how many training rows the task is given, None for all."""
        resource = self.plan.resource
        if resource is None or task.stages is None or not resource.is_rows:
            return None
        return task.stages.amounts[-1]

    def _fold_bytes(self) -> int:
        plan = self.plan
        return sum(
            map(_n_bytes, (plan.X, plan.y, *plan.fit_params.values(), *plan.score_params.values()))
        )

    def _can_share(self, fold: Fold) -> bool:
        """Make the fold's arrays read-only; return False if one must not or cannot be."""
        of_user = [*self.plan.fit_params.values(), *self.plan.score_params.values()]
        arrays = [part for value in fold.arrays() for part in parts(value)]
        for part in arrays:
            is_plain = type(part) is np.ndarray and not part.dtype.hasobject
            if not is_plain or any(part is given for given in of_user):
                return False
        for part in arrays:
            part.flags.writeable = False
        return True

    def _slice(self, number: int, n_rows: int | None, estimator: Any) -> Fold:
        plan = self.plan
        train, test = plan.splits[number]
        if plan.resource is not None:
            train = plan.resource.rows(train, n_rows)
        xp, is_array_api = get_namespace(plan.X)
        if is_array_api:  # rows are numbered on the device that holds them
            on = device(plan.X)
            train, test = xp.asarray(train, device=on), xp.asarray(test, device=on)
        X_train, y_train = safe_split(estimator, plan.X, plan.y, train)
        X_test, y_test = safe_split(estimator, plan.X, plan.y, test, train)
        return Fold(
            X_train,
            y_train,
            X_test,
            y_test,
            check_method_params(plan.X, params=plan.fit_params, indices=train),
            check_method_params(plan.X, params=plan.score_params, indices=train),
            check_method_params(plan.X, params=plan.score_params, indices=test),
        )


def scores_on(plan: EvaluationPlan, estimator: Any, train: np.ndarray, rows: np.ndarray) -> Scores:
    """Return the scores of an estimator that was trained on some rows on others."""
    fold = Evaluator(replace(plan, splits=[(train, rows)]))._slice(0, None, estimator)
    return _score(estimator, fold.X_test, fold.y_test, plan.scorer, fold.test_score_params)[0]


def train_in_stages(
    estimator: Any,
    X: Any,
    y: Any,
    fit_params: Mapping[str, Any],
    plan: EvaluationPlan,
    stages: Stages,
    n_done: int = 0,
    first_steps: FirstSteps | None = None,
) -> int:
    """Train an estimator of which so many stages are done; return how much that took."""
    assert plan.resource is not None

    def seeded(stage: int) -> AbstractContextManager[Any]:
        return nets.reproducible(estimator, stages.seeds[stage], plan.n_threads)

    return train(
        estimator,
        X,
        y,
        fit_params,
        plan.resource.name,
        stages.amounts,
        n_done,
        seeded,
        params=stages.params,
        stepper=plan.resource.stepper,
        first_steps=first_steps,
    )


def _first_params(task: Task) -> Mapping[str, Any]:
    """Return what training begins with."""
    has_own = task.stages is not None and task.stages.params is not None
    return task.stages.params[0] if has_own else task.params  # type: ignore[union-attr,index]


def _failure(message: str, details: str, exception: Exception | None = None) -> Failure:
    return Failure(message[:_LONGEST_MESSAGE], details[-_LONGEST_DETAILS:], exception)


def _own_values(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return values of the candidate's own: estimators among them are cloned (#26786)."""
    return {
        name: value if type(value) in _IMMUTABLE else clone(value, safe=False)
        for name, value in params.items()
    }


def _respects_read_only(estimator: Any) -> bool:
    """Tell whether a candidate cannot write into read-only arrays, as torch.from_numpy can."""
    if "torch" not in sys.modules:
        return True
    parts = [estimator, *estimator.get_params(deep=True).values()]
    modules = (type(part).__module__ for part in parts if hasattr(part, "get_params"))
    return all(module.startswith("sklearn.") for module in modules)


def _n_bytes(value: Any) -> int:
    return sum(getattr(part, "nbytes", 0) for part in parts(value))


@contextmanager
def _timed(times: dict[str, Any], what: str) -> Iterator[None]:
    started = time.perf_counter()
    try:
        yield
    finally:
        times[what] = time.perf_counter() - started


@contextmanager
def _propagated(task: Task, estimator: Any) -> Iterator[None]:
    ctx = task.callback_ctx
    with nullcontext() if ctx is None else ctx.propagate_callback_context(estimator):
        yield


def _fit(estimator: Any, fold: Fold) -> None:
    if fold.y_train is None:
        estimator.fit(fold.X_train, **fold.fit_params)
    else:
        estimator.fit(fold.X_train, fold.y_train, **fold.fit_params)


def _score(
    estimator: Any, X: Any, y: Any, scorer: Any, params: Mapping[str, Any]
) -> tuple[Scores, str | None]:
    """Return the scores and the traceback of the first metric of several that failed."""
    if is_plain_accuracy(scorer, estimator, y, params):
        accuracy = plain_accuracy(y, estimator.predict(X))
        if accuracy is not None:
            return accuracy, None
    given = scorer(estimator, X, **params) if y is None else scorer(estimator, X, y, **params)
    if not isinstance(given, dict):
        return _as_number(given, scorer), None
    complaint = None
    scores = {}
    for name, score in given.items():
        if isinstance(score, str):  # how scikit-learn reports that one of several failed
            complaint = complaint or score
            score = np.nan
        scores[name] = _as_number(score, name)
    return scores, complaint


def _as_number(score: Any, scorer: Any) -> float:
    if hasattr(score, "item"):
        with suppress(ValueError):
            score = score.item()
    if not isinstance(score, numbers.Number):
        raise ValueError(
            f"scoring must return a number, got {score} ({type(score)}) instead. (scorer={scorer})"
        )
    return score  # type: ignore[return-value]
