"""Which hyperparameters the score depends on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

import numpy as np

from sklearn_hpt._axes import BLACK, BLUE, GREY, axes_for
from sklearn_hpt.displays._candidate_table import CandidateTable, chosen_names
from sklearn_hpt.displays._functional_anova import Measure, variance_shares
from sklearn_hpt.displays._scale import short_names, shortened
from sklearn_hpt.displays._table_display import TableDisplay, score_limits

_FEWEST = 4  # complete candidates
_MOST_BARS = 20
_MOST_PAIRS = 3
_LEAST_PAIR = 0.01  # share below which a pair is not worth a bar


class ParameterImportanceDisplay(TableDisplay):
    """The share of the variance of the scores that each hyperparameter accounts for.

    A random forest is fitted to the complete candidates, and its variance over the search space is
    decomposed exactly into what each hyperparameter does alone, what two do together, and so on
    (functional ANOVA, Hutter et al. 2014). Unlike a permutation importance this does not depend on
    where the search has looked most, and tells what is due to one parameter from what is due to
    two. It is computed from the trees of scikit-learn's forest, on the scales of the search space.

    Numbers count on the scale of their prior; choices alike, and so do the numbers of a list. A
    parameter that only some alternatives of the space have is at a place of its own in the other
    rows, of the weight of their share: its importance includes that of being there at all.
    Candidates that failed or were stopped early are left out. Scores far below the others, up to a
    tenth of them, count as the lowest of the others, lest a few that diverged decide everything.

    The lines are one standard deviation over the trees: with few candidates they are long. A large
    share says that the parameter matters in the whole space, not that it matters near the best.

    Parameters
    ----------
    table : CandidateTable
        The candidates.
    params : str or sequence of str, default=None
        The hyperparameters; None is all that were varied.
    random_state : int, default=0
        Seed of the forest.

    Attributes
    ----------
    importances_ : dict of str to float
        The share of each hyperparameter alone, the largest first.
    interactions_ : dict of (str, str) to float
        The shares of pairs of the six leading ones, beyond that of each alone; largest first.
    stds_ : dict of str or (str, str) to float
        The standard deviation of all these over the trees.
    ax_ : matplotlib Axes
        Where it is drawn.
    figure_ : matplotlib Figure
        The figure of these axes.

    References
    ----------
    F. Hutter, H. Hoos, K. Leyton-Brown, "An efficient approach for assessing hyperparameter
    importance", ICML 2014.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hpt.displays import ParameterImportanceDisplay
    >>> rng = np.random.default_rng(0)
    >>> params = [{"a": a, "b": b} for a, b in rng.random((200, 2))]
    >>> results = {"params": params, "mean_test_score": [p["a"] for p in params]}
    >>> display = ParameterImportanceDisplay.from_cv_results(results)
    >>> {name: round(share, 1) for name, share in display.importances_.items()}
    {'a': 1.0, 'b': 0.0}
    """

    def __init__(
        self,
        table: CandidateTable,
        params: str | Iterable[str] | None = None,
        random_state: int = 0,
    ) -> None:
        self.table = table
        self.params = params
        self.random_state = random_state

    def plot(self, ax: Any = None) -> Self:
        """Compute the shares, and draw them.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.

        Returns
        -------
        ParameterImportanceDisplay
            This display.

        Raises
        ------
        ValueError
            If fewer than four candidates are complete.
        """
        self.measure()
        mains = list(self.importances_.items())[:_MOST_BARS]
        pairs = [p for p in self.interactions_.items() if p[1] >= _LEAST_PAIR][:_MOST_PAIRS]
        short = short_names(self.importances_)
        labels = [shortened(short[name], 28) for name, _ in mains]
        labels += [" × ".join(shortened(short[name], 20) for name in pair) for pair, _ in pairs]
        ax = axes_for(ax, (6.4, max(2.2, 0.3 * len(labels) + 1.2)))
        for row, (key, share) in enumerate([*mains, *pairs]):
            style = {"color": BLUE} if row < len(mains) else {"color": GREY, "hatch": "//"}
            ax.barh(row, share, height=0.65, **style)
            ends = [max(share - self.stds_[key], 0.0), min(share + self.stds_[key], 1.0)]
            ax.plot(ends, [row, row], color=BLACK, lw=1.2)
        ax.set(yticks=range(len(labels)), yticklabels=labels, xlim=(0.0, 1.0))
        ax.set_ylim(-0.6, len(labels) - 0.4)
        n_complete = int(self.table.is_complete.sum())
        ax.set_xlabel(f"share of the variance of the score ({n_complete} candidates)")
        ax.spines[["top", "right"]].set_visible(False)
        ax.tick_params(axis="y", length=0)
        ax.invert_yaxis()
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def measure(self) -> Self:
        """Compute the shares, without drawing them.

        Returns
        -------
        ParameterImportanceDisplay
            This display, with `importances_`, `interactions_` and `stds_`.

        Raises
        ------
        ValueError
            If fewer than four candidates are complete.
        """
        names, rows = chosen_names(self.table, self.params), self.table.is_complete
        if rows.sum() < _FEWEST:
            raise ValueError(
                f"{int(rows.sum())} of {len(rows)} candidates are complete, too few to tell which "
                f"parameters matter; at least {_FEWEST} are needed, and some ten times as many as "
                "parameters to rely on it."
            )
        scales = [self.table.scales[name] for name in names]
        columns = [s.to_measure(self.table.positions(s.name)[rows]) for s in scales]
        measures = [
            Measure(scale.n_choices, float(np.isnan(column).mean()))
            for scale, column in zip(scales, columns, strict=True)
        ]
        scores = self.table.scores[rows]
        shares = variance_shares(
            np.column_stack(columns),
            np.maximum(scores, score_limits(scores)[0]),
            measures,
            random_state=self.random_state,
        )
        found: dict[Any, np.ndarray] = dict(zip(names, shares.main.T, strict=True))
        together = {(names[i], names[j]): of_pair for (i, j), of_pair in shares.pairs.items()}
        self.importances_ = _sorted_means(found)
        self.interactions_ = _sorted_means(together)
        self.stds_ = {key: float(of_trees.std()) for key, of_trees in (found | together).items()}
        return self


def _sorted_means(shares: dict[Any, np.ndarray]) -> dict[Any, float]:
    means = {key: float(of_trees.mean()) for key, of_trees in shares.items()}
    return dict(sorted(means.items(), key=lambda item: -item[1]))
