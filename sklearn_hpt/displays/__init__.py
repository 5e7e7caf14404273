"""Pictures, in scikit-learn's convention: a display holds data, and draws them in `plot`.

They need matplotlib: ``pip install sklearn_hpt[plot]``.
"""

from sklearn_hpt.displays._loss_curves import LossCurvesDisplay
from sklearn_hpt.displays._lr_range import LRRangeDisplay

__all__ = ["LRRangeDisplay", "LossCurvesDisplay"]
