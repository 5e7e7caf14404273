"""What a notebook shows of a search: scikit-learn's diagram, and after `fit` what was found."""

import math
import pickle
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from sklearn import config_context
from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from sklearn_hpt import LogRandomSearchCV
from sklearn_hpt._summary import summarize

X, y = load_iris(return_X_y=True)
C = {"C": [0.01, 0.1, 1.0, 10.0, 100.0, 1000.0, -1.0]}


@pytest.fixture(scope="module")
def search():
    with pytest.warns(FitFailedWarning):
        return LogRandomSearchCV(LogisticRegression(max_iter=500), C, n_iter=8).fit(X, y)


class Cells(HTMLParser):
    """Collects the text of the cells of all tables; checks that tags are closed."""

    def __init__(self):
        super().__init__()
        self.open = []
        self.cells = []

    def handle_starttag(self, tag, attrs):
        if tag != "br":
            self.open.append(tag)
        if tag in ("th", "td"):
            self.cells.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if {"th", "td"} & set(self.open):
            self.cells[-1] += data


def cells_of(search):
    parser = Cells()
    parser.feed(summarize(search).as_html())
    assert not parser.open
    return parser.cells


def test_summary_says_what_was_found(search):
    cells = cells_of(search)
    facts = dict(zip(cells[:10:2], cells[1:10:2], strict=True))
    assert facts["best"].startswith(f"{search.best_score_:.6g} ± ")
    assert f"{search.best_score_corrected_:.6g} without its luck" in facts["best"]
    assert facts["parameters"] == f"C = {search.best_params_['C']:.6g}"
    assert facts["candidates"] == "6 complete, 1 failed"
    assert re.fullmatch(r"\d+ s, refit \d+ s", facts["time"])
    assert facts["ended since"] == "every point of the space is evaluated"


def test_table_has_the_five_best_candidates_in_order(search):
    header, *cells = np.split(np.array(cells_of(search)[10:]), [4])
    rows = np.array(cells[0]).reshape(-1, 4)
    assert list(header) == ["candidate", "score", "seconds per fold", "C"]
    best = np.argsort(search.cv_results_["rank_test_score"], kind="stable")[:5]
    assert [int(row[0]) for row in rows] == list(best)
    assert [float(row[3]) for row in rows] == [search.cv_results_["params"][i]["C"] for i in best]


def test_diagram_comes_first_and_alone_before_fit(search):
    html = search._repr_mimebundle_()["text/html"]
    assert html.index("sk-container-id") < html.index('class="sklearn-hpt-summary"')
    unfitted = LogRandomSearchCV(LogisticRegression(), C)
    assert "sklearn-hpt-summary" not in unfitted._repr_html_()


def test_text_display_has_no_summary(search):
    with config_context(display="text"):
        assert not hasattr(search, "_repr_html_")
        assert list(search._repr_mimebundle_()) == ["text/plain"]


class Anything(DummyClassifier):
    """Takes any value of a parameter."""

    def __init__(self, value=None):
        super().__init__()
        self.value = value


def test_values_are_escaped():
    space = {"value": ["<script>alert(1)</script>"]}
    html = summarize(LogRandomSearchCV(Anything(), space, n_iter=1).fit(X, y)).as_html()
    assert "<script" not in html and "&lt;script&gt;" in html


def test_long_values_are_cut_in_the_table():
    search = LogRandomSearchCV(Anything(), {"value": ["long" * 50, None]}, n_iter=2).fit(X, y)
    assert sorted(map(len, cells_of(search)[10:]))[-1] == 40


@pytest.mark.parametrize("refit", [False, "f1_macro", lambda results: 2])
def test_summary_of_several_metrics(refit):
    search = LogRandomSearchCV(
        LogisticRegression(max_iter=500),
        {"C": [0.01, 0.1, 1.0]},
        n_iter=3,
        scoring=["accuracy", "f1_macro"],
        refit=refit,
    ).fit(X, y)
    text = summarize(search).as_text()
    assert ("(f1_macro)" in text) == (refit == "f1_macro")
    assert ("candidate 2" in text) or not callable(refit)
    assert len(summarize(search).top) == (3 if refit == "f1_macro" else 0)


def test_summary_of_a_search_of_scikit_learn_and_of_a_pickled_one(search):
    grid = GridSearchCV(LogisticRegression(max_iter=500), {"C": [0.1, 1.0]}).fit(X, y)
    assert "2 complete" in summarize(grid).as_text()
    copy = pickle.loads(pickle.dumps(search))
    assert summarize(copy).as_html() == summarize(search).as_html()


def test_interrupted_search_has_a_summary():
    class Interrupts(LogisticRegression):
        n_fits = 0

        def fit(self, X, y):
            Interrupts.n_fits += 1
            if Interrupts.n_fits > 7:
                raise KeyboardInterrupt
            return super().fit(X, y)

    search = LogRandomSearchCV(Interrupts(max_iter=500), {"C": (0.1, 1.0)}, n_iter=9)
    with pytest.raises(KeyboardInterrupt):
        search.fit(X, y)
    assert re.search(r"1 complete, \d stopped", search._repr_html_())
    assert math.isfinite(search.search_time_)
