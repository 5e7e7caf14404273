"""Populations of skorch nets."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
skorch = pytest.importorskip("skorch")

from sklearn.datasets import load_digits  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from skorch.callbacks import LRScheduler  # noqa: E402

from sklearn_hpt import PBTSearchCV  # noqa: E402
from sklearn_hpt.schedule import Schedule, replay_schedule  # noqa: E402

X, Y = load_digits(return_X_y=True)
X, Y = X[:300].astype(np.float32) / 16, Y[:300]
SPACE = {
    "lr": (1e-3, 1.0, "log-uniform"),
    "optimizer__momentum": (0.1, 0.99, "log-complement"),
    "module__dropout": (0.0, 0.6),
    "module__hidden": [8, 16],
}


class MLP(torch.nn.Module):
    def __init__(self, hidden=8, dropout=0.1):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(64, hidden),
            torch.nn.ReLU(),
            torch.nn.Dropout(dropout),
            torch.nn.Linear(hidden, 10),
        )

    def forward(self, X):
        return self.layers(X)


def net(**options):
    options = {"max_epochs": 15, "train_split": None, "verbose": 0, "lr": 0.1, **options}
    return skorch.NeuralNetClassifier(
        MLP,
        criterion=torch.nn.CrossEntropyLoss,
        **{"module__dropout": 0.1, **options},
        iterator_train__shuffle=True,
    )


def search(model, space=SPACE, **settings):
    settings = {"population_size": 4, "n_generations": 3, "cv": 2, "random_state": 0, **settings}
    return PBTSearchCV(model, space, burn_in=0, **settings)


def test_a_net_is_tuned_while_it_is_trained_whatever_the_number_of_workers():
    one, two = (search(net(), n_jobs=n_jobs).fit(X, Y) for n_jobs in (1, 2))
    for name, column in one.population_history_.items():
        assert list(map(str, column)) == list(map(str, two.population_history_[name])), name
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))
    assert one.best_score_ > 0.5
    found = one.best_estimator_
    assert len(found.history) == one.best_params_["max_epochs"]
    assert found.lr == one.best_params_["lr"]
    assert found.optimizer_.param_groups[0]["lr"] == one.best_params_["lr"]
    assert found.module_.layers[2].p == one.best_params_["module__dropout"]


def test_replaying_twice_with_one_seed_gives_the_same_bits():
    schedule = Schedule(
        "net__max_epochs",
        [
            (2, {"net__lr": 0.5, "net__batch_size": 32}),
            (2, {"net__lr": 0.05, "net__batch_size": 64}),
        ],
    )
    model = make_pipeline(StandardScaler()).set_params()
    model.steps.append(("net", net()))
    one, two = (replay_schedule(model, schedule, X, Y, random_state=3) for _ in range(2))
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))
    assert one["net"].batch_size == 64


def test_two_controllers_of_one_rate_are_refused():
    model = net(callbacks=[("schedule", LRScheduler("StepLR", step_size=1))])
    with pytest.raises(ValueError, match=r"lr is searched, .* LRScheduler .* out of the net"):
        search(model).fit(X, Y)
    without_rate = {name: values for name, values in SPACE.items() if name != "lr"}
    assert search(model, without_rate, n_generations=2).fit(X, Y).best_score_ > 0.0


def test_what_a_net_cannot_change_is_listed():
    with pytest.raises(ValueError, match=r"nothing that can change .* batch_size, criterion__"):
        search(net(), {"module__hidden": [8, 16]}).fit(X, Y)


def test_a_diverged_member_is_replaced():
    space = {"lr": (1e-2, 1e30, "log-uniform")}
    with pytest.warns(Warning, match="fits failed"):
        found = search(net(), space, population_size=6).fit(X, Y)
    history = found.population_history_
    has_failed = ~np.isfinite(history["mean_test_score"])
    assert has_failed[:6].any()
    for row in range(6, 18):
        parent = 6 * (history["generation"][row] - 1) + history["parent"][row]
        assert not has_failed[parent]


def test_choices_of_dropout_may_be_integers_and_change_in_the_middle():
    space = {"module__dropout": [0, 0.25, 0.5], "lr": (0.05, 0.3)}
    found = search(net(), space, n_generations=5, resample=1.0, refit=False).fit(X, Y)
    history = found.population_history_
    assert np.isfinite(history["mean_test_score"]).all()
    assert len({params["module__dropout"] for params in history["params"]}) == 3


def test_momentum_may_begin_in_the_middle():
    model = net(optimizer=torch.optim.RMSprop, lr=0.001)
    steps = [(2, {"optimizer__momentum": 0.0}), (2, {"optimizer__momentum": 0.9})]
    trained = replay_schedule(model, Schedule("max_epochs", steps), X, Y, random_state=0)
    assert trained.optimizer_.param_groups[0]["momentum"] == 0.9
    assert len(trained.history) == 4


def test_betas_in_a_list_take_effect():
    model = net(optimizer=torch.optim.Adam, lr=0.001)
    steps = [(2, {"optimizer__betas": [0.9, 0.999]}), (2, {"optimizer__betas": [0.1, 0.5]})]
    trained = replay_schedule(model, Schedule("max_epochs", steps), X, Y, random_state=0)
    assert list(trained.optimizer_.param_groups[0]["betas"]) == [0.1, 0.5]


class Smoothed(torch.nn.Module):
    def __init__(self, smoothing=0.1):
        super().__init__()
        self.loss = torch.nn.CrossEntropyLoss(label_smoothing=smoothing)

    def forward(self, y_pred, y_true):
        return self.loss(y_pred, y_true)


def test_what_a_criterion_holds_deep_inside_changes_too():
    model = net().set_params(criterion=Smoothed)
    steps = [(2, {"criterion__smoothing": 0.1}), (2, {"criterion__smoothing": 0.5})]
    trained = replay_schedule(model, Schedule("max_epochs", steps), X, Y, random_state=0)
    assert trained.criterion_.loss.label_smoothing == 0.5


def test_an_ensemble_of_nets_takes_what_the_search_took():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=[f"pixel{i}" for i in range(64)])
    found = search(net(), refit="ensemble").fit(frame, Y)
    assert found.score(frame, Y) == found.score(X, Y)
