"""Asynchronous successive halving promotes the best, whatever the workers do."""

import math

import pytest
from ask_and_tell import run
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_hpt.samplers import RandomSampler, Sampler, SuccessiveHalvingSampler

SPACE = {"x": (0.0, 1.0)}


def make(resources=(1, 3, 9), n_iter=27, space=SPACE, **options):
    inner = RandomSampler(space, random_state=0)
    return SuccessiveHalvingSampler(inner, resources, n_iter=n_iter, **options)


def by_x(proposal):
    return proposal.params["x"]


def noisy(proposal):
    """A score whose order changes with the resource, NaN for a tenth of the candidates."""
    x = proposal.params["x"]
    return math.nan if x < 0.1 else x + math.sin(50 * x) / proposal.resource


class Inner:
    """Proposes numbers and keeps what it is told."""

    def __init__(self, n=100, lookahead=None):
        self.n, self.lookahead, self.told = n, lookahead, []

    def ask(self):
        self.n -= 1
        return {"x": self.n / 100} if self.n >= 0 else None

    def tell(self, params, score, fold_scores=None):
        self.told.append((params["x"], score))


def test_sampler_satisfies_the_protocol():
    assert isinstance(make(), Sampler)


@pytest.mark.parametrize("window", [1, 4, 9])
def test_number_of_candidates_is_exact(window):
    proposals = run(make(window=window), by_x)
    assert [p.round for p in proposals].count(0) == 27


def test_one_of_eta_is_promoted_from_each_rung():
    counts = [[p.round for p in run(make(window=1), by_x)].count(rung) for rung in range(3)]
    assert counts[0] == 27 and 9 <= counts[1] <= 18 and 3 <= counts[2] <= counts[1]


@settings(max_examples=60, deadline=None)
@given(
    n_iter=st.integers(1, 40),
    eta=st.integers(2, 4),
    window=st.integers(1, 8),
    n_workers=st.integers(1, 9),
    order=st.integers(0, 1000),
    tells_early=st.booleans(),
)
def test_proposals_do_not_depend_on_the_workers(n_iter, eta, window, n_workers, order, tells_early):
    options = {"n_iter": n_iter, "eta": eta, "window": window}
    alone = run(make(**options), noisy)
    others = {"n_workers": n_workers, "seed": order, "tells_early": tells_early}
    assert run(make(**options), noisy, **others) == alone


@settings(max_examples=40, deadline=None)
@given(n_iter=st.integers(1, 40), eta=st.integers(2, 4))
def test_promoted_are_among_the_best_known_on_their_rung(n_iter, eta):
    sampler = make(n_iter=n_iter, eta=eta, window=1)
    proposals = run(sampler, noisy)
    for number, proposal in enumerate(proposals):
        if proposal.continues is None:
            continue
        rung = [p for p in proposals[:number] if p.round == proposal.round - 1]
        scores = sorted((noisy(p) for p in rung if noisy(p) == noisy(p)), reverse=True)
        source = noisy(proposals[proposal.continues])
        is_last_hope = all(p.continues is not None for p in proposals[number:])
        assert source in scores[: len(rung) // eta] or (is_last_hope and source == source)


@settings(max_examples=40, deadline=None)
@given(n_iter=st.integers(1, 40), window=st.integers(1, 8))
def test_resource_increases_along_a_lineage(n_iter, window):
    sampler = make(n_iter=n_iter, window=window)
    proposals = run(sampler, noisy, n_workers=3)
    for number, proposal in enumerate(proposals):
        lineage = sampler.lineage(number)
        assert number in lineage
        assert [proposals[i].resource for i in lineage] == [1, 3, 9][: len(lineage)]
        assert all(proposals[i].params == proposal.params for i in lineage)
        assert sampler.rung(number) == proposal.round == lineage.index(number)


@pytest.mark.parametrize("n_iter", [1, 2, 5, 30])
@pytest.mark.parametrize("window", [1, 4])
def test_one_candidate_reaches_the_top(n_iter, window):
    proposals = run(make(n_iter=n_iter, window=window), by_x)
    best = max(p.params["x"] for p in proposals)
    assert best in [p.params["x"] for p in proposals if p.resource == 9]


def test_failed_candidates_are_not_promoted():
    assert all(p.resource == 1 for p in run(make(), lambda p: math.nan))


def test_next_goes_up_when_the_best_fails_at_the_top():
    proposals = run(
        make((1, 3), n_iter=2, window=1),
        lambda p: math.nan if p.resource == 3 and p.continues == 1 else by_x(p),
    )
    assert [p.continues for p in proposals] == [None, None, 1, 0]


def test_raced_candidates_are_promoted_only_if_nothing_else_is_there():
    def raced(proposal):
        return by_x(proposal), [by_x(proposal), math.nan]

    assert all(p.resource == 1 for p in run(make(n_iter=9), raced)[:9])
    assert [p.resource for p in run(make(n_iter=9), raced)[9:]] == [3, 9]
    best_raced = run(make(n_iter=9), lambda p: raced(p) if by_x(p) > 0.5 else by_x(p))
    assert all(by_x(p) <= 0.5 for p in best_raced if p.resource > 1)


def test_finite_space_ends():
    proposals = run(make(space={"x": [0.1, 0.2, 0.3]}), by_x)
    assert sorted(by_x(p) for p in proposals if p.resource == 1) == [0.1, 0.2, 0.3]


def test_sampler_stays_exhausted():
    sampler = make(n_iter=3)
    run(sampler, by_x)
    assert sampler.ask() is None and sampler.lookahead == 1


def test_inner_hears_of_earlier_results_and_of_the_whole_resource_only():
    inner = Inner()
    sampler = SuccessiveHalvingSampler(inner, (1, 3), n_iter=6)
    sampler.tell({"x": 0.5}, 0.7)
    proposals = run(sampler, by_x)
    whole = [(by_x(p), by_x(p)) for p in proposals if p.resource == 3]
    assert inner.told == [(0.5, 0.7), *whole]


def test_window_is_narrowed_to_what_the_inner_sampler_allows():
    sampler = SuccessiveHalvingSampler(Inner(lookahead=2), (1, 3), n_iter=6, window=5)
    sampler.ask(), sampler.ask()
    assert sampler.lookahead == 2


@pytest.mark.parametrize(
    "options, parameter",
    [
        ({"resources": (3, 1)}, "resources"),
        ({"resources": ()}, "resources"),
        ({"resources": (0, 1)}, "resources"),
        ({"n_iter": 0}, "n_iter"),
        ({"eta": 1}, "eta"),
        ({"window": 0}, "window"),
    ],
)
def test_impossible_settings_are_refused(options, parameter):
    with pytest.raises(ValueError, match=f"^{parameter}="):
        make(**options)
