"""What may be named with --search, --scheduler, --nas, --families and --metric."""

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
        option: ``search``, ``scheduler``, ``nas``, ``families`` or ``metric``.
    """
    told = choices(option)
    width = max(map(len, told)) + 2
    columns = max(40, min(_WIDEST, shutil.get_terminal_size().columns))
    lines: list[str] = []
    for key, text in told.items():
        lines += textwrap.wrap(
            text, columns, initial_indent=f"{key:<{width}}", subsequent_indent=" " * width,
            break_long_words=False,
        )  # fmt: skip
    return "\n".join(lines)


def choices(option: str) -> dict[str, str]:
    """Key -> what it is, for each that may be named; ``option`` as for ``listing``."""
    if option == "families":
        return _families()
    if option == "metric":
        return _metrics()
    from autodl.planning.searching import SCHEDULER
    from autodl.search.schedulers.base import schedulers
    from autodl.search.strategies.base import strategies

    known = schedulers if option == "scheduler" else strategies
    told = dict(_NAS) if option == "nas" else {}
    told |= {key: thing.summary or thing.name for key, thing in known.items()}
    usual = {"search": SEARCH, "scheduler": SCHEDULER, "nas": NAS}[option]
    return {
        key: text
        + (f" ({_OWN[key]})" if key in _OWN and option == "search" else "")
        + (" (default)" if key == usual else "")
        for key, text in told.items()
    }


def _families() -> dict[str, str]:
    from autodl.models.base import families
    from autodl.records import Modality

    reads = {
        Modality.TABLE: "columns of a table, also what is made of texts, images and series",
        Modality.IMAGE: "images", Modality.TEXT: "texts, word by word", Modality.SERIES: "series, step by step",
    }  # fmt: skip
    found = {}
    for key, cls in families.items():
        extra = f"; needs the extra {cls.extra}" if cls.extra else ""
        extra += "; only where it is named" if cls.on_request else ""
        found[key] = f"{cls.name}: reads {' and '.join(reads[m] for m in sorted(cls.modalities))}{extra}"
    return found


def _metrics() -> dict[str, str]:
    from autodl.evaluate.base import metrics

    found = {}
    for key, metric in metrics.items():
        task = f"{metric.task.value}{', two classes' if metric.binary_only else ''}"
        also = f" Also: {', '.join(metric.aliases)}." if metric.aliases else ""
        found[key] = f"{metric.name} ({task}). {metric.summary}{also}"
    return found
