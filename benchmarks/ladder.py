"""The anytime curve: loss of a fit at several budgets on the tasks of a bench, with wall seconds and memory.

    python benchmarks/ladder.py --bench BENCH --seconds 10 30 60 300 --seeds 0 1 2 --out ladder.jsonl
    python benchmarks/ladder.py --bench BENCH --out ladder.jsonl --print

Each fit is an `autodl fit` of its own on the rows that the bench's duel trains on, scored on those it tests on. A
line of JSON a fit; what is in the file already is not run again, so take a new file for a new version. ``--print``
gives the tables. Fits run one after another; figures are worth what the machine was doing, so its load is noted.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench_fit import append, commit, facts, fit, predict, rows_of
from bench_tasks import CONFIRM, BenchTask, difference_error, loss, read_answers, read_tasks, split

Row = Mapping[str, Any]
SLACK_SHARE, SLACK_S = 1.05, 3.0
"""A fit may take this much of its budget and so many seconds more."""
BAR = 40
"""Characters of the longest bar."""


def measure(task: BenchTask, seconds: float, seed: int, args: argparse.Namespace) -> dict[str, Any]:
    """Fit, predict, score."""
    train, test = split(task, seed, args.work)
    place = train.parent / f"ladder-{seconds:g}"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    log, answers = place / "log.txt", place / "predictions.csv"
    load = os.getloadavg()[0]
    took = fit(args.autodl, train, task.flags, seconds, seed, place / "run", log)
    asked = predict(args.autodl, place / "run", test, answers, log, proba=task.kind != "regression")
    row: dict[str, Any] = {
        "task": task.name, "kind": task.kind, "seconds": seconds, "seed": seed, "loss": None, "error": None,
        "wall_s": round(took.wall_s, 2), "cpu_s": round(took.cpu_s, 1), "peak_mib": round(took.peak_bytes / 2**20),
        "predict_s": round(asked.wall_s, 2), "load": round(load, 1), "commit": commit(), **facts(place / "run"),
    }  # fmt: skip
    if took.code or asked.code:
        row["error"] = (
            f"fit {took.code}, predict {asked.code}: {' '.join(log.read_text('utf-8', 'replace').split())[-200:]}"
        )
    else:
        row["loss"] = loss(task.kind, *read_answers(task, test, answers))
    if not args.keep:
        shutil.rmtree(place / "run", ignore_errors=True)
    return row


def by_cell(rows: Sequence[Row]) -> dict[tuple[str, float], dict[int, Row]]:
    """(task, seconds) -> seed -> the last result."""
    found: dict[tuple[str, float], dict[int, Row]] = defaultdict(dict)
    for row in rows:
        if row["loss"] is not None:
            found[row["task"], row["seconds"]][row["seed"]] = row
    return found


def loss_table(rows: Sequence[Row]) -> list[str]:
    """Losses by task and budget, means over seeds, the best of a task starred; the anytime curve of their means."""
    cells = by_cell(rows)
    budgets = sorted({s for _, s in cells})
    tasks = list(dict.fromkeys(row["task"] for row in rows))
    lines = ["| task | " + " | ".join(f"{s:g} s" for s in budgets) + " |", "|---|" + "---:|" * len(budgets)]
    relative: dict[bool, dict[float, list[float]]] = {True: defaultdict(list), False: defaultdict(list)}
    for task in tasks:
        means = {
            s: statistics.mean(r["loss"] for r in cells[task, s].values()) for s in budgets if (task, s) in cells
        }
        if not means:
            continue
        best = min(means.values())
        shown = [f"{means[s]:.4g}" + ("*" if means[s] == best else "") if s in means else "" for s in budgets]
        lines.append(f"| {task}{' (confirm)' if task in CONFIRM else ''} | " + " | ".join(shown) + " |")
        if len(means) == len(budgets) and best > 0:
            for s in budgets:
                relative[task in CONFIRM][s].append(means[s] / best)
    for confirm, ratios in relative.items():
        if not ratios:
            continue
        n = len(next(iter(ratios.values())))
        lines += [
            "",
            f"Geometric mean of loss / best of the task, {n} {'confirmation' if confirm else 'development'} tasks:",
            "```",
        ]
        curve = {s: float(np.exp(np.mean(np.log(ratios[s])))) for s in budgets}
        widest = max(max(curve.values()) - 1, 1e-9)
        lines += [f"{s:>5g} s {v:6.3f} {'#' * round(BAR * (v - 1) / widest)}" for s, v in curve.items()] + ["```"]
    return lines


def promise_table(rows: Sequence[Row]) -> list[str]:
    """Whether budgets and memory were kept: the worst of each budget."""
    lines = [
        "| budget | fits | failed | mean wall s | longest wall s | over | cores used | peak MiB | first model s |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for s in sorted({r["seconds"] for r in rows}):
        own = [r for r in rows if r["seconds"] == s]
        over = sum(r["wall_s"] > SLACK_SHARE * s + SLACK_S for r in own)
        wall = statistics.mean(r["wall_s"] for r in own)
        longest, largest = max(own, key=lambda r: r["wall_s"]), max(own, key=lambda r: r["peak_mib"])
        first = [r["first_model_s"] for r in own if r.get("first_model_s") is not None]
        cores = sum(r["cpu_s"] for r in own) / sum(r["wall_s"] for r in own)
        lines.append(
            f"| {s:g} | {len(own)} | {sum(r['loss'] is None for r in own)} "
            f"| {wall:.1f} | {longest['wall_s']:.1f} ({longest['task']}) | {over} "
            f"| {cores:.2f} | {largest['peak_mib']:,} ({largest['task']}) "
            f"| {statistics.median(first) if first else float('nan'):.1f} |"
        )
    commits = ", ".join(sorted({r["commit"] or "unknown" for r in rows}))
    loads = [r["load"] for r in rows]
    note = f"Over: more than {SLACK_SHARE:g} times the budget and {SLACK_S:g} s. First model: the median. "
    return [*lines, "", f"{note}Commit {commits}; load before a fit {min(loads):.1f} to {max(loads):.1f}."]


def longer_is_no_worse(rows: Sequence[Row], tasks: Mapping[str, BenchTask], work: Path) -> list[str]:
    """The largest budget against the one before it: difference of the losses, beside what noise alone would give.

    The standard error is the larger of that between seeds and that of a paired bootstrap over the test rows.
    """
    cells = by_cell(rows)
    budgets = sorted({s for _, s in cells})
    if len(budgets) < 2:
        return []
    less, more = budgets[-2:]
    lines = [f"| task | seeds | loss at {less:g} s | at {more:g} s | difference | standard error | verdict |",
             "|---|---:|---:|---:|---:|---:|---|"]  # fmt: skip
    for name, task in tasks.items():
        pairs = [(seed, cells[name, less][seed], cells[name, more][seed])
                 for seed in sorted(set(cells.get((name, less), ())) & set(cells.get((name, more), ())))]  # fmt: skip
        if not pairs:
            continue
        gaps = [b["loss"] - a["loss"] for _, a, b in pairs]
        errors = [e for seed, _, _ in pairs if (e := _row_noise(task, seed, less, more, work)) is not None]
        rows_se = float(np.sqrt(np.sum(np.square(errors)))) / len(errors) if errors else 0.0
        seeds_se = statistics.stdev(gaps) / len(gaps) ** 0.5 if len(gaps) > 1 else 0.0
        gap, se = statistics.mean(gaps), max(rows_se, seeds_se)
        verdict = "worse" if se and gap > 2 * se else "better" if se and gap < -2 * se else "tie" if se else "?"
        first, second = (statistics.mean(p[i]["loss"] for p in pairs) for i in (1, 2))
        lines.append(f"| {name} | {len(pairs)} | {first:.4g} | {second:.4g} | {gap:+.3g} | {se:.2g} | {verdict} |")
    return lines


def _row_noise(task: BenchTask, seed: int, less: float, more: float, work: Path) -> float | None:
    place = work / f"{task.name}-{seed}"
    files = [place / f"ladder-{s:g}" / "predictions.csv" for s in (less, more)]
    if not all(f.is_file() for f in files):
        return None
    truth, first = read_answers(task, place / "test.csv", files[0])
    _, second = read_answers(task, place / "test.csv", files[1])
    return difference_error(task.kind, truth, second, first) if first.shape == second.shape else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", type=Path, required=True, help="folder with tasks.py and duel.py, beside data/")
    parser.add_argument("--tasks", default="all", help="all, develop, confirm, or names with commas between")
    parser.add_argument("--seconds", type=float, nargs="+", default=[10, 30, 60, 300])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--out", type=Path, default=Path("runs/ladder.jsonl"))
    parser.add_argument("--work", type=Path, default=Path("runs/ladder"), help="rows, predictions and logs")
    parser.add_argument("--keep", action="store_true", help="keep the run folders")
    parser.add_argument("--autodl", default=str(Path(sys.executable).with_name("autodl")))
    parser.add_argument("--print", action="store_true", dest="show", help="only the tables of what is in --out")
    args = parser.parse_args()
    tasks = read_tasks(args.bench, args.tasks)
    if not args.show:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        done = {(r["task"], r["seconds"], r["seed"]) for r in rows_of(args.out) if r["error"] is None}
        for seed in args.seeds:
            for task in tasks:
                for seconds in sorted(args.seconds):
                    if (task.name, seconds, seed) not in done:
                        append(args.out, measure(task, seconds, seed, args))
    names = {t.name: t for t in tasks}
    # A fit that failed and was run again counts once.
    rows = list({(r["task"], r["seconds"], r["seed"]): r for r in rows_of(args.out) if r["task"] in names}.values())
    if not rows:
        raise SystemExit(f"{args.out} holds no results of these tasks")
    tables = loss_table(rows), promise_table(rows), longer_is_no_worse(rows, names, args.work)
    print("\n" + "\n\n".join("\n".join(lines) for lines in tables))


if __name__ == "__main__":
    main()
