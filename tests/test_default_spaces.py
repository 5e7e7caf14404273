"""Default spaces: what is searched when nobody says what."""

import copy
import pickle
import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone, is_regressor
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.datasets import load_diabetes, load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    AdaBoostClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    VotingClassifier,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer
from sklearn.feature_selection import SelectFromModel, SelectKBest
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.impute import SimpleImputer
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV, Ridge, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import MultinomialNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import all_estimators

from sklearn_hpt import (
    BayesSearchCV,
    CoarseToFineSearchCV,
    EvolutionarySearchCV,
    LogRandomSearchCV,
    PBTSearchCV,
    default_space,
)
from sklearn_hpt.default_spaces import _nets
from sklearn_hpt.default_spaces._build import TABLES
from sklearn_hpt.exceptions import SpaceError
from sklearn_hpt.space import Categorical

DOCS = Path(__file__).resolve().parents[1] / "docs" / "default_spaces.md"
CLASSES = dict(all_estimators())
OF_SCIKIT_LEARN = [name for names in TABLES["sklearn"] for name in names]
FAST = {  # so that a search takes a moment
    **dict.fromkeys(["BaggingClassifier", "BaggingRegressor"], {"n_estimators": 4}),
    **dict.fromkeys(["AdaBoostClassifier", "AdaBoostRegressor"], {"n_estimators": 4}),
    **dict.fromkeys(["RandomForestClassifier", "RandomForestRegressor"], {"n_estimators": 4}),
    **dict.fromkeys(["ExtraTreesClassifier", "ExtraTreesRegressor"], {"n_estimators": 4}),
    "GradientBoostingClassifier": {"n_estimators": 4},
    "GradientBoostingRegressor": {"n_estimators": 4},
    "HistGradientBoostingClassifier": {"max_iter": 4},
    "HistGradientBoostingRegressor": {"max_iter": 4},
    "MLPClassifier": {"max_iter": 10},
    "MLPRegressor": {"max_iter": 10},
    "SGDRegressor": {"max_iter": 100},
    "LinearDiscriminantAnalysis": {"solver": "lsqr"},
}
IRIS, DIABETES = load_iris(return_X_y=True), load_diabetes(return_X_y=True)
TEXT = [
    f"{'good' if i % 2 else 'bad'} words number{i % 5} and {'more' if i % 3 else 'fewer'} of them"
    for i in range(120)
]
SEARCHES = [
    LogRandomSearchCV,
    CoarseToFineSearchCV,
    BayesSearchCV,
    EvolutionarySearchCV,
    PBTSearchCV,
]


def made(name):
    return CLASSES[name](**FAST.get(name, {}))


def problem_of(estimator):
    """Return a model that can be scored, and data for it."""
    name = type(estimator).__name__
    if isinstance(estimator, (CountVectorizer, HashingVectorizer)):
        return make_pipeline(estimator, SGDClassifier()), TEXT, np.arange(120) % 2
    if name == "TfidfTransformer":
        pipeline = make_pipeline(CountVectorizer(max_df=0.9), estimator, MultinomialNB())
        return pipeline, TEXT, np.arange(120) % 2
    if not hasattr(estimator, "predict"):
        return make_pipeline(estimator, Ridge()), *DIABETES
    if name == "CategoricalNB":
        return estimator, IRIS[0].astype(int), IRIS[1]
    return estimator, *(DIABETES if is_regressor(estimator) else IRIS)


def quiet_fit(search, X, y):
    """Fit, with what is deprecated as an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("error", FutureWarning)
        warnings.simplefilter("error", DeprecationWarning)
        return search.fit(X, y)


def search_all(estimator, X, y):
    search = LogRandomSearchCV(
        estimator, "auto", n_iter=3, cv=2, random_state=0, error_score="raise"
    )
    return quiet_fit(search, X, y)


# each estimator


@pytest.mark.parametrize("name", OF_SCIKIT_LEARN)
def test_each_estimator_can_be_searched(name):
    model, X, y = problem_of(made(name))
    search = search_all(model, X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert set(search.best_params_) == set(default_space(model))


@pytest.mark.parametrize("name", OF_SCIKIT_LEARN)
def test_space_names_parameters_of_the_estimator_and_what_it_spends_is_not_among_them(name):
    names = set(default_space(made(name)))
    assert names <= made(name).get_params().keys()
    assert not names & {"n_estimators", "max_iter", "max_epochs"}


@pytest.mark.parametrize("name", OF_SCIKIT_LEARN)
def test_defaults_lie_in_the_space_where_they_are_on_its_scale(name):
    estimator = made(name)
    for parameter, dimension in default_space(estimator).items():
        default = getattr(estimator, parameter)
        is_word = default is None or isinstance(default, str)  # "scale", "sqrt", "auto"
        is_choice = isinstance(dimension, Categorical)
        is_none_of_it = default == 0 and getattr(dimension, "prior", "") == "log-uniform"
        assert default in dimension or (is_word and not is_choice) or is_none_of_it, parameter


@pytest.mark.parametrize("name", OF_SCIKIT_LEARN)
def test_tiers_are_a_partition_and_each_range_has_a_source(name):
    space = default_space(made(name))
    assert sorted(n for tier in space.tiers for n in tier) == sorted(space)
    assert all(space.tiers)
    assert space.sources.keys() == space.keys()
    assert all(space.sources.values())


@pytest.mark.parametrize(
    "package, options",
    [
        ("xgboost", {"n_estimators": 4, "n_jobs": 1}),
        ("lightgbm", {"n_estimators": 4, "n_jobs": 1, "verbose": -1}),
        ("catboost", {"n_estimators": 4, "verbose": 0, "allow_writing_files": False}),
    ],
)
def test_boosting_libraries_can_be_searched(package, options):
    library = pytest.importorskip(package, reason=f"{package} is not installed")
    name = {"xgboost": "XGB", "lightgbm": "LGBM", "catboost": "CatBoost"}[package]
    for kind, data in (("Classifier", IRIS), ("Regressor", DIABETES)):
        search = search_all(getattr(library, name + kind)(**options), *data)
        assert "learning_rate" in search.best_params_
        assert default_space(search.estimator).tiers[0] == ["learning_rate"]


def test_catboost_is_not_given_a_parameter_by_two_names():
    class CatBoostClassifier(SVC):
        """Tells, as the real one, only what is set."""

        def get_params(self, deep=True):
            return {"max_depth": 3}

    CatBoostClassifier.__module__ = "catboost.core"
    assert list(default_space(CatBoostClassifier())) == ["learning_rate", "l2_leaf_reg"]


def test_lightgbm_samples_rows_only_where_it_is_told_how_often():
    class LGBMClassifier(SVC):
        def get_params(self, deep=True):
            return {"subsample": 1.0, "subsample_freq": self.coef0, "num_leaves": 31}

    LGBMClassifier.__module__ = "lightgbm.sklearn"
    assert list(default_space(LGBMClassifier(coef0=0))) == ["num_leaves"]
    assert list(default_space(LGBMClassifier(coef0=1))) == ["num_leaves", "subsample"]


# what has an effect


@pytest.mark.parametrize(
    "estimator, names",
    [
        (SVC(kernel="linear"), ["C"]),
        (SVC(), ["C", "gamma"]),
        (SVC(kernel="poly"), ["C", "gamma", "degree", "coef0"]),
        (KernelRidge(), ["alpha"]),
        (KernelRidge(kernel="rbf"), ["alpha", "gamma"]),
        (LogisticRegression(), ["C"]),
        (LogisticRegression(solver="saga"), ["C", "l1_ratio"]),
        (SGDClassifier(), ["alpha"]),
        (SGDClassifier(learning_rate="constant"), ["eta0", "alpha"]),
        (SGDClassifier(penalty="elasticnet"), ["alpha", "l1_ratio"]),
        (MLPClassifier(solver="lbfgs"), ["hidden_layer_sizes", "alpha"]),
        (make_pipeline(PCA(svd_solver="arpack"), SVC(kernel="linear")), ["svc__C"]),
        (
            make_pipeline(SimpleImputer(strategy="most_frequent"), SVC(kernel="linear")),
            ["svc__C"],
        ),
    ],
    ids=repr,
)
def test_what_has_no_effect_is_left_out(estimator, names):
    assert list(default_space(estimator)) == names


def test_momentum_is_searched_where_the_solver_has_it():
    space = default_space(MLPClassifier(solver="sgd"))
    assert space.tiers[0] == ["learning_rate_init"]
    assert set(space.tiers[1]) == {"momentum", "hidden_layer_sizes", "batch_size"}
    assert space.tiers[2] == ["alpha"]
    assert not any("beta" in name or "epsilon" in name for name in space)


# estimators within estimators


def test_names_have_the_prefixes_of_pipelines_and_column_transformers():
    columns = ColumnTransformer(
        [
            ("num", Pipeline([("fill", SimpleImputer()), ("scale", StandardScaler())]), [0, 1]),
            ("cat", OneHotEncoder(handle_unknown="ignore"), [2]),
            ("rest", "passthrough", [3]),
        ]
    )
    pipeline = Pipeline([("columns", columns), ("none", None), ("inner", make_pipeline(SVC()))])
    space = default_space(pipeline)
    assert list(space) == ["columns__num__fill__strategy", "inner__svc__C", "inner__svc__gamma"]
    assert space.tiers == [["inner__svc__C", "inner__svc__gamma"], ["columns__num__fill__strategy"]]
    assert space.keys() <= pipeline.get_params().keys()
    assert np.isfinite(search_all(pipeline, *IRIS).best_score_)


@pytest.mark.parametrize(
    "estimator, names",
    [
        (TransformedTargetRegressor(Ridge()), {"regressor__alpha"}),
        (VotingClassifier([("a", SVC(kernel="linear")), ("b", "drop")]), {"a__C"}),
        (FeatureUnion([("pca", PCA()), ("none", "drop")]), {"pca__n_components"}),
        (
            AdaBoostClassifier(DecisionTreeClassifier()),
            {
                "learning_rate",
                "estimator__max_depth",
                "estimator__min_samples_leaf",
                "estimator__min_samples_split",
            },
        ),
        (make_pipeline(SelectFromModel(Ridge()), Ridge()), {"ridge__alpha"}),
        (make_pipeline(SelectKBest(), Ridge()), {"ridge__alpha"}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_an_estimator_holds_is_searched_too(estimator, names):
    assert set(default_space(estimator)) == names
    assert names <= estimator.get_params().keys()


def test_a_derived_class_is_searched_as_its_base():
    class MySVC(SVC):
        pass

    assert default_space(MySVC()) == default_space(SVC())


@pytest.mark.parametrize(
    "estimator, match",
    [
        (GaussianProcessClassifier(), "known for GaussianProcessClassifier.*Its parameters are"),
        (make_pipeline(StandardScaler()), "known for Pipeline"),
        (GridSearchCV(SVC(), {"C": [1.0]}), "known for GridSearchCV"),
        (LogisticRegressionCV(use_legacy_attributes=False), "known for LogisticRegressionCV"),
        (SVC, "It is a class; give an instance"),
        ("svm", "must be an estimator with get_params"),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_unknown_estimator_is_refused(estimator, match):
    with pytest.raises(SpaceError, match=match):
        default_space(estimator)


# the space as a dictionary


def test_space_is_a_dictionary_to_be_changed():
    space = default_space(make_pipeline(PCA(), SVC()))
    del space["pca__n_components"]
    space["svc__C"] = (1.0, 10.0)
    space["svc__kernel"] = ["rbf", "poly"]
    assert space.tiers == [["svc__C", "svc__gamma"]]
    assert space.sources.keys() == {"svc__C", "svc__gamma"}
    search = LogRandomSearchCV(make_pipeline(PCA(), SVC(max_iter=500)), space, n_iter=2, cv=2)
    assert 1.0 <= quiet_fit(search, *IRIS).best_params_["svc__C"] <= 10.0
    merged = {**space, "svc__C": (0.1, 1.0)}
    assert type(merged) is dict and len(merged) == 3


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
def test_space_can_be_copied(copied):
    space = default_space(MLPClassifier())
    twin = copied(space)
    assert (repr(twin), twin.tiers, twin.sources) == (repr(space), space.tiers, space.sources)


# "auto"


def auto_search(search_class, estimator, space="auto", **options):
    sizes = {
        LogRandomSearchCV: {"n_iter": 3},
        CoarseToFineSearchCV: {"n_iter": (4, 3)},
        BayesSearchCV: {"n_iter": 3},
        EvolutionarySearchCV: {"n_iter": 3, "population_size": 2},
        PBTSearchCV: {"population_size": 3, "n_generations": 2},
    }[search_class]
    return search_class(estimator, space, cv=2, random_state=0, **{**sizes, **options})


@pytest.mark.parametrize("search_class", SEARCHES)
def test_auto_is_the_default_space_in_every_search(search_class):
    booster = GradientBoostingClassifier(n_estimators=2, random_state=0)
    search, explicit = (
        quiet_fit(auto_search(search_class, booster, space), *IRIS)
        for space in ("auto", default_space(booster))
    )
    assert search.best_params_ == explicit.best_params_
    assert search.best_params_.keys() >= default_space(booster).keys()


@pytest.mark.parametrize("search_class", SEARCHES)
def test_auto_stays_a_word_in_the_parameters_of_a_search(search_class):
    search = auto_search(search_class, SVC())
    name = "search_spaces" if search_class is BayesSearchCV else "param_distributions"
    assert search.get_params()[name] == clone(search).get_params()[name] == "auto"


@pytest.mark.parametrize("search_class", SEARCHES)
def test_auto_without_a_default_space_is_refused_before_anything_is_trained(search_class):
    class Untrained(GaussianProcessClassifier):
        def fit(self, X, y):
            raise AssertionError("trained")

    with pytest.raises(SpaceError, match=r"known for Untrained.*Give a search space"):
        auto_search(search_class, Untrained()).fit(*IRIS)


def test_another_word_is_refused():
    with pytest.raises(ValueError, match="among {'auto'}"):
        LogRandomSearchCV(SVC(), "automatic").fit(*IRIS)


def test_search_of_auto_is_resumed_and_another_kernel_is_noticed(tmp_path):
    journal = tmp_path / "search.jsonl"
    whole, half, resumed = (
        quiet_fit(auto_search(LogRandomSearchCV, SVC(), n_iter=n, journal=path), *IRIS)
        for n, path in ((6, None), (3, journal), (6, journal))
    )
    assert len(half.cv_results_["params"]) == 3
    assert resumed.cv_results_["params"] == whole.cv_results_["params"]
    with pytest.raises(Exception, match="kernel"):
        auto_search(LogRandomSearchCV, SVC(kernel="linear"), journal=journal).fit(*IRIS)


@pytest.mark.parametrize(
    "model, changes",
    [
        (SGDClassifier(learning_rate="constant", tol=None, max_iter=4, random_state=0), "eta0"),
        (HistGradientBoostingClassifier(max_iter=2, random_state=0), "learning_rate"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_population_changes_what_can_change(model, changes):
    search = quiet_fit(auto_search(PBTSearchCV, model), *IRIS)
    assert search.best_params_.keys() >= {changes, *default_space(model)}
    assert changes in repr(search.best_schedule_)


def test_bayes_search_counts_and_reports_on_auto():
    search = auto_search(BayesSearchCV, SVC(max_iter=500), n_iter=4)
    assert search.total_iterations == 4
    assert len(quiet_fit(search, *IRIS).optimizer_results_[0].x_iters) == 4


# tiers


def test_auto_tiers_tune_in_the_order_of_importance():
    pipeline = make_pipeline(SimpleImputer(), PCA(), SVC(max_iter=500))
    search = CoarseToFineSearchCV(
        pipeline, "auto", tiers="auto", n_iter=(8, 4), resource=None, cv=2, random_state=0
    )
    same = clone(search).set_params(tiers=default_space(pipeline).tiers)
    assert quiet_fit(search, *IRIS).best_params_ == quiet_fit(same, *IRIS).best_params_
    assert search.get_params()["tiers"] == "auto"
    assert len(default_space(pipeline).tiers) == 3


def test_auto_tiers_put_what_they_do_not_know_last():
    space = {"pca__whiten": [True, False], "svc__C": (0.1, 10.0), "pca__n_components": (0.5, 0.9)}
    pipeline = make_pipeline(PCA(), SVC(max_iter=500))
    search = CoarseToFineSearchCV(
        pipeline, space, tiers="auto", n_iter=(8, 4), resource=None, cv=2, random_state=0
    )
    same = clone(search).set_params(tiers=[["svc__C"], ["pca__n_components"], ["pca__whiten"]])
    assert quiet_fit(search, *IRIS).best_params_ == quiet_fit(same, *IRIS).best_params_


def test_one_automatic_tier_is_as_good_as_none():
    search = CoarseToFineSearchCV(
        SVC(max_iter=500), "auto", tiers="auto", n_iter=(5, 3), resource=None, cv=2, random_state=0
    )
    same = clone(search).set_params(tiers=None)
    assert quiet_fit(search, *IRIS).best_params_ == quiet_fit(same, *IRIS).best_params_


@pytest.mark.parametrize(
    "space, match",
    [
        ({"shrinking": [True, False]}, r"knows no order of importance for \['shrinking'\] of SVC"),
        ([{"C": (0.1, 1.0)}, {"gamma": (0.1, 1.0)}], "needs a space of one dictionary"),
    ],
)
def test_auto_tiers_that_say_nothing_are_refused(space, match):
    with pytest.raises(ValueError, match=match):
        CoarseToFineSearchCV(SVC(), space, tiers="auto").fit(*IRIS)


# the documentation


def shown(dimension):
    """Return a range as the documentation writes it."""
    if isinstance(dimension, Categorical):
        return ", ".join(f"`{choice!r}`" for choice in dimension.choices)
    scale = {"uniform": "", "log-uniform": ", log", "log-complement": ", log of 1 - x"}
    return f"{dimension.low:g} to {dimension.high:g}{scale[dimension.prior]}"


def documented_rows():
    """Yield the lines of the tables that the documentation must have."""
    for table in TABLES.values():
        for names, entries in table.items():
            for entry in entries:
                when = f", if {entry.when.text}" if entry.when.text else ""
                yield (
                    f"| {', '.join(names)} | `{entry.name}`{when} | {shown(entry.dimension)} "
                    f"| {entry.tier} | {entry.source} |"
                )
    for entry in (
        _nets.RATE,
        _nets.ADAPTIVE_RATE,
        _nets.MOMENTUM,
        _nets.BATCH_SIZE,
        _nets.WEIGHT_DECAY,
    ):
        yield f"| `{entry.name}` | {shown(entry.dimension)} | {entry.tier} | {entry.source} |"


def test_documented_tables_are_those_of_the_code():
    rows = [line for line in DOCS.read_text().splitlines() if re.match(r"\| [\w`]", line)]
    expected = list(documented_rows())
    assert [row for row in expected if row not in rows] == []
    of_ranges = [row for row in rows if re.search(r"\| \d \|", row)]
    assert len(of_ranges) == len(expected) + 3  # dropout, units and layers, which go by name


def test_every_source_is_in_the_list_of_the_documentation():
    listed = DOCS.read_text().partition("## Sources")[2]
    sources = {row.split(" | ")[-1].removesuffix(" |") for row in documented_rows()}
    for source in sources:
        assert source.startswith("ours") or re.split("[:;,]", source)[0] in listed, source
