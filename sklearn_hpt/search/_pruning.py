"""Give candidates little of a resource at first, and more to the better ones."""

from __future__ import annotations

from collections.abc import Sequence

from sklearn_hpt._warn import warn
from sklearn_hpt.samplers import Sampler, SuccessiveHalvingSampler


def with_rungs(
    sampler: Sampler, amounts: Sequence[int] | None, n_iter: int, asked_by: str
) -> Sampler:
    """Return a sampler whose candidates go on from one amount of a resource to the next.

    Parameters
    ----------
    sampler : Sampler
        Where candidates come from.
    amounts : sequence of int or None
        The amounts, the last of which is the whole; None if there is nothing to divide.
    n_iter : int
        Number of candidates.
    asked_by : str
        The parameter of the search that asks for it, such as ``resource='n_samples'``.
    """
    if len(amounts or ()) < 2:
        warn(
            f"{asked_by} has no effect here: the first amount of the resource is the full one "
            "already. Rows come in smaller amounts from 300 training rows on; the passes of an "
            "MLP, or of a linear model by SGD with tol=None, are one if its random_state is an "
            "int. Give resources=(...), or name another resource.",
            UserWarning,
        )
    if amounts is None:
        return sampler
    return SuccessiveHalvingSampler(sampler, amounts, n_iter=n_iter)
