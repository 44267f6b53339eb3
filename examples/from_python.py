"""autodl from Python: fit, look, predict.

Run it with ``python examples/from_python.py [SECONDS] [FOLDER]``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import autodl

DATA = Path(__file__).with_name("data") / "penguins.csv"


def main(seconds: float, folder: str | None = None) -> autodl.Run:
    run = autodl.fit(DATA, target="Body Mass (g)", time_budget=seconds, out=folder)
    print(run.leaderboard().to_string(index=False))
    print(run.predict(DATA, keep=["Individual ID"]).head())
    print(f"The report: {run.report_path}")
    return run


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 30.0, sys.argv[2] if len(sys.argv) > 2 else None)
