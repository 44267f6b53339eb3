"""Which strategy, scheduler and architecture search are used, and why, in words."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple

from autodl.defaults import NAS, SEARCH
from autodl.errors import ConfigError
from autodl.models.base import families
from autodl.options import FitOptions
from autodl.planning.facts import Facts
from autodl.records import Decision, FamilyPlan
from autodl.search.architecture import Architecture
from autodl.search.fitting import idle_fields, possible_objectives, problem_space
from autodl.search.nas.sharing import can_share
from autodl.search.schedulers.base import schedulers
from autodl.search.strategies.base import Strategy, strategies

if TYPE_CHECKING:
    from autodl.search.space import SearchSpace

SCHEDULER = "extrapolate"
"""Where neither the user nor the strategy names one."""
_SHOWN = 4
"""Names of parameters that a reason gives."""


class Searching(NamedTuple):
    """What the plan says about the search: keys, and decisions in words."""

    strategy: str
    scheduler: str
    nas: str
    decisions: tuple[Decision, ...]


def choose_search(facts: Facts, kept: Sequence[FamilyPlan], own: Collection[str] = ()) -> Searching:
    """Strategy, scheduler and architecture search for the families that take part.

    Args:
        facts: Of the table, and what the user asked for.
        kept: The families.
        own: Families that the user's file of search spaces names; some may not take part.

    Raises:
        ConfigError: An unknown name, or a strategy that cannot search the space of a family, with the remedy.
        MissingDependencyError: The strategy needs a package that is not installed.
    """
    options = facts.options
    strategy = strategies[options.search](options.seed)
    key = scheduler_of(options)
    scheduler = schedulers[key]
    architecture = Architecture.of(options.nas, options.seed)
    idle = idle_fields(facts.features, facts.task, facts.profile.target.class_counts)
    stats = facts.profile.target.numeric
    possible = possible_objectives(facts.task, options.quantiles, stats.minimum if stats else 0.0)
    spaces = {p.key: problem_space(p, idle, possible) for p in kept}
    _check(strategy, architecture, spaces, [p.key for p in kept if p.space is not None])
    decisions = [
        _search(strategy, architecture, options, spaces, kept, [key for key in own if key not in spaces]),
        _stopping(scheduler.name, key, options, strategy),
    ]
    deep = [p for p in kept if spaces[p.key].nas]
    if deep:
        decisions.append(_nas(architecture, options, deep, spaces))
    elif options.nas != NAS:
        decisions.append(
            Decision(
                topic="Architecture search",
                choice=f"{options.nas} has nothing to work on",
                why="No network whose architecture is searched is among the models; name one, such as mlp, with "
                "--families.",
                evidence={"nas": options.nas},
            )
        )
    return Searching(strategy.key, key, options.nas, tuple(decisions))


def scheduler_of(options: FitOptions) -> str:
    """Key of the scheduler: the user's, that of the strategy, or the usual one."""
    strategy = strategies[options.search](options.seed)
    # Schedulers judge the loss alone: what is quick or small may be worth its loss.
    usual = "none" if strategy.several_losses else SCHEDULER
    return options.scheduler or (strategy.scheduler if strategy.scheduler != "none" else usual)


def _check(
    strategy: Strategy, architecture: Architecture, spaces: dict[str, SearchSpace], own: Collection[str]
) -> None:
    """Whether each strategy can search its part of each family's space; those of ``own`` are the user's."""
    for family, space in spaces.items():
        for start in space.starts() if space.params else ():
            for other, part in architecture.parts(space, start):
                try:
                    (other or strategy).check(part)
                except ConfigError as error:
                    more = "" if family in own else " A space of your own is given with --space."
                    raise ConfigError(
                        f"{error.what} (search space of the model family '{family}')", f"{error.remedy}{more}"
                    ) from error


def _search(
    strategy: Strategy,
    architecture: Architecture,
    options: FitOptions,
    spaces: dict[str, SearchSpace],
    kept: Sequence[FamilyPlan],
    idle: Sequence[str],
) -> Decision:
    searched = [p for p in kept if spaces[p.key].params]
    choice, key = f"{strategy.name} chooses the settings to try, after each model's listed ones", strategy.key
    asked = "You asked for it." if options.search != SEARCH else ""
    if strategy.inherits:
        # Only networks go on from the weights of others; see ``search.session``.
        usual, networks = strategies[SEARCH](options.seed), [p for p in searched if families[p.key].deep]
        if networks:
            others = [p.name for p in searched if p not in networks]
            rest = f" and of {_listed(others)}" if others else ""
            choice = (
                f"{strategy.name} chooses the settings of {_listed([p.name for p in networks])}, after each model's "
                f"listed ones; those of networks that begin anew{rest} are chosen by {usual.name}"
            )
            searched = networks
        else:
            asked = f"{strategy.name}, which you asked for, is for neural networks, and none takes part."
            strategy, choice = usual, f"{usual.name} chooses the settings to try, after each model's listed ones"
    widest = max(searched, key=lambda p: len(spaces[p.key].params), default=None)
    own = [p.name for p in kept if p.space is not None]
    why = asked or "It learns from each trial which settings do well."
    if widest is not None:
        space = spaces[widest.key]
        part = next((p for own, p in architecture.parts(space, space.starts()[0]) if own is None), space)
        reason = strategy.why(part, None, _trials(options, widest))
        if reason != f"{strategy.name}, as asked.":
            why = f"{why} For {widest.name}: {reason}" if len(searched) > 1 else f"{why} {reason}"
    if own:
        why += f" The settings of {_listed(own)} are those of your file {options.space}."
    if idle:
        names = _listed([families[key].name for key in idle])
        take, those = ("take", "their settings") if len(idle) > 1 else ("takes", "its settings")
        why += f" {names} {take} no part, so {those} in {options.space} are not used."
    return Decision(topic="Search", choice=choice, why=why, evidence={"strategy": key})


def _trials(options: FitOptions, family: FamilyPlan) -> float:
    """Trials that the family could have at most."""
    if options.max_trials is not None:
        return options.max_trials
    return math.inf if options.time_budget_s is None else options.time_budget_s / max(1e-3, family.est_seconds)


def _stopping(name: str, key: str, options: FitOptions, strategy: Strategy) -> Decision:
    if options.scheduler is not None:
        why = "You asked for it."
        if strategy.several_losses and key != "none":
            why += " It looks at the score alone, so it may end models that are worth it for their time or size."
    elif strategy.several_losses:
        why = "A model with a lower score may be worth it for its time or size."
    elif strategy.scheduler != "none":
        why = f"It belongs to the strategy {strategy.key}."
    else:
        why = "What clearly falls behind earlier trials is not worth finishing; the listed settings always are."
    choice = "none: every trial is trained to its end" if key == "none" else f"{name} ends hopeless trials early"
    return Decision(topic="Early stopping of trials", choice=choice, why=why, evidence={"scheduler": key})


def _nas(
    architecture: Architecture, options: FitOptions, deep: Sequence[FamilyPlan], spaces: dict[str, SearchSpace]
) -> Decision:
    names = list(dict.fromkeys(n for p in deep for n in spaces[p.key].nas))
    shown = ", ".join(names[:_SHOWN]) + (" and more" if len(names) > _SHOWN else "")
    models = _listed([p.name for p in deep])
    joint = f"the architecture of {models} is searched together with all other settings"
    choices = {
        "joint": joint,
        "none": f"the architecture of {models} stays that of its best listed one",
    }
    reasons = {
        "joint": "The best learning rate depends on the architecture. Listed ones come first: a short budget may see "
        "no other.",
        "none": "All of the time goes into the other settings.",
        "supernet": "One training ranks many architectures; the first few are then trained on their own.",
    }
    sharing = [p.name for p in deep if can_share(p.key, spaces[p.key])]
    choices["supernet"] = f"architectures of {_listed(sharing)} are compared in one network" if sharing else joint
    if not sharing:
        reasons["supernet"] = "No network here can share weights among its architectures."
    if architecture.strategy is not None:
        name = architecture.strategy.name
        choice = f"{name} chooses the architecture of {models}, in every second trial"
        why = "The other trials search the other settings at the best architecture so far."
    else:
        choice, why = choices[architecture.mode], reasons[architecture.mode]
    asked = "You asked for it. " if options.nas != NAS else ""
    return Decision(
        topic="Architecture search",
        choice=choice,
        why=f"{asked}{why} The architecture is: {shown}.",
        evidence={"nas": options.nas},
    )


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
