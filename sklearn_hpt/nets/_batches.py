"""Batches of rows as torch's DataLoader draws them, without what that costs for each row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch


def drawn_batches(
    n_rows: int, n_epochs: int, batch_size: int, *, shuffle: bool, drop_last: bool
) -> list[list[np.ndarray]]:
    """Return the rows of each batch of each epoch, by torch's random state as it is.

    Parameters
    ----------
    n_rows : int
        Number of training rows.
    n_epochs : int
        Number of times that all are gone through.
    batch_size : int
        Rows in a batch, -1 for all.
    shuffle, drop_last : bool
        As in `torch.utils.data.DataLoader`.

    Returns
    -------
    list of list of ndarray of int
        For each epoch, and in it for each batch, numbers of rows.
    """
    size = n_rows if batch_size == -1 else batch_size
    return [_epoch(n_rows, size, shuffle, drop_last) for _ in range(n_epochs)]


class ArrayLoader:
    """Goes through arrays in the batches that a DataLoader would give.

    Parameters
    ----------
    X, y : array or Tensor
        Features and targets; `y` may be None.
    rows : ndarray of int or None
        Which rows, None for all.
    dataset : Dataset
        What has these rows, as an attribute for those that look for it.
    batch_size : int
        Rows in a batch.
    shuffle, drop_last : bool, default=False
        As in `torch.utils.data.DataLoader`.
    """

    def __init__(
        self,
        X: Any,
        y: Any,
        rows: np.ndarray | None,
        *,
        dataset: Any,
        batch_size: int,
        shuffle: bool = False,
        drop_last: bool = False,
    ) -> None:
        self.dataset = dataset
        self.batch_size = batch_size
        self._shuffle, self._drop_last = shuffle, drop_last
        self._X, self._rows = torch.as_tensor(X), rows
        self._y = torch.zeros(len(self._X), 1) if y is None else torch.as_tensor(y)
        self._n_rows = len(self._X) if rows is None else len(rows)

    def __iter__(self) -> Iterator[list[torch.Tensor]]:
        for batch in _epoch(self._n_rows, self.batch_size, self._shuffle, self._drop_last):
            index = torch.from_numpy(batch if self._rows is None else self._rows[batch])
            yield [self._X[index], self._y[index]]

    def __len__(self) -> int:
        n_full, rest = divmod(self._n_rows, self.batch_size)
        return n_full + (rest > 0 and not self._drop_last)


def _epoch(n_rows: int, size: int, shuffle: bool, drop_last: bool) -> list[np.ndarray]:
    _draw()  # for worker processes, which there are none of
    order = np.arange(n_rows)
    if shuffle:
        generator = torch.Generator()
        generator.manual_seed(_draw())
        order = torch.randperm(n_rows, generator=generator).numpy()
    batches = [order[start : start + size] for start in range(0, n_rows, size)]
    return batches[:-1] if drop_last and len(batches[-1]) < size else batches


def _draw() -> Any:
    return torch.empty((), dtype=torch.int64).random_().item()
