"""``autodl plan``: what ``fit`` would do and why, training nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from autodl.cli import options as opt
from autodl.cli.context import invocation_of
from autodl.data.files import source_files
from autodl.defaults import NAS

if TYPE_CHECKING:
    from rich.console import Console

    from autodl.records import Plan, Profile

Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Show all columns, checks, decisions and models with their reasons.")
]

_ORDER = ("warns", "fixed")
_STYLES = {"warns": "yellow", "fixed": "cyan"}
_SHORT = 3
"""Entries of one kind that the short form shows."""
_WARNINGS = 2
"""Those told in full there: the most urgent ones have much to say."""
_MAIN_TOPICS = ("Metric", "Row weights", "Images", "Test rows", "Validation", "Search", "Computing")
"""Decisions that the short form shows; the others prepare the columns, or stand elsewhere on the screen."""


@opt.takes_wishes
def plan(
    context: typer.Context,
    data: opt.Data,
    wishes: opt.Wishes,
    verbose: Verbose = False,
    json: opt.FitJson = False,
) -> None:
    """Show what 'autodl fit' would do with DATA and why, in seconds; nothing is trained."""
    chosen = wishes.checked()
    for source in (data, wishes.test):
        if source is not None:
            source_files(source)
    from autodl.cli.screen import quiet_libraries

    with quiet_libraries(invocation_of(context)) as screen:
        from autodl.pipeline import run_plan

        profile, planned = run_plan(data, chosen)
        if json:
            screen.print_json({"profile": opt.jsonable(profile), "plan": opt.jsonable(planned)})
        else:
            show_plan(screen.out, profile, planned, verbose=verbose)


def show_plan(console: Console, profile: Profile, planned: Plan, *, verbose: bool = False) -> None:
    """Print the facts, the findings (warnings first, the most urgent ones on top), the decisions and the candidates.

    Args:
        console: Where to.
        profile: Of the data.
        planned: What would be done.
        verbose: Everything, with the reasons; otherwise about one screen.
    """
    _facts(console, profile, verbose)
    _findings(console, profile, verbose)
    _decisions(console, planned, verbose)
    if verbose:
        _candidates(console, planned)
    else:
        _models_in_short(console, planned)
        console.print("\n--verbose shows every check, decision and model with its reason.\n", style="dim")


def _title(console: Console, text: str) -> None:
    console.print()
    console.print(text, style="bold")


def _grid(*columns: dict[str, Any]) -> Any:
    from rich.table import Table

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2), pad_edge=False)
    for column in columns:
        table.add_column(**column)
    return table


def _facts(console: Console, profile: Profile, verbose: bool) -> None:
    from collections import Counter

    from autodl.cli.words import listed, plural

    read, target = profile.read, profile.target
    _title(console, read.path)
    table = _grid({"style": "dim", "no_wrap": True}, {})
    size = f"{plural(profile.n_rows, 'row')}, {plural(len(profile.columns.columns), 'column')}"
    how = [read.format, read.encoding, f"delimiter {read.delimiter!r}" if read.delimiter else None]
    table.add_row("Data", f"{size} ({', '.join(h for h in how if h)})")
    kinds = Counter(c.kind.value for c in profile.columns.columns if c.name in set(profile.features))
    table.add_row("Columns used", f"{len(profile.features)}: {listed([f'{n} {kind}' for kind, n in kinds.items()])}")
    most = len(profile.dropped) if verbose else _SHORT
    for name, why in list(profile.dropped.items())[:most]:
        table.add_row("Left out", f"{name}: {why}")
    if len(profile.dropped) > most:
        table.add_row("", f"and {plural(len(profile.dropped) - most, 'more column')}")
    table.add_row("Target", f"{target.name}: {target.why}")
    classes = (
        f" Classes: {listed([f'{c} ({n:,})' for c, n in zip(target.classes, target.class_counts, strict=False)])}."
    )
    table.add_row("Task", f"{target.task.value}: {target.task_why}{classes if target.classes else ''}")
    for note in read.notes if verbose else read.notes[: 2 * _SHORT]:
        table.add_row("Reading", note)
    if not verbose and len(read.notes) > 2 * _SHORT:
        table.add_row("", f"and {plural(len(read.notes) - 2 * _SHORT, 'more note')}")
    console.print(table)


def _findings(console: Console, profile: Profile, verbose: bool) -> None:
    from rich.text import Text

    from autodl.cli.words import plural
    from autodl.report.urgency import urgency

    _title(console, "Findings")
    table = _grid({"no_wrap": True}, {"no_wrap": True, "style": "dim"}, {})
    for severity in _ORDER:
        found = sorted(
            (f for f in profile.findings if f.severity.value == severity), key=lambda f: (urgency(f.code), f.code)
        )
        full = found if verbose else found[: _WARNINGS * (severity == "warns")]
        style = _STYLES[severity]
        for finding in full:
            table.add_row(Text(severity, style=style), finding.code, f"{finding.message} {finding.action}".strip())
        rest = [f.title for f in found[len(full) :]]
        if rest:
            table.add_row(Text(severity, style=style), f"{len(rest)}", ", ".join(dict.fromkeys(rest)))
    passed = list(dict.fromkeys(f.title for f in profile.findings if f.severity.value == "passed"))
    if passed:
        text = ", ".join(passed) if verbose else f"{plural(len(passed), 'check')} without a finding"
        table.add_row(Text("passed", style="green"), f"{len(passed)}", text)
    console.print(table)


def _decisions(console: Console, planned: Plan, verbose: bool) -> None:
    from rich.text import Text

    _title(console, "Decisions")
    table = _grid({"style": "dim", "no_wrap": True}, {})
    main = _MAIN_TOPICS if planned.nas == NAS else (*_MAIN_TOPICS, "Architecture search")
    for decision in planned.decisions:
        if verbose or decision.topic in main:
            why = decision.why if verbose else decision.why.split(". ", 1)[0].rstrip(".") + "."
            table.add_row(decision.topic, Text.assemble((decision.choice, "bold"), f"  {why}"))
    console.print(table)


def _models_in_short(console: Console, planned: Plan) -> None:
    from autodl.duration import format_duration

    _title(console, "Models, in the order they are tried first")
    table = _grid({"style": "dim", "no_wrap": True}, {})
    named = [f"{f.name} ({format_duration(f.est_seconds)})" for f in planned.families]
    table.add_row("Tried", ", ".join(named))
    if planned.skipped:
        table.add_row("Left out", ", ".join(s.what for s in planned.skipped))
    console.print(table)


def _candidates(console: Console, planned: Plan) -> None:
    from rich.text import Text

    from autodl.duration import format_duration

    _title(console, "Models, in the order they are tried first")
    table = _grid({"no_wrap": True}, {"no_wrap": True, "justify": "right"}, {})
    for family in planned.families:
        seconds = f"about {format_duration(family.est_seconds)}"
        table.add_row(Text(family.name, style="bold"), Text(seconds, style="dim"), family.why)
    console.print(table)
    if planned.skipped:
        _title(console, "Left out")
        table = _grid({"no_wrap": True}, {})
        for skipped in planned.skipped:
            table.add_row(skipped.what, skipped.why)
        console.print(table)
    console.print()
