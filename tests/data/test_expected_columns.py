"""A file is read so that it has the columns that the training had: its header, and what parts its cells."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autodl.data import Batches, reading
from autodl.data.dialect import NO_DELIMITER, sniff
from autodl.dataset import load, load_test
from autodl.options import FitOptions


def header(text: str, names: list[str]) -> bool:
    return sniff(text, whole=True, names=names).header


def test_numbers_that_are_the_names_of_the_training_are_a_header() -> None:
    text = "1,2,3,4\n5.1,3,4,2\n5,3,2,2\n6,3,4,1\n"
    assert not header(text, [])
    assert header(text, ["1", "2", "3", "4"])


@pytest.mark.parametrize("text", ["red,round\nblue,flat\n", "red,round\n", "red,7\n"])
def test_a_table_without_names_stays_without(text: str) -> None:
    assert header(text, [])
    assert not header(text, ["column_1", "column_2"])


@pytest.mark.parametrize("text", ["colour,size\nred,1\nblue,2\n", "column_1,column_2\nred,flat\n"])
def test_names_that_cannot_be_values_are_a_header_all_the_same(text: str) -> None:
    assert header(text, ["column_1", "column_2"])


@pytest.mark.parametrize("mark", ["|", ";", "\t", ","])
def test_one_column_is_not_parted_at_marks_inside_its_cells(mark: str) -> None:
    two = f"genres\nAction{mark}Comedy\nDrama{mark}Comedy\nAction{mark}War\n"
    assert sniff(two, whole=True).delimiter == NO_DELIMITER
    three = two.replace("Comedy", f"Comedy{mark}War").replace(f"Action{mark}War", f"War{mark}Action{mark}Drama")
    assert sniff(three, whole=True, names=["genres"]).delimiter == NO_DELIMITER


@pytest.mark.parametrize("rows", ['"1"\t5.5\n"2"\t"b"\n', '"Mazda RX4"\t21\n"Datsun 710"\t22.8\n"Valiant"\tNA\n'])
@pytest.mark.parametrize("names", [(), ("x",)])
def test_row_names_of_r_above_one_column(rows: str, names: tuple[str, ...]) -> None:
    found = sniff('"x"\n' + rows, whole=True, names=names)
    assert (found.delimiter, found.width) == ("\t", 2)


@pytest.mark.parametrize(
    "rows",
    [
        "3,5\n2,25\n7,75\n", '"Main Road", 5\n"Oak Street", 7\n', '"a"|1\n"b"|2\n"a"|3\n',
        "12:30:05,25\n13:01:07,5\n", "Good film,9\nBad film,2\n", "R$5,20\nR$7,10\n", "1,50\n",
    ],
)  # fmt: skip
@pytest.mark.parametrize("names", [(), ("x",)])
def test_what_is_no_row_name_stays_in_one_column(rows: str, names: tuple[str, ...]) -> None:
    assert sniff("x\n" + rows, whole=True, names=names).delimiter == NO_DELIMITER


@pytest.mark.parametrize("large", [False, True])
def test_files_to_predict_have_the_columns_of_the_model(
    tmp_path: Path, large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if large:
        monkeypatch.setattr(reading, "LARGE_BYTES", 1)
        monkeypatch.setattr(reading, "PACKED_BYTES", 1)
    path = tmp_path / "new.csv"
    path.write_text("red,round\nblue,flat\n")
    batches = Batches(path, names=["column_1", "column_2"])
    assert pd.concat(list(batches))["column_1"].tolist() == ["red", "blue"]
    assert batches.delimiter == ","
    path.write_text("genres\na|b|c\nd|e|f\n")
    assert pd.concat(list(Batches(path, names=["genres"])))["genres"].tolist() == ["a|b|c", "d|e|f"]


def test_a_test_file_has_the_columns_of_the_training(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.integers(0, 3, (60, 4)), columns=["0", "1", "2", "3"])
    table.to_csv(tmp_path / "train.csv", index=False)
    (tmp_path / "test.csv").write_text("3,1,2,0\n1,1,0,2\n2,0,2,1\n")
    options = FitOptions(target="3")
    train = load(str(tmp_path / "train.csv"), options)
    assert len(load_test(str(tmp_path / "test.csv"), train, seed=0).y) == 2


@pytest.mark.parametrize("quoted", ["1,2", "1,3"])
def test_choices_in_a_cell_leave_thousands_of_other_columns_alone(tmp_path: Path, quoted: str) -> None:
    rows = "".join(f'"{quoted}","{v}",{i % 2}\n' for i, v in enumerate(["1,234", "950", "12,500"] * 20))
    (tmp_path / "train.csv").write_text("likes,amount,y\n" + rows)
    train = load(str(tmp_path / "train.csv"), FitOptions(target="y"))
    assert set(train.frame["amount"]) == {1234.0, 950.0, 12500.0}
    again = load_test(str(tmp_path / "train.csv"), train, seed=0)
    assert set(again.frame["amount"]) == {1234.0, 950.0, 12500.0}


def test_a_test_file_of_decimal_commas_parts_thousands_by_points(tmp_path: Path) -> None:
    """The comma shows in a column that the training data have not."""
    rows = "".join(f"{1000 + 99 * i},{i % 2}\n" for i in range(60))
    (tmp_path / "train.csv").write_text("n,y\n" + rows)
    train = load(str(tmp_path / "train.csv"), FitOptions(target="y"))
    (tmp_path / "test.csv").write_text("n;y;size\n5.000;1;1,5\n12.345;0;2,25\n")
    assert load_test(str(tmp_path / "test.csv"), train, seed=0).frame["n"].tolist() == [5000.0, 12345.0]
