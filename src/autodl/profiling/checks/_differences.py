"""Which columns differ between two sets of rows; shared by the checks on drift."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.profiling.checks.base import Context, as_numbers
from autodl.profiling.stats import cramers_v, holm, ks
from autodl.records import ColumnKind

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

ALPHA = 0.01
EFFECT = 0.1
"""Kolmogorov-Smirnov distance or Cramer's V below which a difference does not matter, however certain."""
MAX_COLUMNS = 300


def differences(
    first: pd.DataFrame, second: pd.DataFrame, columns: dict[str, ColumnKind]
) -> list[tuple[str, float, float]]:
    """Columns that differ between two tables, by Holm-corrected tests and effect size, the largest first.

    Args:
        first: (n1, columns) canonical rows.
        second: (n2, columns) canonical rows.
        columns: Column -> how its values are compared.

    Returns:
        (column, effect, p_holm): the Kolmogorov-Smirnov distance of numbers and dates, Cramer's V of categories.
    """
    names, effects, p_values = list(columns), [], []
    for name, kind in columns.items():
        if kind in (ColumnKind.NUMERIC, ColumnKind.DATETIME):
            size, p = ks(as_numbers(first[name]), as_numbers(second[name]))
        else:
            size, p = _category_difference(first[name].to_numpy(), second[name].to_numpy())
        effects.append(size)
        p_values.append(p)
    adjusted = holm(p_values)
    kept = [(n, e, p) for n, e, p in zip(names, effects, adjusted, strict=True) if e >= EFFECT and p < ALPHA]
    return sorted(kept, key=lambda k: -k[1])


def _category_difference(a: NDArray[Any], b: NDArray[Any]) -> tuple[float, float]:
    import pandas as pd

    codes, levels = pd.factorize(np.concatenate([a, b]), use_na_sentinel=False)
    # Levels beyond the 30 most frequent count as one: sparse cells make chi-squared unreliable.
    size = np.bincount(codes, minlength=len(levels))
    rank = np.empty(len(levels), dtype=np.int64)
    rank[np.argsort(-size, kind="stable")] = np.arange(len(levels))
    group = np.minimum(rank[codes], 30)
    return cramers_v(
        np.stack([np.bincount(group[: len(a)], minlength=31), np.bincount(group[len(a) :], minlength=31)])
    )


def compared_columns(ctx: Context) -> dict[str, ColumnKind]:
    """Features whose values can be compared, at most MAX_COLUMNS, with their kinds."""
    kinds = (ColumnKind.NUMERIC, ColumnKind.BOOLEAN, ColumnKind.CATEGORICAL)
    return {n: ctx.column[n].kind for n in ctx.of_kind(*kinds)[:MAX_COLUMNS]}
