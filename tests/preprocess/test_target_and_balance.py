"""Target transforms and treatments of imbalance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse, stats
from sklearn.utils.class_weight import compute_sample_weight

from autodl.errors import ConfigError
from autodl.features import Features
from autodl.preprocess import TargetTransform, balanced_weights, resample

TARGETS = hnp.arrays(np.float64, st.integers(1, 40), elements=st.floats(-1e6, 1e6))


@settings(deadline=None, derandomize=True)
@given(TARGETS, st.sampled_from(["none", "standard", "log"]))
def test_inverse_undoes_forward(y: np.ndarray, kind: str) -> None:
    transform = TargetTransform(kind, y)
    np.testing.assert_allclose(transform.inverse(transform.forward(y)), y, rtol=1e-6, atol=1e-6 * (1 + np.ptp(y)))


@settings(deadline=None, derandomize=True)
@given(TARGETS, st.sampled_from(["standard", "log"]))
def test_transformed_targets_have_mean_zero(y: np.ndarray, kind: str) -> None:
    z = TargetTransform(kind, y).forward(y)
    assert abs(z.mean()) < 1e-4 * (1 + np.abs(z).max())
    assert z.std() == pytest.approx(1, abs=1e-3) or np.ptp(y) < 1e-3 * (1 + np.abs(y).max())


def test_log_answers_stay_near_what_was_seen() -> None:
    y = np.random.default_rng(0).lognormal(10, 1, 1000)
    back = TargetTransform("log", y).inverse(np.array([1e6]))
    assert y.max() < back[0] < 11 * y.max()


def test_logarithms_of_small_targets_are_those_of_large_ones() -> None:
    """Between 0 and 1 the logarithm of 1 + y is hardly anything but y."""
    y = np.random.default_rng(0).lognormal(0, 1.5, 1000)
    small, middle = TargetTransform("log", 1e-4 * y), TargetTransform("log", y)
    assert stats.skew(middle.forward(y)) < 1.5 < 5 < stats.skew(y)
    np.testing.assert_allclose(small.forward(1e-4 * y), TargetTransform("log", 1e-9 * y).forward(1e-9 * y))
    assert stats.skew(small.forward(1e-4 * y)) < 1.5
    np.testing.assert_allclose(small.inverse(small.forward(1e-4 * y)), 1e-4 * y)
    as_it_was = (np.log1p(5 * y) - np.log1p(5 * y).mean()) / np.log1p(5 * y).std()
    np.testing.assert_allclose(TargetTransform("log", 5 * y).forward(5 * y), as_it_was)
    weighted = TargetTransform("log", 1e-4 * y, np.r_[np.full(500, 3.0), np.zeros(500)])
    np.testing.assert_allclose(weighted.forward(1e-4 * y), TargetTransform("log", 1e-4 * y[:500]).forward(1e-4 * y))
    assert np.isfinite(TargetTransform("log", np.r_[np.full(9, 1e-310), 1e6]).forward(np.array([1e6]))).all()


def test_log_is_safe_below_zero_and_below_what_was_seen() -> None:
    transform = TargetTransform("log", np.array([-5.0, -1.0, 0.0, 40.0]))
    unseen = transform.forward(np.array([-100.0]))
    np.testing.assert_allclose(transform.inverse(unseen), [-5.0])
    assert np.isfinite(transform.inverse(np.array([-1e9, 1e9]))).all()


def features(n: int, p: int = 2, q: int = 1, seed: int = 0) -> Features:
    rng = np.random.default_rng(seed)
    return Features(rng.normal(size=(n, p)).astype(np.float32), rng.integers(0, 4, (n, q)).astype(np.int32), (4,) * q)


LABELS = np.array([0] * 40 + [1] * 8 + [2] * 2)


def test_balanced_weights_are_those_of_scikit_learn() -> None:
    np.testing.assert_allclose(balanced_weights(LABELS), compute_sample_weight("balanced", LABELS))


@pytest.mark.parametrize(("how", "counts"), [("oversample", [40, 34, 34]), ("undersample", [2, 2, 2])])
def test_smaller_classes_grow_to_twice_the_even_share_and_larger_ones_shrink(how: str, counts: list[int]) -> None:
    X = features(50)
    new, y, weight = resample(X, LABELS, how, seed=1)
    assert weight is None
    np.testing.assert_array_equal(np.bincount(y), counts)
    rows = {tuple(row) for row in X.numeric}
    assert all(tuple(row) in rows for row in new.numeric)
    again = resample(X, LABELS, how, seed=1)[0]
    np.testing.assert_array_equal(new.numeric, again.numeric)


@pytest.mark.parametrize(("p", "q"), [(2, 1), (2, 0), (0, 2)])
def test_smote_makes_rows_between_rows(p: int, q: int) -> None:
    X = features(50, p, q)
    new, y, _ = resample(X, LABELS, "smote", seed=0)
    np.testing.assert_array_equal(np.bincount(y), [40, 34, 34])
    assert new.numeric.shape == (108, p) and new.categorical.shape == (108, q)
    assert new.categorical.dtype == np.int32
    for k in range(3):
        if p:
            assert new.numeric[y == k].max() <= X.numeric[k == LABELS].max() + 1e-6
        for j in range(q):
            assert set(new.categorical[y == k, j]) <= set(X.categorical[k == LABELS, j])


@pytest.mark.parametrize("q", [0, 2])
def test_smote_keeps_sparse_numbers_sparse(q: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Features) -> np.ndarray:
        raise AssertionError("made dense")

    monkeypatch.setattr(Features, "dense", refuse)
    rng = np.random.default_rng(0)
    numbers = sparse.random(50, 300, density=0.02, format="csr", dtype=np.float32, random_state=0)
    X = Features(numbers, rng.integers(0, 4, (50, q)).astype(np.int32), (4,) * q)
    new, y, _ = resample(X, LABELS, "smote", seed=0)
    assert sparse.issparse(new.numeric) and new.numeric.format == "csr" and new.numeric.dtype == np.float32
    np.testing.assert_array_equal(np.bincount(y), [40, 34, 34])
    np.testing.assert_array_equal(new.numeric[:50].toarray(), numbers.toarray())
    np.testing.assert_array_equal(new.categorical[:50], X.categorical)
    for k in range(3):
        old = k == LABELS
        # Nothing outside the box of the class, so zeros of the whole class stay zeros.
        assert (new.numeric[y == k].max(axis=0).toarray() <= numbers[old].max(axis=0).toarray() + 1e-6).all()
        for j in range(q):
            assert set(new.categorical[y == k, j]) <= set(X.categorical[old, j])
    if not q:
        dense = Features(numbers.toarray(), X.categorical, X.cardinalities)
        np.testing.assert_allclose(
            new.numeric.toarray(), resample(dense, LABELS, "smote", seed=0)[0].numeric, atol=1e-6
        )


@pytest.mark.parametrize("how", ["oversample", "smote"])
def test_many_classes_do_not_multiply_the_rows(how: str) -> None:
    y = np.repeat(np.arange(21), [400] + [5] * 20)
    new, balanced, _ = resample(features(500, q=0), y, how)
    np.testing.assert_array_equal(np.bincount(balanced), [400] + [48] * 20)  # 48 = ceil(2 * 500 / 21)
    assert len(new) == len(balanced)


def test_smote_with_a_class_of_one_row() -> None:
    y = np.array([0] * 20 + [1])
    new, balanced, _ = resample(features(21), y, "smote")
    assert np.bincount(balanced).tolist() == [20, 20]
    assert len(new) == 40


def test_smote_says_what_it_needs() -> None:
    X = features(50)
    X.numeric[0, 0] = np.nan
    with pytest.raises(ConfigError, match="imputation"):
        resample(X, LABELS, "smote")


def test_one_class_or_no_treatment_gives_the_rows_back() -> None:
    X = features(50)
    assert resample(X, LABELS, "none")[0] is X
    assert resample(X, np.zeros(50, int), "smote")[0] is X


@pytest.mark.parametrize("how", ["class_weight", "oversample", "undersample", "smote", "none"])
def test_weights_and_balance_multiply(how) -> None:
    """Rows keep their weights, whatever is done about the classes."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [60, 20, 9])
    X = Features(
        rng.normal(size=(89, 3)).astype(np.float32), np.empty((89, 0), dtype=np.int32), (), ("a", "b", "c"), ()
    )
    weight = rng.gamma(1.0, size=89) + 0.1
    _, y_new, w_new = resample(X, y, how, 0, weight)
    assert w_new is not None and len(w_new) == len(y_new)
    if how == "class_weight":
        np.testing.assert_allclose(np.bincount(y, weights=w_new), weight.sum() / 3)
        np.testing.assert_allclose(w_new[y == 1] / weight[y == 1], (w_new / weight)[60])
    elif how == "none":
        np.testing.assert_array_equal(w_new, weight)
    elif how == "smote":
        np.testing.assert_array_equal(w_new[:89], weight)
        np.testing.assert_allclose(w_new[89:], [weight[y == k].mean() for k in y_new[89:]])
    else:
        assert set(np.round(w_new, 12)) <= set(np.round(weight, 12))
