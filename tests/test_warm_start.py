"""What a search takes over from an earlier one."""

import math
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC

from sklearn_hpt import LogRandomSearchCV
from sklearn_hpt.exceptions import JournalError, JournalMismatchError, WarmStartWarning
from sklearn_hpt.samplers import RandomSampler, SobolSampler

X, y = load_iris(return_X_y=True)
SPACE = {"C": (1e-2, 1e2, "log-uniform"), "kernel": ["rbf", "poly"]}


class Learning(RandomSampler):
    """Remembers what it is told before its first proposal."""

    def __init__(self, space, random_state=None):
        super().__init__(space, random_state=random_state)
        self.told = []

    def tell(self, params, score, fold_scores=None):
        if not self._n_asked:
            self.told.append((params, score, fold_scores))


class LearningSearch(LogRandomSearchCV):
    """A search whose sampler can be asked what it was told."""

    def _make_sampler(self, space, seed, n_iter, amounts):
        self.sampler_ = Learning(space, random_state=seed)
        return self.sampler_


def told_before(source, space=SPACE, estimator=None, **settings):
    """Return what the sampler of a search is told before its first candidate."""
    search = LearningSearch(
        estimator or SVC(), space, n_iter=2, random_state=0, warm_start_from=source, **settings
    ).fit(X, y)
    return search.sampler_.told


@pytest.fixture(scope="module")
def earlier(tmp_path_factory):
    journal = tmp_path_factory.mktemp("earlier") / "search.jsonl"
    return LogRandomSearchCV(SVC(), SPACE, n_iter=6, random_state=1, journal=journal).fit(X, y)


def expected_of(search):
    results = search.cv_results_
    folds = np.array([results[f"split{k}_test_score"] for k in range(search.n_splits_)]).T
    return list(zip(results["params"], results["mean_test_score"], folds.tolist(), strict=True))


def test_a_fitted_search_its_results_and_its_journal_tell_the_same(earlier):
    expected = expected_of(earlier)
    assert told_before(earlier) == expected
    assert told_before(earlier.cv_results_) == expected
    assert told_before(earlier.journal) == expected


def test_a_data_frame_tells_the_same(earlier):
    pd = pytest.importorskip("pandas")
    assert told_before(pd.DataFrame(earlier.cv_results_)) == expected_of(earlier)


def test_a_polars_frame_tells_the_same(earlier):
    pl = pytest.importorskip("polars")
    columns = {k: np.asarray(v).tolist() for k, v in earlier.cv_results_.items() if k != "params"}
    assert told_before(pl.DataFrame(columns)) == expected_of(earlier)


def test_a_table_saved_as_text_tells_the_same(tmp_path):
    pd = pytest.importorskip("pandas")
    space = {"weights": ["uniform", None], "n_neighbors": [1, 3, 5]}
    grid = GridSearchCV(KNeighborsClassifier(), space).fit(X, y)
    pd.DataFrame(grid.cv_results_).to_csv(tmp_path / "results.csv", index=False)
    told = told_before(pd.read_csv(tmp_path / "results.csv"), space, KNeighborsClassifier())
    assert [params for params, _, _ in told] == [
        dict(params) for params in grid.cv_results_["params"]
    ]
    assert [type(params["n_neighbors"]) for params, _, _ in told] == [int] * 6


def test_results_of_grid_search_are_understood():
    grid = GridSearchCV(SVC(), {"C": [0.1, 1.0, 10.0], "kernel": ["rbf"]}).fit(X, y)
    assert [params["C"] for params, _, _ in told_before(grid)] == [0.1, 1.0, 10.0]


def test_rows_outside_the_space_are_skipped_and_counted(earlier):
    inside = [p for p in earlier.cv_results_["params"] if p["kernel"] == "rbf" and p["C"] <= 10]
    assert 0 < len(inside) < 6
    with pytest.warns(WarmStartWarning, match=f"{6 - len(inside)} of 6 results"):
        told = told_before(earlier, {"C": (1e-2, 10.0, "log-uniform"), "kernel": ["rbf"]})
    assert [params for params, _, _ in told] == inside


@pytest.mark.parametrize("space", [{"C": (1e-2, 1e2)}, {**SPACE, "gamma": (0.1, 1.0)}])
def test_rows_with_other_parameters_are_outside(earlier, space):
    with pytest.warns(WarmStartWarning, match="6 of 6 results"):
        assert told_before(earlier, space) == []


def test_nothing_is_said_if_all_rows_are_used(earlier):
    with warnings.catch_warnings():
        warnings.simplefilter("error", WarmStartWarning)
        told_before(earlier)


def test_estimators_among_the_choices_are_found_again_in_a_journal(tmp_path):
    def space():
        return [
            {"standardscaler": [StandardScaler(), MinMaxScaler()]},
            {"logisticregression__C": (0.1, 10.0, "log-uniform")},
        ]

    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    first = LogRandomSearchCV(
        pipeline, space(), n_iter=6, random_state=0, journal=tmp_path / "j.jsonl"
    ).fit(X, y)
    told = told_before(tmp_path / "j.jsonl", space(), pipeline)
    shown = [str(params) for params, _, _ in told]
    assert shown == [str(dict(params)) for params in first.cv_results_["params"]]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning", "ignore::UserWarning")
def test_failed_candidates_are_told_as_nan(tmp_path):
    space = {"C": [1.0, -1.0]}
    grid = GridSearchCV(SVC(), space).fit(X, y)
    ours = LogRandomSearchCV(SVC(), space, n_iter=2, journal=tmp_path / "j.jsonl").fit(X, y)
    for source in (grid, ours, tmp_path / "j.jsonl"):
        told = {params["C"]: score for params, score, _ in told_before(source, space)}
        assert math.isnan(told[-1.0]) and told[1.0] > 0.9


def test_the_metric_that_decides_is_taken():
    scoring = ["accuracy", "neg_log_loss"]
    grid = GridSearchCV(
        LogisticRegression(), {"C": [0.1, 1.0]}, scoring=scoring, refit="neg_log_loss"
    ).fit(X, y)
    space = {"C": (0.01, 10.0)}
    for settings in ({"scoring": scoring, "refit": "accuracy"}, {}):
        name = settings.get("refit", "neg_log_loss")
        told = told_before(grid, space, LogisticRegression(), **settings)
        assert [score for _, score, _ in told] == list(grid.cv_results_[f"mean_test_{name}"])


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        (SVC(), ValueError, "has no cv_results_: fit it first"),
        (42, TypeError, "is a int; give a fitted search"),
        ({"params": [{"C": 1}]}, ValueError, "has no column 'mean_test_score'"),
        ({"mean_test_score": [1.0]}, ValueError, "neither 'params' nor 'param_"),
        ("no/such/file.jsonl", JournalError, "warm_start_from: .* cannot be read: No such file"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_is_trained(source, error, message):
    with pytest.raises(error, match=message):
        told_before(source)


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_trials_of_a_study_are_told_as_scores(direction):
    optuna = pytest.importorskip("optuna")
    study = optuna.create_study(direction=direction)
    sign = 1 if direction == "maximize" else -1
    trials = [(1.0, "COMPLETE", 0.9 * sign), (2.0, "FAIL", None), (3.0, "PRUNED", 0.5 * sign)]
    for C, state, value in trials:
        study.add_trial(
            optuna.trial.create_trial(
                state=optuna.trial.TrialState[state],
                value=value,
                params={"C": C},
                distributions={"C": optuna.distributions.FloatDistribution(0.1, 10.0)},
            )
        )
    with pytest.warns(WarmStartWarning, match="1 of 3 results"):
        told = told_before(study, {"C": (0.1, 10.0)})
    assert [params["C"] for params, _, _ in told] == [1.0, 2.0]
    assert told[0][1] == 0.9 and math.isnan(told[1][1])


def test_study_of_several_objectives_is_refused():
    optuna = pytest.importorskip("optuna")
    study = optuna.create_study(directions=["maximize", "minimize"])
    with pytest.raises(ValueError, match="is a study of 2 objectives"):
        told_before(study)


def test_results_without_the_metric_name_what_there_is():
    grid = GridSearchCV(SVC(), {"C": [1.0]}, scoring=["accuracy", "f1_macro"], refit=False).fit(
        X, y
    )
    with pytest.raises(ValueError, match="'accuracy', 'f1_macro'"):
        told_before(grid, {"C": (0.1, 1.0)})


def test_the_best_earlier_candidate_is_evaluated_first(earlier):
    search = LogRandomSearchCV(SVC(), SPACE, n_iter=4, random_state=0)
    plain = search.fit(X, y).cv_results_["params"]
    warm = search.set_params(warm_start_from=earlier).fit(X, y).cv_results_["params"]
    assert warm[0] == earlier.best_params_
    assert warm[1:] == plain[1:]


def test_a_finite_space_is_gone_through_once_all_the_same():
    space = {"C": [0.1, 1.0, 10.0], "gamma": [0.1, 1.0]}
    grid = GridSearchCV(SVC(), {"C": [10.0], "gamma": [0.1]}).fit(X, y)
    search = LogRandomSearchCV(SVC(), space, n_iter=5, random_state=0, warm_start_from=grid)
    params = [tuple(p.values()) for p in search.fit(X, y).cv_results_["params"]]
    assert params[0] == (10.0, 0.1)
    assert len(set(params)) == 5


@pytest.mark.parametrize("kind", [RandomSampler, SobolSampler])
def test_only_what_is_told_before_the_first_proposal_is_proposed_again(kind):
    space = {"a": (0.0, 1.0)}
    sampler, plain = kind(space, random_state=0), kind(space, random_state=0)
    first = sampler.ask()
    sampler.tell({"a": 0.123}, 1.0)
    assert [first, sampler.ask()] == [plain.ask(), plain.ask()]


def test_earlier_results_are_part_of_what_a_journal_belongs_to(earlier, tmp_path):
    journal = tmp_path / "search.jsonl"
    search = LogRandomSearchCV(
        SVC(), SPACE, n_iter=3, random_state=0, journal=journal, warm_start_from=earlier
    ).fit(X, y)
    again = LogRandomSearchCV(
        SVC(), SPACE, n_iter=3, random_state=0, journal=journal, warm_start_from=earlier.journal
    ).fit(X, y)
    np.testing.assert_array_equal(
        again.cv_results_["mean_test_score"], search.cv_results_["mean_test_score"]
    )
    with pytest.raises(JournalMismatchError, match="warm_start_from: '6 results .* None now"):
        again.set_params(warm_start_from=None).fit(X, y)


def test_a_journal_cannot_be_its_own_warm_start(tmp_path):
    path = str(tmp_path / "search.jsonl")
    with pytest.raises(ValueError, match="to continue it, leave warm_start_from=None"):
        LogRandomSearchCV(SVC(), SPACE, journal=path, warm_start_from=path).fit(X, y)


def test_a_clone_learns_from_the_same_search(earlier):
    search = LogRandomSearchCV(SVC(), SPACE, n_iter=2, random_state=0, warm_start_from=earlier)
    copy = clone(make_pipeline(StandardScaler(), search)).fit(X, y)[-1]
    assert copy.cv_results_["params"][0] == earlier.best_params_
    assert np.isfinite(cross_val_score(search, X, y, cv=2)).all()


class _Drawn:
    """Values that can only be drawn."""

    def __init__(self, *values):
        self.values = values

    def rvs(self, random_state=None):
        return self.values[random_state.randint(len(self.values))]


@pytest.mark.parametrize(
    ("name", "values"),
    [("degree", (2, 3, 4)), ("kernel", ("rbf", "poly")), ("class_weight", ({0: 1}, {0: 2}))],
)
def test_values_that_can_only_be_drawn_are_taken_as_they_are(name, values):
    space = {name: _Drawn(*values)}
    first = LogRandomSearchCV(SVC(), space, n_iter=2, random_state=0).fit(X, y)
    told = [params[name] for params, _, _ in told_before(first, space)]
    assert told == [params[name] for params in first.cv_results_["params"]]
    assert {type(value) for value in told} == {type(values[0])}


def test_the_metric_of_scoring_is_taken_though_another_chose_there():
    scoring = {"up": "accuracy", "accuracy": "accuracy", "neg_log_loss": "neg_log_loss"}
    grid = GridSearchCV(
        LogisticRegression(), {"C": [0.1, 1.0]}, scoring=scoring, refit="neg_log_loss"
    ).fit(X, y)
    for source in (grid, grid.cv_results_):
        told = told_before(source, {"C": (0.01, 10.0)}, LogisticRegression(), scoring="accuracy")
        assert [score for _, score, _ in told] == list(grid.cv_results_["mean_test_accuracy"])


def test_a_journal_of_several_metrics_says_which_one_decided(tmp_path):
    settings = {"scoring": ["accuracy", "f1_macro"], "refit": "f1_macro"}
    first = LogRandomSearchCV(
        SVC(), SPACE, n_iter=2, random_state=0, journal=tmp_path / "j", **settings
    ).fit(X, y)
    assert told_before(tmp_path / "j") == told_before(first)


def test_empty_cells_of_any_frame_are_parameters_of_another_alternative():
    pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
    space = [{"kernel": ["rbf"], "C": [0.1, 1.0]}, {"kernel": ["poly"], "degree": [2, 3]}]
    grid = GridSearchCV(SVC(), space).fit(X, y)
    frame = pd.DataFrame(grid.cv_results_).drop(columns="params")
    columns = {name: [None if pd.isna(v) else v for v in frame[name]] for name in frame}
    for table in (frame, frame.convert_dtypes(), pl.DataFrame(columns)):
        assert [params for params, _, _ in told_before(table, space)] == list(
            grid.cv_results_["params"]
        )


def test_a_sampler_does_not_propose_what_is_not_in_its_space():
    sampler, plain = (RandomSampler({"a": (0.0, 1.0)}, random_state=0) for _ in range(2))
    sampler.tell({"a": 5.0}, 1.0)
    assert sampler.ask() == plain.ask()
