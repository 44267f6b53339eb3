"""Tables that are hard to learn from: their shape, their columns, their target."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bad_case import HEADER, Build, Case, shop, shop_rows, text, write

ROWS = shop_rows()


def with_column(name: str, value: Callable[[int], str], n: int = 120) -> Build:
    """The small table with one more column in front."""
    rows = [[value(i), *row] for i, row in enumerate(shop_rows(n))]
    return write("shop.csv", text(rows, (name, *HEADER)))


def with_target(value: Callable[[int], str], n: int = 120) -> Build:
    """The small table with another target."""
    return write("shop.csv", text([[*row[:3], value(i)] for i, row in enumerate(shop_rows(n))]))


def frame(name: str, columns: dict[str, list[Any]]) -> Build:
    """A Parquet or JSON-lines file of Python values."""

    def build(folder: Path) -> None:
        import pandas as pd

        table = pd.DataFrame(columns)
        if name.endswith(".parquet"):
            table.to_parquet(folder / name)
        else:
            table.to_json(folder / name, orient="records", lines=True)

    return build


def wide(folder: Path) -> None:
    """50 rows of 5,000 numbers and a target."""
    draw = random.Random(0)
    lines = [",".join([*(f"x{i}" for i in range(5_000)), "bought"])]
    lines += [
        ",".join([*(f"{draw.random():.3f}" for _ in range(5_000)), "yes" if r % 2 else "no"]) for r in range(50)
    ]
    (folder / "wide.csv").write_text("\n".join(lines))


def many_words(folder: Path) -> None:
    """A column of 100,000 categories in 120,000 rows."""
    draw = random.Random(0)
    rows = [
        f"{draw.gauss(0, 1):.2f},shop{draw.randrange(350_000)},{draw.choice(('yes', 'no'))}" for _ in range(120_000)
    ]
    (folder / "shops.csv").write_text("size,shop,bought\n" + "\n".join(rows) + "\n")


DATES = ("2024-03-{d:02d}", "{d:02d}.03.2024", "{d:02d} March 2024", "2024/03/{d:02d} 10:30")

SHAPES = (
    Case("one_row", "One row", "autodl fit shop.csv", ("shop.csv", "1 row", "at least"), shop(1)),
    Case("three_rows", "Three rows", "autodl fit shop.csv", ("shop.csv", "3 rows", "at least"), shop(3)),
    Case(
        "few_rows",
        "A few rows (24)",
        "autodl plan shop.csv --target bought",
        ("24 rows prove little",),
        shop(24),
        code=0,
    ),
    Case(
        "one_column",
        "One column",
        "autodl fit one.csv",
        ("one.csv", "only one column", "delimiter"),
        write("one.csv", "bought\n" + "yes\nno\n" * 30),
    ),
    Case(
        "duplicate_names",
        "Two columns with the same name",
        "autodl fit shop.csv",
        ("shop.csv", "'size'", "columns 1 and 2", "Rename"),
        write("shop.csv", text(ROWS, ("size", "size", "visits", "bought"))),
    ),
    Case(
        "lists",
        "A column of lists",
        "autodl plan lists.jsonl --target bought",
        ("'tags' are read as text",),
        frame(
            "lists.jsonl",
            {
                "tags": [["a", "b"][: i % 3] for i in range(120)],
                "size": [float(r[0]) for r in ROWS],
                "bought": [r[3] for r in ROWS],
            },
        ),
        code=0,
    ),
    Case(
        "mappings",
        "A column of records in a Parquet file",
        "autodl plan maps.parquet --target bought",
        ("'where' are read as text",),
        frame(
            "maps.parquet",
            {
                "where": [{"town": r[1], "floor": int(r[2])} for r in ROWS],
                "size": [float(r[0]) for r in ROWS],
                "bought": [r[3] for r in ROWS],
            },
        ),
        code=0,
    ),
    Case(
        "mixed_column",
        "Numbers and words mixed in a column",
        "autodl plan shop.csv --target bought",
        ("'length' mixes numbers", "empty these cells"),
        with_column("length", lambda i: "n.a. yet" if i % 15 == 0 else f"{i * 1.5}"),
        code=0,
    ),
    Case(
        "infinities",
        "Infinite numbers",
        "autodl plan shop.csv --target bought",
        ("'length': 8 of 120 values are infinite",),
        with_column("length", lambda i: "inf" if i % 15 == 0 else f"{i * 1.5}"),
        code=0,
    ),
    Case(
        "wide",
        "50 rows of 5,000 columns",
        "autodl plan wide.csv",
        ("50 rows, 5,001 columns", "prove little"),
        wide,
        code=0,
        slow=True,
    ),
    Case(
        "many_categories",
        "A column of 100,000 different words",
        "autodl plan shops.csv --target bought",
        ("'shop' has 101,590 different values",),
        many_words,
        code=0,
    ),
    Case(
        "several_dates",
        "Dates written in several ways",
        "autodl plan shop.csv --target bought",
        ("'day' (2024-03-01 to 2024-03-27 10:30:00)",),
        with_column("day", lambda i: DATES[i % 4].format(d=i % 27 + 1)),
        code=0,
    ),
    Case(
        "nothing_to_learn_from",
        "Only IDs beside the target",
        "autodl fit ids.csv --target bought",
        ("no column is left", "'bought'", "'customer_id'", "Add columns"),
        write("ids.csv", "customer_id,bought\n" + "".join(f"C{i:05d},{r[3]}\n" for i, r in enumerate(ROWS))),
    ),
)

TARGETS = (
    Case(
        "target_unknown",
        "A target that is not in the file",
        "autodl fit shop.csv --target bougt",
        ("'bougt'", "shop.csv", "Did you mean 'bought'?"),
        shop(),
    ),
    Case(
        "target_constant",
        "A target with one value only",
        "autodl fit shop.csv --target bought",
        ("'bought'", "the same value (yes) in all 120 rows", "--target"),
        with_target(lambda i: "yes"),
    ),
    Case(
        "target_yes_or_blank",
        "A target that is yes or blank",
        "autodl fit shop.csv --target bought",
        ("'bought'", "(yes)", "60 are blank", "If blank means no"),
        with_target(lambda i: "yes" if i % 2 else ""),
    ),
    Case(
        "target_times",
        "A target of times of the day",
        "autodl fit shop.csv --target bought",
        ("'bought'", "60 different words in 120 rows", "12:30 into minutes"),
        with_target(lambda i: f"{i % 60 // 6 + 8:02}:{i % 6}5"),
    ),
    Case(
        "target_unique",
        "A target that differs in each row",
        "autodl fit shop.csv --target bought",
        ("'bought'", "different in each", "--target"),
        with_target(lambda i: f"customer {i}"),
    ),
    Case(
        "target_empty",
        "A target without any value",
        "autodl fit shop.csv --target bought",
        ("'bought'", "empty in all 120 rows", "--target"),
        with_target(lambda i: ""),
    ),
    Case(
        "target_known_in_few_rows",
        "A target known in four rows only",
        "autodl fit shop.csv --target bought",
        ("'bought'", "4 rows", "at least"),
        with_target(lambda i: str(i % 2) if i < 4 else ""),
    ),
    Case(
        "class_of_one_row",
        "A class with one row only",
        "autodl plan shop.csv --target bought",
        ("'maybe' (1 row)", "Collect more"),
        with_target(lambda i: "maybe" if i == 7 else ROWS[i][3]),
        code=0,
    ),
    Case(
        "second_class_of_one_row",
        "Two classes, one of them with one row only",
        "autodl fit shop.csv --target bought",
        ("'bought'", "'yes'", "1 row", "at least"),
        with_target(lambda i: "yes" if i == 7 else "no"),
    ),
    Case(
        "target_mixed",
        "A number to predict with words among its values",
        "autodl plan shop.csv --target bought",
        ("'bought': 4 of 120 values",),
        with_target(lambda i: "not yet" if i % 30 == 0 else f"{i * 1.25}"),
        code=0,
    ),
    Case(
        "target_words_as_number",
        "--task regression with a target of words",
        "autodl fit shop.csv --target colour --task regression",
        ("'colour'", "words", "--task classification"),
        shop(),
    ),
    Case(
        "target_numbers_as_classes",
        "--task classification with a measured number",
        "autodl fit shop.csv --target size --task classification",
        ("'size'", "--task regression"),
        shop(),
    ),
    Case(
        "target_date",
        "A date as the target",
        "autodl fit shop.csv --target day",
        ("'day'", "date", "number"),
        with_column("day", lambda i: f"2024-{i % 12 + 1:02d}-{i % 28 + 1:02d}"),
    ),
    Case(
        "no_target_fits",
        "No column that could be a target",
        "autodl fit ids.csv",
        ("ids.csv", "--target"),
        write(
            "ids.csv",
            "customer_id,note\n"
            + "".join(f"C{i:05d},customer {i} came on day {i * 7} and left a long remark\n" for i in range(120)),
        ),
    ),
)
