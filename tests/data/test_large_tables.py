"""Large tables: streamed like small ones are read, and sampled uniformly where they do not fit."""

from __future__ import annotations

import datetime as dt
import gzip
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
import zstandard

from autodl.data import Batches, delimited, infer_schema, learn_table, read_rows, read_table, streams
from autodl.data import reading as reading_module
from autodl.data.allowance import Allowance
from autodl.data.builders import Cells
from autodl.data.draw import group_keys
from autodl.data.schema import apply_schema
from autodl.errors import DataError


@pytest.fixture
def streaming(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file counts as large, and is read in blocks of a few dozen rows."""
    monkeypatch.setattr(reading_module, "LARGE_BYTES", 1)
    monkeypatch.setattr(reading_module, "PACKED_BYTES", 1)
    monkeypatch.setattr(reading_module, "LARGE_CELLS", 1)
    monkeypatch.setattr(delimited, "PARSED_BYTES", 2048)
    monkeypatch.setattr(streams, "BLOCK_BYTES", 1000)


def table(n: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "id": np.arange(n),
            "x": rng.normal(size=n).round(4),
            "kind": rng.choice(["red", "green", "blüe"], n),
            "day": pd.date_range("2020-01-01", periods=n, freq="h").strftime("%Y-%m-%d"),
            "memo": [f"note {i} of, many" for i in range(n)],
            "gap": np.where(rng.uniform(size=n) < 0.2, np.nan, rng.integers(0, 9, n)),
            "y": rng.choice(["yes", "no"], n),
        }
    )


def small(path: Path, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    with monkeypatch.context() as patch:
        patch.setattr(reading_module, "LARGE_BYTES", 1 << 60)
        patch.setattr(reading_module, "PACKED_BYTES", 1 << 60)
        patch.setattr(reading_module, "LARGE_CELLS", 1 << 60)
        return read_table(path)[0]


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Categories as the objects that small files give."""
    columns = {}
    for name, column in frame.items():
        words = isinstance(column.dtype, pd.CategoricalDtype)
        columns[name] = column.astype(object).where(column.notna(), None) if words else column
    return pd.DataFrame(columns)


ODD_TEXTS = {
    "plain": "a,b,c\n" + "".join(f"{i},{i / 7:.5f},w{i % 5}\n" for i in range(400)),
    "missing words": "a,b\n" + "".join(f"{'NA' if i % 9 == 0 else i},x{i % 3}\n" for i in range(400)),
    "blocks of missing words": "a,b,c\n"
    + "".join(f"{i if i < 150 or i > 320 else 'NA'},x{i % 3},{'none' if i < 300 else 'some'}\n" for i in range(400)),
    "only missing words": "a,b\n" + "".join(f"{i},NA\n" for i in range(400)),
    "late text": "a,b\n" + "".join(f"{i if i < 350 else 'lots'},1\n" for i in range(400)),
    "late zeros": "a,b\n" + "".join(f"{i if i < 350 else f'00{i}'},1\n" for i in range(400)),
    "late gap in long integers": "a,b\n" + "".join(f"{2**60 + i if i != 390 else ''},1\n" for i in range(400)),
    "late fraction": "a,b\n" + "".join(f"{i if i < 350 else i + 0.5},1\n" for i in range(400)),
    "first cells empty": "a,b\n" + "".join(f"{'' if i < 300 else i},1\n" for i in range(400)),
    "empty column": "a,b\n" + "".join(f"{i},\n" for i in range(400)),
    "quotes": 'a,b\n' + "".join(f'{i},"two\nlines, ""{i}"""\n' for i in range(200)),
    "semicolons": "a;b\n" + "".join(f"{i},5;k{i % 4}\n" for i in range(400)),
    "blanks": "a   b c\n" + "".join(f"{i}  {i * 2}   {i / 4}\n" for i in range(300)),
    "preamble": "Report of 2024\n# note\nname,age,city\n" + "".join(f"n{i % 7},{i},c{i % 3}\n" for i in range(300)),
    "no header": "".join(f"{i},{i * 3}.5,z{i % 4}\n" for i in range(300)),
    "short rows": "a,b,c\n" + "".join("1,2\n" if i % 50 == 30 else f"{i},2,3\n" for i in range(400)),
    "long rows": "a,b,c\n" + "".join("1,2,3,4\n" if i == 377 else f"{i},2,3\n" for i in range(400)),
    "surplus commas": "a,b\n" + "".join(f"{i},{i},\n" if i == 350 else f"{i},{i}\n" for i in range(400)),
    "nameless": ",a,\n" + "".join(f"{i},{i % 7},\n" for i in range(300)),
    "nameless with late values": "a,b,\n" + "".join(f"{i},{i % 7},{i if i > 250 else ''}\n" for i in range(300)),
    "windows lines": "a,b\r\n" + "".join(f"{i},q{i % 3}\r\n" for i in range(400)),
    "spaces around words": "a,b\n" + "".join(f" red{i % 3} , {i} \n" for i in range(300)),
}  # fmt: skip


BLANK_NUMBERS_WORDS = "a,b\n" + "".join(
    f"{i},{'' if i < 140 else i if i < 330 else f'w{i}'}\n" for i in range(400)
)  # fmt: skip


@pytest.mark.usefixtures("streaming")
@pytest.mark.parametrize("name", list(ODD_TEXTS))
def test_a_streamed_file_is_read_like_a_small_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(delimited, "HEAD_BYTES", 1500)
    path = tmp_path / "t.csv"
    path.write_bytes(ODD_TEXTS[name].encode())
    expected = small(path, monkeypatch)
    read = read_rows(path)
    pd.testing.assert_frame_equal(plain(read.frame), expected)
    assert infer_schema(read.frame) == infer_schema(expected)
    batches = [apply_schema(batch, infer_schema(expected)) for batch in _batches(path, name)]
    pd.testing.assert_frame_equal(
        pd.concat(batches, ignore_index=True), apply_schema(expected, infer_schema(expected))
    )


@pytest.mark.usefixtures("streaming")
@pytest.mark.parametrize("name", [*ODD_TEXTS, "blank, numbers, words"])
@pytest.mark.parametrize("suffix", ["csv", "csv.gz"])
def test_a_sample_of_odd_text_holds_the_rows_of_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, suffix: str
) -> None:
    """Packed files do not tell their length, so rows that were kept must go again."""
    monkeypatch.setattr(delimited, "HEAD_BYTES", 1500)
    monkeypatch.setattr(delimited, "PARSED_BYTES", 300)
    path = tmp_path / f"t.{suffix}"
    text = ODD_TEXTS.get(name, BLANK_NUMBERS_WORDS).encode()
    path.write_bytes(gzip.compress(text) if suffix == "csv.gz" else text)
    whole = small(path, monkeypatch)
    schema = infer_schema(whole)
    full = apply_schema(whole, schema)
    for limit, seed in [(30, 0), (90, 1), (180, 2)]:
        read = read_rows(path, allowance=Allowance(max_rows=limit, seed=seed))
        assert 0.9 * limit <= len(read.frame) <= limit
        places = pd.Series(range(len(whole) + 1)).drop(377) if name == "long rows" else pd.Series(range(len(whole)))
        at = places.reset_index(drop=True).searchsorted(read.rows)
        expected = full.iloc[at].reset_index(drop=True)
        pd.testing.assert_frame_equal(apply_schema(plain(read.frame), schema), expected)


def test_a_column_blank_then_numbers_then_words_asks_for_its_first_cells_again() -> None:
    """Also when the draw has since dropped as many cells as there were numbers."""
    cells = Cells(".", text=False)
    cells.add(pa.chunked_array([pa.nulls(10, pa.string())]))
    cells.add(pa.chunked_array([[str(i) for i in range(5)]]))
    cells.keep(np.arange(15) >= 7)
    cells.add(pa.chunked_array([["word"]]))
    assert cells.defied


def _batches(path: Path, name: str) -> list[pd.DataFrame]:
    """Batches for prediction, in which no row may be skipped."""
    if name != "long rows":
        return list(Batches(path))
    with pytest.raises(DataError, match="no row may be skipped"):
        list(Batches(path))
    return [read_rows(path).frame]


@pytest.mark.usefixtures("streaming")
@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-8-sig", "gb18030"])
def test_encodings_of_streamed_files(tmp_path: Path, encoding: str) -> None:
    word = "这部电影非常好看" if encoding == "gb18030" else "Zürich"
    path = tmp_path / "t.csv"
    path.write_bytes(("city,n\n" + "".join(f"{word},{i}\n" for i in range(600))).encode(encoding))
    assert plain(read_table(path)[0])["city"].unique().tolist() == [word]


@pytest.mark.usefixtures("streaming")
def test_a_latin_letter_at_the_end_of_a_long_ascii_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "HEAD_BYTES", 1500)
    path = tmp_path / "t.csv"
    path.write_bytes(b"city,n\n" + b"Rome,1\n" * 3000 + "Málaga,2\n".encode("cp1252"))
    frame, info = read_table(path)
    assert frame["city"].iloc[-1] == "Málaga"
    assert info.encoding == "cp1252"


@pytest.mark.usefixtures("streaming")
def test_binary_data_late_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "HEAD_BYTES", 1500)
    path = tmp_path / "t.csv"
    path.write_bytes(b"city,n\n" + b"Rome,1\n" * 3000 + b"\0\0\0")
    with pytest.raises(DataError, match="holds binary data at byte 21,007"):
        read_table(path)


@pytest.mark.usefixtures("streaming")
@pytest.mark.parametrize("rows_after", [3, 3000])
def test_a_quote_that_is_never_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows_after: int) -> None:
    monkeypatch.setattr(delimited, "HEAD_BYTES", 1500)
    path = tmp_path / "t.csv"
    path.write_text("city,n\n" + "Rome,1\n" * 1000 + '"Oslo,1\n' + "Rome,1\n" * rows_after)
    with pytest.raises(DataError, match="ends inside a quoted cell that opens on line 1,002"):
        read_table(path)


@pytest.mark.usefixtures("streaming")
def test_far_too_many_long_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "HEAD_BYTES", 1500)
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "1,2\n" * 1000 + "1,2,3\n" * 100)
    with pytest.raises(DataError, match=r"1,002 has 3 .* 2 are expected"):
        read_table(path)


@pytest.mark.usefixtures("streaming")
@pytest.mark.parametrize("form", ["csv", "csv.gz", "csv.zst", "csv.zip", "parquet", "feather"])
def test_formats_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    frame = table(500)
    path = tmp_path / f"t.{form}"
    _write(frame, path)
    read = read_rows(path)
    pd.testing.assert_frame_equal(plain(read.frame), small(path, monkeypatch), check_dtype=form != "parquet")
    assert read.rows.tolist() == list(range(500))
    assert read.info.sample is None


def _write(frame: pd.DataFrame, path: Path) -> None:
    text = frame.to_csv(index=False).encode()
    match path.name.split(".", 1)[1]:
        case "csv":
            path.write_bytes(text)
        case "csv.gz":
            path.write_bytes(gzip.compress(text))
        case "csv.zst":
            path.write_bytes(zstandard.compress(text))
        case "csv.zip":
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("../../t.csv", text)
        case "parquet":
            frame.to_parquet(path, row_group_size=100)
        case "feather":
            pyarrow.feather.write_feather(pa.Table.from_pandas(frame), str(path), chunksize=90)


def test_empty_chunks_do_not_end_a_stream() -> None:
    reader = streams.ChunkReader(iter([b"", b"ab", b"", b"", b'"c"']))
    assert reader.read() == b'ab"c"'
    assert reader.quotes == 2


@pytest.mark.usefixtures("streaming")
@pytest.mark.parametrize("suffix", ["gz", "zst"])
def test_a_large_compressed_file_that_is_cut_off(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t.csv.{suffix}"
    _write(table(3000), path)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(DataError, match="damaged or cut off"):
        read_table(path)


@pytest.mark.usefixtures("streaming")
def test_names_in_an_archive_lead_nowhere(tmp_path: Path) -> None:
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    path = inside / "t.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../escaped.csv", "a,b\n1,2\n3,4\n")
        archive.writestr("/absolute.csv", "a,b\n5,6\n")
    frame, _ = read_table(path)
    assert sorted(frame["a"].tolist()) == [1, 3, 5]
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["t.zip"]
    assert not Path("/absolute.csv").exists()


@pytest.mark.usefixtures("streaming")
def test_shards_in_another_order_of_columns(tmp_path: Path) -> None:
    frame = table(300)
    frame[:100].to_csv(tmp_path / "p1.csv", index=False)
    frame.iloc[100:, ::-1].to_csv(tmp_path / "p2.csv", index=False)
    read = read_rows(tmp_path)
    assert read.frame["id"].tolist() == list(range(300))
    assert read.info.n_files == 2
    frame.drop(columns="x").to_csv(tmp_path / "p3.csv", index=False)
    with pytest.raises(DataError, match=r"p3\.csv lacks 'x'"):
        read_rows(tmp_path)


@pytest.mark.usefixtures("streaming")
@pytest.mark.parametrize("form", ["csv", "csv.gz", "parquet", "feather"])
def test_the_sample_does_not_depend_on_format_or_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    frame = table(4000)
    path = tmp_path / f"t.{form}"
    _write(frame, path)
    allowance = Allowance(max_rows=500, seed=3)
    rows = read_rows(path, allowance=allowance)
    assert len(rows.frame) == 500
    assert rows.frame["id"].tolist() == rows.rows.tolist() == sorted(rows.rows)
    monkeypatch.setattr(delimited, "PARSED_BYTES", 9999)
    again = read_rows(path, allowance=allowance)
    assert (again.rows == rows.rows).all()
    pd.testing.assert_frame_equal(plain(again.frame), plain(rows.frame))
    expected = apply_schema(frame.iloc[rows.rows], infer_schema(read_table(path)[0]))
    pd.testing.assert_frame_equal(
        apply_schema(rows.frame, infer_schema(read_table(path)[0])), expected, check_dtype=False
    )
    sample = rows.info.sample
    assert sample is not None
    assert (sample.rows_in_data, sample.rows_used, sample.max_rows) == (4000, 500, 500)
    assert sample.note in rows.info.notes
    assert (read_rows(path, allowance=Allowance(max_rows=500, seed=4)).rows != rows.rows).any()


@pytest.mark.usefixtures("streaming")
@pytest.mark.parametrize(("limit", "used"), [(300, 300), (1500, 1200)])
def test_a_head_of_short_rows_does_not_make_the_sample_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int, used: int
) -> None:
    monkeypatch.setattr(delimited, "HEAD_BYTES", 1500)
    rows = [f"{i},{'x' if i < 300 else 'long ' * 30}" for i in range(1200)]
    (tmp_path / "t.csv").write_text("a,b\n" + "\n".join(rows) + "\n")
    read = read_rows(tmp_path / "t.csv", allowance=Allowance(max_rows=limit))
    assert len(read.frame) == used
    assert (read.info.sample is None) == (used == 1200)


def test_a_frame_is_sampled_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_module, "LARGE_CELLS", 1)
    read = read_rows(table(1000), allowance=Allowance(max_rows=100))
    assert read.frame["id"].tolist() == read.rows.tolist()
    assert len(read.frame) == 100
    assert len(read_rows(table(1000)).frame) == 1000


@pytest.mark.usefixtures("streaming")
def test_whole_groups_are_drawn(tmp_path: Path) -> None:
    frame = table(4000).assign(shop=np.arange(4000) % 400)
    frame.to_csv(tmp_path / "t.csv", index=False)
    read = read_rows(tmp_path / "t.csv", allowance=Allowance(max_rows=1000, group_column="shop"))
    sizes = read.frame["shop"].value_counts()
    assert (sizes == 10).all()
    assert 900 <= len(read.frame) <= 1000
    # Of five large groups none could be spared: rows are drawn instead.
    frame.assign(shop=np.arange(4000) % 5).to_csv(tmp_path / "u.csv", index=False)
    few = read_rows(tmp_path / "u.csv", allowance=Allowance(max_rows=1000, group_column="shop"))
    assert few.frame["shop"].nunique() == 5
    assert few.info.sample is not None
    assert few.info.sample.group is None
    # Unless they are the steps of series, which mean nothing apart.
    whole = Allowance(max_rows=1000, group_column="shop", whole=True)
    for data in (tmp_path / "u.csv", pd.read_csv(tmp_path / "u.csv")):
        series = read_rows(data, allowance=whole).frame["shop"].astype(int).value_counts()
        assert len(series) >= 1
        assert (series == 800).all()


def test_whole_groups_of_a_frame_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_module, "LARGE_CELLS", 1)
    frame = table(4000).assign(shop=np.arange(4000) % 400)
    read = read_rows(frame, allowance=Allowance(max_rows=1000, group_column="shop"))
    assert (read.frame["shop"].value_counts() == 10).all()
    assert 900 <= len(read.frame) <= 1000
    assert read.info.sample is not None
    assert read.info.sample.group == "shop"
    few = read_rows(frame.assign(shop=np.arange(4000) % 5), allowance=Allowance(max_rows=1000, group_column="shop"))
    assert few.frame["shop"].nunique() == 5
    assert few.info.sample is not None
    assert few.info.sample.group is None


@pytest.mark.usefixtures("streaming")
def test_groups_do_not_depend_on_the_form_of_the_table(tmp_path: Path) -> None:
    """A gap makes pandas write 7 as 7.0, in one shard, or one block, and not in another."""
    frame = table(4000).assign(shop=pd.array(np.arange(4000) % 400, dtype="Int64"))
    frame.loc[[5, 3], "shop"] = pd.NA
    (tmp_path / "shards").mkdir()
    for i in range(4):
        part = frame[i * 1000 : (i + 1) * 1000]
        part.astype({"shop": "float64" if i % 2 else "Int64"}).to_csv(tmp_path / f"shards/{i}.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet", row_group_size=300)
    allowance = Allowance(max_rows=1000, group_column="shop")
    drawn = [
        read_rows(source, allowance=allowance).rows.tolist()
        for source in (tmp_path / "shards", tmp_path / "t.parquet", frame, frame.astype({"shop": "float64"}))
    ]
    assert all(rows == drawn[0] for rows in drawn)
    sizes = frame["shop"].iloc[drawn[0]].value_counts()
    assert set(sizes) <= {9, 10}


@pytest.mark.parametrize(
    "groups",
    [
        [[1], [1], [2], None], [b"\xff", b"\xff", b"a", None], [True, True, False, None],
        pa.array(["a", "a", "b", None]).dictionary_encode(), [dt.date(2020, 1, 1)] * 2 + [dt.date(2020, 1, 2), None],
        ["5.0", " 5", "5.5", None], [1e300, 1e300, 0.1, None],
    ],
)  # fmt: skip
def test_groups_of_any_type(groups: list[object]) -> None:
    keys = group_keys(pa.chunked_array([groups]), np.arange(4), 0)
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


@pytest.mark.usefixtures("streaming")
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_columns_to_skip_are_not_read(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"t.{form}"
    _write(table(300), path)
    read = read_rows(path, skip=["memo", "nonsense"])
    assert "memo" not in read.frame
    assert read.info.unread == ("memo",)


@pytest.mark.usefixtures("streaming")
def test_learning_a_table_at_once_gives_the_same(tmp_path: Path) -> None:
    _write(table(300), tmp_path / "t.csv")
    read = read_rows(tmp_path / "t.csv")
    expected = infer_schema(read.frame, target="y")
    values = apply_schema(read.frame, expected)
    schema, frame = learn_table(read.frame, target="y")
    assert schema == expected
    pd.testing.assert_frame_equal(frame, values)


@pytest.mark.usefixtures("streaming")
@pytest.mark.parametrize("suffix", ["parquet", "feather"])
def test_shards_of_types_that_go_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    """As a writer of shards leaves them that looks at each shard alone."""
    shards: list[dict[str, object]] = [
        {"n": [1, 2], "gap": pa.nulls(2), "word": ["a", "b"], "day": pa.array([1, 2], pa.timestamp("s")),
         "b": [1, 2]},
        {"n": [0.5, None], "gap": ["x", "y"], "word": pa.array(["b", "c"]).dictionary_encode(),
         "day": pa.array([3, 4], pa.timestamp("us")), "b": [None, 3]},
    ]  # fmt: skip
    for order in (1, -1):
        for i, columns in enumerate(shards[::order]):
            path = tmp_path / f"{i}.{suffix}"
            if suffix == "parquet":
                pq.write_table(pa.table(columns), path)
            else:
                pyarrow.feather.write_feather(pa.table(columns), str(path), compression="uncompressed")
        expected = small(tmp_path, monkeypatch)
        read = plain(read_table(tmp_path)[0])
        pd.testing.assert_frame_equal(read, expected, check_dtype=False)
    pq.write_table(pa.table({**shards[0], "n": ["a", "b"]}), tmp_path / "0.parquet")
    pq.write_table(pa.table(shards[1]), tmp_path / "1.parquet")
    with pytest.raises(DataError, match=r"1\.parquet has another type of column 'n' \(double\) than .*0\.parquet"):
        read_table(f"{tmp_path}/*.parquet")


@pytest.mark.usefixtures("streaming")
def test_types_of_parquet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    n = 50
    frame = pd.DataFrame(
        {
            "flag": [True, False] * (n // 2),
            "when": pd.date_range("2024-01-01", periods=n, tz="Europe/Berlin"),
            "kind": pd.Categorical(["a", "b"] * (n // 2)),
            "whole": pd.array([1, None] * (n // 2), dtype="Int64"),
            "list": [[1, 2]] * n,
        },
        index=pd.Index(np.arange(n)[::-1] ** 2, name="key"),
    )
    frame.to_parquet(tmp_path / "t.parquet", row_group_size=20)
    pd.testing.assert_frame_equal(
        plain(read_table(tmp_path / "t.parquet")[0]), small(tmp_path / "t.parquet", monkeypatch)
    )
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), tmp_path / "e.parquet")
    with pytest.raises(DataError, match="no rows"):
        read_table(tmp_path / "e.parquet")


@pytest.mark.usefixtures("streaming")
@pytest.mark.parametrize("index", [pd.Index([5, 9, 2]), pd.MultiIndex.from_tuples([(1, "a"), (1, "b"), (2, "a")])])
@pytest.mark.parametrize("named", [False, True])
def test_a_nameless_index_of_one_level_is_no_column(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, index: pd.Index, named: bool
) -> None:
    if named:
        index = index.set_names([None] * (index.nlevels - 1) + ["key"])
    path = tmp_path / "t.parquet"
    pd.DataFrame({"x": [1, 2, 3]}, index=index).to_parquet(path)
    for frame in (read_table(path)[0], small(path, monkeypatch)):
        nameless = [f"level_{i}" for i in range(index.nlevels - named)] if index.nlevels > 1 else []
        assert frame.columns.tolist() == [*nameless, *(["key"] if named else []), "x"]
