"""What the driver tells the process that speaks with Ray, and what that process answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["trials", "calls"]
"""What the workers do: trials over a table, or calls of an objective."""


@dataclass(frozen=True)
class RaySetup:
    """The cluster and what each worker asks of it.

    Attributes:
        kind: What the workers do.
        workers: Workers at most; there are fewer while the cluster has no room for so many.
        address: ``auto``, ``HOST:PORT`` or ``ray://HOST:PORT``; None starts a cluster on this machine.
        cpus: Cores of a worker; a fraction lets several share one.
        gpus: GPUs of a worker, or a fraction of one; where all of the cluster are taken, further workers get none.
        memory: Bytes that a worker asks for before its first call; 0 asks for none.
        local_cpus: Cores that a cluster on this machine hands out.
        store_bytes: Size of its object store.
    """

    kind: Kind
    workers: int
    address: str | None = None
    cpus: float = 1.0
    gpus: float = 0.0
    memory: float = 0.0
    local_cpus: float = 1.0
    store_bytes: int = 200_000_000


@dataclass(frozen=True)
class Call:
    """One call for a worker.

    Attributes:
        number: By which the driver knows it.
        request: Pickled; what is in it is known to the worker alone.
        seconds: Time until it must have ended, counted from now.
        bytes: Memory that it is expected to add to its worker.
    """

    number: int
    request: bytes
    seconds: float = float("inf")
    bytes: float = 0.0


@dataclass(frozen=True)
class Ended:
    """What became of a call.

    Attributes:
        number: Of the call.
        answer: Pickled; None if there is none.
        late: Whether it was ended for outrunning its time.
        lost: Whether the cluster is at fault: no worker took it, its machine left, or Ray is gone.
        reason: Why there is no answer.
        seconds: Since its start, or since it was handed over if it never started.
        said: What it printed.
    """

    number: int
    answer: bytes | None = None
    late: bool = False
    lost: bool = False
    reason: str = ""
    seconds: float = 0.0
    said: str = ""


@dataclass(frozen=True)
class Seats:
    """How many workers are up, busy or not, and whether a call waits for one or for memory."""

    up: int
    waiting: bool = False


@dataclass(frozen=True)
class Step:
    """What is being done before the cluster is joined; ``joined`` once it is."""

    text: str
    joined: bool = False


@dataclass(frozen=True)
class Note:
    """A sentence for the log."""

    text: str


@dataclass(frozen=True)
class Broken:
    """Nothing more will come: the cluster cannot be joined, or no worker comes up there."""

    reason: str
    remedy: str = ""
    address: bool = False
    """Whether the address is at fault."""


Message = Ended | Seats | Step | Note | Broken
