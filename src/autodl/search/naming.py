"""Readable names of trials."""

from __future__ import annotations

from collections.abc import Iterable

from autodl.models.base import families
from autodl.records import TrialSpec
from autodl.records.origins import PROMOTED
from autodl.search.promotion import same_settings


def trial_names(specs: Iterable[TrialSpec]) -> dict[str, str]:
    """Names by trial id: the family's, numbered in the order in which its configurations were asked for.

    A further split of a configuration has its name, and says which split it is; so has one that was taken from a part
    of the rows to more of them.

    Args:
        specs: All trials of a run, finished or running; leaving some out would shift the numbers of later ones.
    """
    names: dict[str, str] = {}
    counts: dict[str, int] = {}
    ordered = sorted(specs, key=lambda s: trial_number(s.id))
    for spec in ordered:
        if spec.repeats is not None or spec.origin == PROMOTED:
            continue
        counts[spec.family] = counts.get(spec.family, 0) + 1
        names[spec.id] = f"{families[spec.family].name} #{counts[spec.family]}"
    for spec in ordered:
        if spec.repeats is not None:
            same = names.get(spec.repeats, families[spec.family].name)
            names[spec.id] = f"{same}, split {spec.split + 1}"
        elif spec.origin == PROMOTED:
            first = next(iter(sorted(_first_passes(ordered, spec), key=lambda s: s.config != spec.config)), None)
            same = families[spec.family].name if first is None else names[first.id]
            rows = "all rows" if spec.fidelity is None else f"{100 * spec.fidelity:.3g} % of the rows"
            names[spec.id] = f"{same}, {rows}"
    return names


def _first_passes(specs: Iterable[TrialSpec], promoted: TrialSpec) -> list[TrialSpec]:
    others = (s for s in specs if s.origin != PROMOTED and s.repeats is None)
    return [s for s in others if same_settings(s, promoted)]


def trial_number(trial_id: str) -> int:
    """The running number in a trial's id."""
    return int(trial_id.removeprefix("t"))
