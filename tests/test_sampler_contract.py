"""What every sampler keeps to, whatever it proposes by."""

import copy
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_hpt import Categorical, Integer, Real
from sklearn_hpt.samplers import (
    BayesianSampler,
    CoarseToFineSampler,
    EvolutionarySampler,
    RandomSampler,
    Sampler,
    SobolSampler,
)

SPACE = {
    "lr": Real(1e-5, 1.0, "log-uniform"),
    "momentum": Real(0.5, 0.999, "log-complement"),
    "units": Integer(1, 300, "log-uniform"),
    "depth": [1, 2, 4, 8],
    "act": Categorical(["relu", "tanh", "gelu"]),
}
FINITE = {"a": (1, 4), "b": ["x", "y", "z"]}  # 12 points
ALTERNATIVES = [{"clf": ["svc"], "C": (1e-3, 1e3, "log-uniform")}, {"clf": ["knn"], "k": (1, 9)}]
SAMPLERS = [BayesianSampler, CoarseToFineSampler, EvolutionarySampler, RandomSampler, SobolSampler]
samplers = pytest.mark.parametrize("kind", SAMPLERS)
# those that go on as long as they are asked
endless = pytest.mark.parametrize("kind", [k for k in SAMPLERS if k is not CoarseToFineSampler])


def params_of(asked):
    return getattr(asked, "params", asked)


def good(params):
    """Best at a learning rate of 0.01 and 'relu'."""
    if "lr" not in params:
        return -float(params.get("a", params.get("C", params.get("k", 0))))
    return -abs(math.log10(params["lr"]) + 2) - (params["act"] != "relu")


def run(sampler, n, evaluate=good, folds=lambda score: None):
    """Ask and tell n times, as far as there is something to ask."""
    asked = []
    while len(asked) < n and (one := sampler.ask()) is not None:
        params = params_of(one)
        asked.append(dict(params))
        score = evaluate(params)
        sampler.tell(params, score, folds(score))
    return asked


@samplers
def test_it_is_a_sampler(kind):
    assert isinstance(kind(SPACE, random_state=0), Sampler)


@samplers
@pytest.mark.parametrize("space", [SPACE, FINITE, ALTERNATIVES], ids=["mixed", "finite", "or"])
def test_the_same_told_gives_the_same_proposals(kind, space):
    one, other = (run(kind(space, random_state=3), 15) for _ in range(2))
    assert one == other
    assert run(kind(space, random_state=4), 15) != one


@samplers
def test_a_copy_goes_on_as_the_original(kind):
    sampler = kind(SPACE, random_state=0)
    run(sampler, 9)
    other = copy.deepcopy(sampler)
    assert run(sampler, 5) == run(other, 5)


@samplers
@pytest.mark.parametrize("space", [SPACE, FINITE, ALTERNATIVES], ids=["mixed", "finite", "or"])
def test_every_proposal_is_in_the_space_and_of_plain_types(kind, space):
    sampler = kind(space, random_state=1)
    for params in run(sampler, 30):
        assert any(one.contains(params) for one in sampler.space.spaces)
        assert not any(isinstance(value, np.generic) for value in params.values())


@samplers
def test_no_point_is_proposed_twice(kind):
    asked = run(kind(SPACE, random_state=0), 60)
    assert len({tuple(sorted(params.items())) for params in asked}) == len(asked)


@endless
def test_a_finite_space_is_proposed_once_and_ends(kind):
    sampler = kind(FINITE, random_state=0)
    asked = run(sampler, 100)
    assert len({tuple(params.items()) for params in asked}) == len(asked) == 12
    assert sampler.ask() is None and sampler.ask() is None


@endless
def test_alternatives_have_the_budgets_that_they_are_given(kind):
    spaces = [({"clf": ["svc"], "C": (1e-3, 1e3)}, 5), {"clf": ["knn"], "k": (1, 99)}]
    asked = run(kind(spaces, random_state=0), 20)
    assert [params["clf"] for params in asked] == ["svc"] * 5 + ["knn"] * 15


@samplers
@pytest.mark.parametrize(
    "evaluate",
    [
        lambda params: math.nan,
        lambda params: math.inf if params["units"] % 2 else 1.0,
        lambda params: -math.inf if params["units"] % 2 else good(params),
        lambda params: math.nan if params["units"] % 3 else good(params),
        lambda params: 0.5,
        lambda params: 1e12 * good(params),
        lambda params: 1e-12 * good(params),
        lambda params: 1e6 + 1e-9 * good(params),
        lambda params: -1e12 if params["act"] == "tanh" else good(params),
    ],
    ids=["nan", "inf", "-inf", "some", "constant", "large", "small", "offset", "crash"],
)
def test_any_score_can_be_told(kind, evaluate):
    sampler = kind(SPACE, random_state=0)
    asked = run(sampler, 25, evaluate)
    assert len(asked) == 25
    assert all(sampler.space.spaces[0].contains(params) for params in asked)


@samplers
def test_folds_may_be_told_and_may_be_missing(kind):
    rng = np.random.default_rng(0)

    def folds(score):
        values = score + rng.normal(0, 0.1, 5)
        values[rng.random(5) < 0.3] = math.nan
        return values.tolist()

    assert len(run(kind(SPACE, random_state=0), 25, folds=folds)) == 25


@samplers
def test_results_may_come_late_as_far_as_the_lookahead_allows(kind):
    options = {"n_points": 4} if kind is BayesianSampler else {}
    sampler = kind(SPACE, random_state=0, **options)
    waiting, asked = [], []
    while len(asked) < 40:
        lookahead = sampler.lookahead
        if lookahead is not None and len(waiting) >= lookahead:
            params = waiting.pop(0)
            sampler.tell(params, good(params))
            continue
        params = dict(params_of(sampler.ask()))
        asked.append(tuple(sorted(params.items())))
        waiting.append(params)
    assert len(set(asked)) == 40


@samplers
def test_earlier_results_may_be_told_first(kind):
    sampler = kind(SPACE, random_state=0)
    earlier = run(RandomSampler(SPACE, random_state=9), 20)
    for params in earlier:
        sampler.tell(params, good(params))
    asked = run(sampler, 10)
    assert len(asked) == 10
    assert asked != run(kind(SPACE, random_state=0), 10)


@pytest.mark.parametrize("kind", [BayesianSampler, EvolutionarySampler, CoarseToFineSampler])
@pytest.mark.parametrize("seed", range(3))
def test_results_are_learned_from(kind, seed):
    best = max(map(good, run(kind(SPACE, random_state=seed), 60)))
    by_chance = [
        max(map(good, run(RandomSampler(SPACE, random_state=s), 60))) for s in range(100, 140)
    ]
    assert best > np.quantile(by_chance, 0.6)


@samplers
@given(seed=st.integers(0, 10_000))
@settings(max_examples=8, deadline=None)
def test_random_spaces_and_scores(kind, seed):
    rng = np.random.default_rng(seed)
    space = {}
    for i in range(int(rng.integers(1, 5))):
        space[f"p{i}"] = [
            Real(0.0, 1.0),
            Real(1e-9, 1e9, "log-uniform"),
            Integer(-3, 3),
            Integer(1, 10**9, "log-uniform"),
            Categorical([None, True, "a", 1.5]),
            [0.1],
        ][int(rng.integers(6))]
    sampler = kind(space, random_state=seed)
    scores = rng.choice([math.nan, 0.0, 1.0, -1e9, 1e9], 20)
    for params in run(sampler, 20, lambda params: float(scores[len(str(params)) % 20])):
        assert sampler.space.spaces[0].contains(params)
