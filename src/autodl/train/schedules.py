"""Learning-rate schedules as functions of progress, so that a deadline can shorten the training.

Notation: t in [0, 1] is the share of the training that is done; a schedule gives a factor of the configured rate.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from autodl.train.config import ScheduleName, TrainConfig

ONE_CYCLE_RISE = 0.3
ONE_CYCLE_START = 1 / 25
ONE_CYCLE_END = 1 / (25 * 1e4)
FLAT = 0.5
"""Share of the training before the rate of ``flat_cosine`` falls."""
CYCLES = 4
"""Of ``coslog4``."""


def cosine(t: float) -> float:
    """From 1 to 0 along half a cosine (Loshchilov and Hutter 2017, without restarts)."""
    return 0.5 * (1 + math.cos(math.pi * min(1.0, t)))


def flat_cosine(t: float) -> float:
    """1 for the first half, then down to 0 along half a cosine."""
    return 1.0 if t < FLAT else cosine((t - FLAT) / (1 - FLAT))


def one_cycle(t: float) -> float:
    """Up along a cosine for 30 %, then down to nearly 0 (Smith and Topin 2018; torch's ``OneCycleLR``)."""
    if t < ONE_CYCLE_RISE:
        return 1 - (1 - ONE_CYCLE_START) * cosine(t / ONE_CYCLE_RISE)
    return ONE_CYCLE_END + (1 - ONE_CYCLE_END) * cosine((t - ONE_CYCLE_RISE) / (1 - ONE_CYCLE_RISE))


def coslog(t: float, cycles: int = CYCLES) -> float:
    """Cosine cycles, each twice as long as the one before (Holzmueller et al. 2024, appendix A)::

    0.5 * (1 - cos(2 pi log2(1 + (2^cycles - 1) t)))
    """
    return 0.5 * (1 - math.cos(2 * math.pi * math.log2(1 + (2**cycles - 1) * min(1.0, t))))


def patience_ends(schedule: ScheduleName, best: float, patience: float, whole: float) -> float:
    """When patience with a training ends: networks become better as the rate falls, so that must have been seen.

    Before the rate of ``flat_cosine`` falls, patience does not begin; a cycle of ``coslog4`` that has begun is seen
    through to its low.

    Args:
        schedule: Of the rate. best: When the training was best. patience: how long it may get no better.
        whole: Length of the training, in epochs or whatever the others count.
    """
    if schedule == "flat_cosine":
        return max(best, FLAT * whole) + patience
    if schedule == "coslog4":
        # The rate is 0 where log2(1 + (2^cycles - 1) t) is whole.
        lows = ((2**k - 1) * whole / (2**CYCLES - 1) for k in range(1, CYCLES))
        return next((low for low in lows if low >= best + patience), whole)
    return best + patience


def _constant(t: float) -> float:
    return 1.0


_SMOOTH: dict[str, Callable[[float], float]] = {
    "constant": _constant,
    "plateau": _constant,
    "cosine": cosine,
    "flat_cosine": flat_cosine,
    "one_cycle": one_cycle,
    "coslog4": coslog,
}


class Schedule:
    """The factor of the learning rate over a training.

    Args:
        config: Which schedule, its decay and warm-up.
        patience: Validations without improvement before ``plateau`` lowers the rate.
    """

    def __init__(self, config: TrainConfig, patience: int = 8) -> None:
        self._config = config
        self._patience = max(1, patience)
        self._lowered = 1.0
        self._best = math.inf
        self._bad = 0

    def factor(self, t: float) -> float:
        """Factor of the rate at progress ``t``."""
        c = self._config
        if c.schedule == "step":
            # The tolerance keeps t = k * decay_every on the side of the step that exact arithmetic gives.
            base = c.lr_decay ** math.floor(t / c.decay_every + 1e-9)
        else:
            base = _SMOOTH[c.schedule](t)
        rise = min(1.0, t / c.warmup) if c.warmup > 0 else 1.0
        return base * rise * self._lowered

    def observe(self, valid: float) -> bool:
        """Tell the schedule a validation loss; only ``plateau`` listens (torch's ``ReduceLROnPlateau``).

        Returns:
            Whether the rate was lowered.
        """
        if self._config.schedule != "plateau":
            return False
        if valid < self._best:
            self._best, self._bad = valid, 0
            return False
        self._bad += 1
        if self._bad <= self._patience:
            return False
        self.lower(self._config.lr_decay)
        self._bad = 0
        return True

    def lower(self, by: float) -> None:
        """Multiply all later rates, as after a divergence."""
        self._lowered *= by
