"""Readable names of trials."""

from __future__ import annotations

from collections.abc import Iterable

from autodl.models.base import families
from autodl.records import TrialSpec


def trial_names(specs: Iterable[TrialSpec]) -> dict[str, str]:
    """Names by trial id: the family's, numbered in the order in which its configurations were asked for.

    A further split of a configuration has its name, and says which split it is.

    Args:
        specs: All trials of a run, finished or running; leaving some out would shift the numbers of later ones.
    """
    names: dict[str, str] = {}
    counts: dict[str, int] = {}
    ordered = sorted(specs, key=lambda s: trial_number(s.id))
    for spec in ordered:
        if spec.repeats is not None:
            continue
        counts[spec.family] = counts.get(spec.family, 0) + 1
        names[spec.id] = f"{families[spec.family].name} #{counts[spec.family]}"
    for spec in ordered:
        if spec.repeats is not None:
            same = names.get(spec.repeats, families[spec.family].name)
            names[spec.id] = f"{same}, split {spec.split + 1}"
    return names


def trial_number(trial_id: str) -> int:
    """The running number in a trial's id."""
    return int(trial_id.removeprefix("t"))
