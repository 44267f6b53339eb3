"""The section of examples to look at."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from report_records import make_records

from autodl.data.series.cells import series_cells
from autodl.explain.showing import shown_cell
from autodl.records import Examples, ShownExample, TermEffect, WordEffects
from autodl.report import write_report
from autodl.report.facts import gather
from autodl.report.figures.steps import bands, strongest_part
from autodl.report.figures.thumbnails import data_uri, looked_at, polylines
from autodl.report.sections.examples import examples

RNG = np.random.default_rng(0)
PICTURES = RNG.integers(0, 255, (3, 24, 24, 3)).astype(np.uint8)


def shown(kind: str, right: bool, **changes: object) -> ShownExample:
    said = "survived" if right else "died"
    base = ShownExample(
        row=7, column="cell", kind=kind, right=right, true="survived", predicted=said, confidence=0.93
    )  # type: ignore[arg-type]
    return base.model_copy(update=changes)


def page(tmp_path, examples: Examples | None, kind: str = "binary", **arrays: np.ndarray) -> str:
    path = write_report(tmp_path, **make_records(kind).kwargs(), examples=examples, **arrays)
    return path.read_text(encoding="utf-8")


def test_images_with_truth_answer_and_where_the_network_looked(tmp_path) -> None:
    record = Examples(
        shown=(
            shown("image", True, picture=0, heat=0, name="cats/<b>1.png"),
            shown("image", False, picture=1, name="cats/2.png"),
        ),
        heat_model="CNN #2",
    )
    text = page(tmp_path, record, pictures=PICTURES, heats=np.full((1, 3, 3), 0.5, np.float16))
    found = [base64.b64decode(x) for x in re.findall(r'src="data:image/jpeg;base64,([^"]+)"', text)]
    assert [Image.open(io.BytesIO(x)).size for x in found] == [(24, 24)] * 3
    assert "CNN #2" in text and "<b>1.png" not in text and "&lt;b&gt;1.png" in text
    assert "died, truly survived" in text and "sure 93 in 100" in text
    assert 'href="#examples"' in text and "http" not in "".join(re.findall(r'src="([^"]*)"', text))


def test_pictures_that_are_gone_are_left_out(tmp_path) -> None:
    record = Examples(shown=(shown("image", True, picture=0), shown("text", True, text="fine words")))
    text = page(tmp_path, record)
    assert "<img" not in text and "fine words" in text and "Images it got right" not in text


def test_nothing_to_look_at_makes_no_section(tmp_path) -> None:
    for record in (None, Examples(shown=())):
        assert 'id="examples"' not in page(tmp_path, record)


def test_series_texts_and_words(tmp_path) -> None:
    words = WordEffects(
        column="cell", outcome="survived", n_texts=40,
        terms=(TermEffect(term="good", effect=0.123, n_texts=9), TermEffect(term="a<b", effect=-0.2, n_texts=5)),
    )  # fmt: skip
    record = Examples(
        shown=(
            shown("series", True, lines=((0.0, 1.0, 0.0), (2.0, 2.0, 2.0)), steps=300),
            shown("text", False, text="<script>alert(1)</script>"),
        ),
        words=(words,),
        notes=("A note.",),
    )
    text = page(tmp_path, record)
    assert text.count("<polyline") == 2 and "300 steps" in text
    assert "<script>alert" not in text and "&lt;script&gt;alert" in text
    assert "+12.3 points" in text and "−20.0 points" in text and "A note." in text


@pytest.mark.parametrize(("channels", "moved"), [(4, ()), (12, ()), (12, (0.1, 0.2))])
def test_channels_that_are_not_drawn_are_told(channels: int, moved: tuple[float, ...]) -> None:
    cells = series_cells([np.zeros((3, channels), np.float32)])
    example = shown_cell(shown("series", True), pd.Series(cells), 0).model_copy(update={"moved": moved})
    section = examples(replace(gather(**make_records().kwargs()), examples=Examples(shown=(example,))))
    assert section is not None
    told = "Only the first 4 of its 12 channels are drawn" + ("; the parts were replaced in all." if moved else ".")
    assert (told in section.groups[0].intro) is (channels == 12)
    assert ("channels" in section.groups[0].intro) is (channels == 12)


def test_numbers_are_not_called_right(tmp_path) -> None:
    record = Examples(
        shown=tuple(shown("text", r, text="words", true="3", predicted="4", confidence=None) for r in (True, False))
    )
    text = page(tmp_path, record, "regression")
    assert "Texts answered well" in text and "Furthest off: texts" in text and text.count("4, truly 3") == 2


def test_a_record_survives_the_disk() -> None:
    record = Examples(shown=(shown("series", True, lines=((1.0, float("nan")),), steps=2),))
    again = Examples.model_validate_json(record.model_dump_json())
    assert np.isnan(again.shown[0].lines[0][1]) and again.shown[0].steps == 2


def test_a_picture_is_dark_where_the_network_did_not_look() -> None:
    white = np.full((20, 20, 3), 200, np.uint8)
    heat = np.zeros((2, 2))
    heat[0, 0] = 1.0
    out = looked_at(white, heat)
    assert out[0, 0, 0] == 200 and out[-1, -1, 0] < 60 and out.shape == white.shape
    assert looked_at(white, np.ones((2, 2))).min() == 200


def test_a_data_uri_is_the_picture() -> None:
    flat = np.full((8, 8, 3), (10, 120, 240), np.uint8)
    image = Image.open(io.BytesIO(base64.b64decode(data_uri(flat).partition(",")[2])))
    assert np.abs(np.asarray(image).astype(int) - flat).max() <= 6


def test_lines_fill_their_box() -> None:
    (rising,) = polylines([[0.0, 5.0, 10.0]])
    assert rising == "0.0,60.0 60.0,32.0 120.0,4.0"
    assert polylines([[3.0, 3.0]]) == ("0.0,32.0 120.0,32.0",)
    nan = float("nan")
    assert polylines([[1.0, nan, 2.0]]) == ("0.0,60.0 120.0,4.0",)
    assert polylines([[nan, nan], [1.0], []]) == ()


@pytest.mark.parametrize("kind", ["image", "series", "text"])
def test_an_example_without_content_shows_no_empty_card(tmp_path, kind: str) -> None:
    assert "<figcaption><b>" not in page(tmp_path, Examples(shown=(shown(kind, True),)))


def test_parts_of_a_series_that_decide_are_coloured_and_named(tmp_path) -> None:
    lines = ((0.0, 1.0, 0.0),)
    record = Examples(
        shown=(
            shown("series", True, lines=lines, steps=300, moved=(0.0, 0.2, 0.4, 0.0, -0.1, 0.0)),
            shown("series", True, lines=lines, steps=300, moved=(0.0, 0.004, 0.0)),
            shown("series", False, lines=lines, steps=1, moved=(0.1,)),
        )
    )
    text = page(tmp_path, record)
    assert "steps 51 to 150: +40 points" in text and "no part decides alone" in text
    assert (
        text.count('<rect class="for"') == 3
        and "step 1: +10 points" in text
        and text.count('<rect class="against"') == 1
    )
    assert text.count("each part was replaced by a straight line") == text.count("Colours as above") == 1
    numbers = tuple(s.model_copy(update={"true": "3", "predicted": "4", "confidence": None}) for s in record.shown)
    text = page(tmp_path, record.model_copy(update={"shown": numbers}), "regression")
    assert (
        "steps 51 to 150: +0.4<" in text
        and "without a blue part the prediction is lower" in text
        and "0.4 points" not in text
    )


def test_bands_stand_where_the_parts_are() -> None:
    first, second = bands((0.0, 2.0, -1.0, 0.1), 2.0)
    assert (first.x, first.width, first.raises) == (30.0, 30.0, True)
    assert (second.x, second.raises) == (60.0, False) and second.opacity == pytest.approx(first.opacity / 2, abs=0.01)
    assert bands((0.0, 0.0), 0.0) == () and bands((), 1.0) == ()


def test_the_strongest_part_takes_its_like_neighbours_along() -> None:
    assert strongest_part((0.1, 0.6, 1.0, 0.5, -0.9), 100) == (21, 80, 1.0)
    assert strongest_part((0.0, -0.2, 0.1), 3) == (2, 2, -0.2)
