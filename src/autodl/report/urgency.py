"""Which findings bear most on whether the score can be believed: one order for the report and the terminal."""

from __future__ import annotations

LEAKS = ("AD010", "AD011")
"""A column that may be known only after the outcome."""
URGENT = (*LEAKS, "AD012", "AD024", "AD013", "AD014", "AD003", "AD019", "AD017")
"""Codes, the most urgent first: leaks; test rows that were seen, or belong to others; drift; copies; false values."""


def urgency(code: str) -> int:
    """0 for what most bears on whether the score can be believed; ``len(URGENT)`` for what does not."""
    return URGENT.index(code) if code in URGENT else len(URGENT)
