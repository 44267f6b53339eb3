from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import gmean

from autodl.ensemble.pooling import pooled
from autodl.records import Calibration

RNG = np.random.default_rng(0)
P, Q = (RNG.dirichlet(np.ones(3), size=50) for _ in range(2))


def test_the_mean_is_weighted():
    assert pooled([(1.0, P), (3.0, Q)]) == pytest.approx(0.25 * P + 0.75 * Q)


def test_the_log_pool_is_the_normalized_geometric_mean():
    got = pooled([(0.25, np.maximum(P, 0.01)), (0.75, np.maximum(Q, 0.01))], "log")
    expected = gmean(
        np.stack([np.maximum(P, 0.01), np.maximum(Q, 0.01)]), axis=0, weights=np.array([[[0.25]], [[0.75]]])
    )
    assert got == pytest.approx(expected / expected.sum(axis=1, keepdims=True))


def test_one_sure_model_does_not_outvote_the_others():
    sure, doubtful = np.array([[1.0, 0.0]]), np.array([[0.1, 0.9]])
    got = pooled([(0.1, sure), (0.9, doubtful)], "log")
    assert 0.5 < got[0, 1] < 1


def test_a_member_alone_is_itself():
    assert pooled([(1.0, P)]) == pytest.approx(P)
    assert pooled([(1.0, P)], "log") == pytest.approx(P, abs=1e-3)


def test_calibration_comes_last():
    got = pooled(
        [(0.5, np.array([1.0])), (0.5, np.array([3.0]))], calibration=Calibration(kind="linear", coefficients=(1, 2))
    )
    assert got == pytest.approx([5.0])


def test_nothing_to_combine_is_an_error():
    with pytest.raises(ValueError, match="no predictions"):
        pooled([])
