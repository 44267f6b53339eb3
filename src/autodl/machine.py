"""What this machine can do: cores and memory that the process may use."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Machine:
    """Cores, memory in bytes, and speed relative to the reference machine of the cost estimates."""

    cores: int
    memory_bytes: int
    speed: float = 1.0


def this_machine() -> Machine:
    """The cores and the memory that this process may use; limits of containers are respected."""
    import psutil

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    quota = _read("/sys/fs/cgroup/cpu.max").split()
    if len(quota) == 2 and quota[0].isdigit():
        cores = max(1, min(cores, round(int(quota[0]) / int(quota[1]))))
    memory = int(psutil.virtual_memory().available)
    limit = _read("/sys/fs/cgroup/memory.max").strip()
    if limit.isdigit():
        memory = min(memory, int(limit))
    return Machine(cores=cores, memory_bytes=memory)


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
