"""What a fit spends on everything but trials while it searches: asking, storing, displaying, the interim model.

    python benchmarks/overhead.py DATA_FOLDER --task adult:class --seconds 300

The wall time of the driver outside its waiting for trials, and the CPU time of its thread, as shares of the whole
run; then the parts. Trials run in other processes or threads, so their work does not count. With ``--profile FILE``
the thread's profile is written (``python -m pstats FILE``), at some cost.

    python benchmarks/overhead.py DATA_FOLDER --simulate 200

Trials that end at once with invented predictions and models of the usual size, so that the CPU time of the driver a
trial, and how it grows with their number, can be told on a busy machine too.
"""

from __future__ import annotations

import argparse
import contextlib
import cProfile
import json
import math
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autodl import delivery, run_context
from autodl.cli import live
from autodl.records import Cost, CurvePoint, TrialResult, TrialStatus
from autodl.search import allocation, loop, session, study
from autodl.search.job import Job, TrialData, TrialOutcome
from autodl.search.runners.base import Runner
from autodl.store import folder

WALL: dict[str, float] = defaultdict(float)
CPU: dict[str, float] = defaultdict(float)
COUNT: dict[str, int] = defaultdict(int)
ON = [False]
"""Whether the search runs; what comes before and after it is not counted."""


def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(*args: Any, **more: Any) -> Any:
        wall, cpu = time.perf_counter(), time.thread_time()
        try:
            return function(*args, **more)
        finally:
            if ON[0]:
                WALL[name] += time.perf_counter() - wall
                CPU[name] += time.thread_time() - cpu
                COUNT[name] += 1

    return wrapped


def watch(owner: Any, *names: str) -> None:
    for name in names:
        setattr(owner, name, timed(f"{getattr(owner, '__name__', owner)}.{name}", getattr(owner, name)))


class Instant(Runner):
    """Ends every trial at once, with a loss that falls a little for good learning rates."""

    def __init__(self, data: TrialData) -> None:
        import numpy as np

        self.data, self.rng, self.jobs = data, np.random.default_rng(0), []
        self.marks: list[tuple[int, float]] = []
        self.ended = 0

    def free(self) -> int:
        return 1 - len(self.jobs)

    def submit(self, job: Job) -> None:
        self.jobs.append(job)

    def running(self) -> list[Job]:
        return list(self.jobs)

    def close(self) -> None:
        pass

    def wait(self, timeout: float) -> list[TrialOutcome]:
        if not self.jobs:
            return []
        spec, data, rng = self.jobs.pop().spec, self.data, self.rng
        self.ended += 1
        if self.ended % 50 == 0:
            self.marks.append((self.ended, time.thread_time()))
        width = (data.n_classes,) if data.n_classes else ()
        loss = float(rng.normal(0.3, 0.05) + 0.02 * abs(math.log10(float(spec.config.get("lr", 0.01) or 0.01)) + 2))
        folds = len(data.folds)
        result = TrialResult(
            spec=spec, status=TrialStatus.OK, loss=loss, score=1 - loss, fold_losses=(loss,) * folds,
            cost=Cost(fit_s=3.0, predict_s=0.1, n_predicted=len(data.y), size_bytes=300_000 * folds),
            curve=tuple(CurvePoint(step=i, train=0.3, valid=loss, progress=i / 64) for i in range(1, 65)),
        )  # fmt: skip
        oof = rng.random((len(data.y), *width), dtype="float32")
        test = rng.random((len(data.test_frame), *width), dtype="float32")
        return [TrialOutcome(result, oof, test, [rng.bytes(300_000) for _ in range(folds)])]


class SimulatedEndError(BaseException):
    """The search is over, and what would come next needs real models; nothing holds this up."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--task", default="adult:class")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--search", default=None)
    parser.add_argument("--simulate", type=int, metavar="TRIALS")
    parser.add_argument("--profile", type=Path)
    parser.add_argument("--families", nargs="+", default=())
    args = parser.parse_args()
    name, target = args.task.split(":")
    profile = cProfile.Profile()
    whole = loop.SearchLoop.run

    def run(self: Any, runner: Any, *more: Any) -> Any:
        runner.wait = timed("waiting for trials", runner.wait)
        ON[0] = True
        if args.profile:
            profile.enable()
        try:
            return timed("search", whole)(self, runner, *more)
        finally:
            profile.disable()
            ON[0] = False
            if args.simulate:
                print("| trials | CPU ms of the driver a trial |\n|---|---|")
                for (_, before), (n, now) in zip(runner.marks, runner.marks[1:], strict=False):
                    print(f"| {n - 49} to {n} | {1000 * (now - before) / 50:.1f} |")
                raise SimulatedEndError

    loop.SearchLoop.run = run  # type: ignore[method-assign]
    watch(allocation.Allocation, "next")
    watch(loop.SearchLoop, "_record", "_job")
    watch(folder.RunFolder, "write_trial", "write_run", "drop_models")
    watch(run_context.RunContext, "write")
    watch(delivery.Delivery, "bag")
    watch(study.StudyWriter, "add")
    watch(session, "refit_seconds")
    watch(live, *[n for n in ("show",) if hasattr(live, n)])

    from autodl import api
    from autodl.defaults import SEARCH

    began, used = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory() as place:
        if args.simulate:
            session.make_runner = lambda plan, data, *rest, **more: Instant(data)  # type: ignore[assignment]
        with contextlib.suppress(SimulatedEndError):
            api.fit(
                args.data / f"{name}.csv", target, out=Path(place) / "run", search=args.search or SEARCH,
                families=tuple(args.families), time_budget=None if args.simulate else args.seconds,
                max_trials=args.simulate,
            )  # fmt: skip
        record = json.loads((Path(place) / "run" / "run.json").read_text())
    total, used = time.perf_counter() - began, time.process_time() - used
    if args.profile:
        profile.dump_stats(args.profile)
    outside = WALL["search"] - WALL["waiting for trials"]
    cpu = CPU["search"]
    print(
        f"{name}: {total:.1f} s, search {WALL['search']:.1f} s, {record['n_trials']} trials, "
        f"load {os.getloadavg()[0]:.1f}"
    )
    print(f"driver outside trials: wall {outside:.2f} s = {outside / total:.1%} of the run, "
          f"CPU of its thread {cpu:.2f} s = {cpu / total:.1%}; CPU of the whole process {used:.1f} s")  # fmt: skip
    print("| part | calls | wall s | CPU s |\n|---|---|---|---|")
    for part in sorted(WALL, key=lambda p: -CPU[p]):
        print(f"| {part} | {COUNT[part]} | {WALL[part]:.2f} | {CPU[part]:.2f} |")


if __name__ == "__main__":
    main()
