"""From the view to HTML: looks only, no wording and no arithmetic."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from autodl.report.text import html, plain
from autodl.report.view import Report

if TYPE_CHECKING:
    from jinja2 import Environment


@lru_cache(maxsize=1)
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    env = Environment(
        loader=PackageLoader("autodl.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters["rich"] = html
    env.filters["plain"] = plain
    return env


def render(report: Report) -> str:
    """One self-contained HTML page."""
    from markupsafe import Markup

    env = _environment()
    loader = env.loader
    assert loader is not None
    style = loader.get_source(env, "style.css")[0]
    script = _without_blank_lines(loader.get_source(env, "script.js")[0])
    # The browser runs the script with this hash and no other, whatever might stand in the page.
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page = env.get_template("page.html").render(
        r=report, style=Markup(style), script=Markup(script), script_hash=digest, safe_svg=Markup
    )
    return _without_blank_lines(page)


def _without_blank_lines(text: str) -> str:
    return re.sub(r"\n[ \t]*(?:\n[ \t]*)+", "\n", text)
