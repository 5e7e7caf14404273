"""Default spaces of XGBoost, LightGBM and CatBoost."""

from __future__ import annotations

from sklearn_hpt.default_spaces._entries import (
    AUTO_SKLEARN,
    BISCHL,
    FIRST,
    GORISHNIY,
    GRINSZTAJN,
    OPTUNA,
    SECOND,
    THIRD,
    Condition,
    Entry,
    Table,
    not_set,
    one_of,
)
from sklearn_hpt.space import Integer, Real

_LOG = "log-uniform"

_RATE = Real(1e-2, 1.0, _LOG)
_RATE_SOURCE = f"{AUTO_SKLEARN}: of HistGradientBoosting, since smaller ones ask for more trees"
_HAS_TREES = one_of("booster", None, "gbtree", "dart")
_XGBOOST_TREES = (
    Entry("max_depth", Integer(1, 20, _LOG), SECOND, BISCHL, _HAS_TREES),
    Entry("min_child_weight", Real(1.0, 100.0, _LOG), SECOND, GRINSZTAJN, _HAS_TREES),
    Entry("subsample", Real(0.1, 1.0), THIRD, BISCHL, _HAS_TREES),
    Entry("colsample_bytree", Real(0.1, 1.0), THIRD, BISCHL, _HAS_TREES),
    Entry("reg_lambda", Real(1e-3, 1e3, _LOG), THIRD, BISCHL),
    Entry("reg_alpha", Real(1e-3, 1e3, _LOG), THIRD, BISCHL),
)
XGBOOST: Table = {
    ("XGBClassifier", "XGBRegressor", "XGBRanker"): (
        Entry("learning_rate", _RATE, FIRST, _RATE_SOURCE),
        *_XGBOOST_TREES,
    ),
    ("XGBRFClassifier", "XGBRFRegressor"): _XGBOOST_TREES,
}

_SAMPLES_ROWS = Condition(
    "`subsample_freq` > 0", lambda params: params.get("subsample_freq", 0) > 0
)
LIGHTGBM: Table = {
    ("LGBMClassifier", "LGBMRegressor", "LGBMRanker"): (
        Entry("learning_rate", _RATE, FIRST, _RATE_SOURCE),
        Entry("num_leaves", Integer(2, 256, _LOG), SECOND, OPTUNA),
        Entry("min_child_samples", Integer(5, 100, _LOG), SECOND, OPTUNA),
        Entry("subsample", Real(0.4, 1.0), THIRD, OPTUNA, _SAMPLES_ROWS),
        Entry("colsample_bytree", Real(0.4, 1.0), THIRD, OPTUNA),
        Entry("reg_lambda", Real(1e-8, 10.0, _LOG), THIRD, OPTUNA),
        Entry("reg_alpha", Real(1e-8, 10.0, _LOG), THIRD, OPTUNA),
    )
}

CATBOOST: Table = {
    ("CatBoost", "CatBoostClassifier", "CatBoostRegressor", "CatBoostRanker"): (
        Entry("learning_rate", _RATE, FIRST, _RATE_SOURCE, not_set("eta")),
        Entry("depth", Integer(3, 10), SECOND, GORISHNIY, not_set("max_depth")),
        Entry("l2_leaf_reg", Real(1.0, 10.0, _LOG), THIRD, GORISHNIY, not_set("reg_lambda")),
    )
}
