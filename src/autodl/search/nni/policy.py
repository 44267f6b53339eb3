"""NNI's reinforcement learning (PPO, by Tianshou), taught from a history.

The policy is a small network that writes an architecture value by value. It is trained on every twenty results, which
takes a second or so; the trained state is kept between asks and made anew where the history is not a continuation of
the one it was taught from. Both ways lead to the same policy, as every lesson has its own seed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from nni.nas.strategy import PolicyBasedRL
from nni.nas.strategy._rl_impl import TuningTrajectoryGenerator

from autodl.search.history import Observation
from autodl.search.nni.chance import seeded
from autodl.search.nni.engine import FlatSpace, Handout
from autodl.search.nni.translation import Sample, Translation
from autodl.search.nni.tuners import loss_of
from autodl.search.space import Config

Lesson = tuple[Config, float]


class Pupil:
    """The policy and what it was taught so far."""

    def __init__(self, space: Translation, seed: int) -> None:
        self.space, self.seed = space, seed
        self.lessons: list[Lesson] = []
        self.model_space = FlatSpace.of(space)
        with _alone(seed):
            self.strategy = PolicyBasedRL()
            self.strategy.initialize(self.model_space, Handout(space, [], 0))
            self.strategy._policy.train()

    def ask(self, history: Sequence[Observation], n: int, seed: int) -> list[Config]:
        """At most ``n`` architectures written by the policy that were not tried."""
        engine = Handout(self.space, [o.config for o in history], n)
        with _alone(seed):
            while engine.budget_available():
                written = TuningTrajectoryGenerator(self.model_space, self.strategy._policy).next_sample()
                engine.submit_models(self.model_space.freeze(written))
        return engine.configs

    def follows(self, lessons: Sequence[Lesson]) -> bool:
        """Whether these lessons go on from those it had."""
        return self.lessons == list(lessons[: len(self.lessons)])

    def teach(self, lessons: Sequence[Lesson]) -> None:
        """Take the lessons that are new."""
        for config, loss in lessons[len(self.lessons) :]:
            with _alone(self.seed + 1 + len(self.lessons)):
                forced = _Forced(self.strategy._policy, self.space.sample(config), list(self.space.columns))
                generator = TuningTrajectoryGenerator(self.model_space, lambda env, p=forced: p)
                generator.next_sample()
                self.strategy._add_trajectory(generator.send_reward(-loss))
            self.lessons.append((config, loss))


class _Forced:
    """The policy made to write a given sample, so that its result can be learnt from."""

    def __init__(self, policy: Any, sample: Sample, names: Sequence[str]) -> None:
        self.policy, self.actions = policy, iter([sample[n] for n in names])
        self.map_action = policy.map_action

    def __call__(self, batch: Any, state: Any) -> Any:
        result = self.policy(batch, state)
        result.act = torch.full_like(torch.as_tensor(result.act), next(self.actions))
        return result


def lessons_of(history: Sequence[Observation]) -> list[Lesson]:
    """What there is to learn, in the order of the trials."""
    return [(o.config, loss) for o in history if (loss := loss_of(o)) is not None]


@contextmanager
def _alone(seed: int) -> Iterator[None]:
    """One thread, and random states that are as before afterwards."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # more only wait for each other in so small a network
    try:
        with torch.random.fork_rng(devices=[]), seeded(seed % 2**32):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)
