"""Measures what a delivered model takes: in this process, or in a fresh one that holds nothing else.

A fresh process is what a user would look at: its memory is that of Python, the libraries and the model together.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autodl.clock import NEVER, Deadline
from autodl.records import Footprint

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from autodl.model import DeliveredModel, ModelManifest

ROWS = 50
"""Rows that the measurement takes in turn."""
MEASURED_S = 0.5
"""Seconds after which single rows have been measured often enough."""
MANY = 100
"""Rows of a first batch, fewer where time is short, but so many at least:"""
LEAST_MANY = 10
BATCH_SHARE = 0.7
"""Of the time of a fresh process, after which it asks for no batch."""
MANY_S = 2.0
"""Seconds that the first batch may take, if a row of it takes as long as one alone."""


def folder_bytes(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def measure(
    model: DeliveredModel, frame: pd.DataFrame, *, batch: bool = True, deadline: Deadline = NEVER
) -> Footprint:
    """Seconds for one row and for a thousand, as ``Run.predict`` gives them: columns are read and checked first.

    Images and texts are read as if the process had never seen them, as those of new rows are.

    Args:
        model: A loaded model.
        frame: (n,) rows, n >= 1.
        batch: Whether to measure many rows at once as well.
        deadline: Many rows are asked only if as much time is left until then as single ones have taken, and no more
            than single ones could be asked by then, or in two seconds.
    """
    from autodl.data import read_table
    from autodl.evaluate.latency import batch_milliseconds, row_seconds
    from autodl.predict import predict_frame
    from autodl.preprocess.vectors import vector_memory

    words = model.manifest.features.word_columns

    def predict(rows: pd.DataFrame) -> object:
        with vector_memory.unseen():
            return predict_frame(model, read_table(rows, as_text=words)[0], tell=_ignored)

    rows, began = _as_read(_whole_first(frame.iloc[:ROWS])), time.monotonic()
    row_s = row_seconds(predict, rows, most_s=MEASURED_S)
    left = deadline.left()
    first = int(min(MANY, min(left, MANY_S) / max(row_s, 1e-9)))
    batch = batch and left >= time.monotonic() - began and first >= LEAST_MANY
    return Footprint(row_s=row_s, ms_per_1000=batch_milliseconds(predict, rows, first) if batch else None)


def handling_seconds(manifest: ModelManifest, frame: pd.DataFrame) -> float:
    """Seconds that one row takes besides the models: its columns are checked and read, its answer is written.

    Args:
        manifest: Features, task and classes; members play no part.
        frame: (n,) rows, n >= 1.
    """
    import numpy as np

    from autodl.evaluate.latency import SLOW_S
    from autodl.model import DeliveredModel

    class Silent(DeliveredModel):
        """Answers 0 without asking any model."""

        def __init__(self) -> None:
            self.manifest, self._members = manifest, []

        def predict_raw(self, frame: pd.DataFrame) -> NDArray[Any]:
            """(n, K), (n, Q) or (n,) zeros."""
            wide = len(manifest.classes) or len(manifest.quantiles)
            return np.zeros((len(frame), wide) if wide else len(frame))

    # The smaller of two: what a busy machine adds is no part of it, and the first may find caches cold.
    first = measure(Silent(), frame, batch=False).row_s or 0.0
    return first if first > SLOW_S else min(first, measure(Silent(), frame, batch=False).row_s or 0.0)


def measure_fresh(
    model_folder: Path, frame: pd.DataFrame, *, timeout_s: float, batch: bool = True
) -> Footprint | None:
    """What a fresh process takes that loads the model and predicts; None if it did not finish in time or failed.

    Args:
        model_folder: The folder with ``manifest.json``. What it holds is opened without further questions: only for
            models that this process made, or that the user vouches for.
        frame: (n,) rows, n >= 1.
        timeout_s: The process is ended after so many seconds.
        batch: Whether to measure many rows at once as well, if there is time.
    """
    found = _ask({"model": str(model_folder.resolve())}, frame, timeout_s, batch=batch)
    return None if found is None else Footprint.model_validate({**found, "size_bytes": folder_bytes(model_folder)})


def library_bytes(
    folders: Mapping[str, Path], frame: pd.DataFrame, *, timeout_s: float
) -> tuple[int, dict[str, int]] | None:
    """Memory of a fresh process with nothing but the tools that every model needs, and what each model adds to it.

    Args:
        folders: Model folders by name, loaded one after the other in this order; trusted like ``measure_fresh``'s.
        frame: (n,) rows, n >= 1.
        timeout_s: The process is ended after so many seconds; None then.
    """
    found = _ask({name: str(path.resolve()) for name, path in folders.items()}, frame, timeout_s, stepwise=True)
    if found is None:
        return None
    return int(found.pop("")), {name: int(added) for name, added in found.items()}


def _ask(
    folders: Mapping[str, str], frame: pd.DataFrame, timeout_s: float, *, stepwise: bool = False, batch: bool = False
) -> dict[str, Any] | None:
    import logging
    import os

    with tempfile.TemporaryDirectory(prefix="autodl-") as place:
        rows = Path(place) / "rows.csv"
        series = _write_rows(_as_read(frame.iloc[:ROWS]), rows)
        order = json.dumps({
            "folders": dict(folders), "rows": str(rows), "series": series, "stepwise": stepwise, "batch": batch,
            "until": time.time() + BATCH_SHARE * timeout_s,
        })  # fmt: skip
        try:
            done = subprocess.run(
                [sys.executable, "-m", "autodl.footprint"], input=order.encode(), capture_output=True,
                timeout=max(0.1, timeout_s), env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": _path()},
                check=True,
            )  # fmt: skip
            found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        except (subprocess.SubprocessError, OSError, ValueError, IndexError) as error:
            said = getattr(error, "stderr", None) or b""
            logging.getLogger("autodl").warning(
                "the model could not be measured in a process of its own: %s %s", error, said.decode(errors="replace")
            )
            return None
    return found


def _whole_first(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows with the fewest missing cells first: a text that is not there takes no network's time."""
    import numpy as np

    return frame.iloc[np.argsort(frame.isna().sum(axis=1).to_numpy(), kind="stable")]


def _as_read(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows as they are read: names of image files and series in memory, as decoding and storing take time too."""
    from autodl.media.array import MediaArray
    from autodl.media.stores import ImageStore

    named: dict[str, Any] = {}
    for name in frame.columns:
        array = frame[name].array
        if isinstance(array, MediaArray) and isinstance(array.store, ImageStore):
            from autodl.data.images.cells import names_of

            named[name] = names_of(array)
        elif isinstance(array, MediaArray):
            from autodl.data.series.cells import as_read

            named[name] = as_read(array)
    return frame.assign(**named) if named else frame


def _write_rows(frame: pd.DataFrame, file: Path) -> dict[str, str]:
    """Write rows as a table, and their series, which no table holds, to files of their own; these by column."""
    from autodl.data.series.cells import save_cells
    from autodl.media.array import MediaArray

    cells = {str(name): column.array for name, column in frame.items()}
    series = {name: array for name, array in cells.items() if isinstance(array, MediaArray)}
    frame.drop(columns=[*series]).assign(**dict.fromkeys(series, "")).to_csv(file, index=False)
    places = {name: file.with_name(f"series-{k}.npz") for k, name in enumerate(series)}
    for name, array in series.items():
        save_cells(array, places[name])
    return {name: str(place) for name, place in places.items()}


def _path() -> str:
    """The places from which this process imports, for the fresh one."""
    import os

    return os.pathsep.join(p for p in sys.path if p)


def _ignored(sentence: str) -> None:
    """Values that the model cannot use are nothing to tell here."""


def _answer(order: dict[str, Any]) -> dict[str, Any]:
    """The fresh process's part."""
    import pandas as pd

    import autodl.preprocess
    from autodl.machine import peak_bytes, resident_bytes
    from autodl.model import DeliveredModel
    from autodl.predict import predict_frame
    from autodl.store import RunFolder

    frame = pd.read_csv(order["rows"], low_memory=False)
    for name, file in order["series"].items():
        from autodl.data.series.cells import load_cells

        frame[name] = load_cells(Path(file))
    folders: dict[str, str] = order["folders"]

    def load(folder: str) -> DeliveredModel:
        return DeliveredModel(RunFolder(Path(folder).parent, trusted=True))

    if not order["stepwise"]:
        deadline = Deadline.after(order["until"] - time.time())
        found = measure(load(folders["model"]), frame, batch=order["batch"], deadline=deadline).model_dump()
        return {**found, "memory_bytes": peak_bytes() or resident_bytes()}
    assert autodl.preprocess.Preparer is not None  # loaded: what preparation needs is no family's own
    before = peak_bytes() or resident_bytes()
    added: dict[str, Any] = {"": before}
    for name, folder in folders.items():
        predict_frame(load(folder), frame, tell=_ignored)
        now = peak_bytes() or resident_bytes()
        added[name] = now - before
        before = now
    return added


if __name__ == "__main__":
    print(json.dumps(_answer(json.load(sys.stdin))))
