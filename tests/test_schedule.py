"""Schedules: printed, written, read and replayed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hpt.schedule import Schedule, replay_schedule

X, Y = load_wine(return_X_y=True)
RATES = Schedule(
    "mlpclassifier__max_iter",
    [
        (4, {"mlpclassifier__learning_rate_init": 0.1, "mlpclassifier__alpha": 0.01}),
        (4, {"mlpclassifier__learning_rate_init": 0.01}),
    ],
)
values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(),
    st.tuples(st.integers()),
)


def test_what_a_step_leaves_out_stays():
    assert RATES.amounts == (4, 8)
    assert [p["mlpclassifier__alpha"] for p in RATES.params] == [0.01, 0.01]


@given(st.lists(st.tuples(st.integers(1, 50), st.dictionaries(st.text(), values)), min_size=1))
def test_json_keeps_everything(steps):
    schedule = Schedule("max_iter", steps)
    again = Schedule.from_json(schedule.to_json())
    assert again == schedule
    assert again.params == schedule.params


def test_numpy_numbers_are_written_as_numbers():
    text = Schedule("max_epochs", [(np.int64(3), {"lr": np.float64(0.5)})]).to_json()
    assert Schedule.from_json(text).steps == ((3, {"lr": 0.5}),)


def test_what_json_cannot_hold_is_named():
    with pytest.raises(TypeError, match="scaler=StandardScaler.. cannot be written as JSON"):
        Schedule("max_epochs", [(3, {"scaler": StandardScaler()})]).to_json()


@pytest.mark.parametrize("steps", [[], [(0, {"lr": 0.1})]])
def test_a_schedule_has_steps(steps):
    with pytest.raises(ValueError, match="must hold at least one pair"):
        Schedule("max_epochs", steps)


def model(**params):
    return make_pipeline(StandardScaler(), MLPClassifier((8,), random_state=0, **params))


def test_a_replay_is_training_with_each_rate_in_its_turn():
    replayed = replay_schedule(model(), RATES, X, Y)
    scaled = StandardScaler().fit_transform(X)
    by_hand = MLPClassifier((8,), random_state=0, learning_rate_init=0.1, alpha=0.01)
    constant = replay_schedule(model(), Schedule(RATES.resource, [(8, RATES.params[0])]), X, Y)
    assert replayed[-1].n_iter_ == 8
    assert replayed[-1].learning_rate_init == 0.01
    assert not np.array_equal(replayed.predict_proba(X), constant.predict_proba(X))
    again = replay_schedule(model(), RATES, X, Y)
    np.testing.assert_array_equal(replayed.predict_proba(X), again.predict_proba(X))
    by_hand.partial_fit(scaled, Y, classes=np.unique(Y))
    first = replay_schedule(model(), Schedule(RATES.resource, [(1, RATES.params[0])]), X, Y)
    np.testing.assert_allclose(first[-1].coefs_[0], by_hand.coefs_[0])


def test_the_estimator_is_not_changed():
    given_model = model()
    replay_schedule(given_model, RATES, X, Y)
    assert given_model[-1].learning_rate_init == 0.001
    assert not hasattr(given_model[-1], "coefs_")


def test_what_cannot_be_trained_on_is_refused():
    schedule = Schedule("max_iter", [(3, {"C": 1.0}), (3, {"C": 2.0})])
    with pytest.raises(ValueError, match="cannot be trained on from where it is when max_iter"):
        replay_schedule(LogisticRegression(), schedule, X, Y)


def test_what_cannot_change_is_refused():
    schedule = Schedule("max_iter", [(3, {"loss": "hinge"}), (3, {"loss": "log_loss"})])
    with pytest.raises(ValueError, match="loss cannot change while"):
        replay_schedule(SGDClassifier(tol=None, random_state=0), schedule, X, Y)


def test_a_net_is_replayed_with_a_seed():
    torch = pytest.importorskip("torch")
    skorch = pytest.importorskip("skorch")
    from skorch.toy import MLPModule

    net = skorch.NeuralNetClassifier(
        MLPModule,
        module__input_units=13,
        module__output_units=3,
        criterion=torch.nn.CrossEntropyLoss,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    )
    steps = [
        (2, {"lr": 0.1, "module__dropout": 0.0, "optimizer__momentum": 0.9}),
        (2, {"lr": 0.01, "module__dropout": 0.5}),
    ]
    schedule = Schedule("max_epochs", steps)
    rows = StandardScaler().fit_transform(X)
    one, same, other = (
        replay_schedule(net, schedule, rows, Y, random_state=seed) for seed in (0, 0, 1)
    )
    assert len(one.history_) == 4
    assert one.optimizer_.param_groups[0]["lr"] == 0.01
    np.testing.assert_array_equal(
        one.predict_proba(rows.astype("f")), same.predict_proba(rows.astype("f"))
    )
    assert not np.array_equal(
        one.predict_proba(rows.astype("f")), other.predict_proba(rows.astype("f"))
    )
