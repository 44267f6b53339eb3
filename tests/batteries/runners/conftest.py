"""Data, the faulty family, and the runners of the battery."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from faulty_family import Faulty

from autodl.models.base import families
from autodl.records import ColumnInfo, ColumnKind, Recipe, TableSchema, Task
from autodl.search.runners.base import Runner
from autodl.search.trial import TrialData

MEMORY = 1.5e9
"""Bytes that the process runner is told are free."""


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a distribution that adds the family; workers find it as they find any other."""
    folder = tmp_path_factory.mktemp("site")
    info = folder / "faulty_family-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: faulty-family\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[autodl.families]\nfaulty = faulty_family:Faulty\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        patch.setitem(families._entries, "faulty", Faulty)
        yield folder


@pytest.fixture(scope="module")
def data() -> TrialData:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(90, 3)), columns=list("abc"))
    frame["word"] = np.array(["x", "y", "z"], dtype=object)[np.arange(90) % 3]
    y = frame[list("abc")].to_numpy() @ [1.0, -2.0, 0.5] + 0.1 * rng.normal(size=90)
    parts = np.array_split(np.arange(60), 3)
    kinds = {"word": ColumnKind.CATEGORICAL}
    return TrialData(
        frame=frame.iloc[:60],
        y=y[:60],
        test_frame=frame.iloc[60:].reset_index(drop=True),
        folds=tuple((np.setdiff1d(np.arange(60), p), p) for p in parts),
        schema=TableSchema(
            columns=tuple(
                ColumnInfo(name=c, kind=kinds.get(c, ColumnKind.NUMERIC), n=60, n_missing=0, n_unique=3)
                for c in frame.columns
            )
        ),
        task=Task.REGRESSION,
        n_classes=0,
        metric="rmse",
        recipes={"linear": Recipe(scale="standard", categories="onehot")},
    )


@pytest.fixture(
    scope="module",
    params=["inline", "process", pytest.param("ray", marks=[pytest.mark.ray, pytest.mark.slow])],
)
def runner(request: pytest.FixtureRequest, faulty: Path, data: TrialData) -> Iterator[Runner]:
    made: Runner
    if request.param == "inline":
        from autodl.search.runners.inline import InlineRunner

        made = InlineRunner(data)
    elif request.param == "process":
        from autodl.search.runners.process import ProcessRunner

        made = ProcessRunner(data, memory=MEMORY)
    else:
        from autodl.search.runners.ray import RayRunner

        made = RayRunner(data, workers=1)
    yield made
    made.close()
