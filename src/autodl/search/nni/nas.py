"""NNI's multi-trial architecture search, each strategy set to where a history leaves it."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
from nni.algorithms.hpo.tpe_tuner import TpeTuner
from nni.nas.strategy import TPE, Random, RegularizedEvolution, hpo
from nni.nas.strategy.evolution import Individual
from nni.nas.strategy.utils import DeduplicationHelper

from autodl.search.history import Observation
from autodl.search.nni.engine import FlatSpace, Handout
from autodl.search.nni.translation import Sample, Translation
from autodl.search.nni.tuners import loss_of, told_tpe
from autodl.search.space import Config

POPULATION, TOURNAMENT = 20, 10
"""As our own evolution; NNI's 100 and 25 would be random search in most budgets."""


def random(space: Translation, history: Sequence[Observation], n: int, seed: int) -> list[Config]:
    """Random architectures without repeats."""
    strategy = Random()
    state = {"random_state": np.random.RandomState(seed).get_state(), **_known(space, history)}
    return _run(strategy, space, history, n, state)


def evolution(space: Translation, history: Sequence[Observation], n: int, seed: int) -> list[Config]:
    """Regularized evolution, from NNI's own form of a checkpoint."""
    done = [(o, loss) for o in history if (loss := loss_of(o)) is not None][-POPULATION:]
    strategy = RegularizedEvolution(population_size=POPULATION, sample_size=TOURNAMENT)
    state = {
        "population": [Individual(space.sample(o.config), -loss) for o, loss in done],
        "individual_counter": len(history),
        "random_state": np.random.RandomState(seed).get_state(),
        **_known(space, history),
    }
    return _run(strategy, space, history, n, state)


def tpe(space: Translation, history: Sequence[Observation], n: int, seed: int) -> list[Config]:
    """The Parzen estimator in NNI's wrapper for architectures."""
    strategy = TPE()
    strategy.tuner = _Told(space, history, seed)
    # NNI's loop sleeps a second after each model.
    with patch.object(hpo, "time", SimpleNamespace(sleep=lambda seconds: None)):
        return _run(strategy, space, history, n, {"model_count": 0})


class _Told:
    """A tuner that knows the history already, in the place of the one that NNI's wrapper makes."""

    def __init__(self, space: Translation, history: Sequence[Observation], seed: int) -> None:
        self.tuner: TpeTuner = told_tpe(space, history, seed)
        self.first = len(history)

    def update_search_space(self, space: object) -> None:
        """Nothing: it was given when the history was told."""

    def generate_parameters(self, number: int) -> Sample:
        """The next sample; the numbers of the history are taken."""
        return dict(self.tuner.generate_parameters(self.first + number))

    def trial_end(self, number: int, success: bool) -> None:
        """Forget a model that was not wanted."""
        self.tuner.trial_end(self.first + number, success)


def _known(space: Translation, history: Sequence[Observation]) -> dict[str, Any]:
    """What was tried, as NNI keeps it."""
    helper = DeduplicationHelper()
    for seen in history:
        helper.dedup(space.sample(seen.config))
    return dict(helper.state_dict())


def _run(
    strategy: Any, space: Translation, history: Sequence[Observation], n: int, state: dict[str, Any]
) -> list[Config]:
    engine = Handout(space, [o.config for o in history], n)
    strategy.initialize(FlatSpace.of(space), engine)
    strategy.load_state_dict(state)
    strategy.run()
    return engine.configs
