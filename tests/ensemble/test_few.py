"""Combinations without a tail, and without models that answer slowly for little."""

import numpy as np
import pytest

from autodl.clock import NEVER, Deadline
from autodl.ensemble.few import HARDLY, LEAST, MOST, Light, few
from autodl.ensemble.pool import Pool
from autodl.ensemble.ways import ways_for
from autodl.ensemble.weights import mean_weights
from autodl.evaluate.base import metrics
from autodl.records import Footprint


def pool_of(spreads, n=600, seed=0, bias=None):
    rng = np.random.default_rng(seed)
    y = rng.normal(size=n)
    predictions = np.stack([y + s * rng.normal(size=n) for s in spreads])
    ids = tuple(f"m{i}" for i in range(len(spreads)))
    found = Pool(ids, ids, np.zeros(len(ids)), predictions, y, metrics["rmse"], 0)
    return found.part(np.arange(n))


def least_squares(rest, old):
    return mean_weights(rest, old, deadline=NEVER)


def test_a_tail_leaves_and_the_rest_is_weighted_anew() -> None:
    pool = pool_of([1.0] * 12)
    found = few(pool, np.full(12, 1 / 12), least_squares)
    assert np.count_nonzero(found) == MOST
    assert found.sum() == pytest.approx(1.0)
    kept = np.flatnonzero(found)
    np.testing.assert_allclose(found[kept], least_squares(pool.only(kept), np.full(MOST, 1 / MOST)), atol=1e-9)


def test_small_weights_leave_until_none_is_left() -> None:
    asked = []

    def shrinking(rest, old):
        asked.append(len(old))
        new = old.copy()
        new[-1] = 0.01
        return new / new.sum()

    found = few(pool_of([1.0] * 6), np.array([0.4, 0.3, 0.2, 0.05, 0.04, 0.01]), shrinking)
    assert asked == [5, 4, 3]
    assert (found[found > 0] >= LEAST).all()
    assert found.sum() == pytest.approx(1.0)


def test_what_is_few_already_stays_as_it_is() -> None:
    weights = np.array([0.7, 0.3, 0.0])
    assert few(pool_of([1.0] * 3), weights, least_squares) is weights


@pytest.mark.parametrize("key", ["log_loss", "roc_auc", "accuracy"])
def test_every_way_combines_few(key: str) -> None:
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, 400)
    p = 1 / (1 + np.exp(-(2 * y - 1 + 1.5 * rng.normal(size=(20, 400)))))
    ids = tuple(f"m{i}" for i in range(20))
    pool = Pool(ids, ids, np.zeros(20), np.stack([1 - p, p], axis=2), y, metrics[key], 2).part(np.arange(400))
    for way in ways_for(pool, 0):
        weights = way.fit(pool, Deadline.after(60))
        assert 1 <= np.count_nonzero(weights) <= MOST
        assert weights[weights > 0].min() >= LEAST - 1e-12
        assert weights.sum() == pytest.approx(1.0)


def test_slow_models_leave_where_the_loss_hardly_rises() -> None:
    # Two copies of one model say the same; the third says something of its own.
    pool = pool_of([1.0, 1.0, 1.0])
    copy = np.stack([pool.predictions[0], pool.predictions[0], pool.predictions[2]])
    pool = Pool(pool.ids, pool.families, pool.losses, copy, pool.y, pool.metric, 0).part(np.arange(len(pool.y)))
    slow, quick = Footprint(row_s=0.039), Footprint(row_s=0.002)
    weights = np.array([0.25, 0.25, 0.5])
    found = few(pool, weights, least_squares, light=Light({"m0": slow, "m1": quick, "m2": quick}))
    assert np.flatnonzero(found).tolist() == [1, 2]
    assert pool.loss(pool.blend(found)) <= (1 + HARDLY) * pool.loss(pool.blend(weights))
    # The one that matters stays however slow it is.
    dear = Light({"m0": quick, "m1": quick, "m2": Footprint(row_s=0.039, ms_per_1000=5000.0)})
    assert few(pool, weights, least_squares, light=dear)[2] > 0


def test_a_single_model_is_never_too_slow() -> None:
    light = Light({"a": Footprint(row_s=9.0, ms_per_1000=9e6), "b": Footprint(ms_per_1000=100.0)})
    assert light.excess(["a"]) == 0.0
    assert light.excess(["b", "c"]) == 0.0
    assert light.excess(["a", "b"]) > 0
    # 1,000 rows count beyond the quickest model.
    equal = Light({"a": Footprint(ms_per_1000=150.0), "b": Footprint(ms_per_1000=150.0)})
    assert equal.excess(["a", "b"]) == 0.0
