"""The head of a network over images, trained alone on what its body says: the first step of fine-tuning.

Kumar et al. 2022, "Fine-Tuning can Distort Pretrained Features and Underperform Out-of-Distribution": a fresh head
would pull a trained body apart in the first steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from autodl.clock import Deadline
from autodl.models.nn.image_net import ImageNet
from autodl.train.config import TrainConfig
from autodl.train.data import TensorData
from autodl.train.loop import fit_module

if TYPE_CHECKING:
    from autodl.train.losses import Objective

MOST_ROWS = 20_000
"""That the head learns from; the body looks at each once."""
FEWEST_ROWS = 2
BATCH = 128
TIME_SHARE = 0.3
"""Of the time that is left, what looking at them may take."""
HEAD = TrainConfig(lr=0.003, weight_decay=0.01, schedule="cosine", epochs=20, batch_size=BATCH)


class _Head(nn.Module):
    """What follows the body.

    Shape: (b, m d), then the other columns -> (b, n_outputs).
    """

    def __init__(self, net: ImageNet) -> None:
        super().__init__()
        self.side, self.joint, self.head = net.side, net.joint, net.head
        self._answer = net.answer  # a method, so that the body's weights are none of this module's

    def forward(self, read: Tensor, *table: Tensor) -> Tensor:
        """Raw outputs."""
        return self._answer(read, *table)


def train_head(net: ImageNet, train: TensorData, objective: Objective, *, seed: int, deadline: Deadline) -> int:
    """Train all but the body, in place.

    Args:
        net: Its body stays as it is. train: rows, as the network takes them.
        objective: What is minimized. seed: Of the order of rows.
        deadline: Rows that the body has not looked at in a share of the time are left out.

    Returns:
        Rows that the head has learnt from; with fewer than ``FEWEST_ROWS`` it stays as it is.
    """
    limit = deadline if deadline.left() == float("inf") else Deadline.after(TIME_SHARE * deadline.left())
    order = torch.randperm(len(train))[:MOST_ROWS].to(train.target.device)
    parts: list[Tensor] = []
    tables: list[tuple[Tensor, ...]] = []
    net.eval()
    with torch.no_grad():
        for start in range(0, len(order), BATCH):
            if limit.passed():
                break
            inputs = train.take(order[start : start + BATCH]).inputs
            parts.append(net.read(*inputs[: net.columns + 1]))
            tables.append(inputs[net.columns + 1 :])
    rows = sum(len(p) for p in parts)
    if rows < FEWEST_ROWS:
        return rows
    seen = order[:rows]
    read = (torch.cat(parts), *(torch.cat(columns) for columns in zip(*tables, strict=True)))
    weight = None if train.weight is None else train.weight.index_select(0, seen)
    data = TensorData(read, train.target.index_select(0, seen), weight)
    fit_module(_Head(net), data, objective, HEAD, seed=seed, deadline=deadline)
    return rows
