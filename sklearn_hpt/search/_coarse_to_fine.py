"""Search broadly with little effort, then ever closer around what was good."""

from __future__ import annotations

import math
import numbers
import os
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any, ClassVar, Literal

import numpy as np

from sklearn_hpt._sklearn_compat import Interval, StrOptions
from sklearn_hpt.default_spaces import tiers_of, values_of
from sklearn_hpt.racing import RacingPolicy
from sklearn_hpt.samplers import CoarseToFineSampler, Sampler
from sklearn_hpt.samplers._stages import checked_counts
from sklearn_hpt.search._amounts import Request
from sklearn_hpt.search._base import BaseHPTSearchCV
from sklearn_hpt.space import SpaceUnion

_ROUNDS = (30, 20, 6, 6)  # in this ratio a number of candidates is divided


class CoarseToFineSearchCV(BaseHPTSearchCV):
    """Search broadly with little effort, then ever closer around what was good.

    The first round draws candidates from the whole space and gives each a small amount of a
    resource: some epochs, some trees, some of the rows. The next round draws from a box around
    the best of them, on the scale of each parameter's prior, with more of the resource; its first
    candidates are those leaders, who go on from where they are. By default two short rounds with
    all of the resource follow, each in a smaller box. At last the `n_finalists` best have had all
    of the resource, and the winner is the one with the best score then.

    A fifth of the new candidates of a later round still comes from the whole space, since scores
    with little of a resource may mislead. A box never leaves the space. Where the best candidate
    lies at the border of a box, the box moves there instead of shrinking. Of categorical
    parameters the choices of the leaders remain.

    Parameters
    ----------
    estimator : estimator object
        What is tuned: an estimator, a Pipeline, or a skorch net. It is cloned, never changed.
    param_distributions : dict, list of dict, or "auto"
        The search space, in the formats of `LogRandomSearchCV`; "auto" is that of
        `default_space`. Of several dictionaries those remain that leaders are from;
        ``(dict, n_iter)`` pairs are refused.
    n_iter : int or sequence of int, default=(30, 20, 6, 6)
        Number of candidates in each round; a number is divided among four rounds as the default
        is.
    n_finalists : int, default=3
        How many candidates get the full resource at last, unless they have had it in an earlier
        round, as with the default rounds and amounts.
    resource : str or None, default="auto"
        What candidates are given little of at first: the name of a parameter ("max_epochs",
        "n_estimators", in a Pipeline also without the name of the step) or "n_samples", the
        number of training rows. "auto" takes the epochs of a net, the trees of a forest or of
        boosting, the passes of an MLP (or a linear model by SGD with ``tol=None``) whose
        `random_state` is an int, else the rows, or nothing where there are fewer than 300
        of them; also where the model or that parameter is searched itself. Rows are drawn by
        class, in whole groups if there are groups, and the most recent ones of a time series.
        None evaluates every candidate fully.
    resources : sequence of int or float, default=None
        The amount for each round and, as the last, for the finalists; fractions in (0, 1] are of
        what the estimator has. None is a ninth of the full amount in the first round, a third in
        the second, and all from then on; of a single round a third.
    tiers : list of list of str, "auto", default=None
        Names of parameters in the order of their importance, such as ``[["lr"],
        ["module__hidden", "batch_size"]]``. Each tier goes through all rounds while the other
        parameters are at the best so far, at first at the values of `estimator`. Those in no
        tier form the last one. "auto" takes the order of `default_space` for the parameters
        that it knows.
    tier_shares : sequence of float, default=None
        Share of the candidates for each tier, with the sum 1. None gives 80 % to the first two.
    scoring : str, callable, list, tuple or dict, default=None
        How predictions are scored, as in RandomizedSearchCV. None is the estimator's `score`.
    n_jobs : int, default=None
        Number of evaluations at a time. None is 1, unless in a `joblib.parallel_config`; -1
        uses all processors. More than one run in supervised processes: a candidate that
        crashes its process becomes a failed row. Inside ``joblib.parallel_config`` with
        another backend, that backend is used. For a net on "cuda", None and -1 mean one
        process for each device, and more are spread over the devices in turn.
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
    timeout : float, default=None
        Seconds for the whole search without the refit; the best complete candidate is used.
    candidate_timeout : float, default=None
        Seconds for one candidate, the sum over its folds. One that takes longer is killed.
    memory_limit : int, default=None
        Bytes that a worker process may allocate beyond the data, on Linux. A candidate that
        needs more fails.
    journal : str or path-like, default=None
        File in which every finished fold is recorded at once. A search that was killed goes
        on from there when it is fitted again, with any `n_jobs`: its results are those of a
        search that ran through. The rounds, the estimator, the data, the folds, the search
        space, the scoring and the seed must be the same, so a search inside a
        cross-validation, which has other data each time, can have none.
        `sklearn_hpt.read_journal` and ``python -m sklearn_hpt show`` read it at any time.
    resume : {"auto", "must", "never"}, default="auto"
        What to do with `journal`: "auto" continues it if it exists, "must" raises if it does
        not, "never" raises if it does.
    warm_start_from : search, dict, DataFrame, study or path-like, default=None
        Results of an earlier search, of scikit-learn's too, its journal, or a study of Optuna.
        The best of them that lies in the search space is evaluated first, and all count when the
        space is narrowed after the first round. Results outside the space are skipped, and
        counted in a warning.
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
    rounds_ : list of Round
        What each round did: the box it drew from, how many candidates it had with how much of the
        resource, the best of them, and what was learned. It prints as a table.
    cv_results_ : dict of str to ndarray
        One row for each candidate, with the keys and dtypes of RandomizedSearchCV, `status`
        ("complete", "failed", "timeout" or "stopped") and `error`. Candidates that were not given
        the full resource are "stopped" and rank after the others; `resource` is the amount that
        the scores of a row are with, `resource_spent` what that took as a mean over the folds,
        `learning_curve` a list of (amount, mean score). Times are those of all amounts together.
        With `racing` also `n_test_splits`, the number of folds that count.
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
        Name of the resource, if there is one.
    resource_saved_ : float
        How much of it was not spent again because training went on, summed over the candidates,
        as a mean over the folds.
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
    LogRandomSearchCV : One broad round.
    sklearn.model_selection.HalvingRandomSearchCV : Rounds without narrowing the space.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.svm import SVC
    >>> from sklearn_hpt import CoarseToFineSearchCV
    >>> X, y = load_digits(return_X_y=True)
    >>> search = CoarseToFineSearchCV(
    ...     SVC(),
    ...     {"C": (1e-2, 1e3, "log-uniform"), "gamma": (1e-6, 1e0, "log-uniform")},
    ...     n_iter=(12, 8),
    ...     cv=3,
    ...     random_state=0,
    ... ).fit(X[:900], y[:900])
    >>> search.resource_, [one.resource for one in search.rounds_]
    ('n_samples', [100, 200, 600])
    >>> bool(search.best_score_ > 0.93)  # 50 random candidates with all rows: 0.948
    True
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseHPTSearchCV._parameter_constraints,
        "param_distributions": [dict, list, tuple, SpaceUnion, StrOptions({"auto"})],
        "n_iter": [Interval(numbers.Integral, 1, None, closed="left"), "array-like"],
        "n_finalists": [Interval(numbers.Integral, 1, None, closed="left")],
        "resource": [str, None],
        "resources": ["array-like", None],
        "tiers": [list, tuple, StrOptions({"auto"}), None],
        "tier_shares": ["array-like", None],
    }

    def __init__(
        self,
        estimator: Any,
        param_distributions: Any,
        *,
        n_iter: int | Sequence[int] = (30, 20, 6, 6),
        n_finalists: int = 3,
        resource: str | None = "auto",
        resources: Sequence[float] | None = None,
        tiers: Sequence[Sequence[str]] | Literal["auto"] | None = None,
        tier_shares: Sequence[float] | None = None,
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
        self.param_distributions = param_distributions
        self.n_iter = n_iter
        self.n_finalists = n_finalists
        self.resource = resource
        self.resources = resources
        self.tiers = tiers
        self.tier_shares = tier_shares
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

    def _space(self) -> Any:
        return self.param_distributions

    def _n_candidates(self) -> int:
        return sum(self._rounds())

    def _rounds(self) -> tuple[int, ...]:
        """Return the number of candidates in each round."""
        n_iter = self.n_iter
        if not isinstance(n_iter, numbers.Integral) or isinstance(n_iter, bool):
            return tuple(checked_counts(n_iter))
        ends = [math.ceil(int(n_iter) * done / sum(_ROUNDS)) for done in accumulate(_ROUNDS)]
        return tuple(n for n in np.diff([0, *ends]).tolist() if n)

    def _settings(self) -> dict[str, Any]:
        return {
            **super()._settings(),
            "n_iter": self._rounds(),
            "n_finalists": self.n_finalists,
            "tiers": self.tiers,
            "tier_shares": self.tier_shares,
        }

    def _what_compares(self) -> str | None:
        return super()._what_compares() or "CoarseToFineSearchCV"

    def _resource_request(self) -> Request | None:
        if self.resource is None:
            if self.resources is not None:
                raise ValueError(
                    f"resources={self.resources!r} are amounts of a resource, but resource=None; "
                    "give resource='auto' or its name, or leave resources=None."
                )
            return None
        return Request(self.resource, self.resources, n_amounts=len(self._rounds()) + 1)

    def _n_evaluations(self, space: SpaceUnion, amounts: tuple[int, ...] | None) -> int:
        return self._n_candidates() + (0 if amounts is None else self.n_finalists)

    def _make_sampler(
        self, space: SpaceUnion, seed: int, n_iter: int, amounts: tuple[int, ...] | None
    ) -> Sampler:
        return CoarseToFineSampler(
            space,
            n_iter=self._rounds(),
            resources=amounts,
            n_finalists=self.n_finalists,
            tiers=self._tiers_in(space),
            tier_shares=self.tier_shares,
            defaults=values_of(self.estimator),
            random_state=seed,
        )

    def _tiers_in(self, space: SpaceUnion) -> Sequence[Sequence[str]] | str | None:
        """Return the tiers that are meant; those of alternatives are refused by the sampler."""
        if not isinstance(self.tiers, str) or len(space.spaces) > 1:
            return self.tiers
        names = list(space.spaces[0])
        tiers = tiers_of(self.estimator, names)
        if not tiers:
            raise ValueError(
                f"tiers='auto' knows no order of importance for {names} of "
                f"{type(self.estimator).__name__}; give the names in tiers, such as "
                f"tiers=[[{names[0]!r}], ...], or leave tiers=None."
            )
        return tiers

    def _keep(self, sampler: Sampler) -> None:
        assert isinstance(sampler, CoarseToFineSampler)
        self.rounds_ = sampler.rounds
