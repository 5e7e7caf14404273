"""Several searches beside each other."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from sklearn_hpt._axes import COLOURS, LINES, axes_for, legend_above
from sklearn_hpt.displays._candidate_table import CandidateTable
from sklearn_hpt.displays._scale import shortened

_XLABELS = {
    "evaluations": "complete evaluations",
    "seconds": "seconds of fits and scores",
}
_LOG_FROM = 30.0  # ratio of what searches took from which on the axis is logarithmic
_MOST_LABELS = 12  # of a legend
_WIDTH, _LONGEST_LABEL, _LINE = 72, 40, 7  # characters: of a legend, a label, and its line


class SearchComparisonDisplay:
    """The best score so far of several searches, against what was spent.

    Searches can be compared if they have the same data, folds and metric. Best so far is that of
    complete candidates, so a search that stops many of them early begins later. The picture is
    about who is ahead: poor scores from the first half of the shortest search may be left below it.

    Parameters
    ----------
    tables : mapping of str to CandidateTable
        The candidates of each search, by its name; the legend has the first twelve names.
    against : {"evaluations", "seconds"}, default="evaluations"
        What is on the axis. "evaluations" are complete ones: a candidate that was stopped after one
        of five folds, or that had a fifth of the epochs, is a fifth of one. "seconds" is the
        time of all fits and scores, one after the other: not the time that passed if several were
        done at a time.

    Attributes
    ----------
    curves_ : dict of str to (ndarray, ndarray)
        For each search what was spent up to each of its candidates, and the best score then.
    ax_ : matplotlib Axes
        Where it is drawn.
    figure_ : matplotlib Figure
        The figure of these axes.

    Examples
    --------
    >>> from sklearn_hpt.displays import SearchComparisonDisplay
    >>> grid = {"params": [{"C": 1}, {"C": 2}], "mean_test_score": [0.8, 0.9]}
    >>> random = {"params": [{"C": 1.5}, {"C": 9.0}], "mean_test_score": [0.85, 0.7]}
    >>> display = SearchComparisonDisplay.from_cv_results({"grid": grid, "random": random})
    >>> spent, best = display.curves_["random"]
    >>> print(spent, best)
    [1. 2.] [0.85 0.85]
    """

    def __init__(
        self,
        tables: Mapping[str, CandidateTable],
        against: Literal["evaluations", "seconds"] = "evaluations",
    ) -> None:
        self.tables = tables
        self.against = against

    @classmethod
    def from_estimator(
        cls,
        searches: Mapping[str, Any],
        *,
        against: Literal["evaluations", "seconds"] = "evaluations",
        metric: str | None = None,
        ax: Any = None,
    ) -> SearchComparisonDisplay:
        """Draw fitted searches, of this library or of scikit-learn.

        Parameters
        ----------
        searches : mapping of str to fitted search
            What to draw, by name.
        against : {"evaluations", "seconds"}, default="evaluations"
            What is on the axis.
        metric : str, default=None
            Of several metrics, which to show; None is the one that `refit` names.
        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.

        Returns
        -------
        SearchComparisonDisplay
            What was drawn.
        """
        tables = _read(searches, CandidateTable.from_estimator, metric)
        return cls(tables, against).plot(ax=ax)

    @classmethod
    def from_cv_results(
        cls,
        cv_results: Mapping[str, Any],
        *,
        against: Literal["evaluations", "seconds"] = "evaluations",
        metric: str | None = None,
        ax: Any = None,
    ) -> SearchComparisonDisplay:
        """Draw several `cv_results_`.

        Parameters
        ----------
        cv_results : mapping of str to mapping or DataFrame
            The `cv_results_` of each search, by its name.
        against : {"evaluations", "seconds"}, default="evaluations"
            What is on the axis.
        metric : str, default=None
            Of several metrics, which to show.
        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.

        Returns
        -------
        SearchComparisonDisplay
            What was drawn.
        """
        tables = _read(cv_results, CandidateTable.from_cv_results, metric)
        return cls(tables, against).plot(ax=ax)

    @classmethod
    def from_journal(
        cls,
        paths: Mapping[str, str | os.PathLike[str]],
        *,
        against: Literal["evaluations", "seconds"] = "evaluations",
        metric: str | None = None,
        ax: Any = None,
    ) -> SearchComparisonDisplay:
        """Draw what journals have so far, also while their searches are running.

        Parameters
        ----------
        paths : mapping of str to path-like
            The journal of each search, by its name.
        against : {"evaluations", "seconds"}, default="evaluations"
            What is on the axis.
        metric : str, default=None
            Of several metrics, which to show; None is the one that decides.
        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.

        Returns
        -------
        SearchComparisonDisplay
            What was drawn.
        """
        return cls(_read(paths, CandidateTable.from_journal, metric), against).plot(ax=ax)

    def plot(self, ax: Any = None) -> SearchComparisonDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.

        Returns
        -------
        SearchComparisonDisplay
            This display.

        Raises
        ------
        ValueError
            If `against` is neither, or there is no search.
        """
        self.curves_ = best_against(self.tables, self.against)
        ax = axes_for(ax)
        for i, (name, (spent, best)) in enumerate(self.curves_.items()):
            colour, line = COLOURS[i % len(COLOURS)], LINES[i % len(LINES)]
            label = shortened(name, _LONGEST_LABEL) if i < _MOST_LABELS else None
            ax.step(spent, best, where="post", color=colour, ls=line, lw=2, label=label)
            ax.plot(spent[-1:], best[-1:], "o", color=colour, ms=4)
        ends = [spent[-1] for spent, _ in self.curves_.values() if spent[-1] > 0]
        if ends and max(ends) > _LOG_FROM * min(ends):
            ax.set_xscale("log")
        limits = limits_of(list(self.curves_.values()))
        if limits is not None:
            ax.set_ylim(limits)
        names = {table.score_label for table in self.tables.values()}
        ylabel = names.pop() if len(names) == 1 else "mean test score"
        ax.set(xlabel=_XLABELS[self.against], ylabel=f"best {ylabel} so far")
        longest = max(len(shortened(name, _LONGEST_LABEL)) for name in self.tables)
        legend_above(ax, max(1, min(_WIDTH // (longest + _LINE), 4)))
        self.ax_, self.figure_ = ax, ax.figure
        return self


def best_against(
    tables: Mapping[str, CandidateTable], against: str
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return for each search what was spent up to each candidate, and the best score then."""
    if against not in _XLABELS:
        allowed = " or ".join(map(repr, _XLABELS))
        raise ValueError(f"against={against!r} is not known; give {allowed}.")
    if not tables:
        raise ValueError("There is no search to compare; give a mapping from names to searches.")
    return {
        name: (
            np.cumsum(np.nan_to_num(table.costs if against == "evaluations" else table.seconds)),
            table.best_so_far,
        )
        for name, table in tables.items()
    }


def limits_of(curves: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[float, float] | None:
    """Return the range of scores from half of the shortest search on; None if all are equal."""
    shortest = min(spent[-1] for spent, _ in curves)
    later = [best[np.searchsorted(spent, shortest / 2) :] for spent, best in curves]
    scores = np.concatenate(later)
    scores = scores[np.isfinite(scores)]
    if not scores.size or scores.min() == scores.max():
        return None
    low, high = float(scores.min()), float(scores.max())
    first = np.concatenate([best[np.isfinite(best)] for _, best in curves]).min()
    margin = high - low
    return max(low - 0.5 * margin, float(first) - 0.05 * margin), high + 0.1 * margin


def _read(
    sources: Mapping[str, Any], read: Callable[..., CandidateTable], metric: str | None
) -> dict[str, CandidateTable]:
    if not isinstance(sources, Mapping) or "params" in sources:
        raise TypeError(
            f"A {type(sources).__name__} is no mapping from names to searches; give one, such as "
            "{'random': search, 'Bayes': other}."
        )
    return {str(name): read(source, metric=metric) for name, source in sources.items()}
