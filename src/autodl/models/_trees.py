"""What random forests and extra trees share. Notation: n rows, p columns, K classes."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from autodl.models._arrays import ArrayEstimator, as_matrix
from autodl.models.base import CostEstimate, FamilyConfig, Meta, Shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autodl.clock import Deadline
    from autodl.features import Features

_MAX_BYTES = 6.4e7
"""Size that all trees of a model may reach."""
_CHUNK = 10
"""Trees grown at most between two looks at the clock and at the size."""


class TreesConfig(FamilyConfig):
    """Number, size and randomness of the trees."""

    n_estimators: int = Field(200, ge=1)
    max_features: float = Field(0.0, ge=0, le=1)
    """Share of the columns tried at each split; 0 means their square root for classes, half of them for numbers."""
    min_samples_leaf: int = Field(0, ge=0)
    """0 means 3 for two classes, where probabilities gain from averaging, else 1."""
    criterion: Literal["impurity", "entropy"] = "impurity"
    """``impurity``: Gini for classes, squared error for numbers; ``entropy``: for classes."""
    bootstrap: bool = True


class TreesEstimator(ArrayEstimator):
    """Grown up to ten trees at a time until all are there, no other fits the deadline or the size limit is reached.

    Args:
        config: Hyperparameters.
        meta: About the task.
        extra: Extremely randomized trees instead of a random forest.
    """

    def __init__(self, config: TreesConfig, meta: Meta, extra: bool) -> None:
        super().__init__(meta)
        self.config, self.extra = config, extra
        self._model: Any = None

    def _train(
        self,
        X: Features,
        y: NDArray[Any],
        X_val: Features | None,
        y_val: NDArray[Any] | None,
        weight: NDArray[Any] | None,
        deadline: Deadline,
    ) -> None:
        matrix = as_matrix(X)
        model = self._forest(len(y))
        threads = max(1, self.meta.threads)
        grown, more = 0, threads
        while more and grown < self.config.n_estimators:
            more = min(more, self.config.n_estimators - grown)
            grown += more
            model.set_params(n_estimators=grown)
            begun = time.monotonic()
            model.fit(matrix, y, sample_weight=weight)
            if self._bytes(model) >= _MAX_BYTES:
                break
            # The threads grow one tree each in about the time of a single tree.
            one = (time.monotonic() - begun) / math.ceil(more / threads)
            more = min(_CHUNK, threads * int(min(_CHUNK, deadline.left() / max(one, 1e-6))))
        self._model = model

    def _forest(self, n: int) -> Any:
        from sklearn import ensemble

        c = self.config
        if self.is_classifier:
            kind = ensemble.ExtraTreesClassifier if self.extra else ensemble.RandomForestClassifier
            criterion = "gini" if c.criterion == "impurity" else "entropy"
        else:
            kind = ensemble.ExtraTreesRegressor if self.extra else ensemble.RandomForestRegressor
            criterion = "squared_error"
        # At least about fifty trees must fit into the size limit.
        leaves = int(_MAX_BYTES / 50 / (2 * _node_bytes(self.n_present)))
        return kind(
            n_estimators=1,
            criterion=criterion,
            max_features=_share(c.max_features, self.n_present) or "sqrt",
            min_samples_leaf=min(_leaf(c.min_samples_leaf, self.n_present), max(1, n // 4)),
            max_leaf_nodes=leaves if n > leaves else None,
            bootstrap=c.bootstrap,
            warm_start=True,
            n_jobs=self.meta.threads,
            random_state=self.meta.seed,
        )

    def _bytes(self, model: Any) -> float:
        return float(sum(tree.tree_.node_count for tree in model.estimators_)) * _node_bytes(self.n_present)

    def _raw(self, X: Features) -> NDArray[Any]:
        matrix = as_matrix(X)
        # Handing a few rows to threads takes longer than answering them.
        self._model.set_params(n_jobs=self.meta.threads if len(X) > 2_000 else 1)
        if self.is_classifier:
            return np.asarray(self._model.predict_proba(matrix))
        return np.asarray(self._model.predict(matrix))


def _share(max_features: float, classes: int) -> float:
    return max_features or (0.0 if classes else 0.5)


def _leaf(min_samples_leaf: int, classes: int) -> int:
    return min_samples_leaf or (3 if classes == 2 else 1)


def _node_bytes(classes: int) -> float:
    """Bytes of a node: 64 of structure and 8 for each value."""
    return 64.0 + 8.0 * max(1, classes)


def trees_cost(shape: Shape, config: TreesConfig, extra: bool) -> CostEstimate:
    """Trees times n log n for each column tried at a split."""
    columns = shape.columns + 33 * shape.text
    share = _share(config.max_features, shape.classes)
    tried = share * columns if share else columns**0.5
    leaf = _leaf(config.min_samples_leaf, shape.classes)
    one = shape.rows * np.log2(shape.rows + 2) * (tried * (0.6e-8 if extra else 2.1e-8) + 4.0e-8) + 4.0e-4
    one *= 1.0 + 0.03 * shape.classes
    leaves = shape.rows * (0.3 if shape.classes else 0.6) / leaf
    size = 2.0 * leaves * _node_bytes(shape.classes)
    trees = min(config.n_estimators, 1.0 + _MAX_BYTES / max(size, 1.0))
    seconds = 0.02 + trees * one / (shape.speed * shape.threads**0.8)
    return CostEstimate(seconds=float(seconds), bytes=3.0 * trees * size + 8.0 * shape.rows * columns + 5.0e6)
