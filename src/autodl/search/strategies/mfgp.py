"""Bayesian optimization over configurations and fidelities together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from autodl.search.encoding import Encoding, Matrix
from autodl.search.fidelity import Fidelity
from autodl.search.history import Observation, Step
from autodl.search.space import Config, SearchSpace
from autodl.search.strategies.base import Strategy
from autodl.search.strategies.gp import GP, first_configs, kept, learnt, start_size
from autodl.search.strategies.sobol import Sobol
from autodl.search.surrogate.acquisition import log_expected_improvement
from autodl.search.surrogate.climb import climbed, worthwhile
from autodl.search.surrogate.gp import GaussianProcess
from autodl.search.surrogate.propose import best_candidate
from autodl.search.surrogate.threads import one_thread
from autodl.search.surrogate.warping import warp_of

ETA = 3.0
"""Ratio of neighbouring rungs."""


class MultiFidelityGP(Strategy):
    """Freezes and thaws: each configuration begins with little and goes on while it is the best bet.

    A Gaussian process over configuration and fidelity says what every configuration would reach with all of the
    resource. The next evaluation is the one with the highest expected improvement there for what it would still cost:
    a paused configuration one rung up, or a new one at the lowest rung.
    """

    key: ClassVar[str] = "mfgp"
    name: ClassVar[str] = "Multi-fidelity Bayesian search (Gaussian process)"
    summary: ClassVar[str] = (
        "like gp, and also chooses how long each trial trains; good when short trainings tell much about long ones"
    )
    paper: ClassVar[str] = (
        "Swersky et al., arXiv:1406.3896; Wistuba et al., NeurIPS 2022; Kandasamy et al., ICML 2017"
    )

    @property
    def plans_fidelity(self) -> bool:
        """It does."""
        return True

    def ask(
        self, space: SearchSpace, history: Sequence[Observation], n: int, rng: np.random.Generator
    ) -> list[Config]:
        """Without fidelities, or under a scheduler: as the Gaussian process does."""
        return GP(self.seed).ask(space, history, n, rng)

    def step(
        self,
        space: SearchSpace,
        history: Sequence[Observation],
        fidelity: Fidelity,
        left: float,
        rng: np.random.Generator,
    ) -> Step | None:
        """The best bet of what fits into ``left``."""
        if fidelity.rungs(ETA)[0] > left:
            return None
        with one_thread():
            return self._step(space, history, fidelity, left, rng)

    def _step(
        self,
        space: SearchSpace,
        history: Sequence[Observation],
        fidelity: Fidelity,
        left: float,
        rng: np.random.Generator,
    ) -> Step | None:
        rungs = fidelity.rungs(ETA)
        encoding = Encoding(space)
        started = sum(o.status != "running" for o in history) >= start_size(encoding)
        model = _Model.of(encoding, history, fidelity) if started else None
        if model is None:  # or all of the start failed
            config = self._start(space, history, rng)
            if config is not None:
                return Step(rungs[0], config=config)
            model = _Model.of(encoding, history, fidelity)  # so small a space was tried as a whole
        return None if model is None else model.bet(encoding, history, rungs, left, rng)

    def _start(self, space: SearchSpace, history: Sequence[Observation], rng: np.random.Generator) -> Config | None:
        listed = [c for c in first_configs(space) if c not in [o.config for o in history]]
        return next(iter(listed or Sobol(self.seed).fresh(space, history, 1, rng)), None)


@dataclass(frozen=True)
class _Model:
    """The posterior, the rows it speaks of, X (m, d), one a configuration, and whether candidates climb on it."""

    gp: GaussianProcess
    X: Matrix
    climbs: bool

    @classmethod
    def of(cls, encoding: Encoding, history: Sequence[Observation], fidelity: Fidelity) -> _Model | None:
        X = encoding.encode([o.config for o in history])
        points = sorted(
            (number, i, fidelity.place(f), loss)
            for i, o in enumerate(history)
            for number, (f, loss) in zip(o.order or range(len(o.curve)), o.curve, strict=True)
        )
        # A failed configuration counts as the worst at the fidelity where it failed.
        worst = max((p[3] for p in points), default=0.0)
        points += [
            (10**9 + i, i, fidelity.place(o.fidelity or fidelity.high), worst)
            for i, o in enumerate(history)
            if o.status == "failed"
        ]
        if not any(o.curve for o in history):
            return None
        which = np.array([p[1] for p in points], dtype=int)
        times, losses = np.array([p[2] for p in points]), np.array([p[3] for p in points])
        warp = warp_of(len(points) + sum(o.status == "running" for o in history))
        hyper = learnt(X[which], losses, encoding.categorical, warp, times)
        keep = _kept(times, losses)
        y = warp(losses)
        gp = GaussianProcess(X[which[keep]], y[keep], encoding.categorical, hyper, times[keep])
        going = [i for i, o in enumerate(history) if o.status == "running"]
        if going:
            at = np.array([fidelity.place(history[i].fidelity or fidelity.high) for i in going])
            believed, _ = gp.predict(X[going], at)
            gp = GaussianProcess(
                np.concatenate([gp.X, X[going]]),
                np.concatenate([gp.y, believed]),
                encoding.categorical,
                hyper,
                np.concatenate([times[keep], at]),
            )
        return cls(gp, X, worthwhile(encoding, warp))

    def at_full(self, Z: Matrix) -> tuple[Matrix, Matrix]:
        """What rows would reach with all of the resource."""
        return self.gp.predict(Z, np.ones(len(Z)))

    def bet(
        self,
        encoding: Encoding,
        history: Sequence[Observation],
        rungs: Sequence[float],
        left: float,
        rng: np.random.Generator,
    ) -> Step | None:
        """The evaluation with the highest expected improvement at full fidelity for its cost."""
        mean, sd = self.at_full(self.X)
        last = self._last_chance(history, rungs, left, mean)
        if last is not None:
            return last
        alive = np.array([o.status != "failed" for o in history])
        best = float((mean[alive] if alive.any() else mean).min())
        promise = log_expected_improvement(mean, sd, best)
        options: list[tuple[float, Step]] = []
        for i, o in enumerate(history):
            if o.status not in ("ok", "stopped") or o.reached >= rungs[-1]:
                continue
            further = [r for r in rungs if r > o.reached and r <= left]
            if further:
                options.append(
                    (promise[i] - np.log(sum(r for r in rungs if r > o.reached)), Step(further[0], trial=i))
                )
        around = self.X[np.argsort(mean, kind="stable")[:5]]
        row = best_candidate(
            encoding,
            lambda Z: log_expected_improvement(*self.at_full(Z), best),
            around=around,
            taken=self.X,
            rng=rng,
            climb=(lambda row: climbed(self.gp, encoding, row, best, time=1.0)) if self.climbs else None,
        )
        if row is not None:
            hope = float(log_expected_improvement(*self.at_full(row[None]), best)[0])
            options.append((hope - np.log(sum(rungs)), Step(rungs[0], config=encoding.decode(row))))
        return max(options, key=lambda o: o[0])[1] if options else None

    @staticmethod
    def _last_chance(
        history: Sequence[Observation], rungs: Sequence[float], left: float, mean: Matrix
    ) -> Step | None:
        """Before the means for it are gone, something must have been evaluated in full: the most promising."""
        top = rungs[-1]
        if left < top or left >= top + sum(rungs) or any(o.reached >= top or o.fidelity == top for o in history):
            return None
        paused = [i for i, o in enumerate(history) if o.status == "stopped"]
        return Step(top, trial=min(paused, key=lambda i: mean[i])) if paused else None


def _kept(times: Matrix, losses: Matrix) -> NDArray[np.intp]:
    """Which points the model is made of: by loss and by age."""
    return kept(len(losses), np.argsort(losses, kind="stable"))
