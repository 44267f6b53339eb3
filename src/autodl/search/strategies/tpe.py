"""Tree-structured Parzen estimator, by Optuna."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from autodl.search.history import Observation, failed_as_worst
from autodl.search.space import Config, Param, SearchSpace
from autodl.search.strategies.base import Strategy

if TYPE_CHECKING:
    import optuna


class TPE(Strategy):
    """Multivariate TPE over groups of parameters that are active together, with constant liar for running trials.

    Failed trials count as the worst. The study is rebuilt from the history at each ask, so that nothing is lost by a
    restart.
    """

    key: ClassVar[str] = "tpe"
    name: ClassVar[str] = "Bayesian search (TPE)"
    summary: ClassVar[str] = (
        "guesses where good settings lie, from the better and the worse trials; good for mixed settings"
    )
    paper: ClassVar[str] = "Bergstra et al., NeurIPS 2011; Falkner et al., ICML 2018 (multivariate)"

    n_startup: ClassVar[int] = 6
    """Random configurations before the model takes over; small, as the portfolio comes first."""

    def ask(
        self, space: SearchSpace, history: Sequence[Observation], n: int, rng: np.random.Generator
    ) -> list[Config]:
        """Sample ``n`` configurations from the ratio of the densities of good and bad trials."""
        if not space.params:
            return []
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        with warnings.catch_warnings():
            # `group` has been called experimental for years and is needed for conditional spaces.
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            # An end that no step reaches.
            warnings.filterwarnings("ignore", "The distribution is specified by", UserWarning)
            return self._ask(space, history, n, rng)

    def _ask(
        self, space: SearchSpace, history: Sequence[Observation], n: int, rng: np.random.Generator
    ) -> list[Config]:
        import optuna

        sampler = optuna.samplers.TPESampler(
            multivariate=True,
            group=True,
            constant_liar=True,
            n_startup_trials=self.n_startup,
            seed=int(rng.integers(2**31)),
        )
        study = optuna.create_study(sampler=sampler)
        known = {name: distribution(p) for name, p in space.params.items()}
        # What has losses at other fidelities only is good or bad; as a running trial it would count as bad.
        told = [o for o in history if _fits(space, o.config) and not (o.status == "running" and o.curve)]
        told = failed_as_worst(told)  # Optuna forgets what failed
        study.add_trials([_uncopied(_frozen(known, o)) for o in told])
        return [_suggest(space, study.ask()) for _ in range(n)]


def distribution(param: Param) -> optuna.distributions.BaseDistribution:
    """The Optuna form of a parameter."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if param.type == "choice":
        return CategoricalDistribution(param.values)
    assert param.low is not None and param.high is not None
    if param.type == "int":
        step = 1 if param.log else int(param.step or 1)
        return IntDistribution(int(param.low), int(param.high), log=param.log, step=step)
    return FloatDistribution(param.low, param.high, log=param.log, step=None if param.log else param.step)


def _fits(space: SearchSpace, config: Config) -> bool:
    return all(name in space.params for name in config)


def _frozen(
    known: Mapping[str, optuna.distributions.BaseDistribution], seen: Observation
) -> optuna.trial.FrozenTrial:
    from optuna.trial import TrialState, create_trial

    state = {
        "ok": TrialState.COMPLETE,
        "stopped": TrialState.COMPLETE,
        "failed": TrialState.FAIL,
        "running": TrialState.RUNNING,
    }[seen.status]
    complete = state is TrialState.COMPLETE and seen.loss is not None and np.isfinite(seen.loss)
    params: dict[str, Any] = {name: _inside(known[name], value) for name, value in seen.config.items()}
    return create_trial(
        params=params,
        distributions={name: known[name] for name in params},
        value=seen.loss if complete else None,
        state=state if complete or state is not TrialState.COMPLETE else TrialState.FAIL,
    )


def _inside(known: optuna.distributions.BaseDistribution, value: Any) -> Any:
    """The value, which as the last one of many steps may lie beyond the end by rounding."""
    from optuna.distributions import FloatDistribution

    return min(value, known.high) if isinstance(known, FloatDistribution) else value


def _uncopied(trial: optuna.trial.FrozenTrial) -> optuna.trial.FrozenTrial:
    """The trial, which the study now takes over as it is.

    A study copies deeply what is added to it, which takes two thirds of the time of an ask with a long history. These
    trials are made for one ask, and nobody else has them.
    """
    vars(trial)["__deepcopy__"] = lambda memo: trial
    return trial


def _suggest(space: SearchSpace, trial: optuna.Trial) -> Config:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    config: Config = {}
    for name in space.order():
        if not space.active(name, config):
            continue
        known = distribution(space.params[name])
        if isinstance(known, CategoricalDistribution):
            config[name] = trial.suggest_categorical(name, known.choices)
        elif isinstance(known, IntDistribution):
            config[name] = trial.suggest_int(name, known.low, known.high, log=known.log, step=known.step)
        else:
            assert isinstance(known, FloatDistribution)
            config[name] = trial.suggest_float(name, known.low, known.high, log=known.log, step=known.step)
    return config
