"""A pretrained network of inverted bottlenecks, the last part of which is trained further.

Source: Tan and Le 2019, "EfficientNet"; Sandler et al. 2018, "MobileNetV2".
Notation: b images, S pixels a side as they come, d features.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from autodl.models.nn.conv_config import BlockSpec, ConvNetConfig, inner_channels
from autodl.models.nn.pooling import MeanPooling
from autodl.train.optimizers import HyperFactor


class FixedNormConv(nn.Module):
    """A convolution and a norm whose statistics stay: ``(scale * W) * x + bias``.

    The scale goes into the weights at each step, so that nothing is done to the pixels twice, and W learns at the
    rate at which it has learnt. Padding is that of TensorFlow (``SAME``), with which such networks were trained.

    Args:
        d_in, d_out: Channels. kernel, stride, groups: of the convolution.

    Shape: (b, d_in, h, w) -> (b, d_out, h / stride, w / stride), rounded up.
    """

    scale: Tensor

    def __init__(self, d_in: int, d_out: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.kernel, self.stride, self.groups = kernel, stride, groups
        self.weight = nn.Parameter(torch.empty(d_out, d_in // groups, kernel, kernel))
        nn.init.kaiming_normal_(self.weight, nonlinearity="relu")
        self.bias = nn.Parameter(torch.zeros(d_out))
        self.register_buffer("scale", torch.ones(d_out))
        self.rate = 1.0

    def hyper_factors(self) -> Mapping[str, HyperFactor]:
        """Slower where it lies deeper; what was learnt on many more images does not decay."""
        return {"weight": HyperFactor(self.rate, 0.0), "bias": HyperFactor(self.rate, 0.0)}

    def forward(self, x: Tensor) -> Tensor:
        """Channels out."""
        weight, k, s = self.weight * self.scale[:, None, None, None], self.kernel, self.stride
        if s == 1:
            return functional.conv2d(x, weight, self.bias, padding=k // 2, groups=self.groups)
        gaps = [max(0, (-(-n // s) - 1) * s + k - n) for n in (x.shape[3], x.shape[2])]
        padded = functional.pad(x, [p for gap in gaps for p in (gap // 2, gap - gap // 2)])
        return functional.conv2d(padded, weight, self.bias, stride=s, groups=self.groups)


class InvertedBlock(nn.Module):
    """Widen, look around each channel by itself, narrow; with a shortcut where the shape stays.

    Shape: (b, d_in, h, w) -> (b, d_out, h / stride, w / stride), rounded up.
    """

    def __init__(self, spec: BlockSpec) -> None:
        super().__init__()
        m = inner_channels(spec)
        self.expand = FixedNormConv(spec.d_in, m) if spec.expansion != 1 else None
        self.depthwise = FixedNormConv(m, m, spec.kernel, spec.stride, groups=m)
        self.project = FixedNormConv(m, spec.d_out)
        self.shortcut = spec.stride == 1 and spec.d_in == spec.d_out

    def forward(self, x: Tensor) -> Tensor:
        """Channels out."""
        y = x if self.expand is None else functional.relu6(self.expand(x))
        y = self.project(functional.relu6(self.depthwise(y)))
        return x + y if self.shortcut else y  # type: ignore[no-any-return]


class MobileBody(nn.Module):
    """Stem, stages, a last convolution, and the mean over the image.

    What lies before the trained part is only looked through: it keeps nothing for a backward pass. In 16 bits it
    takes less than half the time where the processor is made for that, while depthwise layers are slower to train so.

    Args:
        layers: Architecture. side: pixels a side to which images are brought.
        tuned: Stages at the end that are trained, and the last convolution with them; 0: nothing is.
        half: Whether what is only looked through is calculated in 16 bits.
        layer_decay: Rate of a part over that of the one behind it (Howard and Ruder 2018, "ULMFiT", section 3.2).
        ends: Stages at the end whose means are given beside those of the last convolution.

    Shape: (b, 3, S, S) -> (b, d).
    """

    def __init__(
        self, layers: ConvNetConfig, side: int, tuned: int, layer_decay: float, half: bool = False, ends: int = 0
    ) -> None:
        super().__init__()
        specs = layers.specs()
        self.side, self.in_half, self.ends = side, half, min(ends, len(specs))
        self.width = layers.head_width + sum(stage[-1].d_out for stage in specs[len(specs) - self.ends :])
        self.fixed = len(specs) - tuned if tuned else len(specs)
        self.tuned = tuned > 0
        self.stem = FixedNormConv(3, layers.stem_width, layers.stem_kernel, layers.stem_stride)
        self.stages = nn.ModuleList(nn.Sequential(*(InvertedBlock(s) for s in stage)) for stage in specs)
        self.last = FixedNormConv(specs[-1][-1].d_out, layers.head_width)
        self.pool = MeanPooling()
        parts: list[nn.Module] = [self.stem, *self.stages, self.last]
        for distance, part in enumerate(reversed(parts)):
            trained = self.tuned and distance <= tuned
            for module in part.modules():
                if isinstance(module, FixedNormConv):
                    module.rate = layer_decay ** (distance + 1)
                    module.requires_grad_(trained)

    def forward(self, x: Tensor) -> Tensor:
        """Features of the image."""
        means: list[Tensor] = []
        with torch.no_grad(), torch.autocast(x.device.type, torch.bfloat16, enabled=self.in_half):
            if x.shape[-1] != self.side:
                size = (self.side, self.side)
                x = functional.interpolate(x, size, mode="bilinear", antialias=x.shape[-1] > self.side)
            x = self._through(0, self.fixed, functional.relu6(self.stem(x)), means)
            if not self.tuned:
                x = functional.relu6(self.last(x))
        x = x.float()
        if self.tuned:
            x = functional.relu6(self.last(self._through(self.fixed, len(self.stages), x, means)))
        return torch.cat([self.pool(x.flatten(2).transpose(1, 2)), *means], 1)

    def _through(self, first: int, stop: int, x: Tensor, means: list[Tensor]) -> Tensor:
        """What some of the stages make of the channels; means over the image of those that are asked for."""
        for number in range(first, stop):
            x = self.stages[number](x)
            if number >= len(self.stages) - self.ends:
                means.append(x.float().mean((2, 3)))
        return x
