"""Terms of new texts, found as scikit-learn finds them."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from autodl.preprocess.vocabulary import Vocabulary
from autodl.serialize import dump, load
from autodl.text_words import word

LEARNT = ["Good film,  really GOOD", "bad film\nx", "a b c a b", "Straße İstanbul é", "", "good\tbad  good 電影 好"]


def fitted(analyzer: str, lengths: tuple[int, int]) -> Any:
    vectorizer = TfidfVectorizer(
        analyzer=analyzer, ngram_range=lengths, sublinear_tf=True, dtype=np.float32,
        token_pattern=word() if analyzer == "word" else None,
    )  # fmt: skip
    return vectorizer.fit(LEARNT)


@pytest.mark.parametrize(("analyzer", "lengths"), [("word", (1, 2)), ("char", (1, 3)), ("char_wb", (2, 4))])
@settings(max_examples=60, deadline=None)
@given(texts=st.lists(st.text(alphabet="abgod film\t\n!ßİé電影好 GOD", max_size=40), min_size=1, max_size=4))
def test_weights_of_new_texts_are_those_of_scikit_learn(
    analyzer: str, lengths: tuple[int, int], texts: list[str]
) -> None:
    vectorizer = fitted(analyzer, lengths)
    expected, found = vectorizer.transform(LEARNT + texts), Vocabulary.of(vectorizer).transform(LEARNT + texts)
    np.testing.assert_allclose(found.toarray(), expected.toarray(), rtol=1e-6)


def test_a_stored_vocabulary_is_equal_and_is_no_heap_of_small_arrays() -> None:
    whole = Vocabulary.of(fitted("char_wb", (2, 4)))
    again = load(dump(whole))
    assert again == whole
    np.testing.assert_array_equal(again.transform(LEARNT).toarray(), whole.transform(LEARNT).toarray())
    # A term takes its letters and four bytes, and what JSON puts around it.
    assert len(dump(whole)) < 500 + sum(len(t.encode()) + 10 for t in whole.terms)
    assert whole != Vocabulary.of(fitted("char_wb", (2, 3)))
    assert whole != Vocabulary("char_wb", (2, 4), whole.terms, whole.idf * 2)
