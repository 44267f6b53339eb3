"""Which column is to be predicted: as asked, or guessed from names, places and values."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from autodl.errors import DataError, did_you_mean, meant_column
from autodl.profiling.task import check_enough_rows
from autodl.profiling.vocabulary import DESCRIPTIONS, GENERIC_NAMES, TOPIC_NAMES
from autodl.profiling.words import plain, tokens
from autodl.records import ColumnInfo, ColumnKind, TableSchema

_UNFIT = frozenset(
    {ColumnKind.ID, ColumnKind.DATETIME, ColumnKind.TEXT, ColumnKind.CONSTANT, ColumnKind.IMAGE, ColumnKind.SERIES}
)


def choose_target(
    schema: TableSchema, asked: str | None, where: str, taken: Collection[str | None] = ()
) -> tuple[str, str, bool]:
    """The column to predict.

    Args:
        schema: The columns of the table.
        asked: The user's choice, or None to guess.
        where: What the table is called in errors, e.g. its path.
        taken: Columns that are not guessed, since they have another role or are dropped.

    Returns:
        Name, why in words, and whether it was guessed.

    Raises:
        DataError: If the asked column does not exist, or no column could be a target.
    """
    if asked is not None:
        names = schema.names
        meant = meant_column(asked, names)
        if meant == asked:
            return asked, "You asked for it.", False
        if meant is not None:
            return meant, f"You asked for '{asked}'; capitals and spaces aside, that is '{meant}'.", False
        raise DataError(f"the target column '{asked}' is not in {where}", did_you_mean(asked, names))
    if len(schema.columns) < 2:
        raise DataError(
            f"{where} has only one column, but a target and at least one column to predict it from are needed",
            "If it has more, check the delimiter between them.",
        )
    check_enough_rows(schema.columns[0].n, where)
    free = [c for c in schema.columns if c.name not in taken]
    fit = [(i, c) for i, c in enumerate(free) if _possible(c)]
    if not fit:
        other = "" if len(free) == len(schema.columns) else ", or have another role"
        raise DataError(
            f"no column of {where} can be a target: all are constant, IDs, dates, free text, images or series{other}",
            "Name one with --target COLUMN.",
        )
    names = tuple(c.name for c in free)
    alone = _only_classes(free)
    ends = fit[0][1].name, fit[-1][1].name
    scored = [(*_score(c, names, ends, alone), i, c) for i, c in fit]
    _, reason, _, best = max(scored, key=lambda s: (s[0], s[2]))
    return best.name, f"Guessed: {reason}. Pass --target COLUMN for another.", True


def _possible(column: ColumnInfo) -> bool:
    present = column.n - column.n_missing
    if column.kind in _UNFIT or present == 0 or column.n_unique < 2:
        return False
    classes = column.kind is ColumnKind.CATEGORICAL or column.parse.clock  # times are numbers only as a feature
    return not classes or column.n_unique <= max(2, min(200, present // 5))


def _only_classes(columns: Sequence[ColumnInfo]) -> bool:
    """Whether the first column alone holds classes, and all others numbers."""
    first, *others = columns
    numbers = (ColumnKind.NUMERIC, ColumnKind.CONSTANT, ColumnKind.ID)
    return first.kind in (ColumnKind.CATEGORICAL, ColumnKind.BOOLEAN) and all(c.kind in numbers for c in others)


def _score(column: ColumnInfo, names: tuple[str, ...], ends: tuple[str, str], first_alone: bool) -> tuple[float, str]:
    """How much a column looks like a target (higher is more), and the reason in words.

    Args:
        column: One that can be. names: All. ends: The first and the last that can be; IDs, say, cannot.
        first_alone: Whether the first one alone holds classes.
    """
    points, reasons = 0.0, []
    name = plain(column.name)
    words = tokens(column.name)
    coordinate = name == "y" and "z" in {plain(n) for n in names}
    if name == "class" and column.name not in ends:  # in between it may be that of a ticket
        points, reasons = 50.0, ["its name may say so"]
    elif not coordinate and (name in GENERIC_NAMES or "_".join(words) in GENERIC_NAMES):
        points, reasons = 100.0, ["its name says so"]
    elif name in DESCRIPTIONS:
        # A status in the middle is rather asked for than the last column, a type or a grade is not.
        points, reasons = (45.0 if name == "status" else 30.0), ["its name is one that people sometimes predict"]
    elif name in TOPIC_NAMES or "_".join(words) in TOPIC_NAMES:
        points, reasons = 70.0, ["its name is one that people often predict"]
    elif any(w in GENERIC_NAMES - DESCRIPTIONS for w in words if len(w) > 1):
        points, reasons = 55.0, ["its name has a word for what is predicted"]
    elif any(w in TOPIC_NAMES - DESCRIPTIONS for w in words):
        points, reasons = 45.0, ["its name has a word for what people often predict"]
    if column.name == names[-1]:
        points += 40
        reasons.append("it is the last column")
    elif column.name == names[0]:
        points += 50 if first_alone else 15
        reasons.append("it comes first" + (" and it alone holds classes, all others numbers" if first_alone else ""))
    if column.n_unique == 2:
        points += 5
        reasons.append("it has two values")
    elif column.kind in (ColumnKind.CATEGORICAL, ColumnKind.BOOLEAN):
        points += 2
        reasons.append(f"it has {column.n_unique} classes")
    points -= 40 * column.n_missing / max(1, column.n)
    return points, ", ".join(reasons) or "it can hold a target and none fits better"
