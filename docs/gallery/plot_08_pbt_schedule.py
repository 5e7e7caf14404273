"""
A schedule instead of a number
==============================

:class:`~sklearn_hpt.PBTSearchCV` trains a population of nets whose learning
rate and dropout change while they are trained. What it finds is a schedule of
them. Here it is looked at, written to a file, and replayed on other rows with
other seeds, to see how much of it was luck.
"""

# %%
# A net and its population
# ------------------------
# 16 epochs are what each member gets in all generations together, two in each
# of eight. After a generation the worst quarter copies one of the best, weights
# and all, and changes its hyperparameters a little.
import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from skorch import NeuralNetClassifier

from sklearn_hpt import PBTSearchCV


class Net(torch.nn.Module):
    def __init__(self, dropout=0.2):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(64, 48),
            torch.nn.ReLU(),
            torch.nn.Dropout(dropout),
            torch.nn.Linear(48, 10),
        )

    def forward(self, X):
        return self.layers(X)


net = NeuralNetClassifier(
    Net,
    criterion=torch.nn.CrossEntropyLoss,
    optimizer=torch.optim.SGD,
    optimizer__momentum=0.9,
    iterator_train__shuffle=True,
    batch_size=32,
    max_epochs=16,
    train_split=None,
    verbose=0,
)
X, y = load_digits(return_X_y=True)
X = X.astype(np.float32) / 16  # what the weights of the net are
X, X_new, y, y_new = train_test_split(X, y, train_size=900, random_state=0)
X_new, X_test, y_new, y_test = train_test_split(
    X_new, y_new, train_size=450, random_state=0
)

search = PBTSearchCV(
    net,
    {"lr": (1e-3, 1.0, "log-uniform"), "module__dropout": (0.0, 0.6)},
    population_size=12,
    n_generations=8,
    cv=3,
    random_state=2,
)
search.fit(X, y)
print(search.best_schedule_)

# %%
# ``best_score_`` is the best of all members in all generations, on folds that
# also decided whose weights live on. It flatters; the test rows do not.
print(
    f"score {search.best_score_:.4f}, test {search.score(X_test, y_test):.4f}"
)

# %%
# What was tried, and what won
# ----------------------------
# :class:`~sklearn_hpt.displays.ScheduleDisplay` draws the best schedule among
# all that were tried. A hyperparameter that it moves in one direction is worth
# a schedule; one that hardly moves may as well stay.
from sklearn_hpt.displays import LineageDisplay, ScheduleDisplay

ScheduleDisplay.from_estimator(search)
plt.show()

# %%
# :class:`~sklearn_hpt.displays.LineageDisplay` shows who went on from whom: a
# slanted line begins at the member whose weights were taken. The best may have
# been found before the last generation; its schedule ends there.
LineageDisplay.from_estimator(search)
plt.show()

# %%
# Kept as a file
# --------------
# A schedule is a short text. Whoever reads it needs neither the search nor its
# data.
import tempfile
from pathlib import Path

from sklearn_hpt.schedule import Schedule, replay_schedule

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "schedule.json"
    path.write_text(search.best_schedule_.to_json())
    print("\n".join(path.read_text().splitlines()[:9]))
    schedule = Schedule.from_json(path.read_text())
print(f"...\nas it was: {schedule == search.best_schedule_}")

# %%
# Replayed elsewhere
# ------------------
# :func:`~sklearn_hpt.schedule.replay_schedule` trains a net from its beginning
# as a schedule says: here on rows that the search has never seen, with five
# seeds. Beside it are the same number of epochs with the values that the
# schedule begins with, and with those that it ends with, all the time.
n_epochs = schedule.amounts[-1]
rivals = {
    "the schedule": schedule,
    "its first values": Schedule(
        "max_epochs", [(n_epochs, schedule.params[0])]
    ),
    "its last values": Schedule(
        "max_epochs", [(n_epochs, schedule.params[-1])]
    ),
}
for name, one in rivals.items():
    scores = [
        replay_schedule(net, one, X_new, y_new, random_state=seed).score(
            X_test, y_test
        )
        for seed in range(5)
    ]
    print(
        f"{name:17}{np.mean(scores):.3f}, "
        f"from {min(scores):.3f} to {max(scores):.3f}"
    )

# %%
# Compare the means with the distance between seeds before you believe in a
# difference. With another ``random_state`` the search finds another schedule,
# and of those some are no better than a rate that stays: a dozen members and
# 900 rows are few. :doc:`/population_based_training` says what was gained on
# larger problems, and where nothing was.
