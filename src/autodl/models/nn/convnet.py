"""A convolutional network over sequences or images from its configuration; see ``conv_layers`` for notation."""

from __future__ import annotations

import math

from torch import Tensor, nn
from torch.nn import functional

from autodl.models.nn.conv_blocks import make_block
from autodl.models.nn.conv_config import ConvNetConfig
from autodl.models.nn.conv_layers import ConvNorm, ConvUnit, Dims, masked, max_pool, strided
from autodl.models.nn.layers import Activation, Dropout
from autodl.models.nn.pooling import make_pooling


class PatchStem(nn.Module):
    """One linear map of each patch (Dosovitskiy et al. 2021; Liu et al. 2022); the input is padded to whole patches.

    Shape: (b, c, *), (b, t) bool or None -> (b, d, * / size, rounded up).
    """

    def __init__(self, dims: Dims, channels: int, config: ConvNetConfig) -> None:
        super().__init__()
        self.size = config.stem_kernel
        make = nn.Conv1d if dims == 1 else nn.Conv2d
        self.conv = make(channels, config.stem_width, self.size, self.size)
        nn.init.normal_(self.conv.weight, 0.0, math.sqrt(1.0 / (channels * self.size**dims)))
        self.norm = ConvNorm(config.norm, config.stem_width)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Patches."""
        gaps = [-n % self.size for n in x.shape[2:]]
        padding = [p for gap in reversed(gaps) for p in (0, gap)]
        y = self.conv(functional.pad(masked(x, mask), padding))
        return self.norm(y, strided(mask, self.size))  # type: ignore[no-any-return]


class PooledStem(nn.Module):
    """A convolution with stride 2, then the maximum of 3 with stride 2: a quarter of the resolution (ResNet).

    Shape: (b, c, *), (b, t) bool or None -> (b, d, * / 4, rounded up).
    """

    def __init__(self, dims: Dims, channels: int, config: ConvNetConfig) -> None:
        super().__init__()
        self.unit = ConvUnit(
            dims, channels, config.stem_width, config.stem_kernel, stride=2, norm=config.norm,
            activation=config.activation,
        )  # fmt: skip

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """A quarter of the positions."""
        return max_pool(self.unit(x, mask), strided(mask, 2), 3, 2)


class ConvNet(nn.Module):
    """Stem, stages of blocks, pooling over all positions, and a linear head.

    Args:
        config: Architecture. channels: c of the input. dims: 1 for sequences, 2 for images.
        n_outputs: Of the head; 0: there is none, and the ``width`` pooled features are given.

    Shape: (b, c, t) with a mask (b, t) or none, or (b, c, height, width) -> (b, n_outputs or width).
    """

    def __init__(self, config: ConvNetConfig, channels: int, n_outputs: int, dims: Dims = 2) -> None:
        super().__init__()
        norm, activation = config.norm, config.activation
        self.stem: nn.Module
        match config.stem:
            case "patch":
                self.stem, self.stem_stride = PatchStem(dims, channels, config), config.stem_kernel
            case "imagenet":
                self.stem, self.stem_stride = PooledStem(dims, channels, config), 4
            case "conv":
                self.stem, self.stem_stride = (
                    ConvUnit(
                        dims, channels, config.stem_width, config.stem_kernel, stride=config.stem_stride,
                        norm=norm, activation=activation,
                    ),
                    config.stem_stride,
                )  # fmt: skip
        specs = [spec for stage in config.specs() for spec in stage]
        self.blocks = nn.ModuleList(make_block(dims, s, norm, activation, config.squeeze) for s in specs)
        self.strides = tuple(s.stride for s in specs)
        d = specs[-1].d_out
        self.last = (
            ConvUnit(dims, d, config.head_width, norm=norm, activation=activation) if config.head_width else None
        )
        d = config.head_width or d
        # Blocks that end in a sum without an activation leave values of any size and sign.
        self.final_activation = Activation(activation) if not self.last and specs[-1].kind == "mbconv" else None
        self.pool = make_pooling(config.pooling, d)
        self.drop = Dropout(config.dropout)
        self.width = d
        self.head = nn.Linear(d, n_outputs) if n_outputs else None
        if self.head is not None:
            nn.init.normal_(self.head.weight, 0.0, 0.01)
            nn.init.zeros_(self.head.bias)

    def features(self, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Channels at each position that is left, and the mask of those; (b, d, *), (b, t') or None."""
        x = self.stem(x, mask)
        mask = strided(mask, self.stem_stride)
        for block, stride in zip(self.blocks, self.strides, strict=True):
            x = block(x, mask)
            mask = strided(mask, stride)
        if self.last is not None:
            x = self.last(x, mask)
        return (x if self.final_activation is None else self.final_activation(x)), mask

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Raw outputs or pooled features."""
        x, mask = self.features(x, mask)
        pooled = self.drop(self.pool(x.flatten(2).transpose(1, 2), mask))
        return pooled if self.head is None else self.head(pooled)  # type: ignore[no-any-return]
