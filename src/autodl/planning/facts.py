"""The figures of a profile that decisions rest on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from autodl.options import FitOptions
from autodl.records import ColumnInfo, ColumnKind, Modality, Profile, Task

DEFAULT_BUDGET_S = 300.0
"""Assumed where there is no clock (a trial-count budget)."""


@dataclass(frozen=True)
class Facts:
    """Shorthands over a profile."""

    profile: Profile
    options: FitOptions

    @property
    def task(self) -> Task:
        """Classification or regression."""
        return self.profile.target.task

    @property
    def classification(self) -> bool:
        """Whether classes are predicted."""
        return self.task is Task.CLASSIFICATION

    @property
    def rows(self) -> int:
        """Rows with a target."""
        return self.profile.n_rows

    @property
    def budget_s(self) -> float:
        """Seconds in all; DEFAULT_BUDGET_S where there is no clock."""
        return self.options.time_budget_s if self.options.time_budget_s is not None else DEFAULT_BUDGET_S

    @cached_property
    def features(self) -> tuple[ColumnInfo, ...]:
        """The columns that models may use."""
        return self.profile.columns.only(self.profile.features).columns

    def of_kind(self, *kinds: ColumnKind) -> tuple[ColumnInfo, ...]:
        """Features of these kinds."""
        return tuple(c for c in self.features if c.kind in kinds)

    @property
    def numeric(self) -> tuple[ColumnInfo, ...]:
        """Features that are numbers, yes and no included."""
        return self.of_kind(ColumnKind.NUMERIC, ColumnKind.BOOLEAN)

    @property
    def categorical(self) -> tuple[ColumnInfo, ...]:
        """Features that are categories."""
        return self.of_kind(ColumnKind.CATEGORICAL)

    @property
    def text(self) -> tuple[ColumnInfo, ...]:
        """Features that are free text."""
        return self.of_kind(ColumnKind.TEXT)

    @property
    def images(self) -> tuple[ColumnInfo, ...]:
        """Features that are images."""
        return self.of_kind(ColumnKind.IMAGE)

    @property
    def series(self) -> tuple[ColumnInfo, ...]:
        """Features that are series."""
        return self.of_kind(ColumnKind.SERIES)

    @property
    def modalities(self) -> frozenset[Modality]:
        """What features are besides numbers, categories and dates."""
        kinds = {Modality.TEXT: ColumnKind.TEXT, Modality.IMAGE: ColumnKind.IMAGE, Modality.SERIES: ColumnKind.SERIES}
        return frozenset(m for m, kind in kinds.items() if self.of_kind(kind))

    @property
    def objects(self) -> str:
        """``image``, ``text`` or ``series`` where every feature is of this kind; empty elsewhere."""
        return self.profile.columns.only(self.profile.features).objects

    @property
    def dates(self) -> tuple[ColumnInfo, ...]:
        """Features that are dates."""
        return self.of_kind(ColumnKind.DATETIME)

    @property
    def gaps(self) -> tuple[ColumnInfo, ...]:
        """Numeric and date features with missing values, the emptiest first."""
        found = [c for c in (*self.numeric, *self.dates) if c.n_missing]
        return tuple(sorted(found, key=lambda c: -c.n_missing / c.n))

    @property
    def levels(self) -> int:
        """Distinct categories of all categorical features."""
        return sum(c.n_unique for c in self.categorical)

    @property
    def most_levels(self) -> int:
        """Distinct categories of the largest categorical feature."""
        return max((c.n_unique for c in self.categorical), default=0)

    @property
    def share_of_others(self) -> float | None:
        """Share of the rows that are not of the largest class; None for regression."""
        counts = self.profile.target.class_counts
        return 1.0 - max(counts) / sum(counts) if self.classification and sum(counts) > 0 else None

    @property
    def minority(self) -> float:
        """Rows of the rarest class over rows of the most common one; 1 for regression."""
        counts = self.profile.target.class_counts
        return min(counts) / max(counts) if len(counts) > 0 and max(counts) > 0 else 1.0
