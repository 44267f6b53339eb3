"""A whole fit on a cluster: the command is killed and resumed; memory runs out on a worker."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from autodl.search.runners.ray_calls import RayCalls

pytestmark = [pytest.mark.slow, pytest.mark.ray, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def cluster():
    from ray.cluster_utils import Cluster

    made = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 2, "object_store_memory": 80_000_000, "include_dashboard": False},
    )
    yield made
    made.shutdown()


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(400, 4)), columns=list("abcd"))
    frame["y"] = np.where(frame["a"] + frame["b"] * frame["c"] > 0, "yes", "no")
    path = tmp_path / "table.csv"
    frame.to_csv(path, index=False)
    return path


def stored(run):
    """Hash of the record of each finished trial."""
    return {p.parent.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in run.glob("trials/*/result.json")}


def test_the_command_is_killed_and_resumed(cluster, table, tmp_path):
    run = tmp_path / "run"
    command = [
        sys.executable, "-m", "autodl", "fit", str(table), "--target", "y", "--max-trials", "9", "--out", str(run),
        "--address", cluster.address, "--workers", "2", "--families", "linear,lightgbm",
    ]  # fmt: skip
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    end = time.monotonic() + 200
    while len(stored(run)) < 3 and first.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    before = stored(run)
    assert len(before) >= 3
    again = subprocess.run([*command, "--resume"], capture_output=True, text=True, timeout=300, check=False)
    assert again.returncode == 0, again.stdout + again.stderr
    after = stored(run)
    assert {k: after[k] for k in before} == before  # kept as they were
    results = [json.loads(p.read_text()) for p in run.glob("trials/*/result.json")]
    tried = [(r["spec"]["family"], json.dumps(r["spec"]["config"], sort_keys=True)) for r in results]
    assert len(set(tried)) == len(tried) == 9


def test_an_address_where_nobody_is_ends_the_command_in_one_line(table, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "autodl", "fit", str(table), "--target", "y", "--address", "127.0.0.1:1",
         "--out", str(tmp_path / "run")],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "cannot reach a Ray cluster at '127.0.0.1:1': nothing listens on port 1" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()


def test_memory_that_a_call_takes_costs_it_alone(monkeypatch):
    """Ray's watch over memory ends a worker; which one is Ray's choice, and a victim without fault runs again."""
    import psutil

    memory = psutil.virtual_memory()
    room = 2.5e9
    if memory.available < 3 * room:
        pytest.skip("too little memory is free to play this")
    threshold = (memory.total - memory.available + room) / memory.total
    monkeypatch.setenv("RAY_memory_usage_threshold", f"{threshold:.4f}")
    monkeypatch.setenv("RAY_memory_monitor_refresh_ms", "100")

    def objective(config, fidelity):
        held = []
        if config["hog"]:
            for _ in range(int(2 * room / 5e7)):
                held.append(bytearray(os.urandom(1)) * 50_000_000)
                time.sleep(0.03)
        time.sleep(2.0)
        return float(config["n"])

    calls = RayCalls(objective, workers=2)
    try:
        end = time.monotonic() + 120
        while calls._crew.seats < 2 and time.monotonic() < end:
            calls._crew._read(0.1)
        for n in range(4):
            calls.start(n, {"n": n, "hog": n == 1}, None)
        found = {}
        while len(found) < 4 and time.monotonic() < end + 120:
            if (done := calls.wait(1.0)) is not None:
                found[done[0]] = done[1]
    finally:
        calls.close()
    assert {n: found[n].losses for n in (0, 2, 3)} == {0: (0.0,), 2: (2.0,), 3: (3.0,)}
    assert "ran low on memory" in found[1].error
    assert "tried 2 times" in found[1].error
