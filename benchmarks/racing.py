"""Racing against full cross-validation, replayed on tables of real fits.

    python benchmarks/racing.py [--quick] [--data DIR] [--tables DIR] [--replays N]

A table holds the scores of 100 to 200 random candidates, less those that fail, on all folds of a
5-fold and of a 10-fold cross-validation, and their scores on held-out rows after a refit on all
training rows. Tables are made once and cached: 20 minutes of CPU, after which a run takes one.
`--data` names a folder of further data sets; a data set that is not there is skipped.

A replay takes the candidates in a random order and the folds in another, and asks the policy
after each fold, as a sequential search does. Printed are

fits     share of the fold fits that were done, those of the verification included
same     share of the replays whose winner has the best mean of the full cross-validation
regret   (best mean - the winner's) / SE, SE = std of the best's folds / sqrt(K)
test     held-out score of the winner less that of the full cross-validation's winner, in units of
         the table's 95 % quantile less its median; mean and standard error over the tables
"""

import argparse
import math
import os
import time
import warnings
from collections import defaultdict
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.base import clone, is_classifier
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sklearn_hpt.racing import ExactRacing, PairedRacing, Standings
from sklearn_hpt.samplers import RandomSampler

N_SPLITS = (5, 10)
MOST_ROUNDS = 3  # of the verification
POLICIES = {
    "exact": ExactRacing(),
    "safe": PairedRacing(eps=0.01, verify=0.02),
    "fast": PairedRacing(eps=0.05, verify=0.05),
}

# ---- data ----

BUNDLED = {
    "iris": datasets.load_iris,
    "wine": datasets.load_wine,
    "digits": datasets.load_digits,
    "breast_cancer": datasets.load_breast_cancer,
    "diabetes": datasets.load_diabetes,
}
FILES = {  # name -> file, target, columns to leave out
    "adult": ("adult.csv.gz", "income", ["split"]),
    "credit_g": ("credit_g.csv.gz", "class", []),
    "bank_marketing": ("bank_marketing.csv.gz", "y", ["duration"]),
    "letter": ("letter.csv.gz", "letter", []),
    "magic_gamma": ("magic_gamma.csv.gz", "class", []),
    "online_shoppers": ("online_shoppers.csv.gz", "Revenue", []),
    "covertype": ("covertype_93k.csv.gz", "Cover_Type", []),
    "wine_quality": ("wine_quality.csv.gz", "quality", []),
    "abalone": ("abalone.csv.gz", "rings", []),
    "california": ("california_housing.csv.gz", "median_house_value", []),
    "bike": ("bike_hour.csv.gz", "cnt", ["instant", "dteday", "casual", "registered"]),
    "sentiment": ("sentiment_sentences.csv.gz", "label", ["domain"]),
    "sms_spam": ("sms_spam.csv.gz", "label", []),
}


def load(name, folder):
    """Return features and target, None where the data set is not there."""
    if name in BUNDLED:
        return BUNDLED[name](return_X_y=True)
    if name in ("mnist", "fashion_mnist"):
        path = folder and folder / f"{name}.npz"
        if not path or not path.exists():
            return None
        with np.load(path) as data:
            X, y = data["X_train"][:4000], data["y_train"][:4000]
        return X[:, ::2, ::2].reshape(len(X), -1) / 255.0, y
    file, target, left_out = FILES[name]
    path = folder and folder / file
    if not path or not path.exists():
        return None
    table = pd.read_csv(path, keep_default_na="text" not in target)
    y = table.pop(target)
    table = table.drop(columns=left_out)
    if "text" in table:
        X = table["text"].astype(str).to_numpy()
    else:
        table = pd.get_dummies(table, dtype=float)
        X = table.fillna(table.median()).to_numpy(dtype=float)
    y = y.to_numpy(dtype=float) if y.nunique() > 30 else pd.factorize(y, sort=True)[0]
    return X, y


# ---- what is searched ----

TREE = {
    "max_depth": (1, 20, "log-uniform"),
    "min_samples_leaf": (1, 100, "log-uniform"),
    "criterion": ["gini", "entropy"],
    "max_features": (0.1, 1.0),
}
FOREST = {
    "n_estimators": (5, 40, "log-uniform"),
    "max_depth": (2, 20, "log-uniform"),
    "max_features": (0.05, 1.0, "log-uniform"),
    "min_samples_leaf": (1, 50, "log-uniform"),
}
BOOSTING = {
    "max_iter": (5, 40, "log-uniform"),
    "learning_rate": (0.01, 1.0, "log-uniform"),
    "max_leaf_nodes": (2, 16, "log-uniform"),
    "l2_regularization": (1e-3, 100.0, "log-uniform"),
}
NEIGHBORS = {
    "n_neighbors": (1, 100, "log-uniform"),
    "weights": ["uniform", "distance"],
    "p": [1, 2],
}
SVM = {"C": (1e-2, 1e3, "log-uniform"), "gamma": (1e-4, 1.0, "log-uniform")}
LOGISTIC = {"C": (1e-4, 1e3, "log-uniform"), "class_weight": [None, "balanced"]}
SGD = {
    "alpha": (1e-6, 1.0, "log-uniform"),
    "eta0": (1e-4, 1.0, "log-uniform"),
    "learning_rate": ["constant", "adaptive", "optimal"],
    "penalty": ["l2", "l1", "elasticnet"],
}
KERNEL = {"alpha": (1e-4, 1e2, "log-uniform"), "gamma": (1e-4, 1.0, "log-uniform")}
MLP = {
    "learning_rate_init": (1e-4, 0.1, "log-uniform"),
    "alpha": (1e-6, 1.0, "log-uniform"),
    "hidden_layer_sizes": [(8,), (16,), (32,), (16, 16)],
    "batch_size": [32, 64, 128],
}
TEXT = {
    "tfidfvectorizer__ngram_range": [(1, 1), (1, 2)],
    "tfidfvectorizer__sublinear_tf": [True, False],
    "tfidfvectorizer__min_df": (1, 5),
}


def scaled(estimator, space):
    """Return a pipeline that scales first, and its space."""
    step = type(estimator).__name__.lower()
    pipeline = make_pipeline(StandardScaler(), estimator)
    return pipeline, {f"{step}__{name}": values for name, values in space.items()}


def on_text(estimator, space):
    """Return a pipeline on documents, and its space."""
    step = type(estimator).__name__.lower()
    space = {f"{step}__{name}": values for name, values in space.items()}
    return make_pipeline(TfidfVectorizer(), estimator), TEXT | space


def polynomial():
    pipeline = make_pipeline(StandardScaler(), PolynomialFeatures(include_bias=False), Ridge())
    return pipeline, {
        "polynomialfeatures__degree": [1, 2],
        "polynomialfeatures__interaction_only": [True, False],
        "ridge__alpha": (1e-3, 1e5, "log-uniform"),
    }


def svc():
    return scaled(SVC(), SVM)


def logistic():
    return scaled(LogisticRegression(max_iter=200), LOGISTIC)


def neighbors():
    return scaled(KNeighborsClassifier(), NEIGHBORS)


def neighbors_regression():
    return scaled(KNeighborsRegressor(), NEIGHBORS)


def tree():
    return DecisionTreeClassifier(random_state=0), TREE


def tree_regression():
    space = TREE | {"criterion": ["squared_error", "friedman_mse"]}
    return DecisionTreeRegressor(random_state=0), space


def forest():
    return RandomForestClassifier(random_state=0), FOREST


def boosting():
    return HistGradientBoostingClassifier(early_stopping=False), BOOSTING


def kernel_ridge():
    return scaled(KernelRidge(kernel="rbf"), KERNEL)


def mlp():
    return scaled(MLPClassifier(max_iter=10, random_state=0), MLP)


def sgd():
    return scaled(SGDClassifier(loss="log_loss", max_iter=30, random_state=0), SGD)


def text_bayes():
    return on_text(MultinomialNB(), {"alpha": (1e-3, 10.0, "log-uniform")})


def text_sgd():
    return on_text(SGDClassifier(max_iter=30, random_state=0), SGD)


PROBABILITIES = ["accuracy", "neg_log_loss"]
BINARY = ["accuracy", "neg_log_loss", "roc_auc"]
REGRESSION = ["r2", "neg_mean_absolute_error"]
# data set, model, metrics, training rows, candidates; changes to the policies are chosen on the
# tables at even places and reported on those at odd ones
TABLES = [
    ("breast_cancer", neighbors, BINARY, 400, 200),
    ("digits", neighbors, PROBABILITIES, 700, 150),
    ("wine", neighbors, PROBABILITIES, 120, 200),
    ("letter", neighbors, PROBABILITIES, 1200, 100),
    ("adult", neighbors, BINARY, 800, 100),
    ("magic_gamma", neighbors, BINARY, 1500, 100),
    ("digits", svc, ["accuracy"], 500, 120),
    ("magic_gamma", svc, ["accuracy", "roc_auc"], 500, 150),
    ("breast_cancer", svc, ["accuracy", "roc_auc"], 350, 200),
    ("mnist", svc, ["accuracy"], 400, 100),
    ("adult", logistic, BINARY, 1000, 120),
    ("breast_cancer", logistic, BINARY, 350, 150),
    ("iris", tree, PROBABILITIES, 100, 200),
    ("online_shoppers", tree, BINARY, 1500, 200),
    ("breast_cancer", tree, BINARY, 350, 200),
    ("covertype", tree, ["accuracy", "f1_macro"], 2000, 150),
    ("credit_g", forest, BINARY, 500, 100),
    ("covertype", forest, ["accuracy", "f1_macro"], 800, 100),
    ("adult", boosting, BINARY, 800, 100),
    ("bank_marketing", sgd, ["roc_auc", "average_precision"], 800, 100),
    ("diabetes", polynomial, REGRESSION, 300, 120),
    ("wine_quality", polynomial, REGRESSION, 600, 120),
    ("diabetes", kernel_ridge, REGRESSION, 250, 120),
    ("abalone", kernel_ridge, REGRESSION, 300, 120),
    ("bike", tree_regression, REGRESSION, 1000, 150),
    ("california", neighbors_regression, REGRESSION, 800, 100),
    ("sms_spam", text_bayes, ["accuracy", "neg_log_loss", "average_precision"], 500, 100),
    ("sentiment", text_bayes, PROBABILITIES, 500, 100),
    ("wine", mlp, PROBABILITIES, 120, 100),
    ("fashion_mnist", mlp, PROBABILITIES, 400, 100),
    ("online_shoppers", sgd, BINARY, 800, 100),
    ("sentiment", text_sgd, ["accuracy", "f1"], 500, 100),
]
QUICK = [
    ("iris", tree, PROBABILITIES, 100, 100),
    ("wine", neighbors, PROBABILITIES, 120, 100),
    ("diabetes", polynomial, REGRESSION, 300, 100),
]

# ---- making the tables ----


def fit_and_score(model, params, scorer, n_metrics, train, test):
    model = clone(model).set_params(**params)
    try:
        return list(scorer(model.fit(*train), *test).values())
    except ValueError:  # more neighbors than rows, scores that overflow
        return [math.nan] * n_metrics


def make_table(X, y, model, space, metrics, n_train, n_candidates):
    """Return the scores (candidates, folds, metrics) by name, and those on held-out rows."""
    classes = y if is_classifier(model) else None
    n_test = min(len(y) - n_train, 1000)
    X, X_test, y, y_test = train_test_split(
        X, y, train_size=n_train, test_size=n_test, stratify=classes, random_state=0
    )
    scored = partial(fit_and_score, model, scorer=check_scoring(model, scoring=metrics))
    scored = partial(scored, n_metrics=len(metrics))
    sampler = RandomSampler(space, random_state=0)
    candidates = [sampler.ask() for _ in range(n_candidates)]
    Splitter = KFold if classes is None else StratifiedKFold
    scores = {}
    for k in N_SPLITS:
        splits = list(Splitter(k, shuffle=True, random_state=k).split(X, y))
        folds = [((X[a], y[a]), (X[b], y[b])) for a, b in splits]
        scores[f"folds{k}"] = np.array(
            [[scored(params, train=a, test=b) for a, b in folds] for params in candidates]
        )
    test = [scored(params, train=(X, y), test=(X_test, y_test)) for params in candidates]
    return scores | {"test": np.array(test)}


def tables(specifications, data, folder):
    """Yield name, place, metric and arrays of each table, made or read."""
    folder.mkdir(parents=True, exist_ok=True)
    for place, (source, make, metrics, n_train, n_candidates) in enumerate(specifications):
        name = f"{source}-{make.__name__}"
        path = folder / f"{name}-{n_train}x{n_candidates}.npz"
        if not path.exists():
            found = load(source, data)
            if found is None:
                print(f"skipped {name}: no data")
                continue
            started = time.process_time()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # models that did not converge are candidates too
                arrays = make_table(*found, *make(), metrics, n_train, n_candidates)
            seconds = time.process_time() - started
            np.savez_compressed(path, **arrays)
            print(f"made {name}: {seconds:.0f} s of CPU", flush=True)
        with np.load(path) as arrays:
            for column, metric in enumerate(metrics):
                yield name, place, metric, {key: arrays[key][..., column] for key in arrays}


# ---- replaying ----


def best_score(metric):
    return 0.0 if metric.startswith("neg_") else 1.0


def race(scores, policy, maximum):
    """Return the number of fits and the number of the winner; scores as (candidates, folds)."""
    n_candidates, n_folds = scores.shape
    standings = Standings(policy, maximum)
    n_done = np.full(n_candidates, n_folds)
    for number, of_folds in enumerate(scores):
        for n in range(1, n_folds):
            if standings.should_stop(of_folds[:n]):
                n_done[number] = n
                break
        n = n_done[number]
        standings.add(of_folds[:n], is_complete=n == n_folds)
    n_verified = math.ceil(getattr(policy, "verify", 0.0) * n_candidates)
    for _ in range(MOST_ROUNDS if n_verified else 0):
        before = winner(scores, n_done)
        near = {
            i: standings.closeness(scores[i, : n_done[i]]) for i in np.flatnonzero(n_done < n_folds)
        }
        # those that cannot win by the metric's maximum are at minus infinity
        near = {i: closeness for i, closeness in near.items() if closeness > -math.inf}
        for number in sorted(near, key=near.get, reverse=True)[:n_verified]:
            n_done[number] = n_folds
            standings.add(scores[number], is_complete=True)
        if winner(scores, n_done) == before:
            break
    return n_done.sum(), winner(scores, n_done)


def winner(scores, n_done):
    """Return the first complete candidate of the highest mean."""
    means = np.where(n_done == scores.shape[1], scores.mean(axis=1), -np.inf)
    return int(np.argmax(means))


def replay(table, k, metric, policies, rng):
    """Return a row of results for each policy: fits, same, regret, test."""
    scores = table[f"folds{k}"][:, rng.permutation(k)]
    order = rng.permutation(len(scores))
    scores, test = scores[order], table["test"][order]
    means = scores.mean(axis=1)
    best = int(np.argmax(means))
    error = scores[best].std(ddof=1) / math.sqrt(k)
    spread = np.quantile(test, 0.95) - np.median(test)
    rows = {}
    for name, policy in policies.items():
        n_fits, selected = race(scores, policy, best_score(metric))
        gap = max(means[best] - means[selected], 0.0)
        # the sums of equal scores in another order may differ by rounding
        same = gap <= 1e-12 * abs(means[best])
        regret = 0.0 if same else gap / error if error else math.inf
        change = (test[selected] - test[best]) / spread if spread else 0.0
        rows[name] = (n_fits / scores.size, same, regret, change)
    return rows


def replay_all(named_tables, n_replays, policies):
    """Return a list of (table, place, metric, K, policy, fits, same, regret, test)."""
    found = []
    for name, place, metric, table in named_tables:
        complete = np.all([np.isfinite(a).reshape(len(a), -1).all(1) for a in table.values()], 0)
        table = {key: array[complete] for key, array in table.items()}
        for k in N_SPLITS:
            rng = np.random.default_rng(k)
            for _ in range(n_replays):
                for policy, row in replay(table, k, metric, policies, rng).items():
                    found.append((name, place, metric, k, policy, *row))
    return found


# ---- printing ----


def summary(rows):
    """Return the columns for these rows as text."""
    fits, same, regret, change = np.array([row[5:] for row in rows], dtype=float).T
    by_table = defaultdict(list)
    for row, value in zip(rows, change, strict=True):
        by_table[row[0], row[2]].append(value)
    means = np.array([np.mean(values) for values in by_table.values()])
    error = means.std(ddof=1) / math.sqrt(len(means)) if len(means) > 1 else math.nan
    return (
        f"{fits.mean():6.3f} {1 / fits.mean():5.1f}x {same.mean():7.1%} {regret.mean():7.4f} "
        f"{np.quantile(regret, 0.99):6.2f} {regret.max():6.2f} {means.mean():+8.4f} +- {error:.4f}"
    )


COLUMNS = "  fits speed    same  regret    p99    max     test"


def print_groups(title, rows, key):
    groups = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    print(f"\n{title}\n{'':34}{COLUMNS}")
    for name, group in groups.items():
        print(f"{name:34}{summary(group)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="three small tables")
    parser.add_argument(
        "--data",
        type=Path,
        default=os.environ.get("SKLEARN_HPT_DATA"),
        help="folder of further data sets, by default $SKLEARN_HPT_DATA",
    )
    parser.add_argument("--tables", type=Path, default=Path(__file__).parent / ".tables")
    parser.add_argument("--replays", type=int, default=5, help="for each table and K")
    options = parser.parse_args()
    data = options.data and Path(options.data)
    named_tables = tables(QUICK if options.quick else TABLES, data, options.tables)
    rows = replay_all(named_tables, options.replays, POLICIES)
    n_tables = len({row[:3:2] for row in rows})
    print(f"{n_tables} tables (data set, model, metric), {options.replays} replays each and K")
    rows.sort(key=lambda row: (row[3], list(POLICIES).index(row[4])))
    print_groups("By policy", rows, lambda row: f"{row[4]}, K={row[3]}")
    for half, title in enumerate(["chosen on", "reported on"]):
        part = [row for row in rows if row[1] % 2 == half]
        print_groups(f"By policy, the half {title}", part, lambda row: f"{row[4]}, K={row[3]}")
    safe = sorted((row for row in rows if row[4] == "safe"), key=lambda row: (row[3], row[2]))
    print_groups('By metric, "safe"', safe, lambda row: f"{row[2]}, K={row[3]}")
    print("\nFailures: another winner (table, metric, K, policy: regrets)")
    failures = defaultdict(list)
    for name, _, metric, k, policy, _, same, regret, _ in rows:
        if not same:
            failures[name, metric, k, policy].append(f"{regret:.2f}")
    for (name, metric, k, policy), regrets in failures.items():
        print(f"{name}, {metric}, {k}, {policy}: {', '.join(regrets)}")


if __name__ == "__main__":
    main()
