"""Term weights shared between recipes."""

from unittest.mock import Mock, patch

import numpy as np

from autodl.preprocess import Preparer
from autodl.preprocess.term_memo import TermMemo
from autodl.preprocess.vocabulary import Vocabulary
from autodl.records import Recipe, Task
from autodl.serialize import dump, load
from autodl.testing import mixed_frame

TEXTS = ["good film", "bad film", "good good book"]


def test_the_same_texts_are_cut_once() -> None:
    memo = TermMemo()
    weights, terms = memo.fit(100, True, TEXTS)
    words, pieces = weights.vocabularies
    again = memo.fit(100, True, list(TEXTS))
    assert [v is w for v, w in zip(again[0].vocabularies, (words, pieces), strict=True)] == [True, True]
    np.testing.assert_array_equal(again[1].toarray(), terms.toarray())
    assert memo.fit(100, False, TEXTS)[0].vocabularies[0] is words
    assert memo.fit(100, True, TEXTS[:2])[0].vocabularies[0] is not words
    rows = memo.transform(weights, TEXTS[:1])
    np.testing.assert_allclose(rows.toarray(), terms[:1].toarray(), rtol=1e-6)
    cut = Mock(side_effect=AssertionError)
    with patch.object(Vocabulary, "transform", cut):
        np.testing.assert_array_equal(memo.transform(weights, TEXTS[:1]).toarray(), rows.toarray())


def test_pieces_are_shared_where_words_are_not() -> None:
    memo = TermMemo()
    texts = [f"good{k} film" for k in range(120)]
    (few, _), (more, _) = (memo.fit(100, True, texts, once=once) for once in (False, True))
    assert few.vocabularies[1] is more.vocabularies[1]
    assert "good7" in more.vocabularies[0].terms and "good7" not in few.vocabularies[0].terms
    assert "film" in few.vocabularies[0].terms


def test_no_more_is_kept_than_the_limit_allows() -> None:
    memo = TermMemo(limit=1)
    first, _ = memo.fit(100, False, TEXTS)
    memo.fit(50, False, TEXTS)
    assert memo.fit(100, False, TEXTS)[0].vocabularies[0] is not first.vocabularies[0]


def test_preparers_with_a_memory_prepare_alike_and_store_none() -> None:
    frame, schema = mixed_frame(60)
    y = np.arange(60) % 2
    memo = TermMemo()
    for recipe in (Recipe(text="svd", text_terms=3), Recipe(text="tfidf")):
        made = []
        for given in (None, memo):
            preparer = Preparer(recipe, schema, Task.CLASSIFICATION)
            preparer.remember(given)
            made.append((preparer.fit_transform(frame, y).dense(), preparer.transform(frame[:9]).dense()))
            preparer.remember(None)
        np.testing.assert_array_equal(made[0][0], made[1][0])
        np.testing.assert_array_equal(made[0][1], made[1][1])
        np.testing.assert_array_equal(load(dump(preparer)).transform(frame[:9]).dense(), made[1][1])
