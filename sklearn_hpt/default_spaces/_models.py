"""Default spaces of scikit-learn's models.

Numbers of trees and iterations are not searched: they are what a search spends (`resource=`),
and more is rarely worse.
"""

from __future__ import annotations

from sklearn_hpt.default_spaces._entries import (
    AUTO_SKLEARN,
    BISCHL,
    FIRST,
    GRINSZTAJN,
    HSU,
    KUEHN,
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

# support vectors and kernels

_HAS_GAMMA = one_of("kernel", "rbf", "poly", "sigmoid")
_SVM_C = Entry("C", Real(2.0**-5, 2.0**15, _LOG), FIRST, HSU)
_SVM_KERNEL = (
    Entry("gamma", Real(2.0**-15, 2.0**3, _LOG), FIRST, HSU, _HAS_GAMMA),
    Entry("degree", Integer(2, 5), SECOND, BISCHL, one_of("kernel", "poly")),
    Entry("coef0", Real(-1.0, 1.0), THIRD, AUTO_SKLEARN, one_of("kernel", "poly", "sigmoid")),
)
_EPSILON = Entry(
    "epsilon", Real(1e-3, 1.0, _LOG), SECOND, f"{AUTO_SKLEARN}, there of standardised targets"
)
_NU_SVC = Entry(
    "nu",
    Real(0.05, 0.5),
    FIRST,
    "ours: more than twice the share of the smaller class cannot be fitted",
)
_NU_SVR = Entry("nu", Real(0.05, 0.95), SECOND, "ours: it is a share of the rows")

_HAS_KERNEL_GAMMA = one_of("kernel", "rbf", "laplacian", "poly", "polynomial", "sigmoid", "chi2")
_IS_POLYNOMIAL = one_of("kernel", "poly", "polynomial")
_KERNEL_RIDGE = (
    Entry("alpha", Real(2.0**-16, 2.0**4, _LOG), FIRST, f"{HSU}: alpha is 1 / (2 C)"),
    Entry("gamma", Real(2.0**-15, 2.0**3, _LOG), FIRST, HSU, _HAS_KERNEL_GAMMA),
    Entry("degree", Integer(2, 5), SECOND, BISCHL, _IS_POLYNOMIAL),
)

# linear models

_IS_PENALISED = Condition(
    "there is a penalty", lambda params: params.get("penalty", "") is not None
)
_MIXES = Condition(
    "`solver` is 'saga' and there is a penalty",
    lambda params: (
        params.get("solver") == "saga"
        and params.get("penalty", "deprecated") in ("deprecated", "elasticnet")
    ),
)
_LOGISTIC = (
    Entry(
        "C",
        Real(1e-4, 1e4, _LOG),
        FIRST,
        f"{SCIKIT_LEARN}: the grid of LogisticRegressionCV",
        _IS_PENALISED,
    ),
    Entry("l1_ratio", Real(0.0, 1.0), SECOND, f"{BISCHL}: alpha of glmnet", _MIXES),
)
_RIDGE = (
    Entry(
        "alpha",
        Real(1e-4, 1e4, _LOG),
        FIRST,
        f"ours: that of {BISCHL} for glmnet, though here it counts against a sum over the rows",
    ),
)
_LASSO = Entry("alpha", Real(1e-4, 1e4, _LOG), FIRST, f"{BISCHL}: s of glmnet")
_L1_RATIO = Entry(
    "l1_ratio",
    Real(0.05, 1.0),
    SECOND,
    f"ours: {BISCHL} have 0 to 1, but near 0 scikit-learn calls it not reliable",
)
_HAS_RATE = one_of("learning_rate", "constant", "invscaling", "adaptive")
_SGD = (
    Entry(
        "eta0",
        Real(1e-5, 1e-1, _LOG),
        FIRST,
        f"ours: within the 1e-7 to 1e-1 of {AUTO_SKLEARN}, from where passes get anywhere",
        _HAS_RATE,
    ),
    Entry(
        "alpha",
        Real(1e-7, 1e-1, _LOG),
        FIRST,
        f"{AUTO_SKLEARN}; first because it sets the rate too",
        one_of("learning_rate", "optimal"),
    ),
    Entry("alpha", Real(1e-7, 1e-1, _LOG), SECOND, AUTO_SKLEARN, _HAS_RATE),
    Entry(
        "l1_ratio",
        Real(0.0, 1.0),
        THIRD,
        f"{BISCHL}: alpha of glmnet",
        one_of("penalty", "elasticnet"),
    ),
)

# trees, forests and boosting

_TREE = (
    Entry("min_samples_leaf", Integer(1, 64, _LOG), FIRST, f"{BISCHL}: minbucket of rpart"),
    Entry("max_depth", Integer(1, 30, _LOG), SECOND, f"{KUEHN}: maxdepth of rpart"),
    Entry("min_samples_split", Integer(2, 128, _LOG), THIRD, f"{BISCHL}: minsplit of rpart"),
)
_MAX_FEATURES = Real(0.05, 1.0, _LOG)
_MAX_FEATURES_SOURCE = f"ours: a log scale, as the n ** u of n columns of {AUTO_SKLEARN}"
_FOREST = (
    Entry("max_features", _MAX_FEATURES, FIRST, _MAX_FEATURES_SOURCE),
    Entry("min_samples_leaf", Integer(1, 20, _LOG), FIRST, AUTO_SKLEARN),
    Entry(
        "max_samples",
        Real(0.5, 1.0),
        SECOND,
        f"ours: the upper half of the 0.1 to 1 of {BISCHL}, the default being all",
        one_of("bootstrap", True),
    ),
)
_BAGGING = (
    Entry("max_samples", Real(0.1, 1.0), FIRST, f"{BISCHL}: sample.fraction of ranger"),
    Entry("max_features", _MAX_FEATURES, FIRST, _MAX_FEATURES_SOURCE),
)
_RATE = Entry("learning_rate", Real(1e-2, 1.0, _LOG), FIRST, AUTO_SKLEARN)
_ADA_BOOST = (Entry("learning_rate", Real(1e-2, 2.0, _LOG), FIRST, AUTO_SKLEARN),)
_GRADIENT_BOOSTING = (
    _RATE,
    Entry("max_depth", Integer(1, 11), SECOND, f"{GRINSZTAJN}: of XGBoost"),
    Entry("min_samples_leaf", Integer(1, 64, _LOG), SECOND, f"{BISCHL}: minbucket of rpart"),
    Entry("subsample", Real(0.5, 1.0), THIRD, f"{GRINSZTAJN}: of XGBoost"),
    Entry("max_features", _MAX_FEATURES, THIRD, _MAX_FEATURES_SOURCE),
)
_HIST_GRADIENT_BOOSTING = (
    _RATE,
    Entry(
        "max_leaf_nodes",
        Integer(3, 255, _LOG),
        SECOND,
        f"ours: {AUTO_SKLEARN} goes up to 2047, which takes long",
    ),
    Entry("min_samples_leaf", Integer(1, 200, _LOG), SECOND, AUTO_SKLEARN),
    Entry("l2_regularization", Real(1e-3, 1e3, _LOG), THIRD, f"{BISCHL}: lambda of XGBoost"),
    Entry("max_features", Real(0.1, 1.0), THIRD, f"{BISCHL}: colsample of XGBoost"),
)

# neighbours, nets and the rest

_NEIGHBORS = (
    Entry("n_neighbors", Integer(1, 50, _LOG), FIRST, f"{BISCHL}: k of kknn"),
    Entry("weights", Categorical(["uniform", "distance"]), SECOND, AUTO_SKLEARN),
    Entry("p", Categorical([1, 2]), SECOND, AUTO_SKLEARN, one_of("metric", "minkowski")),
)
_HIDDEN_LAYERS = [
    *((units,) for units in (32, 64, 100, 128, 256)),
    *((units, units) for units in (32, 64, 128, 256)),
]
_MLP = (
    Entry(
        "learning_rate_init",
        Real(1e-4, 0.5, _LOG),
        FIRST,
        AUTO_SKLEARN,
        one_of("solver", "adam", "sgd"),
    ),
    Entry(
        "momentum",
        Real(0.0, 0.99, "log-complement"),
        SECOND,
        "ours: from none to a memory of 100 steps, as each is longer by the same factor",
        one_of("solver", "sgd"),
    ),
    Entry(
        "hidden_layer_sizes",
        Categorical(_HIDDEN_LAYERS),
        SECOND,
        f"ours: one or two layers, within the 16 to 264 units of {AUTO_SKLEARN}",
    ),
    Entry(
        "batch_size",
        Integer(16, 256, _LOG),
        SECOND,
        "ours: around the default of 200, and smaller where rows are few",
        one_of("solver", "adam", "sgd"),
    ),
    Entry(
        "alpha",
        Real(1e-6, 1e-1, _LOG),
        THIRD,
        "ours: from no effect to little freedom, around the default of 1e-4",
    ),
)
_GAUSSIAN_NB = (
    Entry(
        "var_smoothing",
        Real(1e-10, 1.0, _LOG),
        FIRST,
        "ours: from below the default to the largest variance of a column",
    ),
)
_SMOOTHED_NB = (Entry("alpha", Real(1e-2, 1e2, _LOG), FIRST, AUTO_SKLEARN),)
_LDA = (Entry("shrinkage", Real(0.0, 1.0), FIRST, AUTO_SKLEARN, one_of("solver", "lsqr", "eigen")),)
_QDA = (
    Entry("reg_param", Real(0.0, 1.0), FIRST, AUTO_SKLEARN, one_of("solver", "svd", None)),
    Entry("shrinkage", Real(0.0, 1.0), FIRST, AUTO_SKLEARN, one_of("solver", "eigen")),
)

MODELS: Table = {
    ("SVC",): (_SVM_C, *_SVM_KERNEL),
    ("SVR",): (_SVM_C, *_SVM_KERNEL, _EPSILON),
    ("NuSVC",): (_NU_SVC, *_SVM_KERNEL),
    ("NuSVR",): (_SVM_C, *_SVM_KERNEL, _NU_SVR),
    ("LinearSVC",): (_SVM_C,),
    ("LinearSVR",): (_SVM_C, _EPSILON),
    ("KernelRidge",): _KERNEL_RIDGE,
    ("LogisticRegression",): _LOGISTIC,
    ("Ridge", "RidgeClassifier"): _RIDGE,
    ("Lasso",): (_LASSO,),
    ("ElasticNet",): (_LASSO, _L1_RATIO),
    ("SGDClassifier", "SGDRegressor"): _SGD,
    ("DecisionTreeClassifier", "DecisionTreeRegressor"): _TREE,
    (
        "RandomForestClassifier",
        "RandomForestRegressor",
        "ExtraTreesClassifier",
        "ExtraTreesRegressor",
    ): _FOREST,
    ("BaggingClassifier", "BaggingRegressor"): _BAGGING,
    ("AdaBoostClassifier", "AdaBoostRegressor"): _ADA_BOOST,
    ("GradientBoostingClassifier", "GradientBoostingRegressor"): _GRADIENT_BOOSTING,
    (
        "HistGradientBoostingClassifier",
        "HistGradientBoostingRegressor",
    ): _HIST_GRADIENT_BOOSTING,
    ("KNeighborsClassifier", "KNeighborsRegressor"): _NEIGHBORS,
    ("MLPClassifier", "MLPRegressor"): _MLP,
    ("GaussianNB",): _GAUSSIAN_NB,
    ("BernoulliNB", "CategoricalNB", "ComplementNB", "MultinomialNB"): _SMOOTHED_NB,
    ("LinearDiscriminantAnalysis",): _LDA,
    ("QuadraticDiscriminantAnalysis",): _QDA,
}
