"""Charts are drawn as long as there is time: each takes about a tenth of a second, on a busy machine far more."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from autodl.clock import NEVER, Deadline


@dataclass
class _Pen:
    """The charts of one page.

    Attributes:
        deadline: When the last one must be ready.
        last_s: Seconds that the last one took: what the next will probably take.
    """

    deadline: Deadline = NEVER
    last_s: float = 0.0


_PEN: ContextVar[_Pen | None] = ContextVar("pen", default=None)


@contextmanager
def drawing_until(deadline: Deadline) -> Iterator[None]:
    """Within it, charts that would not be ready by the deadline are left out; outside of it all are drawn."""
    token = _PEN.set(_Pen(deadline))
    try:
        yield
    finally:
        _PEN.reset(token)


def if_time(draw: Callable[[], str]) -> str:
    """What ``draw`` returns; empty if there is no time for it."""
    pen = _PEN.get()
    if pen is None:
        return draw()
    if pen.deadline.left() <= pen.last_s:
        return ""
    began = time.monotonic()
    drawn = draw()
    pen.last_s = time.monotonic() - began
    return drawn
