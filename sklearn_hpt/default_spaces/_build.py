"""Put the default space of an estimator together, with those of all that it holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sklearn_hpt._sklearn_compat import BaseSearchCV
from sklearn_hpt.default_spaces._boosting import CATBOOST, LIGHTGBM, XGBOOST
from sklearn_hpt.default_spaces._entries import FIRST, THIRD, Entry, Table
from sklearn_hpt.default_spaces._models import MODELS
from sklearn_hpt.default_spaces._nets import net_entries, net_values
from sklearn_hpt.default_spaces._preprocessing import PREPROCESSING
from sklearn_hpt.exceptions import SpaceError
from sklearn_hpt.nets._skorch import find_nets
from sklearn_hpt.space import Dimension

TABLES: dict[str, Table] = {  # by the package that classes are of
    "sklearn": {**MODELS, **PREPROCESSING},
    "xgboost": XGBOOST,
    "lightgbm": LIGHTGBM,
    "catboost": CATBOOST,
}
_OF_CLASS = {
    (package, name): entries
    for package, table in TABLES.items()
    for names, entries in table.items()
    for name in names
}
_DEEPEST = 6  # levels of estimators within estimators that are looked through
_SHOWN = 20  # parameters in a message
# estimators in these serve to choose columns or to fill gaps
_HELPERS = ("sklearn.feature_selection.", "sklearn.impute.")


class DefaultSpace(dict[str, Dimension]):
    """A search space with the importance and the source of each range.

    It is an ordinary dictionary, to be changed at will.

    Parameters
    ----------
    entries : mapping of str to Entry
        What is searched, by the names of parameters.
    """

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        super().__init__({name: entry.dimension for name, entry in entries.items()})
        self._tier_of = {name: entry.tier for name, entry in entries.items()}
        self._sources = {name: entry.source for name, entry in entries.items()}

    @property
    def tiers(self) -> list[list[str]]:
        """Names in the order of importance, for `CoarseToFineSearchCV(tiers=...)`."""
        return _in_tiers(self._tier_of, self)

    @property
    def sources(self) -> dict[str, str]:
        """Where each range is from, of those that were there from the beginning."""
        return {name: source for name, source in self._sources.items() if name in self}


def default_space(estimator: Any) -> DefaultSpace:
    """Return what to search in an estimator, and on which scale.

    There are spaces for the models and the preprocessing of scikit-learn that people tune most, for
    XGBoost, LightGBM and CatBoost, and for skorch nets, by what their module and optimizer accept.
    What a Pipeline, a ColumnTransformer or another estimator holds is searched under its prefix;
    steps without a default space are left as they are. Parameters that have no effect as the
    estimator is set, such as `gamma` of a linear kernel, are left out.

    Numbers of trees, epochs and iterations are not in it: set them high enough, or let a search buy
    them in small amounts (`resource=`).

    Parameters
    ----------
    estimator : estimator object
        What it has for the parameters in the space does not matter, what it has for others, such as
        the kernel of an SVC, decides which are in it.

    Returns
    -------
    DefaultSpace
        A dictionary from names to `Real`, `Integer` and `Categorical`, to be changed at will. Its
        `tiers` are the names in the order of importance, its `sources` where each range is from.

    Raises
    ------
    SpaceError
        If nothing in the estimator has a default space.

    See Also
    --------
    CoarseToFineSearchCV : Its ``tiers="auto"`` tunes in the order of importance.

    Notes
    -----
    ``param_distributions="auto"`` in a search (``search_spaces="auto"`` in `BayesSearchCV`) is the
    default space of its estimator.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn.svm import SVC
    >>> from sklearn_hpt import default_space
    >>> space = default_space(make_pipeline(StandardScaler(), SVC()))
    >>> space
    {'svc__C': Real(low=0.03125, high=32768.0, prior='log-uniform'),
     'svc__gamma': Real(low=3.0517578125e-05, high=8.0, prior='log-uniform')}
    >>> space.sources["svc__C"]
    'Hsu et al. 2003'

    A range of one's own:

    >>> space["svc__C"] = (0.1, 100.0, "log-uniform")
    """
    if isinstance(estimator, type) or not hasattr(estimator, "get_params"):
        hint = " It is a class; give an instance." if isinstance(estimator, type) else ""
        raise SpaceError(
            f"default_space: estimator={estimator!r} must be an estimator with get_params.{hint}"
        )
    entries = _entries_of(estimator)
    if not entries:
        raise SpaceError(_nothing_known(estimator))
    return DefaultSpace(entries)


def tiers_of(estimator: Any, names: Iterable[str]) -> list[list[str]]:
    """Return those of the names that have a tier, in the order of importance.

    Parameters
    ----------
    estimator : estimator object
        What is tuned.
    names : iterable of str
        The parameters that are searched.
    """
    return _in_tiers({name: entry.tier for name, entry in _entries_of(estimator).items()}, names)


def values_of(estimator: Any) -> dict[str, Any]:
    """Return the parameters of an estimator, with those that nets leave to their modules."""
    values = dict(estimator.get_params(deep=True))
    for prefix, part in _parts(estimator, "", _DEEPEST):
        if _is_net(part):
            values.update({prefix + name: value for name, value in net_values(part).items()})
    return values


def _in_tiers(tier_of: Mapping[str, int], names: Iterable[str]) -> list[list[str]]:
    known = [name for name in names if name in tier_of]
    tiers = ([n for n in known if tier_of[n] == tier] for tier in range(FIRST, THIRD + 1))
    return [tier for tier in tiers if tier]


def _entries_of(estimator: Any) -> dict[str, Entry]:
    return {
        prefix + entry.name: entry
        for prefix, part in _parts(estimator, "", _DEEPEST)
        for entry in (net_entries(part) if _is_net(part) else _own_entries(part))
    }


def _is_net(part: Any) -> bool:
    return any(net is part for net in find_nets(part))


def _parts(part: Any, prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Yield an estimator and all that it holds, with the prefix of their parameters' names."""
    yield prefix, part
    if depth and not _is_net(part):
        for name, child in _children(part):
            yield from _parts(child, f"{prefix}{name}__", depth - 1)


def _own_entries(part: Any) -> Iterator[Entry]:
    params = part.get_params(deep=False)
    package, entries = _looked_up(type(part))
    # CatBoost tells only the parameters that are set
    names = {entry.name for entry in entries} if package == "catboost" else params.keys()
    yield from (entry for entry in entries if entry.name in names and entry.when.holds(params))


def _looked_up(cls: type) -> tuple[str, tuple[Entry, ...]]:
    """Return the entries of a class, or of the nearest one that it is derived from."""
    for base in cls.__mro__:
        package = base.__module__.partition(".")[0]
        if (package, base.__name__) in _OF_CLASS:
            return package, _OF_CLASS[package, base.__name__]
    return "", ()


def _children(part: Any) -> Iterator[tuple[str, Any]]:
    """Yield the estimators that one holds, with their names: steps, transformers, the wrapped."""
    if isinstance(part, BaseSearchCV) or type(part).__module__.startswith(_HELPERS):
        return
    for name, value in part.get_params(deep=True).items():
        if "__" not in name and hasattr(value, "get_params") and not isinstance(value, type):
            yield name, value


def _nothing_known(estimator: Any) -> str:
    names = [name for name in estimator.get_params(deep=True) if not name.startswith("_")]
    shown = ", ".join(sorted(names)[:_SHOWN])
    return (
        f"No default space is known for {type(estimator).__name__} as it is set. Give a search "
        "space: a dictionary from names of its parameters to ranges, such as {'alpha': (1e-4, 1.0, "
        f"'log-uniform')}}. Its parameters are {shown or 'none'}."
    )
