"""How long the command line takes on large tables, and how much memory: generates files, runs, prints a table.

    python benchmarks/scale.py                 # 1 GB of CSV and its kin, 5 million rows of Parquet; half an hour
    python benchmarks/scale.py --rows 300000   # a quick look
    python benchmarks/scale.py --only csv parquet --commands plan

Peak memory is that of the whole process tree, sampled every tenth of a second (shared pages count once for each
process), so it errs upwards. Timings are worth what the machine was doing meanwhile; the CPU time stands beside them.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import zstandard

FULL_ROWS, PARQUET_ROWS = 9_400_000, 5_000_000
BLOCK = 250_000
SYLLABLES = np.array([a + b for a in "bdfgklmnprst" for b in "aeiou"])


def block(start: int, n: int) -> pa.Table:
    """(n, 14) rows of a made-up shop: numbers, categories, dates, words, gaps; they depend on ``start`` alone."""
    rng = np.random.default_rng(start)
    age, score = rng.integers(18, 90, n), rng.uniform(size=n).round(4)
    x, z = rng.normal(size=n).round(5), rng.normal(size=n).round(5)
    channel = np.array(["web", "store", "phone", "partner"])[rng.choice(4, n, p=[0.5, 0.3, 0.15, 0.05])]
    logit = 0.03 * (age - 50) + x - 0.5 * z + (channel == "web") + 0.5 * (score > 0.7)
    words = [SYLLABLES[rng.integers(0, 60, n)] for _ in range(6)]
    memo = words[0]
    for i, word in enumerate(words[1:], start=1):
        memo = np.char.add(memo, np.char.add(" ", word) if i % 2 == 0 else word)

    def gaps() -> np.ndarray:
        return rng.uniform(size=n) < 0.05

    city = np.array([f"city{i:04d}" for i in range(3000)])[rng.zipf(1.3, n) % 3000]
    return pa.table(
        {
            "row_id": np.arange(start, start + n),
            "age": age,
            "income": pa.array(rng.lognormal(10, 0.6, n).round(2), mask=gaps()),
            "x1": x,
            "x2": pa.array(z, mask=gaps()),
            "channel": channel,
            "city": pa.array(city, mask=gaps()),
            "signup": np.datetime64("2019-01-01") + rng.integers(0, 2000, n).astype("timedelta64[D]"),
            "memo": memo,
            "score": score,
            "visits": rng.poisson(3, n),
            "active": np.where(rng.uniform(size=n) < 0.5, "true", "false"),
            "store": rng.integers(0, 5000, n),
            "bought": np.where(rng.uniform(size=n) < 1 / (1 + np.exp(-logit)), "yes", "no"),
        }
    )


def write(path: Path, rows: range, columns: int) -> Path:
    """Rows of the shop as CSV or Parquet, block by block; the last column is always the target."""
    writer = None
    for start in range(rows.start, rows.stop, BLOCK):
        part = block(start, min(BLOCK, rows.stop - start))
        part = part.select([*part.column_names[: columns - 1], "bought"])
        if writer is None:
            make = pq.ParquetWriter if path.suffix == ".parquet" else pa_csv.CSVWriter
            writer = make(str(path), part.schema)
        writer.write_table(part)
    assert writer is not None, "no rows"
    writer.close()
    return path


def inputs(folder: Path, rows: int, parquet_rows: int) -> dict[str, Callable[[], Path]]:
    """Name -> what makes the file or folder (once)."""
    plain = folder / "shop.csv"

    def csv() -> Path:
        return plain if plain.exists() else write(plain, range(rows), 14)

    def packed(suffix: str, opener: Callable[[Path], object]) -> Path:
        path = folder / f"shop.csv.{suffix}"
        if not path.exists():
            with csv().open("rb") as source, opener(path) as target:  # type: ignore[attr-defined]
                shutil.copyfileobj(source, target, 1 << 22)
        return path

    def shards() -> Path:
        path = folder / "shards"
        if not path.exists():
            path.mkdir()
            write(path / "part-1.csv", range(rows // 2), 14)
            write(path / "part-2.csv", range(rows // 2, rows), 14)
        return path

    def parquet() -> Path:
        path = folder / "shop.parquet"
        return path if path.exists() else write(path, range(parquet_rows), 12)

    return {
        "csv": csv,
        "gz": lambda: packed("gz", lambda p: gzip.open(p, "wb", compresslevel=1)),
        "zst": lambda: packed("zst", lambda p: zstandard.open(p, "wb")),
        "shards": shards,
        "parquet": parquet,
    }


@dataclass(frozen=True)
class Measured:
    """What one command took."""

    wall_s: float
    cpu_s: float
    peak_mib: float
    code: int
    said: str


def _readings(pid: int) -> dict[int, tuple[int, float]]:
    """Bytes held and CPU seconds of a process and those that it has started, by id; without what has just ended."""
    found: dict[int, tuple[int, float]] = {}
    tree: list[psutil.Process] = []
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        tree = [root, *root.children(recursive=True)]
    for one in tree:
        with contextlib.suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            found[one.pid] = one.memory_info().rss, times.user + times.system
    return found


def measure(command: list[str]) -> Measured:
    """Run a command and watch the memory of its process tree."""
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        peak, cpu = 0, {}
        while process.poll() is None:
            readings = _readings(process.pid)
            cpu.update({pid: seconds for pid, (_, seconds) in readings.items()})
            peak = max(peak, sum(held for held, _ in readings.values()))
            time.sleep(0.1)
        wall = time.perf_counter() - began
        output.seek(0)
        return Measured(wall, sum(cpu.values()), peak / 2**20, process.returncode, output.read())


def rows_used(said: str, out: Path) -> str:
    """From the run folder, or from the note that the command printed; "all" where nothing was left out."""
    record = out / "records" / "profile.json"
    if record.is_file():
        sample = json.loads(record.read_text())["read"]["sample"]
        return f"{sample['rows_used']:,}" if sample else "all"
    words = " ".join(said.split())
    at = words.find(" rows are used")
    return words[:at].split(" of the ")[-2].split()[-1] if at >= 0 else "all"


def main() -> None:
    """Generate, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=FULL_ROWS, help="rows of the CSV files")
    parser.add_argument("--parquet-rows", type=int, help=f"default: {PARQUET_ROWS:,}, at most --rows")
    parser.add_argument("--only", nargs="+", choices=["csv", "gz", "zst", "shards", "parquet"])
    parser.add_argument("--commands", nargs="+", choices=["plan", "fit", "predict"], default=["plan", "fit"])
    parser.add_argument("--time-budget", default="120s", help="of fit")
    parser.add_argument("--plan-budget", help="time budget that plan assumes; the default of autodl if left out")
    parser.add_argument("--folder", type=Path, help="keep the files here; a temporary folder if left out")
    given = parser.parse_args()
    autodl = [sys.executable, "-m", "autodl"]
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        parquet_rows = given.parquet_rows or min(given.rows, PARQUET_ROWS)
        print("| file | MB | rows | command | wall s | CPU s | peak MiB | rows used |")
        print("|---|---:|---:|---|---:|---:|---:|---:|", flush=True)
        for name, make in inputs(folder, given.rows, parquet_rows).items():
            if given.only and name not in given.only:
                continue
            path = make()
            files = [path] if path.is_file() else list(path.iterdir())
            size = sum(f.stat().st_size for f in files)
            n = parquet_rows if name == "parquet" else given.rows
            run = Path(temporary) / f"run-{name}"
            commands = {
                "plan": ["plan", str(path), "--target", "bought"]
                + (["--time-budget", given.plan_budget] if given.plan_budget else []),
                "fit": [
                    "fit",
                    str(path),
                    "--target",
                    "bought",
                    "--time-budget",
                    given.time_budget,
                    "--out",
                    str(run),
                ],
                "predict": ["predict", str(run), str(path), "--out", str(Path(temporary) / "answers.csv")],
            }
            for command in given.commands:
                took = measure(autodl + commands[command])
                used = rows_used(took.said, run if command != "plan" else folder / "none")
                label = f"fit {given.time_budget}" if command == "fit" else command
                print(
                    f"| {name} | {size / 1e6:,.0f} | {n:,} | {label} | {took.wall_s:.1f} | {took.cpu_s:.1f} "
                    f"| {took.peak_mib:,.0f} | {used if took.code == 0 else f'exit code {took.code}'} |",
                    flush=True,
                )
                if took.code:
                    print(took.said[-2000:], file=sys.stderr)


if __name__ == "__main__":
    main()
