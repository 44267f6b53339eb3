"""Which odd images are worth a warning."""

from __future__ import annotations

import pytest

from autodl.profiling.checks.unusual_images import UnusualImages
from autodl.records import ColumnInfo, ColumnKind, Finding, ImageStats, Severity


def found(n: int = 5000, **odd: int) -> Finding:
    stats = ImageStats(height=(64, 64, 64), width=(64, 64, 64), n_sizes=1, **{"n_grey": 0, "n_blank": 0, **odd})
    column = ColumnInfo(name="photo", kind=ColumnKind.IMAGE, why="", n=n, n_missing=0, n_unique=n, image=stats)
    return UnusualImages()._of(column, stats)


@pytest.mark.parametrize(
    ("grey", "severity"),
    [
        (0, Severity.PASSED),
        (1, Severity.PASSED),
        (60, Severity.WARNS),
        (4900, Severity.WARNS),
        (4999, Severity.PASSED),
    ],
)
def test_a_few_images_without_colour_are_no_reason_to_worry(grey: int, severity: Severity) -> None:
    assert found(n_grey=grey).severity is severity


def test_moving_and_transparent_images_are_told_but_no_fault() -> None:
    finding = found(n_moving=1, n_clear=3)
    assert finding.severity is Severity.PASSED
    assert "1 image moves: its first picture counts." in finding.message
    assert "3 images are transparent in places, and seen on white." in finding.message
