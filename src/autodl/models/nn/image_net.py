"""A network over images, with the other columns of the table beside them.

Notation: b rows, m columns of images, S side in pixels, d features after pooling.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from autodl.models.nn.inputs import InputPlan
from autodl.models.nn.media_net import MediaNet

MIN_SPREAD = 8.0
"""Least standard deviation of a colour, of 255, so that a constant one is not blown up."""


class ImageNet(MediaNet):
    """Images through one network, what they and the other columns say through one head.

    Colours are standardized by those of the training images. A missing image gives zeros.

    Args:
        body: (b, 3, S, S) -> (b, d); what averages its positions is called ``pool``. width: d.
        columns: m. n_outputs: of the head.
        table: The other columns, or None where there are none.

    Shape: m times (b, S, S, 3), (b, m), then what ``InputPlan.tensors`` gives -> (b, n_outputs).
    """

    center: Tensor
    spread: Tensor

    def __init__(self, body: nn.Module, width: int, columns: int, table: InputPlan | None, n_outputs: int) -> None:
        super().__init__()
        self.columns = columns
        self.register_buffer("center", torch.full((3,), 128.0))
        self.register_buffer("spread", torch.full((3,), 64.0))
        self.body = body
        self.body.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in its declarations
        self.add_head(columns * width, table, n_outputs)

    @torch.no_grad()
    def fit_to(self, inputs: tuple[Tensor, ...]) -> None:
        """Take mean and standard deviation of the colours of a sample of training rows."""
        present = inputs[self.columns] > 0
        shown = [x[present[:, j]].flatten(0, 2).double() for j, x in enumerate(inputs[: self.columns])]
        pixels = torch.cat(shown)
        if len(pixels):
            self.center.copy_(pixels.mean(0))
            self.spread.copy_(pixels.std(0, correction=0).clamp(min=MIN_SPREAD))

    def planes(self, images: Tensor) -> Tensor:
        """(b, 3, S, S) standardized colours of (b, S, S, 3), in the same memory: channels last."""
        return ((images.float() - self.center) / self.spread).permute(0, 3, 1, 2)

    def read(self, *inputs: Tensor) -> Tensor:
        """(b, m d) what the images say, given them and where there are any."""
        images, present = inputs[: self.columns], inputs[self.columns]
        return torch.cat([self.body(self.planes(x)) * present[:, j : j + 1] for j, x in enumerate(images)], 1)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Raw outputs."""
        return self.answer(self.read(*inputs[: self.columns + 1]), *inputs[self.columns + 1 :])
