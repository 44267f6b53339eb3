"""The base of all records: frozen, strict about unknown keys, exact through JSON and back."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticSerializationError

JsonScalar = bool | int | float | str | None
"""A plain value that JSON holds."""

SCHEMA_VERSION = 1
"""Version of the records on disk; raise it when an older reader could not read a newer folder."""


class Record(BaseModel):
    """A value object; NaN and infinity survive JSON as the strings ``NaN``, ``Infinity``."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")

    def to_json(self, indent: int | None = None) -> str:
        """Its JSON for a file or a stream; names of files may hold bytes that are no UTF-8, see ``encodable``."""
        try:
            return self.model_dump_json(indent=indent)
        except PydanticSerializationError:
            return self._encodable().model_dump_json(indent=indent)

    def _encodable(self) -> Self:
        return type(self).model_validate(all_encodable(self.model_dump()))


class StageRecord(Record):
    """The output of one stage of the pipeline, written to the run folder."""

    schema_version: int = SCHEMA_VERSION


def encodable(text: str) -> str:
    """Text that UTF-8 can hold: bytes of a file's name that are no UTF-8 are spelt out.

    >>> encodable("k\\udce4se.csv")
    'k\\\\udce4se.csv'
    """
    return text.encode("utf-8", "backslashreplace").decode()


def all_encodable(value: Any) -> Any:
    """The same with ``encodable`` texts, however deep they lie."""
    if isinstance(value, str):
        return value if value.isascii() else encodable(value)
    if isinstance(value, dict):
        return {all_encodable(k): all_encodable(v) for k, v in value.items()}
    return type(value)(all_encodable(v) for v in value) if isinstance(value, list | tuple) else value
