"""
The same search on a Dask cluster
=================================

A search uses a Dask client that is active, and gives the same results as at
home. Here the cluster is two processes of this machine; a real one differs in
the address that the client is given.
"""

# %%
# A search
# --------
# Three folds for each of 16 candidates of a forest, so 48 evaluations.
import matplotlib.pyplot as plt
import numpy as np
from distributed import Client, LocalCluster, get_task_stream
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.ensemble import ExtraTreesClassifier

from sklearn_hpt import LogRandomSearchCV

X, y = load_digits(return_X_y=True)

search = LogRandomSearchCV(
    ExtraTreesClassifier(n_estimators=40, random_state=0),
    {
        "max_features": (0.02, 1.0, "log-uniform"),
        "min_samples_leaf": (1, 50, "log-uniform"),
    },
    n_iter=16,
    cv=3,
    random_state=0,
)

# %%
# At home
# -------
# The processes of a Dask cluster on this machine begin by importing the program
# that has started them. The line ``if __name__ == "__main__":`` keeps them from
# running it too. In a notebook, and with a cluster elsewhere, it is not needed.
if __name__ == "__main__":
    at_home = clone(search).fit(X, y)
    print(f"{at_home.search_time_:.1f} s at home")

# %%
# On the cluster
# --------------
# While a client is active, nothing else needs to be said. ``get_task_stream``
# of Dask listens to what runs where, for the picture below.
if __name__ == "__main__":
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
        get_task_stream(client) as stream,
    ):
        on_cluster = clone(search).fit(X, y)
    print(f"{on_cluster.search_time_:.1f} s on two workers")

# %%
# Whether it is done sooner depends on the free cores of the machine. New
# workers have to import what they need first, and each evaluation costs some
# milliseconds on its way, so a search of seconds gains little. The results must
# be the same to the last bit, on machines that are alike and with an integer
# ``random_state``.
if __name__ == "__main__":
    for key in ["params", "mean_test_score", "std_test_score"]:
        same = np.array_equal(
            at_home.cv_results_[key], on_cluster.cv_results_[key]
        )
        print(f"{key:16}{'the same' if same else 'differs'}")

# %%
# What ran where
# --------------
# A bar is a task of Dask: one fold, or several that are quick. A worker gets
# its next one as soon as it has sent a result; which of the two gets it is left
# to chance, and does not matter.
if __name__ == "__main__":
    start = min(one["startstops"][0]["start"] for one in stream.data)
    workers = sorted({one["worker"] for one in stream.data})

    fig, ax = plt.subplots(figsize=(8, 2.2), layout="constrained")
    labels = []
    for row, worker in enumerate(workers):
        spans = [
            (part["start"] - start, part["stop"] - part["start"])
            for one in stream.data
            if one["worker"] == worker
            for part in one["startstops"]
            if part["action"] == "compute"
        ]
        ax.broken_barh(
            spans, (row - 0.3, 0.6), facecolor="#56b4e9", edgecolor="black"
        )
        labels.append(f"worker {row}\n{len(spans)} tasks")
    ax.set(xlabel="seconds", yticks=range(len(workers)), yticklabels=labels)
    ax.invert_yaxis()
    plt.show()

# %%
# What happens when a worker is lost, how the same is done with Ray, and from
# which length of a fold many workers pay: :doc:`/clusters`.
