"""One bad input: how to make it, what to type, and what autodl must answer. Shared by the tests and the docs."""

from __future__ import annotations

import contextlib
import io
import os
import random
import shlex
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

Build = Callable[[Path], None]
Around = Callable[[Path], contextlib.AbstractContextManager[object]]


@dataclass(frozen=True)
class Case:
    """A bad input.

    Attributes:
        name: Of the test.
        wrong: What is wrong, in words, for the page in the docs.
        command: What is typed, in a folder that ``build`` has filled.
        says: Each must stand in what is printed: the place and the remedy of an error, or how autodl copes.
        build: Fills the folder.
        code: Exit code: 2 for an error, 0 where autodl copes.
        run: Whether a finished run lies in the folder under the name ``run``.
        around: What holds while the command runs, e.g. a disk that is full.
        leaves: Files that the command may leave behind, e.g. the predictions.
        slow: Takes seconds.
    """

    name: str
    wrong: str
    command: str
    says: tuple[str, ...]
    build: Build
    code: int = 2
    run: bool = False
    around: Around = lambda folder: contextlib.nullcontext()
    leaves: tuple[str, ...] = ()
    slow: bool = False


@dataclass(frozen=True)
class Outcome:
    """What a command answered: exit code, both streams, and the files that it left behind."""

    code: int
    out: str
    err: str
    left: tuple[str, ...]

    def told(self, says: tuple[str, ...]) -> str:
        """What was printed on the matter: the line of an error, else the lines that hold the fragments."""
        lines = [" ".join(line.split()) for line in (self.err + "\n" + self.out).splitlines()]
        if self.code:
            return " ".join(self.err.split())
        return " … ".join(line for line in lines if any(part in line for part in says))


def nothing_is_trained(*given: object, **named: object) -> None:
    """Stands in for the search: a bad input must have been noticed before it."""
    raise AssertionError("the search began")


def play(case: Case, folder: Path, finished: Path | None) -> Outcome:
    """Run a case in this process.

    Args:
        case: The bad input.
        folder: Empty, to work in.
        finished: A finished run, copied to ``folder/run`` for cases that need one.
    """
    from autodl.__main__ import main

    if case.run:
        assert finished is not None
        shutil.copytree(finished, folder / "run")
    case.build(folder)
    before = listing(folder)
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(folder),
        _wide_terminal(),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch("autodl.stages.search", nothing_is_trained),
        case.around(folder),
    ):
        code = main(shlex.split(case.command)[1:])
    return Outcome(code, out.getvalue(), err.getvalue(), tuple(sorted(listing(folder) - before)))


def listing(folder: Path) -> set[str]:
    """All files and folders below, by relative path."""
    return {str(p.relative_to(folder)) for p in folder.rglob("*")}


@contextlib.contextmanager
def _wide_terminal() -> Iterator[None]:
    """Lines are compared whole, so nothing may wrap."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "2000"
    try:
        yield
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before


HEADER = ("size", "colour", "visits", "bought")


def shop_rows(n: int = 120, seed: int = 0) -> list[list[str]]:
    """(n) rows of the small table that most cases start from: a number, a word, a count, yes or no."""
    draw = random.Random(seed)
    rows = []
    for _ in range(n):
        size, colour, visits = draw.gauss(50, 12), draw.choice(["red", "green", "blue"]), draw.randint(0, 30)
        bought = "yes" if size + 10 * (colour == "red") + visits + draw.gauss(0, 8) > 68 else "no"
        rows.append([f"{size:.2f}", colour, str(visits), bought])
    return rows


def text(rows: list[list[str]], header: tuple[str, ...] = HEADER, delimiter: str = ",") -> str:
    """Rows as delimited text."""
    return "".join(delimiter.join(row) + "\n" for row in [list(header), *rows])


def write(name: str, content: str | bytes) -> Build:
    """Write one file."""

    def build(folder: Path) -> None:
        raw = content.encode() if isinstance(content, str) else content
        (folder / name).write_bytes(raw)

    return build


def shop(n: int = 120, name: str = "shop.csv") -> Build:
    """Write the small table."""
    return write(name, text(shop_rows(n)))


def both(*builds: Build) -> Build:
    """One after the other."""

    def build(folder: Path) -> None:
        for part in builds:
            part(folder)

    return build
