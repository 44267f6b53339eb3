"""How threads of OpenMP wait for each other: settings read once, when the first library that uses it is loaded."""

from __future__ import annotations

from collections.abc import MutableMapping

SETTINGS = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "1000"}
"""Threads that spin for long slow each other down wherever cores are shared; those that sleep at once take longer to
wake than a small step of LightGBM or torch takes. GNU's OpenMP can spin for some microseconds; others only sleep."""


def wait_briefly(environment: MutableMapping[str, str]) -> None:
    """Let the threads of libraries wait briefly, unless the user has said how.

    Args:
        environment: Of this process or of one to start; entries are added.
    """
    if not environment.keys() & SETTINGS.keys():
        environment.update(SETTINGS)
