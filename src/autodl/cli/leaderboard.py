"""``autodl leaderboard``: the models of a run, best first."""

from __future__ import annotations

import typer

from autodl.cli import options as opt
from autodl.cli.context import invocation_of


def leaderboard(context: typer.Context, run: opt.RunArgument, json: opt.Json = False) -> None:
    """Show the models of RUN, best first; --json prints all facts of its run.json."""
    run = opt.require_run(run)
    from autodl.cli.screen import print_whole, quiet_libraries

    with quiet_libraries(invocation_of(context)) as screen:
        from autodl.store import RunFolder

        record = RunFolder(run).read_run()
        if json:
            screen.out.print(record.model_dump_json(indent=2), soft_wrap=True)
            return
        from rich.table import Table
        from rich.text import Text

        from autodl.cli.words import number
        from autodl.duration import format_duration

        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        for name in ("", "model", "family", "validation", "test", "training", "per 1,000 rows"):
            table.add_column(name, justify="left" if name in ("model", "family") else "right", no_wrap=True)
        for place, row in enumerate(record.leaderboard, start=1):
            table.add_row(
                str(place),
                Text(row.name),
                row.family,
                "" if row.validation is None else number(row.validation),
                "" if row.test is None else number(row.test),
                format_duration(row.fit_s),
                format_duration(row.predict_ms_per_row),
            )
        screen.out.print(f"{record.target} by {record.metric}", style="bold")
        print_whole(screen.out, table)
