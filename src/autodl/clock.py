"""Wall-clock deadlines, shared by the search and by everything that trains."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Deadline:
    """A moment on this machine's monotonic clock; work that can stop early asks ``passed()``.

    Args:
        at: Seconds on ``time.monotonic()``; infinity means no deadline.
    """

    at: float = math.inf

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """The moment that lies ``seconds`` in the future."""
        return cls(time.monotonic() + seconds)

    def left(self) -> float:
        """Seconds until the deadline, never negative."""
        return max(0.0, self.at - time.monotonic())

    def passed(self) -> bool:
        """Whether the deadline lies in the past."""
        return time.monotonic() >= self.at

    def earlier(self, other: Deadline | None) -> Deadline:
        """The earlier of the two deadlines."""
        return self if other is None or self.at <= other.at else other


NEVER = Deadline()
