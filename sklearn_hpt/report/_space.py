"""What was searched, in words: the range or the choices of each parameter, and their prior."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from sklearn_hpt._journal._describe import text as text_of
from sklearn_hpt._space_formats import as_space_union
from sklearn_hpt._words import shortened, value_text
from sklearn_hpt.displays._candidate_table import space_of
from sklearn_hpt.exceptions import SpaceError
from sklearn_hpt.space import Categorical, Dimension, Distribution, Integer, Real, SpaceUnion

_MOST_CHOICES = 8
_LONGEST_CHOICE = 60
_SPACES = ("param_distributions", "search_spaces")
_OF_SKLEARN = ("param_distributions", "param_grid")
_FIELD = re.compile(r"space(?:\[(\d+)\])? (.+)", re.DOTALL)
_RANGE = re.compile(r"(Real|Integer)\(low=(\S+), high=(\S+), prior='([a-z-]+)'\)")
_CHOICES = re.compile(r"Categorical\((\[.*?\])(?:, weights=(\[[^]]*\]))?\)", re.DOTALL)
_NUMPY_NUMBER = re.compile(r"\bnp\.\w+\(([^()]*)\)")  # np.float64(0.1)

Line = tuple[str, str, str]  # parameter, range or choices, prior


def searched_by(search: Any) -> list[dict[str, Any]]:
    """Return what a search has searched: a table for each alternative, none if it is not known."""
    space = space_of(search) if hasattr(search, "_space_union") else _space_of_sklearn(search)
    if space is None:
        return []
    alternatives = [
        [(name, *told_of(dimension)) for name, dimension in alternative.items()]
        for alternative in space.spaces
    ]
    tables = _tables(alternatives, space.budgets)
    if any(_is_auto(getattr(search, name, None)) for name in _SPACES):
        headings = ["the default space of this estimator", tables[0]["heading"]]
        tables[0]["heading"] = ", ".join(filter(None, headings))
    return tables


def _is_auto(spec: Any) -> bool:
    return isinstance(spec, str) and spec == "auto"


def _space_of_sklearn(search: Any) -> SpaceUnion | None:
    """Return the space of a search of scikit-learn, where a tuple is a list of choices."""
    spec = next((getattr(search, name) for name in _OF_SKLEARN if hasattr(search, name)), None)
    if spec is None:
        return space_of(search)
    alternatives = [spec] if isinstance(spec, Mapping) else spec
    try:
        return as_space_union(
            [
                {n: list(v) if isinstance(v, tuple) else v for n, v in alternative.items()}
                for alternative in alternatives
            ]
        )
    except SpaceError:
        return None


def searched_in(fingerprint: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the same as far as a journal tells it."""
    alternatives: dict[int, list[Line]] = defaultdict(list)
    budgets: dict[int, int] = {}
    for field, told in fingerprint.items():
        if match := _FIELD.fullmatch(field):
            number, name = int(match[1] or 0), match[2]
            if isinstance(told, int):
                budgets[number] = told
            else:
                alternatives[number].append((name, *_told_by(told)))
    numbers = sorted(alternatives)
    return _tables([alternatives[n] for n in numbers], [budgets.get(n) for n in numbers])


def _tables(
    alternatives: Sequence[Sequence[Line]], budgets: Sequence[int | None]
) -> list[dict[str, Any]]:
    """Return a heading and lines for each alternative; the heading of a single one is empty."""
    n = len(alternatives)
    tables = []
    for number, (lines, budget) in enumerate(zip(alternatives, budgets, strict=True), start=1):
        heading = [f"alternative {number} of {n}"] if n > 1 else []
        heading += [f"{budget} candidates"] if budget is not None else []
        tables.append({"heading": ", ".join(heading), "lines": [list(line) for line in lines]})
    return tables


def told_of(dimension: Dimension) -> tuple[str, str]:
    """Return the range or the choices of a dimension, and its prior."""
    if isinstance(dimension, (Real, Integer)):
        ends = f"{_number(dimension.low)} to {_number(dimension.high)}"
        return ends, _prior(dimension.prior, is_integer=isinstance(dimension, Integer))
    if isinstance(dimension, Categorical):
        return _choices(dimension.choices, dimension.weights)
    if isinstance(dimension, Distribution):
        return _distribution(dimension.dist), "distribution"
    return shortened(repr(dimension)), type(dimension).__name__


def _told_by(told: Any) -> tuple[str, str]:
    """Return the same of the text of a dimension in a journal."""
    text = str(told["$text"] if isinstance(told, dict) else told)
    if match := _RANGE.fullmatch(text):
        is_integer = match[1] == "Integer"
        low, high = (_number((int if is_integer else float)(end)) for end in match.group(2, 3))
        return f"{low} to {high}", _prior(match[4], is_integer=is_integer)
    if not text.startswith("Categorical("):
        return text, "distribution"
    match = _CHOICES.fullmatch(text)
    try:
        choices = ast.literal_eval(_NUMPY_NUMBER.sub(r"\1", match[1] if match else ""))
        return _choices(choices, ast.literal_eval(match[2] or "()") if match else ())
    except (SyntaxError, ValueError):  # cut off, or no plain values
        return _inside(text), "choice"


def _inside(text: str) -> str:
    """Return the choices in a text that may be cut off."""
    inside = text.removeprefix("Categorical([")
    if inside.endswith("..."):
        return f"{inside[:-3].rpartition(', ')[0] or inside[:-3]}, …"
    return inside.removesuffix(")").removesuffix("]")


def _prior(prior: str, *, is_integer: bool) -> str:
    return f"{prior}, integers" if is_integer else prior


def _choices(choices: Sequence[Any], weights: Iterable[float]) -> tuple[str, str]:
    texts = [_choice(choice) for choice in choices]
    shares = np.array([*weights])
    if shares.size and not np.allclose(shares, shares[0]):
        texts = [f"{text} ({100 * w:.3g} %)" for text, w in zip(texts, shares, strict=True)]
    n = len(texts)
    if n == 1:
        return texts[0], "constant"
    if n > _MOST_CHOICES:
        texts = [*texts[: _MOST_CHOICES - 2], "…", texts[-1]]
    return ", ".join(texts), f"{n} choices"


def _choice(choice: Any) -> str:
    choice = choice.item() if isinstance(choice, np.generic) else choice
    is_plain = isinstance(choice, (str, int, float, tuple, type(None)))
    return shortened(value_text(choice) if is_plain else text_of(choice), _LONGEST_CHOICE)


def _number(x: float) -> str:
    if not isinstance(x, float):
        return str(x)
    return f"{x:.12g}" if 0.99 < x < 1 else f"{x:.6g}"  # 0.9999999 is not 1


def _distribution(dist: Any) -> str:
    if not (hasattr(dist, "dist") and hasattr(dist, "kwds")):
        return shortened(text_of(dist))
    arguments = [*map(str, dist.args), *(f"{name}={value}" for name, value in dist.kwds.items())]
    return shortened(f"{dist.dist.name}({', '.join(arguments)})")
