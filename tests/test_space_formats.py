"""What each way of writing a search space means, and what a wrong one is told."""

import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
from sklearn.svm import SVC

from sklearn_hpt._space_formats import as_dimension, as_space_union
from sklearn_hpt.exceptions import SpaceError
from sklearn_hpt.space import Categorical, Distribution, Integer, Real, Space


def check_reads_as(spec, expected):
    # the repr tells 1 from 1.0 and from np.int64(1)
    assert repr(as_dimension(spec)) == repr(expected)


# ---- one parameter ----


@pytest.mark.parametrize("dimension", [Real(0, 1), Integer(1, 3), Categorical(["a"])], ids=repr)
def test_dimension_is_taken_as_it_is(dimension):
    assert as_dimension(dimension) is dimension


@pytest.mark.parametrize(
    "spec, expected",
    [
        ((1, 10), Integer(1, 10)),
        ((np.int64(1), np.int32(10)), Integer(1, 10)),
        ((1, 10.0), Real(1, 10)),
        ((0.5, 1.5), Real(0.5, 1.5)),
        ((np.float32(0.5), np.float64(1.5)), Real(0.5, 1.5)),
        ((1, 100, "log-uniform"), Integer(1, 100, "log-uniform")),
        ((1e-4, 1e-1, "log-uniform"), Real(1e-4, 1e-1, "log-uniform")),
        ((0.9, 0.999, "log-complement"), Real(0.9, 0.999, "log-complement")),
        ((0, 0.999, "log-complement"), Real(0, 0.999, "log-complement")),
        ((0, 5, "uniform"), Integer(0, 5)),
    ],
)
def test_tuple_of_two_numbers_is_a_range(spec, expected):
    check_reads_as(spec, expected)


@pytest.mark.parametrize("spec", [("a", "b"), (None, "a"), (True, False), ((8,), (8, 8))])
def test_tuple_without_numbers_holds_choices(spec):
    check_reads_as(spec, Categorical(list(spec)))


@pytest.mark.parametrize(
    "spec", [(1, 2, 3), (1e-3, 1e3, 50), (1, 2, None), (None, 10), (1,), (1e-3, 1, "uniform", "x")]
)
def test_tuple_that_could_be_a_range_or_choices_is_refused(spec):
    with pytest.raises(SpaceError, match=r"is a range, .*for choices give a list, \["):
        as_dimension(spec)


def test_base_of_a_log_scale_changes_nothing():
    check_reads_as((1e-3, 1e3, "log-uniform", 10), Real(1e-3, 1e3, "log-uniform"))


@pytest.mark.parametrize(
    "spec",
    [
        ["rbf", "poly"],
        [1, 10],
        [0.1, 1.0],
        [1e-4, 1e-1, "log-uniform"],
        [None, "sqrt", 0.5],
        [(1, 2), (3,)],
        [[1, 2], [3]],
        [{"a": 1}, {"b": 2}],
        ["only"],
    ],
)
def test_list_holds_choices(spec):
    check_reads_as(spec, Categorical(spec))


def test_list_of_estimators_holds_the_very_estimators():
    choices = [SVC(), "passthrough", SVC()]
    assert all(a is b for a, b in zip(as_dimension(choices).choices, choices, strict=True))


@pytest.mark.parametrize(
    "spec, choices",
    [
        (np.arange(3), [0, 1, 2]),
        (np.array([0.5, 1.5]), [0.5, 1.5]),
        (np.array(["a", "b"]), ["a", "b"]),
        (np.logspace(0, 2, 3), [1.0, 10.0, 100.0]),
        (range(1, 8, 3), [1, 4, 7]),
        (range(2), [0, 1]),
        ({"a": 1, "b": 2}.keys(), ["a", "b"]),
    ],
)
def test_array_or_range_holds_plain_choices(spec, choices):
    check_reads_as(spec, Categorical(choices))


def test_series_holds_plain_choices():
    pandas = pytest.importorskip("pandas")
    check_reads_as(pandas.Series([1, 2]), Categorical([1, 2]))


def test_rows_of_a_matrix_are_choices():
    rows = as_dimension(np.arange(6).reshape(3, 2)).choices
    assert [row.tolist() for row in rows] == [[0, 1], [2, 3], [4, 5]]


# ---- distributions of scipy ----


@pytest.mark.parametrize(
    "dist, expected",
    [
        (scipy.stats.loguniform(1e-3, 1), Real(1e-3, 1, "log-uniform")),
        (scipy.stats.loguniform(a=1e-3, b=1), Real(1e-3, 1, "log-uniform")),
        (scipy.stats.reciprocal(1e-3, 1), Real(1e-3, 1, "log-uniform")),
        (scipy.stats.uniform(), Real(0, 1)),
        (scipy.stats.uniform(1, 2), Real(1, 3)),
        (scipy.stats.uniform(loc=-1, scale=2), Real(-1, 1)),
        (scipy.stats.randint(1, 5), Integer(1, 4)),
        (scipy.stats.randint(1, 5, loc=3), Integer(4, 7)),
        (scipy.stats.randint(3, 4), Categorical([3])),
        (scipy.stats.Uniform(a=1, b=3), Real(1, 3)),
    ],
)
def test_distribution_of_a_range_is_that_range(dist, expected):
    check_reads_as(dist, expected)


@pytest.mark.parametrize(
    "dist",
    [
        scipy.stats.norm(1, 2),
        scipy.stats.poisson(3),
        scipy.stats.loguniform(1, 10, loc=1),
        scipy.stats.loguniform(1, 10, scale=2),
        scipy.stats.rv_histogram(np.histogram([1.0, 2.0, 3.0])),
        scipy.stats.Normal(mu=0, sigma=1),
        scipy.stats.Binomial(n=5, p=0.5),
        scipy.stats.truncate(scipy.stats.Normal(), lb=0, ub=1),
    ],
    ids=lambda dist: type(dist).__name__,
)
def test_other_distribution_keeps_its_quantiles(dist):
    dimension = as_dimension(dist)
    assert dimension == Distribution(dist)
    assert dimension.has_quantiles
    assert dimension.from_unit(0.3) == getattr(dist, "ppf", getattr(dist, "icdf", None))(0.3)


@pytest.mark.parametrize(
    "dist",
    [
        scipy.stats.poisson(3),
        scipy.stats.rv_discrete(values=([1, 5], [0.5, 0.5])),
        scipy.stats.rv_discrete(values=([1, 5], [0.5, 0.5]))(),
        scipy.stats.Binomial(n=5, p=0.5),
    ],
    ids=lambda dist: type(dist).__name__,
)
def test_discrete_distribution_gives_integers(dist):
    assert type(as_dimension(dist).sample(np.random.default_rng(0))) is int


@pytest.mark.parametrize("frozen", [True, False])
def test_listed_distribution_has_no_values_in_its_gaps(frozen):
    dist = scipy.stats.rv_discrete(values=([1, 5, 7], [0.2, 0.5, 0.3]))
    dimension = as_dimension(dist() if frozen else dist)
    assert [dimension.from_unit(dimension.to_unit(x)) for x in (1, 5, 7)] == [1, 5, 7]
    assert 2 not in dimension
    assert dimension.size == 3


class OnlyRvs:
    def rvs(self, random_state=None):
        return random_state.choice(["a", "b"])


def test_object_with_only_rvs_can_be_sampled():
    dimension = as_dimension(OnlyRvs())
    assert isinstance(dimension, Distribution) and not dimension.has_quantiles
    assert dimension.sample(np.random.default_rng(0)) in ("a", "b")


# ---- scikit-optimize, Optuna and Ray Tune ----


@pytest.mark.parametrize(
    "kind, args, expected",
    [
        ("Real", (0, 1), Real(0, 1)),
        ("Real", (1e-3, 1, "log-uniform"), Real(1e-3, 1, "log-uniform")),
        ("Integer", (1, 10), Integer(1, 10)),
        ("Integer", (1, 10, "log-uniform"), Integer(1, 10, "log-uniform")),
        ("Categorical", (["a", None],), Categorical(["a", None])),
        ("Categorical", (["a", "b"], [0.2, 0.8]), Categorical(["a", "b"], [0.2, 0.8])),
    ],
)
def test_dimension_of_skopt_is_read(kind, args, expected):
    skopt_space = pytest.importorskip("skopt.space")
    check_reads_as(getattr(skopt_space, kind)(*args), expected)


@pytest.mark.parametrize(
    "kind, kwargs, expected",
    [
        ("Float", {"low": 0, "high": 1}, Real(0, 1)),
        ("Float", {"low": 1e-3, "high": 1, "log": True}, Real(1e-3, 1, "log-uniform")),
        ("Float", {"low": 0, "high": 1, "step": 0.5}, Categorical([0.0, 0.5, 1.0])),
        ("Float", {"low": 2, "high": 2}, Categorical([2.0])),
        ("Int", {"low": 1, "high": 9}, Integer(1, 9)),
        ("Int", {"low": 1, "high": 9, "log": True}, Integer(1, 9, "log-uniform")),
        ("Int", {"low": 1, "high": 9, "step": 4}, Categorical([1, 5, 9])),
        ("Int", {"low": 3, "high": 3}, Categorical([3])),
        ("Categorical", {"choices": ["a", None]}, Categorical(["a", None])),
    ],
)
def test_distribution_of_optuna_is_read(kind, kwargs, expected):
    distributions = pytest.importorskip("optuna.distributions")
    check_reads_as(getattr(distributions, f"{kind}Distribution")(**kwargs), expected)


@pytest.mark.parametrize(
    "kind, args, expected",
    [
        ("uniform", (0, 1), Real(0, 1)),
        ("loguniform", (1e-3, 1), Real(1e-3, 1, "log-uniform")),
        ("quniform", (0, 1, 0.25), Categorical([0.0, 0.25, 0.5, 0.75, 1.0])),
        ("randint", (1, 10), Integer(1, 9)),
        ("randint", (3, 4), Categorical([3])),
        ("lograndint", (1, 100), Integer(1, 99, "log-uniform")),
        ("qrandint", (3, 10, 2), Categorical([4, 6, 8, 10])),
        ("qrandint", (1, 10, 1), Integer(1, 9)),
        ("choice", (["a", None],), Categorical(["a", None])),
    ],
)
def test_domain_of_ray_tune_is_read(ray_domains, kind, args, expected):
    check_reads_as(getattr(ray_domains, kind)(*args), expected)


def test_normal_domain_of_ray_tune_is_read(ray_domains):
    dimension = as_dimension(ray_domains.randn(1, 2))
    assert [dimension.from_unit(u) for u in (0.5, scipy.stats.norm.cdf(1))] == pytest.approx([1, 3])


def test_grid_of_ray_tune_holds_choices():
    check_reads_as({"grid_search": [1, 10]}, Categorical([1, 10]))


@pytest.mark.parametrize(
    "kind, args",
    [
        ("qloguniform", (0.1, 1.0, 0.1)),
        ("qlograndint", (2, 100, 2)),
        ("qrandn", (0, 1, 0.1)),
        ("sample_from", (lambda config: 1,)),
    ],
)
def test_domain_of_ray_tune_that_is_not_read_says_what_is(ray_domains, kind, args):
    with pytest.raises(SpaceError, match="give a list of choices, or a range"):
        as_dimension(getattr(ray_domains, kind)(*args))


def test_package_imports_no_other_search_library():
    code = "import sys, sklearn_hpt.samplers; print({'skopt', 'optuna', 'ray'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# ---- {"type": ...} ----


@pytest.mark.parametrize(
    "spec, expected",
    [
        ({"type": "uniform", "low": 0, "high": 1}, Real(0, 1)),
        ({"type": "log_uniform", "low": -4, "high": -1}, Real(1e-4, 1e-1, "log-uniform")),
        ({"type": "log_uniform", "low": -0.5, "high": 2}, Real(10**-0.5, 100, "log-uniform")),
        ({"type": "int_uniform", "low": 1, "high": 9}, Integer(1, 9)),
        ({"type": "log_complement", "low": 0.9, "high": 0.99}, Real(0.9, 0.99, "log-complement")),
        ({"type": "choice", "choices": ["a", 1]}, Categorical(["a", 1])),
        ({"type": "choice", "values": ("a", 1)}, Categorical(["a", 1])),
        ({"type": "choice", "options": ["a"]}, Categorical(["a"])),
    ],
)
def test_typed_dictionary_is_read(spec, expected):
    check_reads_as(spec, expected)


# ---- what a parameter cannot be ----

CHOICES_WANTED = "list of choices"


@pytest.mark.parametrize(
    "spec, allowed",
    [
        ("rbf", CHOICES_WANTED),
        (b"rbf", CHOICES_WANTED),
        (3, CHOICES_WANTED),
        (0.5, CHOICES_WANTED),
        (None, CHOICES_WANTED),
        (True, CHOICES_WANTED),
        (len, CHOICES_WANTED),
        (np.array(3), CHOICES_WANTED),
        (SVC(), CHOICES_WANTED),
        ({"rbf", "poly"}, CHOICES_WANTED),  # its order differs from run to run
        (Real, "give an instance"),
        ([], "at least one value"),
        ((), "at least one value"),
        (np.array([]), "at least one value"),
        (range(0), "at least one value"),
        ((2, 1), "low=2 must be below high=1"),
        ((1, 1), "low=1 must be below high=1"),
        ((1.5, 0.5), "low=1.5 must be below high=0.5"),
        ((0, 9, "log-uniform"), "needs low >= 1"),
        ((0.0, 1.0, "log-uniform"), "needs low > 0"),
        ((-1.0, 1.0, "log-uniform"), "needs low > 0"),
        ((0.5, 1.0, "log-complement"), "needs 0 <= low and high < 1"),
        ((-0.5, 0.5, "log-complement"), "needs 0 <= low and high < 1"),
        ((0.1, 1.0, "log"), "choose one of 'uniform', 'log-uniform', 'log-complement'"),
        ((0, math.inf), "finite number"),
        ((math.nan, 1.0), "finite number"),
        ((0, 2**53), "smaller range"),
        ({}, "'type'"),
        ({"low": 0, "high": 1}, "'log_uniform'"),
        ({"type": "log", "low": 0, "high": 1}, "'log_uniform'"),
        ({"type": ["uniform"]}, "'log_uniform'"),
        ({"type": "uniform", "low": 0}, "a number under 'high'"),
        ({"type": "uniform", "low": "0", "high": 1}, "a number under 'low'"),
        ({"type": "uniform", "low": 2, "high": 1}, "must be below"),
        ({"type": "uniform", "low": 0, "high": math.nan}, "finite number"),
        ({"type": "int_uniform", "low": 1.5, "high": 3}, "must be an integer"),
        ({"type": "log_uniform", "low": -1, "high": -4}, "must be below"),
        ({"type": "log_uniform", "low": -400, "high": 1}, "-300..300"),
        ({"type": "log_complement", "low": 0.9, "high": 1}, "high < 1"),
        ({"type": "uniform", "low": 1, "high": 2, "log": True}, "'log'"),
        ({"type": "choice"}, "a list under 'choices'"),
        ({"type": "choice", "choices": "rbf"}, "a list under 'choices'"),
        ({"type": "choice", "choices": 3}, "a list under 'choices'"),
        ({"type": "choice", "choices": []}, "at least one value"),
        ({"type": "choice", "choices": [1], "values": [2]}, "a list under 'choices'"),
    ],
)
def test_bad_parameter_is_named_with_its_value_and_what_is_allowed(spec, allowed):
    with pytest.raises(SpaceError) as caught:
        as_space_union({"fine": [1], "alpha": spec})
    message = str(caught.value)
    assert message.startswith(f"Parameter 'alpha' = {spec!r}: ")
    assert allowed in message and "\n" not in message


@pytest.mark.parametrize(
    "dist",
    [
        scipy.stats.randint(5, 2),
        scipy.stats.loguniform(1, 0.1),
        scipy.stats.uniform(1, -1),
        scipy.stats.norm(0, -1),
        scipy.stats.gamma(-2),
    ],
    ids=["randint", "loguniform", "uniform", "norm", "gamma"],
)
def test_distribution_with_invalid_parameters_is_refused(dist):
    with pytest.raises(SpaceError, match="'alpha'"):
        as_space_union({"alpha": dist})


def test_unfrozen_distribution_is_told_to_be_called():
    with pytest.raises(SpaceError, match="'alpha'.*randint"):
        as_space_union({"alpha": scipy.stats.randint})


def test_long_value_is_shortened_in_the_message():
    spec = {"type": "unknown", "values": list(range(1000))}
    with pytest.raises(SpaceError) as caught:
        as_space_union({"alpha": spec})
    assert "'alpha'" in str(caught.value) and len(str(caught.value)) < 500


# ---- whole spaces ----


def test_dictionary_is_one_space_without_a_budget_of_its_own():
    union = as_space_union({"C": (0.1, 10.0), "kernel": ["rbf"]})
    assert repr(union.spaces) == repr(
        (Space({"C": Real(0.1, 10), "kernel": Categorical(["rbf"])}),)
    )
    assert union.budgets == (None,)


def test_list_of_dictionaries_shares_one_budget():
    union = as_space_union([{"a": [1]}, {"b": (0, 3)}])
    assert [list(space) for space in union.spaces] == [["a"], ["b"]]
    assert union.budgets == (None, None)


def test_pair_has_a_budget_of_its_own():
    assert as_space_union(({"a": [1]}, 5)).budgets == (5,)
    union = as_space_union([({"a": [1]}, 5), {"b": [2]}, ({"c": [3]}, np.int64(7))])
    assert [list(space) for space in union.spaces] == [["a"], ["b"], ["c"]]
    assert union.budgets == (5, None, 7)
    assert type(union.budgets[2]) is int


def test_space_and_union_are_taken_as_they_are():
    space = Space({"a": Integer(1, 3)})
    union = as_space_union(space)
    assert union.spaces[0] is space
    assert as_space_union(union) is union
    assert as_space_union([(space, 2)]).spaces[0] is space


def test_reading_a_space_leaves_it_as_it_was():
    spec = [({"a": {"type": "uniform", "low": 0, "high": 1}, "b": [2, 1]}, 3)]
    as_space_union(spec)
    assert spec == [({"a": {"type": "uniform", "low": 0, "high": 1}, "b": [2, 1]}, 3)]


@pytest.mark.parametrize(
    "spec, received, allowed",
    [
        (None, "None", "give a dictionary"),
        (3, "3", "give a dictionary"),
        ("alpha", "'alpha'", "give a dictionary"),
        ({}, "empty dictionary", "at least one parameter"),
        (Space({}), "empty", "at least one parameter"),
        ([], "empty list", "at least one dictionary"),
        ([{"a": [1]}, {}], "empty dictionary", "at least one parameter"),
        ([{"a": [1]}, 3], "3", "give a dictionary"),
        (["alpha"], "'alpha'", "give a dictionary"),
        ({1: [1]}, "1", "names are strings"),
        (({"a": [1]},), "({'a': [1]},)", "(dictionary, n_iter)"),
        (({"a": [1]}, 2, 3), "({'a': [1]}, 2, 3)", "(dictionary, n_iter)"),
        ((3, {"a": [1]}), "(3, {'a': [1]})", "(dictionary, n_iter)"),
        (({"a": [1]}, 0), "n_iter=0", "an integer of at least 1"),
        (({"a": [1]}, -2), "n_iter=-2", "an integer of at least 1"),
        (({"a": [1]}, 1.5), "n_iter=1.5", "an integer of at least 1"),
        (({"a": [1]}, True), "n_iter=True", "an integer of at least 1"),
        (({"a": [1]}, "9"), "n_iter='9'", "an integer of at least 1"),
        ([({}, 3)], "empty dictionary", "at least one parameter"),
    ],
)
def test_bad_space_is_refused_with_what_came_and_what_is_allowed(spec, received, allowed):
    with pytest.raises(SpaceError) as caught:
        as_space_union(spec)
    assert received in str(caught.value) and allowed in str(caught.value)


def test_space_of_raw_ranges_is_refused():
    with pytest.raises(SpaceError, match="'a'"):
        as_space_union(Space({"a": (0, 1)}))


# ---- the page about them ----

PAGE = Path(__file__).resolve().parents[1] / "docs" / "spaces.md"


@pytest.mark.skipif(not PAGE.exists(), reason="an sdist has no documentation")
def test_what_the_page_says_to_write_is_read():
    text = PAGE.read_text()
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    written = [code for line in lines for code in re.findall("`([^`]+)`", line.split(" | ")[0])]
    known = {"Real": Real, "Categorical": Categorical, "scipy": scipy}
    for code in written:
        if "..." not in code and "ray" not in code:
            as_dimension(eval(code, {**known}))
    (block,) = re.findall(r"```python\n(space = .*?\])\nsearch", text, re.S)
    assert len(as_space_union(eval(block.partition(" = ")[2])).spaces) == 2
