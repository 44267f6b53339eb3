"""A program of ours in a process of its own, with a connection to it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from typing import IO, Any

from autodl.waiting import wait_briefly

Child = subprocess.Popen[bytes]


def start_child(
    module: str,
    arguments: Sequence[int],
    files: Sequence[int],
    output: IO[bytes],
    extra: Mapping[str, str] | None = None,
) -> tuple[Child, Connection[Any, Any]]:
    """Start ``python -m MODULE CONNECTION ARGUMENTS... DRIVER``.

    It is a program, not a ``multiprocessing`` child: those import the user's main script again, which without an
    ``if __name__ == "__main__"`` guard would start the whole run once more.

    Args:
        module: What to run.
        arguments: Handed over after the descriptor of the connection and before the number of this process.
        files: Descriptors that it may use.
        output: Takes what it prints.
        extra: Environment variables, unless the user has set them.

    Returns:
        The process, which leads a group of its own, and our end of the connection.
    """
    ours, theirs = socket.socketpair()
    environment = {
        **(extra or {}),
        **os.environ,
        # The same modules as this process, also those beside a script; -P keeps out those of the current folder.
        "PYTHONPATH": os.pathsep.join(p or str(os.getcwd()) for p in sys.path),  # noqa: PTH109
    }
    wait_briefly(environment)
    numbers = (theirs.fileno(), *arguments, os.getpid())
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, *map(str, numbers)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            pass_fds=(theirs.fileno(), *files),
            start_new_session=True,  # Ctrl-C is for the run, which then decides what becomes of the trial
        )
    return process, Connection(ours.detach())


def last_words(output: IO[bytes], limit: int = 4_000) -> str:
    """The last bytes that it printed, as text."""
    if output.closed:
        return ""
    output.seek(0, os.SEEK_END)
    output.seek(max(0, output.tell() - limit))
    return output.read().decode(errors="replace").strip()
