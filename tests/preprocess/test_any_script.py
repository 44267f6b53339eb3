"""Words of any script, against Python's own where it knows them."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from autodl.explain.text_terms import shown_terms, without_term
from autodl.media.tokens import FIRST
from autodl.preprocess.tokenizer import Tokenizer, parts
from autodl.preprocess.vocabulary import Vocabulary
from autodl.text_words import word, word_pattern

APART = unicodedata.normalize("NFD", "très café")
SENTENCES = {
    "Hindi": ("सेवा बहुत अच्छी थी", ["सेवा", "बहुत", "अच्छी", "थी"]),
    "Bengali": ("আমি ভালো আছি", ["আমি", "ভালো", "আছি"]),
    "Tamil": ("நான் நன்றாக இருக்கிறேன்", ["நான்", "நன்றாக", "இருக்கிறேன்"]),
    "Arabic with vowels": ("كِتَابٌ جَمِيلٌ", ["كِتَابٌ", "جَمِيلٌ"]),
    "accents on their own": (APART, APART.split()),
}  # fmt: skip


@pytest.mark.parametrize("language", SENTENCES)
def test_marks_stay_with_their_letters(language: str) -> None:
    sentence, words = SENTENCES[language]
    assert word_pattern().findall(sentence) == words
    assert parts(sentence) == words
    assert {w for w in words if len(w) > 1} <= shown_terms(sentence)
    for w in words:
        assert without_term(w, sentence).split() == [other for other in words if other != w]


@given(st.text(st.characters(codec="latin-1") | st.sampled_from("абвгдежз 'Ωλ-_9\n"), max_size=60))
def test_where_there_are_no_marks_words_are_those_of_python(text: str) -> None:
    assert word_pattern().findall(text) == re.findall(r"\b\w+\b", text)
    if text == text.lower():
        assert shown_terms(text) == set(re.findall(r"\b\w[\w'-]+\b", text))


def test_the_vocabulary_cuts_as_it_was_learnt() -> None:
    texts = [sentence for sentence, _ in SENTENCES.values()]
    learnt = TfidfVectorizer(token_pattern=word(), ngram_range=(1, 2), sublinear_tf=True)
    expected = learnt.fit_transform(texts)
    found = Vocabulary.of(learnt).transform(texts)
    assert abs(found - expected).max() < 1e-6
    assert set(learnt.get_feature_names_out()) > {w for _, words in SENTENCES.values() for w in words}


def test_what_an_earlier_version_learnt_is_cut_as_it_was() -> None:
    texts = [sentence for sentence, _ in SENTENCES.values()]
    old = TfidfVectorizer(token_pattern=r"(?u)\b\w+\b", sublinear_tf=True)
    expected = old.fit_transform(texts)
    state = {k: v for k, v in Vocabulary.of(old).__getstate__().items() if k != "marks"}
    again = Vocabulary.__new__(Vocabulary)
    again.__setstate__(state)
    assert abs(again.transform(texts) - expected).max() < 1e-6
    tokenizer = Tokenizer.__new__(Tokenizer)
    tokenizer.__setstate__({"words": ["अच", "छ"], "pieces": [], "characters": False})
    assert tokenizer.tokens("अच्छा")[0] == FIRST
    assert Tokenizer(["अच्छा"], [], False).tokens("अच्छा") == [FIRST]
