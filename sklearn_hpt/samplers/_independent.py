"""Samplers whose proposals do not depend on results."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
from scipy.stats import qmc

from sklearn_hpt._space_formats import as_space_union
from sklearn_hpt._trial import derived_seed, fresh_seed
from sklearn_hpt.exceptions import SpaceError
from sklearn_hpt.space import Distribution, Params, Space, SpaceUnion

_MAX_REDRAWS = 20  # then the unseen points of a finite space are gone through in order


class _IndependentSampler:
    """Draws from one alternative after the other, never the same point of a finite one twice.

    Alternatives with a budget of their own come first, in order; the others share the rest in
    equal parts, in random order.
    """

    lookahead: int | None = None
    _starts_with_best_earlier = True

    def __init__(self, space: Any, *, random_state: int | None = None) -> None:
        self.space = as_space_union(space)
        self._seed: int = random_state if random_state is not None else fresh_seed()
        self._n_asked = 0
        self._seen: list[set[Hashable]] = [set() for _ in self.space.spaces]
        self._spent = [0] * len(self.space.spaces)
        self._best_earlier: tuple[float, Params] | None = None

    def ask(self) -> Params | None:
        """Return the next hyperparameters, None if the space is exhausted."""
        number, self._n_asked = self._n_asked, self._n_asked + 1
        if number == 0 and self._best_earlier and self._starts_with_best_earlier:
            return self._take(self._best_earlier[1])
        which = self._choose_alternative(number)
        if which is None:
            return None
        self._spent[which] += 1
        return self._draw_unseen(which, number)

    def tell(
        self,
        params: Mapping[str, Any],
        score: float,
        fold_scores: Sequence[float] | None = None,
    ) -> None:
        """Take note of the best earlier result, to be tried first; of results of its own not."""
        if self._n_asked or not math.isfinite(score):
            return
        is_better = self._best_earlier is None or score > self._best_earlier[0]
        if is_better and any(space.contains(params) for space in self.space.spaces):
            self._best_earlier = score, dict(params)

    def _take(self, params: Params) -> Params:
        """Return these parameters, which then count as drawn."""
        contain = (space.contains(params) for space in self.space.spaces)
        which = next(number for number, contains in enumerate(contain) if contains)
        self._spent[which] += 1
        if self.space.spaces[which].size < math.inf:
            self._seen[which].add(self.space.spaces[which].key(params))
        return params

    def _choose_alternative(self, number: int) -> int | None:
        shared = []
        for which, budget in enumerate(self.space.budgets):
            if len(self._seen[which]) >= self.space.spaces[which].size:
                continue
            if budget is None:
                shared.append(which)
            elif self._spent[which] < budget:
                return which
        # one of those drawn least often: few draws over two spaces must not all fall into one
        fewest = min((self._spent[which] for which in shared), default=0)
        shared = [which for which in shared if self._spent[which] == fewest]
        if len(shared) < 2:
            return shared[0] if shared else None
        rng = np.random.default_rng([self._seed, number, 1])  # not the stream of the draw
        return shared[rng.integers(len(shared))]

    def _draw_unseen(self, which: int, number: int) -> Params:
        space, seen = self.space.spaces[which], self._seen[which]
        rng = np.random.default_rng([self._seed, number])
        if space.size == math.inf:
            return self._draw(which, rng)
        for _ in range(_MAX_REDRAWS):
            params = self._draw(which, rng)
            if (key := space.key(params)) not in seen:
                break
        else:
            params, key = _first_unseen(space, seen, rng)
        seen.add(key)
        return params

    def _draw(self, which: int, rng: np.random.Generator) -> Params:
        raise NotImplementedError


def _first_unseen(
    space: Space, seen: set[Hashable], rng: np.random.Generator
) -> tuple[Params, Hashable]:
    size = int(space.size)
    start = int(rng.random() * size)
    for index in chain(range(start, size), range(start)):
        params = space.at(index)
        if (key := space.key(params)) not in seen:
            return params, key
    raise AssertionError("an exhausted space is never drawn from")


class RandomSampler(_IndependentSampler):
    """Independent draws from the prior of each parameter.

    Parameters
    ----------
    space : dict, list of dict, or SpaceUnion
        What to search, in any format that the searches accept.
    random_state : int, default=None
        Seed of the draws; None takes one from the operating system.

    References
    ----------
    J. Bergstra and Y. Bengio, "Random Search for Hyper-Parameter Optimization", JMLR 13
    (2012), 281-305.

    Examples
    --------
    >>> from sklearn_hpt.samplers import RandomSampler
    >>> sampler = RandomSampler({"max_depth": [2, 4]}, random_state=0)
    >>> sorted([sampler.ask()["max_depth"], sampler.ask()["max_depth"]]), sampler.ask()
    ([2, 4], None)
    """

    def _draw(self, which: int, rng: np.random.Generator) -> Params:
        return self.space.spaces[which].sample(rng)


class SobolSampler(_IndependentSampler):
    """Scrambled Sobol points, which cover the space more evenly than independent draws.

    Parameters
    ----------
    space : dict, list of dict, or SpaceUnion
        What to search, in any format that the searches accept; each distribution needs a
        quantile function.
    random_state : int, default=None
        Seed of the scrambling; None takes one from the operating system.

    Raises
    ------
    SpaceError
        If a distribution has no quantile function.

    References
    ----------
    A. B. Owen, "Scrambling Sobol' and Niederreiter-Xing points", Journal of Complexity 14
    (1998), 466-489.

    Examples
    --------
    The first four points fall into four different quarters of each axis:

    >>> from sklearn_hpt.samplers import SobolSampler
    >>> sampler = SobolSampler({"alpha": (0.0, 1.0)}, random_state=0)
    >>> sorted(int(4 * sampler.ask()["alpha"]) for _ in range(4))
    [0, 1, 2, 3]
    """

    def __init__(self, space: Any, *, random_state: int | None = None) -> None:
        super().__init__(space, random_state=random_state)
        for alternative in self.space.spaces:
            for name, dimension in alternative.items():
                if isinstance(dimension, Distribution) and not dimension.has_quantiles:
                    raise SpaceError(
                        f"Parameter {name!r} = {dimension.dist!r} has rvs but no ppf, which Sobol "
                        "sampling needs; give a range (low, high), a distribution with ppf, or "
                        "use sampler='random'."
                    )
        self._points = [
            qmc.Sobol(len(alternative), rng=derived_seed(self._seed, which))
            for which, alternative in enumerate(self.space.spaces)
        ]

    def _draw(self, which: int, rng: np.random.Generator) -> Params:
        del rng
        return self.space.spaces[which].from_unit(self._points[which].random(1)[0])


class GridSampler(_IndependentSampler):
    """Every point of a finite space, in the order of `ParameterGrid`.

    Parameters
    ----------
    space : dict, list of dict, or SpaceUnion
        A space of finitely many points.

    Raises
    ------
    SpaceError
        If a parameter is continuous.

    Examples
    --------
    >>> from sklearn_hpt.samplers import GridSampler
    >>> sampler = GridSampler({"C": [1, 10], "kernel": ["rbf", "poly"]})
    >>> sampler.ask(), sampler.ask()
    ({'C': 1, 'kernel': 'rbf'}, {'C': 1, 'kernel': 'poly'})
    """

    _starts_with_best_earlier = False  # every point is proposed, in order

    def __init__(self, space: Any) -> None:
        super().__init__(space, random_state=0)
        for alternative in self.space.spaces:
            for name, dimension in alternative.items():
                if dimension.size == math.inf:
                    raise SpaceError(
                        f"Parameter {name!r} = {dimension!r} is continuous, but a grid needs "
                        "finitely many points; give it as a list."
                    )

    def _choose_alternative(self, number: int) -> int | None:
        for which, (space, budget) in enumerate(
            zip(self.space.spaces, self.space.budgets, strict=True)
        ):
            limit = space.size if budget is None else min(space.size, budget)
            if self._spent[which] < limit:
                return which
        return None

    def _draw_unseen(self, which: int, number: int) -> Params:
        return self.space.spaces[which].at(self._spent[which] - 1)


def space_filling(space: SpaceUnion, seed: int) -> RandomSampler | SobolSampler:
    """Return Sobol points where every dimension has quantiles, else independent draws."""
    dimensions = [dimension for one in space.spaces for dimension in one.values()]
    if all(not isinstance(d, Distribution) or d.has_quantiles for d in dimensions):
        return SobolSampler(space, random_state=seed)
    return RandomSampler(space, random_state=seed)
