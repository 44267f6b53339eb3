"""From ``Features`` to the tensors that networks over series read.

Notation: n rows, m columns of series, b rows of a batch, c channels, t steps that a network sees.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autodl.models.nn.inputs import InputPlan
from autodl.models.nn.media_plan import MediaPlan

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from numpy.typing import NDArray
    from torch import Tensor

    from autodl.features import Features
    from autodl.media.batch import MediaBatch

MOST_STEPS = 512
"""Of longer series neighbouring steps are averaged where no other number is asked for."""


@dataclass(frozen=True)
class SeriesInput:
    """What was learnt of a column.

    Attributes:
        name: Of the column.
        channels: c.
        steps: Most steps that the network sees; what stands behind them, in longer series than trained on and in
            those that are many times as long as most, is cut.
        factor: Neighbouring steps that are averaged to one.
    """

    name: str
    channels: int
    steps: int
    factor: int

    @classmethod
    def learn(cls, name: str, batch: MediaBatch, most: int) -> SeriesInput:
        """Look at the training series."""
        from autodl.preprocess.series_values import lengths_of, most_steps

        present = batch.rows[batch.present]
        channels = batch.store.get(int(present[0])).shape[1] if len(present) else 1
        # One series that is very long must not blur the others.
        steps, factor = seen_steps(most_steps(lengths_of(batch)), most)
        return cls(name, channels, steps, factor)

    def read(self, batch: MediaBatch) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """(b, c, t) values with zeros behind the ends, t the steps of the longest of these, and (b,) their steps."""
        from autodl.preprocess.series_values import series_values

        found = series_values(batch, self.channels, self.steps * self.factor)
        values, lengths = averaged(found.values.transpose(1, 2, 0), found.lengths, self.factor)
        # Networks need a step to look at, also where no row has a series.
        width = max(1, min(self.steps, values.shape[2]))
        out = np.zeros((*values.shape[:2], width), np.float32)
        out[..., : values.shape[2]] = values[..., :width]
        return out, np.minimum(lengths, width)


@dataclass(frozen=True)
class SeriesPlan(MediaPlan):
    """What was learnt from the training rows.

    Attributes:
        columns: The m columns of series.
        table: The other columns.
    """

    columns: tuple[SeriesInput, ...]
    table: InputPlan

    @classmethod
    def learn(cls, X: Features, most: int = 0) -> SeriesPlan:
        """Look at the training rows.

        Args:
            X: Rows with at least one column of series.
            most: Steps that the network sees, at most; 0: ``MOST_STEPS``.

        Raises:
            ValueError: If there are no series.
        """
        found = {name: batch for name, batch in X.media.items() if batch.store.kind == "series"}
        if not found:
            raise ValueError("a network over series needs a column of series, but the rows have none")
        return cls(tuple(SeriesInput.learn(name, b, most) for name, b in found.items()), InputPlan.learn(X))

    @property
    def names(self) -> tuple[str, ...]:
        """See ``MediaPlan``."""
        return tuple(column.name for column in self.columns)

    def read(self, batches: Sequence[MediaBatch], device: torch.device) -> tuple[Tensor, ...]:
        """m tensors (b, c, t) float32, and the (b, m) int64 steps of each."""
        import torch

        found = [column.read(batch) for column, batch in zip(self.columns, batches, strict=True)]
        lengths = np.stack([n for _, n in found], axis=1)
        return tuple(torch.from_numpy(a).to(device) for a in (*(v for v, _ in found), lengths))


def seen_steps(longest: int, asked: int) -> tuple[int, int]:
    """Steps that a network sees of series of this length, and how many neighbours are averaged to one.

    >>> seen_steps(150, 0), seen_steps(1024, 0), seen_steps(1500, 0), seen_steps(150, 100)
    ((150, 1), (512, 2), (500, 3), (75, 2))
    """
    factor = max(1, -(-longest // (asked or MOST_STEPS)))
    return max(1, -(-longest // factor)), factor


def averaged(
    values: NDArray[np.float32], lengths: NDArray[np.int64], factor: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Means of neighbouring steps: (b, c, t) with zeros behind the ends, (b,) -> the same with t / factor."""
    if factor == 1:
        return values, lengths
    b, c, t = values.shape
    groups = -(-t // factor)
    padded = np.zeros((b, c, groups * factor), np.float32)
    padded[..., :t] = values
    counts = np.clip(lengths[:, None] - factor * np.arange(groups), 1, factor)
    means = padded.reshape(b, c, groups, factor).sum(axis=3) / counts[:, None].astype(np.float32)
    return means, -(-lengths // factor)
