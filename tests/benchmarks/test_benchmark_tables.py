"""What the benchmarks conclude from their results, against sums done by hand."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

import ablation
import ladder
import peers


def met(task: str, peer: str, loss: float | None, seed: int = 0) -> dict[str, Any]:
    return {"task": task, "peer": peer, "seed": seed, "seconds": 60.0, "loss": loss, "wall": 66.0}


ROWS = [
    met("titanic", "autodl", 0.1), met("titanic", "flaml", 0.2), met("titanic", "h2o", None),
    met("abalone", "autodl", 3.0), met("abalone", "flaml", 2.0), met("abalone", "h2o", 4.0),
    met("cells", "autodl", 1.0),
]  # fmt: skip


def cells(line: str) -> list[str]:
    return [c.strip() for c in line.strip("|").split("|")]


def test_ranks_and_ratios() -> None:
    found = peers.losses(ROWS, ["autodl", "flaml", "h2o"])
    assert found == {  # cells was not met by all
        "titanic": {"autodl": 0.1, "flaml": 0.2, "h2o": None},
        "abalone": {"autodl": 3.0, "flaml": 2.0, "h2o": 4.0},
    }
    table = {c[0]: c for c in map(cells, peers.rank_table(found, ROWS, ["autodl", "flaml", "h2o"])[2:])}
    assert table["autodl"] == ["autodl", "1.50", "1.250", "1.500 (abalone)", "", "1.10"]
    assert table["flaml"] == ["flaml", "1.50", "1.500", "2.000 (titanic)", "", "1.10"]
    assert table["h2o"] == ["h2o", "3.00", "2.000", "2.000 (abalone)", "1", "1.10"]


def test_ratio_to_each_peer() -> None:
    found = peers.losses(ROWS, ["autodl", "flaml", "h2o"])
    lines = [cells(line) for line in peers.against(found, ["autodl", "flaml", "h2o"])[2:]]
    assert lines[0][:3] == ["flaml", "2", f"{math.sqrt(0.5 * 1.5):.3f}"]
    assert lines[0][4:] == ["1", "0", "1"]
    assert lines[1][:3] == ["h2o", "1", "0.750"]


def test_only_seeds_that_all_have_met_count() -> None:
    rows = [met("titanic", "autodl", 0.1), met("titanic", "flaml", 0.3), met("titanic", "autodl", 0.9, seed=1)]
    assert peers.losses(rows, ["autodl", "flaml"]) == {"titanic": {"autodl": 0.1, "flaml": 0.3}}


def test_tasks_to_confirm_stand_apart() -> None:
    text = peers.report(ROWS, ["autodl", "flaml"], 60.0)
    assert "Tasks used to develop (1)" in text
    assert "Tasks that only confirm (1)" in text
    assert "No task was met" in peers.report(ROWS, ["autodl", "flaml"], 10.0)


def climbed(task: str, seconds: float, loss: float | None, seed: int = 0, wall: float = 1.0) -> dict[str, Any]:
    return {"task": task, "seconds": seconds, "seed": seed, "loss": loss, "wall_s": wall, "cpu_s": 2 * wall,
            "peak_mib": 100, "first_model_s": 1.0, "load": 0.5, "commit": "abc", "error": None}  # fmt: skip


def test_the_anytime_curve_is_a_geometric_mean_over_tasks() -> None:
    rows = [climbed("titanic", 10, 0.4), climbed("titanic", 60, 0.2), climbed("cells", 10, 0.1)]
    rows += [climbed("cells", 60, 0.2), climbed("titanic", 10, 0.6, seed=1), climbed("titanic", 60, 0.2, seed=1)]
    lines = ladder.loss_table(rows)
    assert cells(lines[2]) == ["titanic", "0.5", "0.2*"]
    assert cells(lines[3]) == ["cells", "0.1*", "0.2"]
    curve = [line.split() for line in lines if line.strip().startswith(("10", "60"))]
    assert [c[2] for c in curve] == [f"{math.sqrt(2.5 * 1):.3f}", f"{math.sqrt(1 * 2):.3f}"]


@pytest.mark.parametrize(("wall", "over"), [(13.4, 0), (13.6, 1)])
def test_a_budget_may_be_exceeded_by_a_twentieth_and_three_seconds(wall: float, over: int) -> None:
    assert cells(ladder.promise_table([climbed("titanic", 10, 0.4, wall=wall)])[2])[5] == str(over)


@pytest.mark.parametrize(
    ("later", "verdict"), [((0.5, 0.51, 0.49), "worse"), ((0.1, 0.3, 0.2), "tie"), ((0.1, 0.11, 0.09), "better")]
)
def test_more_time_is_judged_by_the_noise_between_seeds(
    later: tuple[float, ...], verdict: str, tmp_path: Path
) -> None:
    from bench_tasks import BenchTask

    task = BenchTask("titanic", "y", "binary", tmp_path / "none.csv")
    rows = [climbed("titanic", 60, 0.2, seed=s) for s in range(3)]
    rows += [climbed("titanic", 300, v, seed=s) for s, v in enumerate(later)]
    line = cells(ladder.longer_is_no_worse(rows, {"titanic": task}, tmp_path)[2])
    assert line[0] == "titanic"
    assert line[-1] == verdict


def test_steps_of_the_ablation_are_paired() -> None:
    def arm(name: str, *losses: float) -> dict[str, Any]:
        parts = dict(zip(("one", "bag", "ensemble", "delivered"), losses, strict=True))
        return {"task": "titanic", "seed": 0, "arm": name, "losses": parts, "error": None}

    rows = [arm("portfolio", 8, 8, 8, 8), arm("search", 4, 2, 2, 1), arm("networks", 9, 9, 9, 3)]
    assert ablation.chain_table(rows) == ["No task has all arms yet."]
    lines = [cells(line) for line in ablation.chain_table([*rows, arm("full", 9, 9, 9, 1.5)])[2:9]]
    assert [line[1] for line in lines] == ["5.333", "2.667", "1.333", "1.333", "0.667", "2.000", "1.000"]
    assert [line[2] for line in lines[1:]] == ["-50.0 %", "-50.0 %", "+0.0 %", "-50.0 %", "+200.0 %", "-50.0 %"]
    assert [line[4:] for line in lines[3:6]] == [["0", "1", "0"], ["1", "0", "0"], ["0", "0", "1"]]


def test_plain_preparation_is_a_space_that_every_family_takes(tmp_path: Path) -> None:
    import yaml

    from autodl.models.base import families
    from autodl.search.user_space import read_spaces

    keys = [k for k, f in families.items() if f.complexity > 0 and not f.requires]
    file = tmp_path / "plain.yaml"
    file.write_text(yaml.safe_dump({k: ablation.plain(k, ()) for k in keys}))
    spaces = read_spaces(str(file), keys)
    assert len(spaces) > 5
    for space in spaces.values():
        varied = [n for n, p in space.params.items() if n.startswith("prep.") and len(p.values) != 1]
        assert varied == []
        assert all(c["prep.balance"] == "none" and c["prep.dates"] is False for c in space.starts())
