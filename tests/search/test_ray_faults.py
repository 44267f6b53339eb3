"""What a cluster does to a search: nodes join and leave, workers and servers die. On a real Ray with two raylets."""

from __future__ import annotations

import os
import signal
import socket
import time

import numpy as np
import pytest

from autodl.errors import ConfigError
from autodl.search import optimize
from autodl.search.runners.ray_calls import RayCalls

pytestmark = [pytest.mark.slow, pytest.mark.ray, pytest.mark.timeout(300)]
SPACE = {"x": {"type": "float", "low": -5, "high": 5}}


@pytest.fixture(scope="module")
def cluster():
    """One head with one core; tests add nodes and take them away. No pid of it is used but by its own handles."""
    from ray.cluster_utils import Cluster

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    made = Cluster(
        initialize_head=True,
        head_node_args={
            "num_cpus": 1, "object_store_memory": 80_000_000, "include_dashboard": False,
            "ray_client_server_port": port,
        },
    )  # fmt: skip
    made.client_port = port
    yield made
    made.shutdown()


@pytest.fixture
def node(cluster):
    made = cluster.add_node(num_cpus=1, object_store_memory=80_000_000)
    yield made
    if made in cluster.list_all_nodes():
        cluster.remove_node(made)


def until(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.1)


def seats(calls, n):
    """Wait until exactly so many workers are up, hearing what Ray says meanwhile."""

    def there():
        calls._crew._read(0.1)
        return calls._crew.seats == n

    until(there)


def tries(folder, number):
    """Process numbers of the tries of a call, oldest first."""
    return [int(line) for line in (folder / f"call{number}").read_text().split()]


def noting(folder, *, hang_first=()):
    """An objective that notes who calls it; some calls do not end at the first try."""

    def objective(config, fidelity):
        number = config["n"]
        with (folder / f"call{number}").open("a") as file:
            file.write(f"{os.getpid()}\n")
        if number in hang_first and len((folder / f"call{number}").read_text().split()) == 1:
            time.sleep(600)
        if config.get("raise"):
            raise RuntimeError("as asked")
        return float(number)

    return objective


def answers(calls, n, seconds=120):
    found, end = {}, time.monotonic() + seconds
    while len(found) < n:
        assert time.monotonic() < end, found
        if (done := calls.wait(1.0)) is not None:
            assert done[0] not in found, "a call came back twice"
            found[done[0]] = done[1]
    return found


def test_nodes_and_workers_come_and_go(cluster, tmp_path):
    calls = RayCalls(noting(tmp_path, hang_first=(2, 5, 6)), workers=3, address=cluster.address)
    try:
        assert calls.room(3) == 1  # a worker without a core is no room
        calls.start(0, {"n": 0}, None)
        calls.start(1, {"n": 1, "raise": True}, None)
        found = answers(calls, 2)
        assert found[0].losses == (0.0,)
        assert found[1].error == "RuntimeError: as asked"
        assert len(tries(tmp_path, 1)) == 1  # what raises is not tried again

        calls.start(2, {"n": 2}, None)  # its worker is killed: one more try
        until(lambda: (tmp_path / "call2").exists())
        os.kill(tries(tmp_path, 2)[0], signal.SIGKILL)
        assert answers(calls, 1)[2].losses == (2.0,)
        assert len(tries(tmp_path, 2)) == 2

        joined = cluster.add_node(num_cpus=2, object_store_memory=80_000_000)
        seats(calls, 3)
        assert calls.room(3) == 3
        for n in (4, 5, 6):
            calls.start(n, {"n": n}, None)
        assert answers(calls, 1)[4].losses == (4.0,)
        until(lambda: all((tmp_path / f"call{n}").exists() for n in (5, 6)))
        cluster.remove_node(joined, allow_graceful=False)
        # At least one of the two hung there; one on the head is given up by hand.
        here = [n for n in (5, 6) if not _ended(tries(tmp_path, n)[0])]
        for n in here:
            os.kill(tries(tmp_path, n)[0], signal.SIGKILL)
        found = answers(calls, 2)
        assert {n: a.losses for n, a in found.items()} == {5: (5.0,), 6: (6.0,)}
        assert len(tries(tmp_path, 4)) == 1  # what had ended is not run again
        seats(calls, 1)

        calls.start(7, {"n": 7}, None)
        assert answers(calls, 1)[7].losses == (7.0,)
    finally:
        calls.close()


def _ended(pid):
    import psutil

    return not psutil.pid_exists(pid)


def test_a_call_that_hangs_is_ended_and_its_worker_replaced(cluster, tmp_path):
    result = optimize(
        lambda config, fidelity: time.sleep(600) if config["x"] > 0 else config["x"] ** 2,
        SPACE, strategy="sobol", max_evals=4, call_timeout=6.0, runner="ray", address=cluster.address,
    )  # fmt: skip
    assert all(("given up" in e.error) == (e.config["x"] > 0) for e in result.history)
    assert {e.status for e in result.history} == {"ok", "failed"}


def test_ray_client(cluster):
    """``ray://``: the driver is no part of the cluster."""
    pytest.importorskip("grpc")
    try:
        result = optimize(
            lambda config, fidelity: config["x"] ** 2, SPACE, strategy="random", max_evals=4, runner="ray",
            address=f"ray://127.0.0.1:{cluster.client_port}",
        )  # fmt: skip
    except ConfigError as error:
        if "Starting Ray client server failed" not in str(error):
            raise
        pytest.skip("Ray's own server for clients gave up starting: it has fixed 30 s, too few on a busy machine")
    inline = optimize(lambda config, fidelity: config["x"] ** 2, SPACE, strategy="random", max_evals=4)
    assert [e.loss for e in result.history] == [e.loss for e in inline.history]


def test_more_data_than_the_object_store_holds(cluster):
    large = np.arange(150_000_000, dtype=np.uint8)  # the store has 80 MB
    result = optimize(
        lambda config, fidelity: config["x"] ** 2 + float(large[12_345]), SPACE, strategy="random", max_evals=2,
        runner="ray", address=cluster.address,
    )  # fmt: skip
    assert all(e.loss == e.config["x"] ** 2 + large[12_345] for e in result.history)


def test_ray_itself_ends(tmp_path, cluster):
    """All its servers at once; the search goes on in processes of this machine, and nothing is called twice over."""
    calls = RayCalls(noting(tmp_path, hang_first=(1,)), workers=1, address=cluster.address)
    try:
        calls.start(0, {"n": 0}, None)
        assert answers(calls, 1)[0].losses == (0.0,)
        calls.start(1, {"n": 1}, None)
        until(lambda: (tmp_path / "call1").exists())
        cluster.shutdown()
        assert answers(calls, 1)[1].losses == (1.0,)
        assert len(tries(tmp_path, 1)) == 2
        calls.start(2, {"n": 2}, None)
        assert answers(calls, 1)[2].losses == (2.0,)
        assert [len(tries(tmp_path, n)) for n in (0, 2)] == [1, 1]
    finally:
        calls.close()
