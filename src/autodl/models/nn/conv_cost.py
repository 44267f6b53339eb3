"""Weights, multiplications and activations of a convolutional network, counted without building it (or torch)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from autodl.models.nn.conv_config import BlockSpec, ConvNetConfig, inception_kernels, inner_channels, squeezed

MULTIPLICATION_S, ACTIVATION_S = 45e-12, 13e-9
"""Seconds of training for each multiplication of a forward pass and each number that layers leave, on one core.

Measured on four networks of 32 x 32 pixels (8 to 49 million multiplications, residual, plain, separable and inverted
blocks), which they miss by 30 % at most: depthwise convolutions are few multiplications, but touch as much memory.
"""
HALF_GAIN = 0.55
"""Share of that time where dense convolutions are in 16 bits on a processor that has instructions for it."""


@dataclass
class NetworkCost:
    """What a forward pass of one row takes.

    Attributes:
        parameters: Weights.
        multiplications: Multiply-adds of convolutions and linear layers; norms and activations are left out.
        activations: Numbers that layers leave for the backward pass.
    """

    parameters: int = 0
    multiplications: int = 0
    activations: int = 0


class _Tally:
    """Adds up layers while the resolution shrinks."""

    def __init__(self, size: tuple[int, ...], norm: str) -> None:
        self.size, self.norm, self.cost = size, norm, NetworkCost()

    def shrink(self, stride: int) -> None:
        self.size = tuple(-(-n // stride) for n in self.size)

    def conv(
        self, d_in: int, d_out: int, kernel: int = 1, stride: int = 1, groups: int = 1, bias: bool | None = None
    ) -> None:
        """A convolution with its norm at the current resolution; ``stride`` for one that ends at a lower one."""
        positions = math.prod(-(-n // stride) for n in self.size)
        weights = kernel ** len(self.size) * d_in * d_out // groups
        bias = self.norm == "none" if bias is None else bias
        self.cost.parameters += weights + d_out * bias + 2 * d_out * (self.norm != "none")
        self.cost.multiplications += weights * positions
        self.cost.activations += d_out * positions

    def linear(self, d_in: int, d_out: int, rows: int = 1, bias: bool = True) -> None:
        """A linear layer on so many rows."""
        self.cost.parameters += d_in * d_out + d_out * bias
        self.cost.multiplications += d_in * d_out * rows
        self.cost.activations += d_out * rows


def convnet_cost(config: ConvNetConfig, channels: int, n_outputs: int, size: tuple[int, ...]) -> NetworkCost:
    """Cost of one row of this size: (steps,) or (height, width)."""
    tally = _Tally(size, config.norm)
    _stem(tally, config, channels)
    specs = [spec for stage in config.specs() for spec in stage]
    for spec in specs:
        _block(tally, spec, config.squeeze)
    d = specs[-1].d_out
    if config.head_width:
        tally.conv(d, config.head_width)
        d = config.head_width
    if config.pooling == "gem":
        tally.cost.parameters += 1
    elif config.pooling == "attention":
        positions, hidden = math.prod(tally.size), max(1, d // 2)
        tally.linear(d, hidden, positions)
        tally.linear(hidden, 1, positions, bias=False)
        tally.cost.multiplications += positions * d
    if n_outputs:
        tally.linear(d, n_outputs)
    return tally.cost


def training_seconds_per_row(config: ConvNetConfig, channels: int, size: tuple[int, ...]) -> float:
    """Seconds that one row takes in one epoch on one core of the reference machine, in 32 bits."""
    return training_seconds(convnet_cost(config, channels, 1, size))


def training_seconds(cost: NetworkCost) -> float:
    """Seconds of one row in one epoch, from what its forward pass takes."""
    return MULTIPLICATION_S * cost.multiplications + ACTIVATION_S * cost.activations


def _stem(tally: _Tally, config: ConvNetConfig, channels: int) -> None:
    match config.stem:
        case "patch":
            tally.shrink(config.stem_kernel)
            tally.conv(channels, config.stem_width, config.stem_kernel, bias=True)
        case "imagenet":
            tally.conv(channels, config.stem_width, config.stem_kernel, stride=2)
            tally.shrink(2)
            tally.shrink(2)
        case "conv":
            tally.shrink(config.stem_stride)
            tally.conv(channels, config.stem_width, config.stem_kernel)


def _block(tally: _Tally, spec: BlockSpec, squeeze: float) -> None:
    _, d, e, k, stride, _, _ = spec
    m = inner_channels(spec)
    match spec.kind:
        case "plain":
            tally.conv(d, e, k, stride)
        case "separable":
            tally.conv(d, d, k, stride, groups=d)
            tally.conv(d, e, stride=stride)
        case "residual":
            tally.conv(d, e, k, stride)
            tally.conv(e, e, k, stride)
        case "bottleneck":
            tally.conv(d, m)
            tally.conv(m, m, k, stride)
            tally.conv(m, e, stride=stride)
        case "mbconv":
            if spec.expansion != 1:
                tally.conv(d, m)
            tally.conv(m, m, k, stride, groups=m)
            if hidden := squeezed(spec, squeeze):
                tally.linear(m, hidden)
                tally.linear(hidden, m)
            tally.conv(m, e, stride=stride)
        case "inception":
            tally.conv(d, e - 3 * m, stride=stride)
            for kernel in inception_kernels(k):
                tally.conv(d, m)
                tally.conv(m, m, kernel, stride)
            tally.conv(d, m, stride=stride)
    if spec.kind in ("residual", "bottleneck", "inception") and (d != e or stride != 1):
        tally.conv(d, e, stride=stride)
    tally.shrink(stride)
