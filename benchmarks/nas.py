"""Weight sharing and zero-cost proxies for networks on tables: do they rank architectures, do they find better ones?

    python benchmarks/nas.py DATA --part truth --cache FILE.jsonl     # trains architectures stand-alone; once
    python benchmarks/nas.py DATA --part proxies --cache FILE.jsonl   # correlations of proxies with the truth
    python benchmarks/nas.py DATA --part inherited --cache FILE.jsonl # correlations of inherited scores
    python benchmarks/nas.py DATA --part compare --cache FILE.jsonl   # strategies at equal CPU seconds

DATA is a folder with cells.csv, letter.csv, concrete.csv and bank_churn.csv. Everything costly is appended to the
cache line by line; the same command again goes on where it ended, and the tables are printed from the cache. Budgets
are seconds of this process's CPU with one thread, so that other programs on the machine do not count. `truth`,
`inherited` and `compare` take hours of CPU in all: use --data, --seeds and --methods for a part.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from scipy import stats

from autodl.clock import NEVER, Deadline
from autodl.dataset import load
from autodl.evaluate.base import metrics
from autodl.features import Features
from autodl.models.base import Meta, families
from autodl.options import FitOptions
from autodl.preprocess import Preparer
from autodl.records import ColumnKind, Recipe, TableSchema, Task
from autodl.search.encoding import listed
from autodl.search.history import Observation
from autodl.search.space import Config, SearchSpace, family_space, parse_space
from autodl.search.strategies.base import strategies

FAMILY = "mlp"
DATA = {
    "cells": ("Class", 1300, 300),
    "letter": ("lettr", 2000, 1000),
    "concrete": ("strength", 650, 180),
    "bank_churn": ("Exited", 2500, 1000),
}
"""Target, training rows, validation rows (drawn at random, at most 3,000 of the others for the test)."""
TEST_ROWS = 3000
PROXY_ROWS = 128
SHARING = "weight sharing"
"""The default, a training of shared weights, its proposals, then TPE."""
ARCHITECTURES = parse_space(
    {
        "depth": {"type": "int", "low": 1, "high": 5},
        "width": {"type": "choice", "values": [32, 64, 128, 256]},
        "activation": {"type": "choice", "values": ["relu", "silu", "selu", "mish", "gelu"]},
        "gate": {"type": "choice", "values": ["none", "reglu", "geglu", "swiglu"]},
        "norm": {"type": "choice", "values": ["none", "batch", "layer"]},
        "residual": {"type": "choice", "values": [False, True]},
    }
)
"""Part of the family's space; a wider one would take days."""


@dataclass
class Problem:
    """Rows of one split; targets are class codes or values.

    Attributes:
        parts: train, valid, test -> (frame, targets).
    """

    schema: TableSchema
    meta: Meta
    parts: dict[str, tuple[Any, np.ndarray]]
    cache: dict[str, dict[str, Features]] = field(default_factory=dict)

    def features(self, recipe: Recipe) -> dict[str, Features]:
        """The three parts, prepared by what the training rows show."""
        key = recipe.model_dump_json()
        if key not in self.cache:
            preparer = Preparer(recipe, self.schema, self.meta.task)
            train = preparer.fit_transform(*self.parts["train"])
            rest = {name: preparer.transform(self.parts[name][0]) for name in ("valid", "test")}
            self.cache[key] = {"train": train, **rest}
        return self.cache[key]

    def y(self, part: str) -> np.ndarray:
        """Targets."""
        return self.parts[part][1]

    def loss(self, part: str, predicted: np.ndarray) -> float:
        """Of predictions for a part."""
        return float(metrics[self.meta.metric].loss(self.y(part), predicted, self.meta.n_classes))


def recipe_of(config: Config) -> Recipe:
    """The family's recipe with the configuration's choices."""
    prep = {k.removeprefix("prep."): v for k, v in config.items() if k.startswith("prep.")}
    return Recipe.model_validate({**families[FAMILY].recipe.model_dump(), **prep})


@cache
def problem(folder: Path, name: str, seed: int = 0) -> Problem:
    """The rows of a data set, cut by ``seed``."""
    target, n_train, n_valid = DATA[name]
    data = load(str(folder / f"{name}.csv"), FitOptions(target=target))
    keep = [c for c in data.schema.columns if c.name != target and c.kind is not ColumnKind.ID]
    schema = TableSchema(columns=tuple(c for c in keep if c.n_unique < 0.9 * len(data.y) or c.numeric is not None))
    names = [c.name for c in schema.columns if not c.name.lower().endswith(("rownumber", "customerid", "cell"))]
    schema = TableSchema(columns=tuple(c for c in schema.columns if c.name in names))
    order = np.random.default_rng([seed, 7]).permutation(len(data.y))
    cuts = {
        "train": order[:n_train],
        "valid": order[n_train : n_train + n_valid],
        "test": order[n_train + n_valid :][:TEST_ROWS],
    }
    task = data.target.task
    metric = "log_loss" if task is Task.CLASSIFICATION else "rmse"
    parts = {k: (data.frame[names].iloc[rows].reset_index(drop=True), data.y[rows]) for k, rows in cuts.items()}
    return Problem(schema, Meta(task, len(data.target.classes), metric=metric), parts)


@dataclass(frozen=True)
class CpuDeadline(Deadline):
    """Passes when this process has used ``cpu`` seconds; it never makes the training shorten its schedule."""

    cpu: float = float("inf")

    def left(self) -> float:
        """CPU seconds."""
        return max(0.0, self.cpu - time.process_time())

    def passed(self) -> bool:
        """Whether they are used."""
        return time.process_time() >= self.cpu

    def earlier(self, other: Deadline | None) -> Deadline:
        """Itself."""
        return self


def trained(p: Problem, config: Config, seed: int, deadline: Deadline = NEVER) -> dict[str, float]:
    """Train one configuration; losses on validation and test rows, CPU seconds."""
    began = time.process_time()
    family = families[FAMILY]()
    own = {k: v for k, v in config.items() if not k.startswith("prep.")}
    model = family.build(family.config(**own), replace(p.meta, seed=seed))
    X = p.features(recipe_of(config))
    model.fit(X["train"], p.y("train"), X["valid"], p.y("valid"), deadline=deadline)
    predict = model.predict_proba if p.meta.task is Task.CLASSIFICATION else model.predict
    return {
        **{part: p.loss(part, predict(X[part])) for part in ("valid", "test")},
        "cpu": time.process_time() - began,
    }


class Lines:
    """A file of JSON lines that is only ever appended to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        text = path.read_text("utf-8") if path.exists() else ""
        self.rows: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines() if line.endswith("}")]

    def find(self, **keys: Any) -> dict[str, Any] | None:
        """The row with these entries."""
        return next((r for r in self.rows if all(r.get(k) == v for k, v in keys.items())), None)

    def add(self, row: dict[str, Any]) -> None:
        """Write a row."""
        self.rows.append(row)
        with self.path.open("a", encoding="utf-8") as out:
            out.write(json.dumps(row) + "\n")


def architectures(n: int) -> list[Config]:
    """The same random ones every time."""
    rng = np.random.default_rng(4)
    return [ARCHITECTURES.sample(rng) for _ in range(n)]


def truth(args: argparse.Namespace, lines: Lines) -> None:
    """Train every architecture stand-alone with the family's defaults."""
    for seed in args.seeds:
        for name in args.data:
            p = problem(args.folder, name)
            for i, config in enumerate(architectures(args.n)):
                key = {"part": "truth", "data": name, "arch": i, "seed": seed}
                if lines.find(**key) is None:
                    lines.add({**key, **trained(p, config, seed), "config": config})


def untrained(p: Problem, config: Config, seed: int, rows: int) -> tuple[Any, Any, Any, Any]:
    """A fresh module as a training would begin with, embedded training rows, their targets, and the objective."""
    import torch

    from autodl.models.nn.estimator import TabularNetwork
    from autodl.models.nn.inputs import InputPlan
    from autodl.train.device import isolated_seed

    family = families[FAMILY]()
    model = family.build(family.config(**config), replace(p.meta, seed=seed))
    assert isinstance(model, TabularNetwork)
    X, y = p.features(recipe_of(config))["train"], p.y("train")
    plan = InputPlan.learn(X)
    model._learn_target(y)
    inputs, objective = plan.tensors(X), model.objective()
    with isolated_seed(seed, torch.device("cpu")):
        module: Any = model.make_module(plan, inputs[1], objective.n_outputs)
        model.prepare(module, inputs, seed)
    chosen = torch.randperm(len(X), generator=torch.Generator().manual_seed(seed))[:rows]
    with torch.no_grad():
        x = module.eval().embed(*(t[chosen] for t in inputs))
    return module, x, model._target(y)[chosen], objective


def proxies(args: argparse.Namespace, lines: Lines) -> None:
    """Every proxy of every architecture at its initialization, on one batch."""
    from autodl.models.nn.proxies import PROXIES

    for name in args.data:
        p = problem(args.folder, name)
        for i, config in enumerate(architectures(args.n)):
            key = {"part": "proxies", "data": name, "arch": i}
            if lines.find(**key) is not None:
                continue
            module, x, target, objective = untrained(p, config, 0, PROXY_ROWS)
            began = time.process_time()
            scores = {k: f(module, module.outputs, x, target, objective) for k, f in PROXIES.items()}
            lines.add({**key, "scores": scores, "cpu": time.process_time() - began})
    correlations(args, lines, {k: (lambda r, k=k: -r["scores"][k]) for k in PROXIES}, "proxies")


def inherited(args: argparse.Namespace, lines: Lines) -> None:
    """Losses of the architectures with the weights of one network, trained for about --length single trainings."""
    for name in args.data:
        p = problem(args.folder, name)
        wanted = architectures(args.n)
        for length in args.length:
            if lines.find(part="inherited", data=name, arch=len(wanted) - 1, length=length) is not None:
                continue
            began = time.process_time()
            family = families[FAMILY]()
            choices = {k: tuple(listed(q)) for k, q in ARCHITECTURES.params.items()}
            common = family.config(epoch_factor=length)
            network = family.share_weights(common, p.meta, choices)
            X = p.features(recipe_of({}))
            network.train(X["train"], p.y("train"))
            cpu, scorer = time.process_time() - began, network.scorer(X["valid"])
            for i, config in enumerate(wanted):
                loss = p.loss("valid", scorer.predict(config))
                key = {"part": "inherited", "data": name, "arch": i, "length": length}
                lines.add({**key, "loss": loss, "cpu": cpu})
    for length in args.length:
        rows = [r for r in lines.rows if r["part"] == "inherited" and r["length"] == length]
        cpu = ", ".join(f"{d} {np.mean([r['cpu'] for r in rows if r['data'] == d] or [0]):.0f}" for d in args.data)
        print(f"\nShared weights, length {length:g} (CPU seconds of training: {cpu})")
        correlations(args, lines, {f"length {length:g}": lambda r: r["loss"]}, "inherited", length=length)


def correlations(args: argparse.Namespace, lines: Lines, measures: dict[str, Any], part: str, **keys: Any) -> None:
    """Spearman's and Kendall's correlation with the stand-alone validation loss, with bootstrap intervals."""
    print("| data | measure | Spearman | Kendall | networks |\n|---|---|---|---|---|")
    for name in args.data:
        own = {
            r["arch"]: r["valid"] for r in lines.rows if r["part"] == "truth" and r["data"] == name and not r["seed"]
        }
        again = {
            r["arch"]: r["valid"] for r in lines.rows if r["part"] == "truth" and r["data"] == name and r["seed"] == 1
        }
        columns = {
            label: {
                r["arch"]: measure(r) for r in lines.rows
                if r["part"] == part and r["data"] == name and all(r.get(k) == v for k, v in keys.items())
            }
            for label, measure in measures.items()
        }  # fmt: skip
        if again:
            columns["the same with another seed"] = again
        for label, found in columns.items():
            both = sorted(set(own) & set(found))
            if len(both) > 2:
                a, b = np.array([found[i] for i in both]), np.array([own[i] for i in both])
                cells = [bootstrapped(f, a, b) for f in (stats.spearmanr, stats.kendalltau)]
                print(f"| {name} | {label} | {cells[0]} | {cells[1]} | {len(both)} |", flush=True)


def bootstrapped(correlation: Any, a: np.ndarray, b: np.ndarray) -> str:
    """A correlation and its 95 % percentile interval over networks."""
    rng = np.random.default_rng(0)
    picks = rng.integers(len(a), size=(2000, len(a)))
    values = [correlation(a[i], b[i]).statistic for i in picks if np.ptp(b[i]) > 0 and np.ptp(a[i]) > 0]
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return f"{correlation(a, b).statistic:.2f} [{low:.2f}, {high:.2f}]"


def asked(method: str, space: SearchSpace, history: list[Observation], seed: int) -> Config:
    """The next configuration of a strategy."""
    rng = np.random.default_rng([seed, len(history)])
    proposals = strategies[method](seed).ask(space, history, 4, rng)
    tried = [o.config for o in history]
    return next((c for c in proposals if c not in tried), proposals[0])


def shared(p: Problem, space: SearchSpace, seed: int, budget: float) -> list[Config]:
    """Configurations that one network with shared weights proposes; takes about ``SHARE`` of the CPU seconds."""
    from autodl.search.nas.ranking import evolve, in_order
    from autodl.search.nas.sharing import SHARE, shared_choices

    began, base = time.process_time(), space.complete({})
    family, X = families[FAMILY](), p.features(recipe_of(base))
    own = {k: v for k, v in base.items() if not k.startswith("prep.")}
    choices = shared_choices(FAMILY, space, base)

    def train(epochs: int) -> Any:
        common = family.config(**{**own, "epochs": epochs})
        network = family.share_weights(common, replace(p.meta, seed=seed), choices)
        network.train(X["train"], p.y("train"))
        return network

    train(2)
    train(2)
    # The clock of a fit fits the schedule to the time; here two short trainings measure the seconds of an epoch.
    pace = (time.process_time() - began) / 4
    network = train(max(1, int(0.8 * (SHARE * budget - 4 * pace) / pace)))
    scorer = network.scorer(X["valid"])
    until = CpuDeadline(cpu=began + SHARE * budget)
    scored = evolve(lambda c: p.loss("valid", scorer.predict(c)), choices, np.random.default_rng(seed), until)
    return [space.complete({**base, **c}) for c, _ in in_order(scored)]


def searched(p: Problem, method: str, seed: int, budget: float) -> dict[str, Any]:
    """One search: the default first, then what the method says, until the CPU seconds are used."""
    space = family_space(FAMILY)
    p.cache.clear()
    end = time.process_time() + budget
    history: list[Observation] = []
    trials: list[dict[str, Any]] = []
    waiting: list[Config] = []
    while (left := end - time.process_time()) > 0.02 * budget:
        if method == SHARING and len(history) == 1:
            waiting = shared(p, space, seed, left)
        if waiting:
            config = waiting.pop(0)
        else:
            rival = "tpe" if method == SHARING else method
            config = space.complete({}) if not history else asked(rival, space, history, seed)
        try:
            got = trained(p, config, seed, CpuDeadline(cpu=time.process_time() + max(0.4 * left, min(left, 3.0))))
        except (TimeoutError, FloatingPointError):
            history.append(Observation(config, "failed"))
            continue
        history.append(Observation(config, "ok", got["valid"]))
        trials.append({**got, "config": config})
    best = min(trials, key=lambda t: t["valid"])
    return {"valid": best["valid"], "test": best["test"], "trials": len(history), "best": best["config"]}


def compare(args: argparse.Namespace, lines: Lines) -> None:
    """The strategies at equal CPU seconds."""
    for seed in args.seeds:
        for name in args.data:
            for method in args.methods:
                key = {"part": "compare", "data": name, "method": method, "seed": seed, "budget": args.budget}
                if lines.find(**key) is None:
                    lines.add({**key, **searched(problem(args.folder, name, seed), method, seed, args.budget)})
    print("| data | method | validation loss | test loss | trials | seeds |\n|---|---|---|---|---|---|")
    for name in args.data:
        for method in args.methods:
            rows = [
                r
                for r in lines.rows
                if (r["part"], r["data"], r.get("method"), r.get("budget")) == ("compare", name, method, args.budget)
            ]
            cells = [interval([r[part] for r in rows]) for part in ("valid", "test")]
            trials = np.mean([r["trials"] for r in rows])
            print(f"| {name} | {method} | {cells[0]} | {cells[1]} | {trials:.1f} | {len(rows)} |", flush=True)


def interval(values: list[float]) -> str:
    """Mean and half the width of its 95 % interval (Student)."""
    half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values) if len(values) > 1 else float("nan")
    return f"{np.mean(values):.4f} ± {half:.4f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--part", choices=["truth", "proxies", "inherited", "compare"], required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--data", nargs="+", default=list(DATA), choices=list(DATA))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--n", type=int, default=40, help="architectures")
    parser.add_argument("--length", type=float, nargs="+", default=[1.0, 3.0], help="of shared training")
    parser.add_argument("--budget", type=float, default=60.0, help="CPU seconds of one search")
    parser.add_argument("--methods", nargs="+", default=["tpe", "evolution", "auto", SHARING])
    args = parser.parse_args()
    {"truth": truth, "proxies": proxies, "inherited": inherited, "compare": compare}[args.part](
        args, Lines(args.cache)
    )


if __name__ == "__main__":
    main()
