"""Images averaged over the parts of a grid. Notation: n images, S pixels a side, c parts a side, k channels."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@lru_cache(maxsize=64)
def area_weights(side: int, parts: int) -> NDArray[np.float32]:
    """(parts, side) share of each pixel in each of equally long parts of a line; rows sum to 1.

    >>> area_weights(4, 2).tolist()
    [[0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5]]
    """
    edges = np.linspace(0.0, side, parts + 1)
    pixels = np.arange(side)
    low = np.maximum(edges[:-1, None], pixels)
    high = np.minimum(edges[1:, None], pixels + 1)
    return np.asarray(np.maximum(0.0, high - low) * (parts / side), np.float32)


def grid_means(maps: NDArray[Any], parts: int) -> NDArray[np.float32]:
    """(n, c, c, k) means of (n, S, S, k) maps over the parts of a grid; pixels on a border count by area."""
    weights = area_weights(maps.shape[1], parts)
    rows = np.tensordot(np.asarray(maps, np.float32), weights, axes=([1], [1]))  # (n, S, k, c)
    return np.ascontiguousarray(np.tensordot(rows, weights, axes=([1], [1])).transpose(0, 2, 3, 1))


def reduced(pixels: NDArray[Any], most: int) -> NDArray[np.float32]:
    """(n, s, s, k) the images, those larger than ``most`` pixels a side averaged down to it."""
    if pixels.shape[1] <= most:
        return np.asarray(pixels, np.float32)
    return grid_means(pixels, most)
