"""Marked-up plain strings: names, emphasis and glossary links without HTML in the wording code.

Marks are private-use characters that are removed from everything that comes from the data, so a column called
``<script>`` or one that contains the marks themselves can never open or close a tag.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from autodl import shortening

if TYPE_CHECKING:
    from markupsafe import Markup

_CODE, _END_CODE, _STRONG, _END_STRONG, _TERM, _TERM_SEP, _END_TERM = map(chr, range(0xE000, 0xE007))
_FULL, _FULL_SEP, _END_FULL = map(chr, range(0xE007, 0xE00A))
_MARKS = re.compile("[\ue000-\ue009]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_TERM_LINK = re.compile(f"{_TERM}([a-z0-9_-]+){_TERM_SEP}")
_FULL_NAME = re.compile(f"{_FULL}([^{_FULL_SEP}]*){_FULL_SEP}")
_LONGEST_TITLE = 500


def clean(value: object) -> str:
    """Any value as one line of text without marks, control characters or lone surrogates."""
    return " ".join(_CONTROL.sub("\ufffd", _MARKS.sub("", str(value))).split())


def shorten(value: object, limit: int = 48) -> str:
    """``clean`` with the middle replaced by an ellipsis beyond ``limit`` characters."""
    return shortening.shorten(clean(value), limit)


def shorten_apart(values: Iterable[object], limit: int = 48) -> dict[str, str]:
    """Each value as ``clean`` has it -> the same shortened, so that different ones of the set stay different."""
    return shortening.shorten_apart(map(clean, values), limit)


def titled(value: object, limit: int = 48, short: str = "") -> str:
    """``shorten`` with the full text as a title, to be read by pointing at it.

    Args:
        value: Any. limit: Characters. short: What to show instead, such as one of ``shorten_apart``.
    """
    shown = short or shorten(value, limit)
    return shown if shown == clean(value) else f"{_FULL}{shorten(value, _LONGEST_TITLE)}{_FULL_SEP}{shown}{_END_FULL}"


def code(name: object, limit: int = 48, short: str = "") -> str:
    """A column, class or value, set in the typewriter face; arguments as for ``titled``."""
    return f"{_CODE}{titled(name, limit, short) or '(empty)'}{_END_CODE}"


def command(text: str) -> str:
    """Something to be copied into a terminal: whole, however long."""
    return code(text, len(text))


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
    return _MARKS.sub("", _FULL_NAME.sub("", _TERM_LINK.sub("", text)))


def html(text: str) -> Markup:
    """The text as HTML; everything but the marks is escaped."""
    from markupsafe import Markup, escape

    out = str(escape(text))
    out = _TERM_LINK.sub(r'<a class="term" href="#g-\1">', out).replace(_END_TERM, "</a>")
    out = _FULL_NAME.sub(r'<span title="\1">', out).replace(_END_FULL, "</span>")
    for mark, tag in ((_CODE, "<code>"), (_END_CODE, "</code>"), (_STRONG, "<strong>"), (_END_STRONG, "</strong>")):
        out = out.replace(mark, tag)
    return Markup(out)
