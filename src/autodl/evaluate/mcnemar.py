"""McNemar's test of two models' answers on the same rows."""

from __future__ import annotations

import math


def mcnemar_p(only_a: int, only_b: int) -> float:
    """Two-sided mid-p value of McNemar's exact test: the binomial tail with half of the observed point."""
    from scipy.special import bdtr, gammaln

    m, least = only_a + only_b, min(only_a, only_b)
    if m == 0:
        return 1.0
    point = math.exp(gammaln(m + 1) - gammaln(least + 1) - gammaln(m - least + 1) - m * math.log(2))
    return min(1.0, 2 * float(bdtr(least, m, 0.5)) - point)
