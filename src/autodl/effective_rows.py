"""How many rows of equal weight tell as much as weighted ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def effective_rows(weight: NDArray[Any]) -> float:
    """Kish's (1965) effective number of rows, of weights of which some are positive.

    >>> effective_rows(np.ones(8)), effective_rows(np.array([1.0, 0.0]))
    (8.0, 1.0)
    """
    w = np.asarray(weight, dtype=np.float64)
    w = w / w.max()
    return float(w.sum() ** 2 / np.square(w).sum())
