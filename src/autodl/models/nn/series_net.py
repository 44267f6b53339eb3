"""A network over series, with the other columns of the table beside them.

Notation: b rows, m columns of series, c channels, t steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from autodl.models.nn.inputs import InputPlan
from autodl.models.nn.media_net import MediaNet
from autodl.models.nn.series_changes import level_of, steps_within

MIN_SPREAD = 0.01
"""Least standard deviation of a single series over that of all, so that noise on a constant one is not blown up."""
LARGEST = 30.0
"""Standardized values lie within this, so that one odd number is not all that is seen."""


class SeriesBranch(nn.Module):
    """One column of series through one network; rows without a series give zeros.

    Args:
        body: (b, c, t), (b, t) bool or None -> (b, f). features: f. channels: c.
        level: See ``SeriesReading``.

    Shape: (b, c, t), (b,) steps -> (b, width), f or more.
    """

    center: Tensor
    spread: Tensor

    def __init__(self, body: nn.Module, features: int, channels: int, level: Literal["all", "each"]) -> None:
        super().__init__()
        self.register_buffer("center", torch.zeros(channels, 1))
        self.register_buffer("spread", torch.ones(channels, 1))
        self.each = level == "each"
        self.body = body
        self.width = features + (2 * channels if self.each else 0)

    @torch.no_grad()
    def fit_scale(self, x: Tensor, lengths: Tensor) -> None:
        """Take mean and standard deviation of each channel of a sample of training rows."""
        steps = x.transpose(1, 2)[steps_within(lengths, x.shape[2])].double()
        if len(steps):
            spread = steps.std(0, correction=0)
            self.center.copy_(steps.mean(0)[:, None])
            self.spread.copy_(torch.where(spread > 0, spread, 1.0)[:, None])

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Features."""
        places = (lengths > 0).nonzero()[:, 0]
        if len(places) == len(x):
            return self._features(x, lengths)
        out = torch.zeros(len(x), self.width, device=x.device)
        if not len(places):
            return out
        # Batch norm cannot train on one row of one step.
        taken = places.repeat(2) if self.training and len(places) == 1 else places
        found = self._features(x[taken], lengths[taken])[: len(places)]
        return out.to(found.dtype).index_copy(0, places, found)

    def _features(self, x: Tensor, lengths: Tensor) -> Tensor:
        within = steps_within(lengths, x.shape[2])
        x = ((x - self.center) / self.spread).clamp(-LARGEST, LARGEST)
        levels = []
        if self.each:
            mean, spread = level_of(x, within[:, None])
            x = (x - mean) / spread.clamp(min=MIN_SPREAD)
            levels = [mean[..., 0], spread.clamp(min=MIN_SPREAD).log()[..., 0]]
        # Without a mask it is quicker, and where all steps count the same.
        return torch.cat([self.body(x, None if bool(within.all()) else within), *levels], 1)


class SeriesNet(MediaNet):
    """Each column of series through its network, what they and the other columns say through one head.

    Args:
        branches: m networks, one a column.
        table: The other columns, or None where there are none. n_outputs: of the head.

    Shape: m times (b, c, t), (b, m) steps, then what ``InputPlan.tensors`` gives -> (b, n_outputs).
    """

    def __init__(self, branches: Sequence[SeriesBranch], table: InputPlan | None, n_outputs: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)
        self.add_head(sum(branch.width for branch in self._parts()), table, n_outputs)

    def _parts(self) -> list[SeriesBranch]:
        return [branch for branch in self.branches if isinstance(branch, SeriesBranch)]

    def fit_to(self, inputs: tuple[Tensor, ...]) -> None:
        """Take the scales of a sample of training rows."""
        for j, branch in enumerate(self._parts()):
            branch.fit_scale(inputs[j], inputs[len(self.branches)][:, j])

    def forward(self, *inputs: Tensor) -> Tensor:
        """Raw outputs."""
        m = len(self.branches)
        parts = [branch(inputs[j], inputs[m][:, j]) for j, branch in enumerate(self.branches)]
        return self.answer(torch.cat(parts, 1), *inputs[m + 1 :])
