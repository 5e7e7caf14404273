"""The history of a population as plain arrays, and the line of ancestors of a member."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_hpt._journal import JournalView
from sklearn_hpt._members import history
from sklearn_hpt.steppers._choice import unit_of

_UNITS = {"max_epochs": "epochs", "n_estimators": "trees", "max_iter": "iterations"}


class PopulationDisplay:
    """Base of the displays of a `PBTSearchCV`.

    Parameters
    ----------
    history : mapping
        What is in `population_history_`.
    unit : str, default=None
        What training is counted in, such as "epochs"; None is not known.
    """

    def __init__(self, history: Mapping[str, Any], unit: str | None = None) -> None:
        self.history = history
        self.unit = unit

    def plot(self, ax: Any = None) -> Self:
        """Draw."""
        raise NotImplementedError

    @classmethod
    def from_estimator(cls, search: Any, *, ax: Any = None, **options: Any) -> Self:
        """Draw a fitted `PBTSearchCV`.

        Parameters
        ----------
        search : PBTSearchCV
            A fitted one.
        ax : matplotlib Axes, or array of them, default=None
            Where to draw; None is a new figure.
        **options : dict of str to object
            The other parameters of the display.

        Returns
        -------
        PopulationDisplay
            What was drawn.

        Raises
        ------
        ValueError
            If it is a search without a population.
        """
        check_is_fitted(search)
        if not hasattr(search, "population_history_"):
            raise ValueError(
                f"search={type(search).__name__} has no population_history_; give a fitted "
                "PBTSearchCV."
            )
        known = unit_of(search.estimator) if search.stepper is None else None
        options = {"unit": known or unit_of_name(search.resource_), **options}
        return cls(search.population_history_, **options).plot(ax=ax)

    @classmethod
    def from_journal(cls, path: str | os.PathLike[str], *, ax: Any = None, **options: Any) -> Self:
        """Draw what the journal of a `PBTSearchCV` has so far, also while it is running.

        Parameters
        ----------
        path : path-like
            What the search was given as `journal`.
        ax : matplotlib Axes, or array of them, default=None
            Where to draw; None is a new figure.
        **options : dict of str to object
            The other parameters of the display.

        Returns
        -------
        PopulationDisplay
            What was drawn.

        Raises
        ------
        ValueError
            If it is the journal of a search without a population.
        """
        view = JournalView(path)
        if "population_size" not in view.about:
            raise ValueError(
                f"path={view.path!r} is the journal of a {view.about['search']}, which has no "
                "population; give that of a PBTSearchCV."
            )
        size, metric = view.about["population_size"], view.about["deciding_metric"]
        options = {"unit": unit_of_name(view.about["resource"][0]), **options}
        return cls(history(view.rows(), size, metric), **options).plot(ax=ax)


def unit_of_name(resource: str) -> str:
    """Return what a parameter counts as far as its name tells, else the name."""
    name = resource.rpartition("__")[2]
    return _UNITS.get(name, name)


def parent_rows(history: Mapping[str, Any]) -> np.ndarray:
    """Return the row that each row of a history went on from, -1 for none, shape (n_rows,)."""
    places = zip(history["generation"], history["member"], strict=True)
    row_of = {place: row for row, place in enumerate(places)}
    wanted = zip(history["generation"], history["parent"], strict=True)
    return np.array(
        [-1 if parent < 0 else row_of.get((g - 1, parent), -1) for g, parent in wanted], dtype=int
    )


def ancestors(parents: np.ndarray, row: int) -> list[int]:
    """Return the rows from the first generation to this row."""
    line = [row]
    while parents[line[-1]] >= 0:
        line.append(int(parents[line[-1]]))
    return line[::-1]


def best_row(history: Mapping[str, Any]) -> int | None:
    """Return the row with the best score, the first of equals; None if there is no score."""
    scores = np.asarray(history["mean_test_score"], dtype=float)
    return int(np.nanargmax(scores)) if np.isfinite(scores).any() else None
