"""The scores of a search in the order of its candidates."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from sklearn_hpt._axes import BLACK, axes_for, legend_above
from sklearn_hpt.displays._candidate_table import CandidateTable
from sklearn_hpt.displays._table_display import TableDisplay, draw_marks, mark_best


class OptimizationHistoryDisplay(TableDisplay):
    """The score of each candidate in order, and the best so far.

    Candidates that failed are crosses at the bottom edge. Those that were stopped before they were
    complete, on fewer folds or with less of a resource, and those that are running have the mean of
    the folds that they have. Light bars are one standard deviation over the folds, for up to 100
    candidates. The line counts complete candidates only.

    Parameters
    ----------
    table : CandidateTable
        The candidates.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it is drawn.
    figure_ : matplotlib Figure
        The figure of these axes.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from sklearn_hpt import LogRandomSearchCV
    >>> from sklearn_hpt.displays import OptimizationHistoryDisplay
    >>> search = LogRandomSearchCV(
    ...     SVC(), {"C": (1e-3, 1e3, "log-uniform")}, n_iter=5, random_state=0
    ... ).fit(*load_iris(return_X_y=True))
    >>> display = OptimizationHistoryDisplay.from_estimator(search)
    >>> display.ax_.get_xlabel()
    'candidate'
    """

    def __init__(self, table: CandidateTable) -> None:
        self.table = table

    def plot(self, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.

        Returns
        -------
        OptimizationHistoryDisplay
            This display.
        """
        ax, table = axes_for(ax), self.table
        numbers = np.arange(len(table.scores), dtype=float)
        draw_marks(ax, numbers, table)
        ax.step(numbers, table.best_so_far, where="post", color=BLACK, lw=1.5, label="best so far")
        if table.best is not None and np.isfinite(table.scores[table.best]):
            mark_best(ax, numbers[table.best], table)
        ax.set(xlabel="candidate", ylabel=table.score_label)
        ax.xaxis.get_major_locator().set_params(integer=True)
        legend_above(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self
