"""Changes of images against numpy's flips, padding and rotation, and against known colours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from autodl.models.nn.augment_config import ImageAugmentConfig
from autodl.models.nn.image_changes import cut_out, moved, recoloured, warped
from autodl.models.nn.image_draws import LARGEST, OPERATIONS_PER_IMAGE, draw

NOTHING = draw(ImageAugmentConfig(flip="none", crop=0.0), 2)


@pytest.fixture(autouse=True)
def seeded():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def images(b: int = 2, side: int = 8) -> torch.Tensor:
    return torch.randint(0, 256, (b, side, side, 3), dtype=torch.uint8)


def each(*values: float) -> torch.Tensor:
    return torch.tensor(values)


def test_no_change_is_none() -> None:
    x = images()
    assert torch.equal(moved(x, NOTHING), x)
    torch.testing.assert_close(warped(x, NOTHING), x.float(), atol=1e-2, rtol=0)
    torch.testing.assert_close(recoloured(x, NOTHING), x.float())


@pytest.mark.parametrize("change", [moved, warped])
def test_mirrored_and_shifted_as_numpy_does(change) -> None:
    x = images(3)
    drawn = draw(ImageAugmentConfig(flip="none", crop=0.0), 3)
    drawn = replace(
        drawn, flip_x=each(-1, 1, 1), flip_y=each(1, -1, 1), shift_x=each(0, 0, 0.25), shift_y=each(0, 0, -0.125)
    )
    y = change(x, drawn).float().numpy()
    np.testing.assert_allclose(y[0], x[0].numpy()[:, ::-1], atol=1e-2)
    np.testing.assert_allclose(y[1], x[1].numpy()[::-1], atol=1e-2)
    # Two pixels to the right, one up: what was at (r, c) is at (r - 1, c + 2).
    np.testing.assert_allclose(y[2][:7, 2:], x[2].numpy()[1:, :6], atol=1e-2)


def test_the_border_is_the_mirrored_inside() -> None:
    x = images(1)
    y = moved(x, replace(draw(ImageAugmentConfig(flip="none", crop=0.0), 1), shift_x=each(0.25)))
    padded = np.pad(x[0].numpy(), ((0, 0), (2, 0), (0, 0)), mode="reflect")[:, :8]
    np.testing.assert_array_equal(y[0].numpy(), padded)


def test_a_quarter_turn_is_numpys() -> None:
    x = images(1)
    y = warped(x, replace(draw(ImageAugmentConfig(flip="none", crop=0.0), 1), angle=each(np.pi / 2)))
    np.testing.assert_allclose(y[0].numpy(), np.rot90(x[0].numpy(), -1), atol=0.1)


def test_enlarged_twice_shows_the_middle() -> None:
    x = torch.zeros(1, 8, 8, 3)
    x[:, 2:6, 2:6] = 200.0
    y = warped(x, replace(draw(ImageAugmentConfig(flip="none", crop=0.0), 1), zoom=each(2.0)))
    assert float(y[0, 1:7, 1:7].min()) == pytest.approx(200.0)
    smaller = warped(x, replace(draw(ImageAugmentConfig(flip="none", crop=0.0), 1), zoom=each(0.5)))
    assert float(smaller[0, 3:5, 3:5].min()) == pytest.approx(200.0) and float(smaller[0, 2:6, 2].max()) < 1.0


def test_colours() -> None:
    x = images()
    grey = recoloured(x, replace(NOTHING, saturation=torch.zeros(2)))
    expected = x.float() @ torch.tensor([0.299, 0.587, 0.114])
    torch.testing.assert_close(grey, expected[..., None].expand_as(grey))
    flat = recoloured(x, replace(NOTHING, contrast=torch.zeros(2)))
    torch.testing.assert_close(flat[:, 0, 0, 0], expected.mean((1, 2)))
    assert float(flat.std((1, 2)).max()) < 1e-3
    bright = recoloured(x, replace(NOTHING, brightness=each(2.0, 0.5)))
    torch.testing.assert_close(bright[0], (2 * x[0].float()).clamp(max=255))
    torch.testing.assert_close(bright[1], x[1].float() / 2)
    inverted = recoloured(x, replace(NOTHING, solarize=each(0.0, 256.0)))
    torch.testing.assert_close(inverted, torch.stack([255 - x[0].float(), x[1].float()]))
    few = recoloured(x, replace(NOTHING, levels=each(4.0, 256.0)))
    assert set(few[0].unique().tolist()) <= {0.0, 64.0, 128.0, 192.0}
    torch.testing.assert_close(few[1], x[1].float())


def test_the_square_that_is_cut_out_has_the_mean_colour() -> None:
    x = images(200, 16).float()
    y = cut_out(x, 0.5)
    hidden = (y - x.mean((0, 1, 2))).abs().amax(3) < 1e-3
    sizes = hidden.sum((1, 2))
    assert int(sizes.max()) == 64 and int(sizes.min()) >= 16  # half the side; a quarter of that at a corner
    assert torch.equal(y[~hidden], x[~hidden])


def test_draws_lie_within_what_is_asked_for() -> None:
    drawn = draw(ImageAugmentConfig(crop=0.25, rotate=30, zoom=0.2, colour=0.4), 4000)
    for values, low, high in (
        (drawn.shift_x, -0.25, 0.25),
        (drawn.angle, -np.pi / 6, np.pi / 6),
        (drawn.zoom, 0.8, 1.2),
        (drawn.contrast, 0.6, 1.4),
    ):
        assert low <= float(values.min()) < low + 0.02 * (high - low)
        assert high >= float(values.max()) > high - 0.02 * (high - low)
    assert abs(float(drawn.flip_x.mean())) < 0.1 and set(drawn.flip_x.tolist()) == {-1.0, 1.0}
    assert float(drawn.flip_y.min()) == 1.0
    again = draw(ImageAugmentConfig(flip="both"), 400)
    assert set(again.flip_y.tolist()) == {-1.0, 1.0}


def test_two_of_the_operations_for_each_image() -> None:
    drawn = draw(ImageAugmentConfig(flip="none", crop=0.0, augment=1.0), 500)
    shifts = (drawn.shift_x != 0) | (drawn.shift_y != 0)
    done = torch.stack([
        drawn.angle != 0, drawn.shear_x != 0, drawn.shear_y != 0, drawn.zoom != 1, drawn.shift_x != 0,
        drawn.shift_y != 0, drawn.brightness != 1, drawn.contrast != 1, drawn.saturation != 1,
        drawn.solarize != 256, drawn.levels != 256,
    ])  # fmt: skip
    assert int(done.sum(0).max()) == OPERATIONS_PER_IMAGE and float(done.sum(0).float().mean()) > 1.9
    assert bool((done.float().mean(1) > 0.1).all()) and bool(shifts.any())
    assert float(drawn.angle.abs().max()) <= np.radians(LARGEST["rotate"])
    weak = draw(ImageAugmentConfig(flip="none", crop=0.0, augment=0.1), 500)
    assert float(weak.angle.abs().max()) <= 0.1 * np.radians(LARGEST["rotate"]) + 1e-6
