"""Terms, statistics, scores and topics of texts, in any language."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import r_regression
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score

from autodl.preprocess.cross_fitting import crossed_parts
from autodl.preprocess.text import TextBlock
from autodl.preprocess.text_score import TextScore
from autodl.preprocess.text_statistics import STATISTICS, text_statistics
from autodl.preprocess.text_terms import TermWeights, informative
from autodl.records import Recipe, Task

TEXTS = ["good film, really good", "bad film", "", "Really bad!"]
PLAIN = Recipe(text="svd", text_components=4, text_pieces=False, text_statistics=False, text_score=False)


def block(recipe: Recipe, task: Task = Task.CLASSIFICATION) -> TextBlock:
    return TextBlock(("t",), recipe, task, 0)


def two_topics(n: int = 200, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    words = [["ball", "goal", "team", "match"], ["bank", "money", "rate", "loan"]]
    y = rng.integers(0, 2, n)
    return pd.DataFrame({"t": [" ".join(rng.choice(words[k], 6)) for k in y]}), y


def test_weights_are_those_of_scikit_learn() -> None:
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b")
    pieces = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True)
    expected = [v.fit_transform(TEXTS).toarray() for v in (words, pieces)]
    plain, both = TermWeights(1000, False), TermWeights(1000, True)
    np.testing.assert_allclose(plain.fit_transform(TEXTS).toarray(), expected[0], rtol=1e-5)
    np.testing.assert_allclose(both.fit_transform(TEXTS).toarray(), np.hstack(expected), rtol=1e-5)
    assert "good film" in plain.names
    assert len(both.names) == both.transform(TEXTS[:1]).shape[1]


def test_pieces_of_words_see_through_misspellings() -> None:
    y = np.tile([0, 1], 60)
    texts = pd.DataFrame({"t": [f"parcel {k}" if not one else f"invoice {k}" for k, one in enumerate(y)]})
    new = pd.DataFrame({"t": ["parcle", "parcels", "invoce", "invoices"]})
    with_pieces, without = (
        block(PLAIN.model_copy(update={"text_score": True, "text_pieces": p})) for p in (True, False)
    )
    with_pieces.fit_transform(texts, y)
    without.fit_transform(texts, y)
    right = with_pieces.transform(new)[:, -1]
    assert max(right[:2]) < min(right[2:])
    assert np.ptp(without.transform(new)[:, -1]) == 0


def test_languages_without_spaces_use_characters() -> None:
    terms = TermWeights(1000, True)
    terms.fit_transform(["这部电影很好看", "这部电影很难看", "我喜欢这个故事", "我讨厌这个故事"])
    assert "电影" in terms.names


def test_statistics_have_known_values() -> None:
    found = dict(zip(STATISTICS, text_statistics(["WIN £100 now!!", "", "où est\nla gare?", "😀"]).T, strict=True))
    np.testing.assert_allclose(found["length"], np.log1p([14, 0, 15, 1]))
    np.testing.assert_allclose(found["words"], np.log1p([3, 0, 4, 1]))
    np.testing.assert_allclose(found["word length"], [4, 0, 3, 1])
    np.testing.assert_allclose(found["capitals"], [3 / 14, 0, 0, 0])
    np.testing.assert_allclose(found["digits"], [3 / 14, 0, 0, 0])
    np.testing.assert_allclose(found["signs"], [3 / 14, 0, 1 / 15, 1])
    np.testing.assert_allclose(found["other alphabets"], [1 / 14, 0, 1 / 15, 1])
    np.testing.assert_allclose(found["exclamation marks"], np.log1p([2, 0, 0, 0]))
    np.testing.assert_allclose(found["lines"], np.log1p([0, 0, 1, 0]))


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=6))
def test_statistics_of_a_text_depend_on_no_other(texts: list[str]) -> None:
    together = text_statistics(texts)
    np.testing.assert_array_equal(together, np.vstack([text_statistics([t]) for t in texts]))
    assert np.isfinite(together).all()
    np.testing.assert_array_equal(together[:, 1], np.log1p([len(t.split()) for t in texts]))


def test_the_score_is_ridge_regression_and_crossed_on_training_rows() -> None:
    rng = np.random.default_rng(0)
    x, y = sparse.random(90, 20, 0.3, "csr", dtype=np.float32, random_state=0), rng.normal(size=90)
    score = TextScore()
    z = (y - y.mean()) / y.std()
    crossed = score.fit_transform(x, [y], parts := crossed_parts(y, Task.REGRESSION, 0))
    np.testing.assert_allclose(score.transform(x)[:, 0], Ridge(1.0).fit(x.toarray(), z).predict(x), atol=5e-3)
    train, test = parts[0]
    expected = Ridge(1.0).fit(x[train].toarray(), z[train]).predict(x[test])
    np.testing.assert_allclose(crossed[test, 0], expected, atol=5e-3)


def test_a_weight_in_the_score_is_the_row_repeated() -> None:
    rng = np.random.default_rng(1)
    x, y = sparse.random(90, 20, 0.3, "csr", dtype=np.float32, random_state=1), rng.normal(size=90)
    w = rng.integers(1, 4, 90)
    many = np.repeat(np.arange(90), w)
    weighted, repeated = TextScore(), TextScore()
    weighted.fit_transform(x, [y], [], w.astype(float))
    repeated.fit_transform(x[many], [y[many]], [])
    np.testing.assert_allclose(weighted.transform(x), repeated.transform(x), atol=5e-3)
    frame = pd.DataFrame({"note": [" ".join(rng.choice(list("abcdef"), 4)) for _ in range(90)]})
    plain, given = (TextBlock(("note",), Recipe(text="svd"), Task.REGRESSION, 0) for _ in range(2))
    plain.fit_transform(frame, y)
    given.fit_transform(frame, y, w.astype(float))
    assert not np.allclose(plain.transform(frame), given.transform(frame))


def test_scores_and_terms_do_not_leak_the_own_target() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"t": [" ".join(rng.choice([f"w{k}" for k in range(300)], 8)) for _ in range(400)]})
    y = rng.integers(0, 2, 400)
    made = block(PLAIN.model_copy(update={"text_score": True}))
    crossed = made.fit_transform(frame, y)[:, -1]
    assert abs(roc_auc_score(y, crossed) - 0.5) < 0.1
    assert roc_auc_score(y, made.transform(frame)[:, -1]) > 0.9


def test_informative_terms_correlate_most_with_the_target() -> None:
    rng = np.random.default_rng(0)
    x = sparse.random(200, 30, 0.3, "csr", dtype=np.float32, random_state=0)
    y = x[:, 7].toarray().ravel() - x[:, 21].toarray().ravel() + 0.1 * rng.normal(size=200)
    np.testing.assert_array_equal(informative(x, [y], 2), [7, 21])
    best = np.argsort(-np.abs(r_regression(x.toarray(), y)))[:9]
    np.testing.assert_array_equal(informative(x, [y], 9), np.sort(best))


def test_topics_tell_themes_apart() -> None:
    frame, y = two_topics()
    out = block(PLAIN).fit_transform(frame, y)
    assert out.shape == (200, 4)
    assert max(abs(np.corrcoef(out[:, j], y)[0, 1]) for j in range(4)) > 0.9


@pytest.mark.parametrize("recipe", [Recipe(text="tfidf"), Recipe(text="svd", text_terms=5)])
@pytest.mark.parametrize(
    "texts", [[None, "", "!!"], [None] * 3, ["a"] * 3, ["été", "ελιά", "雨"], ["x" * 9999, "", "b"]]
)
def test_empty_and_foreign_texts_are_no_error(recipe: Recipe, texts: list[str | None]) -> None:
    frame = pd.DataFrame({"t": pd.Series(texts, dtype=object)})
    made = block(recipe)
    out, again = made.fit_transform(frame, np.array([0, 1, 1])), made.transform(frame)
    assert out.shape == again.shape == (3, len(made.names))
    dense = again.toarray() if sparse.issparse(again) else again
    assert np.isfinite(dense).all()


def test_three_classes_have_a_score_each_and_names_say_so() -> None:
    frame, y = two_topics(90)
    made = block(Recipe(text="svd", text_components=2, text_terms=3))
    out = made.fit_transform(frame, y + (np.arange(90) % 3 == 0))
    assert out.shape == (90, 2 + 3 + len(STATISTICS) + 3)
    assert made.names[:2] == ("t:topic 1", "t:topic 2")
    assert made.names[-1] == "t:score 3"
