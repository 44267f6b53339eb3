"""What this machine can do: cores and memory that the process may use."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")
"""Where Linux tells the limits of a container: version 2 at the top, version 1 in ``memory``."""


@dataclass(frozen=True)
class Machine:
    """Cores, memory in bytes, and speed relative to the reference machine of the cost estimates."""

    cores: int
    memory_bytes: int
    speed: float = 1.0


def this_machine() -> Machine:
    """The cores and the memory that this process may use; limits of containers are respected."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    quota = _read(_CGROUP / "cpu.max").split()
    if len(quota) == 2 and quota[0].isdigit():
        cores = max(1, min(cores, round(int(quota[0]) / int(quota[1]))))
    return Machine(cores=cores, memory_bytes=available_memory())


def available_memory() -> int:
    """Bytes that can be allocated now without swapping: the machine's, or what a container has left of its limit."""
    import psutil

    free = int(psutil.virtual_memory().available)
    for limit_file, used_file, cache_key in (
        (_CGROUP / "memory.max", _CGROUP / "memory.current", "inactive_file"),
        (_CGROUP / "memory/memory.limit_in_bytes", _CGROUP / "memory/memory.usage_in_bytes", "total_inactive_file"),
    ):
        limit, used = _number(_read(limit_file)), _number(_read(used_file))
        if limit is None or used is None:
            continue
        # Cached files count as used but are given back on demand.
        cached = _entry(_read(used_file.with_name("memory.stat")), cache_key) or 0
        free = min(free, max(0, limit - max(0, used - cached)))
    return free


def total_memory() -> int:
    """Bytes of memory of this machine, or of its container: the same from one moment to the next."""
    import psutil

    total = int(psutil.virtual_memory().total)
    limits = (_number(_read(_CGROUP / name)) for name in ("memory.max", "memory/memory.limit_in_bytes"))
    return min([total, *(limit for limit in limits if limit is not None)])


def in_gib(count: float) -> str:
    """Bytes in words: ``3.1 GiB``, ``40 MiB``."""
    return f"{count / 2**30:.1f} GiB" if count >= 0.1 * 2**30 else f"{max(1.0, count / 2**20):.0f} MiB"


def oom_kills() -> int | None:
    """How many processes the kernel has killed for lack of memory since the start, or None where it does not tell."""
    own = _entry(_read(_CGROUP / "memory.events"), "oom_kill")
    whole = _entry(_read(Path("/proc/vmstat")), "oom_kill")
    told = [n for n in (own, whole) if n is not None]
    return sum(told) if told else None


def resident_bytes(pid: int | None = None) -> int:
    """Bytes of real memory that a process holds now; 0 if it is gone.

    Args:
        pid: The process; this one if None.
    """
    import psutil

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def reset_peak() -> bool:
    """Forget this process's peak of memory, so that ``peak_bytes`` starts anew; False where that cannot be done."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def peak_bytes() -> int:
    """Most bytes of real memory that this process held since ``reset_peak``; 0 where the system does not tell."""
    return 1024 * (_entry(_read(Path("/proc/self/status")), "VmHWM:") or 0)


def _entry(text: str, key: str) -> int | None:
    """The number after a key in lines of ``key number``."""
    for line in text.splitlines():
        parts = line.split()
        if len(parts) >= 2 and parts[0] == key:
            return _number(parts[1])
    return None


def _number(text: str) -> int | None:
    stripped = text.strip()
    return int(stripped) if stripped.isdigit() else None


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
