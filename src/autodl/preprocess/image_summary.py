"""What colours an image has, and where. Notation: n images, S pixels a side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autodl.preprocess.image_grid import grid_means, reduced

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 64
"""Larger images are averaged down first: colours on a coarse grid need no more."""
GRID = 4
"""Parts a side for which mean and spread of each channel are taken."""
LEVELS = 4
"""Levels of each channel in the histogram of colours."""
SUMMARY_NAMES = (
    *(f"mean {c} {i + 1}/{j + 1}" for i in range(GRID) for j in range(GRID) for c in ("red", "green", "blue")),
    *(f"spread {c} {i + 1}/{j + 1}" for i in range(GRID) for j in range(GRID) for c in ("red", "green", "blue")),
    *(f"colour {r}{g}{b}" for r in range(LEVELS) for g in range(LEVELS) for b in range(LEVELS)),
)
"""Of the columns; behind a mean or spread row and column of the part, behind a colour the levels of its channels."""


def colour_summary(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(n, 160) means and spreads of the channels on a grid, and the histogram of colours; all between 0 and 1.

    Args:
        pixels: (n, S, S, 3).
    """
    n = len(pixels)
    unit = reduced(pixels, SIDE) / np.float32(255.0)
    means = grid_means(unit, GRID)
    spreads = np.sqrt(np.maximum(0.0, grid_means(unit**2, GRID) - means**2))
    levels = np.minimum((unit * LEVELS).astype(np.int64), LEVELS - 1)
    colours = (levels[..., 0] * LEVELS + levels[..., 1]) * LEVELS + levels[..., 2]
    cells = LEVELS**3
    counts = np.bincount((colours.reshape(n, -1) + cells * np.arange(n)[:, None]).ravel(), minlength=n * cells)
    shares = counts.reshape(n, cells) / max(1, colours[0].size if n else 1)
    return np.hstack([means.reshape(n, -1), spreads.reshape(n, -1), shares]).astype(np.float32)
