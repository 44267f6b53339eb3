"""Configuration and cost of transformers over patches of images; free of torch.

Notation: S pixels a side, P pixels a side of a patch, t patches of an image, d numbers of a patch.
"""

from __future__ import annotations

import math
from typing import Literal, Self

from pydantic import Field, model_validator

from autodl.models.nn.conv_cost import NetworkCost
from autodl.models.nn.image_training import ImageTraining
from autodl.models.nn.transformer_config import TransformerTraining, check_heads

GRID = 8
"""Patches a side of an image that are usual: attention costs the square of their number."""
SMALLEST_PATCH, LARGEST_PATCH = 2, 32
WIDE = 192
"""Numbers of a patch from which on 16 bits are quicker."""


class VitConfig(TransformerTraining, ImageTraining):
    """Architecture, augmentation and training of a transformer over patches.

    The defaults follow Beyer et al. 2022 (fixed places, the mean of all patches, no dropout) and Xiao et al. 2021 (a
    stem of convolutions) at a size that thousands of images can fill.
    """

    weight_decay: float = Field(0.05, ge=0, le=10)
    label_smoothing: float = Field(0.1, ge=0, lt=1)

    patch: int = Field(0, ge=0, le=64)
    """P; 0: by the size of the images, so that there are about 8 patches a side."""
    stem: Literal["patch", "conv"] = "conv"
    """``patch``: one linear map of each patch; ``conv``: convolutions that halve the resolution in turn."""
    token_size: int = Field(96, ge=8, le=1024)
    """d."""
    layers: int = Field(4, ge=1, le=24)
    heads: int = Field(4, ge=1, le=16)
    """They share ``token_size``, which must be a multiple of them."""
    hidden_factor: float = Field(2.0, gt=0, le=8)
    """Width of the feed-forward part over ``token_size``."""
    norm: Literal["layer", "rms"] = "layer"
    positions: Literal["waves", "learned"] = "waves"
    """Where a patch lies is said by fixed sines and cosines, or by numbers that start as those and are learnt."""
    pooling: Literal["mean", "max", "attention", "class"] = "mean"
    """``class``: a token of its own asks all patches in one more layer."""
    dropout: float = Field(0.0, ge=0, lt=1)
    attention_dropout: float = Field(0.0, ge=0, lt=1)
    drop_path: float = Field(0.05, ge=0, lt=1)
    """Stochastic depth: probability that the last layer is skipped; it rises linearly from the first."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        check_heads("token_size", self.token_size, self.heads)
        if self.token_size % 4:
            raise ValueError(f"`token_size` must be a multiple of 4, but got {self.token_size}")
        if self.stem == "conv" and self.patch & (self.patch - 1):
            raise ValueError(f"`patch` must be a power of 2 for a stem of convolutions, but got {self.patch}")
        return self

    @property
    def trains_in_half(self) -> bool:
        """See ``ImageTraining``: only where layers are wide.

        Measured with AVX512-BF16, milliseconds an image: 192 wide 10.7 to 7.6, 128 wide 4.5 to 4.6, 64 wide 1.3 to
        2.1.
        """
        return super().trains_in_half and self.token_size >= WIDE

    def patch_side(self, side: int) -> int:
        """P for images of this side: the power of 2 that gives most nearly 8 patches a side."""
        if self.patch:
            return self.patch
        near = 2 ** round(math.log2(max(1.0, side / GRID)))
        return int(min(LARGEST_PATCH, max(SMALLEST_PATCH, near)))

    def grid(self, side: int) -> int:
        """Patches a side; the last ones reach over the border where P does not divide the side."""
        return -(-side // self.patch_side(side))

    def stem_widths(self, side: int) -> tuple[int, ...]:
        """Channels after each convolution of the stem ``conv``: d at the end, half of it for each step before."""
        steps = round(math.log2(self.patch_side(side)))
        return tuple(max(8, self.token_size >> (steps - 1 - i)) for i in range(steps))


def vit_cost(config: VitConfig, side: int) -> NetworkCost:
    """Of one image of this side, without the head: weights, multiplications and what layers leave."""
    d, grid = config.token_size, config.grid(side)
    t, f = grid * grid, config.hidden_factor
    hidden = max(1, round(d * f))
    cost = NetworkCost()
    if config.stem == "patch":
        weights = 3 * config.patch_side(side) ** 2 * d
        cost.parameters, cost.multiplications, cost.activations = weights + d, t * weights, t * d
    else:
        before, size = 3, grid * config.patch_side(side)
        for width in config.stem_widths(side):
            size //= 2
            weights = 9 * before * width
            cost.parameters += weights + 2 * width
            cost.multiplications += size * size * weights
            cost.activations += 2 * size * size * width
            before = width
        cost.parameters += before * d + d
        cost.multiplications += t * before * d
        cost.activations += t * d
    norms = (2 if config.norm == "layer" else 1) * d
    layer = 4 * d * d + 4 * d + 2 * d * hidden + d + hidden + 2 * norms
    cost.parameters += config.layers * layer + norms + (t * d if config.positions == "learned" else 0)
    cost.multiplications += config.layers * (t * (4 * d * d + 2 * d * hidden) + 2 * t * t * d)
    cost.activations += config.layers * t * (8 * d + 2 * hidden)
    if config.pooling == "class":
        # Keys and values of all tokens; only the token of its own goes further.
        cost.parameters += layer + d + norms
        cost.multiplications += 2 * (t + 1) * d * d + 2 * d * d + 2 * d * hidden + 2 * (t + 1) * d
        cost.activations += (t + 1) * 3 * d + 4 * d + 2 * hidden
    elif config.pooling == "attention":
        half = max(1, d // 2)
        cost.parameters += d * half + 2 * half
        cost.multiplications += t * (d * half + half) + t * d
        cost.activations += 2 * t * half
    return cost
