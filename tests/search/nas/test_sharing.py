"""When shared weights are trained, what they propose, and when that is dropped; as a function of the history."""

import itertools
import time

import numpy as np
import pandas as pd
import pytest
from toy_families import make_loop

from autodl.clock import NEVER, Deadline
from autodl.events import Note
from autodl.models.base import Shape, families
from autodl.records import Cost, FamilyPlan, Proposal, Recipe, TableSchema, Task, TrialResult, TrialSpec, TrialStatus
from autodl.records.origins import INHERITED, REPEAT, SUPERNET
from autodl.records.shared_weights import sentence, trust
from autodl.search.allocation import Allocation
from autodl.search.architecture import Architecture
from autodl.search.budget import Budget
from autodl.search.costs import CostModel
from autodl.search.job import TrialData, TrialOutcome
from autodl.search.loop import SearchState
from autodl.search.memory import MemoryModel
from autodl.search.nas.ranking import BEST, evolve, in_order
from autodl.search.nas.sharing import can_share, full_proposals, largest, shared_choices, sharing_steps
from autodl.search.runners.inline import InlineRunner
from autodl.search.space import SearchSpace, family_space, parse_space
from autodl.search.strategies.base import strategies

FAMILY = next(key for key in families if families[key].shares)
SPACE = parse_space(
    {
        "params": {
            "depth": {"type": "int", "low": 1, "high": 3, "default": 2},
            "width": {"type": "choice", "values": [16, 32, 64], "default": 32},
            "lr": {"type": "float", "low": 0.001, "high": 0.01, "log": True, "default": 0.003},
        },
        "portfolio": [{}, {"width": 64}],
        "nas": ["depth", "width"],
    }
)


def result(number: int, origin: str, config: dict, loss: float | None, **more: object) -> TrialResult:
    status = TrialStatus.OK if loss is not None else TrialStatus.STOPPED
    spec = TrialSpec(id=f"t{number:04d}", family=FAMILY, config=config, origin=origin)
    return TrialResult(spec=spec, status=status, loss=loss, fold_losses=() if loss is None else (loss,), **more)


def listed_trials() -> list[TrialResult]:
    starts = SPACE.starts()
    return [result(1, "default", starts[0], 0.5), result(2, "portfolio", starts[1], 0.4)]


def proposal(depth: int, width: int, loss: float) -> Proposal:
    return Proposal(config=SPACE.complete({"depth": depth, "width": width}), loss=loss)


STARTS = ((2, 32), (2, 64))
PROPOSALS = tuple(
    proposal(depth, width, i / 10)
    for i, (depth, width) in enumerate(itertools.product((1, 2, 3), (16, 32, 64)))
    if (depth, width) not in STARTS
)
RANKING = result(3, SUPERNET, SPACE.starts()[1], None, proposals=PROPOSALS, reached=0.0)


def allocation(mode: str = "supernet") -> Allocation:
    plan = FamilyPlan(key=FAMILY, name="x", recipe=Recipe(), est_seconds=1.0, est_bytes=1e6, why="")
    return Allocation((plan,), {FAMILY: SPACE}, strategies["random"](0), 0, Architecture(mode))


def bare_data() -> TrialData:
    recipes = {FAMILY: Recipe()}
    rows = np.arange(10)
    frame = pd.DataFrame(index=rows)
    schema = TableSchema(columns=())
    return TrialData(frame, np.zeros(10), frame, ((rows, rows),), schema, Task.REGRESSION, 0, "rmse", recipes)


def trained(n: int, losses: list[float]) -> list[TrialResult]:
    history = [*listed_trials(), RANKING]
    for i in range(n):
        history.append(result(4 + i, INHERITED, PROPOSALS[i].config, losses[i]))
    return history


def test_the_choices_are_what_the_space_lists_and_single_values_elsewhere() -> None:
    found = shared_choices(FAMILY, SPACE, SPACE.starts()[0])
    assert found["depth"] == (1, 2, 3)
    assert found["width"] == (16, 32, 64)
    defaults = families[FAMILY].config()
    assert found["norm"] == (defaults.norm,)
    assert set(found) == set(families[FAMILY].shares)


def test_the_shipped_space_can_share_weights() -> None:
    space = family_space(FAMILY)
    assert can_share(FAMILY, space)
    found = shared_choices(FAMILY, space, space.starts()[0])
    assert all(len(values) > 1 for values in found.values())


def test_a_family_or_a_space_without_architectures_asks_for_nothing() -> None:
    assert not can_share(FAMILY, SearchSpace(params=SPACE.params))
    assert list(sharing_steps(FAMILY, SearchSpace(params=SPACE.params), listed_trials(), [])) == []
    other = next(key for key in families if not families[key].shares)
    assert not can_share(other, SPACE)


def test_weights_are_shared_once_the_first_trials_say_what_networks_have_in_common() -> None:
    assert list(sharing_steps(FAMILY, SPACE, listed_trials()[:1], [])) == []
    steps = list(sharing_steps(FAMILY, SPACE, listed_trials(), []))
    assert steps == [(SUPERNET, SPACE.starts()[1])]  # the better one
    running = [TrialSpec(id="t0003", family=FAMILY, config=SPACE.starts()[1], origin=SUPERNET)]
    assert list(sharing_steps(FAMILY, SPACE, listed_trials(), running)) == []


def test_proposals_come_in_order_each_once() -> None:
    history = trained(2, [0.3, 0.31])
    running = [TrialSpec(id="t0006", family=FAMILY, config=PROPOSALS[2].config, origin=INHERITED)]
    steps = list(sharing_steps(FAMILY, SPACE, history, running))
    assert [c for _, c in steps] == [p.config for p in PROPOSALS[3:]]
    assert {origin for origin, _ in steps} == {INHERITED}


def test_a_failed_training_of_shared_weights_is_not_repeated() -> None:
    failed = result(3, SUPERNET, SPACE.starts()[0], None).model_copy(update={"status": TrialStatus.FAILED})
    assert list(sharing_steps(FAMILY, SPACE, [*listed_trials(), failed], [])) == []


def test_a_poor_correlation_drops_the_rest_and_is_told() -> None:
    good, bad = trained(5, [0.1, 0.2, 0.3, 0.4, 0.5]), trained(5, [0.5, 0.4, 0.3, 0.2, 0.1])
    assert trust(FAMILY, trained(4, [0.5, 0.4, 0.3, 0.2])).correlation is None
    assert trust(FAMILY, good).correlation == pytest.approx(1.0)
    assert trust(FAMILY, bad).correlation == pytest.approx(-1.0)
    assert list(sharing_steps(FAMILY, SPACE, good, []))
    assert list(sharing_steps(FAMILY, SPACE, bad, [])) == []
    assert "dropped" in sentence("Nets", trust(FAMILY, bad))
    assert "dropped" not in sentence("Nets", trust(FAMILY, good))
    assert sentence("Nets", trust(FAMILY, trained(2, [0.1, 0.2]))) == ""


def test_a_network_that_was_tried_on_further_splits_counts_once_in_what_is_told() -> None:
    seen: list[object] = []
    loop = make_loop(Budget(float("inf"), time.time()), keys=(FAMILY,), space=SPACE, listener=seen.append)
    *before, last = trained(5, [0.1, 0.2, 0.3, 0.4, 0.5])
    again = before[-1].spec.model_copy(update={"id": "t0009", "origin": REPEAT, "repeats": "t0007", "split": 1})
    state = SearchState(finished=[*before, before[-1].model_copy(update={"spec": again})])
    loop._record(TrialOutcome(last), state, InlineRunner(bare_data()))
    assert [event.text for event in seen if isinstance(event, Note)] == [
        sentence(families[FAMILY].name, trust(FAMILY, [*before, last]))
    ]


def test_equal_losses_are_no_reason_for_trust() -> None:
    assert trust(FAMILY, trained(5, [0.2] * 5)).poor


def test_the_search_hands_out_the_job_then_its_proposals_then_the_strategy() -> None:
    search, history, origins = allocation(), listed_trials(), []
    for number in range(3, 3 + 1 + len(PROPOSALS) + 2):
        spec = search.next(history, [], lambda s: True)
        assert spec is not None
        assert spec.id == f"t{number:04d}"
        origins.append(spec.origin)
        if spec.origin == SUPERNET:
            history.append(RANKING)
        else:
            inherited = next((p.loss for p in PROPOSALS if p.config == spec.config), 1.0)
            history.append(result(number, spec.origin, spec.config, 0.2 + inherited))
    assert origins == [SUPERNET, *[INHERITED] * len(PROPOSALS), "random", "random"]


def test_the_same_history_asks_for_the_same_and_joint_search_never_shares() -> None:
    history = trained(3, [0.1, 0.2, 0.3])
    assert allocation().next(history, [], lambda s: True) == allocation().next(history, [], lambda s: True)
    spec = allocation("joint").next(listed_trials(), [], lambda s: True)
    assert spec is not None
    assert spec.origin == "random"


def test_a_ranking_is_no_trial_of_the_strategy() -> None:
    seen = []

    class Spy(strategies["random"]):
        def ask(self, space, history, n, rng):
            seen.extend(history)
            return super().ask(space, history, n, rng)

    search = Allocation(allocation().families, {FAMILY: SPACE}, Spy(0), 0, Architecture("supernet"))
    search.next(trained(5, [0.5, 0.4, 0.3, 0.2, 0.1]), [], lambda s: True)
    assert len(seen) == 2 + 5


def test_its_seconds_say_nothing_about_single_trials() -> None:
    costs = CostModel(Shape(1000, 10, classes=2), 5)
    spec = TrialSpec(id="t0009", family=FAMILY, config=SPACE.starts()[0])
    slow = RANKING.model_copy(update={"cost": Cost(fit_s=1e4)})
    assert costs.estimate(spec, [slow]) == costs.estimate(spec, [])
    whole = costs.raw(spec)
    job = costs.raw(spec.model_copy(update={"origin": SUPERNET}))
    assert 0 < job < 3 * whole


def test_a_job_that_ran_out_of_time_says_nothing_about_single_trials() -> None:
    costs = CostModel(Shape(1000, 10, classes=2), 5)
    spec = TrialSpec(id="t0009", family=FAMILY, config=SPACE.starts()[0])
    cost = Cost(fit_s=1e4, peak_bytes=10**10)
    late = RANKING.model_copy(update={"status": TrialStatus.TIMEOUT, "cost": cost, "proposals": ()})
    assert costs.estimate(spec, [late]) == costs.estimate(spec, [])


def test_the_memory_of_shared_weights_is_that_of_the_largest_network_and_tells_nothing_of_others() -> None:
    sizes = {"depth": 3, "width": 64}
    config = SPACE.complete({"depth": 1, "width": 16})
    assert largest(config, {"depth": (3, 1), "width": (16, 64)}, lambda c: c["depth"] * c["width"]) == config | sizes
    memory = MemoryModel(Shape(1000, 10, classes=2), bare_data(), spaces={FAMILY: SPACE})
    spec = TrialSpec(id="t0009", family=FAMILY, config=config)
    job = spec.model_copy(update={"origin": SUPERNET})
    assert memory.raw(job) == memory.raw(spec.model_copy(update={"config": config | sizes})) > memory.raw(spec)
    hungry = RANKING.model_copy(update={"cost": Cost(fit_s=1.0, peak_bytes=10**10)})
    assert memory.estimate(spec, [hungry]) == memory.estimate(spec, [])


def test_proposals_are_full_configurations_each_once() -> None:
    params = {
        "depth": {"type": "int", "low": 1, "high": 3, "default": 2},
        "residual": {"type": "choice", "values": [True, False], "default": True},
        "bins": {"type": "int", "low": 2, "high": 4, "when": {"depth": ">= 2"}},
    }
    space = parse_space({"params": params, "nas": ["depth"]})
    common = {"depth": 2, "residual": False, "bins": 3}
    raw = (
        Proposal(config={**common, "depth": 1}, loss=0.1),
        Proposal(config={"depth": 1, "residual": False, "bins": 4}, loss=0.2),
        Proposal(config={**common, "depth": 3}, loss=0.3),
    )
    full = full_proposals(result(3, SUPERNET, common, None, proposals=raw), space)
    assert [(p.config, p.loss) for p in full.proposals] == [
        ({"depth": 1, "residual": False}, 0.1),
        ({"depth": 3, "residual": False, "bins": 3}, 0.3),
    ]


def test_widths_that_shared_weights_do_not_have_are_in_no_proposal() -> None:
    space = family_space(FAMILY)
    best = space.complete({"depth": 3, "width_shape": "free", "width_2": 64})
    history = [result(1, "default", space.starts()[0], 0.5), result(2, "tpe", best, 0.4)]
    ((origin, common),) = sharing_steps(FAMILY, space, history, [])
    assert origin == SUPERNET
    assert common == space.complete({**best, "width_shape": "constant"})
    shallow = space.complete({**best, "depth": 1})
    wide = space.model_copy(update={"params": {**space.params, "width_shape": space.params["width_shape"].model_copy(
        update={"default": "funnel"})}})  # fmt: skip
    ranking = result(3, SUPERNET, shallow, None, proposals=(Proposal(config={**shallow, "depth": 3}, loss=0.1),))
    assert full_proposals(ranking, wide).proposals[0].config["width_shape"] == "constant"


def test_a_space_with_one_network_or_without_those_that_share_has_nothing_to_compare() -> None:
    def space(**more: object) -> SearchSpace:
        params = {"depth": {"type": "int", "low": 2, "high": 2}, "lr": {"type": "float", "low": 0.001, "high": 0.01}}
        return parse_space({"params": {**params, **more}, "nas": [n for n in ("depth", *more) if n != "width_shape"]})

    assert not can_share(FAMILY, space())
    assert not can_share(FAMILY, space(norm={"type": "choice", "values": ["batch"]}))
    norms = {"type": "choice", "values": ["batch", "none"]}
    assert can_share(FAMILY, space(norm=norms))
    assert not can_share(FAMILY, space(norm=norms, width_shape={"type": "choice", "values": ["funnel"]}))


def test_a_child_is_no_trial_of_the_strategy_nor_a_check_of_the_ranking() -> None:
    history = trained(2, [0.3, 0.31])
    child = result(9, "pbt", PROPOSALS[4].config, 0.01)
    child = child.model_copy(update={"spec": child.spec.model_copy(update={"parent": "t0001"})})
    assert trust(FAMILY, [*history, child]) == trust(FAMILY, history)
    seen: list[list[object]] = []

    class Spy(strategies["random"]):
        def ask(self, space, history, n, rng):
            seen.append([o.config for o in history])
            return [child.spec.config, *super().ask(space, history, n, rng)]

    search = Allocation(allocation().families, {FAMILY: SPACE}, Spy(0), 0, Architecture("joint"))
    for finished, running in (([*history, child], []), (history, [child.spec])):
        spec = search.next(finished, running, lambda s: True)
        assert spec is not None
        assert spec.config != child.spec.config  # nothing is trained twice
        assert len(seen[-1]) == 4
        assert child.spec.config not in seen[-1]


def test_evolution_over_inherited_losses_finds_the_best_of_many() -> None:
    choices = {f"c{i}": tuple(range(5)) for i in range(6)}
    scored = evolve(
        lambda c: float(sum((int(v or 0) - 3) ** 2 for v in c.values())), choices, np.random.default_rng(0), NEVER
    )
    assert len(scored) <= 300
    assert len({tuple(c.items()) for c, _ in scored}) == len(scored)
    assert min(v for _, v in scored) <= 1  # of 15,625 networks


def test_evolution_ends_with_the_time_and_with_a_small_space() -> None:
    assert evolve(lambda c: 0.0, {"a": (1, 2)}, np.random.default_rng(0), Deadline(0.0)) == []
    few = evolve(lambda c: float(c["a"] or 0), {"a": (1, 2, 3)}, np.random.default_rng(0), NEVER)
    assert sorted(v for _, v in few) == [1.0, 2.0, 3.0]


def test_networks_without_a_finite_loss_are_not_proposed() -> None:
    scored = evolve(lambda c: float("nan") if c["a"] == 1 else 1.0, {"a": (1, 2)}, np.random.default_rng(0), NEVER)
    assert scored == [({"a": 2}, 1.0)]


def test_the_proposals_are_the_best_and_two_middling_ones_among_the_first_five() -> None:
    scored = [({"a": i}, float(i)) for i in np.random.default_rng(0).permutation(101)]
    order = [v for _, v in in_order(scored)]
    assert order[0] == 0
    assert sorted(order)[:BEST] == list(range(BEST))
    assert len(order) == BEST + 2
    assert max(order[:5]) >= 50  # else a good ranking would show no correlation


def test_of_networks_with_equal_losses_one_is_proposed() -> None:
    assert len(in_order([({"a": i}, float(i // 2)) for i in range(8)])) == 4
    assert in_order([]) == []


def test_the_plan_says_whose_architectures_share_weights_and_when_none_can() -> None:
    from autodl.options import FitOptions
    from autodl.planning.searching import _nas

    deep = [key for key in families if family_space(key).nas]
    other = next(key for key in deep if not families[key].shares)
    plans = {
        key: FamilyPlan(key=key, name=families[key].name, recipe=Recipe(), est_seconds=1.0, est_bytes=1e6, why="")
        for key in deep
    }
    spaces = {key: family_space(key) for key in deep}
    mode, options = Architecture("supernet"), FitOptions(nas="supernet")
    both = _nas(mode, options, [plans[FAMILY], plans[other]], spaces)
    assert families[FAMILY].name in both.choice
    assert families[other].name not in both.choice
    alone = _nas(mode, options, [plans[other]], spaces)
    assert "together with all other settings" in alone.choice
    assert "share weights" in alone.why
