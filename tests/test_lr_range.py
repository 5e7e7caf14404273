"""The range test of learning rates: what it finds is known, and the net is as it was."""

import copy
import warnings

import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")
torch = pytest.importorskip("torch")
skorch = pytest.importorskip("skorch")

from sklearn.base import clone  # noqa: E402
from sklearn.datasets import load_diabetes, load_digits  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.preprocessing import scale  # noqa: E402
from torch import nn  # noqa: E402

from sklearn_hpt import LogRandomSearchCV  # noqa: E402
from sklearn_hpt.displays import LossCurvesDisplay, LRRangeDisplay  # noqa: E402
from sklearn_hpt.exceptions import LRRangeWarning  # noqa: E402
from sklearn_hpt.nets import LRFinder, LRRange, lr_range_test  # noqa: E402
from sklearn_hpt.nets._lr_range import _has_diverged, _smoothed  # noqa: E402
from sklearn_hpt.nets._sweep import ready, sweep_alone, sweep_together  # noqa: E402

X, Y = load_digits(return_X_y=True)
X, Y = (X / 16).astype(np.float32), Y.astype(np.int64)
X_LINE, Y_LINE = load_diabetes(return_X_y=True)
X_LINE, Y_LINE = scale(X_LINE).astype(np.float32), scale(Y_LINE)[:, None].astype(np.float32)


class MLP(nn.Module):
    def __init__(self, hidden=32, dropout=0.1):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(64, hidden),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, 10),
        )

    def forward(self, X):
        return self.layers(X)


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.out = nn.LSTM(8, 8, batch_first=True), nn.Linear(8, 10)

    def forward(self, X):
        return self.out(self.lstm(X.reshape(-1, 8, 8))[0][:, -1])


def net(module=MLP, **options):
    options = {"verbose": 0, "batch_size": 64, "max_epochs": 2, **options}
    return skorch.NeuralNetClassifier(
        module, criterion=nn.CrossEntropyLoss, iterator_train__shuffle=True, **options
    )


def line(**options):
    return skorch.NeuralNetRegressor(
        nn.Linear,
        module__in_features=10,
        module__out_features=1,
        verbose=0,
        batch_size=-1,
        **options,
    )


def everything_in(model):
    """Return all tensors of a net and its optimizer, and torch's random state."""
    states = [model.module_.state_dict(), *model.optimizer_.state_dict()["state"].values()]
    tensors = [v for state in states for v in state.values() if torch.is_tensor(v)]
    groups = [{n: v for n, v in g.items() if n != "params"} for g in model.optimizer_.param_groups]
    return copy.deepcopy(tensors), copy.deepcopy(groups), len(model.history), torch.get_rng_state()


@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.Adam])
@pytest.mark.parametrize("module", [MLP, Recurrent])
def test_a_fitted_net_is_the_same_to_the_last_bit(optimizer, module):
    model = net(module, optimizer=optimizer, lr=0.01).fit(X[:300], Y[:300])
    before = everything_in(model)
    LRFinder(model, n_steps=40, random_state=0).fit(X[:300], Y[:300])
    after = everything_in(model)
    assert all(torch.equal(a, b) for a, b in zip(before[0], after[0], strict=True))
    assert before[1:3] == after[1:3] and torch.equal(before[3], after[3])


def test_a_net_that_is_not_fitted_stays_so():
    model = net()
    state = torch.get_rng_state()
    LRFinder(model, n_steps=30).fit(X, Y)
    assert not getattr(model, "initialized_", False)
    assert torch.equal(torch.get_rng_state(), state)


def test_the_range_of_a_quadratic_ends_where_gradient_descent_diverges():
    """For a mean squared error the limit is 2 / (largest eigenvalue of 2 X'X / n)."""
    ones = np.column_stack([X_LINE, np.ones(len(X_LINE))])
    limit = 2.0 / (2.0 * np.linalg.eigvalsh(ones.T @ ones / len(ones)).max())
    found = lr_range_test(line(), X_LINE, Y_LINE, n_steps=400, min_lr=1e-5, random_state=0)
    assert limit / 10 < found.high < limit * 3  # the mean lags behind by some steps
    assert found.lrs[-1] < 10 * limit  # it ended there
    assert found.suggestion < limit


def test_a_suggested_rate_trains_and_a_hundredth_of_it_does_not():
    found = LRFinder(net(), random_state=0).fit(X[:1200], Y[:1200])
    scores = []
    for lr in (found.suggestion_, found.suggestion_ / 100):
        torch.manual_seed(0)
        model = net(lr=lr, max_epochs=5, train_split=None).fit(X[:1200], Y[:1200])
        scores.append(model.score(X[1200:], Y[1200:]))
    assert scores[0] > scores[1] + 0.2


@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.Adam, torch.optim.NAdam])
def test_a_sweep_together_gives_the_losses_of_sweeps_alone(optimizer):
    """Without shuffling; the last batch is a whole one."""
    lrs = np.geomspace(1e-5, 0.5, 40)
    nets = []
    for seed in range(3):
        torch.manual_seed(seed)
        model = net(optimizer=optimizer, module__dropout=0.0, batch_size=32)
        nets.append(ready(model.set_params(iterator_train__shuffle=False)))
    together = np.array(list(sweep_together(nets, X[:320], Y[:320], lrs)))
    alone = np.column_stack([list(sweep_alone(one, X[:320], Y[:320], lrs)) for one in nets])
    np.testing.assert_allclose(together, alone, rtol=2e-3)


def test_several_architectures_are_tested_at_once_in_their_order():
    recurrent = net(Recurrent, optimizer=torch.optim.Adam)
    nets = [net(), recurrent, net(module__hidden=8), net(), net(batch_size=32)]
    found = lr_range_test(nets, X, Y, n_steps=60, random_state=0)
    assert len(found) == 5 and all(isinstance(one, LRRange) for one in found)
    again = lr_range_test(nets, X, Y, n_steps=60, random_state=0)
    for one, other in zip(found, again, strict=True):
        np.testing.assert_array_equal(one.losses, other.losses)


def test_the_range_is_searched():
    finder = LRFinder(net(), random_state=0, n_steps=100).fit(X[:400], Y[:400])
    dimension = finder.lr_range_.to_space()
    assert dimension.low < finder.suggestion_ < dimension.high
    search = LogRandomSearchCV(
        net(train_split=None), {"lr": dimension}, n_iter=3, cv=2, random_state=0, refit=False
    ).fit(X[:400], Y[:400])
    assert all(dimension.low <= p["lr"] <= dimension.high for p in search.cv_results_["params"])


def test_a_cautious_rule_divides_the_suggestion():
    plain, cautious = (
        LRFinder(net(), random_state=0, divide_by=by).fit(X, Y).suggestion_ for by in (1.0, 10.0)
    )
    assert cautious == pytest.approx(plain / 10)


def test_smoothing_has_no_bias_to_zero():
    np.testing.assert_allclose(_smoothed(np.full(30, 2.5), 0.98), 2.5)
    np.testing.assert_array_equal(_smoothed(np.arange(4.0), 0.0), np.arange(4.0))


def test_divergence_is_four_times_the_least_and_works_below_zero():
    assert not _has_diverged(np.array([2.0, 1.0, 3.9]), 0.0, 4.0)
    assert _has_diverged(np.array([2.0, 1.0, 4.1]), 0.0, 4.0)
    assert _has_diverged(np.array([2.0, 1.0, np.nan]), 0.0, 4.0)
    assert not _has_diverged(np.array([-3.0, -4.0, -3.5]), 0.0, 4.0)
    assert _has_diverged(np.array([-3.0, -4.0, 9.0]), 0.0, 4.0)


def test_a_loss_that_never_falls_is_warned_about():
    with pytest.warns(LRRangeWarning, match="fell at none of 50 learning rates"):
        finder = LRFinder(net(), min_lr=1e-9, max_lr=1e-7, n_steps=50, random_state=0).fit(X, Y)
    assert np.isnan(finder.suggestion_) and len(finder.losses_) == 50
    with pytest.raises(ValueError, match="never fell"):
        finder.lr_range_.to_space()
    LRRangeDisplay.from_estimator(finder)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_lr": 0.0}, "min_lr=0.0 must be a number above 0"),
        ({"max_lr": 1e-9}, "max_lr=1e-09 must be a number above min_lr"),
        ({"n_steps": 3}, "n_steps=3 must be an integer of at least 20"),
        ({"smoothing": 1.0}, "smoothing=1.0"),
        ({"diverged": 1}, "diverged=1"),
        ({"divide_by": "3"}, "divide_by='3'"),
    ],
)
def test_what_is_out_of_range_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        LRFinder(net(), **options).fit(X, Y)


def test_what_is_no_net_is_refused():
    with pytest.raises(ValueError, match="must be a net of skorch"):
        LRFinder(LogisticRegression()).fit(X, Y)


def test_the_finder_is_cloned_as_any_estimator():
    finder = clone(LRFinder(net(), n_steps=30, divide_by=3.0))
    assert finder.n_steps == 30 and finder.divide_by == 3.0


# pictures


def test_the_picture_of_a_range_shows_the_suggestion():
    finder = LRFinder(net(), random_state=0, n_steps=60).fit(X, Y)
    display = LRRangeDisplay.from_estimator(finder)
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert f"suggestion {finder.suggestion_:.2g}" in labels
    assert display.figure_ is display.ax_.figure and display.ax_.get_xscale() == "log"


def test_loss_curves_of_several_rates_begin_with_the_same_weights():
    display = LossCurvesDisplay.from_estimator(net(), X[:300], Y[:300], param_range=[1e-9, 0.1])
    tiny, good = display.curves.values()
    assert list(display.curves) == ["lr=1e-09", "lr=0.1"]
    assert good["train_loss"][-1] < tiny["train_loss"][-1]
    assert "valid_loss" in good and "validation" in display.ax_.get_ylabel()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        display.figure_.canvas.draw()


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        (LogisticRegression(), {"param_range": [1]}, "must be a net"),
        (net(), {"param_range": []}, "param_range is empty"),
        (net(), {"param_name": "rate", "param_range": [1]}, "param_name='rate'"),
    ],
)
def test_curves_that_cannot_be_drawn_are_refused(model, options, message):
    with pytest.raises(ValueError, match=message):
        LossCurvesDisplay.from_estimator(model, X, Y, **options)
