"""How well do more workers pay? Simulated trials that sleep a second each, on 1, 2, 8 and 32 workers of Ray.

    python benchmarks/scaling.py [--workers 1 2 8 32] [--rounds 10] [--seconds 1.0] [--strategy random]

Each row runs ``workers * rounds`` trials through ``optimize(runner="ray")`` and through the loop of a fit on the Ray
runner (a family whose training sleeps). Efficiency is the ideal time, ``rounds`` sleeps one after another, over the
measured one: once from the moment when all workers are up, once with the start of Ray and of the workers. Sleepers
need no core, so the workers of this machine get a share of one each.
"""

from __future__ import annotations

import argparse
import functools
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 8, 32])
    parser.add_argument("--rounds", type=int, default=10, help="trials of each worker")
    parser.add_argument("--seconds", type=float, default=1.0, help="of a trial")
    parser.add_argument("--strategy", default="random")
    parser.add_argument("--roads", nargs="+", choices=("optimize", "fit"), default=["optimize", "fit"])
    chosen = parser.parse_args()
    roads = {"optimize": by_optimize, "fit": by_loop}
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, strategy {chosen.strategy}", flush=True)
    print("| road | workers | trials | ideal s | measured s | efficiency | Ray's start s | efficiency with it |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for name in chosen.roads:
        for workers in chosen.workers:
            ideal = chosen.rounds * chosen.seconds
            start, took = roads[name](workers, chosen.rounds * workers, chosen.seconds, chosen.strategy)
            print(
                f"| {name} | {workers} | {chosen.rounds * workers} | {ideal:.1f} | {took:.2f} | {ideal / took:.1%} "
                f"| {start:.1f} | {ideal / (start + took):.1%} |",
                flush=True,
            )


def by_optimize(workers: int, trials: int, seconds: float, strategy: str) -> tuple[float, float]:
    """Seconds until all workers are up, and seconds of the search."""
    from autodl.search import optimizer
    from autodl.search.runners.ray_calls import RayCalls

    def sleeper(config: dict[str, Any], fidelity: float | None) -> float:
        time.sleep(seconds)
        return float(config["x"]) ** 2

    space = {"x": {"type": "float", "low": -5, "high": 5}, "y": {"type": "float", "low": 0, "high": 1}}
    optimizer.optimize(lambda config, fidelity: config["x"], space, strategy=strategy, max_evals=30)  # imports
    began = time.monotonic()
    calls = RayCalls(sleeper, workers, cpus=1 / workers)
    while calls._crew.seats < workers:
        calls._crew.ended(0.05)
    start = time.monotonic() - began
    with replaced(optimizer, "evaluator", lambda *a, **k: calls), replaced(calls, "close", lambda: None):
        began = time.monotonic()
        result = optimizer.optimize(sleeper, space, strategy=strategy, max_evals=trials, workers=workers)
        took = time.monotonic() - began
    calls.close()
    assert all(e.status == "ok" for e in result.history) and len(result.history) == trials
    return start, took


def by_loop(workers: int, trials: int, seconds: float, strategy: str) -> tuple[float, float]:
    """The same for the loop of a fit."""
    from autodl.search.loop import SearchState
    from autodl.search.runners.inline import InlineRunner
    from autodl.search.runners.ray import RayRunner

    _install()
    from sleeping_family import loop_of_sleepers, sleeping_data

    warm = loop_of_sleepers(0.0, 30, strategy)  # imports of this process
    warm.run(InlineRunner(sleeping_data()), SearchState(), threading.Event())
    began = time.monotonic()
    runner = RayRunner(sleeping_data(), workers, cpus=1 / workers)
    while runner.free() < workers:
        time.sleep(0.05)
    start = time.monotonic() - began
    began = time.monotonic()
    state = loop_of_sleepers(seconds, trials, strategy).run(runner, SearchState(), threading.Event())
    took = time.monotonic() - began
    runner.close()
    assert sum(r.ok for r in state.finished) == trials, [r.error for r in state.finished if not r.ok][:3]
    return start, took


@functools.cache
def _install() -> None:
    """Make the family known as other packages do, by an entry point: workers find it on the same paths."""
    folder = Path(tempfile.mkdtemp(prefix="sleeping-"))
    info = folder / "sleeping_family-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sleeping-family\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[autodl.families]\nsleeping = sleeping_family:Sleeping\n")
    sys.path[:0] = [str(folder), str(Path(__file__).parent)]


@contextmanager
def replaced(thing: Any, name: str, value: Callable[..., Any]) -> Iterator[None]:
    """Put something in place of an attribute for a while."""
    before = getattr(thing, name)
    setattr(thing, name, value)
    try:
        yield
    finally:
        setattr(thing, name, before)


if __name__ == "__main__":
    main()
