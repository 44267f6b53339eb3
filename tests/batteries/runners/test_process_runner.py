"""What the process runner alone can keep: kills, memory, and the end of the program that it belongs to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from runner_cases import job, outcome_of

from autodl.records import TrialStatus
from autodl.search.runners.process import MAX_STARTS, ProcessRunner
from autodl.search.runners.shared_data import read_shared, write_shared
from autodl.search.runners.worker import OOM_SCORE, _offer_to_oom_killer
from autodl.search.runners.worker_process import WorkerProcess
from autodl.search.trial import TrialData, TrialOutcome

pytestmark = pytest.mark.slow
MEMORY = 1.5e9


@pytest.fixture(scope="module")
def process(faulty: Path, data: TrialData) -> Iterator[ProcessRunner]:
    runner = ProcessRunner(data, memory=MEMORY)
    yield runner
    runner.close()


def pid_of(runner: ProcessRunner) -> int:
    return runner._slots[0].worker.pid


def eventually(holds: Callable[[], bool], seconds: float = 60.0) -> bool:
    until = time.monotonic() + seconds
    while not holds() and time.monotonic() < until:
        time.sleep(0.05)
    return holds()


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_worker_that_outgrows_its_share_is_ended(process: ProcessRunner) -> None:
    result = outcome_of(process, job(1, how="grow")).result
    assert result.status is TrialStatus.FAILED
    assert result.error is not None
    assert result.error.startswith("was ended before this machine ran out of memory: it had taken 1.")
    assert result.error.endswith("and there was room for 1.1 GiB")
    assert result.cost is not None
    assert 0.5e9 < result.cost.peak_bytes < 2.5e9
    assert outcome_of(process, job(2, "linear")).result.ok


def test_killed_by_the_system_is_not_tried_again(process: ProcessRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autodl.search.runners.worker_process.oom_kills", lambda: None)  # as where nothing is told
    result = outcome_of(process, job(3, how="die")).result
    assert result.status is TrialStatus.FAILED
    assert result.error is not None
    assert result.error.startswith("was ended by the operating system, most likely for lack of memory; it had taken")
    assert "tried" not in result.error


def test_a_trial_that_blocks_the_whole_interpreter_is_killed_and_told_where(process: ProcessRunner) -> None:
    pid = pid_of(process)
    result = outcome_of(process, job(4, how="block", seconds=1.0)).result
    assert result.status is TrialStatus.TIMEOUT
    assert result.error == "did not stop at its deadline of 1.0 s and was killed while training on fold 1 of 3"
    assert gone(pid)


def test_the_kernel_prefers_the_worker_and_ctrl_c_does_not_reach_it(process: ProcessRunner) -> None:
    assert outcome_of(process, job(5, "linear")).result.ok
    pid = pid_of(process)
    assert int(Path(f"/proc/{pid}/oom_score_adj").read_text()) == OOM_SCORE
    assert os.getpgid(pid) == pid != os.getpgid(0)
    assert os.getsid(pid) == pid


def test_peak_memory_of_a_trial_is_measured(process: ProcessRunner) -> None:
    fine, swollen = (outcome_of(process, job(n, how=how)).result.cost for n, how in ((6, "fine"), (7, "swell")))
    assert fine is not None and swollen is not None
    assert fine.peak_bytes < 50e6
    assert 190e6 < swollen.peak_bytes < 300e6


SCRIPT = """
import pickle, sys, threading
print("script runs", flush=True)
from autodl.search.runners.process import ProcessRunner
from autodl.search.trial import Job
from autodl.records import TrialSpec
with open(sys.argv[1], "rb") as file:
    runner = ProcessRunner(pickle.load(file))
runner.submit(Job(TrialSpec(id="t0001", family="linear"), seconds=60))
outcomes = []
while not outcomes:
    outcomes = runner.wait(1.0)
print("scored", outcomes[0].result.ok, flush=True)
runner.submit(Job(TrialSpec(id="t0002", family="faulty", config={"how": "block"}), seconds=600))
while runner._slots[0].worker.step != "training on fold 1 of 3":
    runner.wait(0.05)
print("busy", runner._slots[0].worker.pid, flush=True)
threading.Event().wait(120)
"""


def test_a_script_without_a_main_guard_and_kill_9_leave_nothing(
    faulty: Path, data: TrialData, tmp_path: Path
) -> None:
    import pickle

    (tmp_path / "data.pkl").write_bytes(pickle.dumps(data))
    (tmp_path / "script.py").write_text(SCRIPT)
    paths = os.pathsep.join([str(faulty), str(Path(__file__).parent)])
    program = subprocess.Popen(
        [sys.executable, str(tmp_path / "script.py"), str(tmp_path / "data.pkl")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    try:
        assert program.stdout is not None
        lines = [program.stdout.readline().split() for _ in range(3)]
        assert [line[0] for line in lines] == ["script", "scored", "busy"]  # the script was not run again
        assert lines[1] == ["scored", "True"]
        worker = int(lines[2][1])
        assert not gone(worker)
        program.send_signal(signal.SIGKILL)
        program.wait(30)
        assert eventually(lambda: gone(worker))
    finally:
        program.kill()
        program.communicate()


def test_closing_leaves_no_process(faulty: Path, data: TrialData) -> None:
    runner = ProcessRunner(data, memory=MEMORY)
    pid = pid_of(runner)
    runner.submit(job(1, how="block"))
    runner.close()
    assert gone(pid)


def test_a_worker_that_dies_at_its_start_is_not_replaced_for_ever(
    data: TrialData, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[int] = []
    spawn = ProcessRunner._spawn

    def counted(runner: ProcessRunner) -> WorkerProcess:
        started.append(1)
        return spawn(runner)

    monkeypatch.setattr(ProcessRunner, "_spawn", counted)
    monkeypatch.setattr("autodl.search.runners.process.PAUSE_S", 0.1)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(RuntimeError, match="exit code 1"):
        ProcessRunner(data, memory=MEMORY)
    assert len(started) == MAX_STARTS


def test_one_of_two_workers_that_dies_at_its_start_is_replaced(
    data: TrialData, monkeypatch: pytest.MonkeyPatch
) -> None:
    spawn, python = ProcessRunner._spawn, sys.executable
    programs = iter(["/bin/false"])

    def first_false(runner: ProcessRunner) -> WorkerProcess:
        monkeypatch.setattr(sys, "executable", next(programs, python))
        return spawn(runner)

    monkeypatch.setattr(ProcessRunner, "_spawn", first_false)
    runner = ProcessRunner(data, workers=2, memory=3e9)
    try:
        assert eventually(lambda: runner.free() == 2)
    finally:
        runner.close()


@pytest.mark.parametrize("waiting", [False, True])
def test_where_no_worker_comes_up_any_more_trials_go_on_in_this_process(
    data: TrialData, monkeypatch: pytest.MonkeyPatch, waiting: bool
) -> None:
    told: list[str] = []
    runner = ProcessRunner(data, memory=MEMORY, tell=told.append)
    try:
        monkeypatch.setattr("autodl.search.runners.process.PAUSE_S", 0.1)
        monkeypatch.setattr(sys, "executable", "/bin/false")
        pid = pid_of(runner)
        os.kill(pid, signal.SIGKILL)
        assert eventually(lambda: gone(pid))
        if waiting:
            runner.submit(job(23, "linear"))
            found: list[TrialOutcome] = []
            assert eventually(lambda: bool(found.extend(runner.wait(0.1)) or found))
            # It has said nothing of its configuration, which may so be tried again.
            assert found[0].result.lost and "got no process of its own" in str(found[0].result.error)
        assert eventually(lambda: runner.free() == 1 and bool(told))
        assert outcome_of(runner, job(24, "linear")).result.ok
        assert len(told) == 1 and "No worker process comes up any more (it ended" in told[0]
        assert runner.running() == [] and runner.free() == 1
    finally:
        runner.close()


def test_a_worker_that_does_not_come_up_gets_a_moment_before_the_next(
    data: TrialData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autodl.search.runners.process.PAUSE_S", 0.3)
    spawn, python, starts = ProcessRunner._spawn, sys.executable, [0.0]

    def first_two_false(runner: ProcessRunner) -> WorkerProcess:
        monkeypatch.setattr(sys, "executable", "/bin/false" if len(starts) < 3 else python)
        starts.append(time.monotonic())
        return spawn(runner)

    monkeypatch.setattr(ProcessRunner, "_spawn", first_two_false)
    runner = ProcessRunner(data, memory=MEMORY)
    runner.close()
    assert starts[2] - starts[1] >= 0.6 and starts[3] - starts[2] >= 1.2


def test_a_worker_killed_between_two_trials_costs_no_trial(
    process: ProcessRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autodl.search.runners.worker_process.oom_kills", lambda: None)
    assert outcome_of(process, job(20, "linear")).result.ok
    pid = pid_of(process)
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: gone(pid))
    process.submit(job(21, "linear"))  # before anybody has noticed
    found: list[TrialOutcome] = []
    assert eventually(lambda: bool(found.extend(process.wait(0.1)) or found))
    assert found[0].result.ok, found[0].result.error


def test_no_more_workers_than_memory_has_room_for(data: TrialData) -> None:
    runner = ProcessRunner(data, workers=4, memory=0.9e9)
    try:
        assert len(runner._slots) == 1
        assert outcome_of(runner, job(22, "linear")).result.ok
    finally:
        runner.close()


def test_too_little_memory_for_a_worker_is_told_as_such(data: TrialData) -> None:
    with pytest.raises(RuntimeError, match="ended before this machine ran out of memory: it had taken"):
        ProcessRunner(data, memory=1e8)


def test_workers_that_are_needed_no_longer_do_not_come_up(data: TrialData) -> None:
    closing = threading.Event()
    closing.set()
    runner = ProcessRunner.__new__(ProcessRunner)
    with pytest.raises(RuntimeError):
        runner.__init__(data, memory=MEMORY, closing=closing)  # type: ignore[misc]
    assert runner._slots == []


def test_a_system_that_lets_nobody_choose_the_victim(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def refuse(path: Path, text: str) -> None:
        asked.append(path)
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "write_text", refuse)
    _offer_to_oom_killer()  # raises nothing
    assert asked == [Path("/proc/self/oom_score_adj")]


def test_what_is_handed_over_is_equal_and_shared(data: TrialData) -> None:
    large = np.arange(100_000.0)
    thing = {"data": data, "large": large, "words": np.array(["a", None], dtype=object), "empty": np.empty((0, 3))}
    with write_shared(thing) as file:
        read = read_shared(file.fileno())
        again = read_shared(file.fileno())
    np.testing.assert_array_equal(read["large"], large)
    assert not read["large"].flags.owndata
    assert read["words"].tolist() == ["a", None]
    assert read["empty"].shape == (0, 3)
    assert read["data"].frame.equals(data.frame)
    read["large"][0] = -1.0  # copy-on-write: some libraries insist on arrays that can be written
    assert again["large"][0] == 0.0
