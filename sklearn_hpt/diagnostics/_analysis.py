"""Which rows a classifier gets wrong, what they have in common, and what mending them is worth."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from os import PathLike
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils.validation import check_consistent_length

from sklearn_hpt._axes import BLACK, GREY, ORANGE, VERMILION, axes_for, tidy
from sklearn_hpt._sklearn_compat import safe_indexing
from sklearn_hpt.diagnostics._slicing import columns_of, slice_names
from sklearn_hpt.diagnostics._table import aligned, percent

_YES = {"1", "1.0", "x", "true", "yes", "y"}
_NO = {"0", "0.0", "", "false", "no", "n", "nan", "none", "<na>"}
_N_SHOWN = 10  # lines of a table or bars of a picture
_MOST_SLICES = 20  # in a table
_Z = 1.96  # of 95 % intervals


class Confusion(NamedTuple):
    """Rows of one class that were taken for another.

    Parameters
    ----------
    true, predicted : object
        The two classes, by name if they have names.
    n_errors : int
        How many rows.
    share : float
        Their fraction of all errors.
    """

    true: Any
    predicted: Any
    n_errors: int
    share: float


class Category(NamedTuple):
    """Errors that were tagged with one category, and what is left without them.

    Parameters
    ----------
    name : str
        The category.
    n_errors : int
        How many errors have the tag.
    share : float
        Their fraction of the errors that were looked at.
    low, high : float
        The 95 % interval (Wilson's) of that fraction.
    ceiling : float
        The error rate if each error of the category was mended and nothing else changed.
    """

    name: str
    n_errors: int
    share: float
    low: float
    high: float
    ceiling: float


class Slice(NamedTuple):
    """Rows that have one value, or a range of values, of a feature.

    Parameters
    ----------
    feature, value : str
        The feature, and its value or range.
    n_rows, n_errors : int
        How many rows the slice has, and how many of them are wrong.
    error_rate : float
        The fraction of them.
    low, high : float
        Its 95 % interval (Wilson's).
    ceiling : float
        The error rate of all rows if each error of the slice was mended.
    """

    feature: str
    value: str
    n_rows: int
    n_errors: int
    error_rate: float
    low: float
    high: float
    ceiling: float


class Slices(list[Slice]):
    """Slices, worst first; the first 20 are shown as a table.

    Worst is the slice whose interval has the highest lower end, so that one error in one row does
    not come before fifty in a hundred. Of slices that are no worse than the others, one in 20 looks
    different by chance.

    Parameters
    ----------
    slices : iterable of Slice
        The slices.
    error_rate : float
        The error rate of all rows.

    Attributes
    ----------
    error_rate : float
        The error rate of all rows.
    ax_, figure_ : matplotlib Axes and Figure
        Where `plot` has drawn.
    """

    def __init__(self, slices: Iterable[Slice], error_rate: float) -> None:
        super().__init__(sorted(slices, key=lambda one: (-one.low, -one.n_rows)))
        self.error_rate = error_rate

    def __repr__(self) -> str:
        rows = [("feature", "value", "rows", "errors", "error rate", "95 %", "ceiling")]
        for one in self[:_MOST_SLICES]:
            counts = (str(one.n_rows), str(one.n_errors), percent(one.error_rate))
            interval = _interval_text(one.low, one.high)
            rows.append((one.feature, one.value, *counts, interval, percent(one.ceiling)))
        table, n_more = aligned(rows, left=(0, 1)), len(self) - _MOST_SLICES
        return f"{table}\nand {n_more} more" if n_more > 0 else table

    def plot(self, ax: Any = None, *, max_slices: int = 15) -> Slices:
        """Draw error rates with their intervals, beside the error rate of all rows.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw, None for a new figure.
        max_slices : int, default=15
            How many slices to draw, the worst.

        Returns
        -------
        Slices
            These, with `ax_` and `figure_`.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        shown = self[:max_slices]
        ax = axes_for(ax, (7.0, 0.32 * len(shown) + 1.2))
        for row, one in enumerate(shown):
            color = VERMILION if one.low > self.error_rate else BLACK
            ax.plot([100 * one.low, 100 * one.high], [row, row], color=color, linewidth=2)
            ax.plot(100 * one.error_rate, row, "o", color=color)
        ax.axvline(100 * self.error_rate, color=GREY, linestyle="--", zorder=0)
        ax.set_xlim(left=0.0)
        ax.set_title(f"dashed: all rows, {percent(self.error_rate)}", fontsize="medium")
        labels = [f"{one.feature}: {one.value} ({one.n_rows} rows)" for one in shown]
        ax.set(yticks=range(len(shown)), yticklabels=labels, xlabel="error rate (%), 95 % interval")
        tidy(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self


class ErrorAnalysis:
    """The rows that a classifier gets wrong, to be looked at and counted.

    Look at a hundred of them, note for each why it may be wrong, and count. A category that holds
    5 % of the errors can take no more than 5 % of the error away, however well it is solved.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_rows,)
        The classes as they are and as they were predicted, of rows that were not trained on.
    X : object, default=None
        The same rows, to show beside the errors (data frames and lists of texts) and for `slices`.
    probability : array-like of shape (n_rows,), default=None
        How probable the model found the class that it predicted.
    class_names : sequence of str or mapping of class to str, default=None
        Names to show for the classes: one for each, sorted, or by class.

    Attributes
    ----------
    n_rows_, n_errors_ : int
        Number of rows and of errors among them.
    error_rate_ : float
        The fraction of errors.
    errors_ : dict of str to ndarray of shape (n_errors,)
        For each error its `row` number, from 0, `true` and `predicted` class, and `probability`,
        if it is known.
    looked_at_ : ndarray of int
        The row numbers of the errors that were looked at for tags.
    tags_ : dict of str to ndarray of bool of shape (n_looked_at,)
        Which of these have each category.
    ax_, figure_ : matplotlib Axes and Figure
        Where `plot` has drawn.

    Raises
    ------
    ValueError
        If the classes are not one for each row, or `class_names` are not one for each class.

    References
    ----------
    A. Ng, "Machine Learning Yearning", draft, 2018, chapters 14 to 19.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal
    of the American Statistical Association 22, 1927 (the intervals).

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from sklearn_hpt.diagnostics import ErrorAnalysis, train_dev_test_split
    >>> X, y = load_digits(return_X_y=True)
    >>> split = train_dev_test_split(X, y, random_state=0)
    >>> tree = DecisionTreeClassifier(max_depth=8, random_state=0)
    >>> tree = tree.fit(*split.take("train", X, y))
    >>> X_dev, y_dev = split.take("dev", X, y)
    >>> analysis = ErrorAnalysis.from_estimator(tree, X_dev, y_dev)
    >>> analysis.confusions()[0]
    Confusion(true=8, predicted=7, n_errors=4, share=0.05...)

    A table to fill: write x where a category fits, add columns for new ones.

    >>> frame = analysis.to_frame(categories=["faint", "two strokes"])
    >>> frame.head(2)
       row  true  predicted  probability faint two strokes
    ...
    >>> frame.loc[:4, "faint"] = "x"
    >>> print(analysis.with_tags(frame, ["faint"]).tags_["faint"].sum())
    5

    The same by way of a file:

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     analysis.to_csv(f"{folder}/errors.csv", categories=["faint"])
    ...     tagged = analysis.with_tags(f"{folder}/errors.csv")
    >>> tagged.ceiling()  # nobody has filled it
    [Category(name='faint', n_errors=0, share=0.0, low=0.0, high=..., ceiling=0.2...)]

    What code can tell needs no hand:

    >>> faint = X_dev.mean(axis=1) < 4.5
    >>> analysis.with_tags({"faint": faint}).ceiling()
    [Category(name='faint', n_errors=..., share=..., low=..., high=..., ceiling=...)]
    >>> analysis.slices({"ink": X_dev.mean(axis=1)})
    feature  value           rows  errors  error rate          95 %  ceiling
    ...
    """

    def __init__(
        self,
        y_true: Any,
        y_pred: Any,
        *,
        X: Any = None,
        probability: Any = None,
        class_names: Sequence[str] | Mapping[Any, str] | None = None,
    ) -> None:
        given = {"y_true": y_true, "y_pred": y_pred, "X": X, "probability": probability}
        check_consistent_length(*(value for value in given.values() if value is not None))
        truth, predicted = _classes("y_true", y_true), _classes("y_pred", y_pred)
        rows = np.flatnonzero(truth != predicted)
        self.errors_ = {
            "row": rows,
            "true": _named(truth, predicted, class_names)[rows],
            "predicted": _named(predicted, truth, class_names)[rows],
        }
        if probability is not None:
            self.errors_["probability"] = np.asarray(probability, dtype=float)[rows]
        self.n_rows_, self.n_errors_ = len(truth), len(rows)
        self.error_rate_ = len(rows) / len(truth)
        self.looked_at_ = rows[:0]
        self.tags_: dict[str, np.ndarray] = {}
        self._X = X

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X_dev: Any,
        y_dev: Any,
        *,
        class_names: Sequence[str] | Mapping[Any, str] | None = None,
    ) -> ErrorAnalysis:
        """Predict rows with a fitted classifier, and keep what is wrong.

        Parameters
        ----------
        estimator : estimator
            A fitted classifier. Searches and Pipelines are too.
        X_dev : object
            Rows that were not trained on, as the estimator takes them.
        y_dev : array-like of shape (n_rows,)
            Their classes.
        class_names : sequence of str or mapping of class to str, default=None
            Names to show for the classes: one for each, in the order of `estimator.classes_`, or
            by class.

        Returns
        -------
        ErrorAnalysis
            The errors, with probabilities if the estimator has `predict_proba`.
        """
        y_pred = np.asarray(estimator.predict(X_dev))
        known = getattr(estimator, "classes_", None)
        if class_names is not None and not isinstance(class_names, Mapping) and known is not None:
            class_names = _by_class(known, class_names)
        probability = None
        if known is not None and hasattr(estimator, "predict_proba"):
            column = np.searchsorted(known, y_pred)
            probability = np.asarray(estimator.predict_proba(X_dev))[np.arange(len(column)), column]
        return cls(y_dev, y_pred, X=X_dev, probability=probability, class_names=class_names)

    def confusions(self) -> list[Confusion]:
        """Count which classes are taken for which.

        Returns
        -------
        list of Confusion
            The most frequent first.
        """
        pairs = zip(self.errors_["true"].tolist(), self.errors_["predicted"].tolist(), strict=True)
        return [
            Confusion(true, predicted, count, count / self.n_errors_)
            for (true, predicted), count in Counter(pairs).most_common()
        ]

    def to_frame(
        self,
        categories: Sequence[str] = (),
        *,
        max_rows: int | None = None,
        random_state: int | None = None,
    ) -> Any:
        """Return a table of the errors, to look at and to fill by hand.

        Parameters
        ----------
        categories : sequence of str, default=()
            Columns to add, empty. Those of `tags_` are there in any case, with "x" where they hold.
        max_rows : int, default=None
            How many errors to take, drawn at random; None takes all. A hundred are often enough.
        random_state : int, default=None
            Seed of the draw.

        Returns
        -------
        pandas.DataFrame
            The columns of `errors_`, those of `X` if it is a data frame, or `text` if it is a list
            of texts, and one for each category.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError(
                "to_frame needs pandas: pip install pandas, or use errors_ and with_tags({...})."
            ) from error
        shown = {
            name: safe_indexing(values, self.errors_["row"])
            for name, values in self._shown().items()
        }
        marked = self._marks()
        empty = {name: [""] * self.n_errors_ for name in categories if name not in marked}
        frame = pd.DataFrame({**self.errors_, **shown, **marked, **empty})
        if max_rows is None or max_rows >= self.n_errors_:
            return frame
        return frame.sample(max_rows, random_state=random_state).sort_index(ignore_index=True)

    def to_csv(
        self,
        path: str | PathLike[str],
        categories: Sequence[str] = (),
        *,
        max_rows: int | None = None,
        random_state: int | None = None,
    ) -> None:
        """Write the table of `to_frame` to a new file, to fill by hand.

        Parameters
        ----------
        path : str or path
            The file. It must not exist, as it could hold tags.
        categories : sequence of str, default=()
            Columns to add, empty.
        max_rows : int, default=None
            How many errors to take, drawn at random; None takes all.
        random_state : int, default=None
            Seed of the draw.

        Raises
        ------
        FileExistsError
            If the file exists.
        ImportError
            If pandas is not installed.
        """
        frame = self.to_frame(categories, max_rows=max_rows, random_state=random_state)
        try:
            frame.to_csv(path, index=False, mode="x")
        except FileExistsError as error:
            raise FileExistsError(
                f"path={str(path)!r} exists and may hold tags: give another path, or remove it."
            ) from error

    def with_tags(self, table: Any, categories: Sequence[str] | None = None) -> ErrorAnalysis:
        """Return the analysis with the categories of a table.

        Parameters
        ----------
        table : data frame, path of a CSV file, or mapping of str to array-like
            What `to_frame` or `to_csv` made, filled: 1, x, true or yes where a category holds; 0,
            no, false or nothing where not. A row may have several, or none. Rows that are missing
            count as not looked at. Or, from code, for each category whether it holds, for each of
            all rows.
        categories : sequence of str, default=None
            The columns to read, None for all that `to_frame` has not filled.

        Returns
        -------
        ErrorAnalysis
            A copy with these categories instead of any it had.

        Raises
        ------
        ValueError
            If the table is of another analysis, has no categories, or values other than those.
        """
        tagged = copy(self)
        if isinstance(table, Mapping):
            tagged.looked_at_ = self.errors_["row"]
            tagged.tags_ = self._tags_of_all_rows(table)
        else:
            columns = _filled_table(table)
            tagged.looked_at_ = self._rows_of(columns)
            tagged.tags_ = self._tags_of(columns, categories)
        if not tagged.tags_ or not len(tagged.looked_at_):
            raise ValueError(
                f"table has {len(tagged.looked_at_)} errors that were looked at, and the "
                f"categories {list(tagged.tags_)}: add a column for each category, and keep the "
                "rows looked at."
            )
        return tagged

    def ceiling(self) -> list[Category]:
        """Return how low the error could get if each category was mended.

        Returns
        -------
        list of Category
            The most frequent first.

        Raises
        ------
        ValueError
            If no error has been tagged.
        """
        self._check_tagged()
        n = len(self.looked_at_)
        found = []
        for name, holds in self.tags_.items():
            count = int(holds.sum())
            left = self.error_without(name)
            found.append(Category(name, count, count / n, *wilson_interval(count, n), left))
        return sorted(found, key=lambda one: -one.n_errors)

    def error_without(self, *categories: str) -> float:
        """Return the error rate if all errors in any of these categories were mended.

        Parameters
        ----------
        *categories : str
            Names of categories.

        Returns
        -------
        float
            A fraction, between 0 and `error_rate_`.

        Raises
        ------
        ValueError
            If there is no such category.
        """
        self._check_tagged()
        if unknown := [name for name in categories if name not in self.tags_]:
            raise ValueError(f"categories={unknown!r} must be among {list(self.tags_)}.")
        mended = np.zeros(len(self.looked_at_), dtype=bool)
        for name in categories:
            mended |= self.tags_[name]
        return self.error_rate_ * (1 - float(mended.mean()))

    def slices(
        self, features: Any = None, *, n_bins: int = 4, max_values: int = 10, min_rows: int = 1
    ) -> Slices:
        """Return the error rate for each value or range of values of each feature.

        Parameters
        ----------
        features : data frame, ndarray or mapping of str to array-like, default=None
            The features, for each of all rows; also such that the model does not know. None takes
            those of `X`.
        n_bins : int, default=4
            Numbers and dates with more different values than this are cut at their quantiles; the
            range "(2, 4]" has 4 and not 2.
        max_values : int, default=10
            Of other features as many values, the most frequent, have a slice; the rest has one
            together.
        min_rows : int, default=1
            Slices with fewer rows are left out.

        Returns
        -------
        Slices
            Worst first. The slices of one feature share all rows among them, if none is left out;
            missing values have one of their own.

        Raises
        ------
        ValueError
            If there are no features, or `n_bins` is below 2 or `max_values` below 1.
        """
        for name, value, least in (("n_bins", n_bins, 2), ("max_values", max_values, 1)):
            if value < least:
                raise ValueError(f"{name}={value!r} must be at least {least}.")
        features = self._X if features is None else features
        is_wrong = np.zeros(self.n_rows_, dtype=bool)
        is_wrong[self.errors_["row"]] = True
        found = (
            self._slice(feature, value, is_wrong[rows])
            for feature, values in _named_features(features)
            for value, rows in _rows_by_slice(feature, values, self.n_rows_, n_bins, max_values)
            if len(rows) >= min_rows
        )
        return Slices(found, self.error_rate_)

    def plot(self, ax: Any = None, *, show: str | None = None) -> ErrorAnalysis:
        """Draw the categories, or the confusions, by the number of their errors.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw, None for a new figure.
        show : {"categories", "confusions"}, default=None
            What to draw, None for categories if there are any.

        Returns
        -------
        ErrorAnalysis
            This one, with `ax_` and `figure_`.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If there is nothing of that name.
        """
        if show is None:
            show = "categories" if self.tags_ else "confusions"
        if show not in ("categories", "confusions"):
            raise ValueError(f'show={show!r} must be "categories", "confusions" or None.')
        bars = self._category_bars() if show == "categories" else self._confusion_bars()
        ax = axes_for(ax, (7.0, 0.36 * max(len(bars), 2) + 1.0))
        _draw_bars(ax, bars)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def __str__(self) -> str:
        interval = _interval_text(*wilson_interval(self.n_errors_, self.n_rows_))
        lines = [
            f"{self.n_errors_} of {self.n_rows_} rows are wrong: {percent(self.error_rate_)} "
            f"({interval})"
        ]
        if self.n_errors_:
            lines += ["", _confusion_table(self.confusions())]
        if self.tags_:
            looked_at = f"{len(self.looked_at_)} of the errors were looked at"
            lines += ["", looked_at, _category_table(self.ceiling())]
        return "\n".join(lines)

    def _check_tagged(self) -> None:
        if not self.tags_:
            raise ValueError(
                "No error has a category yet: fill the table of to_csv or to_frame, and read it "
                "with with_tags."
            )

    def _shown(self) -> dict[str, Any]:
        """Return columns of `X` for people to read, under names that none of ours has."""
        named = columns_of(self._X) if hasattr(self._X, "columns") else _texts(self._X)
        return {f"X_{n}" if n in self.errors_ else str(n): values for n, values in named}

    def _marks(self) -> dict[str, np.ndarray]:
        """Return for each tag "x" where it holds and "" elsewhere, for all errors."""
        place = np.searchsorted(self.errors_["row"], self.looked_at_)
        marks = {name: np.full(self.n_errors_, "", dtype=object) for name in self.tags_}
        for name, holds in self.tags_.items():
            marks[name][place[holds]] = "x"
        return marks

    def _rows_of(self, columns: Mapping[str, Any]) -> np.ndarray:
        """Return the row numbers of a filled table, which must be of these errors."""
        if "row" not in columns:
            raise ValueError(
                f"table has the columns {list(columns)}: 'row', the number of the row, is missing. "
                "Fill the table of to_frame or to_csv."
            )
        rows = np.asarray([int(value) for value in columns["row"]], dtype=int)
        unknown = np.setdiff1d(rows, self.errors_["row"])
        if len(unknown) or len(np.unique(rows)) < len(rows):
            wrong = f"row {unknown[0]} is no error here" if len(unknown) else "a row is there twice"
            raise ValueError(f"table: {wrong}. Is it the table of another model or other rows?")
        place = np.searchsorted(self.errors_["row"], rows)
        for name in {"true", "predicted"} & columns.keys():
            here = self.errors_[name][place]
            differ = [str(a) != str(b) for a, b in zip(columns[name], here, strict=True)]
            if any(differ):
                i = differ.index(True)
                raise ValueError(
                    f"table: row {rows[i]} has {name} {columns[name][i]!r}, and {here[i]!r} here. "
                    "Is it the table of another model or other rows?"
                )
        return rows

    def _tags_of(
        self, columns: Mapping[str, Any], categories: Sequence[str] | None
    ) -> dict[str, np.ndarray]:
        if categories is None:
            filled = {*self.errors_, "probability", *self._shown()}
            categories = [name for name in columns if name not in filled]
        elif missing := [name for name in categories if name not in columns]:
            raise ValueError(f"categories={missing!r} must be columns of table: {list(columns)}.")
        return {
            name: np.array(
                [
                    _is_yes(name, row, value)
                    for row, value in zip(columns["row"], columns[name], strict=True)
                ],
                dtype=bool,
            )
            for name in categories
        }

    def _tags_of_all_rows(self, table: Mapping[str, Any]) -> dict[str, np.ndarray]:
        tags = {}
        for name, holds in table.items():
            holds = np.asarray(holds)
            if holds.shape != (self.n_rows_,) or holds.dtype != bool:
                raise ValueError(
                    f"table[{name!r}] must say True or False for each of all {self.n_rows_} rows, "
                    f"but has the shape {holds.shape} and the type {holds.dtype}."
                )
            tags[name] = holds[self.errors_["row"]]
        return tags

    def _slice(self, feature: str, value: str, is_wrong: np.ndarray) -> Slice:
        n, n_errors = len(is_wrong), int(is_wrong.sum())
        ceiling = (self.n_errors_ - n_errors) / self.n_rows_
        interval = wilson_interval(n_errors, n)
        return Slice(feature, value, n, n_errors, n_errors / n, *interval, ceiling)

    def _category_bars(self) -> list[tuple[str, float, str]]:
        return [
            (f"{one.name} ({one.n_errors})", one.share, f"leaves {percent(one.ceiling)}")
            for one in self.ceiling()[:_N_SHOWN]
        ]

    def _confusion_bars(self) -> list[tuple[str, float, str]]:
        return [
            (f"{one.true} taken for {one.predicted}", one.share, str(one.n_errors))
            for one in self.confusions()[:_N_SHOWN]
        ]


def wilson_interval(count: int, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a share of `count` in `n` (Wilson, 1927)."""
    share, z2 = count / n, _Z**2
    middle = share + z2 / (2 * n)
    half = _Z * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    low, high = ((middle + sign * half) / (1 + z2 / n) for sign in (-1, 1))
    return (low if count else 0.0), (high if count < n else 1.0)


def _classes(name: str, y: Any) -> np.ndarray:
    y = np.asarray(y)
    if y.ndim != 1 or not len(y):
        raise ValueError(
            f"{name} has the shape {y.shape}: it must hold one class for each row, and have a row."
        )
    return y


def _named(y: np.ndarray, other: np.ndarray, names: Any) -> np.ndarray:
    """Return the names of classes, the classes themselves if they have none."""
    if names is None:
        return y
    if not isinstance(names, Mapping):
        names = _by_class(np.unique(np.concatenate([y, other])), names)
    return np.array([str(names.get(label, label)) for label in y.tolist()], dtype=object)


def _by_class(classes: Any, names: Sequence[str]) -> dict[Any, str]:
    labels = np.asarray(classes).tolist()
    if len(names) != len(labels):
        raise ValueError(
            f"class_names={list(names)!r} must have one name for each of the {len(labels)} classes "
            f"{labels}; or give a mapping of class to name."
        )
    return dict(zip(labels, names, strict=True))


def _texts(X: Any) -> Iterator[tuple[str, Any]]:
    if X is not None and len(getattr(X, "shape", (0,))) == 1 and isinstance(next(iter(X), 0), str):
        yield "text", X


def _filled_table(table: Any) -> dict[str, Any]:
    """Return the columns of a data frame or of a CSV file."""
    if not isinstance(table, (str, PathLike)):
        return dict(columns_of(table))
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError(
            f"table={str(table)!r}: reading CSV needs pandas: pip install pandas, or give a "
            "mapping."
        ) from error
    return dict(columns_of(pd.read_csv(table, dtype=str, keep_default_na=False)))


def _is_yes(column: str, row: Any, value: Any) -> bool:
    text = str(value).strip().lower()
    if text not in _YES | _NO:
        raise ValueError(
            f"table: column {column!r} has {value!r} in row {row}; it must be one of 1, x, true, "
            "yes, or 0, false, no, or empty. If the column is no category, give categories= "
            "without it."
        )
    return text in _YES


def _named_features(features: Any) -> list[tuple[str, Any]]:
    named = list(columns_of(features))
    if not named:
        raise ValueError(
            f"features={type(features).__name__} has no features to slice by: give a data frame, a "
            'matrix, or a mapping such as {"words": [len(text.split()) for text in X_dev]}.'
        )
    return named


def _rows_by_slice(
    feature: str, values: Any, n_rows: int, n_bins: int, max_values: int
) -> Iterator[tuple[str, np.ndarray]]:
    if len(values) != n_rows:
        raise ValueError(
            f"features: {feature!r} has {len(values)} values for {n_rows} rows; there must be one "
            "for each, also for those that are right."
        )
    names = slice_names(values, n_bins, max_values)
    for name in dict.fromkeys(names.tolist()):
        yield name, np.flatnonzero(names == name)


def _interval_text(low: float, high: float) -> str:
    return f"{100 * low:.1f} to {100 * high:.1f} %"


def _confusion_table(confusions: Sequence[Confusion]) -> str:
    rows = [("true", "predicted", "errors", "share")]
    for one in confusions[:_N_SHOWN]:
        rows.append((str(one.true), str(one.predicted), str(one.n_errors), percent(one.share)))
    more = sum(one.n_errors for one in confusions[_N_SHOWN:])
    if more:
        n_pairs = len(confusions) - _N_SHOWN
        rows.append((f"{n_pairs} more pairs", "", str(more), ""))
    return aligned(rows, left=(0, 1))


def _category_table(categories: Sequence[Category]) -> str:
    rows = [("category", "errors", "share", "95 %", "error left if mended")]
    for one in categories:
        interval = _interval_text(one.low, one.high)
        rows.append(
            (one.name, str(one.n_errors), percent(one.share), interval, percent(one.ceiling))
        )
    return aligned(rows)


def _draw_bars(ax: Any, bars: Sequence[tuple[str, float, str]]) -> None:
    """Draw horizontal bars of shares, each with a text behind it."""
    for row, (_, share, text) in enumerate(bars):
        ax.barh(row, 100 * share, color=ORANGE, height=0.62)
        ax.annotate(text, (100 * share, row), (4, 0), textcoords="offset points", va="center")
    longest = max((100 * share for _, share, _ in bars), default=1.0)
    ax.set(yticks=range(len(bars)), yticklabels=[label for label, _, _ in bars])
    ax.set(xlim=(0, 1.3 * longest), xlabel="share of the errors (%)")
    tidy(ax)
