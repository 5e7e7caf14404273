"""One candidate on one fold: the same numbers as scikit-learn's, with less work."""

import dataclasses
import sys

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, check_scoring, make_scorer
from sklearn.model_selection import KFold, cross_validate
from sklearn.svm import SVC

from sklearn_hpt._accuracy import is_plain_accuracy, plain_accuracy
from sklearn_hpt._evaluation import EvaluationPlan, Evaluator, Task

X, y = load_iris(return_X_y=True)
SPLITS = list(KFold(3, shuffle=True, random_state=0).split(X))


def evaluator(estimator, data=X, **options):
    scorer = check_scoring(estimator, options.pop("scoring", None))
    return Evaluator(EvaluationPlan(estimator, data, y, SPLITS, scorer, **options))


@pytest.mark.parametrize("as_given", [np.asarray, np.asfortranarray, sp.csr_matrix, sp.csr_array])
@pytest.mark.parametrize("scoring", [None, "accuracy", "neg_log_loss"])
def test_scores_equal_cross_validate(as_given, scoring):
    data, estimator = as_given(X), LogisticRegression(max_iter=20, C=0.1)
    expected = cross_validate(estimator, data, y, cv=SPLITS, scoring=scoring)["test_score"]
    evaluate = evaluator(LogisticRegression(max_iter=20), data, scoring=scoring)
    found = [evaluate(Task(0, i, {"C": 0.1}, seed=0)).test_scores for i in range(3)]
    assert found == expected.tolist()


class WritesIntoItsInput(ClassifierMixin, BaseEstimator):
    """Centres its input in place, as some estimators do with copy=False."""

    def __init__(self, number=0):
        self.number = number

    def fit(self, X, y):
        X -= X.mean(axis=0)
        self.classes_, self.largest_ = np.unique(y), X.max()
        return self

    def score(self, X, y):
        return self.largest_


def test_candidate_that_writes_into_its_input_does_not_change_the_next_one():
    evaluate = evaluator(WritesIntoItsInput(), scoring=None)
    scores = {evaluate(Task(i, 0, {"number": i}, seed=0)).test_scores for i in range(3)}
    train = X[SPLITS[0][0]]
    assert scores == {(train - train.mean(axis=0)).max()}


def test_slices_of_small_data_are_cut_once(monkeypatch):
    cut = []
    real = Evaluator._slice
    monkeypatch.setattr(
        Evaluator, "_slice", lambda self, fold, *rest: cut.append(fold) or real(self, fold, *rest)
    )
    evaluate = evaluator(SVC())
    for trial in range(4):
        for fold in range(3):
            evaluate(Task(trial, fold, {"C": 1.0 + trial}, seed=0))
    assert cut == [0, 1, 2]


def test_of_large_data_only_the_latest_slices_are_kept():
    evaluate = Evaluator(evaluator(SVC()).plan, cache_bytes=X.nbytes + 1)
    for fold in (0, 1, 2, 2):
        evaluate(Task(0, fold, {}, seed=0))
        assert list(evaluate._folds) == [(fold, False, None)]


def test_user_arrays_stay_writable():
    evaluate = evaluator(SVC())
    evaluate(Task(0, 0, {}, seed=0))
    assert X.flags.writeable and y.flags.writeable


@given(
    hnp.arrays(np.int64, 7, elements=st.integers(0, 2)),
    hnp.arrays(np.int64, 7, elements=st.integers(0, 2)),
    st.sampled_from([np.int64, np.bool_, "U1"]),
)
def test_plain_accuracy_is_accuracy_score(a, b, dtype):
    y_true, y_pred = a.astype(dtype), b.astype(dtype)
    assert plain_accuracy(y_true, y_pred) == accuracy_score(y_true, y_pred)


@pytest.mark.parametrize("y_pred", [np.zeros(3), np.zeros((3, 1), int), [0, 0, 0]])
def test_other_predictions_are_left_to_scikit_learn(y_pred):
    assert plain_accuracy(np.zeros(3, int), y_pred) is None


@pytest.mark.parametrize(
    ("scorer", "estimator", "expected"),
    [
        (check_scoring(SVC()), SVC(), True),
        (check_scoring(SVC(), "accuracy"), DummyClassifier(), True),
        (check_scoring(DummyClassifier()), DummyClassifier(), False),  # has a score of its own
        (check_scoring(SVC(), "f1_macro"), SVC(), False),
        (make_scorer(accuracy_score, normalize=False), SVC(), False),
        (make_scorer(accuracy_score, greater_is_better=False), SVC(), False),
        (lambda estimator, X, y: 0.0, SVC(), False),
    ],
)
def test_only_unweighted_accuracy_is_recognised(scorer, estimator, expected):
    assert is_plain_accuracy(scorer, estimator, y, {}) is expected
    assert not is_plain_accuracy(scorer, estimator, y.astype(float), {})
    assert not is_plain_accuracy(scorer, estimator, y, {"sample_weight": y})


@pytest.mark.parametrize("as_given", [list, pd.Series, lambda y: y.astype(object)])
def test_input_is_writable_whatever_the_targets_are(as_given):
    plan = evaluator(WritesIntoItsInput()).plan
    evaluate = Evaluator(dataclasses.replace(plan, y=as_given(y.astype(str))))
    results = [evaluate(Task(i, 0, {"number": i}, seed=0)) for i in range(3)]
    assert all(result.failure is None for result in results)


class WritesThroughTorch(ClassifierMixin, BaseEstimator):
    """Changes its input through torch, which does not see that it is read-only."""

    def __init__(self, number=0):
        self.number = number

    def fit(self, X, y):
        self.classes_, self.mean_ = np.unique(y), float(X.mean())
        sys.modules["torch"].from_numpy(X).sub_(1.0)
        return self

    def score(self, X, y):
        return self.mean_


@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")
def test_candidate_that_writes_through_torch_does_not_change_the_next_one():
    pytest.importorskip("torch")
    evaluate = evaluator(WritesThroughTorch())
    scores = {evaluate(Task(i, 0, {"number": i}, seed=0)).test_scores for i in range(3)}
    assert scores == {float(X[SPLITS[0][0]].mean())}


def test_failure_of_the_training_score_leaves_the_test_score():
    n_train = len(SPLITS[0][0])

    def scorer(estimator, X, y):
        if len(X) == n_train:
            raise ValueError("not on this side")
        return 0.5

    evaluate = evaluator(SVC(), scoring=scorer, return_train_score=True)
    result = evaluate(Task(0, 0, {}, seed=0))
    assert result.test_scores == 0.5 and result.train_scores is None
    assert "not on this side" in result.failure.message
