"""NNI's tuners, each set back to where a history leaves it.

NNI's tuners are objects that live as long as the search. Here one is made anew for each ask and told the history, so
that a restart loses nothing. They keep what they gave out in private attributes, by the number of the trial; those
are filled in by hand, as a configuration of the history need not come from the tuner (portfolio, restart, repeats).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np

from autodl.search.encoding import Matrix
from autodl.search.history import Observation, failed_as_worst
from autodl.search.nni.chance import seeded
from autodl.search.nni.translation import Sample, Translation

if TYPE_CHECKING:
    from nni.algorithms.hpo.tpe_tuner import TpeTuner

Propose = Callable[[], Sample | None]
"""Gives the next sample, or None where there is none left."""

GP_WARM_UP, GP_STARTS, GP_RESTARTS = 1000, 3, 2
"""Points drawn, how many are improved on, fits of the kernel; with NNI's 100,000, 250 and 25 an ask takes minutes."""


def loss_of(seen: Observation) -> float | None:
    """The loss if there is a finite one."""
    return float(seen.loss) if seen.loss is not None and np.isfinite(seen.loss) else None


def told_tpe(space: Translation, history: Sequence[Observation], seed: int) -> TpeTuner:
    """NNI's Parzen estimator after a history; running trials count as the best loss, failed ones as the worst."""
    from nni.algorithms.hpo.tpe_tuner import TpeTuner

    tuner = TpeTuner("minimize", seed=seed)
    tuner.update_search_space(space.json)
    for i, seen in enumerate(failed_as_worst(history)):
        known = {(k,): v for k, v in space.existing(seen.config).items()}
        tuner.dedup.add_history(known)
        loss = loss_of(seen)
        if loss is None and seen.status != "running":
            continue
        tuner._running_params[i] = known
        if loss is not None:
            tuner.receive_trial_result(i, None, loss)
    return tuner


def tpe(space: Translation, history: Sequence[Observation], seed: int, search_seed: int) -> Propose:
    """Tree-structured Parzen estimator."""
    from nni import NoMoreTrialError

    tuner = told_tpe(space, history, seed)
    count = itertools.count(len(history))

    def propose() -> Sample | None:
        try:
            return dict(tuner.generate_parameters(next(count)))
        except NoMoreTrialError:
            return None

    return propose


def evolution(space: Translation, history: Sequence[Observation], seed: int, search_seed: int) -> Propose:
    """Naive evolution: the worse of two random members makes room for a mutant of the better one.

    Who met whom is a matter of chance, so the history is lived through again: the same seeds, the same encounters.
    """
    from nni.algorithms.hpo.evolution_tuner import EvolutionTuner

    tuner = EvolutionTuner("minimize")
    tuner.update_search_space(space.json)
    tuner.random_state = np.random.RandomState(search_seed)
    tuner.population.clear()  # its members were drawn before a seed could be given
    for _ in range(tuner.population_size):
        tuner._random_generate_individual()

    def born(number: int) -> Sample:
        if not tuner.population:
            tuner._random_generate_individual()
        return dict(tuner.generate_parameters(number))

    for i, seen in enumerate(history):
        with seeded(search_seed + 7919 * i):
            born(i)
        tuner.running_trials[i].config.update(_indexed(space, space.existing(seen.config)))
        loss = loss_of(seen)
        if loss is not None:
            tuner.receive_trial_result(i, None, loss)
        elif seen.status != "running":
            tuner.trial_end(i, False)
    tuner.random_state = np.random.RandomState(seed)
    count = itertools.count(len(history))

    def propose() -> Sample:
        number = next(count)
        with seeded(seed + number):
            return born(number)

    return propose


def anneal(space: Translation, history: Sequence[Observation], seed: int, search_seed: int) -> Propose:
    """Annealing (Hyperopt): points ever nearer to good ones."""
    from nni.algorithms.hpo.hyperopt_tuner import HyperoptTuner

    tuner = HyperoptTuner("anneal", "minimize")
    tuner.update_search_space(space.json)
    tuner.rval.rstate = np.random.RandomState(seed)
    for i, seen in enumerate(history):
        tuner.total_data[i] = _indexed(space, space.sample(seen.config))
        loss = loss_of(seen)
        if loss is not None:
            tuner.receive_trial_result(i, None, loss)
    count = itertools.count(len(history))
    return lambda: dict(tuner.generate_parameters(next(count)))


def gp(space: Translation, history: Sequence[Observation], seed: int, search_seed: int) -> Propose:
    """Gaussian process with one length scale, expected improvement; failed trials count as the worst."""
    from nni.algorithms.hpo.gp_tuner import GPTuner, util

    tuner = GPTuner("minimize", selection_num_warm_up=GP_WARM_UP, selection_num_starting_points=GP_STARTS)
    tuner._gp.n_restarts_optimizer = GP_RESTARTS
    tuner._random_state.seed(seed)
    tuner.update_search_space(space.json)
    met: list[Sample] = []
    for i, seen in enumerate(failed_as_worst(history)):
        loss, sample = loss_of(seen), space.sample(seen.config)
        if loss is not None and sample not in met:  # NNI prints a line about each repeat
            tuner.receive_trial_result(i, sample, loss)
            met.append(sample)
    count = itertools.count(len(history))

    def propose() -> Sample:
        from autodl.search.surrogate.threads import one_thread

        with one_thread(), patch.object(util, "minimize", _minimize):
            return dict(tuner.generate_parameters(next(count)))

    return propose


def _minimize(fun: Callable[[Matrix], Matrix], start: Matrix, bounds: Any, method: Any) -> Any:
    """What NNI means by its call of SciPy, which refuses its two-dimensional start and its losses in arrays."""
    from scipy.optimize import minimize

    def loss(x: Any) -> float:
        return float(np.ravel(fun(x))[0])

    found: Any = minimize(loss, np.ravel(start), bounds=bounds, method=method)
    found.fun = np.atleast_1d(found.fun)
    return found


def _indexed(space: Translation, sample: Sample) -> Sample:
    """The form in which NNI's older tuners keep choices."""
    return {k: {"_index": v, "_value": v} if k in space.places else v for k, v in sample.items()}
