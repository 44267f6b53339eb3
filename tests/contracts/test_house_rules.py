"""Rules that no tool checks by itself, and the tools that check the rest."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
TEXTS = [
    path
    for pattern in ("*.md", "*.toml", "Makefile", ".ci/run", "src/**/*.*", "tests/**/*.py", "docs/*", "examples/*.*",
                    "benchmarks/*.*")
    for path in REPO.glob(pattern)
    if path.is_file() and "__pycache__" not in path.parts and path != Path(__file__).resolve()
]  # fmt: skip


def pyproject() -> dict[str, object]:
    return tomllib.loads((REPO / "pyproject.toml").read_text("utf-8"))


def test_import_contracts_hold() -> None:
    tool = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([str(tool), "--no-cache"], cwd=REPO, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_contracts_name_every_module() -> None:
    contracts = pyproject()["tool"]["importlinter"]["contracts"]  # type: ignore[index]
    named = {c["name"]: set(c["source_modules"]) for c in contracts}
    root = REPO / "src" / "autodl"
    modules = {
        f"autodl.{p.stem}"
        for p in root.iterdir()
        if (p.suffix == ".py" or p.is_dir()) and not p.name.startswith("__")
    }
    outside = {"autodl.cli", "autodl.search_spaces"}
    assert named["nothing but cli imports cli"] == modules - outside


def test_no_text_names_a_place_of_one_machine() -> None:
    assert len(TEXTS) > 100
    place = re.compile(r"(?<![\w.])/(?:work|root|home|tmp|mnt)/[\w.-]+|[A-Z]:\\Users")
    found = [
        f"{p.relative_to(REPO)}: {m.group()}" for p in TEXTS for m in place.finditer(p.read_text("utf-8", "ignore"))
    ]
    assert found == []


def test_nothing_is_left_to_do_and_nothing_is_swallowed() -> None:
    loose = re.compile(
        r"\b(?:TODO|FIXME|XXX|HACK)\b|"
        r"except(?: Exception| BaseException)?:\s*\n\s*pass\b|raise NotImplementedError|\bbreakpoint\("
    )
    found = [f"{p.relative_to(REPO)}: {m.group()!r}" for p in TEXTS if p.suffix == ".py"
             for m in loose.finditer(p.read_text("utf-8"))]  # fmt: skip
    assert found == []


def test_what_tests_share_has_modules_of_its_own_name() -> None:
    """All ``conftest.py`` share one module name: a class of one is not found by another process, or is another's."""
    shared = {path.relative_to(REPO): path.read_text("utf-8") for path in REPO.glob("tests/**/*.py")}
    conftests = [path for path in shared if path.name == "conftest.py"]
    assert len(conftests) > 3
    assert [path for path in conftests if re.search(r"^class ", shared[path], re.MULTILINE)] == []
    used = re.compile(r"^\s*(?:from|import) (?:tests\b|[\w.]*conftest\b)", re.MULTILINE)
    assert [path for path, text in shared.items() if used.search(text)] == []
    names = [path.name for path in shared if path.name not in ("conftest.py", "__init__.py")]
    assert sorted(names) == sorted(set(names))


def test_every_dependency_has_one_exact_pin() -> None:
    def canonical(name: str) -> str:
        return re.sub(r"[-_.]+", "-", name).lower()

    pins: dict[str, str] = {}
    for line in (REPO / "constraints.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            match = re.fullmatch(r"([\w.-]+)==([\w.]+)", line)
            assert match, line
            assert canonical(match[1]) not in pins, line
            pins[canonical(match[1])] = match[2]
    project = pyproject()["project"]
    extras: dict[str, list[str]] = project["optional-dependencies"]  # type: ignore[index]
    needed: list[str] = [*project["dependencies"], *(d for ds in extras.values() for d in ds)]  # type: ignore[index]
    for requirement in needed:
        name = re.match(r"[\w.-]+", requirement)
        assert name is not None
        assert canonical(name[0]) in pins, f"{requirement} has no pin in constraints.txt"


def test_the_extra_all_holds_the_others() -> None:
    extras: dict[str, list[str]] = pyproject()["project"]["optional-dependencies"]  # type: ignore[index]
    others = {need for extra, needs in extras.items() if extra not in ("all", "dev") for need in needs}
    assert set(extras["all"]) == others


@pytest.mark.slow
def test_types() -> None:
    done = subprocess.run([sys.executable, "-m", "mypy"], cwd=REPO, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
