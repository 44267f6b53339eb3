"""Code blocks of Markdown files."""

from __future__ import annotations

import re
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]


def blocks(file: str, language: str) -> list[str]:
    """The fenced blocks of one language, in order."""
    text = (REPO / file).read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
