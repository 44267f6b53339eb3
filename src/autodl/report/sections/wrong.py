"""Where the leader is wrong: confusion or residuals, weak groups, confident mistakes."""

from __future__ import annotations

from collections.abc import Sequence

from autodl.records import Evaluation
from autodl.report import format as fmt
from autodl.report.elements import Cell, Column, Table
from autodl.report.facts import Facts, MetricWords, metric_words
from autodl.report.figures.residuals import residual_figures
from autodl.report.sections.verdict import answers_from
from autodl.report.text import clean, code, plain, shorten, shorten_apart, titled
from autodl.report.view import Confusion, Wrong

MAX_VALUES = 8
MAX_PAIRS = 10
MAX_CLASSES = 40
"""More make a matrix that nobody reads, with a cell for each pair of them; they are listed instead."""


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
    return Wrong(
        _intro(facts, e, confusion),
        confusion,
        figures,
        quantiles,
        _segments_intro(e),
        _segments(e, facts.metric),
        _mistakes_intro(facts, e),
        _mistakes(facts, e),
    )


def _intro(facts: Facts, e: Evaluation, confusion: Confusion | None) -> str:
    if confusion is None:
        return f"Errors of {e.leader} on held-back rows."
    text = (
        f"Every held-back row by its true class (down) and the answer of {e.leader} (across); the framed diagonal "
        "is right."
        if confusion.rows
        else f"Answers of {e.leader} on held-back rows, by their true class."
    )
    return f"{text} {answers_from(facts)}".rstrip()


def _confusion(facts: Facts, e: Evaluation) -> Confusion:
    sums = [sum(counts) for counts in e.confusion]
    totals = tuple(map(fmt.count, sums))
    recalls = tuple(
        fmt.share(counts[i] / total) if total else fmt.MISSING
        for i, (counts, total) in enumerate(zip(e.confusion, sums, strict=True))
    )
    frequent = _frequent(facts, e, sums)
    if len(facts.classes) > MAX_CLASSES:
        names = shorten_apart(facts.classes)
        listed = tuple(
            (code(c, short=names[clean(c)]), *told) for c, *told in zip(facts.classes, totals, recalls, strict=True)
        )
        by_class = Table("Right by class", (Column("Class"), Column("Rows", True), Column("Right", True)), listed)
        return Confusion((), (), (), (), "", frequent, by_class)
    names = shorten_apart(facts.classes, 18)
    classes = tuple(titled(c, short=names[clean(c)]) for c in facts.classes)
    hints = shorten_apart(facts.classes, 60)
    told = [hints[clean(c)] for c in facts.classes]
    rows = tuple(_row(told, i, counts) for i, counts in enumerate(e.confusion))
    alt = "Confusion matrix: " + "; ".join(
        f"{plain(c)}: {r} right of {t}" for c, r, t in zip(classes, recalls, totals, strict=True)
    )
    return Confusion(classes, rows, totals, recalls, alt, frequent, None)


def _row(names: Sequence[str], i: int, counts: Sequence[int]) -> tuple[Cell, ...]:
    total = sum(counts)
    cells = []
    for j, n in enumerate(counts):
        share = n / total if total else 0.0
        hint = f"true {names[i]}, answered {names[j]}: {fmt.count(n)} of {fmt.count(total)}"
        cells.append(Cell(fmt.count(n) if n else "·", round(share, 3), i == j, hint))
    return tuple(cells)


def _frequent(facts: Facts, e: Evaluation, sums: Sequence[int]) -> Table | None:
    pairs = [(n, i, j) for i, counts in enumerate(e.confusion) for j, n in enumerate(counts) if n and i != j]
    if len(facts.classes) <= 2 or not pairs:
        return None
    short = shorten_apart(facts.classes, 24)
    names = [code(c, short=short[clean(c)]) for c in facts.classes]
    rows = tuple(
        (names[i], names[j], fmt.count(n), fmt.share(n / sums[i]))
        for n, i, j in sorted(pairs, key=lambda p: -p[0])[:MAX_PAIRS]
    )
    columns = (Column("True"), Column("Answered"), Column("Rows", True), Column("Of its class", True))
    return Table("Most frequent confusions", columns, rows)


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
    columns_told = shorten_apart((s.column for s in e.segments), 32)
    values_told = shorten_apart((s.value for s in e.segments), 32)
    rows = []
    for s in e.segments:
        places = fmt.decimals(s.score.low, s.score.high, s.score.value)
        rows.append(
            (
                code(s.column, short=columns_told[clean(s.column)]), code(s.value, short=values_told[clean(s.value)]),
                fmt.count(s.n), str(fmt.estimate(s.score)),
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
            f"wrong entry in {facts.tested_file}."
        )
    return "Held-back rows on which the model was furthest off."


def _mistakes(facts: Facts, e: Evaluation) -> Table | None:
    if not e.mistakes:
        return None
    keys = list(dict.fromkeys(k for m in e.mistakes for k in m.values))[:MAX_VALUES]
    sure = any(m.confidence is not None for m in e.mistakes)
    heads = shorten_apart(keys, 24)
    answers = shorten_apart((a for m in e.mistakes for a in (m.true, m.predicted)), 24)
    rows = []
    for m in e.mistakes:
        confidence = (fmt.share(m.confidence) if m.confidence is not None else fmt.MISSING,)
        rows.append(
            (
                fmt.count(m.row + 2 * facts.by_line), titled(m.true, short=answers[clean(m.true)]),
                titled(m.predicted, short=answers[clean(m.predicted)]), *(confidence if sure else ()),
                *(_value(m.values.get(k)) for k in keys),
            )
        )  # fmt: skip
    columns = (
        Column("Line" if facts.by_line else "Row", True), Column(f"In {facts.tested_file}"), Column("Model's answer"),
        *((Column("Sure", True),) if sure else ()),
        *(Column(titled(k, short=heads[clean(k)])) for k in keys),
    )  # fmt: skip
    place = "Line: its line in the file; line 1 is the header." if facts.by_line else (
        f"Row: its number in {facts.tested_file}, counted from 0."
    )  # fmt: skip
    return Table(place, columns, tuple(rows))


def _value(value: object) -> str:
    if value is None or value == "":
        return fmt.MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    return fmt.number(float(value), 4) if isinstance(value, int | float) else titled(value, 40)
