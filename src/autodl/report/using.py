"""How a finished run is used on new data: the command, with a name in it that fits what the model takes."""

from __future__ import annotations

import shlex
from pathlib import Path

from autodl.records import ReadInfo

NAMES = {
    "images": "FOLDER_OF_NEW_IMAGES", "ts": "NEW_SERIES.ts", "npz": "NEW_SERIES.npz", "parquet": "NEW_DATA.parquet",
    "feather": "NEW_DATA.feather", "jsonl": "NEW_DATA.jsonl", "excel": "NEW_DATA.xlsx",
}  # fmt: skip
"""By ``ReadInfo.format``."""
USUAL = "NEW_DATA.csv"


def predict_command(folder: str | Path, read: ReadInfo | None) -> str:
    """What to type for predictions of new data, of the kind that the run was given.

    Where a delivered model is a pickle, it says ``--trust``: who reads this command has made the run.

    Args:
        folder: The run folder. read: How its data was read; None if nobody knows.
    """
    name = USUAL if read is None else NAMES.get(read.format, USUAL)
    trust = " --trust" if any((Path(folder) / "model").glob("*.pkl")) else ""
    return f"autodl predict {shlex.quote(str(folder))} {name} --out predictions.csv{trust}"
