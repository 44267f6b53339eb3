"""Which networks of a family's search space share weights, and when they are trained and tried.

All functions of the history: one training of shared weights a family, then its proposals in their order, until the
check of ``records.shared_weights`` finds that they are of no use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from autodl.models.base import families
from autodl.records import JsonScalar, Proposal, TrialResult, TrialSpec
from autodl.records.origins import INHERITED, SUPERNET
from autodl.records.shared_weights import trust
from autodl.search.encoding import listed
from autodl.search.space import Config, SearchSpace

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
    own = {k: v for k, v in config.items() if not k.startswith("prep.")}
    common = families[family].config(**own)
    varied = _varied(family, space)
    return {name: varied.get(name, (getattr(common, name),)) for name in families[family].shares}


def _varied(family: str, space: SearchSpace) -> dict[str, tuple[JsonScalar, ...]]:
    """Values of what the space varies among the things that can share weights."""
    params = {n: space.params[n] for n in families[family].shares if n in space.nas}
    return {n: tuple(listed(p)) for n, p in params.items() if not p.when and p.type != "float"}


def can_share(family: str, space: SearchSpace) -> bool:
    """Whether there is more than one network to compare, and the space has those that can share weights."""
    fixed = families[family].shared_as
    has = all(name not in space.params or space.params[name].allows(value) for name, value in fixed.items())
    return has and any(len(values) > 1 for values in _varied(family, space).values())


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
            best = min(scored, key=lambda r: r.loss or 0.0).spec.config
            yield SUPERNET, space.complete({**best, **families[family].shared_as})
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


def full_proposals(ranking: TrialResult, space: SearchSpace) -> TrialResult:
    """The ranking with configurations as the space has them, each once, so that they can be found among the trials.

    Args:
        ranking: Its proposals join values of the choices with the common configuration.
        space: Of the family.
    """
    found: list[Proposal] = []
    for p in ranking.proposals:
        config = space.complete({**p.config, **families[ranking.spec.family].shared_as})
        if not any(f.config == config for f in found):
            found.append(Proposal(config=config, loss=p.loss))
    return ranking.model_copy(update={"proposals": tuple(found)})


def largest(config: Config, choices: Mapping[str, Sequence[JsonScalar]], size: Callable[[Config], float]) -> Config:
    """The network with the largest value of each choice, as shared weights hold them all.

    Args:
        config: What the networks have in common. choices: Values of each choice. size: of a network.
    """
    for name, values in choices.items():
        config = max(({**config, name: value} for value in values), key=size)
    return config
