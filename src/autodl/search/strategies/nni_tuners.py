"""NNI's tuners (extra ``nni``)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from autodl.search.history import Observation
from autodl.search.space import Config, SearchSpace
from autodl.search.strategies.base import Strategy, refuse

if TYPE_CHECKING:
    from autodl.search.nni.translation import Translation
    from autodl.search.nni.tuners import Propose

    Rebuild = Callable[[Translation, Sequence[Observation], int, int], Propose]


class _Tuner(Strategy):
    """Asks a tuner that has been told the history."""

    @abstractmethod
    def rebuild(self) -> Rebuild:
        """What makes the tuner from a space, a history, a seed for this ask and one for the search."""

    def check(self, space: SearchSpace) -> None:
        """The packages must be there."""
        from autodl.search.nni.library import require

        require(self.key)

    def ask(
        self, space: SearchSpace, history: Sequence[Observation], n: int, rng: np.random.Generator
    ) -> list[Config]:
        """Ask ``n`` times for a configuration that was not tried."""
        self.check(space)
        from autodl.search.nni.proposing import fresh
        from autodl.search.nni.translation import Translation

        translated = Translation(space)
        if not translated.columns:
            return [space.complete({})] if space.params else []
        propose = self.rebuild()(translated, history, int(rng.integers(2**31)), self.seed)
        return fresh(propose, translated, history, n, rng)


class NniTPE(_Tuner):
    """Parameters apart from each other, unlike ``tpe``; random until each was seen 20 times."""

    key: ClassVar[str] = "nni-tpe"
    name: ClassVar[str] = "Parzen estimator (NNI)"
    summary: ClassVar[str] = "like tpe, each setting apart from the others; good to compare with NNI"
    paper: ClassVar[str] = "Bergstra et al., NeurIPS 2011"

    def rebuild(self) -> Rebuild:
        """NNI's ``TpeTuner``."""
        from autodl.search.nni.tuners import tpe

        return tpe


class NniEvolution(_Tuner):
    """Mutants of the better of two random members."""

    key: ClassVar[str] = "nni-evolution"
    name: ClassVar[str] = "Naive evolution (NNI)"
    summary: ClassVar[str] = "changes settings of good trials; good with many trials, and to compare with NNI"
    paper: ClassVar[str] = "Real et al., ICML 2017"

    def rebuild(self) -> Rebuild:
        """NNI's ``EvolutionTuner``."""
        from autodl.search.nni.tuners import evolution

        return evolution


class NniAnneal(_Tuner):
    """Random points ever nearer to good ones."""

    key: ClassVar[str] = "nni-anneal"
    name: ClassVar[str] = "Annealing (NNI, Hyperopt)"
    summary: ClassVar[str] = "draws nearer and nearer to the best trials; good when good settings lie close together"
    paper: ClassVar[str] = "Bergstra et al., ICML 2013"

    def rebuild(self) -> Rebuild:
        """NNI's ``HyperoptTuner``."""
        from autodl.search.nni.tuners import anneal

        return anneal


class NniGP(_Tuner):
    """Gaussian process with one length scale for all parameters; for numbers only."""

    key: ClassVar[str] = "nni-gp"
    name: ClassVar[str] = "Gaussian process (NNI)"
    summary: ClassVar[str] = "models the score as a smooth function; good with few trials, and to compare with NNI"
    paper: ClassVar[str] = "Bergstra et al., NeurIPS 2011"

    def check(self, space: SearchSpace) -> None:
        """Numbers, and choices among three or more rising or falling numbers."""
        from autodl.search.encoding import Encoding

        encoding = Encoding(space)
        words = [n for n, c in zip(encoding.names, encoding.categorical, strict=True) if c]
        refuse(self, words, "choices that are not three or more rising numbers", "Use 'gp' or 'nni-tpe', which can.")
        super().check(space)

    def rebuild(self) -> Rebuild:
        """NNI's ``GPTuner``."""
        from autodl.search.nni.tuners import gp

        return gp
