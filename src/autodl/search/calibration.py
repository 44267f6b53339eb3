"""How much slower or quicker than estimated trials are here: one tree of normal effects on the logarithm of seconds.

    log(measured / estimated) = machine + family + configuration + noise

Each effect has a normal prior with mean 0, so that a family without trials of its own takes the machine's effect, one
trial of a family moves its next estimate by a part, and many trials decide it. The posterior is exact: precisions and
means are passed up the tree and down again (Gaussian belief propagation). A trial that ran out of time is known to
have needed more than a bound; it counts as the mean of what the others let expect beyond that bound.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce

MACHINE_SD, FAMILY_SD, CONFIG_SD, NOISE_SD = 0.6, 0.45, 0.3, 0.15
"""Spread of the effects: about a factor of 1.8, 1.6, 1.35 and 1.16."""
BOUND_SD = 0.4
"""Of the stand-in for a trial of which only a bound is known."""


@dataclass(frozen=True)
class Measurement:
    """One trial.

    Attributes:
        family: Its family.
        config: Its configuration, hashable.
        log_ratio: Logarithm of measured over estimated seconds; of at least so many where ``bound``.
        bound: Whether the trial would have taken longer than was measured.
    """

    family: str
    config: Hashable
    log_ratio: float
    bound: bool = False


@dataclass(frozen=True)
class Belief:
    """A normal distribution of the logarithm of a ratio."""

    mean: float
    variance: float

    def beyond(self, bound: float) -> float:
        """Mean of the part above a bound."""
        sd = math.sqrt(self.variance)
        z = (bound - self.mean) / sd
        if z > 5.0:  # the tail: its mean tends to z + 1/z
            return bound + sd / z
        density = math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
        return self.mean + sd * density / (0.5 * math.erfc(z / math.sqrt(2.0)))


@dataclass(frozen=True)
class _Evidence:
    """What some measurements tell of one effect's sum: a mean and its precision; precision 0 tells nothing."""

    mean: float = 0.0
    precision: float = 0.0

    def plus(self, other: _Evidence) -> _Evidence:
        precision = self.precision + other.precision
        if precision == 0.0:
            return _Evidence()
        mean = (self.precision * self.mean + other.precision * other.mean) / precision
        return _Evidence(mean, precision)

    def through(self, sd: float) -> _Evidence:
        """The same seen through another normal effect."""
        if self.precision == 0.0:
            return self
        return _Evidence(self.mean, 1.0 / (sd * sd + 1.0 / self.precision))


class Beliefs:
    """What some trials let expect of any further one; made once, asked often.

    Args:
        measurements: Of all finished trials, in any order.
    """

    def __init__(self, measurements: Sequence[Measurement]) -> None:
        self._configs: dict[str, dict[Hashable, _Evidence]] = {}
        tightest: dict[tuple[str, Hashable], Measurement] = {}
        for m in measurements:
            if not m.bound:
                self._add(m, _Evidence(m.log_ratio, NOISE_SD**-2))
            elif (known := tightest.get((m.family, m.config))) is None or m.log_ratio > known.log_ratio:
                tightest[m.family, m.config] = m
        self._families = {key: _together(own.values()) for key, own in self._configs.items()}
        # The tightest bounds last: a looser one of the same family adds nothing to them.
        for m in sorted(tightest.values(), key=lambda m: m.log_ratio):
            expected = self.of(m.family, m.config)
            if m.log_ratio > expected.mean - 2.0 * math.sqrt(expected.variance):
                self._add(m, _Evidence(expected.beyond(m.log_ratio), BOUND_SD**-2))
                self._families[m.family] = _together(self._configs[m.family].values())

    def of(self, family: str, config: Hashable) -> Belief:
        """What to expect of the next trial of a configuration."""
        machine = _Evidence(0.0, MACHINE_SD**-2)
        for key, evidence in self._families.items():
            if key != family:
                machine = machine.plus(evidence.through(FAMILY_SD))
        own = self._configs.get(family, {})
        relatives = self._families.get(family, _Evidence())
        if config in own:
            relatives = _together(evidence for key, evidence in own.items() if key != config)
        of_family = machine.through(FAMILY_SD).plus(relatives)
        here = of_family.through(CONFIG_SD).plus(own.get(config, _Evidence()))
        return Belief(here.mean, 1.0 / here.precision + NOISE_SD**2)

    def _add(self, m: Measurement, evidence: _Evidence) -> None:
        own = self._configs.setdefault(m.family, {})
        own[m.config] = own.get(m.config, _Evidence()).plus(evidence)


def _together(configs: Iterable[_Evidence]) -> _Evidence:
    """What configurations tell of their family."""
    return reduce(_Evidence.plus, (evidence.through(CONFIG_SD) for evidence in configs), _Evidence())
