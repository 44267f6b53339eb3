"""Term weights shared between recipes."""

import numpy as np

from autodl.preprocess import Preparer
from autodl.preprocess.term_memo import TermMemo
from autodl.records import Recipe, Task
from autodl.serialize import dump, load
from autodl.testing import mixed_frame

TEXTS = ["good film", "bad film", "good good book"]


def test_the_same_texts_are_cut_once() -> None:
    memo = TermMemo()
    weights, terms = memo.fit(100, True, TEXTS)
    assert memo.fit(100, True, list(TEXTS)) == (weights, terms)
    assert memo.fit(100, False, TEXTS)[0] is not weights
    assert memo.fit(100, True, TEXTS[:2])[0] is not weights
    rows = memo.transform(weights, TEXTS[:1])
    assert memo.transform(weights, TEXTS[:1]) is rows
    np.testing.assert_allclose(rows.toarray(), terms[:1].toarray(), rtol=1e-6)


def test_no_more_is_kept_than_the_limit_allows() -> None:
    memo = TermMemo(limit=1)
    first, _ = memo.fit(100, True, TEXTS)
    memo.fit(100, False, TEXTS)
    assert memo.fit(100, True, TEXTS)[0] is not first


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
