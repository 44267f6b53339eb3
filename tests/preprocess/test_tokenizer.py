"""Texts cut into tokens: words, pieces of rare words, characters of scripts without spaces."""

from __future__ import annotations

import numpy as np
import pandas as pd

from autodl.media.batch import ABSENT
from autodl.media.tokens import FIRST, PADDING, UNKNOWN, TokenStore, padded_tokens, token_lengths
from autodl.preprocess import Preparer
from autodl.preprocess.tokenizer import Tokenizer, parts
from autodl.records import ColumnInfo, ColumnKind, Recipe, TableSchema, Task
from autodl.serialize import dump, load
from autodl.text_words import LONG_RUN


def test_scripts_without_spaces_are_read_by_character() -> None:
    assert parts("It's 很好, YES") == ["it", "'", "s", "很", "好", ",", "yes"]
    assert parts("ดีมาก") == list("ดีมาก")
    assert parts("カナ kana") == ["カ", "ナ", "kana"]


def test_long_runs_without_spaces_are_read_by_character() -> None:
    rng = np.random.default_rng(0)
    bases = ["".join(rng.choice(list("ACGT"), 2 * LONG_RUN)) for _ in range(20)]
    learnt = Tokenizer.learn(bases)
    assert learnt.characters and sorted(learnt.words) == list("acgt")
    assert len(learnt.tokens(bases[0])) == 2 * LONG_RUN
    assert not Tokenizer.learn(["words as they are"] * 3).characters


def test_rare_words_are_cut_into_known_pieces() -> None:
    learnt = Tokenizer.learn(["walk talk", "walk talk", "walking", "talking"])
    assert sorted(learnt.words) == ["talk", "walk"]
    names = {FIRST + k: t for k, t in enumerate([*learnt.words, *learnt.pieces])}
    assert [names.get(t, "?") for t in learnt.tokens("balking")] == ["?", "alki", "ng"]
    assert "".join(names[t] for t in learnt.tokens("walking")) == "walking"
    assert learnt.tokens("☃") == [UNKNOWN]


def test_tokens_are_the_same_in_each_process_and_after_storing() -> None:
    texts = ["b a c", "c b a", "a b", "c d d", "d e"]
    first, second = Tokenizer.learn(texts), Tokenizer.learn(reversed(texts))
    assert first.words == second.words and first.pieces == second.pieces
    assert load(dump(first)).tokens("a d e x") == first.tokens("a d e x")


def test_of_longer_texts_both_ends_are_read() -> None:
    store = TokenStore(np.arange(10, 23, dtype=np.int32), np.array([0, 10, 10, 13]), 30)
    out = store.padded(np.array([0, 2, ABSENT, 1]), 4)
    np.testing.assert_array_equal(out, [[10, 11, 12, 19], [20, 21, 22, PADDING], [PADDING] * 4, [PADDING] * 4])
    assert store.padded(np.array([2]), 100).shape == (1, 3)


def test_a_preparer_passes_tokens_of_training_words() -> None:
    schema = TableSchema(
        columns=tuple(
            ColumnInfo(name=name, kind=kind, n=4, n_missing=0, n_unique=4)
            for name, kind in (("said", ColumnKind.TEXT), ("more", ColumnKind.TEXT), ("size", ColumnKind.NUMERIC))
        )
    )
    frame = pd.DataFrame(
        {
            "said": np.array(["good film", None, "bad film", "film"], dtype=object),
            "more": np.array(["good", "bad", "", "film film"], dtype=object),
            "size": np.arange(4.0),
        }
    )
    preparer = Preparer(Recipe(text="tokens"), schema, Task.CLASSIFICATION)
    made = preparer.fit_transform(frame, np.array([1, 0, 0, 1]))
    assert made.n_numeric == 1 and set(made.media) == {"said", "more"}
    np.testing.assert_array_equal(token_lengths(made.media["said"]), [2, 0, 2, 1])
    said, more = (padded_tokens(made.media[c], made.media[c].rows, 9) for c in ("said", "more"))
    assert said[0, 0] == more[0, 0] and said[3, 0] == more[3, 1]  # one vocabulary
    np.testing.assert_array_equal(made.media["more"].rows, [0, 1, ABSENT, 3])
    again = load(dump(preparer)).transform(frame.iloc[[2, 0]])
    np.testing.assert_array_equal(padded_tokens(again.media["said"], again.media["said"].rows, 9), said[[2, 0]])
    assert len(preparer.transform(frame.iloc[:0]).media["said"]) == 0
    assert preparer.fit_transform(frame, np.zeros(4)).take(np.array([1])).media["said"].rows.tolist() == [ABSENT]
