"""Bands behind the lines of a series: which of its parts spoke for the answer and which against it."""

from __future__ import annotations

from collections.abc import Sequence

from autodl.report.elements import Band
from autodl.report.figures.thumbnails import HEIGHT, WIDTH

LEAST = 0.08
"""Share of the strongest effect below which a band would not be seen and is left out."""
STRONGEST = 0.55
"""Opacity of the strongest band: lines stay readable."""


def bands(moved: Sequence[float], strongest: float) -> tuple[Band, ...]:
    """A band for each part that matters.

    Args:
        moved: (p,) effects of parts of equal length. strongest: effect that gets the darkest band.
    """
    step = WIDTH / max(1, len(moved))
    found = []
    for j, effect in enumerate(moved):
        share = abs(effect) / strongest if strongest > 0 else 0.0
        if share >= LEAST:
            opacity = round(STRONGEST * min(1.0, share), 2)
            found.append(Band(round(j * step, 2), round(step, 2), HEIGHT, opacity, effect > 0))
    return tuple(found)


def strongest_part(moved: Sequence[float], steps: int) -> tuple[int, int, float]:
    """First and last step (from 1) and effect of the part with the largest effect; parts as wide as each other.

    Neighbouring parts of the same direction with at least half of its effect are told with it.
    """
    top = max(range(len(moved)), key=lambda j: abs(moved[j]))
    effect = moved[top]

    def belongs(j: int) -> bool:
        return 0 <= j < len(moved) and moved[j] * effect > 0 and abs(moved[j]) >= 0.5 * abs(effect)

    low = high = top
    while belongs(low - 1):
        low -= 1
    while belongs(high + 1):
        high += 1
    edge = steps / len(moved)
    return round(low * edge) + 1, round((high + 1) * edge), effect
