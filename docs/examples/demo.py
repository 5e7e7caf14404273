"""Tune a pipeline, a net and a time series with `LogRandomSearchCV`.

Run it with `make demo`. It prints a table and writes `demo.png`.
"""

import sys
import time
import warnings
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import StratifiedKFold, TimeSeriesSplit, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from skorch import NeuralNetClassifier

from sklearn_hpt import Integer, LogRandomSearchCV, Real

HERE = Path(__file__).resolve().parent
PICTURE = Path("demo.png")


class Classifier(torch.nn.Module):
    """Two hidden layers with dropout."""

    def __init__(self, units: int = 64, dropout: float = 0.2) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(64, units),
            torch.nn.ReLU(),
            torch.nn.Dropout(dropout),
            torch.nn.Linear(units, units),
            torch.nn.ReLU(),
            torch.nn.Dropout(dropout),
            torch.nn.Linear(units, 10),
        )

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return self.layers(X)


def tune_svc() -> tuple[LogRandomSearchCV, float]:
    """Tune a pipeline on the digits; return the search and its score on held-out rows."""
    X, X_test, y, y_test = digits()
    search = LogRandomSearchCV(
        Pipeline([("scale", StandardScaler()), ("svc", SVC())]),
        {"svc__C": (1e-2, 1e3, "log-uniform"), "svc__gamma": (1e-5, 1e0, "log-uniform")},
        n_iter=40,
        cv=StratifiedKFold(5, shuffle=True, random_state=0),
        n_jobs=2,
        random_state=0,
    ).fit(X, y)
    return search, search.score(X_test, y_test)


def tune_net() -> tuple[LogRandomSearchCV, float]:
    """Tune a PyTorch net in a pipeline on the same digits."""
    X, X_test, y, y_test = digits()
    net = NeuralNetClassifier(
        Classifier,
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.SGD,
        iterator_train__shuffle=True,
        max_epochs=15,
        train_split=None,
        verbose=0,
    )
    search = LogRandomSearchCV(
        Pipeline([("scale", StandardScaler()), ("net", net)]),
        {
            "net__lr": Real(1e-3, 1e0, prior="log-uniform"),
            "net__optimizer__weight_decay": Real(1e-6, 1e-2, prior="log-uniform"),
            "net__optimizer__momentum": Real(0.5, 0.99, prior="log-complement"),
            "net__module__units": Integer(16, 128, prior="log-uniform"),
            "net__module__dropout": Real(0.0, 0.5),
            "net__batch_size": [16, 32, 64, 128],
        },
        n_iter=16,
        cv=StratifiedKFold(3, shuffle=True, random_state=0),
        n_jobs=2,
        random_state=0,
    ).fit(X, y)
    return search, search.score(X_test, y_test)


def tune_time_series() -> tuple[LogRandomSearchCV, float]:
    """Forecast the change of carbon dioxide over four weeks; the test rows are the last."""
    X, y = co2_changes()
    n_train = int(0.8 * len(y))
    search = LogRandomSearchCV(
        HistGradientBoostingRegressor(max_iter=100, random_state=0),
        {
            "learning_rate": (1e-2, 1e0, "log-uniform"),
            "max_leaf_nodes": (2, 64, "log-uniform"),
            "min_samples_leaf": (2, 100, "log-uniform"),
            "l2_regularization": (1e-4, 1e2, "log-uniform"),
        },
        n_iter=25,
        cv=TimeSeriesSplit(5),
        n_jobs=2,
        random_state=0,
    ).fit(X[:n_train], y[:n_train])
    return search, search.score(X[n_train:], y[n_train:])


def digits() -> list[np.ndarray]:
    X, y = load_digits(return_X_y=True)
    return train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)


def co2_changes(n_ahead: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Return past weekly changes and the season, and the change over the next weeks (ppm)."""
    rows = np.genfromtxt(
        HERE / "data" / "co2_weekly.csv.gz", delimiter=",", skip_header=1, dtype=None, encoding=None
    )
    date, co2 = rows["f0"].astype("datetime64[D]"), rows["f1"]
    known = np.isfinite(co2)
    co2 = np.interp(np.arange(len(co2)), np.flatnonzero(known), co2[known])
    year = 2 * np.pi * ((date - date.astype("datetime64[Y]")).astype(float) / 365.25)
    now = np.arange(52, len(co2) - n_ahead)
    past = [co2[now] - co2[now - lag] for lag in (1, 2, 4, 8, 26, 48, 52)]
    X = np.column_stack([*past, np.sin(year[now]), np.cos(year[now])])
    return X, co2[now + n_ahead] - co2[now]


def print_table(rows: list[tuple[str, LogRandomSearchCV, float, float]]) -> None:
    head = f"{'candidates':>11}{'failed':>8}{'best CV score':>15}{'test score':>12}{'seconds':>9}"
    print(f"\n{'':22}{head}  best parameters")
    for name, search, test_score, seconds in rows:
        shown = [f"{key.split('__')[-1]}={value:.3g}" for key, value in search.best_params_.items()]
        scores = search.cv_results_["mean_test_score"]
        line = f"{name:22}{len(scores):11}{np.isnan(scores).sum():8}"
        line += f"{search.best_score_:15.4f}{test_score:12.4f}{seconds:9.1f}  "
        print(line + ", ".join(shown[:3]))
        for i in range(3, len(shown), 3):
            print(" " * len(line) + ", ".join(shown[i : i + 3]))


def draw(rows: list[tuple[str, LogRandomSearchCV, float, float]]) -> None:
    axes_of = {
        "SVC pipeline, digits": ("svc__gamma", "svc__C"),
        "skorch net, digits": ("net__lr", "net__optimizer__momentum"),
        "boosting, CO2 series": ("learning_rate", "max_leaf_nodes"),
    }
    figure, panels = plt.subplots(1, 3, figsize=(13, 4.2), layout="constrained")
    for panel, (name, search, _, _) in zip(panels, rows, strict=True):
        x_name, y_name = axes_of[name]
        x, y = (search.cv_results_[f"param_{n}"].astype(float) for n in (x_name, y_name))
        if y_name.endswith("momentum"):
            y, y_name = 1 - y, "1 - momentum"
        scores = search.cv_results_["mean_test_score"]
        low, high = np.nanquantile(scores, [0.2, 1.0])  # the worst would hide the rest
        dots = panel.scatter(x, y, c=scores, vmin=low, vmax=high, cmap="cividis_r", s=45)
        failed = ~np.isfinite(scores)
        panel.scatter(x[failed], y[failed], marker="x", c="C3", s=45)
        best = search.best_index_
        panel.scatter(x[best], y[best], s=190, facecolors="none", edgecolors="C3", linewidths=2)
        panel.set(xscale="log", yscale="log", title=name)
        panel.set(xlabel=x_name.split("__")[-1], ylabel=y_name.split("__")[-1])
        figure.colorbar(dots, ax=panel, label="mean CV score", extend="min")
    figure.suptitle("Candidates of LogRandomSearchCV: circle, the best; cross, failed")
    figure.savefig(PICTURE, dpi=110)


def main() -> None:
    """Run the three searches."""
    # a net that diverges is a failed row, which the table counts
    warnings.simplefilter("ignore", FitFailedWarning)
    warnings.filterwarnings("ignore", "One or more of the test scores are non-finite")
    rows = []
    for name, tune in (
        ("SVC pipeline, digits", tune_svc),
        ("skorch net, digits", tune_net),
        ("boosting, CO2 series", tune_time_series),
    ):
        print(f"tuning: {name} ...", flush=True)
        started = time.perf_counter()
        search, test_score = tune()
        rows.append((name, search, test_score, time.perf_counter() - started))
    print_table(rows)
    if any(np.isnan(search.cv_results_["mean_test_score"]).any() for _, search, _, _ in rows):
        print("\nfailed: a net whose loss grew without end, say; its row has the cause as `error`")
    draw(rows)
    print(f"\nThe picture is in {PICTURE.resolve()}")


if __name__ == "__main__":
    sys.exit(main())
