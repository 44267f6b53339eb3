"""Nearest neighbours: the answer of the most similar training rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from autodl.models._arrays import ArrayEstimator, as_matrix
from autodl.models._weighted_quantiles import weighted_quantiles
from autodl.models.base import CostEstimate, Estimator, Family, FamilyConfig, Meta, Shape
from autodl.records import Recipe

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autodl.clock import Deadline
    from autodl.features import Features

_BATCH = 4_096


class NeighborsConfig(FamilyConfig):
    """How many neighbours, and how they vote."""

    n_neighbors: int = Field(15, ge=1)
    weights: Literal["uniform", "distance"] = "distance"
    p: int = Field(2, ge=1, le=2)
    """1: sum of differences (Manhattan); 2: straight line (Euclidean)."""


class NeighborsEstimator(ArrayEstimator):
    """Weighted votes, or weighted means or quantiles, of the nearest rows.

    Args:
        config: Number and voting.
        meta: About the task.
    """

    def __init__(self, config: NeighborsConfig, meta: Meta) -> None:
        super().__init__(meta)
        self.config = config
        self._rows: Any = None
        self._index: Any = None
        self._targets: NDArray[Any] = np.empty(0)
        self._weights: NDArray[np.float64] = np.empty(0)

    def __getstate__(self) -> dict[str, Any]:
        """The index is built again from the rows when it is needed."""
        return {**self.__dict__, "_index": None}

    def _train(
        self,
        X: Features,
        y: NDArray[Any],
        X_val: Features | None,
        y_val: NDArray[Any] | None,
        weight: NDArray[Any] | None,
        deadline: Deadline,
    ) -> None:
        used = np.arange(len(y)) if weight is None else np.flatnonzero(weight > 0)
        if len(used) == 0:
            used = np.arange(len(y))
        self._targets = y[used]
        self._weights = np.ones(len(used)) if weight is None else np.asarray(weight, dtype=np.float64)[used]
        self._rows = as_matrix(X)[used]
        self._index = self._new_index()
        self.voters = float(self._index.n_neighbors)

    def _new_index(self) -> Any:
        from sklearn.neighbors import NearestNeighbors

        metric = "manhattan" if self.config.p == 1 else "euclidean"
        neighbors = min(self.config.n_neighbors, len(self._targets))
        index = NearestNeighbors(n_neighbors=neighbors, metric=metric, n_jobs=self.meta.threads)
        return index.fit(self._rows)

    def _raw(self, X: Features) -> NDArray[Any]:
        if self._index is None:
            self._index = self._new_index()
        matrix = as_matrix(X)
        parts = [self._vote(matrix[start : start + _BATCH]) for start in range(0, len(X), _BATCH)]
        return np.concatenate(parts) if parts else np.empty((0, self.n_present or len(self.meta.quantiles)))

    def _vote(self, rows: Any) -> NDArray[np.float64]:
        distance, index = self._index.kneighbors(rows)
        votes = self._weights[index]
        if self.config.weights == "distance":
            # Nearly equal rows would divide by zero: they share the vote.
            votes = votes / np.maximum(distance, 1e-6 * (1.0 + distance[:, -1:]))
        votes = votes / np.maximum(votes.sum(axis=1, keepdims=True), np.finfo(float).tiny)
        if self.meta.quantiles:
            return weighted_quantiles(self._targets[index], votes, self.meta.quantiles)
        if not self.is_classifier:
            return np.asarray((votes * self._targets[index]).sum(axis=1))
        out = np.zeros((len(index), self.n_present))
        np.add.at(out, (np.arange(len(index))[:, None], self._targets[index]), votes)
        return out


class Neighbors(Family):
    """k nearest neighbours."""

    key = "neighbors"
    other_names = ("knn", "kneighbors", "nearest_neighbors")
    name = "Nearest neighbours"
    summary = "Looks up the most similar known rows and answers what they answered."
    paper = "Cover & Hart 1967, Nearest neighbor pattern classification, IEEE Transactions on Information Theory"
    recipe = Recipe(indicator=False, scale="robust", categories="onehot", text="svd")
    config = NeighborsConfig
    complexity = 2
    random = False
    quantiles = True
    order = 8
    max_rows = 50_000

    def estimate_cost(self, shape: Shape, config: FamilyConfig) -> CostEstimate:
        """Training stores the rows; the time goes into predicting a quarter as many (the validation rows)."""
        wide = shape.numeric + min(shape.levels, 30 * shape.categorical) + 44 * shape.text
        pairs = 0.25 * float(shape.rows) ** 2
        seconds = 0.02 + pairs * (wide * 1.5e-10 + 1.0e-9) / (shape.speed * shape.threads**0.8)
        return CostEstimate(seconds=seconds, bytes=4.0 * shape.rows * wide + 2.0e8)

    def build(self, config: FamilyConfig, meta: Meta) -> Estimator:
        """An empty index."""
        assert isinstance(config, NeighborsConfig)
        return NeighborsEstimator(config, meta)
