"""What a linear model on all terms of a text would answer, as columns for other models.

Notation: n rows, v terms, k shown targets.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PENALTY = 1.0
"""Of ridge regression; rows have length 1, so that it means the same for every text."""
ROUNDS = 50


class TextScore:
    """Ridge regression of each shown target on the terms, cross-fitted on the training rows.

    Least squares classifies texts about as well as logistic regression or support vectors do (Zhang & Oles 2001),
    in a fraction of the time. A training row is scored by a fit on the other parts, so that its own target does not
    leak into its features; new rows by the fit on all training rows.
    """

    def __init__(self) -> None:
        self._weights: NDArray[np.float32] = np.empty((0, 0), dtype=np.float32)
        self._level: NDArray[np.float64] = np.empty(0)

    def fit_transform(
        self,
        terms: Any,
        targets: Sequence[NDArray[np.float64]],
        parts: Sequence[tuple[NDArray[np.int_], NDArray[np.int_]]],
        weight: NDArray[Any] | None = None,
    ) -> NDArray[np.float64]:
        """(n, k) cross-fitted scores.

        Args:
            terms: (n, v) CSR of the training rows.
            targets: k targets, each (n,).
            parts: Rows to learn from and rows to score; every row is scored once. Empty: too few rows
                to cross-fit, all are scored by one fit.
            weight: (n,) how much each row counts; all alike if None.
        """
        wanted = np.column_stack(targets)
        # Targets of unit spread, so that the penalty means the same for all.
        wanted = wanted - np.average(wanted, axis=0, weights=weight)
        spread = np.sqrt(np.average(wanted**2, axis=0, weights=weight))
        wanted = wanted / np.where(spread > 0, spread, 1.0)
        self._weights, self._level = _ridge(terms, wanted, weight)
        if not parts:
            return self.transform(terms)
        out = np.empty(wanted.shape)
        for train, test in parts:
            weights, level = _ridge(terms[train], wanted[train], None if weight is None else weight[train])
            out[test] = terms[test] @ weights + level
        return out

    def transform(self, terms: Any) -> NDArray[np.float64]:
        """(n, k) scores by the fit on all training rows."""
        return np.asarray(terms @ self._weights + self._level)


def _ridge(
    terms: Any, wanted: NDArray[np.float64], weight: NDArray[Any] | None
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """(v, k) weights and (k,) levels; without any weight of a row in this part, as if all counted alike."""
    if weight is not None and not np.any(weight):
        weight = None
    if terms.shape[1] == 0 or terms.shape[0] < 2:
        return np.zeros((terms.shape[1], wanted.shape[1]), dtype=np.float32), np.average(
            wanted, axis=0, weights=weight
        )
    from sklearn.linear_model import Ridge

    model = Ridge(alpha=PENALTY, solver="sparse_cg", tol=1e-3, max_iter=ROUNDS)
    model.fit(terms, wanted.astype(np.float32), sample_weight=weight)
    weights = np.asarray(model.coef_, dtype=np.float32).reshape(wanted.shape[1], -1).T
    return np.ascontiguousarray(weights), np.atleast_1d(np.asarray(model.intercept_, dtype=np.float64))
