"""Who copies whom after a generation, and what changes then."""

import math
from collections import Counter

import numpy as np
import pytest
from ask_and_tell import run
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_hpt.samplers import PopulationSampler, Sampler
from sklearn_hpt.samplers._exploit import origins
from sklearn_hpt.space import Categorical, Integer, Real

SPACE = {
    "lr": Real(1e-5, 1.0, "log-uniform"),
    "units": Integer(1, 300, "log-uniform"),
    "act": Categorical(["relu", "tanh", "gelu"]),
}
AMOUNTS = (2, 4, 6, 8)


def generations(proposals, size):
    return [proposals[i : i + size] for i in range(0, len(proposals), size)]


def by_lr(proposal):
    return -abs(math.log10(proposal.params["lr"]) + 2)


def test_a_generation_trains_each_member_a_little_further():
    proposals = run(PopulationSampler(SPACE, AMOUNTS, population_size=8, random_state=0), by_lr)
    assert [p.resource for p in proposals] == [a for a in AMOUNTS for _ in range(8)]
    assert [p.round for p in proposals] == [g for g in range(4) for _ in range(8)]
    for number, proposal in enumerate(proposals):
        if number < 8:
            assert proposal.continues is None
        else:
            assert number // 8 - 1 == proposal.continues // 8


def test_the_worst_quarter_copies_the_best_quarter():
    proposals = run(PopulationSampler(SPACE, (1, 2), population_size=8, random_state=1), by_lr)
    first, second = generations(proposals, 8)
    ranked = sorted(range(8), key=lambda i: -by_lr(first[i]))
    for place in range(8):
        if place in ranked[-2:]:
            assert second[place].continues in ranked[:2]
            assert second[place].params != first[second[place].continues].params
        else:
            assert second[place].continues == place
            assert second[place].params == first[place].params


def test_only_what_may_change_does():
    sampler = PopulationSampler(
        SPACE, range(1, 20), population_size=4, mutable=["lr"], resample=0.0, random_state=0
    )
    proposals = run(sampler, by_lr)
    for proposal in proposals[4:]:
        parent = proposals[proposal.continues]
        assert proposal.params["units"] == parent.params["units"]
        assert proposal.params["act"] == parent.params["act"]


def test_members_without_a_score_are_replaced_however_many_they_are():
    def evaluate(proposal):
        return 1.0 if proposal.params["units"] < 30 else math.nan

    sampler = PopulationSampler(SPACE, (1, 2), population_size=8, mutable=["lr"], random_state=0)
    first, second = generations(run(sampler, evaluate), 8)
    assert 2 < sum(math.isnan(evaluate(p)) for p in first) < 8
    assert not any(math.isnan(evaluate(p)) for p in second)


def test_a_population_without_any_score_begins_anew():
    proposals = run(
        PopulationSampler(SPACE, (1, 2), population_size=4, random_state=0), lambda p: math.nan
    )
    first, second = generations(proposals, 4)
    assert all(p.continues is None for p in second)
    assert not {p.params["lr"] for p in first} & {p.params["lr"] for p in second}


def test_equals_are_told_apart_at_random():
    """With strict comparisons two equal members would never copy each other."""
    who = Counter()
    for seed in range(60):
        sampler = PopulationSampler(SPACE, (1, 2), population_size=2, random_state=seed)
        second = run(sampler, lambda p: 0.5)[2:]
        who[tuple(p.continues for p in second)] += 1
    assert set(who) == {(0, 0), (1, 1)}
    assert min(who.values()) > 15


def test_nobody_is_replaced_while_it_burns_in():
    sampler = PopulationSampler(SPACE, AMOUNTS, population_size=4, burn_in=2, random_state=0)
    proposals = run(sampler, by_lr)
    assert [p.continues for p in proposals[4:12]] == list(range(8))
    assert [p.continues for p in proposals[12:]] != list(range(8, 12))


@settings(max_examples=30, deadline=None)
@given(
    n_workers=st.integers(1, 7),
    order=st.integers(0, 10**6),
    tells_early=st.booleans(),
    size=st.integers(2, 6),
)
def test_workers_and_their_order_change_nothing(n_workers, order, tells_early, size):
    def proposals(**how):
        sampler = PopulationSampler(SPACE, AMOUNTS, population_size=size, random_state=3)
        return run(sampler, by_lr, **how)

    assert proposals(n_workers=n_workers, seed=order, tells_early=tells_early) == proposals()


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), step=st.floats(0.0, 3.0), resample=st.floats(0.0, 1.0))
def test_changes_never_leave_the_space(seed, step, resample):
    sampler = PopulationSampler(
        [SPACE, {"act": ["none"], "units": (1, 9)}],
        range(1, 6),
        population_size=4,
        step=step,
        resample=resample,
        random_state=seed,
    )
    for proposal in run(sampler, lambda p: float(p.params["units"])):
        assert any(space.contains(proposal.params) for space in sampler.space.spaces)


def test_steps_are_on_the_scale_of_the_prior():
    """A step of a tenth of five decades is half a decade, up or down."""
    sampler = PopulationSampler(
        SPACE, range(1, 400), population_size=2, resample=0.0, random_state=0
    )
    proposals = run(sampler, lambda p: -abs(math.log10(p.params["lr"]) + 2.5))
    steps = [
        math.log10(p.params["lr"]) - math.log10(proposals[p.continues].params["lr"])
        for p in proposals[2:]
        if p.params != proposals[p.continues].params
    ]
    assert abs(np.median(steps)) < 0.15
    assert 0.4 < np.std(steps) < 0.6


def test_a_generation_waits_for_the_one_before():
    sampler = PopulationSampler(SPACE, (1, 2), population_size=2, random_state=0)
    assert isinstance(sampler, Sampler)
    sampler.ask(), sampler.ask()
    assert sampler.lookahead == 1
    with pytest.raises(RuntimeError, match="all results of the one before"):
        sampler.ask()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"population_size": 1}, "population_size=1 must be at least 2"),
        ({"quantile": 0.6}, r"quantile=0.6 must be in \(0, 0.5\]"),
        ({"resample": -0.1}, r"resample=-0.1 must be in \[0, 1\]"),
        ({"step": -1.0}, "step=-1.0 must be at least 0"),
        ({"burn_in": -1}, "burn_in=-1 must be at least 0"),
        ({"explore": "pb3"}, "explore='pb3' must be 'perturb' or 'pb2'"),
        ({"exploit_every": (1, 4)}, r"exploit_every=\(1, 4\) must be .* at least 4 members"),
        ({"exploit_every": (0,)}, r"exploit_every=\(0,\) must be numbers of at least 1"),
        ({"exploit_every": ()}, r"exploit_every=\(\) must be"),
        ({"mutable": ["lrr"]}, "mutable=.'lrr'. are not in the search space"),
        ({"resources": (3, 2)}, r"resources=\(3, 2\) must be increasing"),
    ],
)
def test_wrong_arguments_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        PopulationSampler(SPACE, **{"resources": AMOUNTS, "population_size": 7, **wrong})


# a bandit in place of random steps, and parts of several speeds

MOVING = {"lr": (1e-4, 1.0, "log-uniform"), "momentum": (0.0, 1.0), "net": ["a", "b"]}


def trained(seed, n_generations=15, **settings):
    """Train where the best rate falls with time; return the best that any member reaches."""
    sampler = PopulationSampler(
        MOVING,
        range(1, n_generations + 1),
        population_size=4,
        mutable=["lr", "momentum"],
        random_state=seed,
        **settings,
    )
    rng, reached = np.random.default_rng(seed), []
    while (proposal := sampler.ask()) is not None:
        before = 0.0 if proposal.continues is None else reached[proposal.continues]
        place = 1 + np.log10(proposal.params["lr"]) / 4
        best_place = 1 - 0.6 * proposal.round / n_generations
        loss = 3 * abs(place - best_place) + abs(proposal.params["momentum"] - 0.5)
        reached.append(before + 1 - loss - 0.2 * (proposal.params["net"] == "b"))
        sampler.tell(proposal.params, reached[-1] + rng.normal() * 0.05)
    return max(reached)


def test_a_bandit_follows_a_moving_optimum_better_than_random_steps():
    gained = [trained(seed, explore="pb2") - trained(seed) for seed in range(4)]
    assert np.mean(gained) > 0.5


@pytest.mark.parametrize("n_workers", [1, 3])
def test_a_bandit_stays_in_the_space_and_changes_only_what_may_change(n_workers):
    def searched():
        sampler = PopulationSampler(
            SPACE,
            range(1, 8),
            population_size=4,
            mutable=["lr", "units"],
            explore="pb2",
            random_state=0,
        )
        return run(sampler, by_lr, n_workers=n_workers)

    proposals = searched()
    assert proposals == searched()
    for proposal in proposals:
        assert all(proposal.params[name] in SPACE[name] for name in SPACE)
        if proposal.continues is not None:
            assert proposal.params["act"] == proposals[proposal.continues].params["act"]


def test_a_slow_part_copies_only_at_its_turn():
    settings = {"population_size": 16, "exploit_every": (1, 4), "random_state": 0}
    proposals = run(PopulationSampler(SPACE, range(1, 10), **settings), by_lr)
    for number, generation in enumerate(generations(proposals, 16)[1:], start=1):
        moved = {place for place in range(16) if generation[place].continues % 16 != place}
        assert any(place < 8 for place in moved)
        assert any(place >= 8 for place in moved) == (number % 4 == 0)


def test_weights_from_a_faster_part_come_without_hyperparameters():
    scores = np.concatenate([np.arange(10.0, 18.0), np.arange(8.0)])  # the fast part is better
    rng = np.random.default_rng(0)
    found = origins(scores, 4, every=(1, 4), quantile=0.25, burn_in=0, rng=rng)
    for place in (10, 11):  # of the slow part, neither of its two best nor of its two worst
        assert found[place].donor in (6, 7) and not found[place].is_changed
    for place in (8, 9):
        assert found[place].donor in (14, 15) and found[place].is_changed
    assert [found[place].donor for place in (12, 13, 14, 15)] == [12, 13, 14, 15]
    scores = np.concatenate([np.arange(8.0), np.arange(10.0, 18.0)])  # the slow part is better
    found = origins(scores, 4, every=(1, 4), quantile=0.25, burn_in=0, rng=rng)
    for place in (2, 3):
        assert found[place].donor in (14, 15) and found[place].is_changed


def test_a_part_that_has_failed_begins_with_the_others():
    scores = np.array([math.nan] * 4 + [1.0, 2.0, 3.0, 4.0])
    rng = np.random.default_rng(0)
    found = origins(scores, 1, every=(1, 4), quantile=0.25, burn_in=3, rng=rng)
    assert {origin.donor for origin in found[:4]} == {7}
    assert [origin.donor for origin in found[4:]] == [4, 5, 6, 7]
