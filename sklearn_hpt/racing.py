"""Stop a candidate after some of its folds when it cannot, or very likely will not, win.

Notation, for a candidate of which `n` of the `K` folds are evaluated, in the order that the
search has drawn for all of them:

    d_f     its score minus the incumbent's on fold f; the incumbent is the best complete
            candidate with a smaller number
    dbar    mean of d_f over the n folds
    s0^2    prior variance of such differences: the median over the earlier candidates
    nu0     weight of the prior, in folds
    s^2     (nu0 s0^2 + sum (d_f - dbar)^2) / (nu0 + n - 1)

What decides is the mean over all `K` folds, of which only the `K - n` missing ones are
uncertain. The error of `dbar` as its estimate therefore has the variance
``s^2 (K - n) / (K n)``, with the finite-population correction (Cochran, Sampling Techniques,
1977, section 2.6). The prior lets a single fold decide.

The test takes the missing folds for folds like the others. A fold that is a catastrophe for the
incumbent alone, as one confident error is for the log-loss, breaks that where it is still to
come. The incumbent's score on it is known, so a candidate also goes on as long as it would lead
if it did as well as so far on the incumbent's worst missing fold.
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, Protocol, runtime_checkable

import numpy as np
from scipy.special import stdtrit

__all__ = ["ExactRacing", "PairedRacing", "Race", "RacingPolicy"]

_MOST_LOOKS = 10  # at leave-one-out a single row must not decide
# two candidates that are nearly the same have a tiny variance, with which nothing that is behind
# after a fold would go on and no larger one would ever be seen
_FEWEST_VARIANCES = 3


@dataclass(frozen=True)
class Race:
    """What is known when it is decided whether a candidate goes on.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        The candidate's scores so far, higher is better, in the order of the folds' evaluation.
    incumbent : ndarray of shape (K,)
        Those of the best complete candidate, all of them, in the same order.
    maximum : float, default=None
        The best score that the metric can give, None if it has no bound or is not known.
    prior_variance : float, default=None
        Typical variance of the differences of two candidates' scores on the same fold, None
        if nothing is known yet.
    """

    scores: np.ndarray
    incumbent: np.ndarray
    maximum: float | None = None
    prior_variance: float | None = None


@runtime_checkable
class RacingPolicy(Protocol):
    """Decides whether a candidate is stopped.

    An object may have an attribute `verify`, the share of the candidates that are completed
    at the end of the search, those that came closest first; it is 0 without.
    """

    def should_stop(self, race: Race) -> bool:
        """Return whether the rest of a candidate's folds is not worth their time.

        Parameters
        ----------
        race : Race
            The scores of the candidate and of the incumbent.
        """


def _check(
    policy: RacingPolicy, name: str, is_allowed: Callable[[Any], bool], allowed: str
) -> None:
    """Raise if a parameter of a policy is no number, or not one of those that are allowed."""
    value = getattr(policy, name)
    if not isinstance(value, Real) or isinstance(value, bool) or not is_allowed(value):
        raise ValueError(f"{name}={value!r} of {type(policy).__name__} must be {allowed}.")


@dataclass(frozen=True)
class ExactRacing:
    """Stop a candidate that loses even with the best possible score on every missing fold.

    The winner is always that of the full cross-validation.

    Parameters
    ----------
    maximum : float, default=None
        The best score that the metric can give. None takes it from the metric, where
        scikit-learn's own are known: 1 for accuracy, 0 for the negative of an error.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hpt.racing import ExactRacing, Race
    >>> race = Race(scores=np.array([0.5]), incumbent=np.array([0.9, 0.9]), maximum=1.0)
    >>> ExactRacing().should_stop(race)
    True
    """

    maximum: float | None = None

    def __post_init__(self) -> None:
        if self.maximum is not None:
            _check(self, "maximum", math.isfinite, "a finite number, or None")

    def should_stop(self, race: Race) -> bool:
        """Return whether the candidate can no longer have the higher mean.

        Parameters
        ----------
        race : Race
            The scores of the candidate and of the incumbent.
        """
        maximum = race.maximum if self.maximum is None else self.maximum
        if maximum is None:
            return False
        at_best = np.full(len(race.incumbent), float(maximum))
        at_best[: len(race.scores)] = race.scores
        mean = race.incumbent.mean()
        rounding = len(at_best) * np.finfo(float).eps * abs(mean)  # of sums in another order
        return bool(at_best.mean() < mean - rounding)


@dataclass(frozen=True)
class PairedRacing:
    """Stop a candidate that is behind the incumbent by more than chance explains.

    A one-sided t-test of the paired differences with the finite-population correction and a
    prior on their variance; a candidate that the incumbent's worst missing fold could bring to
    the front goes on. See `sklearn_hpt.racing` for the formulas. Where the metric has a
    known maximum, a candidate is also stopped as by `ExactRacing`.

    Parameters
    ----------
    eps : float, default=0.01
        Probability, under the model, that a stopped candidate would have won.
    verify : float, default=0.02
        Share of the candidates that are completed at the end, the closest first.
    prior_folds : float, default=10.0
        Weight of the prior on the variance, in folds.
    min_folds : int, default=1
        Folds before a first decision.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hpt.racing import PairedRacing, Race
    >>> incumbent = np.array([0.90, 0.88, 0.91, 0.89, 0.90])
    >>> far, near = np.array([0.70]), np.array([0.89])
    >>> races = [Race(scores, incumbent, prior_variance=0.01**2) for scores in (far, near)]
    >>> [PairedRacing().should_stop(race) for race in races]
    [True, False]
    """

    eps: float = 0.01
    verify: float = 0.02
    prior_folds: float = 10.0
    min_folds: int = 1

    def __post_init__(self) -> None:
        _check(self, "eps", lambda eps: 0 < eps < 1, "a probability between 0 and 1")
        _check(self, "verify", lambda share: 0 <= share <= 1, "a share from 0 to 1")
        _check(self, "prior_folds", lambda n: 0 < n < math.inf, "a positive number")
        _check(self, "min_folds", lambda n: 1 <= n < math.inf, "a number of folds, at least 1")

    def should_stop(self, race: Race) -> bool:
        """Return whether the candidate is behind with probability of at least 1 - eps.

        Parameters
        ----------
        race : Race
            The scores of the candidate and of the incumbent.
        """
        if ExactRacing().should_stop(race):
            return True
        n_done, n_folds = len(race.scores), len(race.incumbent)
        if n_done < self.min_folds or n_done % math.ceil(n_folds / _MOST_LOOKS):
            return False
        if not race.prior_variance:
            return False
        t = t_statistic(race, self.prior_folds)
        is_behind = -t > stdtrit(self.prior_folds + n_done - 1, 1.0 - self.eps)
        return bool(is_behind and not leads_after_worst_fold(race))


_BY_NAME: dict[str, RacingPolicy] = {
    "exact": ExactRacing(),
    "safe": PairedRacing(eps=0.01, verify=0.02),
    "fast": PairedRacing(eps=0.05, verify=0.05),
}


def racing_policy(racing: str | RacingPolicy) -> RacingPolicy:
    """Return the policy of this name, or the policy itself."""
    return _BY_NAME[racing] if isinstance(racing, str) else racing


def t_statistic(race: Race, prior_folds: float) -> float:
    """Return by how many standard errors a candidate leads, negative if it is behind.

    Parameters
    ----------
    race : Race
        The scores; the prior variance must be known, and a fold must be missing.
    prior_folds : float
        Weight of the prior on the variance, in folds.
    """
    assert race.prior_variance is not None
    n_done, n_folds = len(race.scores), len(race.incumbent)
    d = race.scores - race.incumbent[:n_done]
    spread = prior_folds * race.prior_variance + float(((d - d.mean()) ** 2).sum())
    variance = spread / (prior_folds + n_done - 1)
    return float(d.mean()) * math.sqrt(n_folds * n_done / (n_folds - n_done) / variance)


def leads_after_worst_fold(race: Race) -> bool:
    """Return whether a candidate leads if it does as well as so far on the incumbent's worst fold.

    That is the worst of the missing ones; on the others of them it does as well as so far compared
    with the incumbent.

    Parameters
    ----------
    race : Race
        The scores; a fold must be missing.
    """
    n_done, n_folds = len(race.scores), len(race.incumbent)
    lead = float((race.scores - race.incumbent[:n_done]).mean())
    lead_on_worst = float(race.scores.mean() - race.incumbent[n_done:].min())
    return (n_folds - 1) * lead + lead_on_worst > 0


class Standings:
    """The incumbent of a search and what the earlier candidates say about differences.

    Candidates are added in the order of their numbers.

    Parameters
    ----------
    policy : RacingPolicy
        What decides.
    maximum : float or None
        The best score that the metric can give.
    """

    def __init__(self, policy: RacingPolicy, maximum: float | None) -> None:
        self._policy = policy
        self._maximum = maximum
        self._incumbent: np.ndarray | None = None
        self._variances: list[float] = []  # sorted

    @property
    def has_incumbent(self) -> bool:
        """Whether a candidate is complete."""
        return self._incumbent is not None

    def race(self, scores: Sequence[float]) -> Race:
        """Return what is known about a candidate with these scores on the first folds."""
        assert self._incumbent is not None
        n_known = len(self._variances)
        middle = self._variances[n_known // 2] if n_known >= _FEWEST_VARIANCES else None
        return Race(np.asarray(scores, dtype=float), self._incumbent, self._maximum, middle)

    def should_stop(self, scores: Sequence[float]) -> bool:
        """Return whether a candidate with these scores on the first folds is stopped."""
        return self._incumbent is not None and bool(self._policy.should_stop(self.race(scores)))

    def add(self, scores: Sequence[float], *, is_complete: bool) -> bool:
        """Take in a candidate whose fate is known; return whether it is the new incumbent."""
        if self._incumbent is None:
            self._incumbent = np.asarray(scores, dtype=float) if is_complete else None
            return is_complete
        if len(scores) > 1:
            d = np.asarray(scores, dtype=float) - self._incumbent[: len(scores)]
            insort(self._variances, float(d.var(ddof=1)))
        is_best = is_complete and bool(np.mean(scores) > self._incumbent.mean())
        if is_best:
            self._incumbent = np.asarray(scores, dtype=float)
        return is_best

    def expected_mean(self, scores: Sequence[float]) -> float:
        """Return the mean over all folds to expect of a candidate with these scores on the first.

        It is the incumbent's plus the mean difference, which does not depend on whether the
        folds that are evaluated are the easy ones.
        """
        assert self._incumbent is not None
        d = np.asarray(scores, dtype=float) - self._incumbent[: len(scores)]
        return float(self._incumbent.mean() + d.mean())

    def closeness(self, scores: Sequence[float]) -> float:
        """Return how close a stopped candidate came to the incumbent, higher is closer.

        It is minus infinity if the candidate can no longer win: completing it would be in vain.
        """
        race = self.race(scores)
        if ExactRacing().should_stop(race):
            return -math.inf
        if not race.prior_variance:
            return float(np.mean(race.scores - race.incumbent[: len(race.scores)]))
        return t_statistic(race, PairedRacing.prior_folds)
