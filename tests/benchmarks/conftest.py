"""Makes the scripts of ``benchmarks/`` importable; last on the path, so that they hide nothing."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))
