"""``autodl plan``: what ``fit`` would do and why, training nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from autodl.cli import options as opt
from autodl.cli.context import invocation_of

if TYPE_CHECKING:
    from rich.console import Console

    from autodl.records import Finding, Plan, Profile

_ORDER = ("warns", "fixed")
_STYLES = {"warns": "yellow", "fixed": "cyan"}


def plan(
    context: typer.Context,
    data: opt.Data,
    target: opt.Target = None,
    task: opt.TaskOption = "auto",
    test: opt.TestFile = None,
    test_size: opt.TestSize = None,
    group: opt.Group = None,
    time_column: opt.TimeColumn = None,
    drop: opt.Drop = None,
    time_budget: opt.Budget = None,
    max_trials: opt.MaxTrials = None,
    metric: opt.MetricOption = None,
    families: opt.Families = None,
    preset: opt.PresetOption = "balanced",
    seed: opt.Seed = 0,
    workers: opt.Workers = None,
    address: opt.Address = None,
    json: opt.FitJson = False,
) -> None:
    """Show what 'autodl fit' would do with DATA and why, in seconds; nothing is trained."""
    chosen = opt.build_options(
        target=target, task=task, time_budget=time_budget, max_trials=max_trials, metric=metric, test=test,
        test_size=test_size, group=group, time_column=time_column, families=families, drop=drop, seed=seed,
        workers=workers, address=address, preset=preset,
    )  # fmt: skip
    opt.require_data(data)
    if test is not None:
        opt.require_data(test)
    from autodl.cli.screen import quiet_libraries

    with quiet_libraries(invocation_of(context)) as screen:
        from autodl.pipeline import run_plan

        profile, planned = run_plan(data, chosen)
        if json:
            import json as codec

            facts = {"profile": opt.jsonable(profile), "plan": opt.jsonable(planned)}
            screen.out.print(codec.dumps(facts, indent=2, ensure_ascii=False), soft_wrap=True)
        else:
            show_plan(screen.out, profile, planned)


def show_plan(console: Console, profile: Profile, planned: Plan) -> None:
    """Print the facts, the findings (warnings first), the decisions and the candidates."""
    _facts(console, profile)
    _findings(console, profile)
    _decisions(console, planned)
    _candidates(console, planned)


def _title(console: Console, text: str) -> None:
    console.print()
    console.print(text, style="bold")


def _grid(*columns: dict[str, Any]) -> Any:
    from rich.table import Table

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2), pad_edge=False)
    for column in columns:
        table.add_column(**column)
    return table


def _facts(console: Console, profile: Profile) -> None:
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
    for name, why in list(profile.dropped.items())[:8]:
        table.add_row("Left out", f"{name}: {why}")
    if len(profile.dropped) > 8:
        table.add_row("", f"and {len(profile.dropped) - 8} more columns")
    table.add_row("Target", f"{target.name}: {target.why}")
    classes = (
        f" Classes: {listed([f'{c} ({n:,})' for c, n in zip(target.classes, target.class_counts, strict=False)])}."
    )
    table.add_row("Task", f"{target.task.value}: {target.task_why}{classes if target.classes else ''}")
    for note in read.notes:
        table.add_row("Reading", note)
    console.print(table)


def _findings(console: Console, profile: Profile) -> None:
    from rich.text import Text

    _title(console, "Findings")
    table = _grid({"no_wrap": True}, {"no_wrap": True, "style": "dim"}, {})
    shown: list[Finding] = []
    for severity in _ORDER:
        shown += [f for f in profile.findings if f.severity.value == severity]
    for finding in shown:
        style = _STYLES[finding.severity.value]
        text = f"{finding.message} {finding.action}".strip()
        table.add_row(Text(finding.severity.value, style=style), finding.code, text)
    passed = list(dict.fromkeys(f.title for f in profile.findings if f.severity.value == "passed"))
    if passed:
        table.add_row(Text("passed", style="green"), f"{len(passed)}", ", ".join(passed))
    console.print(table)


def _decisions(console: Console, planned: Plan) -> None:
    from rich.text import Text

    _title(console, "Decisions")
    table = _grid({"style": "dim", "no_wrap": True}, {})
    for decision in planned.decisions:
        table.add_row(decision.topic, Text.assemble((decision.choice, "bold"), f"  {decision.why}"))
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
