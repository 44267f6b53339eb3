"""Small pictures and lines for the page. Notation: P pixels a side, h x w cells of a map."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

QUALITY = 82
DIM = 0.22
"""Brightness that is left where the network did not look."""
WIDTH, HEIGHT, MARGIN = 120.0, 64.0, 4.0
"""The box of lines."""


def data_uri(picture: NDArray[Any]) -> str:
    """A JPEG within the page.

    Args:
        picture: (P, P, 3) uint8.
    """
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(picture).save(out, "JPEG", quality=QUALITY, subsampling=0)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode()


def looked_at(picture: NDArray[Any], heat: NDArray[Any]) -> NDArray[Any]:
    """(P, P, 3) uint8: the picture, dark where the map is low.

    Args:
        picture: (P, P, 3) uint8. heat: (h, w) in [0, 1].
    """
    import numpy as np
    from PIL import Image

    small = Image.fromarray((255.0 * np.asarray(heat, np.float32)).clip(0, 255).astype(np.uint8))
    wide = np.asarray(small.resize(picture.shape[1::-1], Image.Resampling.BILINEAR), np.float32) / 255.0
    return np.asarray(picture * (DIM + (1.0 - DIM) * wide[..., None]), np.uint8)


def polylines(lines: Sequence[Sequence[float]]) -> tuple[str, ...]:
    """Points of SVG polylines that fill the box, each channel on its own scale; gaps are bridged."""
    return tuple(points for line in lines if (points := _points(line)))


def _points(line: Sequence[float]) -> str:
    known = [(i, v) for i, v in enumerate(line) if math.isfinite(v)]
    if len(known) < 2:
        return ""
    low, high = min(v for _, v in known), max(v for _, v in known)
    spread = (high - low) or 1.0
    middle = 0.5 if high == low else 0.0
    step = WIDTH / (len(line) - 1)
    room = HEIGHT - 2 * MARGIN
    return " ".join(f"{i * step:.1f},{HEIGHT - MARGIN - room * ((v - low) / spread + middle):.1f}" for i, v in known)
