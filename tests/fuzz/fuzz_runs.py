"""One call of ``autodl`` on a fuzzed input, and what is wrong with how it ended."""

from __future__ import annotations

import contextlib
import io
import re
import signal
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any
from unittest import mock

import pandas as pd

from autodl.errors import AutodlError
from autodl.records import TableSchema

LIMIT_S = 20.0
"""Far above what a table of 200 rows needs, also on a slow and busy machine: only a hang takes so long."""
OURS = "/src/autodl/"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class HangError(BaseException):
    """The time is over; no ``except Exception`` may catch this."""


@dataclass(frozen=True)
class Outcome:
    """How a call ended.

    Attributes:
        kind: ``ok``, ``refused`` (an error for the user) or the name of what went wrong.
        what: Key for grouping: the message's form, or the exception and the innermost frame of ours.
        detail: All there is to say.
    """

    kind: str
    what: str = ""
    detail: str = ""

    @property
    def good(self) -> bool:
        """Whether the call ended as promised."""
        return self.kind in ("ok", "refused")


@contextlib.contextmanager
def limit(seconds: float = LIMIT_S) -> Iterator[None]:
    """Raise ``HangError`` in this thread after some seconds."""

    def over(_: int, __: FrameType | None) -> None:
        raise HangError

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def innermost(trace: str) -> str:
    """The last line of a traceback and the innermost frame of ours, e.g. ``KeyError at data/kinds.py:12 in f``."""
    places = re.findall(r'File "([^"]*)", line (\d+), in (\S+)', trace)
    ours = [(f.split(OURS)[1], n, w) for f, n, w in places if OURS in f]
    last = [line for line in trace.strip().splitlines() if line and not line.startswith(" ")][-1]
    place = "{}:{} in {}".format(*ours[-1]) if ours else "elsewhere"
    return f"{last.split(':')[0]} at {place}"


@contextlib.contextmanager
def heard() -> Iterator[list[tuple[str, str]]]:
    """All warnings meanwhile: (key for grouping, message and the calls that led to it)."""
    told: list[tuple[str, str]] = []

    def hear(message: Any, category: type[Warning], filename: str, lineno: int, *_: Any) -> None:
        calls = "".join(traceback.format_stack()[:-1])
        places = [p for p in re.findall(r'File "([^"]*)", line (\d+)', calls) if OURS in p[0]]
        place = f"{places[-1][0].split(OURS)[1]}:{places[-1][1]}" if places else f"{Path(filename).name}:{lineno}"
        told.append((f"{category.__name__} at {place}: {str(message)[:60]}", f"{message}\n{calls}"))

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = hear
        yield told


def call(arguments: list[str], seconds: float = LIMIT_S) -> tuple[int, str, str, list[tuple[str, str]]]:
    """(exit code, standard output, standard error, warnings) of the command line."""
    from autodl.cli.app import run

    out, err = io.StringIO(), io.StringIO()
    with heard() as told, limit(seconds), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(arguments, time.time)
    return code, out.getvalue(), err.getvalue(), told


def plan_file(path: Path, *options: str) -> Outcome:
    """Run ``autodl plan`` on a file and judge all that it promises."""
    with _watched(path.parent) as left:
        try:
            code, out, err, told = call(["plan", str(path), "--verbose", *options])
        except HangError:
            return Outcome("hang", innermost(traceback.format_exc()), traceback.format_exc())
        outcome = _judge(code, out, err, path)
    if outcome.good and left:
        return Outcome(
            "leaves files", re.sub(r"autodl-\w+", "autodl-X", " ".join(sorted(left))), " ".join(sorted(left))
        )
    if outcome.good and told:
        return Outcome("warns", *told[0])
    return outcome


def _judge(code: int, out: str, err: str, path: Path) -> Outcome:
    if code == 1:
        log = re.search(r"The details are in (.*?)\.?\s*$", err)
        trace = Path(log[1]).read_text("utf-8", errors="replace") if log else err
        if log:
            Path(log[1]).unlink()
        return Outcome("crash", innermost(trace), trace)
    if code not in (0, 2):
        return Outcome(f"exit code {code}", "", err)
    for stream, text in (("stdout", out), ("stderr", err)):
        raw = _CONTROL.search(text)
        if raw:
            return Outcome("control characters", f"{raw[0]!r} in {stream}, exit code {code}", repr(text))
    if code == 0:
        if err or len(out) < 100:
            return Outcome("says too much or too little", err[:60], out + err)
        return Outcome("ok")
    return _judge_error(out, err, path.name)


def _judge_error(out: str, err: str, name: str) -> Outcome:
    lines = err.splitlines()
    if out or len(lines) != 1 or not lines[0].startswith("autodl: error: "):
        return Outcome("not one line", repr(lines[:2])[:80], out + err)
    message = lines[0].removeprefix("autodl: error: ")
    if name not in message and "'" not in message and "--" not in message:
        return Outcome("names no place", message[:60], message)
    if not re.search(r"[.?!] [A-Z`'].*[.?]$|must be .*, but got ", message):
        return Outcome("names no remedy", message[:60], message)
    return Outcome("refused", _form(message.replace(name, "FILE")), message)


def _form(message: str) -> str:
    """A message without the names and numbers in it."""
    message = re.sub(r"\S*/FILE", "FILE", message)
    return re.sub(r"\d[\d,.]*", "N", re.sub(r"'.*'", "'...'", message))[:70]


def compare_roads(path: Path) -> Outcome:
    """Read a file at one go and as a stream of small blocks: the same table must come out, or both refuse it."""
    try:
        with heard(), limit():
            whole, refused = _read_by(path, 1 << 60)
            for block_bytes in (400, 4000, 1 << 20):
                parts, refused_in_parts = _read_by(path, 1, block_bytes)
                if "holds a row of more than" not in str(refused_in_parts):
                    break
    except HangError:
        return Outcome("hang", innermost(traceback.format_exc()), traceback.format_exc())
    except Exception:
        return Outcome("crash", innermost(traceback.format_exc()), traceback.format_exc())
    if whole is None and parts is None:
        return Outcome("refused", _form(str(refused)))
    if whole is None or parts is None:
        one = "in parts" if parts is None else "as a whole"
        error = str(refused or refused_in_parts)
        return Outcome(f"refused only {one}", _form(error), error)
    try:
        assert whole[0] == parts[0]
        pd.testing.assert_frame_equal(parts[1], whole[1])
    except AssertionError:
        kinds = ({c.name: c.kind.value for c in table[0].columns} for table in (whole, parts))
        return Outcome("roads differ", "", f"{list(kinds)}\n{whole[1]}\n{parts[1]}\n{traceback.format_exc()}")
    return Outcome("ok")


def _read_by(
    path: Path, large_bytes: int, block_bytes: int = 400
) -> tuple[tuple[TableSchema, pd.DataFrame] | None, AutodlError | None]:
    """The table with its schema, or the error; files count as large from some bytes on."""
    from autodl.data import delimited, learn_table, read_table, reading, streams

    with contextlib.ExitStack() as patches:
        for name in ("LARGE_BYTES", "PACKED_BYTES", "LARGE_CELLS"):
            patches.enter_context(mock.patch.object(reading, name, large_bytes))
        patches.enter_context(mock.patch.object(delimited, "PARSED_BYTES", block_bytes))
        patches.enter_context(mock.patch.object(streams, "BLOCK_BYTES", 150))
        try:
            return learn_table(read_table(path)[0]), None
        except AutodlError as error:
            return None, error


def plan_frame(frame: pd.DataFrame, target: str | None) -> Outcome:
    """Run the whole plan on a frame handed in directly."""
    from autodl.options import FitOptions
    from autodl.pipeline import run_plan

    return judge_call(lambda: run_plan(frame, FitOptions(target=target)))


def judge_call(function: Callable[[], Any]) -> Outcome:
    """Call a function that must return, or raise an ``AutodlError`` with a remedy; without any warning."""
    try:
        with heard() as told, limit():
            function()
    except HangError:
        return Outcome("hang", innermost(traceback.format_exc()), traceback.format_exc())
    except AutodlError as error:
        if not error.remedy or "\n" in error.what:
            return Outcome("names no remedy", _form(error.what), str(error))
        return Outcome("refused", _form(error.what), str(error))
    except Exception:
        return Outcome("crash", innermost(traceback.format_exc()), traceback.format_exc())
    if told:
        return Outcome("warns", *told[0])
    return Outcome("ok")


@contextlib.contextmanager
def _watched(folder: Path) -> Iterator[set[str]]:
    """The names of files that appear in a folder or in the temporary folder meanwhile; filled at the end."""
    left: set[str] = set()
    before_temporary = tempfile.tempdir
    with tempfile.TemporaryDirectory() as own:
        tempfile.tempdir = own
        before = {p.name for p in folder.iterdir()}
        try:
            yield left
        finally:
            tempfile.tempdir = before_temporary
            left |= {p.name for p in folder.iterdir()} - before
            left |= {p.name for p in Path(own).iterdir()}
