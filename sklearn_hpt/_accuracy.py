"""Accuracy without the validation that costs several times a cheap model's fit.

`accuracy_score` looks at its two arrays from every side before it compares them, again for
each candidate and each fold. Where the targets are plain integers, booleans or strings and
the predictions are of the same kind, the comparison is all there is to do, and the result is
the same to the last digit. Anything else is left to scikit-learn.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sklearn_hpt._sklearn_compat import is_accuracy

_DISCRETE = "biuU"


def is_plain_accuracy(scorer: Any, estimator: Any, y: Any, params: Mapping[str, Any]) -> bool:
    """Tell whether all there is to score is the share of right predictions."""
    return (
        not params
        and is_accuracy(scorer, estimator)
        and type(y) is np.ndarray
        and y.ndim == 1
        and y.dtype.kind in _DISCRETE
        and y.size > 0
    )


def plain_accuracy(y_true: np.ndarray, y_pred: Any) -> float | None:
    """Return the share of equal values, None if the predictions are of another kind.

    Parameters
    ----------
    y_true : ndarray of shape (n_samples,)
        Integers, booleans or strings.
    y_pred : object
        What `predict` returned.

    Returns
    -------
    float or None
        A fraction in [0, 1].
    """
    if type(y_pred) is not np.ndarray or y_pred.shape != y_true.shape:
        return None
    if y_pred.dtype.kind != y_true.dtype.kind:
        return None
    return float(np.count_nonzero(y_true == y_pred) / len(y_true))
