"""What a fitted search has found, in a few lines: as text, and as HTML for notebooks.

It is read from the fitted attributes alone, so that a search that was pickled, interrupted, or is
of scikit-learn has a summary too.
"""

from __future__ import annotations

import html
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_hpt._words import duration, shortened, value_text

_N_TOP = 5
_LONGEST_VALUE = 40
WHY_ENDED = {
    "budget": "all candidates are evaluated",
    "exhausted": "every point of the space is evaluated",
    "timeout": "its timeout was over",
    "callback": "a callback asked for it",
}
_STYLE = """<style>
.sklearn-hpt-summary {color: inherit; font-size: 0.9em; margin: 0.8em 0; overflow-x: auto;}
.sklearn-hpt-summary table {border-collapse: collapse; margin: 0.4em 0; color: inherit;}
.sklearn-hpt-summary th, .sklearn-hpt-summary td {
  background: transparent; border: 0; padding: 0.15em 0.8em 0.15em 0; text-align: left;
  vertical-align: top; color: inherit;
}
.sklearn-hpt-summary th {font-weight: normal; opacity: 0.65;}
.sklearn-hpt-summary .top thead th {border-bottom: 1px solid; border-color: currentColor;}
.sklearn-hpt-summary code {background: transparent; color: inherit;}
</style>"""


@dataclass(frozen=True)
class Summary:
    """What a search has found.

    Attributes
    ----------
    facts : sequence of (str, str)
        Names and what is to be said.
    params : mapping
        The best hyperparameters, empty if none are chosen.
    top_header : sequence of str
        Names of the columns of the best candidates.
    top : sequence of sequence of str
        One row for each of the best candidates, the best first.
    """

    facts: Sequence[tuple[str, str]]
    params: Mapping[str, Any]
    top_header: Sequence[str]
    top: Sequence[Sequence[str]]

    def as_text(self) -> str:
        """Return the facts and the best hyperparameters, one in each line."""
        lines = [f"{name:<11} {text}" for name, text in self.facts]
        lines += [f"{'':<11}   {name} = {value_text(v)}" for name, v in self.params.items()]
        return "\n".join(lines)

    def as_markdown(self) -> str:
        """Return the text as a block that Markdown leaves as it is."""
        return "\n".join(f"    {line}" for line in self.as_text().splitlines())

    def as_html(self) -> str:
        """Return the facts and the best candidates, in the colours of the page around it."""
        facts = [_row([html.escape(name)], [html.escape(text)]) for name, text in self.facts]
        if self.params:
            params = (f"{name} = {value_text(value)}" for name, value in self.params.items())
            shown = "<br>".join(f"<code>{html.escape(text)}</code>" for text in params)
            facts.insert(1, _row(["parameters"], [shown]))
        return (
            f'{_STYLE}<div class="sklearn-hpt-summary"><table>{"".join(facts)}</table>'
            f"{self._top_as_html()}</div>"
        )

    def _top_as_html(self) -> str:
        if not self.top:
            return ""
        header = _row([html.escape(name) for name in self.top_header], [])
        rows = "".join(_row([], [html.escape(cell) for cell in row]) for row in self.top)
        return f'<table class="top"><thead>{header}</thead><tbody>{rows}</tbody></table>'


def _row(headers: Sequence[str], cells: Sequence[str]) -> str:
    """Return a row of a table, of texts that are HTML already."""
    inner = "".join(f"<th>{text}</th>" for text in headers)
    return f"<tr>{inner}{''.join(f'<td>{text}</td>' for text in cells)}</tr>"


def summarize(search: Any) -> Summary:
    """Return the summary of a search that has `cv_results_`."""
    header, top = _top(search)
    params = getattr(search, "best_params_", {})
    return Summary(list(_facts(search)), params, header, top)


def deciding_metric(search: Any) -> str | None:
    """Return the name of the metric in `cv_results_` that decides, None if none of several does."""
    if not getattr(search, "multimetric_", False):
        return "score"
    return search.refit if isinstance(search.refit, str) else None


def statuses(cv_results: Mapping[str, Any]) -> list[str]:
    """Return the status of each candidate; without a column of it, that of its score."""
    if "status" in cv_results:
        return [str(status) for status in cv_results["status"]]
    columns = [values for name, values in cv_results.items() if name.startswith("mean_test_")]
    is_finite = np.isfinite(np.array(columns, dtype=float)).any(axis=0)
    return ["complete" if finite else "failed" for finite in is_finite]


def seconds_of(cv_results: Mapping[str, Any]) -> np.ndarray:
    """Return the seconds that each candidate took on a fold, in the mean; shape (n_candidates,)."""
    times = (cv_results["mean_fit_time"], cv_results["mean_score_time"])
    return np.sum([np.asarray(time, dtype=float) for time in times], axis=0)


def _facts(search: Any) -> Iterator[tuple[str, str]]:
    if hasattr(search, "best_index_"):
        yield "best", _best(search)
    counts = Counter(statuses(search.cv_results_))
    names = ("complete", "failed", "timeout", "stopped")
    shown = [f"{counts[name]} {name}" for name in names if counts[name] or name == "complete"]
    yield "candidates", ", ".join(shown)
    if times := list(_times(search)):
        yield "time", ", ".join(times)
    if (reason := getattr(search, "stop_reason_", None)) is not None:
        yield "ended since", WHY_ENDED.get(reason, str(reason))


def _best(search: Any) -> str:
    metric, index = deciding_metric(search), search.best_index_
    text = f"candidate {index}"
    if metric is not None:
        text = f"{_score(search.cv_results_, metric, index)}{_name(metric)}, {text}"
    corrected = getattr(search, "best_score_corrected_", math.nan)
    if math.isfinite(corrected):
        text += f"; {corrected:.6g} without its luck"
    return text


def _name(metric: str) -> str:
    return "" if metric == "score" else f" ({metric})"


def _score(cv_results: Mapping[str, Any], metric: str, index: int) -> str:
    mean, std = (cv_results[f"{of}_test_{metric}"][index] for of in ("mean", "std"))
    return f"{mean:.6g} ± {std:.2g}"


def _times(search: Any) -> Iterator[str]:
    if hasattr(search, "search_time_"):
        yield duration(search.search_time_)
    if hasattr(search, "refit_time_"):
        yield f"refit {duration(search.refit_time_)}"


def _top(search: Any) -> tuple[list[str], list[list[str]]]:
    """Return names and rows of the table of the best candidates."""
    metric, results = deciding_metric(search), search.cv_results_
    if metric is None:
        return [], []
    complete = np.flatnonzero(np.array(statuses(results)) == "complete").tolist()
    ranks = np.asarray(results[f"rank_test_{metric}"])
    chosen = sorted(complete, key=lambda index: (ranks[index], index))[:_N_TOP]
    seconds = seconds_of(results)
    names = list(dict.fromkeys(name for index in chosen for name in results["params"][index]))
    rows = [
        [
            str(index),
            _score(results, metric, index),
            f"{seconds[index]:.2g}",
            *(_value(results["params"][index], name) for name in names),
        ]
        for index in chosen
    ]
    return ["candidate", metric, "seconds per fold", *names], rows


def _value(params: Mapping[str, Any], name: str) -> str:
    return shortened(value_text(params[name]), _LONGEST_VALUE) if name in params else ""
