"""What random forests and extra trees share. Notation: n rows, p columns, K classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from autodl.models._arrays import ArrayEstimator, as_matrix
from autodl.models.base import CostEstimate, FamilyConfig, Meta, Shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autodl.clock import Deadline
    from autodl.features import Features

_MAX_BYTES = 1.0e8
"""Size that all trees of a model may reach."""
_CHUNK = 10


class TreesConfig(FamilyConfig):
    """Number, size and randomness of the trees."""

    n_estimators: int = Field(200, ge=1)
    max_features: float = Field(0.0, ge=0, le=1)
    """Share of the columns tried at each split; 0 means the square root of their number."""
    min_samples_leaf: int = Field(3, ge=1)
    criterion: Literal["impurity", "entropy"] = "impurity"
    """``impurity``: Gini for classes, squared error for numbers; ``entropy``: for classes."""
    bootstrap: bool = True


class TreesEstimator(ArrayEstimator):
    """Grown ten trees at a time until all are there, the deadline passes or the size limit is reached.

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
        grown = 0
        while grown < self.config.n_estimators and not (grown and deadline.passed()):
            grown = min(grown + (_CHUNK if grown else max(1, self.meta.threads)), self.config.n_estimators)
            model.set_params(n_estimators=grown)
            model.fit(matrix, y, sample_weight=weight)
            if self._bytes(model) >= _MAX_BYTES:
                break
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
            n_estimators=1, criterion=criterion, max_features=c.max_features or "sqrt",
            min_samples_leaf=min(c.min_samples_leaf, max(1, n // 4)), max_leaf_nodes=leaves if n > leaves else None,
            bootstrap=c.bootstrap, warm_start=True, n_jobs=self.meta.threads, random_state=self.meta.seed,
        )  # fmt: skip

    def _bytes(self, model: Any) -> float:
        return float(sum(tree.tree_.node_count for tree in model.estimators_)) * _node_bytes(self.n_present)

    def _raw(self, X: Features) -> NDArray[Any]:
        matrix = as_matrix(X)
        self._model.set_params(n_jobs=self.meta.threads)
        if self.is_classifier:
            return np.asarray(self._model.predict_proba(matrix))
        return np.asarray(self._model.predict(matrix))


def _node_bytes(classes: int) -> float:
    """Bytes of a node: 64 of structure and 8 for each value."""
    return 64.0 + 8.0 * max(1, classes)


def trees_cost(shape: Shape, config: TreesConfig, extra: bool) -> CostEstimate:
    """Trees times n log n for each column tried at a split."""
    columns = shape.columns + 33 * shape.text
    tried = config.max_features * columns if config.max_features else columns**0.5
    one = shape.rows * np.log2(shape.rows + 2) * (tried * (1.0e-8 if extra else 3.0e-8) + 6.0e-8)
    one *= 1.0 + 0.03 * shape.classes
    speed = shape.speed * min(shape.threads, 2) ** 0.8
    leaves = shape.rows * (0.6 if shape.classes == 0 else 0.3) / config.min_samples_leaf
    size = min(_MAX_BYTES, config.n_estimators * 2 * leaves * _node_bytes(shape.classes))
    return CostEstimate(
        seconds=float(0.05 + config.n_estimators * (one + 5e-4) / speed), bytes=size + 8.0 * shape.rows
    )
