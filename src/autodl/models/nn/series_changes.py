"""Changes training batches of series; see ``SeriesAugmentConfig`` for what is done.

Notation: b series, c channels, t steps. Behind the (b,) lengths stand zeros, before and after.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from autodl.models.nn.series_config import SeriesAugmentConfig
from autodl.train.data import TensorData

WAVES = 3
"""Sines of which a warped time is made."""


class SeriesAugmenter:
    """Called with each training batch; all draws are from torch's generator.

    Args:
        config: What is done. columns: how many of the first inputs are series (b, c, t); their lengths follow.
    """

    def __init__(self, config: SeriesAugmentConfig, columns: int) -> None:
        self.config, self.columns = config, columns

    def __call__(self, batch: TensorData) -> TensorData:
        """The batch with other series."""
        lengths = batch.inputs[self.columns]
        series = tuple(self.changed(x, lengths[:, j]) for j, x in enumerate(batch.inputs[: self.columns]))
        return replace(batch, inputs=(*series, *batch.inputs[self.columns :]))

    def changed(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Each series on its own; (b, c, t), (b,) -> (b, c, t)."""
        c = self.config
        if c.moves:
            x = moved(x, lengths, c.crop, c.warp)
        if not c.jitter and not c.scaling:
            return x
        within = steps_within(lengths, x.shape[2])[:, None]
        mean, spread = level_of(x, within)
        factor = 1 + c.scaling * torch.randn(*x.shape[:2], 1).to(x.device)
        noise = c.jitter * spread * torch.randn(x.shape).to(x.device)
        return torch.where(within, mean + factor * (x - mean) + noise, 0.0)


def steps_within(lengths: Tensor, t: int) -> Tensor:
    """(b, t) which steps are in series of these lengths."""
    return torch.arange(t, device=lengths.device) < lengths[:, None]


def level_of(x: Tensor, within: Tensor) -> tuple[Tensor, Tensor]:
    """(b, c, 1) means and standard deviations of the steps of each series; (b, c, t), (b, 1, t) bool."""
    n = within.sum(2, keepdim=True).clamp(min=1)
    mean = torch.where(within, x, 0.0).sum(2, keepdim=True) / n
    variance = torch.where(within, x - mean, 0.0).square().sum(2, keepdim=True) / n
    return mean, variance.sqrt()


def moved(x: Tensor, lengths: Tensor, crop: float, warp: float) -> Tensor:
    """A random part of each series, stretched to its length, in which time runs unevenly; lines between steps.

    Time is ``u + sum_k a_k sin(k pi u) / (k pi)`` with ``sum |a_k| <= warp < 1``: it never runs back.

    Shape: (b, c, t), (b,) -> (b, c, t).
    """
    b, c, t = x.shape
    last = (lengths.cpu()[:, None] - 1).clamp(min=0).float()
    u = (torch.arange(t) / last.clamp(min=1)).clamp(max=1)
    k = torch.arange(1, WAVES + 1)[:, None] * math.pi
    size = warp / WAVES * (2 * torch.rand(b, WAVES, 1) - 1)
    time = u + (size * (k * u[:, None]).sin() / k).sum(1)
    kept = 1 - crop * torch.rand(b, 1)
    places = ((torch.rand(b, 1) * (1 - kept) + kept * time) * last).clamp(min=0)
    places = torch.minimum(places, last).to(x.device)
    low = places.floor().long()
    high = torch.minimum(low + 1, last.to(x.device).long())
    share = (places - low)[:, None]
    before, after = (x.gather(2, at[:, None].expand(b, c, t)) for at in (low, high))
    return torch.where(steps_within(lengths, t)[:, None], torch.lerp(before, after, share), 0.0)
