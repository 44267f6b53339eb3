"""The base of all records: frozen, strict about unknown keys, exact through JSON and back."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

JsonScalar = bool | int | float | str | None
"""A plain value that JSON holds."""

SCHEMA_VERSION = 1
"""Version of the records on disk; raise it when an older reader could not read a newer folder."""


class Record(BaseModel):
    """A value object; NaN and infinity survive JSON as the strings ``NaN``, ``Infinity``."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class StageRecord(Record):
    """The output of one stage of the pipeline, written to the run folder."""

    schema_version: int = SCHEMA_VERSION
