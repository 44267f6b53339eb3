"""Intervals of the pinball loss where few rows lie beyond the quantile."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from autodl.evaluate.base import metrics
from autodl.evaluate.intervals import interval
from autodl.evaluate.unseen import unseen_losses


def true_loss(distribution, levels):
    """``tau (E y - q) + E (q - y)+`` at the true quantiles, the mean over the levels."""
    losses = []
    for tau in levels:
        q = distribution.ppf(tau)
        below = tau * q - distribution.expect(lambda v: v, lb=-np.inf, ub=q)
        losses.append(tau * (distribution.mean() - q) + below)
    return float(np.mean(losses))


def test_the_reference_is_the_known_one():
    """The loss of a normal distribution's quantile is its density there."""
    assert true_loss(stats.norm(), (0.01,)) == pytest.approx(stats.norm.pdf(stats.norm.ppf(0.01)), rel=1e-6)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("distribution", "levels", "n"),
    [(stats.norm(), (0.01,), 60), (stats.norm(), (0.01, 0.5, 0.99), 60), (stats.t(3), (0.99,), 200)],
)
def test_intervals_cover_and_are_not_absurd(distribution, levels, n, weighted):
    metric = metrics[f"pinball@{','.join(map(repr, levels))}"]
    q, truth = np.tile(distribution.ppf(levels), (n, 1)), true_loss(distribution, levels)
    held, spans = 0, []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        y = distribution.rvs(size=n, random_state=rng)
        w = rng.uniform(0.5, 1.5, size=n) if weighted else None
        got = interval(metric, y, q, seed=seed, n_resamples=300, weight=w)
        held += got.low <= truth <= got.high
        spans.append(got.high / got.low)
    assert held >= 91
    assert np.median(spans) < 12 and max(spans) < 2000


def test_levels_with_rows_enough_beyond_get_none():
    rng = np.random.default_rng(0)
    y, metric = rng.normal(size=1000), metrics["pinball@0.001,0.1,0.5"]
    q = np.tile(stats.norm.ppf([0.001, 0.1, 0.5]), (1000, 1))
    assert len(unseen_losses(metric, y, q)) == 1
    assert len(unseen_losses(metrics["mae"], y, q[:, 2])) == 0


def test_more_rows_need_less_room():
    metric = metrics["pinball@0.01"]
    widths = []
    for n in (100, 1000, 20_000):
        y = np.random.default_rng(1).normal(size=n)
        got = interval(metric, y, np.full((n, 1), stats.norm.ppf(0.01)), seed=0)
        widths.append(got.high / got.low)
    assert widths[0] > widths[1] > widths[2] and widths[2] < 1.15
