from __future__ import annotations

import doctest
import importlib
import importlib.util
import pkgutil
import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from doc_blocks import REPO, blocks
from sklearn.datasets import load_iris
from sklearn.neighbors import NearestCentroid

import autodl
from autodl.features import Features
from autodl.models.base import Meta, Shape
from autodl.records import Recipe, RunRecord, Task
from autodl.search.space import Param, parse_space


def documented_modules() -> list[str]:
    names = []
    for info in pkgutil.walk_packages(autodl.__path__, "autodl."):
        spec = importlib.util.find_spec(info.name)
        if spec is not None and spec.origin and ">>>" in Path(spec.origin).read_text("utf-8"):
            names.append(info.name)
    return names


@pytest.mark.parametrize("name", documented_modules())
def test_examples_in_docstrings(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0
    assert result.failed == 0


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def test_the_command_line_page_is_up_to_date() -> None:
    writer = load(REPO / "docs" / "write_command_line.py")
    assert (REPO / "docs" / "command-line.md").read_text("utf-8") == writer.reference(), "run `make docs`"


def test_the_page_of_the_preparation_is_up_to_date_and_its_example_valid() -> None:
    import yaml

    writer = load(REPO / "docs" / "write_preparation.py")
    assert (REPO / "docs" / "preparation.md").read_text("utf-8") == writer.reference(), "run `make docs`"
    (example,) = blocks("docs/preparation.md", "yaml")
    assert parse_space(yaml.safe_load(example)["lightgbm"]).params["prep.rare"].default == 0.0


def test_the_run_folder_page_names_every_field() -> None:
    page = (REPO / "docs" / "run-folder.md").read_text("utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", page, flags=re.MULTILINE)) == set(RunRecord.model_fields)


def test_the_search_space_page_holds_a_valid_space_and_every_key() -> None:
    import yaml

    space = parse_space(yaml.safe_load(blocks("docs/search-space.md", "yaml")[0]))
    assert space.nas == ("op", "kernel")
    for body in map(yaml.safe_load, blocks("docs/search-space.md", "yaml")):
        families = [v for v in body.values() if isinstance(v, dict) and "params" in v]
        assert all(parse_space(part).params for part in families or [body])
    page = (REPO / "docs" / "search-space.md").read_text("utf-8")
    assert all(f"`{key}`" in page for key in Param.model_fields)


@pytest.fixture
def family(tmp_path: Path) -> ModuleType:
    """The worked example of CONTRIBUTING.md as the file that it says it is."""
    path = tmp_path / "nearest_mean.py"
    path.write_text(blocks("CONTRIBUTING.md", "python")[0], encoding="utf-8")
    return load(path)


def test_the_example_family_gives_what_scikit_learn_gives(family: ModuleType) -> None:
    rows, y = load_iris(return_X_y=True)
    X = Features(rows.astype(np.float32), np.empty((len(rows), 0), np.int32))
    maker = family.NearestMean()
    model = maker.build(family.NearestMeanConfig(), Meta(task=Task.CLASSIFICATION, n_classes=3))
    model.fit(X, y)
    assert (model.predict(X) == NearestCentroid().fit(rows, y).predict(rows)).mean() > 0.99
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1.0)
    assert maker.estimate_cost(Shape(rows=150, numeric=4), family.NearestMeanConfig()).seconds < 1


def test_the_example_space_fits_the_example_family(family: ModuleType) -> None:
    import yaml

    space = parse_space(yaml.safe_load(blocks("CONTRIBUTING.md", "yaml")[0]))
    for config in [*space.starts(), *(space.sample(np.random.default_rng(s)) for s in range(20))]:
        own = {k: v for k, v in config.items() if not k.startswith("prep.")}
        kept = family.NearestMeanConfig(**own).model_dump()
        assert {k: kept[k] for k in own} == own
        Recipe(**{k.removeprefix("prep."): v for k, v in config.items() if k.startswith("prep.")})  # type: ignore[arg-type]


@pytest.mark.parametrize("number", range(3))
def test_the_examples_of_the_search_page_run(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    exec(blocks("docs/search.md", "python")[number], {})
    if number == 0:
        assert "'kind': 'round'" in capsys.readouterr().out


def test_the_search_page_names_every_strategy_and_scheduler() -> None:
    from autodl.search.schedulers.base import schedulers
    from autodl.search.strategies.base import strategies

    page = (REPO / "docs" / "search.md").read_text("utf-8")
    assert all(f"`{key}`" in page for key in [*strategies, *schedulers])
