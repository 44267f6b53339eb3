"""Facts about this machine and the installation, each with a verdict."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from autodl.machine import available_memory, this_machine, total_memory

Status = Literal["ok", "note", "fail"]

_GIB = 2.0**30
_RAY_TIMEOUT_S = 60.0
_WITHOUT_RAY = "models are trained in processes of this machine instead"
_RAY_SMOKE = """
import os
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")  # listens to this machine only
import ray
ray.init(
    address="local",  # not a cluster that happens to be there
    num_cpus=1, include_dashboard=False, log_to_driver=False, object_store_memory=100_000_000,
)
assert ray.get(ray.remote(lambda x: x + 1).remote(41)) == 42
ray.shutdown()
"""


@dataclass(frozen=True)
class CheckResult:
    """One check: ``ok``, ``note`` (works, but worth knowing) or ``fail`` (autodl will not work)."""

    name: str
    status: Status
    text: str


def examine(*, with_ray: bool = True) -> Iterator[CheckResult]:
    """Run all checks, cheap ones first."""
    yield _python()
    yield _cores()
    yield _memory()
    yield _disk()
    yield from _packages()
    yield _gpu()
    yield from _extras()
    if with_ray:
        yield ray_smoke_test()


def _python() -> CheckResult:
    return CheckResult("Python", "ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}")


def _cores() -> CheckResult:
    cores = this_machine().cores
    return CheckResult("Cores", "ok" if cores > 1 else "note", f"{cores} usable")


def _memory() -> CheckResult:
    free = available_memory() / _GIB
    text = f"{free:.1f} of {total_memory() / _GIB:.1f} GiB free"
    if free < 1.0:
        return CheckResult("Memory", "fail", f"{text}; at least 1 GiB is needed")
    return CheckResult("Memory", "ok" if free >= 3.0 else "note", text)


def _disk() -> CheckResult:
    here = Path.cwd()
    if not os.access(here, os.W_OK):
        return CheckResult("Disk", "note", "this folder cannot be written to: name another one with --out")
    free = shutil.disk_usage(here).free / _GIB
    return CheckResult("Disk", "ok" if free >= 1 else "note", f"{free:.1f} GiB free in this folder")


def _requirements() -> list[tuple[str, str | None]]:
    """(distribution, extra or None) of everything that autodl declares."""
    found = []
    try:
        lines = metadata.requires("autodl") or []
    except metadata.PackageNotFoundError:  # it runs from its source
        return []
    for line in lines:
        name = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", line)
        extra = re.search(r"extra\s*==\s*['\"]([^'\"]+)['\"]", line)
        if name:
            found.append((name[0], extra[1] if extra else None))
    return found


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _packages() -> Iterator[CheckResult]:
    versions = {name: _version(name) for name, extra in _requirements() if extra is None}
    missing = sorted(name for name, version in versions.items() if version is None)
    yield CheckResult("autodl", "ok", _version("autodl") or "not installed as a package")
    if missing:
        yield CheckResult("Packages", "fail", f"missing: {', '.join(missing)}; install autodl again")
    present = [f"{name} {version}" for name, version in sorted(versions.items()) if version is not None]
    if present:
        yield CheckResult("Packages", "ok", ", ".join(present))
    elif not versions:
        yield CheckResult("Packages", "note", "unknown without an installation: run `pip install -e .` in the source")


def _extras() -> Iterator[CheckResult]:
    extras: dict[str, list[str]] = {}
    for name, extra in _requirements():
        if extra is not None:
            extras.setdefault(extra, []).append(name)
    extras.pop("dev", None)  # of no use to those who only use autodl
    for extra, names in sorted(extras.items()):
        missing = sorted(n for n in names if _version(n) is None)
        if missing:
            text = f"not installed ({', '.join(missing)}); pip install 'autodl[{extra}]'"
            yield CheckResult(f"Extra {extra}", "note", text)
        else:
            yield CheckResult(f"Extra {extra}", "ok", "installed")


def _gpu() -> CheckResult:
    try:
        import torch
    except Exception as error:  # a broken installation raises whatever its libraries raise
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        return CheckResult("GPU", "fail", f"torch cannot be imported: {reason}")
    if not torch.cuda.is_available():
        return CheckResult("GPU", "ok", "none; everything runs on the processor")
    names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return CheckResult("GPU", "ok", ", ".join(names))


def ray_smoke_test(timeout_s: float = _RAY_TIMEOUT_S) -> CheckResult:
    """Start Ray in a process of its own, run one task, stop it."""
    begun = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-c", _RAY_SMOKE],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        _, errors = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        _end_group(process)
        return CheckResult("Ray", "note", f"did not answer within {timeout_s:.0f} s; {_WITHOUT_RAY}")
    if process.returncode != 0:
        last = (errors.strip().splitlines() or ["no message"])[-1]
        return CheckResult("Ray", "note", f"could not run a task: {last}; {_WITHOUT_RAY}")
    return CheckResult("Ray", "ok", f"ran a task in {time.monotonic() - begun:.1f} s")


def _end_group(process: subprocess.Popen[str]) -> None:
    """Kill the process and everything it started."""
    import psutil

    for child in psutil.Process(process.pid).children(recursive=True):
        try:
            child.kill()
        except psutil.NoSuchProcess:
            continue
    process.kill()
    process.communicate()
