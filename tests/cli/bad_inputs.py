"""All bad inputs, in the order of the page in the docs."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import bad_files
import bad_options
import bad_predictions
import bad_series
import bad_spaces
import bad_tables
from bad_case import Case, shop

SECTIONS: dict[str, tuple[Case, ...]] = {
    "Files that are no table": bad_files.NO_TABLE,
    "Damaged files": bad_files.DAMAGED,
    "Files written in another way": bad_files.WRITTEN_OTHERWISE,
    "The shape of the table": bad_tables.SHAPES,
    "The target": bad_tables.TARGETS,
    "Series": bad_series.SERIES,
    "Slips of the pen": bad_options.SPELLING,
    "Options": bad_options.VALUES,
    "Strategies and limits": bad_spaces.STRATEGIES,
    "Search spaces of one's own": bad_spaces.SPACES,
    "What the system refuses": bad_options.CLOSED,
    "Test files": bad_options.TEST_FILES,
    "Predicting: the columns": bad_predictions.COLUMNS,
    "Predicting: the files": bad_predictions.FILES,
    "Run folders": bad_predictions.RUNS,
}
"""Heading -> cases."""

CASES = tuple(case for cases in SECTIONS.values() for case in cases)


def finished_run(folder: Path) -> Path:
    """A small run to predict with, made by the real command."""
    from autodl.__main__ import main

    shop()(folder)
    command = ["fit", "shop.csv", "--target", "bought", "--families", "linear", "--max-trials", "2", "--out", "run"]
    with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
        assert main(command) == 0
    return folder / "run"
