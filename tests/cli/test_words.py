from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autodl.cli.words import in_hundred, listed, number, plural, with_interval


@given(st.floats(1e-4, 1e9))
def test_a_number_keeps_its_first_digits(value: float) -> None:
    assert float(number(value).replace(",", "")) == pytest.approx(value, rel=6e-4, abs=5.1e-5)


def test_odd_numbers_are_named() -> None:
    assert [number(v) for v in (math.nan, math.inf, -math.inf, 0.0)] == ["n/a", "∞", "-∞", "0"]


@given(st.floats(-1e6, 1e6), st.floats(1e-4, 1e5))
def test_an_interval_is_never_shown_as_a_point(value: float, width: float) -> None:
    shown = with_interval(value, value - width, value + width)
    low, high = shown.split("(")[1].rstrip(")").split(" to ")
    assert low != high


def test_a_wide_interval_leaves_the_value_two_digits() -> None:
    assert with_interval(0.844, 0.457, 4.651) == "0.84 (0.46 to 4.65)"


def test_an_interval_shows_no_more_decimals_than_it_supports() -> None:
    assert with_interval(512.345, 430.1, 610.9) == "512 (430 to 611)"
    assert with_interval(0.93127, 0.9291, 0.9333) == "0.931 (0.929 to 0.933)"


@given(st.floats(0, 1))
def test_certainty_is_claimed_only_where_it_is(share: float) -> None:
    shown = in_hundred(share)
    assert (shown == "100 in 100") == (share == 1.0)
    assert (shown == "0 in 100") == (share == 0.0)


def test_lists_and_plurals() -> None:
    assert listed(["a", "b"]) == "a and b"
    assert listed([]) == ""
    assert listed(list("abcdefgh"), most=3) == "a, b, c and 5 more"
    assert plural(1, "row") == "1 row"
    assert plural(0, "row") == "0 rows"


def test_small_units_are_no_zeros() -> None:
    assert with_interval(3.2e-8, 2.9e-8, 3.5e-8) == "0.000000032 (0.000000029 to 0.000000035)"
    assert with_interval(3.21e-11, 3.1e-11, 3.32e-11) == "3.21e-11 (3.1e-11 to 3.32e-11)"
