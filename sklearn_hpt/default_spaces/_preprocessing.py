"""Default spaces of scikit-learn's preprocessing.

Numbers of components and of selected columns that must not exceed those of the data are not
searched (`SelectKBest`, `TruncatedSVD`), shares of them are.
"""

from __future__ import annotations

from sklearn_hpt.default_spaces._entries import (
    AUTO_SKLEARN,
    FIRST,
    HSU,
    SCIKIT_LEARN,
    SECOND,
    THIRD,
    Condition,
    Entry,
    Table,
    one_of,
)
from sklearn_hpt.space import Categorical, Integer, Real

_LOG = "log-uniform"

_PCA = (
    Entry(
        "n_components",
        Real(0.5, 0.9999, "log-complement"),
        SECOND,
        f"{AUTO_SKLEARN}: the share of the variance that is kept",
        one_of("svd_solver", "auto", "full", "covariance_eigh"),
    ),
)
_SELECT_PERCENTILE = (
    Entry("percentile", Integer(5, 100), SECOND, "ours: from few columns to all of them"),
)
_N_COMPONENTS = Entry(
    "n_components",
    Integer(32, 512, _LOG),
    SECOND,
    f"ours: within the 50 to 10000 of {AUTO_SKLEARN} nearly, at a price that folds can pay",
)
_NYSTROEM = (
    Entry(
        "gamma",
        Real(2.0**-15, 2.0**3, _LOG),
        FIRST,
        HSU,
        one_of("kernel", "rbf", "laplacian", "poly", "polynomial", "sigmoid", "chi2"),
    ),
    _N_COMPONENTS,
)
_RBF_SAMPLER = (Entry("gamma", Real(2.0**-15, 2.0**3, _LOG), FIRST, HSU), _N_COMPONENTS)

_EXAMPLE = f"{SCIKIT_LEARN}: its example of text features"
_NGRAMS = Entry(
    "ngram_range",
    Categorical([(1, 1), (1, 2)]),
    SECOND,
    _EXAMPLE,
    one_of("analyzer", "word"),
)
_COUNTS = (
    _NGRAMS,
    Entry("min_df", Integer(1, 10, _LOG), THIRD, _EXAMPLE),
    Entry("max_df", Real(0.2, 1.0), THIRD, _EXAMPLE),
)
_SUBLINEAR = Entry(
    "sublinear_tf", Categorical([False, True]), THIRD, "ours: there is no more to choose"
)

_POLYNOMIAL = (
    Entry(
        "degree",
        Integer(1, 2),
        SECOND,
        "ours: of degree 3 a hundred columns become 177 thousand",
        Condition("`degree` is a number", lambda params: isinstance(params.get("degree"), int)),
    ),
)
_SPLINES = (
    Entry("n_knots", Integer(3, 20, _LOG), SECOND, "ours: from a bend to more than data tell"),
)
_BINS = (Entry("n_bins", Integer(2, 32, _LOG), SECOND, "ours: around the default of 5"),)
_SIMPLE_IMPUTER = (
    Entry(
        "strategy",
        Categorical(["mean", "median", "most_frequent"]),
        THIRD,
        AUTO_SKLEARN,
        one_of("strategy", "mean", "median"),
    ),
)
_KNN_IMPUTER = (Entry("n_neighbors", Integer(1, 20, _LOG), THIRD, "ours: around the default of 5"),)

PREPROCESSING: Table = {
    ("PCA",): _PCA,
    ("SelectPercentile",): _SELECT_PERCENTILE,
    ("Nystroem",): _NYSTROEM,
    ("RBFSampler",): _RBF_SAMPLER,
    ("CountVectorizer",): _COUNTS,
    ("TfidfVectorizer",): (*_COUNTS, _SUBLINEAR),
    ("HashingVectorizer",): (_NGRAMS,),
    ("TfidfTransformer",): (_SUBLINEAR,),
    ("PolynomialFeatures",): _POLYNOMIAL,
    ("SplineTransformer",): _SPLINES,
    ("KBinsDiscretizer",): _BINS,
    ("SimpleImputer",): _SIMPLE_IMPUTER,
    ("KNNImputer",): _KNN_IMPUTER,
}
