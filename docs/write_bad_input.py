"""Write docs/bad-input.md: what autodl answers to each bad input that the tests know, played by the real commands."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "cli"))

from bad_case import Case, Outcome, play
from bad_inputs import SECTIONS, finished_run

HEAD = """# Bad input

Written by `make docs` from the cases of the tests, each played by the real command in a folder of its own.

What autodl cannot use, it refuses in one line on stderr, with the place and the remedy and exit code 2, and leaves
nothing half-written behind. Where it copes (exit code 0), it says how; only the lines on the matter are shown here.
"""


def row(case: Case, outcome: Outcome) -> str:
    """One line of the table."""
    told = outcome.told(case.says).removeprefix("autodl: error: ")
    return f"| {case.wrong} | {code(case.command)} | {cell(told)} | {outcome.code} |"


def cell(text: str) -> str:
    """Text that a table cell shows literally; between backticks Markdown unescapes nothing but the bar."""
    parts = re.split("(`[^`]*`)", text)
    return "".join(re.sub(r"\|" if i % 2 else r"[\\|<*_]", r"\\\g<0>", part) for i, part in enumerate(parts))


def code(text: str) -> str:
    """A command in a table cell."""
    return f"`{text}`"


def page(rows: dict[str, list[str]]) -> str:
    """The whole page from the rows of each section."""
    parts = [HEAD]
    for heading, lines in rows.items():
        parts.append(f"## {heading}\n\n| what is wrong | typed | autodl says | exit code |\n|---|---|---|---|")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def played(folder: Path) -> Iterator[tuple[str, Case, Outcome]]:
    """All cases with their outcomes, each in a folder of its own."""
    (folder / "finished").mkdir()
    finished = finished_run(folder / "finished")
    for heading, cases in SECTIONS.items():
        for case in cases:
            place = folder / case.name
            place.mkdir()
            yield heading, case, play(case, place, finished)


def main() -> None:
    """Play all and write the page."""
    rows: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as name:
        for heading, case, outcome in played(Path(name)):
            rows.setdefault(heading, []).append(row(case, outcome))
    Path(__file__).with_name("bad-input.md").write_text(page(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
