"""Early stopping of trainings: what does it find in the same CPU seconds, and how often does it stop a winner?

    python benchmarks/stopping.py DATA --part record --cache FILE.jsonl   # trains configurations to their end; hours
    python benchmarks/stopping.py DATA --part replay --cache FILE.jsonl   # schedulers on the recorded curves; minutes

DATA is a folder with concrete.csv, cells.csv, bank_churn.csv and california_housing.csv. `record` appends each
result to the cache; the same command again goes on where it ended. In `replay`, the recorded configurations come in
random orders; a trial that a scheduler stops costs the share of its CPU seconds that its curve had reached, and as
every one was trained to its end, a stopped winner is seen as such. Seconds are CPU seconds of this process with one
thread, so that other programs on the machine do not count.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from autodl.dataset import load
from autodl.options import FitOptions
from autodl.records import TrialSpec
from autodl.search.curves import Curve
from autodl.search.fitting import fitted_space
from autodl.search.job import Job, TrialData
from autodl.search.prepared import PreparedFolds
from autodl.search.schedulers.base import schedulers
from autodl.search.space import Config, SearchSpace
from autodl.search.strategies.base import strategies
from autodl.search.trial import run_trial
from autodl.search.watching import TrainingWatch
from autodl.stages.preparing import plan, profile

DATA = {
    "concrete": ("concrete.csv", "strength"),
    "cells": ("cells.csv", "Class"),
    "bank_churn": ("bank_churn.csv", "Exited"),
    "california": ("california_housing.csv", "median_house_value"),
}
ROWS = {"mlp": 900, "lightgbm": 2_400}
"""Rows drawn from each table, so that a hundred trainings are affordable; a quarter of them validates."""
FAMILIES = {"mlp": 40, "lightgbm": 80}
"""Configurations recorded of each: the listed ones, then random ones."""

BUDGETS = (0.2, 0.35, 0.5)
"""Shares of the CPU seconds that training everything to its end took, at which the best found is looked at."""
FREE = 4
"""Trials that are never stopped, as those of the first wave and of a portfolio."""


@cache
def problem(folder: Path, name: str, family: str) -> tuple[TrialData, SearchSpace]:
    """One hold-out split of a table, and the family's space as a fit would search it."""
    file, target = DATA[name]
    options = FitOptions(target=target, families=(family,))
    table = load(str(folder / file), options)
    rng = np.random.default_rng(0)
    rows = rng.permutation(len(table.y))[: ROWS[family]]
    made = plan(profile(table, None, options), options, False)
    data = TrialData(
        frame=table.frame.iloc[rows][list(made.features)].reset_index(drop=True),
        y=table.y[rows],
        test_frame=table.frame.iloc[:0][list(made.features)],
        folds=((np.arange(len(rows) // 4, len(rows)), np.arange(len(rows) // 4)),),
        schema=table.schema.only(made.features),
        task=made.task,
        n_classes=len(made.classes),
        metric=made.metric,
        recipes={f.key: f.recipe for f in made.families},
    )
    return data, fitted_space(next(f for f in made.families if f.key == family), data)


def record(folder: Path, out: Path, names: list[str], keys: list[str]) -> None:
    """Train every configuration to its end; one line each, the tables in turn."""
    done = {(r["data"], r["family"], r["number"]) for r in kept(out)}
    tasks = [(number, key, name) for key in keys for number in range(FAMILIES[key]) for name in names]
    for number, key, name in sorted(tasks, key=lambda t: t[0] / FAMILIES[t[1]]):
        if (name, key, number) in done:
            continue
        data, prepared, configs = candidates(folder, name, key)
        began = time.process_time()
        result = run_trial(
            Job(TrialSpec(id=f"t{number:04d}", family=key, config=configs[number])), data, prepared
        ).result
        row = {
            "data": name, "family": key, "number": number, "config": configs[number], "loss": result.loss,
            "seconds": time.process_time() - began, "measure": result.measure,
            "curve": [(p.progress, p.valid) for p in result.curve if p.valid is not None],
        }  # fmt: skip
        with out.open("a") as file:
            file.write(json.dumps(row) + "\n")


@cache
def candidates(folder: Path, name: str, family: str) -> tuple[TrialData, PreparedFolds, list[Config]]:
    """The table, and the configurations recorded on it: those of the portfolio first."""
    data, space = problem(folder, name, family)
    configs = list(space.starts())
    configs += strategies["random"]().ask(space, (), FAMILIES[family] - len(configs), np.random.default_rng(1))
    return data, PreparedFolds(data), configs


@dataclass
class Tally:
    """What a scheduler did over many orders of the same recorded trials."""

    regrets: list[list[float]] = field(default_factory=list)
    cost: list[float] = field(default_factory=list)
    trials: int = 0
    stopped: int = 0
    lost: int = 0


def replay(rows: list[dict[str, Any]], orders: int) -> None:
    """Print a line for each scheduler, table and family."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        if row["curve"] and row["loss"] is not None:
            groups.setdefault((row["family"], row["data"]), []).append(row)
    budgets = " ".join(f"{f'at {b:.0%}':>7}" for b in BUDGETS)
    print(f"{'family':9} {'data':10} {'scheduler':11} {'n':>3} {budgets}   cost stopped  lost P(won|stopped)")
    for (family, data), group in sorted(groups.items()):
        for key in schedulers:
            tally = Tally()
            for order in range(orders):
                shuffled = [group[i] for i in np.random.default_rng(order).permutation(len(group))]
                one_order(shuffled, key, tally)
            regrets = " ".join(f"{100 * r:6.2f}%" for r in np.mean(tally.regrets, axis=0))
            share, won = tally.stopped / max(1, tally.trials), tally.lost / max(1, tally.stopped)
            print(
                f"{family:9} {data:10} {key:11} {len(group):3} {regrets} {np.mean(tally.cost):6.2f} "
                f"{share:7.2f} {tally.lost:5} {won:14.3f}"
            )


def one_order(rows: list[dict[str, Any]], key: str, tally: Tally) -> None:
    """Play the trials in this order; the first ``FREE`` are never stopped."""
    total, lowest = sum(r["seconds"] for r in rows), min(r["loss"] for r in rows)
    spent, best = 0.0, float("inf")
    curves: list[Curve] = []
    path: list[tuple[float, float]] = []
    for number, row in enumerate(rows):
        measure = f"{row['config'].get('prep.target')} {row['config'].get('prep.balance')}"
        scheduler = schedulers[key if number >= FREE else "none"]()
        watch = TrainingWatch(scheduler, [c for c in curves if c.measure == measure], number)
        told = next((k for k, point in enumerate(row["curve"], 1) if watch(*point)), len(row["curve"]))
        if watch.stopped:
            spent += row["seconds"] * told / len(row["curve"])
            tally.lost += row["loss"] < best
            curves.append(Curve.of(row["curve"][:told], measure=measure))
        else:
            spent, best = spent + row["seconds"], min(best, row["loss"])
            curves.append(Curve.of(row["curve"], ended=True, loss=row["loss"], measure=measure))
        tally.trials, tally.stopped = tally.trials + (number >= FREE), tally.stopped + watch.stopped
        path.append((spent / total, best))
    tally.cost.append(spent / total)
    # Before the first trial has ended there is nothing: what is worst stands for that.
    worst = max(r["loss"] for r in rows)
    found = [min((b for cost, b in path if cost <= budget), default=worst) for budget in BUDGETS]
    tally.regrets.append([(f - lowest) / lowest for f in found])


def kept(path: Path) -> list[dict[str, Any]]:
    """The rows of the cache."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--part", choices=["record", "replay"], required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--data", nargs="*", default=list(DATA))
    parser.add_argument("--families", nargs="*", default=list(FAMILIES))
    parser.add_argument("--orders", type=int, default=60)
    given = parser.parse_args()
    if given.part == "record":
        record(given.folder, given.cache, given.data, given.families)
    else:
        replay([r for r in kept(given.cache) if r["family"] in given.families], given.orders)


if __name__ == "__main__":
    main()
