"""What the pages for users of other searches say is so: names, mappings, blocks of code."""

import inspect
import re
from pathlib import Path

import joblib
import numpy as np
import pytest
import scipy.stats
from sklearn.base import is_classifier
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import FitFailedWarning
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    ParameterGrid,
    RandomizedSearchCV,
)
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import sklearn_hpt
from sklearn_hpt import BayesSearchCV, LogRandomSearchCV, PBTSearchCV, read_journal, tracking
from sklearn_hpt._space_formats import as_dimension
from sklearn_hpt.exceptions import SearchStoppedWarning, SpaceExhaustedWarning

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGES = sorted(path.name for path in DOCS.glob("from_*.md"))
HERE = (LogRandomSearchCV, BayesSearchCV)

X, y = load_iris(return_X_y=True)
GRID = {"C": [0.1, 1.0, 10.0], "gamma": [0.01, 0.1]}
SPACE = {"C": (0.01, 100.0, "log-uniform"), "gamma": (1e-4, 1.0, "log-uniform")}
FAILING = {"C": [1.0, -1.0, 10.0]}

# from the source of tune_sklearn 0.5.0, which cannot be imported beside the Ray of today
TUNE_GRID = (
    "estimator param_grid early_stopping scoring n_jobs cv refit verbose error_score "
    "return_train_score local_dir name max_iters use_gpu loggers pipeline_auto_early_stop stopper "
    "time_budget_s sk_n_jobs mode"
).split()
TUNE = [
    *(name for name in TUNE_GRID if name != "param_grid"),
    *"param_distributions n_trials random_state search_optimization search_kwargs".split(),
]


# ---- the pages ----


def tables(page):
    """Yield the heading of each table of a page, two cells, with its rows."""
    text = (DOCS / page).read_text()
    for block in re.findall(r"(?:^\|.*\n)+", text, re.M):
        rows = [
            [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            for line in block.splitlines()
        ]
        yield rows[0], rows[2:]


def rows_of(page, heading):
    (rows,) = [rows for head, rows in tables(page) if head[0] == heading]
    return rows


def quoted(cell):
    return re.findall(r"`([^`]+)`", cell)


def left_names(page, heading):
    return [name for left, _ in rows_of(page, heading) for name in quoted(left)]


def parameters(*classes):
    return {name for cls in classes for name in inspect.signature(cls).parameters}


def optuna_search():
    pytest.importorskip("optuna_integration", reason="optuna-integration is not installed")
    pytest.importorskip("optuna").logging.set_verbosity(40)
    return pytest.importorskip("optuna_integration.sklearn").OptunaSearchCV


def skopt_search():
    return pytest.importorskip("skopt", reason="scikit-optimize is not installed").BayesSearchCV


TABLES = [
    ("from_grid_search.md", "GridSearchCV", lambda: parameters(GridSearchCV)),
    ("from_grid_search.md", "RandomizedSearchCV", lambda: parameters(RandomizedSearchCV)),
    (
        "from_grid_search.md",
        "HalvingGridSearchCV, HalvingRandomSearchCV",
        lambda: parameters(HalvingGridSearchCV, HalvingRandomSearchCV),
    ),
    ("from_optuna.md", "OptunaSearchCV", lambda: parameters(optuna_search())),
    (
        "from_scikit_optimize.md",
        "BayesSearchCV of scikit-optimize",
        lambda: parameters(skopt_search()),
    ),
    ("from_tune_sklearn.md", "TuneSearchCV", lambda: set(TUNE)),
    ("from_tune_sklearn.md", "TuneGridSearchCV", lambda: set(TUNE_GRID)),
]


@pytest.mark.parametrize(("page", "heading", "names"), TABLES, ids=[t[1] for t in TABLES])
def test_table_has_each_parameter_once(page, heading, names):
    assert sorted(left_names(page, heading)) == sorted(names())


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
@pytest.mark.parametrize(("page", "heading", "names"), TABLES, ids=[t[1] for t in TABLES])
def test_what_is_said_to_be_the_same_is_there(page, heading, names):
    here = (
        BayesSearchCV
        if page in ("from_optuna.md", "from_scikit_optimize.md")
        else LogRandomSearchCV
    )
    same = [
        name
        for left, right in rows_of(page, heading)
        if right.startswith("the same")
        for name in quoted(left)
    ]
    assert set(same) <= parameters(here)


def known(name):
    """Tell whether a name on the right of a table is of this library, or what fitting leaves."""
    fitted = " ".join(cls.__doc__ for cls in HERE)
    return (
        name in parameters(*HERE, BayesSearchCV.fit)
        or hasattr(sklearn_hpt, name)
        or hasattr(tracking, name)
        or any(hasattr(cls, name) for cls in HERE)
        or re.search(rf"^    {name} : ", fitted, re.M) is not None
        or name in ("status", "resource", "learning_curve", "mean_fit_time", "rank_test_score")
    )


NOT_OURS = {"SVC", "SGDClassifier", "len", "None", "True", "joblib", "params", "param_", "max_iter"}
NOT_OURS |= {"n_estimators", "device", "models", "tune", "training_iteration", "time_total_s"}


@pytest.mark.parametrize("page", PAGES)
def test_names_on_the_right_exist(page):
    for head, rows in tables(page):
        named = [re.match(r"[A-Za-z_]\w*", text) for _, right, *_ in rows for text in quoted(right)]
        unknown = {m[0] for m in named if m and not known(m[0])} - NOT_OURS
        assert not unknown, head


@pytest.mark.filterwarnings("error::UserWarning")
@pytest.mark.parametrize("page", PAGES)
def test_code_of_the_page_runs(page, tmp_path, monkeypatch):
    if page == "from_optuna.md":
        pytest.importorskip("optuna").logging.set_verbosity(40)
    monkeypatch.chdir(tmp_path)
    names = {"X": X, "y": y}
    for block in re.findall(r"^```python\n(.*?)^```", (DOCS / page).read_text(), re.M | re.S):
        exec(compile(block, page, "exec"), names)
    if "search" in names:
        assert names["search"].predict(X).shape == y.shape


@pytest.mark.parametrize("page", PAGES)
def test_links_of_the_page_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)#]+)", (DOCS / page).read_text()):
        assert (DOCS / link).exists(), link


# ---- from_grid_search.md ----


def no_times(results):
    return {name: column for name, column in results.items() if not name.endswith("_time")}


def assert_same_results(one, other):
    assert one.keys() == other.keys()
    for name, column in no_times(one).items():
        np.testing.assert_array_equal(column, other[name], name)


def worst_row(results):
    return int(np.argmin(results["mean_test_score"]))


@pytest.mark.parametrize(
    "grid", [GRID, [{"kernel": ["linear"], "C": [1, 9]}, {"gamma": [0.1, 1.0]}]]
)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"return_train_score": True, "scoring": "f1_macro", "cv": 4},
        {"scoring": ["accuracy", "f1_macro"], "refit": "f1_macro"},
        {"refit": worst_row},
        {"n_jobs": 2, "pre_dispatch": 1},
    ],
)
def test_a_grid_is_searched_as_by_grid_search(grid, options):
    old = GridSearchCV(SVC(), grid, **options).fit(X, y)
    new = LogRandomSearchCV(SVC(), grid, n_iter=len(ParameterGrid(grid)), **options).fit(X, y)
    assert_same_results(new.cv_results_, old.cv_results_)
    assert (new.best_index_, new.best_params_) == (old.best_index_, old.best_params_)
    np.testing.assert_array_equal(new.predict(X), old.predict(X))


def test_what_grid_search_learns_is_there():
    frame, target = load_iris(return_X_y=True, as_frame=True)
    old = GridSearchCV(SVC(), GRID, cv=3).fit(frame, target)
    new = LogRandomSearchCV(SVC(), GRID, n_iter=6, cv=3).fit(frame, target)
    learned = [name for name in dir(old) if re.fullmatch(r"[a-z]\w*[a-z]_", name)]
    names = left_names("from_grid_search.md", "learned by GridSearchCV")
    assert sorted(names) == sorted(learned)
    for name in learned:
        if name in ("cv_results_", "best_estimator_", "refit_time_", "scorer_"):
            assert type(getattr(new, name)) is type(getattr(old, name)), name
        else:
            np.testing.assert_array_equal(getattr(new, name), getattr(old, name), name)


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::sklearn.exceptions.FitFailedWarning")
@pytest.mark.parametrize("error_score", [np.nan, 0.0])
@pytest.mark.parametrize("old_class", [GridSearchCV, RandomizedSearchCV])
def test_failed_fits_have_the_error_score(old_class, error_score):
    more = {} if old_class is GridSearchCV else {"n_iter": 3}
    old = old_class(SVC(), FAILING, cv=3, error_score=error_score, **more).fit(X, y)
    new = LogRandomSearchCV(SVC(), FAILING, n_iter=3, cv=3, error_score=error_score).fit(X, y)
    by_C = [
        dict(zip(s.cv_results_["param_C"], s.cv_results_["mean_test_score"], strict=True))
        for s in (old, new)
    ]
    assert by_C[0].keys() == by_C[1].keys()
    np.testing.assert_array_equal(
        [by_C[0][C] for C in FAILING["C"]], [by_C[1][C] for C in FAILING["C"]]
    )
    assert set(new.cv_results_) - set(old.cv_results_) == {"status", "error"}


def test_error_score_raise_raises_what_grid_search_raises():
    with pytest.raises(Exception) as old:
        GridSearchCV(SVC(), FAILING, error_score="raise").fit(X, y)
    for search_class in HERE:
        with pytest.raises(type(old.value), match="'C' parameter of SVC"):
            search_class(SVC(), FAILING, n_iter=3, error_score="raise").fit(X, y)


def test_candidate_with_a_failed_fold_is_not_chosen_whatever_the_error_score():
    old = GridSearchCV(SVC(), FAILING, cv=3, error_score=1.0)
    new = LogRandomSearchCV(SVC(), FAILING, n_iter=3, cv=3, error_score=1.0, refit=False)
    with pytest.warns(FitFailedWarning), pytest.raises(ValueError, match="Got -1.0"):
        old.fit(X, y)  # that one is refitted
    with pytest.warns(FitFailedWarning):
        new.fit(X, y)
    assert old.best_params_ == {"C": -1.0} and new.best_params_["C"] > 0


def test_verbose_1_prints_the_number_of_fits(capsys):
    for search in (
        LogRandomSearchCV(SVC(), GRID, n_iter=6, verbose=1),
        GridSearchCV(SVC(), GRID, verbose=1),
    ):
        search.fit(X, y)
        assert (
            "Fitting 5 folds for each of 6 candidates, totalling 30 fits" in capsys.readouterr().out
        )


def test_randomized_search_draws_other_candidates():
    space = {"C": scipy.stats.loguniform(1e-2, 1e2), "gamma": [0.1, 1.0]}
    old, new = (
        search_class(SVC(), space, n_iter=4, cv=3, random_state=0).fit(X, y)
        for search_class in (RandomizedSearchCV, LogRandomSearchCV)
    )
    assert old.cv_results_.keys() == new.cv_results_.keys()
    assert len(old.cv_results_["params"]) == len(new.cv_results_["params"]) == 4
    assert old.cv_results_["params"] != new.cv_results_["params"]


def test_tuple_of_two_numbers_is_a_range():
    assert [params["n"] for params in ParameterGrid({"n": (1, 10)})] == [1, 10]
    assert as_dimension((1, 10)).size == 10
    assert list(as_dimension([1, 10]).choices) == [1, 10]


def test_n_iter_is_10_and_more_than_the_grid_searches_it_whole():
    assert inspect.signature(LogRandomSearchCV).parameters["n_iter"].default == 10
    with pytest.warns(SpaceExhaustedWarning):
        search = LogRandomSearchCV(SVC(), GRID, n_iter=1000, cv=3).fit(X, y)
    assert len(search.cv_results_["params"]) == 6


def test_no_point_comes_twice():
    space = {"degree": scipy.stats.randint(1, 4)}
    old = RandomizedSearchCV(SVC(), space, n_iter=10, cv=3).fit(X, y)
    with pytest.warns(SpaceExhaustedWarning):
        new = LogRandomSearchCV(SVC(), space, n_iter=10, cv=3).fit(X, y)
    assert [len(search.cv_results_["params"]) for search in (old, new)] == [10, 3]


def test_amounts_are_those_of_halving():
    old = HalvingRandomSearchCV(
        SVC(),
        {"C": scipy.stats.loguniform(0.01, 100)},
        n_candidates=9,
        min_resources=15,
        max_resources=45,
        cv=3,
        random_state=0,
    ).fit(X, y)
    new = LogRandomSearchCV(
        SVC(),
        {"C": scipy.stats.loguniform(0.01, 100)},
        n_iter=9,
        pruning="asha",
        resource="n_samples",
        resources=old.n_resources_,
        cv=3,
        random_state=0,
    ).fit(X, y)
    amounts = [amount for curve in new.cv_results_["learning_curve"] for amount, _ in curve]
    assert set(amounts) == set(old.n_resources_) == {15, 45}
    assert amounts.count(15) == old.n_candidates_[0] == 9
    assert new.cv_results_["resource"][new.best_index_] == 45
    assert len(new.cv_results_["params"]) == 9 < len(old.cv_results_["params"])


def test_what_halving_learns_beside_grid_search_is_named():
    old = HalvingGridSearchCV(SVC(), GRID, cv=3).fit(X, y)
    plain = GridSearchCV(SVC(), GRID, cv=3).fit(X, y)
    beside = {name for name in vars(old) if name.endswith("_")} - set(dir(plain))
    assert beside == set(left_names("from_grid_search.md", "learned by halving besides"))


def test_forest_that_goes_on_is_not_trained_from_the_beginning():
    forest = RandomForestClassifier(9, random_state=0)
    old = HalvingRandomSearchCV(
        forest,
        {"max_depth": [1, 2, 3, 4, 5, 6]},
        resource="n_estimators",
        max_resources=9,
        n_candidates=6,
        cv=3,
        random_state=0,
    ).fit(X, y)
    new = LogRandomSearchCV(
        forest, {"max_depth": [1, 2, 3, 4, 5, 6]}, n_iter=6, pruning="asha", cv=3, random_state=0
    ).fit(X, y)
    assert new.resource_ == "n_estimators" and new.resource_saved_ > 0
    assert old.best_params_.keys() == new.best_params_.keys() == {"max_depth", "n_estimators"}


def test_defaults_differ_from_halving_as_told():
    old, new = (inspect.signature(c).parameters for c in (HalvingGridSearchCV, LogRandomSearchCV))
    assert old["return_train_score"].default is True and new["return_train_score"].default is False
    search = LogRandomSearchCV(SVC(), GRID, n_iter=2).fit(X, y)
    assert old["cv"].default == search.n_splits_ == 5


def test_refit_as_a_function_works_with_pruning():
    search = LogRandomSearchCV(
        SVC(), SPACE, n_iter=4, pruning="asha", resources=(30, 100), refit=lambda results: 2, cv=3
    )
    assert search.fit(X, y).best_index_ == 2


# ---- from_optuna.md ----


@pytest.fixture
def optuna():
    module = pytest.importorskip("optuna")
    module.logging.set_verbosity(module.logging.ERROR)
    return module


@pytest.fixture
def theirs(optuna, recwarn):  # OptunaSearchCV warns of being experimental
    """Return OptunaSearchCV with settings that suit a test."""
    search_class = optuna_search()

    def make(estimator=None, space=None, **options):
        space = space or {"C": optuna.distributions.FloatDistribution(0.1, 10.0, log=True)}
        defaults = {"cv": 3, "n_trials": 3, "random_state": 0}
        return search_class(estimator or SVC(), space, **{**defaults, **options})

    return make


def ours(estimator=None, space=None, **options):
    space = space or {"C": (0.1, 10.0, "log-uniform")}
    defaults = {"cv": 3, "n_iter": 3, "random_state": 0}
    return BayesSearchCV(estimator or SVC(), space, **{**defaults, **options})


def test_what_optuna_search_learns_is_named(theirs):
    old = theirs().fit(X, y)
    rows = rows_of("from_optuna.md", "learned by OptunaSearchCV")
    names = [name for left, _ in rows for name in quoted(left)]
    learned = {name for name in dir(old) if re.fullmatch(r"[a-z]\w*[a-z]_", name)}
    assert set(names) == learned | {"trials_dataframe", "set_user_attr"}
    new = ours().fit(X, y)
    same = quoted(rows[0][0])
    assert rows[0][1] == "the same" and all(hasattr(new, name) for name in same)
    assert new.best_params_ == new.cv_results_["params"][new.best_index_]


def test_results_have_what_those_of_optuna_search_have_and_more(theirs):
    old = theirs(return_train_score=True).fit(X, y)
    new = ours(return_train_score=True).fit(X, y)
    assert len(new.cv_results_["params"]) == old.n_trials_ == 3
    assert {
        "params",
        "param_C",
        "rank_test_score",
    } == new.cv_results_.keys() - old.cv_results_.keys()
    assert old.cv_results_.keys() <= new.cv_results_.keys()
    assert all(
        isinstance(column, np.ndarray)
        for name, column in new.cv_results_.items()
        if name != "params"
    )


@pytest.mark.parametrize("options", [{}, {"scoring": "f1_macro", "cv": 4}])
def test_the_same_parameters_have_the_same_score_in_both(theirs, options):
    old = theirs(**options).fit(X, y)
    C = [trial.params["C"] for trial in old.trials_]
    new = LogRandomSearchCV(SVC(), {"C": C}, n_iter=3, **{"cv": 3, **options}).fit(X, y)
    np.testing.assert_allclose(
        new.cv_results_["mean_test_score"], old.cv_results_["mean_test_score"]
    )
    assert new.best_params_ == old.best_params_


def test_scoring_and_refit_may_be_more_than_there(theirs):
    with pytest.raises(KeyError):
        theirs(scoring=["accuracy", "f1_macro"]).fit(X, y)
    scoring = {"scoring": ["accuracy", "f1_macro"], "refit": "f1_macro"}
    assert ours(**scoring).fit(X, y).multimetric_
    new, old = (make(refit=worst_row).fit(X, y) for make in (ours, theirs))
    means = new.cv_results_["mean_test_score"], old.cv_results_["mean_test_score"]
    assert new.best_index_ == np.argmin(means[0])
    assert old.best_score_ == max(means[1]) > min(means[1])  # the function is not called


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::sklearn.exceptions.FitFailedWarning")
def test_a_failure_is_a_row_without_catch(theirs, optuna):
    space = {"C": optuna.distributions.CategoricalDistribution([-1.0, 1.0, -2.0])}
    search = ours(space=space).fit(X, y)
    assert sorted(search.cv_results_["status"]) == ["complete", "failed", "failed"]
    assert search.best_params_ == {"C": 1.0}
    with pytest.raises(ValueError, match="'C' parameter of SVC"):
        ours(space=space, error_score="raise").fit(X, y)
    with pytest.raises(TypeError):  # of the scores, whatever the error was
        theirs(space=space, error_score="raise").fit(X, y)


@pytest.mark.parametrize("search_class", HERE)
def test_timeout_ends_the_search(search_class):
    with joblib.parallel_config("threading"), pytest.warns(SearchStoppedWarning):
        search = search_class(SVC(), SPACE, n_iter=10**6, cv=3, timeout=0.5).fit(X, y)
    assert search.stop_reason_ == "timeout"
    assert 0.4 < search.search_time_ < 5


def test_timeout_without_a_number_of_trials_is_a_large_number(theirs):
    old = theirs(n_trials=None, timeout=0.3).fit(X, y)
    assert old.n_trials_ > 0
    with pytest.raises(ValueError, match="n_iter"):
        ours(n_iter=None, timeout=0.3).fit(X, y)


@pytest.mark.parametrize(
    "options", [{"resource": "auto"}, {"resource": "auto", "resources": (2, 6, 9)}]
)
def test_pruning_is_by_the_passes_of_the_estimator(theirs, optuna, options):
    space = {"alpha": optuna.distributions.FloatDistribution(1e-6, 1e-1, log=True)}
    old = theirs(SGDClassifier(random_state=0), space, enable_pruning=True, max_iter=9, n_trials=6)
    old.fit(X, y)
    assert max(trial.last_step for trial in old.trials_) == 8
    new = ours(SGDClassifier(max_iter=9, tol=None, random_state=0), space, n_iter=6, **options)
    new.fit(X, y)
    steps = {amount for curve in new.cv_results_["learning_curve"] for amount, _ in curve}
    assert new.resource_ == "max_iter" and max(steps) == 9
    assert steps == set(options.get("resources", (1, 3, 9)))
    ranks = new.cv_results_["rank_test_score"]
    stopped = new.cv_results_["status"] == "stopped"
    assert stopped.any() and ranks[~stopped].max() < ranks[stopped].min()


def test_racing_stops_candidates_by_folds():
    search = ours(space={"C": (1e-3, 1e3, "log-uniform")}, n_iter=8, cv=10, racing="safe").fit(X, y)
    assert (search.cv_results_["n_test_splits"] < 10).any()


def test_rows_are_the_resource_instead_of_a_subsample(theirs):
    old = theirs(subsample=0.5).fit(X, y)
    assert len(old.sample_indices_) == 75
    rows = old.sample_indices_
    assert ours().fit(X[rows], y[rows]).n_samples_fit_ == 75
    new = ours(resource="n_samples", resources=(0.5, 1.0)).fit(X, y)
    assert new.resource_ == "n_samples" and new.cv_results_["resource"][new.best_index_] == 100


def test_trials_of_a_study_are_learned_from(theirs):
    old = theirs(n_trials=5).fit(X, y)
    for source in (old, old.study_):
        new = LogRandomSearchCV(SVC(), {"C": (0.1, 10.0)}, n_iter=2, warm_start_from=source)
        assert new.fit(X, y).cv_results_["params"][0] == old.best_params_
    plain, warm = (ours(warm_start_from=source).fit(X, y) for source in (None, old.study_))
    assert plain.cv_results_["params"] != warm.cv_results_["params"]


def test_search_becomes_a_study(theirs):
    search = ours().fit(X, y)
    study = tracking.to_optuna(search)
    assert len(study.trials) == 3
    assert study.best_trial.params == search.best_params_
    assert study.best_value == search.best_score_
    assert len(study.trials_dataframe()) == 3
    study.set_user_attr("of", "mine")
    assert study.user_attrs["of"] == "mine"


@pytest.mark.parametrize("kind", ["journal", "study"])
def test_search_goes_on_after_its_end(theirs, optuna, tmp_path, kind):
    if kind == "study":
        study = optuna.create_study(direction="maximize")
        assert [theirs(study=study).fit(X, y).n_trials_ for _ in range(2)] == [3, 6]
        return
    path = tmp_path / "search.jsonl"
    first, second = (ours(n_iter=n, journal=path).fit(X, y) for n in (3, 6))
    assert second.cv_results_["params"][:3] == first.cv_results_["params"]
    assert len(second.cv_results_["params"]) == 6


def test_second_fit_begins_anew():
    search = ours()
    assert [len(search.fit(X, y).cv_results_["params"]) for _ in range(2)] == [3, 3]


def test_callback_ends_both(theirs):
    old = theirs(n_trials=9, callbacks=[lambda study, trial: study.stop()]).fit(X, y)
    with pytest.warns(SearchStoppedWarning):
        new = ours(n_iter=9).fit(X, y, callback=lambda result: True)
    assert old.n_trials_ == len(new.cv_results_["params"]) == 1


def test_search_is_a_classifier_only_here(theirs):
    assert is_classifier(ours()) and not is_classifier(theirs())


def spoken(page, heading):
    """Return what a table says to write instead of what, as code."""
    return [
        (quoted(left)[0], quoted(right)[0])
        for left, right in rows_of(page, heading)
        if left.startswith("`suggest")
    ]


def test_each_suggestion_is_read_like_what_is_to_be_written(optuna):
    written = spoken("from_optuna.md", "Optuna")
    assert len(written) == 6
    for suggestion, instead in written:
        trial = optuna.create_study().ask()
        eval(f"trial.{suggestion}", {"trial": trial})
        assert repr(as_dimension(trial.distributions["x"])) == repr(as_dimension(eval(instead)))


def test_parameter_that_depends_on_another_is_in_its_own_dictionary():
    ((left, right),) = [
        row for row in rows_of("from_optuna.md", "Optuna") if row[0].startswith("`if ")
    ]
    space = eval(quoted(right)[0])
    params = (
        LogRandomSearchCV(SVC(), space, n_iter=5, cv=3, random_state=0)
        .fit(X, y)
        .cv_results_["params"]
    )
    assert {p["kernel"] for p in params} == {"poly", "rbf"}
    assert all(("degree" in p) == (p["kernel"] == "poly") for p in params)


def test_first_candidate_is_what_the_estimator_has():
    params = {"C": 3.0, "kernel": "poly"}
    space = {"C": (0.1, 10.0), "kernel": ["rbf", "poly"]}
    assert ours(SVC(**params), space).fit(X, y).cv_results_["params"][0] == params
    assert (
        ours(SVC(**params), space, include_default=False).fit(X, y).cv_results_["params"][0]
        != params
    )


def test_loss_is_minimized_by_its_negative():
    search = ours(scoring="neg_mean_squared_error").fit(X, y)
    assert search.best_score_ == search.cv_results_["mean_test_score"].max() <= 0


def test_quasi_random_draws_are_a_sampler():
    one, other = (
        LogRandomSearchCV(SVC(), SPACE, n_iter=4, cv=3, sampler=sampler, random_state=0).fit(X, y)
        for sampler in ("sobol", "random")
    )
    assert one.cv_results_["params"] != other.cv_results_["params"]


# ---- from_tune_sklearn.md ----


def test_loggers_are_trackers(tmp_path):
    pytest.importorskip("tensorboard")
    search = LogRandomSearchCV(SVC(), GRID, n_iter=2, cv=3, journal=tmp_path / "name.jsonl")
    search.set_callbacks(tracking.TensorBoardTracker(tmp_path / "runs")).fit(X, y)
    assert list((tmp_path / "runs").rglob("*tfevents*"))
    np.testing.assert_array_equal(
        read_journal(tmp_path / "name.jsonl")["mean_test_score"],
        search.cv_results_["mean_test_score"],
    )


def test_resource_is_found_in_the_last_step_of_a_pipeline():
    pipeline = make_pipeline(StandardScaler(), SGDClassifier(max_iter=9, tol=None, random_state=0))
    search = LogRandomSearchCV(
        pipeline, {"sgdclassifier__alpha": (1e-5, 1e-1, "log-uniform")}, pruning="asha", cv=3
    )
    assert search.fit(X, y).resource_ == "sgdclassifier__max_iter"


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    "model", [MLPClassifier((3,), max_iter=9), SGDClassifier(max_iter=9, tol=None)]
)
def test_passes_are_the_resource_of_what_is_seeded(model):
    for seed, name in [(None, "n_samples"), (0, "max_iter")]:
        search = LogRandomSearchCV(
            model.set_params(random_state=seed),
            {"alpha": (1e-5, 1e-1, "log-uniform")},
            n_iter=3,
            cv=3,
            pruning="asha",
            resources=(0.3, 1.0),
        )
        assert search.fit(X, y).resource_ == name


def test_number_of_trees_can_be_searched_with_pruning():
    search = LogRandomSearchCV(
        RandomForestClassifier(random_state=0),
        {"n_estimators": (2, 9)},
        n_iter=4,
        cv=3,
        pruning="asha",
        resources=(0.3, 1.0),
    )
    assert search.fit(X, y).resource_ == "n_samples"


class EndsAfter:
    """A callback of scikit-learn that returns True when so many folds are evaluated."""

    def __init__(self, n_folds):
        self.n_folds = n_folds

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context, **data):
        pass

    def on_fit_task_end(self, estimator, context, **data):
        self.n_folds -= context.task_name == "candidate-split-evaluation"
        return self.n_folds == 0

    def teardown(self, estimator, context):
        pass


@pytest.mark.filterwarnings("ignore:One or more of the test scores")
def test_stopper_is_a_callback():
    search = LogRandomSearchCV(SVC(), SPACE, n_iter=9, cv=3).set_callbacks(EndsAfter(6))
    with pytest.warns(SearchStoppedWarning):
        search.fit(X, y)
    assert search.stop_reason_ == "callback"
    assert (search.cv_results_["status"] == "complete").any()


def test_scheduler_of_populations_is_a_search():
    net = SGDClassifier(loss="log_loss", max_iter=4, tol=None, random_state=0)
    space = {"alpha": (1e-6, 1e-1, "log-uniform")}
    search = PBTSearchCV(net, space, population_size=4, n_generations=2, cv=3, random_state=0)
    assert search.fit(X, y).predict(X).shape == y.shape


def test_grid_of_tune_is_a_grid():
    tuned = {name: {"grid_search": values} for name, values in GRID.items()}
    one, other = (
        LogRandomSearchCV(SVC(), grid, n_iter=6, cv=3).fit(X, y) for grid in (tuned, GRID)
    )
    assert_same_results(one.cv_results_, other.cv_results_)


def test_domains_of_tune_are_searched(ray_domains):
    space = {"C": ray_domains.loguniform(0.1, 10.0), "degree": ray_domains.randint(1, 4)}
    for search_class in HERE:
        assert len(search_class(SVC(), space, n_iter=4, cv=3).fit(X, y).cv_results_["params"]) == 4


def test_groups_are_given_by_name():
    groups = np.arange(len(y)) % 5
    search = LogRandomSearchCV(SVC(), GRID, n_iter=2, cv=GroupKFold(5))
    assert search.fit(X, y, groups=groups).n_splits_ == 5


def test_tuple_of_integers_is_a_range_of_integers():
    assert type(as_dimension((1, 10)).from_unit(0.5)) is int
    assert type(as_dimension((1.0, 10.0)).from_unit(0.5)) is float


# ---- from_scikit_optimize.md; more of it in test_bayes_search.py ----


def test_parameters_come_in_the_order_of_scikit_optimize():
    old, new = (list(inspect.signature(c).parameters) for c in (skopt_search(), BayesSearchCV))
    assert new[: len(old)] == old


def test_defaults_are_those_of_scikit_optimize_but_for_two():
    old, new = (inspect.signature(c).parameters for c in (skopt_search(), BayesSearchCV))
    differ = {name: old[name].default for name in old if old[name].default != new[name].default}
    assert differ == {"n_jobs": 1, "error_score": "raise"}


def test_dictionaries_share_n_iter_only_here():
    spaces = [{"kernel": ["rbf"], "C": (0.1, 10.0)}, {"kernel": ["poly"], "C": (0.1, 10.0)}]
    old = skopt_search()(SVC(), spaces, n_iter=3, cv=3, random_state=0).fit(X, y)
    assert len(old.cv_results_["params"]) == 6
    assert len(ours(space=spaces).fit(X, y).cv_results_["params"]) == 3


def test_list_of_two_numbers_is_a_range_only_there():
    old = skopt_search()(SVC(), {"C": [0.1, 10.0]}, n_iter=2, cv=3, random_state=0).fit(X, y)
    assert not {params["C"] for params in old.cv_results_["params"]} & {0.1, 10.0}
    new = ours(space={"C": [0.1, 10.0]}, n_iter=2).fit(X, y)
    assert {params["C"] for params in new.cv_results_["params"]} == {0.1, 10.0}


def test_callback_ends_one_dictionary_there_and_the_search_here():
    spaces = [({"kernel": [k], "C": (0.1, 10.0)}, 3) for k in ("rbf", "poly")]
    old = skopt_search()(SVC(), spaces, cv=3, random_state=0)
    old.fit(X, y, callback=lambda result: True)
    with pytest.warns(SearchStoppedWarning):
        new = ours(space=spaces).fit(X, y, callback=lambda result: True)
    assert [len(search.cv_results_["params"]) for search in (old, new)] == [2, 1]


def test_function_as_refit_is_only_taken_here():
    with pytest.raises((TypeError, ValueError)):
        skopt_search()(SVC(), {"C": (0.1, 10.0)}, n_iter=2, cv=3, refit=lambda results: 1).fit(X, y)
    assert ours(refit=lambda results: 1).fit(X, y).best_index_ == 1
