"""Which test rows are shown."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from autodl.explain.choosing import choose_rows


@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(2, 4), st.integers(1, 8))
def test_classes(seed: int, n: int, k: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    y, proba = rng.integers(0, k, n), rng.dirichlet(np.ones(k), n)
    answers, usable = proba.argmax(1), rng.random(n) < 0.8
    right, wrong = choose_rows(y, proba, answers, usable, most=most, rng=rng)
    good, bad = np.flatnonzero(usable & (answers == y)), np.flatnonzero(usable & (answers != y))
    assert len(set(right)) == len(right) == min(most, len(good)) and set(right) <= set(good)
    assert len(set(wrong)) == len(wrong) == min(most, len(bad)) and set(wrong) <= set(bad)
    # No mistake left out was more confident than one that is shown.
    left = set(bad) - set(wrong)
    assert not left or proba.max(1)[list(left)].max() <= proba.max(1)[wrong].min()
    # Every class has a turn before one has a second.
    shown, there = np.bincount(y[right], minlength=k), np.bincount(y[good], minlength=k)
    short = shown < there
    assert not short.any() or shown.max() <= shown[short].min() + 1


@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 8))
def test_numbers(seed: int, n: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    y, prediction, usable = rng.normal(size=n), rng.normal(size=n), rng.random(n) < 0.8
    right, wrong = choose_rows(y, prediction, None, usable, most=most, rng=rng)
    error = np.abs(y - prediction)
    assert not {*right} & {*wrong} and usable[[*right, *wrong]].all()
    assert len(right) <= most and len(wrong) <= most
    if right and wrong:
        assert error[right].max() <= error[wrong].min()


def test_nothing_to_show() -> None:
    none, rng = np.zeros(3, bool), np.random.default_rng(0)
    assert choose_rows(np.zeros(3), np.zeros(3), None, none, most=4, rng=rng) == ([], [])
    assert choose_rows(np.zeros(3, int), np.ones((3, 1)), np.zeros(3, int), none, most=4, rng=rng) == ([], [])
