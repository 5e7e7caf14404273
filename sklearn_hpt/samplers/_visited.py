"""Which points of a space were proposed, and where there are others."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from sklearn_hpt.samplers._candidates import alternative_of
from sklearn_hpt.space import SpaceUnion


class Visited:
    """The points that were proposed or told, so that none is proposed twice.

    Parameters
    ----------
    space : SpaceUnion
        The search space.
    """

    def __init__(self, space: SpaceUnion) -> None:
        self._space = space
        self._known: list[set[Hashable]] = [set() for _ in space.spaces]
        self._spent = [0] * len(space.spaces)

    def __contains__(self, params: Mapping[str, Any]) -> bool:
        which, key = self.place(params)
        return key in self._known[which]

    def place(self, params: Mapping[str, Any]) -> tuple[int, Hashable]:
        """Return the alternative of a point, and what is equal for equal points of it."""
        which = alternative_of(self._space, params)
        key = self._space.spaces[which].key(params)
        try:
            hash(key)
        except TypeError:  # a distribution may draw arrays
            return which, repr(key)
        return which, key

    def add(self, params: Mapping[str, Any], *, is_proposed: bool) -> None:
        """Take note of a point; a proposed one counts towards the budget of its alternative."""
        which, key = self.place(params)
        self._known[which].add(key)
        self._spent[which] += is_proposed

    def open_alternatives(self) -> list[int]:
        """Return which alternatives are to be proposed from, none if all are exhausted.

        One that has a budget of its own comes before the others, in order, until that is spent.
        """
        shared = []
        for which, budget in enumerate(self._space.budgets):
            if len(self._known[which]) >= self._space.spaces[which].size:
                continue
            if budget is None:
                shared.append(which)
            elif self._spent[which] < budget:
                return [which]
        return shared
