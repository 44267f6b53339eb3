"""What the user sees: consoles on the real terminal while libraries write to a log file."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from autodl.errors import DiskError

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment
    from rich.table import Table

    from autodl.cli.context import Invocation

_PIPED_WIDTH = 100


@dataclass(frozen=True)
class Screen:
    """The consoles of one command.

    Attributes:
        out: Standard output. err: standard error. log: file that collects what libraries print.
        terminals: Those of the two that were one at the start: a terminal that is gone no longer says so.
    """

    out: Console
    err: Console
    log: Path
    terminals: tuple[Console, ...] = ()

    def print_json(self, facts: object) -> None:
        """Write plain values as JSON, every one as it is: by ``\\u`` signs a terminal is told nothing."""
        try:
            self.out.file.write(json.dumps(facts, indent=2, ensure_ascii=True) + "\n")
            self.out.file.flush()
        except BrokenPipeError:
            _send_nowhere(self.out.file)

    def leave_terminal(self) -> None:
        """The terminal is gone: what it would show goes nowhere; what goes to a file or a program still does."""
        for console in self.terminals:
            _send_nowhere(console.file)

    def leave_broken(self) -> None:
        """Write to nowhere where writing fails."""
        for console in (self.out, self.err):
            try:
                console.file.flush()  # what could not be written is still in the buffer
            except OSError:
                _send_nowhere(console.file)


def _send_nowhere(file: IO[str]) -> None:
    """Drop what is written from now on, and what is still in the buffer."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, file.fileno())
    os.close(null)


def fresh_log() -> Path:
    """An empty log file in the temporary folder.

    Raises:
        DiskError: If there is no such folder that can be written to, as in a container whose disk is read-only.
    """
    try:
        place = tempfile.gettempdir()
    except FileNotFoundError:
        raise DiskError(
            "there is no place for temporary files: all folders for them are full or read-only",
            "Set the environment variable TMPDIR to a folder that can be written to.",
        ) from None
    handle, name = tempfile.mkstemp(prefix="autodl-", suffix=".log", dir=place)
    os.close(handle)
    return Path(name)


def make_console(file: IO[str], width: int | None = None) -> Console:
    """A console that takes every text literally: column names are data, not markup.

    Args:
        file: Where to.
        width: Columns; those of the terminal by default.
    """
    from rich.console import Console
    from rich.console import ConsoleDimensions as Dimensions
    from rich.segment import Segment

    from autodl.cli.words import printable

    class TerminalConsole(Console):
        """Asks the stream that it writes to for its size: stdout itself may point to the log."""

        @property  # type: ignore[misc]  # rich's setter fixes a size; here the terminal decides
        def size(self) -> Dimensions:
            """Columns and lines."""
            if width is not None:
                return Dimensions(width, 25)
            with contextlib.suppress(OSError, ValueError):
                columns, lines = os.get_terminal_size(file.fileno())
                if columns > 0 and lines > 0:
                    return Dimensions(columns, lines)
            return Dimensions(int(os.environ.get("COLUMNS") or _PIPED_WIDTH), 25)

        def on_broken_pipe(self) -> None:
            """A reader that has seen enough, such as ``head``, is no reason to end: rich would leave the program."""
            _send_nowhere(file)

        def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
            """Segments; what stands in the data commands no terminal."""
            for segment in super().render(renderable, options):
                text, style, control = segment
                yield segment if control else Segment(printable(text), style)

    return TerminalConsole(file=file, markup=False, highlight=False, emoji=False)


def print_whole(console: Console, table: Table) -> None:
    """Print a table of short cells at its natural width: where that is too wide, lines run on, nothing is cut."""
    make_console(console.file, width=1000).print(table, crop=False)


def _is_descriptor(stream: IO[str], descriptor: int) -> bool:
    try:
        return stream.fileno() == descriptor
    except (OSError, ValueError, AttributeError):
        return False


@contextlib.contextmanager
def quiet_libraries(invocation: Invocation) -> Iterator[Screen]:
    """Send everything that libraries print (from Python, C++ or child processes) to a log file.

    Our own output goes to the consoles of the yielded ``Screen``, which write to the original streams. Streams that
    a caller has replaced (tests, notebooks) are left alone. The log is removed if it stays empty.
    """
    invocation.log = log = fresh_log()
    try:
        with contextlib.ExitStack() as stack:
            shown: list[IO[str]] = []
            target = stack.enter_context(log.open("ab"))
            for stream, descriptor in ((sys.stdout, 1), (sys.stderr, 2)):
                if not _is_descriptor(stream, descriptor):
                    shown.append(stream)
                    continue
                stream.flush()
                saved = os.dup(descriptor)
                file = os.fdopen(os.dup(saved), "w", encoding=stream.encoding, errors="replace")
                os.dup2(target.fileno(), descriptor)
                stack.callback(_restore, stream, descriptor, saved, file)
                shown.append(file)
            out, err = make_console(shown[0]), make_console(shown[1])
            yield Screen(out, err, log, tuple(c for c in (out, err) if c.file.isatty()))
    finally:
        if log.exists() and log.stat().st_size == 0:
            log.unlink()
            invocation.log = None


def _restore(stream: IO[str], descriptor: int, saved: int, file: IO[str]) -> None:
    with contextlib.suppress(BrokenPipeError):
        file.close()
    stream.flush()
    os.dup2(saved, descriptor)
    os.close(saved)
