"""The records of a search: a trial is one candidate, a fold result one of its evaluations."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

import numpy as np

Status = Literal["complete", "stopped", "failed", "timeout"]
Scores = float | dict[str, float]


@lru_cache(maxsize=2**16)  # a lineage asks for those of all its ancestors, again and again
def derived_seed(*entropy: int) -> int:
    """Return the seed in [0, 2**32) that belongs to these numbers.

    Every seed of a search is derived from its place, (search seed, trial) for a proposal and
    (search seed, trial, fold) for an evaluation, so that neither the number of workers nor
    the order in which they finish can change a result.
    """
    return int(np.random.SeedSequence(entropy).generate_state(1)[0])


def fresh_seed() -> int:
    """Return a seed from the operating system."""
    entropy = np.random.SeedSequence().entropy
    assert isinstance(entropy, int)
    return entropy


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a sampler proposes that spends less than everything on a candidate at first.

    Attributes
    ----------
    params : mapping
        The hyperparameters.
    resource : int or None
        How much of the resource (epochs, trees, rows) the evaluation spends, None for all.
    continues : int or None
        Number of the earlier trial, of the same parameters and less resource, whose training
        this one goes on with.
    round : int or None
        Number of the round or rung, from 0.
    """

    params: Mapping[str, Any]
    resource: int | None = None
    continues: int | None = None
    round: int | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an evaluation has no score.

    Attributes
    ----------
    message : str
        One line, such as ``ValueError: n_neighbors must be positive``.
    details : str
        The traceback where there is one, else the message again.
    exception : BaseException or None
        What `error_score="raise"` raises; it stays in the process that has it.
    timed_out : bool
        Whether the evaluation was ended by its time limit.
    """

    message: str
    details: str
    exception: BaseException | None = None
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class FoldResult:
    """The outcome of fitting one candidate on one fold. Times in seconds.

    `spent` is how much of the search's resource this took, None if it has none.
    """

    trial: int
    fold: int
    test_scores: Scores | None = None
    train_scores: Scores | None = None
    fit_time: float = 0.0
    score_time: float = 0.0
    failure: Failure | None = None
    spent: int | None = None


@dataclass(slots=True)
class Trial:
    """A candidate and what is known of it.

    Attributes
    ----------
    number : int
        Place in the order of proposals, from 0.
    params : dict
        The hyperparameters.
    results : dict of int to FoldResult
        The folds evaluated so far.
    status : {"complete", "stopped", "failed", "timeout"} or None
        None while folds are missing.
    error : str
        Why the trial is not complete, empty otherwise.
    resource, continues, round : int or None
        As in the `Proposal`.
    spare : dict of int to FoldResult
        Folds that were evaluated although, as it turned out, the trial was lost before.
    expected_score : float
        Of a trial that was stopped, the mean to expect over all folds; NaN otherwise.
    """

    number: int
    params: Mapping[str, Any]
    results: dict[int, FoldResult] = field(default_factory=dict)
    status: Status | None = None
    error: str = ""
    resource: int | None = None
    continues: int | None = None
    round: int | None = None
    spare: dict[int, FoldResult] = field(default_factory=dict)
    expected_score: float = math.nan

    @property
    def seconds(self) -> float:
        """Time spent on the trial so far: fits and scores of all folds, in seconds."""
        return sum(result.fit_time + result.score_time for result in self.results.values())

    def close(self, status: Status, error: str = "") -> None:
        """Mark the trial as finished."""
        self.status, self.error = status, error
