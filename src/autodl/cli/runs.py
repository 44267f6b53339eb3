"""``autodl runs``: the runs in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autodl.cli import options as opt
from autodl.cli.context import invocation_of
from autodl.errors import RunError

Folder = Annotated[
    Path | None,
    typer.Argument(metavar="[FOLDER]", help=f"Where to look (default: {opt.RUNS}).", show_default=False),
]


def runs(context: typer.Context, folder: Folder = None, json: opt.Json = False) -> None:
    """List the runs in FOLDER, newest first."""
    if folder is not None and not folder.is_dir():
        raise RunError(f"there is no folder {folder}", "Name the folder that holds the runs.")
    from autodl.cli.screen import print_whole, quiet_libraries

    with quiet_libraries(invocation_of(context)) as screen:
        from autodl.store import list_runs

        place = folder or opt.RUNS
        found = list_runs(place) if place.is_dir() else []
        found = sorted(found, key=lambda pair: pair[1].started, reverse=True)
        if json:
            import json as codec

            facts = [{"folder": str(path), **opt.jsonable(record)} for path, record in found]
            screen.out.print(codec.dumps(facts, indent=2, ensure_ascii=False), soft_wrap=True)
            return
        if not found:
            screen.out.print(f"no runs in {place}; 'autodl fit DATA' makes one", soft_wrap=True)
            return
        from rich.table import Table
        from rich.text import Text

        from autodl.cli.words import with_interval
        from autodl.duration import format_duration

        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        for name in ("run", "started (UTC)", "target", "test score", "time", "status"):
            table.add_column(name, no_wrap=True)
        for path, record in found:
            score = record.test.get(record.metric)
            shown = "" if score is None else f"{record.metric} {with_interval(score.value, score.low, score.high)}"
            table.add_row(
                Text(str(path)), record.started[:16].replace("T", " "), Text(record.target), shown,
                format_duration(record.budget.used_s), record.status,
            )  # fmt: skip
        print_whole(screen.out, table)
