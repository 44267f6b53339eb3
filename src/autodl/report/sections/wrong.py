"""Where the leader is wrong: confusion or residuals, weak groups, confident mistakes."""

from __future__ import annotations

from autodl.records import Evaluation
from autodl.report import format as fmt
from autodl.report.facts import Facts, MetricWords, metric_words
from autodl.report.figures.residuals import residual_figures
from autodl.report.sections.verdict import answers_from
from autodl.report.text import code, shorten
from autodl.report.view import Cell, Column, Confusion, Table, Wrong

MAX_VALUES = 8
MAX_PAIRS = 10


def wrong(facts: Facts) -> Wrong | None:
    """The section, or None when nothing was tested."""
    e = facts.evaluation
    if e is None:
        return None
    confusion = _confusion(facts, e) if facts.classification and e.confusion else None
    figures = residual_figures(e.residuals, facts.plan.target) if e.residuals else ()
    quantiles = None
    if e.residuals and e.residuals.quantiles:
        rows = tuple((shorten(k), fmt.number(v)) for k, v in e.residuals.quantiles.items())
        quantiles = Table("How far off, by share of rows", (Column("Quantile"), Column("Error", True)), rows)
    intro = (
        f"Every held-back row by its true class (down) and the answer of {e.leader} (across); the framed diagonal "
        f"is right. {answers_from(facts)}".rstrip()
        if confusion
        else f"Errors of {e.leader} on held-back rows."
    )
    return Wrong(
        intro,
        confusion,
        figures,
        quantiles,
        _segments_intro(e),
        _segments(e, facts.metric),
        _mistakes_intro(facts, e),
        _mistakes(facts, e),
    )


def _confusion(facts: Facts, e: Evaluation) -> Confusion:
    classes = tuple(shorten(c, 18) for c in facts.classes)
    rows, totals, recalls, pairs = [], [], [], []
    for i, counts in enumerate(e.confusion):
        total = sum(counts)
        cells = []
        for j, n in enumerate(counts):
            share = n / total if total else 0.0
            hint = f"true {facts.classes[i]}, answered {facts.classes[j]}: {fmt.count(n)} of {fmt.count(total)}"
            cells.append(Cell(fmt.count(n) if n else "·", round(share, 3), i == j, shorten(hint, 160)))
            if i != j and n:
                pairs.append((n, share, facts.classes[i], facts.classes[j], total))
        rows.append(tuple(cells))
        totals.append(fmt.count(total))
        recalls.append(fmt.share(counts[i] / total) if total else fmt.MISSING)
    pairs.sort(key=lambda p: -p[0])
    frequent = None
    if len(classes) > 2 and pairs:
        frequent = Table(
            "Most frequent confusions",
            (Column("True"), Column("Answered"), Column("Rows", True), Column("Of its class", True)),
            tuple((code(a, 24), code(b, 24), fmt.count(n), fmt.share(s)) for n, s, a, b, _ in pairs[:MAX_PAIRS]),
        )
    alt = "Confusion matrix: " + "; ".join(
        f"{c}: {r} right of {t}" for c, r, t in zip(classes, recalls, totals, strict=True)
    )
    return Confusion(classes, tuple(rows), tuple(totals), tuple(recalls), alt, frequent)


def _segments_intro(e: Evaluation) -> str:
    sure = sum(s.p_holm < 0.05 for s in e.segments)
    if not e.segments:
        return "No group of rows with enough members was found on which the model does notably worse."
    if not sure:
        return (
            "Groups with the lowest scores; none is worse than the rest beyond chance after correction for the "
            "number of groups."
        )
    return (
        f"{fmt.plural(sure, 'group')} where the model is worse than on the other rows beyond chance, after "
        "correction."
    )


def _segments(e: Evaluation, planned: MetricWords) -> Table | None:
    if not e.segments:
        return None
    rows = []
    for s in e.segments:
        places = fmt.decimals(s.score.low, s.score.high, s.score.value)
        rows.append(
            (
                code(s.column, 32), code(s.value, 32), fmt.count(s.n), str(fmt.estimate(s.score)),
                fmt.fixed(s.rest, places),
                fmt.p_cell(s.p_holm), "weaker" if s.p_holm < 0.05 else "not shown",
            )
        )  # fmt: skip
    columns = (
        Column("Column"), Column("Group"), Column("Rows", True), Column("Score there", True),
        Column("Elsewhere", True),
        Column("p (Holm)", True), Column("Verdict"),
    )  # fmt: skip
    # All groups are compared by one metric; older records do not name it.
    key = e.segments[0].metric
    metric = metric_words(key, planned.greater_is_better) if key else planned
    return Table(f"{metric.name} by group", columns, tuple(rows))


def _mistakes_intro(facts: Facts, e: Evaluation) -> str:
    if not e.mistakes:
        return ""
    if facts.classification:
        return (
            "Held-back rows on which the model was most sure and wrong. They show either what it cannot see, or a "
            "wrong "
            "entry in the file."
        )
    return "Held-back rows on which the model was furthest off."


def _mistakes(facts: Facts, e: Evaluation) -> Table | None:
    if not e.mistakes:
        return None
    keys = list(dict.fromkeys(k for m in e.mistakes for k in m.values))[:MAX_VALUES]
    sure = any(m.confidence is not None for m in e.mistakes)
    rows = []
    for m in e.mistakes:
        confidence = (fmt.share(m.confidence) if m.confidence is not None else fmt.MISSING,)
        rows.append(
            (
                fmt.count(m.row + 2 * facts.by_line), shorten(m.true, 24),
                shorten(m.predicted, 24), *(confidence if sure else ()),
                *(_value(m.values.get(k)) for k in keys),
            )
        )  # fmt: skip
    columns = (
        Column("Line" if facts.by_line else "Row", True), Column("In the file"), Column("Model's answer"),
        *((Column("Sure", True),) if sure else ()),
        *(Column(shorten(k, 24)) for k in keys),
    )  # fmt: skip
    place = "Line: its line in the file; line 1 is the header." if facts.by_line else (
        "Row: its number in the file, counted from 0."
    )  # fmt: skip
    return Table(place, columns, tuple(rows))


def _value(value: object) -> str:
    if value is None or value == "":
        return fmt.MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    return fmt.number(float(value), 4) if isinstance(value, int | float) else shorten(value, 40)
