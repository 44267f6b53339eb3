"""Which model families take part, in which order, and why others do not."""

from __future__ import annotations

from collections.abc import Sequence

from autodl.defaults import USUAL_FAMILIES
from autodl.machine import in_gib
from autodl.models.base import CostEstimate, Family, families
from autodl.planning.costs import Setting, encoder_key, first_cost, least_bytes, listed_configs
from autodl.planning.encoding import nothing_to_tune, untunable
from autodl.planning.facts import Facts
from autodl.planning.objectives import offered
from autodl.planning.preparation import adapt
from autodl.planning.texts import (
    reading_limit,
    reads_words,
    spelt,
    texts_alone,
    too_little_to_read,
    too_short_to_read,
)
from autodl.profiling.words import plural
from autodl.records import Decision, FamilyPlan, Modality, Skipped
from autodl.search.family_ranking import LEAD
from autodl.search.fitting import idle_fields, planned_space
from autodl.sizes import format_size

SHARE = {"fast": 0.25, "balanced": 0.6, "best": 0.9}
"""Largest share of the budget that the first trial of a family may take, by preset."""
TIMES_LONGER = 2
"""Listed trainings of a family that leads take about so many times as long as its first one."""
MEMORY_SHARE = 0.6
PLURALS = {Modality.TEXT: "texts", Modality.IMAGE: "images", Modality.SERIES: "series"}


def choose_families(setting: Setting) -> tuple[tuple[FamilyPlan, ...], tuple[Skipped, ...], Decision]:
    """Candidates in the order of their first trials, those left out, and the decision in words.

    Raises:
        ConfigError: If a family asked for does not exist, or cannot take part.
        MissingDependencyError: If its optional package is not installed.
    """
    asked = _asked(setting)
    kept: list[FamilyPlan] = []
    skipped: list[Skipped] = []
    too_slow: list[tuple[float, FamilyPlan]] = []
    budget = setting.facts.options.time_budget_s
    most = float("inf") if budget is None else SHARE[setting.facts.options.preset] * budget
    reading = reading_limit(setting.facts)
    for cls in sorted((c for c in families.values() if _meant(c, setting)), key=lambda c: (c.order, c.key)):
        baseline = cls.complexity == 0
        if setting.facts.options.only_named and cls.key not in asked and not baseline:
            skipped.append(Skipped(what=cls.name, why="Not among the families you asked for."))
            continue
        if reason := _unfit(cls, setting, cls.key in asked):
            skipped.append(Skipped(what=cls.name, why=reason))
            continue
        limit = min(most, reading) if reads_words(cls) and cls.key not in asked else most
        if budget is not None and cls.key not in asked:
            limit = min(limit, cls.first_share * budget)
        plan, cost = _plan(cls, setting, cls.key in asked, limit)
        reason = "" if baseline else _too_costly(cls, cost, plan.est_seconds, setting, cls.key in asked, limit)
        if not reason:
            kept.append(plan)
            reading -= plan.est_seconds if reads_words(cls) else 0.0
            continue
        skipped.append(Skipped(what=cls.name, why=reason))
        if cost.bytes <= MEMORY_SHARE * setting.machine.memory_bytes:
            too_slow.append((plan.est_seconds, plan))
    if all(families[p.key].complexity == 0 for p in kept) and too_slow:
        # Something must be tried: the quickest, whose training the deadline ends in time.
        quickest = min(too_slow, key=lambda s: s[0])[1]
        kept.append(quickest)
        skipped = [s for s in skipped if s.what != quickest.name]
    _refuse_nothing(kept, skipped, asked, setting)
    kept = _leaders_early(kept, setting)
    return tuple(kept), tuple(skipped), _decision(kept, skipped, setting)


def _refuse_nothing(
    kept: Sequence[FamilyPlan], skipped: Sequence[Skipped], asked: Sequence[str], setting: Setting
) -> None:
    """Refuse a fit for which only families were named of which none can learn from these data."""
    from autodl.errors import ConfigError

    named = {families[key].name: key for key in asked if families[key].complexity > 0}
    alone = setting.facts.options.only_named and len(named) == len(asked)
    if not alone or any(families[p.key].complexity > 0 for p in kept):
        return
    reasons = "; ".join(f"{named[s.what]}: {s.why.rstrip('.')}" for s in skipped if s.what in named)
    raise ConfigError(
        f"none of the kinds of models that you named with --families can learn from these data ({reasons})",
        "Name another, or leave out --families.",
    )


def _leaders_early(kept: list[FamilyPlan], setting: Setting) -> list[FamilyPlan]:
    """Families that lead on what these data hold go right after the simplest, which gives a usable model in seconds.

    Those that learn from these data alone go last where a pretrained network reads the same.
    """
    leading = [p for p in kept if _leads(families[p.key], setting)]
    waiting = [p for p in kept if families[p.key].leads and p not in leading]
    others = [p for p in kept if p not in leading and p not in waiting]
    simple = [p for p in others if families[p.key].order <= families["linear"].order]
    first = (p.model_copy(update={"lead": True}) for p in leading)
    return [*simple, *first, *others[len(simple) :], *waiting]


def _leads(cls: type[Family], setting: Setting) -> bool:
    """Whether a family is expected to be the best on these data."""
    if cls.leads_letters and spelt(setting.facts):
        return True
    read = {*setting.encodings}
    those = read if cls.tunes is not None else {*setting.facts.modalities} - read
    if not texts_alone(setting.facts):
        those = those - {Modality.TEXT}  # beside other columns texts seldom decide
    return cls.leads and bool(cls.modalities & those)


def first_wave_s(setting: Setting, side_by_side: int = 1) -> tuple[float, float]:
    """Seconds of one trial of each family that takes part: of all, and of those that do well on most data.

    The latter are neither networks nor limited in rows, but for networks that lead on what the data hold: a long
    training on one split tells more than short ones on several, and their longer trainings, which come next, count
    as well. Families that never fit the budget do not count, nor those that would lead without the pretrained network
    that reads the data: they come last, where time is left.

    Args:
        setting: Rows, machine and threads of one trial.
        side_by_side: Trials at a time; however many, all together last as long as the longest of them.
    """
    kept, _, _ = choose_families(setting)
    kept = tuple(p for p in kept if p.lead or not families[p.key].leads)
    core = [p for p in kept if p.lead or not (families[p.key].deep or families[p.key].max_rows)]
    further = {p.key: min(LEAD, len(setting.space(p.key).starts()) - 1) for p in kept if p.lead}
    longer = [p.est_seconds * TIMES_LONGER for p in kept if p.lead for _ in range(further[p.key])]

    def wave(plans: Sequence[FamilyPlan]) -> float:
        seconds = [*(p.est_seconds for p in plans), *longer]
        return max(sum(seconds) / side_by_side, max(seconds, default=0.0))

    return wave(kept), wave(core)


def _asked(setting: Setting) -> tuple[str, ...]:
    """The keys asked for, checked."""
    from autodl.errors import ConfigError, MissingDependencyError

    keys = setting.facts.options.named_families
    for key in keys:
        cls = families[key]
        missing = cls.missing()
        if missing:
            raise MissingDependencyError(
                f"the model family '{key}' needs the package {missing[0]}, which is not installed",
                f'Install it with: pip install "autodl[{cls.extra}]"' if cls.extra else f"pip install {missing[0]}",
            )
        if not _meant(cls, setting):
            raise ConfigError(
                f"the model family '{key}' is for {' and '.join(sorted(PLURALS[m] for m in cls.modalities))}, "
                "and the data have none",
                "Leave it out of --families.",
            )
        if setting.facts.task not in cls.tasks:
            raise ConfigError(
                f"the model family '{key}' cannot do {setting.facts.task.value}", "Leave it out of --families."
            )
        if setting.facts.options.quantiles and not cls.quantiles:
            raise ConfigError(f"the model family '{key}' cannot predict quantiles", "Leave it out of --families.")
        if cls.tunes is not None and (why := nothing_to_tune(cls.tunes, setting.encodings, setting.reading)):
            raise ConfigError(
                f"the model family '{key}' trains a pretrained network further, and there is none for it here",
                f"{why} Give another --pretrained, or leave it out of --families.",
            )
    return keys


def _meant(cls: type[Family], setting: Setting) -> bool:
    """Whether a family reads something that the data hold; others are not worth a word."""
    return bool(cls.modalities & {Modality.TABLE, *setting.facts.modalities})


def _unfit(cls: type[Family], setting: Setting, asked: bool) -> str:
    """Why a family cannot take part at all, or an empty string."""
    if setting.facts.task not in cls.tasks:
        return f"It cannot do {setting.facts.task.value}."
    if setting.facts.options.quantiles and not cls.quantiles:
        return "It cannot predict quantiles."
    missing = cls.missing()
    if missing:
        how = f'pip install "autodl[{cls.extra}]"' if cls.extra else f"pip install {missing[0]}"
        named = f", and name it: --families {USUAL_FAMILIES},{cls.key}" if cls.on_request else ""
        return f"Its package {missing[0]} is not installed. To add it: {how}{named}"
    if cls.on_request and not asked:
        return f"{cls.on_request} To let it take part beside the others: --families {USUAL_FAMILIES},{cls.key}"
    if cls.tunes is not None and (reason := untunable(cls.tunes, setting.encodings)):
        return reason
    most = setting.facts.options.max_size_bytes
    if most is not None and not asked and (least := least_bytes(cls, setting)) > most:
        return f"Its model takes at least {format_size(round(least))} on disk; your limit is {format_size(most)}."
    rows = setting.shape().rows
    if cls.max_rows is not None and rows > cls.max_rows:
        return f"Too slow on {rows:,} rows: its time or memory grows with their square (limit {cls.max_rows:,})."
    if rows < cls.min_rows and not asked:
        return (
            f"It learns little from {rows:,} rows: it takes part from {cls.min_rows:,} on. To try it anyway, name it "
            "with --families."
        )
    if asked or not cls.modalities <= {Modality.TEXT}:
        return ""
    return too_little_to_read(setting.facts, rows) if reads_words(cls) else too_short_to_read(setting.facts)


def _too_costly(
    cls: type[Family], cost: CostEstimate, seconds: float, setting: Setting, asked: bool, limit: float
) -> str:
    """Why a first trial costs too much, or an empty string; ``limit``: seconds that it may take."""
    memory = setting.machine.memory_bytes
    if cost.bytes > MEMORY_SHARE * memory:
        most = in_gib(MEMORY_SHARE * memory)
        return (
            f"It would need about {in_gib(cost.bytes)} of memory, and one model may take {most} of the "
            f"{in_gib(memory)} that are free."
        )
    if asked:
        return ""
    budget = setting.facts.options.time_budget_s
    if budget is None:
        return ""
    limit = max(0.0, limit)
    if seconds > limit:
        return (
            f"One trial would take about {seconds:.0f} s of a budget of {budget:.0f} s; "
            f"at most {limit:.0f} s are spent on a first try. Give more time, or name it with --families."
        )
    return ""


def _plan(cls: type[Family], setting: Setting, asked: bool, limit: float) -> tuple[FamilyPlan, CostEstimate]:
    """The family's entry and the cost of its first trial: the first listed one that fits, or the quickest."""
    recipe = adapt(cls.recipe, setting.facts, setting.metric, setting.encodings)
    encoder = encoder_key(cls, setting)
    if cls.tunes is Modality.TEXT:
        recipe = recipe.model_copy(update={"tokenizer": encoder, "text_letters": False})
    costs = [first_cost(cls, setting, start, recipe) for start in listed_configs(cls, setting)]
    folds = setting.validation.n_folds
    fitting = [c for c in costs if c.seconds * folds <= limit]
    cost = fitting[0] if fitting else min(costs, key=lambda c: c.seconds)
    why = ("You asked for it. " if asked else "") + cls.summary
    if cls.complexity == 0:
        why = f"The baseline that every model must beat. {cls.summary}"
    plan = FamilyPlan(
        key=cls.key,
        name=cls.name,
        why=why,
        est_seconds=round(cost.seconds * folds, 3),
        est_bytes=cost.bytes,
        recipe=recipe,
        objectives=offered(setting.facts, setting.metric),
        space=setting.spaces[cls.key].model_dump(mode="json") if cls.key in setting.spaces else None,
        encoder=encoder,
    )
    return plan, cost


def searched_fields(kept: tuple[FamilyPlan, ...], facts: Facts) -> frozenset[str]:
    """Fields of ``Recipe`` that the search varies for some candidate on these data."""
    names = (n for p in kept for n in planned_space(p).params)
    varied = frozenset(n.removeprefix("prep.") for n in names if n.startswith("prep."))
    return varied - idle_fields(facts.features, facts.task, facts.profile.target.class_counts)


def _usual(facts: Facts) -> str:
    """What the models after the first are known for, on data of this kind."""
    if not facts.objects:
        return "usually win on tables"
    return f"usually do well on {plural(facts.objects)}, or on the numbers that these are turned into"


def _decision(kept: list[FamilyPlan], skipped: list[Skipped], setting: Setting) -> Decision:
    total = sum(p.est_seconds for p in kept)
    budget = setting.facts.options.time_budget_s
    time = f" One trial of each takes about {total:.0f} s" + (f" of {budget:.0f} s." if budget is not None else ".")
    left = f" Left out: {', '.join(s.what for s in skipped)}." if skipped else ""
    return Decision(
        topic="Models",
        choice=", ".join(p.name for p in kept),
        why=f"Simple ones first, so that a usable model is there in seconds; then those that {_usual(setting.facts)}."
        + time
        + left,
        evidence={"candidates": len(kept), "seconds": round(total, 1)},
    )
