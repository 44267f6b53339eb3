from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from autodl.errors import ConfigError, SearchError
from autodl.search import SearchResult, optimize, parse_space
from autodl.search.calling import takes_config_only
from autodl.search.fidelity import Fidelity
from autodl.search.history import Observation
from autodl.search.ledger import Ledger
from autodl.search.strategies.auto import Auto

SPACE = {
    "x": {"type": "float", "low": -5, "high": 10},
    "y": {"type": "float", "low": 0, "high": 15},
}
SMALL = {"a": {"type": "choice", "values": ["u", "v"]}, "b": {"type": "int", "low": 1, "high": 3}}


def branin(config, fidelity=None):
    """Global minimum 0.397887 (Surjanovic and Bingham, Virtual Library of Simulation Experiments)."""
    x, y = config["x"], config["y"]
    bowl = (y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6) ** 2
    return bowl + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


def curve(config, epochs):
    """A loss that falls with the epochs to a level and at a pace that depend on the configuration."""
    return branin(config) / 100 + 2.0 / epochs


def median_best(strategy, n=30, seeds=5, objective=branin, **more):
    return float(
        np.median(
            [
                optimize(objective, SPACE, strategy=strategy, max_evals=n, seed=s, **more).best_loss
                for s in range(seeds)
            ]
        )
    )


def test_result_holds_the_best_and_every_call():
    result = optimize(branin, SPACE, strategy="random", max_evals=12, seed=3)
    assert isinstance(result, SearchResult)
    assert len(result.history) == 12
    assert result.best_loss == min(e.loss for e in result.history)
    assert branin(result.best_config) == result.best_loss
    assert result.spent == 12
    assert "12 evaluations" in result.ended


@pytest.mark.parametrize("strategy", ["auto", "tpe", "evolution", "sobol", "cmaes"])
def test_the_same_seed_gives_the_same_search(strategy):
    first, second, other = (
        [e.config for e in optimize(branin, SPACE, strategy=strategy, max_evals=14, seed=s).history]
        for s in (1, 1, 2)
    )
    assert first == second
    assert first != other


@pytest.mark.slow
def test_auto_finds_the_minimum_of_branin():
    """Random search needs thousands of evaluations for this; the known minimum is 0.397887."""
    assert median_best("auto", n=35, seeds=3) < 0.397887 + 0.05
    assert median_best("random", n=35) > 0.397887 + 0.2


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["tpe", "cmaes", "evolution"])
def test_model_based_strategies_beat_random(strategy):
    n = 60 if strategy != "tpe" else 40
    assert median_best(strategy, n=n) < median_best("random", n=n)


@pytest.mark.slow
def test_auto_beats_random_on_choices():
    """Six choices of five: a sum with two interactions; the best of 15,625 is known by construction."""
    space = {f"c{i}": {"type": "choice", "values": list("abcde")} for i in range(6)}
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(6, 5))

    def loss(config, fidelity):
        codes = ["abcde".index(config[f"c{i}"]) for i in range(6)]
        return (
            sum(weight[i, c] for i, c in enumerate(codes))
            + 2.0 * (codes[0] == codes[1])
            - 1.0 * (codes[2] != codes[5])
        )

    def best(strategy, seed):
        return optimize(loss, space, strategy=strategy, max_evals=45, seed=seed).best_loss

    assert np.mean([best("auto", s) for s in range(2)]) < min(best("random", s) for s in range(6))


def test_grid_tries_everything_once_and_ends():
    result = optimize(lambda c, f: c["b"], SMALL, strategy="grid", max_evals=99)
    assert len(result.history) == 6
    assert len({json.dumps(e.config) for e in result.history}) == 6
    assert "nothing more to try" in result.ended


def test_auto_exhausts_a_small_space_without_repeats_first():
    result = optimize(lambda c, f: c["b"], SMALL, max_evals=6, seed=1)
    assert len({json.dumps(e.config) for e in result.history}) == 6
    assert result.why


class TestFaults:
    def test_raising_and_nan_cost_their_trial_alone(self):
        calls = iter(range(1000))

        def moody(config, fidelity):
            n = next(calls)
            if n % 4 == 0:
                raise RuntimeError("no such\nluck")
            if n % 4 == 1:
                return float("nan")
            if n % 4 == 2:
                return "seven"
            return branin(config)

        result = optimize(moody, SPACE, max_evals=24)
        failed = [e for e in result.history if e.status == "failed"]
        assert len(failed) == 18
        assert {e.error.split(",")[0] for e in failed} == {
            "RuntimeError: no such luck",
            "the objective returned nan",
            "the objective must return a number",
        }
        assert math.isfinite(result.best_loss)

    def test_nothing_finite_is_one_clear_line(self):
        with pytest.raises(
            SearchError, match="none of 5 evaluations gave a finite loss; the first failed with: KeyError"
        ):
            optimize(lambda c, f: c["typo"], SPACE, max_evals=5)

    def test_a_hang_costs_its_trial_alone(self):
        def sticky(config, fidelity):
            if config["x"] > 4:
                time.sleep(60)
            return branin(config)

        began = time.monotonic()
        result = optimize(sticky, SPACE, strategy="sobol", max_evals=4, call_timeout=0.3)
        assert time.monotonic() - began < 30
        late = [e for e in result.history if e.config["x"] > 4]
        assert late
        assert all("given up" in e.error for e in late)
        assert result.best_config["x"] <= 4

    def test_a_hang_ends_with_the_time_budget(self):
        began = time.monotonic()
        with pytest.raises(SearchError, match="given up"):
            optimize(lambda c, f: time.sleep(60), SPACE, strategy="random", time_budget=1.0)
        assert time.monotonic() - began < 30

    def test_no_time_for_anything_is_told_as_that(self):
        with pytest.raises(SearchError, match=r"the time was over before the first evaluation.*Raise `time_budget`"):
            optimize(branin, SPACE, time_budget=1e-9)
        with pytest.raises(SearchError, match="the time was over before the first of 1 evaluations ended"):
            optimize(lambda c, f: time.sleep(60), SPACE, time_budget=0.3, call_timeout=50)

    def test_another_number_of_losses_costs_its_trial_alone(self):
        calls = []

        def forgetful(config, fidelity):
            calls.append(config)
            return [config["x"], config["y"]] if len(calls) % 3 else config["x"]

        result = optimize(forgetful, SPACE, strategy="nsga2", max_evals=40)
        assert len(result.history) == 40
        failed = [e for e in result.history if e.status == "failed"]
        assert len(failed) == 13
        assert {e.error for e in failed} == {"the objective returned 1 losses, but 2 before"}
        assert {len(e.losses) for e in result.history} == {0, 2}

    @pytest.mark.skipif(sys.platform == "win32", reason="no process groups")
    def test_what_the_objective_started_is_ended_with_it(self, tmp_path):
        import psutil

        note = tmp_path / "pid"

        def starts(config, fidelity):
            child = subprocess.Popen(["sleep", "300"])
            note.write_text(str(child.pid))
            time.sleep(300)

        with pytest.raises(SearchError):
            optimize(starts, SMALL, strategy="random", max_evals=1, runner="process", call_timeout=6)
        left = psutil.Process(int(note.read_text())) if psutil.pid_exists(int(note.read_text())) else None
        if left is not None and left.status() != psutil.STATUS_ZOMBIE:
            left.wait(10)

    def test_own_processes_are_ended_and_crashes_survived(self):
        def wild(config, fidelity):
            import os

            if config["a"] == "u" and config["b"] == 1:
                os._exit(7)
            if config["a"] == "u" and config["b"] == 2:
                time.sleep(60)
            print("noise on the output")
            return config["b"]

        # Starting a process takes longer than a call, and its time counts.
        result = optimize(wild, SMALL, strategy="grid", max_evals=6, runner="process", call_timeout=8, workers=2)
        errors = sorted(e.error.split(" s ")[0][:20] for e in result.history if e.status == "failed")
        assert len(errors) == 2
        assert errors[0].startswith("given up")
        assert errors[1].startswith("the process of the o")
        assert result.best_loss == 1

    def test_ctrl_c_passes(self):
        def stop(config, fidelity):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            optimize(stop, SPACE, max_evals=3)


class TestFidelity:
    @pytest.mark.parametrize("scheduler", ["none", "median", "asha", "hyperband", None])
    def test_the_sum_of_all_calls_stays_within_the_total(self, scheduler):
        asked = []

        def loss(config, epochs):
            asked.append(epochs)
            return curve(config, epochs)

        result = optimize(
            loss, SPACE, strategy="random" if scheduler else "auto", scheduler=scheduler, fidelity=(1, 27),
            max_fidelity_total=27 * 6,
        )  # fmt: skip
        assert sum(asked) <= 27 * 6
        assert result.spent == sum(asked)
        assert all(isinstance(e, int) and 1 <= e <= 27 for e in asked)
        assert 27 in asked
        full = [e for e in result.history if e.fidelity == 27]
        assert result.best_loss == min(e.loss for e in full)
        if scheduler not in ("none", "median"):
            assert len({e.trial for e in result.history}) > 6

    def test_resumable_objectives_pay_the_difference(self):
        kwargs = {"strategy": "random", "scheduler": "asha", "fidelity": (1, 27), "max_fidelity_total": 27 * 6}
        anew = optimize(curve, SPACE, **kwargs)
        going_on = optimize(curve, SPACE, resumable=True, **kwargs)
        assert len(going_on.history) > len(anew.history)
        per_trial = {}
        for e in going_on.history:
            per_trial[e.trial] = max(e.fidelity, per_trial.get(e.trial, 0))
        assert going_on.spent == sum(per_trial.values())

    @pytest.mark.slow
    def test_auto_with_fidelity_beats_random_search_at_equal_cost(self):
        kwargs = {"fidelity": (1, 27), "max_fidelity_total": 27 * 12}
        auto = [optimize(curve, SPACE, seed=s, **kwargs).best_loss for s in range(3)]
        random = [optimize(curve, SPACE, strategy="random", seed=s, **kwargs).best_loss for s in range(12)]
        assert np.mean(auto) < np.median(random)

    @pytest.mark.slow
    def test_auto_begins_with_little_only_where_means_are_scarce(self):
        scarce = optimize(curve, SPACE, fidelity=(1, 27), max_fidelity_total=27 * 5)
        ample = optimize(curve, SPACE, fidelity=(1, 27), max_fidelity_total=27 * 20)
        assert scarce.history[0].fidelity == 1
        assert max(e.fidelity for e in scarce.history) == 27
        assert {e.fidelity for e in ample.history} == {27}

    def test_bohb_brings_its_own_scheduler(self):
        result = optimize(curve, SPACE, strategy="bohb", fidelity=(1, 9), max_fidelity_total=90)
        assert {e.fidelity for e in result.history} == {1, 3, 9}


class TestSeveralLosses:
    def test_the_front_holds_what_nothing_beats(self):
        def two(config, fidelity):
            return [(config["x"] - 1) ** 2, (config["x"] - 3) ** 2 + config["y"]]

        result = optimize(two, SPACE, strategy="nsga2", max_evals=150, seed=1)
        assert len(result.front) >= 5
        for a in result.front:
            assert not any(
                all(v <= w for v, w in zip(b.losses, a.losses, strict=True)) and b.losses != a.losses
                for b in result.history
            )
        # The true front is x in [1, 3], y = 0.
        inside = np.mean([0.5 <= e.config["x"] <= 3.5 for e in result.front])
        assert inside > 0.8


class TestJournal:
    def test_goes_on_where_it_ended(self, tmp_path):
        path = tmp_path / "search.jsonl"
        whole = optimize(branin, SPACE, max_evals=14, seed=4)
        called = []

        def counted(config, fidelity):
            called.append(config)
            return branin(config)

        optimize(counted, SPACE, max_evals=9, seed=4, journal=path)
        with path.open("a") as file:
            file.write('{"number": 9, "tri')  # a crash in the middle of a line
        resumed = optimize(counted, SPACE, max_evals=14, seed=4, journal=path)
        assert len(called) == 14
        assert [e.config for e in resumed.history] == [e.config for e in whole.history]

    def test_another_search_is_refused(self, tmp_path):
        path = tmp_path / "search.jsonl"
        optimize(branin, SPACE, max_evals=2, journal=path)
        with pytest.raises(ConfigError, match="history of another search: seed differ"):
            optimize(branin, SPACE, max_evals=2, seed=9, journal=path)
        path.write_text("hello\n")
        with pytest.raises(ConfigError, match="is not a history of a search"):
            optimize(branin, SPACE, max_evals=2, journal=path)

    def test_calls_lost_with_a_search_keep_their_numbers(self, tmp_path):
        """The objective keeps its states under them."""
        path, states, wrong = tmp_path / "search.jsonl", {}, []

        def trained(config, fidelity, call):
            if call.source is not None and states[call.source][0] >= fidelity:
                wrong.append(call)
            states[call.number] = fidelity, config
            return config["x"] ** 2 + 1 / fidelity

        def searched(total):
            return optimize(
                trained, SPACE, strategy="pbt", fidelity=(1, 9), max_fidelity_total=total, lineage=True, journal=path
            )

        searched(90)
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join([*lines[:3], *lines[4:9]]))  # 2 was running at a kill
        known = [json.loads(line) for line in lines[1:3] + lines[4:9]]
        first = searched(90)
        assert [(e.number, e.trial) for e in first.history[:7]] == [(k["number"], k["trial"]) for k in known]
        again = searched(140)
        assert again.history[: len(first.history)] == first.history
        numbers = [e.number for e in again.history]
        assert numbers == sorted(set(numbers))
        assert len(again.history) > len(first.history)
        assert not wrong
        by_number = {e.number: e for e in again.history}
        for e in again.history:
            owner = None if e.source is None else by_number[e.source].trial
            assert owner in (None, e.trial, e.parent)
            assert states[e.number] == (e.fidelity, e.config)

    def test_a_call_that_the_end_of_the_budget_cut_is_made_again(self, tmp_path):
        path = tmp_path / "search.jsonl"
        slow = [True]

        def loss(config, fidelity):
            if slow[0] and config["x"] > 5:
                time.sleep(60)
            return config["x"]

        space = {"x": {"type": "choice", "values": [1, 9]}}
        cut = optimize(loss, space, strategy="grid", time_budget=1, call_timeout=50, journal=path)
        assert cut.history[-1].error.startswith("the time was over after")
        slow[0] = False
        resumed = optimize(loss, space, strategy="grid", time_budget=30, journal=path)
        assert [(e.config["x"], e.status) for e in resumed.history] == [(1, "ok"), (9, "ok")]

    def test_two_searches_do_not_write_it_at_once(self, tmp_path):
        path = tmp_path / "search.jsonl"

        def nested(config, fidelity):
            with pytest.raises(ConfigError, match="another search writes the history"):
                optimize(branin, SPACE, max_evals=1, journal=path)
            return branin(config)

        optimize(nested, SPACE, max_evals=1, journal=path)
        assert optimize(branin, SPACE, max_evals=2, journal=path).history[0].status == "ok"

    def test_how_it_is_paid_belongs_to_the_search(self, tmp_path):
        path = tmp_path / "search.jsonl"
        optimize(curve, SPACE, max_evals=2, fidelity=(1, 9), journal=path)
        with pytest.raises(ConfigError, match="resumable differ"):
            optimize(curve, SPACE, max_evals=2, fidelity=(1, 9), resumable=True, journal=path)


@pytest.mark.parametrize(
    ("goes_on", "total", "last", "first"),
    [
        ("own", 9 * 19, Observation({}, "stopped", 1.0, 3.0, curve=((1.0, 2.0), (3.0, 1.0))), 1.0),
        ("none", 9 * 20, Observation({}, "failed", fidelity=9.0), 9.0),
        ("none", 9 * 20, Observation({}, "running", fidelity=9.0), 9.0),
    ],
)
def test_auto_keeps_to_its_choice_whatever_is_paid_and_fails(goes_on, total, last, first):
    """Twenty full fidelities are enough for full evaluations alone; that holds from the first to the last one."""
    space, fidelity = parse_space(SPACE), Fidelity(1, 9, whole=True, goes_on=goes_on)
    rng = np.random.default_rng(0)
    for count in (0, 5, 15):
        history = [replace(last, config=space.sample(rng)) for _ in range(count)]
        paid = sum(o.fidelity for o in history)
        step = Auto(0).step(space, history, fidelity, total - paid, rng)
        assert step.fidelity == first or step.trial is not None  # none begins with another one


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "the search needs an end"),
        ({"max_evals": 0}, "`max_evals` must be a whole number above 0, but got 0"),
        ({"max_evals": 2.5}, "`max_evals` must be a whole number"),
        ({"max_evals": 5, "strategy": "rondom"}, "Did you mean 'random'?"),
        ({"max_evals": 5, "runner": "clowd"}, "unknown runner 'clowd'"),
        ({"max_evals": 5, "scheduler": "asha"}, "needs a `fidelity`"),
        ({"max_evals": 5, "scheduler": "ahsa", "fidelity": (1, 9)}, "Did you mean 'asha'?"),
        ({"max_evals": 5, "fidelity": (9, 1)}, "0 < low <= high must hold, but got low=9, high=1"),
        ({"max_evals": 5, "fidelity": 9}, "`fidelity` must be two numbers"),
        ({"max_fidelity_total": 50}, "`max_fidelity_total` needs a `fidelity`"),
        ({"max_fidelity_total": 2, "fidelity": (3, 9)}, "less than one evaluation at the lowest fidelity"),
        ({"time_budget": "soon"}, "is not a duration"),
        (
            {"max_evals": 5, "strategy": "grid"},
            "'grid' cannot search continuous parameters: 'x', 'y'. Give each a `step`",
        ),
    ],
)
def test_bad_arguments_are_one_clear_line(arguments, message):
    with pytest.raises(ConfigError) as caught:
        optimize(branin, SPACE, **arguments)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_space_without_parameters_is_refused():
    with pytest.raises(ConfigError, match="no parameters"):
        optimize(branin, {"params": {}}, max_evals=2)


def test_cmaes_over_choices_names_the_remedy():
    with pytest.raises(ConfigError, match=r"'cmaes' cannot search choices: 'a'\. Use 'auto'"):
        optimize(branin, SMALL, strategy="cmaes", max_evals=3)


def test_several_workers_never_try_the_same_at_once():
    result = optimize(branin, SPACE, max_evals=16, workers=4)
    assert len({json.dumps(e.config) for e in result.history}) == 16


def test_the_best_is_of_the_highest_fidelity():
    ledger = Ledger(top=9.0)
    from autodl.search.calling import Answer

    space = parse_space(SPACE)
    for config, fidelity, loss in ((space.complete({"x": 1}), 1.0, 0.1), (space.complete({}), 9.0, 0.5)):
        ledger.end(ledger.begin(config, fidelity, None).number, Answer((loss,)))
    assert ledger.best().loss == 0.5


class OneArgument:
    def __call__(self, config):
        return float(config["x"])


@pytest.mark.parametrize("objective", [lambda config: float(config["x"]), OneArgument()])
def test_a_function_of_the_configuration_alone_will_do(objective):
    found = optimize(objective, {"x": {"type": "float", "low": 0, "high": 1}}, strategy="random", max_evals=4)
    assert [e.loss for e in found.history] == [e.config["x"] for e in found.history]
    assert len(repr(found)) < 200 and "history" not in repr(found)
    with pytest.raises(ConfigError, match="the configuration alone, but the search has a fidelity"):
        optimize(objective, {"x": {"type": "float", "low": 0, "high": 1}}, max_fidelity_total=9, fidelity=(1, 3))


@pytest.mark.parametrize(
    ("function", "alone"),
    [(lambda c: 0, True), (lambda c, f=None: 0, False), (lambda *a: 0, False), (lambda c, *, k=1: 0, True),
     (lambda c, f: 0, False), (max, False)],
)  # fmt: skip
def test_it_is_told_only_for_certain(function, alone):
    assert takes_config_only(function) is alone


def test_a_journal_in_no_folder_is_refused_and_makes_none(tmp_path):
    with pytest.raises(ConfigError, match="cannot write the journal"):
        optimize(
            lambda c: 0.0, {"x": {"type": "int", "low": 0, "high": 9}}, max_evals=2, journal=tmp_path / "no" / "j"
        )
    assert not (tmp_path / "no").exists()


def test_import_is_light():
    heavy = ("torch", "ray", "optuna", "sklearn", "scipy")
    code = f"import sys, autodl.search; autodl.search.SearchSpace; print([m for m in {heavy} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
