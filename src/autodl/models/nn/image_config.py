"""Configuration of convolutional networks over images; free of torch."""

from __future__ import annotations

from typing import Self

from pydantic import Field

from autodl.models.nn.conv_config import ConvNetConfig
from autodl.models.nn.image_training import ImageTraining

SMALL_SIDE, LARGE_SIDE = 40, 112
"""Pixels a side up to which the stem keeps the resolution, and up to which it halves it."""


class ImageNetConfig(ConvNetConfig, ImageTraining):
    """Architecture, augmentation and training; the defaults are a narrow ResNet for small images in which every stage
    halves the resolution at once. A few thousand images are seen so much more often in the same time that it learns
    them better than one of the usual width.
    """

    lr: float = Field(0.008, gt=0, le=1)
    epoch_factor: float = Field(0.5, gt=0, le=10)
    """A first answer comes in half of the usual training; longer ones follow where it leads."""
    stem_stride: int = Field(0, ge=0, le=4)
    """Of the stem ``conv``; 0: by the size of the images."""
    stem_width: int = Field(16, ge=4, le=512)
    width: tuple[int, ...] = (32, 64, 128)
    stride: tuple[int, ...] = (2,)
    label_smoothing: float = Field(0.1, ge=0, lt=1)

    def for_side(self, side: int) -> Self:
        """The same with the stem that suits images of this side."""
        if self.stem_stride:
            return self
        stride = 1 if side <= SMALL_SIDE else 2 if side <= LARGE_SIDE else 4
        return self.model_copy(update={"stem_stride": stride})

    @property
    def trains_in_half(self) -> bool:
        """See ``ImageTraining``: not where most blocks are depthwise.

        Measured with AVX512-BF16, images a second: residual 224 to 409, plain 295 to 539, inverted 97 to 120, and
        separable 431 to 307.
        """
        kinds = [spec.kind for stage in self.specs() for spec in stage]
        depthwise = sum(kind in ("separable", "mbconv") for kind in kinds)
        return super().trains_in_half and 2 * depthwise < len(kinds)
