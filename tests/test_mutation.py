"""Hyperparameters that change in the middle of training: what takes effect, and what is kept."""

import copy
import importlib.util

import numpy as np
import pytest
from sklearn.base import clone, is_regressor
from sklearn.datasets import load_diabetes, load_wine
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import SGDClassifier, SGDRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale
from sklearn.svm import SVC

from sklearn_hpt._mutation import change, mutable_names

WINE, DIABETES = load_wine(), load_diabetes()
CLASSES = scale(WINE.data).astype(np.float32), WINE.target
NUMBERS = scale(DIABETES.data)[:150].astype(np.float32), scale(DIABETES.target)[:150]


def data_for(model):
    return NUMBERS if is_regressor(model) else CLASSES


def go_on(model, seed):
    """Train on by one unit, the same in each copy."""
    X, y = data_for(model)
    if hasattr(model, "warm_start") and hasattr(model, "n_estimators"):
        model.set_params(warm_start=True, n_estimators=model.n_estimators + 3)
        return model.fit(X, y)
    if "Hist" in type(model).__name__:
        model.set_params(warm_start=True, max_iter=model.max_iter + 3)
        return model.fit(X, y)
    model.random_state = seed
    return model.partial_fit(X, y, **({} if is_regressor(model) else {"classes": np.unique(y)}))


def learned(model):
    X, _ = data_for(model)
    return model.predict(X) if is_regressor(model) else model.predict_proba(X)


EFFECTS = [
    (SGDClassifier(loss="log_loss", random_state=0), {"alpha": 1.0}),
    (SGDClassifier(loss="log_loss", penalty="elasticnet", alpha=0.1), {"l1_ratio": 0.9}),
    (SGDClassifier(loss="log_loss", learning_rate="constant"), {"eta0": 1.0}),
    (SGDClassifier(loss="log_loss", learning_rate="invscaling"), {"power_t": 0.01}),
    (SGDRegressor(loss="huber", learning_rate="constant"), {"epsilon": 1e-3}),
    (SGDRegressor(alpha=0.1), {"penalty": "l1"}),
    (MLPClassifier(max_iter=5, random_state=0), {"learning_rate_init": 0.1}),
    (MLPClassifier(max_iter=5, random_state=0), {"beta_1": 0.1}),
    (MLPClassifier(max_iter=5, random_state=0), {"beta_2": 0.5}),
    (MLPClassifier(max_iter=5, random_state=0), {"epsilon": 0.1}),
    (MLPClassifier(max_iter=5, random_state=0), {"alpha": 100.0}),
    (MLPClassifier(max_iter=5, random_state=0), {"batch_size": 7}),
    (MLPRegressor(max_iter=5, solver="sgd", random_state=0), {"learning_rate_init": 0.05}),
    (MLPRegressor(max_iter=5, solver="sgd", random_state=0), {"momentum": 0.1}),
    (HistGradientBoostingClassifier(max_iter=3, random_state=0), {"learning_rate": 0.9}),
    (HistGradientBoostingClassifier(max_iter=3, random_state=0), {"l2_regularization": 50.0}),
    (HistGradientBoostingClassifier(max_iter=3, random_state=0), {"max_leaf_nodes": 2}),
    (HistGradientBoostingClassifier(max_iter=3, random_state=0), {"min_samples_leaf": 60}),
    (HistGradientBoostingClassifier(max_iter=3, random_state=0), {"max_depth": 1}),
    (HistGradientBoostingClassifier(max_iter=3, random_state=0), {"max_features": 0.2}),
    (RandomForestClassifier(3, random_state=0), {"max_depth": 1}),
    (RandomForestClassifier(3, random_state=0), {"criterion": "entropy", "max_features": 1}),
    (RandomForestClassifier(3, random_state=0), {"max_samples": 0.1}),
    (RandomForestClassifier(3, random_state=0), {"ccp_alpha": 0.2}),
    (ExtraTreesRegressor(3, random_state=0), {"min_samples_split": 0.5}),
    (ExtraTreesRegressor(3, random_state=0), {"min_weight_fraction_leaf": 0.2}),
    (GradientBoostingClassifier(n_estimators=3, random_state=0), {"subsample": 0.2}),
    (GradientBoostingClassifier(n_estimators=3, random_state=0), {"min_impurity_decrease": 9.0}),
]


@pytest.mark.parametrize(
    ("model", "params"), EFFECTS, ids=[f"{type(m).__name__}-{next(iter(p))}" for m, p in EFFECTS]
)
def test_what_changes_takes_effect_when_training_goes_on_and_not_before(model, params):
    trained = go_on(clone(model), 1)
    changed = copy.deepcopy(trained)
    change(changed, params)
    np.testing.assert_array_equal(learned(changed), learned(trained))
    assert {name: changed.get_params()[name] for name in params} == params
    assert not np.array_equal(learned(go_on(changed, 2)), learned(go_on(trained, 2)))


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_a_learning_rate_of_next_to_nothing_stops_an_mlp(solver):
    """scikit-learn ignores the parameter after the first pass: the optimizer has its own."""
    model = go_on(MLPClassifier(solver=solver, momentum=0.0, random_state=0), 1)
    before = [weights.copy() for weights in model.coefs_]
    change(model, {"learning_rate_init": 1e-12})
    go_on(model, 2)
    assert max(abs(a - b).max() for a, b in zip(model.coefs_, before, strict=True)) < 1e-9


def test_a_rate_that_a_schedule_has_lowered_stays_lowered():
    model = go_on(MLPClassifier(solver="sgd", learning_rate="adaptive", random_state=0), 1)
    model._optimizer.learning_rate /= 25.0
    change(model, {"learning_rate_init": 0.1})
    assert model._optimizer.learning_rate == pytest.approx(0.1 / 25.0)


@pytest.mark.parametrize(
    ("model", "name", "value"),
    [
        (MLPClassifier(), "hidden_layer_sizes", (3,)),
        (GradientBoostingClassifier(), "learning_rate", 0.5),
        (SGDClassifier(), "loss", "log_loss"),
        (HistGradientBoostingClassifier(), "max_bins", 100),
        (SVC(), "C", 3.0),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "get_params") else str(value),
)
def test_what_cannot_change_is_an_error_that_says_what_can(model, name, value):
    with pytest.raises(ValueError, match=f"{name} cannot change while .* is trained; what can is"):
        change(model, {name: value})


def test_a_value_that_is_there_already_may_be_of_anything():
    change(SVC(C=3.0), {"C": 3.0})


def test_of_a_pipeline_the_last_step_may_change():
    pipeline = make_pipeline(StandardScaler(), SGDClassifier(random_state=0)).fit(*CLASSES)
    assert mutable_names(pipeline) == {
        f"sgdclassifier__{n}" for n in mutable_names(SGDClassifier())
    }
    change(pipeline, {"sgdclassifier__alpha": 0.5})
    assert pipeline[-1].alpha == 0.5
    with pytest.raises(ValueError, match="standardscaler__with_mean cannot change"):
        change(pipeline, {"standardscaler__with_mean": False})


def test_names_are_those_of_parameters():
    for model, _ in EFFECTS:
        assert mutable_names(model) <= model.get_params().keys()


# nets

if importlib.util.find_spec("torch"):
    import torch
    from torch import nn

    class NoisyModule(nn.Module):
        def __init__(self, n_hidden=8, dropout=0.0, noise=0.1, slope=0.1):
            super().__init__()
            self.layers = nn.Sequential(
                nn.Linear(13, n_hidden),
                nn.LeakyReLU(slope),
                nn.Dropout(dropout),
                nn.Linear(n_hidden, 3),
            )
            self.noise = noise
            self.shift = nn.Parameter(torch.full((3,), slope))

        def forward(self, X):
            if self.training:
                X = X + self.noise * torch.randn_like(X)
            return self.layers(X) + self.shift


@pytest.fixture(scope="module")
def skorch():
    pytest.importorskip("torch")
    return pytest.importorskip("skorch")


def a_net(skorch, **params):
    torch.manual_seed(0)
    given = {"optimizer": torch.optim.SGD, "optimizer__momentum": 0.9, "module__dropout": 0.1}
    return skorch.NeuralNetClassifier(
        NoisyModule,
        criterion=nn.CrossEntropyLoss,
        lr=0.1,
        max_epochs=2,
        train_split=None,
        verbose=0,
        **{**given, **params},
    )


def weights_of(net):
    return np.concatenate([p.detach().numpy().ravel() for p in net.module_.parameters()])


def momentum_of(net):
    return [s["momentum_buffer"].clone() for s in net.optimizer_.state.values()]


def test_what_may_change_in_a_net(skorch):
    net = a_net(skorch, module__noise=0.1, module__slope=0.1)
    names = mutable_names(net)
    assert {"lr", "batch_size", "optimizer__momentum", "optimizer__weight_decay"} <= names
    assert {"module__dropout", "module__noise", "criterion__label_smoothing"} <= names
    assert not {"module__n_hidden", "max_epochs", "optimizer", "optimizer__nesterov"} & names
    assert "module__slope" not in names  # it also decides where a weight begins
    assert "optimizer__betas" in mutable_names(a_net(skorch, optimizer=torch.optim.AdamW))


@pytest.mark.parametrize(
    "params",
    [
        {"lr": 0.5},
        {"optimizer__lr": 0.5},
        {"optimizer__momentum": 0.1},
        {"optimizer__weight_decay": 0.5},
        {"batch_size": 16},
        {"module__dropout": 0.8},
        {"criterion__label_smoothing": 0.3},
    ],
    ids=lambda params: next(iter(params)),
)
def test_a_net_keeps_its_weights_and_momentum(skorch, params):
    net = a_net(skorch).fit(*CLASSES)
    if "optimizer__lr" in params:
        net.set_params(optimizer__lr=0.1)
    if "optimizer__weight_decay" in params:
        net.set_params(optimizer__weight_decay=0.0)
    if "criterion__label_smoothing" in params:
        vars(net)["criterion__label_smoothing"] = 0.0
    vars(net).setdefault(next(iter(params)), 0.0)
    unchanged, weights, momentum = copy.deepcopy(net), weights_of(net), momentum_of(net)
    change(net, params)
    np.testing.assert_array_equal(weights_of(net), weights)
    assert all(map(torch.equal, momentum_of(net), momentum))
    assert {name: net.get_params()[name] for name in params} == params
    for each in (net, unchanged):
        torch.manual_seed(1)
        each.partial_fit(*CLASSES)
    assert not np.array_equal(weights_of(net), weights_of(unchanged))
    assert {name: clone(net).get_params()[name] for name in params} == params


def test_to_ask_what_may_change_draws_nothing(skorch):
    net = a_net(skorch)
    torch.manual_seed(3)
    mutable_names(net)
    after = torch.rand(1)
    torch.manual_seed(3)
    assert torch.equal(after, torch.rand(1))


def test_a_new_size_is_refused_and_the_net_stays_as_it_was(skorch):
    net = a_net(skorch, module__n_hidden=8).fit(*CLASSES)
    weights = weights_of(net)
    with pytest.raises(ValueError, match="module__n_hidden cannot change while"):
        change(net, {"lr": 0.2, "module__n_hidden": 16})
    np.testing.assert_array_equal(weights_of(net), weights)
    assert net.lr == 0.1
