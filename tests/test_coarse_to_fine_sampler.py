"""Coarse to fine: boxes around the good region, more of the resource later, tiers in order."""

import math

import pytest
import scipy.stats
from ask_and_tell import run
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_hpt._space_formats import as_space_union
from sklearn_hpt.exceptions import SpaceError
from sklearn_hpt.samplers import CoarseToFineSampler, Sampler
from sklearn_hpt.samplers._rounds import lessons_of
from sklearn_hpt.samplers._zoom import Box, ZoomRule, zoomed
from sklearn_hpt.space import Categorical, Integer, Space, SpaceUnion

SPACE = {
    "lr": (1e-5, 1.0, "log-uniform"),
    "momentum": (0.5, 0.999, "log-complement"),
    "units": (8, 512, "log-uniform"),
    "act": ["relu", "tanh", "gelu"],
    "decay": scipy.stats.gamma(2),
    "clip": scipy.stats.poisson(3),
}
FINITE = {"a": (1, 5), "b": ["x", "y", "z"]}  # 15 points
RULE = ZoomRule()
unit = st.floats(0.0, 1.0)


class OnlyRvs:
    def rvs(self, random_state=None):
        return random_state.uniform(2, 3)


def make(space=SPACE, seed=0, **options):
    return CoarseToFineSampler(space, random_state=seed, **options)


def good_lr(proposal):
    """Best at a learning rate of 0.01 and "relu", more so with more of the resource."""
    off = abs(math.log10(proposal.params["lr"]) + 2) + (proposal.params["act"] != "relu")
    return -off - 1 / (proposal.resource or 100)


def sometimes_failing(proposal):
    return math.nan if proposal.params["units"] % 3 == 0 else good_lr(proposal)


def first(proposal):
    return float(next(iter(proposal.params.values())))


# ---- windows and boxes ----


@given(
    positions=st.lists(unit, min_size=1, max_size=8),
    low=st.floats(0, 0.9),
    width=st.floats(0.01, 1.0),
)
def test_zoomed_window_is_bounded_and_holds_the_best(positions, low, width):
    old = low, min(low + width, 1.0)
    width = old[1] - old[0]
    inside = [old[0] + width * position for position in positions]
    new = zoomed(inside, old, RULE)
    assert 0.0 <= new[0] < new[1] <= 1.0
    assert new[0] - 1e-9 <= inside[0] <= new[1] + 1e-9
    assert RULE.least * width - 1e-9 <= new[1] - new[0] <= width + 1e-9


@given(low=st.floats(0.05, 0.6), width=st.floats(0.1, 0.35), at=st.floats(0.0, 0.09))
@pytest.mark.parametrize("is_upper", [True, False])
def test_best_at_the_border_moves_the_window_and_keeps_its_width(low, width, at, is_upper):
    old = low, low + width
    best = old[1] - at * width if is_upper else old[0] + at * width
    new = zoomed([best, low + width / 2], old, RULE)
    assert new[1] - new[0] == pytest.approx(width)
    assert (new > old) is is_upper


def test_best_at_the_end_of_the_space_does_not_keep_the_width():
    low, high = zoomed([0.01, 0.02], (0.0, 0.5), RULE)
    assert low == 0.0 and high < 0.3


def test_log_dimension_is_zoomed_in_decades():
    parent = Space({"lr": as_space_union(SPACE).spaces[0]["lr"]})
    leaders = [{"lr": 1e-3}, {"lr": 1e-4}, {"lr": 1e-2}]
    lr = Box.around(parent).zoom(leaders, ZoomRule(0.1, 1.0, 0.1)).as_space()["lr"]
    assert lr.prior == "log-uniform"
    assert lr.low == pytest.approx(10**-4.5) and lr.high == pytest.approx(10**-1.5)


def test_narrow_integer_range_may_become_one_value():
    parent = Space({"n": Integer(1, 3)})
    box = Box.around(parent)
    for _ in range(4):
        box = box.zoom([{"n": 2}], RULE)
    assert isinstance(box.as_space()["n"], Categorical) and box.as_space()["n"].choices == [2]


def test_categories_of_the_leaders_are_kept_with_their_weights():
    parent = Space({"c": Categorical([[1], "b", None], weights=[1, 2, 1])})
    kept = Box.around(parent).zoom([{"c": None}, {"c": [1]}], RULE).as_space()["c"]
    assert kept.choices == [[1], None] and kept.choices[0] is parent["c"].choices[0]
    assert kept.weights.tolist() == [0.5, 0.5]


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_points_of_zoomed_boxes_are_points_of_the_parent(data):
    parent = as_space_union(SPACE).spaces[0]
    box = Box.around(parent)
    for _ in range(3):
        points = st.tuples(*[unit] * len(parent)).map(box.as_space().from_unit)
        box = box.zoom(data.draw(st.lists(points, min_size=1, max_size=4)), RULE)
        corner = data.draw(st.tuples(*[st.sampled_from([0.0, 0.5, 1.0])] * len(parent)))
        assert parent.contains(box.as_space().from_unit(corner))


# ---- the contract ----


def test_sampler_satisfies_the_protocol():
    assert isinstance(make(), Sampler) and make().lookahead == 1


OPTIONS = [
    {},
    {"n_iter": (6, 5, 4)},
    {"n_iter": (12, 6), "resources": (1, 3, 9)},
    {"n_iter": (12, 6), "resources": (3, 3, 3)},
    {"n_iter": (14, 8), "resources": (1, 3, 9), "tiers": [["lr"], ["act", "units"]]},
    {"n_iter": (14, 8), "tiers": [["lr"], ["act"]]},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@settings(max_examples=5, deadline=None)
@given(
    seed=st.integers(0, 99),
    n_workers=st.integers(2, 9),
    order=st.integers(0, 99),
    early=st.booleans(),
)
def test_proposals_do_not_depend_on_the_workers(options, seed, n_workers, order, early):
    alone = run(make(seed=seed, **options), sometimes_failing)
    workers = {"n_workers": n_workers, "seed": order, "tells_early": early}
    assert run(make(seed=seed, **options), sometimes_failing, **workers) == alone


@pytest.mark.parametrize("evaluate", [good_lr, sometimes_failing, lambda p: math.nan])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_budget_is_kept_and_every_proposal_is_in_the_space(options, evaluate):
    space = as_space_union(SPACE).spaces[0]
    proposals = run(make(**options), evaluate)
    resources = options.get("resources")
    n_finalists = 3 if resources and resources[-1] > resources[-2] else 0
    n_wanted = sum(options.get("n_iter", (30, 20, 6, 6)))
    assert n_wanted <= len(proposals) <= n_wanted + n_finalists
    assert len(proposals) == n_wanted + n_finalists or evaluate is not good_lr
    assert all(space.contains(p.params) for p in proposals)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_no_candidate_is_evaluated_twice_with_the_same_resource(options):
    proposals = run(make(**options), good_lr)
    assert len({(str(p.params), p.resource) for p in proposals}) == len(proposals)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_resource_increases_along_a_lineage(options):
    proposals = run(make(**options), sometimes_failing)
    for number, proposal in enumerate(proposals):
        if proposal.continues is not None:
            source = proposals[proposal.continues]
            assert proposal.continues < number and source.params == proposal.params
            assert source.resource < proposal.resource


def test_other_seed_gives_other_proposals():
    assert run(make(seed=0), good_lr) != run(make(seed=1), good_lr)


def test_sampler_stays_exhausted():
    sampler = make(n_iter=(3, 2))
    run(sampler, good_lr)
    assert sampler.ask() is None


# ---- rounds ----


def test_later_rounds_draw_around_the_good_region():
    sampler = make(n_iter=(30, 20, 20))
    run(sampler, good_lr)
    widths = [math.log10(r.box["lr"].high / r.box["lr"].low) for r in sampler.rounds]
    assert widths[0] == pytest.approx(5) and widths[1] <= 3.01 and widths[2] <= 1.81
    for before, after in zip(sampler.rounds, sampler.rounds[1:], strict=False):
        assert after.box["lr"].low <= before.best_params["lr"] <= after.box["lr"].high


def test_round_starts_with_the_leaders_of_the_one_before():
    proposals = run(make(n_iter=(10, 10), resources=(1, 3, 9)), good_lr)
    best = max(proposals[:10], key=good_lr)
    assert proposals[10].params == best.params and proposals[10].resource == 3
    assert [p.resource for p in proposals] == [1] * 10 + [3] * 10 + [9] * 3


def test_a_fifth_of_the_new_candidates_comes_from_the_whole_space():
    sampler = make({"x": (0.0, 1.0)}, n_iter=(40, 40))
    later = run(sampler, lambda p: -abs(p.params["x"] - 0.5))[40:]
    box = sampler.rounds[1].box
    assert [box.contains(p.params) for p in later[:32]] == [True] * 32
    assert not all(box.contains(p.params) for p in later[32:])


def test_at_most_half_of_a_small_round_is_carried():
    proposals = run(make(n_iter=(9, 2), resources=(1, 3, 9)), good_lr)
    assert [p.continues is None for p in proposals[9:11]] == [False, True]


def test_finalists_are_the_best_of_the_last_round():
    proposals = run(make(n_iter=(10, 10), resources=(1, 3, 9), n_finalists=2), good_lr)
    expected = sorted(proposals[10:20], key=good_lr, reverse=True)[:2]
    assert [p.params for p in proposals[20:]] == [p.params for p in expected]


def test_raced_candidates_are_neither_carried_nor_finalists():
    def raced_in_half(proposal):
        score = good_lr(proposal)
        return (score, [score, math.nan]) if proposal.params["units"] % 2 else score

    proposals = run(make(n_iter=(20, 20), resources=(1, 3, 9)), raced_in_half)
    assert all(p.params["units"] % 2 == 0 for p in proposals if p.continues is not None)


def test_candidate_that_fails_with_more_of_the_resource_is_no_finalist():
    def fails_later(proposal):
        return math.nan if proposal.resource == 3 and proposal.continues is not None else 0.0

    proposals = run(make(n_iter=(10, 10), resources=(1, 3, 9)), fails_later)
    assert all(proposals[p.continues].continues is None for p in proposals[20:])


def test_finite_space_is_covered_exactly_once_and_ends():
    proposals = run(make(FINITE, n_iter=(6, 6, 6)), first)
    assert len(proposals) == len({tuple(p.params.values()) for p in proposals}) == 15


def test_more_leaders_go_on_where_a_finite_space_has_no_more_points():
    proposals = run(make(FINITE, n_iter=(15, 6), resources=(1, 2, 4)), first)
    assert [p.resource for p in proposals] == [1] * 15 + [2] * 6 + [4] * 3


def test_alternatives_without_a_leader_are_dropped():
    spaces = [{"clf": ["svc"], "C": (0.0, 1.0)}, {"clf": ["knn"], "k": (1, 300)}]
    sampler = make(spaces, n_iter=(20, 10))
    proposals = run(sampler, lambda p: p.params.get("C", -1.0))
    assert [p.params["clf"] for p in proposals[:20]].count("knn") == 10
    assert {p.params["clf"] for p in proposals[20:]} == {"svc"}
    assert isinstance(sampler.rounds[0].box, SpaceUnion)
    assert "alternative 1 (clf, k): not among the leaders" in sampler.rounds[0].lessons


@pytest.mark.parametrize("seed", range(20))
def test_alternatives_may_overlap(seed):
    spaces = [{"k": (1, 20)}, {"k": (5, 80)}]
    sampler = make(spaces, seed, n_iter=(1, 4, 4))
    proposals = run(sampler, lambda p: -abs(p.params["k"] - 12))
    assert len(proposals) == 9 and len(sampler.rounds) == 3
    assert str(sampler.rounds)


def test_distribution_without_quantiles_is_drawn_from_and_not_zoomed():
    sampler = make({"a": OnlyRvs(), "x": (0.0, 1.0)}, n_iter=(8, 8))
    assert all(2 <= p.params["a"] <= 3 for p in run(sampler, lambda p: p.params["x"]))


def test_best_earlier_result_is_evaluated_first_and_leads():
    sampler = make({"x": (0.0, 1.0)}, n_iter=(4, 4))
    for x in (0.93, 0.96, 0.97, 7.0):  # the last is no point of the space
        sampler.tell({"x": x}, x)
    proposals = run(sampler, first)
    assert proposals[0].params == {"x": 0.97}
    assert sampler.rounds[1].box["x"].low > 0.5


def test_round_of_failures_keeps_the_box():
    sampler = make(n_iter=(5, 5))
    run(sampler, lambda p: math.nan)
    assert repr(sampler.rounds[0].box["lr"]) == repr(sampler.rounds[1].box["lr"])
    assert sampler.rounds[0].lessons == ["no candidate has a score, the box stays"]
    assert sampler.rounds[0].best_params is None


# ---- tiers ----


def test_tiers_vary_their_own_parameters_only():
    sampler = make(n_iter=(14, 8), tiers=[["lr"], ["act", "units"]], defaults={"units": 99})
    proposals = run(sampler, good_lr)
    start = proposals[0].params
    assert start["units"] == 99 and start["act"] == "relu"
    assert [one.tier for one in sampler.rounds[::2]] == [
        ("lr",),
        ("act", "units"),
        ("clip", "decay", "momentum"),
    ]
    for proposal in proposals:
        tier = sampler.rounds[proposal.round].tier
        untuned = [n for n in ("clip", "decay", "momentum") if "lr" in tier or "act" in tier]
        assert all(proposal.params[name] == start[name] for name in untuned)
    best_lr = min((p.params["lr"] for p in proposals[:11]), key=lambda lr: abs(math.log10(lr) + 2))
    assert {p.params["lr"] for p in proposals[11:]} == {best_lr}


@pytest.mark.parametrize(
    "tiers, n_iter, expected",
    [
        ([["lr"], ["units"]], (30, 20), [25, 15, 10]),
        ([["lr"], ["units"], ["momentum"], ["decay"]], (60, 40), [50, 30, 7, 7, 6]),
        ([["lr"], ["units"], ["momentum"], ["decay"]], (6, 5), [3, 2, 2, 2, 2]),
        ([["lr"], ["act"], ["units"]], (30, 20), [25, 2, 18, 5]),  # two choices are left to try
        ([[*SPACE]], (6, 5), [11]),
    ],
)
def test_four_fifths_go_to_the_first_two_tiers(tiers, n_iter, expected):
    sampler = make(n_iter=n_iter, tiers=tiers)
    run(sampler, good_lr)
    spent = {}
    for one in sampler.rounds:
        spent[one.tier] = spent.get(one.tier, 0) + one.n_done
    assert list(spent.values()) == expected


def test_middle_stands_in_for_a_missing_default():
    params = make(tiers=[["act"]], defaults={"lr": 5.0}).ask().params
    assert params["lr"] == pytest.approx(10**-2.5) and params["momentum"] > 0.9


# ---- what it tells ----


def test_rounds_say_what_was_learned():
    sampler = make(
        {"lr": (1e-5, 1.0, "log-uniform"), "x": (0.0, 1.0), "act": ["relu", "tanh"]},
        n_iter=(40, 30),
    )
    run(sampler, lambda p: good_lr(p) - p.params["x"] ** 2)
    lessons = sampler.rounds[0].lessons
    assert any(text.startswith("lr: 1e-05..1 narrowed to 0.00") for text in lessons)
    assert any("only 'relu' among the leaders" in t for one in sampler.rounds for t in one.lessons)


def test_best_at_the_end_of_the_space_is_a_hint():
    sampler = make({"n": (1, 20), "x": (0.0, 1.0)}, n_iter=(30, 20))
    run(sampler, lambda p: p.params["n"] - 0.01 * p.params["x"])
    hint = "n: best at the upper end of the search space; consider higher values"
    assert hint in sampler.rounds[0].lessons and hint in sampler.rounds[1].lessons


def test_box_that_moves_is_a_lesson():
    space = Space({"x": as_space_union({"x": (0.0, 1.0)}).spaces[0]["x"]})
    box = Box(space, {"x": (0.2, 0.4)}, {})
    moved = box.zoom([{"x": 0.395}], RULE)
    lessons = lessons_of(box, moved, {"x": 0.395}, RULE, is_used=True)
    assert lessons == ["x: best at the upper end of the box, moved to 0.295..0.495"]


def test_rounds_in_progress_are_counted():
    sampler = make(n_iter=(4, 3))
    sampler.ask(), sampler.ask()
    assert len(sampler.rounds) == 1 and sampler.rounds[0].n_done == 0
    assert sampler.rounds[0].n_planned == 4 and repr(make().rounds) == "no round yet"


def test_table_fits_its_width():
    space = {f"a_rather_long_step__name_{i}": (0.0, 1.0) for i in range(9)}
    sampler = make(space, n_iter=(9, 9), resources=(1, 2, 1000), tiers=[[*space][:6]])
    run(sampler, first)
    lines = repr(sampler.rounds).splitlines()
    assert max(map(len, lines)) <= 100 and "finalists" in lines[-1]
    assert sampler.rounds._repr_html_().startswith("<pre>round")


# ---- settings ----


@pytest.mark.parametrize(
    "options, message",
    [
        ({"n_iter": ()}, "n_iter="),
        ({"n_iter": 30}, "n_iter=30"),
        ({"n_iter": (3, 0)}, "n_iter="),
        ({"n_iter": (3, 2), "resources": (1, 2)}, "resources=.*3 integers"),
        ({"n_iter": (3, 2), "resources": (2, 1, 3)}, "resources=.*decrease"),
        ({"n_finalists": 0}, "n_finalists=0"),
        ({"tiers": [["lr"], ["nope"]]}, "'nope' is not searched"),
        ({"tiers": [["lr"], ["lr"]]}, "'lr' is listed twice"),
        ({"tiers": ["lr"]}, "'lr' must be a list"),
        ({"tiers": [["lr"]], "tier_shares": (1.0,)}, "tier_shares=.*2 positive"),
        ({"tiers": [["lr"]], "tier_shares": (0.9, 0.9)}, "tier_shares="),
        ({"tiers": [["lr"]], "tier_shares": ("a", "b")}, "tier_shares=.*2 positive"),
        ({"tier_shares": (1.0,)}, "tier_shares=.*tiers"),
        ({"tiers": [["lr"], ["act"]], "n_iter": (3, 2)}, "n_iter=.*3 tiers"),
    ],
)
def test_settings_that_do_not_fit_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        make(**options)


def test_own_budgets_are_refused():
    with pytest.raises(SpaceError, match="without n_iter"):
        make([({"a": (0.0, 1.0)}, 5), {"b": (0.0, 1.0)}])


def test_tiers_of_alternatives_are_refused():
    with pytest.raises(SpaceError, match="2 alternatives"):
        make([{"a": (0.0, 1.0)}, {"b": (0.0, 1.0)}], tiers=[["a"]])


def test_table_names_parameters_without_their_steps_where_that_is_clear():
    space = {"a__C": (0.0, 1.0), "b__alpha": (0.0, 1.0), "c__alpha": (0.0, 1.0)}
    sampler = CoarseToFineSampler(space, n_iter=(4, 3), random_state=0)
    while (proposal := sampler.ask()) is not None:
        sampler.tell(proposal.params, proposal.params["a__C"])
    text = repr(sampler.rounds)
    assert "a__C" not in text and " C=" in text
    assert "b__alpha=" in text and "c__alpha=" in text
    assert "a__C" in sampler.rounds[0].box
