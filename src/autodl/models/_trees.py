"""What random forests and extra trees share. Notation: n rows, p columns, K classes."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from autodl.models._arrays import ArrayEstimator, as_matrix, centre_and_unit
from autodl.models._leaf_targets import leaf_quantiles, leaf_targets
from autodl.models.base import CostEstimate, FamilyConfig, Meta, Shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autodl.clock import Deadline
    from autodl.features import Features

_MAX_BYTES = 6.4e7
"""Size that all trees of a model may reach."""
_LEAF_TARGETS = 4
"""Training targets that a leaf keeps where quantiles are asked for."""
_FEW_ROWS = 2_000
"""Up to so many rows, threads and scikit-learn's checks take longer than the answers."""
_CHUNK = 10
"""Trees grown at most between two looks at the clock and at the size."""


class TreesConfig(FamilyConfig):
    """Number, size and randomness of the trees."""

    n_estimators: int = Field(200, ge=1)
    max_features: float = Field(0.0, ge=0, le=1)
    """Share of the columns tried at each split; 0 means their square root for classes, half of them for numbers."""
    min_samples_leaf: int = Field(0, ge=0)
    """0 means 3 for two classes, where probabilities gain from averaging, 5 for quantiles, which need several rows a
    leaf, else 1."""
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

    _centre: float = 0.0
    _unit: float = 1.0
    """The trees have learnt (target - centre) / unit; those of earlier versions the target as it was."""

    def __init__(self, config: TreesConfig, meta: Meta, extra: bool) -> None:
        super().__init__(meta)
        self.config, self.extra = config, extra
        self._model: Any = None
        self._kept: list[NDArray[np.float32]] = []

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
        if not self.is_classifier:
            self._centre, self._unit = centre_and_unit(y, weight)
            y = (y - self._centre) / self._unit
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
        # The size limit ends training as well, but at the same size however quick the machine is.
        self.cut_short = not more and grown < self.config.n_estimators
        if X_val is not None:
            self.refit = {"n_estimators": grown}  # what was tested, and what its time was measured for
        self._model, self.voters = model, float(grown)
        if self.meta.quantiles:
            self._keep_targets(matrix, y, weight)

    def _keep_targets(self, matrix: Any, y: NDArray[Any], weight: NDArray[Any] | None) -> None:
        """All rows go down all trees: those that a tree did not learn from show how wide the spread really is."""
        rng = np.random.default_rng(self.meta.seed)
        used = np.arange(len(y)) if weight is None else np.flatnonzero(weight > 0)
        mass = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=np.float64)
        leaves = self._model.apply(matrix[used])
        self._kept = [
            leaf_targets(leaves[:, t], y[used], mass[used], tree.tree_.node_count, _LEAF_TARGETS, rng)
            for t, tree in enumerate(self._model.estimators_)
        ]

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
            min_samples_leaf=min(_leaf(c.min_samples_leaf, self.n_present, len(self.meta.quantiles)), max(1, n // 4)),
            max_leaf_nodes=leaves if n > leaves else None,
            bootstrap=c.bootstrap,
            warm_start=True,
            n_jobs=self.meta.threads,
            random_state=self.meta.seed,
        )

    def _bytes(self, model: Any) -> float:
        return float(sum(tree.tree_.node_count for tree in model.estimators_)) * _node_bytes(self.n_present)

    def _raw(self, X: Features) -> NDArray[Any]:
        raw = self._answers(X)
        return raw if self.is_classifier else raw * self._unit + self._centre

    def _answers(self, X: Features) -> NDArray[Any]:
        """As ``_raw``, in the units that the trees have learnt."""
        matrix = as_matrix(X)
        few = len(X) <= _FEW_ROWS
        if few and isinstance(matrix, np.ndarray) and not self.meta.quantiles:
            return _mean_of_trees(self._model, matrix, self.n_present)
        # Handing a few rows to threads takes longer than answering them.
        self._model.set_params(n_jobs=1 if few else self.meta.threads)
        if self.is_classifier:
            return np.asarray(self._model.predict_proba(matrix))
        if self.meta.quantiles:
            return leaf_quantiles(self._model.apply(matrix), self._kept, self.meta.quantiles)
        return np.asarray(self._model.predict(matrix))


def _mean_of_trees(model: Any, matrix: NDArray[np.float32], classes: int) -> NDArray[Any]:
    """What scikit-learn answers, without the checks of the same rows by each tree: ten times as fast for one row.

    Args:
        model: A fitted forest. matrix: (n, p). classes: k; 0 for numbers.

    Returns:
        (n, k) shares or (n,) values.
    """
    rows = np.ascontiguousarray(matrix, dtype=np.float32)
    total = model.estimators_[0].tree_.predict(rows)
    for tree in model.estimators_[1:]:
        total += tree.tree_.predict(rows)
    total /= len(model.estimators_)
    return np.asarray(total if classes else total.reshape(len(rows)))


def _share(max_features: float, classes: int) -> float:
    return max_features or (0.0 if classes else 0.5)


def _leaf(min_samples_leaf: int, classes: int, quantiles: int = 0) -> int:
    return min_samples_leaf or (3 if classes == 2 else 5 if quantiles else 1)


def _node_bytes(classes: int) -> float:
    """Bytes of a node: 64 of structure and 8 for each value."""
    return 64.0 + 8.0 * max(1, classes)


def trees_cost(shape: Shape, config: TreesConfig, extra: bool) -> CostEstimate:
    """Trees times n log n for each column tried at a split."""
    columns = shape.columns + 60 * shape.text
    share = _share(config.max_features, shape.classes)
    tried = share * columns if share else columns**0.5
    leaf = _leaf(config.min_samples_leaf, shape.classes, shape.quantiles)
    one = shape.rows * np.log2(shape.rows + 2) * (tried * (0.6e-8 if extra else 2.1e-8) + 4.0e-8) + 4.0e-4
    one *= 1.0 + 0.03 * shape.classes
    leaves = shape.rows * (0.3 if shape.classes else 0.6) / leaf
    size = 2.0 * leaves * _node_bytes(shape.classes)
    trees = min(config.n_estimators, 1.0 + _MAX_BYTES / max(size, 1.0))
    seconds = 0.02 + trees * one / (shape.speed * shape.threads**0.8)
    return CostEstimate(seconds=float(seconds), bytes=3.0 * trees * size + 8.0 * shape.rows * columns + 5.0e6)
