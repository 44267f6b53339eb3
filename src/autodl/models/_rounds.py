"""Training in rounds between which the deadline is seen, for libraries that cannot be stopped within a call."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from autodl.clock import Deadline

MARGIN = 0.9
"""Share of the time left that a round may take: not every step takes as long as the ones before."""


def rounds(first: int, most: int, deadline: Deadline, clock: Callable[[], float] = time.monotonic) -> Iterator[int]:
    """Steps of one round after the other, each twice as long as the one before and none longer than the time left.

    How long a step takes is measured while the caller trains; only the first round runs whatever it takes.

    Args:
        first: Steps of the first round. most: Of all rounds together. deadline: When the last one must end.
        clock: Seconds.

    >>> from autodl.clock import NEVER
    >>> list(rounds(5, 40, NEVER))
    [5, 10, 20, 5]
    """
    begun, done, length = clock(), 0, first
    while done < most:
        steps = min(length, most - done)
        if done:
            a_step = (clock() - begun) / done
            left = MARGIN * deadline.left()
            if left < steps * a_step or left <= 0:
                steps = int(left / a_step) if a_step > 0 else 0
        if steps < 1:
            return
        yield steps
        done, length = done + steps, 2 * length
