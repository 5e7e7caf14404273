"""Displays: what they show is right, and nothing of it is cut off or thrown over by many rows."""

import shutil
import warnings

import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402
from scipy.stats import loguniform  # noqa: E402
from sklearn.datasets import load_digits, load_iris  # noqa: E402
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor  # noqa: E402
from sklearn.experimental import enable_halving_search_cv  # noqa: E402, F401
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.model_selection import (  # noqa: E402
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
)
from sklearn.neural_network import MLPClassifier  # noqa: E402
from sklearn.svm import SVC  # noqa: E402
from sklearn.tree import DecisionTreeClassifier  # noqa: E402

from sklearn_hpt import (  # noqa: E402
    BayesSearchCV,
    CoarseToFineSearchCV,
    LogRandomSearchCV,
    PBTSearchCV,
)
from sklearn_hpt._space_formats import as_space_union  # noqa: E402
from sklearn_hpt.default_spaces import default_space  # noqa: E402
from sklearn_hpt.displays import (  # noqa: E402
    BoxesDisplay,
    CandidateTable,
    ContourDisplay,
    LearningCurvesDisplay,
    LineageDisplay,
    OptimizationHistoryDisplay,
    ParallelCoordinatesDisplay,
    ParameterEffectDisplay,
    ParameterImportanceDisplay,
    RacingDisplay,
    ScheduleDisplay,
    SearchComparisonDisplay,
)
from sklearn_hpt.displays._candidate_table import chosen_names  # noqa: E402
from sklearn_hpt.displays._functional_anova import Measure, variance_shares  # noqa: E402
from sklearn_hpt.displays._population import ancestors, parent_rows, unit_of_name  # noqa: E402
from sklearn_hpt.displays._scale import Scale, guessed_scale, scales_of  # noqa: E402
from sklearn_hpt.exceptions import JournalError  # noqa: E402
from sklearn_hpt.space import Integer, Real, Space, SpaceUnion  # noqa: E402

X, Y = load_iris(return_X_y=True)
NAN = float("nan")
SPACE = {"C": (1e-2, 1e2, "log-uniform"), "kernel": ["rbf", "linear"]}
OF_ONE_SEARCH = [
    OptimizationHistoryDisplay,
    ParameterEffectDisplay,
    ParameterImportanceDisplay,
    ParallelCoordinatesDisplay,
    ContourDisplay,
    RacingDisplay,
    LearningCurvesDisplay,
]


@pytest.fixture(autouse=True)
def no_figure_stays_open():
    yield
    plt.close("all")


def results_of(n, n_params, *, seed=0):
    """Return a `cv_results_` with failed, stopped, running and far candidates, with 5 folds."""
    rng = np.random.default_rng(seed)
    params = [
        {
            "histgradientboostingclassifier__learning_rate": 10 ** rng.uniform(-4, 0),
            "kernel": ["rbf", "a_choice_with_a_long_name", None][rng.integers(3)],
            "layers": int(rng.integers(1, 5)),
            "scale": bool(rng.integers(2)),
            **{f"step__parameter_{i}": rng.random() for i in range(11)},
        }
        for _ in range(n)
    ]
    params = [dict(list(row.items())[:n_params]) for row in params]
    folds = np.array([-((np.log10(next(iter(row.values()))) + 2) ** 2) for row in params])
    folds = folds[:, None] / 10 + 0.9 + 0.01 * rng.standard_normal((n, 5))
    status, n_folds = np.full(n, "complete", dtype=object), np.full(n, 5)
    status[1::7], folds[1::7] = "failed", NAN
    status[3::9], n_folds[3::9] = "stopped", 2
    status[-1], n_folds[-1] = "running", 2
    folds[n_folds == 2, 2:] = NAN
    folds[8::50] -= 1e6
    curves = np.empty(n, dtype=object)
    curves[:] = [[(3, score - 0.1), (9, score)] for score in folds.mean(axis=1)]
    return {
        "params": params,
        "mean_test_score": folds.mean(axis=1),
        **{f"split{k}_test_score": folds[:, k] for k in range(5)},
        "status": status,
        "n_test_splits": n_folds,
        "mean_fit_time": np.where(n_folds == 5, 0.1, NAN),
        "mean_score_time": np.where(n_folds == 5, 0.1, NAN),
        "resource": np.full(n, 9),
        "learning_curve": curves,
    }


def history_of(n_generations, n_members):
    rng = np.random.default_rng(0)
    n = n_generations * n_members
    parents = rng.integers(0, n_members, n)
    parents[:n_members] = -1
    scores = np.where(rng.random(n) < 0.05, NAN, rng.random(n))
    return {
        "generation": np.repeat(np.arange(n_generations), n_members),
        "member": np.tile(np.arange(n_members), n_generations),
        "parent": parents,
        "resource": np.repeat(5 * np.arange(1, n_generations + 1), n_members),
        "params": [{"lr": 10 ** rng.uniform(-4, 0), "drop": rng.random()} for _ in range(n)],
        "mean_test_score": scores,
    }


def assert_drawn_well(figure):
    """Assert that drawing warns of nothing, and that no text lies outside of the figure."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.canvas.draw()
    renderer, whole = figure.canvas.get_renderer(), figure.bbox
    for ax in figure.axes:
        texts = [ax.xaxis.label, ax.yaxis.label, *ax.texts]
        for axis, (low, high) in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
            low, high = sorted((low, high))
            ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
            texts += [
                t.label1 for t in ticks if low <= t.get_loc() <= high and t.label1.get_visible()
            ]
        for legend in [ax.get_legend(), *figure.legends]:
            texts += [] if legend is None else legend.get_texts()
        for text in texts:
            if text.get_text() and text.get_visible():
                box = text.get_window_extent(renderer)
                inside = whole.x0 - 1 <= box.x0 and box.x1 <= whole.x1 + 1
                inside = inside and whole.y0 - 1 <= box.y0 and box.y1 <= whole.y1 + 1
                assert inside, (text.get_text(), box, whole)
    for ax in figure.axes:  # nor do labels of one axis lie on each other
        boxes = [
            t.label1.get_window_extent(renderer)
            for t in ax.xaxis.get_major_ticks()
            if t.label1.get_text() and t.label1.get_rotation() == 0 and t.label1.get_visible()
        ]
        boxes = sorted(
            (b.x0, b.x1) for b in boxes if ax.bbox.x0 - 1 <= (b.x0 + b.x1) / 2 <= ax.bbox.x1 + 1
        )
        assert all(one[1] <= other[0] + 1 for one, other in zip(boxes, boxes[1:], strict=False))


# the table


def test_the_table_of_cv_results_has_known_rows():
    table = CandidateTable.from_cv_results(
        {
            "params": [{"C": 1}, {"C": 2}, {"C": 3}, {"C": 4}],
            "mean_test_score": [0.8, NAN, NAN, 0.9],
            "split0_test_score": [0.7, 0.5, NAN, 0.9],
            "split1_test_score": [0.9, NAN, NAN, 0.9],
            "status": ["complete", "stopped", "timeout", "complete"],
            "n_test_splits": [2, 1, 1, 2],
            "mean_fit_time": [1.0, NAN, 2.0, 3.0],
            "mean_score_time": [1.0, NAN, 0.0, 1.0],
        }
    )
    assert list(table.status) == ["complete", "stopped", "failed", "complete"]
    np.testing.assert_array_equal(table.scores, [0.8, 0.5, NAN, 0.9])
    np.testing.assert_array_equal(table.best_so_far, [0.8, 0.8, 0.8, 0.9])
    np.testing.assert_allclose(table.spreads, [0.1, NAN, NAN, 0.0], atol=1e-12)
    np.testing.assert_array_equal(table.seconds, [4.0, 2.0, 2.0, 8.0])
    np.testing.assert_array_equal(table.costs, [1.0, 0.5, 0.5, 1.0])
    assert table.best == 3 and table.varied() == ["C"]


def test_nothing_is_best_before_a_candidate_is_complete():
    table = CandidateTable.from_cv_results(
        {"params": [{"C": 1}, {"C": 2}], "mean_test_score": [NAN, 0.5]}
    )
    np.testing.assert_array_equal(table.best_so_far, [NAN, 0.5])
    assert list(table.status) == ["failed", "complete"]


@pytest.mark.parametrize("with_params", [True, False])
def test_a_data_frame_gives_the_same_table(with_params):
    pd = pytest.importorskip("pandas")
    search = RandomizedSearchCV(
        SVC(), [{"C": loguniform(0.1, 10)}, {"gamma": [0.1, 1.0]}], n_iter=4, cv=2, random_state=1
    ).fit(X, Y)
    frame = pd.DataFrame(search.cv_results_)
    frame = frame if with_params else frame.drop(columns="params")
    table, other = (CandidateTable.from_cv_results(r) for r in (search.cv_results_, frame))
    assert table.params == other.params
    np.testing.assert_array_equal(table.scores, other.scores)


def test_several_metrics_are_told_apart():
    scoring = {"accuracy": "accuracy", "nothing": lambda model, X, y: NAN}
    search = GridSearchCV(SVC(), {"C": [0.01, 1]}, cv=2, scoring=scoring, refit="accuracy")
    with pytest.warns(UserWarning, match="non-finite"):
        search.fit(X, Y)
    assert CandidateTable.from_estimator(search).score_name == "accuracy"
    other = CandidateTable.from_estimator(search, metric="nothing")
    assert list(other.status) == ["failed", "failed"] and other.best is None
    with pytest.raises(ValueError, match="metric='f1' is not one of the metrics, which are 'acc"):
        CandidateTable.from_estimator(search, metric="f1")
    with pytest.raises(ValueError, match="metric=None is not one"):
        CandidateTable.from_cv_results(search.cv_results_)


def test_what_a_callable_refit_chose_is_the_best_by_each_metric():
    search = GridSearchCV(
        SVC(), {"C": [1e-3, 1, 10]}, cv=2, scoring=["accuracy", "f1_macro"], refit=lambda results: 0
    ).fit(X, Y)
    for metric in search.scoring:
        assert CandidateTable.from_estimator(search, metric=metric).best == 0


def test_halving_of_scikit_learn_stops_candidates():
    search = HalvingGridSearchCV(
        DecisionTreeClassifier(random_state=0), {"max_depth": [1, 2, 3, 4]}, cv=2, random_state=0
    ).fit(X, Y)
    table = CandidateTable.from_estimator(search)
    last = search.cv_results_["n_resources"] == search.n_resources_[-1]
    np.testing.assert_array_equal(table.status == "complete", last)
    assert table.best == search.best_index_
    np.testing.assert_allclose(table.costs[last], 1.0)
    lengths = [len(curve) for curve in table.curves]
    assert max(lengths) == search.n_iterations_ and sum(lengths) == len(table.scores)
    assert_drawn_well(LearningCurvesDisplay.from_estimator(search).figure_)


def test_the_amount_of_a_resource_is_no_parameter():
    search = CoarseToFineSearchCV(
        DecisionTreeClassifier(random_state=0), {"max_depth": (1, 9)}, n_iter=[4, 3, 2], cv=2,
        resource="n_samples", resources=[0.3, 0.5, 1.0, 1.0], random_state=0,
    ).fit(X, Y)  # fmt: skip
    table = CandidateTable.from_estimator(search)
    assert list(table.scales) == ["max_depth"] and table.resource == "n_samples"
    assert {"complete", "stopped"} == set(table.status)
    full = CandidateTable.from_cv_results(
        {
            "params": [{"C": 1.0, "max_iter": 3}, {"C": 2.0, "max_iter": 9}],
            "mean_test_score": [0.1, 0.2],
            "resource": [3, 9],
        }
    )
    assert list(full.scales) == ["C"]


def test_learning_curves_are_not_those_of_another_metric():
    search = LogRandomSearchCV(
        RandomForestClassifier(random_state=0), {"max_depth": (1, 6)}, n_iter=4, cv=2,
        pruning="asha", resource="n_estimators", resources=[2, 6], random_state=0,
        scoring=["accuracy", "neg_log_loss"], refit="accuracy",
    ).fit(X, Y)  # fmt: skip
    decides, other = (CandidateTable.from_estimator(search, metric=m) for m in search.scoring)
    assert max(map(len, decides.curves)) == 2
    assert [curve[-1][1] for curve in decides.curves] == pytest.approx(decides.scores)
    losses = search.cv_results_["mean_test_neg_log_loss"]
    assert other.curves == [[p] for p in zip(decides.costs * 6, losses, strict=True)]


def test_the_journal_of_an_interrupted_search_has_what_is_done(tmp_path):
    path, cut = tmp_path / "search.jsonl", tmp_path / "cut.jsonl"
    LogRandomSearchCV(SVC(), SPACE, n_iter=6, cv=3, random_state=0, journal=path).fit(X, Y)
    lines = path.read_bytes().splitlines(keepends=True)
    is_fold = [b'"kind":"fold"' in line for line in lines]
    cut.write_bytes(b"".join(lines[: np.flatnonzero(is_fold)[7] + 1]) + lines[-1][:20])
    table = CandidateTable.from_journal(cut)
    assert table.n_folds.sum() == 8 and np.isfinite(table.scores).all()
    assert list(table.status == "complete") == list(table.n_folds == 3)
    assert set(table.status) == {"complete", "stopped"}
    assert table.scales["C"] == Scale("C", "log-uniform", 0.01, 100.0)
    assert_drawn_well(OptimizationHistoryDisplay.from_journal(cut).figure_)
    assert_drawn_well(ParameterEffectDisplay.from_journal(cut).figure_)
    comparison = SearchComparisonDisplay.from_journal({"all": path, "cut": cut}, against="seconds")
    assert_drawn_well(comparison.figure_)


def test_costs_are_parts_of_the_full_amount_though_none_had_it_yet(tmp_path):
    path, cut = tmp_path / "search.jsonl", tmp_path / "cut.jsonl"
    LogRandomSearchCV(
        RandomForestClassifier(random_state=0), {"max_depth": (1, 6)}, n_iter=6, cv=2,
        pruning="asha", resource="n_estimators", resources=[2, 4, 8], random_state=0, journal=path,
    ).fit(X, Y)  # fmt: skip
    lines = path.read_bytes().splitlines(keepends=True)
    folds = [number for number, line in enumerate(lines) if b'"kind":"fold"' in line]
    cut.write_bytes(b"".join(lines[: folds[1] + 1]))
    np.testing.assert_array_equal(CandidateTable.from_journal(cut).costs, [2 / 8])


def test_a_member_costs_all_its_generations_though_an_early_one_was_best():
    results = {
        "params": [{"lr": 0.1}, {"lr": 0.2}],
        "mean_test_score": [0.9, 0.8],
        "resource": [5, 10],
        "resource_spent": [20, 20],
        "learning_curve": [
            [(5, 0.9), (10, 0.8), (15, 0.7), (20, 0.6)],
            [(5, 0.7), (10, 0.8), (15, 0.7), (20, 0.7)],
        ],
        "status": ["complete", "complete"],
    }
    np.testing.assert_array_equal(CandidateTable.from_cv_results(results).costs, [1.0, 1.0])


def test_an_empty_journal_is_refused(tmp_path):
    path, cut = tmp_path / "search.jsonl", tmp_path / "cut.jsonl"
    LogRandomSearchCV(SVC(), SPACE, n_iter=1, cv=2, random_state=0, journal=path).fit(X, Y)
    shutil.copy(path, cut)
    lines = cut.read_bytes().splitlines(keepends=True)
    cut.write_bytes(b"".join(line for line in lines[:2]))
    with pytest.raises(JournalError, match="no finished fold yet"):
        CandidateTable.from_journal(cut)


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        (3, TypeError, "cv_results=3 is a int"),
        ({"mean_test_score": [1.0]}, ValueError, "neither 'params' nor"),
    ],
)
def test_what_is_no_table_is_refused(source, error, message):
    with pytest.raises(error, match=message):
        CandidateTable.from_cv_results(source)


# scales


@pytest.mark.parametrize(
    ("values", "prior"),
    [
        ([1e-4, 1e-2, 1.0], "log-uniform"),
        ([1, 10, 100], "uniform"),
        (np.linspace(1e-4, 1.0, 50).tolist(), "uniform"),
        ([0.0, 1.0, 1000.0], "uniform"),
        ([True, False], "choices"),
        ([1, None], "choices"),
        (["a", "b"], "choices"),
    ],
)
def test_scales_are_guessed(values, prior):
    assert guessed_scale("x", values).prior == prior


def test_scales_are_those_of_the_space():
    one = Space({"a": Real(0.9, 0.999, "log-complement"), "b": Integer(1, 4, "log-uniform")})
    other = Space({"b": Integer(1, 64, "log-uniform")})
    union = SpaceUnion((one, other), (None, None))
    scales = scales_of(union, {"a": [0.95], "b": [2, 3]}, {})
    assert scales["a"].prior == "log-complement"
    assert scales["b"] == Scale("b", "log-uniform", 1.0, 64.0, is_integer=True)
    np.testing.assert_allclose(scales["a"].to_unit(np.array([0.99])), 0.5)
    np.testing.assert_allclose(scales["a"].from_unit(np.array([0.5])), 0.99)
    np.testing.assert_allclose(scales["b"].to_unit(np.array([8.0, NAN])), [0.5, NAN])


def test_alternatives_with_other_priors_share_a_scale_that_both_fit():
    one, other = Space({"a": Real(0.01, 1.0, "log-uniform")}), Space({"a": Real(0.0, 10.0)})
    scale = scales_of(SpaceUnion((one, other), (None, None)), {"a": [0.1, 5.0]}, {})["a"]
    assert (scale.prior, scale.low, scale.high) == ("uniform", 0.0, 10.0)


def test_numbers_near_1_are_not_called_1():
    scale = Scale("a", "log-complement", 0.9, 1 - 1e-8)
    ax = plt.figure().gca()
    scale.dress(ax)
    assert [float(t.get_text()) for t in ax.get_xticklabels()] == pytest.approx(
        1 - 10.0 ** -np.arange(1, 9), abs=1e-12
    )
    results = {"params": [{"a": 0.5}, {"a": 0.9999}], "mean_test_score": [0.1, 0.2]}
    table = CandidateTable.from_cv_results(results)
    table.scales["a"] = Scale("a", "log-complement", 0.5, 0.9999)
    texts = [t.get_text() for t in ParallelCoordinatesDisplay(table).plot().ax_.texts]
    assert texts[:3] == ["0.5", "0.992929", "0.9999"]
    table.scales["a"] = Scale("a", "log-uniform", 1e-3, 1e3)
    texts = [t.get_text() for t in ParallelCoordinatesDisplay(table).plot().ax_.texts]
    assert texts[:3] == ["0.001", "1", "1e+03"]


def test_choices_lie_side_by_side():
    scale = guessed_scale("x", ["b", "a", 2, "b"])
    assert scale.choices == ("2", "a", "b")
    np.testing.assert_array_equal(scale.positions(["b", 2, "c"]), [2.0, 0.0, NAN])


# comparison


def test_searches_are_compared_by_what_they_spent():
    racing = {
        "params": [{"C": 1}, {"C": 2}, {"C": 3}],
        "mean_test_score": [0.5, NAN, 0.7],
        "split0_test_score": [0.5, 0.1, 0.7],
        "split1_test_score": [0.5, NAN, 0.7],
        "n_test_splits": [2, 1, 2],
        "status": ["complete", "stopped", "complete"],
        "mean_fit_time": [1.0, NAN, 3.0],
    }
    display = SearchComparisonDisplay.from_cv_results({"racing": racing})
    np.testing.assert_array_equal(display.curves_["racing"][0], [1.0, 1.5, 2.5])
    np.testing.assert_array_equal(display.curves_["racing"][1], [0.5, 0.5, 0.7])
    display = SearchComparisonDisplay.from_cv_results({"racing": racing}, against="seconds")
    np.testing.assert_array_equal(display.curves_["racing"][0], [2.0, 4.0, 10.0])
    with pytest.raises(ValueError, match="against='epochs' is not known"):
        SearchComparisonDisplay.from_cv_results({"racing": racing}, against="epochs")
    with pytest.raises(TypeError, match="no mapping from names"):
        SearchComparisonDisplay.from_cv_results(racing)


def test_poor_first_scores_do_not_flatten_a_comparison():
    one = {
        "params": [{"C": i} for i in range(10)],
        "mean_test_score": [-1e6, *[0.8] * 6, *[0.9] * 3],
    }
    other = {**one, "mean_test_score": [0.7] * 4 + [0.85] * 6}
    low, high = SearchComparisonDisplay.from_cv_results({"a": one, "b": other}).ax_.get_ylim()
    assert 0.7 < low < 0.8 and 0.9 < high < 1.0


def test_of_several_runs_there_are_median_and_quartiles():
    """At 1, 2 and 3 the runs have (0.5, none, 0.7), (0.6, 0.8, 0.7) and (0.9, 0.8, 0.7)."""
    runs = [[0.5, 0.6, 0.9], [NAN, 0.8], [0.7, 0.1, 0.2]]
    runs = [{"params": [{}] * len(run), "mean_test_score": run} for run in runs]
    display = SearchComparisonDisplay.from_cv_results({"three": runs, "one": runs[0]})
    spent, median = display.curves_["three"]
    low, high = display.bands_["three"]
    np.testing.assert_array_equal(spent, [1, 2, 3])
    np.testing.assert_allclose(median, [0.5, 0.7, 0.8])
    np.testing.assert_allclose(low, [NAN, 0.65, 0.75])
    np.testing.assert_allclose(high, [0.6, 0.75, 0.85])
    np.testing.assert_array_equal(display.curves_["one"][1], [0.5, 0.6, 0.9])
    assert list(display.bands_) == ["three"] and len(display.ax_.collections) == 1
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts == ["three (median of 3)", "one"]


def test_runs_are_steps_in_seconds():
    """One run has 0.5 from second 2 on and 0.9 from 4 on, the other 0.7 from 3 on."""
    one = {"params": [{}] * 2, "mean_test_score": [0.5, 0.9], "mean_fit_time": [2.0, 2.0]}
    other = {"params": [{}], "mean_test_score": [0.7], "mean_fit_time": [3.0]}
    display = SearchComparisonDisplay.from_cv_results({"two": [one, other]}, against="seconds")
    np.testing.assert_array_equal(display.curves_["two"][0], [2, 3, 4])
    np.testing.assert_allclose(display.curves_["two"][1], [NAN, 0.6, 0.8])


def test_times_that_are_not_known_are_not_taken_for_none():
    results = {"params": [{}] * 2, "mean_test_score": [0.5, 0.9]}
    with pytest.raises(ValueError, match="The results of 'one' have no times"):
        SearchComparisonDisplay.from_cv_results({"one": results}, against="seconds")


def test_equal_runs_are_the_line_of_one_of_them():
    results = results_of(60, 2)
    display = SearchComparisonDisplay.from_cv_results({"one": results, "four": [results] * 4})
    for values, expected in zip(display.curves_["four"], display.curves_["one"], strict=True):
        np.testing.assert_allclose(values, expected)
    for edge in display.bands_["four"]:
        np.testing.assert_allclose(edge, display.curves_["one"][1])


def test_runs_are_read_from_searches_and_journals(tmp_path):
    searches, paths = [], [tmp_path / f"{seed}.jsonl" for seed in range(3)]
    for seed, path in enumerate(paths):
        search = LogRandomSearchCV(SVC(), SPACE, n_iter=4, cv=2, journal=path, random_state=seed)
        searches.append(search.fit(X, Y))
    of_searches = SearchComparisonDisplay.from_estimator({"random": searches})
    of_journals = SearchComparisonDisplay.from_journal({"random": paths})
    for one, other in zip(*(d.curves_["random"] for d in (of_searches, of_journals)), strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(ValueError, match="no search to compare"):
        SearchComparisonDisplay.from_estimator({"random": searches, "none": []})


@pytest.mark.parametrize("n", [5, 2000])
def test_several_runs_are_drawn_well(n):
    several = {
        f"search number {i}": [results_of(n, 2, seed=i + 10 * k) for k in range(5)]
        for i in range(3)
    }
    for against in ("evaluations", "seconds"):
        display = SearchComparisonDisplay.from_cv_results(several, against=against)
        assert_drawn_well(display.figure_)


def test_many_searches_are_drawn_well():
    several = {
        f"search number {i}" * (1 + i // 11): results_of(n, 2) for i, n in enumerate([5, 60] * 10)
    }
    assert_drawn_well(SearchComparisonDisplay.from_cv_results(several).figure_)


# importance


def test_shares_of_an_additive_function_are_those_of_its_variances():
    """y = 3 a + b on the unit square: Var = 9/12 and 1/12, so 0.9 and 0.1; c is irrelevant."""
    x = np.random.default_rng(0).random((1500, 3))
    shares = variance_shares(x, 3 * x[:, 0] + x[:, 1], [Measure(0)] * 3)
    np.testing.assert_allclose(shares.main.mean(axis=0), [0.9, 0.1, 0.0], atol=0.02)
    assert all(of_pair.mean() < 0.02 for of_pair in shares.pairs.values())


def test_share_of_a_product_is_that_of_the_pair():
    """(a - 1/2)(b - 1/2) has no main effects at all."""
    x = np.random.default_rng(0).random((1500, 2))
    shares = variance_shares(x, (x[:, 0] - 0.5) * (x[:, 1] - 0.5), [Measure(0)] * 2)
    assert shares.main.mean(axis=0).max() < 0.05
    assert shares.pairs[0, 1].mean() > 0.9


def test_shares_do_not_depend_on_where_most_points_are():
    """The variance is that over the space: y = a + b, with most of the rows at small a."""
    x = np.random.default_rng(0).random((3000, 2))
    x[:, 0] **= 3
    shares = variance_shares(x, x.sum(axis=1), [Measure(0)] * 2)
    np.testing.assert_allclose(shares.main.mean(axis=0), [0.5, 0.5], atol=0.03)


def test_choices_weigh_the_same_whatever_their_numbers():
    """One choice of four is better by 1: variance 3/16; with b uniform, 1/12 beside it."""
    rng = np.random.default_rng(0)
    kind, b = rng.choice(4, size=2000, p=[0.7, 0.1, 0.1, 0.1]), rng.random(2000)
    shares = variance_shares(np.column_stack([kind, b]), (kind == 2) + b, [Measure(4), Measure(0)])
    expected = np.array([3 / 16, 1 / 12]) / (3 / 16 + 1 / 12)
    np.testing.assert_allclose(shares.main.mean(axis=0), expected, atol=0.02)


def test_a_parameter_that_half_of_the_rows_lack_has_the_importance_of_being_there():
    rng = np.random.default_rng(0)
    there = rng.random(2000) < 0.5
    x = np.column_stack([np.where(there, rng.random(2000), np.nan), rng.random(2000)])
    shares = variance_shares(x, there.astype(float), [Measure(0, 1 - there.mean()), Measure(0)])
    np.testing.assert_allclose(shares.main.mean(axis=0), [1.0, 0.0], atol=0.01)


def importances_of(params, function):
    results = {"params": params, "mean_test_score": [function(row) for row in params]}
    table = CandidateTable.from_cv_results(results)
    return ParameterImportanceDisplay(table).measure().importances_


@pytest.mark.parametrize("numbers", [(0.1, 0.11, 0.12, 9.0), (1, 2, 3, 4), (1, 10, 100, 1000)])
def test_numbers_of_a_list_weigh_the_same_wherever_they_lie(numbers):
    """The second of four is better by 1, variance 3/16; a choice of two by 1, variance 1/4."""
    params = [{"number": x, "kind": kind} for x in numbers for kind in "ab"] * 6
    found = importances_of(params, lambda p: (p["number"] == numbers[1]) + (p["kind"] == "b"))
    assert found["number"] == pytest.approx(3 / 7, abs=0.03)
    assert found["kind"] == pytest.approx(4 / 7, abs=0.03)


def test_the_ends_of_a_range_of_integers_weigh_as_much_as_the_others():
    """-1, 0 and 1 have variance 2/3, and so has b * sqrt(8) on [0, 1]."""
    rng = np.random.default_rng(0)
    space = SpaceUnion((Space({"n": Integer(1, 3), "b": Real(0.0, 1.0)}),), (None,))
    columns = {"n": rng.integers(1, 4, 1000).tolist(), "b": rng.random(1000).tolist()}
    scales = scales_of(space, columns, {})
    x = np.column_stack([scales[name].to_measure(np.array(columns[name])) for name in scales])
    shares = variance_shares(x, np.array(columns["n"]) + np.sqrt(8) * x[:, 1], [Measure(0)] * 2)
    np.testing.assert_allclose(shares.main.mean(axis=0), [0.5, 0.5], atol=0.02)


def test_numbers_are_from_a_list_where_the_space_says_so():
    grid = GridSearchCV(SVC(), {"C": [0.1, 1.0, 10.0], "degree": [2, 3]}, cv=2).fit(X, Y)
    scales = CandidateTable.from_estimator(grid).scales
    assert scales["C"].numbers == (0.1, 1.0, 10.0) and scales["degree"].n_choices == 2
    np.testing.assert_array_equal(scales["C"].to_measure(np.array([10.0, NAN])), [2.0, NAN])
    assert (
        scales_of(None, {"C": np.random.default_rng(0).random(9).tolist()}, {})["C"].numbers == ()
    )


def test_shares_of_one_tree_are_exact():
    """The integral over the boxes is the mean over a grid that has points in each of them."""
    rng = np.random.default_rng(1)
    x, measures = rng.random((40, 2)), [Measure(0)] * 2
    y = x[:, 0] * x[:, 1] + 0.1 * rng.random(40)
    shares = variance_shares(x, y, measures, n_trees=1)
    binned = (np.floor(x * 64) + 0.5) / 64
    tree = RandomForestRegressor(1, random_state=0).fit(binned, y)
    places = (np.arange(256) + 0.5) / 256
    grid = np.stack(np.meshgrid(places, places, indexing="ij"), axis=-1)
    values = tree.predict(grid.reshape(-1, 2)).reshape(256, 256)
    of_a, of_b = values.mean(axis=1).var(), values.mean(axis=0).var()
    np.testing.assert_allclose(shares.main[0], np.array([of_a, of_b]) / values.var(), rtol=1e-9)
    of_pair = (values.var() - of_a - of_b) / values.var()
    np.testing.assert_allclose(shares.pairs[0, 1][0], of_pair, rtol=1e-9)


def test_constant_scores_have_no_shares():
    shares = variance_shares(np.random.default_rng(0).random((9, 2)), np.ones(9), [Measure(0)] * 2)
    assert (shares.main == 0).all() and not shares.pairs


def test_importance_is_on_the_scale_of_the_prior_and_deaf_to_divergence():
    rng = np.random.default_rng(0)
    params = [{"lr": 10 ** rng.uniform(-6, 0), "b": rng.random()} for _ in range(400)]
    scores = np.array([np.log10(row["lr"]) + 6 * row["b"] for row in params])
    scores[::40] = -1e9
    display = ParameterImportanceDisplay.from_cv_results(
        {"params": params, "mean_test_score": scores}
    )
    assert display.importances_["lr"] == pytest.approx(0.5, abs=0.1)
    assert display.importances_["b"] == pytest.approx(0.5, abs=0.1)


def test_importance_needs_four_candidates():
    with pytest.raises(ValueError, match="3 of 3 candidates are complete, too few"):
        ParameterImportanceDisplay.from_cv_results(
            {"params": [{"C": 1}, {"C": 2}, {"C": 3}], "mean_test_score": [1.0, 2.0, 3.0]}
        )


# pictures of one search


@pytest.mark.parametrize("n_params", [1, 2, 15])
@pytest.mark.parametrize("n", [5, 2000])
@pytest.mark.parametrize("display", OF_ONE_SEARCH, ids=lambda cls: cls.__name__)
def test_nothing_is_cut_off(display, n, n_params):
    results, options = results_of(n, n_params), {}
    if n == 5:  # one too few are complete for the importance
        results["status"][3], results["n_test_splits"][3] = "complete", 5
        results["mean_test_score"][3] = 0.5
        results["status"][4], results["mean_test_score"][4] = "complete", 0.6
    if display is ContourDisplay:
        if n_params == 1:
            pytest.skip("two are needed")
        options["params"] = list(results["params"][0])[:2]
    drawn = display.from_cv_results(results, **options)
    assert drawn.figure_ is drawn.ax_.figure
    assert_drawn_well(drawn.figure_)


@pytest.mark.parametrize("display", OF_ONE_SEARCH[:-1], ids=lambda cls: cls.__name__)
def test_searches_of_scikit_learn_are_drawn(display):
    search = GridSearchCV(SVC(), {"C": [0.1, 1, 10], "kernel": ["rbf", "poly"]}, cv=2).fit(X, Y)
    _, axes = plt.subplots(1, 2 if display is ParameterEffectDisplay else 1, squeeze=False)
    drawn = display.from_estimator(search, ax=axes[0] if axes.size > 1 else axes[0, 0])
    assert drawn.ax_ is axes[0, 0]
    drawn.figure_.canvas.draw()


@pytest.mark.parametrize("display", OF_ONE_SEARCH[:-1], ids=lambda cls: cls.__name__)
def test_a_search_that_failed_everywhere_is_drawn_or_refused_in_words(display):
    results = {"params": [{"C": 1.0, "g": 2}, {"C": 2.0, "g": 4}], "mean_test_score": [NAN, NAN]}
    if display in (ContourDisplay, ParameterImportanceDisplay):
        with pytest.raises(ValueError, match="complete"):
            display.from_cv_results(results)
    else:
        assert_drawn_well(display.from_cv_results(results).figure_)


@pytest.mark.parametrize("n_params", [1, 4, 9])
def test_the_name_of_a_long_metric_with_large_scores_covers_nothing(n_params):
    results = results_of(60, n_params)
    name = "mean_test_neg_mean_absolute_percentage_error"
    results[name] = -1e10 * np.random.default_rng(0).random(60)
    del results["mean_test_score"], results["status"]
    display = ParameterEffectDisplay.from_cv_results(results)
    assert_drawn_well(display.figure_)
    figure, ax = display.figure_, display.ax_
    renderer = figure.canvas.get_renderer()
    legend = (figure.legends or [ax.get_legend()])[0].get_window_extent(renderer)
    power = ax.yaxis.get_offset_text()
    label = next((t for t in figure.texts if "percentage" in t.get_text()), ax.yaxis.label)
    assert power.get_text() and "percentage" in label.get_text()
    assert not power.get_window_extent(renderer).overlaps(legend)
    assert not label.get_window_extent(renderer).overlaps(legend)
    box = label.get_window_extent(renderer)
    assert 0 <= box.y0 and box.y1 <= figure.bbox.y1


def test_failed_rows_are_at_the_bottom_and_the_legend_counts_them():
    display = OptimizationHistoryDisplay.from_cv_results(results_of(60, 2))
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert "failed (8)" in labels and "stopped (7)" in labels and "below (1)" in labels


def test_a_few_diverged_scores_do_not_flatten_the_picture():
    display = OptimizationHistoryDisplay.from_cv_results(results_of(200, 2))
    assert display.ax_.get_ylim()[0] > -10


def test_the_curve_of_a_model_goes_through_what_it_believes():
    search = BayesSearchCV(
        SVC(), {**SPACE, "coef0": (0.5, 0.999, "log-complement")}, n_iter=8, cv=2, random_state=0
    ).fit(X, Y)
    display = ParameterEffectDisplay.from_estimator(search)
    at, mean, std = display.curves_["C"]
    middle = search.surrogate_.predict({**search.best_params_, "C": at[40]})
    np.testing.assert_allclose([mean[40], std[40]], np.ravel(middle))
    assert [ax.get_xscale() for ax in display.axes_] == ["log", "function", "linear"]
    assert_drawn_well(display.figure_)
    contour = ContourDisplay.from_estimator(search, params=["C", "kernel"])
    assert contour.grid_[2].shape == (2, 40)
    assert_drawn_well(contour.figure_)


def test_a_space_that_is_auto_is_that_of_the_estimator():
    search = BayesSearchCV(SVC(), "auto", n_iter=6, cv=2, random_state=0).fit(X, Y)
    display = ParameterEffectDisplay.from_estimator(search)
    assert display.table.space == as_space_union(default_space(SVC()))
    assert list(display.curves_) == list(search.best_params_)
    search = CoarseToFineSearchCV(SVC(), "auto", n_iter=[4, 3], cv=2, resource=None).fit(X, Y)
    assert BoxesDisplay.from_estimator(search).ax_.get_xscale() == "log"


def test_the_end_of_a_name_will_do_where_it_is_the_end_of_one():
    results = {
        "params": [{"svc__C": c, "a__x": c, "b__x": -c} for c in (1.0, 2.0, 3.0)],
        "mean_test_score": [0.1, 0.3, 0.2],
    }
    table = CandidateTable.from_cv_results(results)
    assert chosen_names(table, ["C", "b__x"]) == ["svc__C", "b__x"]
    with pytest.raises(ValueError, match="params='x' is no parameter"):
        chosen_names(table, "x")


def test_a_contour_has_colours_for_scores_that_were_seen():
    space = {"C": (1e-3, 1e3, "log-uniform"), "gamma": (1e-7, 1e1, "log-uniform")}
    X, y = (part[:300] for part in load_digits(return_X_y=True))
    search = BayesSearchCV(SVC(), space, n_iter=25, cv=2, random_state=0).fit(X, y)
    contour = ContourDisplay.from_estimator(search)
    scores = search.cv_results_["mean_test_score"]
    assert contour.grid_[2].min() < scores.min()  # the model is unsure where nothing was tried
    low, high = contour.ax_.collections[0].get_clim()
    assert scores.min() <= low < high <= scores.max()


def test_a_smoothed_contour_is_high_where_scores_are():
    results = results_of(500, 1)
    results["params"] = [{**row, "b": i % 10 / 10} for i, row in enumerate(results["params"])]
    x, _, z = ContourDisplay.from_cv_results(results).grid_
    assert 10**-2.5 < x[z.mean(axis=0).argmax()] < 10**-1.5


def test_parameters_that_some_alternatives_lack_are_drawn():
    space = [{"kernel": ["linear"], "C": (0.1, 10.0)}, {"kernel": ["rbf"], "gamma": (0.1, 1.0)}]
    search = LogRandomSearchCV(SVC(), space, n_iter=10, cv=2, random_state=0).fit(X, Y)
    assert_drawn_well(ParameterEffectDisplay.from_estimator(search).figure_)
    assert_drawn_well(ParameterImportanceDisplay.from_estimator(search).figure_)
    display = ParallelCoordinatesDisplay.from_estimator(search)
    assert "none" in [text.get_text() for text in display.ax_.texts]
    assert_drawn_well(display.figure_)


def test_racing_counts_folds():
    search = LogRandomSearchCV(
        SVC(), {"C": (1e-4, 1e2, "log-uniform")}, n_iter=12, racing="fast", random_state=0
    ).fit(X, Y)
    display = RacingDisplay.from_estimator(search)
    assert display.share_ == search.cv_results_["n_test_splits"].sum() / 60
    assert display.share_ < 1
    assert_drawn_well(display.figure_)
    label = f"folds spent so far, {100 * display.share_:.0f} % in the end"
    assert label in display.ax_.get_legend_handles_labels()[1]


def test_racing_says_that_all_folds_were_spent_or_that_more_are_to_come():
    results = {
        "params": [{"C": 1}, {"C": 2}],
        "mean_test_score": [0.5, NAN],
        "split0_test_score": [0.5, 0.1],
        "split1_test_score": [0.5, NAN],
        "n_test_splits": [2, 1],
        "status": ["complete", "running"],
    }
    for n_folds, label in ((1, "folds spent so far: 75 %"), (2, "all folds were spent")):
        results["n_test_splits"] = [2, n_folds]
        display = RacingDisplay.from_cv_results(results)
        assert display.ax_.lines[0].get_label() == label


def test_wrong_parameters_and_axes_are_refused():
    results = results_of(20, 3)
    with pytest.raises(ValueError, match="params='gamma' is no parameter of the candidates"):
        ParameterEffectDisplay.from_cv_results(results, params="gamma")
    with pytest.raises(ValueError, match="ax has 1 axes, but 3 are drawn"):
        ParameterEffectDisplay.from_cv_results(results, ax=plt.figure().gca())
    with pytest.raises(ValueError, match="must name two hyperparameters"):
        ContourDisplay.from_cv_results(results, params=["layers"])
    del results["learning_curve"], results["resource"]
    with pytest.raises(ValueError, match="no column 'learning_curve'"):
        LearningCurvesDisplay.from_cv_results(results)


# populations and rounds


def test_ancestors_are_found_by_generation_and_member():
    history = {
        "generation": [0, 0, 1, 1, 2],
        "member": [0, 1, 0, 1, 0],
        "parent": [-1, -1, 1, 1, 0],
    }
    parents = parent_rows(history)
    np.testing.assert_array_equal(parents, [-1, -1, 1, 1, 2])
    assert ancestors(parents, 4) == [1, 2, 4]


@pytest.mark.parametrize("size", [(2, 3), (40, 50)], ids=str)
@pytest.mark.parametrize("display", [LineageDisplay, ScheduleDisplay])
def test_populations_are_drawn_well(display, size):
    assert_drawn_well(display(history_of(*size)).plot().figure_)


@pytest.mark.parametrize(
    ("resource", "unit"),
    [("net__max_epochs", "epochs"), ("n_estimators", "trees"), ("model__n_steps", "n_steps")],
)
def test_units_are_told_by_the_names_of_resources(resource, unit):
    assert unit_of_name(resource) == unit


@pytest.mark.parametrize("n_params", [1, 15])
def test_schedules_of_few_and_many_parameters_are_drawn_well(n_params):
    history = history_of(5, 4)
    rng = np.random.default_rng(0)
    history["params"] = [{f"p{i}": rng.random() for i in range(n_params)} for _ in range(20)]
    assert_drawn_well(ScheduleDisplay(history, unit="a_parameter_" * 9).plot().figure_)


@pytest.fixture(scope="module")
def populations(tmp_path_factory):
    path = tmp_path_factory.mktemp("pbt") / "search.jsonl"
    X, Y = load_digits(return_X_y=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search = PBTSearchCV(
            MLPClassifier((4,), max_iter=6), {"alpha": (1e-6, 1.0, "log-uniform")},
            population_size=4, n_generations=3, cv=2, random_state=0, journal=path,
        ).fit(X[:200], Y[:200])  # fmt: skip
    return search, path


def test_the_schedule_is_that_of_the_search_and_of_its_journal(populations):
    search, path = populations
    for display in (
        ScheduleDisplay.from_estimator(search),
        ScheduleDisplay.from_journal(path),
    ):
        best = display.ax_.lines[-1].get_ydata()
        assert best[-1] == search.best_schedule_.params[-1]["alpha"]
        assert display.ax_.get_yscale() == "log"
        assert_drawn_well(display.figure_)
    labels = [
        display.ax_.get_xlabel()
        for display in (
            ScheduleDisplay.from_estimator(search),
            ScheduleDisplay.from_journal(path),
            ScheduleDisplay.from_estimator(search, unit="sweeps"),
            ScheduleDisplay(search.population_history_).plot(),
            LineageDisplay.from_estimator(search),
        )
    ]
    generation = "generation (2 passes each)"
    assert labels == ["passes", "iterations", "sweeps", "amount of training", generation]
    assert_drawn_well(LineageDisplay.from_journal(path).figure_)
    assert_drawn_well(LearningCurvesDisplay.from_journal(path).figure_)


def test_searches_without_a_population_or_rounds_are_refused(populations, tmp_path):
    search = GridSearchCV(SVC(), {"C": [1]}, cv=2).fit(X, Y)
    path = tmp_path / "search.jsonl"
    LogRandomSearchCV(SVC(), SPACE, n_iter=1, cv=2, journal=path, random_state=0).fit(X, Y)
    for display, word in (
        (LineageDisplay, "population"), (ScheduleDisplay, "population"), (BoxesDisplay, "rounds"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=word):
            display.from_estimator(search)
        with pytest.raises(ValueError, match=word):
            display.from_journal(path)


def test_boxes_narrow_from_round_to_round(tmp_path):
    path = tmp_path / "search.jsonl"
    search = CoarseToFineSearchCV(
        LogisticRegression(), {"C": (1e-6, 1e6, "log-uniform"), "fit_intercept": [True, False]},
        n_iter=[12, 6, 4], resource=None, cv=2, random_state=0, journal=path,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.fit(X, Y)
    display = BoxesDisplay.from_estimator(search)
    widths = [np.log(np.ptp(line.get_xdata())) for line in display.axes_[0].lines]
    assert widths[0] > widths[1] > widths[2]
    assert display.ax_.get_xscale() == "log"
    assert_drawn_well(display.figure_)
    of_journal = BoxesDisplay.from_journal(path)
    assert [len(rows) for rows in of_journal.candidates][:3] == [
        one.n_done for one in search.rounds_[:3]
    ]
    assert of_journal.rounds[0].best_params == search.rounds_[0].best_params
    assert_drawn_well(of_journal.figure_)
