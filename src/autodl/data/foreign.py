"""Files that people keep data in, but that are no tables autodl reads: what they are, and the way out."""

from __future__ import annotations

import re
from pathlib import Path

from autodl.errors import DataError

HEAD_BYTES = 4096
"""By so much of its start a file is known."""

_SAVE = "Save the table in it as CSV, with the program that made it or with a few lines of Python or R."
_DOWNLOAD = "Download the data themselves: often by another link or a menu."
_LOAD = "Load it into its database and export the table as CSV."

_BY_SUFFIX = {
    ".dta": "Stata file", ".sav": "SPSS file", ".sas7bdat": "SAS file", ".xpt": "SAS file", ".rds": "file of R",
    ".rdata": "file of R", ".mat": "file of MATLAB", ".npy": "NumPy array", ".npz": "NumPy archive",
    ".ipynb": "Jupyter notebook",
}  # fmt: skip
_BY_TEXT = (
    (re.compile(rb"\s*(<!doctype html|<html|<table|<body|<div|<head\b)", re.I), "web page (HTML)", _DOWNLOAD),
    (re.compile(rb"\s*<\?xml", re.I), "XML file", _DOWNLOAD),
    (
        re.compile(
            rb"(?:\s*+(?:--|/\*|#|SET|DROP|USE|LOCK|BEGIN|START|PRAGMA)[^\n]*+\n)*+"
            rb"\s*+(?:CREATE TABLE|INSERT INTO)\b",
            re.I,
        ),
        "database dump (SQL)",
        _LOAD,
    ),
    (
        re.compile(rb"(?:\s*+%[^\n]*+\n)*+\s*+@relation\b.*?\n[ \t]*+@attribute\b", re.I | re.S),
        "file of Weka (ARFF)",
        _SAVE,
    ),
    (
        re.compile(rb"(?:[+-]?[\d.]++(?: \d++:[\d.eE+-]++)++ *+\r?\n){3}"),
        "file of sparse numbers (LIBSVM)",
        _SAVE,
    ),
)
"""What the start of a text matches, what it is, and the way out. Nothing is given back (``*+``): time is linear."""


def refuse_foreign(name: str, start: bytes, *, text: bool) -> None:
    """Refuse what is no table.

    Args:
        name: Of the file.
        start: Its first ``HEAD_BYTES`` bytes.
        text: Whether it would be read as delimited text.

    Raises:
        DataError: What it is, and what to do.
    """
    if start.startswith(b"\x93NUMPY"):
        raise DataError(f"{name} is no table but a NumPy array", _SAVE)
    if (what := _BY_SUFFIX.get(Path(name).suffix.lower())) is not None:
        raise DataError(f"{name} is no table but a {what}", _SAVE)
    if text:
        for form, what, remedy in _BY_TEXT:
            if form.match(start.removeprefix(b"\xef\xbb\xbf")):
                raise DataError(f"{name} is no table but a {what}", remedy)
