"""Files of series to a raw frame."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from autodl.data.compression import file_errors
from autodl.data.series.cells import series_cells
from autodl.data.series.names import NPZ, SERIES, TARGET, TS, series_format
from autodl.data.series.npz_format import read_npz, target_as
from autodl.data.series.ts_format import read_ts
from autodl.data.streams import read_bytes
from autodl.errors import DataError
from autodl.records import ReadInfo

SHOWN = 3
"""Notes on files, at most."""


def is_series_source(files: Sequence[Path]) -> bool:
    """Whether the files are files of series, all of them."""
    return bool(files) and all(series_format(file) is not None for file in files)


def read_series(files: Sequence[Path], source: str) -> tuple[pd.DataFrame, ReadInfo]:
    """Read files of series of one kind, one behind the other.

    Returns:
        The raw frame, with a column of series and, where the files have it, one of what is to be predicted; and how
        it was read.

    Raises:
        DataError: What is wrong with a file and what to do.
    """
    formats = {series_format(file) for file in files}
    frames: list[pd.DataFrame] = []
    notes: list[str] = []
    for file in files:
        with file_errors(str(file)):
            if series_format(file) == NPZ:
                frame, told = read_npz(file)
                frames.append(frame)
                notes += told
            else:
                frames.append(_ts_frame(file))
    fractions = next((frame.columns for frame in frames if TARGET in frame.columns), None)
    if formats == {NPZ} and fractions is not None:
        frames = [target_as(fractions, frame) for frame in frames]
    if len({tuple(frame.columns) for frame in frames}) > 1:
        raise DataError(f"{source} stands for files with different columns", "Give files of one kind.")
    frame = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
    n_bytes = sum(file.stat().st_size for file in files)
    name = formats.pop() if len(formats) == 1 else TS
    info = ReadInfo(path=source, format=str(name), n_files=len(files), n_bytes=n_bytes, notes=tuple(notes[:SHOWN]))
    return frame, info


def _ts_frame(file: Path) -> pd.DataFrame:
    # A .ts file is text; one that is packed is unpacked on the way.
    text = "".join(data.to_pybytes().decode("utf-8", errors="replace") for _, data in read_bytes(file))
    read = read_ts(text, str(file))
    columns: dict[str, Any] = {SERIES: series_cells(read.series)}
    if read.target is not None:
        columns[read.name] = pd.Series(read.target, dtype=object)
    return pd.DataFrame(columns)
