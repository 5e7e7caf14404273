"""Default spaces of skorch nets: by what their module and optimizer accept."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
skorch = pytest.importorskip("skorch")

from sklearn.compose import TransformedTargetRegressor  # noqa: E402
from sklearn.datasets import load_digits  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

from sklearn_hpt import (  # noqa: E402
    BayesSearchCV,
    CoarseToFineSearchCV,
    LogRandomSearchCV,
    PBTSearchCV,
    default_space,
)
from sklearn_hpt.default_spaces._nets import _module_entry  # noqa: E402

X, Y = load_digits(return_X_y=True)
X, Y = X[:200].astype(np.float32) / 16, Y[:200]


class MLP(torch.nn.Module):
    def __init__(self, hidden=32, n_layers=1, dropout=0.1, n_classes=10, bias=True, alpha=1.0):
        super().__init__()
        sizes = [64] + n_layers * [hidden]
        self.layers = torch.nn.Sequential(
            *(torch.nn.Linear(*pair) for pair in zip(sizes, sizes[1:], strict=False)),
            torch.nn.Dropout(dropout),
            torch.nn.Linear(hidden, n_classes),
        )

    def forward(self, X):
        return self.layers(X)


def net(**options):
    options = {"max_epochs": 2, "train_split": None, "verbose": 0, **options}
    return skorch.NeuralNetClassifier(MLP, criterion=torch.nn.CrossEntropyLoss, **options)


def test_space_is_in_tiers_by_what_the_optimizer_and_the_module_accept():
    space = default_space(net())
    assert space.tiers == [
        ["lr"],
        ["optimizer__momentum", "module__hidden", "batch_size"],
        ["module__n_layers", "module__dropout", "optimizer__weight_decay"],
    ]
    assert all(space.sources.values())


@pytest.mark.parametrize("optimizer", [torch.optim.Adam, torch.optim.AdamW, torch.optim.NAdam])
def test_betas_and_eps_of_adaptive_optimizers_stay(optimizer):
    space = default_space(net(optimizer=optimizer))
    assert {n for n in space if n.startswith("optimizer")} == {"optimizer__weight_decay"}
    assert space["lr"].high < default_space(net())["lr"].high


@pytest.mark.parametrize(
    "options, name, lies_in",
    [
        ({"module__hidden": 1000}, "module__hidden", True),
        ({"module__hidden": 8}, "module__hidden", True),
        ({"module__n_layers": 7}, "module__n_layers", True),
        ({"module__hidden": (8, 8)}, "module__hidden", False),
        ({"module__dropout": None}, "module__dropout", False),
        ({"batch_size": -1}, "batch_size", False),
        ({"optimizer__lr": 0.1}, "lr", False),
        ({"optimizer__lr": 0.1}, "optimizer__lr", True),
        ({"optimizer": torch.optim.LBFGS}, "optimizer__weight_decay", False),
    ],
    ids=str,
)
def test_space_goes_by_what_is_set(options, name, lies_in):
    space = default_space(net(**options))
    assert (name in space) == lies_in
    if lies_in:
        assert options[name] in space[name]


def test_module_that_is_made_already_is_left_alone():
    model = skorch.NeuralNetClassifier(MLP(), criterion=torch.nn.CrossEntropyLoss)
    assert not any(name.startswith("module__") for name in default_space(model))


def test_other_parameters_of_a_module_are_left_alone():
    assert not default_space(net()).keys() & {"module__n_classes", "module__bias", "module__alpha"}


def test_names_have_the_prefixes_of_what_holds_the_net():
    in_pipeline = default_space(make_pipeline(StandardScaler(), net()))
    assert in_pipeline.tiers[0] == ["neuralnetclassifier__lr"]
    regressor = skorch.NeuralNetRegressor(MLP)
    assert default_space(TransformedTargetRegressor(regressor)).tiers[0] == ["regressor__lr"]


@pytest.mark.parametrize(
    "search_class, options",
    [
        (LogRandomSearchCV, {"n_iter": 2}),
        (BayesSearchCV, {"n_iter": 2}),
        (CoarseToFineSearchCV, {"n_iter": (6, 2), "tiers": "auto"}),
        (PBTSearchCV, {"population_size": 3, "n_generations": 2, "burn_in": 0}),
    ],
)
def test_nets_are_searched(search_class, options):
    search = search_class(net(), "auto", cv=2, random_state=0, error_score="raise", **options)
    search.fit(X, Y)
    assert search.best_params_.keys() >= default_space(net()).keys()


def test_tiers_start_from_what_the_module_has():
    search = CoarseToFineSearchCV(
        net(), "auto", n_iter=(6, 2), tiers="auto", cv=2, random_state=0
    ).fit(X, Y)
    first = search.cv_results_["params"][0]
    assert (first["module__dropout"], first["module__hidden"]) == (0.1, 32)
    assert (first["optimizer__momentum"], first["module__n_layers"]) == (0, 1)


def test_bayes_search_begins_with_what_the_module_has():
    space = {"lr": (1e-3, 1.0, "log-uniform"), "module__hidden": (16, 64)}
    search = BayesSearchCV(net(), space, n_iter=2, cv=2, random_state=0).fit(X, Y)
    assert search.cv_results_["params"][0] == {"lr": 0.01, "module__hidden": 32}


@pytest.mark.parametrize(
    "name, value, high",
    [
        ("hidden", 32, 512),
        ("n_hidden", 32, 512),
        ("hidden_size", 32, 512),
        ("num_hidden_units", 32, 512),
        ("hidden1", 32, 512),
        ("width", 32, 512),
        ("num_layers", 2, 4),
        ("n_hidden_layers", 2, 4),
        ("depth", 2, 4),
        ("dropout", 0.1, 0.5),
        ("dropout_rate", 0, 0.5),
        ("p_drop", 0.1, 0.5),
        ("attention_dropout", 0.1, 0.5),
        ("n_classes", 10, None),
        ("drop_last", True, None),
        ("dropout", 0.9, None),
        ("hidden_activation", 1, None),
        ("kernel_size", 3, None),
    ],
)
def test_parameters_of_a_module_are_known_by_their_names(name, value, high):
    entry = _module_entry(f"module__{name}", name, value)
    assert (entry and entry.dimension.high) == high
    assert entry is None or value in entry.dimension
