"""Find out that a model fails because it was trained on other data than it is used on.

    python docs/examples/data_mismatch.py
    python docs/examples/data_mismatch.py --data vader_domains.csv.gz

The first takes scikit-learn's digits, half of them moved by one pixel: a mismatch that we make. The
second is a real one: a classifier of sentiment is trained on tweets and used on film reviews. The
file has the columns `domain`, `text` and `label`, with the domains "tweets" and "movies" (Hutto and
Gilbert, 2014). Both take seconds, and write a picture.
"""

import argparse
import re
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hpt.diagnostics import ErrorAnalysis, ErrorDecomposition, Split, train_dev_test_split
from sklearn_hpt.exceptions import SmallDevSetWarning

WORD = re.compile(r"\b\w\w+\b")
PATTERNS = {
    "a negation": re.compile(r"\b(not|no|never|nothing|without)\b|n't\b"),
    "a contrast": re.compile(r"\b(but|though|although|however|yet)\b"),
    "a word of praise": re.compile(r"\b(good|great|like|love|best|fun|funny)\b"),
}


@dataclass(frozen=True)
class Problem:
    """Rows of two distributions, of which the target is the one to do well on."""

    X: Any
    y: np.ndarray
    is_target: np.ndarray
    model: Any
    class_names: list[str]


def tweets_and_reviews(path: Path) -> Problem:
    """Read texts of two domains; the model is to be used on film reviews."""
    import pandas as pd

    texts = pd.read_csv(path, keep_default_na=False)
    texts = texts[texts["domain"].isin(["tweets", "movies"])]
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    return Problem(
        X=texts["text"].to_numpy(),
        y=texts["label"].to_numpy(),
        is_target=(texts["domain"] == "movies").to_numpy(),
        model=make_pipeline(words, LogisticRegression(max_iter=1000)),
        class_names=["negative", "positive"],
    )


def moved_digits() -> Problem:
    """Move every other digit by one pixel to the right."""
    X, y = load_digits(return_X_y=True)
    is_moved = np.arange(len(y)) % 2 == 1
    images = X.reshape(-1, 8, 8).copy()
    images[is_moved] = np.roll(images[is_moved], 1, axis=2)
    return Problem(
        X=images.reshape(-1, 64),
        y=y,
        is_target=is_moved,
        model=make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
        class_names=[str(digit) for digit in range(10)],
    )


def decompose(problem: Problem, split: Split) -> ErrorDecomposition:
    """Train on the training rows, and measure the errors on all four parts."""
    parts = {name: split.take(name, problem.X, problem.y) for name in split._fields}
    problem.model.fit(*parts["train"])
    return ErrorDecomposition.from_estimator(
        problem.model,
        *parts["train"],
        *parts["dev"],
        X_train_dev=parts["train_dev"][0],
        y_train_dev=parts["train_dev"][1],
        X_test=parts["test"][0],
        y_test=parts["test"][1],
    )


def analyse(problem: Problem, split: Split) -> ErrorAnalysis:
    """Return the errors of the trained model on the dev rows."""
    return ErrorAnalysis.from_estimator(
        problem.model, *split.take("dev", problem.X, problem.y), class_names=problem.class_names
    )


def tags_of(problem: Problem, split: Split) -> dict[str, np.ndarray]:
    """Guess what could make dev rows hard, as one would by hand."""
    X_dev = split.take("dev", problem.X)
    if not isinstance(X_dev[0], str):
        last_column = X_dev.reshape(-1, 8, 8)[:, :, 7]
        return {"ink in the last column": last_column.sum(axis=1) > 8}
    return {
        name: np.array([bool(pattern.search(text.lower())) for text in X_dev])
        for name, pattern in PATTERNS.items()
    }


def features_of(problem: Problem, split: Split) -> dict[str, Any]:
    """Return what can be said about the dev rows, and the model is not told."""
    X_dev, X_train = split.take("dev", problem.X), split.take("train", problem.X)
    if not isinstance(X_dev[0], str):
        return {"digit": split.take("dev", problem.y), "ink": X_dev.mean(axis=1)}
    seen = Counter(word for text in X_train for word in words_of(text))
    return {
        "words": [len(words_of(text)) for text in X_dev],
        "words never trained on": [share_unseen(words_of(text), seen) for text in X_dev],
    }


def words_of(text: str) -> list[str]:
    return WORD.findall(text.lower())


def share_unseen(words: Iterable[str], seen: Counter[str]) -> float:
    unseen = [word not in seen for word in words]
    return float(np.mean(unseen)) if unseen else 0.0


def main(args: list[str] | None = None) -> ErrorDecomposition:
    """Name the mismatch, look at the errors, and train on the mixture instead."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--data", type=Path, help="vader_domains.csv.gz; else scikit-learn's digits"
    )
    parser.add_argument("--picture", type=Path, default=Path("data_mismatch.png"))
    options = parser.parse_args(args)
    problem = tweets_and_reviews(options.data) if options.data else moved_digits()

    split = train_dev_test_split(
        problem.X, problem.y, target=problem.is_target, target_in_train=False, random_state=0
    )
    print("rows:", ", ".join(f"{name} {len(part)}" for name, part in split._asdict().items()))
    found = decompose(problem, split)
    print(f"\nTrained on the source only\n{found}\n\nlargest gap: {found.largest}")

    analysis = analyse(problem, split).with_tags(tags_of(problem, split))
    print(f"\nErrors on the dev rows\n{analysis}")
    print(f"\nError rate by slices\n{analysis.slices(features_of(problem, split))}")

    if options.data:
        problem.model.set_params(logisticregression__class_weight="balanced")
        print(f"\nWith classes of equal weight\n{decompose(problem, split)}")
        problem.model.set_params(logisticregression__class_weight=None)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SmallDevSetWarning)  # half of the target is trained on
        mixed = train_dev_test_split(problem.X, problem.y, target=problem.is_target, random_state=0)
    print(f"\nTrained on half of the target rows as well\n{decompose(problem, mixed)}")

    found.plot().figure_.savefig(options.picture, dpi=100)
    print(f"\nThe picture is in {options.picture.resolve()}")
    return found


if __name__ == "__main__":
    main()
