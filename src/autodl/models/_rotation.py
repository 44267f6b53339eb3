"""Few rows of many columns, seen along the directions in which they lie: the same linear model in far fewer columns.

Under a penalty of squares, the weights of a linear model lie in the span of the rows, whatever the loss, and the
intercept has none. So a model of the coordinates in an orthonormal basis of that span is the model of all columns.
Source: Hastie & Tibshirani 2004, "Efficient quadratic regularization for expression arrays" (Biostatistics 5).

Notation: n rows, p columns, r directions, r <= n.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_ROWS = 2_000
"""With more rows the eigenvectors of their products take longer than they save."""
NOTHING = 1e-10
"""Directions whose share of the largest squared length is smaller are rounding errors."""


def rotated(matrix: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """(n, r) coordinates of the rows of (n, p), and the (r, p) directions; None where it would save nothing.

    >>> rows = np.random.default_rng(0).normal(size=(5, 200))
    >>> coordinates, directions = rotated(rows)
    >>> coordinates.shape, bool(np.allclose(coordinates @ directions, rows))
    ((5, 5), True)
    """
    if not isinstance(matrix, np.ndarray):
        return None
    n, p = matrix.shape
    if p < 2 * n or not 2 <= n <= MOST_ROWS:
        return None
    squares, vectors = np.linalg.eigh(matrix @ matrix.T)
    if squares[-1] <= 0:
        return None
    kept = squares > NOTHING * squares[-1]
    lengths = np.sqrt(squares[kept])
    basis = vectors[:, kept]
    return basis * lengths, (basis / lengths).T @ matrix
