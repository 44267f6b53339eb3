"""How architectures are searched beside the rest: parts of spaces, and what is asked next."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from autodl.records import FamilyPlan, Recipe, TrialResult, TrialSpec, TrialStatus
from autodl.search.allocation import Allocation
from autodl.search.architecture import PROPOSALS, Architecture, Past
from autodl.search.history import Observation
from autodl.search.parts import free_part, joined, project
from autodl.search.space import Config, SearchSpace, family_space, parse_space
from autodl.search.strategies import gp
from autodl.search.strategies.base import strategies

SPACE = parse_space(
    {
        "params": {
            "depth": {"type": "int", "low": 1, "high": 4, "default": 2},
            "gate": {"type": "choice", "values": ["none", "glu"], "default": "none"},
            "gate_size": {"type": "int", "low": 1, "high": 8, "when": {"gate": ["glu"]}},
            "lr": {"type": "float", "low": 1e-4, "high": 1e-1, "log": True, "default": 0.01},
            "gate_lr": {"type": "float", "low": 0.1, "high": 1.0, "default": 0.5, "when": {"gate": ["glu"]}},
            "warmup": {"type": "choice", "values": [0, 1], "default": 0},
            "slope": {"type": "float", "low": 0.0, "high": 1.0, "default": 0.5, "when": {"warmup": [1]}},
        },
        "portfolio": [{}, {"depth": 3, "lr": 0.001}, {"gate": "glu", "gate_size": 4}],
        "nas": ["depth", "gate", "gate_size"],
    }
)
REST = [n for n in SPACE.params if n not in SPACE.nas]


def loss_of(config: Config) -> float:
    return abs(float(config["depth"]) - 4) + abs(np.log10(float(config["lr"])) + 3) + (config["gate"] == "none")


def searched(nas: str, trials: int, *, search: str = "random", resumed_at: int | None = None) -> list[TrialResult]:
    """A search of SPACE by the allocation alone; if ``resumed_at``, everything is built anew after so many trials."""

    def build() -> Allocation:
        family = FamilyPlan(key="net", name="Net", why="", est_seconds=1, est_bytes=1, recipe=Recipe())
        return Allocation((family,), {"net": SPACE}, strategies[search](3), 3, Architecture.of(nas, 3))

    allocation, done = build(), list[TrialResult]()
    for i in range(trials):
        if i == resumed_at:
            allocation = build()
            done = [TrialResult.model_validate_json(r.model_dump_json()) for r in done]
        spec = allocation.next(done, [], lambda s: True)
        assert spec is not None
        loss = loss_of(spec.config)
        done.append(TrialResult(spec=spec, status=TrialStatus.OK, loss=loss, score=-loss, fold_losses=(loss,)))
    return done


def architecture(config: Config) -> Config:
    return {n: v for n, v in config.items() if n in SPACE.nas}


def rest(config: Config) -> Config:
    return {n: v for n, v in config.items() if n not in SPACE.nas}


@pytest.mark.parametrize("space", [SPACE, family_space("mlp"), family_space("transformer")])
def test_a_part_searched_in_place_gives_configurations_of_the_whole(space: SearchSpace) -> None:
    rng = np.random.default_rng(0)
    for names in (space.nas, [n for n in space.params if n not in space.nas]):
        for _ in range(40):
            fixed = space.sample(rng)
            part = free_part(space, names, fixed)
            chosen = part.sample(rng)
            full = joined(space, fixed, chosen, names)
            assert full == space.complete(full)
            assert {k: v for k, v in full.items() if k in names} | chosen == {
                k: v for k, v in full.items() if k in names
            }, "what was chosen stands in the whole"
            others = {k: v for k, v in full.items() if k not in names and k in fixed}
            assert all(fixed[k] == v for k, v in others.items()), "the others stay"


def test_a_part_has_no_parameter_that_the_fixed_values_rule_out() -> None:
    assert list(free_part(SPACE, REST, {"depth": 1, "gate": "none"}).params) == ["lr", "warmup", "slope"]
    glu = free_part(SPACE, REST, {"depth": 1, "gate": "glu", "gate_size": 2})
    assert set(glu.params) == {"lr", "gate_lr", "warmup", "slope"}
    assert glu.params["gate_lr"].when == {}
    assert set(glu.params["slope"].when) == {"warmup"}


def test_the_past_of_a_part_is_the_best_trial_of_each_of_its_configurations() -> None:
    part = free_part(SPACE, SPACE.nas, SPACE.complete({}))
    past = [
        Observation(SPACE.complete({"lr": 0.1}), "ok", 3.0),
        Observation(SPACE.complete({"lr": 0.02}), "failed"),
        Observation(SPACE.complete({"depth": 3}), "running"),
        Observation(SPACE.complete({"lr": 0.05}), "ok", 1.0),
    ]
    seen = project(part, past)
    assert [(o.config["depth"], o.status, o.loss) for o in seen] == [(2, "ok", 1.0), (3, "running", None)]


def test_none_keeps_the_best_listed_architecture() -> None:
    done = searched("none", 12)
    listed, asked = done[:3], done[3:]
    assert [r.spec.origin for r in listed] == ["default", "portfolio", "portfolio"]
    best = min(listed, key=lambda r: r.loss or 0.0)
    assert {tuple(architecture(r.spec.config).items()) for r in asked} == {
        tuple(architecture(best.spec.config).items())
    }
    assert len({r.spec.config["lr"] for r in asked}) == len(asked)


def test_a_strategy_searches_architectures_in_every_second_trial() -> None:
    done = searched("evolution", 17)
    for i, r in enumerate(done[3:], start=3):
        best = min(done[:i], key=lambda b: b.loss or 0.0).spec.config
        if (i - 3) % 2 == 0:
            assert r.spec.origin == "evolution"
            assert rest(r.spec.config) == rest(SPACE.complete({**best, **architecture(r.spec.config)}))
        else:
            assert r.spec.origin == "random"
            assert architecture(r.spec.config) == architecture(best)
    configs = [tuple(sorted(r.spec.config.items(), key=str)) for r in done]
    assert len(set(configs)) == len(configs)


def test_when_all_architectures_are_tried_the_rest_is_searched_on() -> None:
    space = parse_space({**SPACE.model_dump(mode="json"), "nas": ["gate"], "portfolio": [{}, {"gate": "glu"}]})
    seen = [Observation(c, "ok", float(i)) for i, c in enumerate(space.starts())]
    proposals = Architecture.of("grid", 0).proposals(
        space, Past(seen, seen), strategies["random"](0), np.random.default_rng(0)
    )
    origin, config = next(proposals)
    assert origin == "random" and config["gate"] == "none"


@pytest.mark.parametrize("nas", ["joint", "none", "evolution"])
def test_a_resumed_search_goes_on_identically(nas: str) -> None:
    whole = searched(nas, 14, search="tpe")
    for at in (2, 7, 10):
        assert [r.spec for r in searched(nas, 14, search="tpe", resumed_at=at)] == [r.spec for r in whole]


def test_joint_varies_everything() -> None:
    asked = searched("joint", 20)[3:]
    assert len({tuple(architecture(r.spec.config).items()) for r in asked}) > 3
    assert len({r.spec.config["lr"] for r in asked}) > 10


def test_a_family_without_architectures_is_searched_as_ever() -> None:
    plain = SPACE.model_copy(update={"nas": ()})
    seen = [Observation(c, "ok", float(i)) for i, c in enumerate(plain.starts())]
    for nas in ("none", "evolution", "joint"):
        proposals = Architecture.of(nas, 0).proposals(
            plain, Past(seen, seen), strategies["random"](0), np.random.default_rng(5)
        )
        assert [o for o, _ in islice(proposals, 3)] == ["random"] * 3


def test_a_proposal_is_made_only_when_those_before_do_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    family = FamilyPlan(key="net", name="Net", why="", est_seconds=1, est_bytes=1, recipe=Recipe())
    plain = SPACE.model_copy(update={"nas": ()})
    allocation = Allocation((family,), {"net": plain}, strategies["gp"](3), 3)
    done = searched("joint", 14)
    done = [r for r in done if r.spec.config != plain.starts()[1]]  # it takes more time than there is
    made: list[int] = []
    real = gp._propose
    monkeypatch.setattr(gp, "_propose", lambda *args: (made.append(1), real(*args))[1])
    spec = allocation.next(done, [], lambda s: s.config != plain.starts()[1])
    assert spec is not None and spec.origin == "gp"
    assert len(made) == 1
    refused: list[Config] = []

    def never(s: TrialSpec) -> bool:
        refused.append(s.config)
        return False

    assert allocation.next(done, [], never) is None
    asked = refused[1:]  # the listed one is looked at before
    assert len(asked) == sum(PROPOSALS)
    assert all(c not in asked[:i] for i, c in enumerate(asked))


def test_listed_configurations_that_do_not_fit_are_not_asked_for_again() -> None:
    space = SPACE.model_copy(
        update={"nas": (), "portfolio": tuple({"depth": d, "lr": lr} for d in (1, 2, 3) for lr in (1e-4, 1e-3, 1e-2))}
    )
    seen = [Observation(space.starts()[-1], "ok", 1.0)]
    for key in ("gp", "auto"):
        asked = [
            c
            for _, c in Architecture().proposals(
                space, Past(seen, seen), strategies[key](0), np.random.default_rng(0)
            )
        ]
        assert len(asked) == sum(PROPOSALS)
        assert not any(config in space.starts() for config in asked)


def test_running_trials_are_not_asked_for_again() -> None:
    family = FamilyPlan(key="net", name="Net", why="", est_seconds=1, est_bytes=1, recipe=Recipe())
    allocation = Allocation((family,), {"net": SPACE}, strategies["tpe"](0), 0, Architecture.of("evolution", 0))
    done = searched("evolution", 5)
    running: list[TrialSpec] = []
    for _ in range(4):
        spec = allocation.next(done, running, lambda s: True)
        assert spec is not None
        assert spec.config not in [s.config for s in running] + [r.spec.config for r in done]
        running.append(spec)
