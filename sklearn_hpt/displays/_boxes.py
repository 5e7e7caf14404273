"""Where each round of a coarse-to-fine search has looked."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_hpt._axes import BLACK, BLUE, ORANGE, grid_for, legend_above
from sklearn_hpt._journal import JournalView
from sklearn_hpt._results import mean_score
from sklearn_hpt._space_formats import as_space_union
from sklearn_hpt._trial import Trial
from sklearn_hpt.displays._candidate_table import space_of
from sklearn_hpt.displays._parameter_effect import spread_choices
from sklearn_hpt.displays._scale import Scale, scales_of, short_names
from sklearn_hpt.samplers._rounds import Round
from sklearn_hpt.space import Categorical, Dimension, Distribution, Integer, Real, Space, SpaceUnion


class BoxesDisplay:
    """The range of each hyperparameter in each round of a `CoarseToFineSearchCV`.

    A bar is the box of a round, in one parameter; of choices those that are left are marked. The
    star is the best candidate with the amount of the resource of that round. A bar that ends at
    the edge of the picture, with the star there, asks for a larger search space.

    Parameters
    ----------
    rounds : sequence of Round
        What is in `rounds_`.
    space : dict, Space, SpaceUnion or list of these, default=None
        The whole search space; None if it is not known, as for a journal.
    params : str or sequence of str, default=None
        The hyperparameters, an axes for each; None is all.
    candidates : sequence of list of dict, default=()
        The hyperparameters of the candidates of each round, drawn as small lines.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        Where it is drawn.
    ax_ : matplotlib Axes
        The first of them.
    figure_ : matplotlib Figure
        Their figure.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from sklearn_hpt import CoarseToFineSearchCV
    >>> from sklearn_hpt.displays import BoxesDisplay
    >>> search = CoarseToFineSearchCV(
    ...     SVC(), {"C": (1e-3, 1e3, "log-uniform")}, n_iter=[6, 4], random_state=0
    ... ).fit(*load_iris(return_X_y=True))
    >>> BoxesDisplay.from_estimator(search).ax_.get_xscale()
    'log'
    """

    def __init__(
        self,
        rounds: Sequence[Round],
        space: Any = None,
        params: str | Iterable[str] | None = None,
        candidates: Sequence[Sequence[Mapping[str, Any]]] = (),
    ) -> None:
        self.rounds = rounds
        self.space = space
        self.params = params
        self.candidates = candidates

    @classmethod
    def from_estimator(
        cls, search: Any, *, params: str | Iterable[str] | None = None, ax: Any = None
    ) -> BoxesDisplay:
        """Draw a fitted `CoarseToFineSearchCV`.

        Parameters
        ----------
        search : CoarseToFineSearchCV
            A fitted one.
        params : str or sequence of str, default=None
            The hyperparameters, an axes for each; None is all.
        ax : matplotlib Axes, or array of them, default=None
            Where to draw; None is a new figure.

        Returns
        -------
        BoxesDisplay
            What was drawn.

        Raises
        ------
        ValueError
            If it is a search without rounds.
        """
        check_is_fitted(search)
        if not hasattr(search, "rounds_"):
            raise ValueError(
                f"search={type(search).__name__} has no rounds_; give a fitted "
                "CoarseToFineSearchCV."
            )
        return cls(search.rounds_, space_of(search), params).plot(ax=ax)

    @classmethod
    def from_journal(
        cls,
        path: str | os.PathLike[str],
        *,
        params: str | Iterable[str] | None = None,
        ax: Any = None,
    ) -> BoxesDisplay:
        """Draw what the journal of a `CoarseToFineSearchCV` has so far, also while it is running.

        A journal does not have the boxes, so the candidates of each round are drawn. A fifth of
        the new ones of a later round are from outside of its box.

        Parameters
        ----------
        path : path-like
            What the search was given as `journal`.
        params : str or sequence of str, default=None
            The hyperparameters, an axes for each; None is all.
        ax : matplotlib Axes, or array of them, default=None
            Where to draw; None is a new figure.

        Returns
        -------
        BoxesDisplay
            What was drawn.

        Raises
        ------
        ValueError
            If it is the journal of a search without rounds.
        """
        view = JournalView(path)
        by_round: dict[int, list[Trial]] = {}
        for trial in view.rows():
            if trial.round is not None:
                by_round.setdefault(trial.round, []).append(trial)
        if not by_round:
            raise ValueError(
                f"path={view.path!r} is the journal of a {view.about['search']} and has no rounds; "
                "give that of a CoarseToFineSearchCV."
            )
        metric = view.about["deciding_metric"]
        rounds = [_round_of(number, by_round[number], metric) for number in sorted(by_round)]
        candidates = [[t.params for t in by_round[number]] for number in sorted(by_round)]
        return cls(rounds, None, params, candidates).plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, or array of them, default=None
            Where to draw, an axes for each hyperparameter; None is a new figure.

        Returns
        -------
        BoxesDisplay
            This display.

        Raises
        ------
        ValueError
            If there is no such hyperparameter, or `ax` has another number of axes.
        """
        scales = self._scales()
        n_rounds = len(self.rounds)
        axes = grid_for(ax, len(scales), size=(2.9, 0.3 * n_rounds + 1.3), sharey=True)
        labels = short_names(scales)
        for one, scale in zip(axes, scales.values(), strict=True):
            self._draw(one, scale)
            scale.dress(one, "x", labels[scale.name])
            one.set(ylim=(n_rounds - 0.4, -0.6), yticks=range(n_rounds))
            one.set_yticklabels([self._name_of(r) for r in self.rounds])
        legend_above(axes[0])
        self.axes_, self.ax_, self.figure_ = axes, axes[0], axes[0].figure
        return self

    def _draw(self, ax: Any, scale: Scale) -> None:
        every = [(i, span) for i, one in enumerate(self.rounds) for span in spans(one.box, scale)]
        for number, (place, span) in enumerate(every):
            style = {"color": BLUE, "lw": 7, "alpha": 0.45, "solid_capstyle": "butt"}
            ax.plot(span, [place, place], label=None if number else "box", **style)
        for place, rows in enumerate(self.candidates):
            x = spread_choices(scale.positions([row.get(scale.name) for row in rows]), scale)
            label = "candidates" if place == 0 else None
            ax.vlines(x, place - 0.22, place + 0.22, color=BLUE, lw=1, alpha=0.6, label=label)
        best = [(one.best_params or {}).get(scale.name) for one in self.rounds]
        style = {"marker": "*", "s": 80, "color": ORANGE, "edgecolors": BLACK, "linewidths": 0.7}
        x = scale.positions(best)
        known = np.flatnonzero(np.isfinite(x))
        ax.scatter(x[known], known, label="best", zorder=3, **style)

    def _scales(self) -> dict[str, Scale]:
        union = None if self.space is None else as_space_union(self.space)
        columns: dict[str, list[Any]] = {}
        for space in () if union is None else union.spaces:
            for name, dimension in space.items():
                columns.setdefault(name, []).extend(_ends(dimension))
        for params in (params for rows in self.candidates for params in rows):
            for name, value in params.items():
                columns.setdefault(name, []).append(value)
        names = list(columns) if self.params is None else self.params
        for name in (names := [names] if isinstance(names, str) else list(names)):
            if name not in columns:
                known = ", ".join(map(repr, columns))
                raise ValueError(f"params={name!r} is not in the search space, which has {known}.")
        every = scales_of(union, columns, {})
        return {name: every[name] for name in names}

    def _name_of(self, one: Round) -> str:
        if one.box is None and not self.candidates:
            return "finalists"
        return f"round {one.number}" + (
            f", with {one.resource}" if one.resource is not None else ""
        )


def _round_of(number: int, trials: Sequence[Trial], metric: str | None) -> Round:
    """Return what a journal says of a round."""
    scores = [mean_score(t, metric) if t.status == "complete" else math.nan for t in trials]
    best = int(np.nanargmax(scores)) if np.isfinite(scores).any() else None
    return Round(
        number=number,
        tier=None,
        box=None,
        n_planned=len(trials),
        n_done=sum(trial.status is not None for trial in trials),
        resource=trials[0].resource,
        best_params=None if best is None else trials[best].params,
        best_score=None if best is None else scores[best],
        lessons=[],
    )


def spans(box: Space | SpaceUnion | None, scale: Scale) -> list[tuple[float, float]]:
    """Return begins and ends of the bars of a round, for the parameter of a scale."""
    if box is None:
        return []
    spaces = box.spaces if isinstance(box, SpaceUnion) else (box,)
    found = []
    for dimension in [space[scale.name] for space in spaces if scale.name in space]:
        at = scale.positions(_ends(dimension))
        if scale.prior == "choices":
            found += [(x - 0.3, x + 0.3) for x in at if np.isfinite(x)]
        elif at.size:
            found.append((float(np.nanmin(at)), float(np.nanmax(at))))
    return found


def _ends(dimension: Dimension) -> list[Any]:
    """Return the choices, or the lowest and the highest value."""
    if isinstance(dimension, Categorical):
        return list(dimension.choices)
    if isinstance(dimension, (Real, Integer)):
        return [dimension.low, dimension.high]
    if isinstance(dimension, Distribution) and dimension.has_quantiles:
        return [dimension.from_unit(0.001), dimension.from_unit(0.999)]
    return []
