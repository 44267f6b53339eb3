"""How quickly does the delivered model predict? Many rows by the command line, single rows in a process that has it.

    python benchmarks/prediction.py DATA/adult.csv --target class --seconds 60
    python benchmarks/prediction.py DATA/adult.csv --target class --run FOLDER     # of a fit that is there already

Fits (or takes a run folder), writes 100,000 rows drawn from the table, predicts them with `autodl predict` (wall
seconds of the whole command) and calls ``Run.predict`` with one-row frames, model loaded. Prints a table beside what
is aimed at; nothing is asserted, for other work on the machine slows it.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from bench_fit import facts, fit, predict

ROWS, CALLS, WARM = 100_000, 200, 20
"""Rows of the large file; measured calls with one row, after so many that are not."""
AIM_ROWS_S, AIM_ROW_MS, AIM_MIB = 20.0, 50.0, 4096.0


def single_rows(run: Path, frame: pd.DataFrame, calls: int) -> list[float]:
    """Milliseconds of each call of ``predict`` with one row."""
    import autodl

    loaded = autodl.Run(run)
    proba = bool(loaded.record.classes)
    rows = [frame.iloc[[i % len(frame)]].reset_index(drop=True) for i in range(WARM + calls)]
    took = []
    for row in rows:
        began = time.perf_counter()
        loaded.predict(row, proba=proba)
        took.append(1000 * (time.perf_counter() - began))
    return took[WARM:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path)
    parser.add_argument("--target", required=True)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--calls", type=int, default=CALLS)
    parser.add_argument("--run", type=Path, help="a finished run folder; none is made then")
    parser.add_argument("--autodl", default=str(Path(sys.executable).with_name("autodl")))
    args = parser.parse_args()
    table = pd.read_csv(args.table).dropna(subset=[args.target])
    lines = ["| what | measured | aim |", "|---|---:|---:|"]
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        run, log = args.run or work / "run", work / "log.txt"
        if args.run is None:
            took = fit(args.autodl, args.table, ["--target", args.target], args.seconds, 0, run, log)
            if took.code:
                raise SystemExit(log.read_text("utf-8", "replace"))
            lines.append(f"| fit, wall s | {took.wall_s:.1f} | {args.seconds:g} |")
            lines.append(f"| fit, peak MiB of all its processes | {took.peak_bytes / 2**20:,.0f} | {AIM_MIB:,.0f} |")
        rows = table.drop(columns=[args.target])
        many = rows.iloc[np.random.default_rng(0).integers(0, len(rows), args.rows)]
        many.to_csv(work / "many.csv", index=False)
        from autodl.records import RunRecord

        proba = bool(RunRecord.model_validate_json((run / "run.json").read_bytes()).classes)
        asked = predict(args.autodl, run, work / "many.csv", work / "answers.csv", log, proba=proba)
        if asked.code:
            raise SystemExit(log.read_text("utf-8", "replace"))
        lines.append(f"| {args.rows:,} rows by `autodl predict`, wall s | {asked.wall_s:.1f} | {AIM_ROWS_S:g} |")
        lines.append(f"| same, s of all cores | {asked.cpu_s:.1f} | |")
        lines.append(f"| same, peak MiB | {asked.peak_bytes / 2**20:,.0f} | {AIM_MIB:,.0f} |")
        ms = single_rows(run, rows, args.calls)
        for name, value in (("median", np.median(ms)), ("99th percentile", np.percentile(ms, 99))):
            lines.append(f"| one row, {name} of {len(ms)} calls, ms | {value:.1f} | {AIM_ROW_MS:g} |")
        made = facts(run)
    print("\n".join(lines))
    print(f"\n{made.get('members')} members: {made.get('weights')}; load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
