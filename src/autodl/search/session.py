"""Carries out the search that a plan asks for: runner, allocation, resumption."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from autodl.defaults import SEARCH
from autodl.events import Listener
from autodl.models.base import families
from autodl.records import TrialResult, TrialSpec
from autodl.search.allocation import Allocation
from autodl.search.architecture import Architecture
from autodl.search.breeding import Breeding
from autodl.search.budget import Budget
from autodl.search.costs import CostModel
from autodl.search.first_training import Loading
from autodl.search.loop import SMALL_SHARE, SearchLoop, SearchState
from autodl.search.memory import MemoryModel
from autodl.search.patience import Compare, Patience
from autodl.search.promotion import Promotions
from autodl.search.repeats import Repeats
from autodl.search.reserve import Explained, Likely, Reserve
from autodl.search.row_rungs import RowRungs
from autodl.search.runners.base import Runner
from autodl.search.runners.inline import InlineRunner
from autodl.search.runners.making import make_runner
from autodl.search.setup import SearchSetup
from autodl.search.strategies.base import strategies
from autodl.search.strategies.pbt import PBT
from autodl.search.trial import TrialOutcome

QUICK_SHARE = 0.12
"""Of the budget, for the first trial of a family: those that take longer wait for the others."""


WORTH_GROWTH = 1.1
"""A training on all rows must bring so many times those that the model had, after first passes on a part of them."""


class FoldModels(Protocol):
    """Where the fold models of finished trials lie."""

    def has_models(self, result: TrialResult) -> bool:
        """Whether they are there."""

    def fold_models(self, result: TrialResult) -> tuple[bytes, ...]:
        """All of them; empty if one cannot be read."""


def refit_seconds(
    setup: SearchSetup, finished: Sequence[TrialResult], n_rows: int, threads: int | None = None
) -> dict[str, float]:
    """Estimated seconds to train each finished trial's configuration once on ``n_rows`` rows, by trial id.

    Args:
        setup: The problem. finished: Trials. n_rows: Of the training.
        threads: That it may use; None: all cores.
    """
    costs, growth = setup.costs(threads), setup.growth(n_rows)
    return {r.spec.id: costs.refit(r, growth) for r in finished if r.ok}


def further_seconds(
    setup: SearchSetup, finished: Sequence[TrialResult], n_rows: int, threads: int | None = None
) -> dict[str, float]:
    """Estimated seconds to let the fold's model of a trial go on learning from ``n_rows`` rows, where it can.

    See ``refit_seconds`` for the arguments.
    """
    costs, growth = setup.costs(threads), setup.growth(n_rows)
    found = {r.spec.id: costs.further(r, growth) for r in finished if r.ok}
    return {key: seconds for key, seconds in found.items() if seconds is not None}


def nearly_all_rows(setup: SearchSetup, finished: Sequence[TrialResult], n_rows: int) -> list[str]:
    """Ids of trials to whose models a training on all ``n_rows`` rows would add next to nothing.

    None where every trial has the same rows: there, the time for it was kept.
    """
    if setup.plan.scout is None:
        return []
    growth = setup.growth(n_rows)
    return [r.spec.id for r in finished if r.ok and growth < WORTH_GROWTH * (r.spec.fidelity or 1.0)]


def refit_bytes(setup: SearchSetup, finished: Sequence[TrialResult], n_rows: int) -> dict[str, float]:
    """Estimated bytes that training a finished trial's configuration on ``n_rows`` rows adds, by trial id."""
    memory, growth = MemoryModel(setup.shape, setup.data), setup.growth(n_rows)
    whole = {r.spec.id: r.spec.model_copy(update={"fidelity": None}) for r in finished if r.ok}
    return {key: growth * memory.estimate(spec, finished) for key, spec in whole.items()}


def run_search(
    setup: SearchSetup,
    budget: Budget,
    done: Sequence[TrialResult],
    store: Callable[[TrialOutcome], TrialResult],
    listener: Listener,
    stop: threading.Event,
    n_rows: int,
    *,
    resumed: bool = False,
    models: FoldModels | None = None,
    likely: Likely | None = None,
    compare: Compare | None = None,
    explained: Explained | None = None,
) -> SearchState:
    """Search until the budget's search share is spent.

    Args:
        setup: The problem.
        budget: The clock of the whole run.
        done: Trials finished by an earlier, interrupted run.
        store: Makes an outcome durable.
        listener: Is told of each trial.
        stop: Ends the search early when set.
        n_rows: Rows of the whole table, for the reserve.
        resumed: Whether an earlier run was interrupted; what ended it may be a trial that this one tries again.
        models: Where fold models lie, for networks that go on from those of others.
        compare: Measures what the later part of the search has gained, to end it where that is nothing; None to
            search until the time is up.
        likely: Looks up the members of the ensemble as it would be now; what their refits need is kept for them.
        explained: Estimates a full explanation of them; None where there will be none.
    """
    strategy, breeding = strategies[setup.plan.strategy](setup.plan.seed), None
    if isinstance(strategy, PBT) and models is not None:
        # Children of networks aside, the usual search goes on.
        breeding, strategy = Breeding(strategy, models.has_models), strategies[SEARCH](setup.plan.seed)
    costs = setup.costs()
    loading = Loading(budget.pace, 1 if setup.plan.runner == "inline" else setup.plan.workers, len(done))
    # Without a clock nothing may depend on measured seconds.
    seconds = None if budget.unlimited else _with_loading(costs, loading)
    rungs = RowRungs.of(setup.plan.scheduler, setup.shape.rows, len(setup.data.folds))
    promotions, memory = None, setup.memory()
    if setup.plan.scout is not None:
        promotions = Promotions(
            setup.plan.scout, memory.estimate, seconds, budget.left, memory.allowed, memory.spaces
        )  # fmt: skip
    loop = SearchLoop(
        allocation=Allocation(
            families=setup.plan.families,
            spaces=setup.spaces(),
            strategy=strategy,
            seed=setup.plan.seed,
            architecture=Architecture.of(setup.plan.nas, setup.plan.seed),
            reserved=setup.reserved,
            feasibility=setup.feasibility,
            breeding=breeding,
            rungs=rungs,
            promotions=promotions,
            repeats=Repeats(1 + len(setup.data.further), timed=not budget.unlimited),
            seconds=seconds,
            quick_s=QUICK_SHARE * budget.total_s,
        ),
        costs=costs,
        budget=budget,
        reserve=Reserve(setup, budget, n_rows, likely, setup.plan.runner != "inline", explained),
        store=store,
        listener=listener,
        scheduler=setup.plan.scheduler,
        max_trials=setup.max_trials,
        memory=memory,
        parents=lambda result: () if models is None else models.fold_models(result),
        patience=_patience(setup, budget, compare),
        loading=loading,
    )
    if resumed and _is_over(loop, done):
        # Worker processes would only be waited for.
        runner: Runner = InlineRunner(setup.data)
    else:
        runner = make_runner(setup.plan, setup.data, setup.address, budget, listener, resumed=resumed)
    try:
        return loop.run(runner, SearchState(finished=list(done)), stop)
    finally:
        runner.close()


def _is_over(loop: SearchLoop, done: Sequence[TrialResult]) -> bool:
    """Whether an earlier run has used up the budget, so that no trial can start."""
    if loop.max_trials is not None and len(done) >= loop.max_trials:
        return True
    has_model = any(r.ok and families[r.spec.family].complexity > 0 for r in done)
    return has_model and loop.budget.left() <= (1.0 - SMALL_SHARE) * loop.reserve(done)


def _with_loading(costs: CostModel, loading: Loading) -> Callable[[TrialSpec, Sequence[TrialResult]], float]:
    return lambda spec, finished: costs.estimate(spec, finished) + loading.seconds(spec, finished)


def _patience(setup: SearchSetup, budget: Budget, compare: Compare | None) -> Patience | None:
    """None where a number of trials was asked for: so many are made, if there is time for them."""
    if compare is None or budget.unlimited or setup.max_trials is not None:
        return None
    return Patience(compare, budget.total_s, kinds=sum(bool(space.params) for space in setup.spaces().values()))
