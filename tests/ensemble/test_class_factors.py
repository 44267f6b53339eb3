from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from autodl.decision import decide
from autodl.ensemble.class_factors import _best_factor, choose_factors, class_by_class, power_of_shares
from autodl.ensemble.known_rows import KnownRows
from autodl.evaluate.base import metrics

SHARES = np.array([0.72, 0.2, 0.08])


def honest(n: int, seed: int, shares: np.ndarray = SHARES) -> tuple[np.ndarray, np.ndarray]:
    """True posteriors of classes with normal scores, and targets."""
    rng = np.random.default_rng(seed)
    k = len(shares)
    y = rng.choice(k, size=n, p=shares)
    x = rng.normal(size=(n, k)) + 1.3 * np.eye(k)[y]
    p = shares * np.exp(1.3 * x)
    return p / p.sum(axis=1, keepdims=True), y


@pytest.mark.parametrize(
    ("key", "score"),
    [
        ("balanced_accuracy", lambda y, a: sk.balanced_accuracy_score(y, a)),
        ("f1", lambda y, a: sk.f1_score(y, a, average="macro")),
        ("mcc", sk.matthews_corrcoef),
    ],
)
def test_factors_help_on_new_rows_where_classes_are_rare(key, score) -> None:
    p, y = honest(3_000, 0)
    factors = choose_factors(p, KnownRows(y, metrics[key]))
    assert factors and factors[2] > factors[0]
    new, truth = honest(40_000, 1)
    assert score(truth, decide(new, factors=factors)) > score(truth, decide(new)) + 0.005


def test_balanced_accuracy_asks_for_the_inverse_shares() -> None:
    """Menon et al. 2021: the best answer is the class with the largest posterior over prior."""
    p, y = honest(20_000, 2)
    factors = power_of_shares(p, KnownRows(y, metrics["balanced_accuracy"]))
    np.testing.assert_allclose(factors / factors[0], SHARES[0] / SHARES, rtol=0.35)


def test_nothing_changes_where_nothing_is_gained() -> None:
    p, y = honest(2_000, 3)
    assert choose_factors(p, KnownRows(y, metrics["log_loss"])) == ()
    assert choose_factors(p, KnownRows(y, metrics["precision"])) == ()
    assert choose_factors(p, KnownRows(y, metrics["accuracy"])) == (), (
        "true posteriors need no help to be most often right"
    )
    even, truth = honest(2_000, 4, np.full(3, 1 / 3))
    assert choose_factors(even, KnownRows(truth, metrics["balanced_accuracy"])) == ()
    assert choose_factors(p[:150], KnownRows(y[:150], metrics["f1"])) == ()


def test_noise_is_rarely_taken_for_a_gain() -> None:
    """Probabilities that say nothing: any factors would be luck."""
    taken = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        p = rng.dirichlet(np.full(4, 20.0), size=400)
        y = rng.integers(0, 4, 400)
        taken += bool(choose_factors(p, KnownRows(y, metrics["f1"], seed=seed)))
    assert taken <= 4


@pytest.mark.parametrize("weighted", [False, True])
def test_all_cuts_at_once_count_as_one_by_one(weighted: bool) -> None:
    p, y = honest(300, 5)
    w = np.random.default_rng(0).gamma(1.0, size=300) if weighted else None
    metric, factors = metrics["f1"], np.array([1.0, 1.5, 2.0])
    found, loss = _best_factor(1, p, KnownRows(y, metric, w), factors)
    moved = factors.copy()
    moved[1] = found
    exact = 1 - sk.f1_score(y, decide(p, factors=tuple(moved)), average="macro", sample_weight=w)
    assert loss == pytest.approx(exact)


def test_a_whole_weight_is_a_number_of_repetitions() -> None:
    p, y = honest(400, 6)
    weight = np.random.default_rng(1).integers(1, 4, 400)
    rows = np.repeat(np.arange(400), weight)
    found = power_of_shares(p, KnownRows(y, metrics["f1"], weight.astype(float)))
    np.testing.assert_allclose(found, power_of_shares(p[rows], KnownRows(y[rows], metrics["f1"])), rtol=1e-2)


def test_a_class_with_hardly_a_row_keeps_the_factor_of_its_share() -> None:
    p, y = honest(600, 7)
    y = np.where(y == 2, 1, y)
    y[:2] = 2
    base = power_of_shares(p, KnownRows(y, metrics["f1"]))
    found = class_by_class(p, KnownRows(y, metrics["f1"]))
    assert np.isfinite(found).all() and (found > 0).all()
    assert len(choose_factors(p, KnownRows(y, metrics["f1"]))) in (0, 3)
    assert base.shape == (3,)


def test_decisions_with_factors() -> None:
    p = np.array([[0.6, 0.3, 0.1], [0.4, 0.35, 0.25]])
    assert decide(p, factors=(1.0, 3.0, 1.0)).tolist() == [1, 1]
    assert decide(p, factors=(1.0, 1.0, 2.0)).tolist() == [0, 2]
    assert decide(p).tolist() == [0, 0]
