"""Population based training against the usual search of a network, at equal CPU seconds of this process.

    python benchmarks/pbt.py DATA_FOLDER --tasks concrete:strength --seconds 90 --seeds 3

One trial at a time in this process, until the CPU seconds are spent (one thread a library, so that they mean the same
for all); prints the best validation loss, and the loss of that trial's fold models on the test rows.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from autodl import stages
from autodl.evaluate.base import metrics
from autodl.events import silent
from autodl.options import build_options
from autodl.run_context import RunContext
from autodl.search.allocation import Allocation
from autodl.search.breeding import Breeding
from autodl.search.budget import Budget
from autodl.search.job import Job
from autodl.search.prepared import PreparedFolds
from autodl.search.strategies.base import strategies
from autodl.search.strategies.pbt import PBT
from autodl.search.trial import run_trial
from autodl.store import RunFolder


def search(
    data: Path, target: str, family: str, strategy: str, seed: int, seconds: float, rows: int, folds: int
) -> dict:
    import pandas as pd
    import torch  # noqa: F401 - its import is nobody's training

    frame = pd.read_csv(data)
    if rows < len(frame):
        frame = frame.sample(rows, random_state=0).reset_index(drop=True)
    options = build_options(target=target, families=[family], seed=seed, time_budget=None, max_trials=10_000)
    with tempfile.TemporaryDirectory() as place:
        ctx = RunContext(
            RunFolder(Path(place) / "run"), options, Budget(math.inf, time.time()), silent, threading.Event(), ""
        )
        dataset = stages.read(frame, options)
        plan = stages.plan(stages.profile(dataset, None, options), options, False)
        problem = stages.problem(ctx, dataset, None, plan, stages.rows(ctx, dataset, None, plan))
    setup, models = problem.setup, {}
    setup = replace(setup, data=replace(setup.data, folds=setup.data.folds[:folds], threads=1))
    breeding = Breeding(PBT(seed), lambda r: r.spec.id in models) if strategy == "pbt" else None
    asked = strategies["tpe" if strategy == "pbt" else strategy](seed)
    allocation = Allocation(plan.families, setup.spaces(), asked, seed, breeding=breeding)
    cache, done, metric = PreparedFolds(setup.data, 10**9), [], metrics[plan.metric]
    tests, children, began = {}, 0, time.process_time()
    while time.process_time() - began < seconds:
        spec = allocation.next(done, [], lambda s: True)
        outcome = run_trial(Job(spec, parents=tuple(models.get(spec.parent, ()))), setup.data, cache)
        if time.process_time() - began > seconds:
            break  # it would have been cut off
        done.append(outcome.result)
        children += spec.parent is not None
        if outcome.result.ok:
            models[spec.id] = outcome.models
            tests[spec.id] = metric.loss(problem.y_test, outcome.test.astype(float), setup.data.n_classes)
    best = min((r for r in done if r.ok), key=lambda r: r.loss)
    return {"best": best.loss, "test": tests[best.spec.id], "trials": len(done), "children": children,
            "failed": sum(not r.ok for r in done), "child": best.spec.parent is not None}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--tasks", nargs="+", default=["concrete:strength"])
    parser.add_argument("--family", default="mlp")
    parser.add_argument("--strategies", nargs="+", default=["tpe", "pbt"])
    parser.add_argument("--seconds", type=float, default=90)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=10**9, help="of the table, drawn at random")
    parser.add_argument("--folds", type=int, default=10**9, help="the first so many only: more trials a second")
    args = parser.parse_args()
    print("| table | search | seed | best loss | its test loss | trials | children | failed | the best is a child |")
    print("|---|---|---|---|---|---|---|---|---|")
    for task in args.tasks:
        name, target = task.split(":")
        found: dict[str, list[dict]] = {strategy: [] for strategy in args.strategies}
        for seed in range(args.seeds):
            for strategy in args.strategies:  # in turn: what else runs on the machine changes with time
                path = args.data / f"{name}.csv"
                with threadpool_limits(1):
                    r = search(path, target, args.family, strategy, seed, args.seconds, args.rows, args.folds)
                found[strategy].append(r)
                print(
                    f"| {name} | {strategy} | {seed} | {r['best']:.5g} | {r['test']:.5g} | {r['trials']} "
                    f"| {r['children']} | {r['failed']} | {r['child']} |",
                    flush=True,
                )
        for strategy, runs in found.items():
            best, test = ([r[k] for r in runs] for k in ("best", "test"))
            print(f"| {name} | {strategy} | mean | {np.mean(best):.5g} | {np.mean(test):.5g} | | | | |", flush=True)


if __name__ == "__main__":
    main()
