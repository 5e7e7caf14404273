"""Searches in the places where people keep their experiments."""

from sklearn_hpt.tracking._optuna import to_optuna

__all__ = ["to_optuna"]
