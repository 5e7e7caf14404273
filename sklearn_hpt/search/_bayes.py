"""Bayesian optimisation: each candidate is chosen by what the earlier ones have shown."""

from __future__ import annotations

import numbers
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from scipy.optimize import OptimizeResult
from sklearn.utils.validation import check_is_fitted

from sklearn_hpt._sklearn_compat import Interval, StrOptions
from sklearn_hpt._trial import Trial
from sklearn_hpt.racing import RacingPolicy
from sklearn_hpt.samplers import BayesianSampler, Sampler, SuccessiveHalvingSampler
from sklearn_hpt.samplers._candidates import alternative_of
from sklearn_hpt.search._amounts import Request
from sklearn_hpt.search._base import BaseHPTSearchCV
from sklearn_hpt.search._pruning import with_rungs
from sklearn_hpt.search._skopt import as_callbacks, optimizer_results, warn_about_leftovers
from sklearn_hpt.search._warm_start import own_parameters
from sklearn_hpt.space import Params, SpaceUnion


class BayesSearchCV(BaseHPTSearchCV):
    """Bayesian optimisation: each candidate is chosen by what the earlier ones have shown.

    A Gaussian process models the score as a function of the hyperparameters, each on the scale of
    its prior, and says for every point what to expect and how unsure that is. The next candidate is
    where the improvement to expect is largest [1]_. With as many candidates that is usually ahead
    of random search, not always: it may stay with a choice, such as a kernel, that was ahead early.
    Where an evaluation takes less than some hundredths of a second, or workers are many, random
    search may be the quicker one.

    Users of scikit-optimize's `BayesSearchCV` only change the import. A list of two numbers means
    these two choices here; ranges are tuples or `Real` and `Integer`. Dictionaries in a list share
    `n_iter`, ``(dict, n_iter)`` pairs have their own.

    Parameters
    ----------
    estimator : estimator object
        What is tuned: an estimator, a Pipeline, or a skorch net. It is cloned, never changed.
    search_spaces : dict, list of dict, list of (dict, int), or "auto"
        The search space, in the formats of `LogRandomSearchCV`; "auto" is that of
        `default_space`. Each distribution needs a quantile function. Dictionaries in a list are
        alternatives, such as models of a Pipeline step, of which one model learns;
        ``(dict, n_iter)`` pairs come first, one after the other.
    optimizer_kwargs : dict, default=None
        Ignored; scikit-optimize's has it.
    n_iter : int, default=50
        Number of candidates. No point is evaluated twice; a finite space that has fewer is searched
        whole.
    scoring : str, callable, list, tuple or dict, default=None
        How predictions are scored, as in RandomizedSearchCV. None is the estimator's `score`.
    fit_params : dict, default=None
        Deprecated: pass these to `fit`.
    n_jobs : int, default=None
        Number of evaluations at a time; more than `n_points` times the number of folds have
        nothing to do. None is 1, unless in a `joblib.parallel_config`; -1
        uses all processors. More than one run in supervised processes: a candidate that
        crashes its process becomes a failed row. Inside ``joblib.parallel_config`` with
        another backend, that backend is used. For a net on "cuda", None and -1 mean one
        process for each device, and more are spread over the devices in turn.
    n_points : int, default=1
        How many candidates are under way at a time. Each is chosen without the results of the
        `n_points` - 1 before it, for which the expected ones stand in, so that the results do not
        depend on the number of workers. More use more workers, and learn a little less from each.
    iid : object, default="deprecated"
        Ignored; scikit-optimize's has it.
    refit : bool, str, or callable, default=True
        Whether to fit the best candidate on all data; with several metrics, the name of the
        one that decides, or a function of `cv_results_` that returns the best row.
    cv : int, cross-validation generator or iterable, default=None
        The folds, as in RandomizedSearchCV; None is 5-fold. They are drawn once, so all
        candidates meet the same folds.
    verbose : int, default=0
        1 tells the number of fits, with a progress bar in a terminal or notebook where rich is
        installed; 2 tells each fit and its time, 3 its score.
    pre_dispatch : int or str, default="2*n_jobs"
        Passed to joblib where one of its backends runs the fits; without effect otherwise.
    random_state : int, RandomState, Generator, default=None
        Seed. With an int the results are the same in every run and for every `n_jobs`, as far
        as the estimator is reproducible itself. To that end nets are seeded, and an evaluation
        has one thread for BLAS and torch, also with `n_jobs=1`, unless OMP_NUM_THREADS or
        joblib's `inner_max_num_threads` says otherwise. None takes a seed from the operating
        system; NumPy's global random state is not used.
    error_score : 'raise' or float, default=np.nan
        Score of a fit that fails. A candidate with a failed fit is not chosen as long as there
        is one without. 'raise' ends the search at the first failure.
    return_train_score : bool, default=False
        Whether `cv_results_` has the scores on the training sides.
    include_default : bool, default=True
        Whether the parameters that the estimator has are the first candidate, if they lie in the
        search space.
    acquisition : {"ei", "eips"}, default="ei"
        What a candidate is chosen for: the improvement to expect, or that of each second that its
        evaluation takes, which is learned from the measured times [2]_. With "eips" a search is
        quicker where the times differ much, and two runs are not the same, since times are not.
    resource : str, default=None
        A resource that candidates get little of at first, such as epochs or trees; the best third
        of them goes on with three times as much, and so on up to the full amount, trained from
        where it is, where the estimator can be. The surrogate learns from all results how the score
        depends on the amount [3]_. The name of a parameter ("max_epochs", "n_estimators", in a
        Pipeline also without the name of the step), "n_samples", the number of training rows, or
        "auto": the epochs of a net, the trees of a forest or of boosting, the passes of an MLP,
        else the rows. Rows are drawn by class, in whole groups if there are groups, and the most
        recent ones of a time series.
    resources : sequence of int or float, default=None
        The amounts of it, the last of which is the full one; fractions in (0, 1] are of what the
        estimator has. None is up to four, each three times the one before.
    timeout : float, default=None
        Seconds for the whole search without the refit; the best complete candidate is used.
    candidate_timeout : float, default=None
        Seconds for one candidate, the sum over its folds. One that takes longer is killed.
    memory_limit : int, default=None
        Bytes that a worker process may allocate beyond the data, on Linux. A candidate that
        needs more fails.
    journal : str or path-like, default=None
        File in which every finished fold is recorded at once. A search that was killed goes
        on from there when it is fitted again, with any `n_jobs`, and with a larger `n_iter`
        a finished one does: its results are those of a search that ran through. The
        estimator, the data, the folds, the search space, the scoring and the seed must be the
        same, so a search inside a cross-validation, which has other data each time, can have
        none. `sklearn_hpt.read_journal` and ``python -m sklearn_hpt show`` read it at any
        time.
    resume : {"auto", "must", "never"}, default="auto"
        What to do with `journal`: "auto" continues it if it exists, "must" raises if it does
        not, "never" raises if it does.
    warm_start_from : search, dict, DataFrame, study or path-like, default=None
        Results of an earlier search, of scikit-learn's too, its journal, or a study of Optuna: they
        are learned from as if this search had found them. Results outside the space are skipped,
        and counted in a warning.
    racing : {"exact", "safe", "fast"} or policy object, default=None
        Whether to stop a candidate after some folds because it is behind the best one. "exact"
        stops it when even the best possible scores on the missing folds would not help, so the
        winner is that of the full cross-validation; it needs a metric whose best value is
        known. "safe" and "fast" also stop it when it is behind by more than chance explains,
        with a risk of 1 and 5 %, and complete the closest of the stopped ones at the end. See
        `sklearn_hpt.racing`, also for policies of one's own. With several metrics the one that
        `refit` names is raced on. A candidate with a failed fold is not tried further once another
        is complete. The results are the same for every `n_jobs`; with many workers, some folds
        are evaluated for nothing.
    cache_pipeline_prefix : bool, default=False
        Whether the first steps of a Pipeline are fitted once for all candidates that have the
        same parameters in them, on each fold. The scores are the same as without. `fit_time`
        and `score_time` count what the candidate itself took, so what an earlier one has
        computed is not in them. Steps are shared from the first one up to one that has a
        `random_state` other than an int, says that it is not deterministic, draws from
        NumPy's global random state, or is given metadata such as its own `sample_weight`. A
        Pipeline with `memory` or `verbose` is fitted as a whole. All workers together keep up
        to 512 MiB.
    trainer : {"auto", "batched", "sequential"}, default="sequential"
        How skorch nets are trained. "batched" trains all candidates of one architecture, on all
        folds, together in this process, as one program; "auto" does so where that is faster, and
        warns where it cannot be done; "sequential" trains each by itself, in `n_jobs` processes.
        Their weights are the same up to rounding, except that dropout draws other masks. What is
        trained together is trained to its end: `timeout` and Ctrl-C wait for it.

    Attributes
    ----------
    cv_results_ : dict of str to ndarray
        One row for each candidate, with the keys and dtypes of RandomizedSearchCV. If a
        candidate is not complete, or `timeout`, `candidate_timeout` or `memory_limit` is set,
        also `status` ("complete", "failed", "timeout" or "stopped") and `error`. With `racing`
        also `n_test_splits`, the number of folds that count; the other folds and the mean are
        NaN, and only complete candidates can win. With `resource` also `resource`, the amount
        that the scores of a row are with, `resource_spent`, what that took as a mean over the
        folds, and `learning_curve`, a list of (amount, mean score); times are those of all
        amounts together.
    surrogate_ : ScoreSurrogate
        What is believed of the score: `predict` gives mean and standard deviation for any
        parameters, `length_scales` and `sensitivities` tell which of them matter. Not if fewer than
        two candidates have a score.
    optimizer_results_ : list of OptimizeResult
        For each alternative what scikit-optimize tells: `x`, `fun` (the negative score),
        `x_iters`, `func_vals` and `space`; values are in the order of the sorted names.
    total_iterations : int
        Number of candidates that are asked for.
    best_estimator_ : estimator
        The best candidate, fitted on all data; if `refit` is not False.
    best_score_ : float
        Its mean score over the folds; not if `refit` is a callable. Being the best of
        several, it is somewhat too good to be true.
    best_score_corrected_ : float
        That, less an estimate of what it owes to having been chosen, see
        `sklearn_hpt.diagnostics.selection_optimism`; NaN with a single fold, or
        where only one of several candidates is complete.
    best_params_ : dict
        Its parameters.
    best_index_ : int
        Its row in `cv_results_`.
    scorer_ : callable or dict of str to callable
        The scorer, or the scorers by name.
    n_splits_ : int
        Number of folds.
    fold_order_ : ndarray of shape (n_splits,)
        The order in which folds are raced, drawn once for a search; if `racing` is set.
    resource_ : str
        Name of the resource; if `resource` is set.
    resource_saved_ : float
        How much of it was not spent again because training went on, summed over the candidates,
        as a mean over the folds; if `resource` is set.
    refit_time_ : float
        Seconds that the refit took.
    search_time_ : float
        Seconds that the search took before it, without what earlier sessions of a journal did.
    multimetric_ : bool
        Whether there are several metrics.
    stop_reason_ : {"budget", "exhausted", "timeout", "callback"}
        Why no more candidates were evaluated.
    classes_ : ndarray of shape (n_classes,)
        Class labels of a classifier that was refitted.
    n_samples_fit_ : int
        Number of rows that were searched on.
    n_features_in_ : int
        Number of features seen by the refitted estimator, where it tells.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, where it tells.

    See Also
    --------
    LogRandomSearchCV : Does not learn from results; for many workers and cheap evaluations.
    CoarseToFineSearchCV : Spends little on most candidates; for nets, boosting, many rows.

    References
    ----------
    .. [1] S. Ament et al., "Unexpected Improvements to Expected Improvement for Bayesian
       Optimization", NeurIPS 2023.
    .. [2] J. Snoek, H. Larochelle, R. P. Adams, "Practical Bayesian Optimization of Machine
       Learning Algorithms", NeurIPS 2012.
    .. [3] A. Klein et al., "Model-based Asynchronous Hyperparameter and Neural Architecture
       Search", arXiv:2003.10865 (2020).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from sklearn_hpt import BayesSearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> search = BayesSearchCV(
    ...     SVC(),
    ...     {"C": (1e-2, 1e3, "log-uniform"), "gamma": (1e-4, 1e1, "log-uniform")},
    ...     n_iter=15,
    ...     random_state=0,
    ... ).fit(X, y)
    >>> bool(search.best_score_ > 0.97)
    True
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseHPTSearchCV._parameter_constraints,
        "search_spaces": [dict, list, tuple, SpaceUnion, StrOptions({"auto"})],
        "optimizer_kwargs": [dict, None],
        "n_iter": [Interval(numbers.Integral, 1, None, closed="left")],
        "fit_params": [dict, None],
        "n_points": [Interval(numbers.Integral, 1, None, closed="left")],
        "iid": "no_validation",
        "include_default": ["boolean"],
        "acquisition": [StrOptions({"ei", "eips"})],
        "resource": [str, None],
        "resources": ["array-like", None],
    }

    def __init__(
        self,
        estimator: Any,
        search_spaces: Any,
        optimizer_kwargs: Mapping[str, Any] | None = None,
        n_iter: int = 50,
        scoring: Any = None,
        fit_params: Mapping[str, Any] | None = None,
        n_jobs: int | None = None,
        n_points: int = 1,
        iid: Any = "deprecated",
        refit: bool | str | Callable[..., int] = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: int | str = "2*n_jobs",
        random_state: Any = None,
        error_score: float | Literal["raise"] = np.nan,
        return_train_score: bool = False,
        *,
        include_default: bool = True,
        acquisition: Literal["ei", "eips"] = "ei",
        resource: str | None = None,
        resources: Sequence[float] | None = None,
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
        self.search_spaces = search_spaces
        self.optimizer_kwargs = optimizer_kwargs
        self.n_iter = n_iter
        self.fit_params = fit_params
        self.n_points = n_points
        self.iid = iid
        self.include_default = include_default
        self.acquisition = acquisition
        self.resource = resource
        self.resources = resources
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
            warm_start_from=warm_start_from,
            racing=racing,
            cache_pipeline_prefix=cache_pipeline_prefix,
            trainer=trainer,
        )

    @property
    def total_iterations(self) -> int:
        """Number of candidates that are asked for, over all alternatives."""
        return self._space_union().n_wanted(self.n_iter)

    def fit(
        self, X: Any, y: Any = None, *, groups: Any = None, callback: Any = None, **params: Any
    ) -> BayesSearchCV:
        """Evaluate candidates by cross-validation and refit the best one.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_samples)
            Training rows; for a precomputed kernel or distance matrix one column for each row.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Targets; None for unsupervised learning.
        groups : array-like of shape (n_samples,), default=None
            Groups for the splitter.
        callback : callable or list of callable, default=None
            Called after each candidate, in the order of the proposals, with the result so far of
            its alternative (see `optimizer_results_`); one that returns True ends the search.
        **params : dict of str to object
            Metadata for the `fit` of the estimator, the scorer and the splitter, such as
            `sample_weight`. What has a value for each row is split like `X`.

        Returns
        -------
        BayesSearchCV
            The fitted search.

        Raises
        ------
        ValueError
            If a callback cannot be called; and all that `LogRandomSearchCV.fit` raises.
        """
        warn_about_leftovers(self)
        self._callbacks = as_callbacks(callback)
        params = {**(self.fit_params or {}), **params}
        if groups is not None:
            params["groups"] = groups
        try:
            super().fit(X, y, **params)
        finally:
            del self._callbacks
        return self

    def _space(self) -> Any:
        return self.search_spaces

    def _n_candidates(self) -> int:
        return self.n_iter

    def _settings(self) -> dict[str, Any]:
        settings = {
            **super()._settings(),
            "n_points": self.n_points,
            "include_default": self.include_default,
            "acquisition": self.acquisition,
        }
        if self.resource is not None:  # who goes on depends on how many there are
            settings["n_iter"] = self.n_iter
        return settings

    def _what_compares(self) -> str | None:
        asked = None if self.resource is None else f"resource={self.resource!r}"
        return super()._what_compares() or asked or type(self).__name__

    def _resource_request(self) -> Request | None:
        if self.resource is None:
            if self.resources is not None:
                raise ValueError(
                    f"resources={self.resources!r} are amounts of a resource, but resource=None; "
                    "name it, or give resource='auto'."
                )
            return None
        if self.acquisition != "ei":
            raise ValueError(
                f"acquisition={self.acquisition!r} cannot be combined with "
                f"resource={self.resource!r}, by which candidates are cheap at first anyway; "
                "leave one of them out."
            )
        return Request(self.resource, self.resources)

    def _n_evaluations(self, space: SpaceUnion, amounts: tuple[int, ...] | None) -> int:
        return super()._n_evaluations(space, amounts) * len(amounts or (None,))

    def _make_sampler(
        self, space: SpaceUnion, seed: int, n_iter: int, amounts: tuple[int, ...] | None
    ) -> Sampler:
        sampler = BayesianSampler(
            space,
            n_points=self.n_points,
            start=own_parameters(self.estimator, space) if self.include_default else (),
            acquisition=self.acquisition,
            random_state=seed,
        )
        if self.resource is None:
            return sampler
        n_candidates = space.n_points(self._n_candidates())
        return with_rungs(sampler, amounts, n_candidates, f"resource={self.resource!r}")

    def _after_tell(self, space: SpaceUnion) -> Callable[[Trial, float], Any] | None:
        if not self._callbacks:
            return None
        told: list[tuple[Params, float]] = []

        def call(trial: Trial, score: float) -> bool:
            told.append((dict(trial.params), score))
            which = alternative_of(space, trial.params)
            own = [one for one in told if alternative_of(space, one[0]) == which]
            result = optimizer_results(space, own)[0]
            asked_to_stop = [callback(result) for callback in self._callbacks]  # all are called
            return any(asked_to_stop)

        return call

    def _keep(self, sampler: Sampler) -> None:
        inner = sampler.inner if isinstance(sampler, SuccessiveHalvingSampler) else sampler
        assert isinstance(inner, BayesianSampler)
        surrogate = inner.surrogate()
        if surrogate is not None:
            self.surrogate_ = surrogate

    @property
    def optimizer_results_(self) -> list[OptimizeResult]:
        """The results of each alternative as scikit-optimize words them."""
        check_is_fitted(self, "cv_results_")
        name = self._deciding_metric("score") if self.multimetric_ else "score"
        scores = self.cv_results_[f"mean_test_{name}"]
        return optimizer_results(
            self._space_union(),
            zip(self.cv_results_["params"], scores, strict=True),
        )
