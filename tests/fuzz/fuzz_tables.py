"""Whole tables: specifications that hypothesis draws and shrinks, and how they become bytes of a file.

A specification is small and plain (kinds, sizes, a seed); the cells follow from it. So thousands of large tables are
cheap, a failing one can be read, and it can be made again from what is printed.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import random
import zipfile
from dataclasses import dataclass, field

import pandas as pd
import zstandard
from fuzz_cells import KINDS, NAMES, column
from fuzz_mutations import MUTATIONS, Mutation, mutate
from hypothesis import strategies as st

ENCODINGS = (
    "utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252",
    "gb18030", "shift_jis", "cp1251",
)  # fmt: skip
DELIMITERS = (",", ",", ",", ";", "\t", "|", " ", "  ", ":")
LINE_ENDS = ("\n", "\n", "\r\n", "\r", "mixed")
TEXT_FORMATS = (
    "csv",
    "csv",
    "csv",
    "csv",
    "tsv",
    "txt",
    "csv.gz",
    "csv.bz2",
    "csv.xz",
    "csv.zst",
    "csv.zip",
    "nosuffix",
)
FRAME_FORMATS = ("parquet", "feather", "jsonl", "json", "xlsx")
HEADERS = ("plain", "plain", "plain", "odd", "odd", "none", "doubled", "shorter", "longer")
QUOTING = ("minimal", "minimal", "all", "none", "escaped", "single")
LAYOUTS = ("ragged", "blank_lines", "comments", "trailing_delimiter", "preamble", "sep_line", "no_last_end", "footer")
TARGETS = ("guess", "guess", "guess", "first", "first", "last", "last", "any", "any", "unknown", "empty")


@dataclass(frozen=True)
class ColumnSpec:
    """One column: its kind, its share of missing cells and of cells of other kinds."""

    kind: str
    missing: float = 0.0
    noise: float = 0.0


@dataclass(frozen=True)
class TableSpec:
    """A file to make. Every field is plain, so that ``repr`` is enough to make it again."""

    columns: tuple[ColumnSpec, ...]
    rows: int
    seed: int = 0
    file_format: str = "csv"
    encoding: str = "utf-8"
    delimiter: str = ","
    line_end: str = "\n"
    header: str = "plain"
    quoting: str = "minimal"
    layouts: frozenset[str] = field(default_factory=frozenset)
    mutations: tuple[Mutation, ...] = ()
    target: str = "guess"
    task: str = "auto"


def column_specs() -> st.SearchStrategy[ColumnSpec]:
    """Columns; most of them clean, as in life."""
    share = st.sampled_from((0.0, 0.0, 0.0, 0.1, 0.4, 0.9, 1.0))
    noise = st.sampled_from((0.0, 0.0, 0.0, 0.02, 0.3))
    return st.builds(ColumnSpec, kind=st.sampled_from(sorted(KINDS)), missing=share, noise=noise)


def table_specs(formats: tuple[str, ...] = (*TEXT_FORMATS, *FRAME_FORMATS)) -> st.SearchStrategy[TableSpec]:
    """Files of some of the formats: half of them odd in every way, half of them nearly sound, to come further."""
    return wild_specs(formats) | sound_specs(formats)


def sound_specs(formats: tuple[str, ...]) -> st.SearchStrategy[TableSpec]:
    """Well-written tables with a target that can be learnt, any other columns, and at most one damage."""
    goals = (
        "few_integers",
        "category",
        "truth",
        "float",
        "integer",
        "comma_float",
        "money",
        "scientific",
        "one_word",
    )
    columns = st.tuples(
        st.sampled_from(goals).map(ColumnSpec), st.lists(column_specs(), min_size=1, max_size=11).map(tuple)
    ).map(lambda pair: (pair[0], *pair[1]))
    return st.builds(
        TableSpec,
        columns=columns,
        rows=st.sampled_from((100, 40, 200, 20, 10)),
        seed=st.integers(0, 2**32 - 1),
        file_format=st.sampled_from(formats),
        encoding=st.sampled_from(ENCODINGS),
        delimiter=st.sampled_from((",", ";", "\t", "|")),
        line_end=st.sampled_from(LINE_ENDS),
        header=st.sampled_from(("plain", "plain", "odd")),
        quoting=st.sampled_from(("minimal", "all", "minimal", "escaped")),
        mutations=st.just(()) | st.just(()) | st.tuples(mutations()),
        target=st.sampled_from(("first", "first", "guess", "any")),
        task=st.sampled_from(("auto", "auto", "auto", "classification", "regression")),
    )


def wild_specs(formats: tuple[str, ...]) -> st.SearchStrategy[TableSpec]:
    """Tables of any layout, most of them damaged afterwards."""
    damage = st.lists(mutations(), max_size=3).map(tuple)
    return st.builds(
        TableSpec,
        columns=st.lists(column_specs(), min_size=1, max_size=12).map(tuple)
        | st.lists(column_specs(), min_size=13, max_size=30).map(tuple),
        rows=st.sampled_from((25, 2, 100, 40, 5, 200, 0, 1, 3, 4, 7, 10, 19, 20, 60)),
        seed=st.integers(0, 2**32 - 1),
        file_format=st.sampled_from(formats),
        encoding=st.sampled_from(ENCODINGS),
        delimiter=st.sampled_from(DELIMITERS),
        line_end=st.sampled_from(LINE_ENDS),
        header=st.sampled_from(HEADERS),
        quoting=st.sampled_from(QUOTING),
        layouts=st.frozensets(st.sampled_from(LAYOUTS), max_size=2) | st.just(frozenset()),
        mutations=st.just(()) | damage,
        target=st.sampled_from(TARGETS),
        task=st.sampled_from(("auto", "auto", "auto", "classification", "regression")),
    )


def mutations() -> st.SearchStrategy[Mutation]:
    """Damages: what, where (share of the length), with which seed."""
    return st.builds(
        Mutation, what=st.sampled_from(sorted(MUTATIONS)), where=st.floats(0, 1), seed=st.integers(0, 2**32 - 1)
    )


def names_of(spec: TableSpec, rng: random.Random) -> list[str]:
    """Names of the columns under the specification's kind of header."""
    plain = [f"c{i}" for i in range(len(spec.columns))]
    if spec.header == "odd":
        return [rng.choice(NAMES) if rng.random() < 0.5 else name for name in plain]
    if spec.header == "doubled" and len(plain) > 1:
        plain[rng.randrange(1, len(plain))] = plain[0]
    return plain


def cells_of(spec: TableSpec, rng: random.Random) -> list[list[str]]:
    """One list of cells a column."""
    return [column(c.kind, spec.rows, rng, missing=c.missing, noise=c.noise) for c in spec.columns]


def render(spec: TableSpec) -> tuple[str, bytes]:
    """(file name, content) of a specification; always the same for the same specification."""
    rng = random.Random(spec.seed)
    names, columns = names_of(spec, rng), cells_of(spec, rng)
    if spec.file_format in FRAME_FORMATS:
        content = _binary(spec, names, columns)
    else:
        content = _text(spec, names, columns, rng).encode(spec.encoding, errors="replace")
        content = _packed(spec.file_format, content) if not spec.mutations or spec.seed % 2 else content
    for mutation in spec.mutations:
        content = mutate(content, mutation)
    if spec.mutations and spec.file_format not in FRAME_FORMATS and not spec.seed % 2:
        content = _packed(spec.file_format, content)  # a damaged table in a sound archive
    return ("table" if spec.file_format == "nosuffix" else f"table.{spec.file_format}"), content


def target_of(spec: TableSpec) -> str | None:
    """What to pass as ``--target``; None to let it be guessed."""
    rng = random.Random(spec.seed)
    names = names_of(spec, rng)
    chosen = {
        "first": names[0],
        "last": names[-1],
        "any": rng.choice(names),
        "unknown": "no such column",
        "empty": "",
    }
    return chosen.get(spec.target)


def _text(spec: TableSpec, names: list[str], columns: list[list[str]], rng: random.Random) -> str:
    header = {"none": [], "shorter": names[1:], "longer": [*names, "extra"]}.get(spec.header, names)
    table = [list(r) for r in zip(*columns, strict=True)]
    if "ragged" in spec.layouts:
        for row in table:
            if rng.random() < 0.05:
                row[:] = row[: rng.randrange(len(row) + 1)] if rng.random() < 0.5 else [*row, "surplus"]
    lines = [_line(row, spec) for row in ([header] if header else []) + table]
    if "trailing_delimiter" in spec.layouts:
        lines = [line + spec.delimiter for line in lines]
    for layout, extra in (("blank_lines", ""), ("comments", "# a comment, with; marks")):
        if layout in spec.layouts:
            for _ in range(3):
                lines.insert(rng.randrange(len(lines) + 1), extra)
    if "preamble" in spec.layouts:
        lines[:0] = ["Report of sales", "", "made by hand"]
    if "footer" in spec.layouts:
        lines += ["", "Total: 5", "(c) 2024"]
    if "sep_line" in spec.layouts:
        lines.insert(0, f"sep={spec.delimiter[0]}")
    ends = [rng.choice(("\n", "\r\n", "\r")) if spec.line_end == "mixed" else spec.line_end for _ in lines]
    if "no_last_end" in spec.layouts and ends:
        ends[-1] = ""
    return "".join(line + end for line, end in zip(lines, ends, strict=True))


def _line(row: list[str], spec: TableSpec) -> str:
    if spec.quoting == "none" or len(spec.delimiter) != 1:
        return spec.delimiter.join(row)
    out = io.StringIO()
    writer = csv.writer(
        out,
        delimiter=spec.delimiter,
        quotechar="'" if spec.quoting == "single" else '"',
        doublequote=spec.quoting != "escaped",
        escapechar="\\" if spec.quoting == "escaped" else None,
        quoting=csv.QUOTE_ALL if spec.quoting in ("all", "single") else csv.QUOTE_MINIMAL,
        lineterminator="",
    )
    writer.writerow(row)
    return out.getvalue()


def _packed(file_format: str, content: bytes) -> bytes:
    if file_format.endswith(".gz"):
        return gzip.compress(content, mtime=0)
    if file_format.endswith(".bz2"):
        return bz2.compress(content)
    if file_format.endswith(".xz"):
        return lzma.compress(content)
    if file_format.endswith(".zst"):
        return zstandard.compress(content)
    if file_format.endswith(".zip"):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo("table.csv"), content)
        return out.getvalue()
    return content


def _typed(cells: list[str]) -> list[object]:
    """Cells as a typed format would hold them: numbers where all are, None for the empty ones."""
    out: list[object] = []
    for cell in cells:
        try:
            out.append(None if cell == "" else int(cell))
        except ValueError:
            try:
                out.append(float(cell))
            except ValueError:
                out.append(cell)
    kinds = {type(v) for v in out if v is not None}
    return out if kinds <= {int, float} or kinds == {str} else list(cells)


def _binary(spec: TableSpec, names: list[str], columns: list[list[str]]) -> bytes:
    typed = [_typed(c) for c in columns]
    if spec.file_format in ("json", "jsonl"):
        import json

        rows = [dict(zip(names, row, strict=True)) for row in zip(*typed, strict=True)]
        if spec.file_format == "json":
            return json.dumps(rows, ensure_ascii=spec.seed % 3 == 0).encode("utf-8", errors="replace")
        return "\n".join(json.dumps(r, ensure_ascii=False) for r in rows).encode("utf-8", errors="replace")
    out = io.BytesIO()
    if spec.file_format == "xlsx":
        return _workbook(names, typed)
    unique = [n if names.index(n) == i else f"{n} ({i})" for i, n in enumerate(names)]
    frame = pd.DataFrame({n: _arrow_safe(c) for n, c in zip(unique, typed, strict=True)})
    getattr(frame, f"to_{spec.file_format}")(out)
    return out.getvalue()


def _arrow_safe(cells: list[object]) -> pd.Series:
    """A column that Arrow takes: integers beyond 64 bits become floats, and infinite ones text."""
    if any(isinstance(c, int) and not -(2**63) <= c < 2**63 for c in cells):
        return pd.Series([None if c is None else str(c) for c in cells], dtype=object)
    if any(isinstance(c, str) for c in cells):
        return pd.Series([None if c is None else str(c) for c in cells], dtype=object)
    return pd.Series(cells, dtype=object if not any(c is not None for c in cells) else None)


def _workbook(names: list[str], columns: list[list[object]]) -> bytes:
    import openpyxl
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None

    def fit(value: object) -> object:
        if isinstance(value, str):
            return ILLEGAL_CHARACTERS_RE.sub("", value)[:32_000]
        return str(value) if isinstance(value, int) and abs(value) > 2**63 else value

    for row in [names, *zip(*columns, strict=True)]:
        sheet.append([fit(v) for v in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
