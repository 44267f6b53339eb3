"""Memory and cores as the system tells them, in made-up control groups and in real processes."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from autodl.machine import (
    PROBE_S,
    available_memory,
    free_threads,
    oom_kills,
    private_bytes,
    resident_bytes,
    this_machine,
    total_memory,
)
from autodl.waiting import SETTINGS, wait_briefly


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty tree of control groups; ``own`` beside it says to which this process belongs."""
    monkeypatch.setattr("autodl.machine._CGROUP", tmp_path / "groups")
    monkeypatch.setattr("autodl.machine._OWN_CGROUPS", tmp_path / "own")
    (tmp_path / "groups").mkdir()
    return tmp_path / "groups"


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def test_the_limit_of_a_container_counts_less_what_is_used_beside_the_cache(groups: Path) -> None:
    free = available_memory()
    assert free > 200_000_000
    stat = "anon 100\ninactive_file 30000000\n"
    write(groups, memory__max="200000000\n", memory__current="150000000\n", memory__stat=stat)
    assert available_memory() == 80_000_000
    assert total_memory() == 200_000_000
    write(groups, memory__max="max\n")
    assert available_memory() > 80_000_000
    write(
        groups / "memory",
        memory__limit_in_bytes="100000000\n",
        memory__usage_in_bytes="90000000\n",
        memory__stat="cache 1\ntotal_inactive_file 5000000\n",
    )
    assert available_memory() == 15_000_000
    assert total_memory() == 100_000_000


@pytest.mark.parametrize(
    ("own", "top", "limit", "used"),
    [
        ("0::/user/job\n", "", "memory.max", "memory.current"),
        (
            "4:cpu,cpuacct:/\n3:memory:/user/job\n0::/\n",
            "memory",
            "memory.limit_in_bytes",
            "memory.usage_in_bytes",
        ),
    ],
)
def test_the_tightest_of_the_own_group_and_those_around_it_counts(
    groups: Path, own: str, top: str, limit: str, used: str
) -> None:
    (groups.parent / "own").write_text(own)
    levels = [groups / top, groups / top / "user", groups / top / "user/job"]
    for level, most in zip(levels, (900, 500, 700), strict=True):
        level.mkdir(exist_ok=True)
        (level / limit).write_text(f"{most}\n")
        (level / used).write_text("100\n")
    assert (available_memory(), total_memory()) == (400, 500)
    (levels[2] / limit).write_text("300\n")
    assert (available_memory(), total_memory()) == (200, 300)


@pytest.mark.parametrize("own", ["0::/seen/outside/only\n", "0::/../../other\n", "nonsense\n", ""])
def test_a_group_that_is_not_seen_here_leaves_the_top(groups: Path, own: str) -> None:
    (groups.parent / "own").write_text(own)
    write(groups, memory__max="800\n", memory__current="100\n")
    assert available_memory() == 700


def test_cores_of_a_service(groups: Path) -> None:
    (groups.parent / "own").write_text("0::/service\n")
    write(groups / "service", cpu__max="100000 100000\n")
    assert this_machine().cores == 1


def test_cores_of_a_container_of_version_1(groups: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(64)), raising=False)
    (groups.parent / "own").write_text("4:cpu,cpuacct:/docker/abc\n3:memory:/docker/abc\n")
    write(groups / "cpu", cpu__cfs_quota_us="-1\n", cpu__cfs_period_us="100000\n")
    assert this_machine().cores == 64
    write(groups / "cpu/docker/abc", cpu__cfs_quota_us="400000\n", cpu__cfs_period_us="100000\n")
    assert this_machine().cores == 4


def test_kills_of_the_own_group_count_before_those_of_the_machine(groups: Path) -> None:
    machine = oom_kills()
    assert machine is None or machine < 1_000_000
    (groups.parent / "own").write_text("0::/service\n")
    write(groups / "service", memory__events="oom 9\noom_kill 7000000\n")
    assert oom_kills() == 7_000_000


def test_mapped_files_belong_to_nobody_alone(tmp_path: Path) -> None:
    np.ones(20_000_000).tofile(tmp_path / "large.bin")
    pid = os.getpid()
    private, resident = private_bytes(pid), resident_bytes(pid)
    mapped = np.memmap(tmp_path / "large.bin", dtype=np.float64, mode="r")
    assert mapped.sum() == 20_000_000
    assert resident_bytes(pid) - resident > 140e6
    assert private_bytes(pid) - private < 40e6
    assert private_bytes(2**22 + 1) == 0


def test_no_more_threads_find_a_core_than_there_are() -> None:
    cores = this_machine().cores
    assert free_threads(1) == 1
    assert 1 <= free_threads(4 * cores) <= cores


def test_threads_that_share_a_core_count_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # Each thread was given half a core by the system's own count, as beside two other programs on two cores.
    monkeypatch.setattr("autodl.machine.time.thread_time", lambda: 0.5 * PROBE_S)
    assert free_threads(2) == 1


@pytest.mark.parametrize("own", [{}, {"OMP_WAIT_POLICY": "active"}, {"GOMP_SPINCOUNT": "7"}])
def test_threads_wait_briefly_unless_the_user_says_how(own: dict[str, str]) -> None:
    environment = dict(own)
    wait_briefly(environment)
    assert environment == (own or SETTINGS)
