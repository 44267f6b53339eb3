"""Parts of texts that people see: words, and groups of characters where words have no spaces between them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from autodl.explain.text_terms import share_letters, shown_terms, without_term
from autodl.explain.word_effects import word_effects


def test_words_are_those_between_spaces() -> None:
    assert shown_terms("It's a Well-made film, a 2nd one!") == {"it's", "well-made", "film", "2nd", "one"}


def test_typographic_apostrophes_hold_words_together() -> None:
    assert shown_terms("It’s ‘good’") == {"it’s", "good"}


def test_characters_stand_in_groups_with_their_marks() -> None:
    assert shown_terms("很好看") == {"很", "好", "看", "很好", "好看", "很好看"}
    thai = shown_terms("ที่ดี")  # two letters, the first with two marks, the second with one
    assert thai == {"ที่", "ดี", "ที่ดี"}
    assert {"iphone", "手机"} <= shown_terms("我的iPhone手机")


def test_terms_are_left_out_where_they_stand_as_such() -> None:
    assert without_term("good", "Good, goods") == " , goods"
    assert without_term("好看", "很好看！") == "很！"
    assert without_term("iphone", "我的iPhone手机") == "我的 手机"
    assert share_letters("好", "好看") and share_letters("很好", "好看")
    assert not share_letters("go", "good") and not share_letters("好", "坏")


@pytest.mark.parametrize(
    ("good", "bad", "filler"),
    [
        ("好看", "难看", ["这部电影", "演员", "故事", "音乐", "我觉得", "昨天"]),
        ("おもしろい", "つまらない", ["この映画は", "俳優が", "物語も", "音楽と", "昨日の", "私には"]),
        ("สนุก", "น่าเบื่อ", ["ภาพยนตร์", "นักแสดง", "เรื่องราว", "เพลง", "เมื่อวาน", "ของเขา"]),
    ],
)
def test_what_decides_is_found_in_scripts_without_spaces(good: str, bad: str, filler: list[str]) -> None:
    rng = np.random.default_rng(0)
    texts = []
    for k in range(120):
        parts = list(rng.choice(filler, 4))
        parts.insert(int(rng.integers(5)), (good, bad)[k % 2])
        texts.append("".join(parts) + "。")
    frame = pd.DataFrame({"text": pd.array(texts, dtype="string")})

    def predicted(rows: pd.DataFrame) -> np.ndarray:
        said = rows["text"].str
        return 0.3 * said.contains(good).to_numpy(float) - 0.2 * said.contains(bad).to_numpy(float)

    found = word_effects(predicted, frame, "text", None, "", seed=0)
    first, last = found.terms[0], found.terms[-1]
    assert first.effect == pytest.approx(0.3) and (first.term in good or good in first.term)
    assert last.effect == pytest.approx(-0.2) and (last.term in bad or bad in last.term)
    assert sum(t.effect > 0.2 for t in found.terms) <= 3
