"""autodl and its peers at equal budgets: calls a bench's `duel.py` task by task, then says who is where.

    python benchmarks/peers.py --bench BENCH --venvs VENVS --peers autodl,autogluon,flaml --out peers.jsonl
    python benchmarks/peers.py --bench BENCH --peers autodl,autogluon,flaml --out peers.jsonl --print

All tools meet on a task before the next task begins, so that what else the machine does falls on all of them. Results
are kept in a file and not run again, failures neither (``--again`` does). Tasks that served to develop and tasks that
nobody looked at are shown apart.
"""

from __future__ import annotations

import argparse
import math
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from bench_fit import rows_of
from bench_tasks import CONFIRM, read_tasks

Row = Mapping[str, Any]
Losses = Mapping[str, Mapping[str, float | None]]
"""Task -> tool -> loss; None where the tool failed."""
OURS = "autodl"
EQUAL = 0.001
"""Losses that differ by less than this share count as equal in wins and losses."""


def losses(rows: Sequence[Row], peers: Sequence[str]) -> dict[str, dict[str, float | None]]:
    """Task -> peer -> mean loss over seeds, None where it failed on one; tasks that all peers have met only.

    Only seeds that all of them have met count.
    """
    last = {(r["task"], r["seed"], r["peer"]): r["loss"] for r in rows}
    found: dict[str, dict[str, float | None]] = {}
    for task in dict.fromkeys(r["task"] for r in rows):
        seeds = [s for s in sorted({s for t, s, _ in last if t == task}) if all((task, s, p) in last for p in peers)]
        if seeds:
            own = {p: [last[task, s, p] for s in seeds] for p in peers}
            found[task] = {p: None if None in v else statistics.mean(v) for p, v in own.items()}
    return found


def ratios(cells: Mapping[str, float | None]) -> dict[str, float]:
    """Loss over the best loss of a task, by peer; infinite for who failed."""
    best = min((v for v in cells.values() if v is not None), default=math.nan)
    return {p: math.inf if v is None else v / best if best > 0 else 1.0 for p, v in cells.items()}


def rank_table(found: Losses, rows: Sequence[Row], peers: Sequence[str]) -> list[str]:
    """A line a peer: mean rank (who failed is last), mean and worst loss over best, failures, longest run."""
    lines = ["| tool | mean rank | mean loss / best | worst loss / best | failed | longest run / budget |",
             "|---|---:|---:|---:|---:|---:|"]  # fmt: skip
    entries = []
    for peer in peers:
        ranks, relative = [], {}
        for task, cells in found.items():
            ratio = ratios(cells)
            relative[task] = ratio[peer]
            better = sum(v < ratio[peer] for v in ratio.values())
            ranks.append(len(peers) if math.isinf(ratio[peer]) else 1 + better)
        finite = [v for v in relative.values() if math.isfinite(v)]
        worst = max(relative, key=lambda t: relative[t] if math.isfinite(relative[t]) else 0.0)
        longest = max(r["wall"] / r["seconds"] for r in rows if r["peer"] == peer and r["task"] in found)
        shown = f"{statistics.mean(finite):.3f} | {relative[worst]:.3f} ({worst})" if finite else " | "
        failed = len(relative) - len(finite)
        entries.append((statistics.mean(ranks), f"| {shown} | {failed or ''} | {longest:.2f} |", peer))
    return lines + [f"| {peer} | {rank:.2f} {rest}" for rank, rest, peer in sorted(entries)]


def against(found: Losses, peers: Sequence[str]) -> list[str]:
    """autodl's loss over that of each other tool: geometric mean over the tasks with its 95 % t interval, wins."""
    lines = ["| autodl against | tasks | loss ratio | 95 % interval | better | equal | worse |",
             "|---|---:|---:|---|---:|---:|---:|"]  # fmt: skip
    for peer in (p for p in peers if p != OURS):
        logs = [math.log(a / b) for c in found.values() if (a := c[OURS]) and (b := c[peer])]
        if not logs:
            continue
        mean, interval = statistics.mean(logs), ""
        if len(logs) > 1:
            half = float(stats.t.ppf(0.975, len(logs) - 1) * np.std(logs, ddof=1) / math.sqrt(len(logs)))
            interval = f"{math.exp(mean - half):.3f} to {math.exp(mean + half):.3f}"
        better, worse = (sum(s * v > math.log1p(EQUAL) for v in logs) for s in (-1, 1))
        lines.append(f"| {peer} | {len(logs)} | {math.exp(mean):.3f} | {interval} "
                     f"| {better} | {len(logs) - better - worse} | {worse} |")  # fmt: skip
    return lines


def task_table(found: Losses, peers: Sequence[str]) -> list[str]:
    """Losses by task, the best starred."""
    lines = ["| task | " + " | ".join(peers) + " |", "|---|" + "---:|" * len(peers)]
    for task, cells in found.items():
        ratio = ratios(cells)
        shown = [
            "failed" if (v := cells[p]) is None else f"{v:.4g}{'*' if ratio[p] == 1 else ''}" for p in peers
        ]  # fmt: skip
        lines.append(f"| {task} | " + " | ".join(shown) + " |")
    return lines


def report(rows: Sequence[Row], peers: Sequence[str], seconds: float) -> str:
    """All tables as markdown: all tasks, those to develop on, those to confirm."""
    rows = [r for r in rows if r["seconds"] == seconds and r["peer"] in peers]
    found = losses(rows, peers)
    if not found:
        return f"No task was met by all of {', '.join(peers)} at {seconds:g} s."
    seeds = sorted({r["seed"] for r in rows})
    parts = [f"{seconds:g} s, seeds {', '.join(map(str, seeds))}. Loss: 1 - AUC, log loss or RMSE; * best."]
    groups = {
        "All tasks": found,
        "Tasks used to develop": {t: c for t, c in found.items() if t not in CONFIRM},
        "Tasks that only confirm": {t: c for t, c in found.items() if t in CONFIRM},
    }
    for title, group in groups.items():
        if group:
            tables = [rank_table(group, rows, peers)] + ([against(group, peers)] if OURS in peers else [])
            parts += [f"{title} ({len(group)})", *("\n".join(lines) for lines in tables)]
    return "\n\n".join([*parts, "\n".join(task_table(found, peers))])


def duel(task: str, seed: int, peers: Sequence[str], args: argparse.Namespace) -> None:
    """Let these tools meet on a task."""
    command = [
        sys.executable, str(args.bench.resolve() / "duel.py"), "--peers", ",".join(peers), "--tasks", task,
        "--seconds", f"{args.seconds:g}", "--seed", str(seed), "--venvs", str(args.venvs.absolute()),
        "--out", str(args.out), "--work", str(args.work), "--autodl", str(Path(args.autodl).absolute()),
    ]  # fmt: skip
    subprocess.run(command, check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", type=Path, required=True, help="folder with tasks.py and duel.py, beside data/")
    parser.add_argument("--venvs", type=Path, default=Path("venvs"), help="folder with the peers' environments")
    parser.add_argument("--peers", default="autodl,autogluon,flaml,lightautoml,mljar,h2o")
    parser.add_argument("--tasks", default="all", help="all, develop, confirm, or names with commas between")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--out", type=Path, default=Path("runs/peers.jsonl"))
    parser.add_argument("--work", type=Path, default=Path("runs/peers"), help="rows, predictions and logs")
    parser.add_argument("--autodl", default=str(Path(sys.executable).with_name("autodl")))
    parser.add_argument("--again", action="store_true", help="run failures again")
    parser.add_argument("--print", action="store_true", dest="show", help="only the tables of what is in --out")
    args = parser.parse_args()
    peers, tasks = args.peers.split(","), [t.name for t in read_tasks(args.bench, args.tasks)]
    if not args.show:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        done = {
            (r["task"], r["seed"], r["peer"])
            for r in rows_of(args.out)
            if r["seconds"] == args.seconds and (r["loss"] is not None or not args.again)
        }
        for seed in args.seeds:
            for task in tasks:
                if missing := [p for p in peers if (task, seed, p) not in done]:
                    duel(task, seed, missing, args)
    print("\n" + report([r for r in rows_of(args.out) if r["task"] in tasks], peers, args.seconds))


if __name__ == "__main__":
    main()
