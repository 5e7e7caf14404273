"""Searches that buy a resource in small amounts first: pruning and coarse to fine."""

import os
import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import GroupKFold, TimeSeriesSplit, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_hpt import (
    BayesSearchCV,
    CoarseToFineSearchCV,
    LogRandomSearchCV,
    _evaluation,
    read_journal,
)
from sklearn_hpt.exceptions import (
    AllCandidatesFailedError,
    JournalMismatchError,
    SearchStoppedWarning,
)

X, y = load_digits(return_X_y=True)
X, y = X[:480] / 16, y[:480]
FOREST = RandomForestClassifier(18, random_state=0)
FOREST_SPACE = {"max_depth": (1, 12), "max_features": (0.05, 1.0)}


def pruned(estimator=FOREST, space=FOREST_SPACE, **kwargs):
    defaults = {"n_iter": 12, "cv": 3, "random_state": 0, "pruning": "asha"}
    return LogRandomSearchCV(estimator, space, **{**defaults, **kwargs})


def coarse_to_fine(estimator=FOREST, space=FOREST_SPACE, **kwargs):
    defaults = {"n_iter": (8, 5), "n_finalists": 2, "cv": 3, "random_state": 0}
    return CoarseToFineSearchCV(estimator, space, **{**defaults, **kwargs})


def bayes(estimator=FOREST, space=FOREST_SPACE, **kwargs):
    defaults = {"n_iter": 9, "cv": 3, "random_state": 0, "resource": "auto", "n_points": 2}
    return BayesSearchCV(estimator, space, **{**defaults, **kwargs})


SEARCHES = [pruned, coarse_to_fine, bayes]
searches = pytest.mark.parametrize("make", SEARCHES)


def assert_same_results(search, other, *, ignore=()):
    assert search.cv_results_.keys() == other.cv_results_.keys()
    for name, column in search.cv_results_.items():
        if not name.endswith("_time") and name not in ignore:
            np.testing.assert_array_equal(column, other.cv_results_[name], name)
    assert search.best_params_ == other.best_params_


PROBLEMS = {
    "trees": (FOREST, FOREST_SPACE),
    "rows": (SVC(), {"C": (1e-2, 1e3, "log-uniform"), "gamma": (1e-4, 1e0, "log-uniform")}),
    "passes": (
        make_pipeline(PCA(20, random_state=0), MLPClassifier(max_iter=9, random_state=0)),
        {"mlpclassifier__learning_rate_init": (1e-4, 1e-1, "log-uniform")},
    ),
}


@searches
@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("racing", [None, "safe"])
def test_workers_do_not_change_a_search_with_a_resource(make, problem, racing):
    estimator, space = PROBLEMS[problem]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of nets that have not converged
        one, two, four = (
            make(estimator, space, racing=racing, n_jobs=n_jobs).fit(X, y) for n_jobs in (1, 2, 4)
        )
    assert_same_results(one, two, ignore=() if racing is None else ("resource_spent",))
    assert_same_results(one, four, ignore=() if racing is None else ("resource_spent",))
    np.testing.assert_array_equal(one.predict(X), two.predict(X))


@searches
def test_only_candidates_with_the_full_resource_can_win(make):
    search = make().fit(X, y)
    results = search.cv_results_
    complete = results["status"] == "complete"
    np.testing.assert_array_equal(complete, results["resource"] == 18)
    assert results["resource"][search.best_index_] == 18
    assert results["rank_test_score"][search.best_index_] == 1
    assert results["rank_test_score"][complete].max() < results["rank_test_score"][~complete].min()
    assert search.best_score_ == results["mean_test_score"][complete].max()
    np.testing.assert_array_equal(results["param_n_estimators"], results["resource"])
    assert all("n_estimators" in error for error in results["error"][~complete])


@searches
def test_refit_has_the_full_resource_and_the_parameters_say_so(make):
    search = make().fit(X, y)
    assert search.best_params_["n_estimators"] == 18
    plain = clone(FOREST).set_params(**search.best_params_).fit(X, y)
    np.testing.assert_array_equal(search.predict_proba(X), plain.predict_proba(X))


@searches
def test_going_on_saves_what_was_spent_before(make):
    search = make().fit(X, y)
    results = search.cv_results_
    for spent, resource, curve in zip(
        results["resource_spent"], results["resource"], results["learning_curve"], strict=True
    ):
        assert spent == resource == curve[-1][0]
    anew = sum(amount for curve in results["learning_curve"] for amount, _ in curve)
    assert search.resource_saved_ == anew - results["resource_spent"].sum() > 0


@searches
def test_training_anew_gives_what_going_on_gives(make, monkeypatch):
    went_on = make().fit(X, y)
    monkeypatch.setattr(_evaluation, "load_state", lambda path: None)
    anew = make().fit(X, y)
    assert anew.resource_saved_ == 0 < went_on.resource_saved_
    assert_same_results(went_on, anew, ignore=("resource_spent",))


@searches
def test_states_are_gone_after_the_search(make, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    make().fit(X, y)
    make(journal=tmp_path / "journal").fit(X, y)
    assert os.listdir(tmp_path) == ["journal"]


@searches
def test_learning_curve_ends_with_the_score_of_the_row(make):
    results = make().fit(X, y).cv_results_
    for curve, mean in zip(results["learning_curve"], results["mean_test_score"], strict=True):
        amounts = [amount for amount, _ in curve]
        assert amounts == sorted(set(amounts))
        assert curve[-1][1] == pytest.approx(mean, abs=1e-12)


@searches
def test_finished_search_is_read_from_its_journal(make, tmp_path):
    path = tmp_path / "journal"
    search = make(journal=path).fit(X, y)
    again = make(journal=path, resume="must", n_jobs=2).fit(X, y)
    assert_same_results(search, again)
    results = read_journal(path)
    for name in ("status", "resource", "mean_test_score", "rank_test_score", "learning_curve"):
        np.testing.assert_array_equal(results[name], search.cv_results_[name], name)


@searches
def test_search_cut_anywhere_goes_on_to_the_same_end(make, tmp_path):
    path = tmp_path / "journal"
    search = make(journal=path, racing="safe").fit(X, y)
    lines = path.read_bytes().splitlines(keepends=True)
    for n_lines in (3, len(lines) // 3, 2 * len(lines) // 3, len(lines) - 2):
        path.write_bytes(b"".join(lines[:n_lines]))
        again = make(journal=path, resume="must", racing="safe").fit(X, y)
        assert_same_results(search, again, ignore=("resource_spent",))


@searches
def test_other_number_of_candidates_is_another_search(make, tmp_path):
    make(journal=tmp_path / "journal").fit(X, y)
    with pytest.raises(JournalMismatchError, match="n_iter"):
        make(journal=tmp_path / "journal", n_iter=20).fit(X, y)


class Recorded(ClassifierMixin, BaseEstimator):
    """Keeps the rows that it was fitted on, in a file of each fit."""

    def __init__(self, folder=None, value=0.0):
        self.folder = folder
        self.value = value

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        name = f"{len(os.listdir(self.folder))}-{self.value}"
        with open(os.path.join(self.folder, name), "wb") as file:
            pickle.dump(X[:, 0].astype(int), file)
        return self

    def predict(self, X):
        return np.where(X[:, 1] > self.value, self.classes_[-1], self.classes_[0])


def fitted_on(folder):
    return [
        pickle.loads((folder / name).read_bytes())
        for name in sorted(os.listdir(folder), key=lambda name: int(name.split("-")[0]))
    ]


@searches
@pytest.mark.parametrize("racing", [None, "safe"])
def test_no_row_after_the_split_is_trained_on(make, racing, tmp_path):
    rng = np.random.default_rng(0)
    n_rows, cv = 300, TimeSeriesSplit(4)
    rows = np.column_stack([np.arange(n_rows), rng.normal(size=n_rows)])
    labels = (rows[:, 1] > 0.3).astype(int)
    search = make(
        Recorded(str(tmp_path)),
        {"value": (-2.0, 2.0)},
        cv=cv,
        resource="n_samples",
        resources=(0.1, 0.5, 1.0),
        racing=racing,
        refit=False,
    )
    search.fit(rows, labels)
    ends = [train[-1] for train, _ in cv.split(rows)]
    amounts = set()
    for fitted in fitted_on(tmp_path):
        assert fitted[-1] in ends, "the most recent row before a split is always there"
        np.testing.assert_array_equal(fitted, np.arange(fitted[0], fitted[-1] + 1))
        amounts.add(len(fitted))
    assert len(amounts) > 2


def test_groups_stay_whole_and_classes_stay_in_proportion(tmp_path):
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 30, size=600)
    rows = np.column_stack([np.arange(600), rng.normal(size=600)])
    labels = (np.arange(600) % 3 == 0).astype(int)
    pruned(
        Recorded(str(tmp_path)),
        {"value": (-2.0, 2.0)},
        cv=GroupKFold(3),
        resource="n_samples",
        resources=(0.25, 1.0),
        n_iter=3,
    ).fit(rows, labels, groups=groups)
    for fitted in fitted_on(tmp_path):
        inside = np.isin(np.arange(600), fitted)
        for group in range(30):
            assert len(np.unique(inside[groups == group])) == 1
    for name in os.listdir(tmp_path):
        os.remove(tmp_path / name)
    pruned(
        Recorded(str(tmp_path)),
        {"value": (-2.0, 2.0)},
        resource="n_samples",
        resources=(30, 1.0),
        n_iter=3,
    ).fit(rows, labels)
    small = [fitted for fitted in fitted_on(tmp_path) if len(fitted) == 30]
    assert small and all(labels[fitted].sum() == 10 for fitted in small)


@searches
def test_regression_and_error_metrics(make):
    Xd, yd = load_diabetes(return_X_y=True)
    search = make(
        HistGradientBoostingRegressor(max_iter=18, random_state=0),
        {"learning_rate": (0.01, 1.0, "log-uniform"), "max_leaf_nodes": (2, 31)},
        scoring="neg_mean_absolute_error",
    ).fit(Xd, yd)
    assert search.resource_ == "max_iter" and search.best_params_["max_iter"] == 18


@searches
def test_several_metrics(make):
    search = make(scoring=["accuracy", "f1_macro"], refit="f1_macro").fit(X, y)
    results = search.cv_results_
    assert results["rank_test_f1_macro"][search.best_index_] == 1
    assert results["rank_test_accuracy"].min() == 1
    row = search.best_index_
    curve = results["learning_curve"][row]
    assert curve[-1][1] == pytest.approx(results["mean_test_f1_macro"][row], abs=1e-12)


class Slow(GaussianNB):
    def __init__(self, *, priors=None, var_smoothing=1e-9, n_steps=8):
        super().__init__(priors=priors, var_smoothing=var_smoothing)
        self.n_steps = n_steps

    def fit(self, X, y):
        import time

        time.sleep(0.02 * self.n_steps)
        return super().fit(X, y)


@searches
def test_timeout_before_anyone_had_all_takes_the_best_of_those_that_had_most(make):
    search = make(
        Slow(n_steps=100),
        {"var_smoothing": (1e-9, 1e2, "log-uniform")},
        resource="n_steps",
        resources=(1, 10, 100) if make is coarse_to_fine else (1, 100),
        n_iter=(10, 10) if make is coarse_to_fine else 30,
        timeout=3.5,  # the start of a worker included
    )
    with pytest.warns(UserWarning, match="timeout"):
        search.fit(X, y)
    results = search.cv_results_
    assert search.stop_reason_ == "timeout"
    assert results["resource"][search.best_index_] < 100
    assert search.best_params_["n_steps"] == search.best_estimator_.n_steps == 100


class BetterWithLittle(GaussianNB):
    def __init__(self, *, priors=None, var_smoothing=1e-9, n_steps=9, harm=0.0):
        super().__init__(priors=priors, var_smoothing=var_smoothing)
        self.n_steps = n_steps
        self.harm = harm

    def score(self, X, y):
        return 1.0 - self.harm * self.n_steps + self.var_smoothing


@pytest.mark.parametrize("harm", [0.0, 0.01])
def test_stopped_candidates_that_were_ahead_of_the_winner_are_told(harm):
    search = LogRandomSearchCV(
        BetterWithLittle(harm=harm),
        {"var_smoothing": (1e-9, 1e-3)},
        n_iter=9,
        pruning="asha",
        resource="n_steps",
        resources=(1, 9),
        random_state=0,
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        search.fit(X, y)
    told = [str(one.message) for one in caught if "ahead of the winner" in str(one.message)]
    assert len(told) == (harm > 0)
    assert all("with n_steps=1, the winner" in text for text in told)


class FailsWithMore(GaussianNB):
    def __init__(self, *, priors=None, var_smoothing=1e-9, n_steps=9, most=9):
        super().__init__(priors=priors, var_smoothing=var_smoothing)
        self.n_steps = n_steps
        self.most = most

    def fit(self, X, y):
        if self.n_steps > self.most:
            raise ValueError("it diverged")
        return super().fit(X, y)


@searches
def test_candidate_that_fails_later_is_a_failed_row_and_another_wins(make):
    space = {"most": [1, 3, 9], "var_smoothing": (1e-9, 1e-3, "log-uniform")}
    with pytest.warns(FitFailedWarning, match="it diverged"):
        search = make(FailsWithMore(), space, resource="n_steps").fit(X, y)
    assert search.best_params_["most"] == 9
    failed = search.cv_results_["status"] == "failed"
    assert failed.any() and "it diverged" in search.cv_results_["error"][failed][0]


@searches
def test_all_failing_raises(make):
    with pytest.raises(AllCandidatesFailedError):
        make(FailsWithMore(most=0), {"var_smoothing": (0.0, 1.0)}, resource="n_steps").fit(X, y)


BAD = {
    "unknown name": ({"resource": "n_trees"}, "resource='n_trees' is not a parameter"),
    "no number": ({"resource": "criterion"}, "resource='criterion' cannot be spent"),
    "searched": ({"resource": "max_depth"}, "resource='max_depth' is searched too"),
    "decreasing": ({"resources": (9, 3, 18)}, "must not decrease"),
    "none": ({"resources": ()}, "must (have|hold)"),
    "zero": ({"resources": (0, 9, 18)}, "0 must be a whole number of at least 1"),
    "fraction": ({"resources": (0.1, 0.5, 1.5)}, "1.5 must be a whole number"),
    "text": ({"resources": ("a", "b", "c")}, "'a' must be a whole number"),
}


MODELS = Pipeline([("scale", StandardScaler()), ("clf", FOREST)])


@searches
def test_models_that_are_searched_are_each_as_they_are(make):
    choices = [FOREST, SVC(C=10), GradientBoostingClassifier(n_estimators=20, random_state=0)]
    for space in ({"clf": choices}, [{"clf": choices[:2]}, {"clf": choices[2:]}]):
        search = make(MODELS, space, n_iter=(3, 3) if make is coarse_to_fine else 3).fit(X, y)
        assert search.resource_ == "n_samples"
        assert set(search.cv_results_["status"]) <= {"complete", "stopped"}
        for params, score, status in zip(
            *(search.cv_results_[k] for k in ("params", "mean_test_score", "status")), strict=True
        ):
            if status == "complete":
                plain = clone(MODELS).set_params(**clone(params, safe=False))
                assert score == pytest.approx(cross_val_score(plain, X, y, cv=3).mean())


@searches
@pytest.mark.parametrize(
    ("space", "resource", "message"),
    [
        ([FOREST, SVC()], "n_estimators", r"'clf__n_estimators' is no parameter of SVC\(\)"),
        (
            [FOREST, RandomForestClassifier(60)],
            "n_estimators",
            r"is 18, but 60 in .* in whole numbers",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:The total space")
def test_resource_that_some_models_have_not_is_refused(make, space, resource, message):
    with pytest.raises(ValueError, match=message):
        make(MODELS, {"clf": space}, resource=resource).fit(X, y)
    amounts = (2, 6, 18) if make is coarse_to_fine else (6, 18)
    both = {"clf": [FOREST, ExtraTreesClassifier(random_state=0)]}
    search = make(MODELS, both, resource="n_estimators", resources=amounts)
    search.set_params(n_iter=(2, 2) if make is coarse_to_fine else 2).fit(X, y)
    assert search.best_params_["clf__n_estimators"] == 18


@searches
@pytest.mark.parametrize("max_iter", [(5, 20), [5, 10, 20]])
def test_resource_of_its_own_choice_is_never_searched(make, max_iter):
    search = make(
        HistGradientBoostingClassifier(random_state=0),
        {"max_iter": max_iter, "max_leaf_nodes": (2, 9)},
        n_iter=(3, 2) if make is coarse_to_fine else 3,
    )
    assert search.fit(X, y > 4).resource_ == "n_samples"


def test_passes_stop_by_tol_or_are_not_the_resource():
    sgd = coarse_to_fine(SGDClassifier(random_state=0), {"alpha": (1e-6, 1.0, "log-uniform")})
    assert sgd.fit(X, y).resource_ == "n_samples"
    plain = cross_val_score(clone(sgd.estimator).set_params(**sgd.best_params_), X, y, cv=3)
    assert sgd.best_score_ == pytest.approx(plain.mean())
    mlp = MLPClassifier((8,), max_iter=200, n_iter_no_change=2, tol=0.05, random_state=0)
    search = coarse_to_fine(mlp, {"alpha": (1e-6, 1.0, "log-uniform")}, n_iter=(3, 2)).fit(X, y)
    assert search.resource_ == "max_iter"
    assert search.best_estimator_.n_iter_ < 150, "it stops as it does in fit"


@searches
@pytest.mark.parametrize("refit", [False, lambda results: 0])
def test_several_metrics_of_which_none_decides_are_refused(make, refit):
    with pytest.raises(ValueError, match="several metrics needs to know which one decides"):
        make(scoring=["accuracy", "neg_log_loss"], refit=refit).fit(X, y)


def test_pruning_that_prunes_nothing_is_said():
    few = X[:240], y[:240]
    for resource in (None, "n_samples"):
        search = pruned(GaussianNB(), {"var_smoothing": (0.0, 1.0)}, resource=resource, n_iter=3)
        with pytest.warns(UserWarning, match="pruning='asha' has no effect here"):
            search.fit(*few)
    search = pruned(
        GaussianNB(), {"var_smoothing": (0.0, 1.0)}, resources=(40, 80, 999), resource="n_samples"
    )
    assert [a for a, _ in max(search.fit(*few).cv_results_["learning_curve"], key=len)] == [
        40,
        80,
        160,
    ]


def test_amounts_of_no_resource_are_refused():
    with pytest.raises(ValueError, match=r"resources=\(0.1, 0.5, 1.0\) are amounts of a resource"):
        coarse_to_fine(resource=None, resources=(0.1, 0.5, 1.0)).fit(X, y)


@pytest.mark.parametrize("n_iter", [[[6, 4]], True, ["a"], [3, 0]])
def test_rounds_that_are_none_are_refused(n_iter):
    with pytest.raises(ValueError, match="n_iter=.* must hold the number of evaluations"):
        coarse_to_fine(n_iter=n_iter).fit(X, y)


def test_rows_that_are_not_there_are_not_counted():
    search = pruned(
        GaussianNB(),
        {"var_smoothing": (0.0, 1.0)},
        cv=TimeSeriesSplit(4),
        resource="n_samples",
        resources=(50, 384),
        n_iter=3,
    ).fit(X, y)
    # 480 rows in five parts of 96: 50 rows on each fold, and then all of the past
    complete = search.cv_results_["status"] == "complete"
    past = np.mean([96, 192, 288, 384])
    np.testing.assert_array_equal(search.cv_results_["resource_spent"][complete], 50 + past)
    assert search.resource_saved_ == 0.0


class StopsAfter:
    def __init__(self, n):
        self.n = n

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        self.n -= context.task_name == "candidate-split-evaluation"
        return self.n <= 0

    def teardown(self, estimator, context):
        pass


def test_end_by_a_callback_counts_candidates_once():
    stops = StopsAfter(20)
    search = pruned(n_iter=12).set_callbacks(stops)
    with pytest.warns(SearchStoppedWarning, match="with 0 of [5-7] candidates complete"):
        search.fit(X, y)


@searches
@pytest.mark.parametrize("what", BAD)
def test_wrong_resource_is_refused_before_anything_is_trained(make, what):
    kwargs, message = BAD[what]
    with pytest.raises(ValueError, match=message):
        make(**kwargs).fit(X, y)


def test_resource_without_a_known_amount_is_refused():
    with pytest.raises(ValueError, match=r"resource='max_depth' has the value None"):
        pruned(FOREST, {"max_features": (0.05, 1.0)}, resource="max_depth").fit(X, y)
    space = {"max_features": (0.05, 1.0)}
    search = pruned(FOREST, space, resource="max_depth", resources=(1, 4, 12)).fit(X, y)
    assert search.best_params_["max_depth"] == 12


def test_amounts_for_each_round_and_the_finalists():
    with pytest.raises(ValueError, match="must have 3 amounts"):
        coarse_to_fine(resources=(3, 18)).fit(X, y)


@pytest.mark.parametrize("name", ["resource", "resources"])
def test_resource_without_pruning_is_refused(name):
    value = {"resource": "n_estimators", "resources": (3, 18)}[name]
    with pytest.raises(ValueError, match=f"{name}=.* pruning"):
        pruned(pruning=None, **{name: value}).fit(X, y)


def test_rounds_tell_what_was_done():
    search = coarse_to_fine().fit(X, y)
    rounds = search.rounds_
    assert [one.n_done for one in rounds] == [8, 5, 2]
    assert [one.resource for one in rounds] == [2, 6, 18]
    assert rounds[-1].best_score == search.best_score_
    text = repr(rounds)
    assert "finalists" in text and "max_features" in text
    assert max(map(len, text.splitlines())) <= 100
    small, parent = rounds[1].box["max_features"], rounds[0].box["max_features"]
    assert parent.low <= small.low < small.high <= parent.high


def test_number_of_candidates_is_split_into_four_rounds():
    search = coarse_to_fine(n_iter=31, n_finalists=2, resources=None).fit(X, y)
    full = search.rounds_[-1].resource
    ninth, third = round(full / 9), round(full / 3)
    assert [one.n_done for one in search.rounds_] == [15, 10, 3, 3]
    assert [one.resource for one in search.rounds_] == [ninth, third, full, full]
    assert search.rounds_[3].box != search.rounds_[2].box
    single = coarse_to_fine(n_iter=1, n_finalists=1, resources=None).fit(X, y)
    assert [(one.n_done, one.resource) for one in single.rounds_] == [(1, third), (1, full)]


def test_tiers_tune_one_group_of_parameters_after_the_other():
    search = coarse_to_fine(
        SGDClassifier(max_iter=9, random_state=0, tol=None),
        {"alpha": (1e-6, 1e0, "log-uniform"), "l1_ratio": (0.0, 1.0), "penalty": ["elasticnet"]},
        tiers=[["alpha"], ["l1_ratio", "penalty"]],
        n_iter=(10, 6),
    ).fit(X, y)
    tiers = [one.tier for one in search.rounds_]
    assert tiers[0] == ("alpha",) and ("l1_ratio", "penalty") in tiers
    first = list(search.cv_results_["params"][: search.rounds_[0].n_done])
    assert {p["l1_ratio"] for p in first} == {0.15}, "the default of the estimator"


def test_small_data_and_no_resource_of_its_own_means_full_evaluations():
    Xc, yc = load_breast_cancer(return_X_y=True)
    search = coarse_to_fine(GaussianNB(), {"var_smoothing": (1e-9, 1e2, "log-uniform")})
    search.fit(Xc[:200], yc[:200])
    assert not hasattr(search, "resource_")
    assert [one.resource for one in search.rounds_] == [None, None]
    assert "resource" not in search.cv_results_


def test_finite_space_ends_early():
    search = coarse_to_fine(space={"max_depth": [1, 2, 3]}, n_iter=(10, 10)).fit(X, y)
    assert len(search.cv_results_["params"]) == 3
    assert search.stop_reason_ == "exhausted"


@searches
def test_results_with_a_resource_start_another_search(make):
    earlier = make().fit(X, y)
    for source in (earlier, earlier.cv_results_):
        with pytest.warns(UserWarning, match="results of warm_start_from are not used"):
            later = LogRandomSearchCV(
                FOREST, FOREST_SPACE, n_iter=2, cv=3, random_state=1, warm_start_from=source
            ).fit(X, y)
        first = later.cv_results_["params"][0]
        assert first == {k: v for k, v in earlier.best_params_.items() if k != "n_estimators"}


class NoState(RegressorMixin, BaseEstimator):
    """Cannot be continued: it is fitted anew with each amount."""

    def __init__(self, alpha=1.0, n_steps=9):
        self.alpha = alpha
        self.n_steps = n_steps

    def fit(self, X, y):
        self.mean_ = np.mean(y) * (1 - 1 / self.n_steps) * self.alpha
        return self

    def predict(self, X):
        return np.full(len(X), self.mean_)


@searches
def test_any_parameter_can_be_the_resource(make):
    Xd, yd = load_diabetes(return_X_y=True)
    search = make(NoState(), {"alpha": (0.1, 2.0)}, resource="n_steps").fit(Xd, yd)
    assert search.resource_saved_ == 0
    curves = search.cv_results_["learning_curve"]
    spent = search.cv_results_["resource_spent"]
    assert [sum(amount for amount, _ in curve) for curve in curves] == list(spent)


def test_shared_first_steps_change_nothing_in_any_of_it():
    estimator, space = PROBLEMS["rows"]
    pipeline = make_pipeline(PCA(random_state=0), estimator)
    space = {f"svc__{name}": values for name, values in space.items()}
    space["pca__n_components"] = [5, 10, 20]
    for make in SEARCHES:
        plain, cached, cached_in_workers = (
            make(pipeline, space, racing="fast", **kwargs).fit(X, y)
            for kwargs in (
                {},
                {"cache_pipeline_prefix": True},
                {"cache_pipeline_prefix": True, "n_jobs": 2},
            )
        )
        assert plain.resource_ == "n_samples"
        assert_same_results(plain, cached)
        assert_same_results(plain, cached_in_workers)


@pytest.mark.slow
def test_net_goes_on_where_it_was():
    torch = pytest.importorskip("torch")
    skorch = pytest.importorskip("skorch")

    class Net(torch.nn.Module):
        def __init__(self, n_units=8, p=0.2):
            super().__init__()
            self.layers = torch.nn.Sequential(
                torch.nn.Linear(64, n_units),
                torch.nn.BatchNorm1d(n_units),
                torch.nn.ReLU(),
                torch.nn.Dropout(p),
                torch.nn.Linear(n_units, 10),
            )

        def forward(self, X):
            return self.layers(X)

    net = skorch.NeuralNetClassifier(
        Net,
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        max_epochs=9,
        train_split=None,
        verbose=0,
    )
    space = {"lr": (1e-4, 1e-1, "log-uniform"), "module__n_units": (8, 32)}
    for make in SEARCHES:
        one, two = (make(net, space, n_iter=6, n_jobs=n_jobs).fit(X, y) for n_jobs in (1, 2))
        assert one.resource_ == "max_epochs" and one.resource_saved_ > 0
        assert_same_results(one, two)
        np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))
        assert len(one.best_estimator_.history) == 9
