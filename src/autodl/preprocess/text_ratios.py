"""How much more frequent terms are in one class than in the others, for linear models of texts.

Notation: n rows, v terms, k shown targets.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMOOTHING = 1.0
"""Rows with each term that every class is given besides its own."""


def class_ratios(
    terms: Any, targets: Sequence[NDArray[np.float64]], weight: NDArray[Any] | None = None
) -> NDArray[np.float32]:
    """(v,) factors of the weights of terms: large where a term tells the classes apart, near 0 where it does not.

    The absolute logarithm of the ratio of a term's frequencies in a class and outside it (naive Bayes; Wang & Manning
    2012, "Baselines and Bigrams", equation 2), of several targets the root of the mean square. A linear model with a
    penalty of squares on terms so weighted (NBSVM) may change the weights of telling terms more cheaply; the sign of
    a factor would not change it.

    Args:
        terms: (n, v) CSR; what counts is which terms a row has.
        targets: Each (n,): 0/1, or numbers, which are split at their median.
        weight: (n,) how much each row counts; all alike if None.
    """
    n, v = terms.shape
    if v == 0 or n == 0 or not targets:
        return np.ones(v, dtype=np.float32)
    mass = np.ones(n) if weight is None or not np.any(weight) else np.asarray(weight, dtype=np.float64)
    mass = mass / mass.mean()
    there = terms.copy()
    there.data = np.ones(len(there.data))
    everywhere = there.T @ mass
    squares = np.zeros(v)
    for target in targets:
        inside = there.T @ (mass * (target > _middle(target)))
        parts = (inside + SMOOTHING, everywhere - inside + SMOOTHING)
        squares += (np.log(parts[0] / parts[0].sum()) - np.log(parts[1] / parts[1].sum())) ** 2
    return np.asarray(np.sqrt(squares / len(targets)), dtype=np.float32)


def _middle(target: NDArray[np.float64]) -> float:
    """The median, or the mean where more than half have the largest value (as classes 0 and 1 may)."""
    median = float(np.median(target))
    return median if median < target.max() else float(target.mean())


def weighted(terms: Any, ratios: NDArray[np.float32]) -> Any:
    """(n, v) CSR of terms times their (v,) factors; what is given stays as it is."""
    out = terms.copy()
    out.data = out.data * ratios[out.indices]
    return out
