"""Answers for classes in an order: cuts on the expected level instead of the most probable class.

By metrics that count how far an answer is off (quadratic weighted kappa, error in levels) the most probable class is
the wrong answer: where 1 and 5 stars are both likely, 3 costs least. The mean level rounded is the best answer by
squared error; cuts tuned on out-of-fold predictions do more, since kappa also rewards answers that are spread like
the truth. Both are used only where they have shown themselves better, see ``class_factors``.

Notation: n rows, K classes with codes 0 to K - 1 in their order, p (n, K), e (n,) expected codes, cuts (K - 1,)
ascending; a row gets the code k with ``cuts[k - 1] <= e < cuts[k]``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodl.ensemble.known_rows import KnownRows

Array = NDArray[Any]
TRIED = 40
"""Places looked at for each cut, at quantiles of the expected levels between its neighbours."""
PASSES = 3


def rounded(p: Array, rows: KnownRows) -> Array:
    """(K - 1,) cuts halfway between the levels."""
    return np.arange(p.shape[1] - 1) + 0.5


def tuned(p: Array, rows: KnownRows) -> Array:
    """(K - 1,) cuts by coordinate descent from the rounded ones, each between its neighbours.

    Args:
        p: (n, K) probabilities. rows: The n rows, with class codes as targets and a metric of a confusion matrix.
    """
    y, metric, k = rows.y, rows.metric, p.shape[1]
    assert metric.counts is not None
    expected = p @ np.arange(k)
    order = np.argsort(expected)
    levels = expected[order]
    ones = np.zeros((len(y) + 1, k))
    ones[np.arange(1, len(y) + 1), y[order]] = 1.0 if rows.weight is None else rows.weight[order]
    below = np.cumsum(ones, axis=0)

    def losses(tried: Array) -> Array:
        """(m,) losses of (m, K - 1) cuts."""
        places = np.searchsorted(levels, tried, side="left")
        edges = np.zeros((len(tried), k + 1), dtype=np.int64)
        edges[:, 1:-1], edges[:, -1] = places, len(y)
        columns = np.diff(below[edges], axis=1)
        assert metric.counts is not None
        scores = metric.counts(np.swapaxes(columns, -1, -2))
        return np.asarray(metric.best - scores if metric.greater_is_better else scores - metric.best)

    cuts = rounded(p, rows).astype(np.float64)
    best = float(losses(cuts[None])[0])
    for _ in range(PASSES):
        before = best
        for j in range(k - 1):
            low = cuts[j - 1] if j else -np.inf
            high = cuts[j + 1] if j + 1 < k - 1 else np.inf
            inside = levels[(levels > low) & (levels < high)]
            if len(inside) < 2:
                continue
            tried = np.tile(cuts, (TRIED, 1))
            tried[:, j] = np.quantile(inside, np.linspace(0.01, 0.99, TRIED))
            found = losses(tried)
            if found.min() < best:
                best, cuts = float(found.min()), tried[int(found.argmin())]
        if not best < before:
            break
    return cuts
