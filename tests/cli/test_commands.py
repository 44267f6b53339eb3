"""The commands in this process, with the pipeline replaced by one that trains nothing."""

from __future__ import annotations

import io
import json
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from cli_fakes import fake_fit, make_plan, make_profile, make_record

from autodl import __version__
from autodl.__main__ import main
from autodl.cli.plan import show_plan
from autodl.cli.screen import make_console
from autodl.events import Listener, PlanReady
from autodl.options import FitOptions
from autodl.records import Finding, RunRecord, Severity


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a small table, as the current one, and a pipeline that answers at once."""
    import autodl.pipeline

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(autodl.pipeline, "run_fit", fake_fit)
    monkeypatch.setattr(autodl.pipeline, "run_plan", lambda data, options: (make_profile(), make_plan()))
    (tmp_path / "shop.csv").write_text("size,bought\n1,yes\n2,no\n")
    return tmp_path


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"autodl {__version__}\n"


def test_fit_says_what_it_does_and_where_the_result_is(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", "shop.csv", "--out", "run"]) == 0
    out, err = capsys.readouterr()
    for part in ("plan: predicting 'bought'", "right 89 in 100", "run/report.html", "autodl predict run "):
        assert part in out
    assert err == ""


def test_quiet_leaves_the_summary_alone(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", "shop.csv", "--out", "run", "--quiet"]) == 0
    out = capsys.readouterr().out
    assert "plan:" not in out
    assert "right 89 in 100" in out
    assert "Taken       target 'bought' (guessed: its name), task classification" in out


def test_a_run_that_was_ended_says_how_to_go_on(tmp_path: Path) -> None:
    from autodl.cli.fit import _how_to_go_on

    folder = tmp_path / "my run"
    assert _how_to_go_on(folder) == ""
    (folder / "records").mkdir(parents=True)
    assert _how_to_go_on(folder) == ""  # nothing had begun
    (folder / "run.json").write_text(make_record().model_dump_json())
    assert _how_to_go_on(folder) == f"; --resume --out '{folder}' goes on from what was finished"


def test_a_folder_that_was_just_being_made_is_taken_away_when_the_run_is_ended_at_once(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import autodl.pipeline

    ended = threading.Event()

    def made(folder: Path) -> str:
        """What the main thread may do between two steps of the one that ends the process."""
        assert not folder.exists()
        folder.mkdir()
        (folder / ".lock").touch()
        return ""

    def interrupted(data: str, options: FitOptions, out: Path, **given: Any) -> RunRecord:
        out.mkdir()
        signal.raise_signal(signal.SIGINT)
        assert ended.wait(60.0)
        raise KeyboardInterrupt

    monkeypatch.setattr("autodl.cli.fit._how_to_go_on", made)
    monkeypatch.setattr("autodl.cli.interrupts._end_children", lambda: None)
    monkeypatch.setattr("os._exit", lambda code: ended.set())
    monkeypatch.setattr(autodl.pipeline, "run_fit", interrupted)
    assert main(["fit", "shop.csv", "--out", "run"]) == 130
    assert not (work / "run").exists()


def test_the_command_is_recorded_as_typed(work: Path) -> None:
    assert main(["fit", "shop.csv", "--out", "a run", "--drop", "x y", "-q"]) == 0
    recorded = json.loads((work / "a run" / "run.json").read_text())["command"]
    assert recorded == "autodl fit shop.csv --out 'a run' --drop 'x y' -q"


def test_plan_prints_facts_and_reasons(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "shop.csv"]) == 0
    out = capsys.readouterr().out
    assert "90 rows, 2 columns" in out
    assert "bought: its name" in out
    assert main(["plan", "shop.csv", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["plan"]["metric"] == "roc_auc"


@pytest.fixture
def run_folder(work: Path) -> Path:
    run = work / "autodl-runs" / "one"
    run.mkdir(parents=True)
    (run / "run.json").write_text(make_record().model_dump_json())
    return run


def test_json_tells_names_as_they_are_and_a_terminal_nothing(
    run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "\x1b[2Jpri\u202ece \u20ac"
    run_folder.rename(run_folder.parent / name)
    assert main(["runs", "--json"]) == 0
    out = capsys.readouterr().out
    assert json.loads(out)[0]["folder"] == f"autodl-runs/{name}"
    assert out.isascii()
    assert "\x1b" not in out


def test_leaderboard_and_runs_show_the_same_facts_as_the_record(
    run_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = json.loads((run_folder / "run.json").read_text())
    assert main(["leaderboard", str(run_folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == facts
    monkeypatch.setenv("COLUMNS", "60")
    assert main(["leaderboard", str(run_folder)]) == 0
    out = capsys.readouterr().out
    assert out.index("Ensemble") < out.index("Guess")
    assert "0.9300" in out
    assert main(["runs", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"folder": "autodl-runs/one", **facts}]
    assert main(["runs"]) == 0
    assert "autodl-runs/one" in capsys.readouterr().out
    assert "trust this one" in out
    assert "ROC AUC" in out
    assert "higher is better, 1 is perfect" in " ".join(out.split())
    assert main(["runs", str(run_folder)]) == 0
    assert "autodl-runs/one" in capsys.readouterr().out


def test_a_locked_folder_of_runs_is_told_with_the_remedy(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: Path(path).name != "locked")  # root may look anywhere
    (tmp_path / "locked").mkdir()
    assert main(["runs", str(tmp_path / "locked")]) == 2
    err = capsys.readouterr().err
    assert "no permission" in err and f"chmod u+rx {tmp_path / 'locked'}" in err


def test_runs_are_found_in_the_common_folders(
    run_folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    record = (run_folder / "run.json").read_text()
    for name in ("runs/two", "three"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "run.json").write_text(record)
    (tmp_path / "runs" / "broken").mkdir()
    (tmp_path / "runs" / "broken" / "run.json").write_text("{")
    assert main(["runs"]) == 0
    out, err = capsys.readouterr()
    assert sorted(line.split()[0] for line in out.splitlines()[1:]) == ["autodl-runs/one", "runs/two", "three"]
    assert err.count("\n") == 1
    assert "runs/broken/run.json is damaged" in err
    (tmp_path / "empty").mkdir()
    assert main(["runs", "empty"]) == 0
    assert "no runs in empty" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fit"], "DATA is missing"),
        (["fit", "nothing.csv"], "there is no file nothing.csv"),
        (["fit", "shop.csb"], "Did you mean 'shop.csv'?"),
        (["fit", "shop.csv", "--time-budget", "-5s"], "must be above zero"),
        (["fit", "shop.csv", "--time-budget", "soon"], "is not a duration"),
        (["fit", "shop.csv", "--task", "guessing"], "unknown --task 'guessing'"),
        (["fit", "shop.csv", "--seed", "x"], "--seed"),
        (["fit", "shop.csv", "--nonsense"], "--nonsense"),
        (["fit", "shop.csv", "--out", "."], "is not empty"),
        (["fit", "shop.csv", "--test", "no.csv"], "there is no file no.csv"),
        (["fti"], "fti"),
        (["predict", "nowhere", "shop.csv", "--out", "p.csv"], "there is no run folder nowhere"),
        (["predict", ".", "shop.csv"], "--out"),
        (["predict", "autodl-runs/one", "shop.csv", "--out", "no/p.csv"], "there is no folder no"),
        (["predict", "autodl-runs/one", "shop.csv", "--out", "."], "is a folder"),
        (["leaderboard", "."], "run.json"),
        (["report", "nowhere"], "nowhere"),
        (["runs", "nowhere"], "nowhere"),
    ],
)
def test_a_problem_with_the_input_is_one_line_and_code_2(
    run_folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    before = sorted(run_folder.parents[1].rglob("*"))
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("autodl: error: ")
    assert err.count("\n") == 1
    assert said in err
    assert sorted(run_folder.parents[1].rglob("*")) == before  # nothing half-written


def test_a_surprise_is_one_line_with_the_place_of_its_details(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import autodl.pipeline

    def explode(*args: Any, **given: Any) -> None:
        raise ZeroDivisionError("one\ntwo \udce4.csv")  # the name of a file that is no UTF-8

    monkeypatch.setattr(autodl.pipeline, "run_fit", explode)
    assert main(["fit", "shop.csv", "--out", "run"]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "ZeroDivisionError: one" in err
    log = Path(err.strip().rsplit(" ", 1)[1])
    assert "Traceback" in log.read_text() and "two \\udce4.csv" in log.read_text()
    log.unlink()


def test_the_clock_of_a_resumed_run_goes_on_where_it_stopped_also_for_ctrl_c(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import autodl.pipeline

    begun: list[float] = []

    def interrupted(*args: Any, listener: Listener, started: float, **given: Any) -> RunRecord:
        begun.append(500.0 + time.time() - started)
        listener(PlanReady(make_profile(), make_plan(), begun[0]))
        signal.raise_signal(signal.SIGINT)
        return fake_fit(*args, listener=listener, started=started, **given)

    monkeypatch.setattr(autodl.pipeline, "run_fit", interrupted)
    assert main(["fit", "shop.csv", "--out", "run"]) == 0
    told = next(line for line in capsys.readouterr().out.splitlines() if "stopping:" in line)
    assert begun[0] - 0.1 <= float(told.split()[0]) < begun[0] + 100.0


def test_an_interrupt_of_the_summary_finds_a_finished_run(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("autodl.cli.fit._say_summary", interrupt)
    assert main(["fit", "shop.csv", "--out", "run", "--quiet"]) == 0
    assert capsys.readouterr().err == "autodl: the run had ended before that; all of it is in run\n"
    monkeypatch.setattr("autodl.cli.options.jsonable", interrupt)
    assert main(["fit", "shop.csv", "--out", "other", "--json"]) == 130
    assert "all of it is in other" in capsys.readouterr().err


def test_an_unwatched_interrupt_ends_with_130(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import autodl.pipeline

    def interrupt(*args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(autodl.pipeline, "run_plan", interrupt)
    assert main(["plan", "shop.csv"]) == 130


@pytest.mark.parametrize(
    "command", ["fit", "predict", "plan", "report", "leaderboard", "runs", "doctor"]
)  # fmt: skip
def test_every_command_has_help_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    out = capsys.readouterr().out
    assert f"Example:  autodl {command}" in out
    assert "Usage:" in out


def test_a_plan_fits_a_screen_unless_more_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    penguins = Path(__file__).resolve().parents[2] / "examples" / "data" / "penguins.csv"
    command = ["plan", str(penguins), "--target", "Sex"]
    assert main(command) == 0
    short = capsys.readouterr().out
    assert main([*command, "--verbose"]) == 0
    long = capsys.readouterr().out
    assert len(short.splitlines()) <= 50 < len(long.splitlines())
    for part in ("Data ", "Metric", "Test rows", "Validation", "LightGBM", "warns", "--verbose"):
        assert part in short
    for part in ("Scaling", "Duplicate rows", "Missing values"):
        assert part in long


def test_a_plan_tells_the_most_urgent_warnings_in_full() -> None:
    found = tuple(
        Finding(code=c, title=f"Title {c}", severity=Severity.WARNS, message=f"Message {c}.")
        for c in ("AD001", "AD002", "AD004", "AD010")
    )
    stream = io.StringIO()
    show_plan(make_console(stream), make_profile().model_copy(update={"findings": found}), make_plan())
    text = stream.getvalue()
    assert text.index("Message AD010.") < text.index("Message AD001.") < text.index("Title AD004")
    assert "Message AD002." not in text and "Message AD004." not in text
