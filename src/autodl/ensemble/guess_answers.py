"""The one answer that a guess gives to all rows: the best for the metric, as models have the best cut for it.

By F1 always answering "yes" beats always answering "no", however rare "yes" is: against the most frequent class as
the guess, a model of noise that says "yes" to nearly everybody would look like one that has learnt something.

Notation: n rows, K classes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodl.decision import HALF, decide
from autodl.ensemble.answers import needs_cut
from autodl.ensemble.known_rows import KnownRows

Array = NDArray[Any]
MOST_CLASSES = 20
"""The most frequent ones, that are looked at."""


def guess_answers(p: Array, rows: KnownRows) -> tuple[float, tuple[float, ...], float | None]:
    """Cut, factors and score of a guess by a metric of answers; no score where its most probable class is as good.

    Args:
        p: (any, K) the same probabilities in each row.
        rows: The n rows that the answer is chosen on.
    """
    k = p.shape[1]
    if not len(p) or not needs_cut(rows.metric, k):
        return HALF, (), None
    usual = int(decide(p[:1])[0])
    shares = np.bincount(rows.y.astype(np.int64), weights=rows.weight, minlength=k)
    tried = [usual, *(int(c) for c in np.argsort(-shares, kind="stable")[:MOST_CLASSES] if c != usual)]
    scores = [rows.metric.function(rows.y, np.full(len(rows), c), k, rows.weight) for c in tried]
    losses = [rows.metric.to_loss(score) for score in scores]
    best = int(np.argmin(losses))
    if not losses[best] < losses[0]:
        return HALF, (), None
    if k > 2:
        return HALF, tuple(float(c == tried[best]) for c in range(k)), scores[best]
    # A cut below the probability that all rows have, or above it.
    stated = float(p[0, 1])
    return (stated / 2 if tried[best] == 1 else (1 + stated) / 2), (), scores[best]
