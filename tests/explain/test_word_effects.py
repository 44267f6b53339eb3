"""Words left out one by one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from autodl.clock import Deadline
from autodl.explain.word_effects import word_effects

WORDS = ("good", "bad", "film", "plot", "actor", "scene")


def reviews(n: int = 120) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS, 5)).capitalize() + "." for _ in range(n)]
    return pd.DataFrame({"text": pd.array(texts, dtype="string"), "x": rng.normal(size=n)})


def predicted(frame: pd.DataFrame) -> np.ndarray:
    """What is added for words is known: 0.3 for good, -0.2 for bad."""
    low = frame["text"].str.lower()
    p = 0.5 + 0.3 * low.str.contains("good").to_numpy(float) - 0.2 * low.str.contains("bad").to_numpy(float)
    return np.stack([1 - p, p], axis=1)


def test_effects_are_those_of_the_model() -> None:
    found = word_effects(predicted, reviews(), "text", 1, "yes", seed=0)
    effects = {t.term: t.effect for t in found.terms}
    assert set(effects) == set(WORDS)
    assert effects["good"] == pytest.approx(0.3) and effects["bad"] == pytest.approx(-0.2)
    assert all(effects[w] == pytest.approx(0.0) for w in WORDS[2:])
    assert (found.terms[0].term, found.terms[-1].term) == ("good", "bad")
    n = {w: int(reviews()["text"].str.lower().str.contains(w).sum()) for w in WORDS}
    assert {t.term: t.n_texts for t in found.terms} == n


def test_the_other_class_and_numbers() -> None:
    other = word_effects(predicted, reviews(), "text", 0, "no", seed=0)
    assert {t.term: t.effect for t in other.terms}["good"] == pytest.approx(-0.3)
    number = word_effects(lambda f: 10 * predicted(f)[:, 1], reviews(), "text", None, "", seed=0)
    assert number.terms[0].effect == pytest.approx(3.0)


def test_no_time_and_no_words() -> None:
    assert word_effects(predicted, reviews(), "text", 1, "yes", seed=0, deadline=Deadline.after(0.0)) is None
    blank = reviews(20).assign(text=pd.array(["!"] * 20, dtype="string"))
    assert word_effects(predicted, blank, "text", 1, "yes", seed=0) is None
