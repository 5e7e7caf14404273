"""The bar of a search that is running: how far it is, its best so far, the time left."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from joblib.parallel import get_active_backend

from sklearn_hpt._results import mean_score, metric_names
from sklearn_hpt._trial import Trial
from sklearn_hpt._words import duration
from sklearn_hpt.search._loop import LoopSettings, Observer

_DRAWN_PER_SECOND = 4
_ONE_AT_A_TIME = threading.Lock()  # of a search within a search, the outer one has the bar


@dataclass(frozen=True)
class Standing:
    """How far a search is.

    Attributes
    ----------
    n_done, n_trials : int
        Candidates that are decided, and how many there are at most.
    best : float or None
        The best mean score of a complete candidate.
    n_failed, n_stopped : int
        Candidates without a score or out of time, and those that were given up.
    seconds : float
        Time since the first evaluation of this session.
    seconds_left : float or None
        Time that the rest takes at this speed, None if nothing is known yet.
    is_at_most : bool
        Whether the search may need fewer candidates, or parts of them.
    is_over : bool
        Whether it has ended.
    """

    n_done: int
    n_trials: int
    best: float | None
    n_failed: int
    n_stopped: int
    seconds: float
    seconds_left: float | None
    is_at_most: bool
    is_over: bool

    def __str__(self) -> str:
        best = "no score yet" if self.best is None else f"best {self.best:.6g}"
        total = f"{'at most ' if self.is_at_most else ''}{self.n_trials}"
        counts = f"{self.n_failed} failed, {self.n_stopped} stopped"
        return f"{self.n_done} of {total}, {best}, {counts}, {self._time()}"

    def _time(self) -> str:
        if self.is_over:
            return f"took {duration(self.seconds)}"
        return "? left" if self.seconds_left is None else f"{duration(self.seconds_left)} left"


class ProgressObserver(Observer):
    """Looks at the trials of a search when it is asked how far it is; the loop does not wait.

    Parameters
    ----------
    trials : sequence of Trial
        Those of the loop, which grow.
    settings : LoopSettings
        What bounds it.
    is_at_most : bool
        Whether the search may need fewer evaluations than it is bounded by.
    """

    def __init__(self, trials: Sequence[Trial], settings: LoopSettings, is_at_most: bool) -> None:
        self._trials = trials
        self._settings = settings
        self._is_at_most = is_at_most
        self._is_over = False
        self._means: dict[int, float] = {}
        self._started: float | None = None
        self._n_folds_before = 0

    def task_begins(self, trial: int, fold: int) -> None:
        """Note when the first evaluation begins: what is recalled costs no time."""
        if self._started is None:
            self._n_folds_before = self._n_folds_decided()
            self._started = time.monotonic()

    def standing(self) -> Standing:
        """Return how far the search is; any thread may ask."""
        counts = Counter(trial.status for trial in self._trials)
        now = time.monotonic()
        return Standing(
            n_done=counts.total() - counts[None],
            n_trials=self._settings.n_trials,
            best=self._best(),
            n_failed=counts["failed"] + counts["timeout"],
            n_stopped=counts["stopped"],
            seconds=0.0 if self._started is None else now - self._started,
            seconds_left=self._seconds_left(now),
            is_at_most=self._is_at_most,
            is_over=self._is_over,
        )

    def end(self) -> None:
        """Note that the search has ended."""
        self._is_over = True

    def _best(self) -> float | None:
        """Return the best mean among the complete trials with the most of the resource."""
        complete = [trial for trial in self._trials if trial.status == "complete"]
        names = metric_names(complete[:1])
        if not complete or (names and self._settings.deciding_metric not in names):
            return None  # of several none decides
        most = max(trial.resource or 0 for trial in complete)
        means = [self._mean(trial) for trial in complete if (trial.resource or 0) == most]
        return max((mean for mean in means if math.isfinite(mean)), default=None)

    def _mean(self, trial: Trial) -> float:
        if trial.number not in self._means:
            self._means[trial.number] = mean_score(trial, self._settings.deciding_metric)
        return self._means[trial.number]

    def _n_folds_decided(self) -> int:
        n_splits = self._settings.n_splits
        return sum(n_splits if t.status is not None else len(t.results) for t in self._trials)

    def _seconds_left(self, now: float) -> float | None:
        n_decided = self._n_folds_decided()
        n_new = n_decided - self._n_folds_before
        if self._started is None or n_new <= 0:
            return None
        n_open = self._settings.n_trials * self._settings.n_splits - n_decided
        left = max(n_open, 0) * (now - self._started) / n_new
        deadline = self._settings.deadline
        return left if deadline is None else min(left, max(deadline - now, 0.0))


@contextmanager
def progress_bar(observer: ProgressObserver) -> Iterator[None]:
    """Draw a bar on standard error while the block runs, if rich can draw one for a person."""
    if not _can_be_drawn() or not _ONE_AT_A_TIME.acquire(blocking=False):
        yield
        return
    live = _live(observer)
    try:
        with suppress(OSError):  # the terminal may be gone, now or later
            live.start(refresh=True)
        yield
    finally:
        observer.end()
        _ONE_AT_A_TIME.release()
        with suppress(OSError):
            _stop(live)


def _can_be_drawn() -> bool:
    """Tell whether standard error is a terminal that can move its cursor, or a notebook's."""
    is_in_a_worker = get_active_backend()[0].nesting_level > 0
    if is_in_a_worker or find_spec("rich") is None:
        return False
    console = _console()
    if console.is_jupyter:
        return find_spec("ipywidgets") is not None  # what rich draws with there
    return _is_terminal(sys.stderr) and console.is_interactive


def _is_terminal(stream: Any) -> bool:
    try:
        return stream.isatty()
    except (AttributeError, ValueError):  # there is none, or it is closed
        return False


def _console() -> Any:
    from rich.console import Console

    return Console(stderr=True)


def _live(observer: ProgressObserver) -> Any:
    from rich.live import Live

    return Live(
        get_renderable=lambda: _drawn(observer.standing()),
        console=_console(),
        refresh_per_second=_DRAWN_PER_SECOND,
        redirect_stdout=_is_terminal(sys.stdout),  # what is printed meanwhile comes above the bar
        redirect_stderr=_is_terminal(sys.stderr),
    )


def _stop(live: Any) -> None:
    try:
        live.refresh()  # which `stop` leaves out in a notebook
    finally:
        live.stop()


def _drawn(standing: Standing) -> Any:
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    row = Table.grid(padding=(0, 1), expand=True)
    row.add_column(ratio=1)
    row.add_column(no_wrap=True, overflow="ellipsis")
    row.add_row(ProgressBar(standing.n_trials, standing.n_done), str(standing))
    return row
