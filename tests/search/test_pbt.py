"""Population based training of functions; fits are in ``test_pbt_fit.py``."""

import json
from dataclasses import replace

import numpy as np
import pytest

from autodl.errors import ConfigError
from autodl.search import optimize, parse_space
from autodl.search.fidelity import Fidelity
from autodl.search.history import Observation
from autodl.search.strategies.pbt import PBT

SPACE = {name: {"type": "float", "low": 0.0, "high": 1.0} for name in ("rate", "other")}


class Descent:
    """A distance that shrinks the faster the larger the rate is, down to a noise that grows with the rate.

    No constant rate does well; weights travel with ``call``.
    """

    def __init__(self):
        self.states, self.calls = {}, []

    @staticmethod
    def trained(distance, rate, steps):
        for _ in range(steps):
            distance = distance * (1 - 0.2 * rate) + 0.05 * rate**2
        return distance

    def __call__(self, config, fidelity, call):
        self.calls.append((call, fidelity))
        distance, done = self.states[call.source] if call.source is not None else (1.0, 0)
        assert fidelity > done
        distance = self.trained(distance, config["rate"], fidelity - done)
        self.states[call.number] = distance, fidelity
        return distance + config["other"] * 0.0


def searched(objective, strategy="pbt", seed=0, total=300, **more):
    return optimize(
        objective,
        SPACE,
        strategy=strategy,
        fidelity=(1, 30),
        max_fidelity_total=total,
        seed=seed,
        lineage=True,
        **more,
    )


def test_children_go_on_from_their_parents_and_only_new_fidelity_is_paid():
    objective = Descent()
    result = searched(objective)
    by_number = {e.number: e for e in result.history}
    children = [e for e in result.history if e.parent is not None and e.source is not None]
    assert len({e.trial for e in children}) >= 9
    for call, fidelity in objective.calls:
        e = by_number[call.number]
        assert e.source == call.source
        if call.source is None:
            assert fidelity == 3 and e.parent is None
        else:
            assert by_number[call.source].fidelity == fidelity - 3
    assert result.spent == 300 == 3 * len(result.history)


def test_the_worst_are_replaced_by_children_of_the_best():
    result = searched(Descent())
    for rung in range(3, 30, 3):
        here = {e.trial: e.loss for e in result.history if e.fidelity == rung}
        ranked = sorted(here, key=here.get)
        above = [e for e in result.history if e.fidelity == rung + 3]
        assert {e.trial for e in above if e.trial in here} == set(ranked[:8])
        born = [e for e in above if e.trial not in here]
        assert len(born) == 2
        assert all(e.parent in ranked[:2] for e in born)


def test_it_finds_a_schedule_that_no_constant_matches():
    constant = min(Descent.trained(1.0, rate, 30) for rate in np.linspace(0, 1, 1001))
    ours = [searched(Descent(), seed=s).best_loss for s in range(5)]
    assert np.mean(ours) < 0.9 * constant


def test_without_lineage_children_begin_anew_and_pay_for_it():
    result = optimize(
        lambda c, f: c["rate"] + 1 / f, SPACE, strategy="pbt", fidelity=(1, 30), max_fidelity_total=900, seed=1
    )
    assert all(e.source is None for e in result.history)
    assert any(e.parent is not None for e in result.history)
    assert result.spent == sum(e.fidelity for e in result.history) <= 900


def test_a_resumed_search_goes_on_as_if_it_had_not_stopped(tmp_path):
    journal = tmp_path / "search.jsonl"
    whole = searched(Descent(), journal=journal)
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(lines[:40]))
    objective = Descent()
    for e in whole.history:  # the states of a real objective lie on disk
        objective.states[e.number] = None
    again = Descent()
    searched(again)
    objective.states = again.states
    resumed = searched(objective, journal=journal)
    assert [(e.config, e.fidelity, e.parent, e.source) for e in resumed.history] == [
        (e.config, e.fidelity, e.parent, e.source) for e in whole.history
    ]


def test_several_workers_keep_the_population_together():
    def lossy(config, fidelity):
        if config["rate"] > 0.9:
            raise RuntimeError("no")
        return config["rate"] + 1 / fidelity

    result = optimize(lossy, SPACE, strategy="pbt", fidelity=(1, 30), max_fidelity_total=600, seed=2, workers=4)
    founders = [e for e in result.history if e.fidelity == 8 and e.parent is None]
    assert len(founders) == 600 // (8 + 15 + 22 + 30)
    assert max(e.fidelity for e in result.history) == 30


def test_architecture_is_inherited():
    space = {
        "params": {
            "lr": {"type": "float", "low": 1e-4, "high": 1.0, "log": True},
            "op": {"type": "choice", "values": ["a", "b", "c"]},
            "width": {"type": "int", "low": 8, "high": 512, "log": True},
            "batch": {"type": "choice", "values": [16, 32, 64, 128]},
        },
        "nas": ["op", "width"],
    }
    result = optimize(
        lambda c, f: c["lr"] + c["width"] / f, space, strategy="pbt", fidelity=(1, 10), max_fidelity_total=300
    )
    configs = {e.trial: e.config for e in result.history}
    children = [e for e in result.history if e.parent is not None]
    assert children
    for e in children:
        parent = configs[e.parent]
        assert (e.config["op"], e.config["width"]) == (parent["op"], parent["width"])
    changes = [e.config["lr"] / configs[e.parent]["lr"] for e in children]
    assert any(c == pytest.approx(0.8) for c in changes)
    assert any(c == pytest.approx(1.2) for c in changes)


def test_children_stay_on_the_steps_and_still_differ():
    space = parse_space(
        {
            "x": {"type": "float", "low": 0.0, "high": 1.0, "step": 0.25},
            "n": {"type": "int", "low": 8, "high": 64, "step": 8},
            "whole": {"type": "int", "low": 1, "high": 9},
            "log": {"type": "int", "low": 4, "high": 64, "log": True, "step": 8},
        }
    )
    parent = {"x": 0.5, "n": 32, "whole": 4, "log": 20}
    pbt, rng = PBT(), np.random.default_rng(0)
    pbt.resample = 0.0
    children = [pbt._perturbed(space, parent, rng, ()) for _ in range(40)]
    assert {c["x"] for c in children} == {0.25, 0.5 + 0.25}
    assert {c["n"] for c in children} == {24, 40}
    assert {c["whole"] for c in children} == {3, 5}
    assert {c["log"] for c in children} == {16, 24}  # a log scale has no steps
    ends = {"x": 1.0, "n": 8, "whole": 9, "log": 4}
    for child in (pbt._perturbed(space, ends, rng, ()) for _ in range(20)):
        assert all(space.params[k].allows(v) and type(v) is type(ends[k]) for k, v in child.items())


def test_architectures_alone_are_refused_in_one_line():
    space = {"params": {"op": {"type": "choice", "values": ["a", "b"]}}, "nas": ["op"]}
    with pytest.raises(ConfigError, match=r"'pbt' cannot search architectures: 'op'.*evolution"):
        optimize(lambda c, f: 0.0, space, strategy="pbt", max_evals=3)


def test_a_member_that_leads_for_certain_goes_on_while_others_run():
    space, strategy, span = parse_space(SPACE), PBT(), Fidelity(1, 10, True, "any")
    configs = [{"rate": i / 10, "other": 0.5} for i in range(10)]
    done = [Observation(c, "stopped", float(i), 1.0, curve=((1.0, float(i)),)) for i, c in enumerate(configs[:5])]
    history = [*done, *(Observation(c, "running", fidelity=1.0) for c in configs[5:])]
    step = strategy.step(space, history, span, 999.0, np.random.default_rng(0))
    assert step is not None
    assert (step.trial, step.fidelity) == (0, 2.0)
    # Of ten, eight stay: with five still out, places 1 to 3 are safe and the fourth has to wait.
    safe = [Observation(o.config, "running", fidelity=2.0, curve=o.curve) for o in done[:3]]
    assert strategy.step(space, [*safe, *history[3:]], span, 999.0, np.random.default_rng(0)) is None


@pytest.mark.parametrize(("total", "members"), [(90, 3), (150, 5), (299, 9), (900, 10)])
def test_the_population_is_small_enough_to_be_trained_to_the_end(total, members):
    history = searched(Descent(), total=total).history
    assert sum(e.fidelity == 3 and e.parent is None for e in history[: 2 * members]) == members
    assert max(e.fidelity for e in history) == 30


@pytest.mark.parametrize(("low", "high", "rungs"), [(1, 52, 10), (1, 3, 3), (5, 20, 9), (0.1, 1.0, 10), (2, 2, 1)])
def test_the_ladder_rises_to_the_full_fidelity(low, high, rungs):
    ladder = PBT().ladder(replace(Fidelity.of((low, high)), goes_on="any"))
    assert len(ladder) == rungs
    assert ladder[0] >= low
    assert ladder[-1] == high
    assert list(ladder) == sorted(set(ladder))


def test_history_as_a_table():
    space = {
        "a": {"type": "choice", "values": ["u", "v"]},
        "b": {"type": "int", "low": 1, "high": 3, "when": {"a": ["v"]}},
    }
    result = optimize(lambda c, f: {"u": 1.0}.get(c["a"], "no"), space, strategy="random", max_evals=8, seed=1)
    frame = result.to_frame()
    assert list(frame["config.a"]) == [e.config["a"] for e in result.history]
    assert (frame["config.b"].notna() == (frame["config.a"] == "v")).all()
    assert (frame.loc[frame["config.a"] == "u", "loss"] == 1.0).all()
    assert (frame.loc[frame["config.a"] == "v", "status"] == "failed").all()
    json.loads(frame.to_json())
