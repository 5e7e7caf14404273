"""How good the samplers are on functions with known maxima, and what a proposal costs.

    python benchmarks/samplers.py [--seeds N] [--n-jobs N]

The score is 0 for what random draws reach in the mean with as many evaluations, and 1 for the
maximum. `BayesianSampler` is asked for one proposal at a time, and for 4 and 16 that wait for their
results. The second table has CPU milliseconds for one proposal with its result, the median of ten,
when so many results are known.
"""

import argparse
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from sklearn_hpt.samplers import (
    BayesianSampler,
    EvolutionarySampler,
    RandomSampler,
    SobolSampler,
)

AT = (25, 50)
KNOWN = (50, 200, 1000)
SAMPLERS = {
    "random": RandomSampler,
    "sobol": SobolSampler,
    "evolutionary": EvolutionarySampler,
    "bayesian": BayesianSampler,
    "bayesian, 4 wait": lambda space, **kw: BayesianSampler(space, n_points=4, **kw),
    "bayesian, 16 wait": lambda space, **kw: BayesianSampler(space, n_points=16, **kw),
}


@dataclass(frozen=True)
class Function:
    """Something to maximise."""

    space: dict[str, Any]
    value: Callable[[dict[str, Any]], float]
    maximum: float


def branin(p):
    x, y = p["x"], p["y"]
    bent = y - 5.1 * x**2 / (4 * math.pi**2) + 5 * x / math.pi - 6
    return -(bent**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10)


A6 = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
P6 = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


def hartmann6(p):
    x = np.array([p[f"x{i}"] for i in range(6)])
    return float(np.exp(-(A6 * (x - P6) ** 2).sum(axis=1)) @ [1.0, 1.2, 3.0, 3.2])


def learning_rate(p):
    """A loss as of a net: a valley in the rate and the momentum, divergence beyond it."""
    effective = math.log10(p["lr"] / (1 - p["momentum"]))
    diverged = 5.0 if effective > 0.5 else 0.0
    depth = 0.1 * (math.log2(p["units"]) - 7) ** 2
    return -((effective + 1) ** 2) - depth - 0.3 * (p["norm"] == "none") - diverged


def gated(p):
    """Two models, of which the better one is good in a small region only."""
    if p["model"] == "flat":
        return 0.8 - 0.05 * abs(math.log10(p["C"]))
    return math.exp(-4 * (math.log10(p["gamma"]) + 2) ** 2 - 0.3 * (math.log10(p["C"]) - 1.5) ** 2)


CUBE = {f"x{i}": (0.0, 1.0) for i in range(6)}
FUNCTIONS = {
    "branin": Function({"x": (-5.0, 10.0), "y": (0.0, 15.0)}, branin, -0.397887),
    "hartmann6": Function(CUBE, hartmann6, 3.32237),
    "learning rate": Function(
        {
            "lr": (1e-5, 1.0, "log-uniform"),
            "momentum": (0.0, 0.999, "log-complement"),
            "units": (8, 512, "log-uniform"),
            "norm": ["none", "batch", "layer"],
        },
        learning_rate,
        0.0,
    ),
    "gated": Function(
        {
            "model": ["flat", "kernel"],
            "C": (1e-3, 1e3, "log-uniform"),
            "gamma": (1e-5, 1e1, "log-uniform"),
        },
        gated,
        1.0,
    ),
}


def expected_by_chance(function, n_draws=5000):
    """Return the expected best of the first 1, 2, ... random draws."""
    sampler = RandomSampler(function.space, random_state=12345)
    values = np.sort([function.value(sampler.ask()) for _ in range(n_draws)])
    share = np.arange(1, n_draws + 1) / n_draws
    return {n: float(values @ np.diff(share**n, prepend=0.0)) for n in AT}


def scores(name, kind, seed):
    function = FUNCTIONS[name]
    sampler = SAMPLERS[kind](function.space, random_state=seed)
    waiting, values = [], []
    n_waiting = int(kind.split()[1]) if "wait" in kind else 1
    while len(values) < max(AT):
        waiting.append(sampler.ask())
        if len(waiting) == n_waiting:
            params = waiting.pop(0)
            values.append(function.value(params))
            sampler.tell(params, values[-1])
    by_chance = expected_by_chance(function)
    best = np.maximum.accumulate(values)
    return [(best[n - 1] - by_chance[n]) / (function.maximum - by_chance[n]) for n in AT]


def milliseconds(kind, n_known):
    function = FUNCTIONS["hartmann6"]
    sampler, known = SAMPLERS[kind](function.space, random_state=0), RandomSampler(CUBE)
    for _ in range(n_known):
        params = known.ask()
        sampler.tell(params, function.value(params))
    times = []
    for _ in range(11):
        started = time.process_time()
        params = sampler.ask()
        sampler.tell(params, function.value(params))
        times.append(time.process_time() - started)
    return 1e3 * np.median(times[1:])


def row(*cells):
    print("| " + " | ".join(cells) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--n-jobs", type=int, default=1)
    args = parser.parse_args()
    keys = [(name, kind, s) for name in FUNCTIONS for kind in SAMPLERS for s in range(args.seeds)]
    found = Parallel(args.n_jobs)(delayed(scores)(*key) for key in keys)
    of = dict(zip(keys, found, strict=True))
    row("score at " + " and ".join(map(str, AT)), *FUNCTIONS, "mean")
    for kind in SAMPLERS:
        means = [
            np.mean([of[name, kind, s] for s in range(args.seeds)], axis=0) for name in FUNCTIONS
        ]
        cells = [*means, np.mean(means, axis=0)]
        row(kind, *(" ".join(f"{value:.2f}" for value in cell) for cell in cells))
    print()
    row("milliseconds", *(f"{n} known" for n in KNOWN))
    for kind in ("random", "evolutionary", "bayesian"):
        row(kind, *(f"{milliseconds(kind, n):.1f}" for n in KNOWN))


if __name__ == "__main__":
    main()
