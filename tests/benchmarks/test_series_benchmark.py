"""The series benchmark: its table, and that accuracies are those of the files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import series


def test_the_table_averages_over_seeds_and_common_data() -> None:
    rows = [
        {"data": "A", "way": "aeon", "accuracy": 0.8}, {"data": "A", "way": "aeon", "accuracy": 0.6},
        {"data": "A", "way": "fit", "accuracy": 0.9}, {"data": "B", "way": "aeon", "accuracy": 1.0},
        {"data": "B", "way": "fit", "accuracy": None},
    ]  # fmt: skip
    lines = series.table(rows)
    assert lines[1].split() == ["A", "0.7000", "0.9000"]
    assert lines[2].split() == ["B", "1.0000", "-"]
    assert lines[3].split() == ["mean", "of", "1", "0.7000", "0.9000"]


def test_waves_of_two_speeds_are_told_apart(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for part, n in (("TRAIN", 20), ("TEST", 10)):
        lines = ["@classLabel true u v", "@data"]
        for k in range(n):
            wave = np.sin(np.arange(40) * (0.4 if k % 2 else 1.2)) + 0.1 * rng.normal(size=40)
            lines.append(",".join(f"{v:.4f}" for v in wave) + (":u" if k % 2 else ":v"))
        (tmp_path / f"{tmp_path.name}_{part}.ts").write_text("\n".join(lines))
    train, test = series.files(str(tmp_path))
    for way in ("rocket", "linear"):
        assert series.in_process(way, train, test, 0) == (1.0, 10)
    with pytest.raises(SystemExit, match="has no"):
        series.files(str(tmp_path.parent))
