"""Small statistics the checks share; ``scipy.stats`` has them too, but takes long to import.

Notation: n rows, m tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p-values (Holm 1979): ``max_{j<=i} min(1, (m - j + 1) p_(j))``, in input order."""
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p)
    adjusted = np.minimum(1.0, np.maximum.accumulate((len(p) - np.arange(len(p))) * p[order]))
    out = np.empty(len(p))
    out[order] = adjusted
    return [float(v) for v in out]


def cramers_v(table: NDArray[Any]) -> tuple[float, float]:
    """Association of a contingency table.

    Args:
        table: (r, c) counts.

    Returns:
        Bias-corrected Cramer's V (Bergsma 2013) in [0, 1] and the p-value of the chi-squared test.
    """
    from scipy.special import chdtrc

    table = np.asarray(table, dtype=float)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    r, c = table.shape
    n = table.sum()
    if min(r, c) < 2:
        return 0.0, 1.0
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / n
    statistic = float(((table - expected) ** 2 / expected).sum())
    phi2 = max(0.0, statistic / n - (r - 1) * (c - 1) / (n - 1))
    r_, c_ = r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)
    smaller = min(r_, c_) - 1
    v = float(np.sqrt(min(1.0, phi2 / smaller))) if smaller > 0 else 0.0
    return v, float(chdtrc((r - 1) * (c - 1), statistic))


def ks(a: NDArray[Any], b: NDArray[Any]) -> tuple[float, float]:
    """Two-sample Kolmogorov-Smirnov distance in [0, 1] and its asymptotic p-value; NaN is left out."""
    from scipy.special import kolmogorov

    a, b = np.sort(a[~np.isnan(a)]), np.sort(b[~np.isnan(b)])
    if not len(a) or not len(b):
        return 0.0, 1.0
    both = np.concatenate([a, b])
    gap = np.searchsorted(a, both, side="right") / len(a) - np.searchsorted(b, both, side="right") / len(b)
    distance = float(np.abs(gap).max())
    return distance, float(kolmogorov(np.sqrt(len(a) * len(b) / (len(a) + len(b))) * distance))


def skewness(values: NDArray[Any]) -> float:
    """Third standardized moment; 0 for constant values. Safe for values near the limits of float64."""
    largest = float(np.abs(values).max(initial=0.0))
    if largest == 0:
        return 0.0
    scaled = values / largest
    spread = float(scaled.std())
    return float((((scaled - scaled.mean()) / spread) ** 3).mean()) if spread > 1e-15 else 0.0


def ranks(values: NDArray[Any]) -> NDArray[np.float64]:
    """(n,) ranks from 1; ties share their mean rank."""
    _, place, sizes = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(sizes)
    middle: NDArray[np.float64] = (last - (sizes - 1) / 2)[place]
    return middle


def auc(positive: NDArray[Any], score: NDArray[Any]) -> float:
    """Area under the ROC curve from mid-ranks (Mann-Whitney); 0.5 if a class is absent."""
    positive = np.asarray(positive, dtype=bool)
    n1, n0 = int(positive.sum()), int((~positive).sum())
    if not n1 or not n0:
        return 0.5
    return float((ranks(score)[positive].sum() - n1 * (n1 + 1) / 2) / (n1 * n0))
