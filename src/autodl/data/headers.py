"""Column names and notes of delimited files, and whether shards have the same columns."""

from __future__ import annotations

from autodl.data.columns import check_names, clean_names
from autodl.data.csv_format import Text
from autodl.data.dialect import NO_DELIMITER, Dialect
from autodl.data.encoding import MIXED
from autodl.errors import DataError


def column_names(text: Text, where: str, *, drop_empty: bool = True) -> tuple[list[str], list[str], tuple[str, ...]]:
    """(column names, positions kept, notes) of a delimited file; ``drop_empty``: columns without name and values.

    Raises:
        DataError: If two columns share a name, or there is none.
    """
    width = text.dialect.width
    positions = [str(i) for i in range(width)]
    if not text.dialect.header:
        return [f"column_{i + 1}" for i in range(width)], positions, ()
    given = [*text.dialect.names[:width], *[""] * (width - len(text.dialect.names))]
    if len(text.dialect.names) == width - 1:  # R writes row names without a header of their own.
        filled_last = text.table[str(width - 1)].null_count < text.table.num_rows
        given = ["", *text.dialect.names] if filled_last else given
    empty = {
        i
        for i, n in enumerate(given)
        if drop_empty and not n and text.table[str(i)].null_count == text.table.num_rows
    }
    kept = [i for i in range(width) if i not in empty]
    if not kept:
        raise DataError(f"{where} has no column with a name or a value", "Give a table with a header and rows.")
    names, notes = clean_names([given[i] for i in kept])
    check_names(names, where)
    if empty:
        dropped = "1 column" if len(empty) == 1 else f"{len(empty)} columns"
        verb = "was" if len(empty) == 1 else "were"
        notes = (*notes, f"{dropped} without a name and without values {verb} dropped.")
    return names, [positions[i] for i in kept], notes


def dialect_notes(text: Text) -> list[str]:
    """Sentences about how the file is written, where that is unusual."""
    d, out = text.dialect, []
    if not d.header:
        out.append("The first line holds values, not names; columns were named column_1, column_2, ...")
    if d.skip:
        out.append(
            "1 line before the table was skipped."
            if d.skip == 1
            else f"{d.skip} lines before the table were skipped."
        )
    if text.encoding == MIXED:
        out.append("Most of the text is UTF-8, but some lines are encoded as cp1252; each was read as what it is.")
    elif text.encoding not in ("utf-8", "utf-8-sig"):
        out.append(f"The text is encoded as {text.encoding}.")
    if d.decimal == ",":
        out.append("Numbers are written with a decimal comma.")
    return out


def decimal_notes(files: list[tuple[str, Dialect]]) -> list[str]:
    """A sentence where some files of a table have a decimal comma and others a decimal point."""
    first, dialect = files[0]
    other = [name for name, d in files if d.decimal != dialect.decimal]
    if not other:
        return []
    marks = {".": "point", ",": "comma"}
    shown = ", ".join(other[:3]) + (f" and {len(other) - 3} more" if len(other) > 3 else "")
    return [
        f"Numbers in {shown} are written otherwise than in {first}, which has a decimal {marks[dialect.decimal]}: "
        "such columns are taken as words. Write all files alike."
    ]


def shown_delimiter(dialect: Dialect) -> str | None:
    """The delimiter; None for a single column."""
    return None if dialect.delimiter == NO_DELIMITER else dialect.delimiter


def same_columns(headers: list[tuple[str, list[str]]]) -> None:
    """Raise ``DataError`` unless all files, given as (name, columns), have the same columns in any order."""
    first_file, first = headers[0]
    odd = [(file, names) for file, names in headers[1:] if set(names) != set(first)]
    if not odd:
        return
    file, names = odd[0]
    differences = [
        f"{lacking} lacks {_quoted(columns)}, which {having} has"
        for lacking, having, columns in (
            (file, first_file, [n for n in first if n not in names]),
            (first_file, file, [n for n in names if n not in first]),
        )
        if columns
    ]
    if len(odd) > 1:
        shown = ", ".join(f for f, _ in odd[1:4]) + (f" and {len(odd) - 4} more" if len(odd) > 4 else "")
        differences.append(f"{shown} differ too" if len(odd) > 2 else f"{shown} differs too")
    raise DataError(
        f"the files differ in columns: {'; '.join(differences)}",
        "Give shards of one table, or only the file to learn from.",
    )


def _quoted(names: list[str]) -> str:
    return ", ".join(f"'{n}'" for n in names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
