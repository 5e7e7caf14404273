"""Gaps between errors add up, have the right names, and are measured as they are."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.linear_model import LinearRegression
from sklearn.metrics import f1_score
from sklearn.tree import DecisionTreeClassifier

from sklearn_hpt.diagnostics import ErrorDecomposition, train_dev_test_split

FRACTIONS = st.floats(0, 1)
MAYBE = st.none() | FRACTIONS
NAMES = ["avoidable bias", "variance", "data mismatch", "overfitting to dev"]
WORKED = [  # percent: human, train, train-dev, dev, test; the gaps; the largest
    ((1, 8, 9, 12, 13), (7, 1, 3, 1), "avoidable bias"),
    ((8, 12, 15, 28, 30), (4, 3, 13, 2), "data mismatch"),
    ((3, 4, 5, 12, 13), (1, 1, 7, 1), "data mismatch"),
]


def decomposition(human, train, train_dev, dev, test):
    errors = {"human": human, "train": train, "train_dev": train_dev, "dev": dev, "test": test}
    return ErrorDecomposition(**{name: error / 100 for name, error in errors.items()})


@pytest.fixture(scope="module")
def measured():
    X, y = load_breast_cancer(return_X_y=True)
    split = train_dev_test_split(X, y, train_dev=True, random_state=0)
    tree = DecisionTreeClassifier(max_depth=3, random_state=0).fit(*split.take("train", X, y))
    found = ErrorDecomposition.from_estimator(
        tree,
        *split.take("train", X, y),
        *split.take("dev", X, y),
        **dict(zip(("X_train_dev", "y_train_dev"), split.take("train_dev", X, y), strict=True)),
        **dict(zip(("X_test", "y_test"), split.take("test", X, y), strict=True)),
        human=0.0,
    )
    return found, tree, split, X, y


@pytest.mark.parametrize(("errors", "gaps", "largest"), WORKED)
def test_worked_numbers(errors, gaps, largest):
    found = decomposition(*errors)
    assert list(found.gaps) == NAMES
    np.testing.assert_allclose(list(found.gaps.values()), np.array(gaps) / 100)
    assert found.largest == largest


@given(train=FRACTIONS, dev=FRACTIONS, train_dev=MAYBE, test=MAYBE, human=MAYBE)
def test_gaps_add_up_to_the_last_error_minus_that_of_a_human(**errors):
    found = ErrorDecomposition(**errors)
    last = errors["dev"] if errors["test"] is None else errors["test"]
    total = last - (errors["human"] or 0.0)
    assert math.isclose(sum(found.gaps.values()), total, abs_tol=1e-12)


@given(train=FRACTIONS, dev=FRACTIONS, train_dev=MAYBE, test=MAYBE, human=MAYBE)
def test_largest_is_the_largest_positive_gap(**errors):
    found = ErrorDecomposition(**errors)
    if found.largest is None:
        assert max(found.gaps.values()) < 1e-12
    else:
        assert found.gaps[found.largest] >= max(found.gaps.values()) - 1e-12


@given(train=FRACTIONS, dev=FRACTIONS, train_dev=MAYBE, test=MAYBE, human=MAYBE)
def test_the_table_has_a_line_for_each_error_and_advice_in_order(**errors):
    found = ErrorDecomposition(**errors)
    lines = str(found).splitlines()
    assert len(lines) == 2 + len(found.errors) + len(found.advice)
    places = [list(found.gaps).index(line.partition(" (")[0]) for line in found.advice]
    assert places == sorted(places)


def test_advice_leaves_out_gaps_up_to_min_gap():
    names = [line.partition(" (")[0] for line in decomposition(1, 8, 9, 12, 13).advice]
    assert names == ["avoidable bias", "data mismatch"]


def test_without_train_dev_variance_and_mismatch_are_one_gap():
    found = ErrorDecomposition(human=0.01, train=0.05, dev=0.12)
    assert found.largest == "variance and data mismatch"
    assert "train-dev" in found.advice[-1]


def test_without_human_the_training_error_is_bias():
    assert ErrorDecomposition(train=0.08, dev=0.09).gaps["bias"] == 0.08


def test_negative_gaps_are_shown_and_never_the_largest():
    found = ErrorDecomposition(human=0.1, train=0.09, train_dev=0.08, dev=0.07, test=0.06)
    assert found.largest is None and found.advice == []
    assert "-1.0 %" in str(found)


def test_standard_error_of_a_gap_is_that_of_independent_shares():
    found = ErrorDecomposition(train=0.1, dev=0.2, human=0.0, n_rows={"train": 996, "dev": 96})
    rates = [(0.1 * 996 + 2) / 1000, (0.2 * 96 + 2) / 100]
    variance = sum(p * (1 - p) / n for p, n in zip(rates, (1000, 100), strict=True))
    assert math.isclose(found.standard_errors["variance and data mismatch"] ** 2, variance)


def test_gaps_without_numbers_of_rows_have_no_standard_error():
    found = ErrorDecomposition(train=0.1, dev=0.2, test=0.2, n_rows={"dev": 100, "test": 100})
    assert list(found.standard_errors) == ["overfitting to dev"]


def test_a_gap_within_noise_gets_no_advice():
    sizes = {"train": 1000, "train_dev": 50, "dev": 50}
    found = ErrorDecomposition(human=0, train=0.2, train_dev=0.22, dev=0.5, n_rows=sizes)
    assert found.within_noise == {"variance"}
    assert [line.partition(" (")[0] for line in found.advice] == ["avoidable bias", "data mismatch"]


def test_noise_is_marked_as_often_as_chance_says():
    draw = np.random.default_rng(0)
    n_marked = 0
    for train, dev in draw.binomial(400, 0.15, size=(400, 2)) / 400:
        found = ErrorDecomposition(train=train, dev=dev, n_rows={"train": 400, "dev": 400})
        n_marked += "variance and data mismatch" in found.within_noise
    assert 0.92 <= n_marked / 400 <= 0.98


def test_from_estimator_measures_the_errors(measured):
    found, tree, split, X, y = measured
    for name, part in zip(("train", "train_dev", "dev", "test"), split, strict=True):
        assert math.isclose(found.errors[name], 1 - tree.score(X[part], y[part]))
        assert found.n_rows[name] == len(part)
    assert list(found.standard_errors) == NAMES


def test_an_error_of_one_number_has_no_standard_errors(measured):
    _, tree, split, X, y = measured
    found = ErrorDecomposition.from_estimator(
        tree,
        *split.take("train", X, y),
        *split.take("dev", X, y),
        error=lambda y, y_pred: 1 - f1_score(y, y_pred),
    )
    assert found.standard_errors == {}
    assert math.isclose(found.dev, 1 - f1_score(y[split.dev], tree.predict(X[split.dev])))


def test_a_regressor_needs_an_error_that_says_what_is_wrong():
    X, y = load_diabetes(return_X_y=True)
    ridge = LinearRegression().fit(X[:300], y[:300])
    sets = (ridge, X[:300], y[:300], X[300:], y[300:])
    with pytest.raises(ValueError, match="error=None .* classifier.*give error="):
        ErrorDecomposition.from_estimator(*sets)
    with pytest.raises(ValueError, match=r"for train: it must return fractions in \[0, 1\]"):
        ErrorDecomposition.from_estimator(*sets, error=lambda y, y_pred: abs(y - y_pred))
    found = ErrorDecomposition.from_estimator(*sets, error=lambda y, p: abs(y - p) > 50)
    assert 0 < found.dev < 1 and len(found.standard_errors) == 2


@pytest.mark.parametrize("bad", [8, 100, -0.1, 1.01, float("nan"), "0.1", True])
def test_errors_that_are_no_fractions_are_refused(bad):
    with pytest.raises(ValueError, match="train=.* must be a fraction"):
        ErrorDecomposition(train=bad, dev=0.1)


def test_percent_is_told_how_to_write_it():
    with pytest.raises(ValueError, match="for 8 % give 0.08"):
        ErrorDecomposition(train=0.1, dev=8)


def test_missing_parts_are_named(measured):
    with pytest.raises(ValueError, match="dev=None"):
        ErrorDecomposition(train=0.1, dev=None)
    with pytest.raises(ValueError, match="n_rows=.*'valid'"):
        ErrorDecomposition(train=0.1, dev=0.1, n_rows={"valid": 3})
    _, tree, split, X, y = measured
    with pytest.raises(ValueError, match="X_test and y_test must be given together"):
        ErrorDecomposition.from_estimator(tree, X, y, X, y, X_test=X)


def test_losses_of_the_wrong_shape_are_refused(measured):
    _, tree, _, X, y = measured
    with pytest.raises(ValueError, match=r"shape \(2, 2\) for the 569 rows of train"):
        ErrorDecomposition.from_estimator(tree, X, y, X, y, error=lambda y, p: np.zeros((2, 2)))


def test_picture_has_a_bar_for_each_error_and_each_gap():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    found = decomposition(1, 8, 9, 12, 13).plot()
    labels = [label.get_text() for label in found.ax_.get_yticklabels()]
    assert labels[::2] == ["human level", "training", "train-dev", "dev", "test"]
    assert labels[1::2] == [f"+ {name}" for name in NAMES]
    assert found.figure_ is found.ax_.figure
    ends = [bar.get_x() + bar.get_width() for bar in found.ax_.patches]
    np.testing.assert_allclose(ends, [1, 8, 8, 9, 9, 12, 12, 13, 13])
    matplotlib.pyplot.close(found.figure_)


def test_every_combination_of_known_errors_can_be_drawn():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    for train_dev, test, human in itertools.product((None, 0.1), repeat=3):
        found = ErrorDecomposition(train=0.2, dev=0.3, train_dev=train_dev, test=test, human=human)
        ax = matplotlib.pyplot.figure().subplots()
        assert found.plot(ax).ax_ is ax
        matplotlib.pyplot.close(found.figure_)
