"""The page as a whole: valid, self-contained, complete, safe, the same every time."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from report_records import Records, make_records

from autodl.errors import RunError
from autodl.records import Interval, TrialStatus
from autodl.report import write_report

VOID = {"meta", "link", "br", "img", "input", "hr", "line", "rect", "circle", "path", "use"}
KINDS = ("binary", "multiclass", "regression")


class Page(HTMLParser):
    """Checks nesting and collects attributes."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: Counter[str] = Counter()
        self.links: list[str] = []
        self.urls: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._see(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._see(tag, attrs)

    def _see(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        assert len(found) == len(attrs), f"an attribute occurs twice in <{tag}>"
        assert not any(name.startswith("on") for name in found)
        self.elements.append((tag, found))
        if "id" in found:
            self.ids[found["id"] or ""] += 1
        for name in ("src", "href", "xlink:href", "action", "data"):
            if found.get(name):
                (self.links if str(found[name]).startswith("#") else self.urls).append(str(found[name]))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("style", "script"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def page_of(folder: Path, records: Records) -> tuple[str, Page]:
    source = write_report(folder, **records.kwargs()).read_text("utf-8")
    return source, Page(source)


@pytest.fixture(scope="module", params=KINDS)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Page, Records]:
    records = make_records(request.param)
    return (*page_of(tmp_path_factory.mktemp("run"), records), records)


def check_page(source: str, page: Page) -> None:
    """What holds for every report."""
    assert len(source.encode()) < 3_000_000
    assert page.urls == []
    assert not re.search(r"url\((?!#)|@import", source)
    assert set(re.findall(r"https?://[^\"' <]+", source)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert [i for i, n in page.ids.items() if n > 1] == []
    assert {link[1:] for link in page.links} <= set(page.ids)
    scripts = [tag for tag, _ in page.elements if tag == "script"]
    assert scripts == ["script"]
    for tag, attrs in page.elements:
        if attrs.get("role") == "img":
            assert (attrs.get("aria-label") or "").strip(), tag
    assert "None" not in page.words
    assert not re.search(r"\bnan\b|\binf\b", page.text)


def test_page_is_sound_and_small(made: tuple[str, Page, Records]) -> None:
    source, page, _ = made
    check_page(source, page)
    assert len(source.encode()) < 600_000


def test_every_figure_has_a_text_alternative_and_a_table(made: tuple[str, Page, Records]) -> None:
    source, _, _ = made
    figures = re.findall(r"<figure.*?</figure>", source, flags=re.DOTALL)
    assert len(figures) >= 8
    for figure in figures:
        assert 'role="img" aria-label="' in figure
        assert "<details><summary>The numbers as a table</summary>" in figure
        assert figure.count("<tr>") >= 2


def test_sections_come_in_the_agreed_order(made: tuple[str, Page, Records]) -> None:
    _, page, records = made
    wanted = ["score", "trust", "drivers", "next", "health", "plan", "leaderboard", "versus", "wrong", "curves",
              "drives", "search", "time", "method", "card", "glossary", "reproduce"]  # fmt: skip
    if not records.plan.classes:
        wanted.remove("curves")
    assert [i for i in page.ids if i in wanted] == wanted


def test_colours_follow_the_readers_scheme(made: tuple[str, Page, Records]) -> None:
    source, _, _ = made
    drawn = "".join(re.findall(r'<div class="plot.*?</svg>', source, flags=re.DOTALL))
    assert "var(--ink)" in drawn
    assert re.findall(r"#[0-9a-fA-F]{6}", drawn) == []
    assert "DejaVu" not in drawn


def test_numbers_on_the_page_are_those_of_the_records(made: tuple[str, Page, Records]) -> None:
    _, page, records = made
    e = records.evaluation
    assert e is not None
    if e.confusion:
        hits, n = sum(r[i] for i, r in enumerate(e.confusion)), sum(map(sum, e.confusion))
        assert f"Of {n:,} rows held back, it got {hits:,} right: {hits / n * 100:.0f} in 100" in page.text
    else:
        assert "typically off by 271 (95 % interval 262 to 280)" in page.text
        assert "always answering the middle value of the training rows is off by 1,830" in page.text
    for model in e.models:
        assert model.name in page.text
    for stage in records.run.stages:
        assert stage.name in page.text
    assert records.run.command in page.text
    assert "ValueError: bad <b>split</b>" in page.text
    assert "would take 140 s of the 60 s" in page.text


def test_same_records_same_page(tmp_path: Path) -> None:
    first, _ = page_of(tmp_path, make_records("binary"))
    second, _ = page_of(tmp_path, make_records("binary"))
    assert first == second


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", ["running", "interrupted"])
def test_an_unfinished_run_still_has_a_report_that_says_what_is_missing(
    tmp_path: Path, kind: str, status: str
) -> None:
    records = make_records(kind, n_trials=8)
    run = records.run.model_copy(update={"status": status, "delivered": ""})
    source, page = page_of(tmp_path, records.but(run=run, evaluation=None, explanation=None, ensemble=None))
    check_page(source, page)
    assert "no score on held-back rows yet" in page.text
    assert ("still going" in page.text) == (status == "running")
    assert "Not measured in this run." in page.text


def test_a_run_without_any_trial(tmp_path: Path) -> None:
    records = make_records("binary", n_trials=0)
    source, page = page_of(tmp_path, records.but(evaluation=None, explanation=None, ensemble=None))
    check_page(source, page)
    assert "No configuration was tried." in page.text


def test_one_trial_and_only_failures(tmp_path: Path) -> None:
    records = make_records("regression", n_trials=1)
    check_page(*page_of(tmp_path, records))
    failed = tuple(
        t.model_copy(
            update={"status": TrialStatus.FAILED, "loss": None, "score": None, "error": "MemoryError: <too> big"}
        )
        for t in make_records("binary", n_trials=5).trials
    )
    source, page = page_of(
        tmp_path, make_records("binary").but(trials=failed, evaluation=None, ensemble=None, explanation=None)
    )
    check_page(source, page)
    assert "MemoryError: <too> big" in page.text


HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=alert(1)> {{ 7*7 }} $\\frac{1}{2}$ \ue000\ue003"


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_names_and_values_stay_text(tmp_path: Path, kind: str) -> None:
    columns = (HOSTILE, "b" * 200, "列の名前", "a\nb\tc", "", "$x^2$", "ok")
    classes = (
        None if kind == "regression" else (HOSTILE + "1", HOSTILE + "2", *(("c",) if kind == "multiclass" else ()))
    )
    records = make_records(kind, columns=columns, classes=classes, target=HOSTILE, value=HOSTILE)
    source, page = page_of(tmp_path, records)
    check_page(source, page)
    assert not [a for tag, a in page.elements if tag == "img"]
    assert "<script>alert" in page.text
    assert "49" not in re.findall(r"\{\{.*?\}\}|\b49\b", page.text.split("held back")[0])


def test_many_classes_and_columns(tmp_path: Path) -> None:
    columns = tuple(f"measurement_{i}_" + "x" * (i * 4) for i in range(60))
    records = make_records("multiclass", classes=tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), columns=columns, n_trials=120)
    source, page = page_of(tmp_path, records)
    check_page(source, page)
    assert len(source.encode()) < 900_000
    assert "26 classes" in page.text


name = st.text(min_size=1, max_size=40)
wild = st.floats(allow_nan=True, allow_infinity=True)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(name, min_size=2, max_size=4, unique=True), target=name, value=wild, low=wild, high=wild)
def test_any_names_and_scores_give_a_sound_page(
    tmp_path: Path, names: list[str], target: str, value: float, low: float, high: float
) -> None:
    records = make_records(
        "binary", columns=tuple(names), classes=(names[0] + "0", names[1] + "1"), target=target, n_trials=3
    )
    e = records.evaluation
    assert e is not None
    odd = Interval(value=value, low=low, high=high, n=7)
    models = tuple(m.model_copy(update={"test": odd}) for m in e.models)
    records = records.but(evaluation=e.model_copy(update={"models": models, "calibration_error": odd}))
    source, page = page_of(tmp_path, records)
    check_page(source, page)


def test_a_folder_that_is_missing_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot write the report"):
        write_report(tmp_path / "no", **make_records("binary", n_trials=1).kwargs())


def test_an_older_report_is_replaced_and_nothing_is_left_behind(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("old")
    write_report(tmp_path, **make_records("binary", n_trials=1).kwargs())
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    assert (tmp_path / "report.html").read_text("utf-8").startswith("<!doctype html>")


def test_a_planned_kind_that_was_not_reached_is_listed(tmp_path: Path) -> None:
    records = make_records("binary")
    key = next(t.spec.family for t in records.trials if t.spec.family == "forest")
    left = tuple(t for t in records.trials if t.spec.family != key)
    said = "not tried: the time or the memory did not reach"
    assert said not in page_of(tmp_path, records)[1].text
    assert re.search(rf"Random forest 0 0 \S+ {said}", page_of(tmp_path, records.but(trials=left))[1].text)


@pytest.mark.parametrize(("form", "named"), [("csv", "NEW_DATA.csv"), ("images", "FOLDER_OF_NEW_IMAGES")])
def test_the_page_says_how_the_model_is_used_once_there_is_one(tmp_path: Path, form: str, named: str) -> None:
    records = make_records("binary")
    read = records.profile.read.model_copy(update={"format": form})
    records = records.but(profile=records.profile.model_copy(update={"read": read}))
    folder = tmp_path / "my <run>"
    folder.mkdir()
    page = Page(write_report(folder, **records.kwargs()).read_text(encoding="utf-8"))
    command = f"autodl predict '{folder}' {named} --out predictions.csv"
    assert command in " ".join(page.words) and "#use" in page.links
    unborn = records.but(run=records.run.model_copy(update={"delivered": ""}))
    page = Page(write_report(folder, **unborn.kwargs()).read_text(encoding="utf-8"))
    assert "autodl predict" not in " ".join(page.words) and "#use" not in page.links
