"""Hyperparameter searches that drop in for scikit-learn's GridSearchCV.

The path of a search, and the modules in which to read it:

    space -> suggest -> evaluate -> record -> select -> refit

`space` says what may be tried and `default_spaces` what people try, `samplers` suggest,
`_evaluation` fits and scores one candidate on one fold wherever `_executors` put it, `_trial`,
`_results` and `_journal` record, and `_selection` selects; `search` runs the loop and refits.
"""

from sklearn_hpt._journal import read_journal
from sklearn_hpt.default_spaces import default_space
from sklearn_hpt.search import (
    BayesSearchCV,
    CoarseToFineSearchCV,
    EvolutionarySearchCV,
    LogRandomSearchCV,
    PBTSearchCV,
)
from sklearn_hpt.space import Categorical, Integer, Real

__version__ = "0.1.0.dev0"

__all__ = [
    "BayesSearchCV",
    "Categorical",
    "CoarseToFineSearchCV",
    "EvolutionarySearchCV",
    "Integer",
    "LogRandomSearchCV",
    "PBTSearchCV",
    "Real",
    "__version__",
    "default_space",
    "read_journal",
]
