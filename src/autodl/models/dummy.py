"""Guessing without looking at the features: what every model must beat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.models._arrays import ArrayEstimator
from autodl.models._weighted_quantiles import weighted_quantiles
from autodl.models.base import ABSOLUTE_METRICS, CostEstimate, Estimator, Family, FamilyConfig, Meta, Shape
from autodl.records import Recipe

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autodl.clock import Deadline
    from autodl.features import Features


class DummyConfig(FamilyConfig):
    """Nothing to choose."""


class DummyEstimator(ArrayEstimator):
    """Class shares for classification; for numbers the quantiles asked for, the median or the mean."""

    def __init__(self, meta: Meta) -> None:
        super().__init__(meta)
        self._answer: NDArray[np.float64] = np.empty(0)

    def _train(
        self,
        X: Features,
        y: NDArray[Any],
        X_val: Features | None,
        y_val: NDArray[Any] | None,
        weight: NDArray[Any] | None,
        deadline: Deadline,
    ) -> None:
        weights = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=np.float64)
        if self.is_classifier:
            self._answer = np.bincount(y, weights=weights, minlength=self.n_present).astype(np.float64)
        elif self.meta.quantiles:
            self._answer = weighted_quantiles(y, weights, self.meta.quantiles)
        elif self.meta.metric in ABSOLUTE_METRICS:
            self._answer = np.array([_median(y, weights)])
        else:
            self._answer = np.array([np.average(y, weights=weights)])

    def _raw(self, X: Features) -> NDArray[Any]:
        rows = np.tile(self._answer, (len(X), 1))
        return rows if self.is_classifier or self.meta.quantiles else rows[:, 0]


def _median(y: NDArray[Any], weights: NDArray[np.float64]) -> float:
    """The middle value by weight; the mean of two where the border lies between them."""
    order = np.argsort(y)
    order = order[weights[order] > 0]
    total = np.cumsum(weights[order])
    low = np.searchsorted(total, total[-1] / 2.0, side="left")
    high = min(np.searchsorted(total, total[-1] / 2.0, side="right"), len(order) - 1)
    return float((y[order[low]] + y[order[high]]) / 2.0)


class Dummy(Family):
    """The baseline."""

    key = "dummy"
    other_names = ("baseline", "guess", "constant")
    name = "Guessing"
    summary = (
        "Always gives the same answer: the share of each class, or the average. A model must beat it to be of use."
    )
    paper = "scikit-learn's DummyClassifier and DummyRegressor"
    recipe = Recipe(columns="none", text="none", dates=False)
    config = DummyConfig
    complexity = 0
    random = False
    quantiles = True
    order = 0

    def estimate_cost(self, shape: Shape, config: FamilyConfig) -> CostEstimate:
        """Next to nothing."""
        return CostEstimate(seconds=0.01 / shape.speed, bytes=16.0 * shape.rows)

    def build(self, config: FamilyConfig, meta: Meta) -> Estimator:
        """A guesser."""
        return DummyEstimator(meta)
