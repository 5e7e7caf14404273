"""The rounds that a coarse-to-fine search goes through, from its settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from sklearn_hpt.samplers._tiers import budgets, read_shares


@dataclass(frozen=True)
class Stage:
    """What is planned for one round; a round without a tier is that of the finalists."""

    tier: int | None
    is_first: bool
    is_last: bool
    n_planned: int
    resource: int | None


def planned_stages(
    n_iter: Sequence[int],
    resources: Sequence[int] | None,
    n_finalists: int,
    tiers: list[tuple[str, ...]] | None,
    shares: Sequence[float] | None,
) -> list[Stage]:
    """Return the rounds that are planned, the finalists' at the end."""
    counts = checked_counts(n_iter)
    amounts = _checked_amounts(resources, len(counts))
    if tiers is None and shares is not None:
        raise ValueError(f"tier_shares={shares!r} belongs to tiers, which is None; give both.")
    if not _is_count(n_finalists):
        raise ValueError(f"n_finalists={n_finalists!r} must be an integer of at least 1.")
    per_tier = [counts] if tiers is None else budgets(counts, read_shares(shares, len(tiers)))
    stages = []
    for tier, of_tier in enumerate(per_tier):
        used = [(n, amount) for n, amount in zip(of_tier, amounts, strict=False) if n]
        for place, (n, amount) in enumerate(used):
            stages.append(Stage(tier, place == 0, place == len(used) - 1, n, amount))
    if resources is not None:
        stages.append(Stage(None, False, True, n_finalists, amounts[-1]))
    return stages


def _is_count(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= 1


def checked_counts(n_iter: Any) -> list[int]:
    """Return the number of evaluations of each round; raise if they are none."""
    counts = list(n_iter) if isinstance(n_iter, (Sequence, np.ndarray)) else []
    if not counts or not all(map(_is_count, counts)):
        raise ValueError(
            f"n_iter={n_iter!r} must hold the number of evaluations of each round, integers of "
            "at least 1, such as (30, 20)."
        )
    return [int(n) for n in counts]


def _checked_amounts(resources: Sequence[int] | None, n_rounds: int) -> list[int | None]:
    if resources is None:
        return [None] * n_rounds
    amounts = list(resources)
    if len(amounts) != n_rounds + 1 or not all(map(_is_count, amounts)):
        raise ValueError(
            f"resources={resources!r} must be {n_rounds + 1} integers of at least 1: one for each "
            "round and one for the finalists."
        )
    if sorted(amounts) != amounts:
        raise ValueError(f"resources={resources!r} must not decrease; sort them.")
    return [int(amount) for amount in amounts]
