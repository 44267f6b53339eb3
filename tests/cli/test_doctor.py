from __future__ import annotations

import json
import sys
from importlib import metadata
from pathlib import Path

import pytest

from autodl import doctor
from autodl.__main__ import main
from autodl.doctor import CheckResult, examine, ray_smoke_test


def test_all_facts_are_there() -> None:
    names = {r.name for r in examine(with_ray=False)}
    assert {"Python", "Cores", "Memory", "Disk", "Packages", "GPU", "Extra text"} <= names
    assert "Extra dev" not in names
    assert "Ray" not in names


def test_a_missing_package_fails_and_a_missing_extra_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        doctor.metadata, "requires", lambda name: ["nowhere-base>=1", 'nowhere-extra>=2 ; extra == "more"']
    )
    results = {r.name: r for r in examine(with_ray=False) if "nowhere" in r.text}
    assert results["Packages"].status == "fail"
    assert results["Extra more"].status == "note"
    assert "pip install 'autodl[more]'" in results["Extra more"].text


def test_a_source_tree_that_is_not_installed_can_be_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(doctor.metadata, "requires", unknown)
    monkeypatch.setattr(doctor.metadata, "version", unknown)
    results = {r.name: r for r in examine(with_ray=False)}
    assert results["autodl"].text == "not installed as a package"
    assert results["Packages"].status == "note"


def test_a_torch_that_fails_without_a_word_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "torch":
                raise ImportError

    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    gpu = next(r for r in examine(with_ray=False) if r.name == "GPU")
    assert gpu == CheckResult("GPU", "fail", "torch cannot be imported: ImportError")


def test_versions_are_those_installed() -> None:
    text = next(r.text for r in examine(with_ray=False) if r.name == "Packages")
    assert f"pandas {metadata.version('pandas')}" in text


def test_a_hanging_ray_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_RAY_SMOKE", "import time; time.sleep(100)")
    result = ray_smoke_test(timeout_s=0.5)
    assert result.status == "note"
    assert "did not answer" in result.text


def test_a_broken_ray_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_RAY_SMOKE", "raise ImportError('no ray here')")
    result = ray_smoke_test()
    assert result.status == "note"  # a fit copes
    assert result.text.startswith("could not run a task: ImportError: no ray here; models are trained in processes")


@pytest.mark.ray
@pytest.mark.slow
def test_ray_runs_a_task_whatever_cluster_this_machine_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    assert ray_smoke_test().status == "ok"


def test_a_folder_that_cannot_be_written_to_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: False)
    disk = next(r for r in examine(with_ray=False) if r.name == "Disk")
    assert disk == CheckResult("Disk", "note", "this folder cannot be written to: name another one with --out")


def test_no_place_for_temporary_files_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none() -> None:
        raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp', '/var/tmp']")

    monkeypatch.setattr("tempfile.gettempdir", none)
    assert main(["doctor", "--no-ray"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "no place for temporary files" in line and "TMPDIR" in line


def test_the_exit_code_tells(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    checks = [CheckResult("A", "ok", "fine"), CheckResult("B", "note", "so so")]
    monkeypatch.setattr(doctor, "examine", lambda with_ray: iter(checks))
    assert main(["doctor"]) == 0
    assert "ready" in capsys.readouterr().out
    checks.append(CheckResult("C", "fail", "broken"))
    assert main(["doctor", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["ok"] is False


def test_the_limits_of_a_container_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autodl.machine._CGROUP", tmp_path)
    monkeypatch.setattr("autodl.machine._OWN_CGROUPS", tmp_path / "own")
    (tmp_path / "cpu.max").write_text("100000 100000\n")
    (tmp_path / "memory.max").write_text(f"{2**29}\n")
    (tmp_path / "memory.current").write_text(f"{2**28}\n")
    found = {r.name: r for r in examine(with_ray=False)}
    assert found["Cores"] == CheckResult("Cores", "note", "1 usable")
    assert found["Memory"] == CheckResult("Memory", "fail", "0.2 of 0.5 GiB free; at least 1 GiB is needed")
