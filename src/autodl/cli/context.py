"""What the program hands to its subcommands."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer


@dataclass
class Invocation:
    """One call of the program.

    Attributes:
        command: The command line as typed, quoted for a shell.
        started: Tells when the process began, on ``time.time()``.
        log: Where the output of libraries went, once a command has silenced them.
    """

    command: str
    started: Callable[[], float]
    log: Path | None = None


def invocation_of(context: typer.Context) -> Invocation:
    """The invocation behind a typer context; one of its own when a test calls the app directly."""
    if not isinstance(context.obj, Invocation):
        now = time.time()
        context.obj = Invocation(command="autodl", started=lambda: now)
    return context.obj
