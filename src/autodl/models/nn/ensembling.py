"""Many networks in one: layers that k members share but for a few weights.

Source: Wen et al. 2020, "BatchEnsemble"; Gorishniy et al. 2024, "TabM: Advancing Tabular Deep Learning with
Parameter-Efficient Ensembling". Notation: b rows, k members, d features.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from autodl.train.optimizers import HyperFactor


def random_signs(*shape: int) -> Tensor:
    """A tensor of -1 and 1 with equal probability."""
    return torch.randint(0, 2, shape).float().mul_(2).sub_(1)


class MemberScale(nn.Module):
    """A factor for each member and feature; all that differs between members in TabM-mini.

    Args:
        members: k. features: d. signs: start from random signs rather than from ones.

    Shape: (b, k, d) or (b, 1, d) -> (b, k, d).
    """

    def __init__(self, members: int, features: int, signs: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(random_signs(members, features) if signs else torch.ones(members, features))

    def hyper_factors(self) -> Mapping[str, HyperFactor]:
        """Signs must not decay towards 0."""
        return {"weight": HyperFactor(1.0, 0.0)}

    def forward(self, x: Tensor) -> Tensor:
        """Outputs of all members."""
        return x * self.weight


class BatchEnsembleLinear(nn.Module):
    """k linear layers with one weight matrix: ``((x * r_i) W^T) * s_i + b_i`` (BatchEnsemble, equation 5).

    Args:
        d_in, d_out: Features. members: k.
        signs: Start r from random signs (only the first layer in TabM); s starts at one.

    Shape: (b, k, d_in) or (b, 1, d_in) -> (b, k, d_out).
    """

    def __init__(self, d_in: int, d_out: int, members: int, signs: bool = False) -> None:
        super().__init__()
        bound = d_in**-0.5
        self.weight = nn.Parameter(torch.empty(d_out, d_in).uniform_(-bound, bound))
        self.scale_in = nn.Parameter(random_signs(members, d_in) if signs else torch.ones(members, d_in))
        self.scale_out = nn.Parameter(torch.ones(members, d_out))
        # The same start for all members, as if one shared bias plus own biases that start at 0.
        self.bias = nn.Parameter(torch.empty(d_out).uniform_(-bound, bound).repeat(members, 1))

    def hyper_factors(self) -> Mapping[str, HyperFactor]:
        """Scales and biases are not decayed."""
        return {name: HyperFactor(1.0, 0.0) for name in ("scale_in", "scale_out", "bias")}

    def forward(self, x: Tensor) -> Tensor:
        """Outputs of all members."""
        return torch.addcmul(self.bias, (x * self.scale_in) @ self.weight.T, self.scale_out)


class MemberLinear(nn.Module):
    """k separate linear layers, the heads of the members.

    Shape: (b, k, d_in) -> (b, k, d_out).
    """

    def __init__(self, d_in: int, d_out: int, members: int) -> None:
        super().__init__()
        bound = d_in**-0.5
        self.weight = nn.Parameter(torch.empty(members, d_in, d_out).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(members, d_out).uniform_(-bound, bound))

    def hyper_factors(self) -> Mapping[str, HyperFactor]:
        """The bias is a matrix here, but still takes no decay."""
        return {"bias": HyperFactor(1.0, 0.0)}

    def forward(self, x: Tensor) -> Tensor:
        """Outputs of all members."""
        return torch.baddbmm(self.bias[:, None], x.transpose(0, 1), self.weight).transpose(0, 1)
