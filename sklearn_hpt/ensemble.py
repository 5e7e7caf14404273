"""Models that were trained on the folds of one data set, and predict together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, is_classifier
from sklearn.utils.metaestimators import available_if

__all__ = ["FoldEnsembleClassifier", "FoldEnsembleRegressor", "fold_ensemble"]


def fold_ensemble(estimators: Sequence[Any]) -> FoldEnsembleClassifier | FoldEnsembleRegressor:
    """Return the ensemble of classifiers or of regressors that are trained already.

    Parameters
    ----------
    estimators : sequence of estimator
        Fitted ones, of one kind.

    Returns
    -------
    FoldEnsembleClassifier or FoldEnsembleRegressor
        What predicts with all of them.
    """
    kind = FoldEnsembleClassifier if is_classifier(estimators[0]) else FoldEnsembleRegressor
    return kind(list(estimators))


class _FoldEnsemble(BaseEstimator):
    """Several fitted models, which are neither fitted again nor cloned."""

    def __init__(self, estimators: list[Any]) -> None:
        self.estimators = estimators

    def fit(self, X: Any = None, y: Any = None) -> Any:
        """Do nothing: the models are fitted.

        Parameters
        ----------
        X, y : object, default=None
            Not used.

        Returns
        -------
        self : object
            The ensemble as it is.
        """
        return self

    def __sklearn_clone__(self) -> Any:
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    @property
    def n_features_in_(self) -> int:
        """Number of columns that the models were fitted with."""
        return self.estimators[0].n_features_in_

    @property
    def feature_names_in_(self) -> np.ndarray:
        """Names of these columns, if they had any."""
        return self.estimators[0].feature_names_in_


class FoldEnsembleRegressor(RegressorMixin, _FoldEnsemble):
    """The mean of the predictions of models that are fitted already.

    Parameters
    ----------
    estimators : list of estimator
        Fitted regressors.
    """

    def predict(self, X: Any) -> np.ndarray:
        """Return the mean of the predictions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predicted values, in the shape that one of the models gives.
        """
        return np.mean([estimator.predict(X) for estimator in self.estimators], axis=0)


def _have_probabilities(ensemble: Any) -> bool:
    return all(hasattr(estimator, "predict_proba") for estimator in ensemble.estimators)


def _have_decisions(ensemble: Any) -> bool:
    first = ensemble.estimators[0].classes_
    return all(
        hasattr(one, "decision_function") and np.array_equal(one.classes_, first)
        for one in ensemble.estimators
    )


class FoldEnsembleClassifier(ClassifierMixin, _FoldEnsemble):
    """The mean of the class probabilities of models that are fitted already.

    Where one of them has no probabilities, each has a vote.

    Parameters
    ----------
    estimators : list of estimator
        Fitted classifiers. One that has not seen a class gives it the probability 0.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        All classes that any of them has seen, sorted.
    """

    @property
    def classes_(self) -> np.ndarray:
        """All classes that any of the models has seen, sorted."""
        return np.unique(np.concatenate([estimator.classes_ for estimator in self.estimators]))

    @available_if(_have_probabilities)
    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the mean of the probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities, in the order of `classes_`.
        """
        return self._mean([estimator.predict_proba(X) for estimator in self.estimators])

    @available_if(_have_decisions)
    def decision_function(self, X: Any) -> np.ndarray:
        """Return the mean of the decision functions, where all models have the same classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            Confidence, in the shape that one of the models gives.
        """
        return np.mean([estimator.decision_function(X) for estimator in self.estimators], axis=0)

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable class of each row, or the one with the most votes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples,)
            Predicted classes; of equals the first in `classes_`.
        """
        if _have_probabilities(self):
            shares = self.predict_proba(X)
        else:
            shares = self._mean(
                [
                    np.asarray(estimator.predict(X))[:, None] == estimator.classes_
                    for estimator in self.estimators
                ]
            )
        return self.classes_[shares.argmax(axis=1)]

    def _mean(self, of_each: Sequence[np.ndarray]) -> np.ndarray:
        classes = self.classes_
        total = np.zeros((len(of_each[0]), len(classes)))
        for estimator, shares in zip(self.estimators, of_each, strict=True):
            if shares.shape[1] != len(estimator.classes_):
                raise ValueError(
                    f"A model gives probabilities of {shares.shape[1]} classes, but has seen only "
                    f"{len(estimator.classes_)} of them: it is not known which. Use folds that "
                    "have all classes, or refit=True."
                )
            total[:, np.searchsorted(classes, estimator.classes_)] += shares
        return total / len(self.estimators)
