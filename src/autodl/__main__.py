"""Entry point of the command ``autodl`` and of ``python -m autodl``."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import time
from typing import NoReturn

_ENTERED = time.time()


def process_start() -> float:
    """When this process began (``time.time()``), so that the budget includes the start-up of Python.

    Falls back to the moment this module was loaded when the system's answer is absurd (a clock that was set, or a
    long-lived process that calls ``main``).
    """
    import psutil

    created = float(psutil.Process().create_time())
    return created if 0.0 <= _ENTERED - created <= 10.0 else _ENTERED


def main(argv: list[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: Arguments without the program's name; ``sys.argv[1:]`` by default.

    Returns:
        The exit code: 0 done, 1 an unexpected failure, 2 a problem with the input, 130 stopped by the user.
    """
    from autodl.cli.app import run
    from autodl.waiting import wait_briefly

    wait_briefly(os.environ)
    return run(argv, process_start)


def program() -> NoReturn:
    """Run as a program and end at once: threads given up or still starting must not hold up or crash the exit."""
    code = main()
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    program()
