"""What the error on new data is made of: bias, variance, mismatch, and overfitting to dev.

Names follow A. Ng, "Machine Learning Yearning" (draft, 2018).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

import numpy as np
from sklearn.base import is_classifier

from sklearn_hpt._axes import BLACK, GREY, ORANGE, SKY, VERMILION, axes_for, tidy
from sklearn_hpt.diagnostics._table import aligned, percent

_SETS = ("human", "train", "train_dev", "dev", "test")  # an error should grow in this order
_TITLES = {
    "human": "human level",
    "train": "training",
    "train_dev": "train-dev",
    "dev": "dev",
    "test": "test",
}
_REMEDIES = {
    "avoidable bias": "a larger model, better features, less regularisation, longer training; "
    "more training rows will not help",
    "bias": "find out what a human, or the best model known, gets wrong (human=) to see how much "
    "can be avoided; then a larger model, better features, less regularisation",
    "variance": "more training rows, more regularisation, the mean of several models, early "
    "stopping, fewer features, a smaller model",
    "variance and data mismatch": "measure the error on a train-dev set, rows like the training "
    "rows that are not trained on (train_dev_test_split), to tell which of the two it is",
    "data mismatch": "find out in which way dev rows differ from training rows (ErrorAnalysis), "
    "then train on more rows that are like the dev rows, found or made",
    "overfitting to dev": "a larger or a fresh dev set, fewer decisions made on it",
}
_WITHIN = 1.96  # standard errors: of chance alone, 95 % of gaps are within as many


@dataclass(frozen=True, kw_only=True)
class ErrorDecomposition:
    """Differences between the errors on sets of rows that differ in one respect each.

    From one line to the next one thing is added, so the difference is its price:

    ============  ==========================================  ====================
    error         on rows that are                            difference to above
    ============  ==========================================  ====================
    human         (of a human, or the best that can be had)
    train         trained on                                  avoidable bias
    train_dev     like these, but not trained on              variance
    dev           as they will come in use                    data mismatch
    test          like these, and never used for a decision   overfitting to dev
    ============  ==========================================  ====================

    Where an error is not known, its two differences become one: without `train_dev` "variance and
    data mismatch", without `test` there is no "overfitting to dev". Without `human` the training
    error itself is "bias", of which nobody knows how much could be avoided.

    Parameters
    ----------
    train : float
        Error on the training rows, a fraction in [0, 1].
    dev : float
        Error on the rows that decisions are made with.
    train_dev : float, default=None
        Error on rows that are like the training rows and not trained on.
    test : float, default=None
        Error on rows that are like the dev rows and that nothing was decided with.
    human : float, default=None
        Error of a human, or any other estimate of the least error possible. It counts as exact.
    n_rows : mapping of str to int, default=None
        How many rows the errors were measured on, by the names above. Each gap whose two errors
        have it (`human` needs none) gets a standard error.
    min_gap : float, default=0.01
        Gaps up to this are not worth any work, so there is no advice for them.

    Attributes
    ----------
    gaps : dict of str to float
        The differences by their name. They add up to the last error minus `human` (or 0). They can
        be negative: then the harder rows were the easier ones.
    standard_errors : dict of str to float
        Standard errors of those gaps that have one.
    within_noise : set of str
        Gaps smaller than 1.96 standard errors, which may well be chance.
    largest : str or None
        Name of the largest gap, None if no gap is positive.
    advice : list of str
        What to do about the gaps that are larger than `min_gap` and than noise: bias first, then
        variance, then mismatch, then overfitting to dev.
    ax_, figure_ : matplotlib Axes and Figure
        Where `plot` has drawn.

    Raises
    ------
    ValueError
        If an error is not a fraction, or a number of rows is not positive.

    Notes
    -----
    The standard error of an error rate is that of Agresti and Coull: with two errors in four rows
    added, it is not 0 where there are no errors in few rows. For losses between 0 and 1 it is an
    upper bound, up to that. The sets are taken to be independent.

    Data mismatch is what the model pays for the other rows. They may differ in kind, or be harder
    for any model; one that is trained on such rows can tell.

    References
    ----------
    A. Ng, "Machine Learning Yearning", draft, 2018: chapters 22 to 27 (bias, variance and what to
    do about them), 33 to 35 (human-level performance), 40 to 43 (the training dev set, data
    mismatch), 11 (overfitting to dev).

    A. Agresti and B. A. Coull, "Approximate is better than 'exact' for interval estimation of
    binomial proportions", The American Statistician 52(2), 1998.

    Examples
    --------
    >>> from sklearn_hpt.diagnostics import ErrorDecomposition
    >>> print(ErrorDecomposition(human=0.01, train=0.08, train_dev=0.09, dev=0.12, test=0.13))
    error                 gap to the line above
    human level    1.0 %
    training       8.0 %  avoidable bias          7.0 %  <- largest
    train-dev      9.0 %  variance                1.0 %
    dev           12.0 %  data mismatch           3.0 %
    test          13.0 %  overfitting to dev      1.0 %
    What to do, in this order:
    1. avoidable bias (7.0 %): a larger model, better features, less regularisation, ...
    2. data mismatch (3.0 %): find out in which way dev rows differ from training rows ...

    Measured, with the standard error of each gap:

    >>> from sklearn.datasets import load_digits
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from sklearn_hpt.diagnostics import train_dev_test_split
    >>> X, y = load_digits(return_X_y=True)
    >>> split = train_dev_test_split(X, y, random_state=0)
    >>> (X_train, y_train), (X_dev, y_dev) = split.take("train", X, y), split.take("dev", X, y)
    >>> tree = DecisionTreeClassifier(random_state=0).fit(X_train, y_train)
    >>> found = ErrorDecomposition.from_estimator(tree, X_train, y_train, X_dev, y_dev, human=0)
    >>> print(found.largest, found.within_noise)
    variance and data mismatch {'avoidable bias'}
    """

    train: float
    dev: float
    train_dev: float | None = None
    test: float | None = None
    human: float | None = None
    n_rows: Mapping[str, int] | None = None
    min_gap: float = 0.01
    ax_: Any = field(init=False, repr=False, compare=False)
    figure_: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("train", "dev"):
            if getattr(self, name) is None:
                raise ValueError(
                    f"{name}=None: the errors on the training and on the dev rows are needed; "
                    "only train_dev, test and human may be left out."
                )
        for name, error in self.errors.items():
            _check_fraction(name, error)
        _check_fraction("min_gap", self.min_gap)
        for name, n in (self.n_rows or {}).items():
            if name not in _SETS or not isinstance(n, (int, np.integer)) or n < 1:
                raise ValueError(
                    f"n_rows={self.n_rows!r}: {name!r}: {n!r} must be one of {_SETS} with a "
                    "number of rows of at least 1."
                )

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X_train: Any,
        y_train: Any,
        X_dev: Any,
        y_dev: Any,
        *,
        X_train_dev: Any = None,
        y_train_dev: Any = None,
        X_test: Any = None,
        y_test: Any = None,
        human: float | None = None,
        error: Callable[[Any, Any], Any] | None = None,
        min_gap: float = 0.01,
    ) -> ErrorDecomposition:
        """Measure the errors of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            Fitted, on the training rows only. Searches and Pipelines are estimators too.
        X_train, y_train : array-like
            The rows that it was trained on, and their targets.
        X_dev, y_dev : array-like
            The rows that decisions are made with.
        X_train_dev, y_train_dev : array-like, default=None
            Rows like the training rows that are not trained on.
        X_test, y_test : array-like, default=None
            Rows like the dev rows that nothing was decided with.
        human : float, default=None
            Error of a human, measured by the same `error`.
        error : callable, default=None
            `error(y, y_pred)`, the lower the better, returns the loss of each row, in [0, 1], or
            one number in [0, 1] for all rows; of one number no standard error is known. None is
            the share of wrong predictions of a classifier. A regressor has no such default: say
            when a prediction is wrong, such as
            `lambda y, y_pred: abs(y - y_pred) > 5`. Measures that are relative to the rows at
            hand, such as 1 - R^2, differ between sets for reasons that are none of the above.
        min_gap : float, default=0.01
            Gaps up to this are not worth any work.

        Returns
        -------
        ErrorDecomposition
            The gaps, with standard errors where `error` gives a loss for each row.

        Raises
        ------
        ValueError
            If the estimator is no classifier and `error` is None, or if `error` returns anything
            else than fractions.
        """
        measure = _error_of(estimator, error)
        sets = {
            "train": (X_train, y_train),
            "train_dev": (X_train_dev, y_train_dev),
            "dev": (X_dev, y_dev),
            "test": (X_test, y_test),
        }
        errors: dict[str, float] = {}
        n_rows: dict[str, int] = {}
        for name, (X, y) in sets.items():
            if (X is None) != (y is None):
                raise ValueError(f"X_{name} and y_{name} must be given together, or neither.")
            if X is not None:
                errors[name], n = _mean_loss(name, measure, y, estimator.predict(X))
                n_rows |= {name: n} if n else {}
        return cls(**errors, human=human, n_rows=n_rows, min_gap=min_gap)

    @property
    def errors(self) -> dict[str, float]:
        """The errors that are known, from human to test."""
        return {name: value for name in _SETS if (value := getattr(self, name)) is not None}

    @property
    def gaps(self) -> dict[str, float]:
        """The differences by their name, in the order of the sets."""
        return {name: self._error(end) - self._error(begin) for name, begin, end in self._steps()}

    @property
    def standard_errors(self) -> dict[str, float]:
        """Standard errors of the gaps between errors whose numbers of rows are known."""
        found = {}
        for name, begin, end in self._steps():
            variances = [self._variance(begin), self._variance(end)]
            if not np.isnan(variances).any():
                found[name] = math.sqrt(sum(variances))
        return found

    @property
    def within_noise(self) -> set[str]:
        """Gaps smaller than 1.96 standard errors."""
        gaps = self.gaps
        return {n for n, se in self.standard_errors.items() if abs(gaps[n]) < _WITHIN * se}

    @property
    def largest(self) -> str | None:
        """Name of the largest gap, None if no gap is positive."""
        gaps = _rounded(self.gaps)
        name = max(gaps, key=gaps.__getitem__)
        return name if gaps[name] > 0 else None

    @property
    def advice(self) -> list[str]:
        """What to do about the gaps that matter, in the order in which to do it."""
        return [
            f"{name} ({percent(gap)}): {_REMEDIES[name]}"
            for name, gap in _rounded(self.gaps).items()
            if gap > self.min_gap and name not in self.within_noise
        ]

    def __str__(self) -> str:
        beside = {end: (name, *self._cells(name)) for name, _, end in self._steps()}
        rows = [("error", "", "gap to the line above", "", "")]
        for name, error in self.errors.items():
            rows.append((_TITLES[name], percent(error), *beside.get(name, ("", "", ""))))
        advice = [f"{i}. {line}" for i, line in enumerate(self.advice, 1)]
        head = "What to do, in this order:" if advice else "No gap is large enough to work on."
        return "\n".join([aligned(rows, left=(0, 2, 4)), head, *advice])

    def plot(self, ax: Any = None) -> ErrorDecomposition:
        """Draw the errors, and the gaps as steps between them.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw, None for a new figure.

        Returns
        -------
        ErrorDecomposition
            This one, with `ax_` and `figure_`.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        ax = axes_for(ax, (7.0, 0.4 * len(self._bars()) + 1.0))
        for row, bar in enumerate(self._bars()):
            _draw_bar(ax, row, *bar)
        intervals = ", with 95 % intervals of the gaps" if self.standard_errors else ""
        low, high = min(0.0, *ax.get_xlim()), max(ax.get_xlim())
        ax.set(yticks=range(len(self._bars())), yticklabels=[bar[0] for bar in self._bars()])
        ax.set(xlim=(low, high * 1.18), xlabel="error (%)" + intervals)
        tidy(ax)
        object.__setattr__(self, "ax_", ax)
        object.__setattr__(self, "figure_", ax.figure)
        return self

    def _steps(self) -> list[tuple[str, str | None, str]]:
        """Name each gap, with the sets at its two ends; None is an error of 0."""
        first = ("bias", None) if self.human is None else ("avoidable bias", "human")
        steps: list[tuple[str, str | None, str]] = [(*first, "train")]
        if self.train_dev is None:
            steps.append(("variance and data mismatch", "train", "dev"))
        else:
            steps += [("variance", "train", "train_dev"), ("data mismatch", "train_dev", "dev")]
        if self.test is not None:
            steps.append(("overfitting to dev", "dev", "test"))
        return steps

    def _error(self, name: str | None) -> float:
        return 0.0 if name is None else float(getattr(self, name))

    def _variance(self, name: str | None) -> float:
        """Return the variance of an error, NaN if its number of rows is not known."""
        n = (self.n_rows or {}).get(name or "")
        if n is None:
            return 0.0 if name in (None, "human") else math.nan
        rate = (n * self._error(name) + 2) / (n + 4)
        return rate * (1 - rate) / (n + 4)

    def _cells(self, name: str) -> tuple[str, str]:
        """Return a gap, and what there is to say of it, as text."""
        gap, error = percent(self.gaps[name]), self.standard_errors.get(name)
        if error is not None:
            gap += f" ± {100 * _WITHIN * error:.1f}"
        notes = ["<- largest"] if name == self.largest else []
        notes += ["within noise"] if name in self.within_noise else []
        return gap.replace("-0.0 %", "0.0 %"), ", ".join(notes)

    def _bars(self) -> list[tuple[str, float, float, float | None, str]]:
        """Return label, begin, end, standard error and colour of each bar of the picture."""
        bars: list[tuple[str, float, float, float | None, str]] = []
        if self.human is not None:
            bars.append((_TITLES["human"], 0.0, self.human, None, GREY))
        for name, begin, end in self._steps():
            low, high = self._error(begin), self._error(end)
            color = VERMILION if name == self.largest else ORANGE if high >= low else SKY
            bars.append((f"+ {name}", low, high, self.standard_errors.get(name), color))
            bars.append((_TITLES[end], 0.0, high, None, GREY))
        return bars


def _rounded(gaps: Mapping[str, float]) -> dict[str, float]:
    """Return gaps without what subtracting floats has added."""
    return {name: round(gap, 12) for name, gap in gaps.items()}


def _check_fraction(name: str, error: Any) -> None:
    is_number = isinstance(error, Real) and not isinstance(error, (bool, np.bool_))
    if not is_number or not 0 <= float(error) <= 1:
        hint = f"; for {error} % give {error / 100:g}" if is_number and 1 < error <= 100 else ""
        raise ValueError(f"{name}={error!r} must be a fraction, a number from 0 to 1{hint}.")


def _error_of(estimator: Any, error: Callable[[Any, Any], Any] | None) -> Callable[[Any, Any], Any]:
    if error is not None:
        return error
    if not is_classifier(estimator):
        raise ValueError(
            f"error=None is the share of wrong predictions of a classifier, and {estimator!r} is "
            "none: give error=, which says when a prediction is wrong, such as "
            "error=lambda y, y_pred: abs(y - y_pred) > 5."
        )
    return lambda y, y_pred: np.asarray(y) != np.asarray(y_pred)


def _mean_loss(
    name: str, error: Callable[[Any, Any], Any], y: Any, y_pred: Any
) -> tuple[float, int | None]:
    """Return the error and, if it is a mean over rows, their number."""
    losses = np.asarray(error(y, y_pred), dtype=float)
    if losses.ndim == 0:
        shown: Any = losses
    elif losses.shape == (len(y_pred),) and len(losses):
        shown = losses[np.argmax(np.abs(np.nan_to_num(losses, nan=np.inf) - 0.5))]
    else:
        raise ValueError(
            f"error={error!r} returned an array of shape {losses.shape} for the {len(y_pred)} "
            f"rows of {name}: it must return one loss for each row, or one number."
        )
    if not 0 <= shown <= 1:
        raise ValueError(
            f"error={error!r} returned {float(shown):g} for {name}: it must return fractions in "
            "[0, 1], the lower the better, such as whether each prediction is wrong."
        )
    return float(losses.mean()), len(losses) if losses.ndim else None


def _draw_bar(
    ax: Any, row: int, label: str, begin: float, end: float, deviation: float | None, color: str
) -> None:
    """Draw one bar from `begin` to `end` (fractions), with its length beside it (percent)."""
    begin, end = 100 * begin, 100 * end
    is_gap = label.startswith("+")
    interval = None if deviation is None else 100 * _WITHIN * deviation
    ax.barh(row, end - begin, left=begin, color=color, height=0.62, zorder=2)
    right = max(begin, end)
    if interval is not None:
        ax.errorbar(end, row, xerr=interval, color=BLACK, capsize=3, linewidth=1, zorder=3)
        right = max(right, end + interval)
    text = f"{end - begin:+.1f}" if is_gap else f"{end:.1f}"
    weight = "bold" if color == VERMILION else "normal"
    ax.annotate(
        text, (right, row), (4, 0), textcoords="offset points", va="center", fontweight=weight
    )
