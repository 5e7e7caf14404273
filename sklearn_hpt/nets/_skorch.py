"""Facts about skorch nets that a search takes care of."""

from __future__ import annotations

import builtins
import math
import numbers
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from types import BuiltinFunctionType
from typing import Any

import numpy as np
from sklearn.base import is_regressor

from sklearn_hpt._warn import warn
from sklearn_hpt.exceptions import TrainSplitWarning

_DEEPEST = 6  # levels of estimators within estimators that are looked through
_torch_state = threading.RLock()  # threads share torch's random state


def find_nets(estimator: Any) -> list[Any]:
    """Return the skorch nets in an estimator, before or after it is fitted."""
    skorch = sys.modules.get("skorch")
    if skorch is None or not hasattr(skorch, "NeuralNet"):
        return []
    return list(_walk(estimator, skorch.NeuralNet, _DEEPEST))


def _walk(part: Any, net_class: type, depth: int) -> Iterator[Any]:
    if isinstance(part, net_class):
        yield part
    elif depth and isinstance(part, (list, tuple)):
        for item in part:
            if isinstance(item, (list, tuple)) or hasattr(item, "get_params"):
                yield from _walk(item, net_class, depth - 1)
    elif depth and hasattr(part, "get_params") and not isinstance(part, type):
        for item in vars(part).values():
            if isinstance(item, (list, tuple)) or hasattr(item, "get_params"):
                yield from _walk(item, net_class, depth - 1)


def contains_net(estimator: Any) -> bool:
    """Tell whether an estimator is or holds a skorch net."""
    return bool(find_nets(estimator))


def reduced(value: Any) -> Any:
    """Return how a net, or `print`, which it holds, is pickled; NotImplemented for anything else.

    A net pickles its weights through `torch.save`, which finds classes by their names only: not
    those of a script or a notebook in a worker process. As plain attributes they go through the
    pickler that the net does.

    Callbacks of skorch hold `print`, which pickle refuses where another has taken its place, as
    that of Ray does.
    """
    if isinstance(value, BuiltinFunctionType) and value.__qualname__ == "print":
        return getattr, (builtins, "print")
    skorch = sys.modules.get("skorch")
    if skorch is None or not isinstance(value, getattr(skorch, "NeuralNet", ())):
        return NotImplemented
    return _blank, (type(value),), dict(vars(value)), None, None, _give_back


def _blank(net_class: Any) -> Any:
    return net_class.__new__(net_class)


def _give_back(net: Any, attributes: dict[str, Any]) -> None:
    vars(net).update(attributes)


@contextmanager
def reproducible(estimator: Any, seed: int, n_threads: int | None = None) -> Iterator[None]:
    """Seed torch while a net is used, and leave its state as it was.

    Threads share that state, so that of several nets in threads one is trained at a time.

    Parameters
    ----------
    estimator : estimator
        Nothing happens if it holds no net.
    seed : int
        Seed of weights, dropout and the order of the batches.
    n_threads : int, default=None
        Number of threads that torch may use meanwhile, None for as many as it has.
    """
    if not contains_net(estimator):
        yield
        return
    import torch

    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else []
    with _torch_state, torch.random.fork_rng(devices):
        seed_torch(seed)
        threads_before = torch.get_num_threads()
        torch.set_num_threads(n_threads or threads_before)
        try:
            yield
        finally:
            torch.set_num_threads(threads_before)


def seed_torch(seed: int) -> None:
    """Seed the generators of all devices that there are.

    `torch.manual_seed` also writes down from where it was called, for devices that are not there,
    which takes as long as training a small net for an epoch.
    """
    torch = sys.modules["torch"]
    if _has_accelerator():
        torch.manual_seed(seed)
    else:
        torch.default_generator.manual_seed(seed)


@lru_cache(maxsize=1)
def _has_accelerator() -> bool:
    torch = sys.modules["torch"]
    found = getattr(torch, "accelerator", None)
    return True if found is None else bool(found.is_available())


def check_converged(estimator: Any) -> None:
    """Raise if a fitted net has diverged, which by itself raises nothing.

    Raises
    ------
    FloatingPointError
        If a training or validation loss in the history of a net is not finite.
    """
    for net in find_nets(estimator):
        for row in getattr(net, "history_", None) or ():
            for name in ("train_loss", "valid_loss"):
                loss = row.get(name, 0.0)
                if not math.isfinite(loss):
                    raise FloatingPointError(
                        f"the net diverged: {name} is {loss} in epoch {row['epoch']}"
                    )


def _float_dtype() -> np.dtype:
    torch = sys.modules["torch"]
    return np.dtype(str(torch.get_default_dtype()).removeprefix("torch."))


def cast_inputs(estimator: Any, X: Any) -> Any:
    """Return `X` in the dtype that a net's weights have, where it is safe to say.

    Arrays of other floats become arrays of torch's default dtype (float32); integers stay, as
    an embedding wants them. Data frames become arrays of floats for a bare net, and keep their
    columns in front of a Pipeline.
    """
    if not contains_net(estimator):
        return X
    wanted = _float_dtype()
    if isinstance(X, np.ndarray):
        return X.astype(wanted) if X.dtype.kind == "f" and X.dtype != wanted else X
    if not hasattr(X, "columns") or not hasattr(X, "dtypes"):
        return X
    kinds = {type(net) for net in find_nets(estimator)}
    parts = getattr(estimator, "estimators", [estimator])  # an ensemble of nets, or a net
    if hasattr(estimator, "history") or all(type(part) in kinds for part in parts):
        return _as_array(X, wanted)
    if hasattr(X, "astype"):  # pandas, in front of other steps
        other = {n: wanted for n, t in X.dtypes.items() if t.kind == "f" and t != wanted}
        return X.astype(other) if other else X
    return X


def _as_array(X: Any, wanted: np.dtype) -> np.ndarray:
    try:
        return np.asarray(X.to_numpy(), dtype=wanted)
    except (TypeError, ValueError):
        raise ValueError(
            "X is a data frame with columns that are not numbers, which a net cannot take; put "
            "the net behind an encoder in a Pipeline, for example a ColumnTransformer."
        ) from None


def cast_targets(estimator: Any, y: Any) -> Any:
    """Return `y` as int64, for a regressor or a binary classifier in torch's default float."""
    nets = find_nets(estimator)
    if not nets or y is None:
        return y
    array = y.to_numpy() if hasattr(y, "to_numpy") else y
    if not isinstance(array, np.ndarray):
        return y
    skorch = sys.modules["skorch"]
    binary = getattr(skorch, "NeuralNetBinaryClassifier", ())
    if isinstance(nets[0], binary) or is_regressor(nets[0]):
        return array.astype(_float_dtype()) if array.dtype.kind in "iufb" else array
    return array.astype(np.int64) if array.dtype.kind in "iub" else array


def explain(estimator: Any, error: Exception) -> str:
    """Return what to do about an obscure torch error, empty if it is not one of them."""
    text = str(error)
    if not contains_net(estimator):
        return ""
    if (
        "must have the same dtype" in text
        or "expected scalar type" in text
        or "expected m1" in text
    ):
        return (
            "the net received another dtype than its weights have: end the steps before it with "
            "FunctionTransformer(lambda X: X.astype('float32')), and give integer targets as int64"
        )
    if "unexpected keyword argument" in text and "forward" in text:
        return "the net received a data frame or a dictionary: give it an array"
    return ""


def warn_about_train_split(estimator: Any, searched: Iterable[str]) -> None:
    """Warn once if a net sets aside part of each training fold that nothing needs."""
    if any(name.endswith("train_split") for name in searched):
        return
    for net in find_nets(estimator):
        share = _held_out(net)
        if share and not _stops_early(net):
            warn(
                f"{type(net).__name__} has train_split={type(net.train_split).__name__}"
                f"({net.train_split.cv}), which takes {share:.0%} of each training fold away for "
                "a validation score that the search does not use. Set train_split=None to train "
                "on all of it, or keep it for early stopping.",
                TrainSplitWarning,
            )
            return
        if share and not splits_the_same_again(net.train_split):
            warn(
                f"train_split={type(net.train_split).__name__}({net.train_split.cv}) draws other "
                "validation rows in each fit, so this search cannot be repeated, whatever its "
                "random_state is, and its nets are not trained on in steps. Give it a "
                "random_state, such as random_state=0, or a number of parts.",
                TrainSplitWarning,
            )
            return


def splits_the_same_again(train_split: Any) -> bool:
    """Tell whether a net validates on the same rows in each stage, never trained on before."""
    cv = getattr(train_split, "cv", None)
    if isinstance(cv, float):
        return isinstance(train_split.random_state, numbers.Integral)
    is_random = getattr(cv, "shuffle", hasattr(cv, "random_state"))
    return not is_random or isinstance(getattr(cv, "random_state", None), numbers.Integral)


def _held_out(net: Any) -> float:
    cv = getattr(getattr(net, "train_split", None), "cv", None)
    if isinstance(cv, (int, np.integer)) and cv > 1:
        return 1.0 / cv
    return float(cv) if isinstance(cv, float) else 0.0


def _stops_early(net: Any) -> bool:
    callbacks = [c[1] if isinstance(c, tuple) else c for c in net.callbacks or ()]
    watching = ("EarlyStopping", "Checkpoint", "LRScheduler")
    return any(type(callback).__name__ in watching for callback in callbacks)
