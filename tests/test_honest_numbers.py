"""How much of a best score is luck: estimates against known truths, and rules that use them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.model_selection import GridSearchCV, ShuffleSplit
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from sklearn_hpt import LogRandomSearchCV
from sklearn_hpt._optimism import bootstrap_optimism, complete_scores, tibshirani_optimism
from sklearn_hpt.diagnostics import OneStandardError, nested_score, selection_optimism

X, y = load_breast_cancer(return_X_y=True)
X, y = X[:200], y[:200]
SPACE = {"C": (1e-2, 1e4, "log-uniform")}
MATRICES = st.integers(2, 6).flatmap(
    lambda k: st.lists(
        st.lists(st.floats(-1, 1), min_size=k, max_size=k), min_size=1, max_size=8
    ).map(np.array)
)


def fitted(**options):
    options = {"n_iter": 12, "cv": 4, "random_state": 0, **options}
    return LogRandomSearchCV(SVC(), SPACE, **options).fit(X, y)


@pytest.mark.parametrize("n_folds", [3, 5, 10])
@pytest.mark.parametrize("spread", [0.0, 0.5, 2.0])
def test_the_correction_removes_most_of_the_bias_where_the_truth_is_known(n_folds, spread):
    """50 candidates whose true scores are known, and noise of 1 in each fold."""
    rng = np.random.default_rng(0)
    bias, left = [], []
    for _ in range(200):
        truth = spread * rng.standard_normal(50) / np.sqrt(n_folds)
        scores = truth[:, None] + rng.standard_normal((50, n_folds)) + rng.standard_normal(n_folds)
        winner = scores.mean(axis=1).argmax()
        of_folds = scores.mean() - truth.mean()  # what all candidates have in common
        bias.append(scores[winner].mean() - truth[winner] - of_folds)
        left.append(bias[-1] - bootstrap_optimism(scores, 100))
    assert np.mean(bias) > 0.3
    if spread < 2.0:
        assert abs(np.mean(left)) < 0.25 * np.mean(bias)
        assert np.mean(np.square(left)) < 0.5 * np.mean(np.square(bias))
    else:  # candidates that differ this much need little correction, and get rather too much
        assert -0.75 * np.mean(bias) < np.mean(left) < 0.25 * np.mean(bias)


def test_tibshirani_on_numbers_worked_by_hand():
    scores = np.array([[0.9, 0.7, 0.8], [0.6, 0.9, 0.7], [0.8, 0.6, 0.9]])
    # means .8, .733, .767; bests of the folds .9, .9, .9; the winner has .9, .7, .8
    assert tibshirani_optimism(scores) == pytest.approx((0.0 + 0.2 + 0.1) / 3)


@given(MATRICES)
@settings(max_examples=60, deadline=None)
def test_laws_of_the_estimates(scores):
    assert tibshirani_optimism(scores) >= -1e-12
    for estimate in (tibshirani_optimism, lambda s: bootstrap_optimism(s, 50)):
        value = estimate(scores)
        folds = np.linspace(-3, 3, scores.shape[1])
        # what a fold adds to all candidates does not choose
        assert tibshirani_optimism(scores + folds) == pytest.approx(
            tibshirani_optimism(scores), abs=1e-9
        )
        assert estimate(2.0 * scores) == pytest.approx(2.0 * value, abs=1e-9)
        assert estimate(scores[[0]]) == pytest.approx(estimate(scores[[0]] + 1.0), abs=1e-9)
    assert tibshirani_optimism(scores[[0]]) == 0.0  # there is nothing to choose


def test_candidates_without_all_scores_do_not_count():
    results = {
        "split0_test_score": [0.1, 0.9, np.nan, 0.2],
        "split1_test_score": [0.3, 0.9, 0.4, 0.2],
        "mean_test_score": [0.2, 0.9, np.nan, 0.2],
        "status": ["complete", "stopped", "complete", "complete"],
    }
    assert complete_scores(results, "score").tolist() == [[0.1, 0.3], [0.2, 0.2]]


def test_searches_of_ours_and_of_scikit_learn_are_read():
    ours = fitted()
    theirs = GridSearchCV(SVC(), {"C": [0.1, 1.0, 10.0]}, cv=4).fit(X, y)
    for search in (ours, theirs):
        found = selection_optimism(search)
        assert found.best_score == pytest.approx(search.best_score_)
        assert found.n_folds == 4
        assert found.corrected <= found.best_score
        assert f"{found.corrected:.4f}" in str(found)
    assert ours.best_score_corrected_ == pytest.approx(selection_optimism(ours).corrected)


def test_one_of_several_metrics_is_the_one_that_refit_names():
    search = fitted(scoring=["accuracy", "f1"], refit="f1")
    assert selection_optimism(search).metric == "f1"
    assert selection_optimism(search, metric="accuracy").metric == "accuracy"
    assert search.best_score_corrected_ == pytest.approx(selection_optimism(search).corrected)
    with pytest.raises(ValueError, match="metric='auc' must be one of .*accuracy, f1"):
        selection_optimism(search, metric="auc")


def test_one_fold_tells_nothing_about_luck():
    search = fitted(cv=ShuffleSplit(1, random_state=0))
    assert np.isnan(search.best_score_corrected_)
    with pytest.raises(ValueError, match="1 fold"):
        selection_optimism(search)


def test_the_only_complete_candidate_of_several_is_not_called_free_of_luck():
    search = fitted(n_iter=1)
    assert search.best_score_corrected_ == search.best_score_
    pruned = fitted(n_iter=12, pruning="asha", resource="n_samples", resources=(0.2, 1.0))
    pruned.cv_results_["status"][np.arange(12) != pruned.best_index_] = "stopped"
    assert np.isnan(pruned.best_score_corrected_)
    with pytest.raises(ValueError, match="Only one candidate of several is complete"):
        selection_optimism(pruned)


def test_a_search_without_a_best_score_has_none_corrected():
    assert not hasattr(LogRandomSearchCV(SVC(), SPACE), "best_score_corrected_")
    assert not hasattr(fitted(refit=lambda results: 0), "best_score_corrected_")


# one standard error


RESULTS = {
    "params": [{"C": 10.0, "k": "b"}, {"C": 1.0, "k": "c"}, {"C": 0.1, "k": "a"}, {"C": 0.01}],
    "split0_test_score": np.array([0.90, 0.88, 0.87, 0.50]),
    "split1_test_score": np.array([0.94, 0.93, 0.91, 0.50]),
    "split2_test_score": np.array([0.92, 0.92, 0.95, 0.50]),
    "mean_test_score": np.array([0.92, 0.91, 0.91, 0.50]),
    "mean_score_time": np.array([3.0, 2.0, 2.5, 0.1]),
}


@pytest.mark.parametrize(
    ("rule", "row"),
    [
        (OneStandardError("mean_score_time"), 1),
        (OneStandardError(simplest={"C": "smallest"}), 2),
        (OneStandardError(simplest={"C": "largest"}), 0),
        (OneStandardError(simplest={"k": ["a", "c", "b"]}), 2),
        (OneStandardError(simplest={"k": ["c", "b", "a"], "C": "smallest"}), 1),
    ],
)
def test_the_simplest_within_a_standard_error_is_chosen(rule, row):
    """The best has scores .90, .94, .92: the standard error of the mean is .0115."""
    assert rule(RESULTS) == row


def test_only_complete_candidates_are_chosen():
    status = np.array(["complete", "stopped", "complete", "complete"])
    assert OneStandardError("mean_score_time")({**RESULTS, "status": status}) == 2


@pytest.mark.parametrize("search_class", [LogRandomSearchCV, GridSearchCV])
def test_it_is_a_refit_of_searches(search_class):
    grid = {"max_depth": list(range(1, 10))}
    rule = OneStandardError(simplest={"max_depth": "smallest"})
    settings = {"n_iter": 9} if search_class is LogRandomSearchCV else {}
    model = DecisionTreeClassifier(random_state=0)
    search = search_class(model, grid, cv=5, refit=rule, **settings).fit(X, y)
    best = search_class(model, grid, cv=5, **settings).fit(X, y)
    assert search.best_params_["max_depth"] <= best.best_params_["max_depth"]
    assert search.best_estimator_.max_depth == search.best_params_["max_depth"]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (OneStandardError("seconds"), "cost='seconds'.*mean_score_time"),
        (OneStandardError(simplest={"D": "smallest"}), "'D', which is not searched.*C, k"),
        (OneStandardError(simplest={"k": "smallest"}), "for numbers"),
        (OneStandardError(simplest={"k": ["a", "b"]}), "no place for 'c'"),
        (OneStandardError("mean_score_time", metric="f1"), "metric='f1'.*score"),
    ],
)
def test_what_it_cannot_do_is_said(rule, message):
    with pytest.raises(ValueError, match=message):
        rule(RESULTS)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "must be told what is simple"),
        ({"cost": "mean_score_time", "simplest": {"C": "smallest"}}, "must be told"),
        ({"simplest": {"C": "small"}}, "must be 'smallest', 'largest' or a list"),
        ({"simplest": {"C": 3}}, "must be 'smallest', 'largest' or a list"),
    ],
)
def test_what_it_does_not_understand_is_said_before_the_search(options, message):
    with pytest.raises(ValueError, match=message):
        OneStandardError(**options)


def test_what_is_no_search_has_no_optimism():
    with pytest.raises(ValueError, match="search=SVC.. must be a fitted search"):
        selection_optimism(SVC())


# nested


def test_the_outer_scores_are_those_of_searches_on_each_training_side():
    X_iris, y_iris = load_iris(return_X_y=True)
    search = LogRandomSearchCV(
        KNeighborsClassifier(),
        {"n_neighbors": (1, 30), "weights": ["uniform", "distance"]},
        n_iter=8,
        cv=3,
        random_state=0,
    )
    folds = [(np.arange(150) % 3 != k, np.arange(150) % 3 == k) for k in range(3)]
    folds = [(np.flatnonzero(train), np.flatnonzero(test)) for train, test in folds]
    nested = nested_score(search, X_iris, y_iris, cv=folds)
    for (train, test), score, best, params in zip(
        folds, nested.scores, nested.best_scores, nested.params, strict=True
    ):
        alone = LogRandomSearchCV(**search.get_params(deep=False)).fit(X_iris[train], y_iris[train])
        assert alone.score(X_iris[test], y_iris[test]) == score
        assert alone.best_score_ == best and alone.best_params_ == params
    assert nested.mean == pytest.approx(nested.scores.mean())
    assert nested.optimism == pytest.approx((nested.best_scores - nested.scores).mean())
    report = str(nested)
    assert "weights: " in report and f"{nested.mean:.4f}" in report


def test_nested_scores_of_a_rule_are_of_the_row_that_it_chose():
    rule = OneStandardError(simplest={"C": "smallest"})
    nested = nested_score(fitted(refit=rule), X, y, cv=3)
    assert np.isfinite(nested.best_scores).all() and np.isnan(nested.corrected_scores).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [({"journal": "here.jsonl"}, "journal='here.jsonl'"), ({"refit": False}, "refit=False")],
)
def test_searches_that_cannot_be_nested_are_refused(options, message):
    search = LogRandomSearchCV(SVC(), SPACE, **options)
    with pytest.raises(ValueError, match=message):
        nested_score(search, X, y)
