"""Charts that there is no time for are left out, and the page says so beside their numbers."""

from __future__ import annotations

import html
import re
import time

import pytest
from report_records import make_records, with_front

from autodl.clock import Deadline
from autodl.report import write_report
from autodl.report.figures import style
from autodl.report.figures.pacing import drawing_until


@pytest.fixture
def clock(monkeypatch):
    """A clock that each chart brings forward by a second."""
    now = {"s": 1_000.0, "drawn": 0}
    monkeypatch.setattr(time, "monotonic", lambda: now["s"])

    def drawn(key, paint, size):
        now["s"] += 1.0
        now["drawn"] += 1
        return f"<svg data-key='{key}'></svg>"

    monkeypatch.setattr(style, "_drawn", drawn)
    return now


def page(tmp_path, seconds):
    with drawing_until(Deadline(time.monotonic() + seconds)):
        return write_report(tmp_path, **with_front(make_records("binary")).kwargs()).read_text("utf-8")


def test_as_many_charts_are_drawn_as_the_time_allows(clock, tmp_path):
    whole = page(tmp_path, 1_000.0)
    every = clock["drawn"]
    assert every > 4
    assert whole.count("<svg data-key=") == every and "before this chart was drawn" not in whole
    clock["drawn"] = 0
    begun = clock["s"]
    cut = page(tmp_path, 3.5)
    assert clock["s"] - begun <= 3.5
    assert clock["drawn"] == cut.count("<svg data-key=") == 3
    assert cut.count("before this chart was drawn") == every - 3


def test_numbers_and_words_are_all_there_without_charts(clock, tmp_path):
    def words(source):
        text = html.unescape(re.sub(r"<[^>]+>", " ", source)).replace(NOTE, "")
        return re.sub(r"\s+", " ", text)

    NOTE = (
        "The time was up before this chart was drawn. Its numbers are in the table;  autodl report  with the run's "
        "folder draws it."
    )
    whole, without = page(tmp_path, 1_000.0), page(tmp_path, 0.0)
    assert "<svg data-key=" not in without and without.count("<table") == whole.count("<table")
    assert words(without) == words(whole)


def test_outside_of_a_run_all_charts_are_drawn(clock, tmp_path):
    page(tmp_path, 0.0)
    assert clock["drawn"] == 0
    write_report(tmp_path, **with_front(make_records("binary")).kwargs())
    assert clock["drawn"] > 4
