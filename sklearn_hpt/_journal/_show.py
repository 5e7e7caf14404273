"""Tell in words how far the search of a journal is."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from sklearn_hpt._journal._reading import JournalView
from sklearn_hpt._results import deciding_scores, mean_score, metric_names
from sklearn_hpt._trial import Trial
from sklearn_hpt._words import duration, shortened, value_text

SUMMED = "summed over all fits and scores"
_MOST_CAUSES = 10
_ENDED = {
    "budget": "finished",
    "exhausted": "finished, every point of the space is evaluated",
    "timeout": "ended by its timeout",
    "callback": "ended by a callback",
}


def show(view: JournalView) -> str:
    """Return progress, the best candidate so far, failures by cause, and the time left."""
    lines = [f"{view.path}: {view.about['search']}, {state(view)}"]
    if view.sessions:
        lines += [f"  {name:<11} {text}" for name, text in _table(view)]
    return "\n".join(lines)


def state(view: JournalView) -> str:
    """Return whether the search is running, finished or ended before that."""
    if view.is_running:
        return "running"
    if view.end is None:
        return "not running and not finished: fit it again to go on"
    return ended(view.end)


def ended(reason: str) -> str:
    """Return the state of a search that has ended for this reason."""
    return _ENDED.get(reason, reason)


def _table(view: JournalView) -> Iterator[tuple[str, str]]:
    n_trials = max(view.n_trials, len(view.trials))  # a later session may ask for fewer
    size = view.about.get("population_size")
    if size is None:
        yield "candidates", f"{_counted(view.rows())} of {n_trials}"
    else:
        yield "members", f"{_counted([row.shown for row in view.table_rows()])} of {size}"
        n_decided = sum(trial.status is not None for trial in view.rows())
        yield "generations", f"{n_decided // size} of {n_trials // size}"
    yield "folds", f"{_n_folds(view)} of {n_trials * view.n_splits}"
    yield "time", _time(view)
    yield "", f"{precise(fit_seconds(view))} {SUMMED}"
    yield from _best(view)
    yield from _failures(view)


def _counted(trials: Sequence[Trial]) -> str:
    counts = Counter(trial.status for trial in trials)
    done = [f"{counts[status]} {status}" for status in ("complete", "failed", "timeout", "stopped")]
    return ", ".join(text for text in done if not text.startswith("0 ")) or "0 complete"


def _n_folds(view: JournalView) -> int:
    return sum(len(trial.results) for trial in view.rows())


def search_seconds(view: JournalView) -> float:
    """Return the seconds that the search took so far, in all sessions."""
    spent = sum(session["last"] - session["at"] for session in view.sessions)
    return spent + (time.time() - view.sessions[-1]["last"] if view.is_running else 0.0)


def fit_seconds(view: JournalView) -> float:
    """Return the seconds of all fits and scores, also of those that ran at the same time."""
    results = [result for trial in view.rows() for result in trial.results.values()]
    return sum(result.fit_time + result.score_time for result in results)


def precise(seconds: float) -> str:
    """Return a time in words, with a tenth of a second of a short one."""
    return duration(seconds) if seconds >= 10 else f"{seconds:.1f} s"


def _time(view: JournalView) -> str:
    text = f"{precise(search_seconds(view))} of the search"
    if len(view.sessions) > 1:
        text += f" in {len(view.sessions)} sessions"
    if not view.is_running:
        return text
    left = seconds_left(view, time.time())
    return f"{text}, " + ("time left not known yet" if left is None else f"{duration(left)} left")


def seconds_left(view: JournalView, now: float) -> float | None:
    """Return the seconds that the folds to come will take at the speed of this session."""
    session = view.sessions[-1]
    n_open = view.n_trials * view.n_splits - sum(
        len(trial.results) if trial.status is None else view.n_splits for trial in view.rows()
    )
    if n_open <= 0:
        return 0.0
    if not session["n_new"]:
        return None
    return n_open * (now - session["at"]) / session["n_new"]


def _best(view: JournalView) -> Iterator[tuple[str, str]]:
    metric = view.about["deciding_metric"]
    shown = [row.shown for row in view.table_rows()]
    complete = [place for place, trial in enumerate(shown) if trial.status == "complete"]
    names = metric_names([shown[place] for place in complete])
    if not complete or (names and metric not in names):  # of several none decides
        return
    if "population_size" not in view.about:  # a member may be best before its end
        most = max(shown[place].resource or 0 for place in complete)  # less of it says less
        complete = [place for place in complete if (shown[place].resource or 0) == most]
    best = max(complete, key=lambda place: _goodness(shown[place], metric))
    yield "best", _told_of_best(view, best, shown[best])
    for name, value in shown[best].params.items():
        yield "", f"  {name} = {value_text(value)}"


def _goodness(trial: Trial, metric: str | None) -> float:
    mean = mean_score(trial, metric)
    return mean if math.isfinite(mean) else -math.inf


def _told_of_best(view: JournalView, place: int, trial: Trial) -> str:
    """Return score, row of `cv_results_` and amount of the resource."""
    metric = view.about["deciding_metric"]
    scores = [deciding_scores(result, metric)[:1] for result in trial.results.values()]
    std = np.std([score for found in scores for score in found])
    row = "candidate" if "population_size" not in view.about else "member"
    return (
        f"{_goodness(trial, metric):.6g} ± {std:.2g}{f' ({metric})' if metric else ''}, "
        f"{row} {place}" + (f", {trial.resource} {view.resource[0]}" if view.resource else "")
    )


def _failures(view: JournalView) -> Iterator[tuple[str, str]]:
    causes = Counter(
        result.failure.message
        for trial in view.rows()
        for result in trial.results.values()
        if result.failure is not None
    )
    name = "failures"
    for cause, n_folds in causes.most_common(_MOST_CAUSES):
        yield name, f"{n_folds} folds: {shortened(cause)}"
        name = ""
    if len(causes) > _MOST_CAUSES:
        yield "", f"and {len(causes) - _MOST_CAUSES} other causes"
