"""What a pretrained network for images is made of, so that training can go on from it; free of torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Layers = Mapping[str, int | float | str | tuple[int, ...] | tuple[str, ...]]


@dataclass(frozen=True)
class Trunk:
    """Inverted bottlenecks whose norms have fixed statistics, before the average over the image.

    Attributes:
        layers: Stem, stages and last convolution in the words of ``ConvNetConfig`` (``depth``, ``width``, ...);
            blocks are all ``mbconv``, without squeeze-and-excitation.
        center, spread: Of the values of pixels that it was trained on.
    """

    layers: Layers
    center: float = 127.5
    spread: float = 127.5
