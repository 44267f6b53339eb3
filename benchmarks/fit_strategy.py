"""Which strategy should tune the families of a fit? Equal trials on small tables, after the same portfolio.

    python benchmarks/fit_strategy.py DATA --families lightgbm --seeds 3 --trials 40 --cache FILE.jsonl

DATA is a folder with concrete.csv, titanic.csv, insurance.csv and bank_churn.csv, of which some rows are drawn.
The loss is that of three folds, as in a fit; what counts is how much lower than the portfolio's best it becomes, in
percent. Losses of configurations are kept in the cache, so that the same command goes on where it ended. CPU seconds
are those of the trials.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from functools import cache
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from scipy import stats
from sklearn.model_selection import KFold

from autodl.dataset import load
from autodl.options import FitOptions
from autodl.records import TrialSpec
from autodl.search.fitting import fitted_space
from autodl.search.history import Observation
from autodl.search.job import Job, TrialData
from autodl.search.prepared import PreparedFolds
from autodl.search.space import Config, SearchSpace
from autodl.search.strategies.base import strategies
from autodl.search.trial import run_trial
from autodl.stages.preparing import plan, profile

DATA = {
    "concrete": ("concrete.csv", "strength"),
    "titanic": ("titanic.csv", "Survived"),
    "insurance": ("insurance.csv", "charges"),
    "bank_churn": ("bank_churn.csv", "Exited"),
}
PROPOSALS = 8
"""As in a fit: the first of so many that is new is tried."""


@cache
def problem(folder: Path, name: str, family: str, rows: int, seed: int) -> tuple[TrialData, SearchSpace]:
    """Some rows of a table in three folds, and the family's space as a fit would search it."""
    file, target = DATA[name]
    options = FitOptions(target=target, families=(family,))
    table = load(str(folder / file), options)
    drawn = np.random.default_rng(seed).permutation(len(table.y))[:rows]
    made = plan(profile(table, None, options), options, False)
    data = TrialData(
        frame=table.frame.iloc[drawn][list(made.features)].reset_index(drop=True),
        y=table.y[drawn],
        test_frame=table.frame.iloc[:0][list(made.features)],
        folds=tuple(KFold(3).split(drawn)),
        schema=table.schema.only(made.features),
        task=made.task,
        n_classes=len(made.classes),
        metric=made.metric,
        recipes={f.key: f.recipe for f in made.families},
    )
    return data, fitted_space(next(f for f in made.families if f.key == family), data)


class Losses:
    """Losses of configurations and their CPU seconds, kept in a file."""

    def __init__(self, file: Path) -> None:
        self.file = file
        lines = file.read_text("utf-8").splitlines() if file.exists() else []
        self.known = {key: (loss, seconds) for key, loss, seconds in map(json.loads, lines)}

    def of(self, key: str, config: Config, data: TrialData, prepared: PreparedFolds) -> tuple[float | None, float]:
        name = f"{key} {json.dumps(config, sort_keys=True)}"
        if name not in self.known:
            began = time.process_time()
            done = run_trial(Job(TrialSpec(id="t0001", family=key.split()[0], config=config)), data, prepared)
            self.known[name] = (done.result.loss if done.result.ok else None, time.process_time() - began)
            with self.file.open("a", encoding="utf-8") as handle:
                handle.write(json.dumps([name, *self.known[name]]) + "\n")
        return self.known[name]


def gain(losses: Losses, args: argparse.Namespace, family: str, name: str, strategy: str, seed: int) -> list[float]:
    """Percent by which the best loss after half and all of the trials is below the portfolio's; CPU seconds."""
    data, space = problem(args.folder, name, family, args.rows, seed)
    prepared, key = PreparedFolds(data), f"{family} {name} {args.rows} {seed}"
    history: list[Observation] = []
    best, seconds = [], 0.0
    starts = space.starts()
    for number in range(len(starts) + args.trials):
        if number < len(starts):
            config = starts[number]
        else:
            rng = np.random.default_rng([seed, number])
            asked = strategies[strategy](seed).ask(space, history, PROPOSALS, rng)
            config = next((c for c in asked if not any(o.config == c for o in history)), asked[0])
        loss, spent = losses.of(key, config, data, prepared)
        history.append(Observation(config, "failed" if loss is None else "ok", loss))
        best.append(min(o.loss for o in history if o.loss is not None))
        seconds += spent if number >= len(starts) else 0.0
    first = best[len(starts) - 1]
    return [100 * (first - best[len(starts) - 1 + n]) / abs(first) for n in (args.trials // 2, args.trials)] + [
        seconds
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--families", nargs="+", default=["lightgbm", "mlp"])
    parser.add_argument("--strategies", nargs="+", default=["random", "tpe", "auto"])
    parser.add_argument("--data", nargs="+", default=list(DATA))
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--cache", type=Path, required=True)
    args = parser.parse_args()
    losses = Losses(args.cache)
    found: dict[str, list[list[float]]] = {s: [] for s in args.strategies}
    for seed in range(args.seeds):
        for family in args.families:
            for name in args.data:
                for strategy in args.strategies:
                    row = gain(losses, args, family, name, strategy, seed)
                    found[strategy].append(row)
                    print(f"{family} {name} {seed} {strategy}: " + " ".join(f"{v:.3f}" for v in row), flush=True)
    print("\n| strategy | % below the portfolio at half | at the end | CPU s |\n|---|---|---|---|")
    for strategy, rows in found.items():
        print(f"| {strategy} | " + " | ".join(f"{v:.2f}" for v in np.mean(rows, axis=0)) + " |")
    if {"auto", "tpe"} <= set(found):
        gaps = np.array(found["auto"])[:, 1] - np.array(found["tpe"])[:, 1]
        half = stats.t.ppf(0.975, len(gaps) - 1) * gaps.std(ddof=1) / np.sqrt(len(gaps))
        print(
            f"\nauto minus tpe at the end: {gaps.mean():+.2f} [{gaps.mean() - half:+.2f}, {gaps.mean() + half:+.2f}]"
        )


if __name__ == "__main__":
    main()
