"""Codes taken apart, and frequencies of categories."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from autodl.preprocess.category_blocks import FrequencyBlock
from autodl.preprocess.codes import CategoryCoder
from autodl.preprocess.parts import CodeParts, letters_of, number_of


def test_known_codes() -> None:
    assert [letters_of(c) for c in ("C85", "pc 17599", "A/5 21171", "113803", "Ж-12")] == ["C", "PC", "A", "", "Ж"]
    assert [number_of(c) for c in ("C85", "PC 17599", "A/5 21171", "C23 C25", "9" * 40)] == [
        85, 17599, 21171, 25, 999999999999999,
    ]  # fmt: skip
    assert np.isnan(number_of("LINE"))


def test_codes_get_letters_and_numbers_and_other_words_stay() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({
        "seat": [f"{rng.choice(list('ABC'))}{k}" for k in rng.integers(1, 99, 200)],
        "name": [f"name {chr(97 + k // 26)}{chr(97 + k % 26)}" for k in rng.integers(0, 400, 200)],
        "flat": [f"{k}" for k in rng.integers(1, 9, 200)],
    })  # fmt: skip
    frame.loc[0, "seat"] = None
    parts = CodeParts(("seat", "name", "flat")).fit(frame)
    assert parts.words == ("seat:letters",) and parts.numbers == ("seat:number",)
    out = parts.transform(frame)
    assert out.loc[0, "seat:letters"] is None and np.isnan(out.loc[0, "seat:number"])
    assert (out["seat:letters"] + out["seat:number"].map("{:.0f}".format))[1:].tolist() == frame["seat"][1:].tolist()
    assert list(frame.columns) == ["seat", "name", "flat"]


def test_a_column_that_has_the_name_already_stays() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"c": [f"{rng.choice(list('AB'))}{k}" for k in range(60)], "c:letters": ["own"] * 60})
    parts = CodeParts(("c",)).fit(frame)
    assert parts.words == ("c:letters 2",) and parts.numbers == ("c:number",)
    out = parts.transform(frame)
    assert set(out["c:letters"]) == {"own"} and set(out["c:letters 2"]) == {"A", "B"}
    older = CodeParts.__new__(CodeParts)
    older.__setstate__({"columns": ("c",), "lettered": ("c",), "numbered": ("c",)})
    assert (older.words, older.numbers) == (("c:letters",), ("c:number",))


@settings(deadline=None, derandomize=True)
@given(st.lists(st.one_of(st.none(), st.text(max_size=12)), min_size=1, max_size=8))
def test_any_text_can_be_taken_apart(cells: list[str | None]) -> None:
    frame = pd.DataFrame({"c": pd.Series([f"A{k}" for k in range(60)], dtype=object)})
    parts = CodeParts(("c",)).fit(frame)
    out = parts.transform(pd.DataFrame({"c": pd.Series(cells, dtype=object)}))
    assert not np.isinf(out["c:number"]).any() and len(out) == len(cells)


def test_frequencies_are_logarithms_of_counts() -> None:
    frame = pd.DataFrame({"c": ["red", "blue", None, "red", "green", "red", "blue"]})
    block = FrequencyBlock(CategoryCoder(("c",)).fit(frame), "none", 0)
    np.testing.assert_allclose(block.fit_transform(frame, np.zeros(7))[:, 0], np.log1p([3, 2, 0, 3, 1, 3, 2]))
    np.testing.assert_array_equal(block.transform(pd.DataFrame({"c": ["pink", None]})), [[0], [0]])
    assert block.names == ("c:frequency",)
