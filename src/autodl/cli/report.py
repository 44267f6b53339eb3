"""``autodl report``: write the report of a run again."""

from __future__ import annotations

import typer

from autodl.cli import options as opt
from autodl.cli.context import invocation_of


def report(context: typer.Context, run: opt.RunArgument) -> None:
    """Write the report of RUN again from its records, and print where it is."""
    run = opt.require_run(run)
    from autodl.cli.screen import quiet_libraries

    with quiet_libraries(invocation_of(context)) as screen:
        from autodl.pipeline import rebuild_report

        screen.out.print(str(rebuild_report(run)), soft_wrap=True)
