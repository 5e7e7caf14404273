"""Nets that are trained together learn what each would have learned alone."""

import time

import numpy as np
import pytest

torch = pytest.importorskip("torch")
skorch = pytest.importorskip("skorch")

from sklearn.datasets import load_digits  # noqa: E402
from torch import nn  # noqa: E402

from sklearn_hpt.nets._batches import drawn_batches  # noqa: E402
from sklearn_hpt.nets._stack import CannotStack  # noqa: E402
from sklearn_hpt.nets._stacked_training import (  # noqa: E402
    OutOfTime,
    train_together,
    write_history,
)

X, Y = load_digits(return_X_y=True)
X, Y = (X / 16.0).astype(np.float32), Y.astype(np.int64)
FOLDS = [np.arange(0, 264), np.arange(100, 365), np.arange(300, 520)]  # unequal on purpose


class MLP(nn.Module):
    def __init__(self, hidden=16):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, 10))

    def forward(self, X):
        return self.layers(X)


class CNN(nn.Module):
    def __init__(self, is_normalised=False):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1),
            nn.BatchNorm2d(4) if is_normalised else nn.Identity(),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(4, 8, 3),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(32, 10),
        )

    def forward(self, X):
        return self.layers(X.reshape(-1, 1, 8, 8))


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.places = nn.Embedding(8, 8)
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
        self.norm = nn.LayerNorm(64)
        self.out = nn.Linear(64, 10)

    def forward(self, X):
        X = X.reshape(-1, 8, 8) + self.places(torch.arange(8, device=X.device))
        return self.out(self.norm(self.layer(X).flatten(1)))


OPTIMIZERS = {
    "SGD": (
        torch.optim.SGD,
        [
            {"momentum": m, "weight_decay": w}
            for m, w in ((0.0, 0.0), (0.9, 1e-3), (0.5, 0.0), (0.9, 0.0))
        ],
    ),
    "Nesterov": (
        torch.optim.SGD,
        [{"momentum": 0.8, "nesterov": True}, {"momentum": 0.3, "dampening": 0.5}],
    ),
    "Adam": (
        torch.optim.Adam,
        [{"betas": (0.9, 0.999)}, {"betas": (0.5, 0.9), "weight_decay": 0.1}],
    ),
    "AdamW": (torch.optim.AdamW, [{"weight_decay": 0.1}, {"betas": (0.8, 0.95), "eps": 1e-4}]),
    "RMSprop": (
        torch.optim.RMSprop,
        [{"alpha": 0.9}, {"momentum": 0.5}, {"centered": True, "weight_decay": 0.01}],
    ),
    "Adagrad": (torch.optim.Adagrad, [{"lr_decay": 0.1}, {"weight_decay": 0.01}]),
    "NAdam": (torch.optim.NAdam, [{"momentum_decay": 0.01}, {"betas": (0.5, 0.9)}]),
}


def made(seed, module=MLP, optimizer=torch.optim.SGD, lr=0.05, dtype=torch.float32, **params):
    torch.manual_seed(seed)
    net = skorch.NeuralNetClassifier(
        module,
        criterion=nn.CrossEntropyLoss,
        optimizer=optimizer,
        lr=lr,
        train_split=None,
        verbose=0,
        iterator_train__shuffle=True,
        **params,
    ).initialize()
    net.module_.to(dtype)
    return net


def batches_of(member, n_epochs, batch_size=64):
    rows = FOLDS[member % 3]
    torch.manual_seed(100 + member)
    drawn = drawn_batches(len(rows), n_epochs, batch_size, shuffle=True, drop_last=False)
    return [[rows[batch] for batch in epoch] for epoch in drawn]


def train_alone(net, batches, dtype=torch.float32):
    """Train by torch itself, without anything of what is tested."""
    data, target = torch.from_numpy(X).to(dtype), torch.from_numpy(Y)
    net.module_.train()
    for epoch in batches:
        for batch in epoch:
            net.optimizer_.zero_grad()
            loss = nn.functional.cross_entropy(net.module_(data[batch]), target[batch])
            loss.backward()
            net.optimizer_.step()


def distance(one, other):
    """Return the largest difference of weights, statistics and what the optimizers keep."""
    pairs = list(
        zip(one.module_.state_dict().values(), other.module_.state_dict().values(), strict=True)
    )
    states = [net.optimizer_.state_dict()["state"] for net in (one, other)]
    assert states[0].keys() == states[1].keys()
    for key, state in states[0].items():
        expected = states[1][key]
        assert not {n for n, v in expected.items() if v is not None} - state.keys()
        # what one row needs all have; those that have no use for it have zeros
        pairs += [
            (v, torch.zeros_like(v) if expected.get(n) is None else expected[n])
            for n, v in state.items()
            if torch.is_tensor(v)
        ]
    return max(float((a.double() - b.double()).abs().max()) for a, b in pairs)


def train_both(nets, epochs_each, dtype=torch.float32, batch_sizes=(64,), change=None):
    """Train copies together and alone, in several goes; return the largest distance."""
    data, target = torch.from_numpy(X).to(dtype), torch.from_numpy(Y)
    together, alone = nets
    for go, n_epochs in enumerate(epochs_each):
        if go and change is not None:
            for nets_of in (together, alone):
                for member, net in enumerate(nets_of):
                    change(member, net)
        batches = [
            batches_of(m + 10 * go, n_epochs, batch_sizes[m % len(batch_sizes)])
            for m in range(len(together))
        ]
        train_together(together, data, target, batches)
        for net, of_net in zip(alone, batches, strict=True):
            train_alone(net, of_net, dtype)
    return max(distance(a, b) for a, b in zip(together, alone, strict=True))


def populations(name, n_members=6, **made_with):
    optimizer, params = OPTIMIZERS[name]
    params = [
        {f"optimizer__{n}": v for n, v in params[m % len(params)].items()} for m in range(n_members)
    ]
    lr = {"SGD": 0.1, "Nesterov": 0.05}.get(name, 0.003)
    return [
        [
            made(m, optimizer=optimizer, lr=lr * (1 + m / 3), **params[m], **made_with)
            for m in range(n_members)
        ]
        for _ in range(2)
    ]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in ("SGD", "Adam", "NAdam") else pytest.mark.slow)
        for name in OPTIMIZERS
    ],
)
def test_an_mlp_learns_what_it_would_have_learned_alone(name):
    """With unequal folds, and with hyperparameters that change half-way."""

    def change(member, net):
        net.set_params(lr=0.01 * (member + 1) * (1 if "lr" in name else 0.3))
        if name == "SGD":
            net.set_params(optimizer__momentum=(0.9, 0.0, 0.3)[member % 3])

    if name == "RMSprop":  # centered, it divides by a difference that rounding may be all of
        nets = populations(name, dtype=torch.float64)
        assert train_both(nets, (3, 3), dtype=torch.float64, change=change) < 1e-7
    else:
        assert train_both(populations(name), (3, 3), change=change) < 1e-5


@pytest.mark.parametrize("is_normalised", [pytest.param(False, marks=pytest.mark.slow), True])
@pytest.mark.parametrize("name", [pytest.param("SGD", marks=pytest.mark.slow), "Adam"])
def test_a_cnn_in_double_precision_learns_what_it_would_have_learned_alone(name, is_normalised):
    made_with = {"module": CNN, "module__is_normalised": is_normalised, "dtype": torch.float64}
    nets = populations(name, 4, **made_with)
    assert train_both(nets, (2, 2), dtype=torch.float64) < 1e-7


def test_attention_embeddings_and_layer_norm_are_stacked():
    nets = populations("AdamW", 4, module=Attention, dtype=torch.float64)
    assert train_both(nets, (1, 1), dtype=torch.float64) < 1e-7


def test_members_may_have_batches_of_their_own_size():
    assert train_both(populations("Adam"), (2, 1), batch_sizes=(16, 64, 100)) < 1e-5


def test_four_epochs_are_four_times_one_epoch():
    once, often = populations("Adam")
    data, target = torch.from_numpy(X), torch.from_numpy(Y)
    batches = [batches_of(m, 4) for m in range(6)]
    write_history(once, batches, train_together(once, data, target, batches), 1.0)
    for epoch in range(4):
        of_epoch = [of_net[epoch : epoch + 1] for of_net in batches]
        write_history(often, of_epoch, train_together(often, data, target, of_epoch), 1.0)
    assert max(map(distance, once, often)) == 0.0
    assert [len(net.history) for net in often] == [4] * 6
    for one, other in zip(once, often, strict=True):
        np.testing.assert_allclose(one.history[:, "train_loss"], other.history[:, "train_loss"])


def test_a_member_that_diverges_does_not_touch_the_others():
    nets, _ = populations("SGD")
    _, alone = populations("SGD")
    nets[2].set_params(lr=1e30)
    data, target = torch.from_numpy(X), torch.from_numpy(Y)
    batches = [batches_of(m, 3) for m in range(6)]
    losses = train_together(nets, data, target, batches)
    last = [losses[sum(map(len, of_net)) - 1, m] for m, of_net in enumerate(batches)]
    assert np.isfinite(last).tolist() == [True, True, False, True, True, True]
    for m in (0, 1, 3, 4, 5):
        train_alone(alone[m], batches[m])
        assert distance(nets[m], alone[m]) < 1e-5


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("drop_last", [True, False])
@pytest.mark.parametrize("batch_size", [32, 100, 7])
def test_batches_are_those_that_a_data_loader_draws(shuffle, drop_last, batch_size):
    torch.manual_seed(3)
    loader = torch.utils.data.DataLoader(
        range(100), batch_size, shuffle=shuffle, drop_last=drop_last
    )
    expected = [[batch.tolist() for batch in loader] for _ in range(3)]
    torch.manual_seed(3)
    drawn = drawn_batches(100, 3, batch_size, shuffle=shuffle, drop_last=drop_last)
    assert [[batch.tolist() for batch in epoch] for epoch in drawn] == expected


class WithDropout(nn.Module):
    def __init__(self, dropout=0.5):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(64, 10)

    def forward(self, X):
        return self.out(self.dropout(X))


def test_each_member_has_its_own_rate_of_dropout():
    """A row whose rate is 0 learns what it learns alone, one whose rate is 1 only its bias."""
    nets, alone = (
        [made(m, WithDropout, module__dropout=rate) for m, rate in enumerate((0.0, 0.5, 1.0))]
        for _ in range(2)
    )
    before = nets[2].module_.out.weight.detach().clone()
    batches = [batches_of(m, 2) for m in range(3)]
    train_together(nets, torch.from_numpy(X), torch.from_numpy(Y), batches)
    train_alone(alone[0], batches[0])
    assert distance(nets[0], alone[0]) < 1e-5
    assert torch.equal(nets[2].module_.out.weight, before)
    train_alone(alone[1], batches[1])
    assert 1e-3 < distance(nets[1], alone[1]) < 0.5  # other masks, of the same rate
    assert [net.module_.dropout.p for net in nets] == [0.0, 0.5, 1.0]


def test_dropout_keeps_the_mean_and_the_right_share():
    from sklearn_hpt.nets._stack import StackedDropout

    torch.manual_seed(0)
    dropped = StackedDropout(0.3)(torch.ones(100_000))
    assert abs(float(dropped.mean()) - 1.0) < 0.01
    assert abs(float((dropped == 0).float().mean()) - 0.3) < 0.01
    assert float(dropped.max()) == pytest.approx(1 / 0.7)


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.out = nn.LSTM(8, 8, batch_first=True), nn.Linear(8, 10)

    def forward(self, X):
        return self.out(self.lstm(X.reshape(-1, 8, 8))[0][:, -1])


def test_at_the_deadline_all_nets_are_as_they_were():
    nets, before = populations("Adam", 3)
    batches = [batches_of(m, 2_000 if m else 1) for m in range(3)]
    deadline = time.monotonic() + 0.2
    with pytest.raises(OutOfTime):
        train_together(nets, torch.from_numpy(X), torch.from_numpy(Y), batches, deadline)
    assert all(distance(a, b) == 0 for a, b in zip(nets, before, strict=True))


class Undecided(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Linear(64, 10)

    def forward(self, X):
        return self.out(X) if X.mean() > 0.5 else self.out(X) * 2


@pytest.mark.parametrize("module", [Recurrent, Undecided])
def test_what_cannot_be_stacked_is_said_and_nothing_is_changed(module):
    nets = [made(m, module) for m in range(2)]
    before = [net.module_.out.weight.detach().clone() for net in nets]
    with pytest.raises((CannotStack, RuntimeError)):
        train_together(
            nets, torch.from_numpy(X), torch.from_numpy(Y), [batches_of(m, 1) for m in (0, 1)]
        )
    for net, weight in zip(nets, before, strict=True):
        assert torch.equal(net.module_.out.weight, weight)
        assert len(net.history) == 0


@pytest.mark.parametrize(
    ("one", "other", "message"),
    [
        ({"module__hidden": 16}, {"module__hidden": 8}, "differ"),
        ({}, {"optimizer": torch.optim.Adam}, "several classes"),
    ],
)
def test_nets_that_differ_are_refused(one, other, message):
    nets = [made(0, **one), made(1, **other)]
    with pytest.raises(CannotStack, match=message):
        train_together(
            nets, torch.from_numpy(X), torch.from_numpy(Y), [batches_of(m, 1) for m in (0, 1)]
        )
