"""The code on the pages of the guide runs, with data and models that a reader would have."""

import re
import textwrap
import warnings
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = ["README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]
# they need a cluster, or show parts of an example that is tested by itself
LEFT_OUT = {"docs/clusters.md", "docs/coarse_to_fine.md", "docs/pictures.md"}
OF_OTHER_TESTS = {f"docs/from_{name}.md" for name in ("grid_search", "optuna", "tune_sklearn")} | {
    "docs/from_scikit_optimize.md"
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (ROOT / "docs").is_dir(), reason="an sdist has no documentation"),
]


def code_of(page):
    text = (ROOT / page).read_text()
    blocks = re.findall(r"^ *```python\n(.*?)^ *```", text, re.M | re.S)
    return [textwrap.dedent(block) for block in blocks]


def fill_in():
    """Mark every other row of the table of errors, as a person would."""
    import pandas as pd

    table = pd.read_csv("errors.csv")
    table["irony"] = ["x" if row % 2 else "" for row in range(len(table))]
    table.to_csv("errors.csv", index=False)


def of_a_reader():
    """Return the names that pages take for granted: data, models, searches that have ended."""
    for module in ("torch", "skorch", "pandas"):
        pytest.importorskip(module)
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import torch
    from sklearn.datasets import load_breast_cancer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.preprocessing import scale
    from sklearn.svm import SVC
    from sklearn.tree import DecisionTreeClassifier
    from skorch import NeuralNetClassifier

    import sklearn_hpt

    class MLP(torch.nn.Module):
        def __init__(self, hidden=16, dropout=0.1):
            super().__init__()
            self.layers = torch.nn.Sequential(
                torch.nn.Linear(30, hidden), torch.nn.ReLU(), torch.nn.Dropout(dropout)
            )
            self.out = torch.nn.Linear(hidden, 2)

        def forward(self, X):
            return self.out(self.layers(X))

    X, y = load_breast_cancer(return_X_y=True)
    X, y = scale(X).astype(np.float32)[:200], y[:200]
    loss, options = torch.nn.CrossEntropyLoss, {"train_split": None, "verbose": 0}
    space = {"C": (1e-2, 1e2, "log-uniform"), "gamma": (1e-4, 1.0, "log-uniform")}
    model = DecisionTreeClassifier(max_depth=1).fit(X, y)
    return {
        **{name: getattr(sklearn_hpt, name) for name in sklearn_hpt.__all__},
        **{"X": X, "y": y, "X_dev": X, "y_dev": y, "SVC": SVC, "MLP": MLP},
        "HistGradientBoostingClassifier": HistGradientBoostingClassifier,
        "tree": DecisionTreeClassifier(random_state=0),
        "net": NeuralNetClassifier(MLP, criterion=loss, max_epochs=10, **options),
        "model": model,
        "search": sklearn_hpt.LogRandomSearchCV(SVC(), space, random_state=0).fit(X, y),
        "is_from_the_app": np.arange(len(y)) >= 100,
        "fill_in": fill_in,
    }


@pytest.mark.parametrize(
    "page", [p for p in PAGES if code_of(p) and p not in LEFT_OUT | OF_OTHER_TESTS]
)
def test_code_of_the_page_runs(page, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    names = of_a_reader()
    data = {name: names[name] for name in ("X", "y")}
    for block in code_of(page):
        block = block.replace("  # fill in x", "; fill_in()  #")
        if "mlflow" in block:
            names["mlflow"] = pytest.importorskip("mlflow")
        if "optuna" in block:
            pytest.importorskip("optuna")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(compile(block, page, "exec"), names)
        names.update(data, n_words=np.arange(len(names["X_dev"])) % 40)
