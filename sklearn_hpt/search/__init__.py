"""The search estimators."""

from sklearn_hpt.search._log_random import LogRandomSearchCV

__all__ = ["LogRandomSearchCV"]
