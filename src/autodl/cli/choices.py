"""What may be named with --search, --scheduler and --nas."""

from __future__ import annotations

_NAS = {
    "joint": "Together with all other settings",
    "none": "Not at all: the best listed architecture stays",
    "supernet": "One network that shares its weights among architectures",
}


def listing(option: str) -> str:
    """One line a choice: its key, what it is, and where it is published.

    Args:
        option: ``search``, ``scheduler`` or ``nas``.
    """
    from autodl.search.schedulers.base import schedulers
    from autodl.search.strategies.base import strategies

    known = schedulers if option == "scheduler" else strategies
    told = dict(_NAS) if option == "nas" else {}
    told |= {key: thing.name + (f" ({thing.paper})" if thing.paper else "") for key, thing in known.items()}
    width = max(map(len, told))
    return "\n".join(f"{key:<{width}}  {text}" for key, text in told.items())
