"""Describe values in JSON, the same in every process, to compare and to show them.

Plain values are kept as they are. Of others, such as estimators, functions or data, a
description holds a text for people and a digest that is equal for equal values: `repr` shows
addresses, `hash` changes from run to run, and a pickle can depend on what was used before.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import math
import re
import sys
import sysconfig
import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
import scipy.sparse as sp

Json = Any

_LONGEST_TEXT = 200
_CHUNK_BYTES = 2**24
_INSTALLED = tuple(sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib"))
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+|\bobject at\b")


def describe(value: Any) -> Json:
    """Return a JSON value that is equal for equal values, whatever process they are in."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, np.generic):
        return describe(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$float": repr(value)}
    if type(value) is list:
        return [describe(item) for item in value]
    if type(value) is tuple:
        return {"$tuple": [describe(item) for item in value]}
    if type(value) is dict:
        return {"$dict": [[describe(key), describe(item)] for key, item in value.items()]}
    return {"$text": text(value), "$digest": digest(value)}


def restore(description: Json) -> Any:
    """Return the value that was described, or its text where there is no more than that."""
    if isinstance(description, list):
        return [restore(item) for item in description]
    if not isinstance(description, dict):
        return description
    if "$float" in description:
        return float(description["$float"])
    if "$tuple" in description:
        return tuple(restore(item) for item in description["$tuple"])
    if "$dict" in description:
        return {_hashable(restore(key)): restore(item) for key, item in description["$dict"]}
    return description["$text"]


@dataclass(frozen=True)
class Described:
    """A value of which only the description is there."""

    json: Json

    @property
    def value(self) -> Any:
        """The value, or its text where there is no more than that."""
        return restore(self.json)


def _hashable(key: Any) -> Any:
    return str(key) if isinstance(key, (list, dict)) else key


def text(value: Any) -> str:
    """Return a line for people, without addresses."""
    if isinstance(value, type) or inspect.isroutine(value):
        return _qualified_name(value)
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        shape = " x ".join(map(str, value.shape))
        return f"{type(value).__name__} {shape} {value.dtype}"
    if hasattr(value, "shape") and hasattr(value, "columns"):
        return f"{type(value).__name__} {' x '.join(map(str, value.shape))}"
    shown = " ".join(repr(value).split())
    if _ADDRESS.search(shown):
        shown = _ADDRESS.sub("", shown)
    return shown if len(shown) <= _LONGEST_TEXT else shown[: _LONGEST_TEXT - 3] + "..."


def digest(value: Any, *, classes_only: bool = False) -> str:
    """Return a digest that is equal for equal values, whatever process they are in.

    SHA-1 because it reads 1.6 GB/s where the processor helps, against 0.7 for the MD5 of
    `joblib.hash`; data frames and matrices are read in one fixed order.

    Parameters
    ----------
    value : object
        Anything.
    classes_only : bool, default=False
        Whether an estimator inside counts by its class alone, its parameters being compared
        elsewhere.
    """
    sha = hashlib.sha1(usedforsecurity=False)
    _Feeder(sha, classes_only).feed(value)
    return sha.hexdigest()[:16]


class _Feeder:
    """Turns values into bytes, type by type."""

    def __init__(self, sha: Any, classes_only: bool) -> None:
        self._sha = sha
        self._classes_only = classes_only
        self._inside: set[int] = set()  # a function may close over itself

    def feed(self, value: Any) -> None:
        if id(value) in self._inside:
            self._mark("again")
            return
        self._inside.add(id(value))
        try:
            self._feed(value)
        finally:
            self._inside.discard(id(value))

    def _mark(self, *parts: Any) -> None:
        self._sha.update(json.dumps([str(part) for part in parts]).encode())

    def _feed(self, value: Any) -> None:
        if isinstance(value, np.generic):
            value = value.item()
        if value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
            self._mark(type(value).__name__, repr(value))
        elif isinstance(value, (list, tuple)):
            self._feed_items(type(value).__name__, value)
        elif isinstance(value, (set, frozenset)):
            self._mark("set", *sorted(digest(item) for item in value))
        elif isinstance(value, Mapping):
            self._feed_items("mapping", (part for item in value.items() for part in item))
        elif isinstance(value, np.ndarray):
            self._feed_array(value)
        elif sp.issparse(value):
            self._feed_sparse(value)
        elif hasattr(value, "columns") and hasattr(value, "shape"):
            self._feed_frame(value)
        elif hasattr(value, "to_numpy"):
            self._feed_items("series", [_as_array(value)])
        elif hasattr(value, "detach") and hasattr(value, "numpy"):
            self._feed_items("tensor", [value.detach().cpu().numpy()])
        else:
            self._feed_object(value)

    def _feed_items(self, kind: str, items: Any) -> None:
        self._mark(kind)
        for item in items:
            self.feed(item)
        self._mark("end")

    def _feed_array(self, array: np.ndarray) -> None:
        self._mark("array", array.dtype.str, array.shape)
        if array.dtype.hasobject:
            self._mark(joblib.hash(array.tolist()))
            return
        rows = array.reshape(1) if array.ndim == 0 else array
        step = max(1, _CHUNK_BYTES * len(rows) // max(array.nbytes, 1))
        for start in range(0, len(rows), step):
            self._sha.update(np.ascontiguousarray(rows[start : start + step]).view(np.uint8).data)

    def _feed_sparse(self, matrix: Any) -> None:
        rows = matrix.tocsr()
        if not rows.has_sorted_indices:
            rows = rows.sorted_indices()
        self._feed_items("sparse", [rows.shape, rows.data, rows.indices, rows.indptr])

    def _feed_frame(self, frame: Any) -> None:
        self._mark("frame", frame.shape)
        for name in frame.columns:
            self.feed(name)
            self.feed(_as_array(frame[name]))

    def _feed_object(self, value: Any) -> None:
        if isinstance(value, type):
            self._feed_class(value)
        elif isinstance(value, functools.partial):
            self._feed_items("partial", [value.func, value.args, value.keywords])
        elif isinstance(value, types.MethodType):
            self._feed_items("method", [value.__func__, value.__self__])
        elif inspect.isroutine(value) or isinstance(value, np.ufunc):
            self._feed_function(value)
        elif hasattr(value, "get_params"):
            self.feed(type(value))
            if not self._classes_only:
                self.feed(value.get_params(deep=False))
        elif isinstance(value, np.random.RandomState):
            self._feed_items("RandomState", [value.get_state(legacy=False)])
        elif hasattr(value, "dist") and hasattr(value, "kwds"):  # frozen, of scipy.stats
            self._feed_items("distribution", [value.dist.name, value.args, value.kwds])
        else:
            self.feed(type(value))
            self._mark(_hash_or_text(value))

    def _feed_class(self, cls: type) -> None:
        self._mark("class", _qualified_name(cls))
        if _is_installed(cls):
            return  # its version stands for its code
        for name, part in sorted(vars(cls).items()):
            if inspect.isroutine(part):
                self._mark(name)
                self.feed(getattr(part, "__func__", part))

    def _feed_function(self, function: Any) -> None:
        self._mark("function", _qualified_name(function))
        code = getattr(function, "__code__", None)
        if code is None or _is_installed(function):
            return
        self._feed_code(code)
        self.feed(function.__defaults__)
        self.feed(function.__kwdefaults__)
        for cell in function.__closure__ or ():
            try:
                self.feed(cell.cell_contents)
            except ValueError:  # not filled yet
                self._mark("empty cell")

    def _feed_code(self, code: types.CodeType) -> None:
        self._sha.update(code.co_code)
        self._mark(*code.co_names, *code.co_varnames)
        for constant in code.co_consts:
            if isinstance(constant, types.CodeType):
                self._feed_code(constant)
            else:
                self.feed(constant)


def _as_array(column: Any) -> np.ndarray:
    return np.asarray(column.to_numpy())


def _hash_or_text(value: Any) -> str:
    try:
        return str(joblib.hash(value))
    except Exception:  # cannot be pickled
        return text(value)


def _qualified_name(value: Any) -> str:
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", repr(value))
    module = getattr(value, "__module__", None)
    return f"{module}.{name}" if module and module != "builtins" else str(name)


def _is_installed(value: Any) -> bool:
    """Tell whether the code is of an installed package, not the user's own."""
    module = sys.modules.get(getattr(value, "__module__", None) or "builtins")
    path = getattr(module, "__file__", None)
    if path is None:  # built in, or a notebook
        return getattr(module, "__name__", "") != "__main__"
    return path.startswith(_INSTALLED)
