"""The history of a search as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from autodl.search.ledger import Evaluation

if TYPE_CHECKING:
    import pandas as pd


def history_frame(history: Sequence[Evaluation]) -> pd.DataFrame:
    """A row a call, in the order of starts.

    Columns: ``trial``, ``fidelity``, ``status``, ``loss`` (with several losses also ``loss.1`` and so on),
    ``seconds``, ``error``, ``parent``, then ``config.NAME`` for each parameter, missing where a configuration has
    none. The index is the number of the call.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for e in history:
        row: dict[str, Any] = {"trial": e.trial, "fidelity": e.fidelity, "status": e.status, "loss": e.loss}
        row |= {f"loss.{i}": value for i, value in enumerate(e.losses[1:], 1)}
        row |= {"seconds": e.seconds, "error": e.error, "parent": e.parent}
        rows.append(row | {f"config.{name}": value for name, value in e.config.items()})
    names = dict.fromkeys(name for row in rows for name in row)
    plain = [n for n in names if not n.startswith("config.")]
    frame = pd.DataFrame(
        rows, columns=[*plain, *(n for n in names if n.startswith("config."))],
        index=pd.Index([e.number for e in history], name="number"),
    )  # fmt: skip
    return frame.astype({"fidelity": "float64", "loss": "float64", "parent": "Int64"})
