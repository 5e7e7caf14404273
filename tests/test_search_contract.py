"""What users of RandomizedSearchCV rely on, on the same candidates, holds for every search."""

import pickle
import re
from collections import Counter
from copy import deepcopy

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from sklearn import config_context
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    TransformerMixin,
    clone,
    is_classifier,
    is_clusterer,
    is_outlier_detector,
    is_regressor,
)
from sklearn.cluster import KMeans
from sklearn.datasets import make_classification
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import FitFailedWarning, NotFittedError, UnsetMetadataPassedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, f1_score, make_scorer
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    ParameterGrid,
    RandomizedSearchCV,
    ShuffleSplit,
    TimeSeriesSplit,
    cross_val_score,
)
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, Normalizer, StandardScaler
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import check_estimator

from sklearn_hpt import BayesSearchCV, CoarseToFineSearchCV, EvolutionarySearchCV, LogRandomSearchCV
from sklearn_hpt.exceptions import SearchStoppedWarning, SpaceExhaustedWarning

SEARCHES = [LogRandomSearchCV, CoarseToFineSearchCV, BayesSearchCV, EvolutionarySearchCV]

X, y = make_classification(60, 4, n_informative=3, n_redundant=0, flip_y=0.3, random_state=0)
TARGET = X @ [1.0, 2.0, 3.0, 4.0]
NAMES = ["a", "b", "c", "d"]
GROUPS = np.arange(60) % 5
WEIGHT = np.linspace(0.1, 2.0, 60)
LOGIT = LogisticRegression(solver="newton-cholesky")
C = {"C": [0.001, 0.1, 10.0]}
STEP_C = {"logisticregression__C": [0.001, 0.1, 10.0]}
DELEGATED = (
    "predict predict_proba predict_log_proba decision_function transform inverse_transform "
    "score_samples"
).split()

quiet = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.FitFailedWarning", "ignore:One or more of the test scores"
)


@pytest.fixture(params=SEARCHES, ids=lambda search_class: search_class.__name__)
def search_class(request):
    return request.param


def fit_both(search_class, estimator, space, X, y=None, fit_params=None, **settings):
    """Fit a search and RandomizedSearchCV on all points of a space of lists."""
    settings = {"n_iter": len(ParameterGrid(space)), "cv": 3, **settings}
    return [
        cls(clone(estimator), space, **settings).fit(X, y, **(fit_params or {}))
        for cls in (search_class, RandomizedSearchCV)
    ]


def assert_same_results(ours, theirs, added=()):
    """Compare keys, dtypes and values, whatever the order in which candidates were tried."""
    ours, theirs = ours.cv_results_, theirs.cv_results_
    assert ours.keys() == {*theirs, *added}
    order = [theirs["params"].index(params) for params in ours["params"]]
    for key in theirs.keys() - {"params"}:
        assert (type(ours[key]), ours[key].dtype) == (type(theirs[key]), theirs[key].dtype), key
        if key.startswith("param_"):
            assert ours[key].tolist() == theirs[key][order].tolist(), key
        elif not key.endswith("_time"):
            np.testing.assert_array_equal(ours[key], theirs[key][order], err_msg=key)


def assert_same_best(ours, theirs):
    assert ours.best_params_ == theirs.best_params_
    assert ours.best_score_ == theirs.best_score_
    assert ours.multimetric_ == theirs.multimetric_


# cv_results_


@pytest.mark.parametrize(
    "space",
    [
        {"C": [1, 10]},
        {"C": [1, 0.5]},
        {"C": np.logspace(-2, 2, 3)},
        {"kernel": ["rbf", "linear"], "shrinking": [True, False]},
        {"class_weight": [None, "balanced", {0: 1, 1: 2}]},
        [{"kernel": ["linear"]}, {"kernel": ["rbf"], "gamma": [0.1, "scale"]}],
    ],
    ids=["int", "mixed", "array", "str and bool", "None and dict", "alternatives"],
)
def test_cv_results_have_the_keys_dtypes_and_values_of_randomized_search(search_class, space):
    ours, theirs = fit_both(search_class, SVC(), space, X, y)
    assert_same_results(ours, theirs)
    assert ours.best_score_ == theirs.best_score_
    if search_class is LogRandomSearchCV:  # of equals the first wins, and others have another order
        assert_same_best(ours, theirs)


def test_parameters_that_are_estimators_give_the_results_of_randomized_search(search_class):
    space = {"svc": [LOGIT, SVC()], "standardscaler": [None, PCA(2), "passthrough"]}
    ours, theirs = fit_both(search_class, make_pipeline(StandardScaler(), SVC()), space, X, y)
    assert_same_results(ours, theirs)


def test_whole_list_space_is_searched_in_the_order_of_parameter_grid():
    space = {"kernel": ["rbf", "linear"], "C": [10, 0.1, 1]}
    search = LogRandomSearchCV(SVC(), space, n_iter=6).fit(X, y)
    assert search.cv_results_["params"] == list(ParameterGrid(space))


@pytest.mark.parametrize("return_train_score", [True, False])
def test_train_scores_are_recorded_if_asked_for(search_class, return_train_score):
    ours, theirs = fit_both(search_class, LOGIT, C, X, y, return_train_score=return_train_score)
    assert_same_results(ours, theirs)
    assert ("mean_train_score" in ours.cv_results_) == return_train_score


def test_times_are_positive_seconds(search_class):
    search = search_class(LOGIT, C, n_iter=3).fit(X, y)
    assert (search.cv_results_["mean_fit_time"] > 0).all()
    assert (search.cv_results_["mean_score_time"] > 0).all()
    assert search.refit_time_ > 0


# scoring and refit


def two_metrics(estimator, X, y):
    predicted = estimator.predict(X)
    return {"hits": accuracy_score(y, predicted), "f1": f1_score(y, predicted)}


SINGLE = [None, "roc_auc", make_scorer(f1_score), lambda estimator, X, y: estimator.score(X, y)]
MULTI = [
    (["accuracy", "roc_auc"], "roc_auc"),
    (("accuracy", "f1"), "accuracy"),
    ({"hits": "accuracy", "f1": make_scorer(f1_score)}, "f1"),
    (two_metrics, "hits"),
]


@pytest.mark.parametrize("scoring", SINGLE, ids=["None", "str", "scorer", "callable"])
def test_single_metric_gives_the_results_of_randomized_search(search_class, scoring):
    ours, theirs = fit_both(search_class, LOGIT, C, X, y, scoring=scoring)
    assert_same_results(ours, theirs)
    assert_same_best(ours, theirs)
    assert ours.score(X, y) == theirs.score(X, y)


@pytest.mark.parametrize("scoring, refit", MULTI, ids=["list", "tuple", "dict", "callable"])
def test_several_metrics_give_the_results_of_randomized_search(search_class, scoring, refit):
    ours, theirs = fit_both(search_class, LOGIT, C, X, y, scoring=scoring, refit=refit)
    assert_same_results(ours, theirs)
    assert_same_best(ours, theirs)
    assert ours.score(X, y) == theirs.score(X, y)
    assert type(ours.scorer_) is type(theirs.scorer_)


@pytest.mark.parametrize("scoring", [scoring for scoring, _ in MULTI])
def test_several_metrics_without_refit_choose_no_best(search_class, scoring):
    if search_class is not LogRandomSearchCV:  # chooses as it goes
        with pytest.raises(ValueError, match="several metrics needs to know which one decides"):
            search_class(LOGIT, C, n_iter=3, scoring=scoring, refit=False).fit(X, y)
        return
    ours, theirs = fit_both(search_class, LOGIT, C, X, y, scoring=scoring, refit=False)
    assert_same_results(ours, theirs)
    assert not any(name.startswith("best_") for name in vars(ours))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
@pytest.mark.filterwarnings("ignore:One or more of the test scores")
def test_metric_that_is_undefined_on_a_fold_leaves_the_others_as_they_are(search_class):
    rows = np.argsort(y)  # folds in order have one class only, where roc_auc is undefined
    ours, theirs = fit_both(
        search_class,
        LOGIT,
        C,
        X[rows],
        y[rows],
        cv=KFold(4),
        scoring=["accuracy", "roc_auc"],
        refit="accuracy",
    )
    assert_same_results(ours, theirs)
    assert_same_best(ours, theirs)


def test_single_metric_without_refit_still_names_the_best(search_class):
    ours, theirs = fit_both(search_class, LOGIT, C, X, y, refit=False)
    assert_same_best(ours, theirs)
    assert not hasattr(ours, "best_estimator_")
    assert not hasattr(ours, "predict")


def test_refit_callable_chooses_the_row(search_class):
    search = search_class(LOGIT, C, n_iter=3, refit=lambda results: 1).fit(X, y)
    assert search.best_index_ == 1
    assert search.best_params_ == search.cv_results_["params"][1]
    assert search.best_estimator_.C == search.best_params_["C"]
    assert not hasattr(search, "best_score_")


@pytest.mark.parametrize("row, error", [(-1, IndexError), (3, IndexError), (0.5, TypeError)])
def test_refit_callable_that_returns_no_row_raises_as_in_randomized_search(
    search_class, row, error
):
    for cls in (search_class, RandomizedSearchCV):
        with pytest.raises(error, match="best_index_"):
            cls(LOGIT, C, n_iter=3, refit=lambda results: row).fit(X, y)


def test_candidate_of_least_number_wins_a_tie(search_class):
    search = search_class(LOGIT, {"max_iter": [1000, 1001, 1002]}, n_iter=3)
    assert search.fit(X, y).best_index_ == 0


# failures


@quiet
@pytest.mark.parametrize("error_score", [np.nan, 0.0, -1])
@pytest.mark.parametrize("scoring", ["accuracy", ["accuracy", "f1"], two_metrics])
def test_failed_fits_get_the_error_score(search_class, error_score, scoring):
    space, settings = {"C": [-1.0, 0.1, 10.0]}, {"scoring": scoring, "error_score": error_score}
    several = scoring != "accuracy"
    refit = ("hits" if callable(scoring) else "f1") if several else True
    ours, theirs = fit_both(search_class, SVC(), space, X, y, refit=refit, **settings)
    assert_same_results(ours, theirs, added=("status", "error"))
    assert_same_best(ours, theirs)


def test_error_score_raise_raises_the_error_of_the_candidate(search_class):
    search = search_class(SVC(), {"C": [-1.0, 1.0]}, n_iter=2, error_score="raise")
    with pytest.raises(ValueError, match="The 'C' parameter of SVC"):
        search.fit(X, y)


@pytest.mark.filterwarnings("ignore:One or more of the test scores")
def test_failed_fits_are_warned_about_once_where_fit_is_called(search_class):
    search = search_class(SVC(), {"C": [-1.0, -2.0, 1.0]}, n_iter=3, cv=3)
    with pytest.warns(FitFailedWarning, match="6 fits failed out of a total of 9") as caught:
        search.fit(X, y)
    (warning,) = [w for w in caught if w.category is FitFailedWarning]
    assert warning.filename == __file__


class FailsOn(ClassifierMixin, BaseEstimator):
    """A constant classifier that cannot be fitted if the rows include a given one."""

    def __init__(self, row=None, label=0):
        self.row = row
        self.label = label

    def fit(self, X, y):
        if self.row is not None and (X == self.row).all(axis=1).any():
            raise RuntimeError("this row cannot be fitted")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.label)


@quiet
def test_only_complete_rows_win_whatever_the_error_score(search_class):
    space = {"row": [X[0], None]}
    search = search_class(FailsOn(), space, n_iter=2, error_score=100.0).fit(X, y)
    assert search.best_params_["row"] is None
    assert search.cv_results_["status"][search.best_index_] == "complete"


@quiet
@pytest.mark.parametrize(
    "C_values, settings, expected",
    [
        ([1.0, 2.0], {}, None),
        ([1.0, 2.0], {"timeout": 60.0}, ["complete", "complete"]),
        ([1.0, -2.0], {}, ["complete", "failed"]),
    ],
    ids=["all complete", "with timeout", "one failed"],
)
def test_status_and_error_columns_appear_when_documented(
    search_class, C_values, settings, expected
):
    results = search_class(SVC(), {"C": C_values}, n_iter=2, **settings).fit(X, y).cv_results_
    assert ("status" in results) == ("error" in results) == (expected is not None)
    if expected is not None:
        by_C = dict(zip(results["param_C"].tolist(), results["status"], strict=True))
        assert [by_C[value] for value in C_values] == expected
        assert [bool(error) for error in results["error"]] == (
            results["status"] == "failed"
        ).tolist()


def test_results_are_kept_if_the_refit_raises(search_class):
    without_row_0 = [(np.arange(1, 40), np.arange(40, 60))]
    search = search_class(FailsOn(X[0]), {"label": [0, 1]}, n_iter=2, cv=without_row_0)
    with pytest.raises(RuntimeError, match="this row cannot be fitted"):
        search.fit(X, y)
    assert len(search.cv_results_["params"]) == 2
    assert search.best_params_ in search.cv_results_["params"]
    assert search.best_score_ == search.cv_results_["mean_test_score"].max()


# metadata


def test_groups_reach_the_splitter(search_class):
    ours, theirs = fit_both(search_class, LOGIT, C, X, y, {"groups": GROUPS}, cv=GroupKFold(5))
    assert_same_results(ours, theirs)
    assert ours.n_splits_ == 5


@pytest.mark.parametrize("weight", [WEIGHT, WEIGHT.tolist(), pd.Series(WEIGHT)], ids=type)
@pytest.mark.parametrize("scoring", [None, "f1", ["accuracy", "f1"]])
def test_sample_weight_is_used_in_fit_and_score(search_class, weight, scoring):
    settings = {"scoring": scoring, "refit": "f1" if isinstance(scoring, list) else True}
    ours, theirs = fit_both(search_class, LOGIT, C, X, y, {"sample_weight": weight}, **settings)
    assert_same_results(ours, theirs)
    np.testing.assert_array_equal(ours.best_estimator_.coef_, theirs.best_estimator_.coef_)


def test_routed_metadata_reach_estimator_scorer_and_splitter(search_class):
    with config_context(enable_metadata_routing=True):
        ours, theirs = fit_both(
            search_class,
            LOGIT.set_fit_request(sample_weight=True),
            C,
            X,
            y,
            {"sample_weight": WEIGHT, "groups": GROUPS},
            cv=GroupKFold(5),
            scoring=make_scorer(accuracy_score).set_score_request(sample_weight=True),
        )
        assert ours.score(X, y, sample_weight=WEIGHT) == theirs.score(X, y, sample_weight=WEIGHT)
    assert_same_results(ours, theirs)
    np.testing.assert_array_equal(ours.best_estimator_.coef_, theirs.best_estimator_.coef_)


def test_metadata_that_nobody_requested_are_refused(search_class):
    with config_context(enable_metadata_routing=True):
        search = search_class(LOGIT, C, n_iter=3)
        with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
            search.fit(X, y, sample_weight=WEIGHT)


# inputs

FRAME = pd.DataFrame(X, columns=NAMES)
INPUTS = {
    "float32": (X.astype(np.float32), y),
    "fortran": (np.asfortranarray(X), y),
    "lists": (X.tolist(), y.tolist()),
    "objects": (X.astype(object), y.astype(str).astype(object)),
    "csr": (sp.csr_matrix(X), y),
    "csc": (sp.csc_matrix(X), y),
    "coo": (sp.coo_matrix(X), y),
    "csr_array": (sp.csr_array(X), y),
    "pandas": (FRAME, pd.Series(y).map({0: "no", 1: "yes"})),
    "pandas with other index": (FRAME.set_axis(range(100, 160)), y),
    "polars": (pl.DataFrame(X, schema=NAMES), pl.Series(y)),
}


@pytest.mark.parametrize("X, y", INPUTS.values(), ids=INPUTS.keys())
def test_input_of_any_type_gives_the_results_of_randomized_search(search_class, X, y):
    ours, theirs = fit_both(search_class, LOGIT, C, X, y)
    assert_same_results(ours, theirs)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    assert ours.classes_.tolist() == theirs.classes_.tolist()
    assert ours.n_features_in_ == 4
    names = getattr(theirs, "feature_names_in_", None)
    assert np.array_equal(getattr(ours, "feature_names_in_", None), names)


def test_list_of_strings_gives_the_results_of_randomized_search(search_class):
    texts = [f"{'good' if label else 'bad'} word{number % 7}" for number, label in enumerate(y)]
    pipeline = make_pipeline(TfidfVectorizer(), LOGIT)
    space = {"tfidfvectorizer__ngram_range": [(1, 1), (1, 2)], "logisticregression__C": [0.1, 1.0]}
    ours, theirs = fit_both(search_class, pipeline, space, texts, y)
    assert_same_results(ours, theirs)
    assert ours.predict(texts).tolist() == theirs.predict(texts).tolist()


def test_precomputed_kernel_is_sliced_in_rows_and_columns(search_class):
    ours, theirs = fit_both(search_class, SVC(kernel="precomputed"), C, X @ X.T, y)
    assert_same_results(ours, theirs)


def test_kernel_that_only_some_candidates_take_precomputed_is_sliced_for_each(search_class):
    space = {"kernel": ["precomputed", "linear", "rbf"], "C": [0.1, 10.0]}
    ours, theirs = fit_both(search_class, SVC(), space, X @ X.T, y)
    assert_same_results(ours, theirs)


@pytest.mark.parametrize(
    "estimator, space",
    [
        (KMeans(random_state=0, n_init=1), {"n_clusters": [2, 3, 4]}),
        (KernelDensity(), {"bandwidth": [0.1, 1.0]}),
        (PCA(), {"n_components": [1, 2]}),
    ],
    ids=["KMeans", "KernelDensity", "PCA"],
)
def test_no_y_is_needed_by_what_learns_without(search_class, estimator, space):
    ours, theirs = fit_both(search_class, estimator, space, X)
    assert_same_results(ours, theirs)
    assert_same_best(ours, theirs)


def test_several_outputs_give_the_results_of_randomized_search(search_class):
    targets = np.column_stack([TARGET, -TARGET])
    ours, theirs = fit_both(search_class, Ridge(), {"alpha": [0.1, 1.0]}, X, targets)
    assert_same_results(ours, theirs)


# splits


@pytest.mark.parametrize(
    "cv",
    [TimeSeriesSplit(4), KFold(3, shuffle=True, random_state=0), 4, None],
    ids=["TimeSeriesSplit", "KFold", "int", "None"],
)
def test_cv_gives_the_folds_of_randomized_search(search_class, cv):
    ours, theirs = fit_both(search_class, Ridge(), {"alpha": [0.1, 1.0]}, X, TARGET, cv=cv)
    assert_same_results(ours, theirs)
    assert ours.n_splits_ == theirs.n_splits_


def test_one_shot_generator_serves_as_cv(search_class):
    splits = list(KFold(3).split(X))
    once = search_class(LOGIT, C, n_iter=3, cv=iter(splits)).fit(X, y)
    listed = search_class(LOGIT, C, n_iter=3, cv=splits).fit(X, y)
    assert_same_results(once, listed)


@pytest.mark.parametrize("cv", [KFold(3, shuffle=True), ShuffleSplit(3)], ids=["KFold", "Shuffle"])
def test_unseeded_splitter_gives_all_candidates_the_same_folds(search_class, cv):
    equal_models = {"max_iter": list(range(1000, 1040))}  # enough for several blocks of tasks
    results = search_class(LOGIT, equal_models, n_iter=40, cv=cv).fit(X, y)
    for fold in range(3):
        assert len(set(results.cv_results_[f"split{fold}_test_score"])) == 1


# what the user owns is left alone


class ReturnsNothing(LogisticRegression):
    def fit(self, X, y):
        super().fit(X, y)


def test_estimator_whose_fit_returns_nothing_is_still_the_best(search_class):
    search = search_class(ReturnsNothing(), C, n_iter=3).fit(X, y)
    assert np.array_equal(search.best_estimator_.predict(X), search.predict(X))


def test_estimator_space_and_data_of_the_user_are_untouched(search_class):
    steps = [LOGIT, SVC()]
    pipeline = make_pipeline(StandardScaler(), SVC())
    space = {"svc": steps, "svc__C": [0.1, 1.0], "standardscaler__with_mean": [True, False]}
    owned = [X.copy(), y.copy()]
    params, keys = deepcopy(repr(pipeline.get_params())), deepcopy(list(space.items()))
    search = search_class(pipeline, space, n_iter=8).fit(*owned)
    assert search.estimator is pipeline
    assert any(value is space for value in search.get_params(deep=False).values())
    assert repr(pipeline.get_params()) == params and repr(list(space.items())) == repr(keys)
    assert not any(hasattr(part, "n_features_in_") for part in (*steps, pipeline[0], pipeline[1]))
    assert np.array_equal(owned[0], X) and np.array_equal(owned[1], y)
    assert all(array.flags.writeable for array in owned)


@pytest.mark.parametrize("kind", [sp.csr_matrix, sp.csc_matrix])
def test_sparse_data_of_the_user_stay_writeable(search_class, kind):
    owned = kind(X)
    search_class(LOGIT, C, n_iter=3).fit(owned, y)
    assert owned.data.flags.writeable and owned.indices.flags.writeable


class TakesTable(LogisticRegression):
    """Its `fit` takes metadata that are not one value for each row."""

    def fit(self, X, y, table=None, sample_weight=None):
        return super().fit(X, y, sample_weight)


def test_metadata_of_the_user_stay_writeable(search_class):
    table, weight = np.zeros((2, 7)), WEIGHT.copy()
    search = search_class(TakesTable(solver="newton-cholesky"), C, n_iter=3)
    search.fit(X, y, table=table, sample_weight=weight)
    assert weight.flags.writeable
    assert table.flags.writeable


@pytest.mark.parametrize("random_state", [None, 0], ids=["unseeded", "seeded"])
def test_global_random_state_is_untouched(search_class, random_state):
    before = np.random.get_state()
    space = {"C": (0.01, 10.0, "log-uniform"), "fit_intercept": [True, False]}
    search_class(LOGIT, space, n_iter=3, random_state=random_state).fit(X, y)
    after = np.random.get_state()
    assert before[2:] == after[2:] and np.array_equal(before[1], after[1])


class Overwrites(TransformerMixin, BaseEstimator):
    """Writes into what it is given: in `fit`, in `transform`, into `y` or the weights."""

    def __init__(self, what="transform"):
        self.what = what

    def fit(self, X, y=None, sample_weight=None):
        self.scale_ = 3.0
        if self.what == "fit":
            X *= self.scale_
        if self.what == "y":
            y[:] = 1 - y
        if self.what == "weight":
            sample_weight[: len(sample_weight) // 2] = 0.0
        return self

    def transform(self, X):
        if self.what == "transform":
            X *= self.scale_
            X += 1.0
        if self.what == "rebound data":
            X.data = X.data * self.scale_ + 1.0
        if self.what == "frame":
            X["a"] = X["a"] * self.scale_ + 1.0
        return X


POSITIVE = sp.csr_matrix(np.abs(X))
OVERWRITERS = {
    "StandardScaler": (StandardScaler(copy=False), X),
    "Normalizer": (Normalizer(copy=False), X),
    "MaxAbsScaler on csr": (MaxAbsScaler(copy=False), POSITIVE),
    "Normalizer on csr": (Normalizer(copy=False), POSITIVE),
    "in fit": (Overwrites("fit"), X),
    "in transform": (Overwrites("transform"), X),
    "y": (Overwrites("y"), X),
    "data of csr": (Overwrites("rebound data"), POSITIVE),
    "data of csc": (Overwrites("rebound data"), POSITIVE.tocsc()),
    "DataFrame": (Overwrites("frame"), FRAME),
    "float32": (Overwrites("transform"), X.astype(np.float32)),
}


@pytest.mark.parametrize("scaler, X", OVERWRITERS.values(), ids=OVERWRITERS.keys())
def test_candidate_that_overwrites_its_input_does_not_change_it_for_the_next(
    search_class, scaler, X
):
    before, y_before = pickle.dumps(X), y.copy()
    space = {"logisticregression__C": [0.001, 0.01, 0.1, 1.0, 10.0]}
    pipeline = make_pipeline(scaler, LOGIT)
    ours, theirs = fit_both(search_class, pipeline, space, X, y, refit=False)
    assert_same_results(ours, theirs)
    assert pickle.dumps(X) == before and np.array_equal(y, y_before)


def test_candidate_that_overwrites_its_weights_does_not_change_them_for_the_next(search_class):
    fit_params = {"overwrites__sample_weight": WEIGHT, "logisticregression__sample_weight": WEIGHT}
    pipeline = make_pipeline(Overwrites("weight"), LOGIT)
    ours, theirs = fit_both(search_class, pipeline, STEP_C, X, y, fit_params, refit=False)
    assert_same_results(ours, theirs)
    assert WEIGHT.min() > 0


# an estimator like any other


@pytest.mark.parametrize("estimator, space", [(LOGIT, C), (Ridge(), {"alpha": [0.1, 1.0]})])
@pytest.mark.filterwarnings("ignore")
def test_scikit_learn_finds_nothing_to_complain_about(search_class, estimator, space):
    check_estimator(search_class(estimator, space, n_iter=2))


@pytest.mark.parametrize(
    "estimator, is_kind",
    [
        (LOGIT, is_classifier),
        (Ridge(), is_regressor),
        (KMeans(), is_clusterer),
        (IsolationForest(), is_outlier_detector),
        (make_pipeline(StandardScaler(), SVC()), is_classifier),
    ],
)
def test_search_is_of_the_kind_of_its_estimator(search_class, estimator, is_kind):
    kinds = [is_classifier, is_regressor, is_clusterer, is_outlier_detector]
    search = search_class(estimator, C)
    assert [kind for kind in kinds if kind(search)] == [is_kind]


@pytest.mark.parametrize(
    "estimator, space",
    [
        (LOGIT, C),
        (SVC(), C),
        (KMeans(2, random_state=0), {"n_init": [1, 2]}),
        (PCA(), {"n_components": [1, 2]}),
        (KernelDensity(), {"bandwidth": [0.1, 1.0]}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_methods_are_those_of_the_best_estimator(search_class, estimator, space):
    if search_class is not LogRandomSearchCV:
        pytest.skip("its candidates come in another order, and of equals the first wins")
    ours, theirs = fit_both(search_class, estimator, space, X, y)
    for method in DELEGATED:
        assert hasattr(ours, method) == hasattr(theirs, method), method
        if hasattr(theirs, method):
            given = theirs.transform(X) if method == "inverse_transform" else X
            np.testing.assert_array_equal(
                getattr(ours, method)(given), getattr(theirs, method)(given), err_msg=method
            )


def test_search_that_is_not_fitted_says_so(search_class):
    search = search_class(LOGIT, C)
    for use in (lambda: search.predict(X), lambda: search.score(X, y)):
        with pytest.raises(NotFittedError, match=search_class.__name__):
            use()
    assert not any(hasattr(search, name) for name in ("n_features_in_", "classes_", "cv_results_"))


@pytest.mark.parametrize("fitted", [False, True])
def test_html_shows_the_search_and_its_estimator(search_class, fitted):
    search = search_class(make_pipeline(StandardScaler(), SVC()), {"svc__C": [0.1, 1.0]}, n_iter=2)
    html = (search.fit(X, y) if fitted else search)._repr_html_()
    assert all(name in html for name in (search_class.__name__, "StandardScaler", "SVC"))
    assert ("candidates</th><td>2 complete" in html) == fitted


def test_fitted_search_is_the_same_after_pickling(search_class):
    search = search_class(LOGIT, C, n_iter=3).fit(X, y)
    restored = pickle.loads(pickle.dumps(search))
    np.testing.assert_array_equal(restored.predict_proba(X), search.predict_proba(X))
    assert_same_results(restored, search)
    assert restored.stop_reason_ == search.stop_reason_


def test_unfitted_search_is_the_same_after_pickling_and_cloning(search_class):
    space = {"C": (0.01, 1.0, "log-uniform")}
    search = search_class(LOGIT, space, n_iter=4, random_state=0)
    searches = [search, pickle.loads(pickle.dumps(search)), clone(search)]
    assert len({repr(other.get_params()) for other in searches}) == 1
    tried = [other.fit(X, y).cv_results_["params"] for other in searches]
    assert tried[0] == tried[1] == tried[2]


def test_clone_of_a_fitted_search_is_not_fitted(search_class):
    search = search_class(LOGIT, C, n_iter=3).fit(X, y)
    assert not hasattr(clone(search), "cv_results_")


def test_parameters_of_the_estimator_are_set_through_the_search(search_class):
    search = search_class(LOGIT, C, n_iter=3)
    search.set_params(estimator__max_iter=7, n_iter=2)
    assert (search.estimator.max_iter, search.n_iter) == (7, 2)


def test_second_fit_forgets_the_first(search_class):
    search = search_class(LOGIT, C, n_iter=3).fit(FRAME, y)
    search.set_params(refit=False).fit(X, y)
    assert not hasattr(search, "best_estimator_")
    assert not hasattr(search, "feature_names_in_")


def test_search_is_evaluated_by_cross_val_score(search_class):
    scores = [
        cross_val_score(cls(LOGIT, C, n_iter=3, cv=3), X, y, cv=3)
        for cls in (search_class, RandomizedSearchCV)
    ]
    assert scores[0].tolist() == scores[1].tolist()


def test_search_is_a_step_of_a_pipeline(search_class):
    ours, theirs = (
        make_pipeline(StandardScaler(), cls(LOGIT, C, n_iter=3)).fit(X, y)
        for cls in (search_class, RandomizedSearchCV)
    )
    assert_same_results(ours[-1], theirs[-1])
    assert ours.score(X, y) == theirs.score(X, y)


def test_search_is_the_estimator_of_another_search(search_class):
    if search_class is not LogRandomSearchCV:
        pytest.skip("its candidates come in another order, and of equals the first wins")
    space = {"estimator__fit_intercept": [True, False], "cv": [2, 3]}
    ours, theirs = (
        fit_both(cls, cls(LOGIT, C, n_iter=3), space, X, y)[0]
        for cls in (search_class, RandomizedSearchCV)
    )
    assert_same_results(ours, theirs)


# budget


def test_space_with_fewer_points_than_n_iter_is_exhausted_and_says_so(search_class):
    search = search_class(LOGIT, C, n_iter=5)
    with pytest.warns(SpaceExhaustedWarning, match="3 is smaller than n_iter=5") as caught:
        search.fit(X, y)
    assert caught[0].filename == __file__
    assert search.stop_reason_ == "exhausted"
    assert len(search.cv_results_["params"]) == 3


def test_search_within_its_budget_says_so(search_class):
    search = search_class(LOGIT, C, n_iter=2, random_state=0).fit(X, y)
    assert search.stop_reason_ == "budget"
    assert len(search.cv_results_["params"]) == 2


def test_search_with_int_random_state_repeats_itself(search_class):
    space = {"C": (0.01, 1.0, "log-uniform"), "fit_intercept": [True, False]}
    search = search_class(LOGIT, space, n_iter=4, random_state=3)
    assert search.fit(X, y).cv_results_["params"] == search.fit(X, y).cv_results_["params"]


# output


def test_verbose_0_prints_nothing(search_class, capsys):
    search_class(LOGIT, C, n_iter=3).fit(X, y)
    assert capsys.readouterr() == ("", "")


def test_verbose_1_prints_one_line(search_class, capsys):
    search_class(LOGIT, C, n_iter=3, verbose=1).fit(X, y)
    printed = "Fitting 5 folds for each of 3 candidates, totalling 15 fits\n"
    assert capsys.readouterr() == (printed, "")


@pytest.mark.parametrize("scoring", [None, ["accuracy", "f1"]])
def test_verbose_3_prints_the_scores_of_each_fit(search_class, capsys, scoring):
    refit = "f1" if scoring else False
    search_class(LOGIT, C, n_iter=3, scoring=scoring, refit=refit, verbose=3).fit(X, y)
    first, *others = capsys.readouterr().out.splitlines()
    assert len(others) == 15
    for name in scoring or ["score"]:
        assert all(re.search(rf"END C=.*{name}=[01]\.\d{{3}}", line) for line in others)


# callbacks


class Recorder:
    """Counts what it hears; asks to stop at the end of evaluation number `stop_at`."""

    def __init__(self, stop_at=None):
        self.heard = Counter()
        self.stop_at = stop_at

    def setup(self, estimator, context):
        self.heard["setup", context.task_name] += 1

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None, metadata=None):
        shape = None if X is None else X.shape
        weights = None if metadata is None else len(metadata["sample_weight"])
        self.heard["begin", context.estimator_name, context.task_name, shape, weights] += 1

    def on_fit_task_end(self, estimator, context):
        self.heard["end", context.estimator_name, context.task_name] += 1
        return self.n_evaluations() == self.stop_at

    def teardown(self, estimator, context):
        self.heard["teardown", context.task_name] += 1

    def n_evaluations(self):
        return sum(
            n
            for key, n in self.heard.items()
            if key[0] == "end" and key[2] == "candidate-split-evaluation"
        )


class PropagatedRecorder(Recorder):
    """The same, also set on the estimators of the candidates."""

    max_propagation_depth = None


@pytest.mark.parametrize("recorder_class", [Recorder, PropagatedRecorder])
@pytest.mark.parametrize("refit", [True, False])
def test_callback_hears_what_it_hears_of_randomized_search(search_class, recorder_class, refit):
    heard = []
    for cls in (search_class, RandomizedSearchCV):
        recorder = recorder_class()
        search = cls(LogisticRegression(), C, n_iter=3, cv=3, refit=refit).set_callbacks(recorder)
        search.fit(X, y, sample_weight=WEIGHT)
        heard.append(
            Counter(
                tuple("search" if part == cls.__name__ else part for part in key)
                for key in recorder.heard.elements()
            )
        )
    assert heard[0] == heard[1]


def test_callback_hears_of_evaluations_in_worker_processes(search_class):
    recorder = Recorder()
    search = search_class(SVC(), C, n_iter=3, cv=3, n_jobs=2).set_callbacks(recorder)
    search.fit(X, y)
    assert recorder.n_evaluations() == 9
    assert recorder.heard["setup", "fit"] == recorder.heard["teardown", "fit"] == 1


@pytest.mark.filterwarnings("ignore:One or more of the test scores")
def test_callback_stops_the_search_and_the_best_so_far_is_refitted(search_class):
    recorder = Recorder(stop_at=4)  # the first candidate of three folds is complete
    space = {"C": (0.01, 10.0, "log-uniform")}
    search = search_class(SVC(), space, n_iter=20, cv=3, random_state=0).set_callbacks(recorder)
    with pytest.warns(SearchStoppedWarning, match="a callback asked for it"):
        search.fit(X, y)
    assert search.stop_reason_ == "callback"
    assert recorder.n_evaluations() == 4
    assert search.cv_results_["status"][search.best_index_] == "complete"
    assert "stopped" in search.cv_results_["status"]
    assert search.predict(X).shape == y.shape


def test_callback_that_raises_ends_the_search_and_keeps_what_there_is(search_class):
    class Raises(Recorder):
        def on_fit_task_end(self, estimator, context):
            super().on_fit_task_end(estimator, context)
            if self.n_evaluations() == 4:
                raise RuntimeError("enough")

    search = search_class(SVC(), {"C": (0.01, 1.0)}, n_iter=20, cv=3).set_callbacks(Raises())
    with pytest.raises(RuntimeError, match="enough"):
        search.fit(X, y)
    assert search.best_params_ == search.cv_results_["params"][0]


@pytest.mark.parametrize("estimator", [SVC(), LogisticRegression()], ids=["SVC", "supports it"])
@pytest.mark.parametrize("depth", [0, 1])
@pytest.mark.filterwarnings("ignore:.*callback.*:UserWarning")
def test_progress_bar_shows_the_search(search_class, capsys, estimator, depth):
    pytest.importorskip("rich")
    from sklearn.callback import ProgressBar

    search = search_class(estimator, C, n_iter=3, cv=3).set_callbacks(ProgressBar(depth))
    search.fit(X, y)
    assert search_class.__name__ in capsys.readouterr().out
