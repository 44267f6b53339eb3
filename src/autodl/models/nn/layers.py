"""Small parts that networks are put together from: activations, gates, norms, scales.

Notation: b rows, * any further dimensions (such as the k members of an ensemble), d features.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from autodl.train.optimizers import HyperFactor

_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": functional.relu,
    "gelu": functional.gelu,
    "silu": functional.silu,
    "selu": functional.selu,
    "mish": functional.mish,
    "leaky_relu": functional.leaky_relu,
    "tanh": torch.tanh,
}
_GATES: dict[str, str] = {"reglu": "relu", "geglu": "gelu", "swiglu": "silu"}

NTK_WIDTH = 256
"""Width at which learning rates under the neural-tangent parametrization equal the usual ones."""


class Activation(nn.Module):
    """An activation, optionally with a learned strength for each feature.

    Parametric: ``x + a * (f(x) - x)``, a starting at 1 (Holzmueller et al. 2024, "Better by Default").

    Args:
        name: Which function f.
        features: d; needed if ``parametric``.
        parametric: Learn a.

    Shape: (b, *, d) -> (b, *, d).

    Raises:
        ValueError: For an unknown name.
    """

    def __init__(self, name: str, features: int = 0, parametric: bool = False) -> None:
        super().__init__()
        if name not in _ACTIVATIONS:
            raise ValueError(f"`name` must be one of {', '.join(_ACTIVATIONS)}, but got {name!r}")
        self._function = _ACTIVATIONS[name]
        self.strength = nn.Parameter(torch.ones(features)) if parametric else None

    def hyper_factors(self) -> Mapping[str, HyperFactor]:
        """A tenth of the rate of RealMLP's raw parametrization, no decay."""
        return {"strength": HyperFactor(0.1 * NTK_WIDTH**0.5, 0.0)} if self.strength is not None else {}

    def forward(self, x: Tensor) -> Tensor:
        """Same shape, see the class."""
        y = self._function(x)
        return y if self.strength is None else torch.lerp(x, y, self.strength)


class Gate(nn.Module):
    """``u * f(v)`` for the halves u, v of the input (Shazeer 2020, "GLU Variants Improve Transformer").

    Shape: (b, *, 2 d) -> (b, *, d).

    Raises:
        ValueError: For an unknown name.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        if name not in _GATES:
            raise ValueError(f"`name` must be one of {', '.join(_GATES)}, but got {name!r}")
        self._function = _ACTIVATIONS[_GATES[name]]

    def forward(self, x: Tensor) -> Tensor:
        """Same shape, see the class."""
        u, v = x.chunk(2, dim=-1)
        return u * self._function(v)


class BatchNorm(nn.BatchNorm1d):
    """Batch norm over the last dimension; members of an ensemble share the statistics.

    Shape: (b, d) or (b, k, d) -> the same.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Same shape, see the class."""
        return super().forward(x.reshape(-1, x.shape[-1])).view(x.shape)


def make_norm(name: str, features: int) -> nn.Module:
    """A normalization layer over the last dimension.

    Raises:
        ValueError: For an unknown name.
    """
    match name:
        case "none":
            return nn.Identity()
        case "batch":
            return BatchNorm(features)
        case "layer":
            return nn.LayerNorm(features)
        case "rms":
            return nn.RMSNorm(features, eps=1e-6)
    raise ValueError(f"`name` must be none, batch, layer or rms, but got {name!r}")


class Dropout(nn.Dropout):
    """Dropout whose mask costs a quarter of torch's on the CPU: one random byte a feature.

    The rate is rounded to 1/256.

    Shape: any -> the same.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Masked and rescaled while training."""
        cut = round(256 * self.p)
        if not self.training or cut == 0:
            return x
        if x.is_cuda or cut == 256:
            return functional.dropout(x, self.p)
        words = torch.randint(-(2**63), 2**63 - 1, (-(-x.numel() // 8),), dtype=torch.int64)
        keep = words.view(torch.uint8)[: x.numel()].view(x.shape) >= cut
        return x * keep.to(x.dtype).mul_(256 / (256 - cut))


class Scale(nn.Module):
    """A learned factor for each feature, a soft feature selection (RealMLP's scaling layer).

    Shape: (b, *, d) -> (b, *, d).
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(features))

    def hyper_factors(self) -> Mapping[str, HyperFactor]:
        """RealMLP's factor 6 in its parametrization, which is 6 * 16 in the usual one; no decay."""
        return {"weight": HyperFactor(6.0 * NTK_WIDTH**0.5, 0.0)}

    def forward(self, x: Tensor) -> Tensor:
        """Same shape, see the class."""
        return x * self.weight


class TangentLinear(nn.Linear):
    """A linear layer whose learning rates follow the neural tangent parametrization of RealMLP.

    ``y = W x / sqrt(d_in) + b`` with unit-variance W under Adam equals a usual layer with the rate multiplied by
    ``sqrt(256 / d_in)`` when the configured rate is meant for 256 inputs. Biases learn at a tenth of the raw rate.

    Shape: (b, *, d_in) -> (b, *, d_out).
    """

    def hyper_factors(self) -> Mapping[str, HyperFactor]:
        """Rate factors; the decay is divided by them, so that decay times rate does not depend on the width."""
        rate = (NTK_WIDTH / self.in_features) ** 0.5
        return {"weight": HyperFactor(rate, 1.0 / rate), "bias": HyperFactor(0.1 * NTK_WIDTH**0.5, 0.0)}


def fit_to_rows(weight: Tensor, bias: Tensor | None, y: Tensor, generator: torch.Generator) -> None:
    """Scale the rows of a linear layer to unit outputs and put its kinks among the data; see ``init_from_data``.

    Args:
        weight: (o, i). bias: (o,) or None. y: (b, o) outputs without bias. generator: source of the combinations.
    """
    spread = y.std(dim=0, correction=0)
    spread = torch.where(spread > 1e-4, spread, torch.ones_like(spread))
    weight.div_(spread[:, None])
    if bias is not None:
        y = (y / spread).cpu()
        picks = torch.randint(len(y), (5, y.shape[1]), generator=generator)
        shares = torch.empty(5, y.shape[1]).exponential_(generator=generator)
        shares /= shares.sum(0)
        bias.copy_(-(y.gather(0, picks) * shares).sum(0))


def init_from_data(module: nn.Module, inputs: tuple[Tensor, ...], generator: torch.Generator) -> None:
    """Set every ``TangentLinear`` by the rows that reach it: unit outputs, kinks among the data.

    Weights are divided by the standard deviation of their outputs; each bias is minus a random convex combination
    of five outputs ("he+5", Steinwart 2019, as in RealMLP). One forward pass sets all layers in order.

    Args:
        module: Any module. inputs: a sample of rows. generator: source of the combinations.
    """

    def before(layer: nn.Module, args: tuple[Tensor, ...]) -> None:
        assert isinstance(layer, TangentLinear)
        y = functional.linear(args[0], layer.weight).reshape(-1, layer.out_features)
        fit_to_rows(layer.weight, layer.bias, y, generator)

    hooks = [m.register_forward_pre_hook(before) for m in module.modules() if isinstance(m, TangentLinear)]
    training = module.training
    module.eval()
    try:
        with torch.no_grad():
            module(*inputs)
    finally:
        for hook in hooks:
            hook.remove()
        module.train(training)
