"""Objects into vectors, batch by batch, as long as there is time. Notation: m objects, w numbers for each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from autodl.clock import NEVER, Deadline
from autodl.duration import format_duration

if TYPE_CHECKING:
    from numpy.typing import NDArray

FIRST = 4
"""Batches after which it is known how long all take; the first, which also prepares the others, does not count."""
DOUBT = 0.5
"""By so much all may seem to take too long after the first batches, and by less later; else they are given up."""
WIDEST = 6e4
"""Half precision, also for what is used at once: a model must see the same numbers with or without a file."""


class Maker(Protocol):
    """Turns objects into vectors, each for itself; equal objects have equal vectors."""

    @property
    def key(self) -> str:
        """Equal for makers that make the same."""

    @property
    def batch(self) -> int:
        """Objects that are best taken together."""

    @property
    def by_length(self) -> bool:
        """Whether objects of like length are best taken together."""

    def __call__(self, objects: Any) -> NDArray[Any]:
        """(n, w)."""


Objects = Callable[["NDArray[np.intp]"], Any]
"""The objects at given positions."""


class TooSlowError(TimeoutError):
    """Time has run out, or it is plain that it will.

    Args:
        done: Positions of the objects that are done, among all.
        m: How many there are.
        seconds: That all would take, as far as that is known.
        left: That there were for the rest.
    """

    def __init__(self, done: NDArray[np.intp], m: int, seconds: float | None, left: float) -> None:
        self.done, self.m, self.seconds = done, m, seconds
        if left <= 0.0 or seconds is None:
            text = f"time ran out after {len(done):,} of {m:,} images or texts were read"
        else:
            text = (
                f"reading {m:,} images or texts would take {format_duration(seconds)}, and "
                f"{format_duration(left)} are left for the rest"
            )
        super().__init__(text)


def fill(
    maker: Maker,
    places: NDArray[np.intp],
    objects: Objects,
    allocate: Callable[[tuple[int, int]], NDArray[np.float16]],
    deadline: Deadline = NEVER,
) -> NDArray[np.float16]:
    """(m, w) vectors of the objects at these places, in this order.

    Batches are taken from all over the range of lengths in turn, so that the first ones tell how long all take.

    Args:
        maker: What makes them. places: (m,) positions. objects: Those at given positions.
        allocate: Makes the array for the result, once its shape is known.
        deadline: Looked at between two batches; without one nothing depends on measured seconds.

    Raises:
        TooSlowError: If the deadline passes, or all will not be done by then.
    """
    m, size = len(places), maker.batch
    order = np.arange(m)
    if maker.by_length and m > size:
        order = np.argsort([len(o) for o in objects(places)], kind="stable")
    out: NDArray[np.float16] | None = None
    done: list[NDArray[np.intp]] = []
    started = begun = time.monotonic()
    n_done, n_first = 0, 0
    for start in _spread(-(-m // size)):
        batch = order[size * start : size * (start + 1)]
        now, left = time.monotonic(), deadline.left()
        each = (now - begun) / (n_done - n_first) if n_done > n_first else None
        given = (1.0 + DOUBT * (1.0 - n_done / m)) * (now - started + left)
        late = each is not None and len(done) >= FIRST and each * m > given
        if deadline.passed() or late:
            finished = np.concatenate(done) if done else np.empty(0, np.intp)
            raise TooSlowError(finished, m, None if each is None else each * m, left)
        made = maker(objects(places[batch]))
        if out is None:
            out = allocate((m, made.shape[1]))
            begun, n_first = time.monotonic(), len(batch)
        out[batch] = np.clip(made, -WIDEST, WIDEST).astype(np.float16)
        done.append(batch)
        n_done += len(batch)
    return np.empty((0, 0), np.float16) if out is None else out


def chained(parts: Sequence[Objects], lengths: Sequence[int]) -> Objects:
    """The objects of several columns, one after another; images of several sides come as a list."""
    ends = np.cumsum([0, *lengths])

    def objects(places: NDArray[np.intp]) -> Any:
        which = np.searchsorted(ends, places, side="right") - 1
        if len(set(which.tolist())) == 1:
            return parts[which[0]](places - ends[which[0]])
        found: list[Any] = [None] * len(places)
        for part in np.unique(which):
            own = np.flatnonzero(which == part)
            for position, one in zip(own, parts[part](places[own] - ends[part]), strict=True):
                found[position] = one
        return found

    return objects


def _spread(n: int) -> Iterator[int]:
    """Each of 0 ... n - 1 once, in the order of van der Corput: the first ones lie evenly over the whole range.

    >>> list(_spread(6))
    [0, 4, 2, 1, 5, 3]
    """
    bits = max(0, n - 1).bit_length()
    for k in range(1 << bits):
        place = int(format(k, f"0{bits}b")[::-1], 2) if bits else 0
        if place < n:
            yield place
