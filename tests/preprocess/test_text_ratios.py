"""Terms weighed by what they tell of the classes: values by hand, weights of rows, numbers, and what they are for."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.naive_bayes import MultinomialNB

from autodl.preprocess.text import TERM_FACTOR, TextBlock
from autodl.preprocess.text_ratios import class_ratios, weighted
from autodl.records import Recipe, Task

PLAIN = Recipe(text="tfidf", text_pieces=False, text_statistics=False)
TOLD = PLAIN.model_copy(update={"text_ratios": True})
TERMS = sparse.csr_matrix(np.random.default_rng(0).random((40, 6)) * (np.random.default_rng(1).random((40, 6)) < 0.4))
Y = np.random.default_rng(2).integers(0, 2, 40).astype(float)


def test_they_are_those_of_naive_bayes() -> None:
    model = MultinomialNB(alpha=1.0).fit(TERMS > 0, Y)
    expected = np.abs(np.diff(model.feature_log_prob_, axis=0)[0])
    np.testing.assert_allclose(class_ratios(TERMS, [Y]), expected, rtol=1e-5)


def test_a_row_of_weight_two_counts_as_two_rows() -> None:
    weight = np.where(np.arange(40) < 20, 2.0, 1.0)
    # Many rows, so that the smoothing, which is by rows, does not matter.
    often, twice = np.tile(np.arange(40), 500), np.tile(np.r_[np.arange(20), np.arange(40)], 500)
    found = class_ratios(TERMS[often], [Y[often]], np.tile(weight, 500))
    np.testing.assert_allclose(found, class_ratios(TERMS[twice], [Y[twice]]), rtol=5e-3)
    assert not np.allclose(found, class_ratios(TERMS[often], [Y[often]]), rtol=5e-2)
    np.testing.assert_allclose(class_ratios(TERMS, [Y], 7.0 * weight), class_ratios(TERMS, [Y], weight))


def test_numbers_are_split_at_their_middle() -> None:
    values = np.argsort(np.random.default_rng(3).random(40)).astype(float)
    halves = (values > np.median(values)).astype(float)
    np.testing.assert_allclose(class_ratios(TERMS, [values]), class_ratios(TERMS, [halves]))
    np.testing.assert_allclose(class_ratios(TERMS, [np.exp(values / 9)]), class_ratios(TERMS, [halves]))


def test_several_classes_count_alike() -> None:
    others = [Y, 1 - Y]
    np.testing.assert_allclose(class_ratios(TERMS, others), class_ratios(TERMS, [Y]), rtol=1e-5)
    assert (class_ratios(TERMS, [np.ones(40)]) >= 0).all()
    assert class_ratios(TERMS[:, :0], [Y]).shape == (0,)


def test_given_terms_stay_as_they_are() -> None:
    before = TERMS.copy()
    np.testing.assert_allclose(weighted(TERMS, np.arange(6.0)).toarray(), TERMS.toarray() * np.arange(6.0))
    np.testing.assert_array_equal(TERMS.toarray(), before.toarray())


def moods(n: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Texts of 12 words of which about one in five leans to a class; there are many such words, each of them rare."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    rows = []
    for k in y:
        lean = rng.random(12) < 0.2
        side = np.where(rng.random(12) < 0.85, k, 1 - k)
        words = np.where(lean, side * 300 + rng.integers(0, 300, 12), 600 + rng.zipf(1.3, 12) % 2_000)
        rows.append(" ".join(f"w{w}" for w in words))
    return pd.DataFrame({"t": rows}), y


@pytest.mark.parametrize("recipe", [PLAIN, TOLD])
def test_new_rows_get_the_factors_of_the_training_rows(recipe: Recipe) -> None:
    frame, y = moods(60, 0)
    block = TextBlock(("t",), recipe, Task.CLASSIFICATION, 0)
    trained = block.fit_transform(frame, y)
    np.testing.assert_allclose(block.transform(frame).toarray(), trained.toarray(), rtol=1e-5)
    learnt = block.learnt[0]
    terms = learnt.terms.transform(list(frame["t"])).toarray()
    factors = 1.0 if recipe is PLAIN else class_ratios(sparse.csr_matrix(terms), [y.astype(float)])
    np.testing.assert_allclose(trained.toarray(), TERM_FACTOR * terms * factors, rtol=1e-4, atol=1e-6)
    assert (learnt.ratios is None) == (recipe is PLAIN)


def test_linear_models_find_rare_telling_words_sooner() -> None:
    (frame, y), (new, wanted) = moods(1_500, 0), moods(1_500, 1)
    found = []
    for recipe in (PLAIN, TOLD):
        block = TextBlock(("t",), recipe, Task.CLASSIFICATION, 0)
        model = LogisticRegression(max_iter=300).fit(block.fit_transform(frame, y), y)
        found.append(roc_auc_score(wanted, model.predict_proba(block.transform(new))[:, 1]))
    assert found[1] > found[0] > 0.7
