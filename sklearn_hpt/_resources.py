"""What a search buys in small amounts first: training rows, epochs, trees.

A state is a fitted estimator in a file, from which a candidate with more of the resource goes
on. Where the file is not to be had (another machine, a search that was killed) training starts
anew, with the same result: see the law of `sklearn_hpt._training`.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np

from sklearn_hpt import nets
from sklearn_hpt._subsampling import subsample
from sklearn_hpt.steppers import Stepper


@dataclass(frozen=True)
class Resource:
    """A resource, and how rows are chosen if it is their number.

    Attributes
    ----------
    name : str
        "n_samples" or a parameter of the estimator.
    full : int
        The amount of a full evaluation.
    labels : array-like of shape (n_samples,) or None
        Classes to be kept in proportion.
    groups : array-like of shape (n_samples,) or None
        Groups to be kept whole.
    is_time_ordered : bool
        Whether the rows are in the order of time.
    seed : int
        What the rows of a fold are drawn with.
    stepper : Stepper or None
        What trains the estimator in steps, if not what its class says.
    """

    name: str
    full: int
    labels: Any = None
    groups: Any = None
    is_time_ordered: bool = False
    seed: int = 0
    stepper: Stepper | None = None

    @property
    def is_rows(self) -> bool:
        """Whether it is the number of training rows."""
        return self.name == "n_samples"

    def rows(self, train: np.ndarray, amount: int | None) -> np.ndarray:
        """Return the rows of a fold's training side that a candidate gets for an amount."""
        if amount is None or not self.is_rows or amount >= self.full:
            return train
        return subsample(
            train,
            amount,
            y=self.labels,
            groups=self.groups,
            is_time_ordered=self.is_time_ordered,
            seed=self.seed,
        )


class StateFolder:
    """The folder of the states of a search.

    Parameters
    ----------
    beside : path-like or None
        A file beside which the folder stays until the search has ended; None for a folder that
        goes with this process.
    """

    def __init__(self, beside: str | os.PathLike[str] | None) -> None:
        if beside is None:
            self.path = Path(tempfile.mkdtemp(prefix="sklearn_hpt_states_"))
        else:
            self.path = Path(f"{os.fspath(beside)}.states").absolute()
            self.path.mkdir(exist_ok=True)
        self._stays = beside is not None

    def file(self, trial: int, fold: int) -> str:
        """Return the name of the file for a fold of a trial."""
        return str(self.path / f"{trial}-{fold}")

    def forget(self, trial: int, n_splits: int) -> None:
        """Remove the states of a trial."""
        for fold in range(n_splits):
            with suppress(OSError):
                os.remove(self.file(trial, fold))

    def close(self, *, is_finished: bool) -> None:
        """Remove the folder, unless an unfinished search may go on from it."""
        if is_finished or not self._stays:
            shutil.rmtree(self.path, ignore_errors=True)


@contextmanager
def state_folder(
    resource: Resource | None, journal: str | os.PathLike[str] | None
) -> Iterator[StateFolder | None]:
    """Give a search a folder for its states, if it has a use for one."""
    if resource is None or resource.is_rows:
        yield None
        return
    folder = StateFolder(journal)
    try:
        yield folder
    except BaseException:
        folder.close(is_finished=False)
        raise
    folder.close(is_finished=True)


class _Pickler(cloudpickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        of_net = nets.reduced(value)
        return super().reducer_override(value) if of_net is NotImplemented else of_net


def save_state(estimator: Any, path: str) -> None:
    """Write a fitted estimator; what cannot be written or pickled is not kept."""
    draft = f"{path}.{os.getpid()}"
    try:
        with open(draft, "wb") as file:
            _Pickler(file).dump(estimator)
        os.replace(draft, path)
    except Exception:  # training anew gives the same
        with suppress(OSError):
            os.remove(draft)


def load_state(path: str) -> Any:
    """Return the estimator in a file, None if there is none that can be read."""
    try:
        with open(path, "rb") as file:
            return cloudpickle.load(file)
    except Exception:
        return None
