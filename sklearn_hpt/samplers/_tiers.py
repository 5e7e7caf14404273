"""Parameters tuned in order of importance, and how a budget is divided among them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np

from sklearn_hpt.exceptions import SpaceError
from sklearn_hpt.space import Categorical, Dimension, Distribution, Params, Space, SpaceUnion

_FIRST_SHARES = (0.5, 0.3)  # 80 % for the first two tiers
_FEWEST = 2  # candidates of a tier


def read_tiers(tiers: Any, space: SpaceUnion) -> list[tuple[str, ...]]:
    """Return the names of each tier; parameters in none of them form the last one."""
    if len(space.spaces) > 1:
        raise SpaceError(
            f"tiers={tiers!r} needs a space of one dictionary, got {len(space.spaces)} "
            "alternatives; search each of them on its own, or leave tiers out."
        )
    if isinstance(tiers, (str, Mapping)) or not isinstance(tiers, Iterable):
        raise ValueError(f"tiers={tiers!r} must be a list of lists of parameter names.")
    names = space.spaces[0]
    read: list[tuple[str, ...]] = []
    for tier in tiers:
        if isinstance(tier, (str, Mapping)) or not isinstance(tier, Iterable) or not list(tier):
            raise ValueError(f"tiers={tiers!r}: {tier!r} must be a list of parameter names.")
        read.append(tuple(tier))
    listed = [name for tier in read for name in tier]
    for name in listed:
        if name not in names:
            raise ValueError(
                f"tiers={tiers!r}: {name!r} is not searched; choose from {sorted(names)}."
            )
        if listed.count(name) > 1:
            raise ValueError(f"tiers={tiers!r}: {name!r} is listed twice; keep it in one tier.")
    rest = tuple(name for name in names if name not in listed)
    return [*read, rest] if rest else read


def read_shares(shares: Sequence[float] | None, n_tiers: int) -> list[float]:
    """Return the share of the budget of each tier, with the sum 1."""
    if shares is None:
        first = list(_FIRST_SHARES[:n_tiers])
        left = n_tiers - len(first)
        wanted = first + [(1.0 - sum(first)) / left] * left if left else first
        return [share / sum(wanted) for share in wanted]
    given = list(shares)
    is_valid = all(isinstance(share, Real) and 0 < share < math.inf for share in given)
    if len(given) != n_tiers or not is_valid or not math.isclose(sum(given), 1.0, abs_tol=1e-6):
        raise ValueError(
            f"tier_shares={shares!r} must be {n_tiers} positive numbers with the sum 1, one for "
            "each tier (parameters in no tier form one more)."
        )
    return [float(share) for share in given]


def divided(total: int, shares: Sequence[float], fewest: int = 0) -> list[int]:
    """Return integers that are proportional to the shares, with exactly this sum."""
    spare = total - fewest * len(shares)
    exact = [max(share * total / sum(shares) - fewest, 0.0) for share in shares]
    scale = spare / sum(exact) if sum(exact) else 0.0
    parts = [int(part * scale + 1e-9) for part in exact]
    by_rest = np.argsort([int(e * scale + 1e-9) - e * scale for e in exact], kind="stable")
    for place in by_rest[: spare - sum(parts)]:
        parts[place] += 1
    return [part + fewest for part in parts]


def budgets(n_iter: Sequence[int], shares: Sequence[float]) -> list[list[int]]:
    """Return how many candidates each tier has in each round; their sum is that of `n_iter`."""
    if sum(n_iter) < _FEWEST * len(shares):
        raise ValueError(
            f"n_iter={tuple(n_iter)!r} is {sum(n_iter)} candidates for {len(shares)} tiers; give "
            f"at least {_FEWEST} for each, or merge tiers."
        )
    of_tiers = divided(sum(n_iter), shares, _FEWEST)
    return [divided(of_tier, n_iter) for of_tier in of_tiers]


def start_params(
    space: Space, defaults: Mapping[str, Any] | None, rng: np.random.Generator
) -> Params:
    """Return the values that parameters have before their tier: defaults, or middles."""
    given = defaults or {}
    return {
        name: given[name] if _is_in(dimension, name, given) else _middle(dimension, rng)
        for name, dimension in space.items()
    }


def _is_in(dimension: Dimension, name: str, given: Mapping[str, Any]) -> bool:
    return name in given and given[name] in dimension


def _middle(dimension: Dimension, rng: np.random.Generator) -> Any:
    if isinstance(dimension, Categorical):
        return dimension.choices[0]
    if isinstance(dimension, Distribution) and not dimension.has_quantiles:
        return dimension.sample(rng)
    return dimension.from_unit(0.5)
