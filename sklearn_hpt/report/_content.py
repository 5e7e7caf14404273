"""What a report tells, as plain values."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sklearn_hpt._journal import SUMMED, JournalView, ended, precise, search_seconds, state
from sklearn_hpt._journal._describe import restore
from sklearn_hpt._words import shortened
from sklearn_hpt.diagnostics import selection_optimism
from sklearn_hpt.displays import CandidateTable, ParameterImportanceDisplay
from sklearn_hpt.displays._table_display import score_limits
from sklearn_hpt.report._space import searched_by, searched_in

_FEWEST_FOR_IMPORTANCE = 10  # complete candidates
_MOST_CAUSES = 10
_LONGEST_ESTIMATOR = 10_000
_OF_THE_SEARCH = "time of the search"
Content = dict[str, Any]
Fact = tuple[str, str]


def content_of_search(search: Any, metric: str | None) -> Content:
    """Return what is told of a fitted search, of this library or of scikit-learn."""
    table = CandidateTable.from_estimator(search, metric=metric)
    facts = [
        ("search", type(search).__name__),
        *_state_of(search),
        ("estimator", _whole(search.estimator)),
        *_shape(search),
        _best_score(table),
        *_without_luck(search, table, metric),
    ]
    times = _times_of(search)
    return _content(table, facts, times, searched_by(search), search.cv_results_.get("error"))


def content_of_journal(path: str | os.PathLike[str], metric: str | None) -> Content:
    """Return what is told of a search by its journal, also while it is running."""
    table = CandidateTable.from_journal(path, metric=metric)
    view = JournalView(path)
    told = view.header["fingerprint"]
    facts = [("search", view.about["search"]), ("state", state(view))]
    facts += [("estimator", _told(told["estimator"])), *_settings_in(told)]
    known = {"X": "X", "y": "y", "scoring score": "scoring"}
    facts += [(name, _told(told[n])) for n, name in known.items() if told.get(n) is not None]
    facts.append(_best_score(table))
    times = [(_OF_THE_SEARCH, precise(search_seconds(view)))]
    return _content(table, facts, times, searched_in(told), view.results().get("error"))


def _content(
    table: CandidateTable,
    facts: Sequence[Fact],
    times: Sequence[Fact],
    searched: Sequence[Content],
    errors: Sequence[Any] | None,
) -> Content:
    best = table.best
    counted = Counter(map(str, table.status))
    summed = "not known" if np.isnan(table.seconds).all() else precise(np.nansum(table.seconds))
    facts = [
        *facts,
        ("candidates", ", ".join(f"{n} {status}" for status, n in counted.most_common())),
        ("folds", f"{table.n_splits}"),
        *times,
        (f"time {SUMMED}", summed),
    ]
    messages = [""] * len(table.params) if errors is None else [str(e or "") for e in errors]
    return {
        "score": table.score_label,
        "low": score_limits(table.scores)[0],
        "facts": [[name, text] for name, text in facts],
        "searched": searched,
        "best": best,
        "names": table.varied(),
        "logs": _on_scale(table, "log-uniform"),
        "nines": _on_scale(table, "log-complement"),
        "resource": table.resource,
        "rows": [_row(table, i, messages[i]) for i in range(len(table.params))],
        "failures": _failures(table, messages),
        "importance": _importance(table),
    }


def _state_of(search: Any) -> list[Fact]:
    reason = getattr(search, "stop_reason_", None)
    return [] if reason is None else [("state", ended(reason))]


def _times_of(search: Any) -> list[Fact]:
    if not hasattr(search, "search_time_"):
        return []
    of_session = ", in its last session" if getattr(search, "journal", None) is not None else ""
    times = [(_OF_THE_SEARCH, precise(search.search_time_) + of_session)]
    if hasattr(search, "refit_time_"):
        times.append(("time of the refit", precise(search.refit_time_)))
    return times


def _whole(estimator: Any) -> str:
    """Return an estimator with all that its text leaves out when it is long."""
    try:
        text = estimator.__repr__(N_CHAR_MAX=_LONGEST_ESTIMATOR)
    except TypeError:  # a text of its own
        text = repr(estimator)
    return text if len(text) <= _LONGEST_ESTIMATOR else text[:_LONGEST_ESTIMATOR] + "…"


def _settings_in(told: Mapping[str, Any]) -> list[Fact]:
    """Return the parameters of the estimator that a journal names, those of each part."""
    start = "estimator "
    lines = [
        f"{n.removeprefix(start)} = {_told(v)}" for n, v in told.items() if n.startswith(start)
    ]
    return [("its parameters", "\n".join(lines))] if lines else []


def _told(value: Any) -> str:
    """Return what a fingerprint says of a thing."""
    return shortened(str(restore(value)))


def _shape(search: Any) -> list[Fact]:
    n_rows, n_features = getattr(search, "n_samples_fit_", None), None
    if hasattr(search, "n_features_in_"):
        n_features = search.n_features_in_
    parts = [(n_rows, "rows"), (n_features, "features")]
    told = ", ".join(f"{number} {what}" for number, what in parts if number is not None)
    return [("data", told)] if told else []


def _best_score(table: CandidateTable) -> Fact:
    """Return the best score, and how much the folds differ."""
    best = table.best
    if best is None or not math.isfinite(table.scores[best]):
        return "best score", "no candidate is complete"
    score, spread = table.scores[best], table.spreads[best]
    text = f"{score:{_digits(score)}}"
    if math.isfinite(spread):
        text += f" ± {spread:{_digits(score)}} over the folds"
    return "best score", text


def _without_luck(search: Any, table: CandidateTable, metric: str | None) -> list[Fact]:
    """Return the best score less the luck of having been chosen, where it was chosen as such."""
    if table.best is None or hasattr(search, "population_history_"):  # chosen in each generation
        return []
    try:
        found = selection_optimism(search, metric=metric)
    except ValueError:  # one fold, or a callable refit
        return []
    if not math.isclose(found.best_score, table.scores[table.best], rel_tol=1e-9):
        return []
    text = f"{found.corrected:{_digits(found.best_score)}}"
    return [("without the luck of the chosen", text)]


def _digits(score: float) -> str:
    """Return how a score of this size, and what belongs to it, are formatted."""
    return ".4f" if score == 0 or 1e-2 <= abs(score) < 1e6 else ".4e"


def _row(table: CandidateTable, i: int, message: str) -> list[Any]:
    params = {name: _value(value) for name, value in table.params[i].items()}
    numbers = (table.scores[i], table.spreads[i], table.seconds[i])
    score, spread, seconds = (_number(x) for x in numbers)
    status = str(table.status[i])
    n_folds, amount = int(table.n_folds[i]), None if table.amounts is None else table.amounts[i]
    message = shortened(message)
    return [i, status, score, spread, n_folds, seconds, params, message, _number(amount)]


def _on_scale(table: CandidateTable, prior: str) -> list[str]:
    return [name for name in table.varied() if table.scales[name].prior == prior]


def _failures(table: CandidateTable, messages: Sequence[str]) -> list[list[Any]]:
    failed = [m for m, s in zip(messages, table.status, strict=True) if s == "failed"]
    counts = Counter(failed).most_common()
    told: list[list[Any]] = [[shortened(m) or "no score", n] for m, n in counts[:_MOST_CAUSES]]
    others = sum(n for _, n in counts[_MOST_CAUSES:])
    return [*told, ["other causes", others]] if others else told


def _importance(table: CandidateTable) -> list[list[Any]]:
    if table.is_complete.sum() < _FEWEST_FOR_IMPORTANCE or len(table.varied()) < 2:
        return []
    found = ParameterImportanceDisplay(table).measure().importances_
    return [[name, round(share, 4)] for name, share in found.items()]


def _value(value: Any) -> Any:
    """Return a number as it is, anything else as text."""
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, int | float) and math.isfinite(value):
        return value
    return shortened(str(value))


def _number(x: float | None) -> float | None:
    return float(x) if x is not None and math.isfinite(x) else None
