"""Does a fit keep its budget? Wall clock, first model, peak memory of all processes, on real tables.

    python benchmarks/budget.py DATA_FOLDER --tasks adult:class titanic:Survived --seconds 60

Prints a line a table. The figures depend on the machine and on what else runs there; nothing is asserted.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

TASKS = (
    "adult:class",
    "bank_churn:Exited",
    "titanic:Survived",
    "letter:lettr",
    "diamonds:price",
    "california_housing:median_house_value",
)


EVERY_S, SHARE = 0.5, 0.02


class PeakMemory(threading.Thread):
    """Samples the proportional memory of a process and its descendants, at most twice a second.

    Proportional (PSS): pages that several processes share count once. The kernel walks all pages for that and holds
    up the processes meanwhile, so that the samples may take no more than ``SHARE`` of the time.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.process, self.peak, self.done = psutil.Process(pid), 0, threading.Event()

    def run(self) -> None:
        pause = EVERY_S
        while not self.done.wait(pause):
            total, begun = 0, time.perf_counter()
            try:
                for p in [self.process, *self.process.children(recursive=True)]:
                    total += p.memory_full_info().pss
            except psutil.Error:
                continue
            self.peak = max(self.peak, total)
            pause = max(EVERY_S, (time.perf_counter() - begun) / SHARE)


def measure(command: list[str]) -> tuple[float, int, int]:
    """Wall seconds, exit code, peak bytes."""
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        memory = PeakMemory(process.pid)
        memory.start()
        code = process.wait()
    memory.done.set()
    return time.perf_counter() - began, code, memory.peak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--tasks", nargs="+", default=list(TASKS))
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--autodl", default=str(Path(sys.executable).with_name("autodl")))
    args = parser.parse_args()
    print("| table | exit | wall s | used s | first model s | peak MiB | trials | failed | test score |")
    print("|---|---|---|---|---|---|---|---|---|")
    for task in args.tasks:
        name, target = task.split(":")
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "run"
            wall, code, peak = measure(
                [args.autodl, "fit", str(args.data / f"{name}.csv"), "--target", target, "--quiet",
                 "--time-budget", f"{args.seconds:g}s", "--out", str(out), "--seed", "0"]
            )  # fmt: skip
            run = json.loads((out / "run.json").read_text()) if (out / "run.json").exists() else None
        if run is None:
            print(f"| {name} | {code} | {wall:.1f} | | | {peak / 2**20:.0f} | | | |", flush=True)
            continue
        score = run["test"].get(run["metric"], {})
        shown = f"{run['metric']} {score['value']:.4g} [{score['low']:.4g}, {score['high']:.4g}]" if score else ""
        print(
            f"| {name} | {code} | {wall:.1f} | {run['budget']['used_s']} | {run['budget']['first_model_s']} "
            f"| {peak / 2**20:.0f} | {run['n_trials']} | {run['n_failed']} | {shown} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
