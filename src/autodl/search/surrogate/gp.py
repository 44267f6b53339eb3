"""Gaussian process over encoded configurations.

Notation: X (n, d) rows of an ``Encoding``; y (n,) standardised losses; D (d, n, n) squared distances by parameter,
where two values of a choice are 0 or 1 apart.

    k(x, x') = s M(r) + a m(x, x') + noise,    r^2 = sum_j D_j / l_j^2,    M(r) = (1 + √5 r + 5/3 r^2) exp(-√5 r)

m is the share of choices on which two rows agree: a linear model beside the Matérn kernel, from which a space of many
choices is learnt from few rows (the sum and product of CoCaBO, Ru et al., ICML 2020). The hyperparameters are the
maximum of the posterior under log-normal priors whose length scale grows with √d (Hvarfner et al., ICML 2024).

With fidelities, t (n,) are their places in [0, 1] (1 is full) and κ = exp(-(t - t')² / 2 l_t²):

    k((x, t), (x', t')) = (s M + a m) (1 - w + w κ) + b κ + noise

so that a share 1 - w of what distinguishes configurations is common to all fidelities, and b is the common curve.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, lapack, solve_triangular
from scipy.optimize import minimize

Matrix = NDArray[np.float64]

JITTER = 1e-8
_LENGTH_MEAN, _LENGTH_SD = math.log(0.4), 1.0
_NOISE_MEAN, _NOISE_SD = math.log(1e-3), 2.0
_SCALE_SD = 1.0
_LINEAR_MEAN, _LINEAR_SD = math.log(0.5), 1.5
_MIX_MEAN, _MIX_SD = -1.0, 1.5
_TREND_MEAN, _TREND_SD = 0.0, 1.5
_TIME_MEAN, _TIME_SD = math.log(0.5), 0.7


@dataclass(frozen=True)
class Hyper:
    """Hyperparameters, all as logarithms but ``mix``.

    Attributes:
        lengths: (d,) length scales.
        scale: s, the variance of the Matérn part.
        noise: Variance of the noise.
        linear: a, the variance of the linear part over choices.
        mix: Log-odds of w, the share that changes with the fidelity.
        trend: b, the variance of the curve common to all.
        time: l_t, the length scale of the fidelity.
    """

    lengths: Matrix
    scale: float = 0.0
    noise: float = _NOISE_MEAN
    linear: float = _LINEAR_MEAN
    mix: float = _MIX_MEAN
    trend: float = _TREND_MEAN
    time: float = _TIME_MEAN

    def vector(self) -> Matrix:
        """(d + 6,) all of them in one."""
        rest = [self.scale, self.noise, self.linear, self.mix, self.trend, self.time]
        return np.concatenate([self.lengths, rest])

    @classmethod
    def of(cls, v: Matrix) -> Hyper:
        """From one vector."""
        return cls(v[:-6], *(float(x) for x in v[-6:]))

    @classmethod
    def prior(cls, d: int) -> Hyper:
        """The middle of the priors."""
        return cls(np.full(d, _LENGTH_MEAN + 0.5 * math.log(d)))

    @property
    def share(self) -> float:
        """w."""
        return 1.0 / (1.0 + math.exp(-self.mix))


def matern(r2: Matrix) -> Matrix:
    """Matérn 5/2 of squared distances."""
    r = np.sqrt(5.0 * r2)
    return (1.0 + r + r * r / 3.0) * np.exp(-r)  # type: ignore[no-any-return]


def fit(X: Matrix, y: Matrix, categorical: NDArray[np.bool_], times: Matrix | None = None, steps: int = 40) -> Hyper:
    """The most probable hyperparameters.

    Args:
        X: (n, d) rows.
        y: (n,) standardised losses.
        categorical: (d,) which columns hold codes.
        times: (n,) places of the fidelities, or None.
        steps: Iterations at most.
    """
    n, d = X.shape
    gaps = X.T[:, :, None] - X.T[:, None, :]
    D = np.where(categorical[:, None, None], (gaps != 0).astype(float), gaps**2)
    share = 1.0 - D[categorical].mean(axis=0) if categorical.any() else None
    flat, diagonal = D.reshape(d, -1), np.diag_indices(n)
    apart = None if times is None else (times[:, None] - times[None, :]) ** 2
    middle = Hyper.prior(d).vector()
    spread = np.array([_LENGTH_SD] * d + [_SCALE_SD, _NOISE_SD, _LINEAR_SD, _MIX_SD, _TREND_SD, _TIME_SD])

    def loss(v: Matrix) -> tuple[float, Matrix]:
        h = Hyper.of(v)
        inverse, s, noise, a = np.exp(-2 * h.lengths), math.exp(h.scale), math.exp(h.noise), math.exp(h.linear)
        r = np.sqrt(5.0 * (inverse @ flat).reshape(n, n))
        e = np.exp(-r)
        M = (1.0 + r + r * r / 3.0) * e
        B = s * M if share is None else s * M + a * share
        w, b, lt2 = h.share, math.exp(h.trend), math.exp(2 * h.time)
        kappa = None if apart is None else np.exp(-0.5 / lt2 * apart)
        T = 1.0 if kappa is None else 1.0 - w + w * kappa
        K = B * T if kappa is None else B * T + b * kappa
        K[diagonal] += noise + JITTER
        z = (v - middle) / spread
        L, info = lapack.dpotrf(K, lower=1, clean=1)
        if info:
            return 1e10, z
        alpha = cho_solve((L, True), y)
        inv, _ = lapack.dpotri(L, lower=1)
        inv = inv + np.tril(inv, -1).T
        value = 0.5 * float(y @ alpha) + float(np.log(np.diag(L)).sum()) + 0.5 * float(z @ z)
        W = np.outer(alpha, alpha) - inv  # the derivative by a parameter p is -1/2 sum(W * dK/dp)
        WT = W * T
        slope = np.zeros_like(v)
        # dM/dlog l_j = 5/3 (1 + √5 r) exp(-√5 r) D_j / l_j^2
        slope[:d] = inverse * (flat @ (WT * (s * 5.0 / 3.0) * (1.0 + r) * e).ravel())
        slope[d] = s * float((WT * M).sum())
        slope[d + 1] = noise * float(np.trace(W))
        if share is not None:
            slope[d + 2] = a * float((WT * share).sum())
        if kappa is not None:
            slope[d + 3] = w * (1.0 - w) * float((W * B * (kappa - 1.0)).sum())
            slope[d + 4] = b * float((W * kappa).sum())
            slope[d + 5] = float((W * (w * B + b) * kappa * apart).sum()) / lt2
        return value, -0.5 * slope + z / spread

    bounds = [(-4.0, 5.0)] * d + [
        (-6.0, 5.0),
        (math.log(1e-6), 0.0),
        (-8.0, 4.0),
        (-6.0, 4.0),
        (-6.0, 4.0),
        (-3.0, 2.0),
    ]
    best = minimize(loss, middle, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": steps})
    return Hyper.of(np.asarray(best.x, dtype=float))


class GaussianProcess:
    """The posterior under given hyperparameters.

    Args:
        X: (n, d) rows.
        y: (n,) values.
        categorical: (d,) which columns are codes.
        hyper: Hyperparameters.
        times: (n,) places of the fidelities, or None.
    """

    def __init__(
        self, X: Matrix, y: Matrix, categorical: NDArray[np.bool_], hyper: Hyper, times: Matrix | None = None
    ) -> None:
        self.X, self.y, self.categorical, self.hyper, self.times = X, y, categorical, hyper, times
        self._scaled = self._scale(X)
        self._codes = np.flatnonzero(categorical)
        # Codes begin at -1 (absent); one place more is for codes that X lacks, which agree with nothing.
        self._places = X[:, self._codes].max(axis=0).astype(int) + 3
        self._starts = np.concatenate([[0], np.cumsum(self._places)[:-1]]).astype(int)
        self._hot = self._one_hot(X)
        self._hot_weight = np.repeat(np.exp(-2.0 * hyper.lengths[self._codes]), self._places)
        K = self._kernel(X, times)
        K[np.diag_indices(len(X))] += math.exp(hyper.noise) + JITTER
        self._L = np.linalg.cholesky(K)
        self._alpha = cho_solve((self._L, True), y)
        self._prior = math.exp(hyper.scale) + (math.exp(hyper.linear) if categorical.any() else 0.0)
        self._prior += 0.0 if times is None else math.exp(hyper.trend)

    def predict(self, Z: Matrix, times: Matrix | None = None) -> tuple[Matrix, Matrix]:
        """Mean and standard deviation of the loss without noise at (m, d) rows; each (m,)."""
        K = self._kernel(Z, times)
        v = solve_triangular(self._L, K.T, lower=True, check_finite=False)
        return K @ self._alpha, np.sqrt(np.maximum(self._prior - (v * v).sum(axis=0), 1e-12))

    def slopes(self, row: Matrix, time: float | None = None) -> tuple[float, float, Matrix, Matrix]:
        """Mean and standard deviation at one row, and their derivatives by its columns (0 for choices).

        Args:
            row: (d,) where.
            time: The place of its fidelity, or None.

        Returns:
            Mean, standard deviation, (d,) and (d,) derivatives.
        """
        h = self.hyper
        differs = (self.X[:, self._codes] != row[self._codes]).astype(float)
        gaps = (row[~self.categorical] - self.X[:, ~self.categorical]) / np.exp(h.lengths[~self.categorical])
        r = np.sqrt(5.0 * ((gaps * gaps).sum(axis=1) + differs @ np.exp(-2.0 * h.lengths[self._codes])))
        e = math.exp(h.scale) * np.exp(-r)
        k = (1.0 + r + r * r / 3.0) * e
        if len(self._codes):
            k += math.exp(h.linear) * (1.0 - differs.mean(axis=1))
        # dk/dx_j = -5/3 s (1 + √5 r) exp(-√5 r) (x_j - x'_j) / l_j^2
        by_row = (-5.0 / 3.0 * (1.0 + r) * e)[:, None] * gaps / np.exp(h.lengths[~self.categorical])
        if self.times is not None and time is not None:
            kappa = np.exp(-0.5 * math.exp(-2.0 * h.time) * (time - self.times) ** 2)
            share = 1.0 - h.share + h.share * kappa
            k, by_row = k * share + math.exp(h.trend) * kappa, by_row * share[:, None]
        solved = cho_solve((self._L, True), k, check_finite=False)
        sd = math.sqrt(max(self._prior - float(k @ solved), 1e-12))
        mean_slope, sd_slope = np.zeros(len(row)), np.zeros(len(row))
        mean_slope[~self.categorical] = self._alpha @ by_row
        sd_slope[~self.categorical] = -(solved @ by_row) / sd
        return float(k @ self._alpha), sd, mean_slope, sd_slope

    def _scale(self, X: Matrix) -> Matrix:
        return np.asarray(X[:, ~self.categorical] / np.exp(self.hyper.lengths[~self.categorical]))

    def _one_hot(self, X: Matrix) -> Matrix:
        """(n, places) rows whose products count the choices on which two configurations agree."""
        places = np.minimum(X[:, self._codes].astype(int) + 1, self._places - 1) + self._starts
        out = np.zeros((len(X), int(self._places.sum())))
        np.put_along_axis(out, places, 1.0, axis=1)
        return out

    def _kernel(self, Z: Matrix, times: Matrix | None) -> Matrix:
        """(m, n) covariance of rows with the rows of the posterior."""
        Zs = self._scale(Z)
        r2 = (Zs**2).sum(axis=1)[:, None] + (self._scaled**2).sum(axis=1)[None, :] - 2.0 * Zs @ self._scaled.T
        np.maximum(r2, 0.0, out=r2)
        if not len(self._codes):
            K = math.exp(self.hyper.scale) * matern(r2)
        else:
            hot = self._one_hot(Z)
            r2 += np.exp(-2.0 * self.hyper.lengths[self._codes]).sum() - (hot * self._hot_weight) @ self._hot.T
            np.maximum(r2, 0.0, out=r2)
            K = math.exp(self.hyper.scale) * matern(r2)
            K += math.exp(self.hyper.linear) / len(self._codes) * (hot @ self._hot.T)
        if self.times is None or times is None:
            return K
        kappa = np.exp(-0.5 * math.exp(-2.0 * self.hyper.time) * (times[:, None] - self.times[None, :]) ** 2)
        w = self.hyper.share
        return K * (1.0 - w + w * kappa) + math.exp(self.hyper.trend) * kappa
