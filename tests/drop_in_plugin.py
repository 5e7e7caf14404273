"""pytest plugin: LogRandomSearchCV stands in for RandomizedSearchCV in scikit-learn's own tests.

No test is excluded.
"""

import sklearn.model_selection

import sklearn_hpt


def pytest_configure(config):
    sklearn.model_selection.RandomizedSearchCV = sklearn_hpt.LogRandomSearchCV
