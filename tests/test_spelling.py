from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

import autodl
from autodl.errors import AutodlError, ConfigError
from autodl.spelling import in_python, python_words


@pytest.mark.parametrize(
    ("typed", "called"),
    [
        ("Pass --workers 2.", "Pass `workers=2`."),
        ("Give at least --time-budget 10s", "Give at least `time_budget='10s'`"),
        ("Name one with --target COLUMN.", "Name one with `target=COLUMN`."),
        ("--task regression needs numbers", "`task='regression'` needs numbers"),
        ("Pass --group-column 'shop' or --group.", "Pass `group_column='shop'` or `group_column`."),
        ("Give another --out, or --allow-missing.", "Give another `out`, or `allow_missing`."),
        ("the column '--price' -- and --prices, a--b", "the column '--price' -- and --prices, a--b"),
        ("start one with `ray start --head`", "start one with `ray start --head`"),
    ],
)
def test_options_become_parameters(typed: str, called: str) -> None:
    assert in_python(typed) == called


def test_an_error_says_the_same_as_before() -> None:
    with pytest.raises(ConfigError) as caught, python_words():
        raise ConfigError("two groups are too few", "Leave out --group.")
    assert str(caught.value) == "two groups are too few. Leave out `group_column`."
    assert caught.value.args == (str(caught.value),)


TABLE = pd.DataFrame({"x": range(40), "w": list("ab") * 20, "y": [i % 3 for i in range(40)]})


@pytest.mark.parametrize(
    ("asked", "parameter"),
    [
        ({"target": "w", "task": "regression"}, "task='regression'"),
        ({"target": "y", "families": "linear", "search": "grid"}, "`space`"),
        ({"target": "y", "drop": ["x", "w"]}, "`drop`"),
        ({"target": "y", "address": "nowhere.invalid:6379"}, "`address`"),
    ],
)
def test_python_callers_read_parameters(asked: dict[str, object], parameter: str, tmp_path: Path) -> None:
    with pytest.raises(AutodlError) as caught:
        autodl.fit(TABLE, **asked, max_trials=2, out=tmp_path / "run")  # type: ignore[arg-type]
    assert parameter in str(caught.value)
    assert not re.search(r"(?<!start )--[a-z]", str(caught.value))
