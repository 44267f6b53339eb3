"""Population based training."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import ClassVar

import numpy as np

from autodl.search.encoding import is_ordered
from autodl.search.fidelity import Fidelity
from autodl.search.history import Observation, Step
from autodl.search.schedulers.base import going_on
from autodl.search.space import Config, Param, SearchSpace
from autodl.search.strategies.base import Strategy, refuse

WAIT = "wait"


class PBT(Strategy):
    """A population trains side by side; the worst take over the weights of the best, and vary their values.

    With a fidelity, members climb a ladder of equal steps together. Whoever is among the worst ``quantile`` on a step
    is replaced by a child of one of the best, which goes on from its parent's state with perturbed values. What a
    space lists under ``nas`` is the shape of the network: children keep it, as the weights would not fit.

    Everything follows from the history: founders have no parent, and so many of them in a row are a population.
    """

    key: ClassVar[str] = "pbt"
    name: ClassVar[str] = "Population based training"
    summary: ClassVar[str] = (
        "networks go on from the weights of the best with changed settings; good for long trainings"
    )
    paper: ClassVar[str] = "Jaderberg et al., arXiv:1711.09846"
    inherits: ClassVar[bool] = True

    population: ClassVar[int] = 10
    """Members; fewer where the resource does not suffice to train so many to the end."""
    steps: ClassVar[int] = 10
    steps_anew: ClassVar[int] = 4
    """Steps where every evaluation begins anew and is paid in full."""
    quantile: ClassVar[float] = 0.2
    factors: ClassVar[tuple[float, float]] = (0.8, 1.2)
    resample: ClassVar[float] = 0.25
    """Probability that a value is drawn anew rather than multiplied by one of ``factors``."""

    @property
    def plans_fidelity(self) -> bool:
        """Which configuration is trained how far, and from whose state, belongs together."""
        return True

    def check(self, space: SearchSpace) -> None:
        """Refuse a space of architectures alone."""
        if space.params and all(n in space.nas for n in space.params):
            remedy = "Take strategy='evolution', or leave parameters that may change in training out of `nas`."
            refuse(self, list(space.params), "architectures", remedy)

    def why(self, space: SearchSpace, fidelity: Fidelity | None, max_evals: float) -> str:
        """What is special about it."""
        return (
            "What does badly takes over the state of the best and varies its values; what cannot go on from the "
            "state of another begins anew."
        )

    def ask(
        self, space: SearchSpace, history: Sequence[Observation], n: int, rng: np.random.Generator
    ) -> list[Config]:
        """Random configurations until there is a population, then children of the best, as ``child``."""
        out: list[Config] = []
        known = [o.config for o in history]
        for _ in range(n if space.params else 0):
            config: Config = {}
            for attempt in range(20):
                if len(history) + len(out) < self.population or attempt >= 10 or not _ranked(history):
                    config = space.sample(rng)
                else:
                    config = self._explored(space, history, rng, fixed=space.nas)[0]
                if config not in known and config not in out:
                    break
            out.append(config)
        return out

    def child(
        self,
        space: SearchSpace,
        history: Sequence[Observation],
        rng: np.random.Generator,
        fixed: Collection[str],
    ) -> Step | None:
        """A configuration that goes on from the state of one of the best with all of the fidelity.

        Args:
            space: Where to search.
            history: The population; each member with a loss could be a parent.
            rng: The only source of randomness.
            fixed: Parameters that a child takes over as they are.

        Returns:
            None if nobody can be a parent.
        """
        if not _ranked(history):
            return None
        config, parent = self._explored(space, history, rng, fixed)
        return Step(1.0, config=config, parent=parent)

    def step(
        self,
        space: SearchSpace,
        history: Sequence[Observation],
        fidelity: Fidelity,
        left: float,
        rng: np.random.Generator,
    ) -> Step | None:
        """Fill the population, let the good ones go on, replace the others by children; then begin a new one."""
        if not space.params:
            return Step(fidelity.high, config={}) if not history and fidelity.high <= left else None
        ladder = self.ladder(fidelity)
        size = self._size(history, fidelity, ladder, left)
        found: Step | str | None = None
        for members in _populations(history, size):
            found = self._advance(space, history, members, size, ladder, rng)
            if isinstance(found, Step):
                return found if _cost(found, history, ladder, fidelity) <= left else None
        if found == WAIT or ladder[0] > left:
            return None
        return Step(ladder[0], config=space.sample(rng))

    def ladder(self, fidelity: Fidelity) -> tuple[float, ...]:
        """Equal steps up to the full fidelity; the first is at least the lowest one."""
        steps = self.steps if fidelity.goes_on == "any" else self.steps_anew
        raw = [max(fidelity.low, fidelity.high * k / steps) for k in range(1, steps + 1)]
        return tuple(dict.fromkeys(float(round(r)) if fidelity.whole else r for r in raw))

    def _size(self, history: Sequence[Observation], fidelity: Fidelity, ladder: Sequence[float], left: float) -> int:
        """Members of a population: the same at every step, as what was spent and what is left add up to the total."""
        total = left + sum(_spent(o, fidelity, ladder) for o in history)
        each = fidelity.high if fidelity.goes_on == "any" else sum(ladder)
        return self.population if total == np.inf else int(min(self.population, max(3, total / each + 1e-9)))

    def _advance(
        self,
        space: SearchSpace,
        history: Sequence[Observation],
        members: Sequence[int],
        size: int,
        ladder: Sequence[float],
        rng: np.random.Generator,
    ) -> Step | str | None:
        """What one population does next: a step, ``WAIT`` for running members, or None if it is done."""
        climbing = [i for i in members if history[i].parent is None]
        if len(climbing) < size:
            return Step(ladder[0], config=space.sample(rng))
        change = max(1, round(self.quantile * size))
        for here, above in pairwise(ladder):
            ranked = sorted((loss, i) for i in climbing if (loss := history[i].at(here)) is not None)
            running = [i for i in climbing if history[i].at(here) is None and history[i].status == "running"]
            keep = size - change
            # While some still run, only those go on that stay even if all of them turn out better.
            survivors = [i for _, i in ranked[: max(0, keep - len(running))]]
            for i in survivors:
                if history[i].reached == here and going_on(history[i]):
                    return Step(above, trial=i)
            if running:
                return WAIT if ranked else None
            if not ranked:
                return None
            children = [i for i in members if history[i].parent is not None and _first(history[i]) == above]
            if len(survivors) + len(children) < size:
                parent = ranked[int(rng.integers(min(change, len(ranked))))][1]
                config = self._perturbed(space, history[parent].config, rng, space.nas)
                return Step(above, config=config, parent=parent)
            climbing = survivors + children
        return WAIT if any(history[i].status == "running" for i in climbing) else None

    def _explored(
        self, space: SearchSpace, history: Sequence[Observation], rng: np.random.Generator, fixed: Collection[str]
    ) -> tuple[Config, int]:
        """A perturbed copy of one of the best, and the place of that one."""
        ranked = _ranked(history)
        top = max(1, round(self.quantile * min(len(ranked), self.population)))
        parent = ranked[int(rng.integers(min(top, len(ranked))))]
        return self._perturbed(space, history[parent].config, rng, fixed), parent

    def _perturbed(
        self, space: SearchSpace, config: Config, rng: np.random.Generator, fixed: Collection[str]
    ) -> Config:
        """Exploration (appendix A of the paper): each value times 0.8 or 1.2, or drawn anew."""
        out: Config = {}
        for name in space.order():
            if not space.active(name, out):
                continue
            param, old = space.params[name], config.get(name)
            again, up = rng.random() < self.resample, rng.random() < 0.5
            if name in fixed and name in config:
                out[name] = old
            elif again or name not in config:
                out[name] = param.sample(rng)
            elif param.type != "choice":
                assert isinstance(old, int | float)
                out[name] = _scaled(old, self.factors[up], up, param)
            elif is_ordered(param):
                place = param.values.index(old) + (1 if up else -1)
                out[name] = param.values[min(max(place, 0), len(param.values) - 1)]
            else:
                out[name] = old
        return out


def _scaled(old: float, factor: float, up: bool, param: Param) -> int | float:
    """A number times a factor, within its range; around zero, where that changes nothing, a tenth of the range.

    Where a number has steps, or is whole, it goes at least one step on, unless it is at the end of its range.
    """
    low, high, whole = param.low, param.high, param.type == "int"
    assert low is not None and high is not None
    new = old * factor if low > 0 or abs(old) > 0.05 * (high - low) else old + (0.1 if up else -0.1) * (high - low)
    step = (None if param.log else param.step) or (1.0 if whole else 0.0)  # as in an encoding, a log scale has none
    moved = round(param.nearest(new)) if whole else param.nearest(new)
    if abs(moved - old) < step / 2:
        moved = param.nearest(old + (step if up else -step))
    moved = min(max(moved, low), high)
    return int(moved) if whole else float(moved)


def _populations(history: Sequence[Observation], size: int) -> list[list[int]]:
    """Members of each population by their place in the history, descendants with their founders."""
    where: list[int] = []
    founders = 0
    for o in history:
        if o.parent is None:
            where.append(founders // size)
            founders += 1
        else:
            where.append(where[o.parent])
    return [[i for i, w in enumerate(where) if w == k] for k in range(max(where, default=-1) + 1)]


def _spent(o: Observation, fidelity: Fidelity, ladder: Sequence[float]) -> float:
    """What a configuration has taken of the resource so far."""
    inherits = fidelity.goes_on == "any" and o.parent is not None and o.calls
    return fidelity.spent(o.calls) - (_below(o.calls[0], ladder) if inherits else 0.0)


def _below(rung: float, ladder: Sequence[float]) -> float:
    """The step before."""
    place = ladder.index(rung)
    return ladder[place - 1] if place else 0.0


def _cost(step: Step, history: Sequence[Observation], ladder: Sequence[float], fidelity: Fidelity) -> float:
    """What a step takes of the resource."""
    own, child = step.trial is not None, step.parent is not None
    goes_on = (own and fidelity.goes_on != "none") or (child and fidelity.goes_on == "any")
    return step.fidelity - (_below(step.fidelity, ladder) if goes_on else 0.0)


def _first(o: Observation) -> float | None:
    """The fidelity at which a configuration began."""
    return o.curve[0][0] if o.curve else o.fidelity


def _ranked(history: Sequence[Observation]) -> list[int]:
    """Places of those with a loss of their full fidelity, best first."""
    done = [(o.loss, i) for i, o in enumerate(history) if o.status == "ok" and o.loss is not None]
    return [i for loss, i in sorted(done) if np.isfinite(loss)]
