"""Features by name, and the slices that the values of one fall into."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

MISSING, OTHER = "missing", "other values"


def columns_of(table: Any) -> Iterator[tuple[str, Any]]:
    """Yield the columns of a data frame, mapping or matrix by name; nothing for anything else."""
    if isinstance(table, Mapping):
        yield from ((str(name), values) for name, values in table.items())
    elif hasattr(table, "columns"):
        yield from ((str(name), np.asarray(table[name])) for name in table.columns)
    elif isinstance(table, np.ndarray) and table.ndim == 2:
        yield from ((f"x{i}", column) for i, column in enumerate(table.T))


def slice_names(values: Any, n_bins: int, max_values: int) -> np.ndarray:
    """Return the name of the slice for each value of a feature.

    Parameters
    ----------
    values : array-like of shape (n_rows,)
        Numbers, dates, strings, anything.
    n_bins : int
        How many ranges numbers and dates are cut into, if they have more different values.
    max_values : int
        How many other values have a slice of their own.

    Returns
    -------
    ndarray of str of shape (n_rows,)
        Names.
    """
    values = np.asarray(values)
    is_missing = _are_missing(values)
    names = np.full(len(values), MISSING, dtype=object)
    known = values[~is_missing]
    if known.dtype.kind == "O":
        known = np.asarray(known.tolist())  # numbers beside a missing value are numbers again
    can_be_cut = known.dtype.kind in "iufmM" and len(np.unique(known)) > n_bins
    names[~is_missing] = _ranges(known, n_bins) if can_be_cut else _frequent(known, max_values)
    return names


def _are_missing(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind != "O":
        return values != values
    return np.array(
        [v is None or type(v).__name__ in ("NAType", "NaTType") or v != v for v in values],
        dtype=bool,
    )


def _ranges(values: np.ndarray, n_bins: int) -> np.ndarray:
    """Name the range of each value; ranges end at quantiles that are values themselves."""
    ordered = np.sort(values)
    last = [-(-len(ordered) * i // n_bins) - 1 for i in range(1, n_bins)]
    ends = np.unique(ordered[last])
    ends = ends[ends < ordered[-1]]
    if not len(ends):  # the most frequent value is the largest one, and all quantiles are there
        ends = np.unique(ordered[ordered < ordered[-1]])[-1:]
    texts = [f"{end:.6g}" if ends.dtype.kind in "iuf" else str(end) for end in ends]
    if len(set(texts)) < len(texts):
        texts = [str(end) for end in ends]
    middle = [f"({low}, {high}]" for low, high in zip(texts, texts[1:], strict=False)]
    labels = np.array([f"<= {texts[0]}", *middle, f"> {texts[-1]}"], dtype=object)
    return labels[np.searchsorted(ends, values, side="left")]


def _frequent(values: np.ndarray, max_values: int) -> np.ndarray:
    """Name each value, and all but the most frequent ones together."""
    texts = [str(value) for value in values.tolist()]
    kept = {text for text, _ in Counter(texts).most_common(max_values)}
    return np.array([text if text in kept else OTHER for text in texts], dtype=object)
