"""Pictures, in scikit-learn's convention: a display holds data, and draws them in `plot`.

They need matplotlib: ``pip install 'sklearn_hpt[plot]'``.
"""

from sklearn_hpt.displays._boxes import BoxesDisplay
from sklearn_hpt.displays._candidate_table import CandidateTable
from sklearn_hpt.displays._contour import ContourDisplay
from sklearn_hpt.displays._learning_curves import LearningCurvesDisplay
from sklearn_hpt.displays._lineage import LineageDisplay
from sklearn_hpt.displays._loss_curves import LossCurvesDisplay
from sklearn_hpt.displays._lr_range import LRRangeDisplay
from sklearn_hpt.displays._optimization_history import OptimizationHistoryDisplay
from sklearn_hpt.displays._parallel_coordinates import ParallelCoordinatesDisplay
from sklearn_hpt.displays._parameter_effect import ParameterEffectDisplay
from sklearn_hpt.displays._parameter_importance import ParameterImportanceDisplay
from sklearn_hpt.displays._racing import RacingDisplay
from sklearn_hpt.displays._schedule import ScheduleDisplay
from sklearn_hpt.displays._search_comparison import SearchComparisonDisplay

__all__ = [
    "BoxesDisplay",
    "CandidateTable",
    "ContourDisplay",
    "LRRangeDisplay",
    "LearningCurvesDisplay",
    "LineageDisplay",
    "LossCurvesDisplay",
    "OptimizationHistoryDisplay",
    "ParallelCoordinatesDisplay",
    "ParameterEffectDisplay",
    "ParameterImportanceDisplay",
    "RacingDisplay",
    "ScheduleDisplay",
    "SearchComparisonDisplay",
]
