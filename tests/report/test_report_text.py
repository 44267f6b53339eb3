"""Marks become tags, everything else is escaped."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from autodl.report import text
from autodl.report.glossary import GLOSSARY


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def parsed(html: str) -> Tags:
    tags = Tags()
    tags.feed(html)
    tags.close()
    return tags


@given(st.text(max_size=80))
def test_no_name_opens_a_tag(name: str) -> None:
    found = parsed(str(text.html(f"Column {text.code(name)} is {text.strong(text.clean(name))}")))
    assert found.tags == ["code", "strong"]


@given(st.text(max_size=300), st.integers(8, 60))
def test_shortened_text_fits_and_keeps_both_ends(value: str, limit: int) -> None:
    short, full = text.shorten(value, limit), text.clean(value)
    assert len(short) <= limit
    if len(full) > limit:
        assert full.startswith(short.split("…")[0])
    else:
        assert short == full


@given(st.lists(st.text("ab ", max_size=60), max_size=12), st.integers(8, 40))
def test_different_names_stay_different(values: list[str], limit: int) -> None:
    short = text.shorten_apart(values, limit)
    assert set(short) == {text.clean(v) for v in values}
    assert len(set(short.values())) == len(short) and all(len(s) <= limit for s in short.values())


def test_names_that_differ_in_the_middle_show_where() -> None:
    names = [f"{'customer_' * 5}{day}{'_total' * 5}" for day in ("monday", "sunday")]
    short = text.shorten_apart(names, 32)
    assert "monday" in short[names[0]] and "sunday" in short[names[1]]


def test_a_shortened_name_is_there_in_full_to_be_pointed_at() -> None:
    name = 'a "quoted" <b> name that goes on & on'
    html = str(text.html(text.code(name, 12)))
    assert html.startswith('<code><span title="a &#34;quoted&#34; &lt;b&gt; name that goes on &amp; on">a &#34;quot')
    assert text.plain(text.code(name, 12)) == text.shorten(name, 12)
    assert str(text.html(text.command("x" * 2000))) == f"<code>{'x' * 2000}</code>"


@given(st.text(max_size=60))
def test_plain_removes_all_marks(value: str) -> None:
    marked = f"{text.code(value)} {text.term('tie', 'tie')} {text.strong('x')}"
    assert text.plain(marked) == f"{text.shorten(value) or '(empty)'} tie x"


def test_script_stays_text() -> None:
    html = str(text.html(text.code("<script>alert(1)</script>")))
    assert html == "<code>&lt;script&gt;alert(1)&lt;/script&gt;</code>"


def test_terms_link_to_the_glossary_and_unknown_ones_are_bare() -> None:
    assert str(text.html(text.term("roc_auc", "AUC"))) == '<a class="term" href="#g-roc_auc">AUC</a>'
    assert text.term("no such term", "word") == "word"
    assert len({key for key, _, _ in GLOSSARY}) == len(GLOSSARY)
