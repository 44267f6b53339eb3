"""Does a fit survive ``kill -9``? Kills it at random moments, resumes it, and checks what came of it.

    python benchmarks/kill.py DATA.csv --target Survived --runs 20 --seconds 60

Each run is killed with all its processes at a moment drawn uniformly from the budget; one resumed run in four is
killed once more. The last resume must end with exit code 0, status done, a report, and a model that predicts every
row; trials that were finished before a kill must be the same afterwards, and none may be tried twice. A line a run;
exit code 1 if one of them failed. The budget is counted apart, since it also depends on what else the machine does:
the seconds are those that ``run.json`` counts, the start of each resumed run included.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psutil


@dataclass
class Outcome:
    """What one run went through."""

    moments: list[float] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)
    """Finished trials at each kill."""
    trials: int = 0
    used_s: float = 0.0
    problems: list[str] = field(default_factory=list)


def kill_all(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and everything that it started, at once."""
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    for member in family:
        try:
            member.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            continue
    process.wait()


def stored(run: Path) -> dict[str, str]:
    """Hash of each finished trial's record."""
    return {p.parent.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in run.glob("trials/*/result.json")}


def start(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as file:
        return subprocess.Popen(command, stdout=file, stderr=file, start_new_session=True)


def one_run(args: argparse.Namespace, place: Path, rng: random.Random) -> Outcome:
    """Kill, resume, check."""
    outcome, run, log = Outcome(), place / "run", place / "log"
    command = [
        args.autodl, "fit", str(args.data), "--target", args.target, "--time-budget", f"{args.seconds:g}s",
        "--out", str(run), "--seed", "0", "--quiet", *args.more,
    ]  # fmt: skip
    before: dict[str, str] = {}
    kills = 2 if rng.random() < 0.25 else 1
    resume: list[str] = []
    for number in range(kills):
        latest = args.seconds - 2 if number == 0 else args.seconds / 3
        moment = rng.uniform(1.0, max(1.5, latest))
        process = start(command + resume, log)
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            kill_all(process)
        outcome.moments.append(round(moment, 1))
        check_kept(outcome, before, run)
        before = stored(run)
        outcome.kept.append(len(before))
        # Killed before it had made its folder, there is nothing to resume: the same line is given again.
        resume = ["--resume"] if run.exists() else []
    began = time.perf_counter()
    with log.open("ab") as file:
        code = subprocess.run([*command, *resume], stdout=file, stderr=file, check=False).returncode
    outcome.used_s = time.perf_counter() - began
    if code != 0:
        outcome.problems.append(f"exit {code}: {log.read_text()[-300:].strip()}")
        return outcome
    check_kept(outcome, before, run)
    check_result(outcome, args, run)
    return outcome


def check_kept(outcome: Outcome, before: dict[str, str], run: Path) -> None:
    """Finished trials stay as they were."""
    now = stored(run)
    changed = [t for t, digest in before.items() if now.get(t) != digest]
    if changed:
        outcome.problems.append(f"trials lost or run again: {changed}")


def check_result(outcome: Outcome, args: argparse.Namespace, run: Path) -> None:
    """A whole run: status, report, no repeated trial, predictions, budget."""
    facts = json.loads((run / "run.json").read_text())
    if facts["status"] != "done":
        outcome.problems.append(f"status {facts['status']}")
    if not (run / "report.html").is_file():
        outcome.problems.append("no report")
    outcome.used_s = facts["budget"]["used_s"]
    specs = [json.loads(p.read_text())["spec"] for p in run.glob("trials/*/result.json")]
    outcome.trials = len(specs)
    tried = Counter(json.dumps([s["family"], s["config"], s["folds"], s["fidelity"]], sort_keys=True) for s in specs)
    if any(n > 1 for n in tried.values()):
        outcome.problems.append(f"tried twice: {[t for t, n in tried.items() if n > 1]}")
    if (run / "set-aside").exists():
        outcome.problems.append("a trial was set aside")
    out = run.parent / "predictions.csv"
    done = subprocess.run(
        [args.autodl, "predict", str(run), str(args.data), "--out", str(out)], capture_output=True, text=True
    )
    if done.returncode != 0:
        outcome.problems.append(f"predict: {done.stderr[-200:]}")
    else:
        import pandas as pd

        if len(pd.read_csv(out)) != len(pd.read_csv(args.data)):
            outcome.problems.append("predict: other number of rows")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--target", required=True)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--autodl", default=str(Path(sys.executable).with_name("autodl")))
    parser.add_argument("--more", nargs="*", default=[], help="further options of autodl fit")
    args = parser.parse_args()
    args.data = args.data.resolve()
    rng, good, punctual = random.Random(args.seed), 0, 0
    print("| run | killed at s | finished then | trials at the end | budget used s | result |")
    print("|---|---|---|---|---|---|")
    for number in range(1, args.runs + 1):
        with tempfile.TemporaryDirectory(prefix="autodl-kill-") as place:
            outcome = one_run(args, Path(place), rng)
        good += not outcome.problems
        punctual += outcome.used_s <= 1.05 * args.seconds
        print(
            f"| {number} | {', '.join(map(str, outcome.moments))} | {', '.join(map(str, outcome.kept))} "
            f"| {outcome.trials} | {outcome.used_s:.1f} | {'; '.join(outcome.problems) or 'valid'} |",
            flush=True,
        )
    print(f"\n{good} of {args.runs} ended valid without repeating a finished trial (seed {args.seed}).")
    print(f"{punctual} of {args.runs} used at most 105 % of their {args.seconds:g} s.")
    return 0 if good == args.runs else 1


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    sys.exit(main())
