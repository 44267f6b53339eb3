"""From many vectors to one: the mean, maximum, generalized mean or learned average of positions.

Notation: b rows, t positions (tokens, steps of a sequence, or all pixels), d features. A mask (b, t) is True where a
position counts; what stands at the others never matters. A row in which nothing counts becomes zeros.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from autodl.train.optimizers import HyperFactor

SMALLEST = 1e-4
"""Below this, the generalized mean takes features as this, so that powers and their gradients are finite."""


class MeanPooling(nn.Module):
    """The mean of the positions that count.

    Shape: (b, t, d), (b, t) bool or None -> (b, d).
    """

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Pooled features."""
        if mask is None:
            return x.mean(1)
        return _kept(x, mask).sum(1) / mask.sum(1, keepdim=True).clamp(min=1)


class MaxPooling(nn.Module):
    """The maximum of each feature over the positions that count.

    Shape: (b, t, d), (b, t) bool or None -> (b, d).
    """

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Pooled features."""
        if mask is None:
            return x.amax(1)
        top = torch.where(mask[..., None], x, -torch.inf).amax(1)
        return torch.where(mask.any(1, keepdim=True), top, 0.0)


class GeneralizedMeanPooling(nn.Module):
    """``(mean of x^p)^(1/p)`` with a learned p: the mean at p = 1, towards the maximum as p grows.

    Source: Radenovic et al. 2018, "Fine-tuning CNN Image Retrieval with No Human Annotation" (GeM); p starts at 3.

    Shape: (b, t, d), (b, t) bool or None -> (b, d), at least ``SMALLEST`` where something counts.
    """

    def __init__(self) -> None:
        super().__init__()
        self.power = nn.Parameter(torch.tensor([3.0]))
        self._mean = MeanPooling()

    def hyper_factors(self) -> Mapping[str, HyperFactor]:
        """The power must not decay towards 0."""
        return {"power": HyperFactor(1.0, 0.0)}

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Pooled features."""
        power = self.power.clamp(min=1.0)
        mean: Tensor = self._mean(_kept(x, mask).clamp(min=SMALLEST) ** power, mask)
        if mask is None:
            return mean ** (1.0 / power)
        some = mask.any(1, keepdim=True)
        return torch.where(some, torch.where(some, mean, 1.0) ** (1.0 / power), 0.0)


class AttentionPooling(nn.Module):
    """An average weighted by ``softmax(w tanh(V x))`` over the positions.

    Source: Lin et al. 2017, "A Structured Self-attentive Sentence Embedding", equation 1 with one row; Ilse et al.
    2018, "Attention-based Deep Multiple Instance Learning". The last layer starts at 0: the plain mean.

    Args:
        features: d.

    Shape: (b, t, d), (b, t) bool or None -> (b, d).
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(features, max(1, features // 2))
        self.score = nn.Linear(max(1, features // 2), 1, bias=False)
        nn.init.zeros_(self.score.weight)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Pooled features."""
        x = _kept(x, mask)
        score = self.score(self.hidden(x).tanh())[..., 0]
        if mask is not None:
            score = torch.where(mask, score, torch.finfo(score.dtype).min)  # finite: gradients of empty rows are, too
        return torch.bmm(score.softmax(1)[:, None], x)[:, 0]


def _kept(x: Tensor, mask: Tensor | None) -> Tensor:
    """Zeros where nothing counts; at the very start, so that what stands there does not reach gradients either."""
    return x if mask is None else torch.where(mask[..., None], x, 0.0)


def make_pooling(name: str, features: int) -> nn.Module:
    """A pooling of (b, t, d) by name.

    Raises:
        ValueError: For an unknown name.
    """
    match name:
        case "mean" | "avg":
            return MeanPooling()
        case "max":
            return MaxPooling()
        case "gem":
            return GeneralizedMeanPooling()
        case "attention":
            return AttentionPooling(features)
    raise ValueError(f"`name` must be mean, avg, max, gem or attention, but got {name!r}")
