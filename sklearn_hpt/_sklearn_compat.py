"""Every private or version-dependent import from scikit-learn; when it moves, one file changes."""

from types import SimpleNamespace
from typing import Any

from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.base import _fit_context as fit_context
from sklearn.callback import ProgressBar
from sklearn.metrics import accuracy_score
from sklearn.metrics._scorer import _MultimetricScorer as MultimetricScorer
from sklearn.metrics._scorer import _PassthroughScorer, _Scorer
from sklearn.model_selection._search import BaseSearchCV
from sklearn.model_selection._search import _search_estimator_has as search_estimator_has
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing as safe_indexing
from sklearn.utils._array_api import device, get_namespace
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.metaestimators import _safe_split as safe_split
from sklearn.utils.validation import _check_method_params as check_method_params
from sklearn.utils.validation import _num_samples as num_samples

__all__ = [
    "BaseSearchCV",
    "HasMethods",
    "Interval",
    "MultimetricScorer",
    "StrOptions",
    "best_possible_score",
    "callbacks_with",
    "check_method_params",
    "check_steps",
    "device",
    "fit_context",
    "format_results",
    "get_namespace",
    "has_callbacks",
    "is_accuracy",
    "mlp_has_stopped",
    "named_scorers",
    "num_samples",
    "reaches_into",
    "safe_indexing",
    "safe_split",
    "search_estimator_has",
    "sees_predictions_only",
    "stops_early",
    "shows_progress",
]


def format_results(
    params: list[dict[str, Any]],
    n_splits: int,
    evaluations: list[dict[str, Any]],
    *,
    return_train_score: bool,
) -> dict[str, Any]:
    """Return `cv_results_` as a search of scikit-learn does, without a search."""
    search = SimpleNamespace(return_train_score=return_train_score)
    return BaseSearchCV._format_results(search, params, n_splits, evaluations)


def is_accuracy(scorer: Any, estimator: Any) -> bool:
    """Tell whether a scorer is `accuracy_score` of what the estimator predicts, unweighted."""
    if isinstance(scorer, _PassthroughScorer):
        return getattr(type(estimator), "score", None) is ClassifierMixin.score
    return (
        isinstance(scorer, _Scorer)
        and scorer._score_func is accuracy_score
        and scorer._response_method == "predict"
        and scorer._sign == 1
        and not scorer._kwargs
    )


_BEST_IS_ONE = set(
    "accuracy_score adjusted_mutual_info_score adjusted_rand_score average_precision_score "
    "balanced_accuracy_score completeness_score d2_absolute_error_score d2_brier_score "
    "d2_log_loss_score explained_variance_score f1_score fowlkes_mallows_score homogeneity_score "
    "jaccard_score matthews_corrcoef normalized_mutual_info_score precision_score r2_score "
    "rand_score recall_score roc_auc_score top_k_accuracy_score v_measure_score".split()
)
_BEST_IS_ZERO = set(
    "brier_score_loss log_loss max_error mean_absolute_error mean_absolute_percentage_error "
    "mean_gamma_deviance mean_poisson_deviance mean_squared_error mean_squared_log_error "
    "median_absolute_error root_mean_squared_error root_mean_squared_log_error".split()
)


def best_possible_score(scorer: Any, estimator: Any) -> float | None:
    """Return the highest score that a scorer can give, None if it is not known.

    Known are scikit-learn's own metrics, and the default `score` of classifiers (accuracy) and
    regressors (R^2).
    """
    if isinstance(scorer, _PassthroughScorer):
        while isinstance(estimator, Pipeline):
            estimator = estimator.steps[-1][1]
        is_known = getattr(type(estimator), "score", None) in (
            ClassifierMixin.score,
            RegressorMixin.score,
        )
        return 1.0 if is_known else None
    if not isinstance(scorer, _Scorer):
        return None
    function = scorer._score_func
    if not getattr(function, "__module__", "").startswith("sklearn."):
        return None
    if scorer._sign == 1 and function.__name__ in _BEST_IS_ONE:
        return 1.0 if scorer._kwargs.get("normalize", True) else None  # else a count
    return 0.0 if scorer._sign == -1 and function.__name__ in _BEST_IS_ZERO else None


def sees_predictions_only(scorer: Any) -> bool:
    """Tell whether a scorer looks at nothing of a Pipeline but what it returns for some rows."""
    scorers = scorer._scorers.values() if type(scorer) is MultimetricScorer else [scorer]
    return all(type(one) in (_Scorer, _PassthroughScorer) for one in scorers)


def check_steps(pipeline: Any) -> bool:
    """Tell whether a Pipeline would fit its steps, and not raise for what they are."""
    try:
        pipeline._validate_steps()
    except Exception:
        return False
    return True


def mlp_has_stopped(mlp: Any) -> bool:
    """Tell whether an MLP that `partial_fit` trains has made no progress for too long, by `tol`."""
    return mlp._no_improvement_count > mlp.n_iter_no_change


def named_scorers(scorer: Any) -> dict[str, Any]:
    """Return the scorers of a search by name; the estimator's own `score` as that function."""
    named = scorer._scorers if isinstance(scorer, MultimetricScorer) else {"score": scorer}
    return {
        name: type(one._estimator).score if isinstance(one, _PassthroughScorer) else one
        for name, one in named.items()
    }


def has_callbacks(ctx: Any) -> bool:
    """Tell whether any callback listens in a callback context."""
    return bool(ctx._callbacks)


def callbacks_with(ctx: Any, hook: str) -> list[Any]:
    """Return the callbacks of a context that have a method of that name."""
    return [callback for callback in ctx._callbacks if hasattr(callback, hook)]


def stops_early(boosting: Any, scores: list[float]) -> bool:
    """Tell whether HistGradientBoosting ends when it has seen these scores, one for each tree."""
    return bool(boosting._should_stop(scores))


def shows_progress(ctx: Any) -> bool:
    """Tell whether scikit-learn's own progress bar listens in a callback context."""
    return any(isinstance(callback, ProgressBar) for callback in ctx._callbacks)


def reaches_into(ctx: Any, estimator: Any) -> bool:
    """Tell whether callbacks of a context are passed on to the fit of an estimator.

    Asking has the effect that scikit-learn's own searches rely on: those callbacks are then
    called by the estimator's fit and no longer by the search for it.
    """
    with ctx.propagate_callback_context(estimator):
        return bool(getattr(ctx, "_propagated_callbacks", None))
