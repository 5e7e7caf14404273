"""What is wrong with a model, and what to do next: its error by cause, and by row."""

from sklearn_hpt.diagnostics._analysis import (
    Category,
    Confusion,
    ErrorAnalysis,
    Slice,
    Slices,
)
from sklearn_hpt.diagnostics._decomposition import ErrorDecomposition
from sklearn_hpt.diagnostics._split import Split, detectable_difference, train_dev_test_split

__all__ = [
    "Category",
    "Confusion",
    "ErrorAnalysis",
    "ErrorDecomposition",
    "Slice",
    "Slices",
    "Split",
    "detectable_difference",
    "train_dev_test_split",
]
