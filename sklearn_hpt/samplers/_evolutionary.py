"""Evolution: the better candidates are crossed and mutated, on the scale of each parameter."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_hpt._space_formats import as_space_union
from sklearn_hpt._trial import derived_seed, fresh_seed
from sklearn_hpt.samplers._candidates import alternative_of
from sklearn_hpt.samplers._encoding import Axis, Encoding
from sklearn_hpt.samplers._independent import SobolSampler
from sklearn_hpt.samplers._visited import Visited
from sklearn_hpt.space import Params

_TOURNAMENT = 3
_CROSSED = 0.9  # the share of the children that have two parents
_BEYOND = 0.25  # how far a child may lie outside its parents, in units of their distance
_FIRST_STEP = 0.25  # standard deviation of a mutation, in units of the whole range
_ATTEMPTS = 20
_WINDOW = 8


@dataclass(frozen=True)
class _Individual:
    which: int
    u: np.ndarray
    score: float


class EvolutionarySampler:
    """Crosses and mutates the better of the candidates so far.

    The first `population_size` candidates are Sobol points. From then on each proposal is a child
    of two members of the population, the best `population_size` so far, each the winner of a
    tournament of three. Numbers of a child lie between and around those of its parents on the
    scale of their priors, choices are those of either parent. Then some parameters are mutated, by
    steps that shrink as the search goes on. There are no generations, so workers never wait for the
    slowest. No point is proposed twice.

    Parameters
    ----------
    space : dict, list of dict, or SpaceUnion
        What to search, in any format that the searches accept; each distribution needs a quantile
        function.
    population_size : int, default=20
        How many of the best candidates have children.
    start : iterable of dict, default=()
        Points to begin with; those outside the space are skipped.
    random_state : int, default=None
        Seed; None takes one from the operating system.

    Raises
    ------
    ValueError
        If the population has fewer than two members.

    References
    ----------
    K. Deb and R. B. Agrawal, "Simulated Binary Crossover for Continuous Search Space", Complex
    Systems 9 (1995), 115-148; G. Syswerda, "A Study of Reproduction in Generational and
    Steady-State Genetic Algorithms", FOGA 1991.

    Examples
    --------
    >>> from sklearn_hpt.samplers import EvolutionarySampler
    >>> sampler = EvolutionarySampler({"lr": (1e-5, 1.0, "log-uniform")}, random_state=0)
    >>> tried = []
    >>> for _ in range(60):
    ...     tried.append(sampler.ask())
    ...     sampler.tell(tried[-1], -abs(tried[-1]["lr"] - 0.01))
    >>> round(min(tried, key=lambda params: abs(params["lr"] - 0.01))["lr"], 3)
    0.01
    """

    def __init__(
        self,
        space: Any,
        *,
        population_size: int = 20,
        start: Iterable[Params] = (),
        random_state: int | None = None,
    ) -> None:
        if population_size < 2:
            raise ValueError(
                f"population_size={population_size!r} must be an integer of at least 2: a child "
                "has two parents."
            )
        self.space = as_space_union(space)
        self.population_size = population_size
        self._start = list(start)
        self._seed: int = random_state if random_state is not None else fresh_seed()
        self._axes = Encoding(self.space).axes
        self._first = SobolSampler(self.space, random_state=derived_seed(self._seed, 0))
        self._visited = Visited(self.space)
        self._population: list[_Individual] = []
        self._n_asked = 0
        self._n_told = 0
        self._n_first = 0  # members of the first population, with those told before

    @property
    def lookahead(self) -> int:
        """How many proposals may wait for their result: the first population, then eight."""
        return max(_WINDOW, self.population_size - self._n_first)

    def ask(self) -> Params | None:
        """Return the next hyperparameters, None if the space is exhausted."""
        number, self._n_asked = self._n_asked, self._n_asked + 1
        params = self._given()
        if params is None and self._n_first >= self.population_size and self._population:
            params = self._child(np.random.default_rng([self._seed, number]))
        params = params or self._unseen()
        self._n_first += 1
        if params is not None:
            self._visited.add(params, is_proposed=True)
        return params

    def tell(
        self,
        params: Mapping[str, Any],
        score: float,
        fold_scores: Sequence[float] | None = None,
    ) -> None:
        """Learn a result; see `Sampler.tell`."""
        self._visited.add(params, is_proposed=False)
        self._n_told += 1
        self._n_first += not self._n_asked
        if math.isfinite(score):
            which = alternative_of(self.space, params)
            u = self.space.spaces[which].to_unit(params)
            self._population.append(_Individual(which, u, float(score)))
            self._population.sort(key=lambda one: -one.score)  # stable: the older of equals first
            del self._population[self.population_size :]

    def _given(self) -> Params | None:
        """Return the next of the points to start with."""
        while self._start:
            params = self._start.pop(0)
            is_inside = any(space.contains(params) for space in self.space.spaces)
            if is_inside and params not in self._visited:
                return params
        return None

    def _unseen(self) -> Params | None:
        while (params := self._first.ask()) is not None:
            if params not in self._visited:
                return params
        return None

    # children

    def _child(self, rng: np.random.Generator) -> Params | None:
        """Return a child that is new, None if there is none to be found."""
        parents = [
            one for one in self._population if one.which in self._visited.open_alternatives()
        ]
        if not parents:
            return None
        for attempt in range(_ATTEMPTS):
            mother = self._winner(parents, rng)
            kin = [one for one in parents if one.which == mother.which]
            father = self._winner(kin, rng)
            axes = self._axes[mother.which]
            u = mother.u
            if rng.random() < _CROSSED:
                u = _crossed(axes, u, father.u, rng)
            u = _mutated(axes, u, self._step() * (1.0 + attempt / 4), rng)
            params = self.space.spaces[mother.which].from_unit(u)
            if params not in self._visited:
                return params
        return None

    def _step(self) -> float:
        return _FIRST_STEP / math.sqrt(max(1.0, self._n_told / self.population_size))

    @staticmethod
    def _winner(members: Sequence[_Individual], rng: np.random.Generator) -> _Individual:
        """Return the best of some that are drawn; members are in order, the best first."""
        return members[int(rng.integers(len(members), size=_TOURNAMENT).min())]


def _crossed(
    axes: Sequence[Axis], one: np.ndarray, other: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return a point between and around two others; choices are those of either."""
    share = rng.uniform(-_BEYOND, 1.0 + _BEYOND, len(axes))
    is_picked = (rng.random(len(axes)) < 0.5) | np.array([axis.is_nominal for axis in axes])
    share = np.where(is_picked, share > 0.5, share)
    return np.clip(one + share * (other - one), 0.0, 1.0)


def _mutated(
    axes: Sequence[Axis], u: np.ndarray, step: float, rng: np.random.Generator
) -> np.ndarray:
    """Return a point some of whose parameters are changed, at least one."""
    is_changed = rng.random(len(axes)) < 1.0 / len(axes)
    is_changed[rng.integers(len(axes))] = True
    moved = u + step * rng.standard_normal(len(axes))
    moved = np.where(moved < 0.0, -moved, np.where(moved > 1.0, 2.0 - moved, moved))
    moved = np.where([axis.is_nominal for axis in axes], rng.random(len(axes)), moved)
    return np.clip(np.where(is_changed, moved, u), 0.0, 1.0)
