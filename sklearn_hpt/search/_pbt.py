"""Train a population whose members copy the best and change while they are trained."""

from __future__ import annotations

import math
import numbers
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np
from sklearn.base import clone, is_classifier

from sklearn_hpt._evaluation import EvaluationPlan, Evaluator, Stages, Task, scores_on
from sklearn_hpt._members import history, member_rows
from sklearn_hpt._mutation import mutable_names
from sklearn_hpt._results import Row, mean_score
from sklearn_hpt._sklearn_compat import (
    Interval,
    StrOptions,
    check_method_params,
    num_samples,
    safe_indexing,
)
from sklearn_hpt._training import continues, with_seed
from sklearn_hpt._trial import Trial, derived_seed
from sklearn_hpt.ensemble import fold_ensemble
from sklearn_hpt.samplers import PopulationSampler, Sampler
from sklearn_hpt.schedule import Schedule
from sklearn_hpt.search._amounts import Request
from sklearn_hpt.search._base import BaseHPTSearchCV
from sklearn_hpt.search._holdout import held_out_rows, moved
from sklearn_hpt.search._loop import SearchLoop
from sklearn_hpt.search._run import SearchRun
from sklearn_hpt.space import SpaceUnion
from sklearn_hpt.steppers import Stepper
from sklearn_hpt.steppers._choice import stepper_of, trained_part

_CONTINUE = (
    "skorch nets, MLPs, SGD, Perceptron and passive-aggressive models with tol=None, forests and "
    "boosting, also as the last step of a Pipeline"
)


_PLACES = (0.5, 0.05, 0.95)  # points of the space at which it is asked what may change


class PBTSearchCV(BaseHPTSearchCV):
    """Train a population whose members copy the best and change while they are trained.

    Population-based training. All members are trained for a while, on every fold, and scored. Then
    the worst quarter copies the best: their weights, fold by fold, and their hyperparameters, which
    are changed a little, or drawn anew. So a hyperparameter is not a number but a schedule: what is
    found is the sequence of values with which the winner and its ancestors were trained. The refit
    trains with that schedule on all data.

    The best score is that of the best member of any generation on the folds that also decided who
    copies whom: it flatters more than that of a search which scores each candidate once. `holdout`
    measures what the winner is worth on rows that the search has not seen.

    Parameters
    ----------
    estimator : estimator object
        What is tuned: a skorch net, or an estimator of scikit-learn that can be trained on from
        where it is, also as the last step of a Pipeline. It is cloned, never changed.
    param_distributions : dict, list of dict, or "auto"
        The search space, in the formats of `LogRandomSearchCV`; "auto" is that of
        `default_space`. Hyperparameters that can change during training are changed; the others,
        such as the sizes of layers, are drawn for each member of the first generation and go with
        its weights when these are copied.
    population_size : int, default=8
        Number of members, at least 2.
    n_generations : int, default=10
        How often members are scored; in between each is trained with an equal share of the
        resource.
    resource : str, default="auto"
        The parameter that training is counted in. Its value on the estimator is what a member gets
        in all generations together. "auto" takes the epochs of a net, the trees of an ensemble or
        the passes of an MLP or a linear model.
    quantile : float, default=0.25
        Share of the population, in (0, 0.5], that copies others after a generation, at least one
        member. Members without a score always do.
    resample : float, default=0.25
        Probability that a hyperparameter is drawn anew when it changes.
    step : float, default=0.1
        Standard deviation of the other changes, in units of the hyperparameter's range on the scale
        of its prior; for choices, the probability of another one. Changes stay in the space.
    burn_in : int, default=1
        Number of generations after which nobody copies yet.
    explore : {"perturb", "pb2"}, default="perturb"
        How hyperparameters that change are found: by the steps above, or as a Gaussian process
        expects most improvement of them, which paid in simulations of small populations.
    exploit_every : tuple of int, default=(1,)
        The population is divided into as many parts, whose worst copy their best after so many
        generations. (1, 4) has a part that is less greedy, and exchanges members between the two;
        it is meant for populations of 16 and more.
    initial_params : list of dict, default=None
        Hyperparameters of the first members, such as those known to be good: each has all that are
        searched. The others are drawn.
    stepper : Stepper, default=None
        How the estimator is trained in steps, if it is none of those below: see
        `sklearn_hpt.steppers.Stepper`.
    scoring : str, callable, list, tuple or dict, default=None
        How predictions are scored, as in RandomizedSearchCV. None is the estimator's `score`.
        With several metrics `refit` names the one that decides.
    n_jobs : int, default=None
        Number of evaluations at a time. None is 1, unless in a `joblib.parallel_config`; -1
        uses all processors. More than one run in supervised processes: a member that crashes its
        process counts as failed. Inside ``joblib.parallel_config`` with another backend, that
        backend is used. For a net on "cuda", None and -1 mean one process for each device, and
        more are spread over the devices in turn.
    refit : bool or str, default=True
        Whether to train on all data with the best schedule; with several metrics, the name of the
        one that decides. "ensemble" trains nothing: the models of the winner, one for each fold,
        predict together by the mean of their probabilities or values. It takes one metric.
    holdout : float or array-like of int, default=None
        Share of the rows, in (0, 1), or their numbers, that the search does not see. The winner is
        trained on the others and scored on these: `holdout_score_`. A share keeps the proportions
        of classes and groups whole; with folds in the order of time it is the latest rows. The
        refit afterwards uses all rows.
    cv : int, cross-validation generator or iterable, default=None
        The folds, as in RandomizedSearchCV; None is 5-fold. They are drawn once.
    verbose : int, default=0
        1 tells the number of fits, with a progress bar in a terminal or notebook where rich is
        installed; 2 tells each fit and its time, 3 its score.
    pre_dispatch : int or str, default="2*n_jobs"
        Passed to joblib where one of its backends runs the fits; without effect otherwise.
    random_state : int, RandomState, Generator, default=None
        Seed. With an int the results are the same in every run and for every `n_jobs`, as far
        as the estimator is reproducible itself. An estimator whose own `random_state` is None gets
        one that is derived from it.
    error_score : 'raise' or float, default=np.nan
        Score of a fit that fails. 'raise' ends the search at the first failure.
    return_train_score : bool, default=False
        Whether `cv_results_` has the scores on the training sides.
    timeout : float, default=None
        Seconds for the whole search without the refit; the best member so far is used.
    candidate_timeout : float, default=None
        Seconds for one member in one generation, the sum over its folds. One that takes longer is
        killed and counts as failed.
    memory_limit : int, default=None
        Bytes that a worker process may allocate beyond the data, on Linux.
    journal : str or path-like, default=None
        File in which every finished fold is recorded at once. A search that was killed goes on from
        there when it is fitted again: the trained members wait in a folder beside it. Members that
        are not there are trained again, with the same result.
    resume : {"auto", "must", "never"}, default="auto"
        What to do with `journal`: "auto" continues it if it exists, "must" raises if it does
        not, "never" raises if it does.
    trainer : {"auto", "batched", "sequential"}, default="auto"
        How skorch nets are trained. "batched" trains all candidates of one architecture, on all
        folds, together in this process, as one program; "auto" does so where that is faster, and
        warns where it cannot be done; "sequential" trains each by itself, in `n_jobs` processes.
        Their weights are the same up to rounding, except that dropout draws other masks. What is
        trained together is trained to its end: `timeout` and Ctrl-C wait for it.

    Attributes
    ----------
    cv_results_ : dict of str to array
        One row for each member, which shows its best generation: scores, `params`, `resource` (how
        much it had had then), `resource_spent` (in all generations), `learning_curve`.
    population_history_ : dict of str to array
        One row for each member in each generation: `generation`, `member`, `parent` (whose training
        it went on with, -1 at the beginning), `resource`, `params`, `mean_test_score` and the
        scores of the folds.
    best_schedule_ : Schedule
        With what the best member was trained from the beginning: print it, write it with `to_json`,
        or train any estimator with it by `sklearn_hpt.schedule.replay_schedule`.
    best_params_ : dict
        Its last hyperparameters, with how much of the resource it had had.
    search_time_ : float
        Seconds that the search took, without the refit and what earlier sessions of a journal did.
    n_samples_fit_ : int
        Number of rows that were searched on, with those of `holdout`.
    best_score_ : float
        Its mean score. It flatters: members were chosen by it in each generation.
    best_score_corrected_ : float
        NaN: what is chosen while members are trained is not seen; `holdout` measures.
    best_estimator_ : estimator
        What was trained with the best schedule on all data, or the ensemble.
    holdout_score_ : float or dict of str to float
        Score of the winner on the rows of `holdout`, if these were asked for.
    holdout_rows_ : ndarray of int
        Their numbers.

    See Also
    --------
    CoarseToFineSearchCV : Hyperparameters that stay; bad candidates are not trained to the end.
    sklearn_hpt.schedule.replay_schedule : Train with a schedule, without a search.

    References
    ----------
    M. Jaderberg et al., "Population Based Training of Neural Networks", arXiv:1711.09846 (2017).

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.neural_network import MLPClassifier
    >>> from sklearn_hpt import PBTSearchCV
    >>> X, y = load_digits(return_X_y=True)
    >>> search = PBTSearchCV(
    ...     MLPClassifier((32,), batch_size=50, max_iter=20),
    ...     {
    ...         "learning_rate_init": (1e-5, 1e-1, "log-uniform"),
    ...         "alpha": (1e-6, 1e1, "log-uniform"),
    ...     },
    ...     population_size=4,
    ...     n_generations=5,
    ...     cv=2,
    ...     random_state=0,
    ... ).fit(X[:600] / 16, y[:600])
    >>> bool(search.best_score_ > 0.8)
    True
    >>> search.best_schedule_.amounts[-1] == search.best_params_["max_iter"]
    True
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseHPTSearchCV._parameter_constraints,
        "param_distributions": [dict, list, tuple, SpaceUnion, StrOptions({"auto"})],
        "population_size": [Interval(numbers.Integral, 2, None, closed="left")],
        "n_generations": [Interval(numbers.Integral, 1, None, closed="left")],
        "resource": [str],
        "quantile": [Interval(numbers.Real, 0, 0.5, closed="right")],
        "resample": [Interval(numbers.Real, 0, 1, closed="both")],
        "step": [Interval(numbers.Real, 0, None, closed="left")],
        "burn_in": [Interval(numbers.Integral, 0, None, closed="left")],
        "explore": [StrOptions({"perturb", "pb2"})],
        "exploit_every": [list, tuple],
        "initial_params": [list, tuple, None],
        "stepper": [Stepper, None],
        "refit": ["boolean", str],
        "holdout": [Interval(numbers.Real, 0, 1, closed="neither"), "array-like", None],
    }
    _changes_params = True

    def __init__(
        self,
        estimator: Any,
        param_distributions: Any,
        *,
        population_size: int = 8,
        n_generations: int = 10,
        resource: str = "auto",
        quantile: float = 0.25,
        resample: float = 0.25,
        step: float = 0.1,
        burn_in: int = 1,
        explore: Literal["perturb", "pb2"] = "perturb",
        exploit_every: Sequence[int] = (1,),
        initial_params: Sequence[Mapping[str, Any]] | None = None,
        stepper: Stepper | None = None,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: bool | str = True,
        holdout: float | Sequence[int] | None = None,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: int | str = "2*n_jobs",
        random_state: Any = None,
        error_score: float | Literal["raise"] = np.nan,
        return_train_score: bool = False,
        timeout: float | None = None,
        candidate_timeout: float | None = None,
        memory_limit: int | None = None,
        journal: str | os.PathLike[str] | None = None,
        resume: Literal["auto", "must", "never"] = "auto",
        trainer: Literal["auto", "batched", "sequential"] = "auto",
    ) -> None:
        self.param_distributions = param_distributions
        self.population_size = population_size
        self.n_generations = n_generations
        self.resource = resource
        self.quantile = quantile
        self.resample = resample
        self.step = step
        self.burn_in = burn_in
        self.explore = explore
        self.exploit_every = exploit_every
        self.initial_params = initial_params
        self.stepper = stepper
        self.holdout = holdout
        super().__init__(
            estimator,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            random_state=random_state,
            error_score=error_score,
            return_train_score=return_train_score,
            timeout=timeout,
            candidate_timeout=candidate_timeout,
            memory_limit=memory_limit,
            journal=journal,
            resume=resume,
            trainer=trainer,
        )

    def _space(self) -> Any:
        return self.param_distributions

    def _n_candidates(self) -> int:
        return self.population_size

    def _n_evaluations(self, space: SpaceUnion, amounts: tuple[int, ...] | None) -> int:
        return self.population_size * self.n_generations

    def _warn_if_exhausted(self, space: SpaceUnion, wanted: int, there: int) -> None:
        """Members may be equal: they are trained on, not proposed again."""

    def _settings(self) -> dict[str, Any]:
        names = (
            "population_size quantile resample step burn_in initial_params explore exploit_every"
        ).split()
        return {**super()._settings(), **{name: getattr(self, name) for name in names}}

    def _about(self) -> dict[str, Any]:
        return {"population_size": int(self.population_size)}

    def _what_compares(self) -> str | None:
        return "PBTSearchCV"

    def _resource_request(self) -> Request:
        shares = np.arange(1, self.n_generations + 1) / self.n_generations
        return Request(self.resource, [float(share) for share in shares], stepper=self.stepper)

    def _check_plan(self, plan: EvaluationPlan, space: SpaceUnion) -> None:
        resource = plan.resource
        estimator = with_seed(plan.estimator, 0)
        if (
            resource is None
            or resource.is_rows
            or not continues(estimator, resource.name, plan.fit_params, self.stepper)
        ):
            raise ValueError(
                f"PBTSearchCV trains each member on from where it is, which {plan.estimator!r} "
                f"cannot be with resource={self.resource!r}. What can: {_CONTINUE}. MLPs "
                "and linear models must not stop early (early_stopping=False), GradientBoosting "
                "neither (n_iter_no_change=None), and what a net's train_split draws must be "
                "seeded (random_state=0)."
            )
        if self.refit == "ensemble" and is_classifier(plan.estimator) and np.ndim(plan.y) > 1:
            raise ValueError(
                "refit='ensemble' averages the probabilities of one target; y has several. Use "
                "refit=True."
            )
        searched = {name for one in space.spaces for name in one}
        tuned = _mutable(estimator, space, self.stepper)
        if not tuned:
            can = ", ".join(sorted(mutable_names(estimator, self.stepper))) or "none"
            raise ValueError(
                f"param_distributions={sorted(searched)!r} has nothing that can change while "
                f"{_model_name(estimator)} is trained; what can: {can}. Add one of them, or use a "
                "search in which hyperparameters stay, such as CoarseToFineSearchCV."
            )
        model, prefix = trained_part(estimator)
        stepper = self.stepper or stepper_of(model)
        assert stepper is not None
        stepper.check(model, [name.removeprefix(prefix) for name in tuned])

    def _ready_to_train(self, estimator: Any, seed: int) -> Any:
        return with_seed(estimator, derived_seed(seed))

    def _make_sampler(
        self, space: SpaceUnion, seed: int, n_iter: int, amounts: tuple[int, ...] | None
    ) -> Sampler:
        assert amounts is not None
        return PopulationSampler(
            space,
            amounts,
            population_size=self.population_size,
            mutable=_mutable(self.estimator, space, self.stepper),
            quantile=self.quantile,
            resample=self.resample,
            step=self.step,
            burn_in=self.burn_in,
            initial_params=self.initial_params,
            explore=self.explore,
            exploit_every=self.exploit_every,
            random_state=seed,
        )

    def _deciding_name(self) -> str | None:
        return None if self.refit == "ensemble" else super()._deciding_name()

    # rows that the search does not see

    def _frozen_splits(
        self, X: Any, y: Any, split_params: dict[str, Any]
    ) -> tuple[list[tuple[np.ndarray, np.ndarray]], Any]:
        splits, cv = super()._frozen_splits(X, y, split_params)
        if self.holdout is None:
            return splits, cv
        if not (self.cv is None or isinstance(self.cv, numbers.Integral)) and not hasattr(
            self.cv, "split"
        ):
            raise ValueError(
                "holdout needs a cv that can split the other rows anew; this one is given in row "
                "numbers. Leave some rows out of them, and score on these after the search."
            )
        held = held_out_rows(
            self.holdout, X, y, split_params.get("groups"), self.estimator, splits, cv
        )
        self.holdout_rows_ = held
        others = np.setdiff1d(np.arange(num_samples(X)), held)
        of_others = check_method_params(X, split_params, indices=others)
        X, y = (None if part is None else safe_indexing(part, others) for part in (X, y))
        splits, cv = super()._frozen_splits(X, y, of_others)
        return moved(splits, others), cv

    def _measure(self, run: SearchRun, loop: SearchLoop) -> None:
        if self.holdout is None:
            return
        plan, stages = run.plan, self._stages_of_best(run, loop)
        held = self.holdout_rows_
        others = np.setdiff1d(np.arange(num_samples(plan.X)), held)
        if self.refit == "ensemble":
            winner = self._ensemble
        else:
            task = Task(0, 0, self.best_params_, derived_seed(run.seed), stages=stages)
            winner = Evaluator(replace(plan, splits=[(others, held)])).trained(task)
        self.holdout_score_ = scores_on(plan, winner, others, held)

    # an ensemble of the folds

    def _keeps_best_state(self) -> bool:
        return self.refit == "ensemble"

    def _collect(self, loop: SearchLoop, run: SearchRun) -> None:
        if self.refit != "ensemble":
            return
        shown = [row.shown for row in self._rows(loop.trials)]
        complete = [trial for trial in shown if trial.status == "complete"] or shown
        scores = [mean_score(trial, None) for trial in complete]
        if np.isfinite(scores).any():
            best = complete[int(np.nanargmax(scores))]
            evaluator = Evaluator(run.plan)
            self._ensemble = fold_ensemble(
                [evaluator.trained(loop.task_of(best, fold)) for fold in range(self.n_splits_)]
            )

    def _fitted_best(
        self, best: Any, stages: Stages | None, run: SearchRun, loop: SearchLoop
    ) -> Any:
        if self.refit == "ensemble":
            return self.__dict__.pop("_ensemble")
        return super()._fitted_best(best, stages, run, loop)

    @property
    def best_score_corrected_(self) -> float:
        """NaN: what is chosen while members are trained is not seen; `holdout` measures."""
        return self.best_score_ * math.nan  # an AttributeError says that there is no score

    def _rows(self, trials: Sequence[Trial]) -> list[Row]:
        return member_rows(trials, self.population_size, self._deciding_name())

    def _row_of(self, loop: SearchLoop, trial: Trial) -> Row:
        size = self.population_size
        return self._rows(loop.trials[trial.number % size :: size])[0]

    def _record(self, loop: SearchLoop, run: SearchRun) -> None:
        super()._record(loop, run)
        self.population_history_ = history(loop.trials, self.population_size, self._deciding_name())

    def _select(self, loop: SearchLoop, run: SearchRun) -> None:
        super()._select(loop, run)
        if run.resource is not None and hasattr(self, "best_index_"):
            lineage = loop.lineage(self._rows(loop.trials)[self.best_index_].shown)
            self.best_schedule_ = _schedule_of(lineage, run.resource[0])


def _mutable(estimator: Any, space: SpaceUnion, stepper: Stepper | None) -> set[str]:
    """Return what may change of what is searched, with any values that it may have at first."""
    found: set[str] = set()
    for one in space.spaces:
        for place in _PLACES:
            params = {name: dimension.from_unit(place) for name, dimension in one.items()}
            with_params = clone(with_seed(estimator, 0)).set_params(**params)
            found |= mutable_names(with_params, stepper) & one.keys()
    return found


def _model_name(estimator: Any) -> str:
    return type(trained_part(estimator)[0]).__name__


def _schedule_of(lineage: Sequence[Trial], resource: str) -> Schedule:
    """Return what a lineage was trained with, from its first trial to its last."""
    ends = [0, *(int(trial.resource or 0) for trial in lineage)]
    return Schedule(
        resource,
        [(ends[i + 1] - ends[i], dict(trial.params)) for i, trial in enumerate(lineage)],
    )
