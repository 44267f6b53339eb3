"""How large a working image is, learnt from the heads of the training files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from autodl.data.images.brightness import shades_of
from autodl.data.images.decoding import UNEQUAL, LostImageError, extremes, look

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDES = (32, 48, 64, 96, 128, 160, 192, 224)
"""Sides that larger images are brought to; encoders that were trained elsewhere want 224 at most."""
SMALLEST = 8
LOOKED_AT = 400
"""Files whose heads are read."""
DEEP_LOOKED_AT, DEEP_PIXELS = 24, 30_000_000
"""Files that are read as a whole for their values of black and white; so many pixels are enough."""
SEVERAL = 6
"""From so many of these files on, the one that goes furthest does not count: it must not fade all the others."""
GOLDEN = (5**0.5 - 1) / 2
"""The step of the golden ratio, whose multiples lie evenly over the circle wherever they are cut short."""
ALIKE = 0.9
"""Share of the pictures that must have about the same shape, so that all of them may be squeezed."""


def learn_side(paths: Sequence[str]) -> tuple[int, bool] | None:
    """The side S of the working images, and whether pictures that are far from square are cut to their middle.

    Pictures of one shape are squeezed: each is distorted alike and nothing is lost. Where shapes differ, squeezing
    would make the same thing look different, so they are cut. S is the median shorter side (the root of the median
    area where they are squeezed), brought to the next of ``SIDES``; images below the first of them keep their size.

    Args:
        paths: The files; of many, a part spread evenly over them is looked at.

    Returns:
        None if none of the files could be read.
    """
    sizes = []
    for path in _spread(paths, LOOKED_AT):
        try:
            sizes.append(look(path))
        except LostImageError:
            continue
    return choose_side(np.array(sizes)) if sizes else None


def learn_shades(paths: Sequence[str]) -> tuple[float, float] | None:
    """Values of black and white that all images of more than 8 bits share, so that brightness can be compared.

    Args:
        paths: The files; of many, a part spread evenly over them is looked at.

    Returns:
        None if none of the files that were looked at has more than 8 bits.
    """
    found, pixels = [], 0
    spread = _spread(paths, DEEP_LOOKED_AT)
    # Files mostly lie class by class: in their order, large ones would all be of the first class.
    for path in [spread[i] for i in np.argsort(np.arange(len(spread)) * GOLDEN % 1)]:
        try:
            if (seen := extremes(path)) is None:
                continue
            found.append(seen)
            height, width = look(path)
        except LostImageError:
            continue
        pixels += height * width
        if pixels >= DEEP_PIXELS:
            break
    if not found:
        return None
    lows, highs, fractions = zip(*found, strict=True)
    odd = int(len(found) >= SEVERAL)
    return shades_of(sorted(lows)[odd], sorted(highs)[-1 - odd], fractions=all(fractions))


def _spread(paths: Sequence[str], most: int) -> list[str]:
    """At most so many of the files, spread evenly over them."""
    return [paths[i] for i in np.unique(np.linspace(0, len(paths) - 1, min(len(paths), most)).astype(int))]


def choose_side(sizes: NDArray[np.int_]) -> tuple[int, bool]:
    """The rule of ``learn_side`` for (m, 2) heights and widths.

    >>> choose_side(np.array([[28, 28]])), choose_side(np.array([[90, 160]] * 3))
    ((28, False), (128, False))
    >>> choose_side(np.array([[3000, 4000], [4000, 3000]] * 5))
    (224, True)
    """
    ratio = sizes[:, 1] / sizes[:, 0]
    middle = float(np.median(ratio))
    alike = np.maximum(ratio / middle, middle / ratio) <= UNEQUAL
    crop = bool(alike.mean() < ALIKE)
    edge = float(np.median(sizes.min(axis=1)) if crop else np.sqrt(np.median(sizes.prod(axis=1))))
    if edge < SIDES[0]:
        return max(SMALLEST, round(edge)), crop
    return min(SIDES, key=lambda s: abs(np.log(s / edge))), crop
