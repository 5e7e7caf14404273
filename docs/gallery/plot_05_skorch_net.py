"""
A PyTorch net, trained together with its rivals
===============================================

A small net for handwritten digits is wrapped by skorch and tuned as any other
estimator of scikit-learn: its learning rate, momentum, weight decay and
dropout. All candidates have the same layers, so they can be trained as one
program.
"""

# %%
# The net
# -------
# A module of PyTorch, and around it the estimator. ``train_split=None``: the
# folds of the search hold rows back already, the net need not do so again.
import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from skorch import NeuralNetClassifier


class Net(torch.nn.Module):
    def __init__(self, dropout=0.0):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(64, 64),
            torch.nn.ReLU(),
            torch.nn.Dropout(dropout),
            torch.nn.Linear(64, 10),
        )

    def forward(self, X):
        return self.layers(X)


net = NeuralNetClassifier(
    Net,
    criterion=torch.nn.CrossEntropyLoss,
    optimizer=torch.optim.SGD,
    iterator_train__shuffle=True,
    batch_size=64,
    max_epochs=10,
    train_split=None,
    verbose=0,
)

X, y = load_digits(return_X_y=True)
X, X_test, y, y_test = train_test_split(X / 16, y, random_state=0)

# %%
# The space
# ---------
# Rates and penalties are searched by their order of magnitude, momentum by that
# of ``1 - momentum``: from 0.9 to 0.99 is as far as from 0.5 to 0.95, since a
# momentum of 0.99 averages over ten times as many steps as one of 0.9.
space = {
    "lr": (1e-3, 1.0, "log-uniform"),
    "optimizer__momentum": (0.5, 0.99, "log-complement"),
    "optimizer__weight_decay": (1e-6, 1e-2, "log-uniform"),
    "module__dropout": (0.0, 0.6),
}

# %%
# The search
# ----------
# 30 candidates on three folds are 90 nets. ``trainer="auto"`` stacks their
# weights and trains all of them at once, each with its own rate, momentum,
# decay, dropout and order of rows, where that is faster than one by one.
from sklearn_hpt import LogRandomSearchCV

search = LogRandomSearchCV(
    net, space, n_iter=30, cv=3, trainer="auto", random_state=0
)
search.fit(X, y)
for name, value in search.best_params_.items():
    print(f"{name:25}{value:.3g}")
print(
    f"score {search.best_score_:.4f}, test {search.score(X_test, y_test):.4f}"
)

# %%
# The first eight of the same candidates, one net after the other. How much is
# saved depends on the machine, and on the nets: the smaller they are, the more
# (:doc:`/population_based_training`).
alone = LogRandomSearchCV(
    net, space, n_iter=8, cv=3, refit=False, random_state=0
).fit(X, y)
for name, one, n_nets in [("together", search, 90), ("one by one", alone, 24)]:
    print(f"{name:12}{1000 * one.search_time_ / n_nets:4.0f} ms for each net")

# %%
# What mattered
# -------------
# :class:`~sklearn_hpt.displays.ParameterEffectDisplay` draws the score against
# each parameter. The learning rate decides most, and yet among the larger rates
# there are good candidates and bad ones.
from sklearn_hpt.displays import ParameterEffectDisplay

ParameterEffectDisplay.from_estimator(search)
plt.show()

# %%
# A gradient moves the weights in this step and, by the momentum, in later ones:
# all together by ``lr / (1 - momentum)`` times itself. Against this quotient
# the same candidates lie closer to one curve: a large rate is bad where the
# momentum is large too. Where two parameters make up for each other, look at
# both before you narrow the range of one.
tried = search.cv_results_["params"]
rate = np.array([params["lr"] for params in tried])
momentum = np.array([params["optimizer__momentum"] for params in tried])

fig, axes = plt.subplots(
    1, 2, figsize=(9, 3.4), sharey=True, layout="constrained"
)
for ax, x, label in [
    (axes[0], rate, "lr"),
    (axes[1], rate / (1 - momentum), "lr / (1 - momentum)"),
]:
    points = ax.scatter(
        x,
        search.cv_results_["mean_test_score"],
        c=-np.log10(1 - momentum),
        vmin=-np.log10(1 - 0.5),
        edgecolor="black",
    )
    ax.set(xlabel=label, xscale="log")
axes[0].set_ylabel("accuracy, 3 folds")
bar = fig.colorbar(points, ax=axes, label="momentum")
shown = np.array([0.5, 0.8, 0.9, 0.95, 0.98])
bar.set_ticks(-np.log10(1 - shown), labels=[f"{value:g}" for value in shown])
plt.show()

# %%
# What the loss tells
# -------------------
# :class:`~sklearn_hpt.displays.LossCurvesDisplay` trains the best net again
# with other rates, from the same weights. A rate that is far too small shows as
# a loss that hardly falls, one that is far too large as a loss that rises or
# jumps. A fifth of the rows is held back for the broad lines.
from sklearn.base import clone
from skorch.dataset import ValidSplit

from sklearn_hpt.displays import LossCurvesDisplay

best = clone(search.best_estimator_)
best.set_params(train_split=ValidSplit(5, stratified=True), max_epochs=20)
LossCurvesDisplay.from_estimator(
    best, X, y, param_range=[0.001, 0.01, 0.1, 0.5]
)
plt.show()

# %%
# :class:`~sklearn_hpt.nets.LRFinder` finds a range of rates to search by one
# short training: see :doc:`/learning_rates`.
