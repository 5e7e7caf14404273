"""What a Bayesian search believes of scores it has not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sklearn_hpt._surrogate import GaussianProcess
from sklearn_hpt.samplers._candidates import alternative_of
from sklearn_hpt.samplers._encoding import Encoding
from sklearn_hpt.samplers._observations import Scale


class ScoreSurrogate:
    """A model of the score as a function of the hyperparameters.

    Attributes
    ----------
    length_scales : dict of str to float
        How far a parameter has to go, in units of its range on the scale of its prior, for the
        score to change: small where it matters. For choices, 1 is from one to another.
    sensitivities : dict of str to float
        The inverse length scales, with the sum 1: large where it matters.
    """

    def __init__(self, encoding: Encoding, process: GaussianProcess, scale: Scale) -> None:
        self._encoding = encoding
        self._process = process
        self._scale = scale
        lengths = np.exp(process.hyperparameters.length)
        self.length_scales = dict(zip(encoding.names, map(float, lengths), strict=True))
        shares = (1.0 / lengths) / (1.0 / lengths).sum()
        self.sensitivities = dict(zip(encoding.names, map(float, shares), strict=True))

    def predict(
        self, params: Mapping[str, Any] | Sequence[Mapping[str, Any]]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the scores to expect and how unsure they are.

        Parameters
        ----------
        params : mapping or sequence of mapping
            Points of the search space.

        Returns
        -------
        mean : ndarray of shape (n_points,)
            The score to expect, the median of what is thought possible.
        std : ndarray of shape (n_points,)
            Its uncertainty: half of the width of the interval that holds the score with
            probability 0.68, without the noise of an evaluation.

        Raises
        ------
        ValueError
            If a point does not lie in the search space.
        """
        points = [params] if isinstance(params, Mapping) else list(params)
        mean, sd = self._process.predict(np.concatenate([self._encoded(point) for point in points]))
        low, middle, high = (self._scale.scores(mean + k * sd) for k in (-1.0, 0.0, 1.0))
        return middle, (high - low) / 2.0

    def _encoded(self, params: Mapping[str, Any]) -> np.ndarray:
        if not any(space.contains(params) for space in self._encoding.space.spaces):
            raise ValueError(
                f"{dict(params)!r} is not in the search space; give every parameter of it, with "
                "values that it allows."
            )
        which = alternative_of(self._encoding.space, params)
        return self._encoding.encoded(which, self._encoding.unit(which, params)[None])
