"""Training, train-dev, dev and test rows: how many, and which."""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import norm
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_consistent_length

from sklearn_hpt._sklearn_compat import num_samples, safe_indexing
from sklearn_hpt._warn import warn
from sklearn_hpt.diagnostics._table import percent
from sklearn_hpt.exceptions import SmallDevSetWarning

_N_ROWS = (1e4, 1e5, 1e6, 1e7)
_DEV_SHARES = (0.2, 0.05, 0.01, 0.0025)  # the test set is as large
_MAX_TRAIN_DEV = 0.2  # of the rows to train on, if their number is not given
_ROWS_PER_CLASS = 10  # in the mean; with fewer, y is hardly a class
_PARTS = ("train", "train_dev", "dev", "test")

_Draw = Callable[[np.ndarray, int], np.ndarray]  # (rows to choose from, how many) -> the chosen


class Split(NamedTuple):
    """Row numbers of four parts, ascending; no row is in two of them, and each is in one.

    Parameters
    ----------
    train, train_dev, dev, test : ndarray of int
        The rows of each part. `train_dev` is empty if there is none.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn_hpt.diagnostics import train_dev_test_split
    >>> X, y = load_wine(return_X_y=True)
    >>> split = train_dev_test_split(X, y, random_state=0)
    >>> X_dev, y_dev = split.take("dev", X, y)
    >>> X_dev.shape, y_dev.shape
    ((36, 13), (36,))
    """

    train: np.ndarray
    train_dev: np.ndarray
    dev: np.ndarray
    test: np.ndarray

    def take(self, part: str, *arrays: Any) -> Any:
        """Return the rows of one part.

        Parameters
        ----------
        part : {"train", "train_dev", "dev", "test"}
            Which part.
        *arrays : array-like
            Arrays, sparse matrices, data frames or lists with all rows.

        Returns
        -------
        object or list
            The rows of the array, or a list of them if several arrays are given.

        Raises
        ------
        ValueError
            If there is no such part.
        """
        if part not in _PARTS:
            raise ValueError(f"part={part!r} must be one of {', '.join(map(repr, _PARTS))}.")
        taken = [safe_indexing(array, getattr(self, part)) for array in arrays]
        return taken[0] if len(taken) == 1 else taken


def detectable_difference(n_rows: int, error_rate: float = 0.1) -> float:
    """Return the difference of two error rates that a dev set of some size can tell.

    If one model is really better by that much, it is found significantly better at the level of
    5 % on four of five such dev sets.

    Parameters
    ----------
    n_rows : int
        Rows in the dev set.
    error_rate : float, default=0.1
        Share of wrong predictions of the models to compare, about.

    Returns
    -------
    float
        (z(0.975) + z(0.8)) sqrt(2 p (1 - p) / n), a fraction; z is the quantile of the normal
        distribution, p the error rate, n the number of rows. This is for models that err
        independently. Two that err on the same rows, as variants of one model do, can be told at
        smaller differences.

    Raises
    ------
    ValueError
        If there is no row, or the error rate is not between 0 and 1.

    References
    ----------
    J. L. Fleiss, B. Levin, M. C. Paik, "Statistical Methods for Rates and Proportions", third
    edition, 2003, chapter 4; here the variance of both rates is that at `error_rate`.

    Examples
    --------
    >>> from sklearn_hpt.diagnostics import detectable_difference
    >>> round(detectable_difference(2000), 4)
    0.0266
    """
    if n_rows < 1:
        raise ValueError(f"n_rows={n_rows!r} must be at least 1.")
    _check_share("error_rate", error_rate)
    quantiles = float(norm.ppf(0.975) + norm.ppf(0.8))
    return quantiles * math.sqrt(2 * error_rate * (1 - error_rate) / n_rows)


def train_dev_test_split(
    X: Any,
    y: Any = None,
    *,
    target: Any = None,
    groups: Any = None,
    time: Any = None,
    stratify: bool | None = None,
    sizes: tuple[float, float, float] | None = None,
    train_dev: bool | float | None = None,
    target_in_train: bool = True,
    detect: float | None = None,
    error_rate: float = 0.1,
    random_state: int | np.random.RandomState | None = None,
) -> Split:
    """Split rows into a training, a train-dev, a dev and a test set.

    How many rows dev and test get follows from how many there are: 20 % each up to 10^4 rows, 5 %
    at 10^5, 1 % at 10^6, 0.25 % from 10^7 on. In between, their number is interpolated with both on
    a logarithmic scale, so that more rows never mean a smaller part.

    Parameters
    ----------
    X : array-like of shape (n_samples, ...)
        Anything with rows: arrays, sparse matrices, data frames, lists. Only they are counted.
    y : array-like of shape (n_samples,), default=None
        Targets, for `stratify`.
    target : array-like of bool of shape (n_samples,), default=None
        Which rows are like those that the model will be used for. Dev and test are drawn from
        these; the other rows, the source, are only trained on. None: all are.
    groups : array-like of shape (n_samples,), default=None
        Rows of one group (a patient, a document) stay in one part. Whole groups seldom add up to
        the wanted number of rows. Groups with both target and source rows are trained on.
    time : array-like of shape (n_samples,), default=None
        When each row was measured: numbers, dates or anything that can be sorted. The last rows
        are the test set, those before the dev set, those before the train-dev set; rows of one
        time stay together.
    stratify : bool, default=None
        Whether each part has the classes of `y` in the same shares. None: if `y` holds classes, of
        ten rows or more in the mean, and rows are drawn one by one, neither in groups nor by
        time. Classes with too few rows for that are drawn together with the most frequent one.
    sizes : (float, float, float), default=None
        Shares of training, dev and test rows instead of the rule; they add up to 1. The train-dev
        set is a part of the first.
    train_dev : bool or float, default=None
        Whether some rows that could be trained on are not, so that the error on them can be
        measured; or which share of these. They are drawn from all such rows, also from those of
        the target, so they are like the training rows. True: as many as there are dev rows, but
        20 % at most. None: True if there are source rows.
    target_in_train : bool, default=True
        What becomes of target rows if there are source rows. True: dev and test get what the rule
        says, at most half of the target rows, with a warning if that is less; the others are
        trained on. False: all are dev and test rows.
    detect : float, default=None
        The difference in error rates that the dev set is to tell; there is a warning if it
        cannot.
    error_rate : float, default=0.1
        The error rate about which it is to tell it.
    random_state : int or RandomState, default=None
        Seed. Not used with `time`.

    Returns
    -------
    Split
        Row numbers; `take` gives the rows.

    Warns
    -----
    SmallDevSetWarning
        If the dev set cannot tell the difference `detect`, or is smaller than the rule says as
        there are too few target rows.

    Raises
    ------
    ValueError
        If the arguments contradict each other or there are too few rows.

    Notes
    -----
    Rows are drawn with scikit-learn's `ShuffleSplit` and `StratifiedShuffleSplit`. Its
    `GroupShuffleSplit` counts groups, so that with groups of different sizes the parts may be far
    from their number of rows; here groups are drawn in random order, and each is taken that brings
    the part nearer to it. `TimeSeriesSplit` makes folds of equal size.

    References
    ----------
    A. Ng, "Machine Learning Yearning", draft, 2018: chapters 5 to 7 (dev and test sets from the
    distribution to do well on, and how large), 36 (training rows from another one), 40 (the
    training dev set).

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn_hpt.diagnostics import train_dev_test_split
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> split = train_dev_test_split(X, y, random_state=0)
    >>> [len(part) for part in split]
    [341, 0, 114, 114]

    The model is for cells with large nuclei, and there are others to train on as well:

    >>> is_large = X[:, 0] > 13
    >>> split = train_dev_test_split(X, y, target=is_large, target_in_train=False)
    >>> [len(part) for part in split], bool(is_large[split.dev].all())
    ([208, 51, 155, 155], True)

    A dev set of 114 rows is too small for small differences:

    >>> import warnings
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     split = train_dev_test_split(X, y, detect=0.01, random_state=0)
    >>> print(caught[0].message)
    detect=0.01: with 114 rows the dev set tells differences in error rates from 0.11 on
    (at error rates about 0.1, ...). About 15000 rows are needed.
    """
    check_consistent_length(X, *(a for a in (y, target, groups, time) if a is not None))
    n = num_samples(X)
    is_target = _target_mask(target, n)
    if train_dev is None:
        train_dev = not is_target.all()
    _check_arguments(y, groups, time, stratify, train_dev, detect)
    wanted = _part_sizes(n, sizes)
    may_hold_out = is_target if groups is None else _whole_groups(is_target, groups)
    n_dev, n_test = _held_out_sizes(*wanted, is_target, may_hold_out, target_in_train)

    draw = _drawing(y, is_target, groups, time, stratify, check_random_state(random_state))
    rows, pool = np.arange(n), np.flatnonzero(may_hold_out)
    test = draw(pool, n_test)
    pool = np.setdiff1d(pool, test)
    takes_all = not (target_in_train or is_target.all())
    dev = pool if takes_all else draw(pool, n_dev)
    to_train_on = np.setdiff1d(rows, np.concatenate([test, dev]))
    held_back = draw(to_train_on, _train_dev_size(train_dev, len(to_train_on), len(dev)))
    split = Split(np.setdiff1d(to_train_on, held_back), held_back, dev, test)
    _check_parts(split, bool(train_dev), time)
    if detect is not None:
        _warn_if_too_small(len(split.dev), detect, error_rate)
    if n_dev < wanted[0]:
        _warn_of_few_target_rows(len(split.dev), wanted[0], error_rate)
    return split


def _check_share(name: str, value: Any) -> None:
    if not isinstance(value, (float, Real)) or not 0 < float(value) < 1:
        raise ValueError(f"{name}={value!r} must be a fraction between 0 and 1, such as 0.01.")


def _check_arguments(
    y: Any, groups: Any, time: Any, stratify: bool | None, train_dev: Any, detect: float | None
) -> None:
    if groups is not None and time is not None:
        raise ValueError(
            "groups and time are both given: rows can be kept together by one of them. Give one."
        )
    if stratify and (groups is not None or time is not None):
        raise ValueError(
            "stratify=True is for rows that are drawn one by one: leave out stratify, or groups "
            "and time."
        )
    if stratify and not _holds_classes(y):
        raise ValueError(
            f"stratify=True needs classes in y, but y is {'None' if y is None else 'continuous'}: "
            "give y, or stratify=False."
        )
    if not isinstance(train_dev, (bool, np.bool_)):
        _check_share("train_dev", train_dev)
    if detect is not None:
        _check_share("detect", detect)
    if time is not None and (np.asarray(time) != np.asarray(time)).any():
        raise ValueError("time has missing values: leave out these rows, or fill them in.")


def _target_mask(target: Any, n: int) -> np.ndarray:
    if target is None:
        return np.ones(n, dtype=bool)
    mask = np.asarray(target)
    if mask.dtype != bool or mask.ndim != 1 or not mask.any():
        raise ValueError(
            f"target={target!r} must say True or False for each row, True for some of them: "
            "whether it is like the rows that the model will be used for."
        )
    return mask


def _part_sizes(n: int, sizes: tuple[float, float, float] | None) -> tuple[int, int]:
    """Return how many dev and test rows there should be."""
    if sizes is None:
        log_share = np.interp(math.log10(max(n, 1)), np.log10(_N_ROWS), np.log10(_DEV_SHARES))
        n_dev = n_test = round(n * 10 ** float(log_share))
    else:
        is_valid = len(sizes) == 3 and min(sizes) > 0 and math.isclose(sum(sizes), 1)
        if not is_valid:
            raise ValueError(
                f"sizes={sizes!r} must be three positive fractions that add up to 1, of training, "
                "dev and test rows, such as (0.6, 0.2, 0.2)."
            )
        n_dev, n_test = round(n * sizes[1]), round(n * sizes[2])
    return max(n_dev, 1), max(n_test, 1)


def _whole_groups(is_target: np.ndarray, groups: Any) -> np.ndarray:
    """Return which rows are in groups of target rows only."""
    codes = np.unique(np.asarray(groups), return_inverse=True)[1]
    is_mixed = np.bincount(codes, weights=~is_target) > 0
    return ~is_mixed[codes]


def _held_out_sizes(
    n_dev: int,
    n_test: int,
    is_target: np.ndarray,
    may_hold_out: np.ndarray,
    target_in_train: bool,
) -> tuple[int, int]:
    """Return how many dev and test rows there are, with few or many target rows."""
    if is_target.all():
        return n_dev, n_test
    if target_in_train:
        n_held_out = min(n_dev + n_test, int(is_target.sum()) // 2, int(may_hold_out.sum()))
    elif (is_target & ~may_hold_out).any():
        raise ValueError(
            "target_in_train=False, but some groups have target and source rows, so that all of "
            "them must be trained on: split these groups, or give target_in_train=True."
        )
    else:
        n_held_out = int(is_target.sum())
    if n_held_out < 2:
        raise ValueError(
            f"target: {is_target.sum()} rows are too few for a dev and a test set; at least 4 are "
            "needed, in groups of target rows only if there are groups."
        )
    first = min(max(round(n_held_out * n_dev / (n_dev + n_test)), 1), n_held_out - 1)
    return first, n_held_out - first


def _train_dev_size(train_dev: bool | float, n_rows: int, n_dev: int) -> int:
    if isinstance(train_dev, (bool, np.bool_)):
        return max(min(n_dev, int(_MAX_TRAIN_DEV * n_rows)), 1) if train_dev else 0
    return max(round(train_dev * n_rows), 1)


def _holds_classes(y: Any) -> bool:
    return y is not None and type_of_target(y) in ("binary", "multiclass")


def _holds_large_classes(y: Any) -> bool:
    """Tell classes from counts and rounded numbers, which have many values in few rows each."""
    return _holds_classes(y) and len(np.unique(np.asarray(y))) <= num_samples(y) / _ROWS_PER_CLASS


def _drawing(
    y: Any,
    is_target: np.ndarray,
    groups: Any,
    time: Any,
    stratify: bool | None,
    random: np.random.RandomState,
) -> _Draw:
    """Return what draws rows for a part."""
    if time is not None:
        return lambda rows, size: _last_in_time(rows, size, np.asarray(time))
    if groups is not None:
        return lambda rows, size: _whole_groups_of(rows, size, np.asarray(groups), random)
    if stratify or (stratify is None and _holds_large_classes(y)):
        classes = np.unique(np.asarray(y), return_inverse=True)[1]
        strata = 2 * classes + is_target  # a train-dev set has both domains in their shares
        return lambda rows, size: _of_each_stratum(rows, size, strata, random)
    return lambda rows, size: _at_random(rows, size, is_target, random)


def _at_random(
    rows: np.ndarray, size: int, is_target: np.ndarray, random: np.random.RandomState
) -> np.ndarray:
    if len(np.unique(is_target[rows])) > 1:
        return _of_each_stratum(rows, size, is_target.astype(int), random)
    return _chosen(ShuffleSplit, rows, size, None, random)


def _of_each_stratum(
    rows: np.ndarray, size: int, strata: np.ndarray, random: np.random.RandomState
) -> np.ndarray:
    """Draw rows from each stratum in its share, the rare ones together with the most frequent."""
    _, codes, counts = np.unique(strata[rows], return_inverse=True, return_counts=True)
    by_count = np.argsort(-counts, kind="stable")
    n_kept = min(size, len(rows) - size)
    is_rare = counts < 2  # scikit-learn wants two rows of each, and one in each part
    is_rare[by_count[max(n_kept, 1) :]] = True
    codes[is_rare[codes]] = by_count[0]
    return _chosen(StratifiedShuffleSplit, rows, size, codes, random)


def _chosen(
    splitter: Any, rows: np.ndarray, size: int, codes: Any, random: np.random.RandomState
) -> np.ndarray:
    if not 0 < size < len(rows):
        return rows[:size]
    if codes is not None and len(np.unique(codes)) == 1:
        splitter, codes = ShuffleSplit, None
    one = splitter(1, test_size=size, random_state=random)
    return np.sort(rows[next(one.split(np.zeros(len(rows)), codes))[1]])


def _whole_groups_of(
    rows: np.ndarray, size: int, groups: np.ndarray, random: np.random.RandomState
) -> np.ndarray:
    """Go through groups in random order, and take each that brings their rows nearer to `size`.

    Where all are too large for that the smallest is taken, lest a part has no rows.
    """
    _, codes, counts = np.unique(groups[rows], return_inverse=True, return_counts=True)
    taken, n_taken = np.zeros(len(counts), dtype=bool), 0
    for group in random.permutation(len(counts)):
        if abs(n_taken + counts[group] - size) < abs(n_taken - size):
            taken[group], n_taken = True, n_taken + counts[group]
    if size and not n_taken and len(counts) > 1:  # each is more than twice as large
        taken[np.argmin(counts)] = True
    return rows[taken[codes]]


def _last_in_time(rows: np.ndarray, size: int, time: np.ndarray) -> np.ndarray:
    """Return the last rows, about `size` of them, cut between two times."""
    _, codes, counts = np.unique(time[rows], return_inverse=True, return_counts=True)
    n_from = np.append(np.cumsum(counts[::-1])[::-1], 0)  # rows from each time on, 0 after all
    return rows[codes >= np.argmin(np.abs(n_from - size))]


def _check_parts(split: Split, has_train_dev: bool, time: Any) -> None:
    sizes = dict(zip(_PARTS, map(len, split), strict=True))
    empty = [name for name, size in sizes.items() if not size]
    if set(empty) - (set() if has_train_dev else {"train_dev"}):
        raise ValueError(
            f"There are too few rows, or groups or times, for each part to have one: {sizes}. "
            "Give more rows, or other sizes."
        )
    if time is None:
        return
    when = np.asarray(time)
    trained_on = np.concatenate([when[split.train], when[split.train_dev]])
    n_later = int((trained_on >= when[split.dev].min()).sum())
    if n_later:
        raise ValueError(
            f"time: {n_later} source rows are not earlier than the first dev row, at "
            f"{when[split.dev].min()}: to train on them is to look into the future. Leave them "
            "out, or split without time."
        )


def _warn_if_too_small(n: int, detect: float, error_rate: float) -> None:
    tells = detectable_difference(n, error_rate)
    if detect < tells:
        warn(
            f"detect={detect:g}: with {n} rows the dev set tells differences in error rates from "
            f"{tells:.2g} on (at error rates about {error_rate:g}, at the level of 5 %, on four of "
            f"five dev sets). About {_rounded_up(n * (tells / detect) ** 2)} rows are needed.",
            SmallDevSetWarning,
        )


def _warn_of_few_target_rows(n: int, n_wanted: int, error_rate: float) -> None:
    tells = percent(detectable_difference(n, error_rate))
    warn(
        f"target: with few such rows there are {n} dev rows, where the sizes say {n_wanted}. They "
        f"tell differences in error rates from {tells} on. Collect more, give other sizes, or "
        "target_in_train=False to take all of them.",
        SmallDevSetWarning,
    )


def _rounded_up(n: float) -> int:
    """Return a number with two digits that are not 0."""
    unit = 10 ** max(math.floor(math.log10(n)) - 1, 0)
    return math.ceil(n / unit) * unit
