"""How the search went, incl. what failed, and where the time and memory went."""

from __future__ import annotations

import math
from collections import Counter

from autodl.records import TrialResult, TrialStatus
from autodl.records.origins import SUPERNET
from autodl.records.shared_weights import sentence, trust
from autodl.report import format as fmt
from autodl.report.elements import Column, Table
from autodl.report.facts import Facts
from autodl.report.figures.history import history_figure
from autodl.report.figures.learning import drawn, learning_figures
from autodl.report.more_time import judged
from autodl.report.sections.leaderboard import settings
from autodl.report.text import clean, shorten
from autodl.report.view import SearchView, Slice, TimeUse

MAX_TRIALS = 300
STATUS = {
    TrialStatus.OK: "scored",
    TrialStatus.FAILED: "failed",
    TrialStatus.STOPPED: "stopped early",
    TrialStatus.TIMEOUT: "ran out of time",
}
PARTIAL, RANKED = "tried on a part of the rows", "compared networks"
RUNNER = {"inline": "in one process", "process": "in a process of their own", "ray": "in Ray"}


def search_view(facts: Facts) -> SearchView:
    """The section."""
    return SearchView(
        intro=_intro(facts),
        history=history_figure(facts),
        families=_families(facts),
        learning_intro=_learning_intro(facts),
        learning=learning_figures(facts),
        failed=_failed(facts),
        trials=_trials(facts),
    )


def _learning_intro(facts: Facts) -> str:
    both = any(p.train is not None for t in drawn(facts) for p in t.curve)
    gap = " Where there are two lines, a gap between them is overfitting." if both else ""
    return (
        f"Loss per step while training (first fold).{gap} Of boosted trees a falling right end means that longer "
        "training could help; of networks it need not, since most train to an end that was planned."
    )


def _intro(facts: Facts) -> str:
    if not facts.trials:
        return "No configuration was tried."
    counts = Counter(_end(t) for t in facts.trials)
    parts = [f"{fmt.count(counts[end])} {end}" for end in (*STATUS.values(), PARTIAL, RANKED) if counts[end]]
    kinds = len({t.spec.family for t in facts.trials})
    text = (
        f"{fmt.plural(len(facts.trials), 'configuration')} of {fmt.plural(kinds, 'kind')} of model: "
        f"{fmt.words(parts)}."
    )
    first = facts.run.budget.first_model_s
    if first is not None:
        text += f" The first model that could beat a guess was ready after {fmt.seconds(first)}."
    plan = facts.plan
    folds = "one hold-out split" if plan.validation.n_folds == 1 else f"{plan.validation.n_folds} folds"
    text += f" Each was scored on {folds}"
    if again := sum(t.n_splits - 1 for t in facts.trials):
        text += f", and the leaders again on further splits ({fmt.plural(again, 'time')} in all), which are averaged"
    text += (
        f"; after the planned starts, {clean(facts.proposers)} chose what to try."
        if facts.proposed
        else "; all were planned starts."
    )
    if any(t.plain_loss is not None for t in facts.trials):
        text += (
            f" {facts.metric.name} depends on the cut between a model's answers: here each model has a cut of its "
            "own, learnt on other rows than those that it is scored on."
        )
    if facts.run.unfinished:
        names = [clean(name) for name in facts.run.unfinished]
        verb = "was" if len(names) == 1 else "were"
        text += f" {fmt.count(len(names))} {verb} still being tried when the search ended: {fmt.words(names)}."
    if (more := judged(facts.run.more_time)) is not None:
        text += f" {' '.join(more)}"
    for key in dict.fromkeys(t.spec.family for t in facts.trials if t.proposals):
        text += f" {clean(sentence(facts.family_name(key), trust(key, facts.trials)))}"
    return text.rstrip()


def _families(facts: Facts) -> Table | None:
    rows = []
    places = fmt.common_places([t.score or 0.0 for t in facts.done])
    for key in dict.fromkeys(t.spec.family for t in facts.trials):
        mine = [t for t in facts.trials if t.spec.family == key]
        good = [t for t in mine if t.ok]
        best = min(good, key=lambda t: t.loss or 0.0, default=None)
        spent = sum(t.cost.fit_s + t.cost.predict_s for t in mine if t.cost)
        rows.append(
            (
                best.loss if best and best.loss is not None else math.inf,
                (
                    clean(facts.family_name(key)), fmt.count(len(mine)), fmt.count(len(good)),
                    fmt.fixed(best.score, places) if best and best.score is not None else fmt.MISSING,
                    clean(best.spec.origin) if best else fmt.MISSING, fmt.seconds(spent),
                ),
            )
        )  # fmt: skip
    if not rows:
        return None
    tried = {t.spec.family for t in facts.trials}
    for family in facts.plan.families:
        if family.key not in tried:
            nothing = "not tried: the time or the memory did not reach"
            rows.append(
                (math.inf, (clean(family.name), fmt.count(0), fmt.count(0), fmt.MISSING, nothing, fmt.MISSING))
            )
    columns = (
        Column("Kind"), Column("Tried", True), Column("Scored", True), Column(f"Best {facts.metric.name} "
                                                                              "(validation)", True),
        Column("Found by"), Column("Training time", True),
    )  # fmt: skip
    return Table("What each kind of model brought", columns, tuple(r for _, r in sorted(rows, key=lambda r: r[0])))


def _failed(facts: Facts) -> Table | None:
    bad = [t for t in facts.trials if not t.ok]
    if not bad:
        return None
    groups = Counter((t.spec.family, _end(t), _reason(t, facts.plan.scheduler)) for t in bad)
    rows = tuple(
        (clean(facts.family_name(f)), status, fmt.count(n), error) for (f, status, error), n in groups.most_common(50)
    )
    return Table(
        "Tries without a score, and why",
        (Column("Kind"), Column("End"), Column("Tries", True), Column("Reason")),
        rows,
    )


def _end(t: TrialResult) -> str:
    """How it ended, in words; what saw a part of the rows or compared networks was not stopped before its end."""
    if t.status is TrialStatus.STOPPED and t.spec.origin == SUPERNET:
        return RANKED
    if t.status is TrialStatus.STOPPED and t.spec.fidelity is not None and t.reached >= 1.0:
        return PARTIAL
    return STATUS[t.status]


def _reason(t: TrialResult, scheduler: str) -> str:
    text = fmt.ran_out(t.error) if t.status is TrialStatus.TIMEOUT else t.error
    if t.status is TrialStatus.STOPPED and not text:
        seen = "its curve" if t.reached < 1.0 else "its first folds"
        hopeless = "would hardly have beaten the best" if scheduler == "extrapolate" else "fell behind the others'"
        text = {
            RANKED: "it has no model of its own: the networks that did well in it are tries of their own",
            PARTIAL: f"tried on {100 * (t.spec.fidelity or 1.0):.0f} % of the rows",
        }.get(_end(t), f"{seen} {hopeless}")
    return shorten(text or "no reason recorded", 200)


def _trials(facts: Facts) -> Table | None:
    if not facts.trials:
        return None
    every = sorted(facts.trials, key=lambda t: (t.loss if t.ok and t.loss is not None else math.inf, t.spec.id))
    places = fmt.common_places([t.score or 0.0 for t in facts.done])
    rows = tuple(_trial(facts, t, places) for t in every[:MAX_TRIALS])
    columns = (
        Column("Model"), Column(f"{facts.metric.name} (validation)", True), Column("Time", True),
        Column("Asked for by"),
        Column("Settings"),
    )  # fmt: skip
    more = len(every) - len(rows)
    return Table("All tries, best first", columns, rows, f"{fmt.count(more)} more not shown." if more else "")


def _trial(facts: Facts, t: TrialResult, places: int) -> tuple[str, ...]:
    score = fmt.fixed(t.score, places) if t.ok and t.score is not None else _end(t)
    time = fmt.seconds(t.cost.fit_s) if t.cost else fmt.MISSING
    splits = f" ({t.n_splits} splits)" if t.n_splits > 1 else ""
    first = "" if facts.plan.scout is None or t.spec.fidelity != facts.plan.scout else _first_pass(t)
    return shorten(facts.trial_name(t.spec), 40) + splits + first, score, time, clean(t.spec.origin), settings(t)


def _first_pass(t: TrialResult) -> str:
    return f" (on {100 * (t.spec.fidelity or 1.0):.0f} % of the rows)"


def time_use(facts: Facts) -> TimeUse:
    """The section on time and memory."""
    stages = [s for s in facts.run.stages if s.seconds > 0 and math.isfinite(s.seconds)]
    budget = facts.run.budget
    given = "no time limit" if budget.given_s is None else f"a budget of {fmt.seconds(budget.given_s)}"
    intro = f"Used {fmt.seconds(budget.used_s)} with {given}"
    if budget.given_s:
        intro += f" ({100 * budget.used_s / budget.given_s:.0f} % of it)"
    intro += "."
    plan = facts.plan
    intro += (
        f" Trials ran {RUNNER[plan.runner]}, "
        f"{fmt.plural(plan.workers, 'at a time', 'at a time')}, "
        f"with {fmt.plural(plan.threads, 'thread')} each."
    )
    sizes = [t.need.size_bytes for t in facts.trials if t.need.size_bytes]
    if sizes:
        total_size = sum(t.cost.size_bytes for t in facts.trials if t.cost)
        intro += (
            f" The largest model tried takes {fmt.size(max(sizes))}, those of all tries and folds together "
            f"{fmt.size(total_size)}."
        )
    total = sum(s.seconds for s in stages)
    slices, left = [], 0.0
    for i, s in enumerate(stages):
        width = 100 * s.seconds / total
        slices.append(Slice(clean(s.name), round(left, 2), round(width, 2), fmt.seconds(s.seconds), i % 6))
        left += width
    rows = tuple((clean(s.name), fmt.seconds(s.seconds), f"{100 * s.seconds / total:.0f} %") for s in stages)
    table = (
        Table("Time by stage", (Column("Stage"), Column("Time", True), Column("Share", True)), rows) if rows else None
    )
    return TimeUse(intro, tuple(slices), table)
