"""From a profile to a plan: each choice is one function in this package, with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from autodl.models.base import families
from autodl.options import FitOptions
from autodl.planning.candidates import choose_families, first_wave_s, searched_fields
from autodl.planning.costs import Setting
from autodl.planning.encoding import choose_encodings
from autodl.planning.facts import Facts
from autodl.planning.metric import choose_metric
from autodl.planning.objectives import decide_objectives
from autodl.planning.order import decide_order
from autodl.planning.preparation_words import decide
from autodl.planning.runner import choose_runner
from autodl.planning.scouting import choose_scouting
from autodl.planning.searching import choose_search
from autodl.planning.validation import choose_validation
from autodl.profiling.words import count
from autodl.records import Decision, Modality, Plan, Profile

if TYPE_CHECKING:
    from autodl.machine import Machine
    from autodl.pretrained.offers import Offer
    from autodl.search.space import SearchSpace


def make_plan(
    profile: Profile,
    options: FitOptions,
    *,
    machine: Machine,
    has_test_file: bool,
    spaces: Mapping[str, SearchSpace] | None = None,
    offers: Mapping[Modality, Offer] | None = None,
) -> Plan:
    """What will be done and why; a pure function of its arguments.

    Args:
        profile: Facts about the table.
        options: What the user asked for.
        machine: Cores, memory and speed.
        has_test_file: Whether the test rows come from a file of their own.
        spaces: The user's own search spaces, by family.
        offers: What pretrained networks there are for images and texts.

    Raises:
        ConfigError: An unknown metric, family or strategy, or an impossible option, with the remedy.
        MissingDependencyError: A family asked for needs a package that is not installed.
    """
    facts, own = Facts(profile, options), spaces or {}
    metric, metric_decision = choose_metric(facts)
    encodings, reading = choose_encodings(facts, offers or {})
    _, side_by_side, threads, _ = choose_runner(options, machine)
    validation, split_decisions = choose_validation(
        facts,
        has_test_file,
        lambda v: first_wave_s(
            Setting(facts, metric, v, machine, threads, own, encodings, reading=reading),
            min(side_by_side, machine.cores),
        ),
        sum(e.seconds for e in encodings.values()),
    )
    setting = Setting(facts, metric, validation, machine, threads, own, encodings, reading=reading)
    scout, scouting = choose_scouting(facts, validation, setting.rows().train)
    setting = replace(setting, scout=scout)
    kept, skipped, models_decision = choose_families(setting)
    runner, workers, threads, computing = choose_runner(options, machine, max(p.est_bytes for p in kept))
    searching = choose_search(facts, kept, [*own])
    recipes = {p.name: p.recipe for p in kept if families[p.key].complexity > 0} or {p.name: p.recipe for p in kept}
    target = profile.target
    decisions = (
        Decision(topic="Target", choice=target.name, why=target.why),
        Decision(topic="Task", choice=_task_words(profile), why=target.task_why),
        metric_decision,
        *split_decisions,
        *_weights(profile),
        _columns(profile),
        *decide(facts, metric, recipes, searched_fields(kept, facts)),
        *reading,
        *decide_objectives(facts, metric),
        *decide_order(facts, metric),
        *scouting,
        models_decision,
        *searching.decisions,
        computing,
    )
    return Plan(
        task=target.task,
        target=target.name,
        classes=target.classes,
        metric=metric.key,
        quantiles=options.quantiles,
        features=profile.features,
        validation=validation,
        families=kept,
        skipped=skipped,
        decisions=decisions,
        runner=runner,
        workers=workers,
        threads=threads,
        strategy=searching.strategy,
        scheduler=searching.scheduler,
        nas=searching.nas,
        weight_column=profile.weight_column,
        scout=scout,
        seed=options.seed,
    )


def _task_words(profile: Profile) -> str:
    n = profile.n_classes
    return f"classification, {n} classes" if n else "regression"


def _weights(profile: Profile) -> list[Decision]:
    name = profile.weight_column
    if name is None:
        return []
    why = (
        f"You named '{name}'. Models learn by it, stop training by it and are scored by it, together with any "
        "balancing of classes; only how the weights compare counts, not their sum. It is no column to learn from, "
        "and new rows do not need it."
    )
    return [Decision(topic="Row weights", choice=f"rows count by '{name}'", why=why)]


def _columns(profile: Profile) -> Decision:
    left = "; ".join(f"'{n}': {w.rstrip('.')}" for n, w in list(profile.dropped.items())[:10])
    more = f"; and {len(profile.dropped) - 10} more" if len(profile.dropped) > 10 else ""
    n = len(profile.features)
    return Decision(
        topic="Columns",
        choice=f"{n} of {count(n + len(profile.dropped), 'column')} {'is' if n == 1 else 'are'} used",
        why=f"Left out: {left}{more}." if left else "Each may tell something about the target.",
        evidence={"used": n, "left_out": len(profile.dropped)},
    )
