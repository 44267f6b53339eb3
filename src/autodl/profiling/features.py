"""Which columns the models may use, and why the others are left out."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.errors import ConfigError, DataError, did_you_mean
from autodl.media.array import comparable
from autodl.records import ColumnKind, TableSchema

if TYPE_CHECKING:
    import pandas as pd

    from autodl.options import FitOptions


ASKED = "You asked to leave it out."


def check_columns(schema: TableSchema, options: FitOptions, target: str, unread: tuple[str, ...] = ()) -> None:
    """Whether the columns named in the options exist and can play their role; ``unread`` ones exist too.

    Raises:
        DataError: If a named column does not exist, or cannot order the rows.
        ConfigError: If the target is given another role too.
    """
    roles = [("column to drop", d) for d in options.drop]
    roles += [("group column", options.group_column)] if options.group_column else []
    roles += [("time column", options.time_column)] if options.time_column else []
    roles += [("weight column", options.weight_column)] if options.weight_column else []
    for role, name in roles:
        if name not in schema.names and name not in unread:
            raise DataError(f"the {role} '{name}' is not in the data", did_you_mean(str(name), schema.names))
        if name == target:
            raise ConfigError(f"the {role} '{name}' is the target", "Name another column, or another target.")
    if options.time_column:
        column = schema[options.time_column]
        if column.kind not in (ColumnKind.DATETIME, ColumnKind.NUMERIC) and column.numeric is None:
            raise DataError(
                f"the time column '{column.name}' holds neither dates nor numbers",
                "Name a column with dates, or with numbers that grow with time.",
            )


def choose_features(
    frame: pd.DataFrame, schema: TableSchema, target: str, options: FitOptions
) -> tuple[tuple[str, ...], dict[str, str], dict[str, str]]:
    """Features, columns left out, and columns that repeat another.

    Args:
        frame: (n, columns) canonical rows.
        schema: All columns.
        target: Name of the target.
        options: For ``drop``, ``group_column``, ``time_column`` and ``weight_column``.

    Returns:
        Features in file order; column -> why it is not used; column -> the column it repeats.

    Raises:
        DataError: If no feature is left.
    """
    dropped: dict[str, str] = dict.fromkeys(options.drop, ASKED)
    for column in schema.columns:
        name = column.name
        if name == target:
            continue
        if name in options.drop:
            dropped[name] = ASKED
        elif name == options.group_column:
            dropped[name] = "It says which rows belong together, for the split only."
        elif name == options.time_column:
            dropped[name] = "It orders the rows, for the split only; later rows have values never seen before."
        elif name == options.weight_column:
            dropped[name] = "It says how much each row counts, in learning and in scores."
        elif column.kind is ColumnKind.CONSTANT or column.n_missing == column.n:
            dropped[name] = (
                "It has no value at all." if column.n_missing == column.n else "It is the same in all rows."
            )
        elif column.kind is ColumnKind.ID:
            dropped[name] = "It names or numbers the rows."
    rest = [n for n in schema.names if n != target and n not in dropped]
    duplicates = repeated_columns(frame, rest)
    dropped.update({name: f"It repeats '{kept}'." for name, kept in duplicates.items()})
    features = tuple(n for n in rest if n not in duplicates)
    if not features:
        reasons = "; ".join(f"'{n}': {w[0].lower()}{w[1:].rstrip('.')}" for n, w in list(dropped.items())[:5])
        raise DataError(
            f"no column is left to predict '{target}' from ({reasons or 'the file has no other'})",
            "Use --drop for fewer columns." if options.drop else "Add columns that describe the rows.",
        )
    return features, dropped, duplicates


def repeated_columns(frame: pd.DataFrame, names: list[str]) -> dict[str, str]:
    """Columns equal to an earlier one in every row (missing values included).

    Candidates are found by their first rows, then by all of them, and then compared in full.
    """
    heads: dict[tuple[str, bytes], list[str]] = {}
    for name in names:
        heads.setdefault((frame[name].dtype.kind, _digest(frame[name][:200])), []).append(name)
    alike: dict[str, str] = {}
    for group in heads.values():
        # Thousands of columns of zeros and ones may begin alike: compared pair by pair they would take minutes.
        seen: dict[bytes, list[str]] = {}
        for name in group if len(group) > 1 else ():
            others = seen.setdefault(_digest(frame[name]), [])
            same = next((e for e in others if frame[e].equals(frame[name].rename(e))), None)
            if same is None:
                others.append(name)
            else:
                alike[name] = same
    return {name: alike[name] for name in names if name in alike}


def _digest(values: pd.Series[Any]) -> bytes:
    """The values' hashes, of which equal columns have equal ones."""
    from pandas.util import hash_array

    array = comparable(values)
    hashes = hash_array(array, categorize=False) if len(array) else np.zeros(0, dtype=np.uint64)
    return blake2b(hashes.tobytes(), digest_size=16).digest()
