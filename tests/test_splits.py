"""Parts are disjoint and complete, and each is of the rows and the size that was asked for."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits

from sklearn_hpt.diagnostics import Split, detectable_difference, train_dev_test_split
from sklearn_hpt.diagnostics._split import _part_sizes
from sklearn_hpt.exceptions import SmallDevSetWarning

SIZES = st.integers(30, 120)
SEEDS = st.integers(0, 2**16)


def assert_partition(split, n):
    np.testing.assert_array_equal(np.sort(np.concatenate(split)), np.arange(n))
    assert all(np.all(np.diff(part) > 0) for part in split)


def drawn(seed, n, n_values):
    return np.random.default_rng(seed).integers(0, n_values, n)


def quiet_split(*args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SmallDevSetWarning)
        return train_dev_test_split(*args, **kwargs)


@pytest.mark.parametrize(
    ("n", "shares"),
    [
        (10**4, (0.6, 0.2, 0.2)),
        (10**5, (0.9, 0.05, 0.05)),
        (10**6, (0.98, 0.01, 0.01)),
        (10**7, (0.995, 0.0025, 0.0025)),
    ],
)
def test_sizes_by_rule(n, shares):
    n_dev, n_test = _part_sizes(n, None)
    assert (n - n_dev - n_test, n_dev, n_test) == tuple(round(share * n) for share in shares)


@pytest.mark.parametrize("n", [100, 10**4, 10**5])
def test_the_split_has_these_sizes(n):
    split = train_dev_test_split(np.zeros((n, 1)), random_state=0)
    n_dev, n_test = _part_sizes(n, None)
    assert [len(part) for part in split] == [n - n_dev - n_test, 0, n_dev, n_test]


@given(st.integers(5, 10**9), st.integers(1, 10**8))
def test_more_rows_never_mean_a_smaller_part(n, more):
    few, many = _part_sizes(n, None), _part_sizes(n + more, None)
    assert few[0] <= many[0]
    assert (n - sum(few)) <= (n + more - sum(many)) + 2  # rounding


@settings(max_examples=60, deadline=None)
@given(SIZES, SEEDS, st.integers(1, 12), st.sampled_from([None, False, True, 0.3]), st.booleans())
def test_parts_are_disjoint_and_complete(n, seed, n_classes, train_dev, stratify):
    y = drawn(seed, n, n_classes)
    split = train_dev_test_split(
        np.zeros(n), y, train_dev=train_dev, stratify=stratify or None, random_state=seed
    )
    assert_partition(split, n)
    assert len(split.dev) == len(split.test) == _part_sizes(n, None)[0]
    assert bool(len(split.train_dev)) == bool(train_dev)


@settings(max_examples=60, deadline=None)
@given(SIZES, SEEDS, st.floats(0.2, 0.9), st.booleans())
def test_dev_and_test_are_of_the_target(n, seed, share, target_in_train):
    target = np.random.default_rng(seed).random(n) < share
    target[:4], target[4] = True, False
    split = quiet_split(
        np.zeros(n), target=target, target_in_train=target_in_train, random_state=seed
    )
    assert_partition(split, n)
    assert target[split.dev].all() and target[split.test].all()
    n_held_out = len(split.dev) + len(split.test)
    n_wanted = sum(_part_sizes(n, None))
    if target_in_train:
        assert n_held_out == min(n_wanted, target.sum() // 2)
    else:
        assert n_held_out == target.sum()


@settings(max_examples=60, deadline=None)
@given(SIZES, SEEDS, st.booleans())
def test_no_group_is_in_two_parts(n, seed, with_target):
    groups = drawn(seed, n, n // 3)
    target = drawn(seed, n // 3 + 1, 2)[groups].astype(bool) if with_target else None
    if with_target and (not target.any() or len(np.unique(groups[target])) < 8):
        assume(False)
    split = quiet_split(
        np.zeros(n), target=target, groups=groups, train_dev=True, random_state=seed
    )
    assert_partition(split, n)
    found = [set(groups[part]) for part in split]
    assert sum(map(len, found)) == len(set(groups))


@settings(max_examples=60, deadline=None)
@given(SIZES, SEEDS, st.integers(12, 200))
def test_parts_follow_each_other_in_time(n, seed, n_times):
    time = drawn(seed, n, n_times).astype("datetime64[D]")
    split = train_dev_test_split(np.zeros(n), time=time, train_dev=True)
    assert_partition(split, n)
    for earlier, later in zip(split, split[1:], strict=False):
        assert time[earlier].max() < time[later].min()


def test_time_with_older_source_rows_trains_on_them():
    time, target = np.arange(100), np.arange(100) >= 40
    split = quiet_split(np.zeros(100), target=target, time=time)
    assert_partition(split, 100)
    assert time[split.dev].min() > max(time[split.train].max(), time[split.train_dev].max())


def test_training_on_the_future_is_refused():
    target = np.arange(100) % 2 == 0
    with pytest.raises(ValueError, match="source rows are not earlier than the first dev row"):
        quiet_split(np.zeros(100), target=target, time=np.arange(100))


def test_classes_have_their_shares_in_each_part():
    X, y = load_digits(return_X_y=True)
    split = train_dev_test_split(X, y, train_dev=True, random_state=0)
    overall = np.bincount(y) / len(y)
    for part in split:
        assert np.abs(np.bincount(y[part]) / len(part) - overall).max() < 1.01 / len(part)


def test_train_dev_is_like_the_training_rows():
    X, y = load_digits(return_X_y=True)
    target = np.arange(len(y)) < 900
    split = quiet_split(X, y, target=target, random_state=0)
    shares = [target[part].mean() for part in (split.train, split.train_dev)]
    assert abs(shares[0] - shares[1]) < 0.01
    for label in range(10):
        shares = [np.mean(y[part] == label) for part in (split.train, split.train_dev)]
        assert abs(shares[0] - shares[1]) < 0.01


def test_rare_classes_are_no_error():
    y = np.array(["a"] * 50 + ["b"] * 48 + ["c", "d"])
    assert_partition(train_dev_test_split(y, y, train_dev=True, random_state=0), 100)


def test_groups_of_different_sizes_give_about_the_wanted_rows():
    groups = np.repeat(np.arange(60), np.arange(1, 61))
    split = train_dev_test_split(groups, groups=groups, random_state=0)
    wanted = _part_sizes(len(groups), None)[0]
    assert abs(len(split.dev) - wanted) < 30 and abs(len(split.test) - wanted) < 30


def test_the_same_seed_gives_the_same_parts():
    X, y = load_breast_cancer(return_X_y=True)
    first, second, other = (train_dev_test_split(X, y, random_state=seed) for seed in (0, 0, 1))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert not np.array_equal(first.dev, other.dev)


@pytest.mark.parametrize("kind", ["array", "frame", "sparse", "list"])
def test_take_gives_rows_of_anything(kind):
    X, y = load_breast_cancer(return_X_y=True)
    if kind == "frame":
        X = pytest.importorskip("pandas").DataFrame(X)
    X = {"sparse": csr_matrix, "list": list}.get(kind, lambda X: X)(X)
    split = train_dev_test_split(X, y, random_state=0)
    X_dev, y_dev = split.take("dev", X, y)
    assert type(X_dev) is type(X)
    np.testing.assert_array_equal(y_dev, y[split.dev])
    np.testing.assert_array_equal(split.take("dev", y), y_dev)


def test_take_of_an_unknown_part_names_the_parts():
    with pytest.raises(ValueError, match="part='valid' must be one of 'train', 'train_dev'"):
        Split(*[np.array([0])] * 4).take("valid", [1])


def test_detectable_difference_is_found_in_four_of_five_dev_sets():
    n, p = 3000, 0.1
    d = detectable_difference(n, p)
    draw = np.random.default_rng(0)
    better, worse = (draw.binomial(n, rate, 20000) / n for rate in (p - d / 2, p + d / 2))
    spread = np.sqrt((better * (1 - better) + worse * (1 - worse)) / n)
    assert abs(np.mean((worse - better) / spread > 1.96) - 0.8) < 0.02


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.floats(0.01, 0.99))
def test_more_rows_detect_more(n, more, p):
    assert detectable_difference(n + more, p) < detectable_difference(n, p)


def test_too_small_a_dev_set_is_told_with_what_it_can_tell():
    X, y = load_breast_cancer(return_X_y=True)
    with pytest.warns(SmallDevSetWarning, match=r"detect=0.01: with 114 rows .* from 0.11 on"):
        train_dev_test_split(X, y, detect=0.01, random_state=0)


def test_the_number_of_rows_that_is_named_is_enough():
    n = math.ceil((detectable_difference(1) / 0.05) ** 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train_dev_test_split(np.zeros(5 * n), detect=0.05, random_state=0)
    with pytest.warns(SmallDevSetWarning):
        train_dev_test_split(np.zeros(5 * n - 10), detect=0.05, random_state=0)


def test_few_target_rows_are_told():
    target = np.arange(1000) < 100
    with pytest.warns(SmallDevSetWarning, match="25 dev rows, where the sizes say 200"):
        train_dev_test_split(np.zeros(1000), target=target, random_state=0)


def test_sizes_of_ones_own():
    split = train_dev_test_split(np.zeros(200), sizes=(0.7, 0.1, 0.2), random_state=0)
    assert [len(part) for part in split] == [140, 0, 20, 40]


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"sizes": (60, 20, 20)}, "sizes=.*three positive fractions that add up to 1"),
        ({"target": [1] * 50}, "target=.*True or False"),
        ({"target": [False] * 50}, "True for some of them"),
        ({"target": [True] + [False] * 49}, "too few for a dev and a test set"),
        ({"groups": range(50), "time": range(50)}, "groups and time are both given"),
        ({"groups": range(50), "stratify": True}, "stratify=True is for rows"),
        ({"groups": [0] * 50}, "too few rows, or groups or times"),
        ({"time": [0] * 50}, "too few rows, or groups or times"),
        ({"time": [np.nan] * 50}, "time has missing values"),
        ({"stratify": True}, "stratify=True needs classes in y, but y is None"),
        ({"train_dev": 1.5}, "train_dev=1.5 must be a fraction"),
        ({"detect": 2}, "detect=2 must be a fraction"),
        ({"detect": 0.1, "error_rate": 1}, "error_rate=1 must be a fraction"),
        ({"groups": range(40)}, "inconsistent numbers of samples"),
    ],
)
def test_bad_arguments_are_named(settings, match):
    with pytest.raises(ValueError, match=match):
        train_dev_test_split(np.zeros(50), **settings)


def test_continuous_targets_are_not_stratified():
    X, y = load_diabetes(return_X_y=True)
    assert_partition(train_dev_test_split(X, y, random_state=0), len(y))
    with pytest.raises(ValueError, match="y is continuous"):
        train_dev_test_split(X, y + 0.5, stratify=True)


def test_mixed_groups_cannot_be_kept_out_of_training():
    groups, target = np.arange(40) // 4, np.arange(40) % 2 == 0
    with pytest.raises(ValueError, match="some groups have target and source rows"):
        train_dev_test_split(groups, groups=groups, target=target, target_in_train=False)


@pytest.mark.parametrize("n", [1, 2])
def test_too_few_rows_are_told(n):
    with pytest.raises(ValueError, match="too few rows"):
        train_dev_test_split([0] * n)
