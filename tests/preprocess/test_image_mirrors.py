"""What mirroring takes away: of digits most, of textures nothing, and of noise there is nothing to take."""

from __future__ import annotations

import numpy as np
import pytest

from autodl.preprocess.image_mirrors import Mirrored, looks_of, mirrored, sides, upside_down

SIDE = 24


def told(pixels: np.ndarray, y: np.ndarray, n_classes: int) -> Mirrored | None:
    looks = [looks_of(seen) for seen in ([pixels], sides([pixels]), upside_down([pixels]))]
    thirds = np.arange(len(y)) % 3
    return mirrored(
        looks, y, [(np.flatnonzero(thirds != k), np.flatnonzero(thirds == k)) for k in range(3)], n_classes
    )


def digits(n: int = 900) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits

    found = load_digits()
    images = (found.images[:n] * 15.9).astype(np.uint8).repeat(3, 1).repeat(3, 2)
    return images[..., None].repeat(3, 3), found.target[:n]


def textures(n: int = 900) -> tuple[np.ndarray, np.ndarray]:
    """Parts of two photographs, any way round."""
    from sklearn.datasets import load_sample_images

    rng, photos = np.random.default_rng(0), load_sample_images().images
    y = rng.integers(0, 2, n)
    parts = []
    for k in y:
        top, left = (rng.integers(0, size - SIDE) for size in photos[k].shape[:2])
        part = np.rot90(photos[k][top : top + SIDE, left : left + SIDE], rng.integers(4))
        parts.append(part[:, ::-1] if rng.random() < 0.5 else part)
    return np.stack(parts), y


def test_digits_are_others_when_mirrored() -> None:
    found = told(*digits(), 10)
    assert found is not None and found.images == 900 and found.skill > 0.6
    assert min(found.sides.low, found.upside_down.low) > 0.5


def test_textures_have_no_right_way_up() -> None:
    found = told(*textures(), 2)
    assert found is not None and found.skill > 0.5
    assert max(found.sides.high, found.upside_down.high) < 0.05


def test_a_sky_is_above_and_left_is_as_right() -> None:
    rng = np.random.default_rng(1)
    amount = rng.random(900)
    # The number is how bright the upper half is; the side of a stripe says nothing.
    pixels = rng.integers(0, 60, (900, SIDE, SIDE, 3)).astype(np.uint8)
    pixels[:, : SIDE // 2] += (150 * amount).astype(np.uint8)[:, None, None, None]
    at = np.where(rng.random(900) < 0.5, 2, SIDE - 4)
    for image, left in zip(pixels, at, strict=True):
        image[:, left : left + 2] = 255
    found = told(pixels, amount, 0)
    assert found is not None
    assert found.sides.high < 0.1 < 0.5 < found.upside_down.low


@pytest.mark.parametrize("n_classes", [0, 3])
def test_nothing_is_told_where_looks_say_nothing(n_classes: int) -> None:
    rng = np.random.default_rng(2)
    pixels = rng.integers(0, 256, (450, SIDE, SIDE, 3), dtype=np.uint8)
    y = rng.integers(0, n_classes, 450) if n_classes else rng.normal(size=450)
    assert told(pixels, y, n_classes) is None
