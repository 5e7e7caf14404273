"""What to make of a result: how sure it is, where its errors come from, and what to do next."""

from sklearn_hpt.diagnostics._nested import NestedScore, nested_score
from sklearn_hpt.diagnostics._one_standard_error import OneStandardError
from sklearn_hpt.diagnostics._optimism import SelectionOptimism, selection_optimism

__all__ = [
    "NestedScore",
    "OneStandardError",
    "SelectionOptimism",
    "nested_score",
    "selection_optimism",
]
