"""``kill -9``, Ctrl-C and a closed terminal at every stage of a real run, and ``--resume`` after it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

REPO = Path(__file__).resolve().parents[2]
PENGUINS = REPO / "examples" / "data" / "penguins.csv"

pytestmark = pytest.mark.slow

COMMAND = [
    sys.executable, "-m", "autodl", "fit", str(PENGUINS), "--target", "Sex", "--out", "run", "--workers", "1",
    "--families", "dummy,linear,neighbors", "--max-trials",
]  # fmt: skip

STAGES = {
    "reading": lambda run: (run / ".owner.json").exists(),
    "first trial": lambda run: any(run.glob("trials/*/result.json")),
    "after the test": lambda run: (run / "records" / "evaluation.json").exists(),
}


def started(place: Path, trials: int, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, str(trials), *more], cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # Started by nohup, the tests ignore SIGHUP, and so would every program that they start.
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    )  # fmt: skip


def at(stage: str, process: subprocess.Popen[str], run: Path) -> None:
    """Wait until the run has come to a stage."""
    while not STAGES[stage](run):
        assert process.poll() is None, process.communicate()
        time.sleep(0.002)


def workers_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """The worker processes of a run."""
    below = psutil.Process(process.pid).children(recursive=True)
    return [p for p in below if "autodl.search.runners.worker" in " ".join(p.cmdline())]


def stored(run: Path) -> dict[str, bytes]:
    return {p.parent.name: p.read_bytes() for p in run.glob("trials/*/result.json")}


def status(run: Path) -> str:
    listed = subprocess.run(
        [sys.executable, "-m", "autodl", "runs", ".", "--json"], cwd=run.parent, capture_output=True, text=True
    )
    return json.loads(listed.stdout)[0]["status"]


@pytest.mark.parametrize("stage", STAGES)
def test_a_killed_run_goes_on_without_repeating_anything(tmp_path: Path, stage: str) -> None:
    run = tmp_path / "run"
    process = started(tmp_path, 5)
    at(stage, process, run)
    process.kill()
    process.communicate()
    before = stored(run)
    if stage != "reading":
        assert before
        assert status(run) == "interrupted"
    again = started(tmp_path, 5, "--resume")
    out, err = again.communicate(timeout=300)
    assert again.returncode == 0, (out, err)
    after = stored(run)
    assert {k: after[k] for k in before} == before
    specs = [json.loads(r)["spec"] for r in after.values()]
    assert len({json.dumps([s["family"], s["config"]], sort_keys=True) for s in specs}) == len(specs) == 5
    assert status(run) == "done"
    assert (run / "report.html").is_file()


def test_a_run_killed_while_a_worker_process_trains_leaves_no_process_and_goes_on(tmp_path: Path) -> None:
    """With a clock, trials run in a process of their own."""
    run, clock = tmp_path / "run", ("--time-budget", "100s")
    process = started(tmp_path, 400, *clock)
    at("first trial", process, run)
    assert json.loads((run / "records" / "plan.json").read_text())["runner"] == "process"
    while not (children := workers_of(process)):
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    known = len(stored(run))
    while len(stored(run)) < known + 3:  # by then the worker has trained
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs(children, timeout=60)
    assert not alive
    before = stored(run)
    again = started(tmp_path, len(before) + 2, "--resume", *clock)
    out, err = again.communicate(timeout=300)
    assert again.returncode == 0, (out, err)
    after = stored(run)
    assert {k: after[k] for k in before} == before
    specs = [json.loads(r)["spec"] for r in after.values()]
    assert len({json.dumps([s["family"], s["config"]], sort_keys=True) for s in specs}) == len(specs) > len(before)
    assert status(run) == "done"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_while_reading_is_one_line_and_leaves_nothing(tmp_path: Path, number: int) -> None:
    process = started(tmp_path, 5)
    at("reading", process, tmp_path / "run")
    process.send_signal(number)
    _, err = process.communicate(timeout=100)
    assert process.returncode == 130
    assert err == "autodl: stopped\n"  # nothing but a terminal is gone after a SIGHUP
    assert list(tmp_path.iterdir()) == []


def test_a_closed_terminal_keeps_the_best_so_far(tmp_path: Path) -> None:
    process = started(tmp_path, 400)
    at("first trial", process, tmp_path / "run")
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()  # nobody reads any more: what is written from here on would fail
    process.stderr.close()
    process.send_signal(signal.SIGHUP)
    assert process.wait(timeout=300) == 0
    facts = json.loads((tmp_path / "run" / "run.json").read_text())
    assert facts["status"] == "interrupted"
    assert facts["n_trials"] < 400
    assert (tmp_path / "run" / "report.html").is_file()


def test_a_second_run_is_told_who_works_there(tmp_path: Path) -> None:
    first = started(tmp_path, 400)
    at("first trial", first, tmp_path / "run")
    second = started(tmp_path, 400, "--resume")
    _, err = second.communicate(timeout=100)
    first.kill()
    first.communicate()
    assert second.returncode == 2
    assert err.startswith(f"autodl: error: another autodl (process {first.pid} on ")
    assert err.count("\n") == 1
