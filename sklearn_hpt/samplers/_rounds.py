"""What each round of a coarse-to-fine search did and taught, and a table of it."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sklearn_hpt.samplers._zoom import Box, ZoomRule, end_of, position, side_of
from sklearn_hpt.space import Categorical, Dimension, Distribution, Integer, Real, Space, SpaceUnion

_WIDTH = 100
_NEAR_END = 0.05  # of the search space: nearer than this the best may well lie beyond it


@dataclass(frozen=True)
class Round:
    """One round of a coarse-to-fine search.

    Attributes
    ----------
    number : int
        Place among the rounds, from 0.
    tier : tuple of str or None
        The parameters that were tuned, None if all of them.
    box : Space, SpaceUnion or None
        Where new candidates were drawn, a fifth of them from the whole space after the first
        round; None for the finalists, of whom none is new.
    n_planned, n_done : int
        How many evaluations the round was given, and how many have a result.
    resource : int or None
        The amount of the resource for each of them, None for all.
    best_params : dict or None
        The best candidate with that amount, also if an earlier round found it.
    best_score : float or None
        Its score.
    lessons : list of str
        What the round taught, one sentence each.
    """

    number: int
    tier: tuple[str, ...] | None
    box: Space | SpaceUnion | None
    n_planned: int
    n_done: int
    resource: int | None
    best_params: Mapping[str, Any] | None
    best_score: float | None
    lessons: list[str]


class Rounds(list[Round]):
    """The rounds in order, shown as a table.

    The table names the parameters of a Pipeline without their steps where that is clear enough.
    """

    def __repr__(self) -> str:
        if not self:
            return "no round yet"
        rounds = _with_short_names(self)
        rows = [_HEADER, *(_cells(one) for one in rounds)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [_aligned(_HEADER, widths)]
        for cells, one in zip(rows[1:], rounds, strict=True):
            lines += [_aligned(cells, widths), *_notes(one)]
        return "\n".join(shortened(line, _WIDTH) for line in lines)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"


_HEADER = ("round", "tuned", "resource", "done", "best", "best parameters")


def _with_short_names(rounds: Sequence[Round]) -> list[Round]:
    """Return rounds whose parameters have the last parts of their names, as far as they differ."""
    names = {name for one in rounds for space in _spaces(one) for name in space}
    ends = Counter(name.rpartition("__")[2] for name in names)
    short = {n: end if ends[end := n.rpartition("__")[2]] == 1 else n for n in names}
    return [
        replace(
            one,
            tier=None if one.tier is None else tuple(short.get(name, name) for name in one.tier),
            box=None if one.box is None else _renamed(one, short),
            best_params={short.get(n, n): value for n, value in (one.best_params or {}).items()},
            lessons=[_with_short_name(lesson, short) for lesson in one.lessons],
        )
        for one in rounds
    ]


def _spaces(one: Round) -> tuple[Space, ...]:
    if one.box is None:
        return ()
    return one.box.spaces if isinstance(one.box, SpaceUnion) else (one.box,)


def _renamed(one: Round, short: Mapping[str, str]) -> SpaceUnion:
    spaces = [Space({short[name]: d for name, d in space.items()}) for space in _spaces(one)]
    return SpaceUnion(tuple(spaces), (None,) * len(spaces))


def _with_short_name(lesson: str, short: Mapping[str, str]) -> str:
    name, colon, text = lesson.partition(": ")
    return f"{short.get(name, name)}{colon}{text}"


def _cells(one: Round) -> tuple[str, ...]:
    tuned = "finalists" if one.box is None else shortened(", ".join(one.tier or ["all"]), 20)
    best = "-" if one.best_score is None else f"{one.best_score:.5g}"
    resource = "all" if one.resource is None else str(one.resource)
    done = f"{one.n_done}/{one.n_planned}"
    return str(one.number), tuned, resource, done, best, _shown_params(one.best_params or {})


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    number, tuned, resource, done, best, params = cells
    right = [number.rjust(widths[0]), tuned.ljust(widths[1])]
    right += [c.rjust(w) for c, w in zip((resource, done, best), widths[2:5], strict=True)]
    return "  ".join([*right, params]).rstrip()


def _notes(one: Round) -> list[str]:
    boxes = [", ".join(f"{n} {shown_range(d)}" for n, d in s.items()) for s in _spaces(one)]
    return [f"       in {box}" for box in boxes if box] + [
        f"       - {text}" for text in one.lessons
    ]


def _shown_params(params: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={shown(value)}" for name, value in params.items())


def shown(value: Any, longest: int = 30) -> str:
    """Return a value as text of at most so many characters."""
    return f"{value:.3g}" if isinstance(value, float) else shortened(repr(value), longest)


def shown_range(dimension: Dimension) -> str:
    """Return the values of a dimension as text."""
    if isinstance(dimension, Categorical):
        return shortened("{" + ", ".join(shown(c, 15) for c in dimension.choices) + "}", 60)
    if isinstance(dimension, (Real, Integer)):
        return f"{shown(dimension.low)}..{shown(dimension.high)}"
    if isinstance(dimension, Distribution) and dimension.has_quantiles:
        return f"{shown(dimension.from_unit(0.0))}..{shown(dimension.from_unit(1.0))}"
    return "as given"


def shortened(text: str, longest: int) -> str:
    """Return the text, its end left out if it is longer than that."""
    return text if len(text) <= longest else text[: longest - 3] + "..."


def lessons_of(
    old: Box, new: Box, best: Mapping[str, Any], rule: ZoomRule, *, is_used: bool
) -> list[str]:
    """Return what the leaders of a round say about each dimension.

    Parameters
    ----------
    old, new : Box
        Where the round drew, and the box around its leaders.
    best : mapping
        The best candidate.
    rule : ZoomRule
        What counts as near to an end.
    is_used : bool
        Whether a further round will draw from the new box.
    """
    sentences = []
    before, after = old.as_space(), new.as_space()
    for name in old.parent:
        if name in old.choices:
            text = _lesson_of_choices(old.choices[name], new.choices[name], old.parent[name])
        elif name in old.windows:
            place = position(old.parent[name], best[name])
            text = _lesson_of_end(place, old.windows[name], rule)
            then, now = shown_range(before[name]), shown_range(after[name])
            if not text and is_used and then != now:
                text = f"{then} narrowed to {now}"
            elif text.endswith("box") and is_used:
                text += f", moved to {now}"
        else:
            text = ""
        if text:
            sentences.append(f"{name}: {text}")
    return sentences


def _lesson_of_end(place: float, window: tuple[float, float], rule: ZoomRule) -> str:
    side = side_of(place, window, rule)
    if not end_of(place, window, rule):
        return f"best at the {side} end of the box" if side else ""
    if min(place, 1.0 - place) > _NEAR_END:
        return ""
    beyond = "lower" if side == "lower" else "higher"
    return f"best at the {side} end of the search space; consider {beyond} values"


def _lesson_of_choices(old: list[int], new: list[int], dimension: Dimension) -> str:
    assert isinstance(dimension, Categorical)
    if len(new) >= len(old):
        return ""
    kept = ", ".join(shown(dimension.choices[i]) for i in new)
    return f"only {kept} among the leaders"
