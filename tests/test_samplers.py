"""The contract that every sampler keeps, and what each one adds to it.

To put a new sampler under the contract, add it to SAMPLERS.
"""

import math
import random

import numpy as np
import pytest
import scipy.stats
from sklearn.model_selection import ParameterGrid

from sklearn_hpt._space_formats import as_space_union
from sklearn_hpt.exceptions import SpaceError
from sklearn_hpt.samplers import GridSampler, RandomSampler, Sampler, SobolSampler
from sklearn_hpt.space import Categorical, Integer

# name -> make(space, seed)
SAMPLERS = {
    "random": lambda space, seed=0: RandomSampler(space, random_state=seed),
    "sobol": lambda space, seed=0: SobolSampler(space, random_state=seed),
    "grid": lambda space, seed=0: GridSampler(space),
}
SEEDED = {name: make for name, make in SAMPLERS.items() if name != "grid"}  # and continuous

FINITE = {"kernel": ["rbf", "poly"], "degree": (1, 4), "shrinking": [True, False, None, [1]]}  # 32
MIXED = {
    "lr": (1e-4, 1e-1, "log-uniform"),
    "momentum": (0.9, 0.999, "log-complement"),
    "units": (1, 500, "log-uniform"),
    "act": ["relu", "tanh"],
    "decay": scipy.stats.gamma(2),
    "clip": scipy.stats.poisson(3),
}
SKEWED = [
    ({"n": (1, 1000, "log-uniform")}, 1000),
    ({"n": (1, 50), "c": Categorical(["a", "b"], weights=[1, 999])}, 100),
]


class OnlyRvs:
    def rvs(self, random_state=None):
        return random_state.uniform(2, 3)


def contract(samplers):
    return pytest.mark.parametrize("make", samplers.values(), ids=samplers)


def proposals(sampler, n):
    """Ask `n` times and tell a score that depends on the place only."""
    asked = []
    for number in range(n):
        params = sampler.ask()
        asked.append(params)
        if params is not None:
            sampler.tell(params, math.sin(number), [math.sin(number)] * 2)
    return asked


def all_proposals(sampler):
    """Ask until None."""
    asked = []
    while (params := sampler.ask()) is not None:
        asked.append(params)
        sampler.tell(params, 0.0)
    return asked


# ---- the contract ----


@contract(SAMPLERS)
def test_sampler_satisfies_the_protocol(make):
    sampler = make(FINITE)
    assert isinstance(sampler, Sampler)
    assert sampler.lookahead is None or sampler.lookahead >= 1


@contract(SAMPLERS)
def test_same_seed_and_results_give_the_same_proposals(make):
    assert proposals(make(FINITE, 7), 20) == proposals(make(FINITE, 7), 20)


@contract(SEEDED)
def test_same_seed_and_results_give_the_same_continuous_proposals(make):
    assert proposals(make(MIXED, 7), 20) == proposals(make(MIXED, 7), 20)


@contract(SEEDED)
def test_other_seed_gives_other_proposals(make):
    assert proposals(make(MIXED, 0), 5) != proposals(make(MIXED, 1), 5)


@contract(SEEDED)
def test_without_a_seed_each_sampler_is_different(make):
    assert proposals(make(MIXED, None), 5) != proposals(make(MIXED, None), 5)


@contract(SAMPLERS)
def test_proposals_of_independent_samplers_need_no_results(make):
    untold = make(FINITE)
    if untold.lookahead is not None:
        pytest.skip("this sampler learns from results")
    assert [untold.ask() for _ in range(20)] == proposals(make(FINITE), 20)


@contract(SAMPLERS)
def test_failed_trials_can_be_told(make):
    sampler = make(FINITE)
    for _ in range(5):
        sampler.tell(sampler.ask(), math.nan, [math.nan, 0.5])
    assert sampler.ask() is not None


@contract(SEEDED)
def test_every_proposal_is_inside_the_space(make):
    space = as_space_union(MIXED).spaces[0]
    assert all(space.contains(params) for params in proposals(make(MIXED), 40))


@contract(SAMPLERS)
def test_finite_space_is_covered_exactly_once(make):
    space = as_space_union(FINITE).spaces[0]
    keys = [space.key(params) for params in all_proposals(make(FINITE))]
    assert sorted(keys) == sorted(space.key(space.at(i)) for i in range(32))


@contract(SAMPLERS)
@pytest.mark.parametrize("space, size", SKEWED)
def test_skewed_finite_space_is_covered_exactly_once(make, space, size):
    asked = [tuple(params.values()) for params in all_proposals(make(space))]
    assert len(asked) == len(set(asked)) == size


@contract(SAMPLERS)
def test_space_with_equal_choices_is_covered_exactly_once(make):
    asked = all_proposals(make({"a": [[1], [1], "x", "x", None]}))
    assert sorted(map(str, asked)) == ["{'a': 'x'}", "{'a': None}", "{'a': [1]}"]


@contract(SAMPLERS)
def test_exhausted_sampler_stays_exhausted(make):
    sampler = make({"a": [1, 2]})
    assert [params is None for params in proposals(sampler, 5)] == [False, False, True, True, True]


@contract(SAMPLERS)
def test_finite_space_may_be_too_large_to_enumerate(make):
    space = dict.fromkeys("abcd", (0, 10**9))  # 1e36 points
    asked = proposals(make(space), 3)
    assert all(as_space_union(space).spaces[0].contains(params) for params in asked)


@contract(SAMPLERS)
def test_own_budgets_are_held_exactly(make):
    spaces = [({"a": (1, 100)}, 5), ({"b": [1, 2, 3]}, 10), {"c": (1, 4)}]
    asked = [next(iter(params)) for params in all_proposals(make(spaces))]
    assert [asked.count(name) for name in "abc"] == [5, 3, 4]


@contract(SEEDED)
def test_own_budgets_are_held_in_continuous_spaces(make):
    spaces = [({"a": (0.0, 1.0)}, 5), {"b": (0.0, 1.0)}, ({"c": (0.0, 1.0)}, 3)]
    asked = [next(iter(params)) for params in proposals(make(spaces), 12)]
    assert [asked.count(name) for name in "abc"] == [5, 4, 3]


@contract(SEEDED)
def test_pair_alone_ends_with_its_budget(make):
    assert len(all_proposals(make(({"a": (0.0, 1.0)}, 6)))) == 6


@contract(SAMPLERS)
def test_each_of_the_alternatives_is_drawn_from(make):
    spaces = [{"clf": ["svc"], "C": (1, 4)}, {"clf": ["knn"], "k": (1, 3)}]
    asked = all_proposals(make(spaces))
    assert [len(params) for params in asked] == [2] * 7
    assert sorted(params["clf"] for params in asked) == ["knn"] * 3 + ["svc"] * 4


@contract(SEEDED)
def test_alternatives_share_the_budget_evenly(make):
    spaces = [{"a": (0.0, 1.0)}, {"b": (0.0, 1.0)}]
    asked = ["a" in params for params in proposals(make(spaces), 100)]
    assert 30 <= sum(asked) <= 70


@contract(SEEDED)
def test_proposals_do_not_depend_on_another_sampler(make):
    alone = proposals(make(MIXED, 3), 8)
    sampler, other = make(MIXED, 3), make(MIXED, 4)
    assert [(other.ask(), sampler.ask(), other.ask())[1] for _ in range(8)] == alone


@contract(SEEDED)
def test_global_random_state_is_untouched(make):
    before = np.random.get_state()[1].tolist(), random.getstate()
    proposals(make(MIXED, None), 5)
    proposals(make(FINITE), 40)
    assert (np.random.get_state()[1].tolist(), random.getstate()) == before


@contract(SAMPLERS)
def test_space_given_to_a_sampler_is_left_as_it_was(make):
    space = {"b": [2, 1], "a": [[1], [2]]}
    all_proposals(make(space))
    assert space == {"b": [2, 1], "a": [[1], [2]]} and list(space) == ["b", "a"]


@contract(SAMPLERS)
def test_choices_are_proposed_as_the_very_objects(make):
    choices = [[1], {"a": 2}, object()]
    asked = [params["a"] for params in all_proposals(make({"a": choices}))]
    assert {id(value) for value in asked} == {id(value) for value in choices}


@contract(SEEDED)
@pytest.mark.parametrize(
    "spec, possible",
    [
        (scipy.stats.rv_discrete(values=([1, 5, 7], [0.2, 0.5, 0.3]))(), {1, 5, 7}),
        (Categorical(["x", "y", "z"], weights=[1, 0, 1]), {"x", "z"}),
    ],
    ids=["gaps", "weights"],
)
def test_values_of_probability_zero_are_not_proposed(make, spec, possible):
    asked = [params["a"] for params in proposals(make({"a": spec}), 12) if params is not None]
    assert set(asked) <= possible


@contract(SAMPLERS)
def test_sampler_refuses_an_empty_space(make):
    with pytest.raises(SpaceError, match="empty"):
        make({})


# ---- RandomSampler ----


def test_random_choices_are_equally_frequent():
    sampler = RandomSampler({"a": list("vwxyz"), "b": (0.0, 1.0)}, random_state=0)
    drawn = [params["a"] for params in proposals(sampler, 3000)]
    assert scipy.stats.chisquare([drawn.count(choice) for choice in "vwxyz"]).pvalue > 1e-3


def test_first_random_choice_is_uniform_over_seeds():
    drawn = [RandomSampler({"a": [0, 1, 2]}, random_state=seed).ask()["a"] for seed in range(1500)]
    assert scipy.stats.chisquare(np.bincount(drawn)).pvalue > 1e-3


def test_random_parameters_are_independent():
    sampler = RandomSampler({"a": (0.0, 1.0), "b": (0.0, 1.0)}, random_state=0)
    a, b = np.array([list(params.values()) for params in proposals(sampler, 1000)]).T
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.1
    assert abs(np.corrcoef(a[1:], a[:-1])[0, 1]) < 0.1


def test_random_sampler_needs_only_rvs():
    sampler = RandomSampler({"a": OnlyRvs()}, random_state=0)
    assert all(2 <= params["a"] <= 3 for params in proposals(sampler, 10))


def test_random_draws_from_only_rvs_leave_the_global_state_untouched():
    before = np.random.get_state()[1].tolist()
    proposals(RandomSampler({"a": OnlyRvs()}, random_state=0), 5)
    assert np.random.get_state()[1].tolist() == before


def test_log_integers_are_drawn_by_their_prior():
    sampler = RandomSampler({"n": (1, 9, "log-uniform"), "x": (0.0, 1.0)}, random_state=0)
    counts = np.bincount([params["n"] for params in proposals(sampler, 3000)], minlength=10)[1:]
    i = np.arange(1, 10)
    expected = np.log((i + 0.5) / (i - 0.5)) / math.log(9.5 / 0.5)
    assert scipy.stats.chisquare(counts, 3000 * expected).pvalue > 1e-3


# ---- SobolSampler ----


@pytest.mark.parametrize("m", [1, 3, 6])
@pytest.mark.parametrize("seed", [0, 1])
def test_sobol_points_fall_into_different_cells_of_each_axis(m, seed):
    axes = {
        "a": (0.0, 1.0),
        "b": (1e-4, 1.0, "log-uniform"),
        "c": (0.0, 0.999, "log-complement"),
        "d": scipy.stats.norm(),
    }
    sampler = SobolSampler(axes, random_state=seed)
    space = sampler.space.spaces[0]
    points = np.array([space.to_unit(params) for params in proposals(sampler, 2**m)])
    cells = np.floor(points * 2**m).astype(int)
    assert (np.sort(cells, axis=0) == np.arange(2**m)[:, None]).all()


def test_sobol_points_stay_even_in_each_alternative():
    sampler = SobolSampler([({"a": (0.0, 1.0)}, 8), ({"b": (0.0, 1.0)}, 8)], random_state=0)
    values = [next(iter(params.values())) for params in all_proposals(sampler)]
    for part in (values[:8], values[8:]):
        assert sorted(int(8 * value) for value in part) == list(range(8))
    assert values[:8] != values[8:]


def test_sobol_refuses_a_distribution_without_quantiles():
    with pytest.raises(SpaceError, match="'a' = .*OnlyRvs.* no ppf.*sampler='random'"):
        SobolSampler({"a": OnlyRvs()}, random_state=0)


# ---- GridSampler ----


def test_grid_follows_parameter_grid():
    grid = [{"b": [1, 2], "a": ["x", "y", "z"]}, {"c": [None, [1]]}]
    assert all_proposals(GridSampler(grid)) == list(ParameterGrid(grid))


def test_grid_numbers_the_integers_of_a_range():
    sampler = GridSampler({"n": Integer(3, 5), "m": np.arange(2)})
    assert all_proposals(sampler) == [{"m": m, "n": n} for m in (0, 1) for n in (3, 4, 5)]


@pytest.mark.parametrize("dimension", [(0.0, 1.0), scipy.stats.norm(), scipy.stats.poisson(3)])
def test_grid_refuses_infinitely_many_points(dimension):
    with pytest.raises(SpaceError, match="'a'.*finitely many"):
        GridSampler({"a": dimension})


def test_alternatives_share_a_budget_in_equal_parts():
    sampler = RandomSampler([{"a": (0.0, 1.0)}, {"b": (0.0, 1.0)}], random_state=0)
    names = [next(iter(sampler.ask())) for _ in range(20)]
    assert names.count("a") == names.count("b") == 10
    assert len(set(zip(names[::2], names[1::2], strict=True))) == 2  # in random order
