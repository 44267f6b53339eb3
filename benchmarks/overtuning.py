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
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
SEARCHES = (
    ("once, 12 trials", 12, 0.0, 0, 0),
    ("once, 40 trials", 40, 0.0, 0, 0),
    ("50 %, 5 leaders, from 7 on", 40, 0.5, 5, 7),
    ("35 %, 5 leaders, from 7 on", 40, 0.35, 5, 7),
    ("35 %, 5 leaders, from 20 on", 40, 0.35, 5, 20),
)
"""Label, trials, share of repeats, leaders, trials before the first repeat."""
RULES = ("mean", "most", "0.5", "1.0")
REPLAYS, BLENDS = 200, 20


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


def race(loss: Array, order: Array, trials: int, share: float, leaders: int, first: int) -> dict[int, int]:
    """Configuration -> splits on which it was tried, after so many trials; a share of these went to leaders again.

    Args:
        loss: (configurations, splits). order: In which configurations come up.
        trials: In all. share: 0 tries each configuration once. leaders: Best by mean, which are tried again.
        first: Trials before the first repeat.
    """
    seen: dict[int, int] = {}
    fresh, again = iter(order), 0
    for n in range(trials):
        if n >= first and again < share * (n - first):
            ranked = sorted(seen, key=lambda c: loss[c, : seen[c]].mean())[:leaders]
            due = [(seen[c], place, c) for place, c in enumerate(ranked) if seen[c] < loss.shape[1]]
            if due:
                seen[min(due)[2]] += 1
                again += 1
                continue
        if (new := next(fresh, None)) is None:
            break
        seen[int(new)] = 1
    return seen


def single(rule: str, loss: Array, folds: Array, seen: dict[int, int]) -> int:
    """What a rule takes: by the ``mean``, by it among those on ``most`` splits, or by it plus c standard errors."""
    tried = list(seen)
    mean = np.array([loss[c, : seen[c]].mean() for c in tried])
    if rule == "most":
        most = max(seen.values())
        mean = np.where([seen[c] == most for c in tried], mean, np.inf)
    elif rule != "mean":
        error = [folds[c, : seen[c]].std(ddof=1) / np.sqrt(folds[c, : seen[c]].size) for c in tried]
        mean = mean + float(rule) * np.array(error)
    return tried[int(np.argmin(mean))]


def greedy(predictions: Array, loss: Callable[[Array], float]) -> Array:
    """Weights by greedy selection with replacement (Caruana et al. 2004)."""
    total, picks, kept, best = np.zeros_like(predictions[0]), [], [], np.inf
    for step in range(20):
        losses = [loss((total + p) / (step + 1)) for p in predictions]
        pick = int(np.argmin(losses))
        total = total + predictions[pick]
        picks.append(pick)
        if losses[pick] < best:
            best, kept = losses[pick], list(picks)
    return np.bincount(kept, minlength=len(predictions)) / len(kept)


def blended(table: dict[str, Any], splits: Array, seen: dict[int, int], own: bool) -> float:
    """True loss of the ensemble of the ten best, as bags of one split each, or of all on which they were tried."""
    metric, k, loss = metrics[str(table["metric"])], int(table["k"]), table["loss"]
    best = sorted(seen, key=lambda c: loss[c, splits[: seen[c]]].mean())[:10]
    known = [table["oof"][c, splits[: seen[c]]].astype(float).mean(axis=0) for c in best]
    weights = greedy(np.array(known), lambda p: metric.loss(table["y"], p, k))
    held = [table["test"][c, splits[: seen[c] if own else 1]].astype(float).mean(axis=0) for c in best]
    return float(metric.loss(table["y_test"], np.tensordot(weights, np.array(held), axes=1), k))


def choose(cache: Path) -> None:
    """Replay searches on what was collected and print the means over tables."""
    found: dict[str, list[float]] = {}
    for file in sorted(cache.glob("*.npz")):
        with np.load(file) as stored:
            table = dict(stored)
        if len(table["loss"]) < 20:
            continue
        true = table["true"].mean(axis=1)
        for label, trials, share, leaders, first in SEARCHES:
            rng = np.random.default_rng(0)
            alone: dict[str, list[float]] = {rule: [] for rule in RULES}
            together: list[tuple[float, float]] = []
            for n in range(REPLAYS):
                splits, order = rng.permutation(table["loss"].shape[1]), rng.permutation(len(true))
                seen = race(table["loss"][:, splits], order, trials, share, leaders, first)
                for rule in RULES:
                    taken = single(rule, table["loss"][:, splits], table["folds"][:, splits], seen)
                    alone[rule].append(true[taken] / true.min() - 1)
                if n < BLENDS:
                    together.append((blended(table, splits, seen, False), blended(table, splits, seen, True)))
            one, own = np.mean(together, axis=0) / true.min() - 1
            row = {f"single {rule}": float(np.mean(v)) for rule, v in alone.items()}
            row |= {"ensemble": float(one), "ensemble, all splits": float(own)}
            print(f"{file.stem:36s} {label:28s} " + "  ".join(f"{k} {100 * v:6.2f}" for k, v in row.items()))
            for key, value in row.items():
                found.setdefault(f"{label:28s} {key}", []).append(100 * value)
    print("\nMean over tables, percent above the lowest true loss of one configuration:")
    for key, values in found.items():
        print(f"{key:50s} {np.mean(values):6.2f}")


def main() -> None:
    """Collect or replay."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["collect", "choose"])
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--tables", default=",".join(TARGETS))
    parser.add_argument("--family", default="lightgbm")
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--configs", type=int, default=40)
    parser.add_argument("--splits", type=int, default=4)
    parser.add_argument("--seeds", type=int, default=2)
    args = parser.parse_args()
    if args.part == "collect":
        for seed in range(args.seeds):
            for name in args.tables.split(","):
                collect(args.data, args.cache, name, args.family, args.rows, args.configs, args.splits, seed)
    else:
        choose(args.cache)


if __name__ == "__main__":
    main()
