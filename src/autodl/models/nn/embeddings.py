"""Embeddings of numbers: each column becomes a small vector before the network sees it.

Source: Gorishniy et al. 2022, "On Embeddings for Numerical Features in Tabular Deep Learning"; the variant with
bias and shortcut is from Holzmueller et al. 2024, "Better by Default".
Notation: b rows, p columns, m frequencies, e embedding size, t bins.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from autodl.train.optimizers import HyperFactor


class ColumnLinear(nn.Module):
    """A linear layer of its own for each column.

    Shape: (b, p, d_in) -> (b, p, d_out).
    """

    def __init__(self, columns: int, d_in: int, d_out: int) -> None:
        super().__init__()
        bound = d_in**-0.5
        self.weight = nn.Parameter(torch.empty(columns, d_in, d_out).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(columns, d_out).uniform_(-bound, bound))

    def hyper_factors(self) -> Mapping[str, HyperFactor]:
        """The bias is a matrix here, but still takes no decay."""
        return {"bias": HyperFactor(1.0, 0.0)}

    def forward(self, x: Tensor) -> Tensor:
        """Embedded columns."""
        return torch.baddbmm(self.bias[:, None], x.transpose(0, 1), self.weight).transpose(0, 1)


class LinearReLUEmbedding(nn.Module):
    """``relu(w_j x_j + b_j)`` for each column j ("LR" of Gorishniy et al.).

    Shape: (b, p) -> (b, p, e).
    """

    def __init__(self, columns: int, size: int) -> None:
        super().__init__()
        self.size = size
        self.weight = nn.Parameter(torch.empty(columns, size).uniform_(-1, 1))
        self.bias = nn.Parameter(torch.empty(columns, size).uniform_(-1, 1))

    def hyper_factors(self) -> Mapping[str, HyperFactor]:
        """No decay: both act like biases."""
        return {"weight": HyperFactor(1.0, 0.0), "bias": HyperFactor(1.0, 0.0)}

    def forward(self, x: Tensor) -> Tensor:
        """Embedded columns."""
        return torch.addcmul(self.bias, x[..., None], self.weight).relu()


class PeriodicEmbedding(nn.Module):
    """Sines and cosines of learned frequencies, then a linear layer for each column ("PLR").

    ``relu(Linear_j([cos(2 pi c_j x_j), sin(2 pi c_j x_j)]))``, c ~ N(0, sigma^2) cut at 3 sigma.

    Args:
        columns: p. frequencies: m. size: e. sigma: scale of the first frequencies.

    Shape: (b, p) -> (b, p, e).
    """

    def __init__(self, columns: int, frequencies: int, size: int, sigma: float) -> None:
        super().__init__()
        self.size = size
        self.frequency = nn.Parameter(torch.empty(columns, frequencies))
        nn.init.trunc_normal_(self.frequency, 0.0, sigma, -3 * sigma, 3 * sigma)
        self.linear = ColumnLinear(columns, 2 * frequencies, size)

    def hyper_factors(self) -> Mapping[str, HyperFactor]:
        """Frequencies are not decayed."""
        return {"frequency": HyperFactor(1.0, 0.0)}

    def forward(self, x: Tensor) -> Tensor:
        """Embedded columns."""
        angle = (2 * math.pi) * x[..., None] * self.frequency
        return self.linear(torch.cat([angle.cos(), angle.sin()], -1)).relu()  # type: ignore[no-any-return]


class PeriodicBiasEmbedding(nn.Module):
    """Cosines with a phase, a linear layer for each column, and the number itself ("PBLD" of RealMLP).

    ``[x_j, Linear_j(cos(2 pi c_j x_j + b_j))]``, c ~ N(0, sigma^2), b ~ U(-pi, pi).

    Args:
        columns: p. frequencies: m. size: e, of which one is the number itself. sigma: scale of the frequencies.

    Shape: (b, p) -> (b, p, e).
    """

    def __init__(self, columns: int, frequencies: int, size: int, sigma: float) -> None:
        super().__init__()
        if size < 2:
            raise ValueError(f"`size >= 2` must hold, but got size={size}")
        self.size = size
        self.frequency = nn.Parameter(torch.randn(columns, frequencies) * sigma)
        self.phase = nn.Parameter(torch.empty(columns, frequencies).uniform_(-math.pi, math.pi))
        self.linear = ColumnLinear(columns, frequencies, size - 1)

    def hyper_factors(self) -> Mapping[str, HyperFactor]:
        """Frequencies and phases are not decayed."""
        return {"frequency": HyperFactor(1.0, 0.0), "phase": HyperFactor(1.0, 0.0)}

    def forward(self, x: Tensor) -> Tensor:
        """Embedded columns."""
        x = x[..., None]
        angle = torch.addcmul(self.phase, x, self.frequency, value=2 * math.pi)
        return torch.cat([x, self.linear(angle.cos())], -1)


class PiecewiseLinearEmbedding(nn.Module):
    """Piecewise linear encoding over the training quantiles, then a linear layer for each column ("PLE", "Q-LR").

    Bin i of column j holds ``clamp((x - l_i) / (r_i - l_i), 0, 1)``, the first bin open to the left and the last to
    the right.

    Args:
        sample: (n, p) training values; half of the bins are quantiles of the rows, half of the distinct values (so
            that a column that is mostly 0 keeps some for the rest); equal ones are merged.
        bins: t, at most. size: e.

    Shape: (b, p) -> (b, p, e).
    """

    left: Tensor
    width: Tensor
    low: Tensor
    high: Tensor

    def __init__(self, sample: Tensor, bins: int, size: int) -> None:
        super().__init__()
        self.size = size
        edges = _bin_edges(sample.double(), bins)
        p = edges.shape[0]
        left, width = torch.zeros(p, bins), torch.ones(p, bins)
        low, high = torch.zeros(p, bins), torch.zeros(p, bins)  # a bin with low = high = 0 is always 0: unused
        for j in range(p):
            own = torch.unique(edges[j]).float().unique()
            t = len(own) - 1
            if t < 1:
                continue
            left[j, :t], width[j, :t] = own[:-1], own[1:] - own[:-1]
            high[j, :t] = 1.0
            low[j, 0], high[j, t - 1] = -math.inf, math.inf
        for name, value in (("left", left), ("width", width), ("low", low), ("high", high)):
            self.register_buffer(name, value)
        self.linear = ColumnLinear(p, bins, size)

    def encode(self, x: Tensor) -> Tensor:
        """(b, p, t) encoding of (b, p)."""
        return ((x[..., None] - self.left) / self.width).clamp(self.low, self.high)

    def forward(self, x: Tensor) -> Tensor:
        """Embedded columns: ``relu(linear(encode(x)))``, but with the rows as the last dimension.

        The small products of the columns then run along long rows, which takes two thirds of the time.
        """
        encoded = (x.T.contiguous()[:, None] - self.left[..., None]) / self.width[..., None]  # (p, t, b)
        encoded = encoded.clamp(self.low[..., None], self.high[..., None])
        out = torch.baddbmm(self.linear.bias[..., None], self.linear.weight.transpose(1, 2), encoded)
        return out.relu().permute(2, 0, 1)


def _bin_edges(sample: Tensor, bins: int) -> Tensor:
    """(p, bins + 1) sorted edges, with repeats where there are few values."""
    of_rows = torch.linspace(0, 1, bins // 2 + 1, dtype=torch.float64)
    of_values = torch.linspace(0, 1, bins - bins // 2 + 2, dtype=torch.float64)[1:-1]
    edges = [
        torch.cat([torch.quantile(column, of_rows), torch.quantile(column.unique(), of_values)]).sort().values
        for column in sample.T
    ]
    return torch.stack(edges)


def make_numeric_embedding(
    name: str, sample: Tensor, *, size: int, frequencies: int, sigma: float, bins: int
) -> nn.Module | None:
    """An embedding of the columns of ``sample`` (n, p) with a ``size`` attribute, or None.

    Raises:
        ValueError: For an unknown name.
    """
    p = sample.shape[1]
    if name == "none" or p == 0:
        return None
    match name:
        case "linear_relu":
            return LinearReLUEmbedding(p, size)
        case "plr":
            return PeriodicEmbedding(p, frequencies, size, sigma)
        case "pbld":
            return PeriodicBiasEmbedding(p, frequencies, size, sigma)
        case "piecewise":
            return PiecewiseLinearEmbedding(sample, bins, size)
    raise ValueError(f"`name` must be none, linear_relu, plr, pbld or piecewise, but got {name!r}")


class CategoryEncoder(nn.Module):
    """Small columns one-hot, large ones embedded, concatenated.

    Code 0 (never seen in training) is all zeros at first: one-hot always, embedded until training meets it.

    Args:
        cardinalities: q sizes, code 0 included.
        max_onehot: Columns with at most this many known values are one-hot.
        size: Embedding size of the others.

    Shape: (b, q) int64 -> (b, d), d in ``size_out``.
    """

    large: Tensor
    small: Tensor
    large_offset: Tensor
    small_offset: Tensor

    def __init__(self, cardinalities: tuple[int, ...], max_onehot: int, size: int) -> None:
        super().__init__()
        small = [j for j, c in enumerate(cardinalities) if c - 1 <= max_onehot]
        large = [j for j, c in enumerate(cardinalities) if c - 1 > max_onehot]
        sizes_small = [cardinalities[j] for j in small]
        sizes_large = [cardinalities[j] for j in large]
        self.register_buffer("small", torch.tensor(small, dtype=torch.long), persistent=False)
        self.register_buffer("large", torch.tensor(large, dtype=torch.long), persistent=False)
        self.register_buffer("small_offset", _offsets(sizes_small), persistent=False)
        self.register_buffer("large_offset", _offsets(sizes_large), persistent=False)
        known = torch.ones(sum(sizes_small), dtype=torch.bool)
        known[_offsets(sizes_small)] = False
        self.register_buffer("known", torch.nonzero(known)[:, 0], persistent=False)
        self._n_onehot = sum(sizes_small)
        self.table = nn.Embedding(sum(sizes_large), size) if large else None
        if self.table is not None:
            with torch.no_grad():
                self.table.weight.mul_(size**-0.5)
                self.table.weight[self.large_offset] = 0.0
        self.size_out = int(known.sum()) + len(large) * size

    known: Tensor

    def forward(self, codes: Tensor) -> Tensor:
        """Embedded columns."""
        parts = []
        if len(self.small):
            onehot = torch.zeros(len(codes), self._n_onehot, device=codes.device)
            onehot.scatter_(1, codes[:, self.small] + self.small_offset, 1.0)
            parts.append(onehot[:, self.known])
        if self.table is not None:
            parts.append(self.table(codes[:, self.large] + self.large_offset).flatten(1))
        if not parts:
            return torch.zeros(len(codes), 0, device=codes.device)
        return parts[0] if len(parts) == 1 else torch.cat(parts, 1)


def _offsets(sizes: list[int]) -> Tensor:
    return torch.tensor([sum(sizes[:i]) for i in range(len(sizes))], dtype=torch.long)
