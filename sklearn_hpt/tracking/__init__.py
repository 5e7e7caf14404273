"""Searches in the places where people keep their experiments.

The trackers are callbacks of scikit-learn: ``search.set_callbacks(MLflowTracker())``. Each needs
its library, which is an extra: ``pip install 'sklearn_hpt[mlflow]'``.
"""

from sklearn_hpt.tracking._mlflow import MLflowTracker
from sklearn_hpt.tracking._optuna import to_optuna
from sklearn_hpt.tracking._tensorboard import TensorBoardTracker
from sklearn_hpt.tracking._wandb import WandbTracker

__all__ = ["MLflowTracker", "TensorBoardTracker", "WandbTracker", "to_optuna"]
