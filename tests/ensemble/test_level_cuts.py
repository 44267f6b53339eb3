"""Ordered classes: the metrics against scikit-learn, answers by cuts, and cuts that earn their keep."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from autodl.decision import decide, decided
from autodl.ensemble import KnownRows, choose_factors
from autodl.ensemble.level_cuts import rounded, tuned
from autodl.evaluate.base import metrics
from autodl.evaluate.intervals import interval

QWK = metrics["qwk"]


def stars(n, seed, k=5, sharp=1.0):
    """Levels of a hidden number, and honest probabilities for them."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=n)
    edges = np.array([-1.8, -1.2, 0.2, 1.2])[: k - 1]
    y = np.searchsorted(edges, hidden + rng.normal(scale=sharp, size=n))
    from scipy.stats import norm

    below = norm.cdf((edges[None, :] - hidden[:, None]) / sharp)
    p = np.diff(np.column_stack([np.zeros(n), below, np.ones(n)]), axis=1)
    return p, y


@given(st.integers(0, 500), st.booleans())
def test_kappa_is_scikit_learns(seed, weighted):
    rng = np.random.default_rng(seed)
    y, label = rng.integers(0, 5, 60), rng.integers(0, 5, 60)
    w = rng.random(60) if weighted else None
    expected = cohen_kappa_score(y, label, labels=range(5), weights="quadratic", sample_weight=w)
    assert QWK.score(y, np.eye(5)[label], 5, w) == pytest.approx(expected, abs=1e-9)
    off = np.average(np.abs(y - label), weights=w)
    assert metrics["level_mae"].score(y, np.eye(5)[label], 5, w) == pytest.approx(off)


def test_kappa_of_a_single_answer_is_that_of_guessing():
    y = np.array([0, 1, 2, 2])
    assert QWK.score(y, np.eye(3)[[1, 1, 1, 1]], 3) == pytest.approx(0.0)


def test_it_has_an_interval():
    p, y = stars(500, 0)
    found = interval(QWK, y, p, 5, seed=0)
    assert found.low < found.value < found.high and found.high - found.low < 0.2


def test_cuts_answer_by_the_expected_level():
    p = np.array([[0.5, 0.0, 0.5], [0.9, 0.1, 0.0], [0.0, 0.2, 0.8]])
    assert decide(p, factors=(0.5, 1.5)).tolist() == [1, 0, 2]
    assert decided(p, factors=(0.5, 1.5)).argmax(axis=1).tolist() == [1, 0, 2]
    assert decide(p, factors=(1.0, 1.9)).tolist() == [1, 0, 1]  # a level begins at its cut
    assert decide(p).tolist() == [0, 0, 2]


@pytest.mark.parametrize("weighted", [False, True])
def test_tuned_cuts_are_ascending_and_better_on_their_rows(weighted):
    p, y = stars(1500, 1)
    w = np.random.default_rng(0).random(1500) if weighted else None
    cuts = tuned(p, KnownRows(y, QWK, w))
    assert (np.diff(cuts) > 0).all() and len(cuts) == 4

    def score(cuts):
        return QWK.score(y, decided(p, factors=tuple(cuts)), 5, w)

    assert score(cuts) > score(rounded(p, KnownRows(y, QWK, w)))


def test_chosen_cuts_help_on_other_rows():
    p, y = stars(4000, 2)
    cuts = choose_factors(p[:2000], KnownRows(y[:2000], QWK))
    assert len(cuts) == 4
    new, truth = p[2000:], y[2000:]
    assert QWK.score(truth, decided(new, factors=cuts), 5) > QWK.score(truth, new, 5) + 0.02


def test_no_cuts_where_they_cannot_help():
    p, y = stars(1000, 3, sharp=1e-3)  # the most probable class is nearly always right
    assert choose_factors(p, KnownRows(y, QWK)) == ()
    p, y = stars(50, 0)
    assert choose_factors(p, KnownRows(y, QWK)) == ()
