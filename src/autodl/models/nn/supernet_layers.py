"""Layers whose first rows and columns are the layers of smaller networks, so that all of them share weights.

Notation: b rows, i inputs and o outputs of the network in use, I and O the most that any has.
Source: Guo et al. 2020, "Single Path One-Shot Neural Architecture Search with Uniform Sampling"; slices as in Yu et
al. 2019, "Slimmable Neural Networks".
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from autodl.models.nn.layers import NTK_WIDTH, Activation, fit_to_rows
from autodl.train.optimizers import HyperFactor


class SliceLinear(nn.Module):
    """``y = W[:o, :i] x / sqrt(i) + b[:o]`` with W of unit variance: outputs of unit scale whatever the slice.

    Args:
        d_in: I. d_out: O.

    Shape: (b, i) -> (b, o), i <= I, o <= O.
    """

    def __init__(self, d_in: int, d_out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(d_out, d_in))
        self.bias = nn.Parameter(torch.zeros(d_out))
        self.out = d_out

    def hyper_factors(self) -> Mapping[str, HyperFactor]:
        """Those of ``TangentLinear``, which has ``1 / sqrt(i)`` in its weights instead."""
        rate = NTK_WIDTH**0.5
        return {"weight": HyperFactor(rate, 1.0 / rate), "bias": HyperFactor(0.1 * rate, 0.0)}

    def forward(self, x: Tensor, out: int | None = None) -> Tensor:
        """The first ``out`` outputs (all of them if left out)."""
        i, o = x.shape[-1], out or self.out
        return functional.linear(x * i**-0.5, self.weight[:o, :i], self.bias[:o])

    @torch.no_grad()
    def fit(self, x: Tensor, generator: torch.Generator) -> None:
        """Unit outputs on these rows, kinks among them; see ``fit_to_rows``."""
        i = x.shape[-1]
        y = functional.linear(x * i**-0.5, self.weight[:, :i])
        fit_to_rows(self.weight, self.bias, y, generator)


class SliceNorm(nn.Module):
    """Batch or layer norm over the first i features; each kind has its own scales and shifts.

    Batch norm takes the statistics of the rows at hand while training. Those of the whole data differ from network to
    network, so that none are kept: ``calibrating`` takes them from rows given for that purpose.

    Args:
        features: I. kinds: Names of ``make_norm`` that may be asked for.

    Shape: (b, i) -> (b, i).
    """

    def __init__(self, features: int, kinds: tuple[str, ...]) -> None:
        super().__init__()
        used = [k for k in kinds if k != "none"]
        self.scales = nn.ParameterDict({k: nn.Parameter(torch.ones(features)) for k in used})
        self.shifts = nn.ParameterDict({k: nn.Parameter(torch.zeros(features)) for k in used})
        self.calibrating = False
        self._statistics: tuple[Tensor, Tensor] | None = None

    def forward(self, x: Tensor, kind: str) -> Tensor:
        """Normalized rows."""
        if kind == "none":
            return x
        i = x.shape[-1]
        scale, shift = self.scales[kind][:i], self.shifts[kind][:i]
        if kind == "layer":
            return functional.layer_norm(x, (i,), scale, shift)
        if self.training or self.calibrating:
            if self.calibrating:
                self._statistics = (x.mean(0), x.var(0, correction=0))
            return functional.batch_norm(x, None, None, scale, shift, training=True)
        if self._statistics is None or len(self._statistics[0]) != i:
            raise RuntimeError("batch norm needs calibration before it can be evaluated")
        return functional.batch_norm(x, *self._statistics, scale, shift, training=False)


class SliceActivation(Activation):
    """An activation over the first i features; see ``Activation``.

    Shape: (b, i) -> (b, i).
    """

    def forward(self, x: Tensor) -> Tensor:
        """Activated features."""
        y = self._function(x)
        return y if self.strength is None else torch.lerp(x, y, self.strength[: x.shape[-1]])
