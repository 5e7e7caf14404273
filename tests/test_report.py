"""The page about a search: what it holds, and what it does in a browser."""

import json
import re
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
from estimators import Misbehaving
from scipy.stats import loguniform, norm
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, RandomizedSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_hpt import LogRandomSearchCV
from sklearn_hpt.__main__ import main
from sklearn_hpt._optimism import complete_scores
from sklearn_hpt.exceptions import JournalError
from sklearn_hpt.report import write_report
from sklearn_hpt.space import Categorical

X, y = load_iris(return_X_y=True)
SPACE = {
    "C": (1e-2, 1e3, "log-uniform"),
    "gamma": (1e-4, 1e1, "log-uniform"),
    "kernel": ["rbf", "poly"],
}
SUMMED = "time summed over all fits and scores"
NASTY = "</script><img src=x onerror=alert(1)>"


def content(path):
    text = path.read_text(encoding="utf-8")
    return json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])


@pytest.fixture(scope="module")
def search():
    return LogRandomSearchCV(SVC(), SPACE, n_iter=30, cv=4, random_state=0).fit(X, y)


@pytest.fixture(scope="module")
def with_failures():
    space = {"how": ["well", "raise", f"raise this: {NASTY}", "nan"], "value": [0, 1]}
    with pytest.warns(Warning):
        return LogRandomSearchCV(Misbehaving(), space, n_iter=8, cv=2).fit(X, y)


def test_the_page_tells_what_the_search_found(search, tmp_path):
    told = content(write_report(search, tmp_path / "report.html"))
    facts = dict(told["facts"])
    assert facts["search"] == "LogRandomSearchCV" and facts["estimator"] == "SVC()"
    assert facts["candidates"] == "30 complete" and facts["folds"] == "4"
    spread = search.cv_results_["std_test_score"][search.best_index_]
    assert facts["best score"] == f"{search.best_score_:.4f} ± {spread:.4f} over the folds"
    assert facts["without the luck of the chosen"] == f"{search.best_score_corrected_:.4f}"
    assert facts["data"] == "150 rows, 4 features"
    assert facts["state"] == "finished"
    assert told["best"] == search.best_index_
    assert [row[2] for row in told["rows"]] == search.cv_results_["mean_test_score"].tolist()
    assert told["rows"][3][6] == pytest.approx(search.cv_results_["params"][3])
    assert sum(share for _, share in told["importance"]) <= 1.0
    assert set(told["logs"]) == {"C", "gamma"}


def test_failures_are_counted_and_nothing_breaks_out_of_the_page(with_failures, tmp_path):
    path = write_report(with_failures, tmp_path / "report.html", title=NASTY)
    told = content(path)
    assert sum(n for _, n in told["failures"]) == 6
    assert any("this candidate cannot be fitted" in message for message, _ in told["failures"])
    assert NASTY not in path.read_text(encoding="utf-8")
    assert all(row[2] is None for row in told["rows"] if row[1] == "failed")


def test_searches_of_scikit_learn_have_a_page(tmp_path):
    grid = GridSearchCV(SVC(), {"C": [0.1, 1.0, 10.0]}, cv=3).fit(X, y)
    told = content(write_report(grid, tmp_path / "report.html"))
    assert dict(told["facts"])["search"] == "GridSearchCV" and len(told["rows"]) == 3


def test_a_journal_has_a_page_by_the_command_line(tmp_path):
    journal = tmp_path / "search.jsonl"
    search = LogRandomSearchCV(SVC(), SPACE, n_iter=5, cv=3, random_state=0, journal=journal)
    search.fit(X, y)
    command = [sys.executable, "-m", "sklearn_hpt", "report", str(journal)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    path = tmp_path / "search.jsonl.html"
    assert done.stdout.strip() == str(path)
    told = content(path)
    assert [row[2] for row in told["rows"]] == search.cv_results_["mean_test_score"].tolist()
    facts = dict(told["facts"])
    assert facts["search"] == "LogRandomSearchCV" and facts["state"] == "finished"
    assert facts["X"] == "ndarray 150 x 4 float64" and facts["estimator"].endswith("SVC")
    assert facts["best score"].startswith(f"{search.best_score_:.4f} ± ")
    assert facts["scoring"] == "sklearn.base.ClassifierMixin.score"


def test_what_is_no_search_or_no_metric_is_refused(search, tmp_path):
    with pytest.raises(NotFittedError):
        write_report(LogRandomSearchCV(SVC(), SPACE), tmp_path / "report.html")
    with pytest.raises(ValueError, match="metric='r3' is not the metric of the search"):
        write_report(search, tmp_path / "report.html", metric="r3")
    (tmp_path / "empty").write_text("")
    with pytest.raises(JournalError):
        write_report(tmp_path / "empty", tmp_path / "report.html")


def test_scores_of_any_size_have_digits(tmp_path):
    grid = GridSearchCV(SVC(), {"C": [1.0, 2.0]}, cv=2).fit(X, y)
    for score, text in ((-3.25e-5, "-3.2500e-05"), (-2.5e9, "-2.5000e+09"), (0.25, "0.2500")):
        grid.cv_results_ = {"params": [{"C": 1.0}, {"C": 2.0}], "mean_test_score": [score] * 2}
        told = content(write_report(grid, tmp_path / "report.html"))
        facts = dict(told["facts"])
        assert facts["best score"] == text and facts[SUMMED] == "not known"


# what was searched


MANY = "svc__gamma"
ALTERNATIVES = [
    ({"svc__C": (1e-2, 1e3, "log-uniform"), "svc__degree": (2, 5)}, 3),
    {
        "svc__kernel": Categorical(["rbf", "poly"], weights=[3, 1]),
        MANY: [0.1 / k for k in range(1, 21)],
        "svc__coef0": norm(0, 1),
        "svc__shrinking": [True],
        "standardscaler": [StandardScaler(), "passthrough"],
    },
]


def tables(told):
    return {table["heading"]: {n: rest for n, *rest in table["lines"]} for table in told}


@pytest.fixture(scope="module")
def alternatives(tmp_path_factory):
    """A search with alternatives, and its journal."""
    journal = tmp_path_factory.mktemp("alternatives") / "search.jsonl"
    model = make_pipeline(StandardScaler(), SVC())
    search = LogRandomSearchCV(model, ALTERNATIVES, n_iter=4, cv=2, journal=journal)
    return search.fit(X, y), journal


def test_each_alternative_of_the_space_is_told(alternatives, tmp_path):
    search, _ = alternatives
    told = tables(content(write_report(search, tmp_path / "report.html"))["searched"])
    first, second = told["alternative 1 of 2, 3 candidates"], told["alternative 2 of 2"]
    assert first == {
        "svc__C": ["0.01 to 1000", "log-uniform"],
        "svc__degree": ["2 to 5", "uniform, integers"],
    }
    assert second["svc__kernel"] == ["rbf (75 %), poly (25 %)", "2 choices"]
    shown = "0.1, 0.05, 0.0333333, 0.025, 0.02, 0.0166667, …, 0.005"
    assert second[MANY] == [shown, "20 choices"]
    assert second["svc__coef0"] == ["norm(0, 1)", "distribution"]
    assert second["svc__shrinking"] == ["True", "constant"]
    assert second["standardscaler"] == ["StandardScaler(), passthrough", "2 choices"]


def test_a_journal_tells_the_same_space_but_of_long_lists(alternatives, tmp_path):
    search, journal = alternatives
    of_search, of_journal = (
        tables(content(write_report(source, tmp_path / "report.html"))["searched"])
        for source in (search, journal)
    )
    values, kind = of_journal["alternative 2 of 2"].pop(MANY)
    assert values.startswith("0.1, 0.05, ") and values.endswith(", …") and kind == "choice"
    choices = of_journal["alternative 2 of 2"].pop("standardscaler")
    assert choices == ["StandardScaler(), 'passthrough'", "choice"]
    del of_search["alternative 2 of 2"][MANY], of_search["alternative 2 of 2"]["standardscaler"]
    assert of_journal == of_search


def test_the_default_space_is_told_as_what_it_is(tmp_path):
    search = LogRandomSearchCV(SVC(), "auto", n_iter=2, cv=2).fit(X, y)
    told = tables(content(write_report(search, tmp_path / "report.html"))["searched"])
    (heading, lines), *_ = told.items()
    assert heading.startswith("the default space of this estimator")
    assert lines["C"][1] == "log-uniform"


def test_the_space_of_scikit_learn_is_told(tmp_path):
    """A tuple is a list of choices there."""
    space = {"C": loguniform(1e-2, 1e2), "coef0": (0, 5), "gamma": np.array([0.5, 1.0])}
    search = RandomizedSearchCV(SVC(), space, n_iter=2, cv=2, random_state=0).fit(X, y)
    told = content(write_report(search, tmp_path / "report.html"))["searched"]
    assert tables(told)[""] == {
        "C": ["0.01 to 100", "log-uniform"],
        "coef0": ["0, 5", "2 choices"],
        "gamma": ["0.5, 1", "2 choices"],
    }
    grid = GridSearchCV(SVC(), [{"C": [1, 2]}, {"kernel": ["poly"]}], cv=2).fit(X, y)
    told = tables(content(write_report(grid, tmp_path / "report.html"))["searched"])
    assert told["alternative 2 of 2"] == {"kernel": ["poly", "constant"]}


def test_the_estimator_is_told_whole(alternatives, tmp_path):
    steps = [(f"step_number_{k}", StandardScaler(with_mean=False)) for k in range(20)]
    model = Pipeline([*steps, ("svc", SVC(cache_size=321))])
    search = GridSearchCV(model, {"svc__C": [1.0]}, cv=2).fit(X, y)
    facts = dict(content(write_report(search, tmp_path / "report.html"))["facts"])
    assert "step_number_19" in facts["estimator"] and "cache_size=321" in facts["estimator"]
    assert "..." not in facts["estimator"]
    facts = dict(content(write_report(alternatives[1], tmp_path / "report.html"))["facts"])
    assert "svc = sklearn.svm._classes.SVC" in facts["its parameters"].splitlines()
    assert "svc__gamma = scale" in facts["its parameters"].splitlines()


def test_times_and_states_are_named_as_the_command_line_names_them(alternatives, tmp_path, capsys):
    search, journal = alternatives
    assert main(["show", str(journal)]) == 0
    shown = capsys.readouterr().out
    for source in (search, journal):
        facts = dict(content(write_report(source, tmp_path / "report.html"))["facts"])
        assert f"LogRandomSearchCV, {facts['state']}\n" in shown
        assert f" {facts[SUMMED]} {SUMMED.removeprefix('time ')}\n" in shown
    assert f" {facts['time of the search']} of the search\n" in shown


def luck_of(search, tmp_path):
    facts = dict(content(write_report(search, tmp_path / "report.html"))["facts"])
    return facts.get("without the luck of the chosen")


def test_luck_is_told_only_of_the_best_of_complete_candidates(tmp_path):
    def second(results):
        return int(np.argsort(results["rank_test_score"], kind="stable")[1])

    grid = {"C": [1e-3, 1e-2, 0.1, 1.0]}
    assert luck_of(GridSearchCV(SVC(), grid, cv=3).fit(X, y), tmp_path) is not None
    chosen = GridSearchCV(SVC(), grid, cv=3, refit=second).fit(X, y)
    assert luck_of(chosen, tmp_path) is None
    halving = HalvingGridSearchCV(SVC(), grid, cv=3, factor=2, random_state=0).fit(X, y)
    results = halving.cv_results_
    last = results["n_resources"] == results["n_resources"].max()
    assert len(complete_scores(results, "score")) == last.sum() < len(last)
    if last.sum() == 1:
        assert luck_of(halving, tmp_path) is None


def test_a_winner_that_failed_on_a_fold_has_no_score(tmp_path):
    others = X - [10, 0, 0, 0] * (np.arange(150) < 25)[:, None]  # below 0 in one of two folds
    space = {"how": ["raise_on_some_folds"], "value": [0, 1]}
    with pytest.warns(Warning):
        search = LogRandomSearchCV(Misbehaving(), space, n_iter=2, cv=2, error_score=0.0)
        search.fit(others, y)
    assert set(search.cv_results_["status"]) == {"failed"}
    facts = dict(content(write_report(search, tmp_path / "report.html"))["facts"])
    assert facts["best score"] == "no candidate is complete"


def test_causes_beyond_the_tenth_are_counted(tmp_path):
    space = {"how": [f"raise this: {k}" for k in range(13)] + ["well"]}
    with pytest.warns(Warning):
        search = LogRandomSearchCV(Misbehaving(), space, n_iter=14, cv=2).fit(X, y)
    told = content(write_report(search, tmp_path / "report.html"))
    assert sum(n for _, n in told["failures"]) == list(search.cv_results_["status"]).count("failed")


# in a browser


@pytest.fixture(scope="module")
def browser():
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs selenium")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.skip("needs Chromium and its driver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--no-first-run",
        "--window-size=1200,1400",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    running = webdriver.Chrome(options, webdriver.ChromeService(driver))
    yield running
    running.quit()


def cells(browser, column):
    script = (
        "return [...document.querySelectorAll('#rows tbody tr')].map(r => r.cells[%d].textContent)"
    )
    return browser.execute_script(script % column)


def test_the_table_sorts_the_pictures_tell_and_nothing_is_logged(browser, search, tmp_path):
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.by import By

    browser.get(write_report(search, tmp_path / "report.html").as_uri())
    heads = browser.find_elements(By.CSS_SELECTOR, "#rows th button")
    scores = [float(text) for text in cells(browser, 2)]
    assert scores == sorted(scores, reverse=True)
    names = [head.text for head in heads]
    heads[names.index("C")].click()
    values = [float(text) for text in cells(browser, names.index("C"))]
    assert values == sorted(values, reverse=True) and len(values) == 30
    browser.find_elements(By.CSS_SELECTOR, "#rows th button")[names.index("C")].click()
    assert [float(text) for text in cells(browser, names.index("C"))] == sorted(values)

    dot = browser.find_element(By.CSS_SELECTOR, "#history circle.best")
    ActionChains(browser).move_to_element(dot).perform()
    tip = browser.find_element(By.ID, "tip")
    assert tip.is_displayed() and f"candidate {search.best_index_}, complete" in tip.text
    assert len(browser.find_elements(By.CSS_SELECTOR, "#effect circle")) == 30
    assert browser.get_log("browser") == []


def test_candidates_are_hidden_by_their_status(browser, with_failures, tmp_path):
    from selenium.webdriver.common.by import By

    browser.get(write_report(with_failures, tmp_path / "report.html").as_uri())
    assert len(cells(browser, 0)) == 8
    labels = {b.text.split()[0]: b for b in browser.find_elements(By.CSS_SELECTOR, "#filter label")}
    labels["failed"].click()
    assert set(cells(browser, 1)) == {"complete"} and len(cells(browser, 0)) == 2
    assert "6" in labels["failed"].text
    assert NASTY in browser.find_element(By.ID, "failures").text
    assert browser.get_log("browser") == []


def test_two_thousand_candidates_are_there_in_three_seconds(browser, tmp_path):
    rng = np.random.default_rng(0)
    n = 2000
    grid = GridSearchCV(SVC(), {"C": [1.0]}, cv=3).fit(X, y)
    params = [
        {"C": float(10 ** rng.uniform(-3, 3)), "gamma": float(rng.random())} for _ in range(n)
    ]
    grid.cv_results_ = {
        "params": params,
        **{f"split{k}_test_score": rng.random(n) for k in range(3)},
        "mean_test_score": rng.random(n),
        "mean_fit_time": rng.random(n),
    }
    page = write_report(grid, tmp_path / "report.html")
    started = time.perf_counter()
    browser.get(page.as_uri())
    assert browser.execute_script("return document.querySelectorAll('#history circle').length") == n
    assert time.perf_counter() - started < 3.0
    assert browser.get_log("browser") == []


def texts(browser, selector):
    script = "return [...document.querySelectorAll(arguments[0])].map(e => e.textContent)"
    return browser.execute_script(script, selector)


def page_of(browser, tmp_path, params, scores, **columns):
    """Open the page of a search with these results."""
    grid = GridSearchCV(SVC(), {"C": [1.0]}, cv=3).fit(X, y)
    grid.cv_results_ = {"params": params, "mean_test_score": np.array(scores), **columns}
    grid.best_index_ = int(np.nanargmax(scores))
    path = write_report(grid, tmp_path / "report.html")
    browser.get(path.as_uri())
    return content(path)


def cut_off(browser):
    """Return the texts of the pictures that are not wholly inside of them."""
    return browser.execute_script("""
        return [...document.querySelectorAll("svg text")].filter((text) => {
          const [box, all] = [text, text.closest("svg")].map((e) => e.getBoundingClientRect());
          return box.left < all.left - 1 || box.right > all.right + 1;
        }).map((text) => text.textContent);""")


def test_large_numbers_and_numbers_near_1_are_written_as_what_they_are(browser, tmp_path):
    params = [{"seed": 1234567, "momentum": 1 - 10.0**-k} for k in range(1, 6)]
    page_of(browser, tmp_path, params, [-1.5e10, -2e10, -2.5e10, -3e10, -3.5e10])
    assert cut_off(browser) == []
    assert cells(browser, 6) == ["1234567"] * 5
    assert cells(browser, 7) == ["0.9", "0.99", "0.999", "0.9999", "0.99999"]
    assert texts(browser, "#summary code") == ["seed = 1234567", "momentum = 0.9"]
    assert {"-2e10", "-3e10"} <= set(texts(browser, "#history text"))
    ticks = [text for text in texts(browser, "#history text") if text.replace(".", "").isdigit()]
    assert ticks == ["0", "1", "2", "3", "4"]


def test_a_rate_near_1_has_the_axis_of_its_prior(browser, tmp_path):
    space = {"coef0": (0.9, 0.99999, "log-complement")}
    search = LogRandomSearchCV(SVC(), space, n_iter=8, cv=2, sampler="sobol", random_state=0)
    path = write_report(search.fit(X, y), tmp_path / "report.html")
    assert content(path)["nines"] == ["coef0"]
    browser.get(path.as_uri())
    assert {"0.99", "0.999", "0.9999"} <= set(texts(browser, "#effect text"))


def test_choices_are_in_order_and_their_labels_do_not_overlap(browser, tmp_path):
    values = [*(10.0**-k * 1.2345678901 for k in range(20)), "scale", 2, 10]
    page_of(browser, tmp_path, [{"gamma": v} for v in values], np.arange(23) / 30)
    boxes = browser.execute_script("""
        return [...document.querySelectorAll("#effect text[text-anchor=middle]")].slice(0, -1)
          .map((text) => { const b = text.getBoundingClientRect(); return [b.left, b.right]; });""")
    assert all(one[1] < other[0] for one, other in zip(boxes, boxes[1:], strict=False))
    page_of(browser, tmp_path, [{"n": v} for v in (10, 9, None)], [0.1, 0.2, 0.3])
    assert texts(browser, "#effect text")[:3] == ["9", "10", "None"]


@pytest.mark.parametrize("width", [500, 1300])
def test_long_names_stay_inside_of_their_cards(browser, tmp_path, width):
    window = browser.get_window_size()
    browser.set_window_size(width, 1400)
    name = "columntransformer__a_part_with_a_long_name__an_imputer_with_a_long_name__fill_value"
    page_of(browser, tmp_path, [{name: k} for k in range(20)], np.arange(20) / 30)
    outside = browser.execute_script("""
        const right = (e) => e.getBoundingClientRect().right;
        const wide = document.documentElement;
        return [...document.querySelectorAll("figure select, figure label")]
          .filter((e) => right(e) > right(e.closest("figure"))).length
          + (wide.scrollWidth > wide.clientWidth);""")
    browser.set_window_size(window["width"], window["height"])
    assert outside == 0


def test_a_long_estimator_is_folded_and_the_space_is_a_table(browser, alternatives, tmp_path):
    browser.get(write_report(alternatives[1], tmp_path / "report.html").as_uri())
    assert len(texts(browser, "#summary details")) == 1
    assert texts(browser, ".searched caption")[1] == "alternative 2 of 2"
    assert texts(browser, ".searched")[0].endswith("svc__degree2 to 5uniform, integers")
    assert browser.get_log("browser") == []


def test_a_few_diverged_scores_do_not_flatten_the_picture_of_a_page(browser, tmp_path):
    scores = [0.5 + k / 100 for k in range(20)] + [-1e9]
    page_of(browser, tmp_path, [{"C": float(k)} for k in range(21)], scores)
    heights = browser.execute_script(
        "return [...document.querySelectorAll('#history circle')].map(c => +c.getAttribute('cy'))"
    )
    assert len(heights) == 20 and max(heights) - min(heights) > 100
    assert len(texts(browser, "#history .far")) == 1


def test_the_amount_of_the_resource_is_told(browser, tmp_path):
    params, amounts = [{"C": 1.0}, {"C": 2.0}], np.array([9, 3])
    told = page_of(browser, tmp_path, params, [0.9, 0.5], n_resources=amounts)
    assert told["resource"] == "resource" and [row[8] for row in told["rows"]] == [9.0, 3.0]
    assert texts(browser, "#summary code") == ["C = 1", "resource = 9"]
    assert cells(browser, 6) == ["9", "3"] and texts(browser, "#rows th")[6] == "resource"
