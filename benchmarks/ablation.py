"""What each part of autodl gains at an equal budget: portfolio, search, bagging, ensemble, networks, preparation.

    python benchmarks/ablation.py --bench BENCH --seconds 60 --seeds 0 1 --out ablation.jsonl
    python benchmarks/ablation.py --bench BENCH --out ablation.jsonl --print

Four fits a task and seed, each with the whole budget (the arms): the listed settings only, then searching, then with
neural networks, then with everything, which is the default. The first three prepare columns plainly (see `plain`).
What bagging, ensemble and refit add is read from one run folder: the best model of one fold, the mean of its folds'
models, the ensemble of such means, and what was delivered. All losses are on the duel's test rows.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from scipy import stats

from bench_fit import append, commit, facts, fit, rows_of
from bench_tasks import BenchTask, answers, loss, read_tasks, split

Row = Mapping[str, Any]
ARMS = ("portfolio", "search", "networks", "full")
CHAIN = (
    ("portfolio alone, model of one fold", "portfolio", "one"),
    ("+ search", "search", "one"),
    ("+ bagging of the folds' models", "search", "bag"),
    ("+ ensemble", "search", "ensemble"),
    ("+ training again on all rows", "search", "delivered"),
    ("+ networks", "networks", "delivered"),
    ("+ preparation (the default)", "full", "delivered"),
)
"""Name, arm and part of each step."""
NEEDED = frozenset({"columns", "impute", "categories", "text", "text_features", "text_components", "max_onehot"})
"""Fields of a recipe without which a family could not read the columns at all: they stay as the family has them."""
EQUAL = 0.001
"""Losses that differ by less than this share count as equal."""


def plain(family: str, objectives: Sequence[str]) -> dict[str, Any]:
    """A family's search space with the plainest preparation that it can work with, and no other, as YAML wants it.

    Numbers are standardized where the family scales them at all; everything that can be switched off is off. Losses
    beside ``auto`` are those that the plan offers, as in the default.
    """
    from autodl.models.base import families
    from autodl.records import Recipe
    from autodl.search.space import family_space

    recipe = families[family].recipe
    fixed: dict[str, Any] = {}
    for name in Recipe.model_fields:
        value = getattr(recipe, name)
        if isinstance(value, bool):
            value = False
        elif name in ("scale", "target"):
            value = "none" if value == "none" else "standard"
        elif name not in NEEDED:
            value = "none" if isinstance(value, str) else type(value)(0)
        fixed[f"prep.{name}"] = {"type": "choice", "values": [value]}
    shipped = family_space(family)
    shipped = shipped.restricted("objective", ("auto", *objectives))
    space = shipped.without(*(n for n in shipped.params if n.startswith("prep.")))
    params = {n: p.model_dump(mode="json", exclude_defaults=True) for n, p in space.params.items()}
    portfolio = [c for i, c in enumerate(space.portfolio) if c not in space.portfolio[:i]]
    return {"params": {**params, **fixed}, "portfolio": portfolio, "nas": list(space.nas)}


def flags_of(arm: str, task: BenchTask, train: Path, seconds: float, args: argparse.Namespace) -> list[str]:
    """Options of `autodl fit` for an arm; a file of search spaces is written beside the rows."""
    if arm == "full":
        return []
    from autodl.models.base import families

    command = [args.autodl, "plan", str(train), *task.flags, "--time-budget", f"{seconds:g}s", "--json"]
    planned = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    keys = [f["key"] for f in planned["plan"]["families"]]
    objectives = {f["key"]: f["objectives"] for f in planned["plan"]["families"]}
    if arm != "networks":
        keys = [k for k in keys if not families[k].deep]
    file = train.parent / f"plain-{arm}.yaml"
    spaces = {k: plain(k, objectives[k]) for k in keys if families[k].complexity > 0}
    file.write_text(yaml.safe_dump(spaces, sort_keys=False), encoding="utf-8")
    only = ["--search", "portfolio"] if arm == "portfolio" else []
    return ["--families", ",".join(keys), "--space", str(file), *only]


def part_losses(task: BenchTask, run: Path, test: Path) -> dict[str, float]:
    """Losses on the test rows of what one run folder holds, by part (see ``CHAIN``)."""
    from autodl.data import apply_schema
    from autodl.ensemble import combine
    from autodl.model import DeliveredModel, load_model
    from autodl.models.base import families
    from autodl.records import Ensemble
    from autodl.search.repeats import merged
    from autodl.store import RunFolder

    folder = RunFolder(run, trusted=True)
    delivered = DeliveredModel(folder)
    raw = pd.read_csv(test)
    frame = apply_schema(raw, delivered.manifest.features, where=test.name)
    trials = {r.spec.id: r for r in merged(folder.trials())}
    ensemble = folder.read("ensemble", Ensemble)
    assert ensemble is not None, f"{run} has no ensemble"

    def folds(trial: str) -> list[Any]:
        return [load_model(folder, ref).predict(frame) for ref in trials[trial].models]

    usable = [r for r in trials.values() if r.ok and folder.has_models(r) and families[r.spec.family].complexity > 0]
    usable = usable or [r for r in trials.values() if r.ok and folder.has_models(r)]
    best = folds(min(usable, key=lambda r: math.inf if r.loss is None else r.loss).spec.id)
    members = {m.trial_id: np.mean(folds(m.trial_id), axis=0) for m in ensemble.members}
    parts = {
        "one": best[0],
        "bag": np.mean(best, axis=0),
        "ensemble": combine(ensemble, members),
        "delivered": delivered.predict_raw(frame),
    }
    classes = delivered.manifest.classes

    def score(prediction: Any) -> float:
        if task.kind == "regression":
            found = pd.DataFrame({"prediction": prediction})
        else:
            found = pd.DataFrame(prediction, columns=[f"proba_{c}" for c in classes])
        return loss(task.kind, *answers(task, raw[task.target], found))

    return {name: score(prediction) for name, prediction in parts.items()}


def measure(arm: str, task: BenchTask, seed: int, args: argparse.Namespace) -> dict[str, Any]:
    """Fit one arm and score its parts."""
    train, test = split(task, seed, args.work)
    place = train.parent / f"ablation-{arm}-{args.seconds:g}"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    flags = [*task.flags, *flags_of(arm, task, train, args.seconds, args)]
    took = fit(args.autodl, train, flags, args.seconds, seed, place / "run", place / "log.txt")
    row = {
        "task": task.name, "kind": task.kind, "seconds": args.seconds, "seed": seed, "arm": arm, "losses": {},
        "error": None, "wall_s": round(took.wall_s, 2), "cpu_s": round(took.cpu_s, 1), "commit": commit(),
        **facts(place / "run"),
    }  # fmt: skip
    if took.code:
        said = " ".join((place / "log.txt").read_text("utf-8", "replace").split())
        row["error"] = f"fit {took.code}: {said[-200:]}"
    else:
        row["losses"] = part_losses(task, place / "run", test)
    if not args.keep:
        shutil.rmtree(place / "run", ignore_errors=True)
    return row


def chain_table(rows: Sequence[Row]) -> list[str]:
    """A line a step: loss over that of the default, and what the step changes, paired by task and seed.

    Intervals are 95 % t intervals over tasks (means of the log ratio over seeds first).
    """
    found = {(r["task"], r["seed"], r["arm"]): r["losses"] for r in rows if r["error"] is None}
    pairs = sorted({(t, s) for t, s, _ in found if all((t, s, arm) in found for _, arm, _ in CHAIN)})
    if not pairs:
        return ["No task has all arms yet."]
    tasks = sorted({t for t, _ in pairs})

    def logs(step: tuple[str, str, str], other: tuple[str, str, str]) -> list[float]:
        """By task: the mean over seeds of log(loss of step / loss of other)."""
        return [
            statistics.mean(
                math.log(max(found[t, s, step[1]][step[2]], 1e-12) / max(found[t, s, other[1]][other[2]], 1e-12))
                for t, s in pairs
                if t == task
            )
            for task in tasks
        ]

    lines = ["| step | loss / default | change by the step | 95 % interval | better | equal | worse |",
             "|---|---:|---:|---|---:|---:|---:|"]  # fmt: skip
    for n, step in enumerate(CHAIN):
        total = math.exp(statistics.mean(logs(step, CHAIN[-1])))
        if n == 0:
            lines.append(f"| {step[0]} | {total:.3f} | | | | | |")
            continue
        change = logs(step, CHAIN[n - 1])
        mean, interval = statistics.mean(change), ""
        if len(change) > 1:
            half = float(stats.t.ppf(0.975, len(change) - 1) * np.std(change, ddof=1) / math.sqrt(len(change)))
            interval = " to ".join(f"{100 * math.expm1(v):+.1f} %" for v in (mean - half, mean + half))
        better, worse = (sum(sign * v > math.log1p(EQUAL) for v in change) for sign in (-1, 1))
        lines.append(f"| {step[0]} | {total:.3f} | {100 * math.expm1(mean):+.1f} % | {interval} "
                     f"| {better} | {len(change) - better - worse} | {worse} |")  # fmt: skip
    seeds = sorted({s for _, s in pairs})
    return [*lines, "", f"{len(tasks)} tasks, seeds {', '.join(map(str, seeds))}; geometric means; minus is better."]


def task_table(rows: Sequence[Row]) -> list[str]:
    """Losses of each step by task, means over seeds."""
    lines = ["| task | " + " | ".join(name for name, _, _ in CHAIN) + " |", "|---|" + "---:|" * len(CHAIN)]
    for task in dict.fromkeys(r["task"] for r in rows):
        shown = []
        for _, arm, part in CHAIN:
            own = [r["losses"][part] for r in rows if r["task"] == task and r["arm"] == arm and r["error"] is None]
            shown.append(f"{statistics.mean(own):.4g}" if own else "")
        lines.append(f"| {task} | " + " | ".join(shown) + " |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", type=Path, required=True, help="folder with tasks.py, beside data/")
    parser.add_argument("--tasks", default="develop", help="all, develop, confirm, or names with commas between")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    parser.add_argument("--out", type=Path, default=Path("runs/ablation.jsonl"))
    parser.add_argument("--work", type=Path, default=Path("runs/ablation"), help="rows and logs")
    parser.add_argument("--keep", action="store_true", help="keep the run folders")
    parser.add_argument("--autodl", default=str(Path(sys.executable).with_name("autodl")))
    parser.add_argument("--print", action="store_true", dest="show", help="only the tables of what is in --out")
    args = parser.parse_args()
    tasks = read_tasks(args.bench, args.tasks)
    if not args.show:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        done = {(r["task"], r["seed"], r["arm"], r["seconds"]) for r in rows_of(args.out) if r["error"] is None}
        for seed in args.seeds:
            for task in tasks:
                for arm in args.arms:  # beside each other: what else the machine does falls on all
                    if (task.name, seed, arm, args.seconds) not in done:
                        append(args.out, measure(arm, task, seed, args))
    names = {t.name for t in tasks}
    rows = [r for r in rows_of(args.out) if r["task"] in names and r["seconds"] == args.seconds]
    print("\n" + "\n".join(chain_table(rows)) + "\n\n" + "\n".join(task_table(rows)))


if __name__ == "__main__":
    main()
