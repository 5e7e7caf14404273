"""The searches: scikit-learn estimators, one file for each."""

from sklearn_hpt.search._bayes import BayesSearchCV
from sklearn_hpt.search._coarse_to_fine import CoarseToFineSearchCV
from sklearn_hpt.search._evolutionary import EvolutionarySearchCV
from sklearn_hpt.search._log_random import LogRandomSearchCV
from sklearn_hpt.search._pbt import PBTSearchCV

__all__ = [
    "BayesSearchCV",
    "CoarseToFineSearchCV",
    "EvolutionarySearchCV",
    "LogRandomSearchCV",
    "PBTSearchCV",
]
