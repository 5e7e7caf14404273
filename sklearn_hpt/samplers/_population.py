"""Population-based training: who copies whom after each generation, and what changes then."""

from __future__ import annotations

import math
import numbers
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from sklearn_hpt._space_formats import as_space_union
from sklearn_hpt._trial import Proposal, derived_seed, fresh_seed
from sklearn_hpt.samplers._bandit import Bandit, Change
from sklearn_hpt.samplers._candidates import alternative_of
from sklearn_hpt.samplers._exploit import Origin, origins
from sklearn_hpt.samplers._independent import space_filling
from sklearn_hpt.space import Params, SpaceUnion


@dataclass
class _Member:
    """One member of one generation."""

    params: Params
    continues: int | None
    score: float = math.nan


class PopulationSampler:
    """Trains a population in generations, in which the worst go on from where the best are.

    A generation is as many proposals as the population has members, each of which trains on with a
    little more of a resource. After it the worst quarter copy members of the best quarter, their
    training included, and change what they copied: each hyperparameter that may change during
    training is drawn anew with probability `resample`, else moved by a random step on the scale of
    its prior, within the space. The others go with the training that is copied. Members without a
    score are the worst; ties are broken at random.

    Parameters
    ----------
    space : dict, list of dict, or SpaceUnion
        What to search, in any format that the searches accept.
    resources : sequence of int
        Amount of the resource that members have had after each generation, increasing.
    population_size : int, default=8
        Number of members, at least 2.
    mutable : collection of str, default=None
        Hyperparameters that may change during training, None for all.
    quantile : float, default=0.25
        Share of the population, in (0, 0.5], that is replaced after a generation, at least one
        member.
    resample : float, default=0.25
        Probability that a changed hyperparameter is drawn anew.
    step : float, default=0.1
        Standard deviation of the other changes, in units of the hyperparameter's range on the scale
        of its prior; for choices, the probability of another one.
    burn_in : int, default=0
        Number of generations after which nobody is replaced yet.
    explore : {"perturb", "pb2"}, default="perturb"
        How changed hyperparameters are found: by random steps, or as a Gaussian process expects
        most of them, which paid in simulations of small populations.
    exploit_every : sequence of int, default=(1,)
        The population is divided into as many parts, whose worst copy their best after so many
        generations: (1, 4) has a part that is less greedy. The middle of a part goes on from better
        members of another one: with their hyperparameters if that is a slower one, else with its
        own. Each part has at least 4 members if there are several.
    initial_params : sequence of mapping, default=None
        Hyperparameters of the first members; the others are drawn.
    random_state : int, default=None
        Seed; None takes one from the operating system.

    Raises
    ------
    ValueError
        If an argument is out of its range, `mutable` names no hyperparameter of the space, or
        `initial_params` are not in it.

    References
    ----------
    M. Jaderberg et al., "Population Based Training of Neural Networks", arXiv:1711.09846 (2017);
    J. Parker-Holder et al., "Provably Efficient Online Hyperparameter Optimization with
    Population-Based Bandits", NeurIPS 2020, for "pb2"; "Multiple-Frequencies Population-Based
    Training", arXiv:2506.03225 (2025), for parts of several speeds.

    Examples
    --------
    Two members, of which the worse goes on from the training of the better, trial 0:

    >>> from sklearn_hpt.samplers import PopulationSampler
    >>> sampler = PopulationSampler(
    ...     {"lr": (1e-4, 1.0, "log-uniform")}, (1, 2), population_size=2, random_state=0
    ... )
    >>> while (proposal := sampler.ask()) is not None:
    ...     print(f"{proposal.params['lr']:.4f}", proposal.resource, proposal.continues)
    ...     sampler.tell(proposal.params, proposal.params["lr"])
    0.0431 1 None
    0.0002 1 None
    0.0431 2 0
    0.0167 2 0
    """

    def __init__(
        self,
        space: Any,
        resources: Sequence[int],
        *,
        population_size: int = 8,
        mutable: Collection[str] | None = None,
        quantile: float = 0.25,
        resample: float = 0.25,
        step: float = 0.1,
        burn_in: int = 0,
        explore: Literal["perturb", "pb2"] = "perturb",
        exploit_every: Sequence[int] = (1,),
        initial_params: Sequence[Mapping[str, Any]] | None = None,
        random_state: int | None = None,
    ) -> None:
        self.space = as_space_union(space)
        self.resources = _checked(resources)
        for name, value, is_right, allowed in (
            ("population_size", population_size, population_size >= 2, "at least 2"),
            ("quantile", quantile, 0.0 < quantile <= 0.5, "in (0, 0.5]"),
            ("resample", resample, 0.0 <= resample <= 1.0, "in [0, 1]"),
            ("step", step, step >= 0.0, "at least 0"),
            ("burn_in", burn_in, burn_in >= 0, "at least 0"),
            ("explore", explore, explore in ("perturb", "pb2"), "'perturb' or 'pb2'"),
            (
                "exploit_every",
                exploit_every,
                _are_intervals(exploit_every, population_size),
                "numbers of at least 1, one for each part, and each part has at least 4 members if "
                f"there are several, of population_size={population_size}",
            ),
        ):
            if not is_right:
                raise ValueError(f"{name}={value!r} must be {allowed}.")
        self.population_size = population_size
        names = {name for one in self.space.spaces for name in one}
        if unknown := set(names if mutable is None else mutable) - names:
            raise ValueError(
                f"mutable={sorted(unknown)!r} are not in the search space, which has "
                f"{sorted(names)!r}."
            )
        self.mutable = frozenset(names if mutable is None else mutable)
        self.quantile = quantile
        self.resample = resample
        self.step = step
        self.burn_in = burn_in
        self.explore = explore
        self.exploit_every = tuple(exploit_every)
        self.initial_params = _checked_params(initial_params or (), self.space, population_size)
        self._seed: int = random_state if random_state is not None else fresh_seed()
        self._first = space_filling(self.space, derived_seed(self._seed, 0))
        self._asked: list[_Member] = []
        self._n_told = 0
        self._next: list[_Member] = []

    @property
    def lookahead(self) -> int:
        """How many proposals may wait: those of the generation that the next one is of."""
        return len(self._asked) % self.population_size + 1

    def ask(self) -> Proposal | None:
        """Return how the next member trains on, None after the last generation.

        Raises
        ------
        RuntimeError
            If members of the generation before have no result yet.
        """
        generation, place = divmod(len(self._asked), self.population_size)
        if generation == len(self.resources):
            return None
        if not place:
            self._next = self._begun(generation)
        member = self._next[place]
        self._asked.append(member)
        return Proposal(member.params, self.resources[generation], member.continues, generation)

    def tell(
        self,
        params: Mapping[str, Any],
        score: float,
        fold_scores: Sequence[float] | None = None,
    ) -> None:
        """Learn the result of the earliest evaluation that has none; see `Sampler.tell`."""
        if self._n_told < len(self._asked):
            self._asked[self._n_told].score = float(score)
            self._n_told += 1

    # a new generation

    def _begun(self, generation: int) -> list[_Member]:
        rng = np.random.default_rng([self._seed, generation])
        if not generation:
            n_fresh = self.population_size - len(self.initial_params)
            known = [_Member(dict(params), None) for params in self.initial_params]
            return known + [_Member(self._fresh(rng), None) for _ in range(n_fresh)]
        begin = len(self._asked) - self.population_size
        if self._n_told < len(self._asked):
            raise RuntimeError("A generation begins when all results of the one before are told.")
        last = self._asked[begin:]
        found = origins(
            np.array([member.score for member in last]),
            generation,
            every=self.exploit_every,
            quantile=self.quantile,
            burn_in=self.burn_in,
            rng=rng,
        )
        bandit = Bandit(self.space, self._changes()) if self.explore == "pb2" else None
        return [
            self._child(last, place, origin, begin, rng, bandit)
            for place, origin in enumerate(found)
        ]

    def _changes(self) -> list[Change]:
        """Return what scores did from one generation to the next."""
        return [
            Change(
                i // self.population_size, one.params, self._asked[one.continues].score, one.score
            )
            for i, one in enumerate(self._asked)
            if one.continues is not None
        ]

    def _child(
        self,
        last: Sequence[_Member],
        place: int,
        origin: Origin,
        begin: int,
        rng: np.random.Generator,
        bandit: Bandit | None,
    ) -> _Member:
        if origin.donor is None:
            return _Member(self._fresh(rng), None)
        donor = last[origin.donor]
        if not origin.is_changed:
            params = self._with_own(donor.params, last[place].params)
        elif bandit is not None and bandit.knows_enough:
            params = bandit.choose(
                lambda: self._changed(donor.params, rng),
                begin // self.population_size + 1,
                donor.score,
                self._n_told,
            )
        else:
            params = self._changed(donor.params, rng)
        return _Member(params, begin + origin.donor)

    def _with_own(self, params: Params, own: Params) -> Params:
        """Return another's hyperparameters with one's own of those that may change."""
        if params.keys() != own.keys():  # of another alternative of the space
            return params
        return {name: own[name] if name in self.mutable else params[name] for name in params}

    def _changed(self, params: Params, rng: np.random.Generator) -> Params:
        space = self.space.spaces[alternative_of(self.space, params)]
        changed = dict(params)
        for name in space:
            is_fresh = rng.random() < self.resample
            dimension = space[name]
            if name in self.mutable:
                changed[name] = (
                    dimension.sample(rng)
                    if is_fresh
                    else dimension.perturb(params[name], rng, self.step)
                )
        return changed

    def _fresh(self, rng: np.random.Generator) -> Params:
        """Return the next point of the initial design; any other when that is exhausted."""
        params = self._first.ask()
        return self.space.spaces[0].sample(rng) if params is None else params


def _checked(resources: Sequence[int]) -> tuple[int, ...]:
    amounts = list(resources)
    if not amounts or amounts[0] < 1 or sorted(set(amounts)) != amounts:
        raise ValueError(
            f"resources={resources!r} must be increasing integers of at least 1, one for each "
            "generation, such as (2, 4, 6)."
        )
    return tuple(amounts)


def _checked_params(
    given: Sequence[Mapping[str, Any]], space: SpaceUnion, population_size: int
) -> tuple[Params, ...]:
    if len(given) > population_size:
        raise ValueError(
            f"initial_params has {len(given)} members, of which population_size={population_size} "
            "cannot be had; raise that or give fewer."
        )
    for params in given:
        if not any(one.contains(params) for one in space.spaces):
            raise ValueError(
                f"initial_params: {dict(params)!r} is not in the search space; each must have a "
                f"value within its range for all of {sorted(space.spaces[0])!r}"
                f"{'' if len(space.spaces) == 1 else ', or of another of the spaces'}."
            )
    return tuple(dict(params) for params in given)


def _are_intervals(every: Any, population_size: int) -> bool:
    are_numbers = len(every) > 0 and all(
        isinstance(n, numbers.Integral) and int(n) >= 1 for n in every
    )
    return are_numbers and (len(every) == 1 or population_size >= 4 * len(every))
