"""From images whose side matters to a plan that does not mirror them, and the same once more when resumed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from autodl.options import FitOptions
from autodl.pipeline import run_fit
from autodl.planning.mirroring import TOPIC
from autodl.records import Plan
from autodl.search.fitting import planned_space
from autodl.store import RunFolder


def arrows(root: Path, n: int = 100) -> Path:
    """``root/left`` and ``root/right``: where the bright half is."""
    rng = np.random.default_rng(0)
    for name, half in (("left", np.s_[:, :8]), ("right", np.s_[:, 8:])):
        (root / name).mkdir(parents=True)
        for k in range(n):
            pixels = rng.integers(0, 120, (16, 16, 3))
            pixels[half] += 100
            Image.fromarray(pixels.astype(np.uint8)).save(root / name / f"{k}.png")
    return root


def test_networks_do_not_mirror_what_has_sides(tmp_path: Path) -> None:
    options = FitOptions(
        time_budget_s=None, max_trials=1, families=("cnn",), pretrained="none", workers=1, report=False
    )
    run_fit(str(arrows(tmp_path / "arrows")), options, tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    plan = folder.read("plan", Plan)
    assert plan is not None
    (decision,) = (d for d in plan.decisions if d.topic == TOPIC)
    assert "not mirrored" in decision.choice and float(decision.evidence["sides_lost"]) > 0.5
    (planned,) = (f for f in plan.families if f.key == "cnn")
    assert planned_space(planned).starts()[0]["flip"] == "none"

    run_fit(str(tmp_path / "arrows"), options, tmp_path / "run", resume=True)
    assert folder.read("plan", Plan) == plan
