"""How much a configuration promises: the expected improvement, on a logarithmic scale."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfcx, log_ndtr

Matrix = NDArray[np.float64]


def log_expected_improvement(mean: Matrix, sd: Matrix, best: float) -> Matrix:
    """log E[max(best - f, 0)] for f ~ N(mean, sd^2), without underflow; (m,).

    Ament et al., Unexpected improvements to expected improvement, NeurIPS 2023, equation 9.
    """
    z = (best - mean) / sd
    out = np.empty_like(z)
    near = z > -1.0
    zn = z[near]
    out[near] = np.log(np.exp(-0.5 * zn**2) / np.sqrt(2 * np.pi) + zn * np.exp(log_ndtr(zn)))
    zf = z[~near]
    # φ(z) + zΦ(z) = φ(z) (1 - |z| erfcx(|z|/√2) √(π/2))
    rest = 1.0 + zf * erfcx(-zf / np.sqrt(2)) * np.sqrt(np.pi / 2)
    # For large |z| the bracket is 1/z^2 to leading order and would be lost to rounding.
    rest = np.where(zf < -1e4, zf**-2.0, np.maximum(rest, 1e-300))
    out[~near] = -0.5 * zf**2 - 0.5 * np.log(2 * np.pi) + np.log(rest)
    return np.asarray(out + np.log(sd))
