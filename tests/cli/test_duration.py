from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autodl.duration import format_duration, parse_duration
from autodl.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("60", 60), ("60s", 60), ("5m", 300), ("1h30m", 5400), ("5 min", 300), ("1.5h", 5400), (" 2 MIN ", 120),
        ("1 hour, 30 minutes", 5400), ("90sec", 90), ("1d", 86400), (42, 42), (1.5, 1.5), ("1h 5m 3s", 3903),
    ],
)  # fmt: skip
def test_reads_what_people_write(text: str | float, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "abc", "5 parsecs", "-3", "0", "0s", "1h30", "5 30", "nan", "inf", "-inf", "1e9", "60s60", "0.5s",
             "9999d", float("nan"), -1, 0, "--", "5m!"]
)  # fmt: skip
def test_refuses_nonsense_in_one_line_with_the_remedy(text: str | float) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_duration(text)
    message = str(caught.value)
    assert "\n" not in message
    assert f"'{text}'" in message
    assert "1h30m" in message


@pytest.mark.parametrize("text", ["5us", "5\u00b5s", "5 \u03bcs", "5 microseconds", "0.005ms"])
def test_reads_microseconds(text: str) -> None:
    assert parse_duration(text, least=1e-6) == pytest.approx(5e-6)


@given(st.integers(0, 23), st.integers(0, 59), st.integers(1, 59))
def test_units_add_up(hours: int, minutes: int, seconds: int) -> None:
    assert parse_duration(f"{hours}h{minutes}m{seconds}s") == hours * 3600 + minutes * 60 + seconds


@given(st.text(max_size=20))
def test_any_text_gives_a_duration_or_a_clear_error(text: str) -> None:
    try:
        seconds = parse_duration(text)
    except ConfigError as error:
        seconds = 1 if error.remedy else 0
    assert 1 <= seconds <= 365 * 86400


@given(st.floats(1.0, 300_000.0))
def test_what_is_shown_reads_back_as_nearly_the_same(seconds: float) -> None:
    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds, rel=0.03, abs=0.51)
