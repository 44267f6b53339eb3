"""The last mile of the search for a candidate: along the gradient of the expected improvement.

Random changes find the right region and the right choices; in ten and more dimensions they do not find its top.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_ndtr

from autodl.search.encoding import Encoding
from autodl.search.surrogate.acquisition import log_expected_improvement
from autodl.search.surrogate.gp import GaussianProcess
from autodl.search.surrogate.warping import clipped

Matrix = NDArray[np.float64]

STEPS = 15
"""Iterations at most."""
MANY = 8
"""Numbers from which on it is done: among fewer, random changes come as high, and their spread explores."""


def climbed(gp: GaussianProcess, encoding: Encoding, row: Matrix, best: float, time: float | None = None) -> Matrix:
    """The top of the hill of log expected improvement on which a row stands; its choices stay as they are.

    Args:
        gp: The model.
        encoding: The space.
        row: (d,) a valid row.
        best: The lowest value so far, on the scale of the model.
        time: Place of the fidelity that the improvement is about; None without fidelities.

    Returns:
        (d,) a valid row.
    """
    free = np.flatnonzero(encoding.exists(row[None])[0] & ~encoding.categorical & (encoding.levels != 1))
    if not len(free):
        return row

    def loss(v: Matrix) -> tuple[float, Matrix]:
        at = row.copy()
        at[free] = v
        mean, sd, mean_slope, sd_slope = gp.slopes(at, time)
        value = log_expected_improvement(np.array([mean]), np.array([sd]), best)[0]
        z = (best - mean) / sd
        # EI = sd h(z) has the derivatives -Φ(z) by the mean and φ(z) by the sd; taken as logarithms, as both vanish.
        by_mean = -np.exp(log_ndtr(z) - value)
        by_sd = np.exp(-0.5 * z * z - 0.5 * np.log(2 * np.pi) - value)
        return -float(value), -(by_mean * mean_slope + by_sd * sd_slope)[free]

    found = minimize(
        loss, row[free], jac=True, method="L-BFGS-B", bounds=[(0.0, 1.0)] * len(free), options={"maxiter": STEPS}
    )
    top = row.copy()
    top[free] = found.x
    out: Matrix = encoding.snap(top[None])[0]
    return out


def worthwhile(encoding: Encoding, warp: Callable[[Matrix], Matrix]) -> bool:
    """Whether to climb: in a space of many numbers, on the scale of losses that keeps them smooth."""
    return warp is clipped and int((~encoding.categorical & (encoding.levels != 1)).sum()) >= MANY
