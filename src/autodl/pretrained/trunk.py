"""What a pretrained network for images is made of, so that training can go on from it; free of torch."""

from __future__ import annotations

from dataclasses import dataclass

from autodl.models.nn.conv_config import ConvNetConfig


@dataclass(frozen=True)
class Trunk:
    """Inverted bottlenecks whose norms have fixed statistics, before the average over the image.

    Attributes:
        layers: Stem, stages and last convolution; blocks are all ``mbconv``, without squeeze-and-excitation.
        center, spread: Of the values of pixels that it was trained on.
    """

    layers: ConvNetConfig
    center: float = 127.5
    spread: float = 127.5
