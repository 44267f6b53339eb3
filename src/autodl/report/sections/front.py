"""Is it worth its time: what the models take when they are used, against how well they do."""

from __future__ import annotations

import math

from autodl.records import FrontPoint
from autodl.report import format as fmt
from autodl.report.elements import Column, Statement, Table
from autodl.report.facts import BASELINE_ORIGIN, Facts
from autodl.report.figures.front import front_figure
from autodl.report.limits import row_time, verdict
from autodl.report.text import clean, shorten, strong, term
from autodl.report.view import FrontView

MAX_ROWS = 12
QUICKER = 0.7
"""A model is worth a sentence if it takes at most this share of the delivered one's time ..."""
KEPT = 0.5
"""... and keeps at least this share of what that one gains over the guess."""
SHARES = ((1 / 10, "a tenth"), (1 / 5, "a fifth"), (1 / 4, "a quarter"), (1 / 3, "a third"), (1 / 2, "half"),
          (2 / 3, "two thirds"))  # fmt: skip


def front_view(facts: Facts) -> FrontView | None:
    """The section, or None if nothing was measured."""
    front = facts.front
    if front is None or not any(p.best for p in front.points):
        return None
    intro = (
        f"{term('latency', 'Time for one row')} alone, on one thread, reading and preparing its columns included. "
        f"The line joins the models that no other beats in both time and score: the {term('front', 'Pareto front')}."
    )
    said = [_delivered(facts), verdict(front.limits, front.delivered), _trade(facts), _given_up(facts)]
    return FrontView(intro, tuple(s for s in said if s), front_figure(facts), _table(facts))


def limit_statement(facts: Facts) -> Statement | None:
    """For the first screen: whether the limits of the user are kept; None without limits."""
    front = facts.front
    if front is None or not front.limits.any:
        return None
    text = verdict(front.limits, front.delivered)
    lead, _, body = text.partition(": ")
    if front.kept is None:
        return Statement("unknown", "Open", "Within the limits?", text, "#front")
    return Statement("holds" if front.kept else "care", "Yes" if front.kept else "No", f"{lead}:", body, "#front")


def _given(facts: Facts) -> FrontPoint | None:
    """What was delivered."""
    return next((p for p in facts.front.points if p.kind == "delivered"), None) if facts.front else None


def _delivered(facts: Facts) -> str:
    assert facts.front is not None
    need = facts.front.delivered
    if need is None:
        return "What the delivered model itself takes was not measured."
    parts = [
        strong(f"{row_time(need.row_s)} for one row") if need.row_s is not None else "",
        f"{row_time(need.ms_per_1000 / 1000)} for 1,000 rows at once" if need.ms_per_1000 else "",
        f"{fmt.size(need.size_bytes)} on disk" if need.size_bytes else "",
        f"{fmt.size(need.memory_bytes)} of memory" if need.memory_bytes else "",
    ]
    return f"The delivered model takes {fmt.words([p for p in parts if p])}."


def _trade(facts: Facts) -> str:
    """The best of the clearly quicker models, and what it costs in score; no limit that is kept is broken for it."""
    given = _given(facts)
    if facts.front is None or given is None or not given.need.row_s:
        return ""
    guess = min(
        (t.loss for t in facts.done if t.spec.origin == BASELINE_ORIGIN and t.loss is not None), default=math.nan
    )
    least = guess - KEPT * (guess - given.loss) if guess > given.loss else math.inf
    quicker = [
        p for p in facts.front.points
        if p.best and p.kind == "trial" and p.loss <= least and (p.within or not given.within)
        and (p.need.row_s or math.inf) <= QUICKER * given.need.row_s
    ]  # fmt: skip
    if not quicker:
        allowed = " within the limits" if facts.front.limits.any and given.within else ""
        few = len(facts.front.points) <= 2
        return "" if few else f"No model{allowed} that was tried is much quicker and still of use."
    p = min(quicker, key=lambda p: (p.loss, p.need.row_s or 0.0))
    assert p.need.row_s is not None
    share = p.need.row_s / given.need.row_s
    words = min(SHARES, key=lambda s: abs(math.log(share / s[0])))[1] if share > 0.05 else "a small part"
    text = (
        f"{strong(shorten(p.name, 40))} takes {words} of the time ({row_time(p.need.row_s)} instead of "
        f"{row_time(given.need.row_s)})"
    )
    places = fmt.common_places([p.score, given.score], 3)
    gap = abs(p.score - given.score)
    if round(gap, places) == 0 or p.loss <= given.loss:
        text += f" with the same {facts.metric.name} in validation" if p.loss >= given.loss else " and does no worse"
    else:
        more = "less" if facts.metric.greater_is_better else "more"
        text += f" for {fmt.fixed(gap, places)} {more} {facts.metric.name} in validation"
    against = facts.versus(p.name)
    if against is not None and against.verdict == "tie":
        text += f"; on the {fmt.count(against.n)} held-back rows the two cannot be told apart"
    elif against is not None and against.verdict == "better":
        text += "; on the held-back rows it is behind"
    return f"{text}."


def _given_up(facts: Facts) -> str:
    if facts.front is None or not facts.front.given_up:
        return ""
    names = fmt.words([clean(facts.family_name(key)) for key in facts.front.given_up])
    return f"Not searched further, because what was tried is far beyond the limits: {names}."


def _table(facts: Facts) -> Table:
    assert facts.front is not None
    shown = [p for p in facts.front.points if p.best or p.kind == "delivered"]
    while len(shown) > MAX_ROWS:  # the least step in score goes first: the ends and what is delivered stay
        inner = [p for p in shown[1:-1] if p.kind != "delivered"]
        shown.remove(min(inner, key=lambda p: shown[shown.index(p) - 1].loss - p.loss))
    places = fmt.common_places([p.score for p in shown])
    rows = tuple(
        (
            shorten(p.name, 40),
            ", ".join(_roles(facts, p)),
            fmt.milliseconds(1000 * (p.need.row_s or 0.0)),
            fmt.fixed(p.score, places),
            str(fmt.estimate(p.test)) if p.test else fmt.MISSING,
            fmt.size(p.need.size_bytes or 0),
        )
        for p in shown
    )
    columns = (
        Column("Model"), Column(""), Column("ms for one row", True), Column("Validation", True),
        Column("Held-back rows", True), Column("Size", True),
    )  # fmt: skip
    note = (
        "Times and sizes are of one model of each configuration, measured when it was tried; those of the delivered "
        "model were measured on what is in the folder. In brackets: 95 % intervals."
    )
    return Table("From quick to exact", columns, rows, note)


def _roles(facts: Facts, p: FrontPoint) -> list[str]:
    against = facts.versus(p.name)
    return [
        *(["delivered"] if p.kind == "delivered" else []),
        *(["beyond the limits"] if not p.within else []),
        *(["tied"] if against is not None and against.verdict == "tie" and p.kind == "trial" else []),
    ]
