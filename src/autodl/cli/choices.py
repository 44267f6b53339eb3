"""What may be named with --search, --scheduler and --nas."""

from __future__ import annotations

import shutil
import textwrap

from autodl.defaults import NAS, SEARCH

_NAS = {
    "joint": "together with all other settings; good when in doubt",
    "none": "not at all: the best listed architecture stays; good when time is short",
    "supernet": "one network shares its weights among architectures and ranks them; good with many architectures",
}
_OWN = {
    "cmaes": "searches numbers only: needs a space of its own, --space",
    "grid": "searches choices and stepped numbers only: needs a space of its own, --space",
    "nni-gp": "searches numbers only: needs a space of its own, --space",
    "nni-nas-rl": "searches choices only: needs a space of its own, --space, or --nas",
    "nni-nas-tpe": "searches choices only: needs a space of its own, --space, or --nas",
}
"""Strategies that can search none of the shipped spaces."""
_WIDEST = 118


def listing(option: str) -> str:
    """Each choice with what it does and when it is good, as wide as the terminal.

    Args:
        option: ``search``, ``scheduler`` or ``nas``.
    """
    from autodl.planning.searching import SCHEDULER
    from autodl.search.schedulers.base import schedulers
    from autodl.search.strategies.base import strategies

    known = schedulers if option == "scheduler" else strategies
    told = dict(_NAS) if option == "nas" else {}
    told |= {key: thing.summary or thing.name for key, thing in known.items()}
    usual = {"search": SEARCH, "scheduler": SCHEDULER, "nas": NAS}[option]
    width = max(map(len, told)) + 2
    columns = max(40, min(_WIDEST, shutil.get_terminal_size().columns))
    lines: list[str] = []
    for key, text in told.items():
        more = f" ({_OWN[key]})" if key in _OWN and option == "search" else ""
        more += " (default)" if key == usual else ""
        lines += textwrap.wrap(
            text + more, columns, initial_indent=f"{key:<{width}}", subsequent_indent=" " * width,
            break_long_words=False,
        )  # fmt: skip
    return "\n".join(lines)
