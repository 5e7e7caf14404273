"""Small real estimators that misbehave on request."""

import ctypes
import os
import signal
import time

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


class Misbehaving(ClassifierMixin, BaseEstimator):
    """A constant classifier whose `fit` does what `how` says."""

    def __init__(self, how="well", value=0, seconds=60.0):
        self.how = how
        self.value = value
        self.seconds = seconds

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        if self.how == "raise":
            raise ValueError("this candidate cannot be fitted")
        if self.how.startswith("raise this:"):
            raise ValueError(self.how)
        if self.how == "raise_unpicklable":
            raise UnpicklableError
        if self.how == "raise_on_some_folds" and X[0, 0] > 0:
            raise ValueError("this fold cannot be fitted")
        if self.how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.how.startswith("kill_once") and not os.path.exists(flag := self.how.split()[-1]):
            open(flag, "w").close()
            os.kill(os.getpid(), signal.SIGKILL)
        if self.how == "exit":
            os._exit(3)
        if self.how == "segfault":
            ctypes.string_at(0)
        if self.how == "sleep":
            time.sleep(self.seconds)
        if self.how == "allocate":
            np.ones(2**31, dtype=np.uint8)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[self.value])

    def score(self, X, y):
        if self.how == "nan":
            return np.nan
        if self.how == "inf":
            return -np.inf
        if self.how == "raise_in_score":
            raise RuntimeError("this candidate cannot be scored")
        return super().score(X, y)


class UnpicklableError(RuntimeError):
    """An error that cannot be sent from a worker."""

    def __reduce__(self):
        raise TypeError("cannot pickle this")


class Recorder(ClassifierMixin, BaseEstimator):
    """Scores 1 if it sees what `expression` evaluates to True in its process."""

    def __init__(self, expression="True", number=0):
        self.expression = expression
        self.number = number

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.seen_ = eval(self.expression)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])

    def score(self, X, y):
        return float(self.seen_)
