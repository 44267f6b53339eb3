"""What series look like, in numbers that do not depend on other series: level, spread, trend, rhythm, shape.

Notation: n series, t steps of the longest, c channels, l steps of a series; x centred values, 0 behind the end.
"""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import TYPE_CHECKING

import numpy as np

from autodl.preprocess.series_values import SeriesValues

if TYPE_CHECKING:
    from numpy.typing import NDArray

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
LAGS = (1, 2, 4, 8, 16)
OCTAVES = 8
"""Bands of the spectrum, each half as fast as the one before: the first one holds periods of 2 to 4 steps."""
SEGMENTS = 8
PAIRED = 6
"""Up to so many channels each pair of them is correlated."""
EACH = (
    "mean", "deviation", "lowest", "highest", *(f"{q:.0%} quantile" for q in QUANTILES), "skewness", "tails",
    "first", "last", "slope", "mean change", "largest change", "crossings of the mean", "peaks",
    "place of the highest", "place of the lowest", *(f"autocorrelation {k}" for k in LAGS),
    *(f"share of periods {2 << k}-{4 << k}" for k in range(OCTAVES)), "longer periods", "evenness of the spectrum",
    *(f"mean of part {k + 1}" for k in range(SEGMENTS)),
)  # fmt: skip
"""Of each channel."""


def summary_names(channels: int) -> tuple[str, ...]:
    """Names of the columns of ``summarize``."""
    heads = [""] if channels == 1 else [f"channel {k + 1} " for k in range(channels)]
    pairs = combinations(range(channels), 2) if channels <= PAIRED else ()
    return (
        "steps",
        *(head + name for head in heads for name in EACH),
        *(f"correlation of channels {a + 1} and {b + 1}" for a, b in pairs),
    )


def summarize(series: SeriesValues, window: int) -> NDArray[np.float32]:
    """(n, k) numbers, NaN where there is no series; see ``summary_names``.

    Args:
        series: The series. window: Steps whose spectrum is looked at, from the beginning; a power of 2.
    """
    n, c = series.values.shape[1:]
    out = np.full((n, len(summary_names(c))), np.nan, np.float32)
    filled = np.flatnonzero(series.lengths)
    if not len(filled):
        return out
    lengths = series.lengths[filled]
    values = series.values[: int(lengths.max()), filled].astype(np.float64)
    inside = np.arange(len(values))[:, None] < lengths
    count = lengths.astype(np.float64)[:, None]
    mean = values.sum(axis=0) / count
    x = np.where(inside[..., None], values - mean, 0.0)
    variance = (x**2).sum(axis=0) / count
    # Of a series that does not change, rounding errors must not be taken for a shape.
    flat = variance <= (1e-6 * np.maximum(1e-30, np.abs(values).max(axis=0))) ** 2
    x = np.where(flat, 0.0, x)
    variance = np.where(flat, 0.0, variance)
    parts = [
        *_level(values, x, inside, lengths, mean, variance),
        *_course(values, x, inside, lengths, variance),
        *_rhythm(x, lengths, variance, window),
        *_segments(values, inside, lengths),
    ]
    each = np.stack(parts, axis=2).reshape(len(filled), -1)
    out[filled] = np.hstack([count, each, *_correlations(x, variance, count)])
    return out


def _share(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """a / b, 0 where b is."""
    return np.divide(a, b, out=np.zeros(np.broadcast(a, b).shape), where=b > 0)


def _level(
    values: NDArray[np.float64],
    x: NDArray[np.float64],
    inside: NDArray[np.bool_],
    lengths: NDArray[np.int64],
    mean: NDArray[np.float64],
    variance: NDArray[np.float64],
) -> list[NDArray[np.float64]]:
    """Moments and quantiles, (n, c) each."""
    count, spread = lengths[:, None], np.sqrt(variance)
    ordered = np.sort(np.where(inside[..., None], values, np.inf), axis=0)
    found = []
    for level in (0.0, 1.0, *QUANTILES):
        place = level * (lengths - 1)
        low = np.floor(place).astype(np.int64)
        high = np.minimum(low + 1, lengths - 1)
        part = (place - low)[:, None]
        below, above = (np.take_along_axis(ordered, k[None, :, None], axis=0)[0] for k in (low, high))
        found.append(below + part * (above - below))
    third, fourth = ((x**k).sum(axis=0) / count for k in (3, 4))
    return [mean, spread, *found, _share(third, spread**3), _share(fourth, spread**4)]


def _course(
    values: NDArray[np.float64],
    x: NDArray[np.float64],
    inside: NDArray[np.bool_],
    lengths: NDArray[np.int64],
    variance: NDArray[np.float64],
) -> list[NDArray[np.float64]]:
    """Where a series begins, ends, rises, turns; (n, c) each. Places are shares of the length."""
    count, last = lengths[:, None].astype(np.float64), lengths - 1
    begin, end = values[0], np.take_along_axis(values, last[None, :, None], axis=0)[0]
    time = np.where(inside, np.arange(len(values))[:, None] / np.maximum(last, 1) - 0.5, 0.0)
    slope = _share(np.einsum("tn,tnc->nc", time, x), (time**2).sum(axis=0)[:, None])
    steps = np.diff(values, axis=0)
    steps = np.where(inside[1:, :, None], np.abs(steps), 0.0)
    changes = np.maximum(last, 1)[:, None]
    crossed = ((x[1:] > 0) != (x[:-1] > 0)) & inside[1:, :, None]
    middle = values[1:-1]
    peaks = (middle > values[:-2]) & (middle >= values[2:]) & inside[2:, :, None]
    masked = np.where(inside[..., None], values, -np.inf)
    top = masked.argmax(axis=0)
    bottom = np.where(inside[..., None], values, np.inf).argmin(axis=0)
    still = variance == 0
    return [
        begin, end, slope, steps.sum(axis=0) / changes, steps.max(axis=0, initial=0.0), crossed.sum(axis=0) / changes,
        peaks.sum(axis=0) / count, np.where(still, 0.5, top / changes), np.where(still, 0.5, bottom / changes),
    ]  # fmt: skip


def _rhythm(
    x: NDArray[np.float64], lengths: NDArray[np.int64], variance: NDArray[np.float64], window: int
) -> list[NDArray[np.float64]]:
    """Autocorrelations, shares of the power in octaves of periods, and how evenly it is spread; (n, c) each."""
    power = variance * lengths[:, None]
    found = [_share((x[k:] * x[:-k]).sum(axis=0), power) if k < len(x) else np.zeros_like(power) for k in LAGS]
    # A fixed window, so that the numbers of a series do not depend on the longest one beside it.
    spectrum = np.abs(np.fft.rfft(x[:window], n=window, axis=0)[1:]) ** 2
    total = spectrum.sum(axis=0)
    bins = spectrum.shape[0]
    upper = bins
    for _ in range(OCTAVES):
        lower = upper // 2
        found.append(_share(spectrum[lower:upper].sum(axis=0), total))
        upper = lower
    found.append(_share(spectrum[:upper].sum(axis=0), total))
    shares = _share(spectrum, total[None])
    entropy = -(shares * np.log(np.where(shares > 0, shares, 1.0))).sum(axis=0)
    return [*found, entropy / np.log(max(bins, 2))]


def _segments(
    values: NDArray[np.float64], inside: NDArray[np.bool_], lengths: NDArray[np.int64]
) -> list[NDArray[np.float64]]:
    """Means of equal parts, (n, c) each; a step on the border counts for both by its shares."""
    sums = np.zeros((len(values) + 1, *values.shape[1:]))
    np.cumsum(np.where(inside[..., None], values, 0.0), axis=0, out=sums[1:])
    bounds = []
    for k in range(SEGMENTS + 1):
        place = k * lengths / SEGMENTS
        low = np.minimum(np.floor(place).astype(np.int64), lengths - 1)
        part = (place - low)[:, None]
        below, above = (np.take_along_axis(sums, j[None, :, None], axis=0)[0] for j in (low, low + 1))
        bounds.append(below + part * (above - below))
    width = (lengths / SEGMENTS)[:, None]
    return [(b - a) / width for a, b in pairwise(bounds)]


def _correlations(
    x: NDArray[np.float64], variance: NDArray[np.float64], count: NDArray[np.float64]
) -> list[NDArray[np.float64]]:
    """(n, 1) for each pair of few channels."""
    c = x.shape[2]
    if c > PAIRED:
        return []
    found = []
    for a, b in combinations(range(c), 2):
        both = np.sqrt(variance[:, a] * variance[:, b]) * count[:, 0]
        found.append(_share((x[:, :, a] * x[:, :, b]).sum(axis=0), both)[:, None])
    return found
