"""What to make of a result: how sure it is, where its errors come from, and what to do next."""

from sklearn_hpt.diagnostics._analysis import (
    Category,
    Confusion,
    ErrorAnalysis,
    Slice,
    Slices,
)
from sklearn_hpt.diagnostics._decomposition import ErrorDecomposition
from sklearn_hpt.diagnostics._nested import NestedScore, nested_score
from sklearn_hpt.diagnostics._one_standard_error import OneStandardError
from sklearn_hpt.diagnostics._optimism import SelectionOptimism, selection_optimism
from sklearn_hpt.diagnostics._split import Split, detectable_difference, train_dev_test_split

__all__ = [
    "Category",
    "Confusion",
    "ErrorAnalysis",
    "ErrorDecomposition",
    "NestedScore",
    "OneStandardError",
    "SelectionOptimism",
    "Slice",
    "Slices",
    "Split",
    "detectable_difference",
    "nested_score",
    "selection_optimism",
    "train_dev_test_split",
]
