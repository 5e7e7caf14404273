"""What a search asks of a sampler."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from sklearn_hpt._trial import Proposal


@runtime_checkable
class Sampler(Protocol):
    """Proposes hyperparameters.

    A sampler is a function of (space, seed, trials told): asked and told the same, it proposes
    the same. A search tells results in the order of the proposals.

    Attributes
    ----------
    lookahead : int or None
        How many proposals may wait for their result at a time: proposal `k` has been told
        the results of the proposals up to `k - lookahead`, and no others. None if the
        proposal does not depend on results. It is read before each proposal.
    """

    @property
    def lookahead(self) -> int | None:
        """How many proposals may wait for their result at a time."""

    def ask(self) -> dict[str, Any] | Proposal | None:
        """Return the next hyperparameters, None if the space is exhausted.

        A sampler that buys a resource in small amounts first returns a `Proposal`.
        """

    def tell(
        self,
        params: Mapping[str, Any],
        score: float,
        fold_scores: Sequence[float] | None = None,
    ) -> None:
        """Learn a result; before the first `ask`, those of an earlier search.

        Parameters
        ----------
        params : mapping
            What was asked, or an earlier point of the same space.
        score : float
            The result, higher is better, NaN if it failed. Of a candidate that lost its race,
            the mean to expect over all folds.
        fold_scores : sequence of float, default=None
            The scores of the cross-validation folds that `score` is the mean of; NaN for the
            folds that racing has saved.
        """


@runtime_checkable
class LearnsSeconds(Protocol):
    """A sampler that also learns how long evaluations take."""

    def tell_seconds(self, params: Mapping[str, Any], seconds: float) -> None:
        """Learn how long the evaluation took whose result is told next."""


@runtime_checkable
class LearnsParts(Protocol):
    """A sampler that also learns from results with a part of a resource."""

    def tell_part(
        self,
        params: Mapping[str, Any],
        share: float,
        score: float,
        fold_scores: Sequence[float] | None = None,
    ) -> None:
        """Learn a result with a share of the whole resource, in (0, 1]."""
