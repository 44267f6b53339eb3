"""The runs below a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from autodl.errors import RunError
from autodl.records import RunRecord
from autodl.store.folder import RunFolder


def list_runs(parent: str | Path, tell: Callable[[str], None] | None = None) -> list[tuple[Path, RunRecord]]:
    """Runs in the folders directly below ``parent``, newest first.

    Args:
        parent: Where to look.
        tell: Is given a sentence for each run that is left out because it cannot be read.
    """
    found = []
    for path in sorted(Path(parent).glob("*/run.json")):
        try:
            found.append((path.parent, RunFolder(path.parent).read_run()))
        except RunError as error:
            if tell is not None:
                tell(str(error))
    return sorted(found, key=lambda item: item[1].started, reverse=True)
