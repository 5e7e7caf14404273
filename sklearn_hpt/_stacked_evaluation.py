"""Evaluate many candidates on many folds at once, where they are nets of one architecture."""

from __future__ import annotations

import time
from collections.abc import Hashable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from sklearn_hpt import nets
from sklearn_hpt._evaluation import EvaluationPlan, Evaluator, Fold, Stages, Task
from sklearn_hpt._mutation import change
from sklearn_hpt._pipelines import is_repeatable
from sklearn_hpt._resources import load_state, save_state
from sklearn_hpt._trial import Failure, FoldResult
from sklearn_hpt.nets._batches import drawn_batches
from sklearn_hpt.nets._eligible import loader_settings, own_of_each, why_not_together
from sklearn_hpt.nets._epochs import WatchedNet, is_watched
from sklearn_hpt.nets._skorch import find_nets
from sklearn_hpt.nets._stack import CannotStack
from sklearn_hpt.nets._stacked_training import (
    as_tensors,
    check_agreement,
    train_together,
    write_history,
)
from sklearn_hpt.steppers._choice import trained_part
from sklearn_hpt.steppers._net import NetStepper

_NET = NetStepper()
_PLAIN = (bool, int, float, str, type(None))


@dataclass
class Prepared:
    """A task, what it is to train, and what it has in common with those it is trained with."""

    task: Task
    estimator: Any
    key: tuple[Hashable, tuple[int, ...]] | None  # architecture, amounts of the resource


@dataclass
class _Member:
    """A candidate on a fold, in a group that is trained together."""

    task: Task
    architecture: Hashable
    estimator: Any
    fold: Fold
    stages: Stages
    n_done: int
    seconds: float = 0.0
    failure: Failure | None = None

    @property
    def net(self) -> Any:
        return trained_part(self.estimator)[0]

    @property
    def spent(self) -> int | None:
        """How much of the resource its training has taken."""
        if self.task.stages is None:
            return None
        amounts = self.stages.amounts
        return amounts[-1] - (amounts[self.n_done - 1] if self.n_done else 0)


def why_not_stacked(plan: EvaluationPlan) -> str | None:
    """Return why no candidates of a search can be trained together, None if some may be."""
    model, prefix = trained_part(plan.estimator)
    found = find_nets(plan.estimator)
    if not found:
        return "it is no net of skorch"
    if len(found) > 1 or found[0] is not model:
        return "the net is not the last step of a Pipeline, or there are several"
    if model is not plan.estimator and type(plan.estimator) is not Pipeline:
        return f"{type(plan.estimator).__name__} may do more than a Pipeline"
    if getattr(plan.estimator, "transform_input", None) is not None:
        return "transform_input is set"
    if plan.resource is not None and plan.resource.name != f"{prefix}max_epochs":
        return f"{plan.resource.name} is the resource, not the epochs"
    if plan.fit_params:
        return f"fit is given {', '.join(plan.fit_params)}"
    if plan.cache_pipeline_prefix:
        return "cache_pipeline_prefix is set"
    if not isinstance(plan.y, np.ndarray):
        return f"y is of type {type(plan.y).__name__}"
    if model is plan.estimator and not isinstance(plan.X, np.ndarray):
        return f"X is of type {type(plan.X).__name__}"
    return why_not_together(model)


class Features:
    """What nets are trained on: the rows of the search, or what first steps make of a fold.

    First steps with equal parameters are fitted once for each fold.

    Parameters
    ----------
    plan : EvaluationPlan
        What is evaluated.
    """

    def __init__(self, plan: EvaluationPlan) -> None:
        self._plan = plan
        self._made: dict[Hashable, tuple[list[Any], np.ndarray]] = {}

    def of(
        self, task: Task, estimator: Any, fold: Fold
    ) -> tuple[Hashable, np.ndarray, np.ndarray, np.ndarray]:
        """Return a key, features and targets, and which of these rows a task is trained on."""
        plan = self._plan
        model, _ = trained_part(estimator)
        if model is estimator:
            train = plan.splits[task.fold][0]
            if plan.resource is not None and task.stages is not None:
                train = plan.resource.rows(train, task.stages.amounts[-1])
            return None, plan.X, plan.y, np.asarray(train)
        key = task.fold, len(fold.y_train), _plain_params(estimator) or task.trial
        if key not in self._made:
            X = estimator[:-1].fit_transform(fold.X_train, fold.y_train)
            if not isinstance(X, np.ndarray):
                raise CannotStack(
                    f"the steps before the net give a {type(X).__name__}, not an array"
                )
            if len(self._made) >= 2 * len(plan.splits):
                self._made.clear()
            self._made[key] = [step for _, step in estimator.steps[:-1]], X
        steps, X = self._made[key]
        names = [name for name, _ in estimator.steps]
        estimator.steps[:-1] = zip(names, deepcopy(steps), strict=False)
        return key, X, fold.y_train, np.arange(len(X))


def _part(value: Any) -> Hashable:
    """Return a part of a key: equal for equal plain values, or for one and the same object.

    The space holds the objects that are searched, so that their addresses are not used again.
    """
    return (type(value), repr(value)) if type(value) in _PLAIN else id(value)


def _plain_params(pipeline: Any) -> Hashable:
    """Return the parameters of the first steps, None if they may not be all that decides."""
    first = pipeline.steps[:-1]
    if not all(is_repeatable(step) for _, step in first):
        return None
    params = [(n, v) for _, step in first for n, v in sorted(step.get_params(deep=False).items())]
    if any(type(value) not in _PLAIN for _, value in params):
        return None
    return tuple((type(step), name) for name, step in first), tuple(map(repr, params))


class Arrays:
    """Rows of several arrays, numbered one after the other."""

    def __init__(self) -> None:
        self._starts: dict[Hashable, int] = {}
        self._parts: list[tuple[np.ndarray, np.ndarray]] = []
        self._n_rows = 0

    def add(self, key: Hashable, X: np.ndarray, y: np.ndarray) -> int:
        """Return at which number the rows of an array begin."""
        if key not in self._starts:
            self._starts[key] = self._n_rows
            self._parts.append((X, y))
            self._n_rows += len(X)
        return self._starts[key]

    def tensors(self, device: Any) -> tuple[Any, Any]:
        """Return all features and targets on a device."""
        return as_tensors(self._parts, device)


class StackedEvaluator:
    """Evaluates tasks of one plan that train nets of one architecture.

    Parameters
    ----------
    plan : EvaluationPlan
        What is evaluated, for which `why_not_stacked` has no reason.
    """

    def __init__(self, plan: EvaluationPlan) -> None:
        self.plan = plan
        self._evaluator = Evaluator(plan)
        self._own: dict[Hashable, frozenset[str]] = {}
        self._agree: set[Hashable] = set()
        self._features = Features(plan)
        self._deadline: float | None = None

    def prepared(self, task: Task) -> Prepared:
        """Return a task with what it is to train; its key is None if that is trained alone."""
        try:
            estimator = self._evaluator.candidate(task)
        except Exception:  # which it will raise again where it is evaluated
            return Prepared(task, None, None)
        net, prefix = trained_part(estimator)
        if not find_nets(net) or why_not_together(net) is not None:
            return Prepared(task, None, None)
        if task.stages is not None and not _NET.can_train_on(net, {}):  # it is fitted anew
            return Prepared(task, None, None)
        own = {prefix + name for name in self._own_of(net, net.get_params())}
        shared = tuple(
            (name, _part(value)) for name, value in sorted(task.params.items()) if name not in own
        )
        amounts = () if task.stages is None else task.stages.amounts
        return Prepared(task, estimator, ((type(net), shared), amounts))

    def _own_of(self, net: Any, params: Mapping[str, Any]) -> frozenset[str]:
        of_module = [(n, repr(v)) for n, v in params.items() if n.startswith("module__")]
        key = net.module, net.optimizer, tuple(sorted(of_module))
        if key not in self._own:
            self._own[key] = own_of_each(net)
        return self._own[key]

    def __call__(
        self, group: Sequence[Prepared], deadline: float | None = None
    ) -> list[FoldResult]:
        """Return the record of each of a group with one key.

        Raises
        ------
        CannotStack
            If they cannot be trained as one program.
        OutOfTime
            If that is not done at the deadline, in the time of `time.monotonic`.
        """
        self._deadline = deadline
        started = time.perf_counter()
        folds: dict[Hashable, Fold] = {}
        members = [self._member(one, folds) for one in group]
        last = max(len(member.stages.amounts) for member in members)
        for stage in range(last):
            trained = [m for m in members if m.n_done <= stage and m.failure is None]
            if trained:
                self._train(trained, stage)
        seconds = (time.perf_counter() - started) / len(group)
        return [self._result(member, seconds) for member in members]

    def _member(self, one: Prepared, folds: dict[Hashable, Fold]) -> _Member:
        task, estimator, stages, n_done = one.task, one.estimator, one.task.stages, 0
        if task.fold not in folds:  # of one amount of a resource, as all of the group
            folds[task.fold] = self._evaluator.fold(task, estimator)
        fold = folds[task.fold]
        if stages is None:
            stages = Stages((trained_part(estimator)[0].max_epochs,), (task.seed,))
        elif stages.state_before is not None:
            state = load_state(stages.state_before)
            if state is not None:
                estimator, n_done = state, len(stages.amounts) - 1
        assert one.key is not None
        return _Member(task, one.key[0], estimator, fold, stages, n_done)

    def _train(self, members: Sequence[_Member], stage: int) -> None:
        """Train members through a stage; what fails by itself is noted, the others go on."""
        arrays, ready = Arrays(), []
        for member in members:
            with nets.reproducible(member.estimator, member.stages.seeds[stage]):
                try:
                    course = self._course(member, stage, arrays)
                except CannotStack:
                    raise
                except Exception as error:
                    member.failure = self._evaluator.failure(error)
                else:
                    ready += [] if course is None else [(member, course)]
        if not ready:
            return
        found = [member for member, _ in ready]
        first = found[0]
        X, y = arrays.tensors(first.net.device)
        with nets.reproducible(first.estimator, first.stages.seeds[stage], self.plan.n_threads):
            if isinstance(ready[0][1], WatchedNet):
                self._train_epochs(found, [course for _, course in ready], X, y, stage)
            else:
                self._train_all(found, [course for _, course in ready], X, y)

    def _course(self, member: _Member, stage: int, arrays: Arrays) -> Any:
        """Make a member ready for a stage; return what it is to go through, None for nothing.

        That is the batches of all epochs, or a net that something is done with in between.
        """
        stages, estimator, net = member.stages, member.estimator, member.net
        before = stages.amounts[stage - 1] if stage else 0
        if stage and stages.params is not None:
            change(estimator, stages.params[stage])
        net.set_params(max_epochs=stages.amounts[stage])
        if not stage:
            net.initialize()
        elif _NET.has_stopped(net, before):
            return None
        key, X, y, rows = self._features.of(member.task, estimator, member.fold)
        numbers = arrays.add(key, X, y) + rows
        if is_watched(net):
            return WatchedNet(net, X[rows], y[rows], numbers, before)
        net.check_data(X[rows], y[rows])
        n_epochs = stages.amounts[stage] - before
        drawn = drawn_batches(len(rows), n_epochs, **loader_settings(net))
        return [[numbers[batch] for batch in epoch] for epoch in drawn]

    def _train_all(self, members: Sequence[_Member], batches: Any, X: Any, y: Any) -> None:
        self._check_agreement(members, batches, X, y)
        found, started = [member.net for member in members], time.perf_counter()
        losses = train_together(found, X, y, batches, self._deadline)
        write_history(found, batches, losses, time.perf_counter() - started)

    def _train_epochs(
        self, members: Sequence[_Member], watched: Sequence[WatchedNet], X: Any, y: Any, stage: int
    ) -> None:
        amounts = members[0].stages.amounts
        for _ in range(amounts[stage] - (amounts[stage - 1] if stage else 0)):
            begun = [(i, one.begin_epoch()) for i, one in enumerate(watched) if not one.has_stopped]
            going = [(i, batches) for i, batches in begun if not watched[i].has_stopped]
            if not going:
                break
            epochs = [[batches] for _, batches in going]
            self._check_agreement([members[i] for i, _ in going], epochs, X, y)
            together = [watched[i].net for i, _ in going]
            losses = train_together(together, X, y, epochs, self._deadline)
            for column, (i, batches) in enumerate(going):
                watched[i].end_epoch(batches, losses[: len(batches), column])
        for member, one in zip(members, watched, strict=True):
            one.end()
            if one.error is not None:
                member.failure = self._evaluator.failure(one.error)

    def _check_agreement(self, members: Sequence[_Member], batches: Any, X: Any, y: Any) -> None:
        """Compare a first step of the first and the last of an architecture, once."""
        architecture = members[0].architecture
        if architecture not in self._agree:
            ends = [0, -1] if len(members) > 1 else [0]
            with nets.reproducible(members[0].estimator, members[0].stages.seeds[0]):
                check_agreement([members[i].net for i in ends], X, y, [batches[i] for i in ends])
            self._agree.add(architecture)

    def _result(self, member: _Member, seconds: float) -> FoldResult:
        task = member.task
        times: dict[str, Any] = {"fit_time": seconds}
        if member.failure is not None:
            return FoldResult(task.trial, task.fold, failure=member.failure, **times)
        try:
            if task.stages is not None and task.stages.state_after is not None:
                save_state(member.estimator, task.stages.state_after)
            with nets.reproducible(member.estimator, task.seed, self.plan.n_threads):
                return self._evaluator.scored(
                    task, member.estimator, member.fold, member.spent, times
                )
        except Exception as error:
            return FoldResult(
                task.trial, task.fold, failure=self._evaluator.failure(error), **times
            )
