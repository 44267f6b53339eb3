"""Short texts whose words hardly recur are read letter by letter, and a recurrent network comes early there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from test_texts import column, kept, readers, setting, told

from autodl.data.statistics import SHORT, describe
from autodl.models.base import families
from autodl.planning.candidates import choose_families
from autodl.planning.preparation_words import decide
from autodl.planning.texts import FEWEST_TEXTS, HARDLY
from autodl.records import ColumnInfo, ColumnKind, ParseRule
from autodl.search.fitting import problem_space
from autodl.search.space import family_space

LETTER_READERS = {key for key, family in families.items() if family.leads_letters}


def names(length: float = 7.0, rows: int = 10_000, recurring: float = 0.1) -> ColumnInfo:
    return column(length, rows, "Braund").model_copy(update={"recurring": recurring})


def recurring(texts: list[str | None], kind: ColumnKind = ColumnKind.TEXT) -> float | None:
    return describe("said", kind, "", pd.Series(texts, dtype=object).to_numpy(), ParseRule()).recurring


def test_words_that_stand_in_other_texts_are_counted() -> None:
    assert recurring(["Anna", "Berta", "Carl", None]) == 0.0
    assert recurring(["Anna", "anna", "Carl"]) == pytest.approx(2 / 3)
    assert recurring(["a good film", "a bad film"]) == pytest.approx(4 / 6)
    assert recurring(["_get_a_1", "_get_a_2"]) == 0.0
    assert recurring(["so so"]) == 0.0, "twice in one text is not in another"
    assert recurring(["Carl", "Carl"]) == 1.0, "each row is a text"
    assert recurring(["?!", "..."]) is None and recurring(["Anna"], ColumnKind.CATEGORICAL) is None
    assert recurring(["good film " * SHORT, "bad film " * SHORT]) is None


def test_sentences_of_few_words_have_words_that_recur() -> None:
    rng = np.random.default_rng(0)
    words = [f"word{k}" for k in range(500)]
    chosen = rng.zipf(1.3, (300, 6)) % 500
    share = recurring([" ".join(words[k] for k in row) for row in chosen])
    assert share is not None and share > 0.8


def test_characters_of_scripts_without_spaces_are_words() -> None:
    rng = np.random.default_rng(0)
    signs = [chr(0x4E00 + k) for k in range(300)]
    chinese = ["".join(rng.choice(signs, 7)) for _ in range(200)]
    assert (recurring(list(chinese)) or 0.0) > HARDLY
    # Vowel signs belong to their words: the letters before them recur, the names do not.
    assert recurring(["राम", "राधा", "रीना", "रूपा"]) == 0.0


def test_sequences_of_bases_are_read_by_letters_whatever_their_length() -> None:
    rng = np.random.default_rng(0)
    for length in (60, 300):
        bases = ["".join(rng.choice(list("ACGT"), length)) for _ in range(40)]
        assert recurring(list(bases)) == 0.0
        s = setting(column(float(length), 10_000, *bases[:9]).model_copy(update={"recurring": 0.0}), None)
        assert readers(s).keys() >= LETTER_READERS and s.shape().text_letters == length
    assert not any(p.lead for p in choose_families(s)[0]), "long ones were not tried"


def test_networks_read_names_though_they_are_short() -> None:
    assert not readers(setting(names(recurring=HARDLY), None))
    assert readers(setting(names(), None)).keys() >= LETTER_READERS
    few = setting(names(rows=FEWEST_TEXTS), None)
    assert not readers(few) and all("too few to learn from scratch how words are spelt" in why for why in told(few))
    shape = setting(names(12.0), None).shape()
    assert (shape.text_tokens, shape.text_letters) == (2, 12), "networks that were trained before read words"
    assert setting(column(), None).shape().text_letters == 0


def test_the_recurrent_one_comes_right_after_the_simplest() -> None:
    assert LETTER_READERS
    keys = kept(setting(names(), 60.0))
    early = set(keys[: keys.index("linear") + 1 + len(LETTER_READERS)])
    assert early > LETTER_READERS
    assert all(p.lead is (p.key in LETTER_READERS) for p in choose_families(setting(names(), 60.0))[0])
    beside = choose_families(setting(names(), 600.0, beside=True))[0]
    assert not any(p.lead for p in beside), "other columns may tell more"
    long_ones = choose_families(setting(column(), 600.0))[0]
    assert not any(p.lead for p in long_ones)


@pytest.mark.parametrize("letters", [True, False])
def test_the_plan_says_how_they_read_and_lists_what_is_good_for_that(letters: bool) -> None:
    s = setting(names() if letters else column(), None)
    plans = {p.key: p for p in choose_families(s)[0]}
    recipes = {p.name: p.recipe for p in plans.values() if families[p.key].complexity}
    text = next(d for d in decide(s.facts, s.metric, recipes, frozenset()) if d.topic == "Text")
    assert ("letter by letter" in text.choice) is letters and ("Their words hardly recur" in text.why) is letters
    for key in readers(s):
        assert plans[key].recipe.text_letters is letters
        space, whole = problem_space(plans[key], []), family_space(key).portfolio
        assert "prep.text_letters" not in space.params
        assert len(space.starts()) == sum(c.get("prep.text_letters", False) is letters for c in whole)
