"""NNI's multi-trial architecture search (extra ``nni``)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from autodl.search.history import Observation
from autodl.search.space import Config, SearchSpace
from autodl.search.strategies.base import Strategy, refuse

if TYPE_CHECKING:
    from autodl.search.nni.policy import Pupil
    from autodl.search.nni.translation import Translation

LIST_UP_TO = 64
"""Whole or stepped numbers with at most so many values become choices among them."""


class _Architectures(Strategy):
    """Lets NNI's loop run until it has submitted what was asked for."""

    only_listed: ClassVar[bool] = False
    """Whether NNI takes choices only."""

    @abstractmethod
    def submitted(self, space: Translation, history: Sequence[Observation], n: int, seed: int) -> list[Config]:
        """At most ``n`` new configurations."""

    def check(self, space: SearchSpace) -> None:
        """The packages must be there, and the numbers must have few values where NNI takes choices only."""
        from autodl.search.encoding import Encoding
        from autodl.search.nni.library import require

        if self.only_listed:
            encoding = Encoding(space)
            many = ~encoding.categorical & ((encoding.levels == 0) | (encoding.levels > LIST_UP_TO))
            names = [n for n, m in zip(encoding.names, many, strict=True) if m]
            remedy = "Give each a larger `step`, make it a choice, or use 'nni-nas-evolution'."
            refuse(self, names, f"numbers with more than {LIST_UP_TO} values", remedy)
        require(self.key)

    def ask(
        self, space: SearchSpace, history: Sequence[Observation], n: int, rng: np.random.Generator
    ) -> list[Config]:
        """Take the first ``n`` models that are new."""
        self.check(space)
        from autodl.search.nni.translation import Translation

        translated = Translation(space, LIST_UP_TO)
        if not translated.columns:
            return [space.complete({})] if space.params else []
        return self.submitted(translated, history, n, int(rng.integers(2**31)))


class NniNasRandom(_Architectures):
    """Random architectures without repeats."""

    key: ClassVar[str] = "nni-nas-random"
    name: ClassVar[str] = "Random architectures (NNI)"
    summary: ClassVar[str] = "draws architectures at random; good as a baseline"
    paper: ClassVar[str] = "Li and Talwalkar, UAI 2019"

    def submitted(self, space: Translation, history: Sequence[Observation], n: int, seed: int) -> list[Config]:
        """By NNI's ``Random``."""
        from autodl.search.nni.nas import random

        return random(space, history, n, seed)


class NniNasEvolution(_Architectures):
    """Each part of a tournament winner changes with a small probability; the oldest die."""

    key: ClassVar[str] = "nni-nas-evolution"
    name: ClassVar[str] = "Regularized evolution of architectures (NNI)"
    summary: ClassVar[str] = "changes good architectures a little at a time; good with many trials"
    paper: ClassVar[str] = "Real et al., AAAI 2019"

    def submitted(self, space: Translation, history: Sequence[Observation], n: int, seed: int) -> list[Config]:
        """By NNI's ``RegularizedEvolution``."""
        from autodl.search.nni.nas import evolution

        return evolution(space, history, n, seed)


class NniNasTPE(_Architectures):
    """The Parzen estimator over architectures; for listed values only."""

    key: ClassVar[str] = "nni-nas-tpe"
    name: ClassVar[str] = "Parzen estimator of architectures (NNI)"
    summary: ClassVar[str] = "guesses which architectures are good, part by part; good with some dozens of trials"
    paper: ClassVar[str] = "Bergstra et al., NeurIPS 2011"
    only_listed: ClassVar[bool] = True

    def submitted(self, space: Translation, history: Sequence[Observation], n: int, seed: int) -> list[Config]:
        """By NNI's ``TPE``."""
        from autodl.search.nni.nas import tpe

        return tpe(space, history, n, seed)


class NniNasRL(_Architectures):
    """A policy that writes architectures value by value and is rewarded for good ones; for listed values only.

    The trained policy is kept between asks, as training it anew takes seconds; it depends on the history alone.
    """

    key: ClassVar[str] = "nni-nas-rl"
    name: ClassVar[str] = "Reinforcement learning (NNI, PPO)"
    summary: ClassVar[str] = "learns by rewards which architectures to build; good with hundreds of trials"
    paper: ClassVar[str] = "Zoph and Le, ICLR 2017; Schulman et al., arXiv:1707.06347"
    only_listed: ClassVar[bool] = True

    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed)
        self._kept: tuple[SearchSpace, Pupil] | None = None

    def submitted(self, space: Translation, history: Sequence[Observation], n: int, seed: int) -> list[Config]:
        """By NNI's ``PolicyBasedRL``."""
        from autodl.search.nni.policy import Pupil, lessons_of

        lessons = lessons_of(history)
        kept = self._kept
        if kept is None or kept[0] != space.space or not kept[1].follows(lessons):
            kept = (space.space, Pupil(space, self.seed))
        kept[1].teach(lessons)
        self._kept = kept
        return kept[1].ask(history, n, seed)
