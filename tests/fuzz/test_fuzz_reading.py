"""What was written well-formed comes back: names, values and rows, in every dialect and encoding."""

from __future__ import annotations

import csv
import io
import math
import random
from pathlib import Path

import pandas as pd
import pytest
from fuzz_runs import compare_roads
from fuzz_tables import FRAME_FORMATS, TEXT_FORMATS, TableSpec, render, sound_specs
from fuzz_tables import _packed as packed
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from autodl.data import read_table, write_table

STEADY = settings(
    derandomize=True, deadline=None, database=None, print_blob=False, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip

WESTERN = [
    "Zürich",
    "Málaga, Spain",
    "Besançon",
    "Århus; Jylland",
    "plain word",
    'he said "no"',
    "a\nb",
    "x|y",
    "z\tw",
]
RUSSIAN = ["Этот фильм", "мне очень понравился, правда", "хорошая погода", "сегодня; вчера"]
CHINESE = ["这部电影非常好看，我们都很喜欢", "今天天气很好", "中文,文字", "北京大学在北京市"]
JAPANESE = ["これは普通の文章です", "東京,日本", "今日は天気がいいですね", "カタカナとひらがな"]
ANY = [*WESTERN, *RUSSIAN, *CHINESE, "مرحبا بالعالم", "😀 smile", "e\u0301"]
WORDS = {
    "utf-8": ANY, "utf-8-sig": ANY, "utf-16": ANY, "utf-32": ANY, "utf-16-le": WESTERN, "utf-16-be": WESTERN,
    "cp1252": WESTERN, "latin-1": WESTERN, "cp1251": RUSSIAN, "gb18030": CHINESE, "shift_jis": JAPANESE,
}  # fmt: skip


def table(words: list[str], n: int, seed: int, width: int) -> pd.DataFrame:
    """(n, 3 * width) words, whole numbers and numbers, with a header of plain words."""
    rng = random.Random(seed)
    columns: dict[str, list[object]] = {}
    for i in range(width):
        columns[f"word {i}"] = [rng.choice(words) for _ in range(n)]
        columns[f"count_{i}"] = [rng.randrange(-1000, 1000) for _ in range(n)]
        columns[f"size{i}"] = [rng.choice((0.25, 1.5, -3.75, 1e-7, 123456.75)) for _ in range(n)]
        columns[f"size{i}"][0] = 0.5  # type: ignore[index]
    return pd.DataFrame(columns)


@settings(STEADY, max_examples=120)
@given(
    encoding=st.sampled_from(sorted(WORDS)),
    delimiter=st.sampled_from((",", ";", "\t", "|")),
    end=st.sampled_from(("\n", "\r\n", "\r")),
    quoting=st.sampled_from((csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC)),
    last_end=st.booleans(),
    n=st.sampled_from((30, 5, 100, 1, 2)),
    seed=st.integers(0, 10**6),
    width=st.integers(1, 4),
    pack=st.sampled_from(("", ".gz", ".zst", ".zip", ".bz2", ".xz")),
)
def test_a_sound_file_comes_back(
    encoding: str, delimiter: str, end: str, quoting: int, last_end: bool, n: int, seed: int, width: int, pack: str,
    tmp_path: Path,
) -> None:  # fmt: skip
    if n < 30 and encoding in ("cp1251", "gb18030", "shift_jis", "cp1252", "latin-1", "utf-16-le", "utf-16-be"):
        n = 30  # Few bytes do not tell one of these from another.
    if end == "\r":
        quoting = max(quoting, csv.QUOTE_ALL)  # Python's writer would leave a cell with another line end bare.
    frame = table(WORDS[encoding], n, seed, width)
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=end)  # type: ignore[arg-type]
    writer.writerow(frame.columns)
    writer.writerows(frame.to_numpy(object).tolist())
    text = out.getvalue() if last_end else out.getvalue().removesuffix(end)
    path = tmp_path / f"t.csv{pack}"
    path.write_bytes(packed(path.name, text.encode(encoding)))
    back, info = read_table(path)
    pd.testing.assert_frame_equal(back, frame)
    assert info.delimiter == delimiter


@settings(STEADY, max_examples=60)
@given(
    suffix=st.sampled_from((".csv", ".tsv", ".parquet", ".feather", ".jsonl", ".json", ".xlsx")),
    n=st.sampled_from((5, 30, 2)),
    seed=st.integers(0, 10**6),
    missing=st.booleans(),
)
def test_what_we_write_we_read(suffix: str, n: int, seed: int, missing: bool, tmp_path: Path) -> None:
    frame = table(ANY, n, seed, 2)
    if missing:
        frame.loc[n - 1, "size1"] = math.nan
        frame.loc[0, "word 1"] = None
    path = tmp_path / f"t{suffix}"
    write_table(frame, path)
    back, _ = read_table(path)
    pd.testing.assert_frame_equal(back.where(back.notna(), None), frame.where(frame.notna(), None), check_dtype=False)


CLEAN = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp"), exclude_characters="\ufeff")
ODD = ('"', '""', ",", ";", "a,b", 'say "x"', "two\nlines", "'", "''", "a'b", "\\", "#", "# x", "sep=;")
CELLS = st.text(CLEAN, min_size=1, max_size=12) | st.sampled_from(ODD)


@settings(STEADY, max_examples=100)
@given(rows=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=12))
def test_quoted_cells_of_any_text_come_back(rows: list[tuple[str, str]], tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(["first name", "second name", "third"])
        writer.writerows([*r, "x"] for r in rows)
    back, _ = read_table(path, as_text=("first name", "second name"))
    assert back.columns.tolist() == ["first name", "second name", "third"]
    assert back["first name"].tolist() == [a for a, _ in rows]
    assert back["second name"].tolist() == [b for _, b in rows]


@pytest.mark.parametrize("rows", [1, 2, 3])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_small_tables_keep_their_rows(rows: int, end: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(end.join(["name,size", *[f"w{i},{i}.5" for i in range(rows)]]).encode())
    back, _ = read_table(path)
    assert back.to_dict("list") == {"name": [f"w{i}" for i in range(rows)], "size": [i + 0.5 for i in range(rows)]}


@settings(STEADY, max_examples=150)
@given(spec=sound_specs((*TEXT_FORMATS, *FRAME_FORMATS)))
def test_a_large_file_is_read_like_a_small_one(spec: TableSpec, tmp_path: Path) -> None:
    name, content = render(spec)
    path = tmp_path / name
    path.write_bytes(content)
    outcome = compare_roads(path)
    path.unlink()
    assert outcome.good, f"{outcome.kind}: {outcome.what}\n{outcome.detail}"
