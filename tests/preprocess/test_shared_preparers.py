"""Equal preparers that prepare once."""

import numpy as np
import pytest

from autodl.errors import OlderModelError
from autodl.preprocess import Preparer
from autodl.preprocess.sharing import SharedPreparers, terms_shared
from autodl.preprocess.vocabulary import Vocabulary
from autodl.records import Recipe, Task
from autodl.serialize import dump, load
from autodl.testing import mixed_frame

DENSE, SPARSE = Recipe(text="svd", text_terms=3), Recipe(text="tfidf")


def fitted(recipe: Recipe, rows: int = 60) -> Preparer:
    frame, schema = mixed_frame(60)
    preparer = Preparer(recipe, schema, Task.CLASSIFICATION)
    preparer.fit_transform(frame.iloc[:rows], np.arange(rows) % 2)
    return preparer


def test_equal_preparers_become_one_and_others_stay() -> None:
    shared, one = SharedPreparers(), fitted(DENSE)
    assert shared.first(one) is one
    assert shared.first(load(dump(one))) is one
    for other in (fitted(DENSE, rows=50), fitted(SPARSE)):
        assert shared.first(other) is other


def test_different_preparers_share_equal_vocabularies_only() -> None:
    shared = SharedPreparers()
    dense, sparse, fewer = (shared.first(load(dump(p))) for p in (fitted(DENSE), fitted(SPARSE), fitted(DENSE, 40)))
    terms = [
        [v for b in p.blocks for c in getattr(b, "learnt", ()) for v in c.terms.vocabularies]
        for p in (dense, sparse, fewer)
    ]
    assert terms[0][0] is terms[1][0]
    assert terms[0][0] is not terms[2][0]


def test_texts_are_cut_once_and_prepared_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    frame, _ = mixed_frame(60)
    shared = SharedPreparers()
    preparers = [shared.first(load(dump(fitted(recipe)))) for recipe in (DENSE, SPARSE)]
    expected = [p.transform(frame).dense() for p in preparers]
    calls = []
    cut = Vocabulary.transform
    monkeypatch.setattr(Vocabulary, "transform", lambda self, texts: calls.append(1) or cut(self, texts))
    with terms_shared(preparers):
        found = [p.transform(frame).dense() for p in preparers]
    vocabularies = sum(len(c.terms.vocabularies) for b in preparers[0].blocks for c in getattr(b, "learnt", ()))
    assert len(calls) == vocabularies > 0
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    preparers[0].transform(frame)
    assert len(calls) == 2 * vocabularies  # nothing is kept afterwards


def test_preparers_of_older_versions_are_completed() -> None:
    frame, _ = mixed_frame(60)
    whole = fitted(Recipe(text="svd"))
    expected = whole.transform(frame).dense()
    for block in whole.blocks:
        for later in ("_crosses", "_crossed_clip", "_counted", "memo"):
            vars(block).pop(later, None)
    for later in ("_parts", "_memo", "_names"):
        del vars(whole)[later]
    again = load(dump(whole))
    np.testing.assert_array_equal(again.transform(frame).dense(), expected)
    fresh = fitted(Recipe(text="svd")).transform(frame)
    assert again.transform(frame).numeric_names == fresh.numeric_names


def test_texts_of_a_version_that_prepared_them_otherwise_are_refused_in_words() -> None:
    whole = fitted(DENSE)
    text = next(b for b in whole.blocks if hasattr(b, "learnt"))
    del vars(text)["_learnt"]
    with pytest.raises(OlderModelError, match="another way"):
        type(text).__new__(type(text)).__setstate__(vars(text))
