"""MiniRocket: shares of a series at which fixed convolutions exceed learnt thresholds.

Source: Dempster, Schmidt & Webb 2021, "MiniRocket: a very fast (almost) deterministic transform for time series
classification" (KDD, arXiv:2012.08791), with its variants for several channels and for unequal lengths.

Notation: n series, t steps, c channels, d dilation, m thresholds of one kernel at one dilation, k features.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from autodl.preprocess.series_values import SeriesValues

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

TAPS = 9
KERNELS = tuple(combinations(range(TAPS), 3))
"""The 84 kernels: the places of the three weights that are 2; the other six are -1."""
MOST_DILATIONS = 32
MOST_CHANNELS = 9
"""Channels that one kernel looks at, at most."""
BLOCK_CELLS = 1 << 15
"""Steps times series that are convolved at a time, so that the processor's cache holds them."""
_BYTE = 255


@dataclass(frozen=True)
class Dilation:
    """What is learnt for one dilation.

    Attributes:
        step: d, the distance between two taps.
        channels: For each kernel the channels that it looks at.
        thresholds: (84, m) float32.
    """

    step: int
    channels: tuple[tuple[int, ...], ...]
    thresholds: NDArray[np.float32]


class MiniRocket:
    """Learns dilations, channels and thresholds from training series.

    Args:
        features: k at most; the nearest multiple of 84 below it, at least 84.
        seed: For the series that thresholds are taken from, and the channels.
    """

    def __init__(self, features: int = 10_000, seed: int = 0) -> None:
        self.features, self.seed = features, seed
        self.dilations: tuple[Dilation, ...] = ()

    @property
    def n_features(self) -> int:
        """k, known after ``fit``."""
        return sum(d.thresholds.size for d in self.dilations)

    def fit(self, series: SeriesValues) -> MiniRocket:
        """Learn; at least one series must be there.

        The thresholds of a kernel are quantiles of its responses to one random series.
        """
        rng = np.random.default_rng(self.seed)
        filled = np.flatnonzero(series.lengths)
        # Half of the series reach the largest dilation with all taps.
        usual = int(np.median(series.lengths[filled]))
        steps, counts = dilations(max(usual, TAPS), self.features)
        c = series.values.shape[2]
        # Fractional parts of multiples of the golden ratio spread evenly, however many are taken.
        levels = (np.arange(1, len(KERNELS) * int(counts.sum()) + 1) * ((np.sqrt(5) + 1) / 2)) % 1
        found, used = [], 0
        for step, m in zip(steps.tolist(), counts.tolist(), strict=True):
            channels, thresholds = [], np.empty((len(KERNELS), m), np.float32)
            for kernel in range(len(KERNELS)):
                size = int(2 ** rng.uniform(0, np.log2(min(c, MOST_CHANNELS) + 1)))
                channels.append(tuple(int(i) for i in rng.choice(c, size, replace=False)))
                place = int(rng.choice(filled))
                length = int(series.lengths[place])
                one = _Padded(series.values[:length, place : place + 1], step)
                response = one.response(kernel, channels[-1])[:, 0]
                thresholds[kernel] = np.quantile(response, levels[used : used + m])
                used += m
            found.append(Dilation(step, tuple(channels), thresholds))
        self.dilations = tuple(found)
        return self

    def transform(self, series: SeriesValues) -> NDArray[np.float32]:
        """(n, k) shares between 0 and 1; 0 where there is no series."""
        n = len(series.lengths)
        out = np.zeros((n, self.n_features), np.float32)
        size = max(1, BLOCK_CELLS // max(1, len(series.values)))
        # Series of similar lengths together, so that little is computed behind their ends.
        order = np.argsort(series.lengths, kind="stable")
        for start in range(0, n, size):
            rows = order[start : start + size]
            lengths = series.lengths[rows]
            longest = int(lengths.max(initial=0))
            if longest:
                block = SeriesValues(series.values[:longest, rows], lengths)
                out[rows] = np.hstack([part.T for part in self._shares(block)])
        return out

    def _shares(self, block: SeriesValues) -> Iterator[NDArray[np.float32]]:
        """For each dilation and kernel (m, n) shares."""
        t, lengths = len(block.values), block.lengths
        for number, dilation in enumerate(self.dilations):
            padded = _Padded(block.values, dilation.step)
            # Every other kernel leaves out the steps at which a tap reaches beyond the series, where others are left.
            edge = (TAPS // 2) * dilation.step
            edges = np.where(lengths > 2 * edge, edge, 0)
            views = [_Valid.of(t, np.zeros_like(lengths), lengths), _Valid.of(t, edges, lengths - edges)]
            for kernel, (channels, thresholds) in enumerate(zip(dilation.channels, dilation.thresholds, strict=True)):
                valid = views[(number + kernel) % 2]
                response = padded.response(kernel, channels)[valid.low : valid.high]
                if valid.outside is not None:
                    response += valid.outside
                yield exceeding(response, thresholds) / valid.counts


@dataclass(frozen=True)
class _Valid:
    """The steps that count: of each of n series those from its first to before its last.

    Attributes:
        low: First step that counts for any. high: behind the last one.
        outside: (high - low, n) minus infinity where a step does not count, else 0; None where all do.
        counts: (n,) steps that count, at least 1.
    """

    low: int
    high: int
    outside: NDArray[np.float32] | None
    counts: NDArray[np.float32]

    @classmethod
    def of(cls, t: int, first: NDArray[np.int64], last: NDArray[np.int64]) -> _Valid:
        low, high = int(first.min()), int(last.max())
        steps = np.arange(low, high)[:, None]
        out = (steps < first) | (steps >= last)
        outside = np.where(out, -np.inf, 0.0).astype(np.float32) if out.any() else None
        return cls(low, high, outside, np.maximum(last - first, 1).astype(np.float32))


class _Padded:
    """Series (t, n, c) with zeros for half a kernel at both ends, convolved at one dilation."""

    def __init__(self, values: NDArray[np.float32], step: int) -> None:
        self.t, self.step = len(values), step
        edge = (TAPS // 2) * step
        # Channels first: a kernel takes a few of them.
        self.values = np.zeros((values.shape[2], self.t + 2 * edge, values.shape[1]), np.float32)
        self.values[:, edge : edge + self.t] = values.transpose(2, 0, 1)
        self.sums = self._tap(self.values, 0).copy()
        for tap in range(1, TAPS):
            self.sums += self._tap(self.values, tap)

    def _tap(self, values: NDArray[np.float32], tap: int) -> NDArray[np.float32]:
        return values[..., tap * self.step : tap * self.step + self.t, :]

    def response(self, kernel: int, channels: tuple[int, ...]) -> NDArray[np.float32]:
        """(t, n): 2 and -1 as weights are 3 at three taps, less the sum over all nine."""
        if len(channels) == 1:
            values, sums = self.values[channels[0]], self.sums[channels[0]]
        else:
            values, sums = self.values[list(channels)].sum(axis=0), self.sums[list(channels)].sum(axis=0)
        a, b, c = (self._tap(values, tap) for tap in KERNELS[kernel])
        out = a + b
        out += c
        out *= np.float32(3.0)
        out -= sums
        return out


def exceeding(response: NDArray[np.float32], thresholds: NDArray[np.float32]) -> NDArray[np.float32]:
    """(m, n) steps of (t, n) responses above each of (m,) thresholds."""
    t, n = response.shape
    counts = np.zeros((len(thresholds), n), np.float32)
    # Counted in bytes, which the processor adds many at a time, for as many steps as a byte can count.
    for start in range(0, t, _BYTE):
        above = response[None, start : start + _BYTE] > thresholds[:, None, None]
        counts += above.view(np.uint8).sum(axis=1, dtype=np.uint8)
    return counts


def dilations(t: int, features: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Distances between taps, spread exponentially up to the length, and the thresholds of each kernel at each.

    Args:
        t: Steps, at least 9. features: Of all kernels together.
    """
    each = max(1, features // len(KERNELS))
    most = min(each, MOST_DILATIONS)
    exponents = np.linspace(0, np.log2((t - 1) / (TAPS - 1)), most)
    steps, counts = np.unique((2.0**exponents).astype(np.int64), return_counts=True)
    counts = (counts * (each / most)).astype(np.int64)
    counts[: each - int(counts.sum())] += 1
    return steps, counts
