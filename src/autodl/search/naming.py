"""Readable names of trials."""

from __future__ import annotations

from collections.abc import Iterable

from autodl.models.base import families
from autodl.records import TrialSpec


def trial_names(specs: Iterable[TrialSpec]) -> dict[str, str]:
    """Names by trial id: the family's, numbered in the order in which its trials were asked for.

    Args:
        specs: All trials of a run, finished or running; leaving some out would shift the numbers of later ones.
    """
    names: dict[str, str] = {}
    counts: dict[str, int] = {}
    for spec in sorted(specs, key=lambda s: trial_number(s.id)):
        counts[spec.family] = counts.get(spec.family, 0) + 1
        names[spec.id] = f"{families[spec.family].name} #{counts[spec.family]}"
    return names


def trial_number(trial_id: str) -> int:
    """The running number in a trial's id."""
    return int(trial_id.removeprefix("t"))
