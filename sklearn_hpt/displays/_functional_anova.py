"""Shares of the variance of scores that hyperparameters, and pairs of them, account for.

Notation, with the shapes in which it is computed; a forest is taken tree by tree:

    v       (n_leaves,)                     score predicted in each leaf
    w       (n_dimensions, n_leaves)        probability of the leaf's interval in each dimension
    M_d     (n_cells, n_leaves)             whether a cell of dimension d lies in a leaf's interval
    m_d     (n_cells,)                      probability of each cell
    a_d     (n_cells,)                      marginal, eq. 3:  a_d = M_d (v * prod_{e != d} w_e)
    V_d     scalar                          its variance, eq. 8

Leaves are boxes that do not overlap and fill the space, so sums over leaves are exact integrals.

References
----------
F. Hutter, H. Hoos, K. Leyton-Brown, "An efficient approach for assessing hyperparameter
importance", ICML 2014: marginals of trees (section 3), decomposition of variance (section 2.3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from sklearn.ensemble import RandomForestRegressor

_ABSENT = -1.0  # where a row has no value, left of all values
_N_BINS = 64  # splits of a dimension, at most one less; more change shares in the third digit


@dataclass(frozen=True)
class Measure:
    """The probability of the values of one dimension.

    Parameters
    ----------
    n_choices : int
        Number of choices, of equal weight, numbered from 0; 0 for numbers spread evenly on [0, 1].
    absent : float, default=0.0
        Share of the rows that have no value.
    """

    n_choices: int
    absent: float = 0.0

    def below(self, x: np.ndarray) -> np.ndarray:
        """Return the probability of values up to `x`."""
        if self.n_choices:
            share = np.clip(np.floor(x) + 1.0, 0.0, self.n_choices) / self.n_choices
        else:
            share = np.clip(x, 0.0, 1.0)
        return self.absent * (x >= _ABSENT) + (1.0 - self.absent) * share


@dataclass(frozen=True)
class VarianceShares:
    """Shares of the variance, one for each tree of a forest.

    Parameters
    ----------
    main : ndarray of shape (n_trees, n_dimensions)
        Of each dimension alone.
    pairs : dict of (int, int) to ndarray of shape (n_trees,)
        Of two dimensions together, beyond what each does alone.
    """

    main: np.ndarray
    pairs: dict[tuple[int, int], np.ndarray]


def variance_shares(
    x: np.ndarray,
    y: np.ndarray,
    measures: Sequence[Measure],
    *,
    n_pairs_among: int = 6,
    n_trees: int = 64,
    random_state: int = 0,
) -> VarianceShares:
    """Decompose the variance of a function known at some points, by a random forest.

    Parameters
    ----------
    x : ndarray of shape (n_points, n_dimensions)
        Points: numbers in [0, 1], numbers of choices; NaN where a row has no value.
    y : ndarray of shape (n_points,)
        Values there.
    measures : sequence of Measure
        The probability of the values of each dimension.
    n_pairs_among : int, default=6
        Of how many dimensions, those with the largest shares, pairs are decomposed.
    n_trees : int, default=64
        Size of the forest.
    random_state : int, default=0
        Seed of the forest.
    """
    x = np.column_stack([_binned(column, m) for column, m in zip(x.T, measures, strict=True)])
    forest = RandomForestRegressor(
        n_trees, min_samples_leaf=1 if len(y) < 50 else 3, random_state=random_state
    )
    trees = [_Tree(one.tree_, measures) for one in forest.fit(x, y).estimators_]
    trees = [tree for tree in trees if tree.variance > 0]
    if not trees:
        return VarianceShares(np.zeros((1, x.shape[1])), {})
    main = np.array([[tree.main(d) for d in range(x.shape[1])] for tree in trees])
    leading = np.sort(np.argsort(-main.mean(axis=0), kind="stable")[:n_pairs_among])
    pairs = {
        (i, j): np.array([tree.pair(i, j) for tree in trees])
        for i, j in combinations(map(int, leading), 2)
    }
    return VarianceShares(main, pairs)


def _binned(column: np.ndarray, measure: Measure) -> np.ndarray:
    """Round numbers to the middle of bins of equal width, which limits the number of splits."""
    if not measure.n_choices:
        column = (np.floor(column * _N_BINS).clip(0, _N_BINS - 1) + 0.5) / _N_BINS
    return np.where(np.isnan(column), _ABSENT, column)


class _Tree:
    """The leaves of a regression tree as boxes, and their probabilities."""

    def __init__(self, tree: object, measures: Sequence[Measure]) -> None:
        self.values, low, high = _leaves(tree, len(measures))
        self._weights = np.empty(low.shape)
        self._inside, self._cells = [], []
        for d, measure in enumerate(measures):
            self._weights[d] = measure.below(high[d]) - measure.below(low[d])
            edges = np.unique(np.concatenate([low[d], high[d]]))
            self._cells.append(np.diff(measure.below(edges)))
            begins = edges[:-1, None]
            self._inside.append(((low[d] <= begins) & (begins < high[d])).astype(float))
        weights = self._weights.prod(axis=0)
        self._mean = float(self.values @ weights)
        self.variance = float((self.values - self._mean) ** 2 @ weights)

    def main(self, d: int) -> float:
        """Return the share of one dimension."""
        marginal = self._inside[d] @ ((self.values - self._mean) * self._others(d))
        return float(self._cells[d] @ marginal**2) / self.variance

    def pair(self, i: int, j: int) -> float:
        """Return the share of two dimensions together, without that of each."""
        of_leaf = (self.values - self._mean) * self._others(i, j)
        marginal = (self._inside[i] * of_leaf) @ self._inside[j].T
        together = float(self._cells[i] @ marginal**2 @ self._cells[j]) / self.variance
        return max(together - self.main(i) - self.main(j), 0.0)

    def _others(self, *dimensions: int) -> np.ndarray:
        return np.delete(self._weights, dimensions, axis=0).prod(axis=0)


def _leaves(tree: object, n_dimensions: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return values, lower and upper ends of the leaves; a leaf holds low < x <= high.

    Shapes (n_leaves,), (n_dimensions, n_leaves) twice.
    """
    left, right = tree.children_left, tree.children_right  # type: ignore[attr-defined]
    feature, threshold = tree.feature, tree.threshold  # type: ignore[attr-defined]
    value = tree.value[:, 0, 0]  # type: ignore[attr-defined]
    values, lows, highs = [], [], []
    waiting = [(0, np.full(n_dimensions, -np.inf), np.full(n_dimensions, np.inf))]
    while waiting:
        node, low, high = waiting.pop()
        if left[node] < 0:
            values.append(value[node])
            lows.append(low)
            highs.append(high)
            continue
        d, at = feature[node], threshold[node]
        above, below = low.copy(), high.copy()
        above[d], below[d] = at, at
        waiting += [(left[node], low, below), (right[node], above, high)]
    return np.array(values), np.array(lows).T, np.array(highs).T
