"""Which networks of a family's search space share weights, and when they are trained and tried.

All functions of the history: one training of shared weights a family, then its proposals in their order, until the
check of ``records.shared_weights`` finds that they are of no use.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from autodl.models.base import families
from autodl.records import JsonScalar, TrialResult, TrialSpec
from autodl.records.shared_weights import trust
from autodl.search.encoding import listed
from autodl.search.space import Config, SearchSpace

SUPERNET = "supernet"
"""Origin of a training of shared weights."""
INHERITED = "inherited"
"""Origin of a trial that it has proposed."""
SHARE = 0.25
"""Most of the time left that a training of shared weights may take."""
TRAININGS = 5.0
"""Its length in trainings of one network of middle size, as measured for one epoch of fairly drawn paths each."""
LEAST_TRIALS = 2
"""Trials of the family before it: the first says what the networks have in common."""


def shared_choices(family: str, space: SearchSpace, config: Config) -> dict[str, tuple[JsonScalar, ...]]:
    """Values of everything that the networks may differ in; one value each where nothing varies.

    Args:
        family: Its key.
        space: Its search space; only what it lists as ``nas``, whatever the other values are, varies.
        config: What the networks have in common.
    """
    kind = families[family]
    own = {k: v for k, v in config.items() if not k.startswith("prep.")}
    common = kind.config(**own)
    found: dict[str, tuple[JsonScalar, ...]] = {}
    for name in kind.shares:
        param = space.params.get(name)
        varies = param is not None and name in space.nas and not param.when and (param.type != "float")
        found[name] = tuple(listed(param)) if varies and param is not None else (getattr(common, name),)
    return found


def can_share(family: str, space: SearchSpace) -> bool:
    """Whether there is more than one network to compare."""
    kind = families[family]
    return any(name in space.nas and not space.params[name].when for name in kind.shares)


def sharing_steps(
    family: str, space: SearchSpace, finished: Sequence[TrialResult], running: Sequence[TrialSpec]
) -> Iterator[tuple[str, Config]]:
    """Origin and configuration of what weight sharing asks for next; nothing where it has no more to say.

    Args:
        family: A key. space: its search space.
        finished: All trials of the run so far. running: those under way.
    """
    if not can_share(family, space):
        return
    own = [r for r in finished if r.spec.family == family]
    ranking = next((r for r in own if r.spec.origin == SUPERNET), None)
    if ranking is None:
        under_way = any(s.family == family and s.origin == SUPERNET for s in running)
        scored = [r for r in own if r.ok and r.loss is not None]
        if not under_way and len(scored) >= LEAST_TRIALS:
            yield SUPERNET, min(scored, key=lambda r: r.loss or 0.0).spec.config
        return
    if trust(family, finished).poor:
        return
    tried = [s.config for s in (*(r.spec for r in own if r is not ranking), *running) if s.family == family]
    for proposal in ranking.proposals:
        if proposal.config not in tried:
            yield INHERITED, proposal.config


def without_rankings(results: Sequence[TrialResult]) -> list[TrialResult]:
    """Only trials of single models."""
    return [r for r in results if r.spec.origin != SUPERNET]


def proposed(config: Config, values: Mapping[str, JsonScalar], space: SearchSpace) -> Config:
    """A full configuration with these values of the choices, everything else as in ``config``."""
    return space.complete({**config, **values})
