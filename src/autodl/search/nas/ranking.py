"""The job of weight sharing: train all networks as one, rank them by inherited weights, propose the best."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from autodl.clock import Deadline
from autodl.models.base import Meta, families
from autodl.records import Cost, JsonScalar, Proposal, TrialResult, TrialStatus
from autodl.search.fold_model import split_config, trial_recipe
from autodl.search.history import Observation
from autodl.search.job import Job, Tell, TrialData, TrialOutcome
from autodl.search.param import Param
from autodl.search.prepared import PreparedFolds
from autodl.search.space import Config, SearchSpace
from autodl.search.strategies.evolution import Evolution
from autodl.search.trial_scores import TrialScores

CANDIDATES = 300
"""Networks that are scored."""
AT_A_TIME = 10
"""Networks that evolution proposes before it sees their losses."""
TRAINING = 0.8
"""Share of the time for training; scoring has the rest."""
BEST = 6
"""Networks proposed from the top of the ranking."""
MIDDLING = (0.25, 0.5)
"""Quantiles of the ranking that are proposed as well, so that its correlation can be checked."""


def rank_networks(job: Job, data: TrialData, cache: PreparedFolds, deadline: Deadline, tell: Tell) -> TrialOutcome:
    """Train shared weights on the first fold, score networks on its validation rows, propose some.

    A target transform or a balancing of classes that the configuration asks for is left out: it changes the losses of
    all networks alike.

    Args:
        job: The common configuration, and the ``choices``.
        data: Rows and folds. cache: prepared features.
        deadline: When the job must end. tell: is told each step before it begins.

    Raises:
        TimeoutError: If there was no time to train.
    """
    assert job.choices is not None
    spec, begun = job.spec, time.perf_counter()
    tell("preparing the columns for shared weights")
    train, valid = data.folds[0]
    ready = cache.get(trial_recipe(spec, data), 0, deadline)
    own, _ = split_config(spec.config)
    family = families[spec.family]()
    meta = Meta(
        data.task, data.n_classes, seed=spec.seed, threads=data.threads, metric=data.metric, quantiles=data.quantiles
    )
    network = family.share_weights(family.config(**own), meta, job.choices)
    tell("training networks with shared weights")
    network.train(
        ready.train,
        data.y[train],
        Deadline.after(TRAINING * deadline.left()).earlier(deadline),
        data.weight_of(train),
    )
    tell("comparing networks with shared weights")
    scorer, scores = network.scorer(ready.valid), TrialScores(data)

    def loss(values: Config) -> float:
        predicted = scorer.predict(values)
        return scores.fold(valid[: len(predicted)], predicted)

    scored = evolve(loss, job.choices, np.random.default_rng(spec.seed), deadline)
    proposals = tuple(Proposal(config={**spec.config, **values}, loss=value) for values, value in in_order(scored))
    # No model of its own comes of it: `reached` 0 keeps its seconds out of the estimates for single trials.
    result = TrialResult(
        spec=spec,
        status=TrialStatus.STOPPED,
        cost=Cost(fit_s=time.perf_counter() - begun),
        reached=0.0,
        proposals=proposals,
    )
    return TrialOutcome(result)


def evolve(
    loss: Callable[[Config], float],
    choices: Mapping[str, Sequence[JsonScalar]],
    rng: np.random.Generator,
    deadline: Deadline,
    candidates: int = CANDIDATES,
) -> list[tuple[Config, float]]:
    """Regularized evolution over the choices; each network once, until the deadline.

    Args:
        loss: Of a network with inherited weights; cheap.
        choices: Values of each choice.
        rng: Randomness. deadline: checked between networks. candidates: how many at most.

    Returns:
        Networks with finite losses in the order of their evaluation.
    """
    space = SearchSpace(params={name: Param(type="choice", values=tuple(values)) for name, values in choices.items()})
    strategy, seen = Evolution(), list[Observation]()
    while len(seen) < candidates and not deadline.passed():
        known = [o.config for o in seen]
        asked = strategy.ask(space, seen, AT_A_TIME, rng)
        fresh = [c for i, c in enumerate(asked) if c not in known and c not in asked[:i]]
        if not fresh:  # a small space: all of it is known
            break
        for config in fresh:
            if deadline.passed():
                break
            value = loss(config)
            seen.append(Observation(config, "ok" if np.isfinite(value) else "failed", value))
    return [(o.config, o.loss) for o in seen if o.status == "ok" and o.loss is not None]


def in_order(scored: Sequence[tuple[Config, float]]) -> list[tuple[Config, float]]:
    """What to train on its own: the best and, in between, middling ones that show what the ranking is worth.

    Networks with equal losses are the same function (the activation of a gated block is idle): one of them is enough.
    """
    ranked: list[tuple[Config, float]] = []
    for config, value in sorted(scored, key=lambda s: s[1]):
        if not ranked or value != ranked[-1][1]:
            ranked.append((config, value))
    best, rest = ranked[:BEST], ranked[BEST:]
    middling = [rest[round(q * (len(rest) - 1))] for q in MIDDLING] if rest else []
    # best, best, middling, best, middling, best, ...: five are enough for a look at the correlation.
    return best[:2] + middling[:1] + best[2:3] + middling[1:] + best[3:]
