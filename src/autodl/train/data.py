"""Rows in memory and their order of presentation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

Fetch = Callable[[tuple[Tensor, ...]], tuple[Tensor, ...]]
SORTED = 16
"""Batches whose rows are sorted by size together."""


@dataclass(frozen=True)
class Blend:
    """The second of two rows that each row of a batch is mixed of.

    Attributes:
        target: (b,) targets of the second rows. weight: (b,) their weights or None.
        share: How much of the mixture is the first row, from 0 to 1.
    """

    target: Tensor
    weight: Tensor | None
    share: float


@dataclass(frozen=True)
class TensorData:
    """n rows: inputs as the module's ``forward`` takes them, targets, weights.

    Attributes:
        inputs: Tensors whose first dimension is n.
        target: (n,) int64 classes or float32 values.
        weight: (n,) float32 weights or None.
        blend: What else the rows of a training batch are, where augmentation has mixed them.
        fetch: Turns the inputs of a batch into what the module takes, where they only stand for it (as row numbers of
            images that are too many for memory do).
        size: (n,) how much there is in each row, such as tokens of a text, where a batch takes as long as its largest
            row; training batches then hold rows of like size.
    """

    inputs: tuple[Tensor, ...]
    target: Tensor
    weight: Tensor | None = None
    blend: Blend | None = None
    fetch: Fetch | None = None
    size: Tensor | None = None

    def __post_init__(self) -> None:
        sizes = {len(t) for t in (*self.inputs, self.target)}
        if self.weight is not None:
            sizes.add(len(self.weight))
        if len(sizes) != 1:
            raise ValueError(f"all tensors must have the same number of rows, but got {sorted(sizes)}")

    def __len__(self) -> int:
        return len(self.target)

    def take(self, rows: Tensor) -> TensorData:
        """The rows at these positions, fetched."""
        return TensorData(
            self._fetched(tuple(t.index_select(0, rows) for t in self.inputs)),
            self.target.index_select(0, rows),
            None if self.weight is None else self.weight.index_select(0, rows),
        )

    def part(self, start: int, stop: int) -> TensorData:
        """The rows from ``start`` to before ``stop``, fetched; what need not be is not copied."""
        return TensorData(
            self._fetched(tuple(t[start:stop] for t in self.inputs)),
            self.target[start:stop],
            None if self.weight is None else self.weight[start:stop],
        )

    def _fetched(self, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return inputs if self.fetch is None else self.fetch(inputs)

    def with_mean_weight_1(self) -> TensorData:
        """The same rows with weights whose mean is 1, so that only their ratio matters."""
        mean = 1.0 if self.weight is None else float(self.weight.double().mean())
        return replace(self, weight=self.weight / mean) if self.weight is not None and mean > 0 else self

    def to(self, device: torch.device) -> TensorData:
        """The same rows on ``device``."""
        return replace(
            self,
            inputs=tuple(t.to(device) for t in self.inputs),
            target=self.target.to(device),
            weight=None if self.weight is None else self.weight.to(device),
            size=None if self.size is None else self.size.to(device),
        )


def steps_per_epoch(rows: int, batch_size: int) -> int:
    """Number of batches of ``shuffled_batches``."""
    full, rest = divmod(rows, batch_size)
    # A rest below half a batch would be a noisy step (and batch norm cannot take a single row).
    return max(1, full + (1 if 2 * rest >= batch_size and rest > 1 else 0))


def shuffled_batches(data: TensorData, batch_size: int, generator: torch.Generator) -> Iterator[TensorData]:
    """All rows once in random order; a short rest joins no batch, and other rows are the rest next time.

    Rows of a size are drawn at random, too, but sorted within every ``SORTED`` batches, which come in random order.

    With fewer rows than ``batch_size`` there is one batch of all rows; a single row is given twice.
    """
    n = len(data)
    order = torch.randperm(n, generator=generator)
    if n == 1:
        order = order.repeat(2)
    order = order.to(data.target.device)
    steps = torch.arange(steps_per_epoch(n, batch_size))
    if data.size is not None and len(steps) > 1:
        full = torch.split(order[: n // batch_size * batch_size], SORTED * batch_size)
        alike = [part[data.size.index_select(0, part).argsort(stable=True)] for part in full]
        order = torch.cat([*alike, order[n // batch_size * batch_size :]])
        steps = steps[torch.randperm(len(steps), generator=generator)]
    for step in steps.tolist():
        yield data.take(order[step * batch_size : (step + 1) * batch_size])
