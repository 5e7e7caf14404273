"""Several searches beside each other."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from sklearn_hpt._axes import COLOURS, LINES, axes_for, legend_above
from sklearn_hpt.displays._candidate_table import CandidateTable
from sklearn_hpt.displays._scale import shortened

Curve = tuple[np.ndarray, np.ndarray]  # what was spent, and the best score then

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

    Of several runs of a search, with other seeds, the line is the median and the band goes from the
    lower to the upper quartile. A run without a complete candidate counts as worse than all others,
    so the median begins when more than half have one. A run that has ended keeps its last score, so
    where runs are of different lengths the end is partly that of runs which are over.

    Parameters
    ----------
    tables : mapping of str to CandidateTable or sequence of CandidateTable
        The candidates of each search or of its runs, by its name; the legend has the first twelve
        names.
    against : {"evaluations", "seconds"}, default="evaluations"
        What is on the axis. "evaluations" are complete ones: a candidate that was stopped after one
        of five folds, or that had a fifth of the epochs, is a fifth of one. "seconds" is the
        time of all fits and scores, one after the other: not the time that passed if several were
        done at a time.

    Attributes
    ----------
    curves_ : dict of str to (ndarray, ndarray)
        For each search what was spent up to each of its candidates, and the best score then; of
        several runs the median, wherever one of them has a candidate.
    bands_ : dict of str to (ndarray, ndarray)
        For each search of several runs the lower and the upper quartile there.
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
    >>> display = SearchComparisonDisplay.from_cv_results({"two runs": [grid, random]})
    >>> print(display.curves_["two runs"][1])
    [0.825 0.875]
    """

    def __init__(
        self,
        tables: Mapping[str, CandidateTable | Sequence[CandidateTable]],
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
        searches : mapping of str to fitted search or list of fitted searches
            What to draw, by name; a list is of runs of the same search, with other seeds.
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
        cv_results : mapping of str to mapping or DataFrame, or list of them
            The `cv_results_` of each search, by its name; a list is of runs.
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
        paths : mapping of str to path-like or list of path-like
            The journal of each search, by its name; a list is of runs.
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
            If `against` is neither, there is no search, or one has no times to be against.
        """
        runs = _checked(self.tables, self.against)
        quartiles = {name: quartiles_of(of_name) for name, of_name in runs.items()}
        self.curves_ = {name: (spent, best) for name, (spent, (_, best, _)) in quartiles.items()}
        self.bands_ = {
            name: (low, high)
            for name, (_, (low, _, high)) in quartiles.items()
            if len(runs[name]) > 1
        }
        ax = axes_for(ax)
        labels = [_label(name, len(of_name)) for name, of_name in runs.items()]
        for i, name in enumerate(self.curves_):
            self._draw(ax, name, i, labels[i] if i < _MOST_LABELS else None)
        self._dress(ax)
        longest = max(map(len, labels))
        legend_above(ax, max(1, min(_WIDTH // (longest + _LINE), 4)))
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _draw(self, ax: Any, name: str, i: int, label: str | None) -> None:
        colour, line = COLOURS[i % len(COLOURS)], LINES[i % len(LINES)]
        spent, best = self.curves_[name]
        if name in self.bands_:
            ax.fill_between(spent, *self.bands_[name], step="post", color=colour, alpha=0.2, lw=0)
        ax.step(spent, best, where="post", color=colour, ls=line, lw=2, label=label)
        ax.plot(spent[-1:], best[-1:], "o", color=colour, ms=4)

    def _dress(self, ax: Any) -> None:
        ends = [spent[-1] for spent, _ in self.curves_.values() if spent[-1] > 0]
        if ends and max(ends) > _LOG_FROM * min(ends):
            ax.set_xscale("log")
        edges = [(self.curves_[n][0], edge) for n, band in self.bands_.items() for edge in band]
        limits = limits_of([*self.curves_.values(), *edges])
        if limits is not None:
            ax.set_ylim(limits)
        names = {table.score_label for runs in self.tables.values() for table in _as_list(runs)}
        ylabel = names.pop() if len(names) == 1 else "mean test score"
        ax.set(xlabel=_XLABELS[self.against], ylabel=f"best {ylabel} so far")


def _checked(
    tables: Mapping[str, CandidateTable | Sequence[CandidateTable]], against: str
) -> dict[str, list[Curve]]:
    """Return the curves of the runs of each search."""
    if against not in _XLABELS:
        allowed = " or ".join(map(repr, _XLABELS))
        raise ValueError(f"against={against!r} is not known; give {allowed}.")
    if not tables or not all(map(_as_list, tables.values())):
        raise ValueError(
            "There is no search to compare; give a mapping from names to searches, or to lists "
            "that hold some."
        )
    for name, runs in tables.items():
        if against == "seconds" and any(np.isnan(t.seconds).all() for t in _as_list(runs)):
            raise ValueError(
                f"The results of {name!r} have no times; give a cv_results_ with 'mean_fit_time', "
                "or leave against='evaluations'."
            )
    return {
        name: [curve_of(table, against) for table in _as_list(runs)]
        for name, runs in tables.items()
    }


def _as_list(runs: Any) -> list[Any]:
    return list(runs) if isinstance(runs, (list, tuple)) else [runs]


def _label(name: str, n_runs: int) -> str:
    of_runs = f" (median of {n_runs})" if n_runs > 1 else ""
    return shortened(name, _LONGEST_LABEL) + of_runs


def curve_of(table: CandidateTable, against: str) -> Curve:
    """Return what was spent up to each candidate, and the best score then."""
    of_each = table.costs if against == "evaluations" else table.seconds
    return np.cumsum(np.nan_to_num(of_each)), table.best_so_far


def quartiles_of(curves: Sequence[Curve]) -> tuple[np.ndarray, np.ndarray]:
    """Return the steps of all curves, and their quartiles there, NaN where these have no score.

    Shapes (n_steps,) and (3, n_steps). Of a single curve all quartiles are the curve.
    """
    if len(curves) == 1:
        spent, best = curves[0]
        return spent, np.stack([best] * 3)
    steps = np.unique(np.concatenate([spent for spent, _ in curves]))
    scores = np.stack([_score_at(steps, *curve) for curve in curves])
    with np.errstate(invalid="ignore"):  # between no score and one there is nothing
        quartiles = np.quantile(scores, [0.25, 0.5, 0.75], axis=0)
    return steps, np.where(np.isfinite(quartiles), quartiles, np.nan)


def _score_at(steps: np.ndarray, spent: np.ndarray, best: np.ndarray) -> np.ndarray:
    """Return the best score when so much was spent, -inf if there was none."""
    place = np.searchsorted(spent, steps, side="right") - 1
    known = (place >= 0) & np.isfinite(best[place])
    return np.where(known, best[place], -np.inf)


def limits_of(curves: Sequence[Curve]) -> tuple[float, float] | None:
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
) -> dict[str, CandidateTable | list[CandidateTable]]:
    if not isinstance(sources, Mapping) or "params" in sources:
        raise TypeError(
            f"A {type(sources).__name__} is no mapping from names to searches; give one, such as "
            "{'random': search, 'Bayes': other}."
        )
    return {
        str(name): [read(run, metric=metric) for run in runs]
        if isinstance(runs, (list, tuple))
        else read(runs, metric=metric)
        for name, runs in sources.items()
    }
