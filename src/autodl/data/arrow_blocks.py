"""Parquet and Arrow files as streams of blocks: only the columns asked for, one row group at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from autodl.data.compression import file_errors
from autodl.errors import DataError

BLOCK_ROWS = 1 << 16
WHOLE: dict[pa.DataType, Any] = {
    pa.int8(): pd.Int8Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.uint8(): pd.UInt8Dtype(),
    pa.uint16(): pd.UInt16Dtype(),
    pa.uint32(): pd.UInt32Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
}
"""Types of pandas that have a missing value: beside one Arrow makes floats of whole numbers and rounds large ones."""


class ArrowFile:
    """A Parquet or Arrow (Feather) file.

    Attributes:
        names: Its columns.

    Raises:
        DataError: If it is damaged.
    """

    def __init__(self, path: Path, kind: str) -> None:
        self.path, self.kind = path, kind
        with file_errors(str(path)), self._errors():
            schema = self._schema()
        self.schema = schema
        index = [n for n in (schema.pandas_metadata or {}).get("index_columns", []) if n in schema.names]
        # The numbers of the rows, which pandas keeps where some of them were left out, are no column.
        self._index = [] if len(index) == 1 and _nameless(index[0]) else index
        self.names = [*self._index, *(n for n in schema.names if n not in index)]

    def shown(self, name: str) -> str:
        """A column's name for people: levels of an index that pandas wrote without names are numbered."""
        return f"level_{self._index.index(name)}" if name in self._index and _nameless(name) else name

    @property
    def n_rows(self) -> int | None:
        """By the footer of a Parquet file; None for an Arrow file, which does not tell."""
        import pyarrow.parquet as pq

        return int(pq.read_metadata(self.path).num_rows) if self.kind == "parquet" else None

    def _schema(self) -> pa.Schema:
        import pyarrow.parquet as pq

        if self.kind == "parquet":
            return pq.read_schema(self.path)
        with pa.OSFile(str(self.path)) as file, pa.ipc.open_file(file) as reader:
            return reader.schema

    def blocks(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """The rows of some columns, in order."""
        import pyarrow.parquet as pq

        with file_errors(str(self.path)), self._errors():
            if self.kind == "parquet":
                with pq.ParquetFile(self.path, memory_map=False, pre_buffer=False) as file:
                    for batch in file.iter_batches(BLOCK_ROWS, columns=list(columns)):
                        yield pa.Table.from_batches([batch]).select(list(columns))
            else:
                with pa.OSFile(str(self.path)) as source, pa.ipc.open_file(source) as reader:
                    for i in range(reader.num_record_batches):
                        yield pa.Table.from_batches([reader.get_batch(i)]).select(list(columns))

    def _errors(self) -> _ArrowErrors:
        return _ArrowErrors(str(self.path), "Parquet" if self.kind == "parquet" else "Feather")


class _ArrowErrors:
    """Turns Arrow's errors into ``DataError``."""

    def __init__(self, where: str, kind: str) -> None:
        self._where, self._kind = where, kind

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, pa.ArrowException):
            raise DataError(
                f"{self._where} is damaged, cut off, or no {self._kind} file", "Copy or write it again."
            ) from error


def n_cells(path: Path) -> int:
    """Rows times columns of a Parquet file by its footer; 0 where it cannot be read."""
    import pyarrow.parquet as pq

    try:
        meta = pq.read_metadata(path)
    except (pa.ArrowException, OSError):
        return 0
    return int(meta.num_rows * meta.num_columns)


def is_arrow_file(paths: Sequence[Path]) -> bool:
    """Whether all are Arrow IPC files, which are read block by block; not older Feather files, not streams."""
    for path in paths:
        with path.open("rb") as file:
            if file.read(6) != b"ARROW1":
                return False
    return True


def _nameless(name: str) -> bool:
    """Whether pandas so calls a level of an index that has no name."""
    return name.startswith("__index_level_")
