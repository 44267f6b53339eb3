"""Whether a target is a class or a number."""

from __future__ import annotations

import re

from autodl.data.words import CURRENCIES
from autodl.errors import DataError
from autodl.profiling.vocabulary import CLASS_WORDS, NUMBER_WORDS
from autodl.profiling.words import tokens
from autodl.records import ColumnInfo, ColumnKind, Task

MAX_CLASSES = 1_000
"""More distinct values than this are no classes."""
FEW_VALUES = 20
"""Whole numbers with at most this many distinct values may be either."""
MIN_ROWS = 10
"""Rows with a target below which nothing is trained: two would be left for the test, and chance would decide."""
MIN_WORTH = 3
"""Rows of equal weight that a weighted table must at least be worth; where it is worth few, the run says so."""
MIN_CLASS_ROWS = 3
"""Rows that at least two classes must have: one for learning, one for validation, one for the test."""
_MONEY = "|".join(map(re.escape, CURRENCIES))
_AMOUNT = re.compile(rf"(?:(?:{_MONEY}) ?)?\d[\d,]*(\.\d+)? ?[^\d\s.]{{1,8}}[23]?$")
"""A number with a unit, and money in front or not."""


def choose_task(column: ColumnInfo, asked: Task | None) -> tuple[Task, str, bool]:
    """Classification or regression.

    Args:
        column: The target.
        asked: The user's choice, or None to decide from the values.

    Returns:
        Task, why in words, and whether it was a guess that a person may want to change.

    Raises:
        DataError: If the column cannot be a target at all, or not of the task asked for.
    """
    check_usable(column)
    if asked is Task.CLASSIFICATION:
        return asked, _asked_classes(column), False
    if asked is Task.REGRESSION:
        return asked, _asked_numbers(column), False
    if column.n_unique == 2:
        return Task.CLASSIFICATION, "The target has two values.", False
    if column.kind is not ColumnKind.NUMERIC or column.numeric is None:
        if column.n_unique > MAX_CLASSES:
            raise DataError(
                f"the target '{column.name}' has {column.n_unique:,} different words, too many to be classes "
                f"(at most {MAX_CLASSES:,})",
                "Group them into fewer classes, or name another column with --target.",
            )
        _check_amounts(column)
        _check_repeats(column)
        return Task.CLASSIFICATION, f"The target holds words: {column.n_unique} classes.", False
    if not column.numeric.integers:
        return Task.REGRESSION, f"The target holds numbers with decimals ({column.n_unique:,} different ones).", False
    return _whole_numbers(column)


def _check_amounts(column: ColumnInfo) -> None:
    """Refuse very many words that are numbers with decimals and units.

    Raises:
        DataError: With an example.
    """
    words = [w for w, _ in column.top]
    example = next((w for w in words if "." in w), None)
    if column.n_unique > FEW_VALUES and example is not None and all(map(_AMOUNT.match, words)):
        raise DataError(
            f"the target '{column.name}' holds amounts such as '{example}'",
            "Write them as plain numbers in one unit, or pass --task classification to take each for a class.",
        )


def _check_repeats(column: ColumnInfo) -> None:
    """Refuse words that hardly repeat: times, measures with units, and names are no classes.

    Raises:
        DataError: With an example.
    """
    present = column.n - column.n_missing
    if column.n_unique > FEW_VALUES and present < MIN_CLASS_ROWS * column.n_unique:
        raise DataError(
            f"the target '{column.name}' has {column.n_unique:,} different words in {present:,} rows (such as "
            f"'{column.top[0][0]}'), too few rows each to be classes",
            "Turn it into a number (a time such as 12:30 into minutes), or name another column with --target.",
        )


def check_enough_rows(n: int, where: str) -> None:
    """Refuse tables whose score would be a matter of chance.

    Raises:
        DataError: With the number of rows that is needed.
    """
    if n < MIN_ROWS:
        raise DataError(
            f"{where} has {n} row{'' if n == 1 else 's'}, but at least {MIN_ROWS} are needed to learn and to test",
            "Add more rows: some hundred are good.",
        )


def check_enough_known(target: str, classes: tuple[str, ...], counts: tuple[int, ...], n: int) -> None:
    """Refuse targets that are known in too few rows, or of which all but one class are as good as absent.

    Args:
        target: Name of the column.
        classes: Its classes; empty for a number.
        counts: (K,) rows of each.
        n: Rows with a target.

    Raises:
        DataError: With the number of rows that is needed.
    """
    if n < MIN_ROWS:
        raise DataError(
            f"the target '{target}' is known in {n} row{'' if n == 1 else 's'} only, but at least {MIN_ROWS} are "
            "needed to learn and to test",
            "Add rows with a known target: some hundred are good.",
        )
    if not classes:
        return
    ranked = sorted(zip(counts, classes, strict=True), reverse=True)
    if len(ranked) > 1 and (few := ranked[1])[0] < MIN_CLASS_ROWS:
        raise DataError(
            f"beside '{ranked[0][1]}', no class of the target '{target}' has more than {few[0]} "
            f"row{'' if few[0] == 1 else 's'} (such as '{few[1]}'), but at least {MIN_CLASS_ROWS} are needed: to "
            "learn, to compare models and to test",
            "Add rows of the rare classes, or name another column with --target.",
        )


def check_weighed(
    column: str,
    target: str,
    classes: tuple[str, ...],
    counts: tuple[int, ...],
    *,
    n: int,
    n_zero: int,
    n_values: int,
    worth: float,
) -> None:
    """Refuse weights that leave too few rows, no second value of the target, or few rows that outweigh all others.

    Args:
        column: Name of the weight column. target: Name of the target.
        classes, counts: Classes that are left, with their rows; empty for a number.
        n: Rows with a target and a weight above 0. n_zero: Rows with a target and the weight 0.
        n_values: Different values of the target in the n rows. worth: The effective number of rows.

    Raises:
        DataError: Saying that it comes of the weights.
    """
    zero = f"{n_zero:,} row{'s have' if n_zero > 1 else ' has'} the weight 0"
    more = "Give more rows a weight above 0, or leave the weights out."
    if n_zero and n < MIN_ROWS:
        raise DataError(
            f"the weights in '{column}' leave {n} row{'' if n == 1 else 's'} with a known target '{target}' "
            f"({zero}), but at least {MIN_ROWS} are needed to learn and to test",
            more,
        )
    ranked = sorted(zip(counts, classes, strict=True), reverse=True)
    if n_zero and n_values < 2:
        value = f" ('{ranked[0][1]}')" if ranked else ""
        raise DataError(
            f"the weights in '{column}' leave a single value{value} of the target '{target}' ({zero}), so there is "
            "nothing to learn",
            more,
        )
    if n_zero and classes and (few := ranked[1])[0] < MIN_CLASS_ROWS:
        raise DataError(
            f"the weights in '{column}' leave, beside '{ranked[0][1]}', no class of the target '{target}' with more "
            f"than {few[0]} row{'' if few[0] == 1 else 's'} ({zero}), but at least {MIN_CLASS_ROWS} are needed",
            more,
        )
    if n >= MIN_ROWS and round(worth) < MIN_WORTH:
        about = round(worth)
        raise DataError(
            f"the weights in '{column}' are so uneven that {n:,} rows tell about as much as {about} "
            f"row{'' if about == 1 else 's'} of equal weight, but at least {MIN_WORTH} are needed",
            "Look for mistakes among the largest weights, or cap them.",
        )


def check_usable(column: ColumnInfo) -> None:
    """Refuse targets that nothing can be learnt from.

    Raises:
        DataError: If the column is empty, constant, a date, or different in each row and not a number.
    """
    name, present = column.name, column.n - column.n_missing
    other = "Name another column with --target."
    if present == 0:
        raise DataError(f"the target '{name}' is empty in all {column.n:,} rows", other)
    if column.n_unique < 2:
        value = f" ({column.top[0][0]})" if column.top else ""
        if column.n_missing:
            raise DataError(
                f"the target '{name}' has the same value{value} in all {present:,} rows that have one; "
                f"{column.n_missing:,} are blank",
                f"If blank means no, write that into them. {other}",
            )
        raise DataError(
            f"the target '{name}' has the same value{value} in all {present:,} rows, so there is nothing to learn",
            other,
        )
    if column.kind is ColumnKind.DATETIME:
        raise DataError(
            f"the target '{name}' is a date, which cannot be predicted directly",
            "Turn it into a number (such as days until then) or name another column with --target.",
        )
    words = column.kind in (ColumnKind.ID, ColumnKind.TEXT, ColumnKind.CATEGORICAL) and column.numeric is None
    if words and column.n_unique == present and present > 2:
        raise DataError(
            f"the target '{name}' is different in each of {present:,} rows, so it is a name or an ID and no class",
            other,
        )


def _asked_classes(column: ColumnInfo) -> str:
    decimals = column.numeric is not None and not column.numeric.integers
    if column.n_unique > MAX_CLASSES or (
        decimals and column.n_unique > column.n / 2 and column.n_unique > FEW_VALUES
    ):
        raise DataError(
            f"--task classification needs classes, but the target '{column.name}' has {column.n_unique:,} different "
            f"values in {column.n:,} rows",
            "Pass --task regression, or group the values into classes first.",
        )
    return f"You asked for it; the {column.n_unique} different values are the classes."


def has_numbers(column: ColumnInfo) -> bool:
    """Whether a column holds numbers, 0 and 1 included."""
    if column.kind is ColumnKind.BOOLEAN:
        return _numeric_words(column)
    return column.kind is ColumnKind.NUMERIC or column.numeric is not None


def _asked_numbers(column: ColumnInfo) -> str:
    if column.kind is not ColumnKind.BOOLEAN and not has_numbers(column):
        example = f", such as '{column.top[0][0]}'" if column.top else ""
        raise DataError(
            f"--task regression needs numbers, but the target '{column.name}' holds words{example}",
            "Pass --task classification, or name a numeric column with --target.",
        )
    if not has_numbers(column):
        raise DataError(
            f"--task regression needs numbers, but the target '{column.name}' holds yes and no",
            "Pass --task classification.",
        )
    return "You asked for it."


def _numeric_words(column: ColumnInfo) -> bool:
    words = (*column.parse.true_words, *column.parse.false_words)
    return all(w.strip().replace(".", "", 1).isdigit() for w in words)


def _whole_numbers(column: ColumnInfo) -> tuple[Task, str, bool]:
    """Whole numbers: labels when few, from 0 or 1 without gaps and about evenly filled; quantities otherwise."""
    assert column.numeric is not None
    name = tokens(column.name)
    k, words = column.n_unique, set(name)
    low, high = column.numeric.minimum, column.numeric.maximum
    to_classes = "pass --task classification to treat each value as a class of its own"
    to_numbers = "pass --task regression to treat them as quantities"
    # The last word says what it is: a class size is a size, and an age class is a class.
    measured = "lines" in words or {*name[-1:]} & (NUMBER_WORDS - {"number", "num", "n"})
    if words & CLASS_WORDS and not measured and k <= 100 and column.n >= 10 * k:
        return (
            Task.CLASSIFICATION,
            f"The target holds {k} different whole numbers and its name speaks of classes; taken as classes. "
            f"If they measure something, {to_numbers}.",
            True,
        )
    if k > FEW_VALUES:
        return Task.REGRESSION, f"The target holds whole numbers ({k:,} different ones).", False
    no_gaps = low in (0, 1) and high - low + 1 == k
    counts = [c for _, c in column.top]
    even = len(counts) == k and min(counts) >= 0.3 * max(counts)
    if no_gaps and (k <= 4 or even) and not words & NUMBER_WORDS and column.n >= 5 * k:
        return (
            Task.CLASSIFICATION,
            f"The target holds {k} different whole numbers from {low:.0f} to {high:.0f}, which look like labels; "
            f"taken as classes. If they measure something, {to_numbers}.",
            True,
        )
    return (
        Task.REGRESSION,
        f"The target holds numbers with few values ({k} different whole numbers from {low:.0f} to {high:.0f}); taken "
        f"as quantities, where 3 lies between 2 and 4. If they are names of groups, {to_classes}.",
        True,
    )
