from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, ks_2samp, kstwobign, rankdata, skew
from sklearn.metrics import roc_auc_score
from statsmodels.stats.multitest import multipletests

from autodl.profiling.stats import auc, cramers_v, holm, ks, ranks, skewness
from autodl.profiling.words import count, listing, number, share, tokens


@settings(max_examples=8, deadline=None)  # one call of multipletests takes 0.2 s
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holm_is_that_of_statsmodels(p: list[float]) -> None:
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1].tolist())


@pytest.mark.parametrize("shift", [0.0, 0.1, 0.5])
def test_ks_is_that_of_scipy(shift: float) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=400), rng.normal(shift, size=700)
    want = ks_2samp(a, b, method="asymp").statistic
    distance, p = ks(np.append(a, np.nan), b)
    assert distance == pytest.approx(want)
    assert p == pytest.approx(kstwobign.sf(np.sqrt(400 * 700 / 1100) * want))


def test_chi_squared_is_that_of_scipy() -> None:
    table = np.array([[30, 12, 7], [22, 25, 19], [0, 0, 0]])
    want = chi2_contingency(table[:2], correction=False)
    assert cramers_v(table)[1] == pytest.approx(want.pvalue)
    assert cramers_v(np.array([[50, 0], [0, 50]]))[0] == pytest.approx(1.0, abs=0.02)
    assert cramers_v(np.array([[25, 25], [25, 25]]))[0] == 0.0


@given(st.integers(0, 1000))
def test_auc_is_that_of_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    y = np.r_[0, 1, rng.integers(0, 2, 40)]
    s = rng.integers(0, 8, 42)
    assert auc(y, s) == pytest.approx(roc_auc_score(y, s))


def test_skewness_is_that_of_scipy() -> None:
    values = np.random.default_rng(0).exponential(size=500)
    assert skewness(values) == pytest.approx(skew(values))
    assert skewness(values * 1e300) == pytest.approx(skew(values))
    assert skewness(np.ones(5)) == 0.0


@given(st.lists(st.integers(0, 9), min_size=1))
def test_ranks_are_those_of_scipy(values: list[int]) -> None:
    assert np.array_equal(ranks(np.array(values)), rankdata(values))


def test_words() -> None:
    assert tokens("EmpVarRate_2") == ("emp", "var", "rate", "2")
    assert tokens("Kündigung-Datum") == ("kundigung", "datum")
    assert [share(x) for x in (0, 0.0005, 0.05, 0.5, 0.9995, 1)] == [
        "0 %", "less than 0.1 %", "5.0 %", "50 %", "more than 99.9 %", "100.0 %",
    ]  # fmt: skip
    assert [number(x) for x in (500001.0, 0.03121, 8253.4, -1)] == ["500,001", "0.0312", "8,253", "-1"]
    assert listing("abcdefg") == "'a', 'b', 'c', 'd', 'e' and 2 more"
    assert listing("ab") == "'a' and 'b'"
    assert (count(1, "row"), count(2500, "row")) == ("1 row", "2,500 rows")
