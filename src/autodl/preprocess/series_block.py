"""Columns of series as columns of numbers: summaries, and responses to fixed convolutions.

Notation: n rows, c channels, k columns that follow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.clock import NEVER, Deadline
from autodl.media.array import MediaArray
from autodl.preprocess.scaling import NumericScaler
from autodl.preprocess.series_rocket import KERNELS, MiniRocket, dilations
from autodl.preprocess.series_summary import summarize, summary_names
from autodl.preprocess.series_values import (
    SeriesValues,
    lengths_of,
    most_steps,
    part_size,
    parts,
    series_values,
)
from autodl.preprocess.vector_block import LENGTH
from autodl.records import ColumnKind, Task

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from autodl.media.batch import MediaBatch
    from autodl.records import Recipe, TableSchema

LEARN_FROM = 2_000
"""Series from which the thresholds of convolutions are learnt, at most."""
LARGEST_WINDOW = 1 << 14
CONVOLVED_S, SUMMED_S = 8e-10, 1e-6
"""Seconds of a step and a column of convolutions, and of a step of a channel in the summary."""
SPREAD = 1e-4
"""Shares that vary less are the same for all series."""


@dataclass
class SeriesColumn:
    """What was learnt of one column.

    Attributes:
        channels: c. window: of the spectrum.
        length: Steps to which shorter series are filled up with the means of their channels before they are
            convolved: where a series ends is then seen, and on what level it was.
        centre: (c,) means of the channels. factor: (c,) one over their deviations.
        rocket: The convolutions, or None.
        means: (k,) of the columns of the summary, in the place of series that are missing. scaler: of the summary.
        shares: (r,) means of the convolutions' columns. weight: (r,) what they are multiplied by.
        indicator: Whether a column tells where the series is missing.
        whole: Whether no training row misses its series: no model has then learnt what a gap means. Older versions
            did not ask.
    """

    channels: int = 0
    window: int = 8
    length: int = 0
    centre: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    factor: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    rocket: MiniRocket | None = None
    means: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    scaler: NumericScaler = field(default_factory=lambda: NumericScaler("none"))
    shares: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    weight: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    indicator: bool = False
    whole: bool = False


class SeriesBlock:
    """Columns of series as numbers, fitted on the training rows.

    The columns of convolutions are scaled to equal deviations where the recipe scales at all.

    Args:
        columns: Names of columns of series.
        recipe: Uses ``series``, ``series_features``, ``scale`` and ``impute``.
        seed: For the convolutions.
        lengths: See ``convolved_lengths``; empty: unit deviations.
    """

    def __init__(self, columns: tuple[str, ...], recipe: Recipe, seed: int, lengths: tuple[float, ...] = ()) -> None:
        self.columns, self.recipe, self.seed = columns, recipe, seed
        self.lengths = lengths or (0.0,) * len(columns)
        self._learnt: list[SeriesColumn] = []

    @property
    def learnt(self) -> tuple[SeriesColumn, ...]:
        """What was learnt of each column."""
        return tuple(self._learnt)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the output columns, e.g. ``series:slope``."""
        return tuple(f"{c}:{n}" for c, one in zip(self.columns, self._learnt, strict=True) for n in self._names(one))

    def fit_transform(
        self,
        frame: pd.DataFrame,
        y: NDArray[Any],
        weight: NDArray[Any] | None = None,
        deadline: Deadline = NEVER,
    ) -> NDArray[np.float32]:
        """(n, k) training rows; ``y`` and ``weight`` are not looked at.

        Raises:
            TimeoutError: If the deadline passes meanwhile.
        """
        self._learnt, out = [], []
        for column, length in zip(self.columns, self.lengths, strict=True):
            batch = _batch(frame, column)
            learnt = self._start(batch)
            self._learnt.append(learnt)
            summary, shares = self._raw(learnt, batch, deadline)
            self._finish(learnt, summary, shares, length)
            out.append(self._apply(learnt, summary, shares))
        return np.hstack(out) if out else np.empty((len(frame), 0), np.float32)

    def transform(self, frame: pd.DataFrame) -> NDArray[np.float32]:
        """(n, k) rows."""
        out = [
            self._apply(learnt, *self._raw(learnt, _batch(frame, column), NEVER))
            for column, learnt in zip(self.columns, self._learnt, strict=True)
        ]
        return np.hstack(out) if out else np.empty((len(frame), 0), np.float32)

    def _start(self, batch: MediaBatch) -> SeriesColumn:
        """What is learnt before the columns can be made."""
        lengths = lengths_of(batch)
        filled = np.flatnonzero(lengths)
        if not len(filled):
            return SeriesColumn(indicator=True)
        first = batch.store.get(int(batch.rows[filled[0]]))
        longest = int(lengths.max())
        window = min(LARGEST_WINDOW, 1 << max(3, (longest - 1).bit_length()))
        gaps = len(filled) < len(lengths)
        learnt = SeriesColumn(first.shape[1], window, indicator=gaps, whole=not gaps)
        if self.recipe.series in ("rocket", "both"):
            rng = np.random.default_rng(self.seed)
            learnt.length = most_steps(lengths)
            # All of the sample are held at a time, each as long as the longest: that must be no very long one.
            usual = np.flatnonzero((lengths > 0) & (lengths <= learnt.length))
            held = min(LEARN_FROM, len(usual), part_size(learnt.length, learnt.channels))
            values = series_values(batch.take(np.sort(rng.choice(usual, held, replace=False))), learnt.channels)
            learnt.centre, learnt.factor = _moments(values)
            learnt.rocket = MiniRocket(self.recipe.series_features, self.seed).fit(_scaled(learnt, values))
        return learnt

    def _raw(
        self, learnt: SeriesColumn, batch: MediaBatch, deadline: Deadline
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(n, k) summaries, NaN where there is no series, and (n, r) shares of the convolutions."""
        n, summed = len(batch), self.recipe.series in ("summary", "both")
        width = len(summary_names(learnt.channels)) if summed and learnt.channels else 0
        summary = np.full((n, width), np.nan, np.float32)
        shares = np.zeros((n, 0 if learnt.rocket is None else learnt.rocket.n_features), np.float32)
        if not learnt.channels:
            return summary, shares
        for rows, values in parts(batch, learnt.channels, learnt.length):
            if deadline.passed():
                raise TimeoutError("time ran out while series were turned into numbers")
            if width:
                summary[rows] = summarize(values, learnt.window)
            if learnt.rocket is not None:
                shares[rows] = learnt.rocket.transform(_scaled(learnt, values))
        if learnt.rocket is not None:
            shares[lengths_of(batch) == 0] = np.nan
        return summary, shares

    def _finish(
        self, learnt: SeriesColumn, summary: NDArray[np.float32], shares: NDArray[np.float32], length: float
    ) -> None:
        """Means and scales of the columns; ``length``: see ``convolved_lengths``."""
        if not learnt.channels:
            return
        present = ~np.isnan(summary[:, 0]) if summary.shape[1] else ~np.isnan(shares[:, 0])
        learnt.means = summary[present].mean(axis=0, dtype=np.float64).astype(np.float32)
        learnt.scaler = NumericScaler(self.recipe.scale, self.seed).fit(summary[present].astype(np.float64))
        learnt.shares = shares[present].mean(axis=0, dtype=np.float64).astype(np.float32)
        if self.recipe.scale == "none":
            learnt.weight = np.ones_like(learnt.shares)
        else:
            spread = shares[present].std(axis=0)
            learnt.weight = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > SPREAD)
            if length:
                learnt.weight *= length / math.sqrt(max(1, int(np.count_nonzero(learnt.weight))))

    def _apply(
        self, learnt: SeriesColumn, summary: NDArray[np.float32], shares: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        if not learnt.channels:
            return np.ones((len(summary), 1), np.float32)
        absent = np.isnan(summary[:, 0]) if summary.shape[1] else np.isnan(shares[:, 0])
        fill = self.recipe.impute != "none" or learnt.whole
        if fill:
            summary = np.where(absent[:, None], learnt.means, summary)
        told = [learnt.scaler.transform(summary.astype(np.float64)).astype(np.float32)] if summary.shape[1] else []
        if shares.shape[1]:
            if fill:
                shares[absent] = learnt.shares
            if self.recipe.scale != "none":
                shares -= learnt.shares
                shares *= learnt.weight
            told.append(shares)
        if learnt.indicator:
            told.append(absent[:, None].astype(np.float32))
        return told[0] if len(told) == 1 else np.hstack(told)

    def _names(self, learnt: SeriesColumn) -> tuple[str, ...]:
        told = learnt.channels > 0 and self.recipe.series in ("summary", "both")
        summed = summary_names(learnt.channels) if told else ()
        count = 0 if learnt.rocket is None else learnt.rocket.n_features
        convolved = (f"convolution {k + 1}" for k in range(count))
        return (*summed, *convolved, *(("missing",) if learnt.indicator else ()))


def convolved_lengths(schema: TableSchema, task: Task) -> tuple[float, ...]:
    """Of the convolutions' columns of each column of series, as root mean squares; 0 where each has unit deviation.

    Thousands of columns of unit deviation drown other columns beside them, and fit the noise of a target that is a
    number, whatever the penalty. Classes of series alone are told apart best by those. Where the steps themselves are
    columns, too, they are many as well, and convolutions of less length would not be heard beside them.

    Args:
        schema: The features. task: What is predicted.
    """
    features = [c for c in schema.columns if c.kind is not ColumnKind.CONSTANT]
    names, series = {c.name for c in features}, [c for c in features if c.kind is ColumnKind.SERIES]
    steps = [set() if c.parse.series is None else names.intersection(c.parse.series.columns) for c in series]
    others = names - {c.name for c in series} - set().union(*steps)

    def length(own: int) -> float:
        if own:
            return max(LENGTH, math.sqrt(own)) if others else 0.0
        return LENGTH if others or task is not Task.CLASSIFICATION else 0.0

    return tuple(length(len(own)) / math.sqrt(len(series)) for own in steps)


def series_width(recipe: Recipe, length: int, channels: int) -> int:
    """Numeric columns that one column of series becomes.

    Args:
        recipe: What is done. length: Usual steps of a series. channels: c.
    """
    summed = len(summary_names(channels)) if recipe.series in ("summary", "both") else 0
    if recipe.series not in ("rocket", "both"):
        return summed
    return summed + len(KERNELS) * int(dilations(max(length, 9), recipe.series_features)[1].sum())


def series_seconds(recipe: Recipe, length: int, channels: int) -> float:
    """Of turning one series into numbers, on the reference machine; see ``series_width``."""
    seconds = 0.0
    if recipe.series in ("rocket", "both"):
        seconds += CONVOLVED_S * length * recipe.series_features * min(channels, 4) ** 0.5
    if recipe.series in ("summary", "both"):
        seconds += SUMMED_S * length * channels
    return seconds


def _batch(frame: pd.DataFrame, column: str) -> MediaBatch:
    cells = frame[column].array
    if not isinstance(cells, MediaArray):
        raise TypeError(f"'{column}' should hold series, but has the dtype {frame[column].dtype}")
    return cells.batch


def _moments(values: SeriesValues) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(c,) means of the channels over all steps, and one over their deviations."""
    inside = np.arange(len(values.values))[:, None] < values.lengths
    steps = values.values[inside].astype(np.float64)
    spread = steps.std(axis=0)
    factor = np.divide(1.0, spread, out=np.ones_like(spread), where=spread > 0)
    return steps.mean(axis=0).astype(np.float32), factor.astype(np.float32)


def _scaled(learnt: SeriesColumn, values: SeriesValues) -> SeriesValues:
    """Channels on one scale, with zeros behind the end up to the learnt length."""
    t, n, c = values.values.shape
    inside = (np.arange(t)[:, None] < values.lengths)[..., None]
    out = np.zeros((max(t, learnt.length), n, c), np.float32)
    np.multiply(values.values - learnt.centre, learnt.factor, out=out[:t], where=inside)
    return SeriesValues(out, np.where(values.lengths > 0, np.maximum(values.lengths, learnt.length), 0))
