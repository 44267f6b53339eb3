"""How many bends the plan gives to straight-line models."""

from types import SimpleNamespace

import pytest

from autodl.planning.preparation import affordable_segments


@pytest.mark.parametrize(
    ("rows", "numbers", "segments"),
    [(10_000, 8, 6), (1_030, 8, 6), (442, 10, 4), (150, 10, 0), (2_000, 58, 3), (100_000, 100, 3), (100_000, 400, 0)],
)
def test_ten_rows_for_each_segment_and_no_more_than_three_hundred_columns(rows, numbers, segments) -> None:
    facts = SimpleNamespace(rows=rows, numeric=(None,) * numbers)
    assert affordable_segments(6, facts) == segments


def test_a_table_without_numbers_is_no_error() -> None:
    assert affordable_segments(6, SimpleNamespace(rows=500, numeric=())) == 6
