"""Schedules of hyperparameters: what population-based training finds, to print, keep and replay."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from sklearn.base import clone
from sklearn.utils import indexable

from sklearn_hpt import nets
from sklearn_hpt._journal._describe import describe, restore
from sklearn_hpt._training import continues, train, with_seed
from sklearn_hpt._trial import derived_seed, fresh_seed
from sklearn_hpt.steppers import Stepper

__all__ = ["Schedule", "replay_schedule"]


@dataclass(frozen=True)
class Schedule:
    """Hyperparameters that change while an estimator is trained.

    Parameters
    ----------
    resource : str
        The parameter that training is counted in, such as "max_epochs".
    steps : sequence of (int, mapping)
        How many units of it to train, and with which hyperparameters. The first step has all of
        them, the later ones may leave out those that stay.

    Raises
    ------
    ValueError
        If there are no steps, or one is shorter than one unit.

    Examples
    --------
    >>> from sklearn_hpt.schedule import Schedule
    >>> schedule = Schedule("max_epochs", [(2, {"lr": 0.1}), (2, {"lr": 0.1}), (4, {"lr": 0.02})])
    >>> print(schedule)
    max_epochs 0 to 4: lr=0.1
    max_epochs 4 to 8: lr=0.02
    >>> Schedule.from_json(schedule.to_json()) == schedule
    True
    """

    resource: str
    steps: Sequence[tuple[int, Mapping[str, Any]]]

    def __post_init__(self) -> None:
        steps = tuple((amount, dict(params)) for amount, params in self.steps)
        if not steps or any(amount < 1 for amount, _ in steps):
            raise ValueError(
                f"steps={self.steps!r} must hold at least one pair of a whole number of "
                f"{self.resource} and hyperparameters, such as (5, {{'lr': 0.1}})."
            )
        object.__setattr__(self, "steps", steps)

    @property
    def amounts(self) -> tuple[int, ...]:
        """Units of the resource up to the end of each step."""
        return tuple(accumulate(amount for amount, _ in self.steps))

    @property
    def params(self) -> tuple[dict[str, Any], ...]:
        """All hyperparameters in each step."""
        return tuple(accumulate((dict(p) for _, p in self.steps), lambda known, p: {**known, **p}))

    def __str__(self) -> str:
        return "\n".join(
            f"{self.resource} {begin} to {end}: "
            + ", ".join(f"{name}={_short(value)}" for name, value in params.items())
            for begin, end, params in self._merged()
        )

    def _merged(self) -> Iterator[tuple[int, int, dict[str, Any]]]:
        """Yield begin, end and hyperparameters of each stretch in which none changes."""
        begin, params = 0, self.params
        for i, end in enumerate(self.amounts):
            if i + 1 == len(params) or params[i + 1] != params[i]:
                yield begin, end, params[i]
                begin = end

    def to_json(self) -> str:
        """Return the schedule as JSON text.

        Returns
        -------
        str
            What `from_json` reads.

        Raises
        ------
        TypeError
            If a hyperparameter is more than numbers, strings, None and containers of them.
        """
        steps = []
        for amount, params in self.steps:
            for name, value in params.items():
                if "$digest" in json.dumps(describe(value)):
                    raise TypeError(
                        f"{name}={value!r} cannot be written as JSON; pickle the schedule or leave "
                        "the value to the estimator."
                    )
            steps.append(
                {"amount": int(amount), "params": {n: describe(v) for n, v in params.items()}}
            )
        return json.dumps({"resource": self.resource, "steps": steps}, indent=2)

    @classmethod
    def from_json(cls, text: str) -> Schedule:
        """Return the schedule that `to_json` wrote.

        Parameters
        ----------
        text : str
            JSON text.

        Returns
        -------
        Schedule
            The schedule.
        """
        read = json.loads(text)
        steps = [
            (step["amount"], {n: restore(v) for n, v in step["params"].items()})
            for step in read["steps"]
        ]
        return cls(read["resource"], steps)


def replay_schedule(
    estimator: Any,
    schedule: Schedule,
    X: Any,
    y: Any = None,
    *,
    random_state: int | None = None,
    stepper: Stepper | None = None,
    **fit_params: Any,
) -> Any:
    """Train an estimator from its beginning as a schedule says.

    Parameters
    ----------
    estimator : estimator
        It is cloned, never changed.
    schedule : Schedule
        What to train with, and how long.
    X : array-like of shape (n_samples, n_features)
        Training rows.
    y : array-like of shape (n_samples,), default=None
        Targets.
    random_state : int, default=None
        Seed of what torch draws, and of an estimator whose own `random_state` is None; None takes
        one from the operating system.
    stepper : Stepper, default=None
        What trains the estimator in steps, if it is none of those that are known by their class.
    **fit_params : dict of str to object
        Passed on to what trains the estimator.

    Returns
    -------
    estimator
        A trained clone. `X` is cast to the dtype of a net's weights here, as a search does; the
        net that is returned takes inputs as skorch does, in that dtype.

    Raises
    ------
    ValueError
        If the estimator cannot be trained in steps, or a hyperparameter cannot change meanwhile.
    """
    X, y = indexable(X, y)
    X, y = nets.cast_inputs(estimator, X), nets.cast_targets(estimator, y)
    seed = fresh_seed() if random_state is None else random_state
    trained = clone(with_seed(estimator, derived_seed(seed)))
    trained.set_params(**clone(schedule.params[0], safe=False))
    if len(schedule.steps) > 1 and not continues(trained, schedule.resource, fit_params, stepper):
        raise ValueError(
            f"{trained!r} cannot be trained on from where it is when {schedule.resource} grows, so "
            "that no schedule can be replayed with it."
        )

    def seeded(step: int) -> AbstractContextManager[Any]:
        return nets.reproducible(trained, derived_seed(seed, step))

    train(
        trained,
        X,
        y,
        fit_params,
        schedule.resource,
        schedule.amounts,
        0,
        seeded,
        params=schedule.params,
        stepper=stepper,
    )
    return trained


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else repr(value)
