"""What sharing the first steps of a Pipeline saves, and what it costs where nothing is shared.

    python benchmarks/prefix_cache.py [--quick] [--data DIR] [--case NAME]

The same candidates, all of a grid, go through four searches in turn, each in a fresh process,
with 3 folds, scoring="accuracy" and n_jobs=1:

sklearn  GridSearchCV
memory   GridSearchCV over Pipeline(memory=) in a new folder
plain    LogRandomSearchCV
cached   LogRandomSearchCV(cache_pipeline_prefix=True)

Shown are medians of several runs: CPU of the searches, user and system, and how many times the
CPU of `cached` the others take (above 1, the cache is better); then the memory that a search
added to the peak of its process. All four must have the same scores.

The text is read from sms_spam.csv.gz and sentiment_sentences.csv.gz (columns `text` and
`label`) in DIR, or in the folder that SKLEARN_HPT_DATA names; without them these cases are
skipped.
"""

import argparse
import csv
import gzip
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

SEARCHES = ("sklearn", "memory", "plain", "cached")
TEXTS = {"sms": "sms_spam.csv.gz", "sentiment": "sentiment_sentences.csv.gz"}


class Shift(TransformerMixin, BaseEstimator):
    """The cheapest step there is, with a parameter that no two candidates share."""

    def __init__(self, by=0.0):
        self.by = by

    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return X + self.by


def texts(name, folder):
    with gzip.open(Path(folder) / TEXTS[name], "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [row["text"] for row in rows], np.array([row["label"] for row in rows])


def numbers(n_rows, n_columns):
    from sklearn.datasets import make_classification

    return make_classification(n_rows, n_columns, n_informative=n_columns // 4, random_state=0)


def digits():
    from sklearn.datasets import load_digits

    return load_digits(return_X_y=True)


def problem(case, quick, folder):
    """Return data, steps and the grid of a case."""
    from sklearn.decomposition import PCA
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression, RidgeClassifier
    from sklearn.naive_bayes import GaussianNB, MultinomialNB
    from sklearn.preprocessing import StandardScaler

    n = 4 if quick else 8
    vectors = {"prefix__ngram_range": [(1, 1), (1, 2)], "prefix__sublinear_tf": [False, True]}
    pca = {"prefix__n_components": [8, 16, 24, 32]}
    many = 10 if quick else 20
    cases = {
        "sms: tf-idf (4), bayes": lambda: (
            texts("sms", folder),
            [TfidfVectorizer(), MultinomialNB()],
            {**vectors, "model__alpha": np.geomspace(1e-3, 10, n).tolist()},
        ),
        "sms: tf-idf (4), logistic": lambda: (
            texts("sms", folder),
            [TfidfVectorizer(), LogisticRegression(max_iter=1000)],
            {**vectors, "model__C": np.geomspace(1e-2, 1e2, n).tolist()},
        ),
        "sentiment: tf-idf (4), logistic": lambda: (
            texts("sentiment", folder),
            [TfidfVectorizer(), LogisticRegression(max_iter=1000)],
            {**vectors, "model__C": np.geomspace(1e-2, 1e2, n).tolist()},
        ),
        "sms: max_df (all differ), bayes": lambda: (
            texts("sms", folder),
            [TfidfVectorizer(), MultinomialNB()],
            {"prefix__max_df": np.linspace(0.2, 1.0, many).tolist()},
        ),
        "digits: PCA (4), ridge": lambda: (
            digits(),
            [StandardScaler(), PCA(random_state=0), RidgeClassifier()],
            {**pca, "model__alpha": np.geomspace(1e-3, 1e3, n).tolist()},
        ),
        "5000 x 200: PCA (4), logistic": lambda: (
            numbers(5000, 200),
            [StandardScaler(), PCA(random_state=0), LogisticRegression()],
            {**pca, "model__C": np.geomspace(1e-3, 1e1, n).tolist()},
        ),
        "5000 x 200: PCA (all differ), ridge": lambda: (
            numbers(5000, 200),
            [PCA(random_state=0, svd_solver="full"), RidgeClassifier()],
            {"prefix__n_components": np.linspace(0.3, 0.99, many).tolist()},
        ),
        "50000 x 50: shift (all differ), bayes": lambda: (
            numbers(50_000, 50),
            [Shift(), GaussianNB()],
            {"prefix__by": np.linspace(0.0, 1.0, many).tolist()},
        ),
        "1000 x 20: scaler (1), bayes": lambda: (
            numbers(1000, 20),
            [StandardScaler(), GaussianNB()],
            {"model__var_smoothing": np.geomspace(1e-9, 1e-3, many).tolist()},
        ),
        "1000 x 20: shift (all differ), bayes": lambda: (
            numbers(1000, 20),
            [Shift(), GaussianNB()],
            {"prefix__by": np.linspace(0.0, 1.0, 2 * many).tolist()},
        ),
    }
    return cases if case is None else cases[case]()


def run_one(which, case, quick, folder):
    """Run one search in this process and return its figures."""
    import warnings

    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import Pipeline

    from sklearn_hpt import LogRandomSearchCV

    warnings.simplefilter("ignore")
    (X, y), steps, grid = problem(case, quick, folder)
    names = ["before"] * (len(steps) - 2) + ["prefix", "model"]
    pipeline = Pipeline(list(zip(names, steps, strict=True)))
    settings = {"scoring": "accuracy", "cv": 3, "refit": False}
    with tempfile.TemporaryDirectory() as memory:
        if which in ("sklearn", "memory"):
            pipeline.memory = memory if which == "memory" else None
            search = GridSearchCV(pipeline, grid, **settings)
        else:
            n_iter = int(np.prod([len(values) for values in grid.values()]))
            search = LogRandomSearchCV(
                pipeline, grid, n_iter=n_iter, cache_pipeline_prefix=which == "cached", **settings
            )
        cpu, peak = used()
        search.fit(X, y)
        cpu_after, peak_after = used()
    scores = sorted(
        (json.dumps(params), score)
        for params, score in zip(
            search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True
        )
    )
    return {"cpu": cpu_after - cpu, "mb": (peak_after - peak) / 1024, "scores": scores}


def used():
    """Return the CPU of this process so far, in seconds, and its peak memory, in kB."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def measure(arguments, n_runs):
    """Return the median figures of all searches, run in turn, each in fresh processes."""
    runs = {which: [] for which in SEARCHES}
    for i in range(n_runs):
        for which in SEARCHES[i % len(SEARCHES) :] + SEARCHES[: i % len(SEARCHES)]:
            command = [sys.executable, __file__, "--one", json.dumps([which, *arguments])]
            environment = {**os.environ, "OMP_NUM_THREADS": "1"}
            done = subprocess.run(command, capture_output=True, text=True, env=environment)
            if done.returncode:
                raise RuntimeError(done.stderr)
            runs[which].append(json.loads(done.stdout.splitlines()[-1]))
    scores = [run["scores"] for which in SEARCHES for run in runs[which]]
    assert all(other == scores[0] for other in scores), "same results"
    return {
        which: {key: statistics.median(run[key] for run in runs[which]) for key in ("cpu", "mb")}
        for which in SEARCHES
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="fewer candidates, one run each")
    parser.add_argument("--data", default=os.environ.get("SKLEARN_HPT_DATA"), help="the texts")
    parser.add_argument("--case", default="", help="only cases whose name contains this")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(run_one(*json.loads(options.one))))
        return
    print(f"{'':38}{'CPU in s':>34}{'times that of cached':>23}{'added MB':>16}")
    print(
        f"{'case':38}{'sklearn':>10}{'memory':>8}{'plain':>8}{'cached':>8}"
        f"{'sklearn':>9}{'memory':>7}{'plain':>7}{'plain':>9}{'cached':>7}"
    )
    for case in problem(None, options.quick, options.data):
        if options.case not in case:
            continue
        file = TEXTS.get(case.partition(":")[0])
        if file and not (options.data and (Path(options.data) / file).exists()):
            print(f"{case:38}skipped: no {file}; name its folder with --data")
            continue
        found = measure([case, options.quick, options.data], 1 if options.quick else 3)
        cpu = [found[which]["cpu"] for which in SEARCHES]
        print(
            f"{case:38}{cpu[0]:10.2f}{cpu[1]:8.2f}{cpu[2]:8.2f}{cpu[3]:8.2f}"
            f"{cpu[0] / cpu[3]:9.2f}{cpu[1] / cpu[3]:7.2f}{cpu[2] / cpu[3]:7.2f}"
            f"{found['plain']['mb']:9.0f}{found['cached']['mb']:7.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
