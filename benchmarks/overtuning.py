"""Does choosing the best of many noisy scores hurt, and what helps? Configurations tried on several splits of folds.

    python benchmarks/overtuning.py collect DATA --tables concrete,titanic --rows 400 --cache DIR
    python benchmarks/overtuning.py choose --cache DIR

``collect`` draws some rows of each table, tries a family's listed and random configurations on several splits of
five folds, and predicts up to 3,000 other rows, whose loss is close to the true one. ``choose`` replays searches in
random order and compares rules that choose among the configurations seen so far, one of them or an ensemble, at
equal numbers of trials. Nothing is timed; CPU seconds of the trials are kept.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from autodl.data import make_folds
from autodl.dataset import load
from autodl.evaluate.base import metrics
from autodl.options import FitOptions
from autodl.records import TrialSpec, Validation
from autodl.search.fitting import fitted_space
from autodl.search.job import Job, TrialData
from autodl.search.prepared import PreparedFolds
from autodl.search.trial import run_trial
from autodl.stages.preparing import plan, profile

Array = NDArray[np.float64]
TARGETS = {
    "titanic": "Survived", "bank_churn": "Exited", "cells": "Class", "concrete": "strength", "adult": "class",
    "california_housing": "median_house_value", "wine_quality": "quality",
}  # fmt: skip
MOST_TEST = 3_000


def collect(
    folder: Path, cache: Path, name: str, family: str, rows: int, configs: int, splits: int, seed: int
) -> None:
    """Losses of configurations by split and fold, and their true losses; kept in a file."""
    file = cache / f"{name}-{family}-{rows}-{seed}.npz"
    if file.exists():
        return
    options = FitOptions(target=TARGETS[name], families=(family,), seed=seed)
    table = load(str(folder / f"{name}.csv"), options)
    order = np.random.default_rng(seed).permutation(len(table.y))
    known, rest = order[:rows], order[rows : rows + MOST_TEST]
    made = plan(profile(table, None, options), options, False)
    frame, y = table.frame.iloc[known][list(made.features)].reset_index(drop=True), table.y[known]
    test, y_test = table.frame.iloc[rest][list(made.features)].reset_index(drop=True), table.y[rest]
    kind = "stratified" if made.classes else "random"
    metric, k = metrics[made.metric], len(made.classes)
    own = [
        tuple(
            make_folds(
                rows, validation=Validation(kind=kind, n_folds=5, test_size=0.0), strata=y, groups=None, times=None,
                seed=1000 * seed + s,
            )
        )
        for s in range(splits)
    ]  # fmt: skip
    data = [
        TrialData(frame, y, test, folds, table.schema.only(made.features), made.task, k, made.metric,
                  {f.key: f.recipe for f in made.families})
        for folds in own
    ]  # fmt: skip
    space = fitted_space(next(f for f in made.families if f.key == family), data[0])
    rng = np.random.default_rng(seed)
    tried = [*space.starts(), *(space.sample(rng) for _ in range(configs))][:configs]
    prepared = [PreparedFolds(d) for d in data]
    losses, folds, oofs, tests, seconds = [], [], [], [], []
    for c, config in enumerate(tried):
        begun = time.process_time()
        results = []
        for s, (d, ready) in enumerate(zip(data, prepared, strict=True)):
            spec = TrialSpec(id=f"t{c + 1:04d}", family=family, config=config, seed=100 * s)
            results.append(run_trial(Job(spec), d, ready))
        if any(r.oof is None for r in results):
            continue
        losses.append([r.result.loss for r in results])
        folds.append([r.result.fold_losses for r in results])
        oofs.append([r.oof for r in results])
        tests.append([r.test for r in results])
        seconds.append(time.process_time() - begun)
    test_predictions = np.array(tests, dtype=np.float32)
    true = [[metric.loss(y_test, t.astype(float), k) for t in per] for per in test_predictions]
    together = [metric.loss(y_test, per.astype(float).mean(axis=0), k) for per in test_predictions]
    averaged = [metric.loss(y, np.mean(o, axis=0).astype(float), k) for o in oofs]
    cache.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        file, loss=np.array(losses), folds=np.array(folds), true=np.array(true), together=np.array(together),
        averaged=np.array(averaged), seconds=np.array(seconds),
        oof=np.array(oofs, dtype=np.float32), test=test_predictions, y=y, y_test=y_test, metric=made.metric, k=k,
    )  # fmt: skip
    print(f"{file.name}: {len(losses)} configurations, {sum(seconds):.0f} CPU s", flush=True)


def main() -> None:
    """Collect or replay."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["collect", "choose"])
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--tables", default=",".join(TARGETS))
    parser.add_argument("--family", default="lightgbm")
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--configs", type=int, default=40)
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=2)
    args = parser.parse_args()
    if args.part == "collect":
        for seed in range(args.seeds):
            for name in args.tables.split(","):
                collect(args.data, args.cache, name, args.family, args.rows, args.configs, args.splits, seed)


if __name__ == "__main__":
    main()
