"""What a model takes when it is used, what it may take, and which models are worth their time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal

from autodl.records.base import Record, StageRecord
from autodl.records.evaluation import Interval


class Footprint(Record):
    """What a model takes when it predicts; None where it was not measured."""

    row_s: float | None = None
    """Seconds for one row alone: the median of several, preparation of the columns included, on one thread."""
    ms_per_1000: float | None = None
    """Milliseconds for a thousand rows at once."""
    size_bytes: int | None = None
    """Of the files that hold the model."""
    memory_bytes: int | None = None
    """Most memory of a fresh process that loads the model and predicts, Python and its libraries included."""

    def plus(self, other: Footprint) -> Footprint:
        """What both take together; a part that is not known on one side counts as nothing there."""
        ours, theirs = self.model_dump(), other.model_dump()
        known = {k: (v or 0) + (theirs[k] or 0) for k, v in ours.items() if v is not None or theirs[k] is not None}
        return Footprint(**known)


class Limits(Record):
    """What the user allows a model to take; None for no limit."""

    row_s: float | None = None
    size_bytes: int | None = None
    memory_bytes: int | None = None

    @property
    def any(self) -> bool:
        """Whether there is a limit at all."""
        return any(limit is not None for _, limit, _ in self._sides(Footprint()))

    def _sides(self, need: Footprint) -> Iterator[tuple[str, float | None, float | None]]:
        yield "row_s", self.row_s, need.row_s
        yield "size_bytes", self.size_bytes, need.size_bytes
        yield "memory_bytes", self.memory_bytes, need.memory_bytes

    def broken(self, need: Footprint) -> dict[str, float]:
        """How many times each limit is taken, for those that are exceeded; what was not measured exceeds none."""
        return {
            name: used / limit
            for name, limit, used in self._sides(need)
            if limit is not None and used is not None and used > limit
        }

    def open(self, need: Footprint) -> Limits:
        """The limits of which nobody knows whether they are kept."""
        return Limits.model_validate({name: limit for name, limit, used in self._sides(need) if used is None})

    def violation(self, need: Footprint) -> float:
        """0 within the limits, else the sum of the logarithms of need over limit."""
        return sum(math.log(times) for times in self.broken(need).values())


class FrontPoint(Record):
    """A model with its validation loss and what it takes."""

    name: str
    trial_id: str | None = None
    """None for combinations."""
    family: str
    kind: Literal["trial", "delivered"]
    loss: float
    """Validation loss; lower is better."""
    score: float
    """The same in the metric's own direction."""
    test: Interval | None = None
    """Score on the held-back rows, of those models that were tested."""
    need: Footprint
    """Of one model of a trial, as it would be delivered; of the delivered model, what was measured of it."""
    best: bool = False
    """On the Pareto front: no other point is as good in loss and time for one row, and better in one of them."""
    within: bool = True
    """Whether it keeps the limits, as far as measured."""


class Front(StageRecord):
    """All points that could be delivered, and what was."""

    metric: str
    limits: Limits = Limits()
    points: tuple[FrontPoint, ...] = ()
    """By time for one row."""
    delivered: Footprint | None = None
    """Measured on the model folder; None if it could not be measured."""
    model: str = ""
    """SHA-256 of the manifest of that folder."""
    fresh: bool = False
    """Whether a fresh process measured it; otherwise the run's own did."""
    given_up: tuple[str, ...] = ()
    """Keys of the families that the search left because they are far beyond the limits."""

    kept_folds: bool = False
    """Whether a model that was trained on all rows was given up, because only those of the folds keep the limits."""

    @property
    def kept(self) -> bool | None:
        """Whether the delivered model keeps the limits; None without limits, or if that was not measured."""
        if not self.limits.any or self.delivered is None:
            return None
        if self.limits.broken(self.delivered):
            return False
        return None if self.limits.open(self.delivered).any else True
