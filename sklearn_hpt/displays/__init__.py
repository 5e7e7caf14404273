"""Pictures, in scikit-learn's convention: a display holds data, and draws them in `plot`.

They need matplotlib: ``pip install sklearn_hpt[plot]``.
"""

from sklearn_hpt.displays._candidate_table import CandidateTable
from sklearn_hpt.displays._loss_curves import LossCurvesDisplay
from sklearn_hpt.displays._lr_range import LRRangeDisplay
from sklearn_hpt.displays._optimization_history import OptimizationHistoryDisplay
from sklearn_hpt.displays._parameter_effect import ParameterEffectDisplay
from sklearn_hpt.displays._parameter_importance import ParameterImportanceDisplay
from sklearn_hpt.displays._search_comparison import SearchComparisonDisplay

__all__ = [
    "CandidateTable",
    "LRRangeDisplay",
    "LossCurvesDisplay",
    "OptimizationHistoryDisplay",
    "ParameterEffectDisplay",
    "ParameterImportanceDisplay",
    "SearchComparisonDisplay",
]
