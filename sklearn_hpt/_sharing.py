"""Hand one piece of data to many candidates, none of which can change it for the next.

What is shared must be the same to the last bit of a result, so its layout in memory is kept:
sums over rows and over columns are added up in different orders.
"""

from __future__ import annotations

import copy
import itertools
import numbers
import sys
import types
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import scipy.sparse as sp

_OF_THE_PROGRAM = (type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType)
_SAMPLE = 100  # items of a large container that are looked at to tell its size


def parts(value: Any) -> tuple[Any, ...]:
    """Return the memory of a value: arrays, or what is none and cannot be made read-only."""
    if value is None or isinstance(value, (numbers.Number, str)):
        return ()
    if sp.issparse(value) and value.format in ("csr", "csc"):
        return value.data, value.indices, value.indptr
    return (value,)


def view(value: Any) -> Any:
    """Return an object of one's own over the same read-only memory."""
    if sp.issparse(value):
        return _rebuilt(value, *(part.view() for part in parts(value)))
    return value.view() if isinstance(value, np.ndarray) else value


def frozen(value: Any, *, is_lent: bool) -> Any | None:
    """Return a value that no candidate can change, None if there is no way to have one.

    Parameters
    ----------
    value : object
        An array, a sparse matrix or a data frame.
    is_lent : bool
        Whether a candidate holds `value` too and may write into it: then a copy is made of
        arrays, else they become read-only.
    """
    if _is_immutable_frame(value):
        return _copy_on_write(value)
    arrays = parts(value)
    if not arrays or not all(_is_plain(array) for array in arrays):
        return None
    own = [_frozen_array(array, is_lent) for array in arrays]
    return _rebuilt(value, *own) if sp.issparse(value) else own[0]


def lent(value: Any, *, writable: bool) -> Any:
    """Return a frozen value for one candidate: a view, or a copy that it may write into."""
    if _is_immutable_frame(value):
        return _copy_on_write(value)
    if not writable:
        return view(value)
    copies = [part.copy(order="K") for part in parts(value)]
    return _rebuilt(value, *copies) if sp.issparse(value) else copies[0]


def _rebuilt(matrix: Any, data: Any, indices: Any, indptr: Any) -> Any:
    """Return the matrix over other arrays, with all that it knows of its own order."""
    rebuilt = copy.copy(matrix)
    rebuilt.data, rebuilt.indices, rebuilt.indptr = data, indices, indptr
    return rebuilt


def _is_plain(array: Any) -> bool:
    """Tell whether a copy is laid out as the array itself and holds no objects."""
    return (
        type(array) is np.ndarray
        and not array.dtype.hasobject
        and (array.flags.c_contiguous or array.flags.f_contiguous)
    )


def _frozen_array(array: np.ndarray, is_lent: bool) -> np.ndarray:
    if is_lent or _can_change_below(array):
        array = array.copy(order="K")
    array.flags.writeable = False
    return array


def _can_change_below(array: np.ndarray) -> bool:
    """Tell whether the memory of a view can be written through what it is a view of."""
    base = array.base
    while isinstance(base, np.ndarray):
        if base.flags.writeable:
            return True
        base = base.base
    return base is not None


def _is_immutable_frame(value: Any) -> bool:
    """Tell whether a data frame copies what is written into, so that copies cost nothing.

    pandas does so from version 3 on. Before, a copy may be laid out in another way.
    """
    package = type(value).__module__.partition(".")[0]
    if type(value).__name__ != "DataFrame" or package not in ("pandas", "polars"):
        return False
    if package == "polars":
        return all(str(dtype) != "Object" for dtype in value.dtypes)
    version = sys.modules["pandas"].__version__
    return int(version.partition(".")[0]) >= 3 and all(str(d) != "object" for d in value.dtypes)


def _copy_on_write(frame: Any) -> Any:
    return frame.clone() if hasattr(frame, "clone") else frame.copy(deep=False)


def n_bytes(value: Any) -> int:
    """Return the memory that a value holds, with all that is reached from it.

    Of large dictionaries and lists a sample of the items is looked at.
    """
    return _size(value, set())


def _size(value: Any, seen: set[int]) -> int:
    if id(value) in seen or value is None or isinstance(value, _OF_THE_PROGRAM):
        return 0
    seen.add(id(value))
    if isinstance(value, np.ndarray):
        return _array_size(value, seen)
    if hasattr(value, "memory_usage"):  # pandas
        return int(np.sum(value.memory_usage(deep=True)))
    if hasattr(value, "estimated_size"):  # polars
        return int(value.estimated_size())
    if isinstance(value, Mapping):
        return sys.getsizeof(value) + _items_size(value.items(), len(value), seen, of_pairs=True)
    if isinstance(value, (list, tuple, set, frozenset)):
        return sys.getsizeof(value) + _items_size(value, len(value), seen)
    return sys.getsizeof(value) + _size(_state(value), seen)


def _state(value: Any) -> Any:
    state = getattr(value, "__dict__", None)
    if state is None and type(value).__module__ != "builtins":  # compiled, such as trees
        with suppress(Exception):
            state = value.__reduce_ex__(4)[1:3]
    return state


def _array_size(array: np.ndarray, seen: set[int]) -> int:
    whole = array
    while isinstance(whole.base, np.ndarray):
        whole = whole.base
    if whole is not array and id(whole) in seen:
        return 0
    seen.add(id(whole))
    size = max(whole.nbytes, array.nbytes)
    if array.dtype.hasobject:
        size += _items_size(array.ravel(), array.size, seen)
    return size


def _items_size(items: Any, n: int, seen: set[int], of_pairs: bool = False) -> int:
    sample = list(itertools.islice(items, _SAMPLE))
    size = sum(_size(x, seen) for item in sample for x in (item if of_pairs else (item,)))
    return size * n // max(len(sample), 1)
