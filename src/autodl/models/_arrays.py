"""What the classic families share: features as one matrix, absent classes, and thinned learning curves.

Notation: n rows, p numeric and q categorical columns, K classes of the task, k classes present in training.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.clock import NEVER, Deadline
from autodl.models.base import Estimator, Meta
from autodl.quantiles import in_order, point
from autodl.records import CurvePoint, Task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autodl.features import Features


FAR = 1e3
"""Deviations from 0 beyond which targets are learnt as differences from their mean."""
SMALL = 1e-3
"""Deviation of targets below which multiples of it are learnt."""


def as_matrix(X: Features) -> Any:
    """(n, p + q) float32 numeric columns, then codes; CSR if the numeric part is; without columns, one of zeros."""
    if X.n_numeric + X.n_categorical == 0:
        return np.zeros((len(X), 1), dtype=np.float32)
    if X.n_categorical == 0:
        return X.numeric
    codes = X.categorical.astype(np.float32)
    if X.n_numeric == 0:
        return codes
    if X.is_sparse:
        from scipy import sparse

        return sparse.hstack([X.numeric, sparse.csr_matrix(codes)], format="csr")
    return np.hstack([X.numeric, codes])


def thin_curve(
    valid: list[float], train: list[float] | None = None, points: int = 100, *, length: float | None = None
) -> list[CurvePoint]:
    """At most ``points`` evenly spaced steps of a per-iteration curve, the first and the last among them.

    Args:
        valid: Losses on the validation rows. train: those on the training rows.
        points: How many to keep at most.
        length: Iterations at which the progress is 1; None where iterations do not compare.
    """
    if not valid:
        return []
    steps = np.unique(np.linspace(0, len(valid) - 1, min(points, len(valid))).astype(int))
    return [
        CurvePoint(
            step=int(s) + 1,
            valid=float(valid[s]),
            train=float(train[s]) if train and s < len(train) else None,
            progress=None if length is None else min(1.0, (int(s) + 1) / length),
        )
        for s in steps
    ]


def centre_and_unit(y: NDArray[Any], weight: NDArray[Any] | None = None, small: float = SMALL) -> tuple[float, float]:
    """What to take off (n,) targets and divide them by before trees learn them: 0 and 1 for ordinary ones.

    The mean where they are far from 0 for how much they differ: boosters hold them as float32, which at 1.7e9 (a
    moment in seconds) are 128 apart, and the impurities of forests are differences of squares. The deviation where it
    is below ``small``: scikit-learn splits no node with an impurity below 2e-16, CatBoost moves quantiles by 1e-6.
    """
    if np.ptp(y) == 0:
        return 0.0, 1.0
    mean = float(np.average(y, weights=weight))
    spread = float(np.sqrt(np.average((y - mean) ** 2, weights=weight)))
    return mean if abs(mean) > FAR * spread else 0.0, spread if 0 < spread < small else 1.0


def with_known_classes(
    X: Features, y: NDArray[Any], classes: NDArray[Any]
) -> tuple[Features, NDArray[Any]] | tuple[None, None]:
    """The rows whose class is among ``classes``, or None twice if there is no such row.

    No model can learn a class from validation rows alone, so that its loss there would only hide how well the
    other classes are told apart.

    Args:
        X: (n,) rows. y: (n,) class codes.
        classes: Codes that occur in the training rows.
    """
    known = np.isin(y, classes)
    if known.all():
        return X, y
    rows = np.flatnonzero(known)
    return (X.take(rows), y[rows]) if len(rows) else (None, None)


class ArrayEstimator(Estimator):
    """An estimator that need not mind absent classes, single-class training rows and probabilities of K columns.

    Subclasses train on classes 0..k-1 that all occur; validation rows of other classes are not shown to them.

    Args:
        meta: About the task.

    Attributes:
        voters: Of how many answers a probability is the mean (trees, neighbours). Where none of a few answers names a
            class, it would be called impossible, which log loss punishes without bound: one more voter answers with
            the shares of the classes. 0 where probabilities are no votes.
    """

    voters: float = 0.0

    def __init__(self, meta: Meta) -> None:
        super().__init__()
        self.meta = meta
        self._classes: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._shares: NDArray[np.float64] = np.empty(0)

    @property
    def is_classifier(self) -> bool:
        """Whether the task is classification."""
        return self.meta.task is Task.CLASSIFICATION

    @property
    def n_present(self) -> int:
        """k, the classes that occur in the training rows; 0 for regression."""
        return len(self._classes)

    def fit(
        self,
        X: Features,
        y: NDArray[Any],
        X_val: Features | None = None,
        y_val: NDArray[Any] | None = None,
        *,
        sample_weight: NDArray[Any] | None = None,
        deadline: Deadline = NEVER,
    ) -> None:
        """Train; see ``Estimator.fit``."""
        if deadline.passed():
            raise TimeoutError("no time was left to start training")
        self.curve, self.refit, self.cut_short = [], {}, False
        if X_val is not None and (y_val is None or len(X_val) == 0):
            X_val = y_val = None
        if not self.is_classifier:
            self._train(X, np.asarray(y, dtype=np.float64), X_val, y_val, sample_weight, deadline)
            return
        self._classes, codes = np.unique(np.asarray(y, dtype=np.int64), return_inverse=True)
        totals = np.bincount(codes, weights=sample_weight) + 0.5
        self._shares = totals / totals.sum()
        if self.n_present < 2:
            return
        if X_val is not None and y_val is not None:
            if self.weight_val is not None:
                self.weight_val = self.weight_val[np.isin(y_val, self._classes)]
            X_val, y_val = with_known_classes(X_val, y_val, self._classes)
        if y_val is not None:
            y_val = np.searchsorted(self._classes, y_val)
        self._train(X, codes, X_val, y_val, sample_weight, deadline)

    def predict(self, X: Features) -> NDArray[Any]:
        """(n,) values or class codes."""
        if self.is_classifier:
            return np.asarray(self.predict_proba(X).argmax(axis=1), dtype=np.int64)
        if self.meta.quantiles:
            return point(in_order(self.predict_quantiles(X)), self.meta.quantiles)
        return np.asarray(self._raw(X), dtype=np.float64).reshape(len(X))

    def predict_quantiles(self, X: Features) -> NDArray[Any]:
        """(n, Q) values at the levels of the task."""
        if not self.meta.quantiles:
            return super().predict_quantiles(X)
        return np.asarray(self._raw(X), dtype=np.float64).reshape(len(X), len(self.meta.quantiles))

    def predict_proba(self, X: Features) -> NDArray[Any]:
        """(n, K) probabilities; 0 for classes without training rows."""
        if not self.is_classifier:
            return super().predict_proba(X)
        out = np.zeros((len(X), max(self.meta.n_classes, int(self._classes[-1]) + 1)))
        if self.n_present < 2:
            out[:, self._classes] = 1.0
            return out
        raw = np.clip(np.asarray(self._raw(X), dtype=np.float64), 0.0, None)
        if raw.ndim == 1:
            raw = np.column_stack([1.0 - np.minimum(raw, 1.0), np.minimum(raw, 1.0)])
        total = raw.sum(axis=1, keepdims=True)
        votes = np.divide(raw, total, out=np.full_like(raw, 1.0 / self.n_present), where=total > 0)
        if self.voters:
            votes = (self.voters * votes + self._shares) / (self.voters + 1.0)
        out[:, self._classes] = votes
        return out

    @abstractmethod
    def _train(
        self,
        X: Features,
        y: NDArray[Any],
        X_val: Features | None,
        y_val: NDArray[Any] | None,
        weight: NDArray[Any] | None,
        deadline: Deadline,
    ) -> None:
        """Train on float64 values, or on codes 0..k-1 with k >= 2."""

    @abstractmethod
    def _raw(self, X: Features) -> NDArray[Any]:
        """(n,) values; (n, Q) quantiles; (n, k) probabilities; (n,) probabilities of the second class if k is 2."""
