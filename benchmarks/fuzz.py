"""Long fuzzing of ``autodl plan``: thousands of generated and damaged tables, counted by how they end.

    python benchmarks/fuzz.py --examples 5000 --seed 1
    python benchmarks/fuzz.py --seconds 600 --what frames --save failures

Prints the number of examples by outcome and a table of unique failures (exception and innermost frame of ours);
``--save`` keeps the first failing input of each. The same seed makes the same examples.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings

TOOLS = Path(__file__).resolve().parents[1] / "tests" / "fuzz"
sys.path.insert(0, str(TOOLS))

import fuzz_tables as tables  # noqa: E402
from fuzz_frames import FrameSpec, frame_specs  # noqa: E402
from fuzz_runs import Outcome, plan_file, plan_frame  # noqa: E402

BATCH = 500


class Tally:
    """Outcomes counted, and the first input of each failure."""

    def __init__(self, save: Path | None) -> None:
        self.kinds: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.failures: Counter[tuple[str, str]] = Counter()
        self.first: dict[tuple[str, str], str] = {}
        self.slowest = (0.0, "")
        self.save = save

    def add(self, outcome: Outcome, spec: Any, seconds: float, content: tuple[str, bytes] | None) -> None:
        """Count one example."""
        self.kinds[outcome.kind] += 1
        self.slowest = max(self.slowest, (seconds, repr(spec)))
        if outcome.good:
            if outcome.kind == "refused":
                self.refusals[outcome.what] += 1
            return
        key = (outcome.kind, outcome.what)
        self.failures[key] += 1
        if key in self.first:
            return
        self.first[key] = f"{spec!r}\n{outcome.detail}"
        print(f"new: {outcome.kind}: {outcome.what}", flush=True)
        if self.save is not None:
            folder = self.save / hashlib.sha256("".join(key).encode()).hexdigest()[:10]
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "about.txt").write_text(f"{key}\n{self.first[key]}\n", "utf-8", errors="replace")
            if content is not None:
                (folder / content[0]).write_bytes(content[1])

    def show(self, *, verbose: bool) -> None:
        """Print the counts and the failures."""
        total = sum(self.kinds.values())
        print(f"{total:,} examples: " + ", ".join(f"{n:,} {kind}" for kind, n in self.kinds.most_common()))
        print(f"slowest {self.slowest[0]:.2f} s")
        if verbose:
            for form, n in self.refusals.most_common():
                print(f"  refused {n:>6,}  {form}")
        for (kind, what), n in self.failures.most_common():
            print(f"  FAILURE {n:>6,}  {kind}: {what}")


def one_file(tally: Tally, spec: tables.TableSpec, folder: Path) -> None:
    """Write the file of a specification, plan it, count how that ended."""
    name, content = tables.render(spec)
    path = folder / name
    path.write_bytes(content)
    target = tables.target_of(spec)
    options = [*(["--target", target] if target is not None else []), "--task", spec.task]
    began = time.perf_counter()
    outcome = plan_file(path, *options)
    tally.add(outcome, spec, time.perf_counter() - began, (name, content))
    path.unlink()


def one_frame(tally: Tally, spec: FrameSpec) -> None:
    """Plan a frame, count how that ended."""
    frame = spec.frame()
    began = time.perf_counter()
    tally.add(plan_frame(frame, spec.target), spec, time.perf_counter() - began, None)


def campaign(what: str, tally: Tally, first_seed: int, examples: int, until: float) -> None:
    """Batches of examples with seeds ``first_seed``, ``first_seed + 1``, ... until enough or too late."""
    with tempfile.TemporaryDirectory() as folder:
        done = batch = 0
        while done < examples and time.monotonic() < until:
            n = min(BATCH, examples - done)
            _batch(what, tally, first_seed + batch, n, until, Path(folder))
            done, batch = done + n, batch + 1


def _batch(what: str, tally: Tally, number: int, examples: int, until: float, folder: Path) -> None:
    strategy: Any = frame_specs() if what == "frames" else tables.table_specs()
    act: Callable[[Any], None] = (
        (lambda spec: one_frame(tally, spec)) if what == "frames" else (lambda spec: one_file(tally, spec, folder))
    )

    @seed(number)
    @settings(
        max_examples=examples, database=None, deadline=None, phases=[Phase.generate], verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategy)
    def run(spec: Any) -> None:
        if time.monotonic() < until:
            act(spec)

    run()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--what", choices=("files", "frames"), default="files")
    parser.add_argument("--save", type=Path, help="folder for the first failing input of each kind")
    parser.add_argument("--verbose", action="store_true", help="count the error messages too")
    asked = parser.parse_args()
    tally = Tally(asked.save)
    campaign(asked.what, tally, asked.seed, asked.examples, time.monotonic() + asked.seconds)
    tally.show(verbose=asked.verbose)
    return 1 if tally.failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
