"""Made data on which one kind of architecture should lead: does the fit find it, among all that it may try?

    python benchmarks/right_answers.py --data last_pulse last_word --seconds 100 --seeds 0 --out right.jsonl
    python benchmarks/right_answers.py --out right.jsonl --print

- `last_pulse`: series of noise with 4 to 12 pulses up or down; the class is the direction of the last. What occurs
  says nothing, nor how often, only what came last: a state that is carried along (a recurrent network) holds it,
  while shares and maxima over all steps (MiniRocket, pooled convolutions) do not.
- `last_word`: texts that say "on" and "off" several times among filler; the class is which came last.

A fit has default settings but for `--pretrained none` and the metric; each family's model of the best validation
score is also scored on a test file. A line of JSON a fit; what is in the file already is not run again, so take a
new file for a new version.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench_fit import append, commit, facts, fit, predict, rows_of

TRAIN, TEST = 2_000, 1_000
STEPS = 200
PULSE = np.array([1.0, 2.0, 3.0, 2.0, 1.0])
FILLER = "the a lamp in hall was then turned she he again later someone came and went it room door near"


def last_pulse(n: int, rng: np.random.Generator, to: Path) -> pd.Series:
    """Write n series to ``to``; their classes."""
    series = rng.normal(0, 0.3, (n, STEPS))
    signs = []
    for one in series:
        for start in np.sort(rng.choice(STEPS // 6, rng.integers(4, 13), replace=False)) * 6:
            sign = rng.choice([-1, 1])
            one[start : start + len(PULSE)] += sign * PULSE
        signs.append("up" if sign > 0 else "down")
    np.savez(to.with_suffix(".npz"), X=series[:, None], y=np.array(signs))
    return pd.Series(signs)


def last_word(n: int, rng: np.random.Generator, to: Path) -> pd.Series:
    """Write n texts to ``to``; their classes."""
    texts, classes = [], []
    for _ in range(n):
        words = list(rng.choice(FILLER.split(), rng.integers(25, 50)))
        for place in np.sort(rng.choice(len(words), rng.integers(3, 9), replace=False)):
            words[place] = str(rng.choice(["on", "off"]))
            last = words[place]
        texts.append(" ".join(words))
        classes.append(f"is {last}")
    pd.DataFrame({"text": texts, "label": classes}).to_csv(to.with_suffix(".csv"), index=False)
    return pd.Series(classes)


DATA = {"last_pulse": (last_pulse, ".npz"), "last_word": (last_word, ".csv")}


def measure(name: str, seconds: float, seed: int, args: argparse.Namespace) -> dict[str, Any]:
    """Make the data, fit, predict, score."""
    make, ending = DATA[name]
    place = args.work / f"{name}-{seed}-{seconds:g}"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    make(TRAIN, rng, place / "train")
    truth = make(TEST, rng, place / "test")
    train, test, run = place / f"train{ending}", place / f"test{ending}", place / "run"
    log, answers = place / "log.txt", place / "predictions.csv"
    flags = ["--pretrained", "none", "--metric", "accuracy", "--test", str(test)]
    if ending == ".csv":
        flags += ["--target", "label"]
    took = fit(args.autodl, train, flags, seconds, seed, run, log)
    asked = predict(args.autodl, run, test, answers, log, proba=False)
    row: dict[str, Any] = {
        "data": name, "seconds": seconds, "seed": seed, "wall_s": round(took.wall_s, 1), "commit": commit(),
        "accuracy": None, "families": {}, "error": None, **facts(run),
    }  # fmt: skip
    if took.code or asked.code:
        return {**row, "error": " ".join(log.read_text("utf-8", "replace").split())[-200:]}
    told = pd.read_csv(answers, dtype=str)["prediction"]
    row["accuracy"] = float((told == truth).mean())
    for model in json.loads((run / "run.json").read_text("utf-8"))["leaderboard"]:
        if model["test"] is not None:
            best = row["families"].setdefault(model["family"], (model["validation"], model["test"]))
            row["families"][model["family"]] = max(best, (model["validation"], model["test"]))
    if not args.keep:
        shutil.rmtree(run, ignore_errors=True)
    return row


def table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Accuracy on test rows: of what each fit delivers, and of each family's model of the best validation score."""
    lines = []
    for row in rows:
        lines.append(f"{row['data']}, {row['seconds']:g} s, seed {row['seed']}: {row['accuracy'] or row['error']}")
        for family, (validation, test) in sorted(row["families"].items(), key=lambda f: -f[1][1]):
            lines.append(f"    {family:20} {test:.3f} (validation {validation:.3f})")
    return lines


def main() -> None:
    """Parse, run what is not there yet, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", choices=DATA, default=list(DATA))
    parser.add_argument("--seconds", type=float, default=100.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--autodl", default=str(Path(sys.executable).with_name("autodl")))
    parser.add_argument("--out", type=Path, default=Path("right.jsonl"))
    parser.add_argument("--work", type=Path, default=Path("right-work"))
    parser.add_argument("--keep", action="store_true", help="keep the run folders")
    parser.add_argument("--print", action="store_true", dest="show", help="only print what is in the file")
    args = parser.parse_args()
    if not args.show:
        done = {(r["data"], r["seconds"], r["seed"]) for r in rows_of(args.out) if r["error"] is None}
        for name in args.data:
            for seed in args.seeds:
                if (name, args.seconds, seed) not in done:
                    append(args.out, measure(name, args.seconds, seed, args))
    print("\n" + "\n".join(table(rows_of(args.out))))


if __name__ == "__main__":
    main()
