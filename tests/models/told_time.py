"""A clock that is told what time it is, and deadlines by it."""

from __future__ import annotations

from dataclasses import dataclass, field

from autodl.clock import Deadline


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class ToldDeadline(Deadline):
    clock: Clock = field(default_factory=Clock)

    def left(self) -> float:
        return max(0.0, self.at - self.clock())

    def passed(self) -> bool:
        return self.clock() >= self.at
