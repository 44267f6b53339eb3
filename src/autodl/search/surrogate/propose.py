"""Where a model expects most: a local search over encoded configurations."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from autodl.search.encoding import Encoding

Matrix = NDArray[np.float64]

POOL = 300
"""Rows drawn at random to begin with."""
CLIMBERS = 6
"""Rows from which the search goes on."""
CHILDREN = 20
"""Changed copies of each in a round."""
TOPS = 2
"""Rows that climb at the end."""
SCALES = (0.2, 0.1, 0.05, 0.025, 0.0125, 0.006)
"""How far numbers move, round by round, as a share of their range."""


def best_candidate(
    encoding: Encoding,
    promise: Callable[[Matrix], Matrix],
    around: Matrix,
    taken: Matrix,
    rng: np.random.Generator,
    climb: Callable[[Matrix], Matrix] | None = None,
) -> Matrix | None:
    """The row that promises most.

    Args:
        encoding: The space.
        promise: (m, d) rows to (m,) values; higher is better.
        around: (k, d) rows to start from besides random ones: the best known.
        taken: (n, d) rows that must not be proposed again.
        rng: Randomness.
        climb: Moves a (d,) row to one nearby that promises more; for the last mile.

    Returns:
        (d,) a row, or None if none was found that is not taken.
    """
    seen = {row.tobytes() for row in taken}
    pool = [encoding.random(POOL, rng)]
    if len(around):
        pool.append(encoding.mutate(np.repeat(around, 2 * CHILDREN, axis=0), rng, SCALES[0]))
    X = _fresh(np.concatenate(pool), seen)
    if not len(X):
        return None
    values = promise(X)
    for scale in SCALES:
        order = np.argsort(-values, kind="stable")[:CLIMBERS]
        X, values = X[order], values[order]
        Z = _fresh(encoding.mutate(np.repeat(X, CHILDREN, axis=0), rng, scale, extra=0.3), seen)
        if len(Z):
            X, values = np.concatenate([X, Z]), np.concatenate([values, promise(Z)])
    if climb is not None:
        top = np.argsort(-values, kind="stable")[:TOPS]
        Z = _fresh(np.array([climb(row) for row in X[top]]), seen)
        if len(Z):
            X, values = np.concatenate([X, Z]), np.concatenate([values, promise(Z)])
    best: Matrix = X[int(values.argmax())]
    return best


def _fresh(X: Matrix, seen: set[bytes]) -> Matrix:
    """Rows without repeats and without those already taken."""
    kept = {row.tobytes(): i for i, row in enumerate(X) if row.tobytes() not in seen}
    return X[list(kept.values())]
