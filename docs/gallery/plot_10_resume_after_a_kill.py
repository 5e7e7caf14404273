"""
A search that is killed, and goes on
====================================

With ``journal=`` every finished fold is on disk at once. Here a search runs as
a program of its own and is killed in the middle, as by a machine that loses its
power. Then the same search is started again, and ends as if nothing had
happened.
"""

# %%
# A program with a search
# -----------------------
# All that keeps it safe is the last argument of the search.
import subprocess
import sys
import tempfile
import time
from pathlib import Path

program = """
from sklearn.datasets import load_digits
from sklearn.svm import SVC

from sklearn_hpt import LogRandomSearchCV

X, y = load_digits(return_X_y=True)


def search_with(journal):
    return LogRandomSearchCV(
        SVC(),
        {"C": (1e-2, 1e3, "log-uniform"), "gamma": (1e-6, 1e-1, "log-uniform")},
        n_iter=20,
        cv=3,
        random_state=0,
        journal=journal,
    )


if __name__ == "__main__":
    search_with("search.jsonl").fit(X, y)
"""

# %%
# It is written to a temporary folder, started, and killed as soon as the
# journal has six complete candidates. ``kill`` is SIGKILL: the program is not
# asked, and cannot tidy up.
from sklearn_hpt import read_journal
from sklearn_hpt.exceptions import JournalError

folder = tempfile.TemporaryDirectory()
script = Path(folder.name) / "tune.py"
script.write_text(program)
journal = Path(folder.name) / "search.jsonl"
running = subprocess.Popen([sys.executable, script], cwd=folder.name)


def n_complete():
    try:
        return list(read_journal(journal)["status"]).count("complete")
    except JournalError:  # the program has not come so far yet
        return 0


deadline = time.monotonic() + 60
while n_complete() < 6 and time.monotonic() < deadline:
    time.sleep(0.02)
running.kill()
print("ended by signal", -running.wait())

# %%
# What is left of it
# ------------------
# The command line reads the journal of a search that is running, has ended or
# was killed.
shown = subprocess.run(
    [sys.executable, "-m", "sklearn_hpt", "show", "search.jsonl"],
    cwd=folder.name,
    capture_output=True,
    text=True,
    check=True,
)
print(shown.stdout)

# %%
# There are more folds than complete candidates would have. Quick folds are
# evaluated several candidates at a time, so some candidates were caught with
# one fold or two.

# %%
# Started again
# -------------
# The same search, in this process. Before it goes on, the journal is copied for
# the picture below. For comparison one without a journal runs through.
import shutil

killed = shutil.copy(journal, Path(folder.name) / "killed.jsonl")
sys.path.insert(0, folder.name)
from tune import X, search_with, y

resumed = search_with(journal).fit(X, y)
through = search_with(None).fit(X, y)

same_scores = (
    resumed.cv_results_["mean_test_score"]
    == through.cv_results_["mean_test_score"]
)
print(f"the same scores: {same_scores.sum()} of {len(same_scores)}")
print("the same winner:", resumed.best_params_ == through.best_params_)
print(f"{through.search_time_:.1f} s without a stop")
print(f"{resumed.search_time_:.1f} s for what was missing")

# %%
# What the two journals show
# --------------------------
# :class:`~sklearn_hpt.displays.OptimizationHistoryDisplay` draws a journal too.
# Triangles miss some of their folds. The resumed search has kept what the
# killed one had found, and added the rest.
import matplotlib.pyplot as plt

from sklearn_hpt.displays import OptimizationHistoryDisplay

fig, axes = plt.subplots(
    2, 1, figsize=(7, 6), sharex=True, sharey=True, layout="constrained"
)
OptimizationHistoryDisplay.from_journal(killed, ax=axes[0])
OptimizationHistoryDisplay.from_journal(journal, ax=axes[1])
axes[0].set(xlabel="", ylabel="score, when killed")
axes[1].set_ylabel("score, resumed")
plt.show()

# %%
# Had the data, the model or the space been changed in between, the search would
# have refused to go on, and said what differs. A larger ``n_iter`` is allowed:
# so a finished search is prolonged. :doc:`/watching` tells how to look at a
# journal while its search is running.
folder.cleanup()
