"""What skorch does with a net between epochs, for nets that are trained together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from sklearn_hpt.nets._batches import drawn_batches
from sklearn_hpt.nets._callbacks import callbacks_of, end_training, kept_callbacks
from sklearn_hpt.nets._eligible import loader_settings
from sklearn_hpt.nets._loading import lean_loading
from sklearn_hpt.nets._stack import CannotStack


def is_watched(net: Any) -> bool:
    """Tell whether something happens between the epochs of a net: validation, or callbacks."""
    return net.train_split is not None or bool(callbacks_of(net))


class WatchedNet:
    """A net that is trained epoch by epoch with others, and what skorch does around each epoch.

    It has a state of torch's random generator of its own, from where the generator is when this
    is made, so that it draws what it would draw alone.

    Parameters
    ----------
    net : NeuralNet
        Initialised.
    X, y : array
        The rows of its fold.
    rows : ndarray of int
        What number each of them has among the rows of all nets.
    n_before : int
        Epochs that it has been trained already.

    Attributes
    ----------
    has_stopped : bool
        Whether a callback has ended its training.
    error : Exception or None
        What a callback or the validation raised, which ends its training too.
    """

    def __init__(self, net: Any, X: Any, y: Any, rows: np.ndarray, n_before: int) -> None:
        self.net, self._data = net, (X, y)
        self.has_stopped = False
        self.error: Exception | None = None
        with kept_callbacks(net, n_before):
            net.notify("on_train_begin", X=X, y=y)
        net.check_data(X, y)
        train, valid = net.get_split_datasets(X, y)
        self._sets = {"dataset_train": train, "dataset_valid": valid}
        self._rows = rows[_trained_rows(train, len(X))]
        self._random = torch.get_rng_state()

    def begin_epoch(self) -> list[np.ndarray]:
        """Return the numbers of the rows in each batch of the next epoch."""
        with self._own_course():
            self.net.notify("on_epoch_begin", **self._sets)
            (epoch,) = drawn_batches(len(self._rows), 1, **loader_settings(self.net))
            return [self._rows[batch] for batch in epoch]
        return []

    def end_epoch(self, batches: Sequence[np.ndarray], losses: np.ndarray) -> None:
        """Write down the loss of each batch, validate, and call what waits for the epoch's end."""
        with self._own_course():
            history = self.net.history
            for batch, loss in zip(batches, losses, strict=True):
                history.new_batch()
                history.record_batch("train_loss", float(loss))
                history.record_batch("train_batch_size", len(batch))
            history.record("train_batch_count", len(batches))
            if self._sets["dataset_valid"] is not None:
                self._validate()
            self.net.notify("on_epoch_end", **self._sets)

    def end(self) -> None:
        """Call what waits for the end of training."""
        with self._own_course():
            end_training(self.net, *self._data)

    def _validate(self) -> None:
        net = self.net
        with lean_loading(net):
            net.run_single_epoch(
                net.get_iterator(self._sets["dataset_valid"], training=False),
                training=False,
                prefix="valid",
                step_fn=net.validation_step,
            )

    @contextmanager
    def _own_course(self) -> Iterator[None]:
        """Draw from the net's own random state, and keep what ends its training from the others."""
        of_others = torch.get_rng_state()
        torch.set_rng_state(self._random)
        try:
            yield
        except KeyboardInterrupt:  # how callbacks of skorch end the training
            self.has_stopped = True
        except Exception as error:
            self.error, self.has_stopped = error, True
        finally:
            self._random = torch.get_rng_state()
            torch.set_rng_state(of_others)


def _trained_rows(dataset: Any, n_rows: int) -> np.ndarray:
    """Return which rows of a fold are trained on, where others are for validation."""
    if isinstance(dataset, torch.utils.data.Subset):
        return np.asarray(dataset.indices)
    if len(dataset) != n_rows:
        raise CannotStack("train_split does not choose among the rows that it is given")
    return np.arange(n_rows)
