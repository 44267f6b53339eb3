"""Rows in memory and their order of presentation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class TensorData:
    """n rows: inputs as the module's ``forward`` takes them, targets, weights.

    Attributes:
        inputs: Tensors whose first dimension is n.
        target: (n,) int64 classes or float32 values.
        weight: (n,) float32 weights or None.
    """

    inputs: tuple[Tensor, ...]
    target: Tensor
    weight: Tensor | None = None

    def __post_init__(self) -> None:
        sizes = {len(t) for t in (*self.inputs, self.target)}
        if self.weight is not None:
            sizes.add(len(self.weight))
        if len(sizes) != 1:
            raise ValueError(f"all tensors must have the same number of rows, but got {sorted(sizes)}")

    def __len__(self) -> int:
        return len(self.target)

    def take(self, rows: Tensor) -> TensorData:
        """The rows at these positions."""
        return TensorData(
            tuple(t.index_select(0, rows) for t in self.inputs),
            self.target.index_select(0, rows),
            None if self.weight is None else self.weight.index_select(0, rows),
        )

    def to(self, device: torch.device) -> TensorData:
        """The same rows on ``device``."""
        return TensorData(
            tuple(t.to(device) for t in self.inputs),
            self.target.to(device),
            None if self.weight is None else self.weight.to(device),
        )


def steps_per_epoch(rows: int, batch_size: int) -> int:
    """Number of batches of ``shuffled_batches``."""
    full, rest = divmod(rows, batch_size)
    # A rest below half a batch would be a noisy step (and batch norm cannot take a single row).
    return max(1, full + (1 if 2 * rest >= batch_size and rest > 1 else 0))


def shuffled_batches(data: TensorData, batch_size: int, generator: torch.Generator) -> Iterator[TensorData]:
    """All rows once in random order; a short rest joins no batch, and other rows are the rest next time.

    With fewer rows than ``batch_size`` there is one batch of all rows; a single row is given twice.
    """
    n = len(data)
    order = torch.randperm(n, generator=generator)
    if n == 1:
        order = order.repeat(2)
    order = order.to(data.target.device)
    for step in range(steps_per_epoch(n, batch_size)):
        yield data.take(order[step * batch_size : (step + 1) * batch_size])
