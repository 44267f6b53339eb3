"""``autodl runs``: the runs in a folder."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autodl.cli import options as opt
from autodl.cli.context import invocation_of
from autodl.errors import RunError

if TYPE_CHECKING:
    from autodl.records import RunRecord

Folder = Annotated[
    Path | None,
    typer.Argument(
        metavar="[FOLDER]",
        readable=False,  # asked below, with a remedy
        help="Where to look, also in 'runs' and 'autodl-runs' below (default: the current folder).",
        show_default=False,
    ),
]
BELOW = (Path(), Path("runs"), opt.RUNS)
"""Folders that may hold runs, below the one that is looked into."""


def runs(context: typer.Context, folder: Folder = None, json: opt.Json = False) -> None:
    """List the runs in FOLDER, newest first."""
    if folder is not None:
        folder = folder.expanduser()
        _check_folder(folder)
    from autodl.cli.screen import print_whole, quiet_libraries

    with quiet_libraries(invocation_of(context)) as screen:
        place = folder or Path()
        found = find_runs(place, lambda text: screen.err.print(f"note: {text}", soft_wrap=True))
        if json:
            screen.print_json([{"folder": str(path), **opt.jsonable(record)} for path, record in found])
            return
        if not found:
            where = "the current folder" if folder is None else str(place)
            screen.out.print(f"no runs in {where}; 'autodl fit DATA' makes one", soft_wrap=True)
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


def _check_folder(folder: Path) -> None:
    try:
        there = folder.is_dir()
    except PermissionError:
        there, locked = True, True
    else:
        locked = there and not os.access(folder, os.R_OK | os.X_OK)
    if not there:
        raise RunError(f"there is no folder {folder}", "Name the folder that holds the runs.")
    if locked:
        remedy = f"Ask its owner for access, or, if it is yours, type: chmod u+rx {shlex.quote(str(folder))}"
        raise RunError(f"there is no permission to look into the folder {folder}", remedy)


def find_runs(place: Path, tell: Callable[[str], None]) -> list[tuple[Path, RunRecord]]:
    """The run that a folder is, or the runs in it and in the common folders for runs below it, newest first.

    Args:
        place: Where to look.
        tell: Is given a sentence for each run that cannot be read.
    """
    from autodl.store import RunFolder, list_runs

    if (place / "run.json").is_file():
        return [(place, RunFolder(place).read_run())]
    found = [pair for below in BELOW if (place / below).is_dir() for pair in list_runs(place / below, tell)]
    return sorted(found, key=lambda pair: pair[1].started, reverse=True)
