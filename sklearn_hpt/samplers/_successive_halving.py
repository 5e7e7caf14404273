"""Asynchronous successive halving: little of the resource for many, more for the better ones."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sklearn_hpt._trial import Proposal
from sklearn_hpt.samplers._base import LearnsParts, Sampler


@dataclass(slots=True)
class _Rung:
    """One evaluation of a candidate, at one amount of the resource."""

    number: int
    level: int
    params: dict[str, Any]
    continues: int | None = None
    score: float = math.nan
    is_known: bool = False
    is_raced: bool = False
    is_promoted: bool = False


class SuccessiveHalvingSampler:
    """Lets the better candidates of any sampler go on with more of a resource.

    New candidates start with the first amount of `resources`. A candidate among the best
    `1 / eta` of those known on its rung is evaluated again with the next amount, as soon as that
    is known. Higher rungs are looked at first, and a new candidate starts where nothing is to be
    promoted. With fewer than `eta` results on a rung nobody is promoted from it; when all
    candidates have started and none of them earns a promotion, the best of the highest rung goes
    up until one has a result with the whole resource.

    Failed candidates are never promoted. Candidates stopped by racing count on their rung, and
    go up only at the very end and if no candidate has a complete result.

    Parameters
    ----------
    inner : Sampler
        Where new candidates come from. It is told of the results with the whole resource; of those
        with less, which are no measure of the same thing, only if it has `tell_part` as
        `BayesianSampler` has, which models how the score depends on the amount [2]_.
    resources : sequence of int
        The amount of the resource on each rung, increasing; the last is the whole.
    n_iter : int
        Number of candidates to start.
    eta : int, default=3
        One of so many is promoted from each rung.
    window : int, default=4
        How many evaluations may be without a result when the next one is chosen, so how many can
        run at a time. A fixed number, so that the search does not depend on how many workers
        there are; `inner` may allow less.

    Raises
    ------
    ValueError
        If the resources do not increase, or a number is too small.

    References
    ----------
    .. [1] L. Li et al., "A System for Massively Parallel Hyperparameter Tuning", MLSys 2020,
       Algorithm 2.
    .. [2] A. Klein et al., "Model-based Asynchronous Hyperparameter and Neural Architecture
       Search", arXiv:2003.10865 (2020).

    Examples
    --------
    >>> from sklearn_hpt.samplers import RandomSampler, SuccessiveHalvingSampler
    >>> inner = RandomSampler({"C": (0.0, 1.0)}, random_state=0)
    >>> sampler = SuccessiveHalvingSampler(inner, (10, 30), n_iter=3, window=1)
    >>> while (proposal := sampler.ask()) is not None:
    ...     print(round(proposal.params["C"], 2), proposal.resource, proposal.continues)
    ...     sampler.tell(proposal.params, proposal.params["C"])
    0.64 10 None
    0.89 10 None
    0.08 10 None
    0.89 30 1
    """

    def __init__(
        self,
        inner: Sampler,
        resources: Sequence[int],
        *,
        n_iter: int,
        eta: int = 3,
        window: int = 4,
    ) -> None:
        _check_increasing(resources)
        for name, value, least in (("n_iter", n_iter, 1), ("eta", eta, 2), ("window", window, 1)):
            if value < least:
                raise ValueError(f"{name}={value!r} must be an integer of at least {least}.")
        self.inner = inner
        self.resources = tuple(resources)
        self.n_iter = n_iter
        self.eta = eta
        self.window = window
        self._trials: list[_Rung] = []
        self._told: list[tuple[float, Sequence[float] | None]] = []
        self._n_learned = 0
        self._n_started = 0
        self._next_params: dict[str, Any] | None = None

    @property
    def lookahead(self) -> int:
        """How many evaluations may wait for their result when the next is chosen.

        All have to be known where nothing is left to start or to promote: what is promoted then
        depends on those that still run. Whether it is so may change with each result told.
        """
        if not self._trials:
            return 1
        is_waiting = self._n_learned < self._n_visible()
        return self._window() if is_waiting or self._is_anything_to_do() else 1

    def ask(self) -> Proposal | None:
        """Return the next evaluation: a promotion, else a new candidate, None at the end."""
        if not self._trials:
            self._prepare_new()
        if not self._is_anything_to_do():
            if len(self._told) < len(self._trials):
                raise RuntimeError("What is next depends on trials without a result: lookahead=1.")
            self._learn(len(self._told))
        promoted = self._promotable()
        if promoted is None and self._next_params is not None:
            return self._start()
        promoted = promoted or self._last_hope()
        return None if promoted is None else self._promote(promoted)

    def tell(
        self,
        params: Mapping[str, Any],
        score: float,
        fold_scores: Sequence[float] | None = None,
    ) -> None:
        """Learn the result of the earliest evaluation that has none; see `Sampler.tell`."""
        if not self._trials:
            self.inner.tell(params, score, fold_scores)
            return
        self._told.append((score, fold_scores))
        self._learn(self._n_visible())

    def rung(self, number: int) -> int:
        """Return the rung of a trial, an index into `resources`.

        Parameters
        ----------
        number : int
            Number of the trial.

        Returns
        -------
        int
            The rung, from 0.
        """
        return self._trials[number].level

    def lineage(self, number: int) -> tuple[int, ...]:
        """Return the trials of one candidate, in the order of its rungs.

        Parameters
        ----------
        number : int
            Number of any of its trials.

        Returns
        -------
        tuple of int
            The numbers of its trials so far, one for each rung.
        """
        while (earlier := self._trials[number].continues) is not None:
            number = earlier
        numbers = [number]
        for trial in self._trials[number:]:
            if trial.continues == numbers[-1]:
                numbers.append(trial.number)
        return tuple(numbers)

    # what may be known: a result told earlier than it has to be changes nothing

    def _window(self) -> int:
        allowed = self.inner.lookahead
        return self.window if allowed is None else min(self.window, allowed)

    def _n_visible(self) -> int:
        return max(len(self._trials) - self._window() + 1, self._n_learned)

    def _learn(self, n_visible: int) -> None:
        while self._n_learned < min(n_visible, len(self._told)):
            trial = self._trials[self._n_learned]
            trial.score, fold_scores = self._told[self._n_learned]
            trial.is_raced = fold_scores is not None and any(map(math.isnan, fold_scores))
            trial.is_known = True
            self._n_learned += 1
            if trial.level == len(self.resources) - 1:
                self.inner.tell(trial.params, trial.score, fold_scores)
            elif isinstance(self.inner, LearnsParts):
                share = self.resources[trial.level] / self.resources[-1]
                self.inner.tell_part(trial.params, share, trial.score, fold_scores)

    # new candidates

    def _is_anything_to_do(self) -> bool:
        return self._next_params is not None or self._promotable() is not None

    def _prepare_new(self) -> None:
        """Ask for a candidate ahead, since whether there is one decides what to wait for."""
        self._next_params = None
        if self._n_started < self.n_iter:
            proposed = self.inner.ask()
            self._next_params = None if proposed is None else dict(_params_of(proposed))

    def _start(self) -> Proposal:
        assert self._next_params is not None
        self._n_started += 1
        proposal = self._propose(self._next_params, 0, None)
        self._prepare_new()
        return proposal

    # promotions

    def _promotable(self) -> _Rung | None:
        for level in reversed(range(len(self.resources) - 1)):
            known = [trial for trial in self._trials if trial.level == level and trial.is_known]
            ranked = sorted(known, key=_worst_last)
            for trial in ranked[: len(known) // self.eta]:
                if not (trial.is_promoted or trial.is_raced or math.isnan(trial.score)):
                    return trial
        return None

    def _last_hope(self) -> _Rung | None:
        """Return who goes up so that one candidate has a result with the whole resource."""
        with_score = [trial for trial in self._trials if not math.isnan(trial.score)]
        for is_raced in (False, True):
            alike = [trial for trial in with_score if trial.is_raced == is_raced]
            if any(trial.level == len(self.resources) - 1 for trial in alike):
                return None
            waiting = [trial for trial in alike if not trial.is_promoted]
            if waiting:
                return max(waiting, key=lambda trial: (trial.level, trial.score))
        return None

    def _promote(self, trial: _Rung) -> Proposal:
        trial.is_promoted = True
        return self._propose(trial.params, trial.level + 1, trial.number)

    def _propose(self, params: dict[str, Any], level: int, continues: int | None) -> Proposal:
        self._trials.append(_Rung(len(self._trials), level, params, continues))
        self._learn(self._n_visible())
        return Proposal(params, self.resources[level], continues, level)


def _worst_last(trial: _Rung) -> tuple[bool, float]:
    return math.isnan(trial.score), -trial.score


def _params_of(proposed: Any) -> Mapping[str, Any]:
    return proposed.params if isinstance(proposed, Proposal) else proposed


def _check_increasing(resources: Sequence[int]) -> None:
    amounts = list(resources)
    if not amounts or amounts[0] < 1 or sorted(set(amounts)) != amounts:
        raise ValueError(
            f"resources={resources!r} must be increasing integers of at least 1, one for each "
            "rung, such as (10, 30, 90)."
        )
