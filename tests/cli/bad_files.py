"""Files that are no table, are damaged, or are written in another way than expected."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import random
import sqlite3
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

from bad_case import HEADER, Build, Case, shop, shop_rows, text, write

ROWS = shop_rows()
TEXT = text(ROWS)
PLAN = "autodl plan {} --target bought"
PNG = b"\x89PNG\r\n\x1a\n" + random.Random(0).randbytes(400)
JUNK = random.Random(1).randbytes(4_000)


@contextlib.contextmanager
def as_nobody(folder: Path) -> Iterator[None]:
    """Without the rights of the superuser, whom no permission stops."""
    if os.geteuid() != 0:
        yield
        return
    from autodl.__main__ import main

    with contextlib.redirect_stdout(io.StringIO()):
        main(["plan", "shop.csv"])  # loads the libraries, which may lie where others cannot read
    closed = [p for p in (folder, *folder.parents) if not p.stat().st_mode & stat.S_IXOTH]
    modes = {p: stat.S_IMODE(p.stat().st_mode) for p in closed}
    for place, mode in modes.items():
        place.chmod(mode | 0o055)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
        for place, mode in modes.items():
            place.chmod(mode)


def unreadable(folder: Path) -> None:
    """A file without the permission to read it."""
    shop()(folder)
    (folder / "shop.csv").chmod(0)


def database(folder: Path) -> None:
    """An SQLite database called .csv."""
    with contextlib.closing(sqlite3.connect(folder / "shop.csv")) as base:
        base.execute("create table shop (size real)")
        base.commit()


def workbook(*sheets: str) -> bytes:
    """An Excel file; the table stands in the first sheet."""
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.active)
    for title in sheets:
        sheet = book.create_sheet(title)
        for row in [HEADER, *([float(a), b, int(c), d] for a, b, c, d in ROWS)]:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def zipped(members: dict[str, str]) -> bytes:
    """A zip archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def locked() -> bytes:
    """A zip archive whose member is marked as encrypted."""
    raw = bytearray(zipped({"shop.csv": TEXT}))
    raw[6] |= 1
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    return bytes(raw)


def bomb(folder: Path) -> None:
    """A zip archive of 0.3 MB that holds 300 MB."""
    with (
        zipfile.ZipFile(folder / "shop.zip", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("shop.csv", "w") as f,
    ):
        for _ in range(300):
            f.write(b"0" * 1_000_000)


def parquet(share: float) -> Build:
    """The first part of a Parquet file."""

    def build(folder: Path) -> None:
        import pandas as pd

        pd.DataFrame(ROWS, columns=list(HEADER)).to_parquet(folder / "shop.parquet")
        raw = (folder / "shop.parquet").read_bytes()
        (folder / "shop.parquet").write_bytes(raw[: int(share * len(raw))])

    return build


def shards(folder: Path) -> None:
    """A folder of two files with different columns."""
    (folder / "data").mkdir()
    (folder / "data" / "a.csv").write_text(TEXT)
    (folder / "data" / "b.csv").write_text(TEXT.replace("colour", "color"))


def images(*places: str, n: int = 8, content: bytes | None = None) -> Build:
    """n pictures in each place below ``data``; ``content`` in the first of them all."""
    from PIL import Image

    def build(folder: Path) -> None:
        for k, place in enumerate(places):
            (folder / "data" / place).mkdir(parents=True)
            for i in range(n):
                Image.new("RGB", (16, 16), (20 * i, 100 * k, 60)).save(folder / "data" / place / f"{i}.png")
        if content is not None:
            (folder / "data" / places[0] / "0.png").write_bytes(content)

    return build


def no_images(folder: Path) -> None:
    """Files that only their names make pictures."""
    images("cats", "dogs")(folder)
    for file in (folder / "data").rglob("*.png"):
        file.write_text("a text")


def pipe(folder: Path) -> None:
    """A pipe, as the shell makes one for <(...) and for the standard input."""
    os.mkfifo(folder / "shop.csv")


def empty_folder(folder: Path) -> None:
    """A folder with no table in it."""
    (folder / "data").mkdir()
    (folder / "data" / "readme.md").write_text("nothing here")


def loop(folder: Path) -> None:
    """A link that points to itself."""
    (folder / "shop.csv").symlink_to("shop.csv")


def reference(name: str, raw: bytes, kind: str) -> Case:
    """A file of another kind that is called .csv."""
    slug = kind.split()[1].lower()
    return Case(
        f"really_{slug}",
        f"{kind} called .csv",
        "autodl fit shop.csv",
        ("shop.csv", kind.split()[1], "CSV"),
        write("shop.csv", raw),
    )


NO_TABLE = (
    Case(
        "empty_file", "An empty file", "autodl fit shop.csv", ("shop.csv", "empty", "header"), write("shop.csv", "")
    ),
    Case(
        "header_only",
        "A header line without rows",
        "autodl fit shop.csv",
        ("shop.csv", "no rows", "below the header"),
        write("shop.csv", "size,colour,bought\n"),
    ),
    Case("junk", "Random bytes", "autodl fit shop.csv", ("shop.csv", "no text", "CSV"), write("shop.csv", JUNK)),
    reference("PNG image", PNG, "A PNG image"),
    reference("PDF", b"%PDF-1.7\n" + JUNK, "A PDF document"),
    reference("old Excel", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + JUNK, "An old Excel workbook"),
    reference("Word", zipped({"[Content_Types].xml": "<x/>", "word/document.xml": "<w/>"}), "A Word document"),
    Case("really_sqlite", "An SQLite database called .csv", "autodl fit shop.csv", ("shop.csv", "SQLite"), database),
    Case(
        "really_html",
        "A web page saved as .csv",
        "autodl fit shop.csv",
        ("shop.csv", "web page"),
        write(
            "shop.csv",
            "<!DOCTYPE html>\n<html><head><title>Shop</title></head>\n<body><p>Log in, please</p>\n"
            + "<div class='x'>a, b, c</div>\n" * 40
            + "</body></html>\n",
        ),
    ),
    Case(
        "really_sql",
        "A dump of a database",
        "autodl fit shop.sql",
        ("shop.sql", "database dump", "CSV"),
        write(
            "shop.sql",
            "-- dump 10\nCREATE TABLE `shop` (size double, bought varchar(3));\nINSERT INTO `shop` VALUES\n",
        ),
    ),
    Case(
        "really_arff",
        "An ARFF file of Weka",
        "autodl fit shop.arff",
        ("shop.arff", "ARFF", "CSV"),
        write(
            "shop.arff", "% shop\n@RELATION shop\n@attribute size numeric\n@attribute bought {yes,no}\n@data\n1,yes\n"
        ),
    ),
    Case(
        "really_libsvm",
        "A file of sparse numbers",
        "autodl fit shop.libsvm",
        ("shop.libsvm", "LIBSVM", "CSV"),
        write("shop.libsvm", "1 1:19 3:27.9\n0 1:18 3:33.7\n" * 50),
    ),
    Case(
        "really_table",
        "A table cut out of a web page",
        "autodl fit shop.html",
        ("shop.html", "web page", "Download"),
        write("shop.html", '<table border="1">\n<tr><td>1</td></tr>\n</table>\n'),
    ),
    Case(
        "really_notebook",
        "A Jupyter notebook",
        "autodl fit shop.ipynb",
        ("shop.ipynb", "notebook", "CSV"),
        write("shop.ipynb", '{"cells": [], "nbformat": 4}'),
    ),
    Case(
        "really_stata",
        "A Stata file",
        "autodl fit shop.dta",
        ("shop.dta", "Stata", "CSV"),
        write("shop.dta", b"r\x02\x01\x00\x08\x00" + bytes(200)),
    ),
    Case(
        "zero_bytes",
        "A few zero bytes in a text",
        "autodl fit shop.csv",
        ("shop.csv", "line 3", "Remove"),
        write("shop.csv", "\n".join(TEXT.split("\n")[:2]) + "\n\0" + "\n".join(TEXT.split("\n")[2:])),
    ),
    Case(
        "really_xlsx",
        "An Excel file called .csv",
        PLAN.format("shop.csv"),
        ("120 rows, 4 columns (excel)",),
        lambda folder: write("shop.csv", workbook("Shop"))(folder),
        code=0,
    ),
    Case(
        "missing_file",
        "A file that does not exist",
        "autodl fit shpo.csv",
        ("shpo.csv", "Did you mean 'shop.csv'?"),
        shop(),
    ),
    Case(
        "unreadable",
        "A file without permission to read",
        "autodl plan shop.csv",
        ("shop.csv", "permission", "chmod"),
        unreadable,
        around=as_nobody,
    ),
    Case("link_loop", "A link that points to itself", "autodl fit shop.csv", ("shop.csv", "link", "itself"), loop),
    Case("pipe", "A pipe in place of a file", "autodl fit shop.csv", ("shop.csv", "only once", "to a file"), pipe),
    Case(
        "address",
        "An address on the web",
        "autodl fit https://example.org/shop.csv",
        ("https://example.org/shop.csv", "address", "Download"),
        lambda folder: None,
    ),
    Case("flat_images", "Images in no folders", "autodl fit data", ("data", "folder of its own", "CSV"), images(".")),
    Case("one_class", "Images of one class", "autodl fit data", ("data", "'cats'", "each class"), images("cats")),
    Case(
        "nested_classes",
        "Folders that hold the same folders",
        "autodl fit data",
        ("june, may", "cats, dogs", "right below"),
        images("may/cats", "may/dogs", "june/cats", "june/dogs"),
    ),
    Case(
        "few_images",
        "Three images a class",
        "autodl fit data",
        ("data", "6", "at least 10"),
        images("cats", "dogs", n=3),
    ),
    Case("no_images", "Images none of which can be read", "autodl fit data", ("16 images", "PNG or JPEG"), no_images),
    Case(
        "broken_image",
        "A damaged image among others",
        "autodl plan data",
        ("cats/0.png", "left out"),
        images("cats", "dogs", content=PNG),
        code=0,
        slow=True,
    ),
    Case(
        "image_target",
        "A target for a folder of images",
        "autodl fit data --target age",
        ("'age'", "name of the folder", "CSV"),
        images("cats", "dogs"),
    ),
    Case("empty_folder", "A folder without tables", "autodl fit data", ("data", "no table", "CSV"), empty_folder),
    Case(
        "no_match",
        "A pattern that matches nothing",
        "autodl fit 'data/*.csv'",
        ("data/*.csv", "pattern"),
        empty_folder,
    ),
    Case(
        "other_shards",
        "A folder of files with different columns",
        "autodl fit data",
        ("b.csv", "'colo", "one table"),
        shards,
    ),
)

DAMAGED = (
    Case(
        "cut_in_quote",
        "A file cut off inside a quoted cell",
        "autodl fit shop.csv",
        ("shop.csv", "line 121", "cut off"),
        write("shop.csv", TEXT.rstrip("\n").rsplit("\n", 1)[0] + '\n51.2,"dark re'),
    ),
    Case(
        "cut_gzip",
        "A gzip file cut off",
        "autodl fit shop.csv.gz",
        ("shop.csv.gz", "cut off", "again"),
        write("shop.csv.gz", gzip.compress(TEXT.encode(), mtime=0)[:500]),
    ),
    Case(
        "cut_parquet",
        "A Parquet file cut off",
        "autodl fit shop.parquet",
        ("shop.parquet", "Parquet", "again"),
        parquet(0.6),
    ),
    Case(
        "cut_excel",
        "An Excel file cut off",
        "autodl fit shop.xlsx",
        ("shop.xlsx", "Excel", "again"),
        lambda folder: write("shop.xlsx", workbook("Shop")[:3000])(folder),
    ),
    Case(
        "locked_zip",
        "A zip file with a password",
        "autodl fit shop.zip",
        ("shop.zip", "password", "Unpack"),
        write("shop.zip", locked()),
    ),
    Case(
        "two_tables",
        "A zip file of two different tables",
        "autodl fit shop.zip",
        ("a.csv", "b.csv", "differ", "one table"),
        write("shop.zip", zipped({"a.csv": TEXT, "b.csv": "x,y\n" + "1,2\n" * 50})),
    ),
    Case("zip_bomb", "A zip file that grows a thousandfold", "autodl fit shop.zip", ("shop.zip", "grows"), bomb),
    Case(
        "ragged",
        "Rows with more cells than the header",
        "autodl fit shop.csv",
        ("shop.csv", "row 8 has 5 cells", "Quote"),
        write("shop.csv", TEXT.replace(",red,", ",red,dark,")),
    ),
    Case(
        "json_not_lines",
        "A broken line in a JSON-lines file",
        "autodl fit shop.jsonl",
        ("shop.jsonl", "line 41", "JSON"),
        write(
            "shop.jsonl", "\n".join(json.dumps(dict(zip(HEADER, r, strict=True))) for r in ROWS[:40]) + "\n{oops\n"
        ),
    ),
    Case(
        "json_no_table",
        "A JSON file that is no table",
        "autodl fit shop.json",
        ("shop.json", "table"),
        write("shop.json", '[1, 2, 3, "four"]'),
    ),
)

WRITTEN_OTHERWISE = (
    Case(
        "utf16",
        "UTF-16 text",
        PLAN.format("shop.csv"),
        ("encoded as utf-16",),
        write("shop.csv", TEXT.replace("blue", "blau ü").encode("utf-16")),
        code=0,
    ),
    Case(
        "latin1",
        "Latin-1 text",
        PLAN.format("shop.csv"),
        ("encoded as cp1252",),
        write("shop.csv", TEXT.replace("green", "grün").encode("latin-1")),
        code=0,
    ),
    Case(
        "semicolons",
        "Semicolons and decimal commas",
        PLAN.format("shop.csv"),
        ("delimiter ';'", "decimal comma"),
        write("shop.csv", TEXT.replace(",", ";").replace(".", ",")),
        code=0,
    ),
    Case(
        "tabs",
        "Tabs in a .csv file",
        PLAN.format("shop.csv"),
        ("delimiter '\\t'",),
        write("shop.csv", TEXT.replace(",", "\t")),
        code=0,
    ),
    Case(
        "bars",
        "Bars as delimiters",
        PLAN.format("shop.csv"),
        ("delimiter '|'",),
        write("shop.csv", TEXT.replace(",", "|")),
        code=0,
    ),
    Case(
        "several_sheets",
        "An Excel file with several sheets",
        PLAN.format("shop.xlsx"),
        ("Sheet 'Shop' was read", "1 other sheet"),
        lambda folder: write("shop.xlsx", workbook("Shop", "Old"))(folder),
        code=0,
    ),
    Case(
        "json_document",
        "A JSON array instead of lines",
        PLAN.format("shop.json"),
        ("120 rows, 4 columns (jsonl)",),
        write("shop.json", json.dumps([dict(zip(HEADER, r, strict=True)) for r in ROWS])),
        code=0,
    ),
    Case(
        "json_split",
        "JSON of columns and rows apart",
        PLAN.format("shop.json"),
        ("120 rows, 4 columns",),
        write("shop.json", json.dumps({"columns": HEADER, "index": list(range(len(ROWS))), "data": ROWS})),
        code=0,
    ),
    Case(
        "no_header",
        "No header line",
        "autodl plan shop.csv",
        ("column_1",),
        write("shop.csv", TEXT.split("\n", 1)[1]),
        code=0,
    ),
    Case(
        "some_long_rows",
        "A few rows with more cells than the header (at most 1 in 100)",
        PLAN.format("shop.csv"),
        ("too many", "skipped"),
        write("shop.csv", TEXT + "1,red,2,yes,9\n"),
        code=0,
    ),
)
