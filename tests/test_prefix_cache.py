"""First steps of a Pipeline are fitted once, and nobody can tell by the results."""

import dataclasses
import functools
import os
import random
import sys
from collections import Counter

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from joblib import parallel_config
from scipy.stats import loguniform
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.metrics import make_scorer, recall_score
from sklearn.model_selection import KFold, TimeSeriesSplit
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.neighbors import KernelDensity, KNeighborsClassifier
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    StandardScaler,
    TargetEncoder,
)
from sklearn.svm import SVC

from sklearn_hpt import LogRandomSearchCV
from sklearn_hpt._evaluation import EvaluationPlan, Evaluator, Task
from sklearn_hpt._executors._processes import ProcessExecutor
from sklearn_hpt._parameter_keys import NoKeyError, ParameterKeys, originals
from sklearn_hpt._prefix_cache import PrefixCache, _Kept, _n_agreeing, prefix_hints
from sklearn_hpt._sharing import frozen, lent, n_bytes
from sklearn_hpt._sklearn_compat import sees_predictions_only
from sklearn_hpt._trial import FoldResult

X, y = load_iris(return_X_y=True)
X_wide, y_wide = (part[::3] for part in load_breast_cancer(return_X_y=True))
RNG = np.random.default_rng(0)

WORDS = "tea milk sugar cup train bus car road rain sun snow wind cat dog fish bird".split()
TEXTS = [" ".join(RNG.choice(WORDS[:12] if i % 2 else WORDS[4:], 6)) for i in range(60)]
LABELS = np.arange(60) % 2
FRAME = pd.DataFrame(
    {
        "size": np.where(RNG.random(60) < 0.2, np.nan, LABELS + RNG.standard_normal(60)),
        "age": RNG.standard_normal(60),
        "colour": RNG.choice(["red", "green", "blue"], 60),
    }
)


def fitted(pipeline, space, X=X, y=y, *, cache=True, fit_params=None, **options):
    settings = {"n_iter": 12, "cv": 3, "random_state": 0, "refit": False, **options}
    search = LogRandomSearchCV(pipeline, space, cache_pipeline_prefix=cache, **settings)
    return search.fit(X, y, **(fit_params or {}))


def results(search):
    """Return what does not depend on the clock."""
    return {
        name: column.tolist() if hasattr(column, "tolist") else [str(p) for p in column]
        for name, column in search.cv_results_.items()
        if "time" not in name and not name.startswith("param_") and name != "params"
    }


class WritesIntoItsInput(ClassifierMixin, BaseEstimator):
    """A last step that centres its input in place."""

    def __init__(self, number=0):
        self.number = number

    def fit(self, X, y):
        X -= X.mean(axis=0)
        self.classes_, self.largest_ = np.unique(y), X.max()
        return self

    def predict(self, X):
        X *= 2.0
        return np.where(X[:, 0] > self.number * self.largest_ / 10, *self.classes_[:2])


def numeric(pipeline_frame=False):
    scale = Pipeline([("impute", SimpleImputer()), ("scale", StandardScaler())])
    hot = OneHotEncoder(handle_unknown="ignore", sparse_output=not pipeline_frame)
    return ColumnTransformer([("n", scale, ["size", "age"]), ("c", hot, make_column_selector("c"))])


def named_scorer(estimator, X, y):
    return estimator.score(X, y) + len(estimator.named_steps["scale"].mean_)


CASES = {
    "text": (
        Pipeline([("tfidf", TfidfVectorizer()), ("model", LogisticRegression())]),
        {"tfidf__ngram_range": [(1, 1), (1, 2)], "model__C": [0.01, 1.0, 100.0]},
        TEXTS,
        LABELS,
        {},
    ),
    "three steps": (
        Pipeline([("scale", StandardScaler()), ("pca", PCA(random_state=0)), ("svc", SVC())]),
        {"pca__n_components": [2, 3], "scale__with_std": [True, False], "svc__C": [0.1, 1, 10]},
        X,
        y,
        {"return_train_score": True},
    ),
    "frame with missing values": (
        Pipeline([("prepare", numeric()), ("model", RidgeClassifier())]),
        {"prepare__n__impute__strategy": ["mean", "median"], "model__alpha": [0.1, 1.0, 10.0]},
        FRAME,
        LABELS,
        {},
    ),
    "pandas output": (
        Pipeline([("prepare", numeric(True)), ("model", RidgeClassifier())]).set_output(
            transform="pandas"
        ),
        {"prepare__n__scale__with_mean": [True, False], "model__alpha": [0.1, 1.0, 10.0]},
        FRAME,
        LABELS,
        {"return_train_score": True},
    ),
    "passthrough": (
        Pipeline([("scale", StandardScaler()), ("pca", PCA(random_state=0)), ("svc", SVC())]),
        {
            "scale": ["passthrough", None, StandardScaler()],
            "pca": ["passthrough", PCA(2, random_state=0)],
            "svc__C": [0.1, 10.0],
        },
        X,
        y,
        {},
    ),
    "target encoder": (
        Pipeline([("encode", TargetEncoder(random_state=0)), ("model", RidgeClassifier())]),
        {"encode__smooth": [0.1, 5.0], "model__alpha": [0.1, 1.0, 10.0]},
        FRAME[["colour"]],
        LABELS,
        {"return_train_score": True},
    ),
    "selection with y": (
        Pipeline([("select", SelectKBest()), ("knn", KNeighborsClassifier())]),
        {"select__k": [1, 2, 3], "knn__n_neighbors": [1, 3, 5, 7]},
        X,
        y,
        {},
    ),
    "searched steps": (
        Pipeline([("scale", StandardScaler()), ("svc", SVC())]),
        {
            "scale": [
                StandardScaler(),
                MinMaxScaler(),
                StandardScaler(with_std=False),
                StandardScaler().set_output(transform="pandas"),
                Pipeline([("a", MinMaxScaler()), ("b", PCA(2, random_state=0))]),
            ],
            "svc__C": [0.1, 1.0, 10.0],
        },
        X,
        y,
        {"n_iter": 15},
    ),
    "several metrics": (
        Pipeline([("scale", StandardScaler()), ("model", LogisticRegression())]),
        {"scale__with_mean": [True, False], "model__C": [0.01, 1.0, 100.0]},
        X_wide,
        y_wide,
        {"scoring": ["accuracy", "roc_auc", "neg_log_loss"], "return_train_score": True},
    ),
    "scorer with a parameter": (
        Pipeline([("scale", StandardScaler()), ("model", LogisticRegression())]),
        {"scale__with_mean": [True, False], "model__C": [0.01, 1.0]},
        X_wide,
        y_wide,
        {"scoring": make_scorer(recall_score, pos_label=0)},
    ),
    "scorer that looks inside": (
        Pipeline([("scale", StandardScaler()), ("model", LogisticRegression())]),
        {"scale__with_std": [True, False], "model__C": [0.01, 1.0, 100.0]},
        X_wide,
        y_wide,
        {"scoring": named_scorer, "return_train_score": True},
    ),
    "writes into its input": (
        Pipeline([("scale", StandardScaler()), ("model", WritesIntoItsInput())]),
        {"scale__with_mean": [True, False], "model__number": [0, 1, 2, 3]},
        X_wide,
        y_wide,
        {"return_train_score": True},
    ),
    "steps in place": (
        Pipeline(
            [("scale", StandardScaler(copy=False)), ("m", MinMaxScaler(copy=False)), ("svc", SVC())]
        ),
        {"m__clip": [True, False], "svc__C": [0.1, 1.0, 10.0]},
        X,
        y,
        {},
    ),
    "sparse": (
        Pipeline(
            [("count", CountVectorizer()), ("tfidf", TfidfTransformer()), ("nb", MultinomialNB())]
        ),
        {"tfidf__use_idf": [True, False], "count__binary": [True, False], "nb__alpha": [0.1, 1.0]},
        TEXTS,
        LABELS,
        {},
    ),
    "functions": (
        Pipeline([("f", FunctionTransformer()), ("svc", SVC())]),
        {"f__func": [np.log1p, np.sqrt, None], "svc__C": [0.1, 1.0, 10.0]},
        X,
        y,
        {},
    ),
    "union of columns": (
        Pipeline(
            [
                ("both", FeatureUnion([("pca", PCA(2, random_state=0)), ("k", SelectKBest(k=1))])),
                ("svc", SVC()),
            ]
        ),
        {"both__k__k": [1, 2], "svc__C": [0.1, 1.0, 10.0]},
        X,
        y,
        {},
    ),
    "no target": (
        Pipeline([("scale", StandardScaler()), ("model", KernelDensity())]),
        {"scale__with_std": [True, False], "model__bandwidth": [0.3, 1.0, 3.0]},
        X,
        None,
        {},
    ),
    "failures": (
        Pipeline([("pca", PCA(random_state=0)), ("svc", SVC())]),
        {"pca__n_components": [2, 99], "svc__C": [0.1, 1.0, -1.0]},
        X,
        y,
        {},
    ),
    "last step passthrough": (
        Pipeline([("scale", StandardScaler()), ("svc", SVC())]),
        {"scale__with_std": [True, False], "svc": ["passthrough", SVC(), SVC(C=0.1)]},
        X,
        y,
        {"scoring": ["accuracy", "f1_macro"]},
    ),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("case", CASES)
def test_results_are_those_without_the_cache(case, n_jobs):
    pipeline, space, X, y, options = CASES[case]
    expected = fitted(pipeline, space, X, y, cache=False, **options)
    found = fitted(pipeline, space, X, y, n_jobs=n_jobs, **options)
    np.testing.assert_equal(results(found), results(expected))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", CASES)
def test_first_steps_of_every_case_are_kept(case):
    pipeline, space, X, y, _ = CASES[case]
    evaluate = Evaluator(plan_of(pipeline, X, y, scorer=lambda estimator, *data: 0.0))
    place = 0 if case == "failures" else -1
    evaluate(Task(0, 0, {name: values[place] for name, values in space.items()}, 0))
    assert evaluate._prefixes.n_bytes > 0


@pytest.mark.filterwarnings("ignore:The total space")
def test_results_are_the_same_in_threads():
    pipeline, space, X, y, options = CASES["text"]
    with parallel_config("threading"):
        found = fitted(pipeline, space, X, y, n_jobs=2, **options)
    assert results(found) == results(fitted(pipeline, space, X, y, cache=False, **options))


def test_refitted_pipeline_is_whole_and_fitted_anew():
    pipeline, space, X, y, _ = CASES["three steps"]
    with_cache = fitted(pipeline, space, cache=True, refit=True)
    without = fitted(pipeline, space, cache=False, refit=True)
    np.testing.assert_array_equal(with_cache.predict(X), without.predict(X))
    assert with_cache.best_params_ == without.best_params_


# what is fitted, and how often


class Counted(TransformerMixin, BaseEstimator):
    """Scales, and leaves a line in a file for each call."""

    def __init__(self, file, factor=1.0, random_state=0, draws=False):
        self.file = file
        self.factor = factor
        self.random_state = random_state
        self.draws = draws

    def _note(self, what, X):
        with open(self.file, "a") as file:
            print(what, self.factor, hash(np.asarray(X).tobytes()), os.getpid(), file=file)

    def fit(self, X, y=None, sample_weight=None):
        self._note("fit", X)
        if self.draws:
            np.random.random()
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        self._note("transform", X)
        return X * self.factor


def calls(path, what="fit"):
    """Return how often each factor was fitted on each fold."""
    lines = [line.split() for line in path.read_text().splitlines()]
    return Counter(tuple(line[1:3]) for line in lines if line[0] == what)


@pytest.fixture
def counted(tmp_path):
    def search(space=None, last=None, X=X, y=y, **options):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.txt"
        params = {n[3:]: v for n, v in options.items() if n.startswith("of_")}
        options = {n: v for n, v in options.items() if not n.startswith("of_")}
        pipeline = Pipeline([("c", Counted(str(path), **params)), ("m", last or GaussianNB())])
        space = space or {"m__var_smoothing": np.geomspace(1e-9, 1e-3, 6).tolist()}
        fitted(pipeline, space, X, y, **{"n_iter": 100, **options})
        return path

    return search


TWO_FACTORS = {"c__factor": [1.0, 2.0], "m__var_smoothing": np.geomspace(1e-9, 1e-3, 6).tolist()}


@pytest.mark.filterwarnings("ignore:The total space")
def test_equal_prefixes_are_fitted_once_for_each_fold(counted):
    path = counted(TWO_FACTORS)
    assert len(calls(path)) == 2 * 3 and set(calls(path).values()) == {1}
    assert calls(path, "transform").total() == 2 * 3 * 2  # of the training and the test rows


@pytest.mark.filterwarnings("ignore:The total space")
def test_without_the_cache_each_candidate_fits_its_prefix(counted):
    assert set(calls(counted(TWO_FACTORS, cache=False)).values()) == {6}


@pytest.mark.filterwarnings("ignore:The total space")
def test_a_worker_fits_a_prefix_once_for_each_fold(counted):
    path = counted(TWO_FACTORS, n_jobs=2)
    lines = [line for line in path.read_text().splitlines() if line.startswith("fit")]
    assert len(set(lines)) == len(lines) <= 2 * 2 * 3  # a line names the worker


@pytest.mark.filterwarnings("ignore:The total space")
@pytest.mark.parametrize("options", [{"of_random_state": None}, {"of_draws": True}])
def test_steps_that_are_random_are_fitted_for_each_candidate(counted, options):
    assert set(calls(counted(**options)).values()) == {6}


class Projection(TransformerMixin, BaseEstimator):
    """Fitted at random without saying so; what it makes of rows then is not random."""

    def __init__(self, source="numpy"):
        self.source = source

    def fit(self, X, y=None):
        shape = X.shape[1], 30
        if self.source == "numpy":
            self.w_ = np.random.normal(size=shape)
        else:
            self.w_ = np.array([random.gauss(0, 1) for _ in range(shape[0] * 30)]).reshape(shape)
        return self

    def transform(self, X):
        return X @ self.w_


@pytest.mark.filterwarnings("ignore:The total space")
@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("source", ["numpy", "python"])
def test_rows_are_transformed_by_the_step_that_the_model_was_trained_behind(source, n_jobs):
    steps = [("p", Projection(source)), ("s", StandardScaler()), ("m", RidgeClassifier())]
    space = {"m__alpha": np.geomspace(1e-3, 1, 5).tolist()}
    options = {"n_iter": 5, "n_jobs": n_jobs, "return_train_score": True}
    search = fitted(Pipeline(steps), space, X_wide, y_wide, **options)
    assert search.cv_results_["mean_train_score"].min() > 0.9
    assert search.cv_results_["mean_test_score"].min() > 0.85


@pytest.mark.filterwarnings("ignore:The total space")
def test_a_step_with_fit_parameters_is_fitted_for_each_candidate(counted):
    path = counted(fit_params={"c__sample_weight": np.ones(len(y))})
    assert set(calls(path).values()) == {6}


@pytest.mark.filterwarnings("ignore:The total space")
def test_fit_parameters_of_the_last_step_do_not_matter(counted):
    path = counted(fit_params={"m__sample_weight": np.arange(1.0, 1 + len(y))})
    assert set(calls(path).values()) == {1}


@pytest.mark.filterwarnings("ignore:The total space")
def test_steps_before_a_random_one_are_shared(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    steps = [("a", Counted(str(first))), ("b", Counted(str(second), random_state=None))]
    space = {"m__var_smoothing": np.geomspace(1e-9, 1e-3, 6).tolist()}
    fitted(Pipeline([*steps, ("m", GaussianNB())]), space, n_iter=6)
    assert set(calls(first).values()) == {1} and set(calls(second).values()) == {6}


@pytest.mark.filterwarnings("ignore:The total space")
def test_candidates_that_differ_in_a_later_step_share_the_earlier_ones(tmp_path):
    path = tmp_path / "calls"
    steps = [("c", Counted(str(path))), ("pca", PCA(random_state=0)), ("m", GaussianNB())]
    fitted(Pipeline(steps), {"pca__n_components": [1, 2, 3, 4]}, n_iter=4)
    assert set(calls(path).values()) == {1}


@pytest.mark.parametrize(
    ("searched", "n"),
    [
        (["scale__with_std", "pca__n_components", "svc__C"], 2),
        (["pca__n_components"], 1),  # no two candidates agree in it
        (["scale__with_std", "pca__whiten"], 1),
        (["scale__with_std"], 0),
        (["pca__tol", "svc__C"], 1),  # from a continuum
        (["svc__tol"], 2),
        ([], 0),
    ],
)
def test_what_no_other_candidate_can_use_is_not_kept(searched, n):
    never_equal = {"pca__tol", "svc__tol"}
    assert _n_agreeing(CASES["three steps"][0], searched, never_equal) == n


def test_parameters_from_a_continuum_are_never_equal(monkeypatch):
    plans = []
    real = LogRandomSearchCV._start_executor
    monkeypatch.setattr(
        LogRandomSearchCV, "_start_executor", lambda s, plan: plans.append(plan) or real(s, plan)
    )
    space = {"pca__tol": (0.0, 1.0), "svc__C": loguniform(0.1, 1.0), "pca__n_components": [1, 2]}
    fitted(CASES["three steps"][0], space, n_iter=2)
    assert plans[0].never_equal == {"pca__tol", "svc__C"}


@pytest.mark.filterwarnings("ignore:The total space")
@pytest.mark.parametrize("changed", [{"memory": "cache"}, {"verbose": True}])
def test_a_pipeline_that_does_more_than_fit_is_left_alone(tmp_path, changed, capsys):
    path = tmp_path / "calls"
    if "memory" in changed:
        changed = {"memory": str(tmp_path / "cache")}
    plan = plan_of(Pipeline([("c", Counted(str(path))), ("m", GaussianNB())], **changed))
    task = Task(0, 0, {"m__var_smoothing": 1e-9}, 0)
    assert Evaluator(plan)._prefix(task, plan.estimator) is None


def plan_of(pipeline, X=X, y=y, scorer=None, **options):
    splits = list(KFold(3, shuffle=True, random_state=0).split(X))
    if scorer is None:
        scorer = make_scorer(lambda a, b: float(np.mean(a == b)))
    return EvaluationPlan(pipeline, X, y, splits, scorer, cache_pipeline_prefix=True, **options)


def test_metadata_that_is_routed_goes_to_all_steps():
    plan = plan_of(CASES["three steps"][0], fit_params={"sample_weight": np.ones(len(y))})
    evaluate = Evaluator(plan)
    task = Task(0, 0, {"svc__C": 1.0}, 0)
    with config_context(enable_metadata_routing=True):
        assert evaluate._prefix(task, plan.estimator) is None


def test_candidates_with_callbacks_are_left_alone():
    plan = plan_of(CASES["three steps"][0])
    task = Task(0, 0, {"svc__C": 1.0}, 0)
    assert Evaluator(plan)._prefix(task, plan.estimator) is not None
    task = dataclasses.replace(task, callback_ctx=1)
    assert Evaluator(plan)._prefix(task, plan.estimator) is None


class Remembers(TransformerMixin, BaseEstimator):
    """Leaves the last row it was fitted on in a file."""

    def __init__(self, file):
        self.file = file

    def fit(self, X, y=None):
        with open(self.file, "a") as file:
            print(int(X.max()), file=file)
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return X


def test_no_row_after_the_split_reaches_a_step(tmp_path):
    rows = np.arange(40.0).reshape(-1, 1)
    cv = TimeSeriesSplit(4)
    pipeline = Pipeline([("r", Remembers(str(tmp_path / "rows"))), ("m", Ridge())])
    fitted(pipeline, {"m__alpha": [0.1, 1.0, 10.0]}, rows, rows.ravel(), cv=cv, n_iter=3)
    seen = sorted(map(int, (tmp_path / "rows").read_text().split()))
    assert seen == [int(train.max()) for train, _ in cv.split(rows)]


def test_a_scorer_that_changes_a_step_changes_it_for_its_candidate_only():
    def scorer(estimator, X, y):
        estimator["scale"].mean_ += 1.0
        return float(estimator["scale"].mean_[0])

    evaluate = Evaluator(plan_of(CASES["three steps"][0], scorer=scorer))
    scores = {evaluate(Task(i, 0, {"svc__C": i + 1.0}, 0)).test_scores for i in range(3)}
    assert len(scores) == 1


class LacksMemoryOnce(BaseEstimator, ClassifierMixin):
    """Fails while more is held than its own input."""

    def __init__(self, number=0):
        self.number = number

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        if not X.flags.writeable:
            raise MemoryError("too much is held")
        return self

    def predict(self, X):
        return np.zeros(len(X))


def test_memory_that_a_candidate_lacks_is_freed(monkeypatch):
    monkeypatch.delitem(sys.modules, "torch", raising=False)  # with it, it would get copies
    evaluate = Evaluator(plan_of(Pipeline([("s", StandardScaler()), ("m", LacksMemoryOnce())])))
    assert evaluate(Task(0, 0, {"m__number": 1}, 0)).failure is None
    assert len(evaluate._prefixes) == 0


def test_failure_of_a_first_step_is_recorded_as_without_the_cache():
    plan = plan_of(Pipeline([("pca", PCA(99, random_state=0)), ("svc", SVC())]))
    evaluate = Evaluator(plan)
    failures = [evaluate(Task(i, 0, {"svc__C": 1.0}, 0)).failure for i in range(2)]
    evaluate._prefixes = None
    expected = evaluate(Task(2, 0, {"svc__C": 1.0}, 0)).failure
    assert {failure.message for failure in failures} == {expected.message}


@pytest.mark.filterwarnings("ignore")
def test_skorch_nets_learn_the_same_behind_shared_steps():
    torch, skorch = pytest.importorskip("torch"), pytest.importorskip("skorch")

    class Linear(torch.nn.Linear):
        def __init__(self):
            super().__init__(4, 3)

    net = skorch.NeuralNetClassifier(
        Linear, criterion=torch.nn.CrossEntropyLoss, max_epochs=3, train_split=None, verbose=0
    )
    pipeline = Pipeline([("scale", StandardScaler()), ("net", net)])
    space = {"scale__with_std": [True, False], "net__lr": [0.01, 0.1, 1.0]}
    data = X.astype(np.float32), y.astype(np.int64)
    expected = fitted(pipeline, space, *data, cache=False)
    assert results(fitted(pipeline, space, *data)) == results(expected)


# the bound


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 60)), max_size=60))
def test_the_cache_never_holds_more_than_its_bytes(puts):
    cache = PrefixCache(100)
    held = {}
    for key, size in puts:
        cache.put(key, _Kept(None, (), size))
        held.pop(key, None)
        held[key] = size
        while sum(held.values()) > 100:
            del held[next(iter(held))]
        assert cache.n_bytes == sum(held.values()) <= 100
        assert all(cache._kept[name].n_bytes == size for name, size in held.items())


def test_what_was_not_used_for_longest_is_dropped():
    cache = PrefixCache(2)
    for key in "ab":
        cache.put(key, _Kept(None, (), 1))
    cache.get("a")
    cache.put("c", _Kept(None, (), 1))
    assert cache.get("b") is None and cache.get("a") and cache.get("c")


def test_what_is_larger_than_the_cache_is_not_kept():
    cache = PrefixCache(10)
    cache.put("small", _Kept(None, (), 5))
    cache.put("large", _Kept(None, (), 11))
    assert len(cache) == 1 and cache.n_bytes == 5


@pytest.mark.parametrize("room", [0, 3_000, 20_000])
def test_a_small_cache_gives_the_same_results(room):
    pipeline, space, X, y, _ = CASES["three steps"]
    candidates = [{"pca__n_components": n, "svc__C": c} for c in (0.1, 1.0) for n in (2, 3, 4)]
    found = []
    for evaluate in (Evaluator(plan_of(pipeline), prefix_bytes=room), Evaluator(plan_of(pipeline))):
        tasks = [Task(i, f, p, 0) for f in range(3) for i, p in enumerate(candidates)]
        found.append([])
        for task in tasks:
            found[-1].append(evaluate(task).test_scores)
            assert evaluate._prefixes.n_bytes <= evaluate._prefixes._max_bytes
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("value", "at_least"),
    [
        (np.zeros(1000), 8000),
        (np.zeros((1000, 2))[:, :1], 16000),
        (sp.csr_matrix(np.eye(1000)), 8000 + 4000 + 4004),
        (FRAME, int(FRAME.memory_usage(deep=True).sum())),
        (StandardScaler().fit(np.zeros((3, 1000)) + X[:3, :1]), 3 * 8000),
        ({str(i): i for i in range(1000)}, 40_000),
    ],
)
def test_sizes_are_those_of_the_memory(value, at_least):
    assert at_least <= n_bytes(value) <= 3 * at_least


# protection


@pytest.mark.parametrize("writable", [True, False])
@pytest.mark.parametrize(
    "value",
    [X.copy(), np.asfortranarray(X), sp.csr_matrix(X), sp.csc_array(X), FRAME[["age", "size"]]],
)
def test_what_is_lent_cannot_change_what_is_kept(value, writable):
    kept = frozen(value, is_lent=True)
    mine = lent(kept, writable=writable)
    target = mine.data if sp.issparse(mine) else mine
    if isinstance(mine, pd.DataFrame):
        mine.iloc[0, 0] = 99.0
    elif writable:
        target[...] = 99.0
    else:
        with pytest.raises(ValueError, match="read-only"):
            target[...] = 99.0
    again = lent(kept, writable=False)
    for one, other in zip(layouts(again), layouts(value), strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype and one.flags.f_contiguous == other.flags.f_contiguous


def layouts(value):
    if sp.issparse(value):
        return value.data, value.indices, value.indptr
    return [np.asarray(value)]


@pytest.mark.parametrize(
    "value",
    [
        X[:, ::2],
        X.astype(object),
        ["a", "b"],
        sp.coo_matrix(X),
        pd.DataFrame({"a": [[], []]}),
        None,
    ],
)
def test_what_cannot_be_protected_is_not_kept(value):
    assert frozen(value, is_lent=False) is None


def test_memory_that_can_be_changed_through_another_name_is_copied():
    base = np.zeros((4, 4))
    kept = frozen(base[:2], is_lent=False)
    base += 1.0
    assert kept.sum() == 0.0 and base.flags.writeable


# keys


def key(value):
    return ParameterKeys().key(value)


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.sampled_from(["1", b"1"]),
    lambda inner: st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple),
    max_leaves=6,
)


@given(plain, plain)
def test_keys_are_equal_for_equal_values_of_equal_types_only(one, other):
    assert (key(one) == key(other)) == (repr(one) == repr(other))
    assert key(one) != key(other) or hash(key(one)) == hash(key(other))


@pytest.mark.parametrize(
    "values",
    [
        (1, 1.0, True, np.int64(1), np.float64(1.0), "1"),
        (0.0, -0.0),
        ([1, 2], (1, 2), {1, 2}, frozenset({1, 2}), {1: 2}),
        (lambda x: x + 1, lambda x: x + 2, lambda x: x + 1),
        (functools.partial(np.clip, a_min=0), functools.partial(np.clip, a_min=1)),
        (np.zeros(2), np.zeros(2, np.float32), np.zeros((1, 2)), np.array([0.0, -0.0])),
        (slice(1), slice(2), slice(1.0), range(1)),
        (StandardScaler(), MinMaxScaler(), StandardScaler(with_std=False)),
        (StandardScaler(), StandardScaler().set_output(transform="pandas")),
        (Pipeline([("a", PCA(1))]), Pipeline([("a", PCA(2))]), Pipeline([("b", PCA(1))])),
        (make_column_selector("a"), make_column_selector("b")),
        (np.float32, np.float64, np.log, np.log1p),
        (pd.Index(["a"]), pd.Index(["b"]), ["a"]),
        (1j, -1j, 1 + 0j, 1),
    ],
)
def test_different_values_have_different_keys(values):
    assert len({key(value) for value in values}) == len(values)


@pytest.mark.parametrize(
    "make",
    [
        lambda: np.arange(5),
        lambda: slice(1, 2),
        lambda: make_column_selector("a"),
        lambda: pd.Index(["a", "b"]),
        lambda: float("nan"),
        lambda: functools.partial(np.clip, a_min=0),
        lambda: ColumnTransformer([("a", PCA(2), [0, 1]), ("b", "drop", [2])]),
    ],
)
def test_equal_values_have_equal_keys(make):
    assert key(make()) == key(make())


class Tokenizer:
    def __call__(self, text):
        return text.split()


@pytest.mark.parametrize(
    "value", [Tokenizer(), np.zeros(10_000), list(range(5000)), np.array([None]), object()]
)
def test_objects_that_cannot_be_compared_have_no_key(value):
    with pytest.raises(NoKeyError):
        key(value)


def test_such_objects_are_known_by_the_object_that_the_candidate_copied():
    tokenizers = [Tokenizer(), Tokenizer()]
    vectorizer = CountVectorizer(tokenizer=tokenizers[0])
    keys = []
    for params in [{}, {}, {"v__tokenizer": tokenizers[1]}, {"v": CountVectorizer()}]:
        maker = ParameterKeys(
            functools.partial(originals, Pipeline([("v", vectorizer), ("m", SVC())]), params)
        )
        copy = CountVectorizer(tokenizer=None if "v" in params else Tokenizer())
        keys.append(maker.key(copy, "v"))
    assert keys[0] == keys[1] and len(set(keys)) == 3


def test_a_step_that_keeps_more_than_parameters_has_no_key_by_value():
    frozen_steps = [FrozenEstimator(StandardScaler().fit(rows)) for rows in (X, X[:50])]
    for step in frozen_steps:
        with pytest.raises(NoKeyError):
            key(step)


@pytest.mark.filterwarnings("ignore")
def test_frozen_steps_are_not_confused():
    steps = [FrozenEstimator(VarianceThreshold(t).fit(X)) for t in (0.1, 0.5)]
    space = {"scale": steps, "svc__C": [0.1, 1.0]}
    pipeline = CASES["searched steps"][0]
    assert results(fitted(pipeline, space)) == results(fitted(pipeline, space, cache=False))


@pytest.mark.filterwarnings("ignore:The total space")
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_lambdas_are_not_confused(n_jobs):
    space = {"f__func": [lambda X: X, lambda X: X * 0.0, lambda X: X[:, :1]], "m__tol": [0.1, 0.2]}
    pipeline = Pipeline([("f", FunctionTransformer()), ("m", RidgeClassifier())])
    found, expected = (fitted(pipeline, space, cache=c, n_jobs=n_jobs) for c in (True, False))
    assert results(found) == results(expected)
    assert len(set(found.cv_results_["mean_test_score"].tolist())) == 3


class TypeTeller(TransformerMixin, BaseEstimator):
    """Adds a column that tells the type of its parameter."""

    def __init__(self, value=1):
        self.value = value

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return np.full((len(X), 1), float(len(type(self.value).__name__)))

    def __sklearn_is_fitted__(self):
        return True


def first_entry(X, y):
    return float(X[0])


@pytest.mark.filterwarnings("ignore:The total space")
def test_one_and_true_are_not_confused():
    class Tells(ClassifierMixin, BaseEstimator):
        def __init__(self, number=0):
            self.number = number

        def fit(self, X, y):
            self.classes_ = np.unique(y)
            return self

        def score(self, X, y):
            return float(X[0, 0])

    space = {"t__value": [1, True, 1.0], "m__number": [0, 1]}
    found = fitted(Pipeline([("t", TypeTeller()), ("m", Tells())]), space)
    expected = [len(type(p["t__value"]).__name__) for p in found.cv_results_["params"]]
    assert found.cv_results_["mean_test_score"].tolist() == expected


# where tasks go


def test_tasks_with_the_same_first_steps_have_the_same_hints():
    pipeline = CASES["three steps"][0]
    one, other, third = (
        prefix_hints(pipeline, {"scale__with_std": s, "pca__n_components": n, "svc__C": c}, 0)
        for s, n, c in [(True, 2, 1.0), (True, 2, 5.0), (True, 3, 1.0)]
    )
    assert one == other
    assert len(one) == 2 and one[0] != third[0] and one[1] == third[1]
    assert not set(one) & set(prefix_hints(pipeline, {"scale__with_std": True}, 1))


def test_what_has_no_hints_is_sent_as_ever():
    assert prefix_hints(SVC(), {"C": 1.0}, 0) == ()
    assert prefix_hints(CASES["text"][0], {"tfidf__tokenizer": Tokenizer()}, 0) == ()


class Elsewhere:
    """A worker process that never answers."""

    connection = property(lambda self: self)

    def launch(self):
        return Elsewhere()

    def send_bytes(self, data):
        pass

    def end(self):
        pass


@pytest.fixture
def executor():
    def hints_of(task):
        return (task.params["hint"],)

    executor = ProcessExecutor(2, Elsewhere(), lambda number: b"", lambda: None, hints_of)
    for number, hint in enumerate("AB"):
        executor.submit(Task(number, 0, {"hint": hint}, 0))
    return executor


def next_of(executor, number):
    """Return the trial that a worker is sent when it is free."""
    worker = executor._workers[number]
    executor._finish_head(worker, FoldResult(0, 0, 0.0, fit_time=1.0))
    executor._send_backlog()
    return worker.queue[0].task.trial


def submit_all(executor, hints):
    for number, hint in enumerate(hints, 2):
        executor.submit(Task(number, 0, {"hint": hint}, 0))


def test_a_task_goes_to_the_worker_that_has_seen_its_first_steps(executor):
    submit_all(executor, "BA")
    assert next_of(executor, 0) == 3 and next_of(executor, 1) == 2


def test_steps_that_are_new_to_all_come_before_those_of_another_worker(executor):
    submit_all(executor, "BC")
    assert next_of(executor, 0) == 3


def test_no_worker_is_left_idle_for_another(executor):
    submit_all(executor, "BB")
    assert next_of(executor, 0) == 2


def test_no_task_is_passed_over_for_ever(executor):
    submit_all(executor, "B" + 50 * "A")
    assert 2 in [next_of(executor, 0) for _ in range(30)]


def test_some_tasks_are_waiting_to_be_chosen_from(executor):
    assert executor.n_free() == 2


def test_only_scorers_of_scikit_learn_are_known_to_look_at_predictions_alone():
    search = fitted(*CASES["several metrics"][:4], scoring=["accuracy"], n_iter=1)
    assert all(sees_predictions_only(scorer) for scorer in search.scorer_.values())
    assert not sees_predictions_only(named_scorer)
