"""Parts of the training rows: nested, inside the fold, and fair to classes, groups and time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import GroupKFold, KFold, PredefinedSplit, TimeSeriesSplit

from sklearn_hpt._subsampling import is_time_ordered, subsample

SEEDS = st.integers(0, 2**32 - 1)
QUICK = settings(max_examples=60, deadline=None)


@st.composite
def folds(draw):
    """Draw the training rows of a fold, labels and groups of all rows."""
    n_samples = draw(st.integers(1, 60))
    kept = draw(st.lists(st.booleans(), min_size=n_samples, max_size=n_samples))
    kept[draw(st.integers(0, n_samples - 1))] = True
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    labels = rng.choice(["a", "b", "c", "d"], n_samples, p=[0.7, 0.2, 0.05, 0.05])
    groups = rng.integers(0, draw(st.integers(1, 12)), n_samples)
    return rng.permutation(np.flatnonzero(kept)), labels, groups


@st.composite
def ways(draw, fold):
    """Draw what the subsample has regard to."""
    _, labels, groups = fold
    return draw(
        st.sampled_from(
            [
                {},
                {"y": labels},
                {"groups": groups},
                {"y": labels, "groups": groups},
                {"is_time_ordered": True, "y": labels, "groups": groups},
            ]
        )
    )


@QUICK
@given(st.data(), folds(), SEEDS)
def test_amounts_are_nested_sorted_and_inside_the_training_side(data, fold, seed):
    train, _, _ = fold
    way = data.draw(ways(fold))
    previous = set()
    for n_rows in range(1, len(train) + 2):
        rows = subsample(train, n_rows, **way, seed=seed)
        assert np.all(np.diff(rows) > 0) and len(rows) > 0
        assert previous <= {*rows} <= {*train}
        previous = {*rows}
    assert previous == {*train}


@QUICK
@given(st.data(), folds(), SEEDS)
def test_the_amount_is_kept_where_groups_need_not_be_whole(data, fold, seed):
    train, labels, _ = fold
    way = data.draw(st.sampled_from([{}, {"y": labels}, {"is_time_ordered": True}]))
    for n_rows in range(1, len(train) + 2):
        assert len(subsample(train, n_rows, **way, seed=seed)) == min(n_rows, len(train))


@QUICK
@given(folds(), SEEDS)
def test_classes_keep_a_row_and_their_share(fold, seed):
    train, labels, _ = fold
    classes, sizes = np.unique(labels[train], return_counts=True)
    for n_rows in range(len(classes), len(train) + 1):
        chosen = labels[subsample(train, n_rows, y=labels, seed=seed)]
        counts = np.array([np.sum(chosen == label) for label in classes])
        shares = sizes / len(train)
        assert np.all(counts >= 1)
        # rounding, and what the other classes gain by theirs or by their one row
        assert np.all(np.abs(counts - n_rows * shares) <= 1 + shares * len(classes))


def test_balanced_classes_stay_balanced():
    labels = np.arange(90) % 3
    for n_rows in range(1, 91):
        counts = np.bincount(labels[subsample(np.arange(90), n_rows, y=labels, seed=3)])
        assert counts.max() - counts.min() <= 1 or n_rows < 3


@QUICK
@given(folds(), SEEDS, st.booleans())
def test_groups_are_whole(fold, seed, with_classes):
    train, labels, groups = fold
    y = labels if with_classes else None
    for n_rows in range(1, len(train) + 1):
        rows = subsample(train, n_rows, y=y, groups=groups, seed=seed)
        assert {*rows} == {*train[np.isin(groups[train], groups[rows])]}
        if with_classes:
            assert {*labels[rows]} == {*labels[train]}


def test_as_many_groups_as_come_closest():
    groups = np.repeat(np.arange(10), 10)
    amounts = [1, 14, 15, 16, 24, 26, 99]
    taken = [len(subsample(np.arange(100), n, groups=groups, seed=0)) for n in amounts]
    assert taken == [10, 10, 10, 20, 20, 30, 100]


@QUICK
@given(folds(), st.integers(1, 70), SEEDS)
def test_the_most_recent_rows_are_taken_where_rows_are_in_the_order_of_time(fold, n_rows, seed):
    train, _, _ = fold
    rows = subsample(train, n_rows, is_time_ordered=True, seed=seed)
    assert rows.tolist() == sorted(train)[-n_rows:]


def test_the_seed_decides():
    rows = [subsample(np.arange(100), 10, seed=seed).tolist() for seed in (0, 0, 1)]
    assert rows[0] == rows[1] != rows[2]


def test_labels_may_be_a_series_with_any_index():
    pd = pytest.importorskip("pandas")
    labels = np.array(["x", "y"] * 10)
    series = pd.Series(labels, index=np.arange(20)[::-1])
    as_series = subsample(np.arange(20), 7, y=series, seed=0)
    assert as_series.tolist() == subsample(np.arange(20), 7, y=labels, seed=0).tolist()


def test_no_rows_are_refused():
    with pytest.raises(ValueError, match="n_rows=0 must be at least 1"):
        subsample(np.arange(10), 0, seed=0)


def splits_of(cv, **params):
    return list(cv.split(np.zeros((20, 1)), **params))


@pytest.mark.parametrize("cv", [TimeSeriesSplit(3), TimeSeriesSplit(2, gap=2)], ids=str)
def test_time_series_splits_are_in_the_order_of_time(cv):
    assert is_time_ordered(splits_of(cv), cv)
    assert is_time_ordered(splits_of(cv), "a list of the same folds")


def test_other_folds_are_not_in_the_order_of_time():
    for cv in (KFold(2), KFold(5, shuffle=True, random_state=0)):
        assert not is_time_ordered(splits_of(cv), cv)
    cv = GroupKFold(2)
    assert not is_time_ordered(splits_of(cv, groups=np.repeat([0, 1], 10)), cv)


def test_one_fold_that_trains_before_it_tests_says_nothing_of_time():
    cv = PredefinedSplit([-1] * 15 + [0] * 5)
    assert not is_time_ordered(splits_of(cv), cv)
