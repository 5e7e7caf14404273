"""What the Bayesian sampler does beyond what all samplers do."""

import math

import numpy as np
import pytest

from sklearn_hpt.samplers import BayesianSampler, SuccessiveHalvingSampler

SPACE = {"x": (0.0, 1.0), "y": (0.0, 1.0)}


def peak(params):
    return -((params["x"] - 0.3) ** 2) - (params["y"] - 0.7) ** 2


def run(sampler, n, evaluate=peak):
    tried = []
    for _ in range(n):
        tried.append(sampler.ask())
        sampler.tell(tried[-1], evaluate(tried[-1]))
    return tried


def best(tried, evaluate=peak):
    return max(evaluate(params) for params in tried)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_points": 0}, "n_points=0 must be an integer of at least 1"),
        ({"acquisition": "pi"}, "acquisition='pi' must be 'ei'.* or 'eips'"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        BayesianSampler(SPACE, **options)


def test_start_comes_first_as_far_as_it_lies_in_the_space():
    start = [{"x": 2.0, "y": 0.1}, {"x": 0.5, "y": 0.1}, {"x": 0.5, "y": 0.1}]
    sampler = BayesianSampler(SPACE, start=start, random_state=0)
    assert sampler.ask() == {"x": 0.5, "y": 0.1}
    assert sampler.ask() != {"x": 0.5, "y": 0.1}


@pytest.mark.parametrize("seed", range(3))
def test_maximum_of_a_smooth_function_is_found(seed):
    assert best(run(BayesianSampler(SPACE, random_state=seed), 25)) > -1e-3


@pytest.mark.parametrize("scale", [1e-12, 1e12])
@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_unit_of_the_score_does_not_matter(scale, offset):
    plain = run(BayesianSampler(SPACE, random_state=0), 15)
    scaled = run(BayesianSampler(SPACE, random_state=0), 15, lambda p: scale * (peak(p) + offset))
    for one, other in zip(plain, scaled, strict=True):
        assert one == pytest.approx(other, abs=1e-2)


def test_crashed_half_of_the_space_does_not_hide_the_maximum():
    def evaluate(params):
        return -1e9 if params["x"] > 0.5 else peak(params)

    assert best(run(BayesianSampler(SPACE, random_state=0), 30, evaluate), evaluate) > -1e-2


def test_failed_half_of_the_space_is_avoided():
    def evaluate(params):
        return math.nan if params["x"] > 0.5 else peak(params)

    tried = run(BayesianSampler(SPACE, random_state=0), 40, evaluate)
    assert np.nanmax([evaluate(params) for params in tried]) > -1e-2
    assert np.mean([params["x"] > 0.5 for params in tried[10:]]) < 0.35


def test_evaluations_that_take_long_are_avoided_where_seconds_count():
    """The score does not tell x from 1 - x, the seconds do."""

    def evaluate(params):
        return -((abs(params["x"] - 0.5) - 0.3) ** 2) - (params["y"] - 0.7) ** 2

    def seconds_spent(acquisition):
        sampler = BayesianSampler(SPACE, acquisition=acquisition, random_state=0)
        spent = 0.0
        for _ in range(30):
            params = sampler.ask()
            seconds = 10.0 ** (4 * params["x"] - 2)
            spent += seconds
            sampler.tell_seconds(params, seconds)
            sampler.tell(params, evaluate(params))
        return spent

    assert seconds_spent("eips") < 0.5 * seconds_spent("ei")


def test_cheap_results_inform_the_surrogate():
    """With a tenth of the resource the score is lower by a constant; the shape is the same."""
    rng = np.random.default_rng(0)
    with_parts, without = (BayesianSampler(SPACE, random_state=0) for _ in range(2))
    for x, y in rng.random((40, 2)):
        params = {"x": float(x), "y": float(y)}
        with_parts.tell_part(params, 0.1, peak(params) - 0.5)
    for x, y in rng.random((4, 2)):
        params = {"x": float(x), "y": float(y)}
        with_parts.tell(params, peak(params))
        without.tell(params, peak(params))
    at = [{"x": float(x), "y": float(y)} for x, y in rng.random((50, 2))]
    truth = np.array([peak(params) for params in at])
    errors = [
        np.abs(sampler.surrogate().predict(at)[0] - truth).mean()
        for sampler in (with_parts, without)
    ]
    assert errors[0] < 0.25 * errors[1]


def test_proposals_are_made_for_the_whole_resource():
    inner = BayesianSampler(SPACE, random_state=0)
    sampler = SuccessiveHalvingSampler(inner, (1, 3, 9), n_iter=24, window=1)
    scores = {}
    while (proposal := sampler.ask()) is not None:
        score = peak(proposal.params) - 1.0 / proposal.resource
        scores.setdefault(proposal.resource, []).append(score)
        sampler.tell(proposal.params, score)
    assert len(scores[1]) == 24 > len(scores[9])
    assert max(scores[9]) > -1 / 9 - 1e-2
    assert np.mean(scores[1][12:]) > np.mean(scores[1][:6]), "later candidates start better"


@pytest.mark.parametrize("n_points", [4, 16])
def test_several_at_a_time_lose_little(n_points):
    sampler = BayesianSampler(SPACE, n_points=n_points, random_state=0)
    waiting, found = [], []
    for _ in range(48):
        waiting.append(sampler.ask())
        if len(waiting) == n_points:
            found.append(waiting.pop(0))
            sampler.tell(found[-1], peak(found[-1]))
    distinct = {(round(p["x"], 3), round(p["y"], 3)) for p in found + waiting}
    assert best(found) > -1e-2
    assert len(distinct) > 24, "proposals under way push the next ones away"
