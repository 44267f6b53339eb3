"""Records read from disk, checked: damaged, newer or fine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from autodl.errors import RunError
from autodl.records import SCHEMA_VERSION, Record

R = TypeVar("R", bound=Record)

START_ANEW = "Start again with `autodl fit` and another --out."


class DamagedError(RunError):
    """A file of a run folder is not what was written."""


def load_record(path: Path, kind: type[R], remedy: str = START_ANEW) -> R:
    """Read a record.

    Args:
        path: The JSON file.
        kind: Its class.
        remedy: What the user can do if it is damaged.

    Raises:
        DamagedError: If the file is damaged.
        RunError: If it was written by a newer version, or cannot be read.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}", "Check the folder and its permissions.") from error
    if not data.strip(b"\0 \r\n\t"):
        raise DamagedError(f"{path} is damaged: it is empty", remedy)
    try:
        raw = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"{path} is damaged: it is not whole JSON", remedy) from error
    if not isinstance(raw, dict):
        raise DamagedError(f"{path} is damaged: it holds no record", remedy)
    version = raw.get("schema_version", SCHEMA_VERSION)
    if version != SCHEMA_VERSION:
        if isinstance(version, int) and not isinstance(version, bool):
            newer = "a newer" if version > SCHEMA_VERSION else "an older"
            raise RunError(
                f"{path} was written by {newer} autodl: its records have version {version}, "
                f"this one reads {SCHEMA_VERSION}",
                "Install the version of autodl that wrote the run.",
            )
        raise DamagedError(f"{path} is damaged: its schema version is no number", remedy)
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(p) for p in first["loc"])
        raise DamagedError(f"{path} is damaged: {place}: {first['msg']}", remedy) from error
