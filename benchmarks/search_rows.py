"""Results of searches, kept in a file (JSON lines [method, task, seed, regret, seconds]) and shown as a table."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import product
from pathlib import Path

import numpy as np
from scipy import stats

Key = tuple[str, str, int]


class Kept:
    """What is known, and the file that keeps it.

    Args:
        files: The first is written to; all are read. None: nothing is kept.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self.file = files[0] if files else None
        self.found: dict[Key, tuple[float, float]] = {}
        for file in files:
            if file.exists():
                for line in file.read_text("utf-8").splitlines():
                    method, task, seed, regret, seconds = json.loads(line)
                    self.found[method, task, seed] = (regret, seconds)

    def fill(
        self,
        methods: Sequence[str],
        tasks: Sequence[str],
        seeds: Iterable[int],
        run: Callable[[str, str, int], float],
    ) -> None:
        """Compute what is missing, seed by seed, so that what is known at any time compares."""
        for seed, task, method in product(seeds, tasks, methods):
            if (method, task, seed) in self.found:
                continue
            began = time.perf_counter()
            regret, seconds = run(method, task, seed), time.perf_counter() - began
            self.found[method, task, seed] = (regret, seconds)
            if self.file is not None:
                with self.file.open("a", encoding="utf-8") as handle:
                    handle.write(json.dumps([method, task, seed, regret, seconds]) + "\n")
            print(f"\r{method} {task} {seed}: {regret:.4f}   ", end="", file=sys.stderr, flush=True)

    def regrets(self, method: str, tasks: Sequence[str], seeds: Sequence[int]) -> np.ndarray:
        """(tasks, seeds) regrets."""
        return np.array([[self.found[method, t, s][0] for s in seeds] for t in tasks])

    def seeds(self, method: str, tasks: Sequence[str], wanted: Iterable[int]) -> list[int]:
        """The seeds for which all tasks are known."""
        return [s for s in wanted if all((method, t, s) in self.found for t in tasks)]


def table(kept: Kept, title: str, methods: Sequence[str], tasks: Sequence[str], seeds: Iterable[int]) -> None:
    """Mean ± standard error by task, the mean of all tasks, and ``auto`` against the best of the others.

    The comparison takes the seeds that both have, each seed's mean over the tasks, and a 95 % t interval of the mean
    of the differences.
    """
    seeds = list(seeds)
    known = {m: kept.seeds(m, tasks, seeds) for m in methods}
    rows = [m for m in methods if known[m]]
    print(f"\n{title}\n\n| method | {' | '.join(tasks)} | mean | seeds | s a run |\n|{'---|' * (len(tasks) + 4)}")
    means = {}
    for m in rows:
        values = kept.regrets(m, tasks, known[m])
        n = len(known[m])
        cells = [f"{v.mean():.4f} ± {v.std(ddof=1) / np.sqrt(n) if n > 1 else np.nan:.4f}" for v in values]
        whole = values.mean(axis=0)
        error = whole.std(ddof=1) / np.sqrt(n) if n > 1 else np.nan
        means[m] = float(whole.mean())
        seconds = np.mean([kept.found[m, t, s][1] for t in tasks for s in known[m]])
        print(f"| {m} | {' | '.join(cells)} | {means[m]:.4f} ± {error:.4f} | {n} | {seconds:.1f} |")
    mine = next((m for m in rows if m.split()[0] == "auto"), None)
    for peer in sorted((m for m in rows if m != mine), key=means.__getitem__)[:2]:
        if mine is not None:
            _versus(kept, mine, peer, tasks, [s for s in known[mine] if s in known[peer]])
    sys.stdout.flush()


def _versus(kept: Kept, mine: str, peer: str, tasks: Sequence[str], both: Sequence[int]) -> None:
    if len(both) < 2:
        print(f"\n{mine} against {peer}: {len(both)} common seeds, too few for an interval")
        return
    a, b = kept.regrets(mine, tasks, both), kept.regrets(peer, tasks, both)
    gaps = (a - b).mean(axis=0)
    half = float(stats.t.ppf(0.975, len(gaps) - 1) * gaps.std(ddof=1) / np.sqrt(len(gaps)))
    ahead = int((a.mean(axis=1) < b.mean(axis=1)).sum())
    print(
        f"\n{mine} minus {peer}, {len(both)} common seeds: {gaps.mean():+.4f} "
        f"[{gaps.mean() - half:+.4f}, {gaps.mean() + half:+.4f}] (means {a.mean():.4f}, {b.mean():.4f}); "
        f"better on {ahead} of {len(tasks)} tasks"
    )
