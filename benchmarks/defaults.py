"""Which configuration of a family first, which next? Losses and CPU seconds of candidates, and an order by evidence.

    python benchmarks/defaults.py record DATA --cache FOLDER --families lightgbm catboost   # trains; minutes a family
    python benchmarks/defaults.py order --cache FOLDER --families lightgbm                  # seconds
    python benchmarks/defaults.py costs --cache FOLDER                                      # errors of the estimates

DATA is a folder with the CSV files of ``TABLES``; scikit-learn's own tables come with it. `record` trains every
candidate (the shipped portfolio, those of ``default_candidates.py``, random draws of the space) on a part of each
table, stops early on other rows and measures on yet others; the same command again goes on where it ended. Seconds
are CPU seconds of one thread, so that other programs on the machine do not count.

`order` builds a portfolio greedily (Feurer et al. 2022, "Auto-sklearn 2.0"; Salinas and Erickson 2024, "TabRepo"):
next comes the candidate that lowers the mean loss of the greedy ensemble of what is there by most a second. Losses
are relative to the best candidate of any family on that table; log loss for classes, RMSE for numbers.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import time
import traceback
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from autodl.clock import Deadline
from autodl.dataset import load
from autodl.model import raw_predict
from autodl.models.base import Shape, families
from autodl.options import FitOptions
from autodl.records import Recipe, Task, TrialSpec
from autodl.search.fitting import fitted_space
from autodl.search.fold_model import fit_model, split_config, trial_recipe
from autodl.search.job import TrialData
from autodl.search.prepared import PreparedFolds
from autodl.search.space import Config
from autodl.search.strategies.base import strategies
from autodl.stages.preparing import plan, profile
from default_candidates import CANDIDATES

TABLES = {
    "titanic": "Survived", "bank_churn": "Exited", "cells": "Class", "concrete": "strength",
    "california_housing": "median_house_value", "wine_quality": "quality", "adult": "class", "letter": "lettr",
}  # fmt: skip
BUNDLED = ("diabetes", "breast_cancer", "wine", "digits")
"""Tables that come with scikit-learn."""
CLASSES_ASKED = ("letter",)
ROWS = (1_000, 400, 2_000)
"""Rows to train on, to stop and choose by, and to measure on (at most)."""
SECONDS = 60.0
"""After so many a training is cut: nobody would wait for it."""


@dataclass(frozen=True)
class Cut:
    """One split of a table: what a trial needs, and the targets of the rows to measure on."""

    data: TrialData
    y_test: np.ndarray


def all_tables() -> list[str]:
    return [*TABLES, *BUNDLED]


def _file(folder: Path, name: str) -> tuple[pd.DataFrame | str, str]:
    if name in TABLES:
        return str(folder / f"{name}.csv"), TABLES[name]
    from sklearn import datasets

    frame = getattr(datasets, f"load_{name}")(as_frame=True).frame
    return frame, "target"


@cache
def cut(folder: Path, name: str, split: int, rows: tuple[int, int, int] = ROWS) -> Cut:
    """A random split of a table, prepared as a fit would plan it."""
    source, target = _file(folder, name)
    options = FitOptions(target=target, **({"task": "classification"} if name in CLASSES_ASKED else {}))
    table = load(source, options)
    made = plan(profile(table, None, options), options, False)
    order = np.random.default_rng(split).permutation(len(table.y))
    n_train, n_valid, n_test = rows
    n_train, n_valid = (min(n_train, len(order) // 2), min(n_valid, len(order) // 5))
    train, valid = order[:n_train], order[n_train : n_train + n_valid]
    test = order[n_train + n_valid :][:n_test]
    frame = table.frame[list(made.features)]
    data = TrialData(
        frame=frame.iloc[np.concatenate([train, valid])].reset_index(drop=True),
        y=table.y[np.concatenate([train, valid])],
        test_frame=frame.iloc[test].reset_index(drop=True),
        folds=((np.arange(n_train), np.arange(n_train, n_train + n_valid)),),
        schema=table.schema.only(made.features),
        task=made.task,
        n_classes=len(made.classes),
        metric=made.metric,
        recipes={f.key: f.recipe for f in made.families},
    )
    return Cut(data, table.y[test])


def configurations(key: str, data: TrialData, random: int) -> list[tuple[str, Config]]:
    """Names and configurations of a family's candidates; shipped ones first."""
    from autodl.records import FamilyPlan

    recipe = data.recipes.get(key, families[key].recipe)
    space = fitted_space(FamilyPlan(key=key, name=key, recipe=recipe, est_seconds=0.0, est_bytes=0, why=""), data)
    found = [(f"shipped-{i}", c) for i, c in enumerate(space.starts())]
    found += list(CANDIDATES.get(key, {}).items())
    drawn = strategies["random"]().ask(space, (), random, np.random.default_rng(1))
    return found + [(f"random-{i}", c) for i, c in enumerate(drawn)]


def identity(key: str, config: Config, recipe: Recipe) -> str:
    """The same for configurations that train alike, however much of them is left to the defaults."""
    own, _ = split_config(config)
    told = [key, families[key].config(**own).model_dump(), recipe.model_dump(mode="json")]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:12]


def measure(spec: TrialSpec, given: Cut, folds: PreparedFolds) -> tuple[dict[str, Any], np.ndarray, np.ndarray]:
    """Train one configuration; its row of results, and its predictions of the validation and test rows."""
    data = given.data
    recipe = trial_recipe(spec, data)
    ready = folds.get(recipe, 0)
    rows, valid = data.folds[0]
    began = time.process_time()
    model = fit_model(
        spec, recipe, (ready.preparer, ready.train), data.y[rows], (ready.valid, data.y[valid]), data,
        seed=spec.seed, deadline=Deadline.after(SECONDS),
    )  # fmt: skip
    seconds = time.process_time() - began
    of_valid, of_test = raw_predict(model, ready.valid), raw_predict(model, ready.test)
    x = ready.train
    shape = Shape(
        rows=len(rows), numeric=x.n_numeric, categorical=x.n_categorical, levels=sum(x.cardinalities),
        classes=data.n_classes,
    )  # fmt: skip
    own, _ = split_config(spec.config)
    estimate = families[spec.family]().estimate_cost(shape, families[spec.family].config(**own))
    row = {
        "loss": loss(data, given.y_test, of_test), "valid": loss(data, data.y[valid], of_valid),
        "numeric": x.n_numeric, "categorical": x.n_categorical, "levels": sum(x.cardinalities),
        "classes": data.n_classes, "seconds": seconds, "estimate": estimate.seconds, "rows": len(rows),
        "refit": dict(model.estimator.refit),
    }  # fmt: skip
    if data.n_classes == 2:
        from sklearn.metrics import roc_auc_score

        row["auc"] = float(roc_auc_score(given.y_test, of_test[:, 1]))
    return row, of_valid, of_test


def loss(data: TrialData, y: np.ndarray, prediction: np.ndarray) -> float:
    """Log loss, or RMSE."""
    if data.task is Task.CLASSIFICATION:
        p = np.clip(prediction[np.arange(len(y)), y], 1e-7, 1.0)
        return float(-np.log(p).mean())
    return float(np.sqrt(np.mean((y - prediction) ** 2)))


def record(asked: argparse.Namespace) -> None:
    """Train what has not been trained yet, tables in turn, and keep it."""
    out: Path = asked.cache
    out.mkdir(parents=True, exist_ok=True)
    done = {(r["table"], r["split"], r["id"], r["name"]) for r in kept(out)}
    until = time.monotonic() + 60 * asked.minutes
    for split in range(asked.splits):
        for table in asked.tables:
            given = cut(asked.data, table, split, (asked.rows, *ROWS[1:]))
            name = table if asked.rows == ROWS[0] else f"{table}@{asked.rows}"
            folds = PreparedFolds(given.data)
            for key in asked.families:
                for label, config in configurations(key, given.data, asked.random):
                    spec = TrialSpec(id="t0001", family=key, config=config, seed=split)
                    id_ = identity(key, config, trial_recipe(spec, given.data))
                    unwanted = asked.names and label not in asked.names
                    if unwanted or (name, split, id_, label) in done or time.monotonic() > until:
                        continue
                    done.add((name, split, id_, label))
                    row = {"table": name, "split": split, "family": key, "name": label, "id": id_, "config": config}
                    try:
                        found, of_valid, of_test = measure(spec, given, folds)
                    except Exception:
                        traceback.print_exc()
                        continue
                    valid = given.data.y[given.data.folds[0][1]]
                    np.savez(
                        out / f"{name}-{split}-{id_}.npz", valid=of_valid.astype(np.float32),
                        test=of_test.astype(np.float32), y_valid=valid, y_test=given.y_test,
                    )  # fmt: skip
                    with (out / "results.jsonl").open("a") as file:
                        file.write(json.dumps(row | found) + "\n")


def kept(out: Path) -> list[dict[str, Any]]:
    path = out / "results.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["record", "order", "costs"])
    parser.add_argument("data", type=Path, nargs="?", default=Path())
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--families", nargs="+", default=["lightgbm", "catboost", "extra_trees", "mlp"])
    parser.add_argument("--tables", nargs="+", default=all_tables())
    parser.add_argument("--names", nargs="+", default=[], help="record: these candidates only")
    parser.add_argument("--rows", type=int, default=ROWS[0], help="record: rows to train on, at most")
    parser.add_argument("--splits", type=int, default=1)
    parser.add_argument("--random", type=int, default=0, help="record: random draws of the space besides the listed")
    parser.add_argument("--minutes", type=float, default=1e9, help="record: begin no training after so many")
    parser.add_argument("--joint", action="store_true", help="order: one portfolio of all families")
    parser.add_argument("--length", type=int, default=10, help="order: entries")
    given = parser.parse_args()
    if given.part == "record":
        record(given)
        return
    import default_order

    if given.part == "order":
        rows = [r for r in kept(given.cache) if r["table"] in given.tables]
        default_order.order(given.cache, rows, given.families, given.length, given.joint)
    else:
        default_order.costs(kept(given.cache))


if __name__ == "__main__":
    main()
