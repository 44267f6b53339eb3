"""Linear quantile regression by a smoothed pinball loss (He et al. 2023, "Smoothed quantile regression with
large-scale inference", J. Econometrics), which a quasi-Newton method minimizes also where a linear program would
take minutes. Notation: n rows, p columns, tau the level, h the bandwidth.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodl.clock import Deadline

_MOST_CROWDED = 10.0
"""A kernel much wider than the targets would make all quantiles far too distant."""


def crowding(matrix: Any, weight: NDArray[np.float64], penalty: float) -> float:
    """Coefficients for each row, as far as the penalty leaves them free.

    Without a penalty it is p / n (He et al. 2023). A penalty leaves fewer free, at most as many as if all directions
    of the columns were alike; they are held against the rows that are left beside them. On sparse columns, 10 to 75
    times as many as rows, a width by p / n made the level 0.9 cover 98 to 100 % of new rows, and one that does not
    depend on the penalty 60 % where it is weak.

    Args:
        matrix: (n, p) dense or CSR. weight: (n,) non-negative weights. penalty: As for ``fit_quantile``.
    """
    n, p = map(int, matrix.shape)
    rank = min(n, p)
    if isinstance(matrix, np.ndarray):
        lengths = np.einsum("ij,ij->i", matrix, matrix)
    else:
        lengths = np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel()
    squares = float(np.average(lengths, weights=weight))
    held = rank * penalty / (squares + rank * penalty)
    return min(p / n, rank * (1.0 - held) / max(1e-9, n - rank + rank * held), _MOST_CROWDED)


def bandwidth(n: int, crowded: float, level: float) -> float:
    """The bandwidth for targets of unit deviation: it vanishes with more rows, and with it the smoothing's bias.

    Args:
        n: Rows. crowded: See ``crowding``. level: tau.
    """
    ratio = crowded + math.log(max(n, 2)) / n
    return max(0.01, math.sqrt(level * (1 - level)) * math.pow(ratio, 0.4))


def fit_quantile(
    matrix: Any,
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    level: float,
    *,
    penalty: float,
    h: float,
    max_iter: int,
    deadline: Deadline,
    start: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """(p + 1,) coefficients and intercept that minimize the mean smoothed pinball loss plus ``penalty / 2 |b|^2``.

    Smoothed by a logistic kernel: with u = (y - x b - a) / h, the loss of a row is
    ``h (tau u + log(1 + exp(-u)))`` and its slope in the prediction is ``sigmoid(-u) - tau``.

    Args:
        matrix: (n, p) dense or CSR. y: (n,) targets of about unit deviation. weight: (n,) non-negative weights.
        level: tau.
        penalty: Of the squared coefficients; the intercept is free.
        h: See ``bandwidth``.
        max_iter: Steps at most.
        deadline: After it the best point so far is taken.
        start: Where to begin.
    """
    from scipy.optimize import minimize
    from scipy.special import expit

    share = weight / weight.sum()
    p = matrix.shape[1]

    def loss(b: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        u = (y - matrix @ b[:p] - b[p]) / h
        value = h * float(share @ (level * u + np.logaddexp(0.0, -u))) + 0.5 * penalty * float(b[:p] @ b[:p])
        slope = share * (expit(-u) - level)
        return value, np.append(np.asarray(matrix.T @ slope).ravel() + penalty * b[:p], slope.sum())

    def halt(point: NDArray[np.float64]) -> None:
        if deadline.passed():
            raise StopIteration

    if start is None:
        start = np.append(np.zeros(p), np.quantile(y, level))
    result: Any = minimize(loss, start, jac=True, method="L-BFGS-B", callback=halt, options={"maxiter": max_iter})
    return np.asarray(result.x, dtype=np.float64)
