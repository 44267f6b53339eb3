"""Parts of convolutional networks over sequences and images: convolution with norm, squeeze-and-excitation, paths.

Notation: b rows, c channels, * one dimension (a sequence of t steps) or two (height, width of an image). A mask
(b, t) marks the steps of sequences of different lengths that count; what stands at the others never matters: it is
zero before each convolution, as the padding at the end is, and enters no statistic.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from autodl.models.nn.conv_config import ConvNormName
from autodl.models.nn.layers import Activation

Dims = Literal[1, 2]


def convolution(dims: Dims, d_in: int, d_out: int, kernel: int, stride: int, groups: int, bias: bool) -> nn.Module:
    """A convolution padded so that stride 1 keeps the size, for odd kernels; He initialization (He et al. 2015)."""
    make = nn.Conv1d if dims == 1 else nn.Conv2d
    layer = make(d_in, d_out, kernel, stride, padding=kernel // 2, groups=groups, bias=bias)
    # Fan-out counts what one input feeds; for a depthwise layer only its own channel (Tan and Le 2019).
    nn.init.normal_(layer.weight, 0.0, math.sqrt(2.0 / (kernel**dims * d_out / groups)))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def masked(x: Tensor, mask: Tensor | None) -> Tensor:
    """Zeros at the steps that do not count; (b, c, t), (b, t) -> (b, c, t)."""
    return x if mask is None else torch.where(mask[:, None], x, 0.0)


def strided(mask: Tensor | None, stride: int) -> Tensor | None:
    """The mask of what a layer with this stride gives: (b, t) -> (b, ceil(t / stride))."""
    return mask if mask is None or stride == 1 else mask[:, ::stride]


class BatchNorm(nn.modules.batchnorm._BatchNorm):
    """Batch norm of channels over whatever positions there are; images keep their memory format.

    Shape: (b, c) or (b, c, *) -> the same.
    """

    def _check_input_dim(self, input: Tensor) -> None:
        """Any number of dimensions will do."""


class ConvNorm(nn.Module):
    """Batch norm over the steps that count, or layer norm over the channels of each position (Liu et al. 2022).

    Shape: (b, c, *), (b, t) bool or None -> (b, c, *).
    """

    def __init__(self, name: ConvNormName, channels: int) -> None:
        super().__init__()
        self.batch = BatchNorm(channels) if name == "batch" else None
        self.layer = nn.LayerNorm(channels, eps=1e-6) if name == "layer" else None

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Same shape, see the class."""
        if self.layer is not None:
            return self.layer(x.movedim(1, -1)).movedim(-1, 1)  # type: ignore[no-any-return]
        if self.batch is None:
            return x
        if mask is None:
            return self.batch(x)  # type: ignore[no-any-return]
        rows = x.transpose(1, 2)
        out = torch.zeros_like(rows)
        out[mask] = self.batch(rows[mask])
        return out.transpose(1, 2)


class ConvUnit(nn.Module):
    """Convolution, norm, activation (``none``: without).

    Args:
        dims: 1 or 2. d_in, d_out: channels. kernel: odd. stride: step. groups: of channels.
        norm, activation: names.

    Shape: (b, d_in, *), (b, t) bool or None -> (b, d_out, * / stride, rounded up).
    """

    def __init__(
        self,
        dims: Dims,
        d_in: int,
        d_out: int,
        kernel: int = 1,
        *,
        stride: int = 1,
        groups: int = 1,
        norm: ConvNormName = "batch",
        activation: str = "none",
    ) -> None:
        super().__init__()
        self.stride = stride
        self.conv = convolution(dims, d_in, d_out, kernel, stride, groups, bias=norm == "none")
        self.norm = ConvNorm(norm, d_out)
        self.activation = nn.Identity() if activation == "none" else Activation(activation)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Channels out."""
        y = self.norm(self.conv(masked(x, mask)), strided(mask, self.stride))
        return self.activation(y)  # type: ignore[no-any-return]


class SqueezeExcite(nn.Module):
    """A factor in (0, 1) for each channel, from the mean of all (Hu et al. 2018).

    Args:
        channels: c. hidden: channels in between. activation: name.

    Shape: (b, c, *), (b, t) bool or None -> (b, c, *).
    """

    def __init__(self, channels: int, hidden: int, activation: str) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(channels, hidden), Activation(activation), nn.Linear(hidden, channels), nn.Sigmoid()
        )

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Same shape, see the class."""
        flat = x.flatten(2)
        if mask is None:
            mean = flat.mean(2)
        else:
            mean = masked(flat, mask).sum(2) / mask.sum(1, keepdim=True).clamp(min=1)
        return x * self.body(mean).view(*mean.shape, *(1 for _ in x.shape[2:]))  # type: ignore[no-any-return]


class DropPath(nn.Module):
    """Stochastic depth: leaves a branch out for whole rows while training (Huang et al. 2016).

    Shape: (b, *) -> (b, *).
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """Zero for some rows, the others divided by the share that stays."""
        if not self.training or self.rate == 0.0:
            return x
        keep = torch.rand(len(x), *(1 for _ in x.shape[1:]), device=x.device) >= self.rate
        return x * keep.to(x.dtype) / (1.0 - self.rate)


def max_pool(x: Tensor, mask: Tensor | None, kernel: int, stride: int) -> Tensor:
    """Maximum over a window around each position, of the steps that count; (b, c, *) -> (b, c, * / stride)."""
    if mask is not None:
        x = torch.where(mask[:, None], x, torch.finfo(x.dtype).min)
    pool = functional.max_pool1d if x.ndim == 3 else functional.max_pool2d
    return masked(pool(x, kernel, stride, padding=kernel // 2), strided(mask, stride))
