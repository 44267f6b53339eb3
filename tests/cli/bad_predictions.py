"""New data that are not like those of the training, and run folders that cannot be used."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from pathlib import Path
from unittest import mock

from bad_case import HEADER, Build, Case, shop_rows, text, write

NEW = shop_rows(30, 1)
FEATURES = HEADER[:3]


def new(rows: list[list[str]], header: tuple[str, ...] = FEATURES, name: str = "new.csv") -> Build:
    """A file of new rows."""
    return write(name, text(rows, header))


def predict(
    name: str,
    wrong: str,
    build: Build,
    *says: str,
    code: int = 2,
    data: str = "new.csv",
    options: str = "--out p.csv",
) -> Case:
    """A prediction with the finished run."""
    return Case(
        name,
        wrong,
        f"autodl predict run {data} {options}",
        says,
        build,
        code=code,
        run=True,
        leaves=("p.csv",) if code == 0 else (),
    )


PLAIN = new([r[:3] for r in NEW])


def damaged(name: str, change: str | None) -> Build:
    """A file of the run replaced by other text, or cut in half."""

    def build(folder: Path) -> None:
        PLAIN(folder)
        for path in (folder / "run").glob(name):
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2] if change is None else change.encode())

    return build


def parts(folder: Path) -> None:
    """New rows in a folder of their own."""
    (folder / "parts").mkdir()
    new([r[:3] for r in NEW], name="parts/new.csv")(folder)


def newer(folder: Path) -> None:
    """A run of a later version."""
    PLAIN(folder)
    for path in (folder / "run" / "run.json", folder / "run" / "model" / "manifest.json"):
        facts = json.loads(path.read_text())
        path.write_text(json.dumps({**facts, "schema_version": 99}))


def unfinished(folder: Path) -> None:
    """A run without a model."""
    import shutil

    PLAIN(folder)
    shutil.rmtree(folder / "run" / "model")


def full_disk(folder: Path) -> contextlib.AbstractContextManager[object]:
    """Nothing that is written reaches the disk."""
    return mock.patch.object(os, "fsync", side_effect=OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))


COLUMNS = (
    predict(
        "missing_column",
        "A column of the training is missing",
        new([[r[0], r[1]] for r in NEW], ("size", "colour")),
        "new.csv",
        "'visits'",
        "--allow-missing",
    ),
    predict(
        "misspelt_column",
        "A column has another name",
        new([r[:3] for r in NEW], ("size", "color", "visits")),
        "new.csv",
        "'colour'",
        "'color'",
        "rename",
    ),
    predict(
        "missing_allowed",
        "A column is missing, with --allow-missing",
        new([[r[0], r[1]] for r in NEW], ("size", "colour")),
        "'visits'",
        "30 of 30",
        "no such column",
        code=0,
        options="--out p.csv --allow-missing",
    ),
    predict(
        "all_missing",
        "None of the columns is there",
        new([["1", "2"]] * 20, ("a", "b")),
        "new.csv",
        "none of the 3 columns",
        code=2,
        options="--out p.csv --allow-missing",
    ),
    predict(
        "extra_column",
        "More columns than in the training",
        new([["7", *r] for r in NEW], ("town", *HEADER)),
        "'town'",
        "not used",
        code=0,
    ),
    predict(
        "reordered",
        "Columns in another order",
        new([r[2::-1] for r in NEW], FEATURES[::-1]),
        "30 predictions",
        code=0,
    ),
    predict(
        "retyped",
        "A column of numbers now holds words",
        new([["large", r[1], r[2]] for r in NEW]),
        "'size'",
        "30 of 30",
        "no numbers",
        code=0,
    ),
    predict(
        "partly_retyped",
        "Some numbers are now words",
        new([["large" if i < 3 else r[0], r[1], r[2]] for i, r in enumerate(NEW)]),
        "'size'",
        "3 of 30",
        code=0,
    ),
    predict(
        "unseen",
        "Words never seen in the training",
        new([[r[0], "violet" if i < 4 else r[1], r[2]] for i, r in enumerate(NEW)]),
        "'colour'",
        "4 of 30",
        "never seen",
        code=0,
    ),
    predict(
        "other_unit",
        "Numbers far outside those of the training",
        new([[str(1000 * float(r[0])), r[1], r[2]] for r in NEW]),
        "'size'",
        "30 of 30",
        "far outside",
        code=0,
    ),
    predict(
        "duplicate_column",
        "A column stands there twice",
        new([[r[0], *r[:3]] for r in NEW], ("size", *FEATURES)),
        "new.csv",
        "'size'",
        "Rename",
    ),
)

FILES = (
    predict("predict_empty", "An empty file", write("new.csv", ""), "new.csv", "empty"),
    predict(
        "predict_no_rows",
        "A header line without rows",
        write("new.csv", ",".join(FEATURES) + "\n"),
        "new.csv",
        "no rows",
    ),
    predict(
        "predict_other_format",
        "Another format than in the training",
        write("new.jsonl", "".join(json.dumps(dict(zip(HEADER, r, strict=True))) + "\n" for r in NEW)),
        "30 predictions",
        code=0,
        data="new.jsonl",
    ),
    predict(
        "predict_long_row",
        "A row with more cells than the header",
        write("new.csv", text([r[:3] for r in shop_rows(300, 1)], FEATURES) + "1,red,2,3\n"),
        "new.csv",
        "row 302",
        "no row may be skipped",
    ),
    predict(
        "predict_missing_file",
        "A file that does not exist",
        PLAIN,
        "nwe.csv",
        "Did you mean 'new.csv'?",
        data="nwe.csv",
    ),
    predict(
        "out_missing_folder",
        "--out into a folder that does not exist",
        PLAIN,
        "no/p.csv",
        "Create",
        options="--out no/p.csv",
    ),
    predict("out_folder", "--out names a folder", PLAIN, "--out run", "folder", options="--out run"),
    predict("out_suffix", "--out with an unknown suffix", PLAIN, "p.docx", ".csv", options="--out p.docx"),
    predict("out_nameless", "No --out", PLAIN, "--out", options=""),
    predict(
        "keep_unknown",
        "--keep of a column that is not there",
        PLAIN,
        "--keep",
        "'sise'",
        "Did you mean 'size'?",
        options="--out p.csv --keep sise",
    ),
    predict(
        "out_is_data",
        "--out names the file with the data",
        PLAIN,
        "--out new.csv",
        "the data would be lost",
        options="--out ./new.csv",
    ),
    predict(
        "out_among_data",
        "--out into the folder with the data",
        parts,
        "--out parts/p.csv",
        "another folder",
        data="parts",
        options="--out parts/p.csv",
    ),
    predict(
        "keep_prediction",
        "--keep of a column that is called like the predictions",
        new([[*r[:3], "7"] for r in NEW], (*FEATURES, "prediction")),
        "--keep prediction",
        "Rename",
        options="--out p.csv --keep prediction",
    ),
    Case(
        "full_disk",
        "The disk is full",
        "autodl predict run new.csv --out p.csv",
        ("p.csv", "full", "space"),
        PLAIN,
        run=True,
        around=full_disk,
    ),
)

RUNS = (
    Case(
        "no_run",
        "A folder that is no run",
        "autodl predict . new.csv --out p.csv",
        ("run.json", "autodl runs"),
        PLAIN,
    ),
    Case(
        "runs_nowhere",
        "autodl runs in a folder that does not exist",
        "autodl runs nowhere",
        ("nowhere", "folder"),
        PLAIN,
    ),
    Case(
        "newer_run",
        "A run of a newer autodl",
        "autodl predict run new.csv --out p.csv",
        ("run.json", "newer", "nstall"),
        newer,
        run=True,
    ),
    Case(
        "cut_record",
        "A record of the run is cut off",
        "autodl report run",
        ("run/run.json", "damaged"),
        damaged("run.json", None),
        run=True,
    ),
    Case(
        "cut_manifest",
        "The model's list of contents is cut off",
        "autodl predict run new.csv --out p.csv",
        ("manifest.json", "damaged"),
        damaged("model/manifest.json", None),
        run=True,
    ),
    Case(
        "cut_model",
        "The model is cut off",
        "autodl predict run new.csv --out p.csv",
        ("run/model/", "damaged"),
        damaged("model/member0-0.*", None),
        run=True,
    ),
    Case(
        "no_model",
        "A run that never got to a model",
        "autodl predict run new.csv --out p.csv",
        ("run", "no model", "--resume"),
        unfinished,
        run=True,
    ),
)
