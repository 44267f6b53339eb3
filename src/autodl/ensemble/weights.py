"""Best weights of a combination, held towards given ones: a meta-learner of m parameters.

Notation: m candidates, n rows, K classes, v (m,) weights on the simplex, v0 (m,) those that they are held towards,
kappa the strength of the pull in rows. Squared errors: a quadratic program (Breiman 1996, "Stacked regressions";
Hastie, Tibshirani and Friedman 2009, eq. 8.58). Log loss of the mean: expectation maximization for the weights of a
mixture with a Dirichlet prior (stacking of predictive distributions, Yao, Vehtari, Simpson and Gelman 2018). Log loss
of the logarithmic pool: logistic regression on log-probabilities with weights that are not negative.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodl.clock import NEVER, Deadline
from autodl.ensemble.greedy import without_crumbs
from autodl.ensemble.pool import Pool, wide
from autodl.ensemble.pooling import log_probabilities

Array = NDArray[Any]
KAPPA, LOG_KAPPA = 50.0, 10.0
EM_STEPS = 200
FLOOR = 1e-6
"""Least probability of the true class in a mixture's likelihood."""


def mean_weights(pool: Pool, towards: Array, *, kappa: float = KAPPA, deadline: Deadline = NEVER) -> Array:
    """(m,) weights of the mean with the least squared error or log loss on these rows.

    Args:
        pool: Candidates. towards: (m,) weights on the simplex that the result is held towards.
        kappa: Strength of the pull, in rows. deadline: The iterations stop there.
    """
    if pool.n_classes:
        return without_crumbs(_mixture(pool, towards, kappa, deadline))
    return without_crumbs(_least_squares(pool, towards, kappa))


def log_weights(pool: Pool, towards: Array, *, kappa: float = LOG_KAPPA, deadline: Deadline = NEVER) -> Array:
    """(m,) weights, on the simplex, of the logarithmic pool with the least log loss on these rows.

    Their sum before they are brought to the simplex is the pool's temperature, which the calibration finds again.

    Args:
        pool: Candidates for classification. towards, kappa, deadline: As for ``mean_weights``.
    """
    from scipy.optimize import minimize

    m, n = len(pool.ids), len(pool.y)
    # (m, n, K - 1) log-odds against the first class: binary problems are a plain logistic regression.
    z = log_probabilities(pool.predictions.astype(np.float64))
    z = z[:, :, 1:] - z[:, :, :1]
    own = _own(z, pool.y)
    share = _share(pool)

    def loss(v: Array) -> tuple[float, Array]:
        if deadline.passed():
            raise _OutOfTimeError
        scores = np.tensordot(v, z, axes=1)
        top = np.maximum(scores.max(axis=1), 0.0)
        e = np.exp(scores - top[:, None])
        total = e.sum(axis=1) + np.exp(-top)
        value = float(share @ (top + np.log(total))) - float(v @ (own @ share))
        slope = np.einsum("mnk,nk->m", z, share[:, None] * (e / total[:, None])) - own @ share
        gap = v - towards
        return value + 0.5 * kappa / n * m * float(gap @ gap), slope + kappa / n * m * gap

    try:
        found = minimize(
            loss, towards, jac=True, method="L-BFGS-B", bounds=[(0.0, None)] * m, options={"maxiter": 100}
        ).x
    except _OutOfTimeError:
        return towards
    return without_crumbs(found) if found.sum() > 0 else towards


class _OutOfTimeError(Exception):
    """Leaves an optimizer of another library."""


def _own(z: Array, y: Array) -> Array:
    """(m, n) log-odds of the true class; 0 for the first class."""
    codes = y.astype(np.int64)
    picked = z[:, np.arange(len(y)), np.maximum(codes - 1, 0)]
    return np.where(codes > 0, picked, 0.0)


def _share(pool: Pool) -> Array:
    """(n,) weights of the rows that sum to 1."""
    n = len(pool.y)
    return np.full(n, 1 / n) if pool.weight is None else pool.weight / pool.weight.sum()


def _mixture(pool: Pool, towards: Array, kappa: float, deadline: Deadline) -> Array:
    """Expectation maximization with the prior ``Dirichlet(1 + kappa v0)``."""
    p = np.maximum(pool.predictions[:, np.arange(len(pool.y)), pool.y.astype(np.int64)].astype(np.float64), FLOOR)
    n, share = len(pool.y), _share(pool)
    v = (towards + 1 / len(towards)) / 2
    for _ in range(EM_STEPS):
        mixed = v @ p
        new = (n * v * (p @ (share / mixed)) + kappa * towards) / (n + kappa)
        done = np.abs(new - v).max() < 1e-5
        v = new
        if done or deadline.passed():
            break
    return v


def _least_squares(pool: Pool, towards: Array, kappa: float) -> Array:
    """``min v' C v + (kappa / n) s ||v - v0||^2`` on the simplex, C the (m, m) mean products of the errors.

    s is the mean squared error of the best model, so that kappa counts rows whatever the unit of the target. Solved
    as non-negative least squares with a heavy row for the sum (Lawson and Hanson 1974, ch. 23).
    """
    from scipy.optimize import nnls

    m, n = len(pool.ids), len(pool.y)
    errors = wide(pool.predictions) - pool.y
    C = (errors * _share(pool)) @ errors.T
    scale = float(np.diag(C).min())
    if not scale > 0:
        return towards
    ridge = kappa / n
    L = np.linalg.cholesky(C / scale + 1e-9 * np.trace(C) / scale / m * np.eye(m))
    heavy = 1e3
    A = np.vstack([L.T, np.sqrt(ridge) * np.eye(m), np.full((1, m), heavy)])
    b = np.concatenate([np.zeros(m), np.sqrt(ridge) * towards, [heavy]])
    found = nnls(A, b, maxiter=50 * m)[0]
    return np.asarray(found / found.sum())
