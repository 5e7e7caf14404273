"""Which learning rates a net can be trained with: the range test."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from sklearn_hpt._trial import derived_seed, fresh_seed
from sklearn_hpt._warn import warn
from sklearn_hpt.exceptions import LRRangeWarning
from sklearn_hpt.nets._skorch import cast_inputs, cast_targets, find_nets, reproducible
from sklearn_hpt.space import Real

_SETTLING = 0.05  # share of the sweep at its start, in which the mean rests on few steps
_WIDTH = 10.0  # how far below the suggestion a search begins


@dataclass(frozen=True)
class LRRange:
    """What a net's loss does while its learning rate grows.

    Parameters
    ----------
    lrs : ndarray of shape (n_steps,)
        Learning rates, up to where the loss diverged.
    losses : ndarray of shape (n_steps,)
        Loss of the batch before each step.
    smoothed_losses : ndarray of shape (n_steps,)
        Their exponential mean, without its bias to 0.
    suggestion : float
        A rate to train with; NaN if the loss never fell.
    low, high : float
        Where a search of the rate should begin and end; NaN if the loss never fell.
    """

    lrs: np.ndarray = field(repr=False)
    losses: np.ndarray = field(repr=False)
    smoothed_losses: np.ndarray = field(repr=False)
    suggestion: float
    low: float
    high: float

    def to_space(self) -> Real:
        """Return the range to search for `lr`, on a log scale.

        Returns
        -------
        Real
            From a tenth of the suggestion to where the smoothed loss was least.

        Raises
        ------
        ValueError
            If the loss never fell.
        """
        if not math.isfinite(self.suggestion):
            raise ValueError(
                "The loss never fell, so there is no range of learning rates to search; test a "
                "wider range (min_lr, max_lr), or look at the data, the loss and the net."
            )
        return Real(self.low, self.high, prior="log-uniform")


class LRFinder(BaseEstimator):
    """Learning-rate range test: the rate grows, step by step, until the loss diverges.

    The loss begins to fall where the rate is large enough to matter, falls fastest, and rises where
    it is too large. The suggestion is the rate at which the smoothed loss falls fastest on the
    log scale.

    A copy of the net is trained, from its weights if it has been fitted, so the net itself, its
    optimizer and torch's random state stay as they are, to the last bit.

    Parameters
    ----------
    net : NeuralNet
        A net of skorch, fitted or not, with any optimizer.
    min_lr : float, default=1e-7
        The first learning rate.
    max_lr : float, default=10.0
        The last one.
    n_steps : int, default=200
        Number of steps, one batch each; small data are gone through several times.
    smoothing : float, default=0.9
        Weight of the mean so far in the exponential mean of the losses, in [0, 1).
    diverged : float, default=4.0
        The test ends when the smoothed loss is more than so many times its least.
    divide_by : float, default=1.0
        What the rate of steepest descent is divided by; 3 to 10 is a cautious rule.
    random_state : int, default=None
        Seed of new weights, dropout and the order of the rows.

    Attributes
    ----------
    lr_range_ : LRRange
        All of it; `lr_range_.to_space()` is a dimension for a search.
    suggestion_ : float
        A rate to train with.
    lrs_, losses_, smoothed_losses_ : ndarray of shape (n_steps_done,)
        What was tried, and the loss before each step.

    See Also
    --------
    lr_range_test : The same as a function, for several nets at once.

    References
    ----------
    L. N. Smith, "Cyclical Learning Rates for Training Neural Networks", WACV 2017, section 3.3.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_hpt.nets import LRFinder
    >>> import skorch, torch
    >>> X, y = load_digits(return_X_y=True)
    >>> X = (X / 16).astype(np.float32)
    >>> class Net(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.layers = torch.nn.Sequential(
    ...             torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10)
    ...         )
    ...     def forward(self, X):
    ...         return self.layers(X)
    >>> net = skorch.NeuralNetClassifier(Net, criterion=torch.nn.CrossEntropyLoss, verbose=0)
    >>> finder = LRFinder(net, random_state=0).fit(X, y)
    >>> 0.01 < finder.suggestion_ < 5
    True
    >>> finder.lr_range_.to_space()
    Real(..., prior='log-uniform')
    """

    def __init__(
        self,
        net: Any,
        *,
        min_lr: float = 1e-7,
        max_lr: float = 10.0,
        n_steps: int = 200,
        smoothing: float = 0.9,
        diverged: float = 4.0,
        divide_by: float = 1.0,
        random_state: int | None = None,
    ) -> None:
        self.net = net
        self.min_lr = min_lr
        self.max_lr = max_lr
        self.n_steps = n_steps
        self.smoothing = smoothing
        self.diverged = diverged
        self.divide_by = divide_by
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> LRFinder:
        """Sweep the learning rate.

        Parameters
        ----------
        X : array-like
            Training rows.
        y : array-like, default=None
            Targets.

        Returns
        -------
        LRFinder
            This finder.

        Raises
        ------
        ValueError
            If a parameter is out of its range, or `net` is no net of skorch.
        """
        settings = self.get_params(deep=False)
        (self.lr_range_,) = lr_range_test([settings.pop("net")], X, y, **settings)
        self.lrs_, self.losses_ = self.lr_range_.lrs, self.lr_range_.losses
        self.smoothed_losses_ = self.lr_range_.smoothed_losses
        self.suggestion_ = self.lr_range_.suggestion
        return self


def lr_range_test(
    net: Any,
    X: Any,
    y: Any = None,
    *,
    min_lr: float = 1e-7,
    max_lr: float = 10.0,
    n_steps: int = 200,
    smoothing: float = 0.9,
    diverged: float = 4.0,
    divide_by: float = 1.0,
    random_state: int | None = None,
) -> Any:
    """Test which learning rates a net, or each of several nets, can be trained with.

    Nets of one architecture with batches of one size are swept together, as one program. No net
    is changed.

    Parameters
    ----------
    net : NeuralNet or sequence of NeuralNet
        What is tested.
    X : array-like
        Training rows.
    y : array-like, default=None
        Targets.
    min_lr, max_lr, n_steps, smoothing, diverged, divide_by, random_state
        As in `LRFinder`.

    Returns
    -------
    LRRange or list of LRRange
        One for each net.

    Raises
    ------
    ValueError
        If a parameter is out of its range, or there is something that is no net of skorch.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.preprocessing import scale
    >>> from sklearn_hpt.nets import lr_range_test
    >>> import skorch, torch
    >>> X, y = load_diabetes(return_X_y=True)
    >>> X, y = scale(X).astype(np.float32), scale(y)[:, None].astype(np.float32)
    >>> nets = [
    ...     skorch.NeuralNetRegressor(
    ...         torch.nn.Linear,
    ...         module__in_features=10,
    ...         module__out_features=1,
    ...         optimizer=optimizer,
    ...         verbose=0,
    ...     )
    ...     for optimizer in (torch.optim.SGD, torch.optim.Adam)
    ... ]
    >>> sgd, adam = lr_range_test(nets, X, y, random_state=0)
    >>> sgd.low < sgd.suggestion < sgd.high
    True
    """
    settings = {
        "min_lr": min_lr,
        "max_lr": max_lr,
        "n_steps": n_steps,
        "smoothing": smoothing,
        "diverged": diverged,
        "divide_by": divide_by,
    }
    _check(settings)
    tested = list(net) if isinstance(net, Sequence) else [net]
    for one in tested:
        if not any(found is one for found in find_nets(one)):
            raise ValueError(
                f"net={one!r} must be a net of skorch, or a list of them; of a Pipeline give the "
                "net and what the steps before it make of the rows."
            )
    lrs = np.geomspace(min_lr, max_lr, n_steps)
    X, y = cast_inputs(tested[0], X), cast_targets(tested[0], y)
    ranges = [
        _lr_range(lrs, losses, smoothing, diverged, divide_by)
        for losses in _all_losses(tested, X, y, lrs, settings, random_state)
    ]
    return ranges if isinstance(net, Sequence) else ranges[0]


def _check(settings: dict[str, Any]) -> None:
    allowed: dict[str, Callable[[Any], bool]] = {
        "min_lr": lambda v: v > 0,
        "max_lr": lambda v: settings["min_lr"] < v < math.inf,
        "n_steps": lambda v: isinstance(v, numbers.Integral) and int(v) >= 20,
        "smoothing": lambda v: 0 <= v < 1,
        "diverged": lambda v: v > 1,
        "divide_by": lambda v: v >= 1,
    }
    words = {
        "min_lr": "a number above 0",
        "max_lr": "a number above min_lr",
        "n_steps": "an integer of at least 20",
        "smoothing": "a number in [0, 1)",
        "diverged": "a number above 1",
        "divide_by": "a number of at least 1",
    }
    for name, is_allowed in allowed.items():
        value = settings[name]
        if not isinstance(value, numbers.Real) or not is_allowed(value):
            raise ValueError(f"{name}={value!r} must be {words[name]}.")


def _all_losses(
    tested: Sequence[Any],
    X: Any,
    y: Any,
    lrs: np.ndarray,
    settings: dict[str, Any],
    random_state: int | None,
) -> list[np.ndarray]:
    """Return the losses of each net up to where it diverged."""
    from sklearn_hpt.nets._stack import CannotStack
    from sklearn_hpt.nets._sweep import ready, sweep_alone, sweep_together

    seed = random_state if random_state is not None else fresh_seed()
    found: dict[int, np.ndarray] = {}
    for group in _alike(tested):
        copies = []
        for i in group:
            with reproducible(tested[i], derived_seed(seed, i)):
                copies.append(ready(tested[i]))
        with reproducible(copies[0], derived_seed(seed, group[0])):
            try:
                losses = _until_diverged(sweep_together(copies, X, y, lrs), settings)
            except (CannotStack, RuntimeError, NotImplementedError):  # what vmap cannot do
                losses = None
        if losses is not None:
            found.update(zip(group, losses, strict=True))
            continue
        for i in group:
            with reproducible(tested[i], derived_seed(seed, i)):
                (found[i],) = _until_diverged(sweep_alone(ready(tested[i]), X, y, lrs), settings)
    return [found[i] for i in range(len(tested))]


def _alike(tested: Sequence[Any]) -> list[list[int]]:
    """Return the numbers of nets of one class, module and optimizer, in groups."""
    groups: dict[Any, list[int]] = {}
    for i, net in enumerate(tested):
        of_module = sorted((n, repr(v)) for n, v in vars(net).items() if n.startswith("module__"))
        key = type(net), net.module, net.optimizer, net.batch_size, tuple(of_module)
        groups.setdefault(key, []).append(i)
    return list(groups.values())


def _until_diverged(sweep: Iterator[np.ndarray], settings: dict[str, Any]) -> list[np.ndarray]:
    """Return the losses of each net of a sweep, which ends when all of them have diverged."""
    rows: list[np.ndarray] = []
    ends: dict[int, int] = {}
    for losses in sweep:
        rows.append(losses)
        for i in range(len(losses)):
            of_net = np.array([row[i] for row in rows])
            if i not in ends and _has_diverged(of_net, settings["smoothing"], settings["diverged"]):
                ends[i] = len(rows) - 1
        if len(ends) == len(losses):
            break
    table = np.array(rows)
    return [table[: ends.get(i, len(table)), i] for i in range(table.shape[1])]


def _smoothed(losses: np.ndarray, smoothing: float) -> np.ndarray:
    """Return the exponential mean, divided by the sum of its weights so far."""
    means, mean = np.empty(len(losses)), 0.0
    for i, loss in enumerate(losses):
        mean = smoothing * mean + (1.0 - smoothing) * loss
        means[i] = mean / (1.0 - smoothing ** (i + 1))
    return means


def _has_diverged(losses: np.ndarray, smoothing: float, diverged: float) -> bool:
    if not math.isfinite(losses[-1]):
        return True
    means = _smoothed(losses, smoothing)
    least = means.min()  # a loss may be negative
    return bool(means[-1] > least + (diverged - 1.0) * abs(least))


def _lr_range(
    lrs: np.ndarray, losses: np.ndarray, smoothing: float, diverged: float, divide_by: float
) -> LRRange:
    lrs, means = lrs[: len(losses)], _smoothed(losses, smoothing)
    begin = max(2, int(_SETTLING * len(losses)))
    end = begin + int(np.argmin(means[begin:])) if len(means) > begin else 0
    if end <= begin or means[begin] - means[end] <= np.std(losses[: 2 * begin]):
        warn(
            f"The loss fell at none of {len(lrs)} learning rates"
            + (f" from {lrs[0]:.3g} to {lrs[-1]:.3g}" if len(lrs) else "")
            + " by more than batches differ, so none is suggested.",
            LRRangeWarning,
        )
        return LRRange(lrs, losses, means, math.nan, math.nan, math.nan)
    steepest = begin + int(np.argmin(_slopes(means)[begin : end + 1]))
    suggestion = float(lrs[steepest] / divide_by)
    return LRRange(
        lrs, losses, means, suggestion, suggestion / _WIDTH, max(float(lrs[end]), 2 * suggestion)
    )


def _slopes(means: np.ndarray) -> np.ndarray:
    """Return the slope at each step of a line through a tenth of the steps around it."""
    half = max(1, len(means) // 20)
    away = np.arange(-half, half + 1)
    return np.correlate(np.pad(means, half, mode="edge"), away / (away @ away), mode="valid")
