"""
Log scales, and why
===================

A learning rate of 0.0001 differs from one of 0.001 as much as 0.01 does from
0.1: what matters is the factor. Drawn evenly from 0.0001 to 1, nine of ten
learning rates are above 0.1. This example draws both ways, looks at where the
values fall, and then at what that costs a search.
"""

# %%
# Where the values fall
# ---------------------
# A prior says how often each part of a range is tried. ``"log-uniform"`` is for
# what acts by its factor: learning rates, regularisation, kernel widths, sizes
# of layers. ``"log-complement"`` is the same for ``1 - x``: a momentum of 0.99
# averages over ten times as many steps as one of 0.9 does, so 0.9 to 0.99 is
# as wide as 0.99 to 0.999.
import matplotlib.pyplot as plt
import numpy as np

from sklearn_hpt import Real

momentum = Real(0.9, 0.999, prior="log-complement")
rate = Real(1e-4, 1.0, prior="log-uniform")
even = Real(1e-4, 1.0)
places = (np.arange(1000) + 0.5) / 1000
for name, dimension, limit in [
    ("learning rate, evenly", even, 0.1),
    ("learning rate, log-uniform", rate, 0.1),
    ("momentum, log-complement", momentum, 0.99),
]:
    above = np.mean([dimension.from_unit(u) > limit for u in places])
    print(f"{name}: {above:.0%} of the values are above {limit}")

# %%
# What it costs a search
# ----------------------
# The penalty ``alpha`` and the width ``gamma`` of a ridge regression after a
# kernel map, 12 candidates a search, ten searches each way. Nothing differs but
# the prior.
from sklearn.datasets import load_diabetes
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hpt import LogRandomSearchCV

X, y = load_diabetes(return_X_y=True)
model = make_pipeline(
    StandardScaler(), Nystroem(gamma=0.02, random_state=0), Ridge()
)
best = {}
for prior in ["uniform", "log-uniform"]:
    searches = [
        LogRandomSearchCV(
            model,
            {
                "ridge__alpha": Real(1e-5, 1e3, prior=prior),
                "nystroem__gamma": Real(1e-4, 1e1, prior=prior),
            },
            n_iter=12,
            random_state=seed,
            refit=False,
        ).fit(X, y)
        for seed in range(10)
    ]
    best[prior] = [np.max(s.cv_results_["mean_test_score"]) for s in searches]
    print(f"{prior:>12}: median of the best R2 {np.median(best[prior]):.3f}")

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
for place, dimension in [(1, even), (0, rate)]:
    values = [dimension.from_unit(u) for u in places[::25]]
    left.scatter(values, np.full(len(values), place), marker="|", s=200)
left.set(xscale="log", xlabel="learning rate", ylim=(-0.6, 1.6))
left.set_yticks([0, 1], ["log-uniform", "uniform"])
left.set_title("40 values of one range")
right.boxplot(list(best.values()), tick_labels=list(best), widths=0.5)
right.set(ylabel="best R2 of 12 candidates", title="10 searches each way")
plt.show()

# %%
# Which parameters want which scale is known for the models that people tune
# most: :func:`~sklearn_hpt.default_space` has it, and ``"auto"`` in place of a
# space uses it (:doc:`/default_spaces`).
from sklearn_hpt import default_space

print(default_space(model))
