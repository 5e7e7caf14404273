"""What users of scikit-optimize's BayesSearchCV find here as they know it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

from sklearn_hpt._warn import warn
from sklearn_hpt.samplers._candidates import alternative_of
from sklearn_hpt.space import SpaceUnion

_UNSET = "deprecated"


def warn_about_leftovers(search: Any) -> None:
    """Say what to do instead of the parameters that mean nothing any more, or less than before."""
    advice = {
        "optimizer_kwargs": (
            None,
            "is ignored: there is one optimizer, which needs no settings. Leave it out; n_points, "
            "include_default and acquisition are parameters of the search.",
        ),
        "fit_params": (None, "is deprecated: pass these to fit, as fit(X, y, **fit_params)."),
        "iid": (_UNSET, "is ignored: scores are means over the folds. Leave it out."),
    }
    for name, (unset, what_to_do) in advice.items():
        value = getattr(search, name)
        if value is not unset and not (isinstance(value, str) and value == unset):
            warn(f"{name}={value!r} {what_to_do}", DeprecationWarning)


def as_callbacks(callback: Any) -> list[Callable[[OptimizeResult], Any]]:
    """Return the callbacks that are given as one, several or none.

    Raises
    ------
    ValueError
        If one of them cannot be called.
    """
    several = callback if isinstance(callback, (list, tuple)) else [callback]
    callbacks = [one for one in several if one is not None]
    for one in callbacks:
        if not callable(one):
            raise ValueError(
                f"callback={callback!r} must be a function of the result so far, or a list of such "
                "functions; one that returns True ends the search."
            )
    return callbacks


def optimizer_results(
    space: SpaceUnion, evaluated: Iterable[tuple[Mapping[str, Any], float]]
) -> list[OptimizeResult]:
    """Return one result for each alternative that was tried, as scikit-optimize words it.

    Parameters
    ----------
    space : SpaceUnion
        The search space.
    evaluated : iterable of (mapping, float)
        Hyperparameters and their mean scores.

    Returns
    -------
    list of OptimizeResult
        With `x_iters`, the values in the order of the sorted names, `func_vals`, the negative
        scores, `x` and `fun`, the best of these, and `space`.
    """
    points: list[list[tuple[Mapping[str, Any], float]]] = [[] for _ in space.spaces]
    for params, score in evaluated:
        points[alternative_of(space, params)].append((params, score))
    return [
        _result(one, of_one) for one, of_one in zip(space.spaces, points, strict=True) if of_one
    ]


def _result(space: Any, evaluated: Sequence[tuple[Mapping[str, Any], float]]) -> OptimizeResult:
    names = sorted(space)
    x_iters = [[params[name] for name in names] for params, _ in evaluated]
    func_vals = -np.array([score for _, score in evaluated], dtype=float)
    best = None if np.isnan(func_vals).all() else int(np.nanargmin(func_vals))
    return OptimizeResult(
        x=None if best is None else x_iters[best],
        fun=np.nan if best is None else float(func_vals[best]),
        x_iters=x_iters,
        func_vals=func_vals,
        space=space,
    )
