"""What one call of `fit` searches with, and what follows from it for the results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sklearn_hpt._evaluation import EvaluationPlan, Stages
from sklearn_hpt._journal import Journal
from sklearn_hpt._results import lineages, shown_trial
from sklearn_hpt._trial import derived_seed
from sklearn_hpt.samplers import Sampler
from sklearn_hpt.search._agenda import Agenda
from sklearn_hpt.search._loop import SearchLoop
from sklearn_hpt.space import SpaceUnion


@dataclass(frozen=True)
class SearchRun:
    """What one call of `fit` searches with.

    Attributes
    ----------
    plan : EvaluationPlan
        What candidates are evaluated on.
    space : SpaceUnion
        Where they are from.
    sampler : Sampler
        What proposes them.
    agenda : Agenda
        What says which of their folds are evaluated.
    journal : Journal
        Where that is recorded.
    metric : str or list of str
        The metrics, as scikit-learn names them.
    n_trials : int
        How many evaluations of candidates there are at most.
    is_small : bool
        Whether the space has fewer points than candidates are asked for.
    """

    plan: EvaluationPlan
    space: SpaceUnion
    sampler: Sampler
    agenda: Agenda
    journal: Journal
    metric: Any
    n_trials: int
    is_small: bool

    @property
    def seed(self) -> int:
        """The seed that the journal was begun with."""
        return self.journal.about["seed"]

    @property
    def resource(self) -> tuple[str, int] | None:
        """Name and full amount of the resource."""
        resource = self.plan.resource
        return None if resource is None else (resource.name, resource.full)

    def with_full_resource(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return the parameters of a full evaluation."""
        resource = self.plan.resource
        if resource is None or resource.is_rows:
            return params
        return {**params, resource.name: resource.full}

    def why_it_stopped(self, loop: SearchLoop) -> str:
        """Return why no more candidates were evaluated, as `stop_reason_` says it."""
        if loop.stop_reason == "exhausted":  # or the sampler has done what it was to do
            is_exhausted = len(lineages(loop.trials)) >= self.space.size
            return "exhausted" if is_exhausted else "budget"
        return "exhausted" if self.is_small and loop.stop_reason == "budget" else loop.stop_reason

    def stages_of(self, row: int, loop: SearchLoop, n_splits: int) -> Stages | None:
        """Return how a row's candidate is trained to the full resource; None for a plain fit."""
        resource = self.plan.resource
        if resource is None or resource.is_rows:
            return None
        lineage = loop.lineage(shown_trial(lineages(loop.trials)[row]))
        amounts = [trial.resource for trial in lineage if trial.resource is not None]
        trials = [trial.number for trial in lineage]
        if amounts[-1] < resource.full:  # the search ended before it had all
            amounts, trials = [*amounts, resource.full], [*trials, len(loop.trials)]
        seeds = [derived_seed(self.seed, trial, n_splits) for trial in trials]
        return Stages(tuple(amounts), tuple(seeds))
