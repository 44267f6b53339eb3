"""What is black and what is white in pictures of more than 8 bits, whose numbers say nothing of that."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEPTHS = (8, 10, 12, 14, 16)
"""Bits of a pixel's brightness."""
NO_DATA = -9999.0
"""Values from here down mark pixels that were not measured, in maps and scans (also -32768 and -3.4e38)."""
RARE, SAMPLED = 0.001, 1_000_000
"""Share of the darkest and of the brightest pixels that may be faults of the camera; about so many are looked at."""
FADING = 16.0
"""Rare values count up to so many times what is usual: a defect of 1e6 must not turn all else to black."""
THINGS = 3
"""Unless so many things apart go beyond: then it is what the picture shows, such as stars."""
FAINT = 0.1
"""Fractions that stay below this are no shares of white: radar, say, measures thousandths."""


def bounds(values: NDArray[Any]) -> tuple[float, float, bool] | None:
    """Darkest and brightest of (h, w) values but for rare ones, and whether they are fractions; None: none is known.

    Faulty pixels are rare and alone: values that all four pixels of a square reach count, be they ever so rare, as
    far as they do not fade all else: not the largest of the type, which marks and overexposure have, nor a lone one
    beyond ``FADING``.
    """
    step = math.ceil(math.sqrt(values.size / SAMPLED))
    known = _known(values[::step, ::step])
    if not known.size:
        return None
    low, high = np.quantile(known, (RARE, 1 - RARE), method="nearest")
    h, w = values.shape
    corners = [values[a : h - 1 + a : step, b : w - 1 + b : step] for a in (0, 1) for b in (0, 1)]
    most = FADING * max(abs(float(low)), abs(float(high))) or math.inf
    dark, bright = np.maximum.reduce(corners), np.minimum.reduce(corners)
    white = np.zeros(bright.shape, bool)
    if bright.dtype.kind in "iu":  # 16 bits may come in 32
        white = np.isin(bright, (np.iinfo(np.uint16).max, np.iinfo(bright.dtype).max))
    darkest = float(_known(dark).min(initial=low))
    brightest = float(_known(bright[~white]).max(initial=high))
    low = darkest if darkest >= -most or _things(_measured(dark) & (dark < -most)) >= THINGS else -most
    high = brightest if brightest <= most or _things(_measured(bright) & ~white & (bright > most)) >= THINGS else most
    return low, high, known.dtype.kind == "f"


def _things(mask: NDArray[np.bool_]) -> int:
    """How many parts there are that touch one another nowhere, not even with a corner."""
    from scipy.ndimage import label

    return int(label(mask, np.ones((3, 3)))[1])


def _measured(values: NDArray[Any]) -> NDArray[np.bool_]:
    measured: NDArray[np.bool_] = np.isfinite(values) & (values > NO_DATA)
    return measured


def _known(values: NDArray[Any]) -> NDArray[Any]:
    """(k,) the values that were measured."""
    known: NDArray[Any] = values[_measured(values)]
    return known


def shades_of(lowest: float, highest: float, *, fractions: bool) -> tuple[float, float]:
    """The values of black and white of pictures of more than 8 bits.

    Cameras of 10, 12 and 14 bits fill only the lower part of 16: the fewest bits that hold all values are taken.
    Fractions, whose steps can be of any size, are taken as shares of white if none is beyond 1; else, and where all
    are faint, the largest is white. Black is 0 where no value is below.

    >>> shades_of(3.0, 4000.0, fractions=False), shades_of(-1000.0, 3000.0, fractions=False)
    ((0.0, 4095.0), (-1023.0, 4095.0))
    >>> shades_of(0.1, 0.8, fractions=True), shades_of(-0.5, 1.25, fractions=True)
    ((0.0, 1.0), (-1.0, 1.25))
    >>> shades_of(0.0001, 0.003, fractions=True)
    (0.0, 0.003)
    """

    def bound(value: float) -> float:
        if fractions:
            return value if 0 < value < FAINT else max(1.0, value)
        return next((float(2**bits - 1) for bits in DEPTHS if value <= 2**bits - 1), value)

    return (-bound(-lowest) if lowest < 0 else 0.0), bound(highest)


def eight_bits(values: NDArray[Any], shades: tuple[float, float] | None) -> NDArray[np.uint8]:
    """Brightness of more than 8 bits as 0 to 255; without ``shades`` by the range of this picture, 0 as black.

    Values that are not known are black.
    """
    numbers = np.nan_to_num(values.astype(np.float64), nan=NO_DATA)
    top = float(numbers.max(initial=0.0))
    if shades is None:
        # So models of earlier versions, which have no shades, saw fractions up to 1 and beyond: what they see stays.
        shades = (0.0, 1.0) if values.dtype.kind == "f" and top <= 1.0 else shades_of(0.0, top, fractions=False)
    black, white = shades
    numbers[numbers <= NO_DATA] = black
    return np.clip(np.rint((numbers - black) * (255.0 / (white - black))), 0, 255).astype(np.uint8)
