"""Commands and options with values that cannot be."""

from __future__ import annotations

from pathlib import Path

from bad_case import Build, Case, both, shop, shop_rows, text, write
from bad_files import as_nobody
from bad_tables import ROWS, with_column


def fit(name: str, wrong: str, options: str, *says: str, build: Build | None = None) -> Case:
    """An option of fit that is refused."""
    return Case(name, wrong, f"autodl fit shop.csv {options}", says, build or shop())


def taken(folder: Path) -> None:
    """A folder with files of another kind."""
    shop()(folder)
    (folder / "photos").mkdir()
    (folder / "photos" / "cat.txt").write_text("meow")


def read_only(folder: Path) -> None:
    """A folder that nothing can be written to."""
    shop()(folder)
    (folder / "safe").mkdir(mode=0o555)


def closed(folder: Path) -> None:
    """A folder that one may not even look into."""
    shop()(folder)
    (folder / "safe").mkdir(mode=0o700)
    shop()(folder / "safe")


def test_file(content: str) -> Build:
    """The small table and a test file."""
    return both(shop(), write("test.csv", content))


SPELLING = (
    Case("command", "An unknown command", "autodl fti shop.csv", ("'fti'", "Did you mean 'fit'?"), shop()),
    fit("option", "An unknown option", "--taget bought", "--taget", "Did you mean --target?"),
    fit("option_of_other_command", "An option of another command", "--proba", "--proba", "autodl fit --help"),
    fit("two_files", "Two files", "other.csv", "other.csv", "autodl fit --help"),
    Case("no_data", "No data", "autodl fit", ("DATA", "autodl fit data.csv"), shop()),
    fit("option_without_value", "An option without its value", "--target", "--target"),
    fit(
        "task",
        "An unknown task",
        "--task clasification",
        "--task",
        "'clasification'",
        "Did you mean 'classification'?",
    ),
    fit("metric", "An unknown metric", "--metric acuracy", "'acuracy'", "Did you mean 'accuracy'?"),
    fit(
        "metric_other_task",
        "A metric that does not fit the task",
        "--target bought --metric rmse",
        "'rmse'",
        "regression",
        "roc_auc",
    ),
    fit(
        "family",
        "An unknown kind of model",
        "--families lightgmb",
        "model family",
        "'lightgmb'",
        "Did you mean 'lightgbm'?",
    ),
    fit(
        "family_not_here",
        "A kind of model that autodl does not have",
        "--families xgboost",
        "model family",
        "'xgboost'",
        "lightgbm",
    ),
    fit("preset", "An unknown preset", "--preset fsat", "--preset", "Did you mean 'fast'?"),
    fit(
        "drop_unknown",
        "--drop of a column that is not there",
        "--drop colr",
        "column to drop",
        "'colr'",
        "Did you mean 'colour'?",
    ),
    fit("group_unknown", "--group of a column that is not there", "--group shop", "group column", "'shop'", "Known"),
    Case(
        "run_unknown",
        "A run folder that does not exist",
        "autodl report runs/one",
        ("runs/one", "autodl runs"),
        shop(),
    ),
)

VALUES = (
    *(
        fit(
            f"budget_{value.strip('-')}",
            f"--time-budget {value}",
            f"--time-budget {value}",
            "--time-budget",
            f"'{value}'",
            "5m",
        )
        for value in ("0", "-5m", "banana", "1e9h", "nan")
    ),
    *(
        fit(
            f"test_size_{value.strip('-')}",
            f"--test-size {value}",
            f"--test-size {value}",
            "--test-size",
            value,
            "0.2",
        )
        for value in ("0", "1", "2", "-0.1", "nan")
    ),
    fit("max_trials", "--max-trials 0", "--max-trials 0", "--max-trials", "at least 1"),
    fit("workers", "--workers -1", "--workers -1", "--workers", "at least 1"),
    fit("seed", "--seed one", "--seed one", "--seed", "'one'", "whole number"),
    fit("test_twice", "--test and --test-size together", "--test shop.csv --test-size 0.2", "--test", "one of them"),
    fit("drop_target", "--drop of the target", "--target bought --drop bought", "--drop", "'bought'", "another"),
    fit(
        "drop_all",
        "--drop of all columns",
        "--target bought --drop size --drop colour --drop visits",
        "no column is left",
        "--drop",
    ),
    fit(
        "one_group",
        "A group column with one group",
        "--target bought --group town",
        "'town'",
        "1 group",
        "at least 3",
        build=with_column("town", lambda i: "Bern"),
    ),
    fit(
        "time_no_date",
        "A time column that is no date",
        "--target bought --time-column colour",
        "time column 'colour'",
        "dates",
    ),
    fit(
        "group_and_time",
        "--group and --time-column together",
        "--target bought --group colour --time-column visits",
        "--group",
        "--time-column",
    ),
    fit(
        "weight_unknown",
        "--weight-column of a column that is not there",
        "--weight-column importance",
        "weight column 'importance'",
        "Known",
    ),
    fit(
        "weight_words",
        "A weight column of words",
        "--target bought --weight-column colour",
        "weight column 'colour'",
        "words, not numbers",
        "numbers from 0 on",
    ),
    fit(
        "weight_negative",
        "A negative weight",
        "--target bought --weight-column w",
        "weight column 'w'",
        "a negative number in row 3 (-2)",
        "numbers from 0 on",
        build=with_column("w", lambda i: "-2" if i == 2 else f"{i % 3 + 1}"),
    ),
    fit(
        "weight_zero",
        "Weights that are all 0",
        "--target bought --weight-column w",
        "weight column 'w'",
        "0 in every row",
        "must count",
        build=with_column("w", lambda i: "0"),
    ),
    fit(
        "weight_endless",
        "A weight that is not finite",
        "--target bought --weight-column w",
        "weight column 'w'",
        "a number that is not finite in row 3",
        "numbers from 0 on",
        build=with_column("w", lambda i: "inf" if i == 2 else f"{i % 3 + 1}"),
    ),
    fit(
        "weight_huge",
        "One weight that outweighs all others",
        "--target bought --weight-column w",
        "weights in 'w'",
        "as much as 1 row of equal weight",
        "at least 3",
        "cap them",
        build=with_column("w", lambda i: "1e300" if i == 2 else f"{i % 3 + 1}"),
    ),
    fit(
        "quantiles_percent",
        "Quantiles in percent",
        "--target visits --quantiles 10,50,90",
        "--quantiles",
        "'10'",
        "0.1,0.5,0.9",
    ),
    fit(
        "quantiles_apart",
        "Quantiles separated by blanks",
        "--target visits --quantiles 0.1 0.9",
        "--quantiles",
        "separated by commas",
        "0.1,0.9",
    ),
    fit(
        "weight_target",
        "The target as weight",
        "--target bought --weight-column bought",
        "--weight-column",
        "'bought'",
    ),
    fit(
        "weight_dropped",
        "--drop of the weight column",
        "--target bought --weight-column visits --drop visits",
        "--drop",
        "weight column 'visits'",
    ),
    fit("resume_nothing", "--resume without a run", "--resume --out run", "run", "--resume"),
    fit("resume_nameless", "--resume without --out", "--resume", "--resume", "--out"),
    Case(
        "out_file",
        "--out names a file",
        "autodl fit shop.csv --out shop.csv",
        ("shop.csv is a file", "folder", "--out"),
        shop(),
    ),
    Case(
        "out_taken",
        "--out names a folder with other files",
        "autodl fit shop.csv --out photos",
        ("photos", "new folder"),
        taken,
    ),
    Case(
        "out_run",
        "--out names the folder of another run",
        "autodl fit shop.csv --out run",
        ("run", "already holds a run", "--resume"),
        shop(),
        run=True,
    ),
    Case(
        "out_read_only",
        "--out in a folder that cannot be written to",
        "autodl fit shop.csv --out safe/run",
        ("safe", "permission"),
        read_only,
        around=as_nobody,
    ),
)

CLOSED = (
    Case(
        "data_in_closed_folder",
        "Data in a folder that one may not look into",
        "autodl fit safe/shop.csv",
        ("safe/shop.csv", "no permission", "access"),
        closed,
        around=as_nobody,
    ),
    Case(
        "out_in_closed_folder",
        "--out in a folder that one may not look into",
        "autodl fit shop.csv --out safe/run",
        ("safe/run", "permission", "access"),
        closed,
        around=as_nobody,
    ),
    Case(
        "long_name",
        "A name that is too long for the disk",
        f"autodl fit {'shop' * 70}.csv",
        ("shopshop", "too long", "shorter"),
        shop(),
    ),
)

TEST_FILES = (
    fit(
        "test_missing",
        "--test names no file",
        "--test tset.csv",
        "tset.csv",
        "Did you mean 'test.csv'?",
        build=test_file(text(ROWS)),
    ),
    fit(
        "test_without_target",
        "A test file without the target",
        "--target bought --test test.csv",
        "test.csv",
        "'bought'",
        build=test_file(text([r[:3] for r in ROWS], ("size", "colour", "visits"))),
    ),
    fit(
        "test_without_column",
        "A test file that lacks a column",
        "--target bought --test test.csv",
        "test.csv",
        "'visits'",
        build=test_file(text([[r[0], r[1], r[3]] for r in ROWS], ("size", "colour", "bought"))),
    ),
    fit(
        "test_other_classes",
        "A test file with other classes",
        "--target bought --test test.csv",
        "test.csv",
        "'bought'",
        "'maybe'",
        "'yes'",
        build=test_file(text([[*r[:3], "maybe"] for r in ROWS])),
    ),
    Case(
        "test_some_other_classes",
        "A test file with a class that was never seen",
        "autodl plan shop.csv --target bought --test test.csv",
        ("6 of 60 rows of test.csv are left out", "'maybe'"),
        test_file(text([[*r[:3], "maybe" if i < 6 else r[3]] for i, r in enumerate(shop_rows(60, 1))])),
        code=0,
    ),
)
