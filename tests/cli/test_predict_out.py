"""Where ``autodl predict`` may write."""

from __future__ import annotations

from pathlib import Path

import pytest

from autodl.cli.predict import _check_output
from autodl.errors import ConfigError


@pytest.mark.parametrize(
    ("data", "out", "among"),
    [
        ("*.csv", "p.csv", True),
        ("*.csv", "out/p.csv", False),
        ("*/*.csv", "out/p.csv", True),
        ("*/*.csv", "out/in/p.csv", False),
        ("**/*.csv", "out/in/p.csv", True),
        ("**/*.csv", "p.csv", True),
        ("out/**/*.csv", "p.csv", False),
        ("*.csv", "out/../p.csv", True),
        ("*.csv", "p.parquet", False),
        ("part-?.csv", "part-2.csv", True),
    ],
)
def test_predictions_are_not_written_among_the_files_of_a_pattern(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: str, out: str, among: bool
) -> None:
    (tmp_path / "out" / "in").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    for given in (data, str(tmp_path / data)):
        if among:
            with pytest.raises(ConfigError, match="lies among the files"):
                _check_output(Path(out), given, [])
        else:
            _check_output(Path(out), given, [])
