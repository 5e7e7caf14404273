"""What to search in an estimator, on which scale, in what order, and where each range is from.

The tables of scikit-learn's models, its preprocessing, and boosting libraries are data; skorch
nets are read by what their module and optimizer accept. Nothing here imports any of them: classes
are known by their names.
"""

from sklearn_hpt.default_spaces._build import DefaultSpace, default_space, tiers_of, values_of

__all__ = ["DefaultSpace", "default_space", "tiers_of", "values_of"]
