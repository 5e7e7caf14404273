"""Refuse what cannot work before any model is trained."""

from __future__ import annotations

import numbers
import os
import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.metrics import get_scorer_names

from sklearn_hpt._sklearn_compat import MultimetricScorer, best_possible_score, num_samples
from sklearn_hpt._trial import fresh_seed
from sklearn_hpt.exceptions import SpaceError
from sklearn_hpt.space import Categorical, Space

_N_PROBES = 20  # draws in which a parameter of one of several estimators must turn up


def search_seed(random_state: Any) -> int:
    """Return the seed of a search; one from the operating system for None.

    NumPy's global state is neither read nor changed. A RandomState or a Generator is drawn
    from, so that two searches with one of them differ.
    """
    if random_state is None:
        return fresh_seed()
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**32))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**32, dtype=np.uint32))
    return int(random_state)


def check_n_jobs(n_jobs: int | None) -> None:
    """Raise if `n_jobs` is 0."""
    if n_jobs == 0:
        raise ValueError(
            "n_jobs=0 would run nothing; give a number of workers, -1 for one on each processor, "
            "or None for 1."
        )


def check_resume(resume: str, journal: Any, warm_start_from: Any) -> None:
    """Raise if `resume` asks for a journal and there is none, or it is its own warm start."""
    if resume == "must" and journal is None:
        raise ValueError(
            "resume='must' needs a journal to continue, but journal=None; give journal=PATH, or "
            "leave resume='auto'."
        )
    if journal is None or not isinstance(warm_start_from, (str, os.PathLike)):
        return
    if os.path.abspath(journal) == os.path.abspath(warm_start_from):
        raise ValueError(
            f"warm_start_from={warm_start_from!r} is the journal of this search; to continue it, "
            "leave warm_start_from=None, to start anew from its results give another journal."
        )


def check_estimator(estimator: Any) -> None:
    """Raise if what is to be tuned is a class."""
    if isinstance(estimator, type):
        name = estimator.__name__
        raise TypeError(f"estimator={name} is a class; give an instance of it, such as {name}().")


def check_repeatable(cv: Any) -> None:
    """Raise if a splitter gives other folds each time: its search could not be resumed."""
    shuffles = getattr(cv, "shuffle", True)  # ShuffleSplit and repeated splitters always do
    if hasattr(cv, "random_state") and cv.random_state is None and shuffles:
        raise ValueError(
            f"cv={cv} gives other folds in each run, so a search with a journal could not be "
            "resumed; give the splitter a random_state, such as random_state=0."
        )


def check_refit(refit: Any, scoring: Any) -> None:
    """Raise if `refit` names no scorer where `scoring` is a single metric."""
    if not isinstance(refit, str) or not (scoring is None or isinstance(scoring, str)):
        return
    known = {"score", *get_scorer_names()}
    if refit not in known:
        near = _nearest(refit, known)
        raise ValueError(
            f"refit={refit!r} names no scorer"
            + (f"; did you mean {' or '.join(map(repr, near))}? " if near else ". ")
            + f"With the single metric scoring={scoring!r}, refit=True is enough."
        )


def best_score_to_race(
    scorer: Any, deciding: str | None, estimator: Any, spaces: Iterable[Space]
) -> float | None:
    """Return the best score that the metric which decides can give, None if it is not known."""
    named = scorer._scorers if isinstance(scorer, MultimetricScorer) else {deciding: scorer}
    if deciding not in named:
        return None
    choices = (
        choice
        for space in spaces
        for dimension in space.values()
        if isinstance(dimension, Categorical)
        for choice in dimension.choices
    )
    if any(hasattr(choice, "fit") for choice in choices):
        estimator = None  # another one may be asked for its own score
    return best_possible_score(named[deciding], estimator)


def check_decides(what: str | None, scoring: Any, refit: Any) -> None:
    """Raise if a search compares candidates as it goes, and no metric of several is to decide."""
    of_several = scoring is not None and not isinstance(scoring, str) and not callable(scoring)
    if what is not None and of_several and not isinstance(refit, str):
        raise ValueError(
            f"{what} with several metrics needs to know which one decides, got refit={refit!r}; "
            f"give its name as refit, one of {list(scoring)}."
        )


def check_racing(racing: Any, scoring: Any, maximum: float | None) -> None:
    """Raise if the policy is none, or needs the best value of a metric that is not known."""
    if isinstance(racing, type):
        raise ValueError(
            f"racing={racing!r} is a class; give a policy, such as {racing.__name__}()."
        )
    verify = getattr(racing, "verify", 0.0)
    if not isinstance(verify, numbers.Real) or not 0.0 <= float(verify) <= 1.0:
        raise ValueError(
            f"racing={racing!r} has verify={verify!r}, the share of candidates that are completed "
            "at the end; it must be a number from 0 to 1."
        )
    if racing == "exact" and maximum is None:
        named = "; name the metric, such as scoring='accuracy'" if scoring is None else ""
        raise ValueError(
            f"racing='exact' needs a metric whose best value is known, which it is not for "
            f"scoring={scoring!r}{named}; or use racing='safe', or say what it is with "
            "sklearn_hpt.racing.ExactRacing(maximum=...)."
        )


def check_y(y: Any, n_rows: int) -> None:
    """Raise if `y` has another length than `X`."""
    if y is not None and (n_values := num_samples(y)) != n_rows:
        raise ValueError(
            f"y has {n_values} values but X has {n_rows} rows; give one target for each row. "
            "(Found input variables with inconsistent numbers of samples.)"
        )


def check_parameter_names(estimator: Any, spaces: Iterable[Space]) -> None:
    """Raise if a space names a parameter that the estimator has not.

    Raises
    ------
    SpaceError
        With the names that are nearest to the unknown one.
    """
    if not hasattr(estimator, "get_params"):
        return
    known = set(estimator.get_params(deep=True))
    rng = np.random.default_rng(0)
    for space in spaces:
        if set(space) <= known:
            continue
        # a name may belong to an estimator among the values, or be one that get_params omits
        complaints = [_complaint(estimator, space, rng) for _ in range(_N_PROBES)]
        if all(complaints):
            raise SpaceError(_unknown_name(estimator, space, known, str(complaints[0])))


def _nearest(name: str, known: Iterable[str]) -> list[str]:
    """Return up to three known names like this one, upper and lower case being the same."""
    of_a_step = sorted((n for n in known if n.endswith(f"__{name}")), key=lambda n: n.count("__"))
    if of_a_step:  # the step was forgotten
        return of_a_step[:3]
    by_lower = {other.lower(): other for other in known}
    return [by_lower[low] for low in get_close_matches(name.lower(), by_lower, n=3, cutoff=0.5)]


def _complaint(estimator: Any, space: Space, rng: np.random.Generator) -> Exception | None:
    try:
        clone(estimator).set_params(**clone(space.sample(rng), safe=False))
    except Exception as error:
        return error
    return None


def _unknown_name(estimator: Any, space: Space, known: set[str], complaint: str) -> str:
    blamed = re.search(r"[Ii]nvalid parameter '?([\w]+)'?", complaint)
    unknown = sorted(set(space) - known)
    at_fault = [n for n in unknown if blamed and n.split("__")[-1] == blamed[1]] or unknown
    name = at_fault[0]
    near = _nearest(name, known)
    advice = (
        f"did you mean {' or '.join(map(repr, near))}?"
        if near
        else f"it has {', '.join(sorted(known)[:20])}."
    )
    return f"Parameter {name!r} is not one of {type(estimator).__name__}: {advice}"
