"""Where a learning curve will end: a mixture of simple curves, weighed by how well each explains what was seen.

A curve y at progress t is modelled as ``y(t) = c + a s(t) + noise`` with a shape s that is 0 at t = 1, so that c is
the loss at the end. Shapes are power laws and exponentials (as in Domhan et al., IJCAI 2015) and the curves of trials
that came to their end (Chandrashekaran & Lane, ECML 2017): these know how a family's curves go on, for example that a
network gains most when its rate is annealed. c and a have normal priors, so that each shape and noise level gives a
normal prediction of c and a marginal likelihood in closed form (Bishop 2006, sections 3.3 and 3.5), without sampling.
The same prediction made for the curves whose end is known shows how far off such predictions are; the mixture is
moved and widened by that.

Notation: n known curves, m grid points, S shapes, V noise levels, B = S * V components.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autodl.search.curves import Curve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

GRID = 12
"""Points at which a curve is read, evenly spaced up to the present."""
BEGIN = 0.15
"""Share of the progress so far that is left out: the first steps say little of the last ones."""
INFORMATION = 6.0
"""Independent observations that the grid points count as: neighbours on a curve are alike."""
NOISE = (0.02, 0.05, 0.12, 0.3)
"""Noise levels in units of the spread of the known curves."""
KNOWN_SD = 0.7
"""Standard deviation of the factor by which a known curve's way to its end is taken; its mean is 1."""
POWERS, RATES = (0.3, 0.7, 1.5), (1.5, 4.0, 10.0)
MAX_KNOWN = 24
"""Known curves that are used: the best half and the latest half."""
LEAST_KIND = 0.03
"""A kind of shapes that predicted the known ends badly still has about this share."""
PRIOR_ERRORS = 4.0
"""How many errors as large as predicted the correction begins with."""


@dataclass(frozen=True)
class Forecast:
    """A distribution of the loss at the end of training.

    Attributes:
        means: (B,) components. sds: (B,) their standard deviations. weights: (B,) adding up to 1.
        freedom: Degrees of freedom of each component's t distribution.
    """

    means: Array
    sds: Array
    weights: Array
    freedom: float

    @property
    def mean(self) -> float:
        """The expected loss at the end."""
        return float(self.weights @ self.means)

    def below(self, loss: float, error: float = 0.0) -> float:
        """The probability that the loss at the end is lower than this, which is known up to a standard error."""
        from scipy.special import stdtr

        return float(self.weights @ stdtr(self.freedom, (loss - self.means) / np.hypot(self.sds, error)))


def forecast(curve: Curve, known: Sequence[Curve], now: float) -> Forecast | None:
    """Predict the loss of a curve at progress 1 from what it did up to ``now``.

    Args:
        curve: The curve; nothing after ``now`` is looked at.
        known: Curves that came to their end, of the same measure.
        now: Progress, above 0 and below 1.

    Returns:
        The distribution, or None if fewer than two known curves, or not this one, have a value early enough.
    """
    start = max(BEGIN * now, curve.points[0][0] if curve.points else 1.0)
    if start >= now:
        return None
    grid = np.linspace(start, now, GRID)
    mine = _read(curve, grid)
    read = [(_read(k, grid), k.best) for k in _chosen(known)]
    values = [(y, end) for y, end in read if y is not None]
    if mine is None or len(values) < 2:
        return None
    paths = np.array([y for y, _ in values])  # (n, m)
    ends = np.array([end for _, end in values])  # (n,)
    center = float(np.median(ends))
    # What is left to gain and how trials differ; both may be 0 where all is said.
    spread = float(np.sqrt(np.median(np.abs(ends - center)) ** 2 + np.median(paths[:, -1] - ends) ** 2))
    spread = max(spread, 1e-3 * abs(center), 1e-12)
    y = (np.vstack([paths, mine]) - center) / spread  # (n + 1, m)
    c = (ends - center) / spread
    means, sds, weights = _components(y, c, grid)
    error, widening = _correction(means[:-1], sds[:-1], weights[:-1], c)
    sd = _total_sd(means[-1], sds[-1], weights[-1])
    # A shared shift and a wider spread around the mixture's own mean keep its form.
    middle = float(weights[-1] @ means[-1])
    moved = middle + error * sd + (means[-1] - middle)
    return Forecast(
        center + spread * moved, spread * sds[-1] * widening, weights[-1], freedom=float(len(ends)) + PRIOR_ERRORS
    )


def _chosen(known: Sequence[Curve]) -> list[Curve]:
    ended = [k for k in known if k.ended]
    if len(ended) <= MAX_KNOWN:
        return ended
    best = sorted(range(len(ended)), key=lambda i: ended[i].best)[: MAX_KNOWN // 2]
    late = [i for i in range(len(ended)) if i not in best][-MAX_KNOWN // 2 :]
    return [ended[i] for i in sorted([*best, *late])]


def _read(curve: Curve, grid: Array) -> Array | None:
    values = [curve.at(float(t)) for t in grid]
    # A first point that came a little later than the grid's is as good.
    first = next((v for v in values if v is not None), None)
    if first is None or values[-1] is None or values[GRID // 2] is None:
        return None
    return np.array([first if v is None else v for v in values])


def _components(y: Array, c: Array, grid: Array) -> tuple[Array, Array, Array]:
    """Predictions of the end of every curve by every shape and noise level, (n + 1, B) each; see the module.

    Args:
        y: (n + 1, m) normalized curves, the last one without a known end. c: (n,) normalized ends.
        grid: (m,) progress.
    """
    n, m = len(c), len(grid)
    fixed = [grid**-p - 1.0 for p in POWERS] + [np.exp(-r * grid) - np.exp(-r) for r in RATES]
    fixed = [s / max(s[0] - s[-1], 1e-12) for s in fixed]  # each falls by 1 over what was seen
    shapes = np.vstack([*fixed, y[:n] - c[:, None]])  # (S, m)
    f = len(fixed)
    # Priors of c, centred at the usual end, and of a: as far as the curve fell, or as the known curve did.
    fall = np.maximum(y[:, 0] - y[:, -1], 0.0)  # (n + 1,)
    slope = np.ones((n + 1, f + n))
    slope[:, :f] = fall[:, None]
    slope_sd = np.full((n + 1, f + n, 1), KNOWN_SD)
    slope_sd[:, :f, 0] = 0.3 + 0.5 * fall[:, None]
    end_sd = 3.0 + np.abs(y[:, -1])[:, None, None]
    w = np.linspace(0.3, 1.0, m)
    w *= INFORMATION / w.sum()
    noise = np.array(NOISE) ** 2
    # Against the prior mean of a: r = c + (a - slope) * shape + noise.
    r = y[:, None, :] - slope[:, :, None] * shapes  # (n + 1, S, m)
    s12, s22 = ((w * shapes).sum(axis=1)[:, None], (w * shapes**2).sum(axis=1)[:, None])  # (S, 1)
    h1, h2 = (w * r).sum(axis=2)[..., None] / noise, (w * shapes * r).sum(axis=2)[..., None] / noise  # (n + 1, S, V)
    rr = (w * r**2).sum(axis=2)[..., None] / noise
    # Posterior precision [[p11, p12], [p12, p22]] of (c, a - slope).
    p11, p12, p22 = w.sum() / noise + 1 / end_sd**2, s12 / noise, s22 / noise + 1 / slope_sd**2
    det = p11 * p22 - p12**2
    mean, second = (p22 * h1 - p12 * h2) / det, (p11 * h2 - p12 * h1) / det
    variance = p22 / det + noise
    evidence = 0.5 * (h1 * mean + h2 * second - rr - np.log(det) - INFORMATION * np.log(noise))
    evidence -= np.log(end_sd * slope_sd)
    evidence[np.arange(n), f + np.arange(n)] = -np.inf  # a known curve does not predict itself
    kinds = np.repeat([0] * len(POWERS) + [1] * len(RATES) + [2] * n, len(NOISE))  # (B,)
    means, sds = mean.reshape(n + 1, -1), np.sqrt(variance).reshape(n + 1, -1)
    return means, sds, _weights(evidence.reshape(n + 1, -1), kinds, means[:-1], sds[:-1], c)


def _weights(evidence: Array, kinds: NDArray[np.int_], means: Array, sds: Array, c: Array) -> Array:
    """Weights of the components, (n + 1, B): within a kind of shape by evidence, between kinds by the known ends.

    What fits the beginning equally well may go on differently: only ends tell whether, say, power laws hold here.

    Args:
        evidence: (n + 1, B) log marginal likelihoods. kinds: (B,) numbers of the kinds.
        means: (n, B) predictions of the known ends. sds: (n, B) their standard deviations. c: (n,) the known ends.
    """
    weights = np.zeros_like(evidence)
    density = np.exp(-0.5 * np.clip((c[:, None] - means) / sds, -8.0, 8.0) ** 2) / sds
    merit = []
    for kind in range(3):
        own = kinds == kind
        part = np.exp(evidence[:, own] - evidence[:, own].max(axis=1, keepdims=True))
        weights[:, own] = part / part.sum(axis=1, keepdims=True)
        merit.append(float(np.log((weights[:-1, own] * density[:, own]).sum(axis=1)).sum()))
    share = np.exp(np.array(merit) - max(merit)) + LEAST_KIND
    return np.asarray(weights * (share / share.sum())[kinds])


def _total_sd(means: Array, sds: Array, weights: Array) -> Array:
    """Standard deviation of mixtures, (...) from (..., B)."""
    middle = (weights * means).sum(axis=-1, keepdims=True)
    spread: Array = np.sqrt((weights * (sds**2 + (means - middle) ** 2)).sum(axis=-1))
    return spread


def _correction(means: Array, sds: Array, weights: Array, ends: Array) -> tuple[float, float]:
    """The usual error of the known curves' predictions and how much wider it was than they said, in their own sds."""
    z = (ends - (weights * means).sum(axis=1)) / _total_sd(means, sds, weights)
    n = len(z)
    error = float(z.sum() / (n + PRIOR_ERRORS))
    around = float((((z - error) ** 2).sum() + PRIOR_ERRORS) / (n + PRIOR_ERRORS))
    return error, max(1.0, around**0.5)
