"""Samplers propose hyperparameters; they see a space and scores, never an estimator or data."""

from sklearn_hpt.samplers._base import Sampler
from sklearn_hpt.samplers._bayesian import BayesianSampler
from sklearn_hpt.samplers._coarse_to_fine import CoarseToFineSampler
from sklearn_hpt.samplers._evolutionary import EvolutionarySampler
from sklearn_hpt.samplers._independent import GridSampler, RandomSampler, SobolSampler
from sklearn_hpt.samplers._population import PopulationSampler
from sklearn_hpt.samplers._successive_halving import SuccessiveHalvingSampler

__all__ = [
    "BayesianSampler",
    "CoarseToFineSampler",
    "EvolutionarySampler",
    "GridSampler",
    "PopulationSampler",
    "RandomSampler",
    "Sampler",
    "SobolSampler",
    "SuccessiveHalvingSampler",
]
