"""Files, folders, globs and frames to one raw table."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from autodl.data.allowance import UNLIMITED, Allowance
from autodl.data.arrow_blocks import is_arrow_file, n_cells
from autodl.data.blocks import Known, LargeTable, open_blocks
from autodl.data.columns import as_given, normalise
from autodl.data.files import found_files, image_folder
from autodl.data.frames import AnyFrame, as_pandas
from autodl.data.images.columns import with_whole_paths
from autodl.data.images.tables import read_labelled, unlabelled_batches
from autodl.data.large import read_blocks, read_large, sample_rows
from autodl.data.series.parts import train_and_test
from autodl.data.series.reading import is_series_source, read_series
from autodl.data.small import not_empty, read_small, table_format
from autodl.data.streams import head, open_parts
from autodl.errors import meant_column
from autodl.records import ReadInfo

LARGE_BYTES = 1 << 26
"""Files from 64 MiB on are streamed."""
PACKED_BYTES = 1 << 23
"""So are compressed ones from 8 MiB on, since they may grow tenfold."""
LARGE_CELLS = 1 << 23
"""So are Parquet files from so many cells on; frames of so many cells may be sampled."""


def read_table(
    source: str | Path | AnyFrame,
    *,
    as_text: Collection[str] = (),
    marked: Collection[str] = (),
    every_row: bool = False,
) -> tuple[pd.DataFrame, ReadInfo]:
    """Read a table.

    Args:
        source: A file (CSV and kin, Parquet, Feather, JSON lines, Excel; also ``.gz``, ``.zst``, ``.zip``, ``.bz2``,
            ``.xz``), a folder or a glob of shards of one table, or a frame that ``as_pandas`` takes. Of two files
            that are called train and test the first.
        as_text: Columns whose cells stay text even if all of them are numbers (CSV only) or name images; for data
            that must agree with a schema in which they are categories.
        marked: Columns in which a point may part thousands: their cells stay text, too, unless commas part the cells.
        every_row: Refuse rows that cannot be read rather than skip a few of them.

    Returns:
        The raw frame with a fresh index, and how it was read. Columns are int64, float64, bool or datetime64 where
        the file plainly says so, else object with ``str`` or ``None``.

    Raises:
        DataError: What is wrong with the source and what to do.
    """
    read = read_rows(source, as_text=as_text, marked=marked, every_row=every_row)
    return read.frame, read.info


@dataclass(frozen=True)
class TableRead:
    """A raw frame, how it was read, and the (n,) 0-based places of its rows in the data.

    ``test``: where test data lie that came with it, as a folder may have them.
    """

    frame: pd.DataFrame
    info: ReadInfo
    rows: NDArray[np.int64]
    test: str | None = None


def read_rows(
    source: str | Path | AnyFrame,
    *,
    as_text: Collection[str] = (),
    marked: Collection[str] = (),
    every_row: bool = False,
    names: Collection[str] = (),
    skip: Collection[str] = (),
    target: str | None = None,
    allowance: Allowance = UNLIMITED,
) -> TableRead:
    """Read a table, or of a large one a random part that the allowance has room for.

    Args:
        source: As for ``read_table``.
        as_text, marked, every_row: As for ``read_table``.
        names: Columns that the table should have, where they are known: a text file is read so that it has them.
        skip: Columns that need not be read; large files leave them out (``ReadInfo.unread``).
        target: What is to be predicted, as the user named it: its cells name no images.
        allowance: What a large table may use; small ones are always kept whole.

    Raises:
        DataError: What is wrong with the source and what to do.
    """
    if not isinstance(source, str | Path):
        return _from_frame(source, allowance, as_text, target)
    if (images := image_folder(source)) is not None:
        folder = read_labelled(str(source), images)
        return TableRead(folder.frame, folder.info, np.arange(len(folder.frame)), folder.test)
    files, left_out = found_files(source)
    if is_series_source(files):
        files, test = train_and_test(files)
        frame, info = read_series(files, str(source))
        place = None if test is None else str(test)
        return TableRead(frame, _with_notes(info, left_out), np.arange(len(frame)), place)
    files, test, found = _without_test(files, str(source))
    left_out = (*left_out, *found)
    large = _large(files, str(source), every_row, names)
    if large is not None:
        frame, info, rows = read_large(large, as_text=as_text, marked=marked, skip=skip, allowance=allowance)
    else:
        frame, info = read_small(files, str(source), as_text, marked, every_row, names)[:2]
        rows = np.arange(len(frame))
    placed = with_whole_paths(frame, files[0].parent, _words(frame, as_text, target))
    notes, place = (*left_out, *placed.notes), None if test is None else str(test)
    return TableRead(placed.frame, _with_notes(info, notes), rows, place)


def _without_test(files: list[Path], source: str) -> tuple[list[Path], Path | None, tuple[str, ...]]:
    """Of a table to learn from and one for the test, with the same columns, the first, the second, and no notes.

    Of all others the files themselves, no test, and a note where an archive holds two such tables.

    Raises:
        DataError: If the columns of the two differ.
    """
    if len(files) == 1:
        names, inner = train_and_test([Path(part.name) for part in open_parts(files[0])])
        if inner is None:
            return files, None, ()
        told = f"{names[0].name} and {inner.name} are read as one table."
        return files, None, (f"{told} Unpack {files[0].name}, and the rows in {inner.name} are kept for the test.",)
    learnt, test = train_and_test(files)
    if test is not None:
        large = _large(files, source, every_row=False)
        if large is None:
            read_small(files, source, (), (), every_row=False)
        else:
            open_blocks(large, Known((None,) * len(large.parts), frozenset()))
    return learnt, test, ()


def _words(frame: pd.DataFrame, as_text: Collection[str], target: str | None) -> set[str]:
    """Columns that name no images whatever they look like."""
    meant = None if target is None else meant_column(target, [str(c) for c in frame.columns])
    return {*as_text} if meant is None else {*as_text, meant}


def _with_notes(info: ReadInfo, notes: tuple[str, ...]) -> ReadInfo:
    return info.model_copy(update={"notes": (*notes, *info.notes)}) if notes else info


class Batches:
    """All rows of a table in order, as raw frames; a large file comes in many, so that little memory is needed.

    Columns are typed for each frame on its own: read them by a schema. Rows that cannot be read are refused.

    Args:
        source: A file, folder or glob, as for ``read_table``.
        as_text: Columns whose cells stay text.
        marked: As for ``read_table``.
        words: Columns that held words when the model was trained, so that none of them names images.
        names: As for ``read_rows``.
        keep: Columns of which ``copies`` are wanted.

    Attributes:
        delimiter: What parts the cells of the frame that was given last, if it comes from a text file.
        decimal: The decimal mark of that file.
        info: How the table was read, once all frames have been given; None before.
        folders: Columns of image files, and the folders from which their names are taken.

    Raises:
        DataError: What is wrong with the source and what to do; also midway.
    """

    def __init__(
        self,
        source: str | Path,
        *,
        as_text: Collection[str] = (),
        marked: Collection[str] = (),
        words: Collection[str] = (),
        names: Collection[str] = (),
        keep: Collection[str] = (),
    ) -> None:
        self._source, self._as_text, self._marked, self._words = source, as_text, marked, words
        self._names, self._keep = names, keep
        self._copies: list[pd.DataFrame] = []
        self.delimiter: str | None = None
        self.decimal: str | None = None
        self.info: ReadInfo | None = None
        self.folders: dict[str, Path] = {}

    def __iter__(self) -> Iterator[pd.DataFrame]:
        if (images := image_folder(self._source)) is not None:
            for frame, info in unlabelled_batches(str(self._source), images):
                self.info = info
                yield frame
            return
        files, left_out = found_files(self._source)
        if is_series_source(files):
            frame, info = read_series(files, str(self._source))
            self.info = _with_notes(info, left_out)
            yield frame
            return
        large = _large(files, str(self._source), True, self._names)
        notes = dict.fromkeys(left_out)
        if large is None:
            frame, info, given = read_small(files, str(self._source), self._as_text, self._marked, True, self._names)
            self._copy(frame, given, info)
            self.delimiter, self.decimal = info.delimiter, info.decimal
            placed = self._placed(frame, files[0].parent, notes)
            self.info = _with_notes(info, tuple(notes))
            yield placed
        else:
            blocks = read_blocks(large, self._as_text, self._marked)
            while True:
                try:
                    block, info, given = next(blocks)
                except StopIteration as end:
                    self.info = _with_notes(end.value, tuple(notes))
                    return
                self._copy(block, given, info)
                self.delimiter, self.decimal = info.delimiter, info.decimal
                yield self._placed(block, files[0].parent, notes)

    @property
    def copies(self) -> pd.DataFrame:
        """The columns to ``keep`` of all rows that were given, as they stand in data that have types of their own."""
        return pd.concat(self._copies, ignore_index=True) if self._copies else pd.DataFrame()

    def _copy(self, frame: pd.DataFrame, given: dict[str, pd.Series], info: ReadInfo) -> None:
        if info.format != "csv" and (names := [n for n in self._keep if n in given]):
            self._copies.append(pd.DataFrame({n: as_given(given[n], frame[n]) for n in names}))

    def _placed(self, frame: pd.DataFrame, folder: Path, notes: dict[str, None]) -> pd.DataFrame:
        placed = with_whole_paths(frame, folder, self._words)
        notes.update(dict.fromkeys(placed.notes))
        self.folders.update(placed.folders)
        return placed.frame


def _large(files: list[Path], source: str, every_row: bool, names: Collection[str] = ()) -> LargeTable | None:
    """The files as a large table; None if they are small, or of a format that is read at one go."""
    n_bytes = sum(file.stat().st_size for file in files)
    if n_bytes < PACKED_BYTES and not any(file.suffix.lower() in (".parquet", ".pq") for file in files):
        return None
    parts = [part for file in files for part in open_parts(file)]
    kinds = {table_format(part.name, pa.py_buffer(head(part, 4096))) for part in parts}
    if len(kinds) != 1:
        return None
    kind = kinds.pop()
    plain = all(part.plain for part in parts)
    if kind == "csv":
        is_large = n_bytes >= (LARGE_BYTES if plain else PACKED_BYTES)
    elif kind == "parquet":
        is_large = plain and (n_bytes >= LARGE_BYTES or sum(n_cells(p.path) for p in parts) >= LARGE_CELLS)
    else:
        is_large = kind == "feather" and n_bytes >= LARGE_BYTES and plain and is_arrow_file(files)
    return LargeTable(source, kind, tuple(parts), n_bytes, every_row, names) if is_large else None


def _from_frame(source: Any, allowance: Allowance, as_text: Collection[str], target: str | None) -> TableRead:
    frame = as_pandas(source)
    rows, sample = np.arange(len(frame)), None
    if frame.size >= LARGE_CELLS:
        rows, sample = sample_rows(frame, allowance)
        frame = frame if sample is None else frame.iloc[rows]
    frame, notes = normalise(frame, "the DataFrame")
    placed = with_whole_paths(frame, Path(), _words(frame, as_text, target))
    frame, notes = placed.frame, (*notes, *placed.notes)
    info = ReadInfo(
        path="<DataFrame>", format="frame", notes=notes if sample is None else (*notes, sample.note), sample=sample
    )
    return TableRead(not_empty(frame, "the DataFrame"), info, rows)
