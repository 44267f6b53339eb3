"""What was learnt from training rows with images, texts or series: which columns hold them, and how they are read.

Notation: n rows, m columns of objects (images, texts or series), b rows of a batch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from autodl.media.batch import MediaBatch

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from autodl.features import Features
    from autodl.models.nn.inputs import InputPlan
    from autodl.train.data import Fetch


class MediaPlan(ABC):
    """How rows become what a network over objects takes: only those of a batch are read.

    Attributes:
        table: The other columns.
    """

    table: InputPlan

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """Of the m columns of objects."""

    @abstractmethod
    def read(self, batches: Sequence[MediaBatch], device: torch.device) -> tuple[Tensor, ...]:
        """What the module takes of b rows of each of the m columns."""

    @property
    def beside(self) -> InputPlan | None:
        """The other columns; None where there are none."""
        return None if self.table.is_empty else self.table

    def tensors(self, X: Features) -> tuple[Tensor, ...]:
        """(n, m) int64 rows of the stores, then what ``InputPlan.tensors`` gives."""
        import torch

        rows = np.stack([X.media[name].rows for name in self.names], axis=1)
        return (torch.from_numpy(rows), *self.table.tensors(X))

    def fetcher(self, X: Features) -> Fetch:
        """Turns ``tensors`` of some of these rows into what the module takes: what ``read`` gives, and the rest."""
        stores = [X.media[name].store for name in self.names]

        def fetch(inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            rows = inputs[0].cpu().numpy()
            batches = [MediaBatch(store, rows[:, j]) for j, store in enumerate(stores)]
            return (*self.read(batches, inputs[0].device), *inputs[1:])

        return fetch
