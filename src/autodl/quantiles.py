"""Quantiles as predictions: their order, their names, and the one number that stands for them.

Notation: n rows, Q levels in ascending order, q (n, Q) predictions with one column a level.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIDDLE = 0.5
FEW_BEYOND = 5
"""Rows that must lie beyond a level for anything to be known of it."""


def in_order(q: NDArray[Any]) -> NDArray[Any]:
    """(n, Q) with each row sorted, so that no quantile crosses another.

    Sorting never raises the pinball loss (Chernozhukov et al. 2010, "Quantile and probability curves without
    crossing").
    """
    import numpy as np

    return np.sort(q, axis=1)


def point(q: NDArray[Any], levels: Sequence[float]) -> NDArray[Any]:
    """(n,) the best single answer: the median, or what lies at 0.5 on the straight line between its neighbours.

    Where all levels lie on one side of 0.5 it is the nearest of them.

    >>> import numpy as np
    >>> point(np.array([[1.0, 5.0]]), (0.1, 0.9)), point(np.array([[1.0, 5.0]]), (0.8, 0.9))
    (array([3.]), array([1.]))
    """
    import numpy as np

    above = int(np.searchsorted(levels, MIDDLE))
    if above == 0 or above == len(levels) or levels[above] == MIDDLE:
        return np.asarray(q[:, min(above, len(levels) - 1)])
    share = (MIDDLE - levels[above - 1]) / (levels[above] - levels[above - 1])
    return np.asarray((1 - share) * q[:, above - 1] + share * q[:, above])


def one_sided(levels: Sequence[float]) -> bool:
    """Whether all levels lie on one side of 0.5: then none of them stands for a typical answer.

    >>> one_sided((0.8, 0.9)), one_sided((0.1, 0.9)), one_sided((0.5,))
    (True, False, False)
    """
    return bool(levels) and (max(levels) < MIDDLE or min(levels) > MIDDLE)


def unknowable(levels: Sequence[float], n: int) -> tuple[float, ...]:
    """Levels beyond which fewer than ``FEW_BEYOND`` of n rows lie: nothing is learnt or tested there.

    >>> unknowable((0.0001, 0.5, 0.99), 800)
    (0.0001,)
    """
    return tuple(level for level in levels if round(n * min(level, 1 - level), 6) < FEW_BEYOND)


def column(level: float) -> str:
    """Name of a level's column among predictions.

    >>> column(0.1)
    'q0.1'
    """
    return f"q{float(level)!r}"


def central_intervals(levels: Sequence[float]) -> list[tuple[int, int]]:
    """Positions of the two ends of each prediction interval, the widest first: lowest with highest, and so on.

    >>> central_intervals((0.05, 0.25, 0.5, 0.75, 0.95)), central_intervals((0.5, 0.9))
    ([(0, 4), (1, 3)], [(0, 1)])
    """
    return [(i, len(levels) - 1 - i) for i in range(len(levels) // 2)]
