from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import psutil
import pytest

import bench_fit


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_cost_of_a_command_and_its_children(tmp_path: Path) -> None:
    busy = "import time\nx = bytes(range(256)) * 800_000\nwhile time.process_time() < 1.5: pass"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {busy!r}]); print('said'); sys.exit(3)"
    took = bench_fit.run(python(parent), tmp_path / "log.txt", limit_s=60)
    assert took.code == 3
    assert took.peak_bytes > 200e6  # held by the child
    assert 1.5 <= took.cpu_s <= took.wall_s * 4
    assert (tmp_path / "log.txt").read_text() == "said\n"


def test_a_command_that_does_not_end_is_ended_with_what_it_started(tmp_path: Path) -> None:
    child = "import subprocess, sys, time; print(subprocess.Popen(['sleep', '60']).pid, flush=True); time.sleep(60)"
    took = bench_fit.run(python(child), tmp_path / "log.txt", limit_s=1.5)
    assert took.code == "timeout"
    pid = int((tmp_path / "log.txt").read_text())
    until = time.monotonic() + 10
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < until
        time.sleep(0.05)


def test_results_are_kept_line_by_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "results.jsonl"
    assert bench_fit.rows_of(file) == []
    for row in ({"task": "a", "loss": 0.5}, {"task": "b", "loss": None}):
        bench_fit.append(file, row)
    assert bench_fit.rows_of(file) == [{"task": "a", "loss": 0.5}, {"task": "b", "loss": None}]
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_facts_of_a_run(tmp_path: Path) -> None:
    assert bench_fit.facts(tmp_path) == {}
    (tmp_path / "records").mkdir()
    run = {"status": "done", "budget": {"used_s": 9.5, "first_model_s": 2.0}, "n_trials": 7, "n_failed": 1,
           "stages": [{"name": "read", "seconds": 0.5}]}  # fmt: skip
    (tmp_path / "run.json").write_text(json.dumps(run))
    members = [
        {"family": "linear", "weight": 0.25},
        {"family": "svm", "weight": 0.5},
        {"family": "linear", "weight": 0.25},
    ]
    (tmp_path / "records" / "ensemble.json").write_text(json.dumps({"members": members, "method": "greedy"}))
    found = bench_fit.facts(tmp_path)
    assert found["weights"] == {"linear": 0.5, "svm": 0.5}
    assert (found["members"], found["method"], found["trials"]) == (3, "greedy", 7)
    assert found["stages"] == {"read": 0.5}
