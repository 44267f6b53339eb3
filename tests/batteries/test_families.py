"""The family battery over the whole registry."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

import autodl
from autodl.models.base import families
from autodl.testing import FAMILY_CHECKS

GENERIC = {"linear", "neighbors", "forest", "transformer"}
"""Keys that are also ordinary words (kernels, solvers, parts of names)."""
PACKAGE_NAMES = {"versions.py"}
"""Files that list installed packages, some of which have the name of a family."""


def test_the_registry_is_not_empty() -> None:
    assert {"dummy", "linear", "neighbors", "svm", "forest", "extra_trees", "lightgbm", "catboost"} <= set(families)


@pytest.mark.parametrize("check", FAMILY_CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
@pytest.mark.parametrize("key", list(families))
def test_family(key: str, check: Callable[[str], None]) -> None:
    family = families[key]
    if family.missing():
        pytest.skip(f"needs {', '.join(family.missing())} (extra '{family.extra}')")
    if family.extra and family.tunes is None:
        pytest.skip(f"optional family with its own test (extra '{family.extra}')")
    check(key)


def test_no_family_is_named_outside_its_own_files() -> None:
    package = Path(autodl.__file__).parent
    found = []
    for path in package.rglob("*.py"):
        if path.name in PACKAGE_NAMES or (path.parent.name == "models" and path.stem in families):
            continue
        words = {
            node.value for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Constant)
        }
        found += [f"{path.relative_to(package)}: {key}" for key in set(families) - GENERIC if key in words]
    assert not found, "\n".join(found)
