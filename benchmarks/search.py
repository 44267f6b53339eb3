"""Do the strategies find good configurations in few evaluations? On published tables, side by side with peers.

    python benchmarks/search.py TABLES --part nas --seeds 20 --kept nas.jsonl
    python benchmarks/search.py TABLES --part hpo --seeds 5 --tasks 167149 168329
    python benchmarks/search.py TABLES --part fidelity --budgets 20 100
    python benchmarks/search.py --part synthetic --evals 60 --seeds 5
    python benchmarks/search.py --part latency

TABLES is a folder with ``tables.py`` (NAS-Bench-201 and LCBench). Needs onnxruntime for LCBench. With ``--kept FILE``
results are read from all files and added to the first, so that a long comparison goes on where it ended; ``--show``
prints what is there and computes nothing.

nas: regret of the best validation accuracy in points. hpo and fidelity: normalised regret: 0 is the best known loss,
1 the median of random configurations (both from 10,000 random ones and a local search from the best of them); with
fidelities it is that of the configuration which the search says is best, at full fidelity. Every evaluation counts
with its fidelity in full, also where a configuration was evaluated with less before. synthetic: normalised likewise,
by the known minimum, without the noise that the search saw.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from autodl.search import SearchSpace, optimize, parse_space
from autodl.search.encoding import Encoding
from search_rows import Kept, table

Loss = Callable[[dict[str, Any], float | None], float]
Run = Callable[[str, str, int], float]
DATA = ("cifar10", "cifar100", "imagenet")
DEVELOPED_ON = ("3945", "7593", "126025", "146212", "167104")
"""LCBench tasks looked at while the strategies were written; the others only confirm."""


class Tables:
    """The benchmarks as losses over spaces of ours."""

    def __init__(self, folder: Path, metric: str, known: Path | None) -> None:
        self.known = known
        sys.path.insert(0, str(folder))
        self.module = importlib.import_module("tables")
        self.metric = metric
        ops = list(self.module.NB201_OPS)
        self.cells = parse_space({f"edge{i}": {"type": "choice", "values": ops} for i in range(6)})
        self.networks = parse_space(
            {
                name: {"type": kind, "low": low, "high": high, "log": log}
                for name, (kind, low, high, log) in self.module.LCBENCH_SPACE.items()
            }
        )

    @cache  # noqa: B019
    def nas(self, data: str) -> tuple[Loss, float]:
        """The loss of a cell in points, and the lowest there is."""
        table = self.module.NASBench201(data)
        return lambda c, _: 100 - table([c[f"edge{i}"] for i in range(6)])[0], 100 - float(table.best[0])

    @cache  # noqa: B019
    def hpo(self, task: str) -> tuple[Loss, float, float]:
        """The loss of a network, the best known one and the median of random ones."""
        table, full = self.module.LCBench(task), self.module.MAX_EPOCH

        def loss(config: dict[str, Any], epochs: float | None) -> float:
            value = table(config, int(epochs or full))[self.metric]
            return 100 - value if "accuracy" in self.metric else value

        best, median = self._reference(task, loss)
        return loss, best, median

    def _reference(self, task: str, loss: Loss) -> tuple[float, float]:
        """Best known loss and the median of random ones; kept in a file, as they take a minute a task."""
        kept = json.loads(self.known.read_text("utf-8")) if self.known and self.known.exists() else {}
        key = f"{self.metric} {task}"
        if key in kept:
            return kept[key][0], kept[key][1]
        rng, encoding = np.random.default_rng(0), Encoding(self.networks)
        X = encoding.random(10_000, rng)
        y = np.array([loss(encoding.decode(row), None) for row in X])
        median, order = float(np.median(y)), np.argsort(y)[:20]
        X, y = X[order], y[order]
        for scale in (0.3, 0.2, 0.1, 0.05, 0.02, 0.01) * 5:
            Z = encoding.mutate(np.repeat(X, 60, axis=0), rng, scale, extra=0.3)
            X, y = np.concatenate([X, Z]), np.concatenate([y, [loss(encoding.decode(row), None) for row in Z]])
            order = np.argsort(y)[:20]
            X, y = X[order], y[order]
        if self.known:
            self.known.write_text(json.dumps({**kept, key: [float(y[0]), median]}), "utf-8")
        return float(y[0]), median


def by_optuna(name: str, space: SearchSpace, loss: Loss, n: int, seed: int) -> dict[str, Any]:
    """The best configuration that one of Optuna's samplers finds with its defaults."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = getattr(optuna.samplers, name)(seed=seed)

    def objective(trial: optuna.Trial) -> float:
        config: dict[str, Any] = {}
        for key in space.order():
            p = space.params[key]
            if not space.active(key, config):
                continue
            if p.type == "choice":
                config[key] = trial.suggest_categorical(key, p.values)
            elif p.type == "int":
                config[key] = trial.suggest_int(key, int(p.low or 0), int(p.high or 0), log=p.log)
            else:
                config[key] = trial.suggest_float(key, p.low or 0.0, p.high or 0.0, log=p.log)
        trial.set_user_attr("config", config)
        return loss(config, None)

    study = optuna.create_study(sampler=sampler)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        study.optimize(objective, n_trials=n)
    return dict(study.best_trial.user_attrs["config"])


def best_of(method: str, space: SearchSpace, loss: Loss, n: int, seed: int) -> dict[str, Any]:
    """The best of ``n`` full evaluations by a strategy of ours or, with ``optuna:``, a sampler of Optuna."""
    if method.startswith("optuna:"):
        return by_optuna(method.removeprefix("optuna:"), space, loss, n, seed)
    return optimize(loss, space, strategy=method, max_evals=n, seed=seed).best_config


def compare(args: argparse.Namespace, title: str, methods: list[str], tasks: list[str], run: Run) -> None:
    """Compute what is missing and show all."""
    kept = Kept(args.kept)
    if not args.show:
        kept.fill(methods, tasks, range(args.seeds), run)
    table(kept, title, methods, tasks, range(args.seeds))


def nas(tables: Tables, args: argparse.Namespace) -> None:
    def run(method: str, task: str, seed: int) -> float:
        loss, best = tables.nas(task)
        return loss(best_of(method, tables.cells, loss, args.evals, seed), None) - best

    methods = args.methods or ["random", "evolution", "optuna:TPESampler", "auto"]
    compare(args, f"NAS-Bench-201: regret after {args.evals} cells", methods, list(DATA), run)


def hpo(tables: Tables, args: argparse.Namespace) -> None:
    def run(method: str, task: str, seed: int) -> float:
        loss, best, middle = tables.hpo(task)
        return (loss(best_of(method, tables.networks, loss, args.evals, seed), None) - best) / (middle - best)

    peers = ["optuna:TPESampler", "optuna:CmaEsSampler", "optuna:GPSampler"]
    title = f"LCBench, {tables.metric}: regret after {args.evals} evaluations"
    compare(args, title, args.methods or ["random", "auto", *peers], args.tasks, run)


def fidelity(tables: Tables, args: argparse.Namespace) -> None:
    """Rows are named ``STRATEGY SCHEDULER xBUDGET``; without a scheduler it is the strategy's own."""
    full = tables.module.MAX_EPOCH
    rows = args.methods or ["random none", "random hyperband", "random asha", "bohb", "gp none", "auto"]
    for budget in args.budgets:

        def run(method: str, task: str, seed: int, budget: float = budget) -> float:
            strategy, *scheduler = method.split()[:-1]
            loss, best, middle = tables.hpo(task)
            found = optimize(
                loss, tables.networks, strategy=strategy, scheduler=scheduler[0] if scheduler else None,
                fidelity=(args.lowest, full), max_fidelity_total=budget * full, seed=seed,
            )  # fmt: skip
            return (loss(found.best_config, full) - best) / (middle - best)

        title = f"LCBench, {tables.metric}: regret after {budget:g} x {full} epochs, from {args.lowest} on"
        suffix = f"x{budget:g}" + ("" if args.lowest == 1 else f"/{args.lowest}")
        compare(args, title, [f"{r} {suffix}" for r in rows], args.tasks, run)


def synthetic(args: argparse.Namespace) -> None:
    import synthetic as problems

    def run(method: str, task: str, seed: int) -> float:
        problem = problems.problem(task)
        found = best_of(method, problem.space, problem.loss(seed), args.evals, seed)
        return (problem.truth(found) - problem.best) / (problems.middle(task) - problem.best)

    methods = args.methods or ["random", "optuna:TPESampler", "optuna:CmaEsSampler", "auto"]
    title = f"Synthetic problems: regret after {args.evals} evaluations"
    compare(args, title, methods, args.tasks or list(problems.PROBLEMS), run)


def latency() -> None:
    """Milliseconds of an ask of ``auto`` with 180 to 220 trials behind it; wall clock and this thread's CPU."""
    from autodl.search.history import Observation
    from autodl.search.strategies.base import strategies

    numbers = {f"x{i}": {"type": "float", "low": 0, "high": 1} for i in range(10)}
    choices = {f"c{i}": {"type": "choice", "values": list("abcd")} for i in range(10)}
    print("| space | median wall ms | median CPU ms | longest wall ms |\n|---|---|---|---|")
    for name, body in (("10 numbers", numbers), ("10 choices", choices), ("both", {**numbers, **choices})):
        space, rng = parse_space(body), np.random.default_rng(0)
        history = []
        for _ in range(220):
            config = space.sample(rng)
            loss = sum(v if isinstance(v, float) else "abcd".index(str(v)) / 10 for v in config.values())
            history.append(Observation(config, "ok", loss))
        wall, cpu = [], []
        for n in range(180, 220):
            at, used = time.perf_counter(), time.thread_time()
            strategies["auto"](0).ask(space, history[:n], 1, np.random.default_rng(n))
            wall.append(time.perf_counter() - at)
            cpu.append(time.thread_time() - used)
        print(
            f"| {name} | {1e3 * np.median(wall):.1f} | {1e3 * np.median(cpu):.1f} | {1e3 * max(wall):.0f} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", type=Path, nargs="?")
    parser.add_argument("--part", choices=["nas", "hpo", "fidelity", "synthetic", "latency"], default="nas")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--evals", type=int, default=100)
    parser.add_argument("--budgets", type=float, nargs="+", default=[20, 100], help="in full evaluations")
    parser.add_argument("--lowest", type=int, default=1, help="the fewest epochs of an evaluation")
    parser.add_argument("--tasks", nargs="+", help="tasks of LCBench or synthetic problems; all if left out")
    parser.add_argument("--references", type=Path, help="file that keeps the best known losses")
    parser.add_argument("--metric", default="val_accuracy")
    parser.add_argument("--methods", nargs="+", help="only these rows")
    parser.add_argument("--kept", type=Path, nargs="+", default=[], help="JSONL files of results; one set a setting")
    parser.add_argument("--show", action="store_true", help="show what is kept, compute nothing")
    args = parser.parse_args()
    if args.part == "latency":
        latency()
    elif args.part == "synthetic":
        synthetic(args)
    elif args.tables is None:
        parser.error("this part needs TABLES")
    else:
        tables = Tables(args.tables, args.metric, args.references)
        args.tasks = args.tasks or list(tables.module.LCBENCH_DEV_TASKS)
        {"nas": nas, "hpo": hpo, "fidelity": fidelity}[args.part](tables, args)


if __name__ == "__main__":
    main()
