"""A part of a search space searched while the rest stays as it is, and what the past says about that part."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from autodl.records import JsonScalar
from autodl.search.history import Observation
from autodl.search.space import Config, SearchSpace


def free_part(space: SearchSpace, names: Collection[str], fixed: Mapping[str, JsonScalar]) -> SearchSpace:
    """The parameters ``names`` of a space alone.

    Args:
        space: The whole space.
        names: What may vary.
        fixed: A configuration that says what the others are; its values of ``names`` do not matter.

    Returns:
        A space without those parameters that the fixed values rule out and without conditions that they meet.
    """
    rest = [name for name in space.params if name not in names]
    return SearchSpace(params=space.without(*rest, values=fixed).params)


def project(part: SearchSpace, history: Sequence[Observation]) -> list[Observation]:
    """The past as the part sees it: each of its configurations is as good as the best trial that had it.

    Args:
        part: As ``free_part`` gives it.
        history: Trials of the whole space; of those with losses at several fidelities, the last counts.
    """
    rank = {"ok": 0, "stopped": 1, "running": 2, "failed": 3}
    kept: dict[tuple[tuple[str, JsonScalar], ...], Observation] = {}
    for o in history:
        config = part.complete({k: v for k, v in o.config.items() if k in part.params})
        seen = replace(o, config=config)
        key = tuple(config.items())
        before = kept.get(key)
        if before is None or (rank[o.status], _loss(o)) < (rank[before.status], _loss(before)):
            kept[key] = seen
    return list(kept.values())


def joined(space: SearchSpace, fixed: Mapping[str, JsonScalar], part: Config, names: Collection[str]) -> Config:
    """A full configuration: the part's values of ``names``, the fixed ones of the others."""
    return space.complete({**{k: v for k, v in fixed.items() if k not in names}, **part})


def _loss(o: Observation) -> float:
    return float("inf") if o.loss is None else o.loss
