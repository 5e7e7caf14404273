"""What a sampler with several amounts of a resource knows of its candidates."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sklearn_hpt.space import Params, SpaceUnion


@dataclass(slots=True)
class Evaluation:
    """One trial of a candidate; the score is NaN until it is known, and if it failed."""

    number: int
    resource: int | None
    score: float = math.nan
    is_complete: bool = True

    def learn(self, score: float, fold_scores: Sequence[float] | None) -> None:
        """Take in the result; a candidate stopped by racing lacks the score of some folds."""
        self.score = score
        self.is_complete = fold_scores is None or not any(map(math.isnan, fold_scores))


@dataclass(slots=True, eq=False)
class Candidate:
    """A point of the space and its trials, in order."""

    params: Params
    evaluations: list[Evaluation] = field(default_factory=list)

    def at(self, resource: int | None) -> Evaluation | None:
        """Return the trial with this amount of the resource."""
        return next((e for e in self.evaluations if e.resource == resource), None)

    def score_at(self, resource: int | None) -> float:
        """Return the score with this amount of the resource, NaN if there is none."""
        evaluation = self.at(resource)
        return math.nan if evaluation is None else evaluation.score

    def continued_by(self, resource: int | None) -> int | None:
        """Return the number of the trial that one with this amount goes on with."""
        less = [e for e in self.evaluations if _is_less(e.resource, resource)]
        return max(less, key=lambda e: e.resource or 0).number if less else None


def _is_less(amount: int | None, other: int | None) -> bool:
    return amount is not None and other is not None and amount < other


class Candidates:
    """All points proposed so far, each of them once."""

    def __init__(self, space: SpaceUnion) -> None:
        self._space = space
        self._known: dict[Hashable, Candidate] = {}

    def __contains__(self, params: Mapping[str, Any]) -> bool:
        return self._key(params) in self._known

    def __iter__(self) -> Any:
        return iter(self._known.values())

    def at(self, params: Mapping[str, Any]) -> Candidate:
        """Return the candidate at this point, a new one if there is none."""
        return self._known.setdefault(self._key(params), Candidate(dict(params)))

    def _key(self, params: Mapping[str, Any]) -> Hashable:
        which = alternative_of(self._space, params)
        key = (which, self._space.spaces[which].key(params))
        try:
            hash(key)
        except TypeError:  # a distribution may draw arrays
            return which, repr(key)
        return key


def alternative_of(space: SpaceUnion, params: Mapping[str, Any]) -> int:
    """Return which alternative of the space these parameters are a point of."""
    return next(i for i, alternative in enumerate(space.spaces) if alternative.contains(params))


def ranked(candidates: Sequence[Candidate], resource: int | None) -> list[Candidate]:
    """Return those with a score at this amount of the resource, the best first."""
    scored = [c for c in candidates if not math.isnan(c.score_at(resource))]
    return sorted(scored, key=lambda candidate: -candidate.score_at(resource))


def complete_first(candidates: Sequence[Candidate], resource: int | None) -> list[Candidate]:
    """Return the ranking without those stopped by racing, unless there are only such."""
    order = ranked(candidates, resource)
    complete = [c for c in order if (trial := c.at(resource)) is not None and trial.is_complete]
    return complete or order


def finalists(candidates: Sequence[Candidate], n_finalists: int) -> list[Candidate]:
    """Return the best of those that got furthest; complete results first, failures never."""
    alive = [c for c in candidates if c.evaluations and not math.isnan(c.evaluations[-1].score)]
    alive.sort(key=_finalist_order, reverse=True)
    complete = [c for c in alive if c.evaluations[-1].is_complete]
    return (complete or alive)[:n_finalists]


def _finalist_order(candidate: Candidate) -> tuple[int, float]:
    furthest = max(candidate.evaluations, key=lambda e: e.resource or 0)
    return furthest.resource or 0, furthest.score
