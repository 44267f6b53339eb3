from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bench_tasks


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """A bench with a task of each kind."""
    (tmp_path / "bench").mkdir()
    (tmp_path / "data").mkdir()
    tasks = {"yes": ("y", "binary"), "three": ("c", "multiclass"), "number": ("z", "regression")}
    (tmp_path / "bench" / "tasks.py").write_text(f"TASKS = {tasks!r}\n")
    n = 60
    frame = pd.DataFrame({"x": np.arange(n), "y": np.arange(n) % 2, "c": list("abc") * 20, "z": np.arange(n) / 7.0})
    frame.loc[:2, "c"] = "rare"
    frame.loc[3, "z"] = np.nan
    for name in tasks:
        frame.to_csv(tmp_path / "data" / f"{name}.csv", index=False)
    return tmp_path / "bench"


def test_tasks_are_read_and_chosen(bench: Path) -> None:
    assert [t.name for t in bench_tasks.read_tasks(bench)] == ["yes", "three", "number"]
    assert [t.kind for t in bench_tasks.read_tasks(bench, "number,yes")] == ["regression", "binary"]
    with pytest.raises(SystemExit, match="no task nothing"):
        bench_tasks.read_tasks(bench, "nothing")
    with pytest.raises(SystemExit, match=r"no tasks\.py"):
        bench_tasks.read_tasks(bench / "elsewhere")


def test_rare_classes_and_unknown_targets_are_left_out(bench: Path, tmp_path: Path) -> None:
    three, number = bench_tasks.read_tasks(bench, "three,number")
    train, test = (pd.read_csv(f) for f in bench_tasks.split(three, 0, tmp_path / "work"))
    assert set(train["c"]) == set(test["c"]) == {"a", "b", "c"}
    assert len(train) + len(test) == 57
    assert not set(train["x"]) & set(test["x"])
    train, test = (pd.read_csv(f) for f in bench_tasks.split(number, 0, tmp_path / "work"))
    assert sorted([*train["x"], *test["x"]]) == [i for i in range(60) if i != 3]


def test_rows_are_those_of_the_duel(shared_data: Path, tmp_path: Path) -> None:
    # A tool that does nothing fails at once, but the duel has drawn the rows by then.
    duel = shared_data.parent / "bench" / "duel.py"
    options = ["--peers", "autodl", "--tasks", "concrete", "--seed", "3", "--autodl", "false"]
    places = ["--work", str(tmp_path / "theirs"), "--out", str(tmp_path / "out.jsonl")]
    subprocess.run([sys.executable, str(duel), *options, *places], check=True, capture_output=True)
    (task,) = bench_tasks.read_tasks(duel.parent, "concrete")
    for file in bench_tasks.split(task, 3, tmp_path / "ours"):
        assert file.read_bytes() == (tmp_path / "theirs" / "concrete-3" / file.name).read_bytes()


def task(kind: str) -> bench_tasks.BenchTask:
    return bench_tasks.BenchTask("t", "y", kind, Path("t.csv"))


def loss_of(kind: str, truth: list[object], **columns: list[float]) -> float:
    return bench_tasks.loss(kind, *bench_tasks.answers(task(kind), pd.Series(truth), pd.DataFrame(columns)))


def test_losses_by_hand() -> None:
    # Three of the four pairs of a 1 and a 0 are in order.
    binary = loss_of("binary", [0, 1, 0, 1], proba_0=[0.9, 0.6, 0.5, 0.2], proba_1=[0.1, 0.4, 0.5, 0.8])
    assert binary == pytest.approx(0.25)
    assert loss_of("regression", [1.0, 2.0], prediction=[1.0, 4.0]) == pytest.approx(2**0.5)
    many = loss_of("multiclass", ["a", "b"], proba_b=[0.5, 0.75], proba_a=[0.5, 0.25], proba_c=[0.0, 0.0])
    assert many == pytest.approx(-(np.log(0.5) + np.log(0.75)) / 2, abs=1e-6)


def test_classes_may_be_written_as_other_numbers() -> None:
    assert loss_of("binary", [0, 1], **{"proba_0.0": [0.8, 0.3], "proba_1.0": [0.2, 0.7]}) == 0.0


def test_a_class_that_is_not_foreseen_is_nearly_impossible() -> None:
    assert loss_of("multiclass", ["a", "new"], proba_a=[1.0, 1.0]) == pytest.approx(-np.log(1e-12) / 2, rel=1e-3)


def test_predictions_of_other_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="1 predictions for 2 rows"):
        loss_of("regression", [1.0, 2.0], prediction=[1.0])


def test_the_error_of_a_difference_is_that_of_paired_rows() -> None:
    rng = np.random.default_rng(1)
    truth = np.zeros(2_000)
    first = rng.normal(size=2_000)
    # The same predictions differ on no draw. Else: the textbook standard error of the mean difference of the squares,
    # by the delta method over twice the loss.
    assert bench_tasks.difference_error("regression", truth, first, first) == 0.0
    second = first + rng.normal(scale=0.1, size=2_000)
    expected = np.std(second**2 - first**2) / 2_000**0.5 / 2
    found = bench_tasks.difference_error("regression", truth, second, first, draws=400)
    assert found == pytest.approx(expected, rel=0.2)
