"""When a race is lost: the exact bound, the paired test and what the standings remember."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sklearn_hpt.racing import (
    ExactRacing,
    PairedRacing,
    Race,
    RacingPolicy,
    Standings,
    t_statistic,
)

SCORES = st.floats(-1.0, 1.0)
EIGHTHS = st.integers(-8, 8).map(lambda n: n / 8)  # many ties
SHAPES = st.tuples(st.integers(1, 12), st.integers(2, 10))
TABLES = hnp.arrays(float, SHAPES, elements=SCORES) | hnp.arrays(float, SHAPES, elements=EIGHTHS)


def race(scores, incumbent, **known):
    return Race(np.array(scores, dtype=float), np.array(incumbent, dtype=float), **known)


def replay(table, policy, maximum=None):
    """Return the standings and the folds that were done of each candidate."""
    standings = Standings(policy, maximum)
    n_folds = table.shape[1]
    n_done = []
    for scores in table:
        n = next((n for n in range(1, n_folds) if standings.should_stop(scores[:n])), n_folds)
        standings.add(scores[:n], is_complete=n == n_folds)
        n_done.append(n)
    return standings, np.array(n_done)


def first_best(table, n_done):
    means = [row.mean() if n == len(row) else -np.inf for row, n in zip(table, n_done, strict=True)]
    return int(np.argmax(means))


# ---- the exact bound ----


@given(TABLES, st.floats(-5, 5), st.booleans())
def test_exact_racing_finds_the_winner_of_the_full_cross_validation(table, shift, is_tight):
    table = table + shift
    maximum = table.max() if is_tight else 1.0 + shift
    _, n_done = replay(table, ExactRacing(), maximum)
    assert first_best(table, n_done) == first_best(table, [table.shape[1]] * len(table))


@given(TABLES)
def test_exact_racing_stops_no_candidate_that_can_still_win(table):
    incumbent, *others = table
    for scores in others:
        for n in range(1, len(scores)):
            if ExactRacing().should_stop(race(scores[:n], incumbent, maximum=1.0)):
                assert scores.mean() <= incumbent.mean()


def test_exact_racing_goes_on_with_a_candidate_that_can_tie():
    # the means of a tie may differ in the last digit when the folds are summed in another order
    assert not ExactRacing().should_stop(race([0.5], [0.75, 0.75], maximum=1.0))
    assert ExactRacing().should_stop(race([0.5], [0.75, 0.7501], maximum=1.0))
    assert not ExactRacing().should_stop(race([0.5], [0.75, 0.7499], maximum=1.0))


def test_exact_racing_knows_that_errors_end_at_zero():
    assert ExactRacing().should_stop(race([-3.0], [-1.0, -1.0], maximum=0.0))
    assert not ExactRacing().should_stop(race([-1.9], [-1.0, -1.0], maximum=0.0))


def test_exact_racing_without_a_maximum_stops_nothing():
    assert not ExactRacing().should_stop(race([-1e9], [0.9, 0.9]))


def test_maximum_of_the_policy_goes_before_that_of_the_metric():
    assert ExactRacing(maximum=0.9).should_stop(race([0.5], [0.8, 0.8], maximum=2.0))


def test_paired_racing_stops_what_the_bound_stops():
    assert PairedRacing(min_folds=2).should_stop(race([0.1], [0.9, 0.9], maximum=1.0))


# ---- the paired test ----


def test_t_statistic_is_that_of_the_formula():
    # d = -0.05, -0.01: mean -0.03, squares 0.0008; s2 = (5 * 0.0004 + 0.0008) / 6;
    # variance of the mean s2 * 3 / (5 * 2) = 0.00014
    example = race([0.80, 0.82], [0.85, 0.83, 0.9, 0.9, 0.9], prior_variance=0.0004)
    assert t_statistic(example, prior_folds=5) == pytest.approx(-0.03 / math.sqrt(0.00014))
    # the quantiles of t with 6 degrees of freedom are 3.14 (0.99) and 1.94 (0.95)
    assert not PairedRacing(eps=0.01, prior_folds=5).should_stop(example)
    assert PairedRacing(eps=0.05, prior_folds=5).should_stop(example)


@given(hnp.arrays(float, st.integers(2, 20), elements=st.floats(-1, 1)))
def test_t_statistic_of_few_among_many_folds_is_the_classical_one(d):
    assume(d.std() > 1e-3)
    incumbent = np.zeros(10**7)
    ours = t_statistic(Race(d, incumbent, prior_variance=1.0), prior_folds=0.0)
    assert ours == pytest.approx(scipy.stats.ttest_1samp(d, 0.0).statistic, rel=1e-4, abs=1e-9)


def test_t_statistic_grows_as_fewer_folds_are_missing():
    lag = [
        t_statistic(race([-1.0] * n, [0.0] * 10, prior_variance=1.0), prior_folds=1e9)
        for n in range(1, 10)
    ]
    # variance known to be 1: sqrt(K n / (K - n))
    assert lag == pytest.approx([-math.sqrt(10 * n / (10 - n)) for n in range(1, 10)])


@given(
    hnp.arrays(float, (2, 10), elements=EIGHTHS),
    st.integers(1, 9),
    st.sampled_from([2.0**-20, 0.25, 8.0, 2.0**20]),
    st.integers(-8, 8),
    st.sampled_from([0.2, 0.05, 0.01]),
)
def test_paired_racing_does_not_depend_on_unit_and_origin(table, n, unit, origin, eps):
    # powers of two, so that the decisions are equal to the last bit
    policy = PairedRacing(eps=eps)
    there = race(table[0, :n], table[1], prior_variance=0.125)
    scores, incumbent = table * unit + origin * unit
    here = race(scores[:n], incumbent, prior_variance=0.125 * unit**2)
    assert policy.should_stop(here) == policy.should_stop(there)


@given(hnp.arrays(float, (2, 5), elements=SCORES), st.integers(1, 4), st.floats(0.001, 10))
def test_smaller_eps_stops_no_more(table, n, variance):
    example = race(table[0, :n], table[1], prior_variance=variance)
    assert PairedRacing(eps=0.05).should_stop(example) or not PairedRacing().should_stop(example)


@given(hnp.arrays(float, (2, 5), elements=SCORES), st.integers(1, 4), st.floats(0.001, 10))
def test_candidate_that_leads_is_not_stopped(table, n, variance):
    incumbent = np.sort(table[0])
    scores = incumbent[:n] + np.abs(table[1, :n])
    assert not PairedRacing(eps=0.2).should_stop(race(scores, incumbent, prior_variance=variance))


def test_catastrophe_of_the_incumbent_that_is_still_to_come_keeps_a_race_open():
    # log-loss of nearest neighbors: few give one confident error, many give none
    few, many = [-0.04, -0.05, -0.05, -0.09, -0.51], [-0.12, -0.12, -0.14, -0.14, -0.14]
    assert np.mean(many) > np.mean(few)
    for n in range(1, 5):
        example = race(many[:n], few, maximum=0.0, prior_variance=0.01**2)
        assert t_statistic(example, prior_folds=10) < -5
        assert not PairedRacing().should_stop(example)
    harmless = race(many[:2], few[:4] + [-0.10], maximum=0.0, prior_variance=0.01**2)
    assert PairedRacing().should_stop(harmless)


def test_two_folds_are_enough_for_a_race():
    far, near = race([0.5], [0.9, 0.9], prior_variance=1e-4), race([0.89], [0.9, 0.9])
    assert PairedRacing().should_stop(far)
    assert not PairedRacing().should_stop(near)


def test_no_decision_before_min_folds():
    incumbent = [0.9] * 5
    policy = PairedRacing(min_folds=3)
    decisions = [
        policy.should_stop(race([0.1] * n, incumbent, prior_variance=1e-4)) for n in (1, 2, 3, 4)
    ]
    assert decisions == [False, False, True, True]


@pytest.mark.parametrize("wrong", [0, 7, 14])
def test_one_wrong_row_of_leave_one_out_decides_nothing(wrong):
    # 150 rows, each a fold; the two agree on all other rows, as on all but 5 % in general
    incumbent = np.ones(150)
    incumbent[[3, 50, 121, 130, 140]] = 0
    scores = incumbent.copy()
    scores[wrong] = 0
    stopped = [
        n
        for n in range(1, 121)
        if PairedRacing().should_stop(race(scores[:n], incumbent, maximum=1.0, prior_variance=0.05))
    ]
    assert stopped == []


def test_leave_one_out_is_looked_at_ten_times_at_most():
    incumbent = np.ones(150)
    stopped = [
        n
        for n in range(1, 150)
        if PairedRacing().should_stop(race(np.zeros(n), incumbent, prior_variance=0.05))
    ]
    assert stopped == list(range(15, 150, 15))


@pytest.mark.parametrize("eps", [0.01, 0.05])
@pytest.mark.parametrize("n_folds", [5, 10])
def test_few_of_the_stopped_would_have_won(n_folds, eps):
    # the candidates differ by as much as a fold's noise, the folds by more
    n_stopped = n_wrong = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        table = rng.normal(size=(100, 1)) + 3 * rng.normal(size=n_folds)
        table = table + rng.normal(size=(100, n_folds))
        _, n_done = replay(table, PairedRacing(eps=eps))
        best = -np.inf
        for mean, n in zip(table.mean(axis=1), n_done, strict=True):
            n_stopped += n < n_folds
            n_wrong += n < n_folds and mean > best
            best = max(best, mean) if n == n_folds else best
    assert n_stopped > 1000
    assert n_wrong <= eps * n_stopped


# ---- the standings ----


def test_nothing_is_stopped_before_a_candidate_is_complete():
    standings = Standings(PairedRacing(), maximum=1.0)
    assert not standings.has_incumbent
    assert not standings.should_stop([0.0])


@pytest.mark.parametrize("n_earlier", [1, 2, 3])
def test_first_candidates_are_stopped_by_the_bound_only(n_earlier):
    with_bound = Standings(PairedRacing(eps=0.2), maximum=1.0)
    without = Standings(PairedRacing(eps=0.2), maximum=None)
    for standings in (with_bound, without):
        for worse in range(n_earlier):
            standings.add([0.9, 0.8 - worse / 100, 0.9], is_complete=True)
    assert with_bound.should_stop([0.1])
    assert not without.should_stop([-100.0])


def test_two_candidates_that_are_nearly_the_same_do_not_end_the_search():
    # with their variance as the prior nothing behind after one fold would ever go on
    twins = [[0.5, 0.5, 0.5], [0.5, 0.5, 0.5 - 1e-12]]
    table = np.array([*twins, [0.49, 0.6, 0.6], [0.48, 0.5, 0.7], [0.59, 0.8, 0.6]])
    _, n_done = replay(table, PairedRacing())
    assert n_done[2] == 3


def test_equal_scores_stop_no_later_candidate():
    standings = Standings(PairedRacing(), maximum=None)
    for _ in range(5):
        standings.add([0.5, 0.6, 0.7], is_complete=True)
    assert not standings.should_stop([0.4])
    assert standings.closeness([0.4]) == pytest.approx(-0.1)


def test_incumbent_is_the_first_of_the_best_complete_candidates():
    standings = Standings(PairedRacing(), maximum=None)
    standings.add([1.0, 3.0], is_complete=True)
    standings.add([3.0, 1.0], is_complete=True)
    standings.add([9.0], is_complete=False)
    assert standings.race([0.0]).incumbent.tolist() == [1.0, 3.0]
    standings.add([3.0, 2.0], is_complete=True)
    assert standings.race([0.0]).incumbent.tolist() == [3.0, 2.0]


def test_expected_mean_does_not_depend_on_the_ease_of_the_folds():
    standings = Standings(PairedRacing(), maximum=None)
    standings.add([0.9, 0.5, 0.4], is_complete=True)
    assert standings.expected_mean([0.8]) == pytest.approx(0.6 - 0.1)
    assert standings.expected_mean([0.8, 0.6, 0.4]) == pytest.approx(0.6)


def test_closest_is_the_least_behind_in_standard_errors():
    standings = Standings(PairedRacing(), maximum=1.0)
    standings.add([0.9, 0.9, 0.9, 0.9], is_complete=True)
    for worse in (0.01, 0.02, 0.03):
        standings.add([0.9 - worse, 0.9, 0.9, 0.9 + worse], is_complete=True)
    one_fold, two_folds, lost = [0.85], [0.85, 0.85], [0.1, 0.2]
    assert standings.closeness(one_fold) > standings.closeness(two_folds)
    assert standings.closeness([0.86]) > standings.closeness(one_fold)
    assert standings.closeness(lost) == -math.inf


@pytest.mark.parametrize(
    ("policy", "name", "value"),
    [(PairedRacing, "eps", value) for value in ("a", 2, -1, 0, 1, True, math.nan)]
    + [(PairedRacing, "verify", value) for value in (5, -1, None)]
    + [(PairedRacing, "prior_folds", value) for value in (0, -5, "b")]
    + [
        (PairedRacing, "min_folds", 0),
        (ExactRacing, "maximum", "a"),
        (ExactRacing, "maximum", math.nan),
    ],
)
def test_parameters_of_policies_are_checked(policy, name, value):
    with pytest.raises(ValueError, match=f"{name}={value!r} of {policy.__name__} must be"):
        policy(**{name: value})


def test_any_object_with_should_stop_is_a_policy():
    class BehindEverywhere:
        def should_stop(self, race):
            return len(race.scores) >= 2 and (race.scores < race.incumbent[:2]).all()

    policy = BehindEverywhere()
    assert isinstance(policy, RacingPolicy)
    table = np.array([[0.5, 0.5, 0.5], [0.4, 0.4, 0.9], [0.6, 0.1, 0.1]])
    _, n_done = replay(table, policy)
    assert n_done.tolist() == [3, 2, 3]


def test_verify_is_the_share_to_complete_and_none_for_the_exact_bound():
    assert PairedRacing().verify == 0.02
    assert PairedRacing(verify=0.1).verify == 0.1
    assert not getattr(ExactRacing(), "verify", 0.0)
