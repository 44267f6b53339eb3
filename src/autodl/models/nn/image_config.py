"""Configuration of convolutional networks over images; free of torch."""

from __future__ import annotations

from typing import Self

from pydantic import Field

from autodl.machine import multiplies_bfloat16
from autodl.models.nn.augment_config import ImageAugmentConfig
from autodl.models.nn.conv_config import ConvNetConfig

SMALL_SIDE, LARGE_SIDE = 40, 112
"""Pixels a side up to which the stem keeps the resolution, and up to which it halves it."""


class ImageNetConfig(ImageAugmentConfig, ConvNetConfig):
    """Architecture, augmentation and training; the defaults are a ResNet for small images that is wide where the
    resolution is low, as those are that learn them in the least time (Page 2018; Jordan 2024): channels are cheap
    there, and every stage halves the resolution at once.
    """

    lr: float = Field(0.004, gt=0, le=1)
    stem_stride: int = Field(0, ge=0, le=4)
    """Of the stem ``conv``; 0: by the size of the images."""
    width: tuple[int, ...] = (64, 128, 256)
    stride: tuple[int, ...] = (2,)
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    side: int = Field(0, ge=0, le=512)
    """Pixels a side that the network sees, at most; larger images are averaged down. 0: 64."""

    def for_side(self, side: int) -> Self:
        """The same with the stem that suits images of this side."""
        if self.stem_stride:
            return self
        stride = 1 if side <= SMALL_SIDE else 2 if side <= LARGE_SIDE else 4
        return self.model_copy(update={"stem_stride": stride})

    @property
    def trains_in_half(self) -> bool:
        """Whether this processor trains it in 16 bits where nothing is said: not where most blocks are depthwise.

        Measured with AVX512-BF16, images a second: residual 224 to 409, plain 295 to 539, inverted 97 to 120, and
        separable 431 to 307.
        """
        kinds = [spec.kind for stage in self.specs() for spec in stage]
        depthwise = sum(kind in ("separable", "mbconv") for kind in kinds)
        return self.precision == "auto" and 2 * depthwise < len(kinds) and multiplies_bfloat16()

    def n_epochs(self, rows: int) -> int:
        """20 at 5,000 images, more of fewer with the root of their number, from 6 to 100; deadlines shorten that."""
        usual = min(100.0, max(6.0, 20 * (5_000 / max(rows, 1)) ** 0.5))
        return self.epochs or max(1, round(self.epoch_factor * usual))

    def n_batch(self, rows: int) -> int:
        """64: smaller than of tables, as there is more work in a row; 32 of fewer than 1,000, 128 from 50,000 on."""
        return self.batch_size or (32 if rows < 1_000 else 64 if rows < 50_000 else 128)
