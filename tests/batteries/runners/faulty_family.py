"""A family that breaks in the ways that real libraries break; ``conftest.py`` makes it known as a plug-in."""

from __future__ import annotations

import ctypes
import faulthandler
import os
import resource
import signal
import time
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from autodl.clock import NEVER, Deadline
from autodl.machine import resident_bytes
from autodl.models.base import CostEstimate, Estimator, Family, FamilyConfig, Meta, Shape

MB = 1_000_000


class FaultyConfig(FamilyConfig):
    how: str = "fine"
    marker: str = ""
    """A file that is written by the first try; later ones find it."""
    bytes: float = 1e6


class FaultyModel(Estimator):
    needs_pickle = True

    def __init__(self, config: FaultyConfig) -> None:
        super().__init__()
        self.config, self.mean = config, 0.0

    def fit(
        self,
        X: Any,
        y: Any,
        X_val: Any = None,
        y_val: Any = None,
        *,
        sample_weight: Any = None,
        deadline: Deadline = NEVER,
    ) -> None:
        getattr(self, f"_{self.config.how}")()
        self.mean = float(np.mean(y))

    def predict(self, X: Any) -> Any:
        return np.full(len(X), self.mean)

    def _fine(self) -> None:
        pass

    def _talk(self) -> None:
        print("a word of the trial")
        os.write(2, b"a warning of a library\n")

    def _raise(self) -> None:
        raise ValueError("this family\nalways fails")

    def _leave(self) -> None:
        raise SystemExit(3)

    def _allocate(self) -> None:
        """More than there is at once: a real ``MemoryError`` of numpy."""
        np.ones(1 << 50)

    def _limited(self) -> None:
        """A real allocation that the system refuses."""
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 200 * MB, resource.RLIM_INFINITY))
        try:
            np.ones(100 * MB)
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def _grow(self) -> None:
        """Piece by piece, as data sets that outgrow a machine do."""
        kept = []
        while resident_bytes() < 4_000 * MB:
            kept.append(np.ones(4 * MB))
            time.sleep(0.02)

    def _swell(self) -> None:
        """Takes 200 MB and gives them back."""
        time.sleep(float(np.ones(25 * MB)[:10].sum()) / 100)

    def _die(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def _die_once(self) -> None:
        marker = Path(self.config.marker)
        if not marker.exists():
            marker.touch()
            self._die()

    def _segfault(self) -> None:
        faulthandler.disable()
        faulthandler._sigsegv()  # type: ignore[attr-defined]

    def _sleep(self) -> None:
        """Deaf to its deadline, as a solver in native code."""
        ctypes.CDLL(None).sleep(60)

    def _block(self) -> None:
        """The same without letting any other Python thread run."""
        ctypes.PyDLL(None).sleep(60)


class Faulty(Family):
    key: ClassVar[str] = "faulty"
    name: ClassVar[str] = "Faulty"
    summary: ClassVar[str] = "Breaks."
    paper: ClassVar[str] = "none"
    config: ClassVar[type[FamilyConfig]] = FaultyConfig
    complexity: ClassVar[int] = 3

    def estimate_cost(self, shape: Shape, config: FamilyConfig) -> CostEstimate:
        assert isinstance(config, FaultyConfig)
        return CostEstimate(seconds=0.01, bytes=config.bytes)

    def build(self, config: FamilyConfig, meta: Meta) -> Estimator:
        assert isinstance(config, FaultyConfig)
        return FaultyModel(config)
