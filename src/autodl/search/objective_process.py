"""The process in which an objective is called; it speaks pickles over its standard streams.

First comes ``(process number of the caller, sys.path, objective)``, then one ``(config, fidelity)`` after the other;
each is answered by an ``Answer``. What the objective prints goes to the error stream.
"""

from __future__ import annotations

import os
import pickle
import struct
import sys
from typing import IO, Any

_LENGTH = struct.Struct("<Q")


def send(stream: IO[bytes] | None, thing: object) -> None:
    """Write one object; a process that is gone is noticed where its answer is awaited."""
    assert stream is not None
    body = pickle.dumps(thing)
    try:
        stream.write(_LENGTH.pack(len(body)) + body)
        stream.flush()
    except BrokenPipeError:
        return


def receive(stream: IO[bytes] | None) -> Any:
    """Read one object; None at the end of the stream."""
    assert stream is not None
    try:
        head = stream.read(_LENGTH.size)
        if len(head) < _LENGTH.size:
            return None
        body = stream.read(_LENGTH.unpack(head)[0])
        return pickle.loads(body)
    except (ValueError, OSError, EOFError):  # closed by the other side or by us
        return None


def serve() -> None:
    """Answer calls until the caller closes the stream, or ends."""
    from autodl.search.calling import Answer, call
    from autodl.search.runners.worker import die_with

    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    hello = receive(sys.stdin.buffer)
    if hello is None:
        return
    caller, paths, payload = hello
    die_with(caller)
    sys.path[:] = paths
    try:
        objective = pickle.loads(payload)
        fault = ""
    except Exception as error:
        objective, fault = None, f"the objective cannot be sent to a process: {type(error).__name__}: {error}"
    while (request := receive(sys.stdin.buffer)) is not None:
        send(answers, Answer(error=fault) if fault else call(objective, *request))


if __name__ == "__main__":
    serve()
