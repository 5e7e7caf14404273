"""What every search shares: scikit-learn's contract around the one loop."""

from __future__ import annotations

import logging
import math
import numbers
import os
import time
import warnings
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Literal

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.model_selection import check_cv
from sklearn.utils import get_tags, indexable

from sklearn_hpt import nets
from sklearn_hpt._evaluation import EvaluationPlan, Stages, train_in_stages
from sklearn_hpt._executors import Executor, choose_executor, threads_per_worker
from sklearn_hpt._journal import DiskJournal, Journal, NoJournal, fingerprint
from sklearn_hpt._resources import state_folder
from sklearn_hpt._results import (
    Row,
    all_failed,
    candidate_rows,
    metric_names,
    saved_by_continuing,
    to_cv_results,
    warn_about_failures,
)
from sklearn_hpt._selection import best_index
from sklearn_hpt._sklearn_compat import (
    BaseSearchCV,
    HasMethods,
    Interval,
    MultimetricScorer,
    StrOptions,
    callbacks_with,
    check_method_params,
    fit_context,
    has_callbacks,
    num_samples,
    shows_progress,
)
from sklearn_hpt._space_formats import as_space_union
from sklearn_hpt._trial import Trial, derived_seed
from sklearn_hpt._warn import warn
from sklearn_hpt.default_spaces import default_space
from sklearn_hpt.exceptions import (
    SearchStoppedWarning,
    SearchTimeoutError,
    SpaceExhaustedWarning,
)
from sklearn_hpt.racing import RacingPolicy, racing_policy
from sklearn_hpt.samplers import Sampler
from sklearn_hpt.search._agenda import Agenda, FullAgenda
from sklearn_hpt.search._amounts import Request, plan_resource
from sklearn_hpt.search._checks import (
    best_score_to_race,
    check_decides,
    check_estimator,
    check_n_jobs,
    check_parameter_names,
    check_racing,
    check_refit,
    check_repeatable,
    check_resume,
    check_y,
    search_seed,
)
from sklearn_hpt.search._fitted import FittedSearch
from sklearn_hpt.search._loop import LoopSettings, Observer, SearchLoop
from sklearn_hpt.search._observers import (
    CallbackObserver,
    CandidateObserver,
    RefitCheck,
    VerboseObserver,
    verbose_output,
)
from sklearn_hpt.search._progress import ProgressObserver, progress_bar
from sklearn_hpt.search._pruning import warn_if_little_was_better
from sklearn_hpt.search._raced_agenda import RacedAgenda, fold_order
from sklearn_hpt.search._run import SearchRun
from sklearn_hpt.search._warm_start import EarlierResult, earlier_results, summary
from sklearn_hpt.space import SpaceUnion

_log = logging.getLogger("sklearn_hpt")

_LEARNED = (
    "best_estimator_ best_index_ best_params_ best_schedule_ best_score_ cv_results_ "
    "feature_names_in_ fold_order_ holdout_rows_ holdout_score_ multimetric_ n_samples_fit_ "
    "n_splits_ population_history_ refit_time_ resource_ resource_saved_ rounds_ scorer_ "
    "search_time_ stop_reason_ surrogate_"
).split()


class BaseHPTSearchCV(FittedSearch):
    """Base of the searches: everything but which candidates to try.

    A subclass stores its parameters, says how many candidates it wants, and makes a sampler.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseSearchCV._parameter_constraints,
        "random_state": ["random_state", np.random.Generator],
        "timeout": [Interval(numbers.Real, 0, None, closed="neither"), None],
        "candidate_timeout": [Interval(numbers.Real, 0, None, closed="neither"), None],
        "memory_limit": [Interval(numbers.Integral, 1, None, closed="left"), None],
        "journal": [str, os.PathLike, None],
        "resume": [StrOptions({"auto", "must", "never"})],
        "warm_start_from": "no_validation",
        "racing": [StrOptions({"exact", "safe", "fast"}), HasMethods("should_stop"), None],
        "cache_pipeline_prefix": ["boolean"],
        "trainer": [StrOptions({"auto", "batched", "sequential"})],
    }
    _doc_link_module = "sklearn_hpt"
    _changes_params: ClassVar[bool] = False  # while a candidate is trained

    def __init__(
        self,
        estimator: Any,
        *,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: bool | str | Callable[..., int] = True,
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
        warm_start_from: Any = None,
        racing: Literal["exact", "safe", "fast"] | RacingPolicy | None = None,
        cache_pipeline_prefix: bool = False,
        trainer: Literal["auto", "batched", "sequential"] = "sequential",
    ) -> None:
        super().__init__(
            estimator=estimator,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.random_state = random_state
        self.timeout = timeout
        self.candidate_timeout = candidate_timeout
        self.memory_limit = memory_limit
        self.journal = journal
        self.resume = resume
        self.warm_start_from = warm_start_from
        self.racing = racing
        self.cache_pipeline_prefix = cache_pipeline_prefix
        self.trainer = trainer

    def __sklearn_clone__(self) -> Any:
        """Return an unfitted copy that learns from the same earlier search, which stays fitted."""
        copy = super().__sklearn_clone__()
        copy.warm_start_from = self.warm_start_from
        return copy

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # several outputs at a time are the estimator's matter; scikit-learn 1.9 leaves this out
        of_estimator = get_tags(self.estimator).target_tags
        tags.target_tags.multi_output = of_estimator.multi_output
        tags.target_tags.single_output = of_estimator.single_output
        return tags

    # what a subclass says

    @abstractmethod
    def _space(self) -> Any:
        """Return the search space as the user wrote it."""

    @abstractmethod
    def _n_candidates(self) -> int:
        """Return how many candidates the user asks for."""

    @abstractmethod
    def _make_sampler(
        self, space: SpaceUnion, seed: int, n_iter: int, amounts: tuple[int, ...] | None
    ) -> Sampler:
        """Return the sampler that proposes them.

        `n_iter` is the number of candidates that was asked for when the search began; a
        resumed one may ask for more, of the same sampler. `amounts` are those of the resource.
        """

    def _space_union(self) -> SpaceUnion:
        """Return the search space that is meant; "auto" is the default one of the estimator."""
        space = self._space()
        is_auto = isinstance(space, str) and space == "auto"
        return as_space_union(default_space(self.estimator) if is_auto else space)

    def _resource_request(self) -> Request | None:
        """Return what the user says about a resource, None if there is none."""
        return None

    def _n_evaluations(self, space: SpaceUnion, amounts: tuple[int, ...] | None) -> int:
        """Return how many evaluations of candidates there are at most."""
        return space.n_points(self._n_candidates())

    def _what_compares(self) -> str | None:
        """Return what compares candidates before all are evaluated, None if nothing does."""
        return None if self.racing is None else f"racing={self.racing!r}"

    def _check_plan(self, plan: EvaluationPlan, space: SpaceUnion) -> None:
        """Raise if what is to be evaluated does not fit this search."""

    def _ready_to_train(self, estimator: Any, seed: int) -> Any:
        """Return what is cloned for each candidate."""
        return estimator

    def _keeps_best_state(self) -> bool:
        """Tell whether the best trial's fitted estimators are wanted when the search has ended."""
        return False

    def _collect(self, loop: SearchLoop, run: SearchRun) -> None:
        """Take what is wanted of the fitted estimators before they are removed."""

    def _measure(self, run: SearchRun, loop: SearchLoop) -> None:
        """Measure what has been selected."""

    def _rows(self, trials: Sequence[Trial]) -> list[Row]:
        """Return what the rows of `cv_results_` are about."""
        return candidate_rows(trials)

    def _row_of(self, loop: SearchLoop, trial: Trial) -> Row:
        """Return what the row that a trial is in is about so far."""
        return self._rows(loop.lineage(trial))[0]

    def _after_tell(self, space: SpaceUnion) -> Callable[[Trial, float], Any] | None:
        """Return what hears of each candidate in order, and may end the search by True."""
        return None

    def _keep(self, sampler: Sampler) -> None:
        """Keep what a sampler has learned beyond the results."""

    def _about(self) -> dict[str, Any]:
        """Return what else a reader of the journal has to know."""
        return {}

    def _settings(self) -> dict[str, Any]:
        """Return what else decides the results, to be the same when a search is resumed."""
        return {
            "candidate_timeout": self.candidate_timeout,
            "memory_limit": self.memory_limit,
            "racing": self.racing,
            "trainer": self.trainer,
        }

    # fit

    @fit_context(prefer_skip_nested_validation=False)  # the estimator is not validated yet
    def fit(self, X: Any, y: Any = None, **params: Any) -> BaseHPTSearchCV:
        """Evaluate candidates by cross-validation and refit the best one.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_samples)
            Training rows; for a precomputed kernel or distance matrix one column for each row.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Targets; None for unsupervised learning.
        **params : dict of str to object
            Metadata for the `fit` of the estimator, the scorer and the splitter, such as
            `sample_weight` and `groups`. What has a value for each row is split like `X`.

        Returns
        -------
        self : object
            The fitted search.

        Raises
        ------
        SpaceError
            If the search space is empty or wrong, or names a parameter the estimator has not.
        AllCandidatesFailedError
            If no candidate has a score; the message groups the causes.
        SearchTimeoutError
            If `timeout` seconds pass before any candidate is complete.
        JournalError
            If the journal is of another search, is damaged, is in use, or cannot be written.
        """
        self._forget()
        check_estimator(self.estimator)
        self.n_samples_fit_ = num_samples(X)
        check_n_jobs(self.n_jobs)
        check_resume(self.resume, self.journal, self.warm_start_from)
        check_refit(self._deciding_name(), self.scoring)
        space = self._space_union()
        check_parameter_names(self.estimator, space.spaces)
        deciding = self._deciding_name() or (
            self.scoring if isinstance(self.scoring, str) else None
        )
        earlier = earlier_results(self.warm_start_from, space, deciding)
        scorer, metric = self._get_scorers()
        maximum = best_score_to_race(scorer, self._deciding_name(), self.estimator, space.spaces)
        check_decides(self._what_compares(), self.scoring, self.refit)
        check_racing(self.racing, self.scoring, maximum)
        check_y(y, num_samples(X))
        X, y = indexable(X, y)
        X, y = nets.cast_inputs(self.estimator, X), nets.cast_targets(self.estimator, y)
        params = check_method_params(X, params=params)
        routed = self._get_routed_params_for_fit(params)
        weight = params.get("sample_weight")
        metadata = None if weight is None else {"sample_weight": weight}
        root_ctx = self._init_callback_context(max_subtasks=1 + (self.refit is not False))
        root_ctx.call_on_fit_task_begin(estimator=self, X=X, y=y, metadata=metadata)

        seed = search_seed(self.random_state)
        splits, cv = self._frozen_splits(X, y, routed.splitter.split)
        resource, amounts = plan_resource(
            self._resource_request(),
            self._ready_to_train(self.estimator, 0),
            space,
            y,
            splits,
            cv,
            routed.splitter.split.get("groups"),
        )
        plan = EvaluationPlan(
            clone(self.estimator),
            X,
            y,
            splits,
            scorer,
            routed.estimator.fit,
            routed.scorer.score,
            self.return_train_score,
            keep_exceptions=self.error_score == "raise",
            # with other numbers of threads, sums would differ in the last digit
            n_threads=None if self.random_state is None else threads_per_worker(),
            resource=resource,
            cache_pipeline_prefix=bool(self.cache_pipeline_prefix),
            never_equal=frozenset(n for s in space.spaces for n in s if math.isinf(s[n].size)),
            trainer=self.trainer,
        )
        self._check_plan(plan, space)
        self.scorer_ = scorer._scorers if isinstance(scorer, MultimetricScorer) else scorer
        nets.warn_about_train_split(self.estimator, (n for s in space.spaces for n in s))
        journal = self._open_journal(plan, space, seed, earlier, amounts)
        with verbose_output(self.verbose), closing(journal):
            run = self._prepare(plan, space, earlier, metric, journal, amounts, maximum)
            loop = self._search(run, root_ctx)
        self._measure(run, loop)
        if self.refit:
            self._refit(run, loop, root_ctx, metadata)
        root_ctx.call_on_fit_task_end(estimator=self, X=X, y=y, metadata=metadata)
        return self

    def _forget(self) -> None:
        """Drop what an earlier fit learned, lest an interrupted one shows a mixture."""
        for name in _LEARNED:
            self.__dict__.pop(name, None)

    def _frozen_splits(
        self, X: Any, y: Any, split_params: dict[str, Any]
    ) -> tuple[list[tuple[np.ndarray, np.ndarray]], Any]:
        """Split once: an unseeded splitter must not give candidates different folds."""
        cv = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        if self.journal is not None:
            check_repeatable(cv)
        self.n_splits_ = cv.get_n_splits(X, y, **split_params)
        splits = list(cv.split(X, y, **split_params))
        if len(splits) != self.n_splits_:
            raise ValueError(
                "cv.split and cv.get_n_splits return inconsistent results. "
                f"Expected {self.n_splits_} splits, got {len(splits)}"
            )
        if not splits:
            raise ValueError(
                "No fits were performed. Was the CV iterator empty? Were there no candidates?"
            )
        return splits, cv

    def _make_agenda(self, about: Mapping[str, Any], maximum: float | None) -> Agenda:
        """Return what says which folds of the candidates are evaluated."""
        if self.racing is None:
            return FullAgenda(self.n_splits_, self._deciding_name(), self.candidate_timeout)
        self.fold_order_ = np.array(about["fold_order"])
        return RacedAgenda(
            racing_policy(self.racing),
            about["fold_order"],
            maximum,
            self._deciding_name(),
            self.candidate_timeout,
        )

    def _open_journal(
        self,
        plan: EvaluationPlan,
        space: SpaceUnion,
        seed: int,
        earlier: Sequence[EarlierResult],
        amounts: tuple[int, ...] | None,
    ) -> Journal:
        about = {
            "search": type(self).__name__,
            "seed": seed,
            "n_iter": int(self._n_candidates()),
            "deciding_metric": self._deciding_name(),
            **self._about(),
        }
        if self.racing is not None:
            about["fold_order"] = fold_order(self.n_splits_, seed)
        if plan.resource is not None:
            about["resource"] = [plan.resource.name, plan.resource.full]
        if self.journal is None:
            return NoJournal(about)
        settings = {
            "search": type(self).__name__,
            "random_state": None if self.random_state is None else seed,
            "metric that decides": self._deciding_name(),
            "warm_start_from": summary(earlier),
            "resource": None if plan.resource is None else (plan.resource.name, amounts),
            **self._settings(),
        }
        return DiskJournal(self.journal, self.resume, fingerprint(plan, space, settings), about)

    def _prepare(
        self,
        plan: EvaluationPlan,
        space: SpaceUnion,
        earlier: Sequence[EarlierResult],
        metric: Any,
        journal: Journal,
        amounts: tuple[int, ...] | None,
        maximum: float | None,
    ) -> SearchRun:
        """Put together what the search needs, with the seed that the journal was begun with."""
        seed = journal.about["seed"]
        plan = replace(plan, estimator=self._ready_to_train(plan.estimator, seed))
        if plan.resource is not None:
            plan = replace(plan, resource=replace(plan.resource, seed=seed))
        sampler = self._make_sampler(space, seed, journal.about["n_iter"], amounts)
        for known in earlier:
            sampler.tell(known.params, known.score, known.fold_scores)
        wanted, there = (of(self._n_candidates()) for of in (space.n_wanted, space.n_points))
        self._warn_if_exhausted(space, wanted, there)
        agenda = self._make_agenda(journal.about, maximum)
        n_trials = self._n_evaluations(space, amounts)
        is_small = there < wanted
        return SearchRun(
            plan,
            space,
            sampler,
            agenda,
            journal,
            metric,
            n_trials,
            is_small,
            self._changes_params,
        )

    def _search(self, run: SearchRun, root_ctx: Any) -> SearchLoop:
        """Evaluate, record and select."""
        deadline = None if self.timeout is None else time.monotonic() + self.timeout
        self._announce(run)
        search_ctx = root_ctx.subcontext(
            task_name="search",
            max_subtasks=run.n_trials * self.n_splits_,
            sequential_subtasks=False,
        ).call_on_fit_task_begin(estimator=self)
        resource = run.plan.resource
        with state_folder(resource, self.journal) as states:
            settings = LoopSettings(
                run.n_trials,
                self.n_splits_,
                run.seed,
                deciding_metric=self._deciding_name(),
                raise_failures=self.error_score == "raise",
                deadline=deadline,
                candidate_timeout=self.candidate_timeout,
                states=states,
                full_resource=None if resource is None else resource.full,
                changes_params=self._changes_params,
                keeps_best=self._keeps_best_state(),
            )
            start_executor = partial(self._start_executor, run.plan)
            loop = SearchLoop(
                run.sampler,
                run.agenda,
                start_executor,
                run.journal,
                settings,
                after_tell=self._after_tell(run.space),
            )
            loop.observers = self._observers(loop, run, settings, search_ctx)
            with self._progress(loop, run, settings, search_ctx):
                self._run(loop, run)
            self._collect(loop, run)
        self.stop_reason_ = run.why_it_stopped(loop)
        loop.close(f"the search stopped: {self.stop_reason_}")
        try:
            run.journal.end(self.stop_reason_)
        except BaseException:
            self._keep_what_there_is(loop, run)
            raise
        self._record(loop, run)
        self._select(loop, run)
        self._warn_if_stopped(loop, run)
        search_ctx.call_on_fit_task_end(estimator=self)
        return loop

    def _announce(self, run: SearchRun) -> None:
        n_jobs = None if self.n_jobs is None else int(self.n_jobs)
        run.journal.begin_session(run.n_trials, int(self.n_splits_), n_jobs)
        _log.info(
            "Fitting %d folds for each of %d candidates, totalling %d fits"
            if run.plan.resource is None
            else "Fitting %d folds in each of at most %d evaluations, totalling %d fits",
            self.n_splits_,
            run.n_trials,
            run.n_trials * self.n_splits_,
        )
        if run.journal.n_recalled:
            _log.info("%d of them are in the journal already", run.journal.n_recalled)

    def _run(self, loop: SearchLoop, run: SearchRun) -> None:
        """Run the loop; whatever ends it, what is computed is kept."""
        started = time.monotonic()
        try:
            loop.run()
        except BaseException as error:
            loop.close(f"the search was interrupted: {type(error).__name__}")
            self._keep_what_there_is(loop, run)
            raise
        finally:
            self.search_time_ = time.monotonic() - started

    def _start_executor(self, plan: EvaluationPlan) -> Executor:
        must_kill = self.candidate_timeout is not None or self.memory_limit is not None
        return choose_executor(
            plan,
            n_jobs=self.n_jobs,
            pre_dispatch=self.pre_dispatch,
            isolate="always" if must_kill else "if possible" if self.timeout else "no",
            memory_limit=self.memory_limit,
        )

    def _observers(
        self, loop: SearchLoop, run: SearchRun, settings: LoopSettings, search_ctx: Any
    ) -> list[Observer]:
        observers: list[Observer] = []
        if callable(self.scoring):
            observers.append(RefitCheck(self))
        if has_callbacks(search_ctx):
            observers.append(CallbackObserver(self, search_ctx, run.plan))
        if listening := callbacks_with(search_ctx, "on_candidate_end"):
            row_of = partial(self._row_of, loop)
            as_table = partial(self._as_table, loop, run)
            observers.append(
                CandidateObserver(self, search_ctx, listening, loop.trials, row_of, as_table)
            )
        if self.verbose > 1:
            observers.append(
                VerboseObserver(loop.trials, settings.n_splits, settings.n_trials, self.verbose)
            )
        return observers

    def _progress(
        self, loop: SearchLoop, run: SearchRun, settings: LoopSettings, search_ctx: Any
    ) -> AbstractContextManager[None]:
        """Return what shows a bar, unless nothing is to be shown or the caller has a bar."""
        if not self.verbose or shows_progress(search_ctx):
            return nullcontext()
        is_at_most = self.racing is not None or run.plan.resource is not None
        observer = ProgressObserver(loop.trials, settings, is_at_most)
        loop.observers.append(observer)
        return progress_bar(observer)

    def _warn_if_exhausted(self, space: SpaceUnion, wanted: int, there: int) -> None:
        if there < wanted:
            warn(
                f"The total space of parameters {space.size:.0f} is smaller than n_iter={wanted}. "
                f"Running {there} iterations. For exhaustive searches, use GridSearchCV.",
                SpaceExhaustedWarning,
            )

    # record

    def _record(self, loop: SearchLoop, run: SearchRun) -> None:
        """Turn the trials into `cv_results_`; what is computed is kept whatever comes next."""
        self.multimetric_ = metric_names(loop.trials) is not None
        self._keep(run.sampler)
        if not loop.trials:
            return
        resource = run.resource
        if resource is not None:
            self.resource_ = resource[0]
            is_rows = resource[0] == "n_samples"  # no fit goes on with rows
            self.resource_saved_ = 0.0 if is_rows else saved_by_continuing(loop.trials)
        self.cv_results_ = self._as_table(loop, run, self._rows(loop.trials))

    def _as_table(self, loop: SearchLoop, run: SearchRun, rows: Sequence[Row]) -> dict[str, Any]:
        """Return rows as `cv_results_`."""
        return to_cv_results(
            rows,
            self.n_splits_,
            error_score=math.nan if self.error_score == "raise" else float(self.error_score),
            names=metric_names(loop.trials),
            format_results=self._format_results,
            with_status=any((self.timeout, self.candidate_timeout, self.memory_limit)),
            raced=self.racing is not None,
            resource=run.resource,
            deciding_metric=self._deciding_name(),
        )

    def _keep_what_there_is(self, loop: SearchLoop, run: SearchRun) -> None:
        """After an interrupt: results and the best so far, no refit, no warnings."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._record(loop, run)
            deciding = self._deciding_metric(run.metric)
            if not hasattr(self, "cv_results_") or f"mean_test_{deciding}" not in self.cv_results_:
                return
            index = best_index(self.cv_results_, deciding)
            if index is not None:
                self._take(index, deciding, run)

    def _warn_if_stopped(self, loop: SearchLoop, run: SearchRun) -> None:
        warn_about_failures(
            loop.trials, math.nan if self.error_score == "raise" else self.error_score
        )
        if loop.stop_reason in ("timeout", "callback"):
            n_rows = len(self.cv_results_["params"])
            n_candidates = run.n_trials if run.resource is None else n_rows
            is_complete = (
                self.cv_results_.get("status", np.repeat("complete", n_rows)) == "complete"
            )
            n_complete = int(is_complete.sum())
            because = (
                f"timeout={self.timeout} seconds were over"
                if loop.stop_reason == "timeout"
                else "a callback asked for it"
            )
            warn(
                f"The search stopped with {n_complete} of {n_candidates} candidates complete, "
                f"because {because}; the best of them is used.",
                SearchStoppedWarning,
            )

    # select

    def _deciding_name(self) -> str | None:
        """Return which of several metrics decides, as far as `refit` says."""
        return self.refit if isinstance(self.refit, str) else None

    def _deciding_metric(self, metric: Any) -> str:
        if self.multimetric_ and (deciding := self._deciding_name()):
            return deciding
        return metric if isinstance(metric, str) else "score"

    def _select(self, loop: SearchLoop, run: SearchRun) -> None:
        n_complete = sum(trial.status == "complete" for trial in loop.trials)
        if not n_complete and loop.stop_reason in ("timeout", "callback"):
            advice = (
                f"Raise timeout={self.timeout!r}, or make candidates cheaper."
                if loop.stop_reason == "timeout"
                else "Have the callback wait for a candidate."
            )
            raise SearchTimeoutError(
                f"The search stopped ({loop.stop_reason}) before any of its candidates was "
                f"complete; {sum(len(t.results) for t in loop.trials)} folds were evaluated. "
                f"{advice}"
            )
        if callable(self.refit):
            if not n_complete and not self._any_finite():
                raise all_failed(loop.trials)
            self.best_index_ = self._select_best_index(self.refit, run.metric, self.cv_results_)
            self.best_params_ = run.with_full_resource(self.cv_results_["params"][self.best_index_])
            return
        if self.multimetric_ and not self.refit:
            if not n_complete and not self._any_finite():
                raise all_failed(loop.trials)
            return
        deciding = self._deciding_metric(run.metric)
        index = best_index(self.cv_results_, deciding)
        if index is None:
            raise all_failed(loop.trials)
        self._take(index, deciding, run)
        if run.resource is not None and not self._changes_params:
            warn_if_little_was_better(self.cv_results_, index, deciding, run.resource[0])

    def _any_finite(self) -> bool:
        means = [v for k, v in self.cv_results_.items() if k.startswith("mean_test_")]
        return bool(np.isfinite(means).any())

    def _take(self, index: int, metric: str, run: SearchRun) -> None:
        self.best_index_ = index
        self.best_score_ = self.cv_results_[f"mean_test_{metric}"][index]
        self.best_params_ = run.with_full_resource(self.cv_results_["params"][index])

    # refit

    def _refit(self, run: SearchRun, loop: SearchLoop, root_ctx: Any, metadata: Any) -> None:
        X, y = run.plan.X, run.plan.y
        stages = self._stages_of_best(run, loop)
        # cloned, since values may be estimators (scikit-learn #26786)
        changes = None if stages is None else stages.params
        params = self.best_params_ if changes is None else changes[0]
        best = clone(run.plan.estimator).set_params(**clone(params, safe=False))
        refit_ctx = root_ctx.subcontext(task_name="refit-with-best-params")
        with refit_ctx.propagate_callback_context(best):
            refit_ctx.call_on_fit_task_begin(estimator=self, X=X, y=y, metadata=metadata)
            started = time.time()
            best = self._fitted_best(best, stages, run, loop)
            self.refit_time_ = time.time() - started
        self.best_estimator_ = best
        if hasattr(best, "feature_names_in_"):
            self.feature_names_in_ = best.feature_names_in_
        refit_ctx.call_on_fit_task_end(estimator=self, X=X, y=y, metadata=metadata)

    def _stages_of_best(self, run: SearchRun, loop: SearchLoop) -> Stages | None:
        """Return how the best candidate is trained in stages, None for a plain fit."""
        return run.stages_of(self._rows(loop.trials)[self.best_index_], loop, self.n_splits_)

    def _fitted_best(
        self, best: Any, stages: Stages | None, run: SearchRun, loop: SearchLoop
    ) -> Any:
        """Return the best candidate, fitted to all rows."""
        plan = run.plan
        if stages is not None:
            train_in_stages(best, plan.X, plan.y, plan.fit_params, plan, stages)
            return best
        with nets.reproducible(best, derived_seed(run.seed, self.best_index_, self.n_splits_)):
            # not what `fit` returns: some estimators return None
            if plan.y is None:
                best.fit(plan.X, **plan.fit_params)
            else:
                best.fit(plan.X, plan.y, **plan.fit_params)
        return best
