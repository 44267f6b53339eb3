"""The command ``autodl``: its subcommands, and what becomes of their errors.

This module and everything it imports at the top must load in a fraction of a second: ``autodl --help`` needs
neither pandas nor a model.
"""

from __future__ import annotations

import shlex
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from autodl import __version__
from autodl.cli.context import Invocation
from autodl.cli.doctor import doctor
from autodl.cli.fit import fit
from autodl.cli.leaderboard import leaderboard
from autodl.cli.plan import plan
from autodl.cli.predict import predict
from autodl.cli.report import report
from autodl.cli.runs import runs
from autodl.cli.words import printable
from autodl.errors import REFUSALS, AutodlError

# The base of all usage errors, wherever this version of typer keeps it.
_UsageError: type[Exception] = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")

app = typer.Typer(
    name="autodl",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example:  autodl fit data.csv --target price --time-budget 5m",
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"autodl {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """A model and one honest report from a table, images, texts or series, inside the time budget."""


_COMMANDS: tuple[tuple[Callable[..., None], str], ...] = (
    (fit, "autodl fit data.csv --target price --time-budget 5m"),
    (predict, "autodl predict autodl-runs/data-20260131-120000 new.csv --out predictions.csv --proba"),
    (plan, "autodl plan data.csv --target price"),
    (report, "autodl report autodl-runs/data-20260131-120000"),
    (leaderboard, "autodl leaderboard autodl-runs/data-20260131-120000 --json"),
    (runs, "autodl runs"),
    (doctor, "autodl doctor"),
)
for _function, _example in _COMMANDS:
    app.command(_function.__name__, epilog=f"Example:  {_example}", no_args_is_help=False)(_function)


def run(argv: list[str] | None, started: Callable[[], float]) -> int:
    """Run the command line and turn every error into one line on stderr.

    Args:
        argv: Arguments without the program's name; None takes those of the process.
        started: Tells when the process began, asked by the commands that keep a time budget.

    Returns:
        The exit code.
    """
    arguments = sys.argv[1:] if argv is None else argv
    invocation = Invocation(command=shlex.join(["autodl", *arguments]), started=started)
    try:
        result = app(args=arguments, standalone_mode=False, obj=invocation, prog_name="autodl")
    except AutodlError as error:
        return _fail(str(error), error.exit_code)
    except _UsageError as error:
        return _usage(error, arguments)
    except (KeyboardInterrupt, typer.Abort):
        return _fail("stopped before anything was finished.", 130)
    except Exception as error:
        # What the system refuses is no fault of the program, so it is told like other problems of the input.
        if isinstance(error, OSError) and error.errno in REFUSALS and error.filename is not None:
            what, remedy = REFUSALS[error.errno]
            return _fail(f"{error.filename}: {what}. {remedy}.", 2)
        return _crash(error, invocation.log)
    return result if isinstance(result, int) else 0


def _fail(text: str, code: int) -> int:
    line = printable(" ".join(text.split()))
    sys.stderr.write(f"autodl: error: {line}\n")
    return code


def _usage(error: Exception, arguments: list[str]) -> int:
    if type(error).__name__ == "NoArgsIsHelpError":
        return 0  # the help has been printed
    from autodl.cli.usage import usage_sentence

    return _fail(usage_sentence(error, arguments), 2)


def _crash(error: Exception, log: Path | None) -> int:
    from autodl.cli.screen import fresh_log

    path = log if log is not None and log.exists() else fresh_log()
    with path.open("a", encoding="utf-8", errors="backslashreplace") as file:  # names of files may be no UTF-8
        traceback.print_exception(error, file=file)
    reason = str(error).strip().split("\n", 1)[0][:200]
    shown = f"{type(error).__name__}: {reason}" if reason else type(error).__name__
    return _fail(f"something unexpected went wrong ({shown}). The details are in {path}", 1)
