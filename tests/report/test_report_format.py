"""Numbers in words."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from autodl.records import Interval
from autodl.report import format as fmt
from autodl.report.sections.leaderboard import places_for

finite = st.floats(-1e6, 1e6, allow_nan=False)


@pytest.mark.parametrize(
    ("low", "high", "places"),
    [(2500, 2900, -2), (2610, 2790, -1), (0.84, 0.90, 2), (0.77, 0.97, 2), (0.812, 0.818, 3), (1.0, 9.0, 0)],
)
def test_digits_follow_the_width_of_the_interval(low: float, high: float, places: int) -> None:
    assert fmt.decimals(low, high) == places


def test_a_wide_lopsided_interval_leaves_the_value_two_digits() -> None:
    assert str(fmt.estimate(Interval(value=0.844, low=0.457, high=4.651, n=9))) == "0.84 (0.46 to 4.65)"
    assert str(fmt.estimate(Interval(value=0.00001, low=0.0, high=4.0, n=9))) == "0.00 (0.00 to 4.00)"


def test_estimate_uses_the_same_decimals_for_all_three() -> None:
    e = fmt.estimate(Interval(value=2712.4, low=2512.0, high=2912.0, n=9))
    assert (e.value, e.low, e.high) == ("2,700", "2,500", "2,900")
    assert str(fmt.estimate(Interval(value=0.8712, low=0.8371, high=0.9012, n=9))) == "0.87 (0.84 to 0.90)"


@given(finite, st.floats(1e-6, 1e6))
def test_rounding_moves_an_estimate_by_less_than_its_half_width(value: float, half: float) -> None:
    shown = fmt.estimate(Interval(value=value, low=value - half, high=value + half, n=10)).value
    back = float(shown.replace(",", "").replace("−", "-"))
    assert abs(back - value) <= max(half, 1e-9 * abs(value)) * 1.01 or "e" in shown


@pytest.mark.parametrize(
    ("shares", "base"),
    [((0.83, 0.77, 0.88), 100), ((0.997, 0.995, 0.999), 1000), ((0.9996, 0.9990, 0.9999), 10_000), ((1.0,), 100),
     ((0.0,), 100), ((0.504, 0.501, 0.507), 1000)],
)  # fmt: skip
def test_counts_never_claim_always_or_hide_the_interval(shares: tuple[float, ...], base: int) -> None:
    assert fmt.share_base(*shares) == base


@given(st.integers(0, 500), st.integers(1, 500))
def test_wilson_matches_statsmodels(hits: int, n: int) -> None:
    hits = min(hits, n)
    assert fmt.wilson(hits, n) == pytest.approx(proportion_confint(hits, n, method="wilson"), abs=1e-9)


def test_wilson_without_rows_says_nothing() -> None:
    assert fmt.wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("p", "text"),
    [(1e-300, "p < 0.001"), (0.0009, "p < 0.001"), (0.004, "p = 0.004"), (0.031, "p = 0.031"), (0.0996, "p = 0.10"),
     (0.5, "p = 0.50"), (math.nan, "p not defined")],
)  # fmt: skip
def test_p_values(p: float, text: str) -> None:
    assert fmt.p_value(p) == text


@pytest.mark.parametrize(
    ("s", "text"),
    [(0.0, "0.00 s"), (0.42, "0.42 s"), (0.996, "1.0 s"), (12.4, "12 s"), (59.6, "1 min"), (200, "3 min 20 s"),
     (7500, "2 h 5 min"), (math.nan, "–")],
)  # fmt: skip
def test_seconds(s: float, text: str) -> None:
    assert fmt.seconds(s) == text


@pytest.mark.parametrize(
    ("n", "text"), [(0, "–"), (999, "999 B"), (12_000, "12 kB"), (1_440_000, "1.4 MB"), (3e9, "3.0 GB")]
)
def test_sizes(n: float, text: str) -> None:
    assert fmt.size(n) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(18823, "18,823"), (0.0, "0"), (3.25, "3.25"), (0.000123456, "0.000123"), (-2.5, "−2.5"), (math.nan, "–"),
     (math.inf, "∞"), (2_345_678.9, "2,345,679"), (0.9999, "1")],
)  # fmt: skip
def test_numbers(value: float, text: str) -> None:
    assert fmt.number(value) == text


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_every_number_is_shown_without_a_hyphen_as_minus(value: float) -> None:
    for text in (fmt.number(value), fmt.fixed(value, 2), fmt.count(value), fmt.seconds(value), fmt.size(value)):
        assert text
        assert not re.match(r"-\d", text)


@given(st.floats(0.001, 1e6))
def test_numbers_keep_three_significant_digits(value: float) -> None:
    assert float(fmt.number(value).replace(",", "")) == pytest.approx(value, rel=5.1e-3)


@given(st.floats(1e-4, 1e6, exclude_max=True), st.sampled_from([-1, 1]), st.integers(-6, 14))
def test_numbers_of_everyday_size_have_no_exponent(size: float, sign: int, places: int) -> None:
    value = sign * size
    around = Interval(value=value, low=value - 10.0**-places, high=value + 10.0**-places, n=9)
    for text in (fmt.number(value), fmt.fixed(value, places), str(fmt.estimate(around))):
        assert "e" not in text
    said = fmt.without_exponents(f"differs by {value:.1e}, p = 0.5")
    rounded = float(f"{value:.1e}")
    if abs(rounded) < 1e6:
        assert "e+" not in said
        assert "e-" not in said
        assert float(said.split()[2].strip(",").replace(",", "")) == pytest.approx(rounded, rel=5e-3)


def test_exponents_in_sentences_are_written_out_only_where_they_are_figures() -> None:
    assert fmt.without_exponents("RMSE differs by 1.6e+02, p = 3e-09; see a1e3") == (
        "RMSE differs by 160, p = 3e-09; see a1e3"
    )


def test_running_out_of_time_is_told_in_words() -> None:
    for error in ("did not finish in its 5.9 s (0 of 5)", "did not stop at its deadline of 5.9 s and was killed"):
        assert fmt.ran_out(error) == "ran out of time: needs more than the 5.9 s it had"
    assert fmt.ran_out(None) == "ran out of time"


def test_words_and_plurals() -> None:
    assert fmt.words([]) == ""
    assert fmt.words(["a"]) == "a"
    assert fmt.words(["a", "b", "c"]) == "a, b and c"
    assert fmt.plural(1, "row") == "1 row"
    assert fmt.plural(1200, "try", "tries") == "1,200 tries"


@pytest.mark.parametrize("unit", [1.0, 1e-4, 1e-8, 1e-11])
def test_columns_of_small_numbers_are_no_zeros(unit: float) -> None:
    scores = [Interval(value=v * unit, low=(v - 0.1) * unit, high=(v + 0.1) * unit, n=9) for v in (1.2, 1.6)]
    for places in (fmt.common_places([s.value for s in scores]), places_for(scores)):
        shown = [float(fmt.fixed(s.value, places).replace("−", "-")) for s in scores]
        assert shown == pytest.approx([1.2 * unit, 1.6 * unit], rel=0.04)


def test_everyday_columns_have_five_decimals_at_most() -> None:
    assert places_for([Interval(value=0.5, low=0.5 - 1e-9, high=0.5 + 1e-9, n=9)]) == 5
