"""Bayesian optimisation with a Gaussian process and expected improvement."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from sklearn_hpt._acquisition import LogExpectedImprovement, LogExpectedImprovementPerSecond
from sklearn_hpt._space_formats import as_space_union
from sklearn_hpt._surrogate import GaussianProcess
from sklearn_hpt._trial import derived_seed, fresh_seed
from sklearn_hpt.samplers._ascent import Acquisition, Ascent, Found
from sklearn_hpt.samplers._beliefs import NOISE, Beliefs, Observation
from sklearn_hpt.samplers._independent import SobolSampler
from sklearn_hpt.samplers._plateaus import Plateaus
from sklearn_hpt.samplers._score_surrogate import ScoreSurrogate
from sklearn_hpt.samplers._threads import one_blas_thread
from sklearn_hpt.samplers._visited import Visited
from sklearn_hpt.space import Params, SpaceUnion

_N_INITIAL = 6
_N_INCUMBENTS = 4
_LEAST_IMPROVEMENT = float(np.log(1e-3))  # in standard deviations of the values
_ENUMERATED = 1000  # points of a space that are all looked at


class BayesianSampler:
    """Proposes where the improvement to expect of a Gaussian process is largest.

    The first six proposals (three for each alternative if there are more than two) are the points
    of `start` and Sobol points. From then on a Gaussian process with a Matern-5/2 kernel and one
    length scale for each hyperparameter is fitted to what was told. Numbers are compared on the
    scale of their prior and as the values they are rounded to; choices are equally far from each
    other, unless they are numbers in order. Scores far below the best count on a logarithmic scale,
    so that crashed regions do not flatten the top. The next point is where the logarithm of the
    expected improvement [1]_ is highest, found by gradients over the continuous hyperparameters and
    by trying the values of the others. Between points of exactly equal scores, where what differs
    has no effect, little improvement is expected. Where next to none is expected anywhere, every
    second point is a Sobol point, as the process may be wrong. No point is proposed twice, and each
    is proposed as if those whose results are not known yet had the results to expect of them.

    Parameters
    ----------
    space : dict, list of dict, or SpaceUnion
        What to search, in any format that the searches accept; each distribution needs a quantile
        function. One surrogate learns of all alternatives: hyperparameters of the same name and
        distribution are the same.
    n_points : int, default=1
        How many proposals may wait for their result at a time.
    start : iterable of dict, default=()
        Points to begin with; those outside the space are skipped.
    acquisition : {"ei", "eips"}, default="ei"
        The improvement to expect of an evaluation, or of each second that it takes; the seconds are
        told by `tell_seconds`.
    random_state : int, default=None
        Seed; None takes one from the operating system.

    Raises
    ------
    ValueError
        If `n_points` is not a positive number, or `acquisition` is none of those above.

    References
    ----------
    .. [1] S. Ament et al., "Unexpected Improvements to Expected Improvement for Bayesian
       Optimization", NeurIPS 2023.

    Examples
    --------
    >>> from sklearn_hpt.samplers import BayesianSampler
    >>> sampler = BayesianSampler({"lr": (1e-5, 1.0, "log-uniform")}, random_state=0)
    >>> tried = []
    >>> for _ in range(15):
    ...     tried.append(sampler.ask())
    ...     sampler.tell(tried[-1], -abs(tried[-1]["lr"] - 0.01))
    >>> round(min(tried, key=lambda params: abs(params["lr"] - 0.01))["lr"], 3)
    0.01
    """

    def __init__(
        self,
        space: Any,
        *,
        n_points: int = 1,
        start: Iterable[Params] = (),
        acquisition: Literal["ei", "eips"] = "ei",
        random_state: int | None = None,
    ) -> None:
        if n_points < 1:
            raise ValueError(f"n_points={n_points!r} must be an integer of at least 1.")
        if acquisition not in ("ei", "eips"):
            raise ValueError(
                f"acquisition={acquisition!r} must be 'ei', the improvement to expect, or 'eips', "
                "that of each second."
            )
        self.space = as_space_union(space)
        self.n_points = n_points
        self.acquisition = acquisition
        self._seed: int = random_state if random_state is not None else fresh_seed()
        self._start = list(start)
        self._initial = [
            SobolSampler(SpaceUnion((one,), (None,)), random_state=derived_seed(self._seed, which))
            for which, one in enumerate(self.space.spaces)
        ]
        self._visited = Visited(self.space)
        self._beliefs = Beliefs(self.space, self._seed)
        self._n_asked = 0
        self._pending: dict[Hashable, tuple[int, np.ndarray]] = {}

    @property
    def lookahead(self) -> int:
        """How many proposals may wait for their result at a time."""
        return self.n_points

    def ask(self) -> Params | None:
        """Return the next hyperparameters, None if the space is exhausted."""
        number, self._n_asked = self._n_asked, self._n_asked + 1
        alternatives = self._visited.open_alternatives()
        if not alternatives:
            return None
        params = self._given() or self._drawn(alternatives)
        if params is None:
            with one_blas_thread():
                rng = np.random.default_rng([self._seed, number])
                params = self._promising(alternatives, rng)
        place = self._visited.place(params)
        self._visited.add(params, is_proposed=True)
        self._pending[place] = place[0], self._unit(place[0], params)
        return params

    def tell(
        self,
        params: Mapping[str, Any],
        score: float,
        fold_scores: Sequence[float] | None = None,
    ) -> None:
        """Learn a result; see `Sampler.tell`."""
        self.tell_part(params, 1.0, score, fold_scores)

    def tell_part(
        self,
        params: Mapping[str, Any],
        share: float,
        score: float,
        fold_scores: Sequence[float] | None = None,
    ) -> None:
        """Learn a result with a part of a resource, such as some of the rows or iterations.

        The surrogate learns how the score depends on the amount; proposals are for all of it.

        Parameters
        ----------
        params : mapping
            What was evaluated.
        share : float
            The share of the whole resource, in (0, 1].
        score : float
            The result, higher is better, NaN if it failed.
        fold_scores : sequence of float, default=None
            The scores of the folds that `score` is the mean of.
        """
        place = self._visited.place(params)
        self._pending.pop(place, None)
        self._visited.add(params, is_proposed=False)
        u = self._unit(place[0], params)
        self._beliefs.add(Observation(place[0], u, float(score), fold_scores, share))

    def tell_seconds(self, params: Mapping[str, Any], seconds: float) -> None:
        """Learn how long an evaluation took, which only "eips" asks for.

        Parameters
        ----------
        params : mapping
            What was evaluated.
        seconds : float
            The seconds it took.
        """
        which = self._visited.place(params)[0]
        self._beliefs.add_seconds(which, self._unit(which, params), seconds)

    def surrogate(self) -> ScoreSurrogate | None:
        """Return what is believed of the scores by what was told, None before two are known."""
        if sum(o.is_finite for o in self._beliefs.observed) < 2:
            return None
        with one_blas_thread():
            process = self._beliefs.of_scores()
        return ScoreSurrogate(self._beliefs.encoding, process, self._beliefs.scale)

    def _unit(self, which: int, params: Mapping[str, Any]) -> np.ndarray:
        return self._beliefs.encoding.unit(which, params)

    # which alternatives, and what is proposed without a surrogate

    def _given(self) -> Params | None:
        """Return the next of the points to start with."""
        while self._start:
            params = self._start.pop(0)
            is_inside = any(space.contains(params) for space in self.space.spaces)
            if is_inside and params not in self._visited:
                return params
        return None

    def _drawn(self, alternatives: Sequence[int]) -> Params | None:
        """Return a point of the initial design, None if it is complete."""
        known = {(o.which, *o.u): o for o in self._beliefs.observed if o.is_finite}
        of_known = [o.which for o in known.values()] + [
            which for which, _ in self._pending.values()
        ]
        n_known = sum(which in alternatives for which in of_known)
        if n_known >= max(_N_INITIAL, 3 * len(alternatives)) and known:
            return None
        return self._spread(min(alternatives, key=lambda one: (of_known.count(one), one)))

    def _spread(self, which: int) -> Params | None:
        """Return the next point of a space-filling sequence that is not known."""
        while True:
            params = self._initial[which].ask()
            if params is None or params not in self._visited:
                return params

    # what is proposed with it

    def _promising(self, alternatives: Sequence[int], rng: np.random.Generator) -> Params:
        process = self._beliefs.of_scores()
        mean = self._beliefs.expected(process)
        observed = self._beliefs.observed
        inside = [i for i, o in enumerate(observed) if o.which in alternatives]
        best = float(mean[inside].max()) if inside else float(mean.max())
        acquisition = self._acquisition(self._with_pending(process), best)
        ranked = sorted(inside, key=lambda i: -mean[i])
        found = []
        for which in alternatives:
            own = [observed[i].u for i in ranked if observed[i].which == which]
            found.append(self._search(which, acquisition, own[:_N_INCUMBENTS], rng))
        is_worth_it = any(one.values.max(initial=-np.inf) > _LEAST_IMPROVEMENT for one in found)
        goes_on = is_worth_it or self._n_asked % 2 == 0  # otherwise the process may be wrong
        return (goes_on and self._first_unseen(found)) or self._any_unseen(alternatives)

    def _acquisition(self, process: GaussianProcess, best: float) -> Acquisition:
        beliefs = self._beliefs
        acquisition: Acquisition
        acquisition = improvement = LogExpectedImprovement(process, best)
        log_seconds = beliefs.of_seconds() if self.acquisition == "eips" else None
        if log_seconds is not None:
            acquisition = LogExpectedImprovementPerSecond(improvement, log_seconds)
        return Plateaus(acquisition, beliefs.observed, beliefs.points, beliefs.encoding.is_choice)

    def _with_pending(self, process: GaussianProcess) -> GaussianProcess:
        """Return a surrogate that takes what is under way to turn out as expected."""
        if not self._pending:
            return process
        encoded = self._beliefs.encoding.encoded
        waiting = np.concatenate([encoded(which, u[None]) for which, u in self._pending.values()])
        return process.extended(waiting, process.mean(waiting), np.full(len(waiting), NOISE))

    def _search(
        self,
        which: int,
        acquisition: Acquisition,
        incumbents: list[np.ndarray],
        rng: np.random.Generator,
    ) -> Found:
        space, encoding = self.space.spaces[which], self._beliefs.encoding
        if space.size > _ENUMERATED:
            return Ascent(encoding, which, acquisition).run(incumbents, rng)
        points = (space.at(index) for index in range(int(space.size)))
        unseen = [params for params in points if params not in self._visited]
        u = np.stack([encoding.unit(which, params) for params in unseen])
        values = acquisition(encoding.encoded(which, u))
        order = np.argsort(-values, kind="stable")
        return Found(which, u[order], values[order])

    def _any_unseen(self, alternatives: Sequence[int]) -> Params:
        """Return the next point of a space-filling sequence, of any alternative that has one."""
        spread = (self._spread(which) for which in alternatives)
        return next(params for params in spread if params is not None)

    def _first_unseen(self, found: Sequence[Found]) -> Params | None:
        ranked = sorted(
            ((-value, one.which, i) for one in found for i, value in enumerate(one.values)),
        )
        points = {one.which: one.u for one in found}
        for _, which, i in ranked:
            params = self.space.spaces[which].from_unit(points[which][i])
            if params not in self._visited:
                return params
        return None
