"""A small search loop for samplers, with workers that finish in any order."""

import random

from sklearn_hpt._trial import Proposal


def run(sampler, evaluate, *, n_workers=1, seed=0, tells_early=False, limit=1000):
    """Ask and tell until the sampler is exhausted; return the proposals in their order.

    Parameters
    ----------
    evaluate : callable
        From a Proposal to a score, or to a pair (score, fold_scores).
    n_workers, seed : int
        How many evaluations run at a time, and in which order they finish.
    tells_early : bool
        Whether results are told as soon as possible, not only when a proposal needs them.
    """
    rng = random.Random(seed)
    proposals, results, running, n_told = [], {}, [], 0

    def tell_next():
        nonlocal n_told
        sampler.tell(proposals[n_told].params, *_with_folds(results.pop(n_told)))
        n_told += 1

    def is_allowed():
        lookahead = sampler.lookahead
        return lookahead is None or len(proposals) - n_told < lookahead

    is_over = False
    while running or not is_over:
        while not is_over and len(running) < n_workers:
            while n_told in results and (tells_early or not is_allowed()):
                tell_next()
            if not is_allowed():
                break
            asked = sampler.ask()
            is_over = asked is None or len(proposals) == limit
            if not is_over:
                proposals.append(asked if isinstance(asked, Proposal) else Proposal(asked))
                running.append(len(proposals) - 1)
        assert running or is_over, "the sampler waits for a result that nobody works on"
        if running:
            number = running.pop(rng.randrange(len(running)))
            results[number] = evaluate(proposals[number])
    while n_told in results:
        tell_next()
    return proposals


def _with_folds(result):
    return result if isinstance(result, tuple) else (result, [result, result])
