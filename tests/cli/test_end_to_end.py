"""The real program on real tables, each run in a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

REPO = Path(__file__).resolve().parents[2]
PENGUINS = REPO / "examples" / "data" / "penguins.csv"

pytestmark = pytest.mark.slow


def autodl(*arguments: object, cwd: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "autodl", *map(str, arguments)], cwd=cwd, capture_output=True, text=True
    )
    assert done.returncode == code, f"{arguments}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def classified(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished classification of the penguins."""
    place = tmp_path_factory.mktemp("classified")
    autodl("fit", PENGUINS, "--target", "Species", "--max-trials", 3, "--out", "run", cwd=place)
    return place / "run"


def test_the_run_folder_holds_what_the_docs_promise(classified: Path) -> None:
    facts = json.loads((classified / "run.json").read_text())
    assert facts["status"] == "done"
    assert (facts["task"], facts["target"]) == ("classification", "Species")
    assert len(facts["classes"]) == 3
    assert facts["budget"]["given_s"] is None
    assert 0 < facts["budget"]["first_model_s"] <= facts["budget"]["used_s"]
    assert facts["command"].startswith("autodl fit ") or "__main__" in facts["command"]
    assert {"name", "family", "validation", "test", "fit_s", "predict_ms_per_row"} <= set(facts["leaderboard"][0])
    for score in facts["test"].values():
        assert score["low"] <= score["value"] <= score["high"]
        assert score["n"] == 69  # a fifth of 344
    assert {"code", "severity", "column", "message"} <= set(facts["findings"][0])
    assert (classified / "report.html").stat().st_size > 10_000
    assert (classified / "model").is_dir()


def test_predictions_follow_the_rows_and_a_moved_folder_still_predicts(classified: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(classified, tmp_path / "moved")
    rows = pd.read_csv(PENGUINS).sample(40, random_state=0).drop(columns=["Species", "Stage"])
    rows["extra"] = 1
    rows[rows.columns[::-1]].to_csv(tmp_path / "new.csv", index=False)
    autodl("predict", "moved", "new.csv", "--out", "p.csv", "--proba", "--keep", "Sample Number", cwd=tmp_path)
    got = pd.read_csv(tmp_path / "p.csv")
    assert got["Sample Number"].tolist() == rows["Sample Number"].tolist()
    proba = got.filter(like="proba_")
    assert proba.sum(axis=1).to_numpy() == pytest.approx(1.0, abs=1e-5)
    assert (proba.idxmax(axis=1).str.removeprefix("proba_") == got["prediction"]).all()
    right = pd.read_csv(PENGUINS)["Species"].iloc[rows.index].to_numpy() == got["prediction"].to_numpy()
    assert right.mean() > 0.9


def test_the_report_is_rebuilt_and_the_leaderboard_is_the_record(classified: Path) -> None:
    before = (classified / "report.html").read_bytes()
    (classified / "report.html").unlink()
    autodl("report", classified, cwd=classified)
    assert len((classified / "report.html").read_bytes()) == pytest.approx(len(before), rel=0.1)
    shown = json.loads(autodl("leaderboard", classified, "--json", cwd=classified).stdout)
    assert shown == json.loads((classified / "run.json").read_text())


def test_a_second_run_in_the_same_folder_is_refused(classified: Path) -> None:
    done = autodl("fit", PENGUINS, "--out", classified, cwd=classified, code=2)
    assert "--resume" in done.stderr


def test_json_is_the_record_and_the_same_seed_repeats(tmp_path: Path) -> None:
    scores = []
    for out in ("a", "b"):
        done = autodl(
            "fit", PENGUINS, "--target", "Body Mass (g)", "--max-trials", 3, "--workers", 1, "--seed", 7,
            "--out", out, "--json", cwd=tmp_path,
        )  # fmt: skip
        facts = json.loads(done.stdout)
        assert done.stderr == ""
        assert facts == json.loads((tmp_path / out / "run.json").read_text())
        assert facts["task"] == "regression"
        scores.append([(r["name"], r["validation"], r["test"]) for r in facts["leaderboard"]])
    assert scores[0] == scores[1]


def test_stopped_by_ctrl_c_a_run_is_whole_and_can_be_resumed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "autodl", "fit", str(PENGUINS), "--target", "Sex", "--out", "run"]
    process = subprocess.Popen(
        [*command, "--time-budget", "10m"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "(best so far)" in line and "Guess" not in line:
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=200)  # far less than the budget
    assert process.returncode == 0, err
    assert "stopping" in out
    facts = json.loads((tmp_path / "run" / "run.json").read_text())
    assert facts["status"] == "interrupted"
    assert (tmp_path / "run" / "report.html").is_file()
    autodl("predict", "run", PENGUINS, "--out", "p.csv", cwd=tmp_path)
    first = {p.name for p in (tmp_path / "run" / "trials").iterdir()}
    stamps = {p: p.stat().st_mtime_ns for p in (tmp_path / "run" / "trials").glob("*/result.json")}
    autodl(*command[3:], "--max-trials", len(first) + 1, "--resume", cwd=tmp_path)
    resumed = json.loads((tmp_path / "run" / "run.json").read_text())
    assert resumed["status"] == "done"
    assert first <= {p.name for p in (tmp_path / "run" / "trials").iterdir()}
    assert stamps == {p: p.stat().st_mtime_ns for p in stamps}  # finished trials were not run again


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"a,b\n", "row"),
        (b"a,b\n1,5\n2,5\n3,5\n4,5\n" * 10, "b"),
        (bytes(range(256)) * 20, ""),
    ],
    ids=["empty", "header-only", "constant-target", "binary"],
)
def test_a_file_that_cannot_be_learnt_from_is_one_line(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "bad.csv").write_bytes(content)
    done = autodl("fit", "bad.csv", "--target", "b", "--out", "run", "--time-budget", "20s", cwd=tmp_path, code=2)
    assert done.stderr.startswith("autodl: error: ")
    assert done.stderr.count("\n") == 1
    assert said in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--target", "Sexx"], "Did you mean 'Sex'?"),
        (["--target", "Sex", "--metric", "acuracy"], "Did you mean 'accuracy'?"),
        (["--target", "Sex", "--families", "linaer"], "Did you mean 'linear'?"),
        (["--target", "Sex", "--drop", "Iland"], "Did you mean 'Island'?"),
        (["--target", "Sex", "--group", "nest"], "nest"),
        (["--target", "Sex", "--time-column", "Date"], "Date Egg"),
        (["--target", "Sex", "--task", "regression"], "--task"),
    ],
)
def test_an_unknown_name_is_one_line_with_the_nearest(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = autodl("fit", PENGUINS, *arguments, "--out", "run", "--time-budget", "20s", cwd=tmp_path, code=2)
    assert done.stderr.count("\n") == 1
    assert said in done.stderr
    assert done.stdout.count("\n") <= 3  # the stages begun, at most
    assert not (tmp_path / "run").exists()


def test_a_cluster_that_does_not_answer_is_one_line_with_its_remedy(tmp_path: Path) -> None:
    done = autodl(
        "fit", PENGUINS, "--target", "Species", "--max-trials", 3, "--address", "127.0.0.1:1", "--out", "run",
        cwd=tmp_path, code=2,
    )  # fmt: skip
    assert done.stderr.startswith("autodl: error: cannot reach a Ray cluster at '127.0.0.1:1'")
    assert "leave out --address" in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
    assert not (tmp_path / "run").exists()  # told before the data is read
