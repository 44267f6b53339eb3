"""The side of the working images, and whether pictures are cut."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from autodl.data.images import sizes
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
