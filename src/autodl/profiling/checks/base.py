"""What a check is, what it sees, and where to find all of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from autodl.clock import NEVER, Deadline
from autodl.records import ColumnInfo, ColumnKind, Finding, JsonScalar, Severity, TableSchema, TargetInfo, Task
from autodl.registry import Registry

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

MAX_FINDINGS = 10
"""So many findings of one check name a single column; the rest, if there are several, are counted in one more."""
NO_TIME = "Not looked at: the table is too wide for the time budget."
SAMPLE_ROWS = 5_000
"""Rows of the sample that expensive checks look at."""
NATURAL = 10_000
"""Tables whose features allow no more combinations than this repeat rows by nature."""


@dataclass(frozen=True)
class Context:
    """What checks see. Notation: n rows.

    Attributes:
        frame: (n, columns) canonical values of rows with a target, in file order.
        schema: All columns.
        target: What is predicted.
        y: (n,) class codes (int64) or values (float64).
        features: Columns the models may use.
        dropped: Column -> why it is not used.
        duplicates: Column -> the column it repeats.
        n_rows: Rows of the whole table with a target; more than n when ``frame`` is a sample of them.
        time_column, group_column, weight_column, quantiles: As given by the user.
        test: Canonical rows of a test file, or None. y_test: their targets (-1 for an unknown class).
        seed: Of everything random.
        deadline: When looking must end; see ``run_checks``.
    """

    frame: pd.DataFrame
    schema: TableSchema
    target: TargetInfo
    y: NDArray[Any]
    features: tuple[str, ...]
    dropped: dict[str, str]
    duplicates: dict[str, str]
    n_rows: int
    time_column: str | None = None
    group_column: str | None = None
    weight_column: str | None = None
    quantiles: tuple[float, ...] = ()
    test: pd.DataFrame | None = None
    y_test: NDArray[Any] | None = None
    seed: int = 0
    deadline: Deadline = NEVER

    @property
    def n(self) -> int:
        """Rows looked at."""
        return len(self.frame)

    @property
    def classification(self) -> bool:
        """Whether classes are predicted."""
        return self.target.task is Task.CLASSIFICATION

    @property
    def scope(self) -> str:
        """Empty, or which part of the rows was looked at."""
        return "" if self.n == self.n_rows else f" (looked at {self.n:,} of {self.n_rows:,} rows)"

    @cached_property
    def objects(self) -> str:
        """``image``, ``text`` or ``series`` where every feature is of this kind; empty elsewhere."""
        return self.schema.only(self.features).objects

    def of_kind(self, *kinds: ColumnKind) -> tuple[str, ...]:
        """Features of these kinds, in file order."""
        return tuple(f for f in self.features if self.column[f].kind in kinds)

    @cached_property
    def column(self) -> dict[str, ColumnInfo]:
        """What is known of each column; quicker than a look-up in the schema where columns are many."""
        return {c.name: c for c in self.schema.columns}

    @cached_property
    def numeric(self) -> tuple[str, ...]:
        """Numeric features."""
        return self.of_kind(ColumnKind.NUMERIC)

    @cached_property
    def sample(self) -> NDArray[np.int_]:
        """(at most SAMPLE_ROWS,) row positions, ascending."""
        if self.n <= SAMPLE_ROWS:
            return np.arange(self.n)
        return np.sort(np.random.default_rng(self.seed).choice(self.n, SAMPLE_ROWS, replace=False))

    @cached_property
    def order(self) -> NDArray[np.int_]:
        """(n,) positions of the rows by the time column, or in file order."""
        if self.time_column is None:
            return np.arange(self.n)
        return np.argsort(self.frame[self.time_column].to_numpy(), kind="stable")

    def numbers(self, column: str, rows: NDArray[np.int_] | None = None) -> NDArray[np.float64]:
        """Values of a numeric, boolean or date column as float64, NaN where missing."""
        series = self.frame[column] if rows is None else self.frame[column].iloc[rows]
        return as_numbers(series)

    def codes(self, column: str) -> NDArray[np.int_]:
        """(n,) codes of the distinct values in order of appearance; -1 where missing."""
        import pandas as pd

        if column not in self._codes:
            self._codes[column] = pd.factorize(self.frame[column])[0]
        return self._codes[column]

    @cached_property
    def _codes(self) -> dict[str, NDArray[np.int_]]:
        return {}

    @property
    def apart(self) -> tuple[str, ...]:
        """Columns that set rows apart although models do not see them.

        Rows of two days or two customers are two records; in a survey two people may answer alike, and their weights
        tell them apart.
        """
        roles = (self.time_column, self.group_column, self.weight_column)
        return tuple(c for c in roles if c is not None and c not in self.features)

    @cached_property
    def repeats_by_nature(self) -> bool:
        """Whether the features allow so few combinations that chance repeats rows."""
        total = 1
        for name in self.features:
            if self.column[name].kind in (ColumnKind.TEXT, ColumnKind.IMAGE, ColumnKind.SERIES):
                return False
            total *= max(1, self.column[name].n_unique)
            if total > NATURAL:
                return False
        return True

    @cached_property
    def row_hash(self) -> NDArray[np.uint64]:
        """(n,) hash of each row's features."""
        return hash_rows(self.frame, self.features)


def as_numbers(series: pd.Series[Any]) -> NDArray[np.float64]:
    """Numbers and dates as float64 (dates in days), NaN where missing."""
    values = series.to_numpy()
    if values.dtype.kind == "M":
        days = values.astype("datetime64[ns]").astype(np.int64) / 86_400e9
        days[np.isnat(values)] = np.nan
        return np.asarray(days, dtype=np.float64)
    return np.asarray(values, dtype=np.float64)


def hash_rows(frame: pd.DataFrame, columns: tuple[str, ...]) -> NDArray[np.uint64]:
    """(n,) hash of each row over these columns; equal rows have equal hashes in any table.

    The combination is the polynomial ``h = 31 h + hash(value)`` modulo 2**64 over pandas' mixed value hashes.
    """
    from pandas.util import hash_array

    from autodl.media.array import comparable

    out = np.full(len(frame), 17, dtype=np.uint64)
    for name in columns:
        out = out * np.uint64(31) + hash_array(comparable(frame[name]), categorize=True)
        out ^= out >> np.uint64(29)
    return out


class Check(ABC):
    """Looks for one kind of fault.

    Class attributes:
        key: Short lower-case name. code: ``AD001`` ... title: Two to five words.
    """

    key: ClassVar[str]
    code: ClassVar[str]
    title: ClassVar[str]

    @abstractmethod
    def run(self, ctx: Context) -> list[Finding]:
        """At least one finding: what was found, or that nothing was, or that it does not apply."""

    def passed(self, message: str, evidence: Mapping[str, JsonScalar] | None = None) -> list[Finding]:
        """Looked and found nothing."""
        return [self.finding(Severity.PASSED, message, evidence=evidence)]

    def not_applicable(self, message: str) -> list[Finding]:
        """Nothing to look at."""
        return [self.finding(Severity.NOT_APPLICABLE, message)]

    def finding(
        self,
        severity: Severity,
        message: str,
        *,
        action: str = "",
        column: str | None = None,
        evidence: Mapping[str, JsonScalar] | None = None,
    ) -> Finding:
        """A finding under this check's code and title."""
        return Finding(
            code=self.code,
            title=self.title,
            severity=severity,
            column=column,
            evidence=dict(evidence or {}),
            message=message,
            action=action,
        )

    def capped(self, found: list[Finding], what: str) -> list[Finding]:
        """The first MAX_FINDINGS findings and one that counts the rest; a single one more is told as it is.

        Args:
            found: The worst first.
            what: What the columns have, e.g. ``have missing values``.
        """
        rest = found[MAX_FINDINGS:]
        if len(rest) < 2:
            return found
        severity = Severity.WARNS if any(f.severity is Severity.WARNS for f in rest) else rest[0].severity
        names = [f.column for f in rest if f.column]
        more = self.finding(
            severity,
            f"{len(rest):,} more columns {what}, less strongly.",
            action=rest[0].action,
            evidence={"columns": len(rest), "first": names[0] if names else None},
        )
        return [*found[:MAX_FINDINGS], more]


checks: Registry[type[Check]] = Registry("autodl.profiling.checks", Check, group="autodl.checks", noun="check")
"""All checks by key."""


def run_checks(ctx: Context) -> tuple[Finding, ...]:
    """The findings of every check, in the order of their codes; checks after the deadline say that they did not look.

    A check that goes through all columns may itself end at the deadline.
    """
    found: list[Finding] = []
    for check in sorted(checks.values(), key=lambda c: c.code):
        found.extend(check().not_applicable(NO_TIME) if ctx.deadline.passed() else check().run(ctx))
    return tuple(found)
