"""Laws of the dimensions: what holds for every value, range and prior."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import ParameterGrid
from sklearn.svm import SVC

from sklearn_hpt.exceptions import SpaceError
from sklearn_hpt.space import Categorical, Distribution, Integer, Real, Space, SpaceUnion

law = settings(max_examples=40, deadline=None, derandomize=True)
units = st.floats(0, 1)
inner_units = st.floats(1e-6, 1 - 1e-6)  # where quantiles are accurate
widths = st.floats(1e-3, 1)


@st.composite
def uniform_reals(draw):
    low = draw(st.floats(-1e6, 1e6))
    return Real(low, low + 10.0 ** draw(st.floats(-3, 6)))


@st.composite
def log_reals(draw):
    exponent = draw(st.floats(-12, 6))
    return Real(10.0**exponent, 10.0 ** (exponent + draw(st.floats(0.01, 12))), "log-uniform")


@st.composite
def log_complement_reals(draw):
    nines = draw(st.floats(0, 5))
    more = draw(st.floats(nines + 0.01, 6))
    return Real(1 - 10.0**-nines, 1 - 10.0**-more, "log-complement")


@st.composite
def uniform_integers(draw):
    low = draw(st.integers(-(2**50), 2**50))
    return Integer(low, low + draw(st.integers(1, 2**50)))


@st.composite
def log_integers(draw):
    low = draw(st.integers(1, 10**6))
    return Integer(low, low + draw(st.integers(1, 10**9)), "log-uniform")


@st.composite
def categoricals(draw):
    scalars = (
        st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-1, 1) | st.text(max_size=2)
    )
    small = st.lists(st.integers(0, 2), max_size=2)
    choices = draw(st.lists(scalars | small | small.map(tuple), min_size=1, max_size=6))
    weight = st.floats(0.01, 10)
    n = len(choices)
    return Categorical(choices, draw(st.none() | st.lists(weight, min_size=n, max_size=n)))


CONTINUOUS = [
    Distribution(scipy.stats.norm(3, 2)),
    Distribution(scipy.stats.gamma(2)),
    Distribution(scipy.stats.loguniform(1, 10, loc=1)),
    Distribution(scipy.stats.norm(3, 2), quantiles=(0.2, 0.7)),
    Distribution(scipy.stats.Normal(mu=3, sigma=2)),
]
DISCRETE = [
    Distribution(scipy.stats.poisson(3)),
    Distribution(scipy.stats.binom(5, 0.3)),
    Distribution(scipy.stats.binom(9, 0.3), quantiles=(0.2, 0.7)),
    Distribution(scipy.stats.Binomial(n=5, p=0.5)),
]

REALS = {"real": uniform_reals(), "real-log": log_reals(), "real-comp": log_complement_reals()}
INTEGERS = {"integer": uniform_integers(), "integer-log": log_integers()}
CONTINUOUS_KINDS = {**REALS, "continuous": st.sampled_from(CONTINUOUS)}
EXACT_KINDS = {**INTEGERS, "discrete": st.sampled_from(DISCRETE), "categorical": categoricals()}
ALL_KINDS = {**CONTINUOUS_KINDS, **EXACT_KINDS}
ORDERED_KINDS = {name: kind for name, kind in ALL_KINDS.items() if name != "categorical"}


def for_each(kinds):
    return pytest.mark.parametrize("kind", kinds.values(), ids=kinds)


# ---- the unit interval ----


@for_each(ALL_KINDS)
@law
@given(st.data(), units)
def test_every_position_maps_to_a_value_of_the_dimension(kind, data, u):
    dimension = data.draw(kind)
    assert dimension.from_unit(u) in dimension


@for_each(ALL_KINDS)
@law
@given(st.data(), units)
def test_every_value_has_a_position_in_the_unit_interval(kind, data, u):
    dimension = data.draw(kind)
    assert 0.0 <= dimension.to_unit(dimension.from_unit(u)) <= 1.0


@for_each(EXACT_KINDS)
@law
@given(st.data(), inner_units)
def test_discrete_values_come_back_exactly(kind, data, u):
    dimension = data.draw(kind)
    value = dimension.from_unit(u)
    back = dimension.from_unit(dimension.to_unit(value))
    assert back == value and type(back) is type(value)


SCALES = {
    "uniform": lambda x: x,
    "log-uniform": math.log,
    "log-complement": lambda x: -math.log1p(-x),
}


@for_each(REALS)
@law
@given(st.data(), units)
def test_real_values_come_back_on_the_scale_of_the_prior(kind, data, fraction):
    dimension = data.draw(kind)
    value = dimension.clip(dimension.low + fraction * (dimension.high - dimension.low))
    scale = SCALES[dimension.prior]
    back = dimension.from_unit(dimension.to_unit(value))
    assert scale(back) == pytest.approx(scale(value), rel=1e-9, abs=1e-9)


@law
@given(st.sampled_from(CONTINUOUS), inner_units)
def test_continuous_distribution_is_mapped_by_its_quantiles(dimension, u):
    assert dimension.to_unit(dimension.from_unit(u)) == pytest.approx(u, abs=1e-9)


@for_each({**REALS, **INTEGERS})
@law
@given(st.data())
def test_ends_come_out_exactly(kind, data):
    dimension = data.draw(kind)
    assert dimension.from_unit(0.0) == dimension.low
    assert dimension.from_unit(1.0) == dimension.high


@for_each(ORDERED_KINDS)
@law
@given(st.data(), st.integers(0, 1000), st.integers(0, 1000))
def test_values_grow_with_their_position(kind, data, a, b):
    dimension = data.draw(kind)
    low, high = sorted([a / 1000, b / 1000])
    assert dimension.from_unit(low) <= dimension.from_unit(high)


@for_each(ALL_KINDS)
@law
@given(st.data(), units)
def test_numbers_come_out_as_plain_python_types(kind, data, u):
    dimension = data.draw(kind)
    rng = np.random.default_rng(0)
    value = dimension.from_unit(np.float64(u))
    drawn = [value, dimension.sample(rng), dimension.perturb(value, rng, 0.1)]
    assert {type(x).__module__ for x in drawn} == {"builtins"}


@pytest.mark.parametrize("dimension", [Real(0, 9), Integer(0, 9), CONTINUOUS[0], DISCRETE[0]])
@pytest.mark.parametrize("value", [np.int64(3), np.float64(3), np.float32(3)])
def test_clipped_numpy_scalars_are_plain_python_numbers(dimension, value):
    assert type(dimension.clip(value)) in (int, float)


# ---- clip ----


@for_each(ORDERED_KINDS)
@law
@given(st.data(), st.floats(-1e7, 1e7))
def test_clip_gives_a_value_of_the_dimension(kind, data, value):
    dimension = data.draw(kind)
    assert dimension.clip(value) in dimension


@for_each(ALL_KINDS)
@law
@given(st.data(), units)
def test_clip_leaves_values_of_the_dimension_alone(kind, data, u):
    dimension = data.draw(kind)
    value = dimension.from_unit(u)
    assert dimension.clip(value) == value


@pytest.mark.parametrize("dimension", [Real(-1, 9), Integer(-1, 9)])
def test_infinity_is_clipped_to_the_ends(dimension):
    assert dimension.clip(math.inf) == 9
    assert dimension.clip(-math.inf) == -1


def test_unknown_category_has_no_nearest_choice():
    with pytest.raises(ValueError, match="'linear' is not among the choices"):
        Categorical(["rbf", "poly"]).clip("linear")


# ---- zoom ----


@for_each(ALL_KINDS)
@law
@given(st.data(), inner_units, widths, units)
def test_zoomed_dimension_lies_inside_parent(kind, data, center, width, u):
    parent = data.draw(kind)
    assert parent.zoom(parent.from_unit(center), width).from_unit(u) in parent


@for_each(ALL_KINDS)
@law
@given(st.data(), inner_units, widths)
def test_zoomed_dimension_contains_its_center(kind, data, center, width):
    parent = data.draw(kind)
    value = parent.from_unit(center)
    assert value in parent.zoom(value, width)


@for_each(CONTINUOUS_KINDS)
@law
@given(st.data(), inner_units, widths)
def test_zoomed_range_has_the_given_width_also_at_the_border(kind, data, center, width):
    parent = data.draw(kind)
    zoomed = parent.zoom(parent.from_unit(center), width)
    low, high = (parent.to_unit(zoomed.from_unit(u)) for u in (0.0, 1.0))
    assert high - low == pytest.approx(width, abs=1e-6)


@for_each(INTEGERS)
@law
@given(st.data(), units, widths)
def test_zoomed_integers_have_the_given_width_up_to_their_ends(kind, data, center, width):
    parent = data.draw(kind)
    zoomed = parent.zoom(parent.from_unit(center), width)
    low, high = zoomed.from_unit(0.0), zoomed.from_unit(1.0)
    cells = sum(_share(parent, end) for end in (low, high))
    assert parent.to_unit(high) - parent.to_unit(low) == pytest.approx(width, abs=cells + 1e-9)


def _share(dimension, i):
    """Return the part of the unit interval that integer `i` owns."""
    if dimension.prior == "uniform":
        return 1 / (dimension.high - dimension.low + 1)
    whole = math.log((dimension.high + 0.5) / (dimension.low - 0.5))
    return math.log((i + 0.5) / (i - 0.5)) / whole


def test_zoom_at_the_border_moves_the_window():
    assert Real(0, 1).zoom(0.0, 0.25) == Real(0, 0.25)
    assert Real(0, 1).zoom(1.0, 0.25) == Real(0.75, 1)


@pytest.mark.parametrize("width", [0, -0.1, 1.5, math.nan])
def test_zoom_refuses_a_width_that_is_no_fraction(width):
    with pytest.raises(ValueError, match=f"width={width!r} must be a fraction"):
        Real(0, 1).zoom(0.5, width)


def test_categories_are_not_narrowed_by_zooming():
    parent = Categorical(["a", "b", "c"], weights=[1, 2, 3])
    assert repr(parent.zoom("b", 0.1)) == repr(parent)


# ---- perturb ----


@for_each(ALL_KINDS)
@law
@given(st.data(), inner_units, widths, st.integers(0, 99))
def test_perturbed_value_stays_inside(kind, data, u, width, seed):
    dimension = data.draw(kind)
    rng = np.random.default_rng(seed)
    assert dimension.perturb(dimension.from_unit(u), rng, width) in dimension


@pytest.mark.parametrize("width", [0.02, 0.1])
@pytest.mark.parametrize(
    "dimension",
    [
        Real(-3, 5),
        Real(1e-6, 1, "log-uniform"),
        Real(0.1, 0.9999, "log-complement"),
        Integer(0, 10_000),
        Integer(100, 10**6, "log-uniform"),
        CONTINUOUS[0],
    ],
    ids=["real", "real-log", "real-comp", "integer", "integer-log", "norm"],
)
def test_perturbation_has_the_given_deviation_on_the_unit_scale(dimension, width):
    rng = np.random.default_rng(0)
    center = dimension.from_unit(0.5)
    moved = [dimension.to_unit(dimension.perturb(center, rng, width)) for _ in range(1000)]
    assert np.mean(moved) == pytest.approx(0.5, abs=0.15 * width)
    assert np.std(moved) == pytest.approx(width, rel=0.1)


def test_category_changes_with_probability_width():
    dimension = Categorical(["a", "b", "c"])
    rng = np.random.default_rng(0)
    moved = [dimension.perturb("a", rng, 0.3) for _ in range(3000)]
    shares = [moved.count(choice) / 3000 for choice in "abc"]
    assert shares == pytest.approx([0.7, 0.15, 0.15], abs=0.03)


# ---- priors ----


@pytest.mark.parametrize("low, high", [(1, 10), (3, 12)])
def test_log_integers_own_half_a_step_to_each_side_ends_included(low, high):
    dimension = Integer(low, high, "log-uniform")
    rng = np.random.default_rng(0)
    drawn = [dimension.sample(rng) for _ in range(20_000)]
    expected = [_share(dimension, i) for i in range(low, high + 1)]
    counts = np.bincount(drawn, minlength=high + 1)[low:]
    assert scipy.stats.chisquare(counts, 20_000 * np.array(expected)).pvalue > 1e-3


def test_uniform_integers_are_equally_likely_ends_included():
    rng = np.random.default_rng(0)
    drawn = [Integer(-2, 4).sample(rng) for _ in range(7000)]
    counts = np.bincount(np.array(drawn) + 2)
    assert scipy.stats.chisquare(counts).pvalue > 1e-3


@pytest.mark.parametrize(
    "dimension, exponent",
    [
        (Real(1e-4, 1, "log-uniform"), lambda x: -math.log10(x)),
        (Real(0, 0.9999, "log-complement"), lambda x: -math.log10(1 - x)),
    ],
    ids=["log-uniform", "log-complement"],
)
def test_each_decade_is_equally_likely(dimension, exponent):
    rng = np.random.default_rng(0)
    exponents = [exponent(dimension.sample(rng)) for _ in range(4000)]
    assert scipy.stats.kstest(exponents, scipy.stats.uniform(0, 4).cdf).pvalue > 1e-3


@pytest.mark.parametrize("dist", [scipy.stats.gamma(2), scipy.stats.Normal(mu=3, sigma=2)])
def test_samples_of_a_distribution_follow_it(dist):
    rng = np.random.default_rng(0)
    drawn = [Distribution(dist).sample(rng) for _ in range(1000)]
    assert scipy.stats.kstest(drawn, dist.cdf).pvalue > 1e-3


def test_categories_follow_their_weights():
    rng = np.random.default_rng(0)
    dimension = Categorical(["a", "b", "c"], weights=[1, 2, 5])
    drawn = [dimension.sample(rng) for _ in range(4000)]
    counts = [drawn.count(choice) for choice in "abc"]
    assert scipy.stats.chisquare(counts, [500, 1000, 2500]).pvalue > 1e-3


# ---- choices ----

ODD_CHOICES = [None, (1, 2), [1, 2], {"a": 1}, SVC(), np.arange(3), "a", 1, True, 1.0, math.nan]


@pytest.mark.parametrize("index", range(len(ODD_CHOICES)))
def test_choice_of_any_type_comes_out_identical(index):
    dimension = Categorical(ODD_CHOICES)
    choice = ODD_CHOICES[index]
    assert dimension.at(index) is choice
    assert dimension.from_unit(dimension.to_unit(choice)) is choice
    assert dimension.clip(choice) is choice


@pytest.mark.parametrize(
    "choices",
    [[1, 2, 1], ["a", "b", "b"], [None, 0, None], [[1], [2], [1]], [np.arange(2), 1, np.arange(2)]],
    ids=repr,
)
def test_equal_choices_count_once(choices):
    dimension = Categorical(choices)
    assert dimension.size == 2
    assert [dimension.key(dimension.at(i)) for i in range(2)] == [0, 1]


def test_weights_of_equal_choices_add_up():
    assert Categorical(["a", "b", "a"], weights=[1, 2, 1]).weights.tolist() == [0.5, 0.5]


def test_estimators_with_the_same_parameters_are_different_choices():
    assert Categorical([SVC(), SVC()]).size == 2


def test_zero_weight_excludes_a_choice():
    dimension = Categorical(["a", "b", "c"], weights=[1, 0, 1])
    assert [dimension.from_unit(k / 10) for k in range(11)].count("b") == 0
    assert dimension.size == 2


# ---- distributions ----


class OnlyRvs:
    def rvs(self, random_state=None):
        return random_state.choice([10, 20])


def test_distribution_with_only_rvs_is_sampled_reproducibly():
    first, second = (
        [Distribution(OnlyRvs()).sample(rng) for _ in range(5)]
        for rng in (np.random.default_rng(0), np.random.default_rng(0))
    )
    assert first == second and all(type(value) is int for value in first)


def test_distribution_with_only_rvs_has_no_place_on_the_unit_interval():
    with pytest.raises(TypeError, match="OnlyRvs.* has no ppf"):
        Distribution(OnlyRvs()).from_unit(0.5)


class PairRvs:
    def rvs(self, random_state=None):
        return (random_state.randint(5), 3)


def test_distribution_with_only_rvs_may_hold_values_of_any_type():
    dimension = Distribution(PairRvs())
    assert dimension.sample(np.random.default_rng(0)) in dimension


@pytest.mark.parametrize(
    "dist, size",
    [
        (scipy.stats.binom(5, 0.3), 6),
        (scipy.stats.poisson(3), math.inf),
        (scipy.stats.norm(), math.inf),
    ],
)
def test_size_of_a_distribution_is_that_of_its_support(dist, size):
    assert Distribution(dist).size == size


def test_values_of_a_continuous_dimension_cannot_be_numbered():
    with pytest.raises(TypeError, match="Real.*is not finite"):
        Real(0, 1).at(0)


# ---- refused ranges and choices ----


@pytest.mark.parametrize(
    "make, received",
    [
        (lambda: Real(math.nan, 1), "low=nan"),
        (lambda: Real(0, math.inf), "high=inf"),
        (lambda: Real("a", 1), "low='a'"),
        (lambda: Real(None, 1), "low=None"),
        (lambda: Real(False, True), "low=False"),
        (lambda: Real(0, 10**400), "high="),
        (lambda: Real(2, 1), "low=2.0"),
        (lambda: Real(1.5, 1.5), "low=1.5"),
        (lambda: Real(0, 1, "log-uniform"), "low=0.0"),
        (lambda: Real(-1, 1, "log-uniform"), "low=-1.0"),
        (lambda: Real(0.5, 1, "log-complement"), "high=1.0"),
        (lambda: Real(-0.5, 0.5, "log-complement"), "low=-0.5"),
        (lambda: Real(0, 1, "log"), "prior='log'"),
        (lambda: Real(0, 1, None), "prior=None"),
        (lambda: Integer(1.5, 3), "low=1.5"),
        (lambda: Integer(1, 3.0), "high=3.0"),
        (lambda: Integer(False, 3), "low=False"),
        (lambda: Integer("1", 3), "low='1'"),
        (lambda: Integer(3, 1), "low=3"),
        (lambda: Integer(2, 2), "low=2"),
        (lambda: Integer(0, 9, "log-uniform"), "low=0"),
        (lambda: Integer(1, 9, "log-complement"), "prior='log-complement'"),
        (lambda: Integer(0, 2**53), str(2**53)),
        (lambda: Categorical([]), "no choice"),
        (lambda: Categorical("rbf"), "'rbf'"),
        (lambda: Categorical(3), "3"),
        (lambda: Categorical(["a"], [1, 2]), "weights=[1, 2]"),
        (lambda: Categorical(["a", "b"], [-1, 2]), "weights=[-1, 2]"),
        (lambda: Categorical(["a", "b"], [0, 0]), "weights=[0, 0]"),
        (lambda: Categorical(["a", "b"], [math.nan, 1]), "weights=[nan, 1]"),
        (lambda: Categorical(["a", "b"], [math.inf, 1]), "weights=[inf, 1]"),
        (lambda: Categorical(["a", "b"], ["x", "y"]), "weights=['x', 'y']"),
        (lambda: Categorical(["a"], 3), "weights=3"),
    ],
)
def test_invalid_dimension_is_refused_with_the_value_received(make, received):
    with pytest.raises(SpaceError) as caught:
        make()
    assert received in str(caught.value)


def test_log_integers_that_floats_cannot_tell_apart_are_refused():
    with pytest.raises(SpaceError, match=str(2**50)):
        Integer(1, 2**50, "log-uniform")


@pytest.mark.parametrize("prior", ["uniform", "log-uniform"])
def test_real_range_of_neighbouring_floats_has_positions(prior):
    dimension = Real(1e10, math.nextafter(1e10, math.inf), prior)
    assert [dimension.to_unit(end) for end in (dimension.low, dimension.high)] == [0.0, 1.0]


def test_zoom_too_narrow_for_floats_does_not_widen():
    zoomed = Real(0, 1).zoom(0.5, 1e-17)
    assert zoomed.from_unit(1.0) - zoomed.from_unit(0.0) < 1e-15


# ---- spaces ----

FINITE = {
    "kernel": ["rbf", "poly"],
    "degree": [1, True, 1.0, None, (1,), [1]],
    "C": [3, 4, 5],
}
FINITE_SPACE = Space(
    {
        "kernel": Categorical(FINITE["kernel"]),
        "degree": Categorical(FINITE["degree"]),
        "C": Integer(3, 5),
    }
)
MIXED_SPACE = Space(
    {"lr": Real(1e-4, 1, "log-uniform"), "units": Integer(1, 99), "act": Categorical(["r", "t"])}
)


def test_points_are_numbered_in_the_order_of_parameter_grid():
    points = [FINITE_SPACE.at(i) for i in range(FINITE_SPACE.size)]
    expected = list(ParameterGrid(FINITE))
    assert points == expected
    assert [list(point) for point in points] == [list(point) for point in expected]


def test_key_tells_all_points_apart():
    keys = {FINITE_SPACE.key(FINITE_SPACE.at(i)) for i in range(FINITE_SPACE.size)}
    assert len(keys) == FINITE_SPACE.size == 36


def test_size_of_a_large_space_is_exact_and_of_a_continuous_one_infinite():
    integers = {f"p{i}": Integer(1, 10**9) for i in range(40)}
    assert Space(integers).size == 10**360
    assert Space({**integers, "x": Real(0, 1)}).size == math.inf


def test_columns_of_the_unit_cube_are_sorted_by_name():
    assert list(MIXED_SPACE) == ["act", "lr", "units"]
    assert MIXED_SPACE.from_unit(np.array([0.9, 0.0, 1.0])) == {"act": "t", "lr": 1e-4, "units": 99}


def test_unit_cube_point_of_another_length_is_refused():
    with pytest.raises(ValueError):
        MIXED_SPACE.from_unit([0.5, 0.5])


@law
@given(st.tuples(units, units, units))
def test_space_maps_to_the_unit_cube_and_back(u):
    params = MIXED_SPACE.from_unit(u)
    position = MIXED_SPACE.to_unit(params)
    assert position.shape == (3,)
    assert MIXED_SPACE.from_unit(position) == pytest.approx(params)


@law
@given(st.integers(0, 999), widths)
def test_zoomed_space_lies_inside_parent(seed, width):
    rng = np.random.default_rng(seed)
    center = MIXED_SPACE.sample(rng)
    zoomed = MIXED_SPACE.zoom(center, width)
    assert zoomed.contains(center)
    assert MIXED_SPACE.contains(zoomed.sample(rng))


@law
@given(st.integers(0, 999), widths)
def test_perturbed_point_lies_in_the_space(seed, width):
    rng = np.random.default_rng(seed)
    assert MIXED_SPACE.contains(MIXED_SPACE.perturb(MIXED_SPACE.sample(rng), rng, width))


def test_clip_moves_each_parameter_to_its_range():
    clipped = MIXED_SPACE.clip({"lr": 7.0, "units": -3.2, "act": "r"})
    assert clipped == {"act": "r", "lr": 1.0, "units": 1}


@pytest.mark.parametrize(
    "params",
    [
        {"lr": 0.1, "units": 5},
        {"lr": 0.1, "units": 5, "act": "r", "more": 1},
        {"lr": 0.1, "units": 5.5, "act": "r"},
        {"lr": 2.0, "units": 5, "act": "r"},
        {"lr": 0.1, "units": 5, "act": "gelu"},
        {"lr": "0.1", "units": 5, "act": "r"},
    ],
)
def test_other_parameters_are_no_point_of_the_space(params):
    assert not MIXED_SPACE.contains(params)


@pytest.mark.parametrize(
    "budgets, n_iter, wanted, points",
    [
        ((None, None), 10, 10, 10),
        ((None, None), 50, 50, 42),  # no more than there are: 36 and 6
        ((5, None), 10, 15, 11),  # 5 of its own, and all 6 of the other
        ((5, 4), 10, 9, 9),  # no space shares n_iter
        ((99, None), 3, 102, 39),
    ],
)
def test_union_counts_own_and_shared_budgets(budgets, n_iter, wanted, points):
    union = SpaceUnion((FINITE_SPACE, Space({"n": Integer(1, 6)})), budgets)
    assert union.size == 42
    assert union.n_wanted(n_iter) == wanted
    assert union.n_points(n_iter) == points


def test_continuous_union_has_as_many_points_as_wanted():
    union = SpaceUnion((MIXED_SPACE, FINITE_SPACE), (7, None))
    assert union.size == math.inf
    assert union.n_points(20) == union.n_wanted(20) == 27


@pytest.mark.parametrize(
    "choices",
    [
        [[1, 0], [True, False]],
        [(1, 0), (True, False)],
        [{"a": 1}, {"a": 1.0}],
        [np.array([1, 0]), np.array([True, False])],
    ],
    ids=repr,
)
def test_containers_of_other_types_are_other_choices(choices):
    dimension = Categorical([*choices, *choices])
    assert list(map(repr, dimension.choices)) == list(map(repr, choices))
    assert [dimension.index(choice) for choice in choices] == [0, 1]
