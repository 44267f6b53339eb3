"""Image files for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def noisy(side: int, channel: int, seed: int) -> Image.Image:
    """Noise with one channel brighter than the others, so that classes can be told."""
    pixels = np.random.default_rng(seed).integers(0, 100, (side, side, 3))
    pixels[..., channel] += 120
    return Image.fromarray(pixels.astype(np.uint8))


def save(image: Image.Image, file: Path) -> Path:
    """Write it, with the folders above it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    image.save(file)
    return file


def photos(root: Path, n: int = 12, classes: tuple[str, ...] = ("cat", "dog"), side: int = 16, seed: int = 0) -> Path:
    """``root/CLASS/I.png``, n of each class."""
    for k, name in enumerate(classes):
        for i in range(n):
            save(noisy(side, k % 3, seed + 1000 * k + i), root / name / f"{i}.png")
    return root
