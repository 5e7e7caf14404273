"""A bar where somebody watches, lines of text elsewhere, nothing at `verbose=0`."""

import math
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from sklearn_hpt import LogRandomSearchCV
from sklearn_hpt._trial import FoldResult, Trial
from sklearn_hpt.search._loop import LoopSettings
from sklearn_hpt.search._progress import (
    _ONE_AT_A_TIME,
    ProgressObserver,
    _can_be_drawn,
    progress_bar,
)

rich = pytest.importorskip("rich")

SCRIPT = """
import warnings
from sklearn.callback import ProgressBar
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn_hpt import LogRandomSearchCV, CoarseToFineSearchCV

warnings.simplefilter("ignore")
X, y = load_iris(return_X_y=True)
space = {{"C": [-1.0, 0.1, 1.0, 10.0]}}  # the first one fails
{code}
"""
SEARCH = "LogRandomSearchCV(LogisticRegression(), space, n_iter=4, cv=3, verbose={verbose})"


def in_terminal(code):
    """Return what a script writes to a pseudo-terminal, without colours."""
    if not hasattr(os, "openpty"):
        pytest.skip("this system has no pseudo-terminals")
    main_end, terminal = os.openpty()
    path = os.pathsep.join([str(Path(__file__).parent.parent), os.environ.get("PYTHONPATH", "")])
    running = subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(code=code)],
        stdout=terminal,
        stderr=terminal,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120", "PYTHONPATH": path},
    )
    os.close(terminal)
    written = b""
    try:
        while chunk := os.read(main_end, 2**16):
            written += chunk
    except OSError:  # how Linux says that nobody writes any more
        pass
    running.wait()
    os.close(main_end)
    return re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", written.decode())


def test_bar_in_a_terminal_shows_where_the_search_stands():
    shown = in_terminal(SEARCH.format(verbose=1) + ".fit(X, y)")
    first, *bar = shown.split("\n", 1)
    assert first.strip() == "Fitting 3 folds for each of 4 candidates, totalling 12 fits"
    assert "━" in bar[0] and "0 of 4, no score yet" in bar[0]
    last = bar[0].strip().rsplit("\r", 1)[-1]
    assert re.search(r"━ 4 of 4, best 0\.9\d+, 1 failed, 0 stopped, took \d+ s", last)


def test_verbose_0_prints_nothing_in_a_terminal():
    assert in_terminal(SEARCH.format(verbose=0) + ".fit(X, y)") == ""


def test_own_bar_is_not_shown_beside_that_of_scikit_learn():
    bar = ".set_callbacks(ProgressBar(max_propagation_depth=0)).fit(X, y)"
    shown = in_terminal(SEARCH.format(verbose=1) + bar)
    assert "LogRandomSearchCV - fit" in shown and "no score yet" not in shown


def test_bar_is_closed_and_the_cursor_back_after_an_interrupt():
    code = f"""
class Interrupts:
    def setup(self, estimator, context): ...
    def teardown(self, estimator, context): ...
    def on_fit_task_begin(self, estimator, context): ...
    def on_fit_task_end(self, estimator, context):
        if context.task_name == "candidate-split-evaluation":
            raise KeyboardInterrupt
try:
    {SEARCH.format(verbose=1)}.set_callbacks(Interrupts()).fit(X, y)
except KeyboardInterrupt:
    import sys
    print("stdout is", type(sys.stdout).__name__)
"""
    *_, last = in_terminal(code).strip().splitlines()
    assert last == "stdout is TextIOWrapper"


def test_without_a_terminal_there_is_text_only(capsys):
    X, y = np.random.default_rng(0).normal(size=(30, 2)), np.arange(30) % 2
    LogRandomSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, n_iter=2, verbose=1).fit(X, y)
    printed = capsys.readouterr()
    assert printed.out.startswith("Fitting 5 folds") and "━" not in printed.out + printed.err


@pytest.mark.parametrize("is_closed", [False, True])
def test_without_standard_error_there_is_no_bar(monkeypatch, is_closed):
    stream = open(os.devnull) if is_closed else None
    if stream is not None:
        stream.close()
    monkeypatch.setattr(sys, "stderr", stream)
    assert not _can_be_drawn()


def trials(*statuses, n_splits=2):
    """Return trials whose folds score their number in tenths; those with None have one fold."""
    made = [Trial(i, {"C": 1.0}, status=status) for i, status in enumerate(statuses)]
    for trial in made:
        for fold in range(1 if trial.status is None else n_splits):
            score = math.nan if trial.status == "failed" else trial.number / 10
            trial.results[fold] = FoldResult(trial.number, fold, score)
    return made


def test_standing_counts_what_is_decided():
    known = trials("complete", "complete", "failed", "timeout", "stopped", None)
    standing = ProgressObserver(known, LoopSettings(10, 2, 0), is_at_most=True).standing()
    text = "5 of at most 10, best 0.1, 2 failed, 1 stopped, ? left"
    assert str(standing) == text


def test_best_is_among_those_with_most_of_the_resource():
    known = trials("complete", "complete", "complete")
    for trial, amount in zip(known, (9, 3, 3), strict=True):
        trial.resource = amount
    observer = ProgressObserver(known, LoopSettings(3, 2, 0), is_at_most=True)
    assert observer.standing().best == 0.0


def test_time_left_is_that_of_new_folds_and_at_most_that_of_the_timeout(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("sklearn_hpt.search._progress.time.monotonic", lambda: now[0])
    known = trials("complete", "complete")  # recalled
    observer = ProgressObserver(known, LoopSettings(10, 2, 0, deadline=120.0), is_at_most=False)
    observer.task_begins(2, 0)
    now[0] += 4.0
    assert observer.standing().seconds_left is None
    known += [Trial(2, {}, {0: FoldResult(2, 0, 1.0), 1: FoldResult(2, 1, 1.0)}, "complete")]
    assert observer.standing().seconds_left == 16.0  # 14 folds of 2 seconds would be 28
    now[0] = 119.0
    assert observer.standing().seconds_left == 1.0


def test_only_one_bar_is_drawn_at_a_time(monkeypatch):
    drawn = []
    monkeypatch.setattr("sklearn_hpt.search._progress._can_be_drawn", lambda: True)
    monkeypatch.setattr(
        "sklearn_hpt.search._progress._live", lambda observer: drawn.append(1) or Live()
    )
    observer = ProgressObserver([], LoopSettings(1, 1, 0), is_at_most=False)
    with progress_bar(observer), progress_bar(observer):
        assert _ONE_AT_A_TIME.locked()
    assert drawn == [1] and not _ONE_AT_A_TIME.locked()


class Live:
    """Stands for a display whose terminal is gone."""

    def start(self, refresh):
        raise OSError("the terminal is gone")

    def refresh(self):
        raise OSError("the terminal is gone")

    def stop(self):
        raise OSError("the terminal is gone")
