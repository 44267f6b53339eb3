"""Calibration of a combination: probabilities that come true as often as they say, numbers without a constant bias.

Notation: n rows, K classes, p (n, K) probabilities or x (n,) values, w (n,) weights of the rows. Sources: temperature
scaling, Guo et al. (2017); beta calibration, which contains Platt's sigmoid (a = b) and the identity (a = b = 1,
c = 0), Kull, Silva Filho and Flach (2017); isotonic regression, Zadrozny and Elkan (2002), which needs about a
thousand rows of either class (Niculescu-Mizil and Caruana 2005).
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from autodl.ensemble.quantile_shifts import shifted
from autodl.evaluate.base import Metric
from autodl.records import Calibration

Array = NDArray[Any]
Kind = Literal["linear", "beta", "temperature", "isotonic"]
EPS = 1e-6
"""Probabilities are moved this far away from 0 and 1 before logarithms, in proportion, so that none become equal."""
PRIOR_ROWS = 20.0
"""Strength of the pull towards leaving the predictions as they are, in rows."""
ISOTONIC_ROWS = 1_000
"""Rows that either class needs for isotonic regression."""
MAX_KNOTS = 200


def kinds_for(metric: Metric, y: Array, n_classes: int) -> tuple[Kind, ...]:
    """The kinds of calibration that can help by this metric and do no harm, simplest first.

    What is judged by the order of the rows or by the answers keeps them: a calibration then serves those who read
    the probabilities.

    Args:
        metric: To be optimized. y: (n,) targets. n_classes: K; 0 for regression.
    """
    if not n_classes:
        return ("linear",) if metric.key in ("rmse", "r2", "mae", "median_ae") else ()
    if metric.needs == "label":
        return ("temperature",)
    if n_classes > 2:
        return ("temperature",) if metric.rows is not None else ()
    if metric.rows is None:
        return ("beta",)
    enough = np.bincount(y.astype(np.int64), minlength=2).min() >= ISOTONIC_ROWS
    return ("beta", "isotonic") if enough else ("beta",)


def fit_calibration(
    kind: Kind, prediction: Array, y: Array, metric: Metric, weight: Array | None = None
) -> Calibration:
    """Learn a calibration on predictions for rows that the combination was not fitted on.

    Args:
        kind: Which. prediction: (n, K) or (n,). y: (n,) targets. metric: To be optimized.
        weight: (n,) weights of the rows; all alike if None.
    """
    w = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=np.float64)
    if kind == "linear":
        return _linear(np.asarray(prediction, dtype=np.float64), y, metric, w)
    if kind == "temperature":
        return _temperature(np.asarray(prediction, dtype=np.float64), y.astype(np.int64), w)
    p, positive = np.asarray(prediction[:, 1], dtype=np.float64), (y == 1).astype(np.float64)
    return _beta(p, positive, w) if kind == "beta" else _isotonic(p, positive, w)


def calibrated(calibration: Calibration, prediction: Array) -> Array:
    """Predictions after the calibration.

    Args:
        calibration: What was learnt.
        prediction: (n, K) probabilities, (n, Q) quantiles or (n,) values.
    """
    c, values = calibration.coefficients, np.asarray(prediction, dtype=np.float64)
    if calibration.kind == "quantiles":
        return shifted(calibration, values)
    if calibration.kind == "linear":
        moved = c[0] + c[1] * values
        return moved if calibration.minimum is None else np.maximum(moved, calibration.minimum)
    if calibration.kind == "temperature":
        z = c[0] * np.log(np.maximum(values, EPS))
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return np.asarray(e / e.sum(axis=1, keepdims=True))
    if calibration.kind == "beta":
        second = _beta_curve(values[:, 1], *c)
    else:
        second = np.interp(values[:, 1], calibration.x, calibration.y)
    return np.column_stack([1.0 - second, second])


def _linear(x: Array, y: Array, metric: Metric, w: Array) -> Calibration:
    """Least squares, a pull towards slope 1; for absolute errors the median shift alone."""
    floor = 0.0 if y.min() >= 0 else None
    if metric.key not in ("rmse", "r2"):
        return Calibration(kind="linear", coefficients=(_median(y - x, w), 1.0), minimum=floor)
    mean_x, mean_y = float(np.average(x, weights=w)), float(np.average(y, weights=w))
    spread = float(w @ (x - mean_x) ** 2)
    pull = PRIOR_ROWS / len(y) * spread
    slope = (float(w @ ((x - mean_x) * (y - mean_y))) + pull) / (spread + pull) if spread > 0 else 1.0
    return Calibration(kind="linear", coefficients=(mean_y - slope * mean_x, slope), minimum=floor)


def _median(values: Array, w: Array) -> float:
    order = np.argsort(values)
    total = np.cumsum(w[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])


def _temperature(p: Array, y: Array, w: Array) -> Calibration:
    from scipy.optimize import minimize_scalar

    z = np.log(np.maximum(p, EPS))
    rows = np.arange(len(y))

    def loss(log_power: float) -> float:
        scaled = np.exp(log_power) * z
        top = scaled.max(axis=1)
        total = top + np.log(np.exp(scaled - top[:, None]).sum(axis=1))
        return float(w @ (total - scaled[rows, y])) + 0.5 * PRIOR_ROWS * log_power**2

    best = minimize_scalar(loss, bounds=(-2.0, 2.0), method="bounded", options={"xatol": 1e-3}).x
    return Calibration(kind="temperature", coefficients=(float(np.exp(best)),))


def _beta_curve(p: Array, a: float, b: float, c: float) -> Array:
    from scipy.special import expit

    q = EPS + (1 - 2 * EPS) * p
    return np.asarray(expit(c + a * np.log(q) - b * np.log1p(-q)))


def _beta(p: Array, positive: Array, w: Array) -> Calibration:
    """Penalized maximum likelihood; a and b stay above 0, so that the order of the rows is kept."""
    from scipy.optimize import minimize

    q = EPS + (1 - 2 * EPS) * p
    X = np.column_stack([np.log(q), -np.log1p(-q), np.ones(len(q))])
    start = np.array([1.0, 1.0, 0.0])

    def loss(theta: Array) -> tuple[float, Array]:
        z = X @ theta
        gap = theta - start
        value = float(w @ (np.logaddexp(0.0, z) - positive * z)) + 0.5 * PRIOR_ROWS * float(gap @ gap)
        slope = X.T @ (w * (1.0 / (1.0 + np.exp(-z)) - positive)) + PRIOR_ROWS * gap
        return value, slope

    bounds = [(0.01, 10.0), (0.01, 10.0), (None, None)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 50})
    return Calibration(kind="beta", coefficients=tuple(float(v) for v in found.x))


def _isotonic(p: Array, positive: Array, w: Array) -> Calibration:
    from sklearn.isotonic import IsotonicRegression

    # Half a row of each answer at either end: no probability is ever 0 or 1.
    half = float(w.mean()) / 2
    x = np.concatenate([p, [p.min(), p.min(), p.max(), p.max()]])
    t = np.concatenate([positive, [0.0, 1.0, 0.0, 1.0]])
    fitted = IsotonicRegression(out_of_bounds="clip").fit(x, t, np.concatenate([w, np.full(4, half)]))
    knots, values = fitted.X_thresholds_, fitted.y_thresholds_
    if len(knots) > MAX_KNOTS:
        keep = np.unique(np.linspace(0, len(knots) - 1, MAX_KNOTS).astype(int))
        knots, values = knots[keep], values[keep]
    values = np.clip(values, EPS, 1 - EPS)
    return Calibration(kind="isotonic", x=tuple(map(float, knots)), y=tuple(map(float, values)))
