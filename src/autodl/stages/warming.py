"""Imports what the end of a run needs while trials run in other processes: later every second counts."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable


class WarmUp:
    """Background threads of one run; each kind of work is begun once."""

    def __init__(self) -> None:
        self._begun: set[str] = set()

    def conclusions(self) -> None:
        """Evaluation, explanation and report."""
        self._begin("conclusions", _conclusions)

    def networks(self) -> None:
        """The library of the networks, one of which will perhaps be trained again or asked for predictions."""
        self._begin("networks", _networks)

    def _begin(self, name: str, work: Callable[[], None]) -> None:
        if name in self._begun:
            return
        self._begun.add(name)
        threading.Thread(target=work, daemon=True, name=f"warm-up of {name}").start()


def _conclusions() -> None:
    # What cannot be imported will say so where it is used.
    with contextlib.suppress(Exception):
        import matplotlib.backends.backend_svg
        import matplotlib.figure  # noqa: F401

        import autodl.ensemble
        import autodl.evaluate
        import autodl.explain
        import autodl.report.build
        import autodl.report.facts
        import autodl.report.render  # noqa: F401


def _networks() -> None:
    with contextlib.suppress(Exception):
        import torch

        # The first step of an optimizer imports as much again.
        weight = torch.nn.Parameter(torch.zeros(2))
        weight.grad = torch.ones(2)
        torch.optim.AdamW([weight]).step()
