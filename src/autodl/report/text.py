"""Marked-up plain strings: names, emphasis and glossary links without HTML in the wording code.

Marks are private-use characters that are removed from everything that comes from the data, so a column called
``<script>`` or one that contains the marks themselves can never open or close a tag.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markupsafe import Markup

_CODE, _END_CODE, _STRONG, _END_STRONG, _TERM, _TERM_SEP, _END_TERM = map(chr, range(0xE000, 0xE007))
_MARKS = re.compile("[\ue000-\ue006]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_TERM_LINK = re.compile(f"{_TERM}([a-z0-9_-]+){_TERM_SEP}")


def clean(value: object) -> str:
    """Any value as one line of text without marks, control characters or lone surrogates."""
    return " ".join(_CONTROL.sub("\ufffd", _MARKS.sub("", str(value))).split())


def shorten(value: object, limit: int = 48) -> str:
    """``clean`` with the middle replaced by an ellipsis beyond ``limit`` characters."""
    text = clean(value)
    if len(text) <= limit:
        return text
    head = (limit - 1) * 2 // 3
    return f"{text[:head].rstrip()}…{text[len(text) - (limit - 1 - head) :].lstrip()}"


def code(name: object, limit: int = 48) -> str:
    """A column, class or value, set in the typewriter face."""
    return f"{_CODE}{shorten(name, limit) or '(empty)'}{_END_CODE}"


def strong(text: str) -> str:
    """Emphasis."""
    return f"{_STRONG}{text}{_END_STRONG}"


def term(key: str, text: str) -> str:
    """A word with a link to its entry ``key`` in the glossary; the bare word where there is none."""
    from autodl.report.glossary import GLOSSARY

    if all(key != known for known, _, _ in GLOSSARY):
        return text
    return f"{_TERM}{key}{_TERM_SEP}{text}{_END_TERM}"


def plain(text: str) -> str:
    """The text without marks, for text alternatives and titles."""
    return _MARKS.sub("", _TERM_LINK.sub("", text))


def html(text: str) -> Markup:
    """The text as HTML; everything but the marks is escaped."""
    from markupsafe import Markup, escape

    out = str(escape(text))
    out = _TERM_LINK.sub(r'<a class="term" href="#g-\1">', out).replace(_END_TERM, "</a>")
    for mark, tag in ((_CODE, "<code>"), (_END_CODE, "</code>"), (_STRONG, "<strong>"), (_END_STRONG, "</strong>")):
        out = out.replace(mark, tag)
    return Markup(out)
