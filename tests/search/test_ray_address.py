"""Addresses of clusters that are not there: each told apart, within seconds, without Ray."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from autodl.errors import ConfigError, SearchError
from autodl.search import optimize
from autodl.search.runners import ray_address
from autodl.search.runners.ray_address import check_address, split_address


class Server:
    """Listens on a port and answers each connection with the same bytes; None: accepts and says nothing."""

    def __init__(self, answer):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.heard = b""
        self._answer, self._open = answer, []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self._open.append(connection)
            self.heard = connection.recv(1000)
            if self._answer is not None:
                connection.sendall(self._answer)

    def close(self):
        for each in (self.socket, *self._open):
            each.close()


@pytest.fixture
def serve():
    servers = []

    def made(answer):
        servers.append(Server(answer))
        return servers[-1]

    yield made
    for server in servers:
        server.close()


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(ray_address, "KNOCK_S", 0.3)


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("10.0.0.7:6379", ("10.0.0.7", 6379)),
        ("head.example.org:6380", ("head.example.org", 6380)),
        ("ray://head:10002", ("head", 10002)),
        ("ray://head", ("head", 10001)),
        ("[::1]:6379", ("::1", 6379)),
    ],
)
def test_forms(address, place):
    assert split_address(address) == place


@pytest.mark.parametrize(
    "address",
    ["", "head", "head:", "head:port", "head:0", "head:70000", "http://head:80", "a b:1", ":6379", "ray://"],
)
def test_other_forms_are_told(address):
    with pytest.raises(ConfigError, match=r"is no address of a Ray cluster.* Give auto .*HOST:6379 or ray://"):
        check_address(address)


def test_auto_without_a_cluster_on_this_machine(monkeypatch, tmp_path):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    monkeypatch.setattr(ray_address, "_servers_run", lambda: False)
    with pytest.raises(ConfigError, match=r"this machine belongs to no Ray cluster.*ray start --head"):
        check_address("auto")
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "ray_current_cluster").write_text("127.0.0.1:1")
    check_address("auto")  # what Ray finds there is looked at when it is joined


def test_auto_where_the_environment_names_a_cluster(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{port}")
    with pytest.raises(ConfigError, match=f"nothing listens on port {port}"):
        check_address("auto")


@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_closed_port(scheme):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(ConfigError, match=f"nothing listens on port {port}.*ray status.*leave out --address"):
        check_address(f"{scheme}127.0.0.1:{port}")


def test_unknown_host():
    with pytest.raises(ConfigError, match=r"the host name 'no-such-host\.invalid' is not known"):
        check_address("no-such-host.invalid:6379")


def test_host_name_that_takes_for_ever(monkeypatch, impatient):
    never = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: [never.wait()][1:])
    with pytest.raises(ConfigError, match="host name 'head' is not known"):
        check_address("head:6379")
    never.set()


def test_host_that_swallows_everything(impatient):
    """A listener whose queue is full takes no further connection and refuses none, as a firewall does."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        port, waiting = server.getsockname()[1], []
        for _ in range(8):
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex(("127.0.0.1", port))
        with pytest.raises(ConfigError, match=r"no answer within .*firewall"):
            check_address(f"127.0.0.1:{port}")
        for each in waiting:
            each.close()


@pytest.mark.parametrize("answer", [None, b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.7\r\n", b"no"])
def test_something_else_on_the_port(serve, impatient, answer):
    with pytest.raises(ConfigError, match=r"what answers on this port is not Ray.*6379.*10001"):
        check_address(serve(answer).address)


def test_settings_frame_of_http2_is_well(serve):
    """As the servers of gRPC send it first (RFC 9113, section 3.4)."""
    server = serve(b"\x00\x00\x06\x04\x00\x00\x00\x00\x00" + b"\x00\x04\x00\x3f\xff\xff")
    check_address(server.address)
    assert server.heard.startswith(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")


def test_with_tls_the_protocol_is_not_tried(serve, monkeypatch):
    monkeypatch.setenv("RAY_USE_TLS", "1")
    check_address(serve(None).address)


def test_a_search_hears_of_it_before_anything_is_started():
    def search(**more):
        optimize(lambda config, fidelity: 0.0, {"x": {"type": "float", "low": 0, "high": 1}}, max_evals=1, **more)

    with pytest.raises(ConfigError, match="nothing listens on port 1"):
        search(runner="ray", address="127.0.0.1:1")
    with pytest.raises(ConfigError, match=r'an `address` needs Ray, but the runner is .process.*runner="ray"'):
        search(runner="process", address="auto")
    with pytest.raises(ConfigError, match="`cpus` must be a number above 0"):
        search(runner="ray", cpus=0)


def test_every_address_of_a_name_is_tried(serve, monkeypatch):
    """``localhost`` leads to ::1 first on many machines, and Ray listens on 127.0.0.1."""
    server = serve(bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
    port = int(server.address.split(":")[1])
    closed = socket.create_server(("127.0.0.1", 0))
    other = closed.getsockname()
    closed.close()
    kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: [(*kind, other), (*kind, ("127.0.0.1", port))])
    check_address(f"head:{port}")
    assert server.heard.startswith(b"PRI")
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: [(*kind, other)] * 2)
    with pytest.raises(ConfigError, match="nothing listens on port"):
        check_address(f"head:{port}")


def test_a_start_that_takes_all_of_the_budget_is_told_as_that(monkeypatch):
    from autodl.search.runners import ray_calls

    given = []

    class Slow:
        def __init__(self, *args, start_s, **more):
            given.append(start_s)

        def await_worker(self, seconds):
            given.append(seconds)
            time.sleep(seconds)
            raise ConfigError("no worker came up on Ray")

        def close(self):
            given.append("closed")

    monkeypatch.setattr(ray_calls, "RayCrew", Slow)
    with pytest.raises(
        SearchError, match=r"the time was over before Ray had a worker: no worker came.*`time_budget`"
    ):
        optimize(lambda c, f: 0.0, {"x": {"type": "float", "low": 0, "high": 1}}, runner="ray", time_budget=0.3)
    assert given[1] <= given[0] <= 0.3
    assert given[2] == "closed"
