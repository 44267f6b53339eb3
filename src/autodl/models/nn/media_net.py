"""What modules over images, texts and series share: the other columns of the table beside them, and the head.

Notation: b rows, f features of what was read.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from autodl.models.nn.embeddings import CategoryEncoder
from autodl.models.nn.inputs import InputPlan

MAX_ONEHOT = 8
CATEGORY_SIZE = 8
SIDE_WIDTH = 32
"""Features that the columns beside become: the images, texts or series are the larger part of what is known."""
JOINT_WIDTH = 64
"""Of the hidden layer over both."""


class TableSide(nn.Module):
    """The columns beside as features: one hidden layer.

    Shape: (b, flat), (b, p) float32, (b, q) int64 -> (b, ``SIDE_WIDTH``).
    """

    def __init__(self, table: InputPlan) -> None:
        super().__init__()
        self.encoder = CategoryEncoder(table.cardinalities, MAX_ONEHOT, CATEGORY_SIZE)
        inputs = table.n_flat + len(table.smooth) + self.encoder.size_out
        self.hidden = nn.Linear(inputs, SIDE_WIDTH)

    def forward(self, flat: Tensor, smooth: Tensor, codes: Tensor) -> Tensor:
        """Features."""
        return self.hidden(torch.cat([flat, smooth, self.encoder(codes)], 1)).relu()  # type: ignore[no-any-return]


class MediaNet(nn.Module):
    """What was read of images, texts or series and what the other columns say, through one head.

    Subclasses read, and end their ``__init__`` with ``add_head``.
    """

    def add_head(self, width: int, table: InputPlan | None, n_outputs: int) -> None:
        """Make the last layers.

        Args:
            width: f. table: The other columns, or None where there are none. n_outputs: of the head.
        """
        self.side = None if table is None else TableSide(table)
        inputs = width + (0 if table is None else SIDE_WIDTH)
        # What an image means may depend on the other columns, which a sum of both could not say.
        self.joint = None if table is None else nn.Linear(inputs, JOINT_WIDTH)
        self.head = nn.Linear(inputs if table is None else JOINT_WIDTH, n_outputs)
        nn.init.normal_(self.head.weight, 0.0, 0.01)
        nn.init.zeros_(self.head.bias)

    def fit_to(self, inputs: tuple[Tensor, ...]) -> None:
        """Take what an untrained module must know of a sample of training rows; nothing by default."""

    def answer(self, read: Tensor, *table: Tensor) -> Tensor:
        """Raw outputs (b, n_outputs) from what was read, (b, f), and what ``InputPlan.tensors`` gives."""
        features = read if self.side is None else torch.cat([read, self.side(*table)], 1)
        if self.joint is not None:
            features = self.joint(features).relu()
        return self.head(features)  # type: ignore[no-any-return]
