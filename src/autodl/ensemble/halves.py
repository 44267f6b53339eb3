"""Random halves of rows: a cut is chosen on one and judged on the other.

Notation: n rows, B blocks of rows that belong together (a group, a stretch of time), K classes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def random_half(y: Array, rng: np.random.Generator, block: Array | None = None) -> Array:
    """(n,) mask of a random half with nearly equal class shares.

    Args:
        y: (n,) class codes.
        rng: Draws it.
        block: (n,) rows of the same number are on the same side, as far as there are two blocks; each row stands for
            itself if None.
    """
    if block is not None:
        _, place = np.unique(block, return_inverse=True)
        if place.any():
            return _half_of_blocks(y, place, rng)
    order = rng.permutation(len(y))
    side = np.zeros(len(y), dtype=bool)
    # Numbers of 16 bits are sorted in linear time.
    side[order[np.argsort(y[order].astype(np.int16), kind="stable")][::2]] = True
    return side


def _half_of_blocks(y: Array, place: Array, rng: np.random.Generator) -> Array:
    """Blocks alike are paired, by the class that is overrepresented in them and by size; of each pair one is drawn.

    Args:
        y: (n,) class codes. place: (n,) number of each row's block, from 0 to B - 1.
    """
    b, k = int(place.max()) + 1, int(y.max()) + 1
    counts = np.bincount(place * k + y, minlength=b * k).reshape(b, k)
    sizes = counts.sum(axis=1)
    kind = (counts / np.maximum(counts.sum(axis=0), 1) / sizes[:, None]).argmax(axis=1)
    order = np.lexsort((rng.random(b), -sizes, kind))
    drawn = np.zeros(b, dtype=bool)
    first = rng.random((b + 1) // 2) < 0.5
    drawn[order[0::2]] = first
    drawn[order[1::2]] = ~first[: b // 2]
    return np.asarray(drawn[place])
