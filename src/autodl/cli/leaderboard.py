"""``autodl leaderboard``: the models of a run, the chosen one first, then by test score."""

from __future__ import annotations

import typer

from autodl.cli import options as opt
from autodl.cli.context import invocation_of


def leaderboard(context: typer.Context, run: opt.RunArgument, json: opt.Json = False) -> None:
    """Show the models of RUN, the chosen one first, then by test score; --json prints all facts of its run.json."""
    run = opt.require_run(run)
    from autodl.cli.screen import print_whole, quiet_libraries

    with quiet_libraries(invocation_of(context)) as screen:
        from autodl.store import RunFolder

        record = RunFolder(run).read_run()
        if json:
            screen.print_json(opt.jsonable(record))
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
        for line in legend(record.metric):
            screen.out.print(line, style="dim")


def legend(metric: str) -> list[str]:
    """What the columns mean, in plain words."""
    from autodl.cli.board import metric_name
    from autodl.evaluate.base import metrics

    better = ""
    if metric in metrics:
        better = "higher" if metrics[metric].greater_is_better else "lower"
        better = f"; {better} is better, {metrics[metric].best:g} is perfect"
    return [
        f"validation: {metric_name(metric)} on rows that served to choose among the models, so a little too good"
        f"{better}. test: the same on rows that were opened once, at the end: trust this one.",
        "training: time to train the model once. per 1,000 rows: time to predict so many.",
    ]
