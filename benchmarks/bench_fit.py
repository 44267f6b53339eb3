"""One `autodl fit` in a process of its own, as a user would start it, and what it took."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from budget import PeakMemory

GRACE = 180.0
"""Seconds beyond four times the budget after which a fit is ended, as in the duel."""


@dataclass(frozen=True)
class Took:
    """Cost of a command with its child processes: seconds by the clock and of the cores, bytes at the peak."""

    wall_s: float
    cpu_s: float
    peak_bytes: int
    code: int | str


def run(command: Sequence[str], log: Path, limit_s: float) -> Took:
    """Run a command, its output going to ``log``; end it and all it started after ``limit_s`` seconds."""
    before, began = _cpu_of_children(), time.perf_counter()
    with log.open("ab") as out, subprocess.Popen(
        list(command), stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True
    ) as process:  # fmt: skip
        memory = PeakMemory(process.pid)
        memory.start()
        code: int | str
        try:
            code = process.wait(timeout=limit_s)
        except subprocess.TimeoutExpired:
            code = "timeout"
        finally:  # also where the benchmark itself is interrupted
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        wall = time.perf_counter() - began
    memory.done.set()
    memory.join()
    return Took(wall, _cpu_of_children() - before, memory.peak, code)


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def fit(autodl: str, train: Path, flags: Sequence[str], seconds: float, seed: int, out: Path, log: Path) -> Took:
    """`autodl fit` with a budget; default settings but for ``flags``."""
    budget = ["--time-budget", f"{seconds:g}s", "--seed", str(seed), "--out", str(out), "--quiet"]
    return run([autodl, "fit", str(train), *flags, *budget], log, 4 * seconds + GRACE)


def predict(autodl: str, folder: Path, rows: Path, out: Path, log: Path, *, proba: bool) -> Took:
    """`autodl predict` for a file."""
    command = [autodl, "predict", str(folder), str(rows), "--out", str(out), *(["--proba"] if proba else [])]
    return run(command, log, 4 * GRACE)


def facts(folder: Path) -> dict[str, Any]:
    """What a finished run says of itself: its own clock, trials, ensemble; empty if it has none."""
    path = folder / "run.json"
    if not path.is_file():
        return {}
    record = json.loads(path.read_text("utf-8"))
    made = folder / "records" / "ensemble.json"
    ensemble = json.loads(made.read_text("utf-8")) if made.is_file() else {}
    weights: dict[str, float] = {}
    for member in ensemble.get("members", ()):
        weights[member["family"]] = round(weights.get(member["family"], 0.0) + member["weight"], 4)
    return {
        "status": record["status"],
        "used_s": record["budget"]["used_s"],
        "first_model_s": record["budget"]["first_model_s"],
        "trials": record["n_trials"],
        "failed": record["n_failed"],
        "method": ensemble.get("method"),
        "members": len(ensemble.get("members", ())),
        "weights": weights,
        "stages": {s["name"]: s["seconds"] for s in record["stages"]},
    }


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The results in a file of JSON lines; none if it does not exist."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line] if path.exists() else []


def append(path: Path, row: dict[str, Any]) -> None:
    """Add a result, whole at once, and print it."""
    line = json.dumps(row)
    with path.open("a", encoding="utf-8") as handle:
        handle.write(line + "\n")
    print(line, flush=True)


def commit() -> str:
    """The commit that is measured; with a plus where files differ from it, empty outside git."""

    def git(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["git", *words], cwd=Path(__file__).parents[1], capture_output=True, text=True)

    head = git("rev-parse", "--short", "HEAD")
    changed = git("status", "--porcelain", "--untracked-files=no", "--", "src").stdout.strip()
    return "" if head.returncode else head.stdout.strip() + ("+" if changed else "")
