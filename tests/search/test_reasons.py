"""What an exit code means, in words."""

from __future__ import annotations

import subprocess
import sys

import pytest

from autodl.search.runners.reasons import death, no_memory, overdue, tries

GIB = 2**30


@pytest.mark.parametrize(
    ("code", "oom_kill", "reason", "memory"),
    [
        (
            -9,
            None,
            "was ended by the operating system, most likely for lack of memory; it had taken about 2.0 GiB",
            True,
        ),
        (-9, True, "was ended by the operating system, for lack of memory; it had taken about 2.0 GiB", True),
        (-9, False, "was ended by another program or by hand", False),
        (-11, False, "crashed (SIGSEGV): a fault in a library that it uses", False),
        (-6, None, "crashed (SIGABRT): a fault in a library that it uses", False),
        (3, None, "ended its process without a result (exit code 3)", False),
    ],
)
def test_death(code: int, oom_kill: bool | None, reason: str, memory: bool) -> None:
    found = death(code, 2 * GIB, oom_kill)
    assert (found.reason, found.memory) == (reason, memory)


def test_codes_are_those_of_real_processes() -> None:
    ended = subprocess.run([sys.executable, "-c", "import os; os.abort()"], check=False, stderr=subprocess.DEVNULL)
    assert "crashed (SIGABRT)" in death(ended.returncode, 0, None).reason


def test_other_ends() -> None:
    assert no_memory(3.4 * GIB, 3.1 * GIB).memory
    assert "it had taken 3.4 GiB, and there was room for 3.1 GiB" in no_memory(3.4 * GIB, 3.1 * GIB).reason
    assert overdue(2.0) == "did not stop at its deadline of 2.0 s and was killed"
    assert overdue(2.0, "training on fold 1 of 5", "given up").endswith("was given up while training on fold 1 of 5")
    assert (tries("x", 1), tries("x", 2)) == ("x", "x; tried 2 times")
