"""What the report and the terminal say of time, size and memory."""

from __future__ import annotations

import html
import re

import pytest
from report_records import make_records, with_front

from autodl.records import Footprint, Limits
from autodl.report import write_report
from autodl.report.facts import gather
from autodl.report.limits import verdict
from autodl.report.sections.front import front_view, limit_statement
from autodl.report.text import plain

TIGHT = Limits(row_s=0.008, size_bytes=2_000_000, memory_bytes=500_000_000)


def facts_of(records):
    r = records.kwargs()
    return gather(
        r["run"], r["profile"], r["plan"], r["trials"], r["ensemble"], r["evaluation"], r["explanation"], r["names"],
        "", r["front"],
    )  # fmt: skip


def said(records):
    view = front_view(facts_of(records))
    assert view is not None
    return " ".join(plain(s) for s in view.sentences)


@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression"])
def test_the_page_shows_the_front(kind, tmp_path):
    records = with_front(make_records(kind))
    source = write_report(tmp_path, **records.kwargs()).read_text("utf-8")
    text = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", source)))
    assert 'id="front"' in source and 'href="#front"' in source and 'id="fig-front"' in source
    assert "12 ms for one row , 40 ms for 1,000 rows at once, 900 kB on disk and 280 MB of memory" in text
    section = source[source.index('<section id="front"') :]
    table = section[: section.index("</section>")].rsplit("<tbody>", 1)[1]
    best = [p for p in records.front.points if p.best or p.kind == "delivered"]
    assert table.count("<tr>") == min(len(best), 12)
    assert "delivered" in table


def test_without_measurements_there_is_no_section(tmp_path):
    source = write_report(tmp_path, **make_records("binary").kwargs()).read_text("utf-8")
    assert 'id="front"' not in source and 'href="#front"' not in source
    empty = with_front(make_records("binary"))
    empty = empty.but(front=empty.front.model_copy(update={"points": (), "delivered": None}))
    assert front_view(facts_of(empty)) is None


def test_a_quicker_model_is_named_with_its_price():
    records = with_front(make_records("binary"))
    delivered = next(p for p in records.front.points if p.kind == "delivered")
    quick = [
        p for p in records.front.points if p.best and p.kind == "trial" and p.need.row_s <= 0.7 * delivered.need.row_s
    ]
    best = min(quick, key=lambda p: p.loss)
    text = said(records)
    assert f"{best.name} takes" in text and "less ROC AUC in validation" in text
    only = records.but(front=records.front.model_copy(update={"points": (delivered,)}))
    assert "of the time" not in said(only)


def test_no_limit_is_given_up_for_a_quicker_model():
    records = with_front(make_records("binary"), Limits(size_bytes=1_000_000))
    assert re.search(r" takes .* of the time", said(records))
    points = tuple(p.model_copy(update={"within": p.kind == "delivered"}) for p in records.front.points)
    beyond = records.but(front=records.front.model_copy(update={"points": points}))
    assert not re.search(r" takes .* of the time", said(beyond))
    assert "No model within the limits that was tried is much quicker" in said(beyond)


def test_limits_on_the_first_screen():
    assert limit_statement(facts_of(with_front(make_records("binary")))) is None
    broken = limit_statement(facts_of(with_front(make_records("binary"), TIGHT, ("forest",))))
    assert broken is not None and broken.mark == "care" and "does not keep" in broken.lead
    assert "Random forest" in said(with_front(make_records("binary"), TIGHT, ("forest",)))
    kept = limit_statement(facts_of(with_front(make_records("binary"), Limits(row_s=0.05))))
    assert kept is not None and kept.mark == "holds"


@pytest.mark.parametrize(
    ("need", "words"),
    [
        (Footprint(row_s=0.004, size_bytes=10, memory_bytes=10), "keeps the limits"),
        (Footprint(row_s=0.012, size_bytes=10, memory_bytes=10), "it takes 12 ms for one row, where 8.0 ms"),
        (
            Footprint(row_s=0.012, size_bytes=3_000_000, memory_bytes=10),
            "12 ms for one row and 3.0 MB on disk, where",
        ),
        (Footprint(row_s=0.004, size_bytes=10), "What could be measured keeps the limits"),
        (Footprint(row_s=0.004, size_bytes=10), "Not measured: the limit of 500 MB of memory"),
        (None, "not measured whether"),
    ],
)
def test_words_for_limits(need, words):
    assert words in verdict(TIGHT, need)
    assert verdict(Limits(), need) == ""
