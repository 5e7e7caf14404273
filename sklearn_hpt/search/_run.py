"""What one call of `fit` searches with, and what follows from it for the results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sklearn_hpt._evaluation import EvaluationPlan, Stages
from sklearn_hpt._journal import Journal
from sklearn_hpt._results import Row, lineages
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
    changes_params : bool
        Whether hyperparameters change while a candidate is trained.
    """

    plan: EvaluationPlan
    space: SpaceUnion
    sampler: Sampler
    agenda: Agenda
    journal: Journal
    metric: Any
    n_trials: int
    is_small: bool
    changes_params: bool = False

    @property
    def seed(self) -> int:
        """The seed that the journal was begun with."""
        return self.journal.about["seed"]

    @property
    def resource(self) -> tuple[str, int | None] | None:
        """Name and full amount of the resource, None if any amount is a complete evaluation."""
        resource = self.plan.resource
        if resource is None:
            return None
        return resource.name, None if self.changes_params else resource.full

    def with_full_resource(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return the parameters of a full evaluation."""
        if self.resource is None or self.plan.resource is None or self.plan.resource.is_rows:
            return params
        name, full = self.resource
        return params if full is None else {**params, name: full}

    def why_it_stopped(self, loop: SearchLoop) -> str:
        """Return why no more candidates were evaluated, as `stop_reason_` says it."""
        if loop.stop_reason == "exhausted":  # or the sampler has done what it was to do
            is_exhausted = len(lineages(loop.trials)) >= self.space.size
            return "exhausted" if is_exhausted else "budget"
        return "exhausted" if self.is_small and loop.stop_reason == "budget" else loop.stop_reason

    def stages_of(self, row: Row, loop: SearchLoop, n_splits: int) -> Stages | None:
        """Return how a row's candidate is trained to the end; None for a plain fit."""
        resource = self.plan.resource
        if resource is None or resource.is_rows:
            return None
        lineage = loop.lineage(row.shown)
        amounts = [trial.resource for trial in lineage if trial.resource is not None]
        trials = [trial.number for trial in lineage]
        if amounts[-1] < resource.full and not self.changes_params:
            # the search ended before it had all
            amounts, trials = [*amounts, resource.full], [*trials, len(loop.trials)]
        if self.changes_params:  # seeded as a replay of the schedule is
            seeds = tuple(derived_seed(self.seed, step) for step in range(len(lineage)))
            return Stages(tuple(amounts), seeds, tuple(trial.params for trial in lineage))
        seeds = tuple(derived_seed(self.seed, trial, n_splits) for trial in trials)
        return Stages(tuple(amounts), seeds)
