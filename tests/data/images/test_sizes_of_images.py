"""The side of the working images, and whether pictures are cut."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from autodl.data.images import brightness, decoding, sizes
from autodl.data.images.decoding import decode
from autodl.data.images.sizes import SIDES, SMALLEST, choose_side, learn_shades, learn_side


@pytest.mark.parametrize(
    ("height", "width", "side"),
    [(8, 8, 8), (28, 28, 28), (32, 32, 32), (33, 33, 32), (60, 60, 64), (120, 120, 128), (480, 640, 224), (3, 3, 8)],
)
def test_sides(height: int, width: int, side: int) -> None:
    assert choose_side(np.array([[height, width]] * 5)) == (side, False)


def test_all_deep_pictures_share_black_and_white(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def deep(name: str, *values: float, dtype: type = np.uint16) -> str:
        Image.fromarray(np.array([values], dtype=dtype)).save(tmp_path / name)
        return str(tmp_path / name)

    dark, bright, plain = deep("a.png", 3, 200), deep("b.png", 90, 3000), deep("c.png", 0, 9, dtype=np.uint8)
    (tmp_path / "d.png").write_bytes(b"no image")
    assert learn_shades([dark, bright, plain, str(tmp_path / "d.png")]) == (0.0, 4095.0)
    assert learn_shades([plain]) is None and learn_shades([]) is None
    scan = deep("e.tif", -900.0, np.nan, 200.0, dtype=np.float32)
    assert learn_shades([scan, bright]) == (-1023.0, 4095.0)
    assert learn_shades([deep("f.tif", 0.1, 0.3, dtype=np.float32), deep("g.tif", 0.9, dtype=np.float32)]) == (
        0.0,
        1.0,
    )
    monkeypatch.setattr(sizes, "DEEP_PIXELS", 2)
    assert learn_shades([dark, bright]) == (0.0, 255.0)  # large ones would take too long


def deep_file(path: Path, values: np.ndarray) -> str:
    Image.fromarray(values).save(path)
    return str(path)


@pytest.mark.parametrize("odd", [-9999.0, -32768.0, float(np.finfo(np.float32).min), -np.inf])
def test_values_that_mark_missing_pixels_are_neither_black_nor_white(tmp_path: Path, odd: float) -> None:
    values = np.linspace(0, 800, 1024, dtype=np.float32).reshape(32, 32)
    values[:5] = odd
    holes, empty = deep_file(tmp_path / "a.tif", values), deep_file(tmp_path / "b.tif", np.full_like(values, odd))
    black, white = learn_shades([holes, empty]) or (0.0, 0.0)
    assert black == 0.0 and white == pytest.approx(800, rel=0.01)
    assert learn_shades([empty]) is None
    if np.isfinite(odd):
        whole = np.maximum(values, -32768).astype(np.int32)
        assert learn_shades([deep_file(tmp_path / "c.tif", whole)]) == (0.0, 1023.0)


@pytest.mark.parametrize("height", [4, 64])
def test_a_hot_pixel_does_not_fade_all_the_others(tmp_path: Path, height: int) -> None:
    """Alone in a large picture it is rare; of a small one the whole picture is odd."""
    shape = (24, height, height)
    values = np.random.default_rng(0).integers(100, 1000, shape, dtype=np.uint16, endpoint=True)
    values[5, 1, 1] = 65535
    files = [deep_file(tmp_path / f"{i}.png", v) for i, v in enumerate(values)]
    assert learn_shades(files) == (0.0, 1023.0)
    fractions = np.random.default_rng(0).uniform(0, 0.9, shape).astype(np.float32)[:10]
    fractions[3, 2, 2], fractions[4, 0, 0] = 1.01, -0.4
    files = [deep_file(tmp_path / f"{i}.tif", v) for i, v in enumerate(fractions)]
    assert learn_shades(files) == (0.0, 1.0)


def test_small_things_count_however_rare_and_faulty_pixels_do_not(tmp_path: Path) -> None:
    """Of 96 x 96 pixels the four of a square are less than a thousandth; faulty ones are alone."""
    values = np.full((24, 96, 96), 500, np.int32)
    values[:12, 30:32, 40:42], values[12:, 10:12, 60:62] = 3000, 7000
    values[12:, 50:52, 5:7] = -300
    values[:, 20, [3, 5, 7]], values[:, 62, 62] = 65535, -8000
    files = [deep_file(tmp_path / f"{i}.tif", v) for i, v in enumerate(values)]
    assert learn_shades(files) == (-1023.0, 16383.0)
    assert learn_shades(files[:12]) == (0.0, 4095.0)
    line = deep_file(tmp_path / "line.png", np.arange(4000, dtype=np.uint16)[None])  # it has no squares
    assert decoding.extremes(line) == (4.0, 3995.0, False)


def test_marks_and_defects_do_not_fade_the_pictures(tmp_path: Path) -> None:
    """Of 24 scans six have a mark at the largest value; of 24 pictures of fractions three have a faulty square."""
    rng = np.random.default_rng(0)
    scans = rng.integers(0, 3500, (24, 128, 128), dtype=np.uint16)
    scans[:6, 2:4, 2:4] = 65535
    assert learn_shades([deep_file(tmp_path / f"{i}.png", v) for i, v in enumerate(scans)]) == (0.0, 4095.0)
    shares = rng.uniform(0.2, 0.8, (24, 128, 128)).astype(np.float32)
    shares[:3, 2:4, 2:4] = 1e6
    black, white = learn_shades([deep_file(tmp_path / f"{i}.tif", v) for i, v in enumerate(shares)]) or (0.0, 0.0)
    assert black == 0 and white < 13


def test_many_bright_things_on_a_dark_ground_are_what_is_shown(tmp_path: Path) -> None:
    """As stars and cells: each is a thing of its own, and their brightness may be what tells the classes."""
    rng = np.random.default_rng(0)
    values = rng.integers(0, 6, (256, 256), dtype=np.uint16)
    for i in range(4):
        values[40 * i : 40 * i + 4, 60:64] = 2000 + 1000 * i
    assert decoding.extremes(deep_file(tmp_path / "stars.png", values)) == (0.0, 5000.0, False)
    # One defect, however large, is one thing.
    values[:, 60:64] = 3
    values[40:46, 60:66] = 60_000
    assert decoding.extremes(deep_file(tmp_path / "defect.png", values)) == (0.0, 80.0, False)
    values[40:46, 60:66] = 3
    for i in range(20):
        values[40 + i : 42 + i, 60 + i : 62 + i] = 60_000
    assert decoding.extremes(deep_file(tmp_path / "scratch.png", values)) == (0.0, 80.0, False)


def test_two_files_that_go_further_count_and_one_of_many_does_not(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 1000, (24, 16, 16), dtype=np.uint16)
    files = [deep_file(tmp_path / f"{i:02}.png", v) for i, v in enumerate(values)]
    deep_file(tmp_path / "07.png", 3 * values[7])
    assert learn_shades(files) == (0.0, 1023.0)
    assert learn_shades(files[7:12]) == (0.0, 4095.0)  # of five it may be a class
    deep_file(tmp_path / "19.png", 2 * values[19])
    assert learn_shades(files) == (0.0, 4095.0)


def test_faint_fractions_fill_black_to_white(tmp_path: Path) -> None:
    """Such as the backscatter of radar; images of fractions that get anywhere near 1 stay shares of white."""
    values = np.linspace(0, 0.003, 64, dtype=np.float32).reshape(8, 8)
    radar, deep = deep_file(tmp_path / "a.tif", values), deep_file(tmp_path / "b.tif", values - np.float32(0.001))
    black, white = learn_shades([radar]) or (-1.0, -1.0)
    assert (black, white) == pytest.approx((0.0, 0.003))
    assert np.ptp(decode(radar, 8, crop=False, shades=(black, white)).pixels) == 255
    assert learn_shades([radar, deep]) == pytest.approx((-0.001, 0.003))
    assert learn_shades([deep_file(tmp_path / "c.tif", 100 * values)]) == (0.0, 1.0)


def test_fractions_beyond_1_are_no_whole_numbers(tmp_path: Path) -> None:
    files = [deep_file(tmp_path / f"{v}.tif", np.full((2, 2), v, np.float32)) for v in (0.5, 1.25, -2.0)]
    assert learn_shades(files) == (-2.0, 1.25)


def test_few_pixels_of_a_large_picture_are_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.arange(3000, dtype=np.uint16).reshape(1000, 3)
    file = deep_file(tmp_path / "a.png", values)
    monkeypatch.setattr(brightness, "SAMPLED", 1000)
    # Of every second row and column the second and the last but one.
    assert decoding.extremes(file) == (2.0, 2994.0, False)


@pytest.mark.parametrize(("n", "classes", "cut"), [(16, 4, 7), (24, 3, 8), (24, 4, 8), (400, 4, 8), (24, 2, 3)])
@pytest.mark.parametrize("in_turn", [False, True])
def test_large_pictures_of_every_class_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n: int, classes: int, cut: int, in_turn: bool
) -> None:
    seen: list[int] = []

    def noted(path: str) -> tuple[float, float, bool]:
        seen.append(int(path) % classes if in_turn else int(path) * classes // n)
        return 0.0, 9.0, False

    monkeypatch.setattr(sizes, "extremes", noted)
    monkeypatch.setattr(sizes, "look", lambda path: (1, 1))
    monkeypatch.setattr(sizes, "DEEP_PIXELS", cut)
    learn_shades([str(i) for i in range(n)])
    assert len(seen) == cut
    assert set(seen) == set(range(classes))


def test_pictures_of_one_shape_are_squeezed_others_are_cut() -> None:
    wide, high = [[100, 300]] * 10, [[300, 100]] * 10
    assert choose_side(np.array(wide)) == (160, False)  # sqrt(30,000) = 173
    assert choose_side(np.array(high)) == (160, False)
    assert choose_side(np.array(wide + high)) == (96, True)
    assert choose_side(np.array([*wide, *wide, *high[:1]]))[1] is False  # one odd one in twenty


@given(st.lists(st.tuples(st.integers(1, 5000), st.integers(1, 5000)), min_size=1, max_size=20))
def test_a_side_is_small_or_one_of_the_list_whatever_the_order(sizes: list[tuple[int, int]]) -> None:
    side, crop = choose_side(np.array(sizes))
    assert side in SIDES or SMALLEST <= side <= SIDES[0]
    assert (side, crop) == choose_side(np.array(sizes[::-1]))
    # Turned by a right angle the pictures keep their areas and their shapes.
    assert choose_side(np.array(sizes)[:, ::-1])[0] == side or crop != choose_side(np.array(sizes)[:, ::-1])[1]


def test_files_that_give_nothing_are_passed_over(tmp_path: Path) -> None:
    Image.new("RGB", (50, 50)).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"nothing")
    assert learn_side([str(tmp_path / n) for n in ("b.png", "a.png", "c.png")]) == (48, False)
    assert learn_side([str(tmp_path / "b.png")]) is None
    assert learn_side([]) is None
