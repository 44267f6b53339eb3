"""Files of series in the format of the UEA and UCR archives."""

from __future__ import annotations

import gzip
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autodl.data import learn_table, misfits, read_table
from autodl.data.series.ts_format import read_ts
from autodl.errors import DataError

HEAD = "# a note\n@problemName x\n@timeStamps false\n@classLabel true a b\n@data\n"


def ts_text(series: list[np.ndarray], labels: list[str]) -> str:
    lines = [
        ":".join([*(",".join(map(repr, c)) for c in one.T.tolist()), label])
        for one, label in zip(series, labels, strict=True)
    ]
    return HEAD + "\n".join(lines).replace("nan", "?") + "\n"


def test_one_channel_and_its_class(tmp_path: Path) -> None:
    file = tmp_path / "x.ts"
    file.write_text(HEAD + "1,2.5,-3e2:a\n0,?,1:b\n\n4,5,6:?\n")
    frame, info = read_table(file)
    assert list(frame.columns) == ["series", "label"]
    assert frame["label"].tolist() == ["a", "b", None]
    assert (info.format, info.n_files) == ("ts", 1)
    cells = frame["series"].array
    np.testing.assert_array_equal(cells[0], [[1], [2.5], [-300]])
    assert np.isnan(cells[1][1, 0])
    packed = tmp_path / "y.ts.gz"
    packed.write_bytes(gzip.compress(file.read_bytes()))
    assert read_table(packed)[0]["label"].tolist() == ["a", "b", None]


def test_several_files_are_one_table(tmp_path: Path) -> None:
    for name, lines in (("a.ts", "1,2:a\n3,?:b\n"), ("b.ts", "5,6,7:a\n")):
        (tmp_path / name).write_text(HEAD + lines)
    frame, info = read_table(tmp_path / "*.ts")
    assert info.n_files == 2
    assert frame["label"].tolist() == ["a", "b", "a"]
    assert [len(cell) for cell in frame["series"].array] == [2, 2, 3]
    schema, rows = learn_table(frame.copy(deep=False), target="label")
    assert schema["series"].series is not None
    assert [m.n for m in misfits(frame, rows, schema)] == [1]


def test_lines_of_blanks_and_blanks_at_the_ends_of_lines_say_nothing() -> None:
    read = read_ts("@classLabel false\n@data\n 1,2 \n  \n  # a note\n\t\n3,4\n", "x.ts")
    assert [one[:, 0].tolist() for one in read.series] == [[1, 2], [3, 4]]


def test_numbers_to_predict_and_files_without_a_target() -> None:
    numbers = read_ts("@targetLabel true\n@data\n1,2:3,4:0.5\n5:6:-1\n", "x.ts")
    assert (numbers.name, numbers.target) == ("target", ["0.5", "-1"])
    assert [one.shape for one in numbers.series] == [(2, 2), (1, 2)]
    bare = read_ts("@classLabel false\n@data\n1,2\n3,4,5\n", "x.ts")
    assert bare.target is None
    assert [len(one) for one in bare.series] == [2, 3]


def test_channels_that_end_early_lack_values() -> None:
    one = read_ts("@classLabel false\n@data\n1,2,3:4\n", "x.ts").series[0]
    np.testing.assert_array_equal(one, [[1, 4], [2, np.nan], [3, np.nan]])


@given(
    st.lists(st.lists(st.floats(-1e6, 1e6) | st.just(np.nan), min_size=2, max_size=12), min_size=1, max_size=5),
    st.integers(1, 2),
)
@settings(max_examples=20)
def test_what_is_written_is_read(values: list[list[float]], channels: int) -> None:
    series = [np.resize(np.array(v), (len(v), channels)) for v in values]
    read = read_ts(ts_text(series, ["a"] * len(series)), "x.ts")
    for found, given_ in zip(read.series, series, strict=True):
        np.testing.assert_array_equal(found, given_)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1,2,3\n", "should begin with @"),
        ("@problemName x\n", "should begin with @"),
        (HEAD, "has no series behind @data"),
        (HEAD + "1,2:a\n1,2:3,4:a\n", "line 7: 2 channel"),
        (HEAD + "1,two:a\n", "'two' is no number"),
        (HEAD + "a\n", "a class, but no series"),
        (HEAD + "(2007-01-01 00:00:00,241.97),(2007-01-01 00:01:00,241.75):a\n", "time stamps"),
        ("@timeStamps true\n@classLabel true a\n@data\n(0,1),(1,2):a\n", "a time stamp for each value"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_line(text: str, said: str) -> None:
    with pytest.raises(DataError, match=r"x\.ts") as caught:
        read_ts(text, "x.ts")
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def aeon_data() -> Path:
    """The folder of data sets that come with aeon; found without loading it, which takes long."""
    spec = find_spec("aeon")
    if spec is None or spec.origin is None:
        pytest.skip("aeon, whose data sets these are, is not installed")
    return Path(spec.origin).parent / "datasets" / "data"


@pytest.mark.parametrize(
    ("name", "n", "channels", "target"),
    [("JapaneseVowels", 270, 12, "label"), ("GunPoint", 50, 1, "label"), ("CardanoSentiment", 74, 2, "target")],
)
def test_public_files_are_read_as_aeon_reads_them(name: str, n: int, channels: int, target: str) -> None:
    file = aeon_data() / name / f"{name}_TRAIN.ts"
    frame, _ = read_table(file)
    assert list(frame.columns) == ["series", target]
    from aeon.datasets import load_from_ts_file

    theirs, labels = load_from_ts_file(str(file))
    assert len(frame) == len(theirs) == n
    for ours, other in zip(frame["series"].array, theirs, strict=True):
        assert ours.shape[1] == channels
        np.testing.assert_allclose(ours, np.asarray(other).T, rtol=1e-6)
    assert frame[target].astype(type(labels[0])).tolist() == list(labels)
