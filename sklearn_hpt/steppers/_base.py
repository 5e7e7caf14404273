"""How an estimator is trained in steps and changed in between: the protocol."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from typing import Any


class Stepper(ABC):
    """Trains one kind of estimator on from where it is, and changes it in between.

    There are steppers for skorch nets, for `partial_fit` of scikit-learn's MLPs and linear models,
    and for its forests and boosting. For any other estimator derive a class and pass an instance to
    `PBTSearchCV(stepper=...)`; instances are pickled, so they must not hold what cannot be.

    What an estimator has learned is what pickle keeps of it: training 2 units, pickling, unpickling
    and training 3 more has to give what training 5 units gives. It is scored by the `scoring` of
    the search, as any other.

    In a Pipeline all this is about the last step; the others are fitted once on the training rows
    of each fold.

    Examples
    --------
    An estimator that learns the mean of its targets in steps:

    >>> from sklearn.base import BaseEstimator, RegressorMixin
    >>> from sklearn_hpt import PBTSearchCV
    >>> from sklearn_hpt.steppers import Stepper
    >>> class Mean(RegressorMixin, BaseEstimator):
    ...     def __init__(self, rate=0.1, n_steps=10):
    ...         self.rate = rate
    ...         self.n_steps = n_steps
    ...     def fit(self, X, y):
    ...         self.mean_ = 0.0
    ...         return self.learn(y, self.n_steps)
    ...     def learn(self, y, n_steps):
    ...         for _ in range(n_steps):
    ...             self.mean_ += self.rate * (y.mean() - self.mean_)
    ...         return self
    ...     def predict(self, X):
    ...         return [self.mean_] * len(X)
    >>> class MeanStepper(Stepper):
    ...     def resource(self, model):
    ...         return "n_steps"
    ...     def mutable_names(self, model):
    ...         return ["rate"]
    ...     def init(self, model, X, y):
    ...         model.mean_ = 0.0
    ...     def step(self, model, X, y, begin, end):
    ...         model.learn(y, end - begin)
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> search = PBTSearchCV(
    ...     Mean(),
    ...     {"rate": (0.0, 1.0)},
    ...     stepper=MeanStepper(),
    ...     population_size=4,
    ...     n_generations=5,
    ...     random_state=0,
    ... ).fit(X, y)
    >>> search.best_schedule_.amounts[-1] == search.best_params_["n_steps"]
    True
    """

    @abstractmethod
    def resource(self, model: Any) -> str:
        """Return the parameter of the estimator that counts the units of its training.

        Parameters
        ----------
        model : estimator
            With all its parameters set.

        Returns
        -------
        str
            Such as ``"max_epochs"``.
        """

    @abstractmethod
    def mutable_names(self, model: Any) -> Collection[str]:
        """Return the hyperparameters that take effect if they change during training.

        Parameters
        ----------
        model : estimator
            With all its parameters set.

        Returns
        -------
        collection of str
            Names as `set_params` takes them.
        """

    @abstractmethod
    def step(self, model: Any, X: Any, y: Any, begin: int, end: int, **fit_params: Any) -> None:
        """Train an estimator in place from one amount of its resource to another.

        Parameters
        ----------
        model : estimator
            Its parameter for the resource is `end` already.
        X, y : array-like
            The training rows, the same in each call; `y` may be None.
        begin, end : int
            How much training it has had, and how much it will have had.
        **fit_params : dict of str to object
            Metadata for `fit`.
        """

    def init(self, model: Any, X: Any, y: Any, **fit_params: Any) -> None:  # noqa: B027
        """Make an estimator ready for its first step; by default nothing is done.

        Parameters
        ----------
        model : estimator
            Not trained yet.
        X, y : array-like
            The training rows.
        **fit_params : dict of str to object
            Metadata for `fit`.
        """

    def set_mutable(self, model: Any, params: Mapping[str, Any]) -> None:
        """Change hyperparameters of an estimator that is being trained; by default by `set_params`.

        Parameters
        ----------
        model : estimator
            A trained one, which keeps what it has learned.
        params : mapping of str to object
            Those of `mutable_names` that change.
        """
        model.set_params(**params)

    def can_train_on(self, model: Any, fit_params: Mapping[str, Any]) -> bool:
        """Tell whether an estimator with these parameters can be trained on; by default True.

        Parameters
        ----------
        model : estimator
            With all its parameters set.
        fit_params : mapping of str to object
            Metadata for `fit`.

        Returns
        -------
        bool
            If False, it is fitted anew for each amount, or refused where that will not do.
        """
        return True

    def check(self, model: Any, names: Collection[str]) -> None:  # noqa: B027
        """Raise if hyperparameters cannot be tuned while an estimator is trained.

        Called before anything is trained; by default nothing is done.

        Parameters
        ----------
        model : estimator
            With all its parameters set.
        names : collection of str
            Those of `mutable_names` that are searched.
        """

    def has_stopped(self, model: Any, amount: int) -> bool:
        """Tell whether training has ended by itself at or before an amount; by default False.

        Parameters
        ----------
        model : estimator
            A trained one.
        amount : int
            How much training it has been asked for.

        Returns
        -------
        bool
            If True, it stays as it is in further steps.
        """
        return False
