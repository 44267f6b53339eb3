"""Data health: what was checked, what was fixed, what a person should look at."""

from __future__ import annotations

from autodl.records import ColumnInfo, ColumnKind, Finding, Severity
from autodl.report import format as fmt
from autodl.report.elements import Column, Table
from autodl.report.facts import Facts
from autodl.report.sections.trust import sentence, warnings
from autodl.report.text import clean, code, shorten_apart
from autodl.report.view import Health

GROUPS = (
    (Severity.FIXED, "Fixed for you", "Found and handled; nothing to do unless you disagree."),
    (Severity.PASSED, "Passed", "Nothing to worry about."),
    (Severity.NOT_APPLICABLE, "Not applicable", "Checks that make no sense for this table."),
)
MAX_COLUMNS = 200


def health(facts: Facts) -> Health:
    """The section."""
    from autodl.profiling.checks.base import NO_TIME

    p = facts.profile
    to_see = warnings(facts)
    unseen = [f for f in p.findings if f.message == NO_TIME]
    n_checks = len({f.code for f in p.findings if f.severity is not Severity.NOT_APPLICABLE})
    size = f" ({fmt.size(p.read.n_bytes)})" if p.read.n_bytes else ""
    intro = (
        f"{fmt.plural(p.n_rows, 'row')} with a target and {fmt.plural(len(p.columns.columns), 'column')}{size}. "
        f"{fmt.plural(n_checks, 'check')} ran; {fmt.plural(len(to_see), 'finding') if to_see else 'no finding'} "
        f"{'ask' if len(to_see) > 1 else 'asks'} for your eyes."
    )
    if p.target.n_missing:
        intro += (
            f" {fmt.plural(p.target.n_missing, 'row')} without a target "
            f"{'was' if p.target.n_missing == 1 else 'were'} left out."
        )
    if p.read.notes:
        intro += " " + " ".join(sentence(n) for n in p.read.notes)
    groups = [("To look at", "A person should decide about these.", _table(to_see, "To look at"))] if to_see else []
    for severity, heading, text in GROUPS:
        found = [f for f in p.findings if f.severity is severity and f not in unseen]
        if found:
            groups.append((heading, text, _table(found, heading)))
    if unseen:
        groups.append(("Not looked at", "Checks that the time did not allow.", _table(unseen, "Not looked at")))
    return Health(intro, tuple(groups), _columns(facts))


def _table(found: list[Finding], heading: str) -> Table:
    rows = []
    for f in found:
        where = f" {code(f.column)}" if f.column else ""
        figures = "; ".join(f"{clean(k).replace('_', ' ')} {_scalar(v)}" for k, v in f.evidence.items())
        message = sentence(f.message)
        action = f" → {sentence(f.action)}" if f.action else ""
        rows.append((f.code, f"{f.title}{where}", f"{message}{action}", figures))
    return Table(heading, (Column("Code"), Column("Check"), Column("What it means"), Column("Figures")), tuple(rows))


def _scalar(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no"}.get(value, "none") if isinstance(value, bool) else "none"
    return fmt.number(float(value)) if isinstance(value, int | float) else clean(value)


def _columns(facts: Facts) -> Table:
    p = facts.profile
    names = shorten_apart(c.name for c in p.columns.columns[:MAX_COLUMNS])
    rows = []
    for c in p.columns.columns[:MAX_COLUMNS]:
        use = "target" if c.name == p.target.name else "used" if c.name in facts.plan.features else "not used"
        why = p.dropped.get(c.name, "")
        rows.append(
            (
                code(c.name, short=names[clean(c.name)]), str(c.kind.value), use + (f": {clean(why)}" if why else ""),
                fmt.share(c.n_missing / max(1, c.n)) if c.n_missing else "none", fmt.count(c.n_unique), _values(c),
            )
        )  # fmt: skip
    more = len(p.columns.columns) - MAX_COLUMNS
    return Table(
        "All columns",
        (
            Column("Column"),
            Column("Kind"),
            Column("Use"),
            Column("Missing", True),
            Column("Distinct", True),
            Column("Values"),
        ),
        tuple(rows),
        f"{fmt.plural(more, 'more column')} not shown." if more > 0 else "",
    )


def _values(c: ColumnInfo) -> str:
    if c.numeric and c.kind is not ColumnKind.BOOLEAN:
        s = c.numeric
        return f"{fmt.number(s.minimum)} to {fmt.number(s.maximum)}, middle {fmt.number(s.median)}"
    if c.first and c.last:
        return f"{c.first} to {c.last}"
    if c.image:
        (low_h, h, high_h), (low_w, w, high_w) = c.image.height, c.image.width
        return f"{low_h} x {low_w} to {high_h} x {high_w} pixels, middle {h} x {w}"
    if c.series:
        low, middle, high = c.series.length
        steps = fmt.plural(high, "step") if low == high else f"{low} to {high} steps, middle {middle}"
        return steps + (f", {c.series.channels} numbers each" if c.series.channels > 1 else "")
    return ", ".join(f"{code(v, 20)} {fmt.share(n / max(1, c.n - c.n_missing))}" for v, n in c.top[:3])
