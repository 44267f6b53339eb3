from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autodl.errors import ConfigError
from autodl.sizes import format_size, parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [("1", 1), ("500kB", 500_000), ("500 KB", 500_000), ("2MB", 2_000_000), (" 1.5 GiB ", 3 * 2**29), ("2mib", 2**21),
     (".5 TB", 5 * 10**11), ("7 bytes", 7), (1e6, 1_000_000), (12, 12)],
)  # fmt: skip
def test_sizes(text: str | float, size: int) -> None:
    assert parse_size(text, "max_size") == size


@pytest.mark.parametrize(
    "text", ["", "MB", "2 XB", "-1MB", "1e3 MB", "2MB2", "nan", float("nan"), float("inf"), "0", -5, 0.2]
)
def test_what_is_no_size_is_refused_by_name(text: str | float) -> None:
    with pytest.raises(ConfigError, match="--max-size") as caught:
        parse_size(text, "--max-size")
    assert "2MB" in str(caught.value) or "one byte" in str(caught.value)


@given(st.floats(1, 9e13))
def test_what_is_shown_is_read_back_within_its_digits(size: float) -> None:
    assert parse_size(format_size(size), "x") == pytest.approx(size, rel=0.006, abs=0.51)
