"""Random search on the scale of each parameter."""

from __future__ import annotations

import numbers
import os
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Literal

import numpy as np

from sklearn_hpt._sklearn_compat import Interval, StrOptions
from sklearn_hpt.racing import RacingPolicy
from sklearn_hpt.samplers import (
    GridSampler,
    RandomSampler,
    Sampler,
    SobolSampler,
)
from sklearn_hpt.search._amounts import Request
from sklearn_hpt.search._base import BaseHPTSearchCV
from sklearn_hpt.search._pruning import with_rungs
from sklearn_hpt.space import SpaceUnion


class LogRandomSearchCV(BaseHPTSearchCV):
    """Random search on the scale of each parameter, a drop-in for RandomizedSearchCV.

    Two facts make it better than a grid. First, of several hyperparameters only a few matter
    on a given problem, and nobody knows which beforehand. A grid of `n` points over `k`
    parameters tries only ``n ** (1 / k)`` distinct values of each, while `n` independent
    draws try `n`: with 64 fits and three parameters, 4 learning rates against 64 [1]_.
    Second, what matters of a learning rate or a regularisation strength is its order of
    magnitude. Drawn evenly between 1e-4 and 1, nine of ten learning rates are above 0.1; with
    ``prior="log-uniform"`` each decade gets its quarter. Momentum and the betas of Adam want
    the log scale for ``1 - x``: ``prior="log-complement"``.

    Parameters
    ----------
    estimator : estimator object
        What is tuned: an estimator, a Pipeline, or a skorch net. It is cloned, never changed.
    param_distributions : dict, list of dict, list of (dict, int), or "auto"
        The search space: parameter names to

        - a list (or array) of choices, as in GridSearchCV;
        - a tuple ``(low, high)`` or ``(low, high, prior)``, a range, of integers if both ends
          are; priors are ``"uniform"``, ``"log-uniform"``, ``"log-complement"``;
        - `Real`, `Integer` or `Categorical` of `sklearn_hpt.space`;
        - a distribution of `scipy.stats` or any object with `rvs`;
        - a dimension of scikit-optimize, a distribution of Optuna or a domain of Ray Tune.

        Dictionaries in a list are alternatives that share `n_iter` in equal parts;
        ``(dict, n_iter)`` pairs have a budget of their own. "auto" is the space that
        `default_space` gives for the estimator.
    n_iter : int, default=10
        Number of candidates. A finite space that has fewer is searched whole, and none of its
        points is evaluated twice.
    sampler : {"random", "sobol"}, default="random"
        How candidates are drawn: independently, or as scrambled Sobol points, which cover the
        space more evenly.
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
        Results of an earlier search, of scikit-learn's too, its journal, or a study of Optuna.
        The best of them that lies in the search space is evaluated first; random draws do not
        learn more than that. Results outside the space are skipped, and counted in a warning.
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
    pruning : {"asha"}, default=None
        Whether candidates first get little of a resource, such as epochs or trees, and only
        the best third of them goes on with three times as much, and so on up to the full
        amount: asynchronous successive halving [2]_. What goes on is trained from where it
        is, where the estimator can be.
    resource : str, default=None
        The resource of `pruning`: the name of a parameter ("max_epochs", "n_estimators", in a
        Pipeline also without the name of the step) or "n_samples", the number of training
        rows. None takes the epochs of a net, the trees of a forest or of boosting, the passes
        of an MLP (or a linear model by SGD with ``tol=None``) whose `random_state` is an int, else
        the rows; also where the model or that parameter is searched itself.
        Rows are drawn by class, in whole groups if there are groups, and the most recent ones of
        a time series.
    resources : sequence of int or float, default=None
        The amounts of it, the last of which is the full one; fractions in (0, 1] are of what
        the estimator has. None is up to four, each three times the one before.
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
        NaN, and only complete candidates can win. With `pruning` also `resource`, the amount
        that the scores of a row are with, `resource_spent`, what that took as a mean over the
        folds, and `learning_curve`, a list of (amount, mean score); times are those of all
        amounts together.
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
        Name of the resource; if `pruning` is set.
    resource_saved_ : float
        How much of it was not spent again because training went on, summed over the candidates,
        as a mean over the folds; if `pruning` is set.
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
    sklearn.model_selection.GridSearchCV : Tries every combination of a grid.
    sklearn.model_selection.RandomizedSearchCV : The search that this one replaces.

    References
    ----------
    .. [1] J. Bergstra and Y. Bengio, "Random Search for Hyper-Parameter Optimization", JMLR
       13 (2012), 281-305.
    .. [2] L. Li et al., "A System for Massively Parallel Hyperparameter Tuning", MLSys 2020.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from sklearn_hpt import LogRandomSearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> search = LogRandomSearchCV(
    ...     SVC(),
    ...     {"C": (1e-2, 1e3, "log-uniform"), "gamma": (1e-4, 1e1, "log-uniform")},
    ...     n_iter=20,
    ...     random_state=0,
    ... ).fit(X, y)
    >>> print(f"{search.best_score_:.2f}")
    0.99
    >>> len(set(search.cv_results_["param_C"]))  # a grid of 20 points would have 4
    20
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseHPTSearchCV._parameter_constraints,
        "param_distributions": [dict, list, tuple, SpaceUnion, StrOptions({"auto"})],
        "n_iter": [Interval(numbers.Integral, 1, None, closed="left")],
        "sampler": [StrOptions({"random", "sobol"})],
        "pruning": [StrOptions({"asha"}), None],
        "resource": [str, None],
        "resources": ["array-like", None],
    }

    def __init__(
        self,
        estimator: Any,
        param_distributions: Any,
        *,
        n_iter: int = 10,
        sampler: Literal["random", "sobol"] = "random",
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
        pruning: Literal["asha"] | None = None,
        resource: str | None = None,
        resources: Sequence[float] | None = None,
        cache_pipeline_prefix: bool = False,
        trainer: Literal["auto", "batched", "sequential"] = "sequential",
    ) -> None:
        self.param_distributions = param_distributions
        self.n_iter = n_iter
        self.sampler = sampler
        self.pruning = pruning
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

    def _space(self) -> Any:
        return self.param_distributions

    def _n_candidates(self) -> int:
        return self.n_iter

    def _settings(self) -> dict[str, Any]:
        settings = {**super()._settings(), "sampler": self.sampler, "pruning": self.pruning}
        if self.pruning is not None:  # who goes on depends on how many there are
            settings["n_iter"] = self.n_iter
        return settings

    def _what_compares(self) -> str | None:
        return super()._what_compares() or (self.pruning and f"pruning={self.pruning!r}")

    def _resource_request(self) -> Request | None:
        if self.pruning is None:
            for name in ("resource", "resources"):
                if (value := getattr(self, name)) is not None:
                    raise ValueError(
                        f"{name}={value!r} is what pruning buys in small amounts, but "
                        f"pruning=None; give pruning='asha', or leave {name}=None."
                    )
            return None
        return Request(self.resource or "auto", self.resources)

    def _n_evaluations(self, space: SpaceUnion, amounts: tuple[int, ...] | None) -> int:
        return super()._n_evaluations(space, amounts) * len(amounts or (None,))

    def _make_sampler(
        self, space: SpaceUnion, seed: int, n_iter: int, amounts: tuple[int, ...] | None
    ) -> Sampler:
        sampler = self._full_sampler(space, seed, n_iter)
        if self.pruning is None:
            return sampler
        n_candidates = space.n_points(self._n_candidates())
        return with_rungs(sampler, amounts, n_candidates, f"pruning={self.pruning!r}")

    def _full_sampler(self, space: SpaceUnion, seed: int, n_iter: int) -> Sampler:
        if space.n_points(n_iter) == space.size:
            return GridSampler(space)
        kind = SobolSampler if self.sampler == "sobol" else RandomSampler
        return kind(space, random_state=seed)
