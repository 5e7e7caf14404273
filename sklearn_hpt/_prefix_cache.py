"""Fit the first steps of a Pipeline once for all candidates, and stages, that agree in them.

What the steps before the last make of a fold's training and test rows depends on the fold and
on the parameters of these steps alone, so both are the key; data is never hashed. Every
candidate is one of three cases, step by step from the first: its step is known with all those
before it, it is fitted and kept, or it is fitted and not kept, because it is random or its
output cannot be protected from the next candidate.
"""

from __future__ import annotations

import copy
import pickle
import random
import sys
from collections import OrderedDict
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import Any

import numpy as np
from sklearn import get_config
from sklearn.pipeline import Pipeline

from sklearn_hpt import nets
from sklearn_hpt._parameter_keys import NoKeyError, ParameterKeys, originals
from sklearn_hpt._pipelines import is_repeatable
from sklearn_hpt._sharing import frozen, lent, n_bytes
from sklearn_hpt._sklearn_compat import check_steps

# For all workers of a search together.
PREFIX_CACHE_BYTES = 512 * 2**20

_FIT = "fit"  # the training rows as `fit_transform` returns them, not `transform`


@dataclass(frozen=True)
class _Kept:
    """What the steps up to one made of some rows; of the training rows, also these steps."""

    output: Any
    steps: tuple[Any, ...]
    n_bytes: int


class PrefixCache:
    """Keeps what was used last of all that fitted steps have made of the folds.

    Parameters
    ----------
    max_bytes : int
        What it may hold, arrays and fitted steps.

    Attributes
    ----------
    n_bytes : int
        What it holds.
    gives_copies : bool
        Whether candidates get copies, because one wanted to write into what it was given.
    """

    def __init__(self, max_bytes: int) -> None:
        self.n_bytes = 0
        self.gives_copies = False
        self._max_bytes = max_bytes
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()

    def get(self, key: Hashable) -> _Kept | None:
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
        return kept

    def put(self, key: Hashable, kept: _Kept) -> None:
        """Keep something, in the place of what was not used for longest."""
        if (old := self._kept.pop(key, None)) is not None:
            self.n_bytes -= old.n_bytes
        if kept.n_bytes > self._max_bytes:
            return
        while self.n_bytes + kept.n_bytes > self._max_bytes:
            _, oldest = self._kept.popitem(last=False)
            self.n_bytes -= oldest.n_bytes
        self._kept[key] = kept
        self.n_bytes += kept.n_bytes

    def clear(self) -> None:
        """Free all memory."""
        self._kept.clear()
        self.n_bytes = 0

    def __len__(self) -> int:
        return len(self._kept)


class Prefix:
    """The first steps of one candidate, to be fitted on one fold or taken from the cache.

    Parameters
    ----------
    cache : PrefixCache
        Where they are kept.
    pipeline : Pipeline
        The candidate, not fitted, or trained so far.
    keys : list of (int, hashable)
        Position and key of each step that transforms, from the first on.
    length : int
        How many steps are left out when the rest is fitted.
    fold_key : hashable
        What the rows depend on.
    writable : bool
        Whether the candidate may write into what it is given.
    is_inspected : bool
        Whether the scorer sees the whole Pipeline; it then has steps of its own.
    """

    def __init__(
        self,
        cache: PrefixCache,
        pipeline: Pipeline,
        keys: Sequence[tuple[int, Hashable]],
        length: int,
        *,
        fold_key: Hashable,
        writable: bool,
        is_inspected: bool,
    ) -> None:
        self._cache = cache
        self._pipeline = pipeline
        self._positions = [position for position, _ in keys]
        self._keys = _chained(fold_key, [key for _, key in keys])
        self._n_kept = len(keys)  # steps whose output may be kept
        self._rest = pipeline[length:]
        self._writable = writable
        self._is_inspected = is_inspected

    def fit(self, X: Any, y: Any = None, **params: Any) -> None:
        """Fit the pipeline on the training rows, as its own `fit` does."""
        X = self._through(_FIT, X, partial(self._fit_transform, y=y))
        self._rest.fit(X, y, **params)

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """Fit all steps but the last, return what they make of the training rows."""
        X = self._through(_FIT, X, partial(self._fit_transform, y=y))
        return self._rest[:-1].fit_transform(X, y) if len(self._rest) > 1 else X

    def for_scoring(self, side: str, X: Any) -> tuple[Any, Any]:
        """Return an estimator and the rows that it is to be scored on.

        Parameters
        ----------
        side : {"train", "test"}
            Which rows these are.
        X : array-like
            The rows.

        Returns
        -------
        estimator, X
            The steps after the first ones with transformed rows, or all with `X` itself.
        """
        if self._is_inspected:
            return self._pipeline, X
        try:
            return self._rest, self._through(side, X, self._transform)
        except Exception:  # it is raised again where scorers expect it
            return self._pipeline, X

    def _through(self, side: str, X: Any, apply: Any) -> Any:
        start, X = self._known(side, X)
        n_kept = self._n_kept
        for index in range(start, len(self._keys)):
            before = _random_states()
            X = apply(self._positions[index], X)
            if _random_states() != before:  # it is random without saying so
                n_kept = min(n_kept, index)  # and so is what comes after it
            if index < n_kept:
                X = self._keep(side, index, X)
        if side == _FIT:  # what a step fitted at random makes of other rows is its own too
            self._n_kept = n_kept
        return X

    def _known(self, side: str, X: Any) -> tuple[int, Any]:
        """Return how many steps are in the cache, and what they made of the rows."""
        for index in reversed(range(self._n_kept)):
            kept = self._cache.get((self._keys[index], side))
            if kept is not None:
                for position, step in zip(self._positions, self._own(kept.steps), strict=False):
                    self._replace(position, step)
                return index + 1, lent(kept.output, writable=self._writable)
        return 0, X

    def _keep(self, side: str, index: int, output: Any) -> Any:
        """Keep the output if it can be protected; return it as the candidate may have it."""
        try:
            steps = self._own(self._steps(index + 1) if side == _FIT else ())
        except Exception:  # there is no copy for those who inspect it
            return output
        safe = frozen(output, is_lent=self._writable)
        if safe is None:
            return output
        kept = _Kept(safe, steps, n_bytes((safe, steps)))
        self._cache.put((self._keys[index], side), kept)
        return output if self._writable else lent(safe, writable=False)

    def _own(self, steps: tuple[Any, ...]) -> tuple[Any, ...]:
        return copy.deepcopy(steps) if self._is_inspected else steps

    def _steps(self, n: int) -> tuple[Any, ...]:
        return tuple(self._pipeline.steps[position][1] for position in self._positions[:n])

    def _replace(self, position: int, step: Any) -> None:
        self._pipeline.steps[position] = (self._pipeline.steps[position][0], step)

    def _fit_transform(self, position: int, X: Any, y: Any) -> Any:
        step = self._pipeline.steps[position][1]
        if hasattr(step, "fit_transform"):
            return step.fit_transform(X, y)
        return step.fit(X, y).transform(X)

    def _transform(self, position: int, X: Any) -> Any:
        return self._pipeline.steps[position][1].transform(X)


def repeatable_steps(
    pipeline: Any,
    estimator: Any,
    params: Mapping[str, Any],
    fit_params: Mapping[str, Any],
    score_params: Mapping[str, Any],
    never_equal: Collection[str] = (),
) -> tuple[int, list[tuple[int, Hashable]]]:
    """Return how many first steps of a candidate may be kept, with the keys of these.

    Parameters
    ----------
    pipeline : estimator
        The candidate, not fitted.
    estimator : estimator
        What it was cloned from.
    params : mapping
        Its hyperparameters.
    fit_params, score_params : mapping
        Metadata for `fit` and the scorer.
    never_equal : collection of str
        Hyperparameters of which no two candidates have the same value.

    Returns
    -------
    length : int
        Number of steps, 0 if there are none or the candidate is no plain Pipeline.
    keys : list of (int, hashable)
        Position and key of those of them that transform.
    """
    if type(pipeline) is not Pipeline or not _n_agreeing(pipeline, params, never_equal):
        return 0, []
    if not _is_plain(pipeline, fit_params, score_params):
        return 0, []
    maker = ParameterKeys(partial(originals, estimator, params))
    routed = {name.partition("__")[0] for name in fit_params}
    beside_net = nets.contains_net(pipeline)
    keys: list[tuple[int, Hashable]] = []
    length = 0
    for name, step in pipeline.steps[: _n_agreeing(pipeline, params, never_equal)]:
        if not _is_passthrough(step):
            if name in routed or not is_repeatable(step) or (beside_net and not _is_sklearn(step)):
                break
            try:
                keys.append((length, (name, maker.key(step, name))))
            except NoKeyError:
                break
        length += 1
    return (length, keys) if keys else (0, [])


def _n_agreeing(pipeline: Pipeline, params: Iterable[str], never_equal: Collection[str]) -> int:
    """Return in how many first steps candidates can agree that are not the same.

    What no other candidate can use is not kept: memory that is touched for the first time
    costs several times the arithmetic of a cheap step.
    """
    last = len(pipeline.steps) - 1
    places = {name: place for place, (name, _) in enumerate(pipeline.steps)}
    place_of = {name: places.get(name.partition("__")[0], last) for name in params}
    first_unequal = (place for name, place in place_of.items() if name in never_equal)
    return min(last, max(place_of.values(), default=0), *first_unequal)


def prefix_hints(
    estimator: Any, params: Mapping[str, Any], fold_key: Hashable
) -> tuple[Hashable, ...]:
    """Return what tasks have in common that share first steps, the most of them first.

    It says where a task is best evaluated, and nothing about its result: tasks with equal
    hints may turn out to share nothing.
    """
    if type(estimator) is not Pipeline or "steps" in params:
        return ()
    maker = ParameterKeys()
    of_steps: dict[str, list[Hashable]] = {name: [] for name, _ in estimator.steps[:-1]}
    try:
        for name, value in sorted(params.items()):
            if (step := name.partition("__")[0]) in of_steps:
                of_steps[step].append((name, maker.key(value)))
    except NoKeyError:
        return ()
    return _chained(fold_key, [tuple(keys) for keys in of_steps.values()])[::-1]


def _chained(first: Hashable, keys: Sequence[Hashable]) -> tuple[Hashable, ...]:
    """Return a key for each number of steps: that of the steps before and one more."""
    return tuple(accumulate(keys, lambda before, key: (before, key), initial=first))[1:]


def _is_plain(
    pipeline: Pipeline, fit_params: Mapping[str, Any], score_params: Mapping[str, Any]
) -> bool:
    """Tell whether all that `fit` does is to fit one step after the other."""
    if type(pipeline.steps) is not list:
        return False
    if pipeline.memory is not None or pipeline.verbose or pipeline.transform_input is not None:
        return False
    if get_config()["enable_metadata_routing"] and (fit_params or score_params):
        return False
    if not all("__" in name for name in fit_params) or not check_steps(pipeline):
        return False
    parts = [pipeline, *pipeline.get_params(deep=True).values()]
    return not any(hasattr(part, "_skl_callbacks") for part in parts)


def _is_passthrough(step: Any) -> bool:
    return step is None or (isinstance(step, str) and step == "passthrough")


def _is_sklearn(step: Any) -> bool:
    """Tell whether a step cannot take its randomness from torch, which is seeded for a net."""
    parts = [step, *step.get_params(deep=True).values()]
    return all(type(p).__module__.startswith("sklearn.") for p in parts if hasattr(p, "get_params"))


def _random_states() -> bytes:
    """Return the states that steps draw from which have no seed of their own."""
    torch = sys.modules.get("torch")
    of_torch = None if torch is None else torch.random.get_rng_state().numpy()
    return pickle.dumps((np.random.get_state(legacy=False), random.getstate(), of_torch))
