"""The step of CI that asks pip-audit: what fails, what is accepted, what is skipped."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / ".ci" / "audit.py"


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def report(*holes: dict[str, Any]) -> dict[str, Any]:
    return {"dependencies": [{"name": "lib", "version": "1.0", "vulns": list(holes)},
                             {"name": "own", "skip_reason": "not found"}]}  # fmt: skip


HOLE = {"id": "PYSEC-1", "aliases": ["CVE-2"], "fix_versions": ["1.1"]}


def test_only_a_hole_with_a_repair_fails(audit: ModuleType) -> None:
    assert audit.judge(report(), {})[0] == 0
    code, lines = audit.judge(report(HOLE), {})
    assert code == 1 and "lib 1.0: PYSEC-1, repaired in 1.1" in "\n".join(lines)
    code, lines = audit.judge(report({**HOLE, "fix_versions": []}), {})
    assert code == 0 and "no repair yet" in "\n".join(lines)
    for name in ("PYSEC-1", "CVE-2"):
        code, lines = audit.judge(report(HOLE), {name: "not reachable from here"})
        assert code == 0 and "not reachable from here" in "\n".join(lines)


def test_where_nothing_could_be_looked_up_it_says_so(audit: ModuleType) -> None:
    nothing = {"dependencies": [{"name": "lib", "skip_reason": "not found"}]}
    assert audit.judge(nothing, {}) == (0, ["pip-audit: no data reachable, skipped"])


@pytest.mark.parametrize(
    ("stderr", "code"), [("ConnectionError: no route", 0), ("HTTPSConnectionPool: Read timed out", 0),
                         ("No module named pip_audit", 1), ("", 1)],
)  # fmt: skip
def test_only_a_missing_network_is_an_excuse(
    audit: ModuleType, monkeypatch: pytest.MonkeyPatch, stderr: str, code: int
) -> None:
    done = subprocess.CompletedProcess([], 1, "", stderr)
    monkeypatch.setattr(audit.subprocess, "run", lambda *_, **__: done)
    assert audit.main() == code


def test_every_accepted_hole_has_a_reason(audit: ModuleType) -> None:
    audit.accepted(audit.ACCEPTED.read_text("utf-8"))
    assert audit.accepted("# note\n\nCVE-1 not used here\n") == {"CVE-1": "not used here"}
    with pytest.raises(ValueError, match="no reason"):
        audit.accepted("CVE-1\n")
