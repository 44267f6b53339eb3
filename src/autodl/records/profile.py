"""The facts about a table and its target."""

from __future__ import annotations

from autodl.records.base import Record, StageRecord
from autodl.records.column import NumericStats, TableSchema
from autodl.records.finding import Finding
from autodl.records.task import Task


class RowSample(Record):
    """The part of a large table that was kept: drawn uniformly at random."""

    rows_in_data: int
    rows_used: int
    max_rows: int
    """The limit; a resumed run draws under the same."""
    why: str
    group: str | None = None
    """Rows that share a value of this column were kept or left out together."""
    seed: int
    note: str
    """All this in a sentence."""


class ReadInfo(Record):
    """How a file was read."""

    path: str
    format: str
    """csv, parquet, feather, jsonl, excel, frame."""
    encoding: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    header: bool = True
    by_line: bool = False
    """Whether each row is one line of one text file below its header, so that row 0 is line 2."""
    n_files: int = 1
    n_bytes: int = 0
    notes: tuple[str, ...] = ()
    """What was found out or repaired while reading, one sentence each."""
    sample: RowSample | None = None
    """None where all rows were kept."""
    unread: tuple[str, ...] = ()
    """Columns that were asked to be dropped and were not read at all."""


class TargetInfo(Record):
    """What is to be predicted."""

    name: str
    why: str
    """Why this column: given by the user, or guessed from its name, place and values."""
    guessed: bool
    task: Task
    task_why: str
    task_guessed: bool
    classes: tuple[str, ...] = ()
    """Class names as they stand in the data, in the order of the probability columns; empty for regression."""
    class_counts: tuple[int, ...] = ()
    numeric: NumericStats | None = None
    n_missing: int = 0
    """Rows without a target: they cannot be learnt from and are left out."""


class Profile(StageRecord):
    """Everything the planner may base a decision on."""

    read: ReadInfo
    n_rows: int
    """Rows with a target."""
    columns: TableSchema
    """All columns of the file, the target included."""
    target: TargetInfo
    features: tuple[str, ...]
    """Columns the models may use, in file order."""
    dropped: dict[str, str] = {}
    """Column -> why it is not used (constant, ID, duplicate of another, asked by the user)."""
    time_column: str | None = None
    group_column: str | None = None
    weight_column: str | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def n_classes(self) -> int:
        """Number of classes; 0 for regression."""
        return len(self.target.classes)
