"""Columns of new data against those that the model knows: what it lacks, and what it has besides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from autodl.errors import DataError, RunError, did_you_mean
from autodl.records import ColumnKind, Profile, TableSchema
from autodl.store import RunFolder

if TYPE_CHECKING:
    import pandas as pd

    from autodl.model import ModelManifest

SHOWN = 5
"""Names of columns in one sentence."""


def check_lacking(
    lacking: Sequence[str], schema: TableSchema, raw: pd.DataFrame, allow_missing: bool, where: str
) -> None:
    """Refuse missing columns that were not allowed, and data with none of the columns.

    Raises:
        DataError: Which columns are missing and what to do.
    """
    names, has = schema.names, [str(c) for c in raw.columns]
    quoted = ", ".join(f"'{n}'" for n in lacking[:SHOWN])
    if len(lacking) > SHOWN:
        quoted += f" and {len(lacking) - SHOWN} more"
    if len(lacking) == len(names):
        none = f"none of the {len(names)} columns that the model needs ({quoted})"
        raise DataError(
            f"{where} has {none if len(names) > 1 else f'no column {quoted}, which is all that the model looks at'}",
            _image_remedy(schema, raw) or "Check that it is the right file and has a header line.",
        )
    if allow_missing:
        return
    near = did_you_mean(lacking[0], [n for n in has if n not in names]) if set(has) - set(names) else ""
    remedy = f"{near} Then rename it. Otherwise add" if near.startswith("Did") else "Add"
    one = len(lacking) == 1
    raise DataError(
        f"{where} lacks the column{'' if one else 's'} {quoted}, which the model needs",
        f"{remedy} {'it' if one else 'them'}, or pass --allow-missing to predict as if {'it' if one else 'they'} "
        "were unknown in every row.",
    )


def _image_remedy(schema: TableSchema, raw: pd.DataFrame) -> str:
    """What to do where the only column is one of images, and the data name theirs otherwise; empty elsewhere."""
    from autodl.data.images.columns import image_columns

    names = schema.names
    if len(names) != 1 or schema[names[0]].kind is not ColumnKind.IMAGE or not (found := image_columns(raw)):
        return ""
    return f"Rename '{found[0]}' to '{names[0]}', or give the folder with the images instead of a table."


def ignored_columns(folder: RunFolder, manifest: ModelManifest, raw: pd.DataFrame) -> str:
    """Columns that even the training file did not have, in quotes; empty where nobody can tell."""
    try:
        profile = folder.read("profile", Profile)
    except RunError:
        return ""  # a damaged record costs no more than this note
    if profile is None:
        return ""  # the folder of the model was moved without the records
    known = {*profile.columns.names, *profile.read.unread, *manifest.features.names, manifest.target}
    rules = [c.parse.series for c in manifest.features.columns if c.parse.series is not None]
    known |= {rule.id_column for rule in rules if rule.id_column is not None}
    extra = [str(c) for c in raw.columns if str(c) not in known]
    more = f" and {len(extra) - SHOWN} more" if len(extra) > SHOWN else ""
    return ", ".join(f"'{n}'" for n in extra[:SHOWN]) + more
