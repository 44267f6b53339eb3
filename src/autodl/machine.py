"""What this machine can do: cores and memory that the process may use."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")
"""Where Linux tells the limits of control groups (containers, services): version 1 in ``memory``, version 2 here."""
_OWN_CGROUPS = Path("/proc/self/cgroup")
"""To which groups this process belongs: lines of ``number:controllers:path``, without controllers in version 2."""

SPIN, SPINS = 20_000, 20
"""Multiplications of a round of work, and rounds that are timed."""
SPIN_S = 1.0e-3
"""Seconds of one round on the reference machine of the cost estimates when it is idle."""

PROBE_S, PROBE_ROUNDS = 0.04, 500
"""Seconds for which threads are kept busy to see whether they find cores, and rounds of a piece of that work."""
NEARLY = 0.3
"""What a thread may lack of a core that still counts as its own."""


@dataclass(frozen=True)
class Machine:
    """Cores, memory in bytes, and speed relative to the reference machine of the cost estimates."""

    cores: int
    memory_bytes: int
    speed: float = 1.0


def this_machine() -> Machine:
    """The cores and the memory that this process may use; limits of containers are respected."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    for group in _groups(""):
        quota = _read(group / "cpu.max").split()
        if len(quota) == 2 and quota[0].isdigit():
            cores = max(1, min(cores, round(int(quota[0]) / int(quota[1]))))
    for group in _groups("cpu"):
        spent, period = (_number(_read(group / f"cpu.cfs_{name}_us")) for name in ("quota", "period"))
        if spent and period:  # -1: no limit
            cores = max(1, min(cores, round(spent / period)))
    return Machine(cores=cores, memory_bytes=available_memory())


def available_memory() -> int:
    """Bytes that can be allocated now without swapping: the machine's, or what a container has left of its limit."""
    import psutil

    free = int(psutil.virtual_memory().available)
    for controller, limit_name, used_name, cache_key in (
        ("", "memory.max", "memory.current", "inactive_file"),
        ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        for group in _groups(controller):
            limit, used = _number(_read(group / limit_name)), _number(_read(group / used_name))
            if limit is None or used is None:
                continue
            # Cached files count as used but are given back on demand.
            cached = _entry(_read(group / "memory.stat"), cache_key) or 0
            free = min(free, max(0, limit - max(0, used - cached)))
    return free


@cache
def multiplies_bfloat16() -> bool:
    """Whether the processor has instructions for products of 16-bit numbers; others only emulate them."""
    flags = _read(Path("/proc/cpuinfo")).split()
    return "avx512_bf16" in flags or "amx_bf16" in flags


def slowness(rounds: int = SPINS) -> float:
    """How many times longer than on the idle reference machine a piece of work takes now: a slow or a busy processor.

    Args:
        rounds: Repetitions, about ``SPIN_S`` each on the reference machine; few ones miss that others take turns.
    """
    begun = time.perf_counter()
    for _ in range(rounds):
        sum(i * i for i in range(SPIN))
    return (time.perf_counter() - begun) / (rounds * SPIN_S)


def free_threads(wanted: int, seconds: float = PROBE_S) -> int:
    """How many of so many threads find a core of their own now.

    Threads that train one model wait for each other at every step, so that one without a core holds up all: two
    threads of LightGBM, with two other programs on two cores, are two to four times slower than one.

    Args:
        wanted: Threads that there is work for, at least 1.
        seconds: For which they are all kept busy.
    """
    if wanted <= 1:
        return 1
    from hashlib import pbkdf2_hmac
    from threading import Thread

    end, got = time.perf_counter() + seconds, [0.0] * wanted

    def work(place: int) -> None:
        while time.perf_counter() < end:
            pbkdf2_hmac("sha256", b"probe", b"", PROBE_ROUNDS)  # Python's lock is free meanwhile
        got[place] = time.thread_time()

    threads = [Thread(target=work, args=(place,), daemon=True) for place in range(wanted)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cores = sum(got) / (time.perf_counter() - begun)
    return max(1, min(wanted, int(cores + NEARLY)))


def total_memory() -> int:
    """Bytes of memory of this machine, or of its container: the same from one moment to the next."""
    import psutil

    total = int(psutil.virtual_memory().total)
    files = [group / "memory.max" for group in _groups("")]
    files += [group / "memory.limit_in_bytes" for group in _groups("memory")]
    limits = (_number(_read(file)) for file in files)
    return min([total, *(limit for limit in limits if limit is not None)])


def in_gib(count: float) -> str:
    """Bytes in words: ``3.1 GiB``, ``40 MiB``."""
    return f"{count / 2**30:.1f} GiB" if count >= 0.1 * 2**30 else f"{max(1.0, count / 2**20):.0f} MiB"


_NO_MEMORY = ("can't allocate memory", "cannot allocate memory", "bad_alloc", "bad allocation", "out of memory",
              "failed to map segment")  # fmt: skip
"""What native libraries say when an allocation fails, in lower case."""


def out_of_memory(error: BaseException) -> bool:
    """Whether an error means that an allocation failed, here or in a native library."""
    return isinstance(error, MemoryError) or any(words in str(error).lower() for words in _NO_MEMORY)


def oom_kills() -> int | None:
    """How many processes the kernel has killed for lack of memory so far, or None where it does not tell.

    In this process's own control group if that is told, else on the whole machine.
    """
    files = [_groups("")[0] / "memory.events", _groups("memory")[0] / "memory.oom_control", Path("/proc/vmstat")]
    return next((told for file in files if (told := _entry(_read(file), "oom_kill")) is not None), None)


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


def private_bytes(pid: int) -> int:
    """Bytes of real memory that a process holds alone, without mapped files and shared memory; 0 if it is gone."""
    import psutil

    try:
        info = psutil.Process(pid).memory_info()
    except psutil.Error:
        return 0
    return int(info.rss - getattr(info, "shared", 0))  # not every system tells what is shared


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


def _groups(controller: str) -> list[Path]:
    """Folders of this process's control group and of those around it, innermost first.

    Args:
        controller: Of version 1, or empty for version 2.
    """
    lines = (line.split(":", 2) for line in _read(_OWN_CGROUPS).splitlines())
    own = next((line[2] for line in lines if len(line) == 3 and controller in line[1].split(",")), "/")
    names = [name for name in own.split("/") if name]
    # In a container the path may be that of the host, of which nothing is seen here; only the top is there then.
    levels = [(_CGROUP / controller).joinpath(*names[:n]) for n in range(len(names), -1, -1)]
    return [level for level in levels if ".." not in level.parts and level.is_dir()] or [_CGROUP]


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
