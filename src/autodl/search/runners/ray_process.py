"""The process that speaks with Ray: ``python -m autodl.search.runners.ray_process CONNECTION DATA DRIVER``.

A process of its own, because Ray ends the process that it lives in when its servers are gone, and because it starts
them by ``fork``, which in a process that trains in threads can wait for ever. Here neither hurts the run.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from autodl.errors import AutodlError
from autodl.search.runners.ray_setup import Broken, Message, RaySetup, Step

END_S = 5.0
"""Seconds for an orderly end; after that the process ends as it is, and Ray's servers with it."""


def main(arguments: list[str]) -> None:
    """Serve until the driver closes the connection.

    Args:
        arguments: Descriptors of the connection and of the data, and the driver's process number.
    """
    connection_fd, data_fd, _ = (int(a) for a in arguments)
    os.set_inheritable(connection_fd, False)  # Ray's servers must not keep it open
    connection: Connection[Any, Any] = Connection(connection_fd)
    setup, paths = connection.recv()

    def send(message: Message) -> None:
        with contextlib.suppress(OSError):  # the driver is gone; the reading thread ends this process
            connection.send(message)

    try:
        ray = _join(setup, send)
    except AutodlError as error:
        send(Broken(error.what, error.remedy, address=True))
        return
    except BaseException as error:  # Ray may raise anything, even SystemExit
        text = " ".join(str(error).split())[:300]
        send(Broken(f"{type(error).__name__}: {text}", address=setup.address is not None))
        return
    _serve(ray, setup, paths, data_fd, connection, send)


def _serve(
    ray: Any,
    setup: RaySetup,
    paths: list[str],
    data_fd: int,
    connection: Connection[Any, Any],
    send: Callable[[Message], None],
) -> None:
    import numpy as np

    from autodl.search.runners.ray_pool import Pool
    from autodl.search.runners.shared_data import read_parts

    send(Step("handing over the data", joined=True))
    try:
        # Arrays of bytes lie outside the pickle stream: workers of a node share them in its object store.
        data = ray.put([np.frombuffer(part, dtype=np.uint8) for part in read_parts(data_fd)])
        pool = Pool(ray, setup, data, paths, send)
    except Exception as error:
        text = " ".join(str(error).split())[:300]
        send(Broken(f"the data cannot be handed to it ({type(error).__name__}: {text})"))
        return

    def read() -> None:
        try:
            while True:
                what, content = connection.recv()
                if what == "start":
                    pool.start(content)
                else:
                    pool.kill(content)
        except (EOFError, OSError):
            pool.end()
            time.sleep(END_S)
            os._exit(1)

    threading.Thread(target=read, daemon=True, name="driver").start()
    pool.run()
    pool.close()
    ray.shutdown()


def _join(setup: RaySetup, send: Callable[[Message], None]) -> Any:
    """Ray, connected to a cluster."""
    import logging

    if setup.address is None:
        # Without this, Ray listens on every network that the machine is in, and asks nobody for a password.
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    send(Step("loading Ray"))
    import ray

    if setup.address is None:
        send(Step("starting Ray"))
        ray.init(
            address="local",  # not the cluster that RAY_ADDRESS may name
            num_cpus=setup.local_cpus,
            include_dashboard=False,
            object_store_memory=setup.store_bytes,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
        return ray
    from autodl.search.runners.ray_address import check_address

    address = setup.address
    if address == "auto":
        send(Step("looking for a cluster that this machine belongs to"))
        address = _of_this_machine()
    check_address(address)
    send(Step("joining the cluster"))
    ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    return ray


def _of_this_machine() -> str:
    """Where the cluster of this machine is.

    Raises:
        ConfigError: If there is none.
    """
    from ray._private import services

    from autodl.search.runners.ray_address import no_cluster_here

    try:
        return str(services.get_ray_address_from_environment("auto", None))
    except ConnectionError:
        raise no_cluster_here() from None


if __name__ == "__main__":
    main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(0)
