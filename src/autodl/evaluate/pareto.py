"""Which models are worth what they take."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def undominated(points: Sequence[Sequence[float]]) -> list[bool]:
    """Whether no other point is at least as good in every value and better in one; lower is better.

    Equal points do not dominate each other. NaN is never on the front and dominates nothing.

    Args:
        points: n points of k values each.
    """
    F = np.asarray(points, dtype=float)
    if not len(F):
        return []
    found = []
    for p in F:
        dominating = np.less_equal(F, p).all(axis=1) & np.less(F, p).any(axis=1)
        found.append(not np.isnan(p).any() and not dominating.any())
    return found
