"""Long fuzzing of ``autodl plan``: thousands of generated and damaged tables, counted by how they end.

    python benchmarks/fuzz.py --examples 5000 --seed 1
    python benchmarks/fuzz.py --seconds 600 --what frames --save failures
    python benchmarks/fuzz.py --atheris text --seconds 600 --save failures     (needs `pip install atheris`)

Prints the number of examples by outcome and a table of unique failures (exception and innermost frame of ours);
``--save`` keeps the first failing input of each. The same seed makes the same examples. ``--atheris`` lets libFuzzer
look for new paths through one of the functions that read bytes; it stops at the first failure.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import random
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
from fuzz_cells import KINDS, column  # noqa: E402
from fuzz_frames import FrameSpec, frame_specs  # noqa: E402
from fuzz_runs import Outcome, compare_roads, plan_file, plan_frame  # noqa: E402

BATCH = 500
WHAT = {
    "files": "plan files",
    "large": "read files as small and as large ones, which must give the same table",
    "frames": "plan frames",
}


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


def one_large(tally: Tally, spec: tables.TableSpec, folder: Path) -> None:
    """Write the file of a specification, read it as a small and as a large one, count how that ended."""
    name, content = tables.render(spec)
    path = folder / name
    path.write_bytes(content)
    began = time.perf_counter()
    tally.add(compare_roads(path), spec, time.perf_counter() - began, (name, content))
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
    acts: dict[str, Callable[[Any], None]] = {
        "files": lambda spec: one_file(tally, spec, folder),
        "large": lambda spec: one_large(tally, spec, folder),
        "frames": lambda spec: one_frame(tally, spec),
    }
    act = acts[what]

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


def with_atheris(what: str, number: int, seconds: float, save: Path | None) -> None:
    """Coverage-guided fuzzing of one function of the readers; never returns.

    Args:
        what: ``text`` (delimited text), ``json``, ``numbers`` or ``dates`` (one cell a line).
        number: Seed.
        seconds: Time; endless if infinite.
        save: Folder for the failing input.
    """
    import atheris

    with atheris.instrument_imports(include=["autodl.data"]):
        from autodl.data import csv_format, dates, encoding, numbers, other_formats
    import pyarrow as pa

    from autodl.errors import DataError

    def cells(raw: bytes) -> list[str]:
        text = encoding.decode(raw, encoding.find_encoding(raw, "t", whole=True), "t")
        return list(dict.fromkeys(text.split("\n")))

    def read_numbers(raw: bytes) -> None:
        words = cells(raw)
        rule = numbers.learn_number_rule(words)
        assert rule is None or len(numbers.parse_numbers(words, rule)) == len(words)

    def read_dates(raw: bytes) -> None:
        words = cells(raw)
        found = dates.learn_date_rule(words)
        assert found is None or len(dates.parse_dates(words, found[0])) == len(words)

    acts: dict[str, Callable[[bytes], object]] = {
        "text": lambda raw: csv_format.read_text(pa.py_buffer(raw), "t.csv"),
        "json": lambda raw: other_formats.read_json(pa.py_buffer(raw), "t.json"),
        "numbers": read_numbers,
        "dates": read_dates,
    }

    def once(raw: bytes) -> None:
        with contextlib.suppress(DataError):
            acts[what](raw)

    corpus = Path(tempfile.mkdtemp(prefix="autodl-fuzz-"))
    for kind in KINDS:
        cells_of_kind = column(kind, 12, random.Random(number), noise=0.05)
        rows = (
            "\n".join(cells_of_kind) if what != "text" else "\n".join(f"{c},{i}" for i, c in enumerate(cells_of_kind))
        )
        start = json.dumps([{"a": c} for c in cells_of_kind]) if what == "json" else rows
        (corpus / kind).write_bytes(start.encode("utf-8", errors="replace"))
    limits = [f"-max_total_time={int(seconds)}"] if seconds < float("inf") else []
    keep = [f"-artifact_prefix={save}/"] if save else []
    if save:
        save.mkdir(parents=True, exist_ok=True)
    atheris.Setup(
        [sys.argv[0], str(corpus), *limits, *keep, f"-seed={number + 1}", "-max_len=2000", "-timeout=20"], once
    )
    atheris.Fuzz()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--what", choices=tuple(WHAT), default="files", help="; ".join(f"{k}: {v}" for k, v in WHAT.items())
    )
    parser.add_argument("--save", type=Path, help="folder for the first failing input of each kind")
    parser.add_argument("--verbose", action="store_true", help="count the error messages too")
    parser.add_argument(
        "--atheris", choices=("text", "json", "numbers", "dates"), help="fuzz only this, by libFuzzer"
    )
    asked = parser.parse_args()
    if asked.atheris:
        with_atheris(asked.atheris, asked.seed, asked.seconds, asked.save)
    tally = Tally(asked.save)
    campaign(asked.what, tally, asked.seed, asked.examples, time.monotonic() + asked.seconds)
    tally.show(verbose=asked.verbose)
    return 1 if tally.failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
