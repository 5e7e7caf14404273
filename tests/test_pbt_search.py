"""Population-based training as a search."""

import json
import os
import pathlib
import pickle

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_digits
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, Perceptron, Ridge, SGDClassifier
from sklearn.model_selection import GroupKFold, ShuffleSplit, StratifiedKFold, TimeSeriesSplit
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hpt import PBTSearchCV, _resources, read_journal
from sklearn_hpt._prefix_cache import PrefixCache
from sklearn_hpt.ensemble import fold_ensemble
from sklearn_hpt.samplers import PopulationSampler
from sklearn_hpt.schedule import Schedule, replay_schedule
from sklearn_hpt.steppers import Stepper

X, Y = (part[:300] for part in load_digits(return_X_y=True))
X = X / 16.0
SPACE = {
    "mlpclassifier__learning_rate_init": (1e-5, 1e-1, "log-uniform"),
    "mlpclassifier__alpha": (1e-6, 1e1, "log-uniform"),
    "mlpclassifier__hidden_layer_sizes": [(8,), (16,)],
}
MODEL = make_pipeline(StandardScaler(), MLPClassifier(max_iter=8))
SETTINGS = {"population_size": 4, "n_generations": 4, "burn_in": 0, "cv": 2, "random_state": 0}


def search(**settings):
    return PBTSearchCV(MODEL, SPACE, **{**SETTINGS, **settings})


@pytest.fixture(scope="module")
def fitted():
    return search().fit(X, Y)


def assert_equal_searches(one, other):
    for name, column in one.population_history_.items():
        assert list(map(str, column)) == list(map(str, other.population_history_[name])), name
    assert one.best_params_ == other.best_params_
    assert one.best_schedule_ == other.best_schedule_
    np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))


def test_members_train_on_in_equal_steps(fitted):
    history = fitted.population_history_
    assert history["resource"].tolist() == [2] * 4 + [4] * 4 + [6] * 4 + [8] * 4
    assert history["member"].tolist() == [0, 1, 2, 3] * 4
    assert (history["parent"][:4] == -1).all() and (history["parent"][4:] >= 0).all()
    assert (history["parent"] != history["member"])[4:].sum() >= 3  # one copies in each generation


def test_what_cannot_change_goes_with_the_training_that_is_copied(fitted):
    history, name = fitted.population_history_, "mlpclassifier__hidden_layer_sizes"
    for row in range(4, 16):
        parent = 4 * (history["generation"][row] - 1) + history["parent"][row]
        assert history["params"][row][name] == history["params"][parent][name]


def test_the_best_row_is_the_best_score_of_all_generations(fitted):
    history = fitted.population_history_
    assert fitted.best_score_ == np.max(history["mean_test_score"])
    assert fitted.best_score_ == fitted.cv_results_["mean_test_score"][fitted.best_index_]
    assert len(fitted.cv_results_["params"]) == 4
    assert set(fitted.cv_results_["status"]) == {"complete"}
    assert fitted.cv_results_["rank_test_score"][fitted.best_index_] == 1


def test_no_correction_is_made_up_for_choices_that_it_does_not_see(fitted):
    assert np.isnan(fitted.best_score_corrected_)
    assert "luck" not in fitted._repr_html_()
    assert not hasattr(search(), "best_score_corrected_")


def test_the_schedule_is_that_of_the_ancestors(fitted):
    history, rows = fitted.population_history_, []
    row = int(np.argmax(history["mean_test_score"]))
    while row >= 0:
        rows.insert(0, row)
        parent = history["parent"][row]
        row = -1 if parent < 0 else 4 * (history["generation"][row] - 1) + parent
    assert list(fitted.best_schedule_.params) == [history["params"][row] for row in rows]
    assert fitted.best_schedule_.amounts == tuple(history["resource"][rows])
    assert fitted.best_params_["mlpclassifier__max_iter"] == fitted.best_schedule_.amounts[-1]


def test_the_refit_is_a_replay_of_the_schedule(fitted):
    schedule = Schedule.from_json(fitted.best_schedule_.to_json())
    replayed = replay_schedule(MODEL, schedule, X, Y, random_state=0)
    np.testing.assert_array_equal(replayed.predict_proba(X), fitted.predict_proba(X))


def test_the_number_of_workers_changes_nothing(fitted):
    assert_equal_searches(search(n_jobs=2).fit(X, Y), fitted)


class CountedScaler(StandardScaler):
    fits = []

    def fit(self, X, y=None, sample_weight=None):
        self.fits.append((len(X), self.with_mean))
        return super().fit(X, y, sample_weight)


@pytest.fixture
def counted(monkeypatch):
    monkeypatch.setattr(CountedScaler, "fits", [])
    return make_pipeline(CountedScaler(), MLPClassifier(max_iter=8))


def test_first_steps_are_fitted_once_for_each_fold(counted, fitted):
    one = PBTSearchCV(counted, SPACE, **SETTINGS).fit(X, Y)
    assert [n for n, _ in CountedScaler.fits] == [150, 150, 300]  # the last one is the refit
    assert_equal_searches(one, fitted)


def test_first_steps_that_are_fitted_again_change_nothing(counted, fitted, monkeypatch):
    monkeypatch.setattr(PrefixCache, "put", lambda self, key, kept: None)
    one = PBTSearchCV(counted, SPACE, **SETTINGS).fit(X, Y)
    assert len(CountedScaler.fits) > 30
    assert_equal_searches(one, fitted)


def test_members_share_first_steps_with_equal_hyperparameters_only(counted):
    space = {**SPACE, "countedscaler__with_mean": [True, False]}
    one = PBTSearchCV(counted, space, **SETTINGS, refit=False).fit(X, Y)
    tried = {p["countedscaler__with_mean"] for p in one.population_history_["params"]}
    assert tried == {True, False}
    assert sorted(CountedScaler.fits) == [(150, False)] * 2 + [(150, True)] * 2


def test_a_scorer_that_looks_at_the_steps_sees_those_of_its_fold(counted):
    def centre(estimator, X, y):
        return float(abs(estimator[0].mean_).sum())

    one = PBTSearchCV(counted, SPACE, **SETTINGS, scoring=centre, refit=False).fit(X, Y)
    of_folds = [
        abs(StandardScaler().fit(X[train]).mean_).sum()
        for train, _ in StratifiedKFold(2).split(X, Y)
    ]
    for fold, expected in enumerate(of_folds):
        np.testing.assert_allclose(one.cv_results_[f"split{fold}_test_score"], expected)


def test_scores_are_those_of_training_with_the_lineage_on_each_fold(fitted):
    """Fold k of a member has only ever seen the training side of fold k."""
    schedule = fitted.best_schedule_
    history = fitted.population_history_
    best = int(np.argmax(history["mean_test_score"]))
    for fold, (train, test) in enumerate(StratifiedKFold(2).split(X, Y)):
        alone = replay_schedule(MODEL, schedule, X[train], Y[train], random_state=0)
        assert alone.score(X[test], Y[test]) == history[f"split{fold}_test_score"][best]


class WatchedMLP(MLPClassifier):
    """Refuses nothing, but cannot be trained on: it is not scikit-learn's own class."""


@pytest.mark.parametrize(
    ("model", "space", "message"),
    [
        (LogisticRegression(), {"C": (0.1, 1.0)}, "trains each member on from where it is"),
        (WatchedMLP(), {"alpha": (0.1, 1.0)}, "trains each member on from where it is"),
        (SGDClassifier(), {"alpha": (1e-6, 1.0)}, "with tol=None"),
        (
            MLPClassifier(),
            {"hidden_layer_sizes": [(3,), (4,)]},
            "nothing that can change while MLPClassifier is trained; what can: alpha",
        ),
    ],
)
def test_what_it_cannot_train_is_said_before_it_trains(model, space, message):
    with pytest.raises(ValueError, match=message):
        PBTSearchCV(model, space).fit(X, Y)


class Watched(BaseEstimator):
    """Remembers every row that its training has ever seen, and is scored by rows it has not."""

    def __init__(self, rate=0.1, n_steps=20):
        self.rate = rate
        self.n_steps = n_steps

    def fit(self, rows, y=None):
        raise NotImplementedError("it is trained by its stepper")

    def score(self, rows, y=None):
        assert not self.seen_ & set(rows[:, 0]), "it is scored on rows that it was trained with"
        return -abs(self.level_ - 0.3)


class Watching(Stepper):
    def resource(self, model):
        return "n_steps"

    def mutable_names(self, model):
        return {"rate"}

    def init(self, model, X, y):
        model.seen_, model.level_ = set(), 0.0

    def step(self, model, X, y, begin, end):
        model.seen_ |= set(X[:, 0])
        model.level_ += model.rate * (end - begin)


def test_no_state_is_ever_scored_on_rows_that_it_has_seen():
    """20 generations, in which states are copied all the time; a score that raises is a failure."""
    found = PBTSearchCV(
        Watched(),
        {"rate": (-1.0, 1.0)},
        stepper=Watching(),
        population_size=8,
        n_generations=20,
        burn_in=0,
        cv=ShuffleSplit(3, random_state=0),
        error_score="raise",
        refit=False,
        random_state=0,
    ).fit(np.arange(40.0)[:, None])
    history = found.population_history_
    assert (history["parent"] != history["member"])[8:].sum() >= 19 * 2
    assert np.isfinite(history["mean_test_score"]).all()


def test_labels_without_a_meaning_are_not_learned():
    rng = np.random.default_rng(0)
    noise, labels = rng.normal(size=(240, 20)), rng.permutation(np.arange(240) % 2)
    found = PBTSearchCV(
        MLPClassifier((32,), max_iter=20, random_state=0),
        {"learning_rate_init": (1e-4, 1e-1, "log-uniform")},
        population_size=6,
        n_generations=20,
        burn_in=0,
        cv=3,
        refit=False,
        random_state=0,
    ).fit(noise, labels)
    scores = found.population_history_["mean_test_score"]
    assert abs(scores.mean() - 0.5) < 3 * 0.5 / np.sqrt(240)  # one score's standard error
    # the best of 120 flatters; a leak would show as scores near 1
    assert found.best_score_ < 0.5 + 4 * 0.5 / np.sqrt(240)


def test_a_member_that_fails_goes_on_from_another():
    space = {
        "learning_rate": (1e-3, 0.5, "log-uniform"),
        "min_samples_leaf": [5, 10],
        "max_bins": [20, 1000],  # the latter is refused by scikit-learn
    }
    with pytest.warns(Warning, match="fits failed"):
        found = PBTSearchCV(
            HistGradientBoostingClassifier(max_iter=4, max_leaf_nodes=4),
            space,
            population_size=4,
            n_generations=2,
            cv=2,
            random_state=0,
        ).fit(X, Y)
    history = found.population_history_
    bins = [params["max_bins"] for params in history["params"]]
    assert 1000 in bins[:4] and 20 in bins[:4]
    assert 1000 not in bins[4:]
    assert np.isfinite(history["mean_test_score"][4:]).all()


def test_groups_weights_and_several_metrics():
    groups = np.arange(300) % 10
    found = PBTSearchCV(
        SGDClassifier(loss="log_loss", max_iter=4, tol=None),
        {"alpha": (1e-6, 1e0, "log-uniform")},
        population_size=3,
        n_generations=2,
        scoring=["accuracy", "neg_log_loss"],
        refit="neg_log_loss",
        cv=GroupKFold(3),
        random_state=0,
    ).fit(X, Y, groups=groups, sample_weight=np.ones(300))
    assert found.best_score_ == max(found.cv_results_["mean_test_neg_log_loss"])
    assert found.best_score_ == max(found.population_history_["mean_test_score"])
    assert found.best_estimator_.max_iter == found.best_params_["max_iter"]


def test_a_search_that_was_cut_off_goes_on_where_it_was(tmp_path, fitted):
    journal = tmp_path / "search.jsonl"
    search(journal=journal).fit(X, Y)
    lines = journal.read_text().splitlines(keepends=True)
    for share in (0.3, 0.6, 0.9):
        cut = tmp_path / f"cut{share}.jsonl"
        cut.write_text("".join(lines[: int(share * len(lines))]))
        assert_equal_searches(search(journal=cut).fit(X, Y), fitted)


def test_a_journal_shows_the_rows_of_the_search(tmp_path):
    journal = tmp_path / "search.jsonl"
    found = search(journal=journal).fit(X, Y)
    read = read_journal(journal)
    np.testing.assert_array_equal(read["mean_test_score"], found.cv_results_["mean_test_score"])
    assert not pathlib.Path(f"{journal}.states").exists()


def test_no_more_states_are_kept_than_the_next_generation_needs(tmp_path, monkeypatch):
    most, folder = 0, tmp_path / "search.jsonl.states"
    saved = _resources.save_state

    def save(estimator, path):
        nonlocal most
        saved(estimator, path)
        most = max(most, len(os.listdir(folder)))

    monkeypatch.setattr("sklearn_hpt._evaluation.save_state", save)
    search(journal=tmp_path / "search.jsonl", n_generations=8).fit(X, Y)
    assert most == 2 * 4 * 2  # two generations of four members with two folds


def test_the_sampler_is_the_public_one(fitted):
    sampler = PopulationSampler(
        {name.rpartition("__")[2]: values for name, values in SPACE.items()},
        (2, 4, 6, 8),
        population_size=4,
        random_state=0,
    )
    first = [sampler.ask().params for _ in range(4)]
    of_search = fitted.population_history_["params"][:4]
    assert [p["alpha"] for p in first] == [p["mlpclassifier__alpha"] for p in of_search]


def test_it_is_cloned_and_printed_like_any_search():
    assert clone(search()).get_params()["population_size"] == 4
    assert json.loads(search().fit(X, Y).best_schedule_.to_json())["resource"]


# initial members


def test_the_first_members_are_those_that_are_given():
    known = [{"alpha": 1e-3}, {"alpha": 0.5}]
    found = PBTSearchCV(
        SGDClassifier(max_iter=2, tol=None),
        {"alpha": (1e-6, 1e0, "log-uniform")},
        population_size=3,
        n_generations=2,
        initial_params=known,
        cv=2,
        random_state=0,
    ).fit(X, Y)
    assert found.population_history_["params"][:2].tolist() == known


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([{"alpha": 1e-3}] * 4, "has 4 members"),
        ([{"alpha": 2.0}], "not in the search space"),
        ([{"eta0": 1e-3}], "not in the search space"),
    ],
)
def test_first_members_that_cannot_be_are_refused(given, message):
    model = SGDClassifier(max_iter=2, tol=None)
    space = {"alpha": (1e-6, 1e0, "log-uniform")}
    with pytest.raises(ValueError, match=message):
        PBTSearchCV(model, space, population_size=3, n_generations=2, initial_params=given).fit(
            X, Y
        )


# the ensemble of the folds


def test_an_ensemble_averages_the_models_of_the_folds(fitted):
    found = search(refit="ensemble").fit(X, Y)
    assert found.best_schedule_ == fitted.best_schedule_
    assert found.best_score_ == fitted.best_score_
    of_folds = [
        replay_schedule(MODEL, found.best_schedule_, X[train], Y[train], random_state=0)
        for train, _ in StratifiedKFold(2).split(X, Y)
    ]
    expected = np.mean([model.predict_proba(X) for model in of_folds], axis=0)
    np.testing.assert_array_equal(found.predict_proba(X), expected)
    np.testing.assert_array_equal(found.predict(X), expected.argmax(axis=1))
    assert found.score(X, Y) > 0.9
    assert found.n_features_in_ == 64
    again = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(again.predict(X), found.predict(X))


def test_an_ensemble_survives_that_its_models_are_gone(tmp_path, fitted):
    journal = tmp_path / "search.jsonl"
    once = search(refit="ensemble", journal=journal).fit(X, Y)
    again = search(refit="ensemble", journal=journal).fit(X, Y)  # which trains only the winner
    np.testing.assert_array_equal(once.predict_proba(X), again.predict_proba(X))


def test_only_the_best_states_stay_beside_those_of_two_generations(tmp_path, monkeypatch):
    most, folder = 0, tmp_path / "search.jsonl.states"
    saved = _resources.save_state

    def save(estimator, path):
        nonlocal most
        saved(estimator, path)
        most = max(most, len(os.listdir(folder)))

    monkeypatch.setattr("sklearn_hpt._evaluation.save_state", save)
    settings = {"journal": tmp_path / "search.jsonl", "n_generations": 8, "refit": "ensemble"}
    search(**settings).fit(X, Y)
    assert 2 * 4 * 2 <= most <= 2 * 4 * 2 + 2


def test_an_ensemble_lines_up_the_classes_of_its_models():
    few = LogisticRegression().fit(X[Y < 9], Y[Y < 9])
    rest = LogisticRegression().fit(X[Y > 0], Y[Y > 0])
    both = fold_ensemble([few, rest])
    shares = both.predict_proba(X)
    assert both.classes_.tolist() == list(range(10))
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)
    np.testing.assert_array_equal(shares[:, 0], few.predict_proba(X)[:, 0] / 2)
    np.testing.assert_array_equal(shares[:, 9], rest.predict_proba(X)[:, 8] / 2)


def test_an_ensemble_without_probabilities_votes():
    models = [Perceptron(random_state=k).fit(X[k::3], Y[k::3] + 10) for k in range(3)]
    both = fold_ensemble(models)
    votes = np.stack([model.predict(X) for model in models])
    agree = (votes == votes[0]).all(axis=0)
    assert not hasattr(both, "predict_proba")
    np.testing.assert_array_equal(both.predict(X)[agree], votes[0][agree])


def test_an_ensemble_of_regressors_predicts_their_mean():
    models = [Ridge(alpha).fit(X, np.stack([Y, -Y], axis=1)) for alpha in (0.1, 10.0)]
    expected = np.mean([model.predict(X) for model in models], axis=0)
    np.testing.assert_array_equal(fold_ensemble(models).predict(X), expected)


# rows that the search does not see


def test_the_search_does_not_see_the_rows_that_are_held_out(fitted):
    found = search(holdout=0.25).fit(X, Y)
    held = found.holdout_rows_
    others = np.setdiff1d(np.arange(300), held)
    assert len(held) == 75
    assert abs(np.bincount(Y[held]) - np.bincount(Y) / 4).max() <= 1  # classes in proportion
    alone = search().fit(X[others], Y[others])
    np.testing.assert_array_equal(
        alone.population_history_["mean_test_score"], found.population_history_["mean_test_score"]
    )
    assert found.holdout_score_ == alone.score(X[held], Y[held])
    on_all = replay_schedule(MODEL, found.best_schedule_, X, Y, random_state=0)
    np.testing.assert_array_equal(found.predict_proba(X), on_all.predict_proba(X))


def test_an_ensemble_is_measured_on_what_is_held_out():
    held = np.arange(0, 300, 4)
    found = search(holdout=held, refit="ensemble").fit(X, Y)
    assert found.holdout_rows_.tolist() == held.tolist()
    assert found.holdout_score_ == found.score(X[held], Y[held])


def test_what_is_held_out_keeps_groups_whole_and_time_in_order():
    groups = np.arange(300) // 10
    model, space = SGDClassifier(max_iter=2, tol=None), {"alpha": (1e-6, 1.0, "log-uniform")}
    settings = {"population_size": 2, "n_generations": 2, "random_state": 0, "holdout": 0.2}
    grouped = PBTSearchCV(model, space, cv=GroupKFold(3), **settings).fit(X, Y, groups=groups)
    kept = np.setdiff1d(np.arange(300), grouped.holdout_rows_)
    assert not set(groups[kept]) & set(groups[grouped.holdout_rows_])
    in_time = PBTSearchCV(model, space, cv=TimeSeriesSplit(3), **settings).fit(X, Y)
    assert in_time.holdout_rows_.tolist() == list(range(240, 300))
    assert 0.0 <= in_time.holdout_score_ <= 1.0


@pytest.mark.parametrize("holdout", [1.5, 0.0, [300], [-1], np.arange(300), [[1, 2]]])
def test_what_cannot_be_held_out_is_refused(holdout):
    with pytest.raises(ValueError, match="holdout"):
        search(holdout=holdout).fit(X, Y)


def test_folds_in_row_numbers_cannot_give_rows_away():
    folds = list(StratifiedKFold(2).split(X, Y))
    with pytest.raises(ValueError, match="this one is given in row numbers"):
        search(holdout=0.2, cv=folds).fit(X, Y)


def test_hyperparameters_of_another_solver_do_not_matter():
    found = PBTSearchCV(
        MLPClassifier((8,), max_iter=6),
        {"solver": ["adam", "sgd"], "momentum": (0.1, 0.9), "learning_rate_init": (1e-3, 1e-1)},
        population_size=4,
        n_generations=6,
        burn_in=0,
        cv=2,
        random_state=0,
    ).fit(X, Y)
    assert np.isfinite(found.population_history_["mean_test_score"]).all()


def test_an_mlp_that_made_no_progress_goes_on_when_it_is_changed():
    model = MLPClassifier((8,), solver="sgd", batch_size=10, n_iter_no_change=3)
    steps = [(30, {"learning_rate_init": 1.0}), (10, {"learning_rate_init": 1e-3})]
    trained = replay_schedule(model, Schedule("max_iter", steps), X, Y, random_state=0)
    assert len(trained.loss_curve_) < 40
    assert trained.n_iter_ == 40 or trained.loss_curve_[-1] != trained.loss_curve_[-2]


def test_the_ensemble_is_of_the_complete_winner():
    """A member that fails on one fold does not win, however good it is on the other."""
    found = PBTSearchCV(
        FailsOnSome(),
        {"rate": (0.0, 1.0)},
        stepper=Failing(),
        population_size=6,
        n_generations=2,
        cv=2,
        refit="ensemble",
        random_state=0,
    )
    with pytest.warns(Warning, match="fits failed"):
        found.fit(np.arange(20.0)[:, None], np.arange(20) % 2)
    assert {model.rate for model in found.best_estimator_.estimators} == {
        found.best_params_["rate"]
    }


class FailsOnSome(ClassifierMixin, BaseEstimator):
    """Is the better the higher its rate, but fails on the second fold above a half."""

    def __init__(self, rate=0.1, n_steps=4):
        self.rate = rate
        self.n_steps = n_steps

    def fit(self, X, y):
        raise NotImplementedError("it is trained by its stepper")

    def score(self, X, y):
        return self.rate


class Failing(Stepper):
    def resource(self, model):
        return "n_steps"

    def mutable_names(self, model):
        return {"rate"}

    def step(self, model, X, y, begin, end):
        model.classes_ = np.unique(y)
        if model.rate > 0.5 and X[:, 0].min() == 0.0:
            raise RuntimeError("this one fails")


def test_an_ensemble_of_several_targets_is_refused():
    both = np.stack([Y > 4, Y % 2], axis=1).astype(int)
    with pytest.raises(ValueError, match="averages the probabilities of one target"):
        search(refit="ensemble").fit(X, both)
