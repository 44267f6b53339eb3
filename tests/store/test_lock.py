"""One run at a time in a folder; the lock ends with its process; readers leave no trace."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from autodl.errors import DiskError, RunError
from autodl.media.place import MediaPlace
from autodl.opening import open_run
from autodl.options import FitOptions
from autodl.records import BudgetUse, RunRecord, Task
from autodl.store import RunFolder, RunLock, list_runs, lock, new_folder
from autodl.store.lock import MEDIA, abandon, clear_debris, is_blank, is_locked

HOLD = """
import sys
from pathlib import Path
from autodl.store import RunFolder, RunLock
with RunLock(Path(sys.argv[1])):
    (Path(sys.argv[1]) / "trials" / "t0001").mkdir(parents=True)
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """A process that holds the lock of ``run``."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "run")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def record(status="running"):
    return RunRecord(
        status=status, task=Task.REGRESSION, target="y", metric="rmse", budget=BudgetUse(given_s=1, used_s=1)
    )


def test_a_second_run_is_refused_and_told_by_whom(tmp_path, holder):
    with pytest.raises(RunError) as caught, RunLock(tmp_path / "run"):
        raise AssertionError("two runs hold one folder")
    line = str(caught.value)
    assert f"process {holder.pid} on {os.uname().nodename}, since 20" in line
    assert str(tmp_path / "run") in line
    assert "--out" in line
    assert (tmp_path / "run" / ".owner.json").exists()  # the refused one took nothing away


def test_the_lock_ends_with_a_killed_process(tmp_path, holder):
    folder = RunFolder(tmp_path / "run")
    folder.write_run(record())
    assert is_locked(folder.path) is True
    assert folder.read_run().status == "running"
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert is_locked(folder.path) is False
    assert folder.read_run().status == "interrupted"  # the file still says running; the lock knows better
    assert [r.status for _, r in list_runs(tmp_path)] == ["interrupted"]
    with RunLock(folder.path):
        assert folder.read_run().status == "running"
        assert is_locked(folder.path) is True
    assert folder.read_run().status == "interrupted"


def test_threads_of_one_process_exclude_each_other(tmp_path):
    with (
        RunLock(tmp_path / "run"),
        pytest.raises(RunError, match=f"process {os.getpid()}"),
        RunLock(tmp_path / "run"),
    ):
        pass


def test_a_run_that_never_began_leaves_nothing(tmp_path):
    run = tmp_path / "a" / "b" / "run"
    with RunLock(run):
        RunFolder(run).write("profile", record())
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "mine").mkdir()
    with RunLock(tmp_path / "mine"):
        pass
    assert list((tmp_path / "mine").iterdir()) == []  # the user's own folder stays


def test_a_folder_that_was_abandoned_is_not_made_again_by_what_is_still_written(tmp_path):
    run = tmp_path / "run"
    with open_run(run, FitOptions(), resume=False) as opened:
        abandon(run, run)
        with pytest.raises(DiskError, match="its folder is gone"):
            opened.folder.write("rows", record())
        with pytest.raises(FileNotFoundError), MediaPlace(run / MEDIA).make("k"):
            pass
        assert not run.exists()


def test_a_run_goes_on_with_names_that_are_no_utf8(tmp_path):
    """Their bytes are spelt out in its records."""
    run, options = tmp_path / "run", FitOptions(target="k\udce4se", drop=("\udce4", "b"))
    with open_run(run, options, resume=False) as opened:
        opened.folder.write("options", options)
        opened.folder.write_run(record())
    with open_run(run, options, resume=True) as opened:
        assert opened.resumed
    other = options.model_copy(update={"drop": ("\udce5", "b")})
    with pytest.raises(RunError, match="began with --drop"), open_run(run, other, resume=True):
        pass


def test_a_run_that_began_stays(tmp_path):
    with RunLock(tmp_path / "run"):
        RunFolder(tmp_path / "run").write_run(record("done"))
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == [".lock", "run.json"]


def test_readers_make_no_lock(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.write_run(record())
    assert folder.read_run().status == "interrupted"
    assert list_runs(tmp_path)
    assert is_locked(tmp_path / "nowhere") is False
    assert [p.name for p in (tmp_path / "run").iterdir()] == ["run.json"]


def killed_start(folder):
    """What a run leaves that is killed right before it begins."""
    (folder / ".lock").touch()
    (folder / ".owner.json").write_text("{}")
    (folder / ".run.json.77.tmp").touch()
    (folder / "records").mkdir()
    (folder / "records" / "rows.json").write_text("{}")
    (folder / "records" / ".plan.json.77.tmp").write_text("{")


def test_debris_of_a_start_is_cleared_whole(tmp_path):
    killed_start(tmp_path)
    assert is_blank(tmp_path)
    with RunLock(tmp_path):
        clear_debris(tmp_path)
        assert sorted(p.name for p in tmp_path.iterdir()) == [".lock", ".owner.json"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mine", ["notes.txt", "records/mine.csv", "records/old/rows.json", ".draft.tmp"])
def test_files_of_the_user_are_no_debris(tmp_path, mine):
    killed_start(tmp_path)
    (tmp_path / mine).parent.mkdir(exist_ok=True)
    (tmp_path / mine).write_text("mine")
    assert not is_blank(tmp_path)
    with RunLock(tmp_path):
        clear_debris(tmp_path)
    assert (tmp_path / mine).read_text() == "mine"


@pytest.mark.parametrize("name", ["records/rows.json", "records/mine.csv", ".run.json.77.tmp"])
def test_without_a_lock_file_everything_is_the_users(tmp_path, name):
    (tmp_path / "records").mkdir()
    (tmp_path / name).write_text("mine")
    assert not is_blank(tmp_path)
    clear_debris(tmp_path)
    abandon(tmp_path, None)
    assert (tmp_path / name).read_text() == "mine"


def test_a_lock_on_a_removed_file_does_not_count(tmp_path, monkeypatch):
    """A run that never began removes its file between our opening and locking it, and a third run makes a new one."""
    held, real = [], lock._flock

    def late(descriptor, **given):
        if not held:
            held.append(None)
            (tmp_path / ".lock").unlink()
            held[0] = RunLock(tmp_path).__enter__()
        return real(descriptor, **given)

    monkeypatch.setattr(lock, "_flock", late)
    with pytest.raises(RunError, match="works in"), RunLock(tmp_path):
        raise AssertionError("two runs hold one folder")
    held[0].__exit__(None, None, None)


def test_names_are_never_shared(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: new_folder(tmp_path / "runs", "shop-20260101-000000"), range(24)))
    assert len(set(made)) == 24
    assert all(p.is_dir() for p in made)
    assert {"shop-20260101-000000", "shop-20260101-000000-2", "shop-20260101-000000-24"} <= {p.name for p in made}


def test_one_of_many_starters_wins(tmp_path):
    """Even when failed starts clean up after themselves meanwhile."""
    inside, most, lock = 0, 0, threading.Lock()

    def start(_):
        nonlocal inside, most
        try:
            with RunLock(tmp_path / "run"):
                with lock:
                    inside += 1
                    most = max(most, inside)
                Path(tmp_path / "run" / "records").mkdir(exist_ok=True)
                with lock:
                    inside -= 1
        except RunError:
            return 0
        return 1

    with ThreadPoolExecutor(6) as pool:
        won = sum(pool.map(start, range(40)))
    assert won >= 1
    assert most == 1


@pytest.mark.parametrize("number", [30, 13, 28])
def test_a_folder_that_cannot_be_made_is_one_line(tmp_path, monkeypatch, number):
    def refuse(*args, **given):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "mkdir", refuse)
    said = {30: "read-only", 13: "no permission", 28: "full"}[number]
    with pytest.raises(DiskError, match=said) as caught, RunLock(tmp_path / "run"):
        pass
    assert str(tmp_path / "run") in str(caught.value)
    with pytest.raises(DiskError, match=said):
        new_folder(tmp_path / "runs", "x")
