"""Whatever kind of file an image is, a square of RGB comes of it, or the reason why not."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from autodl.data.images import decoding
from autodl.data.images.decoding import Lost, LostImageError, decode, look

RED, BLUE = (220, 30, 30), (30, 30, 220)


def halves(height: int, width: int, left: tuple[int, ...] = RED, right: tuple[int, ...] = BLUE) -> Image.Image:
    """An image with a left and a right half."""
    image = Image.new("RGB", (width, height), right)
    image.paste(left, (0, 0, width // 2, height))
    return image


def assert_halves(pixels: np.ndarray, *, off: int = 12) -> None:
    side = pixels.shape[0]
    assert pixels.shape == (side, side, 3)
    assert pixels.dtype == np.uint8
    for part, colour in ((pixels[:, : side // 4], RED), (pixels[:, -side // 4 :], BLUE)):
        assert np.abs(part.astype(int) - colour).max() <= off


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".gif", ".tif", ".webp", ".ppm"])
def test_every_format_gives_the_same_picture(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"a{suffix}"
    halves(64, 64).save(file, **({"quality": 95} if suffix in (".jpg", ".webp") else {}))
    found = decode(str(file), 64, crop=False)
    assert_halves(found.pixels)
    assert found.size == (64, 64) == look(str(file))
    assert not found.grey


def test_pixels_of_the_right_size_are_left_alone(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert (decode(str(tmp_path / "a.png"), 32, crop=True).pixels == pixels).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_held_upright_whatever_the_camera_was(tmp_path: Path, orientation: int) -> None:
    # How a camera stores an upright picture: the inverse of the turn that the tag asks for.
    turn = Image.Transpose
    stored = {
        1: None, 2: turn.FLIP_LEFT_RIGHT, 3: turn.ROTATE_180, 4: turn.FLIP_TOP_BOTTOM, 5: turn.TRANSPOSE,
        6: turn.ROTATE_90, 7: turn.TRANSVERSE, 8: turn.ROTATE_270,
    }[orientation]  # fmt: skip
    upright = halves(48, 64)
    upright.paste((0, 255, 0), (0, 0, 8, 8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    (upright if stored is None else upright.transpose(stored)).save(tmp_path / "a.png", exif=exif)
    found = decode(str(tmp_path / "a.png"), 64, crop=False)
    assert found.size == (48, 64) == look(str(tmp_path / "a.png"))
    plain = np.asarray(upright.resize((64, 64), Image.Resampling.BICUBIC))
    assert np.abs(found.pixels.astype(int) - plain).max() <= 40
    assert found.pixels[2, 2].tolist()[1] > 200  # the green corner is at the top left


def test_palettes_grey_bits_and_print_colours(tmp_path: Path) -> None:
    picture = halves(32, 32)
    for name, image in {
        "palette.png": picture.quantize(4), "cmyk.jpg": picture.convert("CMYK"), "ycc.jpg": picture.convert("YCbCr"),
    }.items():  # fmt: skip
        image.save(tmp_path / name)
        assert_halves(decode(str(tmp_path / name), 32, crop=False).pixels, off=30)
    for mode in ("L", "1", "LA"):
        halves(32, 32, (255, 255, 255), (0, 0, 0)).convert(mode).save(tmp_path / "a.png")
        found = decode(str(tmp_path / "a.png"), 32, crop=False)
        assert found.grey
        assert (found.pixels[:, :16] == 255).all() and (found.pixels[:, 16:] == 0).all()


@pytest.mark.parametrize(("top", "white"), [(255, 255), (1023, 1023), (4000, 4095), (60_000, 65_535)])
def test_deep_grey_keeps_its_contrast(tmp_path: Path, top: int, white: int) -> None:
    values = np.linspace(0, top, 64).round().astype(np.uint16).reshape(8, 8)
    for name in ("a.png", "a.tif"):
        Image.fromarray(values).save(tmp_path / name)
        found = decode(str(tmp_path / name), 8, crop=False).pixels[..., 0]
        assert np.abs(found - values * 255.0 / white).max() <= 0.51


def test_fractions_are_shares_of_white(tmp_path: Path) -> None:
    values = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
    Image.fromarray(values).save(tmp_path / "a.tif")
    found = decode(str(tmp_path / "a.tif"), 8, crop=False).pixels[..., 0]
    assert np.abs(found - values * 255).max() <= 0.51


def test_shades_that_were_learnt_hold_for_every_deep_picture(tmp_path: Path) -> None:
    values = np.array([[-500, 0], [1000, 9000]])
    Image.fromarray(values.astype(np.float32)).save(tmp_path / "a.tif")
    found = decode(str(tmp_path / "a.tif"), 2, crop=False, shades=(0.0, 4095.0)).pixels[..., 0]
    assert found.tolist() == [[0, 0], [62, 255]]
    found = decode(str(tmp_path / "a.tif"), 2, crop=False, shades=(-1023.0, 4095.0)).pixels[..., 0]
    assert found.tolist() == [[26, 51], [101, 255]]
    Image.new("L", (2, 2), 200).save(tmp_path / "b.png")
    assert (decode(str(tmp_path / "b.png"), 2, crop=False, shades=(0.0, 4095.0)).pixels == 200).all()


@pytest.mark.parametrize("odd", [np.nan, -np.inf, -9999.0, -3.4e38])
def test_values_that_are_not_known_are_black(tmp_path: Path, odd: float) -> None:
    Image.fromarray(np.array([[odd, 0], [1000, 9000]], np.float32)).save(tmp_path / "a.tif")
    for black, zero in ((0.0, 0), (-16383.0, 128)):
        found = decode(str(tmp_path / "a.tif"), 2, crop=False, shades=(black, 16383.0)).pixels[..., 0]
        assert found[0].tolist() == [0, zero]
        assert zero < found[1, 0] < found[1, 1] < 255


def test_without_shades_fractions_beyond_1_are_as_models_of_earlier_versions_see_them(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 2], [51, 204]], np.float32)).save(tmp_path / "a.tif")
    assert decode(str(tmp_path / "a.tif"), 2, crop=False).pixels[..., 0].tolist() == [[0, 2], [51, 204]]


def test_transparent_pixels_are_white(tmp_path: Path) -> None:
    image = Image.new("RGBA", (32, 32), (200, 0, 0, 255))
    image.paste((0, 0, 0, 0), (16, 0, 32, 32))
    image.save(tmp_path / "a.png")
    palette = Image.new("P", (32, 32), 1)
    palette.putpalette([0, 0, 0, 200, 0, 0])
    palette.paste(0, (16, 0, 32, 32))
    palette.save(tmp_path / "b.gif", transparency=0)
    for name in ("a.png", "b.gif"):
        pixels = decode(str(tmp_path / name), 32, crop=False).pixels
        assert (pixels[:, :16] == (200, 0, 0)).all()
        assert (pixels[:, 16:] == 255).all()
        assert decode(str(tmp_path / name), 32, crop=False).clear
    Image.new("RGBA", (32, 32), (200, 0, 0, 255)).save(tmp_path / "solid.png")
    assert not decode(str(tmp_path / "solid.png"), 32, crop=False).clear


def test_of_moving_pictures_the_first_is_taken(tmp_path: Path) -> None:
    halves(32, 32).save(tmp_path / "a.gif", save_all=True, append_images=[halves(32, 32, BLUE, RED)] * 3, duration=50)
    found = decode(str(tmp_path / "a.gif"), 32, crop=False)
    assert_halves(found.pixels)
    assert found.moving
    halves(32, 32).save(tmp_path / "b.gif")
    assert not decode(str(tmp_path / "b.gif"), 32, crop=False).moving
    halves(32, 32).save(tmp_path / "c.jpg", "MPO", save_all=True, append_images=[halves(32, 32)])
    assert not decode(str(tmp_path / "c.jpg"), 32, crop=False).moving  # as phones write them


def test_wide_pictures_are_squeezed_or_cut_to_their_middle(tmp_path: Path) -> None:
    image = Image.new("RGB", (128, 64), (0, 0, 0))
    image.paste((255, 255, 255), (32, 0, 96, 64))  # the middle half
    image.save(tmp_path / "a.png")
    cut, squeezed = (decode(str(tmp_path / "a.png"), 32, crop=crop).pixels for crop in (True, False))
    assert (cut == 255).mean() > 0.9
    assert (squeezed[:, 10:22] > 250).all() and (squeezed[:, :6] < 5).all() and (squeezed[:, -6:] < 5).all()
    image.resize((76, 64)).save(tmp_path / "b.png")  # nearly a square: nothing is cut
    assert (decode(str(tmp_path / "b.png"), 32, crop=True).pixels[:, 0] < 60).all()


def test_large_jpegs_are_read_small_and_right(tmp_path: Path) -> None:
    halves(1600, 2400).save(tmp_path / "a.jpg", quality=90)
    found = decode(str(tmp_path / "a.jpg"), 32, crop=False)
    assert_halves(found.pixels)
    assert found.size == (1600, 2400)


def jpeg() -> bytes:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "JPEG")
    return file.getvalue()


def bomb() -> bytes:
    """The head of a PNG of 10^10 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", Lost.EMPTY),
        (b"hello, I am a text", Lost.FOREIGN),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64), Lost.PHONE),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) run\n", Lost.FOREIGN),
        (jpeg()[:-800], Lost.DAMAGED),
        (jpeg()[:300], Lost.DAMAGED),
        (bomb(), Lost.HUGE),
    ],
)
def test_what_is_no_image_is_named(tmp_path: Path, content: bytes, why: Lost) -> None:
    file = tmp_path / "a.jpg"
    file.write_bytes(content)
    with pytest.raises(LostImageError) as lost:
        decode(str(file), 32, crop=False)
    assert lost.value.why is why


def test_files_that_are_none(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")  # opening it would wait for ever
    (tmp_path / "folder.png").mkdir()
    for name in ("absent.png", "pipe.png", "folder.png", "a\0b.png"):
        with pytest.raises(LostImageError) as lost:
            decode(str(tmp_path / name), 32, crop=False)
        assert lost.value.why is Lost.ABSENT


def test_a_picture_beyond_the_limit_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    halves(40, 40).save(tmp_path / "a.png")
    monkeypatch.setattr(decoding, "MAX_PIXELS", 40 * 40 - 1)
    with pytest.raises(LostImageError) as lost:
        decode(str(tmp_path / "a.png"), 32, crop=False)
    assert lost.value.why is Lost.HUGE


@given(place=st.integers(0, 2000), value=st.integers(0, 255), cut=st.integers(0, 2000))
def test_damage_anywhere_gives_an_image_or_a_reason(
    tmp_path_factory: pytest.TempPathFactory, place: int, value: int, cut: int
) -> None:
    content = bytearray(jpeg())
    content[place % len(content)] = value
    file = tmp_path_factory.mktemp("damage") / "a.jpg"
    file.write_bytes(content[: max(1, len(content) - cut)])
    try:
        shape = decode(str(file), 16, crop=True).pixels.shape
    except LostImageError:
        shape = (16, 16, 3)
    assert shape == (16, 16, 3)


def test_brightness_tells_a_blank_image(tmp_path: Path) -> None:
    Image.new("RGB", (32, 32), (90, 90, 90)).save(tmp_path / "blank.png")
    halves(32, 32, (0, 0, 0), (255, 255, 255)).save(tmp_path / "full.png")
    assert decode(str(tmp_path / "blank.png"), 32, crop=False).spread == 0
    assert decode(str(tmp_path / "full.png"), 32, crop=False).spread == pytest.approx(127.5)
