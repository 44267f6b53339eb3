"""``autodl doctor``: is this machine ready?"""

from __future__ import annotations

from typing import Annotated

import typer

from autodl.cli import options as opt
from autodl.cli.context import invocation_of

NoRay = Annotated[bool, typer.Option("--no-ray", help="Skip the test that starts Ray (up to a minute).")]


def doctor(context: typer.Context, no_ray: NoRay = False, json: opt.Json = False) -> None:
    """Check this machine: versions, cores, memory, GPU, extras and Ray. Exits with 1 if autodl will not work here."""
    from autodl.cli.screen import quiet_libraries
    from autodl.doctor import examine

    with quiet_libraries(invocation_of(context)) as screen:
        results = list(examine(with_ray=not no_ray))
        failed = [r for r in results if r.status == "fail"]
        if json:
            import dataclasses

            facts = {"ok": not failed, "checks": [dataclasses.asdict(r) for r in results]}
            screen.print_json(facts)
        else:
            from rich.table import Table
            from rich.text import Text

            styles = {"ok": "green", "note": "yellow", "fail": "bold red"}
            table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
            table.add_column(no_wrap=True)
            table.add_column(no_wrap=True)
            table.add_column()
            for result in results:
                table.add_row(Text(result.status, style=styles[result.status]), result.name, result.text)
            screen.out.print(table)
            verdict = "This machine is ready." if not failed else f"{len(failed)} of {len(results)} checks failed."
            screen.out.print(verdict, style="bold")
    if failed:
        raise typer.Exit(1)
