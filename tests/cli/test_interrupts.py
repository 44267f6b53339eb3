"""What counts as a second request to end."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from autodl.cli import interrupts
from autodl.cli.interrupts import Interrupts


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The codes with which the process would have ended."""
    codes: list[int] = []
    monkeypatch.setattr("os._exit", codes.append)
    monkeypatch.setattr(interrupts, "_end_children", lambda: None)
    return codes


def send(numbers: list[signal.Signals], first: Callable[[], bool] = lambda: True) -> list[str]:
    """Send signals to this process while they are watched for; what was called on them."""
    called: list[str] = []
    with Interrupts(first, lambda: called.append("second"), lambda: called.append("hangup")):
        for number in numbers:
            signal.raise_signal(number)
    return called


def test_a_hangup_is_never_the_second_request(ended: list[int]) -> None:
    assert send([signal.SIGHUP, signal.SIGHUP]) == ["hangup", "hangup"]
    assert send([signal.SIGINT, signal.SIGHUP]) == ["hangup"]
    assert ended == []


def test_another_signal_is_the_second_request(ended: list[int]) -> None:
    assert send([signal.SIGHUP, signal.SIGINT]) == ["hangup", "second"]
    assert ended == [130]
    assert send([signal.SIGHUP], first=lambda: False) == ["hangup", "second"], "nothing was there to keep"
