"""What a search offers when it is fitted: predictions, scores, what it shows of itself."""

from __future__ import annotations

import math
from typing import Any

from sklearn.utils.metaestimators import available_if

from sklearn_hpt import nets
from sklearn_hpt._optimism import bootstrap_optimism, complete_scores
from sklearn_hpt._sklearn_compat import BaseSearchCV, search_estimator_has
from sklearn_hpt._summary import deciding_metric, summarize


class FittedSearch(BaseSearchCV):
    """The methods and properties of a search that need its results."""

    def _html_repr(self) -> str:
        """Return scikit-learn's diagram and, once there are results, what they say."""
        diagram = super()._html_repr()
        return diagram + summarize(self).as_html() if hasattr(self, "cv_results_") else diagram

    @property
    def best_score_corrected_(self) -> float:
        """`best_score_` less what it owes to luck; see `diagnostics.selection_optimism`."""
        best = self.best_score_  # an AttributeError says that there is none
        scores = complete_scores(self.cv_results_, deciding_metric(self) or "score")
        # the only complete one of several was chosen by scores that do not compare with its own
        n_least = min(2, len(self.cv_results_["params"]))
        if scores.shape[0] < n_least or scores.shape[1] < 2:
            return math.nan
        return float(best - bootstrap_optimism(scores))

    # a net's weights have a dtype that its inputs must have, when predicting too

    def _for_best(self, X: Any) -> Any:
        return nets.cast_inputs(self.best_estimator_, X) if hasattr(self, "best_estimator_") else X

    @available_if(search_estimator_has("predict"))
    def predict(self, X: Any) -> Any:
        """Call predict on the estimator with the best found parameters.

        Parameters
        ----------
        X : indexable of length n_samples
            Rows that the underlying estimator accepts.

        Returns
        -------
        y_pred : ndarray of shape (n_samples,)
            Predicted labels or values.
        """
        return super().predict(self._for_best(X))

    @available_if(search_estimator_has("predict_proba"))
    def predict_proba(self, X: Any) -> Any:
        """Call predict_proba on the estimator with the best found parameters.

        Parameters
        ----------
        X : indexable of length n_samples
            Rows that the underlying estimator accepts.

        Returns
        -------
        y_pred : ndarray of shape (n_samples, n_classes)
            Predicted class probabilities, columns in the order of `classes_`.
        """
        return super().predict_proba(self._for_best(X))

    def score(self, X: Any, y: Any = None, **params: Any) -> float:
        """Return the score on the given data, by `scoring` or else the estimator's own.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Input rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Targets; None for unsupervised learning.
        **params : dict of str to object
            Metadata for the scorer, if metadata routing is enabled.

        Returns
        -------
        score : float
            Higher is better.
        """
        if hasattr(self, "best_estimator_"):
            y = nets.cast_targets(self.best_estimator_, y)
        return super().score(self._for_best(X), y, **params)
