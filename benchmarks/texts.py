"""Texts in two classes: accuracy and AUC of a fit with a time budget, with and without pretrained encoders.

    python benchmarks/texts.py --bench BENCH --tasks movie_reviews --seconds 300 --out texts.jsonl
    python benchmarks/texts.py --out texts.jsonl --print

Rows as the bench's duel draws them: a quarter of the table is only predicted. Compared are `all`, what `autodl fit`
does by itself with whatever encoders are installed, and `none`, the same with `--pretrained none`. A line of JSON a
fit; what is in the file already is not run again, so take a new file for a new version.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.metrics import accuracy_score, roc_auc_score

from bench_fit import append, commit, facts, fit, predict, rows_of
from bench_tasks import BenchTask, read_answers, read_tasks, split

WAYS: dict[str, tuple[str, ...]] = {"none": ("--pretrained", "none"), "all": ()}


def measure(task: BenchTask, way: str, seconds: float, seed: int, args: argparse.Namespace) -> dict[str, Any]:
    """Fit, predict, score."""
    train, test = split(task, seed, args.work)
    place = train.parent / f"{way}-{seconds:g}"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    log, answers, load = place / "log.txt", place / "predictions.csv", os.getloadavg()[0]
    took = fit(args.autodl, train, [*task.flags, *WAYS[way]], seconds, seed, place / "run", log)
    asked = predict(args.autodl, place / "run", test, answers, log, proba=True)
    row: dict[str, Any] = {
        "task": task.name, "way": way, "seconds": seconds, "seed": seed, "accuracy": None, "auc": None,
        "error": None, "wall_s": round(took.wall_s, 2), "cpu_s": round(took.cpu_s, 1),
        "peak_mib": round(took.peak_bytes / 2**20), "predict_s": round(asked.wall_s, 2), "load": round(load, 1),
        "commit": commit(), **facts(place / "run"),
    }  # fmt: skip
    if took.code or asked.code:
        said = " ".join(log.read_text("utf-8", "replace").split())[-200:]
        row["error"] = f"fit {took.code}, predict {asked.code}: {said}"
    else:
        y, p = read_answers(task, test, answers)
        told = pd.read_csv(answers)["prediction"].astype(str)
        row["accuracy"] = float(accuracy_score(pd.read_csv(test)[task.target].astype(str), told))
        row["auc"] = float(roc_auc_score(y, p[:, 1]))
    if not args.keep:
        shutil.rmtree(place / "run", ignore_errors=True)
    return row


def table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """A line a fit."""
    lines = [f"{'task':16} {'way':5} {'seconds':>7} {'seed':>4} {'accuracy':>8} {'AUC':>7} {'wall s':>7}"]
    for r in rows:
        scores = "  failed" if r["accuracy"] is None else f"{r['accuracy']:8.4f} {r['auc']:7.4f}"
        lines.append(f"{r['task']:16} {r['way']:5} {r['seconds']:7g} {r['seed']:4} {scores} {r['wall_s']:7.1f}")
    return lines


def main() -> None:
    """Parse, run what is not there yet, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", type=Path, help="folder with tasks.py, beside a folder data")
    parser.add_argument("--tasks", default="movie_reviews,sms_spam")
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--autodl", default=str(Path(sys.executable).with_name("autodl")))
    parser.add_argument("--out", type=Path, default=Path("texts.jsonl"))
    parser.add_argument("--work", type=Path, default=Path("texts-work"))
    parser.add_argument("--keep", action="store_true", help="keep the run folders")
    parser.add_argument("--print", action="store_true", help="only print what is in the file")
    args = parser.parse_args()
    if not args.print:
        if args.bench is None:
            parser.error("give the folder of the tasks with --bench")
        done = {
            (r["task"], r["way"], r["seconds"], r["seed"]) for r in rows_of(args.out) if r["accuracy"] is not None
        }
        for seed in args.seeds:
            for task in read_tasks(args.bench, args.tasks):
                for way in args.ways:
                    if (task.name, way, args.seconds, seed) not in done:
                        append(args.out, measure(task, way, args.seconds, seed, args))
    print("\n".join(table(rows_of(args.out))))


if __name__ == "__main__":
    main()
