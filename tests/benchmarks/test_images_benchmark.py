from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import images
from autodl.search.user_space import read_spaces


def test_the_fixed_network_is_a_resnet_and_only_its_training_varies(tmp_path: Path) -> None:
    space = read_spaces(str(images.space_file(tmp_path)), [images.FAMILY])[images.FAMILY]
    assert {name for name, param in space.params.items() if len(param.values) != 1} == set(images.TRAINED)
    from autodl.models.base import families

    specs = families[images.FAMILY].config(**space.starts()[0]).specs()
    assert [[(s.kind, s.d_out, s.stride) for s in stage] for stage in specs] == [
        [("residual", 32, 1)] * 3,
        [("residual", 64, 2), *[("residual", 64, 1)] * 2],
        [("residual", 128, 2), *[("residual", 128, 1)] * 2],
    ]


def test_the_folder_of_a_file_is_its_class() -> None:
    answers = pd.DataFrame({"file": ["cat/1.jpg", "dog/2.jpg", "dog/3.jpg"], "prediction": ["cat", "cat", "dog"]})
    assert images.accuracy(answers) == (pytest.approx(2 / 3), 3)


def test_ways_are_compared_by_seed() -> None:
    rows = [
        {"data": "d", "seconds": 300.0, "way": way, "seed": seed, "accuracy": accuracy}
        for way, seed, accuracy in [("searched", 0, 0.7), ("searched", 1, 0.6), ("fixed", 0, 0.65), ("fixed", 2, 0.9)]
    ]
    lines = images.table([*rows, {**rows[0], "way": "all", "accuracy": None}])
    assert lines[-1] == "d, 300 s: searched minus fixed +0.0500 (seeds: +0.0500)"
    assert len(lines) == 4
