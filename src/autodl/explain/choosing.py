"""Which test rows are shown. Notation: n rows, K classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def choose_rows(
    y: Array, prediction: Array, answers: Array | None, usable: Array, *, most: int, rng: np.random.Generator
) -> tuple[list[int], list[int]]:
    """Rows answered rightly, drawn at random class by class, and the most confident mistakes.

    Of numbers, the rows with the largest errors, and rows drawn at random from the better half.

    Args:
        y: (n,) class codes or values. prediction: (n, K) or (n,).
        answers: (n,) class codes; None for numbers.
        usable: (n,) where there is something to show.
        most: Of each of the two lists.
        rng: Of the draw.
    """
    if answers is None:
        error = np.where(usable, np.abs(prediction - y), np.nan)
        order = [int(i) for i in np.argsort(-error, kind="stable") if np.isfinite(error[i]) and error[i] > 0]
        wrong = order[: min(most, len(order) // 2)]
        half = np.flatnonzero(error <= np.nanmedian(error)) if np.isfinite(error).any() else np.empty(0, np.int64)
        half = np.setdiff1d(half, wrong)
        drawn = rng.choice(half, size=min(most, len(half)), replace=False)
        return [int(i) for i in drawn[np.argsort(y[drawn], kind="stable")]], wrong
    sure = prediction[np.arange(len(y)), answers]
    off = np.flatnonzero(usable & (answers != y))
    wrong = [int(i) for i in off[np.argsort(-sure[off], kind="stable")][:most]]
    good = rng.permutation(np.flatnonzero(usable & (answers == y)))
    # One of each class in turn, so that rare ones are seen as well.
    turn = np.zeros(len(good), np.int64)
    for code in np.unique(y[good]):
        turn[y[good] == code] = np.arange((y[good] == code).sum())
    right = good[np.lexsort((y[good], turn))][:most]
    return [int(i) for i in right[np.argsort(y[right], kind="stable")]], wrong
