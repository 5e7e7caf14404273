"""Errors are found, counted, tagged and sliced, and ceilings are what they must be."""

import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import RidgeClassifier
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from sklearn_hpt.diagnostics import ErrorAnalysis
from sklearn_hpt.diagnostics._analysis import wilson_interval
from sklearn_hpt.diagnostics._slicing import slice_names

LABELS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60)


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    tree = DecisionTreeClassifier(max_depth=8, random_state=0).fit(X[:1200], y[:1200])
    return ErrorAnalysis.from_estimator(tree, X[1200:], y[1200:]), tree, X[1200:], y[1200:]


def with_ten_percent_error():
    y_true = np.zeros(1000, dtype=int)
    return ErrorAnalysis(y_true, (np.arange(1000) < 100).astype(int))


def test_38_percent_of_a_10_percent_error_leaves_6_2_percent():
    analysis = with_ten_percent_error().with_tags({"dogs": np.arange(1000) < 38})
    (dogs,) = analysis.ceiling()
    assert (dogs.n_errors, dogs.share) == (38, 0.38)
    assert math.isclose(dogs.ceiling, 0.062)


def test_errors_are_the_rows_that_are_predicted_wrong(digits):
    analysis, tree, X, y = digits
    predicted = tree.predict(X)
    rows = np.flatnonzero(predicted != y)
    np.testing.assert_array_equal(analysis.errors_["row"], rows)
    np.testing.assert_array_equal(analysis.errors_["true"], y[rows])
    np.testing.assert_array_equal(analysis.errors_["predicted"], predicted[rows])
    np.testing.assert_allclose(
        analysis.errors_["probability"], tree.predict_proba(X)[rows].max(axis=1)
    )
    assert math.isclose(analysis.error_rate_, 1 - tree.score(X, y))


@given(LABELS)
def test_confusions_hold_each_error_once(pairs):
    y_true, y_pred = zip(*pairs, strict=True)
    analysis = ErrorAnalysis(y_true, y_pred)
    found = analysis.confusions()
    assert sum(one.n_errors for one in found) == analysis.n_errors_
    assert not found or math.isclose(sum(one.share for one in found), 1)
    assert [one.n_errors for one in found] == sorted((o.n_errors for o in found), reverse=True)
    for one in found:
        assert one.n_errors == pairs.count((one.true, one.predicted))


@given(LABELS, st.data())
def test_ceilings_are_between_0_and_the_error(pairs, data):
    y_true, y_pred = zip(*pairs, strict=True)
    analysis = ErrorAnalysis(y_true, y_pred)
    if not analysis.n_errors_:
        return
    rows = st.lists(st.booleans(), min_size=len(pairs), max_size=len(pairs))
    tags = {name: np.array(data.draw(rows)) for name in "ab"}
    analysis = analysis.with_tags(tags)
    for one in analysis.ceiling():
        assert 0 <= one.ceiling <= analysis.error_rate_
        assert one.low <= one.share <= one.high
    both = analysis.error_without("a", "b")
    assert both <= min(one.ceiling for one in analysis.ceiling()) + 1e-12


@given(LABELS, st.integers(1, 5))
def test_mending_all_categories_of_a_complete_tagging_leaves_nothing(pairs, n_categories):
    y_true, y_pred = zip(*pairs, strict=True)
    analysis = ErrorAnalysis(y_true, y_pred)
    if not analysis.n_errors_:
        return
    kind = np.arange(len(pairs)) % n_categories
    analysis = analysis.with_tags({f"kind {k}": kind == k for k in range(n_categories)})
    assert analysis.error_without(*analysis.tags_) == 0
    gains = [analysis.error_rate_ - one.ceiling for one in analysis.ceiling()]
    assert math.isclose(sum(gains), analysis.error_rate_)


def test_tags_go_through_a_file(digits, tmp_path):
    pd = pytest.importorskip("pandas")
    analysis = digits[0]
    path = tmp_path / "errors.csv"
    analysis.to_csv(path, ["faint", "cut off"], max_rows=20, random_state=0)
    table = pd.read_csv(path, dtype=str)
    table["crooked"] = ""
    table.loc[:3, "faint"], table.loc[2:5, "crooked"] = "x", "1"
    table.to_csv(path, index=False)
    tagged = analysis.with_tags(path)
    assert len(tagged.looked_at_) == 20
    assert {o.name: o.n_errors for o in tagged.ceiling()} == {
        "faint": 4,
        "crooked": 4,
        "cut off": 0,
    }
    assert math.isclose(tagged.error_without("faint", "crooked"), analysis.error_rate_ * 14 / 20)
    assert analysis.tags_ == {}


def test_a_file_with_tags_is_not_overwritten(digits, tmp_path):
    pytest.importorskip("pandas")
    digits[0].to_csv(tmp_path / "errors.csv")
    with pytest.raises(FileExistsError, match="errors.csv' exists and may hold tags"):
        digits[0].to_csv(tmp_path / "errors.csv")


def test_tags_come_back_in_the_table(digits):
    pytest.importorskip("pandas")
    analysis, _, X, _ = digits
    tagged = analysis.with_tags({"faint": X.mean(axis=1) < 4.5})
    again = analysis.with_tags(tagged.to_frame())
    np.testing.assert_array_equal(again.tags_["faint"], tagged.tags_["faint"])


@pytest.mark.parametrize("yes", [1, 1.0, "x", "X", "true", True, " yes "])
@pytest.mark.parametrize("no", [0, "", "no", False, None, float("nan")])
def test_ways_to_say_yes_and_no(digits, yes, no):
    pytest.importorskip("pandas")
    frame = digits[0].to_frame()
    frame["a"] = np.array([yes, no] * len(frame), dtype=object)[: len(frame)]
    assert digits[0].with_tags(frame).tags_["a"].tolist()[:4] == [True, False, True, False]


def test_tables_of_something_else_are_refused(digits):
    pytest.importorskip("pandas")
    analysis = digits[0]
    frame = analysis.to_frame(["a"])
    with pytest.raises(ValueError, match="column 'a' has 'maybe' in row"):
        analysis.with_tags(frame.assign(a="maybe"))
    with pytest.raises(ValueError, match="is no error here"):
        analysis.with_tags(frame.assign(row=analysis.n_rows_))
    with pytest.raises(ValueError, match="is there twice"):
        analysis.with_tags(frame.assign(row=frame["row"][0]))
    with pytest.raises(ValueError, match="has predicted .* Is it the table of another model"):
        analysis.with_tags(frame.assign(predicted=-1))
    with pytest.raises(ValueError, match="'row', the number of the row, is missing"):
        analysis.with_tags(frame.drop(columns="row"))
    with pytest.raises(ValueError, match="add a column for each category"):
        analysis.with_tags(analysis.to_frame())
    with pytest.raises(ValueError, match=r"categories=\['b'\] must be columns"):
        analysis.with_tags(frame, ["b"])
    with pytest.raises(ValueError, match=r"table\['a'\] must say True or False"):
        analysis.with_tags({"a": [True]})


def test_a_data_frame_is_shown_beside_its_errors():
    pytest.importorskip("pandas")
    X, y = load_wine(return_X_y=True, as_frame=True)
    tree = DecisionTreeClassifier(max_depth=1).fit(X, y)
    analysis = ErrorAnalysis.from_estimator(tree, X, y, class_names=["first", "second", "third"])
    frame = analysis.to_frame()
    assert list(frame.columns) == ["row", "true", "predicted", "probability", *X.columns]
    np.testing.assert_array_equal(frame["ash"], X["ash"].iloc[analysis.errors_["row"]])
    assert set(frame["true"]) <= {"first", "second", "third"}
    assert analysis.slices()[0].feature in X.columns


def test_texts_are_shown_beside_their_errors_and_sliced_by_what_is_given():
    pytest.importorskip("pandas")
    texts = ["good film", "bad film", "a good bad film", "good good", "bad", "not good"]
    y = [1, 0, 0, 1, 0, 0]
    model = make_pipeline(CountVectorizer(), MultinomialNB()).fit(texts[:3], y[:3])
    analysis = ErrorAnalysis.from_estimator(model, texts, y)
    rows = analysis.errors_["row"]
    assert analysis.to_frame()["text"].tolist() == [texts[i] for i in rows]
    with pytest.raises(ValueError, match="features=list has no features to slice by"):
        analysis.slices()
    words = [len(text.split()) for text in texts]
    assert sum(one.n_rows for one in analysis.slices({"words": words})) == len(texts)


def test_classifiers_without_probabilities_have_none():
    X, y = load_breast_cancer(return_X_y=True)
    analysis = ErrorAnalysis.from_estimator(RidgeClassifier().fit(X, y), X, y)
    assert list(analysis.errors_) == ["row", "true", "predicted"]


@settings(max_examples=60, deadline=None)
@given(LABELS, st.integers(2, 6), st.integers(1, 4), st.integers(0, 2**16))
def test_slices_of_a_feature_share_the_rows(pairs, n_bins, max_values, seed):
    y_true, y_pred = zip(*pairs, strict=True)
    analysis = ErrorAnalysis(y_true, y_pred)
    draw = np.random.default_rng(seed)
    number = np.where(draw.random(len(pairs)) < 0.2, np.nan, draw.normal(size=len(pairs)))
    features = {"number": number, "word": draw.choice(list("abcdefg"), len(pairs))}
    found = analysis.slices(features, n_bins=n_bins, max_values=max_values)
    for feature in features:
        own = [one for one in found if one.feature == feature]
        assert sum(one.n_rows for one in own) == len(pairs)
        assert sum(one.n_errors for one in own) == analysis.n_errors_
        assert len(own) <= (n_bins if feature == "number" else max_values) + 1
        gains = sum(analysis.error_rate_ - one.ceiling for one in own)
        assert math.isclose(gains, analysis.error_rate_, abs_tol=1e-12)


def test_slices_come_worst_first():
    y = np.zeros(200, dtype=int)
    wrong = np.r_[np.ones(1), np.zeros(99), np.ones(40), np.zeros(60)].astype(int)
    part = np.r_[["one row"], ["good"] * 99, ["bad"] * 100]
    found = ErrorAnalysis(y, wrong).slices({"part": part})
    assert [one.value for one in found] == ["bad", "one row", "good"]
    assert [one.value for one in pickle.loads(pickle.dumps(found))] == ["bad", "one row", "good"]
    assert found.error_rate == 41 / 200
    few = ErrorAnalysis(y, wrong).slices({"part": part}, min_rows=5)
    assert [one.value for one in few] == ["bad", "good"]


def test_numbers_are_cut_at_their_quantiles():
    names, counts = np.unique(slice_names(np.arange(100), 4, 10), return_counts=True)
    assert dict(zip(names, counts, strict=True)) == {
        "<= 24": 25,
        "(24, 49]": 25,
        "(49, 74]": 25,
        "> 74": 25,
    }


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([1, 2, 1, 2], ["1", "2", "1", "2"]),
        ([1.0, None, 2.0, 3.0], ["<= 2", "missing", "<= 2", "> 2"]),
        ([1, 9, 9, 9, 9, 5, 9], ["<= 5", "> 5", "> 5", "> 5", "> 5", "<= 5", "> 5"]),
        (["a", "b", "a", "c", "b", "d"], ["a", "b", "a", *["other values", "b", "other values"]]),
        ([True, False, True], ["True", "False", "True"]),
        (
            np.array(["2020-01-01", "NaT", "2021-01-01", "2022-01-01"], dtype="datetime64[D]"),
            ["<= 2021-01-01", "missing", "<= 2021-01-01", "> 2021-01-01"],
        ),
    ],
)
def test_slices_of_all_sorts_of_values(values, wanted):
    assert slice_names(values, 2, 2).tolist() == wanted


@given(st.integers(1, 500), st.data())
def test_intervals_are_wilsons(n, data):
    count = data.draw(st.integers(0, n))
    wanted = binomtest(count, n).proportion_ci(method="wilson")
    np.testing.assert_allclose(wilson_interval(count, n), wanted, atol=1e-4)


def test_classes_are_shown_by_name():
    names = {"t": "tree", "h": "house"}
    analysis = ErrorAnalysis(["t", "h", "t"], ["h", "h", "t"], class_names=names)
    assert analysis.confusions() == [("tree", "house", 1, 1.0)]
    analysis = ErrorAnalysis([3, 5, 3], [5, 5, 3], class_names=["three", "five"])
    assert analysis.confusions() == [("three", "five", 1, 1.0)]
    with pytest.raises(ValueError, match="one name for each of the 2 classes"):
        ErrorAnalysis([3, 5], [5, 5], class_names=["three"])


def test_the_table_names_what_there_is(digits):
    analysis, _, X, _ = digits
    text = str(analysis.with_tags({"faint": X.mean(axis=1) < 4.5}))
    assert text.startswith(f"{analysis.n_errors_} of {analysis.n_rows_} rows are wrong")
    assert "true" in text and "faint" in text and "more pairs" in text


def test_a_perfect_model_has_nothing_to_analyse():
    analysis = ErrorAnalysis([0, 1], [0, 1])
    assert str(analysis) == "0 of 2 rows are wrong: 0.0 % (0.0 to 65.8 %)"
    assert analysis.confusions() == []
    assert [one.n_errors for one in analysis.slices({"x": [1, 2]})] == [0, 0]
    with pytest.raises(ValueError, match="0 errors that were looked at"):
        analysis.with_tags({"a": [True, False]})


def test_bad_input_is_named(digits):
    with pytest.raises(ValueError, match="inconsistent"):
        ErrorAnalysis([0, 1], [0])
    with pytest.raises(ValueError, match=r"y_true has the shape \(2, 2\)"):
        ErrorAnalysis(np.zeros((2, 2)), np.zeros(2))
    with pytest.raises(ValueError, match="No error has a category yet"):
        digits[0].ceiling()
    with pytest.raises(ValueError, match=r"categories=\['b'\] must be among \['a'\]"):
        with_ten_percent_error().with_tags({"a": np.ones(1000, dtype=bool)}).error_without("b")
    with pytest.raises(ValueError, match="'x' has 3 values for"):
        digits[0].slices({"x": [1, 2, 3]})
    with pytest.raises(ValueError, match="n_bins=1 must be at least 2"):
        digits[0].slices({"x": digits[3]}, n_bins=1)
    with pytest.raises(ValueError, match="show='bars'"):
        digits[0].plot(show="bars")


def test_pictures(digits):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    analysis, _, X, y = digits
    tagged = analysis.with_tags({"faint": X.mean(axis=1) < 4.5})
    labels = [
        [label.get_text() for label in drawn.ax_.get_yticklabels()]
        for drawn in (analysis.plot(), tagged.plot(), analysis.slices({"class": y}).plot())
    ]
    first = analysis.confusions()[0]
    assert labels[0][0] == f"{first.true} taken for {first.predicted}" and len(labels[0]) == 10
    assert labels[1] == [f"faint ({tagged.ceiling()[0].n_errors})"]
    assert len(labels[2]) == len(analysis.slices({"class": y}))
    matplotlib.pyplot.close("all")


def test_plot_without_matplotlib_says_what_to_install(monkeypatch, digits):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"pip install .sklearn_hpt\[plot\]"):
        digits[0].plot()


def test_tables_without_pandas_say_what_to_do(monkeypatch, digits):
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(ImportError, match="pip install pandas"):
        digits[0].to_frame()
    with pytest.raises(ImportError, match="pip install pandas"):
        digits[0].with_tags("errors.csv")
