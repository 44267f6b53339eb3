from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from autodl.clock import Deadline
from autodl.ensemble import weights as module
from autodl.ensemble.greedy import bagged_weights, greedy_weights, without_crumbs
from autodl.ensemble.pool import gather
from autodl.ensemble.weights import log_weights, mean_weights
from autodl.evaluate.base import metrics

RNG = np.random.default_rng(0)


def numbers(n=3000, errors=(1.0, 2.0, 1.5)):
    y = RNG.normal(size=n)
    return y, {f"m{i}": y + e * RNG.normal(size=n) for i, e in enumerate(errors)}


def classes(n=3000, k=3, noise=(1.0, 2.0, 1.5)):
    z = RNG.normal(size=(n, k)) * 1.5
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    y = (RNG.random((n, 1)) > p.cumsum(axis=1)).sum(axis=1).clip(0, k - 1)
    noisy = [z + s * RNG.normal(size=z.shape) for s in noise]
    return y, {f"m{i}": np.exp(v) / np.exp(v).sum(axis=1, keepdims=True) for i, v in enumerate(noisy)}


def pool(y, predictions, metric, k=0, weight=None):
    return gather(
        predictions, y, metrics[metric], k, {i: i for i in predictions}, np.random.default_rng(0), 25, weight
    )


def best_on_simplex(loss, m):
    """An independent optimizer."""
    sums = {"type": "eq", "fun": lambda v: v.sum() - 1}
    return minimize(loss, np.full(m, 1 / m), bounds=[(0, 1)] * m, constraints=sums, tol=1e-12).x


def test_squared_errors_have_the_weights_of_quadratic_programming():
    found = pool(*numbers(), "rmse")
    got = mean_weights(found, np.full(3, 1 / 3), kappa=0.0)
    expected = best_on_simplex(lambda v: np.mean((v @ found.predictions - found.y) ** 2), 3)
    assert got == pytest.approx(expected, abs=2e-3)


def test_a_mixture_has_the_weights_of_the_greatest_likelihood():
    found = pool(*classes(), "log_loss", 3)
    got = mean_weights(found, np.full(3, 1 / 3), kappa=0.0)
    expected = best_on_simplex(lambda v: found.loss(np.tensordot(v, found.predictions, axes=1)), 3)
    assert got == pytest.approx(expected, abs=5e-3)


@pytest.mark.parametrize("k", [2, 4])
def test_the_log_pool_has_the_weights_of_the_greatest_likelihood(k):
    found = pool(*classes(k=k), "log_loss", k)
    got = log_weights(found, np.full(3, 1 / 3), kappa=0.0)

    def loss(v):
        p = np.prod(np.maximum(found.predictions, 1e-4) ** v[:, None, None], axis=0)
        return found.loss(p / p.sum(axis=1, keepdims=True))

    free = minimize(loss, np.full(3, 1 / 3), bounds=[(0, 3)] * 3, tol=1e-10).x
    assert got == pytest.approx(free / free.sum(), abs=5e-3)


@pytest.mark.parametrize("best", [mean_weights, log_weights])
def test_a_strong_pull_leaves_the_given_weights(best):
    towards = np.array([0.2, 0.5, 0.3])
    got = best(pool(*classes(), "log_loss", 3), towards, kappa=1e9)
    assert got == pytest.approx(towards, abs=1e-3)
    found = pool(*numbers(), "rmse")
    assert mean_weights(found, towards, kappa=1e9) == pytest.approx(towards, abs=1e-3)


@pytest.mark.parametrize("best", [mean_weights, log_weights])
def test_a_weight_of_two_is_the_row_twice(best):
    y, predictions = classes(n=600)
    w = np.random.default_rng(1).integers(1, 3, size=600)
    once = pool(y, predictions, "log_loss", 3, w.astype(float))
    twice = pool(np.repeat(y, w), {i: np.repeat(p, w, axis=0) for i, p in predictions.items()}, "log_loss", 3)
    start = np.full(3, 1 / 3)
    assert once.ids == twice.ids and once.losses == pytest.approx(twice.losses)
    assert best(once, start, kappa=0.0) == pytest.approx(best(twice, start, kappa=0.0), abs=2e-3)
    assert greedy_weights(once) == pytest.approx(greedy_weights(twice))


def test_without_time_the_given_weights_stay():
    towards = np.array([0.2, 0.5, 0.3])
    got = log_weights(pool(*classes(), "log_loss", 3), towards, deadline=Deadline(0.0))
    assert got == pytest.approx(towards)


def test_bagging_spreads_the_weight_over_models_that_are_alike():
    """Two of a kind: without the better one half of the subsets take the other."""
    y, shared = RNG.normal(size=400), RNG.normal(size=400)
    predictions = {f"m{i}": y + shared + 0.1 * RNG.normal(size=400) for i in range(8)}
    found = pool(y, {**predictions, "other": y + RNG.normal(size=400)}, "rmse")
    alone, bagged = greedy_weights(found), bagged_weights(found, np.random.default_rng(0))
    assert bagged.sum() == pytest.approx(1.0)
    assert np.count_nonzero(bagged) > np.count_nonzero(alone)


def test_crumbs_are_swept_up():
    assert without_crumbs(np.array([50.0, 49.0, 0.5])) == pytest.approx([50 / 99, 49 / 99, 0.0])
    assert without_crumbs(np.full(80, 1.0)) == pytest.approx(np.full(80, 1 / 80))


def test_degenerate_candidates_do_not_break_the_weights():
    """Copies, and a model without error."""
    y = RNG.normal(size=100)
    found = pool(y, {"a": y + 1, "b": y + 1, "c": y.copy()}, "rmse")
    assert mean_weights(found, np.full(3, 1 / 3)).sum() == pytest.approx(1.0)
    assert module._least_squares(pool(y, {"c": y.copy()}, "rmse"), np.ones(1), 0.0) == pytest.approx([1.0])
