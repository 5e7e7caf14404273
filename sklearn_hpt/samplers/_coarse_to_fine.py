"""Coarse to fine: a broad cheap round, then closer looks at the good region."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sklearn_hpt._space_formats import as_space_union
from sklearn_hpt._trial import Proposal, derived_seed, fresh_seed
from sklearn_hpt.exceptions import SpaceError
from sklearn_hpt.samplers._candidates import (
    Candidate,
    Candidates,
    Evaluation,
    complete_first,
    finalists,
    ranked,
)
from sklearn_hpt.samplers._independent import space_filling
from sklearn_hpt.samplers._rounds import Round, Rounds, lessons_of
from sklearn_hpt.samplers._stages import Stage, planned_stages
from sklearn_hpt.samplers._tiers import read_tiers, start_params
from sklearn_hpt.samplers._zoom import Box, ZoomRule
from sklearn_hpt.space import Params, Space, SpaceUnion

# Chosen by the mean rank among random search and halving of the same cost on 34 tasks of
# YAHPO Gym (lcbench, rbv2_xgboost, rbv2_rpart), 6 seeds each, with two rounds: 1.80 with 10 %
# leaders, windows of at most 0.4, 15 % carried and none from anywhere; 1.72 with 20 % from
# anywhere, 1.76 with 25 % carried, and 1.65 as it is here (standard error 0.04). Two short rounds
# with all of the resource after them: 1.50. See docs/benchmarks.md.
_RULE = ZoomRule()
_LEADERS = 0.15  # the share of a round that the next box is drawn around
_CARRIED = 0.25  # the share of a round that evaluates leaders again with its resource
_FEWEST = 3  # of leaders, and of those carried: few evaluations mislead, one most of all
_ANYWHERE = 0.2  # the share of a later round's new candidates that is drawn as in the first one
_MAX_REPEATS = 20  # for each new point of an infinite space of few likely ones


class CoarseToFineSampler:
    """Draws broadly in a first round, then in ever smaller boxes around the good region.

    After each round the box is drawn anew around the best 15 % of its candidates, at least three,
    on the scale of each prior. Categorical parameters keep the choices of these leaders, and of
    several alternative spaces those remain that have one. Where the best lies at the border of the
    box the box moves and keeps its width. No box leaves the search space. A fifth of the new
    candidates of a later round comes from the whole space, in case the leaders mislead.

    With `resources` each round spends more on a candidate. A round starts with the leaders of the
    one before, a quarter of it and at least three but no more than half, so that a bad zoom loses
    nothing, and the `n_finalists` best go on with the last amount. Results with different amounts
    are never compared.

    With `tiers` the parameters are tuned in order of importance: each tier goes through all
    rounds with the others fixed at the best so far.

    Earlier results that are told before the first proposal count among the leaders of the first
    round, and the best of them is evaluated first. If they are not of the same resource they are
    shifted by as much as the best of them changes.

    Parameters
    ----------
    space : dict, list of dict, or SpaceUnion
        What to search, in any format that the searches accept. Alternatives share each round;
        budgets of their own are refused.
    n_iter : sequence of int, default=(30, 20, 6, 6)
        Number of evaluations of each round.
    resources : sequence of int, default=None
        The amount of a resource in each round and, as the last, for the finalists; increasing
        or equal. None spends everything on each candidate, and there are no finalists.
    n_finalists : int, default=3
        How many candidates get the last amount of the resource.
    tiers : list of list of str, default=None
        Names of parameters, the most important first. Those in no tier form the last one.
    tier_shares : sequence of float, default=None
        The share of the evaluations for each tier, with the sum 1; None gives 80 % to the first
        two. A tier has at least two candidates; what a tier of few points leaves over goes to the
        next one.
    defaults : mapping, default=None
        What parameters are before their tier is tuned. Without a default in the space it
        is the middle of a range, or the first of the choices.
    random_state : int, default=None
        Seed of the draws; None takes one from the operating system.

    Attributes
    ----------
    rounds : Rounds
        What each round so far did and taught; a list that prints as a table.

    Raises
    ------
    SpaceError
        If alternatives have budgets of their own, or are to be tuned in tiers.
    ValueError
        If rounds, resources or tiers do not fit each other.

    Examples
    --------
    >>> from sklearn_hpt.samplers import CoarseToFineSampler
    >>> sampler = CoarseToFineSampler({"lr": (1e-5, 1.0, "log-uniform")}, random_state=0)
    >>> while (proposal := sampler.ask()) is not None:
    ...     sampler.tell(proposal.params, -abs(proposal.params["lr"] - 0.01))
    >>> [one.n_done for one in sampler.rounds]
    [30, 20, 6, 6]
    >>> 1e-4 < sampler.rounds[1].box["lr"].low < 0.01 < sampler.rounds[1].box["lr"].high < 1
    True
    """

    def __init__(
        self,
        space: Any,
        *,
        n_iter: Sequence[int] = (30, 20, 6, 6),
        resources: Sequence[int] | None = None,
        n_finalists: int = 3,
        tiers: Sequence[Sequence[str]] | None = None,
        tier_shares: Sequence[float] | None = None,
        defaults: Mapping[str, Any] | None = None,
        random_state: int | None = None,
    ) -> None:
        self.space = as_space_union(space)
        if any(budget is not None for budget in self.space.budgets):
            raise SpaceError(
                "A coarse-to-fine search divides its rounds among the alternatives itself, by "
                "their results; give them without n_iter of their own."
            )
        self._seed: int = random_state if random_state is not None else fresh_seed()
        self._tiers = None if tiers is None else read_tiers(tiers, self.space)
        self._stages = planned_stages(n_iter, resources, n_finalists, self._tiers, tier_shares)
        self._defaults = defaults
        self._candidates = Candidates(self.space)
        self._earlier: list[tuple[float, Params]] = []
        self._trials: list[tuple[Candidate, Evaluation]] = []
        self._n_told = 0
        self._plan: deque[tuple[Candidate, int | None]] = deque()
        self._begun = 0  # stages
        self._finished: list[Round] = []
        self._first_trial = 0  # of the round
        self._n_in_round = 0
        self._n_planned = 0
        self._n_unspent = 0
        self._base: Candidate | None = None  # the best so far, where other tiers are fixed
        self._pool: list[Candidate] = []  # who takes part in the rounds of a tier
        self._boxes: dict[int, Box] = {}

    @property
    def lookahead(self) -> int:
        """How many proposals may wait for a result: those of the same round."""
        return len(self._trials) - self._first_trial + 1 if self._plan else 1

    @property
    def rounds(self) -> Rounds:
        """What each round so far did and taught."""
        current = [self._record()] if self._n_in_round else []
        return Rounds([*self._finished, *current])

    def ask(self) -> Proposal | None:
        """Return the next evaluation, None after the last round."""
        while not self._plan:
            if self._begun == len(self._stages):
                return None
            self._begin_next_round()
        candidate, resource = self._plan.popleft()
        continues = candidate.continued_by(resource)
        evaluation = Evaluation(len(self._trials), resource)
        candidate.evaluations.append(evaluation)
        self._trials.append((candidate, evaluation))
        return Proposal(dict(candidate.params), resource, continues, len(self._finished))

    def tell(
        self,
        params: Mapping[str, Any],
        score: float,
        fold_scores: Sequence[float] | None = None,
    ) -> None:
        """Learn the result of the earliest proposal that has none; see `Sampler.tell`."""
        if self._begun:
            self._trials[self._n_told][1].learn(score, fold_scores)
            self._n_told += 1
        elif math.isfinite(score) and any(s.contains(params) for s in self.space.spaces):
            self._earlier.append((score, dict(params)))

    # rounds

    @property
    def _stage(self) -> Stage:
        return self._stages[self._begun - 1]

    def _begin_next_round(self) -> None:
        if self._begun:
            self._finish_round()
        self._begun += 1
        stage = self._stage
        self._n_planned = stage.n_planned
        if stage.tier is None:
            chosen = finalists(list(self._candidates), stage.n_planned)
        else:
            if stage.is_first:  # what tiers of few points have left
                self._n_planned += self._n_unspent
                self._n_unspent = 0
                self._begin_tier(stage.tier)
            chosen = self._members(stage)
            self._pool += [candidate for candidate in chosen if candidate not in self._pool]
        new = [candidate for candidate in chosen if candidate.at(stage.resource) is None]
        self._plan.extend((candidate, stage.resource) for candidate in new)
        self._first_trial, self._n_in_round = len(self._trials), len(new)
        self._n_unspent += self._n_planned - len(new)

    def _finish_round(self) -> None:
        stage = self._stage
        if self._n_in_round:
            self._finished.append(self._record())
        self._n_in_round = 0
        if stage.tier is None:
            return
        leaders = self._leaders()
        if leaders and not stage.is_last:
            self._boxes = self._zoomed(leaders)
        best = complete_first(self._pool, stage.resource)
        if best:
            self._base = best[0]

    def _begin_tier(self, tier: int) -> None:
        if not tier:
            self._base = self._best_earlier()
        self._pool = [self._base] if self._base and tier else []
        self._boxes = {
            which: Box.around(self._tuned(alternative, tier))
            for which, alternative in enumerate(self.space.spaces)
        }

    def _best_earlier(self) -> Candidate | None:
        if not self._earlier:
            return None
        return self._candidates.at(max(self._earlier, key=lambda result: result[0])[1])

    def _tuned(self, alternative: Space, tier: int) -> Space:
        names = alternative if self._tiers is None else self._tiers[tier]
        return Space({name: alternative[name] for name in names})

    # who takes part

    def _members(self, stage: Stage) -> list[Candidate]:
        """Return the candidates of a round: those that start it, then new ones."""
        if stage.is_first:
            ranking = [self._base] if self._base else []
            n_carried = len(ranking)
        else:
            before = self._stages[self._begun - 2].resource
            ranking = complete_first(self._pool, before)
            most = math.ceil(self._n_planned / 2)
            n_carried = min(max(_FEWEST, round(_CARRIED * self._n_planned)), most)
        carried = ranking[:n_carried]
        n_new = self._n_planned - sum(c.at(stage.resource) is None for c in carried)
        new = self._drawn(n_new)
        # where the space has no more points, more of the known ones go on
        further = [c for c in ranking[n_carried:] if c.at(stage.resource) is None]
        return carried + new + further[: n_new - len(new)]

    def _drawn(self, n_wanted: int) -> list[Candidate]:
        """Return new candidates from the box, some from anywhere or all once it has no more."""
        boxes = [box.as_space() for box in self._boxes.values()]
        around = [box.parent for box in self._boxes.values()]
        n_anywhere = 0 if self._stage.is_first else round(_ANYWHERE * n_wanted)
        drawn: list[Candidate] = []
        for attempt, spaces in enumerate((boxes, around)):
            union = SpaceUnion(tuple(spaces), (None,) * len(spaces))
            seed = derived_seed(self._seed, self._begun, attempt)
            n_more = n_wanted - len(drawn) - (0 if attempt else n_anywhere)
            drawn += self._drawn_from(union, seed, n_more)
        return drawn

    def _drawn_from(self, union: SpaceUnion, seed: int, n_wanted: int) -> list[Candidate]:
        sampler = space_filling(union, seed)
        fixed = self._fixed()
        drawn: list[Candidate] = []
        n_allowed = n_wanted * _MAX_REPEATS if union.size == math.inf else math.inf
        while len(drawn) < n_wanted and n_allowed > 0:
            params = sampler.ask()
            if params is None:
                break
            params = fixed | params
            if params in self._candidates:
                n_allowed -= 1
            else:
                drawn.append(self._candidates.at(params))
        return drawn

    def _fixed(self) -> Params:
        """Return the parameters of the other tiers, with those of this one."""
        if self._tiers is None:
            return {}
        if self._base is not None:
            return self._base.params
        rng = np.random.default_rng([self._seed, 1])
        return start_params(self.space.spaces[0], self._defaults, rng)

    # what was learned

    def _leaders(self) -> list[Params]:
        """Return the best of a round, earlier results among them after the first, best first."""
        resource = self._stage.resource
        scored = [(c.score_at(resource), c.params) for c in ranked(self._pool, resource)]
        if self._begun == 1 and self._tiers is None:
            scored += self._earlier_on_scale_of(resource)
        scored.sort(key=lambda pair: -pair[0])
        n_leaders = max(_FEWEST, math.ceil(_LEADERS * self._n_planned))
        return [params for _, params in scored[:n_leaders]]

    def _earlier_on_scale_of(self, resource: int | None) -> list[tuple[float, Params]]:
        best = self._best_earlier()
        if best is None:
            return []
        shift = 0.0
        if resource is not None:
            shift = best.score_at(resource) - max(score for score, _ in self._earlier)
        new = [(s + shift, params) for s, params in self._earlier if params not in self._candidates]
        return [] if math.isnan(shift) else new

    def _zoomed(self, leaders: list[Params]) -> dict[int, Box]:
        zoomed = {}
        for which, box in self._boxes.items():
            own = [params for params in leaders if self._box_of(params) == which]
            if own:
                zoomed[which] = box.zoom(own, _RULE)
        return zoomed or self._boxes

    def _box_of(self, params: Params) -> int | None:
        """Return the alternative that a point is of among those that remain."""
        spaces = self.space.spaces
        return next((which for which in self._boxes if spaces[which].contains(params)), None)

    def _record(self) -> Round:
        stage = self._stage
        pool = list(self._candidates) if stage.tier is None else self._pool
        best = complete_first(pool, stage.resource)[:1]
        n_done = min(self._n_told - self._first_trial, self._n_in_round)
        tier = None if stage.tier is None or self._tiers is None else self._tiers[stage.tier]
        return Round(
            number=len(self._finished),
            tier=tier,
            box=None if stage.tier is None else self._box(),
            n_planned=self._n_planned,
            n_done=n_done,
            resource=stage.resource,
            best_params=best[0].params if best else None,
            best_score=best[0].score_at(stage.resource) if best else None,
            lessons=[] if stage.tier is None else self._lessons(is_over=n_done == self._n_in_round),
        )

    def _box(self) -> Space | SpaceUnion:
        spaces = tuple(box.as_space() for box in self._boxes.values())
        return spaces[0] if len(spaces) == 1 else SpaceUnion(spaces, (None,) * len(spaces))

    def _lessons(self, *, is_over: bool) -> list[str]:
        if not is_over:
            return []
        leaders = self._leaders()
        if not leaders:
            return ["no candidate has a score, the box stays"]
        own = [params for params in leaders if self._box_of(params) is not None]
        if not own:
            return ["the leaders are of alternatives that were left out, the box stays"]
        is_used = not self._stage.is_last
        best = own[0]
        zoomed = self._zoomed(leaders)
        which = self._box_of(best)
        assert which is not None
        sentences = [
            f"alternative {other} ({', '.join(box.parent)}): not among the leaders"
            for other, box in self._boxes.items()
            if other not in zoomed
        ]
        about = lessons_of(self._boxes[which], zoomed[which], best, _RULE, is_used=is_used)
        return sentences + about
