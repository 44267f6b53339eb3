"""Blocks of convolutional networks, each (b, d_in, *) -> (b, d_out, * / stride); see ``conv_layers`` for notation."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from autodl.models.nn.conv_config import (
    BlockSpec,
    ConvNormName,
    inception_kernels,
    inner_channels,
    squeezed,
)
from autodl.models.nn.conv_layers import ConvUnit, Dims, DropPath, SqueezeExcite, max_pool, strided
from autodl.models.nn.layers import Activation


class PlainBlock(nn.Module):
    """Convolution, norm, activation (Simonyan and Zisserman 2015, "VGG")."""

    def __init__(self, dims: Dims, spec: BlockSpec, norm: ConvNormName, activation: str) -> None:
        super().__init__()
        self.unit = ConvUnit(
            dims, spec.d_in, spec.d_out, spec.kernel, stride=spec.stride, norm=norm, activation=activation
        )

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """The block's output."""
        return self.unit(x, mask)  # type: ignore[no-any-return]


class SeparableBlock(nn.Module):
    """A convolution of each channel alone, then one across channels (Howard et al. 2017, "MobileNets")."""

    def __init__(self, dims: Dims, spec: BlockSpec, norm: ConvNormName, activation: str) -> None:
        super().__init__()
        d, e = spec.d_in, spec.d_out
        self.depthwise = ConvUnit(
            dims, d, d, spec.kernel, stride=spec.stride, groups=d, norm=norm, activation=activation
        )
        self.pointwise = ConvUnit(dims, d, e, norm=norm, activation=activation)
        self.stride = spec.stride

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """The block's output."""
        return self.pointwise(self.depthwise(x, mask), strided(mask, self.stride))  # type: ignore[no-any-return]


class Shortcut(nn.Module):
    """The input itself, or a 1 x 1 convolution where the shape changes (He et al. 2016, option B)."""

    def __init__(self, dims: Dims, spec: BlockSpec, norm: ConvNormName) -> None:
        super().__init__()
        same = spec.d_in == spec.d_out and spec.stride == 1
        self.project = None if same else ConvUnit(dims, spec.d_in, spec.d_out, stride=spec.stride, norm=norm)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """The block's output."""
        return x if self.project is None else self.project(x, mask)


class ResidualBlock(nn.Module):
    """``act(x + F(x))``, F two convolutions or a bottleneck of three (He et al. 2016, "Deep Residual Learning").

    F starts at 0 (Goyal et al. 2017, section 5.1).
    """

    def __init__(self, dims: Dims, spec: BlockSpec, norm: ConvNormName, activation: str) -> None:
        super().__init__()
        d, e, k = spec.d_in, spec.d_out, spec.kernel
        if spec.kind == "bottleneck":
            m = inner_channels(spec)
            self.first = ConvUnit(dims, d, m, norm=norm, activation=activation)
            self.middle: ConvUnit | None = ConvUnit(
                dims, m, m, k, stride=spec.stride, norm=norm, activation=activation
            )
            self.last = ConvUnit(dims, m, e, norm=norm)
        else:
            self.first = ConvUnit(dims, d, e, k, stride=spec.stride, norm=norm, activation=activation)
            self.middle = None
            self.last = ConvUnit(dims, e, e, k, norm=norm)
        start_at_zero(self.last)
        self.shortcut, self.drop = Shortcut(dims, spec, norm), DropPath(spec.drop_path)
        self.activation, self.stride = Activation(activation), spec.stride

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """The block's output."""
        y = self.first(x, mask) if self.middle is None else self.middle(self.first(x, mask), mask)
        y = self.drop(self.last(y, strided(mask, self.stride)))
        return self.activation(self.shortcut(x, mask) + y)  # type: ignore[no-any-return]


class MBConvBlock(nn.Module):
    """Inverted bottleneck: widen, convolve each channel, squeeze and excite, project; a shortcut where shapes agree.

    Source: Sandler et al. 2018, "MobileNetV2"; Tan and Le 2019, "EfficientNet".
    """

    def __init__(self, dims: Dims, spec: BlockSpec, norm: ConvNormName, activation: str, squeeze: float) -> None:
        super().__init__()
        m, s = inner_channels(spec), squeezed(spec, squeeze)
        self.widen = None if spec.expansion == 1 else ConvUnit(dims, spec.d_in, m, norm=norm, activation=activation)
        self.depthwise = ConvUnit(
            dims, m, m, spec.kernel, stride=spec.stride, groups=m, norm=norm, activation=activation
        )
        self.excite = SqueezeExcite(m, s, activation) if s else None
        self.project = ConvUnit(dims, m, spec.d_out, norm=norm)
        self.residual = spec.stride == 1 and spec.d_in == spec.d_out
        self.drop, self.stride = DropPath(spec.drop_path), spec.stride

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """The block's output."""
        y = self.depthwise(x if self.widen is None else self.widen(x, mask), mask)
        after = strided(mask, self.stride)
        if self.excite is not None:
            y = self.excite(y, after)
        y = self.project(y, after)
        return x + self.drop(y) if self.residual else y  # type: ignore[no-any-return]


class InceptionBlock(nn.Module):
    """Branches side by side, a quarter of the channels each, with a shortcut: 1; 1, k; 1, 2 k - 1; maximum of 3, 1.

    Source: Szegedy et al. 2015, "Going Deeper with Convolutions"; 2017, "Inception-ResNet"; for sequences, with long
    kernels, Ismail Fawaz et al. 2020, "InceptionTime".
    """

    def __init__(self, dims: Dims, spec: BlockSpec, norm: ConvNormName, activation: str) -> None:
        super().__init__()
        d, m, stride = spec.d_in, inner_channels(spec), spec.stride
        self.point = ConvUnit(dims, d, spec.d_out - 3 * m, stride=stride, norm=norm)
        kernels = inception_kernels(spec.kernel)
        self.reduce = nn.ModuleList(ConvUnit(dims, d, m, norm=norm, activation=activation) for _ in kernels)
        self.around = nn.ModuleList(ConvUnit(dims, m, m, k, stride=stride, norm=norm) for k in kernels)
        self.pooled = ConvUnit(dims, d, m, norm=norm)
        self.shortcut, self.drop = Shortcut(dims, spec, norm), DropPath(spec.drop_path)
        self.activation, self.stride = Activation(activation), stride

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """The block's output."""
        branches = [self.point(x, mask)]
        branches += [wide(narrow(x, mask), mask) for narrow, wide in zip(self.reduce, self.around, strict=True)]
        branches.append(self.pooled(max_pool(x, mask, 3, self.stride), strided(mask, self.stride)))
        y = self.drop(torch.cat(branches, 1))
        return self.activation(self.shortcut(x, mask) + y)  # type: ignore[no-any-return]


def start_at_zero(unit: ConvUnit) -> None:
    """Make a unit without activation give zeros until it is trained."""
    scaled: list[nn.Module] = [m for m in (unit.norm.batch, unit.norm.layer) if m is not None]
    for module in scaled or [unit.conv]:
        assert isinstance(module.weight, Tensor)
        nn.init.zeros_(module.weight)


def make_block(dims: Dims, spec: BlockSpec, norm: ConvNormName, activation: str, squeeze: float) -> nn.Module:
    """The block that a specification describes.

    Raises:
        ValueError: For an unknown kind.
    """
    match spec.kind:
        case "plain":
            return PlainBlock(dims, spec, norm, activation)
        case "residual" | "bottleneck":
            return ResidualBlock(dims, spec, norm, activation)
        case "separable":
            return SeparableBlock(dims, spec, norm, activation)
        case "mbconv":
            return MBConvBlock(dims, spec, norm, activation, squeeze)
        case "inception":
            return InceptionBlock(dims, spec, norm, activation)
    raise ValueError(f"unknown kind of block: {spec.kind!r}")
