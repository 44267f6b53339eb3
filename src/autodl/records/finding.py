"""A coded check of the data and what came of it."""

from __future__ import annotations

from enum import StrEnum

from autodl.records.base import JsonScalar, Record


class Severity(StrEnum):
    """PASSED: looked and found nothing. FIXED: found and handled. WARNS: a person should look."""

    PASSED = "passed"
    FIXED = "fixed"
    WARNS = "warns"
    NOT_APPLICABLE = "not applicable"


class Finding(Record):
    """One check (``AD001`` ...) on the table or on one column."""

    code: str
    title: str
    """The check's name in two to five words, e.g. "Missing values"."""
    severity: Severity
    column: str | None = None
    evidence: dict[str, JsonScalar] = {}
    """The figures behind it."""
    message: str
    """What was found and what it means, in plain words."""
    action: str = ""
    """What was done, or what a person should do."""
