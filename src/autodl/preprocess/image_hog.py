"""Histograms of oriented gradients (Dalal & Triggs 2005, "Histograms of oriented gradients for human detection").

Notation: n images, S pixels a side, c cells a side, b orientations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.preprocess.image_grid import grid_means, reduced

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 64
"""Larger images are averaged down first: the histograms are of shapes, not of grain."""
ORIENTATIONS = 9
BLOCK = 2
"""Cells a side that are normalized together."""
BLANK = 1e-3
"""Keeps blocks without any gradient at zero; far below a step of one of the 255 levels."""
CLIP = 0.2
"""Largest share of one gradient in the norm of a block (Lowe's hysteresis)."""


def cells_of(side: int) -> int:
    """c: cells of about eight pixels, and no more than linear models on a few thousand images can use."""
    return 4 if min(side, SIDE) < 48 else 6


def hog_width(side: int) -> int:
    """Columns for images of S pixels a side: b times the four cells of each of the (c - 1)^2 blocks."""
    return int((cells_of(side) - BLOCK + 1) ** 2 * BLOCK**2 * ORIENTATIONS)


def gradients(images: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(n, S, S) size and unsigned direction in [0, pi) of the gradient of the channel where it is largest.

    Differences of the two neighbours, as the paper found best; at the edge the pixel itself is the missing neighbour.
    """
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    down = padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]
    right = padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]
    sizes = np.hypot(down, right)
    strongest = sizes.argmax(axis=3)[..., None]

    def chosen(values: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(np.take_along_axis(values, strongest, axis=3)[..., 0])

    return chosen(sizes), np.mod(np.arctan2(chosen(down), chosen(right)), np.float32(np.pi))


def cell_histograms(images: NDArray[np.float32], cells: int) -> NDArray[np.float32]:
    """(n, c, c, b) mean gradient of each direction in each cell.

    A gradient is shared by the two nearest of b directions; a pixel on the border of two cells by area.
    """
    size, direction = gradients(images)
    # Directions stand in the middle of their bin.
    place = direction * np.float32(ORIENTATIONS / np.pi) - np.float32(0.5)
    parts = []
    for k in range(ORIENTATIONS):
        # Directions go round: 179 degrees is next to 1 degree.
        distance = np.abs(np.mod(place - k + ORIENTATIONS / 2, ORIENTATIONS) - ORIENTATIONS / 2)
        parts.append(size * np.maximum(0.0, 1.0 - distance))
    return grid_means(np.stack(parts, axis=3), cells)


def oriented_gradients(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(n, ``hog_width(S)``) the histograms of overlapping blocks of cells, each of length 1, clipped, length 1 again.

    Args:
        pixels: (n, S, S, 3).
    """
    histograms = cell_histograms(reduced(pixels, SIDE), cells_of(pixels.shape[1]))
    last = histograms.shape[1] - BLOCK + 1
    blocks = np.concatenate(
        [histograms[:, i : i + last, j : j + last] for i in range(BLOCK) for j in range(BLOCK)], axis=3
    )
    blocks = np.minimum(_unit(blocks), CLIP)
    return np.ascontiguousarray(_unit(blocks).reshape(len(pixels), -1).astype(np.float32))


def _unit(blocks: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(blocks / np.sqrt((blocks**2).sum(axis=3, keepdims=True) + BLANK**2), np.float32)
