"""Keys that are equal only for estimators that were given equal parameters.

Parameters are compared by value, types included, so that 1, 1.0 and True differ. What cannot
be compared (the user's own objects, large arrays) is the same only if it is one and the same
object. A key holds that object, so no other can come to have its address.
"""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable, Hashable, Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

_LONGEST = 1000  # items of a list that are compared one by one
_LARGEST_ARRAY = 2**12  # bytes of an array that are compared
_BY_VALUE = (bool, int, str, bytes, range, type(None))
_NEVER_COPIED = (  # by `clone`
    type,
    types.FunctionType,
    types.BuiltinFunctionType,
    np.ufunc,
    type(np.clip),  # what most functions of NumPy are
)
_OWN_CLONE = BaseEstimator.__sklearn_clone__

Originals = Callable[[], Mapping[str, Any]]


class NoKeyError(ValueError):
    """Nothing tells whether a parameter is equal to another one."""


class Same:
    """Equal to what holds the very same object."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)


def originals(estimator: Any, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the objects of which a candidate has copies, by the names of its parameters.

    Parameters
    ----------
    estimator : estimator
        What is cloned for each candidate.
    params : mapping
        The candidate's hyperparameters, as the search space holds them.
    """
    found = dict(estimator.get_params(deep=True))
    for name in sorted(params, key=lambda name: name.count("__")):
        value = params[name]
        found = {n: v for n, v in found.items() if not n.startswith(f"{name}__")}
        found[name] = value
        if hasattr(value, "get_params") and not isinstance(value, type):
            deep = value.get_params(deep=True)
            found.update((f"{name}__{inner}", v) for inner, v in deep.items())
    return found


class ParameterKeys:
    """Makes keys of a candidate's parameters.

    Parameters
    ----------
    originals : callable, default=None
        Returns the objects that were copied for the candidate, by parameter name. They must
        live as long as the keys are of use.
    """

    def __init__(self, originals: Originals | None = None) -> None:
        self._originals = functools.cache(originals) if originals is not None else dict

    def key(self, value: Any, name: str | None = None) -> Hashable:
        """Return the key of a parameter that has this name in the candidate.

        Raises
        ------
        NoKeyError
            If there is none.
        """
        kind = type(value)
        if kind in _BY_VALUE:
            return kind, value
        if kind is float:
            return kind, value.hex()  # tells 0.0 from -0.0, and finds nan again
        if isinstance(value, np.generic) and not value.dtype.hasobject:
            return kind, value.dtype.str, value.tobytes()
        if kind in (list, tuple, dict, set, frozenset) and len(value) <= _LONGEST:
            return self._of_items(value)
        if isinstance(value, _NEVER_COPIED):
            return Same(value)
        if hasattr(value, "get_params"):
            return self._of_estimator(value, name)
        state = _state(value)
        return self._of_original(name) if state is None else (kind, self.key(state))

    def _of_items(self, value: Any) -> Hashable:
        kind = type(value)
        if kind is dict:
            return kind, tuple((self.key(k), self.key(v)) for k, v in value.items())
        keys = map(self.key, value)
        return kind, frozenset(keys) if kind in (set, frozenset) else tuple(keys)

    def _of_estimator(self, estimator: Any, name: str | None) -> Hashable:
        kind = type(estimator)
        if getattr(kind, "__sklearn_clone__", _OWN_CLONE) is not _OWN_CLONE:
            return self._of_original(name)  # more than its parameters may be kept
        before = "" if name is None else f"{name}__"
        params = sorted(estimator.get_params(deep=False).items())
        return (
            kind,
            tuple((n, self.key(v, None if name is None else before + n)) for n, v in params),
            self.key(vars(estimator).get("_sklearn_output_config")),
        )

    def _of_original(self, name: str | None) -> Hashable:
        found = self._originals()
        if name is None or name not in found:
            raise NoKeyError(f"parameter {name} cannot be compared")
        return Same(found[name])


def _state(value: Any) -> Any:
    """Return plain values that decide what an object is, None if they are not known."""
    kind = type(value)
    if kind is complex:
        return value.real, value.imag
    if kind is slice:
        return value.start, value.stop, value.step
    if kind is functools.partial:
        return value.func, value.args, value.keywords
    if kind is np.ndarray and not value.dtype.hasobject and value.nbytes <= _LARGEST_ARRAY:
        flags = value.flags
        order = flags.c_contiguous, flags.f_contiguous
        return value.dtype.str, value.shape, order, value.tobytes()
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(value, pandas.Index):
        return str(value.dtype), value.tolist()
    if kind.__module__.startswith("sklearn.") and hasattr(value, "__dict__"):
        return vars(value)  # such as make_column_selector and splitters
    return None
