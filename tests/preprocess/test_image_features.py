"""Colours and gradients of images against loops over single pixels, and what they must not depend on."""

from __future__ import annotations

import math

import numpy as np
import pytest

from autodl.preprocess.image_grid import area_weights, grid_means, reduced
from autodl.preprocess.image_hog import cell_histograms, cells_of, gradients, hog_width, oriented_gradients
from autodl.preprocess.image_summary import SUMMARY_NAMES, colour_summary


def images(n: int, side: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, side, side, 3), dtype=np.uint8)


@pytest.mark.parametrize(("side", "parts"), [(8, 2), (8, 8), (7, 3), (3, 5)])
def test_means_on_a_grid_are_averages_over_areas(side: int, parts: int) -> None:
    picture = images(1, side)[0].astype(float)
    fine = picture.repeat(parts, axis=0).repeat(parts, axis=1)  # each part is a whole number of these pixels
    expected = fine.reshape(parts, side, parts, side, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(grid_means(picture[None], parts)[0], expected, rtol=1e-5)
    np.testing.assert_allclose(area_weights(side, parts).sum(axis=1), 1.0, rtol=1e-6)


def test_only_large_images_are_reduced() -> None:
    assert reduced(images(2, 32), 64).shape == (2, 32, 32, 3)
    assert reduced(images(2, 100), 64).shape == (2, 64, 64, 3)


def test_the_summary_of_an_image_in_two_colours() -> None:
    picture = np.zeros((1, 32, 32, 3), np.uint8)
    picture[:, :, 16:] = (255, 255, 0)  # left black, right yellow
    told = dict(zip(SUMMARY_NAMES, colour_summary(picture)[0], strict=True))
    assert told["mean red 1/1"] == told["mean red 4/2"] == 0.0
    assert told["mean red 1/3"] == told["mean green 4/4"] == 1.0
    assert all(told[f"mean blue {i}/{j}"] == 0.0 for i in range(1, 5) for j in range(1, 5))
    assert max(v for name, v in told.items() if name.startswith("spread")) < 1e-3
    shares = {name: v for name, v in told.items() if name.startswith("colour") and v}
    assert shares == {"colour 000": 0.5, "colour 330": 0.5}


def test_the_summary_is_of_each_image_alone() -> None:
    both = images(5, 40)
    np.testing.assert_allclose(colour_summary(both)[3:4], colour_summary(both[3:4]), rtol=1e-6)


def slow_cell_histograms(picture: np.ndarray, cells: int) -> np.ndarray:
    """Section 6 of the paper, pixel by pixel, for sides that the cells divide."""
    side = picture.shape[0]
    step = side // cells
    out = np.zeros((cells, cells, 9))
    for i in range(side):
        for j in range(side):
            best, direction = -1.0, 0.0
            for channel in range(3):
                down = picture[min(i + 1, side - 1), j, channel] - picture[max(i - 1, 0), j, channel]
                right = picture[i, min(j + 1, side - 1), channel] - picture[i, max(j - 1, 0), channel]
                if math.hypot(down, right) > best + 1e-9:
                    best, direction = math.hypot(down, right), math.degrees(math.atan2(down, right)) % 180.0
            below = math.floor((direction - 10.0) / 20.0)
            share = (direction - 10.0) / 20.0 - below
            out[i // step, j // step, below % 9] += best * (1.0 - share)
            out[i // step, j // step, (below + 1) % 9] += best * share
    return out / step**2


def test_histograms_are_those_of_a_loop_over_the_pixels() -> None:
    # No two channels have gradients of one size, between which rounding would choose.
    pictures = np.random.default_rng(1).random((2, 16, 16, 3), np.float32)
    for picture, found in zip(pictures, cell_histograms(pictures, 4), strict=True):
        np.testing.assert_allclose(found, slow_cell_histograms(picture.astype(float), 4), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(("angle", "bins"), [(10.0, {0: 1.0}), (50.0, {2: 1.0}), (0.0, {0: 0.5, 8: 0.5})])
def test_a_ramp_has_its_own_direction(angle: float, bins: dict[int, float]) -> None:
    down, right = math.sin(math.radians(angle)), math.cos(math.radians(angle))
    place = np.arange(32.0)
    ramp = 0.01 * (down * place[:, None] + right * place[None, :])
    size, _ = gradients(np.repeat(ramp[None, ..., None], 3, axis=3).astype(np.float32))
    assert size[0, 5, 5] == pytest.approx(0.02, rel=1e-4)
    inner = cell_histograms(np.repeat(ramp[None, ..., None], 3, axis=3).astype(np.float32), 4)[0, 1, 1]
    expected = np.zeros(9)
    for k, share in bins.items():
        expected[k] = 0.02 * share
    np.testing.assert_allclose(inner, expected, atol=1e-5)


def test_blocks_have_length_one_and_blank_ones_none() -> None:
    found = oriented_gradients(images(3, 64)).reshape(3, -1, 36)
    np.testing.assert_allclose(np.linalg.norm(found, axis=2), 1.0, atol=1e-3)
    assert (oriented_gradients(np.full((1, 64, 64, 3), 90, np.uint8)) == 0.0).all()


@pytest.mark.parametrize("side", [32, 48, 64, 224])
def test_there_are_as_many_columns_as_announced(side: int) -> None:
    assert oriented_gradients(images(1, side)).shape == (1, hog_width(side))
    assert hog_width(side) == (cells_of(side) - 1) ** 2 * 36


def test_light_and_contrast_do_not_matter_much() -> None:
    pictures = (images(4, 64) // 2).astype(np.uint8)
    brighter = (pictures + 60).astype(np.uint8)
    np.testing.assert_allclose(oriented_gradients(brighter), oriented_gradients(pictures), atol=1e-3)
    stronger = (pictures * 2).astype(np.uint8)
    np.testing.assert_allclose(oriented_gradients(stronger), oriented_gradients(pictures), atol=1e-3)


def test_a_mirrored_image_has_mirrored_histograms() -> None:
    pictures = images(2, 32).astype(np.float32) / 255.0
    found = cell_histograms(pictures[:, :, ::-1], 4)
    np.testing.assert_allclose(found[:, :, ::-1, ::-1], cell_histograms(pictures, 4), rtol=1e-4, atol=1e-5)
