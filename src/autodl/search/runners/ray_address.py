"""The address of a Ray cluster: what it may look like, and whether anybody answers there.

Ray itself tries for a minute and longer, and then ends the whole process.
"""

from __future__ import annotations

import os
import re
import socket
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autodl.errors import ConfigError

Place = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]
"""What ``getaddrinfo`` finds."""
KNOCK_S = 3.0
"""Seconds for the name of the host, for the connection, and for the first answer, each."""
CLIENT_PORT = 10_001
_PATTERN = re.compile(r"(ray://)?(\[[0-9a-fA-F:]+\]|[^\s/:\[\]]+)(?::(\d{1,5}))?")
# HTTP/2 (RFC 9113): the client's preface with an empty SETTINGS frame; a server answers with a frame of type 4.
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
_SETTINGS = 4


def check_address(address: str) -> None:
    """Find out within seconds whether a cluster can be there.

    Raises:
        ConfigError: No address at all, an unknown host, a closed or silent port, or something else than Ray on it.
    """
    if address == "auto":
        address = os.environ.get("RAY_ADDRESS", "auto")
    if address == "auto":
        if not (_last_started().exists() or _servers_run()):
            raise no_cluster_here()
        return
    host, port = split_address(address)
    where = f"'{address}'"
    try:
        found = _resolved(host, port)
    except OSError:
        raise _unreachable(where, f"the host name '{host}' is not known", "Check its spelling") from None
    try:
        with _connected(found) as connection:
            if os.environ.get("RAY_USE_TLS", "0") not in ("1", "true", "True"):
                _speaks(connection, where)
    except ConnectionRefusedError:
        hint = "Check that Ray runs there (`ray status`) and on which port"
        raise _unreachable(where, f"nothing listens on port {port}", hint) from None
    except TimeoutError:
        hint = "Check that the machine is up and that no firewall closes the port"
        raise _unreachable(where, f"no answer within {KNOCK_S:.0f} s", hint) from None
    except OSError as error:
        raise _unreachable(where, error.strerror or str(error), "Check host, port and network") from None


def no_cluster_here() -> ConfigError:
    """For ``auto`` on a machine without one."""
    return ConfigError(
        "this machine belongs to no Ray cluster",
        "Start one with `ray start --head`, name another with --address HOST:6379, or leave out --address.",
    )


def _last_started() -> Path:
    """Where Ray notes the cluster that was started or joined last on this machine."""
    return Path(os.environ.get("RAY_TMPDIR") or tempfile.gettempdir()) / "ray" / "ray_current_cluster"


def _servers_run() -> bool:
    import psutil

    return any(p.info["name"] == "raylet" for p in psutil.process_iter(["name"]))


def split_address(address: str) -> tuple[str, int]:
    """Host and port.

    Raises:
        ConfigError: If it has another form.
    """
    found = _PATTERN.fullmatch(address)
    port = 0
    if found is not None:
        port = int(found[3]) if found[3] else (CLIENT_PORT if found[1] else 0)
    if found is None or not 0 < port < 65_536:
        raise ConfigError(
            f"'{address}' is no address of a Ray cluster",
            "Give auto (the cluster that this machine belongs to), HOST:6379 or ray://HOST:10001.",
        )
    return found[2].strip("[]"), port


def _resolved(host: str, port: int) -> list[Place]:
    """Like ``getaddrinfo``, which may take longer than anybody wants to wait."""
    found: list[Place] = []

    def ask() -> None:
        try:
            found.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError):
            return

    thread = threading.Thread(target=ask, daemon=True, name="host-name")
    thread.start()
    thread.join(KNOCK_S)
    if not found:
        raise OSError(f"no such host: {host}")
    return found


def _connected(places: Sequence[Place]) -> socket.socket:
    """A connection with the first place that takes one: a name may lead to several, such as ::1 and 127.0.0.1.

    Raises:
        OSError: Why the last one did not, or none in time.
    """
    until = time.monotonic() + KNOCK_S
    fault: OSError = TimeoutError()
    for tried, (family, kind, _, _, place) in enumerate(places):
        if (left := until - time.monotonic()) <= 0:
            break
        connection = socket.socket(family, kind)
        # One that says nothing must leave the others some time.
        connection.settimeout(left / (len(places) - tried))
        try:
            connection.connect(place)
        except OSError as error:
            connection.close()
            fault = error
            continue
        connection.settimeout(KNOCK_S)
        return connection
    raise fault


def _speaks(connection: socket.socket, where: str) -> None:
    """Whether the other side speaks the protocol of Ray's servers (gRPC, hence HTTP/2)."""
    connection.sendall(_PREFACE)
    head = b""
    try:
        while len(head) < 9 and (more := connection.recv(9 - len(head))):
            head += more
    except (TimeoutError, ConnectionResetError):
        head = b""
    if len(head) < 9 or head[3] != _SETTINGS:
        hint = "Ray's own port is 6379, that of ray:// is 10001, unless it was started with others"
        raise _unreachable(where, "what answers on this port is not Ray", hint)


def _unreachable(where: str, why: str, remedy: str) -> ConfigError:
    return ConfigError(
        f"cannot reach a Ray cluster at {where}: {why}", f"{remedy}, or leave out --address to run on this machine."
    )
