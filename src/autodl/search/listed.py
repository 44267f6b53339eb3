"""Which listed configuration comes next: the leader's, unless one of nearly as good a family costs far less."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

from autodl.records import TrialSpec

NEAR = 1.25
"""A family is nearly as good as the best if its loss is at most so many times the best one's."""
CHEAPER = 2.0
"""So many times less must it take."""


def next_listed(
    listed: Iterable[TrialSpec],
    best: Mapping[str, float],
    seconds: Callable[[TrialSpec], float] | None,
    quick_s: float,
) -> TrialSpec | None:
    """The first, or where that takes long a cheaper one of a family that may well turn out better.

    With many classes a booster may need half a minute for what a network does in five seconds: a search of one minute
    then sees several networks instead of a single booster, and still begins with boosters where these are quick.

    Args:
        listed: Configurations that fit into the time left, the most promising first; looked at as far as needed.
        best: Lowest loss by family.
        seconds: Estimates a trial's seconds; None where the order does not depend on them.
        quick_s: What takes no longer is tried at once.
    """
    rest = iter(listed)
    first = next(rest, None)
    if first is None or seconds is None or (dear := seconds(first)) <= quick_s:
        return first
    lead = min(best.values(), default=math.nan)
    near = ((place, s) for place, s in enumerate(rest, 2) if best.get(s.family, math.inf) <= NEAR * lead)
    # What is twice as far down the list must take half the time: estimates of both are rough.
    cheap = [(place * took, place, s) for place, s in near if CHEAPER * (took := seconds(s)) <= dear]
    return min(cheap, key=lambda c: c[:2])[2] if cheap else first
